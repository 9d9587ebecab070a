//! How often a program ran, how long, and how it failed; cheap and lock-free.
//!
//! Adding to a number that several threads share costs as much as a small
//! program.  Who counts run by run has a [`Share`] of its own.  A process that
//! runs a program for the daemon counts in the memory of its [`Gate`], which
//! the daemon reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::gate::Gate;
use super::latency::Latency;

#[derive(Default)]
pub struct Counters {
    own: Totals,
    /// Where this process counts instead, if it runs the program for the daemon.
    gate: Option<Arc<Gate>>,
    others: Mutex<Others>,
}

/// What a process can have counted, in nanoseconds two years: more is made up, and would overflow.
const MOST: u64 = 1 << 56;

/// Who counts beside.
#[derive(Default)]
struct Others {
    shares: Vec<Arc<Share>>,
    /// Of other processes.
    gates: Vec<Followed>,
}

/// Another process's gate, which counts for a program or for a link.
struct Followed {
    gate: Arc<Gate>,
    as_link: bool,
}

impl Followed {
    fn counters(&self) -> CounterValues {
        if self.as_link {
            self.gate.events()
        } else {
            self.gate.counters()
        }
    }
}

/// Numbers that any thread may add to.
#[derive(Default)]
#[repr(C)]
pub struct Totals {
    runs: AtomicU64,
    nanoseconds: AtomicU64,
    pub(super) latency: Latency,
    failures: Failures,
}

/// Runs that one caller counts, one run at a time.
#[derive(Default)]
#[repr(C, align(64))]
pub struct Share {
    runs: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Share {
    /// Count a run; only the owner of the share does.
    pub(super) fn add(&self, nanoseconds: u64) {
        let add = |to: &AtomicU64, count| {
            to.store(
                to.load(Ordering::Relaxed).wrapping_add(count),
                Ordering::Relaxed,
            );
        };
        add(&self.runs, 1);
        add(&self.nanoseconds, nanoseconds);
    }

    /// Runs counted so far.
    pub(super) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

/// By code.
#[repr(C)]
pub(super) struct Failures([AtomicU64; 256]);

impl Failures {
    pub(super) fn add(&self, code: u8, count: u64) {
        self.0[usize::from(code)].fetch_add(count, Ordering::Relaxed);
    }
}

impl Default for Failures {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; 256])
    }
}

/// A share, and where it lies.
pub enum Leased {
    Own(Arc<Share>),
    /// With what others have counted there before.
    Shared(Arc<Gate>, usize, u64),
}

impl Leased {
    /// Count a run.
    #[inline]
    pub(super) fn add(&self, nanoseconds: u64) {
        match self {
            Self::Own(share) => share.add(nanoseconds),
            Self::Shared(gate, number, _) => gate.share(*number).add(nanoseconds),
        }
    }

    /// Runs counted so far by who has the share.
    pub(super) fn runs(&self) -> u64 {
        match self {
            Self::Own(share) => share.runs(),
            Self::Shared(gate, number, before) => gate.share(*number).runs().wrapping_sub(*before),
        }
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

impl CounterValues {
    pub(super) fn add(&mut self, totals: &Totals) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        self.runs = self.runs.wrapping_add(read(&totals.runs));
        self.nanoseconds = self.nanoseconds.wrapping_add(read(&totals.nanoseconds));
        self.add_failures(&totals.failures);
    }

    pub(super) fn add_failures(&mut self, failures: &Failures) {
        for (number, code) in failures.0.iter().zip(0..=u8::MAX) {
            let count = number.load(Ordering::Relaxed);
            if count > 0 {
                let sum = self.failures.entry(code).or_default();
                *sum = sum.wrapping_add(count);
            }
        }
    }

    /// Add numbers that another process may have made up.
    fn add_of_peer(&mut self, peer: &Self) {
        self.runs = self.runs.wrapping_add(peer.runs.min(MOST));
        self.nanoseconds = self.nanoseconds.wrapping_add(peer.nanoseconds.min(MOST));
        for (code, count) in &peer.failures {
            let sum = self.failures.entry(*code).or_default();
            *sum = sum.wrapping_add(*count.min(&MOST));
        }
    }

    /// As whoever subtracts expects them: no more failures than runs, also while both are counted.
    fn consistent(mut self) -> Self {
        let mut left = self.runs;
        self.failures.retain(|_, count| {
            *count = left.min(*count);
            left -= *count;
            *count > 0
        });
        self
    }

    pub(super) fn add_share(&mut self, share: &Share) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        self.runs = self.runs.wrapping_add(read(&share.runs));
        self.nanoseconds = self.nanoseconds.wrapping_add(read(&share.nanoseconds));
    }
}

