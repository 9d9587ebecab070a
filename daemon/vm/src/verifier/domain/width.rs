//! Numbers of `width` bits, kept in a `u64` whose upper bits are zero.

pub const fn mask(width: u32) -> u64 {
    u64::MAX >> (64 - width)
}

/// The sign bit alone.
pub const fn sign(width: u32) -> u64 {
    1 << (width - 1)
}

/// The number that the low `width` bits stand for when they are signed.
pub const fn extended(value: u64, width: u32) -> i64 {
    let unused = 64 - width;
    ((value << unused) as i64) >> unused
}
