//! HASH and its kinds in bucket order: keys, pages of entries, all of a stripe.
//!
//! What is added or removed meanwhile may or may not be met; what stays is met
//! once, unless the key to go on from was removed.
//!
//! Whoever goes on from a key comes back to where it lies, so a walk ends only
//! if each key lies where it belongs, and once.  A peer may have seen to it that
//! it does not: then the walk ends with an error, where it would go wrong.
//!
//! Sound because: callers are pinned or hold the lock of what they walk, and an
//! entry that was unlinked still leads on, so a walk never leaves the pool.

use std::sync::atomic::{AtomicU32, Ordering};

use super::hash::{Hash, MAX_CHAIN};
use crate::error::{EngineError, Result, ResultCode};

/// The way through the buckets.
struct Walk<'a> {
    hash: &'a Hash,
    bucket: usize,
    /// Entries of this bucket that were met.
    passed: Vec<u32>,
    /// What leads to the next one.
    link: &'a AtomicU32,
}

impl<'a> Walk<'a> {
    /// From the first entry of this bucket on.
    fn from(hash: &'a Hash, bucket: usize) -> Self {
        Self {
            hash,
            bucket,
            passed: Vec::new(),
            link: hash.bucket(bucket),
        }
    }

    /// From the entry that follows `key`, or as `lost` says if that is gone.
    fn after(
        hash: &'a Hash,
        key: Option<&[u8]>,
        lost: impl FnOnce(usize) -> usize,
    ) -> Result<Self> {
        let Some(key) = key else {
            return Ok(Self::from(hash, 0));
        };
        let word = hash.seed.of(key);
        let bucket = word as usize & hash.mask;
        let mut walk = Self::from(hash, bucket);
        while let Some(id) = walk.step()? {
            if hash.pool.hash(id).load(Ordering::Relaxed) == word && hash.pool.has_key(id, key) {
                return Ok(walk);
            }
        }
        Ok(Self::from(hash, lost(bucket)))
    }

    /// The next entry of this bucket.
    fn step(&mut self) -> Result<Option<u32>> {
        let id = self.link.load(Ordering::Acquire);
        if !self.hash.pool.is_valid(id) {
            return Ok(None);
        }
        if self.passed.len() >= MAX_CHAIN || self.passed.contains(&id) {
            return Err(damaged());
        }
        self.passed.push(id);
        self.link = self.hash.pool.next(id);
        Ok(Some(id))
    }

    /// The next entry, and its key.
    fn next(&mut self) -> Result<Option<(u32, Vec<u8>)>> {
        loop {
            if let Some(id) = self.step()? {
                let key = self.hash.pool.key(id);
                self.check(id, &key)?;
                return Ok(Some((id, key)));
            }
            let occupied = |bucket: &usize| {
                let first = self.hash.bucket(*bucket).load(Ordering::Acquire);
                self.hash.pool.is_valid(first)
            };
            let Some(bucket) = (self.bucket + 1..=self.hash.mask).find(occupied) else {
                return Ok(None);
            };
            self.bucket = bucket;
            self.passed.clear();
            self.link = self.hash.bucket(bucket);
        }
    }

    /// Whether whoever goes on from this key comes back to this entry, or to one that has replaced
    /// it just now.
    fn check(&self, id: u32, key: &[u8]) -> Result<()> {
        let word = self.hash.seed.of(key);
        let belongs = word as usize & self.hash.mask == self.bucket
            && self.hash.pool.hash(id).load(Ordering::Relaxed) == word;
        let earlier = &self.passed[..self.passed.len() - 1];
        let twice = || {
            let found = self.hash.locate(key, word);
            found.is_some_and(|found| earlier.contains(&found.id))
        };
        if !belongs || !earlier.is_empty() && twice() {
            return Err(damaged());
        }
        Ok(())
    }
}

fn damaged() -> EngineError {
    EngineError::new(
        ResultCode::InvalidObject,
        "the map is damaged: a process that shares it has written what no map holds; \
         delete what can be read, or make the map anew",
    )
}

impl Hash {
    /// The key after `key` in bucket order; the first one if `key` is gone.  The caller is pinned.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        let mut walk = Walk::after(self, key, |_| 0)?;
        Ok(walk.next()?.map(|(_, key)| key))
    }

    /// Up to `limit` entries after `after`; if that key is gone, its bucket is read again.
    ///
    /// What is in order before some damage is returned without an error.
    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut walk = Walk::after(self, after, |bucket| bucket)?;
        let mut entries = Vec::new();
        while entries.len() < limit {
            match walk.next() {
                Ok(Some((id, key))) => entries.push((key, self.pool().value(id))),
                Ok(None) => break,
                Err(error) if entries.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(entries)
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
