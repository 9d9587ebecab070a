//! Words that the daemon shares with one process that runs a program for it.
//!
//! ```text
//!   closed     the daemon's: nobody may go in any more
//!   inside     a word a thread: how many runs of that thread are inside
//!   counted    what has run; the daemon reads it
//!   led        events of which another program has run a part, which has a gate of its own
//! ```
//!
//! A thread says that it is inside before it looks whether the gate is closed;
//! the daemon closes before it looks who is inside.  All four are sequentially
//! consistent, so whoever the daemon does not see inside has found the gate
//! closed, or will.  A process that lies about any of it spoils its own numbers.
//! A thread's word is its own: no two threads write it, but for the last one,
//! which those share that came too late for another.
//!
//! Sound because: the words lie in a mapping of their size which the gate owns,
//! in a memfd that nobody can shrink; they are atomics, and every bit pattern is
//! valid.

use std::fs::File;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::counters::{CounterValues, Failures, Share, Totals};
use crate::error::{EngineError, Result, ResultCode};
use crate::maps::backing::{self, Backing, PAGE, Storage};
use crate::maps::{SHARED_SLOT, SLOTS, thread_number};

/// Callers of single contexts that have a share of their own.
const SHARES: usize = 64;
const OPEN: u64 = 0;
const CLOSED: u64 = 1;

#[repr(C, align(64))]
struct Line(AtomicU64);

#[repr(C)]
struct Words {
    closed: Line,
    inside: [Line; SLOTS],
    totals: Totals,
    shares: [Share; SHARES],
    led: Led,
}

/// What makes the events of a link other numbers than the runs of its program.
#[repr(C, align(64))]
struct Led {
    /// Runs that began by a tail call.
    called: AtomicU64,
    /// Events that ended in another program, by code.
    failures: Failures,
}

/// A gate as one of its two processes has it.
pub struct Gate {
    backing: Backing,
    /// Bit per share that a caller of this process has.
    taken: Mutex<u64>,
}

/// While it lives, the thread is inside.
pub struct Inside<'a> {
    word: &'a AtomicU64,
    /// Whether others may write it.
    crowded: bool,
    /// Tied to its thread.
    _not_send: PhantomData<*const ()>,
}

impl<'a> Inside<'a> {
    #[inline]
    fn announced(word: &'a AtomicU64, crowded: bool) -> Self {
        if crowded {
            word.fetch_add(1, Ordering::SeqCst);
        } else {
            word.store(
                word.load(Ordering::Relaxed).wrapping_add(1),
                Ordering::SeqCst,
            );
        }
        Self {
            word,
            crowded,
            _not_send: PhantomData,
        }
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.crowded {
            self.word.fetch_sub(1, Ordering::Release);
        } else {
            let left = self.word.load(Ordering::Relaxed).wrapping_sub(1);
            self.word.store(left, Ordering::Release);
        }
    }
}

impl Gate {
    /// A new gate in a memfd, or the one in `storage`.
    pub fn new(storage: Storage) -> Result<Self> {
        let length = size_of::<Words>().next_multiple_of(PAGE);
        let file = backing::open(storage, length)?;
        let Some(file) = file else {
            return Err(EngineError::argument("a gate lives in a memfd"));
        };
        if backing::prepare(&file, length)? {
            return Err(EngineError::new(
                ResultCode::InvalidObject,
                "the file is empty: a gate is made in a memfd of its own",
            ));
        }
        Ok(Self {
            backing: Backing::new(Some(file), length)?,
            taken: Mutex::new(0),
        })
    }

    /// The memfd, for the other process.
    pub fn file(&self) -> Option<&File> {
        self.backing.file()
    }

    /// Go in, unless it is closed.
    #[inline]
    pub fn enter(&self) -> Option<Inside<'_>> {
        let words = self.words();
        let number = thread_number();
        let inside = Inside::announced(&words.inside[number].0, number == SHARED_SLOT);
        (words.closed.0.load(Ordering::SeqCst) == OPEN).then_some(inside)
    }

    /// Let nobody in any more.
    pub fn close(&self) {
        self.words().closed.0.store(CLOSED, Ordering::SeqCst);
    }

    pub fn is_closed(&self) -> bool {
        self.words().closed.0.load(Ordering::Relaxed) != OPEN
    }

    /// Whether somebody is inside, or was until a moment ago.
    pub fn is_busy(&self) -> bool {
        self.inside() != 0
    }

    /// How many runs are inside, by what the process says; batches count as one.
    pub fn inside(&self) -> u64 {
        let words = self.words().inside.iter();
        words.fold(0, |sum, line| {
            sum.saturating_add(line.0.load(Ordering::SeqCst))
        })
    }

    pub(super) fn totals(&self) -> &Totals {
        &self.words().totals
    }

    pub(super) fn share(&self, number: usize) -> &Share {
        &self.words().shares[number]
    }

    pub(super) fn take_share(&self) -> Option<usize> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let number = taken.trailing_ones() as usize;
        if number == SHARES {
            return None;
        }
        *taken |= 1 << number;
        Some(number)
    }

    pub(super) fn free_share(&self, number: usize) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken &= !(1 << number);
    }

    /// What has been counted here; the other process may have made it up.
    pub fn counters(&self) -> CounterValues {
        let words = self.words();
        let mut values = CounterValues::default();
        values.add(&words.totals);
        words
            .shares
            .iter()
            .for_each(|share| values.add_share(share));
        values
    }

    pub(super) fn count_called(&self) {
        self.words().led.called.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failed_elsewhere(&self, code: u8) {
        self.words().led.failures.add(code, 1);
    }

    /// The same as events, wherever each ended: for the link, where `counters` are the program's.
    pub fn events(&self) -> CounterValues {
        let led = &self.words().led;
        let mut values = self.counters();
        let called = led.called.load(Ordering::Relaxed);
        values.runs = values.runs.saturating_sub(called);
        values.add_failures(&led.failures);
        values
    }

    fn words(&self) -> &Words {
        // SAFETY: see the module.
        unsafe { &*(self.backing.base() as *const Words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Gate, Gate) {
        let gate = Gate::new(Storage::Memfd).expect("a gate");
        let file = gate
            .file()
            .expect("a memfd")
            .try_clone()
            .expect("a descriptor");
        let other = Gate::new(Storage::File(file.into())).expect("the same gate");
        (gate, other)
    }

    /// Who is inside is seen, and a closed gate lets nobody in.
    #[test]
    fn a_closed_gate_lets_nobody_in() {
        let (daemon, process) = pair();
        let inside = process.enter().expect("it is open");
        assert!(daemon.is_busy());
        assert_eq!(1, daemon.inside());
        daemon.close();
        assert!(process.is_closed() && process.enter().is_none());
        assert!(daemon.is_busy(), "the first one is inside still");
        drop(inside);
        assert!(!daemon.is_busy());
    }

    /// Only a memfd of a gate's size is one.
    #[test]
    fn other_files_are_refused() {
        let file = backing::open(Storage::Memfd, PAGE)
            .expect("a memfd")
            .expect("a file");
        assert!(Gate::new(Storage::File(file.into())).is_err());
        assert!(Gate::new(Storage::Anonymous).is_err());
    }
}
