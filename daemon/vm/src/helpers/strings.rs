//! Helpers 27 to 29: strings in buffers of known size.
//!
//! A string ends at its first NUL, or with its buffer.  As in eBPF for Windows
//! a string that does not fit is cut, terminated and reported, and a target is
//! cleared behind its string.  Failures are the numbers that the string library
//! of its kernel gives: negative, whatever their names.

use crate::exec::{Fault, Services};

/// `STATUS_BUFFER_OVERFLOW`: the string was cut to fit.
const CUT: u64 = 0x8000_0005_u32 as i32 as i64 as u64;
/// `STATUS_INVALID_PARAMETER`: the target has no room or holds no string, or a size is absurd.
const INVALID: u64 = 0xc000_000d_u32 as i32 as i64 as u64;
/// Larger buffers are taken for mistakes.
const MAX_SIZE: u64 = i32::MAX as u64;

/// 27: copy the string at r3, of at most r4 bytes, to r1 (r2 bytes).
pub fn copy(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let [target, room, source, count, _] = args;
    if room == 0 || room > MAX_SIZE {
        return Ok(INVALID);
    }
    if count > MAX_SIZE {
        services.memory.write(target, &[0])?;
        return Ok(INVALID);
    }
    store(services, (target, room), 0, (source, count))
}

/// 28: append the string at r3, of at most r4 bytes, to that at r1 (r2 bytes).
pub fn append(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let [target, room, source, count, _] = args;
    if room > MAX_SIZE || count > MAX_SIZE {
        return Ok(INVALID);
    }
    let before = services.memory.read(target, room)?;
    let length = terminated(&before).len() as u64;
    if length == room {
        return Ok(INVALID);
    }
    store(services, (target, room), length, (source, count))
}

/// 29: the bytes before the first NUL; r2 if there is none, 0 for NULL.
pub fn length(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    if args[0] == 0 {
        return Ok(0);
    }
    let bytes = services.memory.read(args[0], args[1])?;
    Ok(terminated(&bytes).len() as u64)
}

/// Put a string at `offset` of a target with room for its terminator at least.
fn store(
    services: &mut Services<'_>,
    (target, room): (u64, u64),
    offset: u64,
    (source, count): (u64, u64),
) -> Result<u64, Fault> {
    let source = services.memory.read(source, count)?;
    let string = terminated(&source);
    let free = (room - offset) as usize;
    let kept = &string[..string.len().min(free - 1)];
    services.memory.check_writable(target, room)?;
    services.memory.write(target + offset, kept)?;
    let end = offset + kept.len() as u64;
    if kept.len() < string.len() {
        services.memory.write(target + end, &[0])?;
        return Ok(CUT);
    }
    services.memory.fill(target + end, room - end, 0)?;
    Ok(0)
}

