//! Copies and comparisons of a few dozen bytes, whose number is known only at run time.
//!
//! A call of the C library costs more than a small program.  A size between two
//! powers of 2 is two blocks of fixed size, which meet or overlap in the middle:
//!
//! ```text
//!   40 bytes   |<------- first 32 ------->|
//!                   |<------- last 32 ------->|
//! ```

/// Make `target` equal to `source`, which is as long.
#[inline(always)]
pub fn copy(target: &mut [u8], source: &[u8]) {
    match source.len() {
        8..=15 => copy_ends::<8>(target, source),
        16..=32 => copy_ends::<16>(target, source),
        33..=64 => copy_ends::<32>(target, source),
        65..=128 => copy_ends::<64>(target, source),
        _ => target.copy_from_slice(source),
    }
}

/// Whether both, which are as long, are the same.
#[inline(always)]
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    match left.len() {
        8..=15 => equal_ends::<8>(left, right),
        16..=32 => equal_ends::<16>(left, right),
        33..=64 => equal_ends::<32>(left, right),
        65..=128 => equal_ends::<64>(left, right),
        _ => left == right,
    }
}

#[inline(always)]
fn copy_ends<const SIZE: usize>(target: &mut [u8], source: &[u8]) {
    assert!(target.len() == source.len(), "as long");
    if let (Some(target), Some(source)) = (target.first_chunk_mut(), source.first_chunk::<SIZE>()) {
        *target = *source;
    }
    if let (Some(target), Some(source)) = (target.last_chunk_mut(), source.last_chunk::<SIZE>()) {
        *target = *source;
    }
}

#[inline(always)]
fn equal_ends<const SIZE: usize>(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.first_chunk::<SIZE>() == right.first_chunk()
        && left.last_chunk::<SIZE>() == right.last_chunk()
}

#[cfg(test)]
mod tests {
    use super::{copy, equal};

    /// Every byte is copied and compared, at each size.
    #[test]
    fn no_byte_is_left_out() {
        for size in 0..200 {
            let source: Vec<u8> = (1..=size).collect();
            let mut target = vec![0; source.len()];
            copy(&mut target, &source);
            assert_eq!(source, target);
            assert!(equal(&source, &target));
            for place in 0..source.len() {
                target[place] ^= 0x80;
                assert!(!equal(&source, &target), "byte {place} of {size}");
                target[place] ^= 0x80;
            }
        }
    }
}
