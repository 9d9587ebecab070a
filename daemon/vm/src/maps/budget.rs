//! What all maps of this process may take together.
//!
//! A map takes from it before it uses more memory, in steps, and gives all back
//! when it goes.  Addresses cost nothing.  What another process puts into a map
//! that both have, that process takes from its own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::error::{EngineError, Result, ResultCode};

/// The maps of this process.
static ALL: Budget = Budget::new();

struct Budget {
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
}

/// Let all maps have so many bytes; what they have already stays.
pub fn limit(bytes: usize) {
    ALL.limit.store(bytes, Ordering::Relaxed);
}

/// Bytes that all maps have, and how often one got no more.
pub fn taken() -> (usize, u64) {
    (
        ALL.taken.load(Ordering::Relaxed),
        ALL.refusals.load(Ordering::Relaxed),
    )
}

/// What one map has of the budget.
#[derive(Default)]
pub struct Share(AtomicUsize);

impl Share {
    /// Have `size` bytes more; NO_MEMORY if there are not as many.
    pub fn take(&self, size: usize) -> Result<()> {
        ALL.take(size)?;
        self.0.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// Have `size` bytes less.
    pub fn give_back(&self, size: usize) {
        self.0.fetch_sub(size, Ordering::Relaxed);
        ALL.give_back(size);
    }

    /// Bytes that it has.
    pub fn size(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        ALL.give_back(self.size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is there can be had once, and again when it was given back.
    #[test]
    fn nobody_gets_more_than_there_is() {
        let budget = Budget::new();
        budget.limit.store(10, Ordering::Relaxed);
        budget.take(6).expect("there are ten");
        let refused = budget.take(5).expect_err("there are four");
        assert_eq!(ResultCode::NoMemory, refused.code);
        assert_eq!(1, budget.refusals.load(Ordering::Relaxed));
        budget.take(4).expect("there are four");
        budget.give_back(6);
        budget.take(6).expect("they are there again");
        assert!(budget.take(usize::MAX).is_err());
    }

    /// A map that goes gives back what it has.
    #[test]
    fn a_share_ends_with_its_map() {
        let share = Share::default();
        share.take(5000).expect("no limit is set");
        share.give_back(1000);
        assert_eq!(4000, share.size());
    }
}
