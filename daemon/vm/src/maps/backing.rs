//! Where a map's bytes live: anonymous memory, a memfd, or a file.
//!
//! A map is one mapping with a stable address.  Addresses are reserved for all
//! that the map may ever hold; memory (or space of the file) is taken as it is
//! used.  Of a memfd and a file it is taken by [`Backing::commit`] before the
//! first access, because running out of it later would kill the process.
//!
//! Sound because: the value owns its mapping, never moves it, and unmaps it
//! once, when dropped.  A memfd is sealed, so no peer can shrink it under us; of a
//! file that a peer has cut off, `guard` says what becomes.
//! Access goes through raw addresses; who may access what is the argument of
//! the stores that use it.

use std::fs::{File, Metadata};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::budget::Share;
use super::guard::{Guarded, guard};
use crate::error::{EngineError, Result, ResultCode};

/// Bytes of a file or memfd that are taken at once: a lock may be held meanwhile.
const COMMIT_STEP: usize = 256 << 10;
const MAX_COMMIT_STEP: usize = 4 << 20;
/// The same of anonymous memory, which is there a page at a time.
const ANONYMOUS_STEP: usize = 64 << 10;
/// Bytes of memory that are taken without a look at what the machine has.
const SMALL: usize = 16 << 20;
pub const PAGE: usize = 4096;
/// Bytes of a huge page; what is smaller does not get any.
const HUGE: usize = 2 << 20;

/// Where a new map shall live.
#[derive(Debug, Default)]
pub enum Storage {
    /// In this process alone.
    #[default]
    Anonymous,
    /// In a new memfd, for other processes to map.
    Memfd,
    /// In an open file or memfd: an empty one is filled, another one must hold the same map.
    File(OwnedFd),
}

/// A mapping of whole pages.
pub struct Backing {
    base: *mut libc::c_void,
    length: usize,
    file: Option<File>,
    /// Whether the file takes memory, not disk.
    in_memory: bool,
    share: Share,
    guarded: Option<Guarded>,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Backing {}
// SAFETY: the type itself gives no access; its users synchronise theirs.
unsafe impl Sync for Backing {}

impl Backing {
    /// Map `length` bytes, of the file if there is one; NO_MEMORY if the system refuses.
    pub fn new(file: Option<File>, length: usize) -> Result<Self> {
        let (flags, descriptor) = match &file {
            None => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1),
            Some(file) => (libc::MAP_SHARED, file.as_raw_fd()),
        };
        // SAFETY: a new mapping at an address of the system's choice touches no memory in use.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                flags | libc::MAP_NORESERVE,
                descriptor,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(no_memory(format!(
                "the system has no {length} bytes for a map"
            )));
        }
        if file.is_some() {
            // A map uses a few pages of many: read ahead, the system would take, and clear, dozens
            // of pages for each that is touched.
            // SAFETY: a wish about our own new mapping, which changes no contents.
            unsafe { libc::madvise(base, length, libc::MADV_RANDOM) };
        }
        Ok(Self {
            base,
            length,
            in_memory: file.as_ref().is_some_and(is_in_memory),
            guarded: file.as_ref().map(|_| guard(base as usize, length)),
            file,
            share: Share::default(),
        })
    }

    pub fn base(&self) -> usize {
        self.base as usize
    }

    pub fn length(&self) -> usize {
        self.length
    }

    /// The file or memfd; `None` for anonymous memory.
    pub fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// Go on in another file, empty and as long, with a copy of all that is in this one.
    ///
    /// Addresses stay as they are, and so does the number of the descriptor; other processes stay
    /// behind.  No thread of this process may use the map meanwhile.
    pub fn move_to(&self, file: &File, regions: &[Region]) -> Result<()> {
        let own = self
            .file()
            .ok_or_else(|| EngineError::argument("the map is not in a file"))?;
        for region in regions {
            allocate_in(file, region.offset, region.committed())?;
        }
        let mut at = 0;
        while let Some((start, end)) = data_after(own, at) {
            allocate_in(file, start, end - start)?;
            self.copy_into(file, start, end)?;
            at = end;
        }
        // SAFETY: replaces our own mapping by one of the same size, at once; nobody uses it.
        let base = unsafe {
            libc::mmap(
                self.base,
                self.length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_FIXED | libc::MAP_NORESERVE,
                file.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(no_memory(format!(
                "the system has no {} bytes for a map",
                self.length
            )));
        }
        // SAFETY: a wish about our own mapping, which changes no contents.
        unsafe { libc::madvise(self.base, self.length, libc::MADV_RANDOM) };
        take_place(file, own)
    }

    fn copy_into(&self, file: &File, start: usize, end: usize) -> Result<()> {
        let mut at = start;
        while at < end {
            let from = (self.base as usize + at) as *const libc::c_void;
            // SAFETY: the kernel reads bytes of our own mapping, whoever else writes them.
            let done = unsafe { libc::pwrite(file.as_raw_fd(), from, end - at, at as libc::off_t) };
            match usize::try_from(done) {
                Ok(count) if count > 0 => at += count,
                _ => {
                    let error = std::io::Error::last_os_error();
                    return Err(no_memory(format!("no copy of a map: {error}")));
                }
            }
        }
        Ok(())
    }

    /// Take space for the bytes `start..end`.
    fn allocate(&self, start: usize, end: usize) -> Result<()> {
        let size = end - start;
        self.share.take(size)?;
        let done = self.allocate_more(start, size);
        if done.is_err() {
            self.share.give_back(size);
        }
        done
    }

    /// Take it of the file, where space can run out.
    fn allocate_more(&self, start: usize, size: usize) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        // The system would sooner end this process than refuse it memory.
        if self.in_memory && size > SMALL && size > available_memory() / 2 {
            return Err(no_memory(format!(
                "{size} more bytes for a map are more than half of what the machine has left"
            )));
        }
        allocate_in(file, start, size)
    }
}

