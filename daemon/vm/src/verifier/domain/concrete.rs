//! What an instruction computes of two numbers, or finds of them, of any width (RFC 9669 section 4).
//!
//! At 64 and 32 bits this is `exec::arith`, as a test shows; narrow widths
//! exist for tests.

use super::arithmetic::Arithmetic::{self, *};
use super::branch::Comparison;
use super::width;

pub fn concrete<const W: u32>(op: Arithmetic, a: u64, b: u64) -> u64 {
    let (sa, sb) = (width::extended(a, W), width::extended(b, W));
    let count = b & u64::from(W - 1);
    let result = match op {
        Add => a.wrapping_add(b),
        Sub => a.wrapping_sub(b),
        Mul => a.wrapping_mul(b),
        Div => a.checked_div(b).unwrap_or(0),
        Mod => a.checked_rem(b).unwrap_or(a),
        SDiv if b == 0 => 0,
        SDiv => sa.wrapping_div(sb) as u64,
        SMod if b == 0 => a,
        SMod => sa.wrapping_rem(sb) as u64,
        Or => a | b,
        And => a & b,
        Xor => a ^ b,
        Lsh => a << count,
        Rsh => a >> count,
        Arsh => (sa >> count) as u64,
        Neg => a.wrapping_neg(),
    };
    result & width::mask(W)
}

pub fn compared<const W: u32>(op: Comparison, a: u64, b: u64) -> bool {
    let (sa, sb) = (width::extended(a, W), width::extended(b, W));
    match op {
        Comparison::Eq => a == b,
        Comparison::Ne => a != b,
        Comparison::Gt => a > b,
        Comparison::Ge => a >= b,
        Comparison::Lt => a < b,
        Comparison::Le => a <= b,
        Comparison::SGt => sa > sb,
        Comparison::SGe => sa >= sb,
        Comparison::SLt => sa < sb,
        Comparison::SLe => sa <= sb,
        Comparison::Set => a & b != 0,
    }
}
