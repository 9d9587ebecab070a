//! Entries of a map: handed out, published by their owner, retired, used again.
//!
//! ```text
//!   entry:  | next u32 | hash u32 | link u32 | stamp u32 | key, padded | value, padded |
//!   a per-CPU map keeps its values apart, in a row for each lane
//! ```
//!
//! `next` and `hash` are the index's (`hash`, `queue`), and stay readable while
//! the entry is retired; `link` and `stamp` are ours: each stripe has a list of
//! its retired entries, the oldest first, which is also where new entries come
//! from once nobody can see them any more (`epoch`).  Entries that were never
//! used come from a counter.  Index 0 is no entry.
//!
//! Sound because: an index is checked against the capacity wherever it comes
//! from the map's memory, so an address made of it lies in the region; entries
//! are atomics and plain bytes.

use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::Arena;
use super::{bytes, retired};

pub const ENTRY_HEADER: usize = 16;
/// Bytes of retired entries that may wait for invocations to end.
const MAX_WAITING: usize = 256 << 20;
/// Retired entries that may wait, however large they are.
const MIN_WAITING: usize = 8;
/// Regions: entries, then a row of values for each lane.
pub(super) const ENTRIES: usize = 0;
pub(super) const ROWS: usize = 1;

/// How a map's entries are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub key_size: usize,
    /// Bytes of one value; of one lane's, if the map is per-CPU.
    pub value_size: usize,
    /// 0: the value lies in the entry.
    pub lanes: usize,
    pub capacity: usize,
    pub value_offset: usize,
    pub stride: usize,
    /// Bytes from one value of a lane to the next.
    pub value_stride: usize,
}

impl Layout {
    pub fn new(key_size: usize, value_size: usize, lanes: usize, capacity: usize) -> Self {
        let value_offset = ENTRY_HEADER + key_size.next_multiple_of(8);
        let value_stride = value_size.next_multiple_of(8);
        Self {
            key_size,
            value_size,
            lanes,
            capacity,
            value_offset,
            stride: value_offset + if lanes == 0 { value_stride } else { 0 },
            value_stride,
        }
    }

    /// Bytes that one entry takes, with the values of all lanes.
    pub fn entry_bytes(key_size: usize, value_size: usize, lanes: usize) -> usize {
        let layout = Self::new(key_size, value_size, lanes, 0);
        layout.stride + lanes * layout.value_stride
    }

    /// Retired entries of this size that may wait: one invocation can retire thousands.
    pub fn waiting(entry_bytes: usize) -> usize {
        (MAX_WAITING / entry_bytes).max(MIN_WAITING)
    }

    /// Lengths of the regions that the pool needs: entries, then a row for each lane.
    pub fn regions(&self) -> Vec<usize> {
        let places = self.capacity + 1;
        let mut regions = vec![self.stride.saturating_mul(places)];
        regions.resize(1 + self.lanes, self.value_stride.saturating_mul(places));
        regions
    }
}

/// The entries of one map.
pub struct Pool {
    pub layout: Layout,
    entries: usize,
    rows: Vec<usize>,
    /// Retired entries of a stripe that wait before the epochs are looked at.
    pub(super) patience: u32,
}

impl Pool {
    pub fn new(arena: &Arena, layout: Layout) -> Self {
        let bytes = layout.stride + layout.lanes * layout.value_stride;
        Self {
            layout,
            patience: retired::patience(bytes),
            entries: arena.base(ENTRIES),
            rows: (0..layout.lanes)
                .map(|lane| arena.base(ROWS + lane))
                .collect(),
        }
    }

    pub fn base(&self) -> usize {
        self.entries
    }

    #[inline]
    pub fn is_valid(&self, id: u32) -> bool {
        id != 0 && id as usize <= self.layout.capacity
    }

    #[inline]
    pub fn entry(&self, id: u32) -> usize {
        debug_assert!(self.is_valid(id), "entry {id} does not exist");
        self.entries + id as usize * self.layout.stride
    }

    #[inline]
    fn word(&self, id: u32, index: usize) -> &AtomicU32 {
        // SAFETY: see the module; entries begin at multiples of 8.
        unsafe { AtomicU32::from_ptr((self.entry(id) + 4 * index) as *mut u32) }
    }

