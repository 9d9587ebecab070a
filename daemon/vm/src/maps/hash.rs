//! HASH: buckets of linked entries; readers never wait, writers lock the map.
//!
//! ```text
//!   buckets: [u32 id] -> entry -> entry      id 0 ends a chain
//!   chunk c: 64 << c entries, mapped when first needed, never moved
//!   entry:   | next u32 | hash u32 | key, padded to 8 | value, padded to 8 |
//! ```
//!
//! `max_entries` sizes the table of buckets and is no limit, as in eBPF for
//! Windows; a quota ends growth beyond it with NO_MEMORY, so that no program can
//! take all memory, or make its lookups ever slower.  Replacing a value publishes a new entry; the old one stays as it
//! is until no invocation can hold a pointer into it.
//!
//! Sound because: an id leads to an entry only after its chunk was mapped and
//! the entry was filled (Release stores, Acquire loads), keys and hashes do not
//! change while an entry can be found, and an entry is reused only when `epoch`
//! says that nobody who could have found it is still pinned.  Readers here pin;
//! writers hold the lock, and only writers unlink or reuse.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::memory::Memory;
use super::{Update, ValueRange, bytes, epoch};
use crate::error::{EngineError, Result, ResultCode};

const FIRST_CHUNK: usize = 64;
/// Chunks that hold 2^32 - 64 entries together, all that an id can name.
const CHUNKS: usize = 26;
const MIN_BUCKETS: usize = 1 << 10;
const MAX_BUCKETS: usize = 1 << 22;
const KEY_OFFSET: usize = 8;
/// Entries of one bucket, on average, to which a map may grow beyond `max_entries`.
const MAX_LOAD: usize = 64;
/// Bytes to which a map may grow beyond `max_entries`.
const MAX_GROWTH: usize = 256 << 20;
/// Bytes of unlinked entries that may wait for invocations to end.
const MAX_WAITING: usize = 256 << 20;
/// Unlinked entries that wait before the epochs are looked at.
const RETIRED_BATCH: usize = 64;

pub struct Hash {
    key_size: usize,
    value_size: usize,
    value_offset: usize,
    stride: usize,
    /// Entries that can be found, at most.
    limit: usize,
    /// Unlinked entries that wait, at most.
    waiting_limit: usize,
    seed: u64,
    buckets: Memory,
    mask: usize,
    chunks: [OnceLock<Memory>; CHUNKS],
    /// Bit per mapped chunk: tells `value_at` where to look.
    mapped: AtomicUsize,
    writer: Mutex<Writer>,
}

/// What only the thread that changes the map uses.
struct Writer {
    /// Entries handed out so far; ids start at 1.
    used: u32,
    /// Entries that can be found.
    live: usize,
    free: Vec<u32>,
    /// The oldest first.
    retired: VecDeque<(u64, u32)>,
    /// Retired entries at which the epochs are looked at again.
    patience: usize,
}

/// Where a key was found: the link that leads to its entry, and the entry.
struct Found<'a> {
    link: &'a AtomicU32,
    id: u32,
}

impl Hash {
    pub fn new(key_size: usize, value_size: usize, max_entries: usize) -> Result<Self> {
        let buckets = max_entries
            .next_power_of_two()
            .clamp(MIN_BUCKETS, MAX_BUCKETS);
        let value_offset = KEY_OFFSET + key_size.next_multiple_of(8);
        let stride = value_offset + value_size.next_multiple_of(8);
        let growth = (MAX_GROWTH / stride).min(MAX_LOAD * buckets);
        Ok(Self {
            key_size,
            value_size,
            value_offset,
            stride,
            limit: max_entries.max(growth),
            waiting_limit: (MAX_WAITING / stride).max(2 * RETIRED_BATCH),
            seed: seed(),
            buckets: Memory::zeroed(buckets * size_of::<AtomicU32>())?,
            mask: buckets - 1,
            chunks: [const { OnceLock::new() }; CHUNKS],
            mapped: AtomicUsize::new(0),
            writer: Mutex::new(Writer {
                used: 0,
                live: 0,
                free: Vec::new(),
                retired: VecDeque::new(),
                patience: RETIRED_BATCH,
            }),
        })
    }

    /// The address of a key's value.  The caller is pinned.
    pub fn key_size(&self) -> usize {
        self.key_size
    }

    pub fn find(&self, key: &[u8]) -> Option<usize> {
        let found = self.locate(key, hash(key, self.seed))?;
        Some(self.entry(found.id) + self.value_offset)
    }

    /// A copy of a key's value.
    pub fn lookup(&self, key: &[u8]) -> Option<Vec<u8>> {
        let _pin = epoch::pin();
        self.locate(key, hash(key, self.seed))
            .map(|found| self.value(found.id))
    }

