//! HASH and its kinds as writers change them, one stripe of the buckets at a time.
//!
//! Sound because: the writer holds the lock of the stripe that a key belongs
//! to, fills an entry before anybody can find it, and unlinks one before it is
//! retired; see `hash`.  Whoever takes the lock over from a dead owner counts
//! and orders anew, so each change may end between any two of its stores.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Update;
use super::hash::{Found, Hash, Written};
use super::lock::Held;
use crate::error::{EngineError, Result, ResultCode};

impl Hash {
    /// Publish a value; whether the key is new.
    pub fn update(&self, key: &[u8], value: Written<'_>, update: Update) -> Result<bool> {
        let hash = self.seed.of(key);
        let stripe = self.stripe_of(hash);
        let bound = self.bound.get();
        let _alone = bound.map(|bound| bound.adding.lock());
        let _held = self.lock(stripe)?;
        let found = self.locate(key, hash);
        self.check(update, found.is_some())?;
        if let (Some(bound), None) = (bound, &found) {
            self.check_bound(bound.most)?;
        }
        if let (Some(found), Written::Lane(lane, value)) = (&found, value)
            && self.pool.layout.lanes > 0
        {
            // Nobody else has this lane now, so there is nobody to tear it for.
            self.pool.write_lane(found.id, lane, value);
            self.touch(found.id);
            return Ok(false);
        }
        let id = self.fresh(stripe)?;
        self.pool.write_key(id, key, hash);
        self.write(id, value);
        if found.is_none() && self.is_full() {
            self.evict(stripe);
        }
        self.publish(stripe, id, found, hash);
        Ok(found.is_none())
    }

