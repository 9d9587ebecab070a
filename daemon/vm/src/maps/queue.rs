//! QUEUE and STACK: values in the order in which they came.
//!
//! ```text
//!   ring: [u32 entry; max_entries]     head: the oldest     tail: behind the newest
//! ```
//!
//! Head and tail only grow; a queue takes from the head, a stack from the tail.
//! Each change is one store, so a process that dies leaves the map whole.
//! Values are pool entries: one that was taken stays readable for whoever sees it.
//!
//! Sound because: places are taken modulo the ring's length, entries are checked
//! before use, and all changes are made under the map's lock.

use std::sync::atomic::{AtomicU32, Ordering};

use super::ValueRange;
use super::arena::{Arena, Identity};
use super::backing::Storage;
use super::lock::Held;
use super::pool::{Layout, Pool};
use crate::error::{EngineError, Result, ResultCode};

/// `BPF_EXIST`: a full map gives up its oldest value.
const OVERWRITE: u64 = 2;
/// Words of the header.
const HEAD: usize = 0;
const TAIL: usize = 1;
const RING: usize = 1;

pub struct Queue {
    arena: Arena,
    pool: Pool,
    length: u32,
    last_in_first_out: bool,
}

impl Queue {
    pub fn new(storage: Storage, identity: Identity, last_in_first_out: bool) -> Result<Self> {
        let length = identity.max_entries as usize;
        let bytes = Layout::entry_bytes(0, identity.value_size as usize, 0);
        let capacity = length.saturating_add(Layout::waiting(bytes));
        let capacity = capacity.min(u32::MAX as usize - 1);
        let layout = Layout::new(0, identity.value_size as usize, 0, capacity);
        let mut regions = layout.regions();
        regions.push(length.saturating_mul(size_of::<AtomicU32>()));
        let arena = Arena::new(storage, identity, &regions, |_, _| Ok(()))?;
        Ok(Self {
            pool: Pool::new(&arena, layout),
            arena,
            length: identity.max_entries,
            last_in_first_out,
        })
    }

    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Add a value; OUT_OF_SPACE if the map is full and `flags` do not say to overwrite.
    pub fn push(&self, value: &[u8], flags: u64) -> Result<()> {
        let _held = self.lock()?;
        let (head, tail) = self.ends();
        let full = tail.wrapping_sub(head) >= self.length.into();
        if full && flags & OVERWRITE == 0 {
            return Err(EngineError::new(
                ResultCode::OutOfSpace,
                format!("the map is full: it has {} entries", self.length),
            ));
        }
        // First all that can fail: nothing may be dropped for a value that does not come.
        let place = (tail % u64::from(self.length)) as usize;
        self.arena
            .commit(RING, (place + 1) * size_of::<AtomicU32>())?;
        let id = self.pool.take(&self.arena, 0)?;
        self.pool.write_value(id, value);
        if full {
            let oldest = self.at(head);
            self.set(HEAD, head.wrapping_add(1));
            self.retire(oldest);
        }
        self.place(tail).store(id, Ordering::Release);
        self.set(TAIL, tail.wrapping_add(1));
        Ok(())
    }

    /// A copy of the next value, which leaves the map.  The caller is pinned.
    pub fn pop(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.take()?.map(|id| self.pool.value(id)))
    }

    /// The address of the next value, which leaves the map.  The caller is pinned.
    pub fn pop_address(&self) -> Result<Option<usize>> {
        Ok(self.take()?.map(|id| self.pool.value_address(id, 0)))
    }

    fn take(&self) -> Result<Option<u32>> {
        let _held = self.lock()?;
        let (head, tail) = self.ends();
        if head == tail {
            return Ok(None);
        }
        let id = self.at(self.next(head, tail));
        if self.last_in_first_out {
            self.set(TAIL, tail.wrapping_sub(1));
        } else {
            self.set(HEAD, head.wrapping_add(1));
        }
        self.retire(id);
        Ok(self.pool.is_valid(id).then_some(id))
    }

    /// A copy of the next value.  The caller is pinned.
    pub fn peek(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.first()?.map(|id| self.pool.value(id)))
    }

    /// The address of the next value.  The caller is pinned.
    pub fn peek_address(&self) -> Result<Option<usize>> {
        Ok(self.first()?.map(|id| self.pool.value_address(id, 0)))
    }

    fn first(&self) -> Result<Option<u32>> {
        // Locked: the place that was read must not have been filled again.
        let _held = self.lock()?;
        let (head, tail) = self.ends();
        if head == tail {
            return Ok(None);
        }
        let id = self.at(self.next(head, tail));
        Ok(self.pool.is_valid(id).then_some(id))
    }

    fn next(&self, head: u64, tail: u64) -> u64 {
        if self.last_in_first_out {
            tail.wrapping_sub(1)
        } else {
            head
        }
    }

    /// Values in the map.
    pub fn entries(&self) -> usize {
        let (head, tail) = self.ends();
        tail.wrapping_sub(head).min(self.length.into()) as usize
    }

    pub fn value_at(&self, address: usize) -> Option<ValueRange> {
        self.pool.value_at(&self.arena, address, 0)
    }

    fn lock(&self) -> Result<Held<'_>> {
        let held = self.arena.lock(0)?;
        if held.recovered {
            self.pool.recover(self.arena.stripe(0));
        }
        Ok(held)
    }

    fn retire(&self, id: u32) {
        if self.pool.is_valid(id) {
            self.pool.retire(&self.arena, self.arena.stripe(0), id);
        }
    }

    fn ends(&self) -> (u64, u64) {
        let words = &self.arena.header().words;
        let head = words[HEAD].load(Ordering::Acquire);
        (head, words[TAIL].load(Ordering::Acquire))
    }

    fn set(&self, end: usize, number: u64) {
        self.arena.header().words[end].store(number, Ordering::Release);
    }

    fn at(&self, number: u64) -> u32 {
        self.place(number).load(Ordering::Acquire)
    }

    fn place(&self, number: u64) -> &AtomicU32 {
        let place = (number % u64::from(self.length)) as usize;
        let address = self.arena.base(RING) + place * size_of::<AtomicU32>();
        // SAFETY: the ring has `length` places.
        unsafe { AtomicU32::from_ptr(address as *mut u32) }
    }
}
