//! Entries that nobody can find any more, and where new ones come from.
//!
//! Each stripe has a list of its retired entries, the oldest first; `epoch` says
//! when nobody can see them any more.  A stripe that has none takes a new entry,
//! and, when the map has grown to its limit, one of another stripe.
//!
//! A process that dies between two steps costs one entry at most: an entry is
//! on the list as soon as `link` of the last one leads to it, and `newest` is
//! set right by whoever takes the lock over.

use std::sync::atomic::Ordering;

use super::arena::{Arena, MAX_STRIPES, Stripe};
use super::pool::{ENTRIES, Pool, ROWS};
use crate::error::{EngineError, Result, ResultCode};

/// Retired entries of a stripe that wait before the epochs are looked at, and their bytes.
const PATIENCE: usize = 64;
const PATIENT_BYTES: usize = 1 << 20;

/// Retired entries of this size that wait before the epochs are looked at.
pub fn patience(entry_bytes: usize) -> u32 {
    (PATIENT_BYTES / entry_bytes).clamp(1, PATIENCE) as u32
}

impl Pool {
    /// An entry that nobody can see.  The caller holds the stripe's lock.
    pub fn take(&self, arena: &Arena, number: usize) -> Result<u32> {
        let stripe = arena.stripe(number);
        if let Some(id) = self.reuse(arena, stripe) {
            return Ok(id);
        }
        let waiting = stripe.waiting.load(Ordering::Relaxed);
        if waiting >= stripe.patience.load(Ordering::Relaxed).max(self.patience) {
            if let Some(id) = self.reuse_after_advance(arena, stripe) {
                return Ok(id);
            }
            // A pin that lasts must not make every update look at the epochs.
            stripe
                .patience
                .store(waiting.saturating_mul(2), Ordering::Relaxed);
        }
        if let Some(id) = self.take_new(arena)? {
            return Ok(id);
        }
        self.reuse_after_advance(arena, stripe)
            .or_else(|| self.borrow(arena, number))
            .ok_or_else(|| {
                let capacity = self.layout.capacity;
                EngineError::new(
                    ResultCode::NoMemory,
                    format!(
                        "the map has grown to its limit of {capacity} entries: those that are free \
                         wait for invocations that may still read them"
                    ),
                )
            })
    }

    /// A retired entry of another stripe, whose lock nobody holds: waiting could be for ever.
    #[cold]
    fn borrow(&self, arena: &Arena, own: usize) -> Option<u32> {
        let mut others = (0..MAX_STRIPES).filter(|number| *number != own);
        others.find_map(|number| {
            let _held = arena.try_lock(number)?;
            self.reuse(arena, arena.stripe(number))
        })
    }

    fn take_new(&self, arena: &Arena) -> Result<Option<u32>> {
        let used = &arena.header().used;
        if used.load(Ordering::Relaxed) as usize >= self.layout.capacity {
            return Ok(None);
        }
        let id = used.fetch_add(1, Ordering::Relaxed) + 1;
        if !self.is_valid(id) {
            used.fetch_sub(1, Ordering::Relaxed);
            return Ok(None);
        }
        let committed = self.commit(arena, id);
        if let Err(error) = committed {
            // The next one tries again; others may have gone further meanwhile.
            let _ = used.compare_exchange(id, id - 1, Ordering::Relaxed, Ordering::Relaxed);
            return Err(error);
        }
        Ok(Some(id))
    }

    fn commit(&self, arena: &Arena, id: u32) -> Result<()> {
        let after = id as usize + 1;
        arena.commit(ENTRIES, after * self.layout.stride)?;
        (0..self.layout.lanes)
            .try_for_each(|lane| arena.commit(ROWS + lane, after * self.layout.value_stride))
    }

    /// The oldest retired entry, if nobody can see it any more.
    fn reuse(&self, arena: &Arena, stripe: &Stripe) -> Option<u32> {
        let id = stripe.oldest.load(Ordering::Relaxed);
        if !self.is_valid(id) {
            return None;
        }
        if !arena
            .domain()
            .is_safe(self.stamp(id).load(Ordering::Relaxed))
        {
            return None;
        }
        stripe
            .oldest
            .store(self.link(id).load(Ordering::Relaxed), Ordering::Relaxed);
        if stripe.newest.load(Ordering::Relaxed) == id {
            stripe.newest.store(0, Ordering::Relaxed);
            stripe.oldest.store(0, Ordering::Relaxed);
        }
        let waiting = stripe.waiting.load(Ordering::Relaxed);
        stripe
            .waiting
            .store(waiting.saturating_sub(1), Ordering::Relaxed);
        Some(id)
    }

    fn reuse_after_advance(&self, arena: &Arena, stripe: &Stripe) -> Option<u32> {
        let _ = arena.domain().advance() && arena.domain().advance();
        let id = self.reuse(arena, stripe)?;
        stripe.patience.store(0, Ordering::Relaxed);
        Some(id)
    }

    /// Give back an entry that nobody can find any more, though somebody may see it.
    pub fn retire(&self, arena: &Arena, stripe: &Stripe, id: u32) {
        self.stamp(id)
            .store(arena.domain().stamp(), Ordering::Relaxed);
        self.link(id).store(0, Ordering::Relaxed);
        let newest = stripe.newest.load(Ordering::Relaxed);
        if self.is_valid(newest) {
            self.link(newest).store(id, Ordering::Release);
        } else {
            stripe.oldest.store(id, Ordering::Release);
        }
        stripe.newest.store(id, Ordering::Release);
        stripe.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// Set the list right after its owner died with the lock.
    pub fn recover(&self, stripe: &Stripe) {
        let mut waiting = 0_u32;
        let mut newest = 0;
        let mut earlier = 0;
        let mut id = stripe.oldest.load(Ordering::Acquire);
        while self.is_valid(id) {
            // A peer may have made a ring of it: its entries are given up (Brent's algorithm).
            if id == earlier {
                stripe.oldest.store(0, Ordering::Relaxed);
                (waiting, newest) = (0, 0);
                break;
            }
            if waiting.is_power_of_two() {
                earlier = id;
            }
            waiting += 1;
            newest = id;
            id = self.link(id).load(Ordering::Acquire);
        }
        stripe.newest.store(newest, Ordering::Relaxed);
        stripe.waiting.store(waiting, Ordering::Relaxed);
        stripe.patience.store(0, Ordering::Relaxed);
    }
}
