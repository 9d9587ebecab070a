//! Memory for machine code: one file in memory, of which programs get parts.
//!
//! ```text
//!   file      | a b c | d d | . . | e e e | . . . . . .     .: a hole, no memory behind it
//!                 ^ write
//!   mapping   r-x, of all of it; there is no other
//! ```
//!
//! No mapping of code is ever writable: it is written through the file, by the
//! kernel.  So a program costs one call to write it, none changes the access
//! to memory, which takes longer than writing, and all programs together are
//! one mapping, close enough for short calls.
//!
//! Sound because: a place is handed out once until its [`Pages`] are dropped
//! (`room`); places lie inside of a mapping that is never unmapped; whoever can
//! execute code has borrowed its pages.  A child process has the same file, so
//! that belongs to the process that made it; others neither take nor return any.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::room::{self, Room};

/// What is left of a program where others are: an instruction that traps.
const TRAP: u8 = 0xcc;
/// Address space to ask for; where that is short, less will do.
const RESERVATIONS: [usize; 3] = [1 << 30, 1 << 28, 1 << 25];

static REGIONS: Mutex<Vec<Arc<Region>>> = Mutex::new(Vec::new());

/// One file and its mapping, which stay until the process ends.
#[derive(Debug)]
struct Region {
    start: usize,
    file: File,
    /// The process that made it.
    owner: u32,
    room: Mutex<Room>,
}

/// Code in executable memory, which is returned when dropped.
#[derive(Debug)]
pub struct Pages {
    region: Arc<Region>,
    offset: usize,
    length: usize,
}

impl Pages {
    /// Memory that holds `code`.
    pub fn new(code: &[u8]) -> Result<Self, String> {
        let (region, offset) = take(code.len())?;
        let pages = Self {
            region,
            offset,
            length: code.len(),
        };
        let file = &pages.region.file;
        file.write_all_at(code, offset as u64)
            .map_err(|error| format!("code memory: {error}"))?;
        Ok(pages)
    }

    pub fn address(&self) -> usize {
        self.region.start + self.offset
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if self.region.owner == std::process::id() {
            self.region.leave(self.offset, self.length);
        }
    }
}

/// A place for `length` bytes.
fn take(length: usize) -> Result<(Arc<Region>, usize), String> {
    let mut regions = REGIONS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    for region in regions.iter().filter(|region| region.owner == process) {
        if let Some(offset) = region.take(length) {
            return Ok((Arc::clone(region), offset));
        }
    }
    let region = Arc::new(Region::new(length)?);
    let offset = region.take(length).ok_or("a new region is too small")?;
    regions.push(Arc::clone(&region));
    Ok((region, offset))
}

impl Region {
    /// Room for `length` bytes and, if possible, for much more.
    fn new(length: usize) -> Result<Self, String> {
        let file = memory_file().map_err(|error| format!("code memory: {error}"))?;
        let mut sizes = RESERVATIONS.into_iter().filter(|size| *size >= length);
        let reserved = sizes.find_map(|size| Some((map(&file, size)?, size)));
        let (start, size) = reserved.ok_or_else(|| {
            let error = std::io::Error::last_os_error();
            format!("no address space for {length} bytes of code: {error}")
        })?;
        Ok(Self {
            start,
            file,
            owner: std::process::id(),
            room: Mutex::new(Room::new(size)),
        })
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, length: usize) -> Option<usize> {
        let mut room = self.room();
        let place = room.take(length);
        self.return_left(&mut room);
        place
    }

    fn leave(&self, offset: usize, length: usize) {
        if length <= room::SMALL {
            // If that fails, code stays that nobody has the address of, until its page is empty.
            let _ = self
                .file
                .write_all_at(&[TRAP; room::SMALL][..length], offset as u64);
        }
        let mut room = self.room();
        room.leave(offset, length);
        self.return_left(&mut room);
    }

    /// Return the memory of empty pages to the system.
    fn return_left(&self, room: &mut Room) {
        let hole = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        let file = self.file.as_raw_fd();
        while let Some((start, length)) = room.next_left() {
            // SAFETY: only numbers are passed; nobody has anything in these pages.
            let done = unsafe { libc::fallocate(file, hole, start as i64, length as i64) };
            // If that fails the pages are lost, which harms nobody.
            if done == 0 {
                room.give_back(start, length);
            }
        }
    }
}

/// A file that is only memory, with no name and nothing in it.
fn memory_file() -> std::io::Result<File> {
    // SAFETY: the name is a C string.
    let file = unsafe { libc::memfd_create(c"ebpfd code".as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: a new descriptor, which nobody else has.
    Ok(unsafe { File::from_raw_fd(file) })
}

/// Where the first `size` bytes of the file can be executed.
fn map(file: &File, size: usize) -> Option<usize> {
    file.set_len(size as u64).ok()?;
    let access = libc::PROT_READ | libc::PROT_EXEC;
    let (shared, file) = (libc::MAP_SHARED, file.as_raw_fd());
    // SAFETY: a new mapping, at a place of the kernel's choice.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), size, access, shared, file, 0) };
    (start != libc::MAP_FAILED).then_some(start as usize)
}