/// Take `size` bytes of a file from `start` on.
fn allocate_in(file: &File, start: usize, size: usize) -> Result<()> {
    if size == 0 {
        return Ok(());
    }
    loop {
        // SAFETY: allocating space of our own file.
        let done = unsafe { libc::fallocate(file.as_raw_fd(), 0, start as i64, size as i64) } == 0;
        let error = std::io::Error::last_os_error();
        if done {
            return Ok(());
        }
        // A signal is no reason to refuse.
        if error.raw_os_error() != Some(libc::EINTR) {
            return Err(no_memory(format!(
                "no space for {size} more bytes of a map: {error}"
            )));
        }
    }
}

/// The next bytes of a file, from `at` on, that are not known to be zero.
fn data_after(file: &File, at: usize) -> Option<(usize, usize)> {
    // SAFETY: moves the position of our own file, which nobody uses.
    unsafe {
        let start = libc::lseek(file.as_raw_fd(), at as libc::off_t, libc::SEEK_DATA);
        let start = usize::try_from(start).ok()?;
        let end = libc::lseek(file.as_raw_fd(), start as libc::off_t, libc::SEEK_HOLE);
        usize::try_from(end).ok().map(|end| (start, end))
    }
}

/// Let `own`'s descriptor, whose number stays, be that of `file`.
pub fn take_place(file: &File, own: &File) -> Result<()> {
    // SAFETY: both are open and ours; the number is one of a file all the time.
    let done = unsafe { libc::dup3(file.as_raw_fd(), own.as_raw_fd(), libc::O_CLOEXEC) };
    if done >= 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(no_memory(format!("no descriptor for a map: {error}")))
}

impl Drop for Backing {
    fn drop(&mut self) {
        // The addresses may be somebody else's at once.
        self.guarded = None;
        // SAFETY: the mapping is ours and nothing refers to it any more.
        unsafe { libc::munmap(self.base, self.length) };
    }
}

/// A part of a backing, whole pages, which grows from its beginning.
pub struct Region {
    pub offset: usize,
    pub length: usize,
    pub base: usize,
    committed: AtomicUsize,
}

impl Region {
    pub fn new(backing: &Backing, offset: usize, length: usize) -> Self {
        debug_assert!(offset + length <= backing.length(), "a region outside");
        Self {
            offset,
            length,
            base: backing.base() + offset,
            committed: AtomicUsize::new(0),
        }
    }

    /// Bytes that are usable, as far as this process has asked for them.
    fn committed(&self) -> usize {
        self.committed.load(Ordering::Acquire)
    }

    /// Make the first `end` bytes usable.
    #[inline]
    pub fn commit(&self, backing: &Backing, end: usize) -> Result<()> {
        if end <= self.committed.load(Ordering::Acquire) {
            return Ok(());
        }
        self.commit_more(backing, end)
    }

    /// Make all of it usable, in pages as they are.
    pub fn allocate(&self, backing: &Backing) -> Result<()> {
        backing.allocate(self.offset, self.offset + self.length)?;
        self.committed.store(self.length, Ordering::Release);
        Ok(())
    }

    #[cold]
    fn commit_more(&self, backing: &Backing, end: usize) -> Result<()> {
        debug_assert!(end <= self.length, "{end} is outside of a region");
        let start = self.committed.load(Ordering::Acquire);
        let least = match backing.file {
            None => ANONYMOUS_STEP,
            Some(_) => COMMIT_STEP,
        };
        let step = (start / 2).clamp(least, MAX_COMMIT_STEP);
        let step = step.min(backing.share.left() / PAGE * PAGE);
        let whole = |end: usize| end.next_multiple_of(PAGE).min(self.length);
        let needed = whole(end);
        if needed <= start {
            return Ok(()); // another thread was faster
        }
        let mut wanted = whole(end.max(start + step));
        let take = |end: usize| backing.allocate(self.offset + start, self.offset + end);
        // Near the end of what the file can have, or where another map was faster, a step is too
        // long, and what is needed may be there.
        if let Err(error) = take(wanted) {
            if needed == wanted {
                return Err(error);
            }
            take(needed)?;
            wanted = needed;
        }
        let before = self.committed.fetch_max(wanted, Ordering::AcqRel);
        // What another thread has taken meanwhile counts once.
        (backing.share).give_back(before.min(wanted) - start);
        if backing.file.is_none() && start <= HUGE && wanted > HUGE {
            self.coarsen();
        }
        Ok(())
    }

