//! Memory for machine code: one file in memory, of which programs get pages.
//!
//! ```text
//!   file      | a a | b | . . | c c c | . . . . . .     .: a hole, no memory behind it
//!                 ^ write
//!   mapping   r-x, of all of it; there is no other
//! ```
//!
//! No mapping of code is ever writable: it is written through the file, by the
//! kernel.  So a program costs one call to write it, none changes the access
//! to memory, which takes longer than writing, and all programs together are
//! one mapping, close enough for short calls.
//!
//! Sound because: a range is handed out once until its [`Pages`] are dropped;
//! ranges lie inside of a mapping that is never unmapped; whoever can execute
//! pages has borrowed them.  A child process has the same file, so pages
//! belong to the process that made the file; others neither take nor return any.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

const PAGE: usize = 4_096;
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
    /// Free ranges of the file by their start, never two adjacent ones.
    free: Mutex<BTreeMap<usize, usize>>,
}

/// Executable pages, returned when dropped.
#[derive(Debug)]
pub struct Pages {
    region: Arc<Region>,
    offset: usize,
    length: usize,
}

impl Pages {
    /// Pages that hold `code` from their start.
    pub fn new(code: &[u8]) -> Result<Self, String> {
        let length = code.len().max(1).next_multiple_of(PAGE);
        let (region, offset) = take(length)?;
        let pages = Self {
            region,
            offset,
            length,
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
            self.region.give(self.offset, self.length);
        }
    }
}

/// The lowest free range: so programs stay together.
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
            free: Mutex::new(BTreeMap::from([(0, size)])),
        })
    }

    fn take(&self, length: usize) -> Option<usize> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (offset, room) = free
            .iter()
            .find(|(_, room)| **room >= length)
            .map(|(offset, room)| (*offset, *room))?;
        free.remove(&offset);
        if room > length {
            free.insert(offset + length, room - length);
        }
        Some(offset)
    }

    /// Return a range's memory to the system, and join it with its free neighbours.
    fn give(&self, mut offset: usize, mut length: usize) {
        let hole = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        let (file, at, size) = (self.file.as_raw_fd(), offset as i64, length as i64);
        // SAFETY: only numbers are passed; the range is the caller's, who gives it up.
        if unsafe { libc::fallocate(file, hole, at, size) } != 0 {
            // The range is lost, which harms nobody; handed out again it might be old code.
            return;
        }
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = free.remove(&(offset + length)) {
            length += room;
        }
        let before = free.range(..offset).next_back();
        let before = before.map(|(at, room)| (*at, *room));
        if let Some((at, room)) = before.filter(|(at, room)| at + room == offset) {
            offset = at;
            length += room;
        }
        free.insert(offset, length);
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
