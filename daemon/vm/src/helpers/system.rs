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
pub fn prandom(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(6, |_| {
        RANDOM.with(|state| {
            let mut next = state.get();
            next ^= next >> 12;
            next ^= next << 25;
            next ^= next >> 27;
            state.set(next);
            Ok(next.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32)
        })
    })
}

/// 7: nanoseconds since boot, suspended time included.
pub fn boot_ns(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(7, |_| Ok(boot_clock()))
}

/// 8: the number of the processor, as far as a program can tell: its lane.
pub fn processor(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(8, |services| Ok(services.memory.lane() as u64))
}

/// 9: nanoseconds since boot, suspended time excluded.
pub fn time_ns(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(9, |_| Ok(monotonic_clock()))
}

/// 30: milliseconds since boot, suspended time included.
pub fn boot_ms(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(30, |_| Ok(boot_clock() / NANOSECONDS_PER_MS))
}

/// 31: milliseconds since boot, suspended time excluded.
pub fn time_ms(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(31, |_| Ok(monotonic_clock() / NANOSECONDS_PER_MS))
}

/// Nanoseconds since boot, suspended time included.
pub fn boot_clock() -> u64 {
    clock(libc::CLOCK_BOOTTIME)
}

/// Nanoseconds since boot, suspended time excluded.
pub fn monotonic_clock() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
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
