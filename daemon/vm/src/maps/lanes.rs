//! Lanes: what a program takes for the number of its processor.
//!
//! Each per-CPU map has a row of values a lane.  A lane belongs to one
//! invocation at a time, so a program needs no atomic operation on its own
//! values, wherever the system moves its thread.  The lower half serves
//! programs that never wait, the upper half those that may wait for an
//! extension, so that one kind never waits for the other.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::sync::{OnceLock, PoisonError};

use crate::error::{EngineError, Result};

const MIN_LANES: usize = 4;
const MAX_LANES: usize = 64;

static TAKEN: AtomicU64 = AtomicU64::new(0);
static WAITING: AtomicU64 = AtomicU64::new(0);
static GATE: Mutex<()> = Mutex::new(());
static FREED: Condvar = Condvar::new();

/// Lanes of this machine: two for each processor, so that each half has one for each.
pub fn count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (2 * processors).clamp(MIN_LANES, MAX_LANES)
    })
}

/// A lane that nobody else has while this lives.
#[derive(Debug)]
pub struct Lane(u32);

impl Lane {
    pub fn number(&self) -> usize {
        self.0 as usize
    }
}

/// Take a lane; waits while all of its half are taken.
pub fn lease(blocking: bool) -> Lane {
    let half = count() / 2;
    let lower = (1_u64 << half) - 1;
    let mask = if blocking {
        let all = if count() == MAX_LANES {
            u64::MAX
        } else {
            (1 << count()) - 1
        };
        all & !lower
    } else {
        lower
    };
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
    Ok(ManuallyDrop::new(Lane(number as u32)))
}

fn try_lease(mask: u64) -> Option<Lane> {
    // In one order with `WAITING`: who is not seen waiting sees what was freed.
    let mut taken = TAKEN.load(Ordering::SeqCst);
    loop {
        let free = mask & !taken;
        if free == 0 {
            return None;
        }
        let number = free.trailing_zeros();
        match TAKEN.compare_exchange_weak(
            taken,
            taken | 1 << number,
            Ordering::SeqCst,
            Ordering::Relaxed,
        ) {
            Ok(_) => return Some(Lane(number)),
            Err(now) => taken = now,
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        TAKEN.fetch_and(!(1 << self.0), Ordering::SeqCst);
        if WAITING.load(Ordering::SeqCst) > 0 {
            let _gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
            FREED.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two invocations never have the same lane, and the halves do not mix.
    #[test]
    fn lanes_are_exclusive_and_halves_apart() {
        let first = lease(false);
        let second = lease(true);
        assert_ne!(first.number(), second.number());
        assert!(first.number() < count() / 2);
        assert!(second.number() >= count() / 2);
    }

    /// Who finds no lane waits for one.
    #[test]
    fn a_lease_waits_for_a_free_lane() {
        let lanes: Vec<Lane> = (0..count() / 2).map(|_| lease(true)).collect();
        std::thread::scope(|scope| {
            let late = scope.spawn(|| lease(true).number());
            drop(lanes);
            assert!(late.join().expect("a lane") >= count() / 2);
        });
    }
}