impl Counters {
    /// Counters in the memory of a gate, if there is one.
    pub(super) fn at(gate: Option<Arc<Gate>>) -> Self {
        Self {
            gate,
            ..Self::default()
        }
    }

    fn totals(&self) -> &Totals {
        self.gate.as_ref().map_or(&self.own, |gate| gate.totals())
    }

    /// Count runs that took so long together.
    pub(super) fn add(&self, runs: u64, nanoseconds: u64) {
        self.add_untimed(runs, nanoseconds);
        if runs > 0 {
            self.timed(runs, nanoseconds / runs);
        }
    }

    /// Count runs of which it is not known how long each took.
    pub(super) fn add_untimed(&self, runs: u64, nanoseconds: u64) {
        let totals = self.totals();
        totals.runs.fetch_add(runs, Ordering::Relaxed);
        totals.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Of runs that are counted elsewhere: each took so long.
    pub(super) fn timed(&self, runs: u64, nanoseconds: u64) {
        self.totals().latency.add(runs, nanoseconds);
    }

    /// A share that counts until it is given back.
    pub(super) fn share(&self) -> Leased {
        if let Some(gate) = &self.gate
            && let Some(number) = gate.take_share()
        {
            return Leased::Shared(Arc::clone(gate), number, gate.share(number).runs());
        }
        let share = Arc::new(Share::default());
        self.others().shares.push(Arc::clone(&share));
        Leased::Own(share)
    }

    /// Take over what a share has counted.
    pub(super) fn give_back(&self, share: &Leased) {
        match share {
            // The next one who has it counts on.
            Leased::Shared(gate, number, _) => gate.free_share(*number),
            Leased::Own(share) => {
                let mut others = self.others();
                others.shares.retain(|other| !Arc::ptr_eq(other, share));
                self.add_untimed(share.runs(), share.nanoseconds.load(Ordering::Relaxed));
            }
        }
    }

    pub(super) fn fail(&self, code: u8) {
        self.fail_often(code, 1);
    }

    fn fail_often(&self, code: u8, count: u64) {
        self.totals().failures.add(code, count);
    }

    /// Count a batch that has run, for somebody beside its program.
    pub fn count(&self, codes: &[u8], nanoseconds: u64) {
        self.add(codes.len() as u64, nanoseconds);
        codes
            .iter()
            .filter(|code| **code != 0)
            .for_each(|code| self.fail(*code));
    }

    /// Count what another process counts at its gate, of a program, or of a link as events.
    pub fn follow(&self, gate: &Arc<Gate>, as_link: bool) {
        let gate = Arc::clone(gate);
        self.others().gates.push(Followed { gate, as_link });
    }

    /// Keep what it has counted, and look there no more; twice is once.
    pub fn unfollow(&self, gate: &Arc<Gate>) {
        let mut others = self.others();
        let mut all = others.gates.iter();
        let Some(place) = all.position(|other| Arc::ptr_eq(&other.gate, gate)) else {
            return;
        };
        let mut counted = CounterValues::default();
        counted.add_of_peer(&others.gates.remove(place).counters());
        self.add_untimed(counted.runs, counted.nanoseconds);
        self.totals().latency.add_all(&gate.totals().latency);
        for (code, count) in counted.failures {
            self.fail_often(code, count);
        }
    }

    /// Runs by how long they took; see `latency`.
    pub fn latency(&self) -> Vec<u64> {
        let others = self.others();
        let all = Latency::default();
        all.add_all(&self.totals().latency);
        for other in &others.gates {
            all.add_all(&other.gate.totals().latency);
        }
        all.values()
    }

    pub fn values(&self) -> CounterValues {
        // Held until all is read, so that nothing is missed while it is given back.
        let others = self.others();
        let mut values = match &self.gate {
            Some(gate) => gate.counters(),
            None => CounterValues::default(),
        };
        values.add(&self.own);
        others
            .shares
            .iter()
            .for_each(|share| values.add_share(share));
        for other in &others.gates {
            values.add_of_peer(&other.counters());
        }
        values.consistent()
    }

    fn others(&self) -> std::sync::MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
