//! Lanes: what a program takes for the number of its processor.
//!
//! Each per-CPU map has a row of values a lane.  A lane belongs to one
//! invocation at a time, so a program needs no atomic operation on its own
//! values, wherever the system moves its thread.
//!
//! ```text
//!   first half      programs that never wait
//!   third quarter   programs that may wait for an extension: no kind waits for another
//!   last quarter    other processes: each has a lane for as long as it runs programs
//! ```
//!
//! Which process has which lane is known here alone: nothing that another
//! process writes can give one lane to two.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::sync::{OnceLock, PoisonError};

use crate::error::{EngineError, Result, ResultCode};

const MIN_LANES: usize = 8;
const MAX_LANES: usize = 64;

thread_local! {
    /// Lanes of another process's choice that this thread has, a bit each.
    static HELD: Cell<u64> = const { Cell::new(0) };
}

/// Lanes that other processes have.
static LENT: AtomicU64 = AtomicU64::new(0);
static TAKEN: AtomicU64 = AtomicU64::new(0);
static WAITING: AtomicU64 = AtomicU64::new(0);
static GATE: Mutex<()> = Mutex::new(());
static FREED: Condvar = Condvar::new();

/// Lanes of this machine: two for each processor, so that the first half has one for each.
pub fn count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (2 * processors).clamp(MIN_LANES, MAX_LANES)
    })
}

/// A lane that nobody else has while this lives.
#[derive(Debug)]
pub struct Lane {
    number: u32,
    /// A run around this one has it, on the same thread, and keeps it.
    nested: bool,
}

impl Lane {
    pub fn number(&self) -> usize {
        self.number as usize
    }

    fn bit(&self) -> u64 {
        1 << self.number
    }
}

/// A lane that another process has while this lives.
#[derive(Debug)]
pub struct Lent(u32);

impl Lent {
    pub fn number(&self) -> u32 {
        self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        LENT.fetch_and(!(1 << self.0), Ordering::SeqCst);
    }
}

/// Lanes that are numbered from `from` up to, and without, `to`, which is not 0.
fn lanes(from: usize, to: usize) -> u64 {
    (u64::MAX << from) & (u64::MAX >> (MAX_LANES - to))
}

/// Lanes for runs in this process.
fn for_runs(blocking: bool) -> u64 {
    let half = count() / 2;
    if blocking {
        lanes(half, 3 * count() / 4)
    } else {
        lanes(0, half)
    }
}

/// Lanes for other processes.
fn for_others() -> u64 {
    lanes(3 * count() / 4, count())
}

/// A lane for another process; NO_MEMORY if others have all.
pub fn lend() -> Result<Lent> {
    let all = for_others();
    take_one(&LENT, all).map(Lent).ok_or_else(|| {
        EngineError::new(
            ResultCode::NoMemory,
            format!("{} other processes have a lane each", all.count_ones()),
        )
    })
}

/// Take a lane; waits while all of its kind are taken.
pub fn lease(blocking: bool) -> Lane {
    lease_of(for_runs(blocking))
}

/// Take the lane that the daemon has lent this process; waits while another thread has it.
///
/// A run within a run, on one thread, has the lane of that, as an interrupt has its processor.
pub fn lease_lent(number: u32) -> Lane {
    assert!(
        (number as usize) < MAX_LANES,
        "lane {number} does not exist"
    );
    if HELD.get() & 1 << number != 0 {
        let nested = true;
        return Lane { number, nested };
    }
    let lane = lease_of(1 << number);
    HELD.set(HELD.get() | lane.bit());
    lane
}

fn lease_of(mask: u64) -> Lane {
    if let Some(lane) = try_lease(mask) {
        return lane;
    }
    let mut gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    WAITING.fetch_add(1, Ordering::SeqCst);
    loop {
        if let Some(lane) = try_lease(mask) {
            WAITING.fetch_sub(1, Ordering::SeqCst);
            return lane;
        }
        gate = FREED.wait(gate).unwrap_or_else(PoisonError::into_inner);
    }
}

