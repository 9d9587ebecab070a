//! From a key to a number: a folded 128-bit product, secret by the map's seed.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// What makes a map's numbers its own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    mask: u64,
    multiplier: u64,
}

impl Seed {
    pub fn new(secret: u64) -> Self {
        Self {
            mask: secret,
            multiplier: (secret.rotate_left(32) ^ MULTIPLIER) | 1,
        }
    }

    /// The number of a key of up to eight bytes.
    #[inline(always)]
    pub fn of_word(&self, word: u64) -> u32 {
        fold(word ^ self.mask, self.multiplier) as u32
    }

    /// The number of any key.
    #[inline]
    pub fn of(&self, key: &[u8]) -> u32 {
        match *key {
            [a, b, c, d] => self.of_word(u32::from_le_bytes([a, b, c, d]).into()),
            [a, b, c, d, e, f, g, h] => self.of_word(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
            _ => self.of_many(key),
        }
    }

    fn of_many(&self, key: &[u8]) -> u32 {
        let mut state = self.mask ^ key.len() as u64;
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
        fold(state, self.multiplier) as u32
    }
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Counting keys, the commonest of all, spread over the low bits.
    #[test]
    fn counting_keys_spread() {
        for secret in [0x1234_5678_9abc_def1, 0, 3, u64::MAX] {
            let seed = Seed::new(secret);
            let buckets: HashSet<u32> = (0..4096_u32)
                .map(|key| seed.of(&key.to_le_bytes()) & 8191)
                .collect();
            assert!(
                buckets.len() > 2500,
                "{} buckets of 4,096 keys",
                buckets.len()
            );
        }
    }
}
