//! Helpers 12 to 15: printk with none to three arguments.
//!
//! As in eBPF for Windows a format has at most 511 bytes, knows `%d`, `%i`,
//! `%u` and `%x` with `l` or `ll` (64 bits; 32 without), and must use every
//! argument.  Anything else prints nothing and returns -1.

use std::fmt::Write;

use crate::exec::{Fault, Services};

const MAX_FORMAT: usize = 511;
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
    let format = services.memory.read(address, size)?;
    let format = format.split(|byte| *byte == 0).next().unwrap_or_default();
    let Some(text) = format_text(format, values) else {
        return Ok(REFUSED);
    };
    let line = text.trim_end_matches('\n');
    if let Some(trace) = services.trace {
        trace.push(services.tag, line.to_owned());
    }
    Ok(text.len() as u64)
}

fn format_text(format: &[u8], values: &[u64]) -> Option<String> {
    if format.len() > MAX_FORMAT {
        return None;
    }
    let format = String::from_utf8_lossy(format);
    let mut parts = format.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
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

    /// Other conversions, a wrong number of arguments and long formats are refused.
    #[test]
    fn refuses_what_the_model_does_not_have() {
        let cases: [(&[u8], &[u64]); 7] = [
            (b"%s", &[1]),
            (b"%p", &[1]),
            (b"%%", &[]),
            (b"%llld", &[1]),
            (b"%d", &[]),
            (b"none", &[1]),
            (b"end %", &[1]),
        ];
        for (format, values) in cases {
            assert_eq!(None, format_text(format, values));
        }
        assert_eq!(None, format_text(&[b'a'; 512], &[]));
        assert!(format_text(&[b'a'; 511], &[]).is_some());
    }
}
