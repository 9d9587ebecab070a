//! A map that leaves other processes behind.
//!
//! A process that was to let go of a map, and did not, may write to it at any
//! time.  What it writes to then is a file that is nobody's: the map has moved
//! to a new one, at the same addresses, with a copy of its contents.

use std::time::Duration;

use super::{Map, Storage};
use crate::error::{EngineError, Result, ResultCode};

/// How long invocations of this process may keep a map that is to move.
const PATIENCE: Duration = Duration::from_millis(20);

impl Map {
    /// Move to another file: a new memfd, or an empty file that is given.
    ///
    /// TIMEOUT, and nothing has changed, if invocations of this process do not leave the map for
    /// a moment.
    pub fn renew(&self, storage: Storage) -> Result<()> {
        let arena = self.arena().ok_or_else(|| {
            EngineError::new(
                ResultCode::OperationNotSupported,
                "the map holds objects of this process",
            )
        })?;
        arena.move_to(storage, PATIENCE)
    }
}
