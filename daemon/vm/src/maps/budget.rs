//! What all maps of this process may take together.
//!
//! A map takes from it before it uses more memory, in steps, and gives all back
//! when it goes.  Addresses cost nothing.  What another process puts into a map
//! that both have, that process takes from its own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::error::{EngineError, Result, ResultCode};

/// The maps of this process.
static ALL: Budget = Budget::new();

pub struct Budget {
    limit: AtomicUsize,
    taken: AtomicUsize,
    refusals: AtomicU64,
}

impl Budget {
    const fn new() -> Self {
        Self {
            limit: AtomicUsize::new(usize::MAX),
            taken: AtomicUsize::new(0),
            refusals: AtomicU64::new(0),
        }
    }

    /// One that is nobody else's.
    #[cfg(test)]
    pub fn lasting(limit: usize) -> &'static Self {
        let budget = Box::leak(Box::new(Self::new()));
        budget.limit.store(limit, Ordering::Relaxed);
        budget
    }

    fn take(&self, size: usize) -> Result<()> {
        let limit = self.limit.load(Ordering::Relaxed);
        let more = |taken: usize| taken.checked_add(size).filter(|sum| *sum <= limit);
        match (self.taken).fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(taken) => {
                self.refusals.fetch_add(1, Ordering::Relaxed);
                Err(EngineError::new(
                    ResultCode::NoMemory,
                    format!(
                        "all maps have {taken} bytes, and may have {limit}: {size} more are too \
                         many: remove some"
                    ),
                ))
            }
        }
    }

    fn give_back(&self, size: usize) {
        self.taken.fetch_sub(size, Ordering::Relaxed);
    }

    fn left(&self) -> usize {
        let taken = self.taken.load(Ordering::Relaxed);
        self.limit.load(Ordering::Relaxed).saturating_sub(taken)
    }

    /// Bytes that were taken, and how often there were no more.
    pub fn told(&self) -> (usize, u64) {
        (
            self.taken.load(Ordering::Relaxed),
            self.refusals.load(Ordering::Relaxed),
        )
    }
}

/// Let all maps have so many bytes; what they have already stays.
pub fn limit(bytes: usize) {
    ALL.limit.store(bytes, Ordering::Relaxed);
}

/// Bytes that all maps have, and how often one got no more.
pub fn taken() -> (usize, u64) {
    ALL.told()
}

/// What one map has of the budget.
pub struct Share {
    of: &'static Budget,
    size: AtomicUsize,
}

impl Default for Share {
    fn default() -> Self {
        Self::of(&ALL)
    }
}

impl Share {
    pub fn of(budget: &'static Budget) -> Self {
        Self {
            of: budget,
            size: AtomicUsize::new(0),
        }
    }

    /// Have `size` bytes more; NO_MEMORY if there are not as many.
    pub fn take(&self, size: usize) -> Result<()> {
        self.of.take(size)?;
        self.size.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// Have `size` bytes less.
    pub fn give_back(&self, size: usize) {
        self.size.fetch_sub(size, Ordering::Relaxed);
        self.of.give_back(size);
    }

    /// Bytes that it can have more, unless another map is faster.
    pub fn left(&self) -> usize {
        self.of.left()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.give_back(self.size.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is there can be had once, and again when it was given back.
    #[test]
    fn nobody_gets_more_than_there_is() {
        let budget = Budget::lasting(10);
        budget.take(6).expect("there are ten");
        let refused = budget.take(5).expect_err("there are four");
        assert_eq!(ResultCode::NoMemory, refused.code);
        assert_eq!((6, 1), budget.told());
        budget.take(4).expect("there are four");
        budget.give_back(6);
        budget.take(6).expect("they are there again");
        assert!(budget.take(usize::MAX).is_err());
    }

    /// A map that goes gives back what it has.
    #[test]
    fn a_share_ends_with_its_map() {
        let budget = Budget::lasting(9000);
        let share = Share::of(budget);
        share.take(5000).expect("there are nine thousand");
        share.give_back(1000);
        assert_eq!((5000, (4000, 0)), (share.left(), budget.told()));
        drop(share);
        assert_eq!((0, 0), budget.told());
    }
}