/// The lane with this number, whoever has it: for runs on maps that nobody else uses, and that
/// write to no ring.
pub fn without_lease(number: usize) -> Result<ManuallyDrop<Lane>> {
    if number >= count() {
        return Err(EngineError::argument(format!(
            "lane is {number}, but this machine has {}: it has fewer processors",
            count()
        )));
    }
    Ok(ManuallyDrop::new(Lane {
        number: number as u32,
        nested: false,
    }))
}

fn try_lease(mask: u64) -> Option<Lane> {
    let nested = false;
    take_one(&TAKEN, mask).map(|number| Lane { number, nested })
}

/// Take the first of these lanes that is free.
fn take_one(word: &AtomicU64, mask: u64) -> Option<u32> {
    // In one order with `WAITING`: who is not seen waiting sees what was freed.
    let mut taken = word.load(Ordering::SeqCst);
    loop {
        let free = mask & !taken;
        if free == 0 {
            return None;
        }
        let number = free.trailing_zeros();
        match word.compare_exchange_weak(
            taken,
            taken | 1 << number,
            Ordering::SeqCst,
            Ordering::Relaxed,
        ) {
            Ok(_) => return Some(number),
            Err(now) => taken = now,
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.nested {
            return;
        }
        HELD.set(HELD.get() & !self.bit());
        TAKEN.fetch_and(!self.bit(), Ordering::SeqCst);
        if WAITING.load(Ordering::SeqCst) > 0 {
            let _gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
            FREED.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::ScopedJoinHandle;

    use super::*;

    /// Go on when this thread waits for a lane, which it must.
    fn waits<T>(thread: &ScopedJoinHandle<'_, T>) {
        while WAITING.load(Ordering::SeqCst) == 0 && !thread.is_finished() {
            std::thread::yield_now();
        }
        assert!(!thread.is_finished(), "it did not wait");
    }

    /// Masks are what their bounds say.
    #[test]
    fn lanes_are_masked_by_their_numbers() {
        for (from, to) in (0..MAX_LANES).flat_map(|from| (1..=MAX_LANES).map(move |to| (from, to)))
        {
            let each = (from..to).fold(0, |mask, number| mask | 1 << number);
            assert_eq!(each, lanes(from, to), "{from} to {to}");
        }
    }

    /// Two invocations never have the same lane, and the halves do not mix.
    #[test]
    fn lanes_are_exclusive_and_halves_apart() {
        let first = lease(false);
        let second = lease(true);
        assert_ne!(first.number(), second.number());
        assert!(first.number() < count() / 2);
        assert!((count() / 2..3 * count() / 4).contains(&second.number()));
    }

    /// Each process has a lane of its own, which no run here gets; then there are no more.
    #[test]
    fn lent_lanes_are_one_process_s_alone() {
        let lent: Vec<Lent> = std::iter::from_fn(|| lend().ok()).collect();
        let numbers: std::collections::HashSet<u32> = lent.iter().map(Lent::number).collect();
        assert_eq!(lent.len(), numbers.len());
        let lent_lanes = numbers.iter().fold(0, |mask, number| mask | 1 << number);
        assert_eq!(for_others(), lent_lanes);
        assert!(
            lent.iter()
                .all(|lane| lane.number() as usize >= 3 * count() / 4)
        );
        drop(lent);
        lend().expect("it was given back");
    }

    /// Runs on a lent lane exclude each other, but for one within another.
    #[test]
    fn a_lent_lane_is_one_thread_s_at_a_time() {
        let number = MAX_LANES as u32 - 1;
        let outer = lease_lent(number);
        drop(lease_lent(number));
        std::thread::scope(|scope| {
            let late = scope.spawn(|| lease_lent(number).number());
            waits(&late);
            drop(outer);
            assert_eq!(number as usize, late.join().expect("the lane"));
        });
    }

    /// Who finds no lane waits for one.
    #[test]
    fn a_lease_waits_for_a_free_lane() {
        let lanes: Vec<Lane> = (0..for_runs(true).count_ones())
            .map(|_| lease(true))
            .collect();
        std::thread::scope(|scope| {
            let late = scope.spawn(|| lease(true).number());
            waits(&late);
            drop(lanes);
            assert!(late.join().expect("a lane") >= count() / 2);
        });
    }
}
