//! Memory for machine code: one large reservation, of which programs get pages.
//!
//! ```text
//!   | x x | x | . . | x x x | . . . . . .        x: readable and executable
//!                                                .: writable, no memory behind it
//! ```
//!
//! Pages are written while nothing can execute them and executable while
//! nothing can write them.  Free ones are writable, for each change of access
//! costs as much as half of compiling a small program.  Neighbours merge into one mapping of the kernel,
//! which only allows so many, and lie close enough for short calls.
//!
//! Sound because: a range is handed out once until its [`Pages`] are dropped;
//! ranges lie inside of a mapping that is never unmapped; whoever can execute
//! pages has borrowed them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

const PAGE: usize = 4_096;
/// Address space to ask for; where that is short, less will do.
const RESERVATIONS: [usize; 3] = [1 << 30, 1 << 28, 1 << 25];

/// Free ranges by their start, never two adjacent ones.
static FREE: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// Executable pages, returned when dropped.
#[derive(Debug)]
pub struct Pages {
    start: usize,
    length: usize,
}

impl Pages {
    /// Pages that hold `code` from their start.
    pub fn new(code: &[u8]) -> Result<Self, String> {
        let length = code.len().max(1).next_multiple_of(PAGE);
        let pages = Self {
            start: take(length)?,
            length,
        };
        // SAFETY: the pages are writable, large enough, and nobody else's.
        unsafe {
            std::ptr::copy_nonoverlapping(code.as_ptr(), pages.start as *mut u8, code.len());
        }
        protect(pages.start, length, libc::PROT_READ | libc::PROT_EXEC)?;
        Ok(pages)
    }

    pub fn address(&self) -> usize {
        self.start
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // If the kernel has no room for another mapping the pages are lost, which harms nobody;
        // their memory is given back in any case.
        let writable = protect(self.start, self.length, access).is_ok();
        // SAFETY: the pages are this value's, and it is gone.
        unsafe {
            libc::madvise(
                self.start as *mut libc::c_void,
                self.length,
                libc::MADV_DONTNEED,
            )
        };
        if writable {
            give(self.start, self.length);
        }
    }
}

/// The lowest free range: so programs stay together.
fn take(length: usize) -> Result<usize, String> {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |free: &BTreeMap<usize, usize>| {
        let mut ranges = free.iter();
        ranges
            .find(|(_, room)| **room >= length)
            .map(|(start, room)| (*start, *room))
    };
    let (start, room) = match fits(&free) {
        Some(found) => found,
        None => {
            let (start, size) = reserve(length)?;
            free.insert(start, size);
            (start, size)
        }
    };
    free.remove(&start);
    if room > length {
        free.insert(start + length, room - length);
    }
    Ok(start)
}

/// Join a range with its free neighbours.
fn give(mut start: usize, mut length: usize) {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(room) = free.remove(&(start + length)) {
        length += room;
    }
    let before = free
        .range(..start)
        .next_back()
        .map(|(at, room)| (*at, *room));
    if let Some((at, room)) = before.filter(|(at, room)| at + room == start) {
        start = at;
        length += room;
    }
    free.insert(start, length);
}

fn reserve(length: usize) -> Result<(usize, usize), String> {
    for size in RESERVATIONS.into_iter().filter(|size| *size >= length) {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, at a place of the kernel's choice.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), size, access, flags, -1, 0) };
        if start != libc::MAP_FAILED {
            return Ok((start as usize, size));
        }
    }
    Err(format!(
        "no address space for {length} bytes of code: {}",
        std::io::Error::last_os_error()
    ))
}

fn protect(start: usize, length: usize, access: i32) -> Result<(), String> {
    // SAFETY: a range of a reservation, whose owner calls this.
    if unsafe { libc::mprotect(start as *mut libc::c_void, length, access) } == 0 {
        return Ok(());
    }
    Err(format!("code memory: {}", std::io::Error::last_os_error()))
}