    /// The entry that follows in its bucket.
    #[inline]
    pub fn next(&self, id: u32) -> &AtomicU32 {
        self.word(id, 0)
    }

    #[inline]
    pub fn hash(&self, id: u32) -> &AtomicU32 {
        self.word(id, 1)
    }

    pub(super) fn link(&self, id: u32) -> &AtomicU32 {
        self.word(id, 2)
    }

    pub(super) fn stamp(&self, id: u32) -> &AtomicU32 {
        self.word(id, 3)
    }

    /// Whether an entry has this key.
    #[inline]
    pub fn has_key(&self, id: u32, key: &[u8]) -> bool {
        let address = self.entry(id) + ENTRY_HEADER;
        // SAFETY: an entry has a key of this size.
        unsafe { bytes::equal(address, key) }
    }

    pub fn key(&self, id: u32) -> Vec<u8> {
        // SAFETY: an entry has a key of this size.
        unsafe { bytes::copy_out(self.entry(id) + ENTRY_HEADER, self.layout.key_size) }
    }

    /// The address of an entry's value, or of a lane's.
    #[inline]
    pub fn value_address(&self, id: u32, lane: usize) -> usize {
        if self.layout.lanes == 0 {
            return self.entry(id) + self.layout.value_offset;
        }
        debug_assert!(lane < self.layout.lanes, "lane {lane} does not exist");
        self.rows[lane] + id as usize * self.layout.value_stride
    }

    /// Bytes of a value as users see it: all lanes, each padded to 8.
    pub fn user_size(&self) -> usize {
        match self.layout.lanes {
            0 => self.layout.value_size,
            lanes => lanes * self.layout.value_stride,
        }
    }

    /// The value as users see it.
    pub fn value(&self, id: u32) -> Vec<u8> {
        let size = self.layout.value_size;
        if self.layout.lanes == 0 {
            // SAFETY: an entry has a value of this size.
            return unsafe { bytes::copy_out(self.value_address(id, 0), size) };
        }
        let mut all = Vec::with_capacity(self.user_size());
        for lane in 0..self.layout.lanes {
            // SAFETY: each lane has a value of this size.
            all.extend(unsafe { bytes::copy_out(self.value_address(id, lane), size) });
            all.resize((lane + 1) * self.layout.value_stride, 0);
        }
        all
    }

    /// Write key and hash of an entry that nobody sees yet.
    pub fn write_key(&self, id: u32, key: &[u8], hash: u32) {
        // SAFETY: an entry has a key of this size.
        unsafe { bytes::copy_in(self.entry(id) + ENTRY_HEADER, key) };
        self.hash(id).store(hash, Ordering::Relaxed);
    }

    /// Write the value as users see it.
    pub fn write_value(&self, id: u32, value: &[u8]) {
        debug_assert_eq!(self.user_size(), value.len(), "a value of another size");
        if self.layout.lanes == 0 {
            // SAFETY: an entry has a value of this size.
            unsafe { bytes::copy_in(self.value_address(id, 0), value) };
            return;
        }
        for (lane, value) in value.chunks(self.layout.value_stride).enumerate() {
            self.write_lane(id, lane, &value[..self.layout.value_size]);
        }
    }

    /// Write the value of one lane.
    pub fn write_lane(&self, id: u32, lane: usize, value: &[u8]) {
        // SAFETY: each lane has a value of this size.
        unsafe { bytes::copy_in(self.value_address(id, lane), value) };
    }

    /// The entry whose value `address` lies in; of a per-CPU map only `lane`'s values count.
    pub fn value_at(
        &self,
        arena: &Arena,
        address: usize,
        lane: usize,
    ) -> Option<super::ValueRange> {
        let layout = &self.layout;
        let (base, stride, first) = match layout.lanes {
            0 => (self.entries, layout.stride, layout.value_offset),
            _ => (*self.rows.get(lane)?, layout.value_stride, 0),
        };
        // What was never handed out may have no memory behind it.
        let used = arena.header().used.load(Ordering::Relaxed) as usize;
        let offset = address.checked_sub(base)?;
        let id = offset / stride;
        if !(1..=layout.capacity.min(used)).contains(&id) {
            return None;
        }
        let start = base + id * stride + first;
        let inside = address >= start && address - start < layout.value_size;
        inside.then_some(super::ValueRange {
            address: start,
            size: layout.value_size,
        })
    }
}
