//! Helpers 22 to 25: memory functions of the C library, bounds given.

use std::cmp::Ordering;

use crate::exec::{Fault, Services};

/// `-EINVAL`, which these helpers return in eBPF for Windows instead of a negated result.
pub const INVALID: u64 = -22_i64 as u64;

/// 22 and 25: copy r3 (r4 bytes) to r1 (r2 bytes); they may overlap.
pub fn copy(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let [target, room, source, size, _] = args;
    if size > room {
        return Ok(INVALID);
    }
    let bytes = services.memory.read(source, size)?;
    services.memory.write(target, &bytes)?;
    Ok(0)
}

/// 23: -1, 0 or 1; of two that begin alike the shorter is less.
pub fn compare(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let left = services.memory.read(args[0], args[1])?;
    let right = services.memory.read(args[2], args[3])?;
    Ok(match left.cmp(&right) {
        Ordering::Less => -1_i64 as u64,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}

/// 24: set r2 bytes at r1 to the low byte of r3.
pub fn set(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let [target, size, byte, ..] = args;
    services.memory.fill(target, size, byte as u8)?;
    Ok(0)
}
