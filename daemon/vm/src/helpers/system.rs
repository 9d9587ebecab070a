//! Helpers 6 to 9, 30 and 31: randomness, time, processor.
//!
//! Sound because: the system call gets a pointer to a local value of the
//! right type.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use crate::exec::{Fault, Services};

const NANOSECONDS_PER_MS: u64 = 1_000_000;

thread_local! {
    static RANDOM: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u64) | 1);
}

/// 6: 32 bits that look random; no secret depends on them (xorshift64*).
pub fn prandom(_: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    RANDOM.with(|state| {
        let mut next = state.get();
        next ^= next >> 12;
        next ^= next << 25;
        next ^= next >> 27;
        state.set(next);
        Ok(next.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32)
    })
}

/// 7: nanoseconds since boot, suspended time included.
pub fn boot_ns(_: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    Ok(clock(libc::CLOCK_BOOTTIME))
}

/// 8: the number of the processor, as far as a program can tell: its lane.
pub fn processor(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    Ok(services.memory.lane() as u64)
}

/// 9: nanoseconds since boot, suspended time excluded.
pub fn time_ns(_: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    Ok(clock(libc::CLOCK_MONOTONIC))
}

/// 30: milliseconds since boot, suspended time included.
pub fn boot_ms(_: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    Ok(clock(libc::CLOCK_BOOTTIME) / NANOSECONDS_PER_MS)
}

/// 31: milliseconds since boot, suspended time excluded.
pub fn time_ms(_: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    Ok(clock(libc::CLOCK_MONOTONIC) / NANOSECONDS_PER_MS)
}

fn clock(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call fills the local value; both clocks exist on Linux.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
