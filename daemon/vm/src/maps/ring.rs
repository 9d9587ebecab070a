//! RINGBUF and PERF_EVENT_ARRAY: records from programs to one reader.
//!
//! ```text
//!   positions page: consumer u64 | (64) producer u64 | (128) lost u64 | (192) armed u32
//!   data:           records one after the other, round and round
//!   record:         | length : 30, discarded : 1, locked : 1 | page u32 | payload, padded to 8 |
//! ```
//!
//! Producers write a record under the lock of the ring's stripe and then move the producer position
//! over it, so a reader never meets a half-written one, and a producer that
//! dies leaves nothing behind but a lock that the next one takes over.  A full
//! ring drops the record and counts it: nobody ever waits for the reader.
//! There is one ring, or one for each lane.
//!
//! Sound because: positions that a peer may have changed are reduced modulo the
//! length, and every copy stays inside of the data; records are plain bytes.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::arena::{Arena, Identity};
use super::backing::{PAGE, Storage};
use super::bytes;
use crate::error::{EngineError, Result, ResultCode};

const RECORD_HEADER: usize = 8;
/// Bytes that a record may have: its length has 30 bits.
const MAX_RECORD: usize = (1 << 30) - 1;
const DISCARDED: u32 = 1 << 30;
const LOCKED: u32 = 1 << 31;
const CONSUMER: usize = 0;
const PRODUCER: usize = 64;
const LOST: usize = 128;
const ARMED: usize = 192;

/// One record, and which ring it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub lane: u32,
    pub data: Vec<u8>,
}

/// What one reading gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    pub records: Vec<Record>,
    /// Records that were dropped since the map was made, by lane.
    pub lost: Vec<u64>,
}

pub struct Rings {
    arena: Arena,
    length: usize,
    rings: usize,
    /// Becomes readable when records come while somebody waits.
    event: OwnedFd,
    reader: Mutex<()>,
}

impl Rings {
    pub fn new(storage: Storage, identity: Identity, per_lane: bool) -> Result<Self> {
        let length = identity.max_entries as usize;
        if !length.is_power_of_two() || length < PAGE {
            return Err(EngineError::argument(format!(
                "max_entries is {length}: the bytes of a ring must be a power of two, {PAGE} at least"
            )));
        }
        let rings = if per_lane { identity.lanes as usize } else { 1 };
        let mut regions = vec![PAGE; rings];
        regions.resize(2 * rings, length);
        let arena = Arena::new(storage, identity, &regions)?;
        for (region, length) in regions.iter().enumerate() {
            arena.commit(region, *length)?;
        }
        // SAFETY: a new descriptor, ours alone.
        let event = unsafe {
            let descriptor = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            if descriptor < 0 {
                return Err(EngineError::new(
                    ResultCode::NoMemory,
                    "no descriptor for a ring's event",
                ));
            }
            OwnedFd::from_raw_fd(descriptor)
        };
        Ok(Self {
            arena,
            length,
            rings,
            event,
            reader: Mutex::new(()),
        })
    }

    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// A descriptor that becomes readable when records come after [`Rings::arm`].
    pub fn event(&self) -> i32 {
        self.event.as_raw_fd()
    }

    /// Add a record of these parts; NO_MEMORY, counted as lost, if there is no room.
    pub fn output(&self, lane: usize, parts: &[&[u8]]) -> Result<()> {
        let ring = if self.rings == 1 { 0 } else { lane };
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length == 0 || length > MAX_RECORD || length + RECORD_HEADER > self.length {
            return Err(EngineError::argument(format!(
                "size is {length}: a record has 1 to {} bytes",
                MAX_RECORD.min(self.length - RECORD_HEADER)
            )));
        }
        self.append(ring, length, parts)?;
        self.signal(ring);
        Ok(())
    }

    fn append(&self, ring: usize, length: usize, parts: &[&[u8]]) -> Result<()> {
        let _held = self.arena.lock(ring)?;
        let producer = self.word64(ring, PRODUCER).load(Ordering::Relaxed);
        let consumer = self.word64(ring, CONSUMER).load(Ordering::Acquire);
        let room = (self.length as u64).saturating_sub(producer.wrapping_sub(consumer));
        let size = (RECORD_HEADER + length).next_multiple_of(8);
        if size as u64 > room {
            self.word64(ring, LOST).fetch_add(1, Ordering::Relaxed);
            return Err(EngineError::new(
                ResultCode::NoMemory,
                "the ring is full: its reader is too slow",
            ));
        }
        let page = (producer as usize & (self.length - 1)) / PAGE;
        let mut header = [0; RECORD_HEADER];
        header[..4].copy_from_slice(&(length as u32).to_le_bytes());
        header[4..].copy_from_slice(&(page as u32).to_le_bytes());
        let mut at = producer;
        for part in [&header[..]].iter().chain(parts) {
            self.copy_in(ring, at, part);
            at = at.wrapping_add(part.len() as u64);
        }
        self.word64(ring, PRODUCER)
            .store(producer.wrapping_add(size as u64), Ordering::Release);
        Ok(())
    }

