//! Helpers 12 to 15: printk with none to three arguments.
//!
//! As in eBPF for Windows a format has at most 511 bytes, its NUL included,
//! knows `%d`, `%i`, `%u` and `%x` with `l` or `ll` (64 bits; 32 without) and
//! `%%`, and must use every argument.  Anything else prints nothing and returns
//! -1.  One newline at the end is dropped, and not counted.

use std::fmt::Write;

use crate::exec::{Fault, Services};

const MAX_FORMAT: u64 = 511;
const REFUSED: u64 = -1_i64 as u64;

pub fn with_0(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    print(services, args[0], args[1], &[])
}

pub fn with_1(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    print(services, args[0], args[1], &args[2..3])
}

pub fn with_2(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    print(services, args[0], args[1], &args[2..4])
}

pub fn with_3(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    print(services, args[0], args[1], &args[2..5])
}

/// The number of bytes printed, or -1.
fn print(
    services: &mut Services<'_>,
    address: u64,
    size: u64,
    values: &[u64],
) -> Result<u64, Fault> {
    if size > MAX_FORMAT {
        return Ok(REFUSED);
    }
    let format = services.memory.read(address, size)?;
    let format = format.split(|byte| *byte == 0).next().unwrap_or_default();
    let Some(text) = format_text(format, values) else {
        return Ok(REFUSED);
    };
    let length = text.len() as u64;
    if let Some(trace) = services.trace {
        trace.push(services.tag, text);
    }
    Ok(length)
}

fn format_text(format: &[u8], values: &[u64]) -> Option<String> {
    let format = String::from_utf8_lossy(format.strip_suffix(b"\n").unwrap_or(format));
    let mut parts = format.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // What follows the second sign of a `%%` is text.
            text.push('%');
            text.push_str(parts.next()?);
            continue;
        }
        let short = part.trim_start_matches('l');
        let wide = match part.len() - short.len() {
            0 => false,
            1 | 2 => true,
            _ => return None,
        };
        let conversion = short.chars().next()?;
        let value = *values.next()?;
        let written = match (conversion, wide) {
            ('d' | 'i', true) => write!(text, "{}", value as i64),
            ('d' | 'i', false) => write!(text, "{}", value as i32),
            ('u', true) => write!(text, "{value}"),
            ('u', false) => write!(text, "{}", value as u32),
            ('x', true) => write!(text, "{value:x}"),
            ('x', false) => write!(text, "{:x}", value as u32),
            _ => return None,
        };
        written.ok()?;
        text.push_str(&short[1..]);
    }
    values.next().is_none().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::calls::{Arg, DATA, NULL, call};
    use super::format_text;

    /// Conversions take 32 bits, with l or ll 64, and text stays as it is.
    #[test]
    fn formats_numbers_of_both_widths() {
        let minus_one = u64::MAX;
        let text = format_text(b"a %d b %ld c %llx", &[minus_one, minus_one, minus_one]);
        assert_eq!(Some("a -1 b -1 c ffffffffffffffff".to_owned()), text);
        let text = format_text(b"%i %u %x", &[7, minus_one, 0x1_0000_00ff]);
        assert_eq!(Some("7 4294967295 ff".to_owned()), text);
    }

    /// Other conversions, widths and a wrong number of arguments are refused.
    #[test]
    fn refuses_what_the_model_does_not_have() {
        let cases: [(&[u8], &[u64]); 9] = [
            (b"%s", &[1]),
            (b"%p", &[1]),
            (b"%%d", &[1]),
            (b"%llld", &[1]),
            (b"%8d", &[1]),
            (b"%%%", &[]),
            (b"%d", &[]),
            (b"none", &[1]),
            (b"end %", &[1]),
        ];
        for (format, values) in cases {
            assert_eq!(None, format_text(format, values));
        }
    }

    /// `%%` is a sign and takes no argument; one newline at the end is dropped.
    #[test]
    fn signs_and_newlines() {
        let text = |format: &[u8], values: &[u64]| format_text(format, values).expect("valid");
        assert_eq!("100%", text(b"%d%%\n", &[100]));
        assert_eq!("%d %%7", text(b"%%d %%%%%u", &[7]));
        assert_eq!("a\n", text(b"a\n\n", &[]));
    }

    /// "format <= 511 bytes": its size counts, whatever it holds; the length comes back.
    #[test]
    fn formats_have_at_most_511_bytes() {
        let print = |size| {
            let args = [DATA, Arg::Number(size), NULL, NULL, NULL];
            let data = [b"hello\n\0".as_slice(), &[b'x'; 505]].concat();
            let done = call(12, args, &data);
            (done.code, done.result)
        };
        assert_eq!((0, 5), print(511));
        assert_eq!((0, -1), print(512));
        assert_eq!((0, 2), print(2), "a format may end with its buffer");
    }

    /// "arg count must match, else -1", for each of the four helpers.
    #[test]
    fn each_helper_takes_its_number_of_arguments() {
        let one = Arg::Number(1);
        for signs in 0..4_usize {
            let format = ["%u"].repeat(signs).concat();
            let size = Arg::Number(format.len() as u64);
            for (helper, count) in (12..).zip(0..4) {
                let done = call(helper, [DATA, size, one, one, one], format.as_bytes());
                let expected = if count == signs { signs as i64 } else { -1 };
                assert_eq!(expected, done.result, "{helper} with {signs}");
            }
        }
    }
}