    pub fn update(&self, key: &[u8], value: &[u8], update: Update) -> Result<()> {
        let hash = hash(key, self.seed);
        let mut writer = self.lock();
        let found = self.locate(key, hash);
        match (update, &found) {
            (Update::NoExist, Some(_)) => {
                return Err(EngineError::new(
                    ResultCode::ObjectAlreadyExists,
                    "flags is 1 (no such key), but an entry has this key",
                ));
            }
            (Update::Exist, None) => return Err(missing()),
            (_, None) if writer.live >= self.limit => return Err(self.full()),
            _ => {}
        }
        let id = self.take(&mut writer)?;
        let entry = self.entry(id);
        // SAFETY: nobody can see the entry yet, and it has room for both.
        unsafe {
            bytes::copy_in(entry + KEY_OFFSET, key);
            bytes::copy_in(entry + self.value_offset, value);
        }
        self.hash_of(id).store(hash, Ordering::Relaxed);
        match found {
            Some(old) => {
                let next = self.next(old.id).load(Ordering::Acquire);
                self.next(id).store(next, Ordering::Relaxed);
                old.link.store(id, Ordering::Release);
                self.retire(&mut writer, old.id);
            }
            None => {
                let head = self.bucket(hash as usize & self.mask);
                self.next(id)
                    .store(head.load(Ordering::Acquire), Ordering::Relaxed);
                head.store(id, Ordering::Release);
                writer.live += 1;
            }
        }
        Ok(())
    }

    pub fn delete(&self, key: &[u8]) -> Result<()> {
        let mut writer = self.lock();
        let found = self.locate(key, hash(key, self.seed)).ok_or_else(missing)?;
        let next = self.next(found.id).load(Ordering::Acquire);
        found.link.store(next, Ordering::Release);
        writer.live -= 1;
        self.retire(&mut writer, found.id);
        Ok(())
    }

    /// The key after `key` in bucket order; the first one if `key` is gone.
    pub fn next_key(&self, key: Option<&[u8]>) -> Option<Vec<u8>> {
        let _pin = epoch::pin();
        let after = key.and_then(|key| {
            let hash = hash(key, self.seed);
            self.locate(key, hash)
                .map(|found| (hash as usize & self.mask, found.id))
        });
        let next = match after {
            None => self.first_from(0),
            Some((bucket, id)) => self.after(bucket, id),
        };
        next.map(|(_, id)| self.key(id).to_vec())
    }

