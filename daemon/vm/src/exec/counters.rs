//! How often a program ran, how long, and how it failed; cheap and lock-free.
//!
//! Adding to a number that several threads share costs as much as a small
//! program.  Who counts run by run has a [`Share`] of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::latency::Latency;

#[derive(Default)]
pub struct Counters {
    runs: AtomicU64,
    nanoseconds: AtomicU64,
    latency: Latency,
    failures: Failures,
    shares: Mutex<Vec<Arc<Share>>>,
}

/// Runs that one caller counts, one run at a time.
#[derive(Default)]
pub struct Share {
    runs: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Share {
    /// Count a run; only the owner of the share does.
    pub(super) fn add(&self, nanoseconds: u64) {
        let add = |to: &AtomicU64, count| {
            to.store(to.load(Ordering::Relaxed) + count, Ordering::Relaxed);
        };
        add(&self.runs, 1);
        add(&self.nanoseconds, nanoseconds);
    }

    /// Runs counted so far.
    pub(super) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
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
    /// Count runs that took so long together.
    pub(super) fn add(&self, runs: u64, nanoseconds: u64) {
        self.add_untimed(runs, nanoseconds);
        if runs > 0 {
            self.timed(runs, nanoseconds / runs);
        }
    }

    /// Count runs of which it is not known how long each took.
    pub(super) fn add_untimed(&self, runs: u64, nanoseconds: u64) {
        self.runs.fetch_add(runs, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Of runs that are counted elsewhere: each took so long.
    pub(super) fn timed(&self, runs: u64, nanoseconds: u64) {
        self.latency.add(runs, nanoseconds);
    }

    /// A share that counts until it is given back.
    pub(super) fn share(&self) -> Arc<Share> {
        let share = Arc::new(Share::default());
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.push(Arc::clone(&share));
        share
    }

    /// Take over what a share has counted.
    pub(super) fn give_back(&self, share: &Arc<Share>) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|other| !Arc::ptr_eq(other, share));
        self.add_untimed(share.runs(), share.nanoseconds.load(Ordering::Relaxed));
    }

    pub(super) fn fail(&self, code: u8) {
        self.failures.0[usize::from(code)].fetch_add(1, Ordering::Relaxed);
    }

    /// Count a batch that has run, for somebody beside its program.
    pub fn count(&self, codes: &[u8], nanoseconds: u64) {
        self.add(codes.len() as u64, nanoseconds);
        codes
            .iter()
            .filter(|code| **code != 0)
            .for_each(|code| self.fail(*code));
    }

    /// Runs by how long they took; see `latency`.
    pub fn latency(&self) -> Vec<u64> {
        self.latency.values()
    }

    pub fn values(&self) -> CounterValues {
        let failures = self.failures.0.iter().zip(0..=u8::MAX);
        // Held until all is read, so that a share is not missed while it is given back.
        let shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |own: &AtomicU64, of: fn(&Share) -> &AtomicU64| {
            let shared = shares.iter().map(|share| of(share).load(Ordering::Relaxed));
            own.load(Ordering::Relaxed) + shared.sum::<u64>()
        };
        CounterValues {
            runs: sum(&self.runs, |share| &share.runs),
            nanoseconds: sum(&self.nanoseconds, |share| &share.nanoseconds),
            failures: failures
                .map(|(count, code)| (code, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}
