//! Anonymous memory with a stable address, zeroed, taken page by page on use.
//!
//! Sound because: `mmap` gives a fresh private mapping of exactly `length`
//! bytes that nobody else knows; the value owns it, never moves it, and unmaps
//! it once, when dropped.  Access goes through raw addresses; who may access
//! what is the argument of the stores that use it.

use crate::error::{EngineError, Result, ResultCode};

/// A mapping of at least one byte.
pub struct Memory {
    base: *mut libc::c_void,
    length: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Memory {}
// SAFETY: the type itself gives no access; its users synchronise theirs.
unsafe impl Sync for Memory {}

impl Memory {
    /// Reserve `length` bytes; NO_MEMORY if the system refuses.
    pub fn zeroed(length: usize) -> Result<Self> {
        let length = length.max(1);
        // SAFETY: a new anonymous mapping touches no memory that is in use.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(EngineError::new(
                ResultCode::NoMemory,
                format!("the system has no {length} bytes for a map"),
            ));
        }
        Ok(Self { base, length })
    }

    pub fn base(&self) -> usize {
        self.base as usize
    }

    pub fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing refers to it any more.
        unsafe { libc::munmap(self.base, self.length) };
    }
}