    /// Entries after `after`; if that key is gone, its bucket is read again.
    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let _pin = epoch::pin();
        let mut position = match after {
            None => self.first_from(0),
            Some(key) => {
                let hash = hash(key, self.seed);
                let bucket = hash as usize & self.mask;
                match self.locate(key, hash) {
                    Some(found) => self.after(bucket, found.id),
                    None => self.first_from(bucket),
                }
            }
        };
        let mut entries = Vec::new();
        while let Some((bucket, id)) = position
            && entries.len() < limit
        {
            entries.push((self.key(id).to_vec(), self.value(id)));
            position = self.after(bucket, id);
        }
        entries
    }

    pub fn value_at(&self, address: usize) -> Option<ValueRange> {
        let mut mapped = self.mapped.load(Ordering::Acquire);
        while mapped != 0 {
            let chunk = mapped.trailing_zeros() as usize;
            mapped &= mapped - 1;
            let Some(memory) = self.chunks[chunk].get() else {
                continue;
            };
            let offset = address.wrapping_sub(memory.base());
            if offset < memory.length() {
                let inside = offset % self.stride;
                let start = address - inside + self.value_offset;
                let valid = inside >= self.value_offset && address - start < self.value_size;
                return valid.then_some(ValueRange {
                    address: start,
                    size: self.value_size,
                });
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Find a key in its bucket.  The caller is pinned or holds the lock.
    fn locate(&self, key: &[u8], hash: u32) -> Option<Found<'_>> {
        let mut link = self.bucket(hash as usize & self.mask);
        loop {
            let id = link.load(Ordering::Acquire);
            if id == 0 {
                return None;
            }
            if self.hash_of(id).load(Ordering::Relaxed) == hash && self.key(id) == key {
                return Some(Found { link, id });
            }
            link = self.next(id);
        }
    }

    fn after(&self, bucket: usize, id: u32) -> Option<(usize, u32)> {
        match self.next(id).load(Ordering::Acquire) {
            0 => self.first_from(bucket + 1),
            next => Some((bucket, next)),
        }
    }

    fn first_from(&self, bucket: usize) -> Option<(usize, u32)> {
        (bucket..=self.mask).find_map(|bucket| {
            let id = self.bucket(bucket).load(Ordering::Acquire);
            (id != 0).then_some((bucket, id))
        })
    }

    /// An entry that nobody can see: one that was freed, or a new one.
    fn take(&self, writer: &mut Writer) -> Result<u32> {
        let patience = writer.patience.min(self.waiting_limit);
        if writer.free.is_empty() && writer.retired.len() >= patience {
            let oldest = epoch::oldest_pinned();
            let count = writer.retired.partition_point(|(stamp, _)| *stamp < oldest);
            let free = writer.retired.drain(..count).map(|(_, id)| id);
            writer.free.extend(free);
            // A pin that lasts must not make every update look at all that waits for it.
            writer.patience = RETIRED_BATCH.max(2 * writer.retired.len());
        }
        if let Some(id) = writer.free.pop() {
            return Ok(id);
        }
        if writer.retired.len() >= self.waiting_limit {
            return Err(EngineError::new(
                ResultCode::NoMemory,
                "too many replaced values wait for invocations that may still read them",
            ));
        }
        let id = writer.used.checked_add(1);
        let place = id.map(place).filter(|(chunk, _)| *chunk < CHUNKS);
        let (Some(id), Some((chunk, _))) = (id, place) else {
            return Err(self.full());
        };
        if self.chunks[chunk].get().is_none() {
            let length = (FIRST_CHUNK << chunk).checked_mul(self.stride);
            let memory = Memory::zeroed(length.unwrap_or(usize::MAX))?;
            // Only the holder of the lock sets it, so it is still empty.
            let _ = self.chunks[chunk].set(memory);
            self.mapped.fetch_or(1 << chunk, Ordering::Release);
        }
        writer.used = id;
        Ok(id)
    }

    fn retire(&self, writer: &mut Writer, id: u32) {
        writer.retired.push_back((epoch::retire(), id));
    }

    fn full(&self) -> EngineError {
        EngineError::new(
            ResultCode::NoMemory,
            format!(
                "the map has {} entries, as many as it may grow to",
                self.limit
            ),
        )
    }

    /// The address of an entry that was handed out.
    fn entry(&self, id: u32) -> usize {
        let (chunk, index) = place(id);
        let base = self.chunks[chunk].get().map_or(0, Memory::base);
        debug_assert!(base != 0, "entry {id} lies in a chunk that is not mapped");
        base + index * self.stride
    }

    fn value(&self, id: u32) -> Vec<u8> {
        // SAFETY: the entry has a value of this size, and is not reused meanwhile.
        unsafe { bytes::copy_out(self.entry(id) + self.value_offset, self.value_size) }
    }

    fn next(&self, id: u32) -> &AtomicU32 {
        // SAFETY: entries start at multiples of 8 and begin with two u32.
        unsafe { AtomicU32::from_ptr(self.entry(id) as *mut u32) }
    }

    fn hash_of(&self, id: u32) -> &AtomicU32 {
        // SAFETY: as for `next`.
        unsafe { AtomicU32::from_ptr((self.entry(id) + 4) as *mut u32) }
    }

    fn bucket(&self, index: usize) -> &AtomicU32 {
        debug_assert!(index <= self.mask, "bucket {index} does not exist");
        let address = self.buckets.base() + index * size_of::<AtomicU32>();
        // SAFETY: the table has `mask + 1` of them.
        unsafe { AtomicU32::from_ptr(address as *mut u32) }
    }

    /// The key of an entry that can be found, and so does not change.
    fn key(&self, id: u32) -> &[u8] {
        let address = self.entry(id) + KEY_OFFSET;
        // SAFETY: the key was written before the entry could be found.
        unsafe { std::slice::from_raw_parts(address as *const u8, self.key_size) }
    }
}

/// The chunk of an id, and its index there.
fn place(id: u32) -> (usize, usize) {
    let number = id as usize - 1 + FIRST_CHUNK;
    let chunk = (number.ilog2() - FIRST_CHUNK.ilog2()) as usize;
    (chunk, number - (FIRST_CHUNK << chunk))
}

fn missing() -> EngineError {
    EngineError::new(ResultCode::KeyNotFound, "no entry has this key")
}

/// A number that nobody outside can guess, so that nobody can choose collisions.
fn seed() -> u64 {
    RandomState::new().hash_one(0_u64)
}

/// Eight bytes at a time through a folded 128-bit product.
fn hash(key: &[u8], seed: u64) -> u32 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ (product >> 64) as u64
    };
    let mut state = seed ^ key.len() as u64;
    let mut words = key.chunks_exact(8);
    for word in &mut words {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(word);
        state = fold(state ^ u64::from_le_bytes(bytes), MULTIPLIER);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut bytes = [0; 8];
        bytes[..rest.len()].copy_from_slice(rest);
        state = fold(state ^ u64::from_le_bytes(bytes), MULTIPLIER);
    }
    fold(state, seed | 1) as u32
}