    /// Wake whoever waits; costs one load if nobody does.
    fn signal(&self, ring: usize) {
        fence(Ordering::SeqCst);
        let armed = self.word32(0, ARMED);
        debug_assert!(ring < self.rings, "a ring that exists");
        if armed.load(Ordering::Relaxed) != 0 && armed.swap(0, Ordering::SeqCst) != 0 {
            let one = 1_u64.to_ne_bytes();
            // SAFETY: writing eight bytes to our own descriptor; a full one is readable anyway.
            unsafe { libc::write(self.event(), one.as_ptr().cast(), one.len()) };
        }
    }

    /// Ask for an event when the next record comes; `false` if one is there already.
    pub fn arm(&self) -> bool {
        let mut count = [0_u8; 8];
        // SAFETY: reading eight bytes from our own descriptor, which never blocks.
        unsafe { libc::read(self.event(), count.as_mut_ptr().cast(), count.len()) };
        self.word32(0, ARMED).store(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        (0..self.rings).all(|ring| {
            self.word64(ring, PRODUCER).load(Ordering::SeqCst)
                == self.word64(ring, CONSUMER).load(Ordering::SeqCst)
        })
    }

    /// Take up to `limit` records, `size` bytes at most unless the first is larger.
    ///
    /// There is one reader at a time; INVALID_STATE for a second one.
    pub fn read(&self, limit: usize, size: usize) -> Result<Records> {
        let _reader = self.reader.try_lock().map_err(|_| {
            EngineError::new(
                ResultCode::InvalidState,
                "somebody else is reading this map",
            )
        })?;
        let mut found = Records::default();
        let mut bytes = 0;
        for ring in 0..self.rings {
            while found.records.len() < limit && bytes < size {
                let Some(record) = self.next(ring) else {
                    break;
                };
                bytes += record.len();
                found.records.push(Record {
                    lane: ring as u32,
                    data: record,
                });
            }
            found
                .lost
                .push(self.word64(ring, LOST).load(Ordering::Relaxed));
        }
        Ok(found)
    }

    fn next(&self, ring: usize) -> Option<Vec<u8>> {
        loop {
            let consumer = self.word64(ring, CONSUMER).load(Ordering::Relaxed);
            let producer = self.word64(ring, PRODUCER).load(Ordering::Acquire);
            let ready = producer.wrapping_sub(consumer);
            if ready < RECORD_HEADER as u64 || ready > self.length as u64 {
                return None;
            }
            let mut header = [0; 4];
            header.copy_from_slice(&self.copy_out(ring, consumer, 4));
            let header = u32::from_le_bytes(header);
            if header & LOCKED != 0 {
                return None;
            }
            let length = (header & MAX_RECORD as u32) as usize;
            let size = (RECORD_HEADER + length).next_multiple_of(8) as u64;
            if size > ready {
                return None;
            }
            let data = self.copy_out(ring, consumer.wrapping_add(RECORD_HEADER as u64), length);
            self.word64(ring, CONSUMER)
                .store(consumer.wrapping_add(size), Ordering::Release);
            if header & DISCARDED == 0 {
                return Some(data);
            }
        }
    }

    /// Records that were dropped, of all rings.
    pub fn lost(&self) -> u64 {
        let lost = |ring| self.word64(ring, LOST).load(Ordering::Relaxed);
        (0..self.rings).map(lost).sum()
    }

    fn data(&self, ring: usize) -> usize {
        self.arena.base(self.rings + ring)
    }

    /// Write bytes from position `at` on, round the end if need be.
    fn copy_in(&self, ring: usize, at: u64, part: &[u8]) {
        let start = at as usize & (self.length - 1);
        let (first, second) = part.split_at(part.len().min(self.length - start));
        // SAFETY: both parts lie inside of the data.
        unsafe {
            bytes::copy_in(self.data(ring) + start, first);
            bytes::copy_in(self.data(ring), second);
        }
    }

    fn copy_out(&self, ring: usize, at: u64, length: usize) -> Vec<u8> {
        let start = at as usize & (self.length - 1);
        let first = length.min(self.length - start);
        // SAFETY: both parts lie inside of the data.
        unsafe {
            let mut copy = bytes::copy_out(self.data(ring) + start, first);
            copy.extend(bytes::copy_out(self.data(ring), length - first));
            copy
        }
    }

    fn word64(&self, ring: usize, offset: usize) -> &AtomicU64 {
        debug_assert!(ring < self.rings, "a ring that exists");
        // SAFETY: the positions page of a ring, at a multiple of 8.
        unsafe { AtomicU64::from_ptr((self.arena.base(ring) + offset) as *mut u64) }
    }

    fn word32(&self, ring: usize, offset: usize) -> &AtomicU32 {
        debug_assert!(ring < self.rings, "a ring that exists");
        // SAFETY: the positions page of a ring, at a multiple of 4.
        unsafe { AtomicU32::from_ptr((self.arena.base(ring) + offset) as *mut u32) }
    }
}
