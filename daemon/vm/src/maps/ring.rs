//! RINGBUF and PERF_EVENT_ARRAY: records from programs to one reader.
//!
//! ```text
//!   positions page: consumer u64 | (64) producer u64 | (128) lost u64
//!   data:           records one after the other, round and round
//!   record:         | length : 30, discarded : 1, locked : 1 | page u32 | payload, padded to 8 |
//! ```
//!
//! Producers write a record under the lock of the ring's stripe and then move the
//! producer position over it, so a reader never meets a half-written one, and a
//! producer that dies leaves nothing behind but a lock that the next one takes
//! over.  A full ring drops the record and counts it: nobody ever waits for the
//! reader.  There is one ring, or one for each lane.
//!
//! The reader arms the map with a number that it uses once, and waits for its event;
//! a producer signals the event of a map that is armed, and then takes that number,
//! and no later one, away.  So one that dies, or is stopped, between the two
//! steps keeps no other from signalling; what it left unsignalled the next record
//! brings along.  The rule of one reader is of this process.
//!
//! Sound because: positions that a peer may have changed are reduced modulo the
//! length, and every copy stays inside of the data; records are plain bytes.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering, fence};

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
    /// Becomes readable when records come while somebody waits; of whoever reads the map.
    event: OwnedFd,
    /// Times that this process has armed the map.
    arms: AtomicU64,
    /// Held by the reader: the ring to begin with, so that a busy one starves no other.
    reader: Mutex<usize>,
}

fn new_event() -> Result<OwnedFd> {
    // SAFETY: a new descriptor, ours alone.
    unsafe {
        let descriptor = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
        if descriptor < 0 {
            return Err(EngineError::new(
                ResultCode::NoMemory,
                "no descriptor for a ring's event",
            ));
        }
        Ok(OwnedFd::from_raw_fd(descriptor))
    }
}

/// A record that can be read, or passed over.
struct Ready {
    consumer: u64,
    length: usize,
    /// From one record to the next.
    size: u64,
    discarded: bool,
}

impl Rings {
    /// Rings that signal `event`, or one of their own.
    pub fn new(
        storage: Storage,
        identity: Identity,
        per_lane: bool,
        event: Option<OwnedFd>,
    ) -> Result<Self> {
        let length = identity.max_entries as usize;
        if !length.is_power_of_two() || length < PAGE {
            return Err(EngineError::argument(format!(
                "max_entries is {length}: the bytes of a ring must be a power of two, {PAGE} at least"
            )));
        }
        let rings = if per_lane { identity.lanes as usize } else { 1 };
        let mut regions = vec![PAGE; rings];
        regions.resize(2 * rings, length);
        let arena = Arena::new(storage, identity, &regions, |arena, _| {
            let mut all = regions.iter().enumerate();
            all.try_for_each(|(region, length)| arena.commit(region, *length))
        })?;
        let event = event.map_or_else(new_event, Ok)?;
        Ok(Self {
            arena,
            length,
            rings,
            event,
            arms: AtomicU64::new(0),
            reader: Mutex::new(0),
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
        self.signal();
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
    fn signal(&self) {
        fence(Ordering::SeqCst);
        let number = self.armed().load(Ordering::Relaxed);
        if number != 0 {
            self.wake();
            // It may have been armed again meanwhile.
            let _ = self
                .armed()
                .compare_exchange(number, 0, Ordering::SeqCst, Ordering::Relaxed);
        }
    }

    /// Signal the event, whoever waits for it.
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: writing eight bytes to our own descriptor; a full one is readable anyway.
        unsafe { libc::write(self.event(), one.as_ptr().cast(), one.len()) };
    }

    /// 0, or the number of the last arming, which nobody has signalled yet.
    fn armed(&self) -> &AtomicU64 {
        &self.arena.header().words[0]
    }

    /// Ask for an event when the next record comes; `false` if one is there already.
    pub fn arm(&self) -> bool {
        let mut count = [0_u8; 8];
        // SAFETY: reading eight bytes from our own descriptor, which never blocks.
        unsafe { libc::read(self.event(), count.as_mut_ptr().cast(), count.len()) };
        let number = self.arms.fetch_add(1, Ordering::Relaxed) + 1;
        self.armed().store(number, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        (0..self.rings).all(|ring| self.ready(ring).is_none())
    }

    /// Take up to `limit` records, `size` bytes at most unless the first is larger.
    ///
    /// There is one reader at a time; INVALID_STATE for a second one.
    pub fn read(&self, limit: usize, size: usize) -> Result<Records> {
        let mut first = self.reader.try_lock().map_err(|_| {
            EngineError::new(
                ResultCode::InvalidState,
                "somebody else is reading this map",
            )
        })?;
        let mut found = Records::default();
        let mut bytes = 0;
        for ring in (0..self.rings).map(|ring| (*first + ring) % self.rings) {
            // Bounded, whatever a peer does with the positions.
            for _ in 0..self.length / RECORD_HEADER {
                let Some(ready) = self.ready(ring).filter(|_| found.records.len() < limit) else {
                    break;
                };
                if !found.records.is_empty() && bytes + ready.length > size {
                    break;
                }
                bytes += ready.length;
                found.records.extend(self.take(ring, &ready));
            }
        }
        *first = (*first + 1) % self.rings;
        let lost = |ring| self.word64(ring, LOST).load(Ordering::Relaxed);
        found.lost = (0..self.rings).map(lost).collect();
        Ok(found)
    }

    /// The next record of a ring, if it is complete.
    fn ready(&self, ring: usize) -> Option<Ready> {
        let consumer = self.word64(ring, CONSUMER).load(Ordering::SeqCst);
        let producer = self.word64(ring, PRODUCER).load(Ordering::SeqCst);
        let written = producer.wrapping_sub(consumer);
        if written == 0 {
            return None;
        }
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.copy_out(ring, consumer, 4));
        let header = u32::from_le_bytes(bytes);
        let length = (header & MAX_RECORD as u32) as usize;
        let size = (RECORD_HEADER + length).next_multiple_of(8) as u64;
        if written > self.length as u64 || size > written {
            // Only a peer can have done that; what it left is passed over.
            self.word64(ring, CONSUMER)
                .store(producer, Ordering::Release);
            self.word64(ring, LOST).fetch_add(1, Ordering::Relaxed);
            return None;
        }
        (header & LOCKED == 0).then_some(Ready {
            consumer,
            length,
            size,
            discarded: header & DISCARDED != 0,
        })
    }

    /// Pass over a record; its payload, unless it was discarded.
    fn take(&self, ring: usize, ready: &Ready) -> Option<Record> {
        let from = ready.consumer.wrapping_add(RECORD_HEADER as u64);
        let data = (!ready.discarded).then(|| self.copy_out(ring, from, ready.length));
        self.word64(ring, CONSUMER)
            .store(ready.consumer.wrapping_add(ready.size), Ordering::Release);
        data.map(|data| Record {
            lane: ring as u32,
            data,
        })
    }

    /// Records that were dropped, of all rings.
    pub fn lost(&self) -> u64 {
        let lost = |ring| self.word64(ring, LOST).load(Ordering::Relaxed);
        (0..self.rings).map(lost).fold(0, u64::saturating_add)
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
}
