//! Lines that programs print, until somebody reads them: here, or in the process that this one
//! runs programs for.
//!
//! ```text
//!   record of such a line:  | time u64 | program u64 | text |
//! ```

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::maps::Map;

/// Bytes of a line that go to another process.
const MAX_TEXT: usize = 1024;

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
    /// A map with records that takes all lines instead; what it has no room for, it counts.
    through: Option<Arc<Map>>,
}

impl Trace {
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            lines: Mutex::default(),
            pending: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            through: None,
        }
    }

    /// One that keeps nothing itself.
    pub fn through(records: Arc<Map>) -> Self {
        Self {
            through: Some(records),
            ..Self::new(1)
        }
    }

    pub fn push(&self, program: u64, text: String) {
        let time_ns = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos() as u64);
        if let Some(records) = &self.through {
            let end = text.floor_char_boundary(MAX_TEXT);
            let [time, program] = [time_ns, program].map(u64::to_le_bytes);
            // A full one counts what it loses.
            let _ = records.output(0, &[&time, &program, &text.as_bytes()[..end]]);
            return;
        }
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
    use crate::fixtures::live;
    use crate::map_type::RINGBUF;
    use crate::spec::MapSpec;

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

    /// Lines that go elsewhere are records there, cut to a length.
    #[test]
    fn lines_go_through_a_map_with_records() {
        let ring = MapSpec {
            map_type: RINGBUF,
            max_entries: 4096,
            ..MapSpec::default()
        };
        let ring = &live(&[ring])[0];
        let trace = Trace::through(Arc::clone(ring));
        trace.push(7, "é".repeat(1000));
        assert!(!trace.pending());
        let records = ring.read(9, 9999).expect("one reader").records;
        assert_eq!(7_u64.to_le_bytes(), records[0].data[8..16]);
        assert_eq!("é".repeat(512).as_bytes(), &records[0].data[16..]);
        (0..9).for_each(|_| trace.push(7, "x".repeat(1000)));
        assert_eq!(5, ring.lost());
    }
}