fn terminated(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

#[cfg(test)]
mod tests {
    use super::super::calls::{Arg, NULL, call};

    const CUT: i64 = -2_147_483_643;
    const INVALID: i64 = -1_073_741_811;

    /// Call with a target at the start of `data` and a source at `at`; result and target.
    fn strings(helper: i32, data: &[u8], room: u64, at: i16, count: u64) -> (i64, Vec<u8>) {
        let size = Arg::Number;
        let args = [Arg::Data(0), size(room), Arg::Data(at), size(count), NULL];
        let done = call(helper, args, data);
        assert_eq!(0, done.code);
        (done.result, done.data)
    }

    /// Each case: target and source in one buffer, room, source, count; result and target.
    #[test]
    fn strings_are_copied_cut_and_terminated() {
        let data = b"xxxxxxxxalpha\0yy";
        type Case<'a> = (&'a str, u64, u64, i64, &'a [u8]);
        let cases: [Case<'_>; 8] = [
            ("it fits and clears what is behind", 8, 6, 0, b"alpha\0\0\0"),
            ("it ends at its NUL", 8, 8, 0, b"alpha\0\0\0"),
            ("it ends with its buffer", 8, 3, 0, b"alp\0\0\0\0\0"),
            ("it just fits", 6, 6, 0, b"alpha\0xx"),
            ("it is cut", 4, 6, CUT, b"alp\0xxxx"),
            ("only the terminator fits", 1, 6, CUT, b"\0xxxxxxx"),
            ("an empty one fits", 1, 0, 0, b"\0xxxxxxx"),
            ("there is no room", 0, 6, INVALID, b"xxxxxxxx"),
        ];
        for (what, room, count, result, target) in cases {
            let (found, after) = strings(27, data, room, 8, count);
            assert_eq!((result, target), (found, &after[..8]), "{what}");
            assert_eq!(data[8..], after[8..], "{what}");
        }
    }

    /// The same for appending, behind the string that is there.
    #[test]
    fn strings_are_appended_cut_and_terminated() {
        type Case<'a> = (&'a str, &'a [u8], u64, u64, i64, &'a [u8]);
        let cases: [Case<'_>; 8] = [
            ("it fits", b"ab\0xxxxx", 8, 5, 0, b"abalfa\0\0"),
            ("it just fits", b"ab\0xxxxx", 7, 5, 0, b"abalfa\0x"),
            (
                "it ends with its buffer",
                b"ab\0xxxxx",
                8,
                2,
                0,
                b"abal\0\0\0\0",
            ),
            ("it is cut", b"ab\0xxxxx", 5, 5, CUT, b"abal\0xxx"),
            ("nothing more fits", b"ab\0xxxxx", 3, 5, CUT, b"ab\0xxxxx"),
            (
                "nothing more is wanted",
                b"ab\0xxxxx",
                3,
                0,
                0,
                b"ab\0xxxxx",
            ),
            (
                "the target is no string",
                b"abcdxxxx",
                4,
                5,
                INVALID,
                b"abcdxxxx",
            ),
            (
                "there is no room",
                b"ab\0xxxxx",
                0,
                5,
                INVALID,
                b"ab\0xxxxx",
            ),
        ];
        for (what, before, room, count, result, target) in cases {
            let data = [before, b"alfa\0yyy"].concat();
            let (found, after) = strings(28, &data, room, 8, count);
            assert_eq!((result, target), (found, &after[..8]), "{what}");
        }
    }

    /// The length ends at the first NUL or with the buffer; NULL and nothing have none.
    #[test]
    fn lengths_end_at_the_first_nul() {
        for (at, size, length) in [(0, 12, 5), (0, 5, 5), (0, 3, 3), (0, 0, 0), (6, 6, 5)] {
            let args = [Arg::Data(at), Arg::Number(size), NULL, NULL, NULL];
            let done = call(29, args, b"alpha\0bravo\0");
            assert_eq!((0, length), (done.code, done.result), "{at} {size}");
        }
        let null = call(29, [NULL, Arg::Number(9), NULL, NULL, NULL], b"");
        assert_eq!((0, 0), (null.code, null.result));
    }

    /// Sizes beyond 2 GiB are mistakes; other memory is out of reach.
    #[test]
    fn sizes_have_bounds() {
        let big = Arg::Number(1 << 31);
        let eight = Arg::Number(8);
        let target = Arg::Data(0);
        for helper in [27, 28] {
            let done = call(helper, [target, big, target, eight, NULL], &[0; 8]);
            assert_eq!((0, INVALID), (done.code, done.result));
            let done = call(helper, [target, eight, target, big, NULL], &[0; 8]);
            assert_eq!((0, INVALID), (done.code, done.result));
            let done = call(
                helper,
                [target, Arg::Number(9), target, eight, NULL],
                &[0; 8],
            );
            assert_eq!(31, done.code, "{helper}: a target of 9 bytes");
            let done = call(
                helper,
                [target, eight, target, Arg::Number(9), NULL],
                &[0; 8],
            );
            assert_eq!(31, done.code, "{helper}: a source of 9 bytes");
        }
        let done = call(29, [target, Arg::Number(9), NULL, NULL, NULL], &[0; 8]);
        assert_eq!(31, done.code);
    }
}
