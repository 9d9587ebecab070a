//! HASH and its kinds in bucket order: keys, pages of entries, all of a stripe.
//!
//! What is added or removed meanwhile may or may not be met; what stays is met
//! once, unless the key to go on from was removed.
//!
//! Sound because: callers are pinned or hold the lock of what they walk, and an
//! entry that was unlinked still leads on, so a walk never leaves the pool.

use std::sync::atomic::Ordering;

use super::hash::{Hash, MAX_CHAIN};

impl Hash {
    /// The key after `key` in bucket order; the first one if `key` is gone.  The caller is pinned.
    pub fn next_key(&self, key: Option<&[u8]>) -> Option<Vec<u8>> {
        let after = key.and_then(|key| {
            let hash = self.seed.of(key);
            self.locate(key, hash)
                .map(|found| (hash as usize & self.mask, found.id))
        });
        let next = match after {
            None => self.first_from(0),
            Some((bucket, id)) => self.after(bucket, id),
        };
        next.map(|(_, id)| self.pool().key(id))
    }

    /// Up to `limit` entries after `after`; if that key is gone, its bucket is read again.
    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut position = match after {
            None => self.first_from(0),
            Some(key) => {
                let hash = self.seed.of(key);
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
            entries.push((self.pool().key(id), self.pool().value(id)));
            position = self.after(bucket, id);
        }
        entries
    }

    fn after(&self, bucket: usize, id: u32) -> Option<(usize, u32)> {
        let next = self.pool().next(id).load(Ordering::Acquire);
        if self.pool().is_valid(next) {
            return Some((bucket, next));
        }
        self.first_from(bucket + 1)
    }

    fn first_from(&self, bucket: usize) -> Option<(usize, u32)> {
        (bucket..=self.mask).find_map(|bucket| {
            let id = self.bucket(bucket).load(Ordering::Acquire);
            self.pool().is_valid(id).then_some((bucket, id))
        })
    }

    /// Entries of a stripe that can be found, no more than there can be.
    pub(super) fn ids(&self, stripe: usize) -> impl Iterator<Item = u32> {
        let buckets = (stripe..=self.mask).step_by(self.stripes);
        buckets
            .flat_map(|bucket| self.chain(bucket))
            .take(self.pool().layout.capacity)
    }

    fn chain(&self, bucket: usize) -> impl Iterator<Item = u32> {
        let valid = |id: u32| self.pool().is_valid(id).then_some(id);
        let first = valid(self.bucket(bucket).load(Ordering::Acquire));
        let next = move |id: &u32| valid(self.pool().next(*id).load(Ordering::Acquire));
        std::iter::successors(first, next).take(MAX_CHAIN)
    }
}
