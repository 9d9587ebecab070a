//! How long runs took: how many fell between which durations.
//!
//! Four buckets for each power of two, so that a duration read from its bucket is off by less than
//! a quarter.  A batch costs one logarithm and one addition, however long it is: all its runs
//! count as lasting their mean.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets a power of two.
const PARTS: usize = 4;

/// The last one also has all that took longer, which is more than a minute.
pub const BUCKETS: usize = 140;

/// Runs by their nanoseconds.
#[repr(transparent)]
pub struct Latency([AtomicU64; BUCKETS]);

impl Default for Latency {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Latency {
    /// Count runs that took so long, each.
    pub(super) fn add(&self, runs: u64, nanoseconds: u64) {
        self.0[bucket(nanoseconds)].fetch_add(runs, Ordering::Relaxed);
    }

    /// Count what was counted elsewhere too.
    pub(super) fn add_all(&self, other: &Self) {
        for (own, other) in self.0.iter().zip(&other.0) {
            own.fetch_add(other.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// Runs by bucket, up to the last one that has any.
    pub fn values(&self) -> Vec<u64> {
        let mut values: Vec<u64> = self.0.iter().map(|n| n.load(Ordering::Relaxed)).collect();
        let used = values.iter().rposition(|runs| *runs > 0);
        values.truncate(used.map_or(0, |last| last + 1));
        values
    }
}

/// The first four hold one duration each; above, a power of two is cut in four.
fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < PARTS as u64 {
        return nanoseconds as usize;
    }
    let power = nanoseconds.ilog2() as usize;
    let part = (nanoseconds >> (power - 2)) as usize % PARTS;
    ((power - 1) * PARTS + part).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Latency, bucket};

    /// The least duration of a bucket, as whoever reads the counts computes it.
    fn least(bucket: usize) -> u64 {
        match bucket {
            0..4 => bucket as u64,
            _ => (4 + bucket as u64 % 4) << (bucket / 4 - 1),
        }
    }

    /// Buckets follow one another without a gap, and each begins where it should.
    #[test]
    fn each_bucket_ends_where_the_next_begins() {
        for index in 0..BUCKETS {
            assert_eq!(index, bucket(least(index)));
            if index > 0 {
                assert_eq!(index - 1, bucket(least(index) - 1));
            }
        }
        assert_eq!(1 << 36, least(BUCKETS));
        assert_eq!(BUCKETS - 1, bucket(u64::MAX));
    }

    /// No bucket is wider than a quarter of where it begins.
    #[test]
    fn a_bucket_says_how_long_within_a_quarter() {
        for index in 4..BUCKETS {
            assert!(least(index + 1) - least(index) <= least(index) / 4);
        }
    }

    #[test]
    fn values_end_with_the_longest_run() {
        let latency = Latency::default();
        assert!(latency.values().is_empty());
        latency.add(3, 1);
        latency.add(2, 5);
        assert_eq!([0, 3, 0, 0, 0, 2], latency.values()[..]);
    }
}