    /// Whether an update may go on, given what is there.
    fn check(&self, update: Update, found: bool) -> Result<()> {
        match (update, found) {
            (Update::NoExist, true) => Err(EngineError::new(
                ResultCode::ObjectAlreadyExists,
                "flags is 1 (no such key), but an entry has this key",
            )),
            (Update::Exist, false) => Err(missing()),
            (_, false) if self.order.is_none() && self.is_full() => Err(EngineError::new(
                ResultCode::NoMemory,
                format!(
                    "the map has {} entries, as many as it may grow to",
                    self.limit
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Whether there is room for one more.
    fn check_bound(&self, most: usize) -> Result<()> {
        if self.entries_found() < most {
            return Ok(());
        }
        Err(EngineError::new(
            ResultCode::OutOfSpace,
            format!("the map is full: it has {most} entries"),
        ))
    }

    /// An entry that nobody can see, with a place in the order.
    fn fresh(&self, stripe: usize) -> Result<u32> {
        let id = self.pool.take(&self.arena, stripe)?;
        if let Some(order) = &self.order
            && let Err(error) = order.commit(&self.arena, id)
        {
            self.pool.retire(&self.arena, self.arena.stripe(stripe), id);
            return Err(error);
        }
        Ok(id)
    }

    /// Remove a key; what it had can be seen by whoever is pinned.
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        self.remove(key).map(drop)
    }

    /// Remove a key; a copy of its value, all lanes.  The caller is pinned.
    pub fn take(&self, key: &[u8]) -> Result<Vec<u8>> {
        self.remove(key).map(|id| self.pool.value(id))
    }

    /// Remove a key; the address of its value.  The caller is pinned.
    pub fn take_address(&self, key: &[u8], lane: usize) -> Result<Option<usize>> {
        match self.remove(key) {
            Ok(id) => Ok(Some(self.pool.value_address(id, lane))),
            Err(error) if error.code == ResultCode::KeyNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn remove(&self, key: &[u8]) -> Result<u32> {
        let hash = self.seed.of(key);
        let stripe = self.stripe_of(hash);
        let _held = self.lock(stripe)?;
        let found = self.locate(key, hash).ok_or_else(missing)?;
        self.unlink(stripe, found);
        Ok(found.id)
    }

    fn stripe_of(&self, hash: u32) -> usize {
        hash as usize & self.mask & (self.stripes - 1)
    }

    fn lock(&self, stripe: usize) -> Result<Held<'_>> {
        let held = self.arena.lock(stripe)?;
        if held.recovered {
            self.pool.recover(self.arena.stripe(stripe));
            if let Some(order) = &self.order {
                order.rebuild(&self.arena, &self.pool, self.ids(stripe));
            }
            let live = self.ids(stripe).count() as u32;
            self.count(stripe).store(live, Ordering::Relaxed);
        }
        Ok(held)
    }

    /// Entries that can be found in a stripe.
    fn count(&self, stripe: usize) -> &AtomicU32 {
        &self.arena.stripe(stripe).live
    }

    /// Entries that can be found.
    pub fn entries_found(&self) -> usize {
        (0..self.stripes)
            .map(|stripe| self.count(stripe).load(Ordering::Relaxed) as usize)
            .sum()
    }

    /// Whether the map has all that it may have; other writers may be at it too.
    fn is_full(&self) -> bool {
        // Most maps have never handed out as many, and need not ask every stripe.
        let used = self.arena.header().used.load(Ordering::Relaxed) as usize;
        used >= self.limit && self.entries_found() >= self.limit
    }

    fn evict(&self, stripe: usize) {
        let Some(order) = &self.order else {
            return;
        };
        let Some(victim) = order.victim(&self.arena, &self.pool) else {
            return;
        };
        let key = self.pool.key(victim);
        match self.locate(&key, self.seed.of(&key)) {
            Some(found) => self.unlink(stripe, found),
            // Only a peer can have brought it there; it must not come up again.
            None => order.remove(&self.arena, &self.pool, victim),
        }
    }

    fn write(&self, id: u32, value: Written<'_>) {
        match value {
            Written::Lane(lane, value) if self.pool.layout.lanes > 0 => {
                let zero = vec![0; self.pool.layout.value_size];
                for other in 0..self.pool.layout.lanes {
                    let value = if other == lane { value } else { &zero };
                    self.pool.write_lane(id, other, value);
                }
            }
            Written::Lane(_, value) | Written::Whole(value) => self.pool.write_value(id, value),
        }
    }

    /// Let everybody find an entry, in place of the one that was found or first in its bucket.
    fn publish(&self, stripe: usize, id: u32, found: Option<Found<'_>>, hash: u32) {
        let next = self.pool.next(id);
        match found {
            Some(old) => {
                let after = self.pool.next(old.id).load(Ordering::Acquire);
                next.store(after, Ordering::Relaxed);
                old.link.store(id, Ordering::Release);
                self.forget(stripe, old.id);
            }
            None => {
                let head = self.bucket(hash as usize & self.mask);
                next.store(head.load(Ordering::Acquire), Ordering::Relaxed);
                head.store(id, Ordering::Release);
                self.add(stripe, 1);
            }
        }
        if let Some(order) = &self.order {
            order.append(&self.arena, &self.pool, id);
        }
    }

    fn unlink(&self, stripe: usize, found: Found<'_>) {
        let next = self.pool.next(found.id).load(Ordering::Acquire);
        found.link.store(next, Ordering::Release);
        self.add(stripe, -1);
        self.forget(stripe, found.id);
    }

    /// Count entries that can be found.  The caller holds the lock, so this needs no atomic step.
    fn add(&self, stripe: usize, change: i32) {
        let live = self.count(stripe);
        let now = live.load(Ordering::Relaxed).wrapping_add_signed(change);
        live.store(now, Ordering::Relaxed);
    }

    fn forget(&self, stripe: usize, id: u32) {
        if let Some(order) = &self.order {
            order.remove(&self.arena, &self.pool, id);
        }
        self.pool.retire(&self.arena, self.arena.stripe(stripe), id);
    }

    fn touch(&self, id: u32) {
        if let Some(order) = &self.order {
            order.touch(id);
        }
    }
}

fn missing() -> EngineError {
    EngineError::new(ResultCode::KeyNotFound, "no entry has this key")
}
