//! How often a program ran, how long, and how it failed; cheap and lock-free.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
pub struct Counters {
    runs: AtomicU64,
    nanoseconds: AtomicU64,
    failures: Failures,
}

struct Failures([AtomicU64; 256]);

impl Default for Failures {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; 256])
    }
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterValues {
    /// Invocations, failed ones included.
    pub runs: u64,
    pub nanoseconds: u64,
    /// Failed invocations by `ebpf_result`.
    pub failures: BTreeMap<u8, u64>,
}

impl Counters {
    pub(super) fn add(&self, runs: u64, nanoseconds: u64) {
        self.runs.fetch_add(runs, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn fail(&self, code: u8) {
        self.failures.0[usize::from(code)].fetch_add(1, Ordering::Relaxed);
    }

    pub fn values(&self) -> CounterValues {
        let failures = self.failures.0.iter().zip(0..=u8::MAX);
        CounterValues {
            runs: self.runs.load(Ordering::Relaxed),
            nanoseconds: self.nanoseconds.load(Ordering::Relaxed),
            failures: failures
                .map(|(count, code)| (code, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}
