//! From a key to a number: a folded 128-bit product, secret by the map's seed.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline(always)]
pub fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// The number of a key of up to eight bytes.
#[inline(always)]
pub fn of_word(word: u64, seed: u64) -> u32 {
    fold(word ^ seed, seed | 1) as u32
}

/// The number of any key.
#[inline]
pub fn of_bytes(key: &[u8], seed: u64) -> u32 {
    match *key {
        [a, b, c, d] => of_word(u32::from_le_bytes([a, b, c, d]).into(), seed),
        [a, b, c, d, e, f, g, h] => of_word(u64::from_le_bytes([a, b, c, d, e, f, g, h]), seed),
        _ => of_many(key, seed),
    }
}

fn of_many(key: &[u8], seed: u64) -> u32 {
    let mut state = seed ^ key.len() as u64;
    let mut words = key.chunks_exact(8);
    for word in &mut words {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(word);
        state = fold(state ^ u64::from_le_bytes(bytes), MULTIPLIER);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut bytes = [0; 8];
        bytes[..rest.len()].copy_from_slice(rest);
        state = fold(state ^ u64::from_le_bytes(bytes), MULTIPLIER);
    }
    fold(state, seed | 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Counting keys, the commonest of all, spread over the low bits.
    #[test]
    fn counting_keys_spread() {
        for seed in [0x1234_5678_9abc_def1, 3, u64::MAX] {
            let buckets: HashSet<u32> = (0..4096_u32)
                .map(|key| of_bytes(&key.to_le_bytes(), seed) & 8191)
                .collect();
            assert!(buckets.len() > 2500, "{} buckets of 4,096 keys", buckets.len());
        }
    }
}