    /// Ask for huge pages: in a large map most of a lookup's time goes into finding pages.
    fn coarsen(&self) {
        let start = self.base.next_multiple_of(HUGE);
        let end = self.base + self.length;
        if start < end {
            // SAFETY: a wish about pages of our own mapping, which changes no contents.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
        }
    }
}

fn no_memory(message: String) -> EngineError {
    EngineError::new(ResultCode::NoMemory, message)
}

/// Bytes that the machine can still give; all there is if it does not tell.
fn available_memory() -> usize {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    number.map_or(usize::MAX, |kilobytes| kilobytes << 10)
}

fn is_in_memory(file: &File) -> bool {
    // SAFETY: all zero is a valid `statfs`, which the call fills.
    unsafe {
        let mut found: libc::statfs = std::mem::zeroed();
        libc::fstatfs(file.as_raw_fd(), &raw mut found) == 0 && found.f_type == libc::TMPFS_MAGIC
    }
}

/// The file of a map of `length` bytes, if it has one.
pub fn open(storage: Storage, length: usize) -> Result<Option<File>> {
    Ok(match storage {
        Storage::Anonymous => None,
        Storage::Memfd => Some(memfd(length)?),
        Storage::File(descriptor) => Some(File::from(descriptor)),
    })
}

/// A memfd of a fixed size: its peers may write, but neither shrink nor grow it.
fn memfd(length: usize) -> Result<File> {
    let fail = || {
        let error = std::io::Error::last_os_error();
        no_memory(format!("no memfd of {length} bytes: {error}"))
    };
    // SAFETY: a plain system call with a constant name.
    let descriptor = unsafe {
        libc::memfd_create(
            c"ebpf-map".as_ptr(),
            libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING,
        )
    };
    if descriptor < 0 {
        return Err(fail());
    }
    // SAFETY: the descriptor is new and ours.
    let file = unsafe { File::from_raw_fd(descriptor) };
    file.set_len(length as u64).map_err(|_| fail())?;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: sealing our own memfd.
    if unsafe { libc::fcntl(descriptor, libc::F_ADD_SEALS, seals) } != 0 {
        return Err(fail());
    }
    Ok(file)
}

/// Give an empty file its size; whether it was empty.
///
/// The caller has the file's door (`peers`), so nobody else does the same.
pub fn prepare(file: &File, length: usize) -> Result<bool> {
    let metadata = file
        .metadata()
        .map_err(|error| no_memory(format!("the map's file cannot be read: {error}")))?;
    if !metadata.is_file() {
        return Err(EngineError::argument("a map lives in a file or a memfd"));
    }
    let size = metadata.len();
    if size == length as u64 {
        return seal(file, &metadata).map(|()| false);
    }
    if size != 0 {
        return Err(EngineError::new(
            ResultCode::InvalidObject,
            format!("the file holds another map: it has {size} bytes, this map needs {length}"),
        ));
    }
    file.set_len(length as u64)
        .map_err(|error| no_memory(format!("no file of {length} bytes: {error}")))?;
    Ok(true)
}

/// See that nobody can shrink a memfd that somebody else has made.
///
/// A file with a name is its directory's owner's, and a matter of permissions.
fn seal(file: &File, metadata: &Metadata) -> Result<()> {
    if metadata.nlink() > 0 || !is_in_memory(file) {
        return Ok(());
    }
    // SAFETY: asks for, and adds, seals of an open file.
    let sealed = unsafe {
        let seals = libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS);
        seals & libc::F_SEAL_SHRINK != 0
            || libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, libc::F_SEAL_SHRINK) == 0
    };
    if sealed {
        return Ok(());
    }
    Err(EngineError::new(
        ResultCode::InvalidObject,
        "the memfd is not sealed: whoever made it could shrink it",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::*;

    /// Steps get shorter towards the end: nobody is refused who gets what he needs.
    #[test]
    fn what_grows_to_the_limit_is_refused_nothing() {
        const PAGES: usize = 150;
        let limit = PAGES * PAGE + 5;
        for storage in [Storage::Anonymous, Storage::Memfd] {
            let budget = Budget::lasting(limit);
            let length = 2 * PAGES * PAGE;
            let file = open(storage, length).expect("a file");
            let mut backing = Backing::new(file, length).expect("addresses");
            backing.share = Share::of(budget);
            let region = Region::new(&backing, 0, length);
            for page in 1..=PAGES {
                region.commit(&backing, page * PAGE - 7).expect("room");
            }
            assert_eq!((PAGES * PAGE, 0), budget.told());
            let refused = region.commit(&backing, limit).expect_err("five bytes");
            assert_eq!(ResultCode::NoMemory, refused.code);
            assert_eq!((PAGES * PAGE, 1), budget.told());
            drop(backing);
            assert_eq!((0, 1), budget.told());
        }
    }
}
