//! Lines that programs print, until somebody reads them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// One line of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// Nanoseconds since 1970.
    pub time_ns: u64,
    /// The tag that the program was created with.
    pub program: u64,
    pub text: String,
}

/// A bounded ring of lines; the oldest is dropped and counted when it is full.
pub struct Trace {
    capacity: usize,
    lines: Mutex<VecDeque<TraceLine>>,
    /// Readable without the lock: somebody polls it.
    pending: AtomicBool,
    lost: AtomicU64,
}

impl Trace {
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            lines: Mutex::default(),
            pending: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        }
    }

    pub fn push(&self, program: u64, text: String) {
        let time_ns = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos() as u64);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= self.capacity {
            lines.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        lines.push_back(TraceLine {
            time_ns,
            program,
            text,
        });
        self.pending.store(true, Ordering::Release);
    }

    /// Whether there is a line to read.
    pub fn pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// How many lines were dropped so far.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Take all lines, the oldest first.
    pub fn drain(&self) -> Vec<TraceLine> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        self.pending.store(false, Ordering::Release);
        lines.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oldest line goes when the ring is full, and is counted.
    #[test]
    fn a_full_ring_drops_and_counts_the_oldest_line() {
        let trace = Trace::new(2);
        for text in ["a", "b", "c"] {
            trace.push(7, text.into());
        }
        assert!(trace.pending());
        let texts: Vec<_> = trace.drain().into_iter().map(|line| line.text).collect();
        assert_eq!(["b", "c"], texts[..]);
        assert_eq!(1, trace.lost());
        assert!(!trace.pending());
    }
}
