//! The order in which an LRU map evicts: a queue with a second chance.
//!
//! New entries come last.  A program that finds an entry marks it; when room is
//! needed, marked entries at the front lose their mark and go to the end, and
//! the first unmarked one is the victim.  So the victim is the oldest entry
//! that nobody used since it came, or since it last was spared.  As in eBPF for
//! Windows the order is approximate: only so many are spared at once.
//!
//! Sound because: every index is checked before use; the words are atomics, and
//! only marks are written without the map's lock.

use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::Arena;
use super::pool::Pool;
use crate::error::Result;

/// Marked entries that are spared for one victim.
const MAX_SPARED: usize = 64;
const NODE: usize = 12;
/// Bytes of a node before its mark.
const MARK: usize = 8;
/// Places in the header: first and last of the queue.
const ENDS: usize = 0;

pub struct Order {
    nodes: usize,
    region: usize,
}

impl Order {
    /// Bytes for so many entries.
    pub fn region(capacity: usize) -> usize {
        (capacity + 1).saturating_mul(NODE)
    }

    pub fn new(arena: &Arena, region: usize) -> Self {
        Self {
            nodes: arena.base(region),
            region,
        }
    }

    /// Make an entry's place usable.
    pub fn commit(&self, arena: &Arena, id: u32) -> Result<()> {
        arena.commit(self.region, (id as usize + 1) * NODE)
    }

    /// Where the marks begin: for lookups that know a map by its numbers alone.
    pub fn marks(&self) -> usize {
        self.nodes + MARK
    }

    /// A program found this entry.
    #[inline]
    pub fn touch(&self, id: u32) {
        touch(self.mark(id));
    }

    /// The same, of the marks that begin at this address.
    ///
    /// # Safety
    /// The address is [`Order::marks`] of a live map, and the entry exists.
    #[inline(always)]
    pub unsafe fn touch_at(marks: u64, id: u32) {
        let address = marks as usize + id as usize * NODE;
        // SAFETY: the caller's promise.
        touch(unsafe { AtomicU32::from_ptr(address as *mut u32) });
    }

    /// Put a new entry last.
    pub fn append(&self, arena: &Arena, pool: &Pool, id: u32) {
        self.mark(id).store(0, Ordering::Relaxed);
        self.link_last(arena, pool, id);
    }

    fn link_last(&self, arena: &Arena, pool: &Pool, id: u32) {
        let (first, last) = self.ends(arena);
        self.before(id).store(last, Ordering::Relaxed);
        self.after(id).store(0, Ordering::Relaxed);
        if pool.is_valid(last) {
            self.after(last).store(id, Ordering::Relaxed);
        }
        let first = if pool.is_valid(first) { first } else { id };
        self.set_ends(arena, first, id);
    }

    /// Take an entry out.
    pub fn remove(&self, arena: &Arena, pool: &Pool, id: u32) {
        let before = self.before(id).load(Ordering::Relaxed);
        let after = self.after(id).load(Ordering::Relaxed);
        let (mut first, mut last) = self.ends(arena);
        if pool.is_valid(before) {
            self.after(before).store(after, Ordering::Relaxed);
        } else {
            first = after;
        }
        if pool.is_valid(after) {
            self.before(after).store(before, Ordering::Relaxed);
        } else {
            last = before;
        }
        self.set_ends(arena, first, last);
    }

    /// Whom to evict.
    pub fn victim(&self, arena: &Arena, pool: &Pool) -> Option<u32> {
        for _ in 0..MAX_SPARED {
            let (first, _) = self.ends(arena);
            if !pool.is_valid(first) {
                return None;
            }
            if self.mark(first).swap(0, Ordering::Relaxed) == 0 {
                return Some(first);
            }
            self.remove(arena, pool, first);
            self.link_last(arena, pool, first);
        }
        let (first, _) = self.ends(arena);
        pool.is_valid(first).then_some(first)
    }

    /// Make the order anew, of the entries that can be found.
    pub fn rebuild(&self, arena: &Arena, pool: &Pool, entries: impl Iterator<Item = u32>) {
        self.set_ends(arena, 0, 0);
        for id in entries {
            self.link_last(arena, pool, id);
        }
    }

    fn ends(&self, arena: &Arena) -> (u32, u32) {
        let both = arena.header().words[ENDS].load(Ordering::Relaxed);
        (both as u32, (both >> 32) as u32)
    }

    fn set_ends(&self, arena: &Arena, first: u32, last: u32) {
        let both = u64::from(first) | u64::from(last) << 32;
        arena.header().words[ENDS].store(both, Ordering::Relaxed);
    }

    fn before(&self, id: u32) -> &AtomicU32 {
        self.word(id, 0)
    }

    fn after(&self, id: u32) -> &AtomicU32 {
        self.word(id, 1)
    }

    #[inline]
    fn mark(&self, id: u32) -> &AtomicU32 {
        self.word(id, 2)
    }

    #[inline]
    fn word(&self, id: u32, index: usize) -> &AtomicU32 {
        let address = self.nodes + id as usize * NODE + 4 * index;
        // SAFETY: ids are checked against the pool, whose size the region has.
        unsafe { AtomicU32::from_ptr(address as *mut u32) }
    }
}

#[inline(always)]
fn touch(mark: &AtomicU32) {
    // Most are marked already, and reading leaves the cache line with everybody.
    if mark.load(Ordering::Relaxed) == 0 {
        mark.store(1, Ordering::Relaxed);
    }
}
