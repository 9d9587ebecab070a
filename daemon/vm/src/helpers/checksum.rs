//! Helper 10: the difference of two checksums.

use super::memory::INVALID;
use crate::exec::{Fault, Services};

/// 10: seed + the 16-bit words at r3 (r4 bytes) + the complements of those at r1 (r2 bytes).
///
/// Sizes are multiples of 4; the sum is not folded, and has 32 bits: one that
/// does not fit into 31 is an error, as in eBPF for Windows.  NULL adds nothing.
pub fn difference(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let [from, from_size, to, to_size, seed] = args;
    if from_size % 4 != 0 || to_size % 4 != 0 {
        return Ok(INVALID);
    }
    let mut sum = seed as i32;
    for (address, size, mask) in [(to, to_size, 0), (from, from_size, u16::MAX)] {
        if address == 0 {
            continue;
        }
        for word in services.memory.read(address, size)?.chunks_exact(2) {
            let word = u16::from_le_bytes([word[0], word[1]]) ^ mask;
            sum = sum.wrapping_add(word.into());
        }
    }
    Ok(if sum < 0 { INVALID } else { sum as u64 })
}

#[cfg(test)]
mod tests {
    use super::super::calls::{Arg, DATA, NULL, call};

    /// The header of the test of eBPF for Windows, without and with its addresses.
    const FROM: [u16; 10] = [0x4500, 0x73, 0, 0x4000, 0x4011, 0, 0x2000, 1, 0x2000, 10];
    const TO: [u16; 10] = [0x4500, 0x73, 0, 0x4000, 0x4011, 0, 0xc0a8, 1, 0xc0a8, 0xc7];

    fn bytes(words: &[u16]) -> Vec<u8> {
        words.iter().copied().flat_map(u16::to_le_bytes).collect()
    }

    fn sum(args: [Arg; 5], data: &[u8]) -> i64 {
        let done = call(10, args, data);
        assert_eq!(0, done.code);
        done.result
    }

    /// Replacing a header by another gives the checksum of the other.
    #[test]
    fn a_replaced_header_has_its_new_checksum() {
        let data = [bytes(&FROM), bytes(&TO)].concat();
        let all = |at| [NULL, Arg::Number(0), Arg::Data(at), Arg::Number(20)];
        let [a, b, c, d] = all(0);
        let first = sum([a, b, c, d, Arg::Number(0)], &data);
        let seed = Arg::Number(first as u64);
        let size = Arg::Number(20);
        let second = sum([Arg::Data(0), size, Arg::Data(20), size, seed], &data);
        let folded = (second >> 16) + (second & 0xffff);
        let folded = (folded >> 16) + (folded & 0xffff);
        assert_eq!(0xb861, !folded as u16);
    }

    /// "+to, +~from, + seed; not folded", over 16-bit words.
    #[test]
    fn the_sum_is_not_folded() {
        let data = bytes(&[0xffff, 0xffff, 1, 0]);
        let four = Arg::Number(4);
        assert_eq!(
            0x1_fffe,
            sum([NULL, four, DATA, four, Arg::Number(0)], &data)
        );
        let from = [Arg::Data(4), four, NULL, Arg::Number(0), Arg::Number(5)];
        assert_eq!(0xfffe + 0xffff + 5, sum(from, &data));
    }

    /// "sizes multiple of 4 else -EINVAL"; so is a sum that does not fit.
    #[test]
    fn bad_sizes_and_sums_are_invalid() {
        let data = [0xff; 8];
        for (from, to) in [(2, 4), (4, 6), (1, 0), (0, 3)] {
            let args = [DATA, Arg::Number(from), DATA, Arg::Number(to)];
            let [a, b, c, d] = args;
            assert_eq!(-22, sum([a, b, c, d, Arg::Number(0)], &data), "{from} {to}");
        }
        let none = Arg::Number(0);
        let large = Arg::Number(0x7fff_ffff);
        assert_eq!(0x7fff_ffff, sum([NULL, none, NULL, none, large], &data));
        let four = Arg::Number(4);
        assert_eq!(-22, sum([NULL, none, DATA, four, large], &data));
        let minus = Arg::Number(-1_i64 as u64);
        assert_eq!(-22, sum([NULL, none, NULL, none, minus], &data));
        assert_eq!(0x1_fffd, sum([NULL, none, DATA, four, minus], &data));
    }

    /// Nothing outside of what the program may touch is summed.
    #[test]
    fn sums_stay_inside() {
        let none = Arg::Number(0);
        let args = [NULL, none, DATA, Arg::Number(12), none];
        assert_eq!(31, call(10, args, &[0; 8]).code);
    }
}
