//! The processes that share a map, and which of them are alive.
//!
//! Every process that maps a file or memfd takes a row: it locks byte `row` of
//! the file with an open-file-description lock.  The kernel drops the lock when
//! the process dies, however it dies, before anybody has reaped it; and the
//! answer does not depend on process ids, which other namespaces number
//! differently.  Everything that a process leaves in a shared map (its lock
//! words, what it announced to the epochs) carries its row.
//!
//! The byte behind the rows is the door: whoever makes or opens the map has it
//! meanwhile, so that two processes do not both find an empty file.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{EngineError, Result, ResultCode};

/// Processes that may share one map.
pub const MAX_PEERS: usize = 16;
const DOOR: usize = MAX_PEERS;
/// How long another process may take to open the map.
const MAX_OPENING: Duration = Duration::from_secs(5);

/// This process among those that share a map.
pub struct Peers {
    /// An open file description of our own: locks belong to it.
    file: File,
    pub row: usize,
    /// Two threads of one process do not exclude each other by locks of the file.
    looking: Mutex<()>,
}

impl Peers {
    /// Take a free row of the map in `shared`, and the door until [`Peers::open_door`].
    pub fn join(shared: &File) -> Result<Self> {
        let file = reopened(shared)?;
        shut_door(&file)?;
        let free = (0..MAX_PEERS).find(|row| lock(&file, *row));
        match free {
            Some(row) => Ok(Self {
                file,
                row,
                looking: Mutex::new(()),
            }),
            None => Err(EngineError::new(
                ResultCode::NoMemory,
                format!("{MAX_PEERS} processes share this map already"),
            )),
        }
    }

    /// Let others open the map.
    pub fn open_door(&self) {
        unlock(&self.file, DOOR);
    }

    /// Give the file back as it was: it was empty, and no map came of it.
    pub fn give_back(&self) {
        // A file that keeps its size is refused, or is the right one, next time.
        let _ = self.file.set_len(0);
    }

    /// Go on with the same row in another file, which nobody else has yet.
    pub(super) fn move_to(&self, shared: &File) -> Result<()> {
        let file = reopened(shared)?;
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if !lock(&file, self.row) {
            return Err(EngineError::new(
                ResultCode::InvalidState,
                "somebody has the map's new file already",
            ));
        }
        super::backing::take_place(&file, &self.file)
    }

    /// Run `repair` if the process of this row is dead; nobody joins in its place meanwhile.
    pub fn if_dead<T>(&self, row: usize, repair: impl FnOnce() -> T) -> Option<T> {
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if row == self.row || row >= MAX_PEERS || !lock(&self.file, row) {
            return None;
        }
        let result = repair();
        unlock(&self.file, row);
        Some(result)
    }
}

/// The file with a description of its own.
fn reopened(shared: &File) -> Result<File> {
    let path = format!("/proc/self/fd/{}", shared.as_raw_fd());
    let file = OpenOptions::new().read(true).write(true).open(path);
    file.map_err(|error| {
        EngineError::new(
            ResultCode::AccessDenied,
            format!("the map's file cannot be opened for writing: {error}"),
        )
    })
}

fn shut_door(file: &File) -> Result<()> {
    let deadline = Instant::now() + MAX_OPENING;
    while !lock(file, DOOR) {
        if Instant::now() > deadline {
            return Err(EngineError::new(
                ResultCode::Timeout,
                format!("another process has been opening the map for {MAX_OPENING:?}"),
            ));
        }
        // The kernel could wait for us, but without a bound.
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn lock(file: &File, row: usize) -> bool {
    set(file, row, libc::F_WRLCK)
}

fn unlock(file: &File, row: usize) {
    set(file, row, libc::F_UNLCK);
}

fn set(file: &File, row: usize, kind: libc::c_int) -> bool {
    // SAFETY: all zero is a valid `flock`, and the call only reads it.
    unsafe {
        let mut range: libc::flock = std::mem::zeroed();
        range.l_type = kind as libc::c_short;
        range.l_whence = libc::SEEK_SET as libc::c_short;
        range.l_start = row as libc::off_t;
        range.l_len = 1;
        libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut range) == 0
    }
}
