//! Which inputs give a number a wanted value.
//!
//! An expression is turned round from its root to the inputs: each operation
//! says what its operand must be, the other one staying as it was in the run.
//! What comes out is a guess, for one input may have a part in several numbers:
//! the next run tells.

use super::super::super::domain::{Arithmetic, Comparison};
use super::graph::{Graph, Id, Shape, Variable, low};

pub type Change = (Variable, u64);

/// Changes that make `id` equal to `target`.
pub fn solve(graph: &Graph, id: Id, target: u64) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    invert(graph, id, target, &mut changes).then_some(changes)
}

fn invert(graph: &Graph, id: Id, target: u64, changes: &mut Vec<Change>) -> bool {
    let node = graph.get(id);
    if node.value == target {
        return true;
    }
    if !node.is_free {
        return false;
    }
    match &node.shape {
        Shape::Fixed => false,
        Shape::Input(variable) => {
            let is_byte = !matches!(
                variable,
                Variable::Start | Variable::End | Variable::Found(_) | Variable::Answer(_)
            );
            // What is found has one address, whoever asks; it can only be found or not.
            let is_moved = matches!(variable, Variable::Found(_)) && node.value != 0 && target != 0;
            if is_byte && target > 0xff || is_moved {
                return false;
            }
            changes.push((variable.clone(), target));
            true
        }
        Shape::Bytes(bytes) => {
            low(target, 8 * bytes.len() as u32) == target
                && (0..).zip(bytes).all(|(index, byte)| {
                    invert(graph, *byte, target >> (8 * index) & 0xff, changes)
                })
        }
        Shape::Byte { index, of } => {
            let place = 8 * index;
            let rest = graph.value(*of) & !(0xff << place);
            target <= 0xff && invert(graph, *of, rest | target << place, changes)
        }
        Shape::Low { bits, of } => {
            let rest = graph.value(*of) & !low(u64::MAX, *bits);
            low(target, *bits) == target
                && (invert(graph, *of, rest | target, changes)
                    || invert(graph, *of, target, changes))
        }
        Shape::Signed { bits, into, of } => {
            let number = low(target, *bits);
            let sign = (number << (64 - bits)) as i64 >> (64 - bits);
            let rest = graph.value(*of) & !low(u64::MAX, *bits);
            low(sign as u64, *into) == target
                && (invert(graph, *of, rest | number, changes)
                    || invert(graph, *of, number, changes))
        }
        Shape::Swapped { bits, of } => {
            low(target, *bits) == target
                && invert(graph, *of, target.swap_bytes() >> (64 - bits), changes)
        }
        Shape::Binary {
            op,
            wide,
            left,
            right,
        } => operands(graph, (*op, *wide), (*left, *right), target, changes),
    }
}

/// Change one of two operands.
fn operands(
    graph: &Graph,
    (op, wide): (Arithmetic, bool),
    (left, right): (Id, Id),
    target: u64,
    changes: &mut Vec<Change>,
) -> bool {
    let bits = if wide { 64 } else { 32 };
    if low(target, bits) != target {
        return false;
    }
    let (a, b) = (low(graph.value(left), bits), low(graph.value(right), bits));
    let mut attempt = |id: Id, wanted: Option<u64>| {
        let Some(wanted) = wanted.filter(|_| graph.is_free(id)) else {
            return false;
        };
        let rest = graph.value(id) & !low(u64::MAX, bits);
        let before = changes.len();
        let works = invert(graph, id, rest | low(wanted, bits), changes);
        if !works {
            changes.truncate(before);
        }
        works
    };
    attempt(left, left_operand(op, bits, a, b, target))
        || attempt(right, right_operand(op, bits, a, target))
}

/// What the left operand must be.
fn left_operand(op: Arithmetic, bits: u32, a: u64, b: u64, target: u64) -> Option<u64> {
    use Arithmetic::*;
    let count = (b & u64::from(bits - 1)) as u32;
    let above = |kept: u32| a & !low(u64::MAX, kept);
    match op {
        Add => Some(target.wrapping_sub(b)),
        Sub => Some(target.wrapping_add(b)),
        Mul => factor(bits, b, target).map(|(kept, factor)| above(kept) | factor),
        Div => target.checked_mul(b),
        Mod => (target < b).then_some(target),
        Or => (target & b == b).then_some(target & !b | a & b),
        And => (target & !b == 0).then_some(a & !b | target),
        Xor => Some(target ^ b),
        Lsh => (low(target, count) == 0).then(|| above(bits - count) | target >> count),
        Rsh => {
            let wanted = target.checked_shl(count)?;
            (wanted >> count == target).then_some(wanted | low(a, count))
        }
        Arsh => Some(target.checked_shl(count)? | low(a, count)),
        Neg => Some(target.wrapping_neg()),
        SDiv => Some(target.wrapping_mul(b)),
        SMod => Some(target),
    }
}

/// How many bits a number must have, and which, to give `target` when it is multiplied with `by`,
/// modulo 2^bits.
fn factor(bits: u32, by: u64, target: u64) -> Option<(u32, u64)> {
    if by == 0 {
        return None;
    }
    let zeros = by.trailing_zeros();
    if low(target, zeros) != 0 {
        return None;
    }
    let odd = by >> zeros;
    // Each round doubles the bits that are right.
    let inverse = (0..6).fold(odd, |inverse, _| {
        inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)))
    });
    let kept = bits.saturating_sub(zeros);
    Some((kept, low((target >> zeros).wrapping_mul(inverse), kept)))
}

/// What the right operand must be.
fn right_operand(op: Arithmetic, bits: u32, a: u64, target: u64) -> Option<u64> {
    use Arithmetic::*;
    match op {
        Add => Some(target.wrapping_sub(a)),
        Sub => Some(a.wrapping_sub(target)),
        Mul => factor(bits, a, target).map(|(_, factor)| factor),
        Or => (target & a == a).then_some(target & !a),
        And => (target & !a == 0).then_some(target),
        Xor => Some(target ^ a),
        _ => None,
    }
}

/// Values of the left operand with which a comparison is true, those that are likely to do first.
pub fn values(op: Comparison, bits: u32, right: u64) -> Vec<u64> {
    use Comparison::*;
    let right = low(right, bits);
    let sign = 1_u64 << (bits - 1);
    let all = [
        right,
        right.wrapping_add(1),
        right.wrapping_sub(1),
        0,
        1,
        right / 2,
        sign,
        sign - 1,
        u64::MAX,
        right & right.wrapping_neg(),
        !right,
    ];
    let extended = |number: u64| (number << (64 - bits)) as i64;
    let mut found = Vec::new();
    for value in all.map(|value| low(value, bits)) {
        let (s, t) = (extended(value), extended(right));
        let holds = match op {
            Eq => value == right,
            Ne => value != right,
            Gt => value > right,
            Ge => value >= right,
            Lt => value < right,
            Le => value <= right,
            SGt => s > t,
            SGe => s >= t,
            SLt => s < t,
            SLe => s <= t,
            Set => value & right != 0,
        };
        if holds && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// The comparison that is true where this one is not.
pub fn negated(op: Comparison) -> Option<Comparison> {
    use Comparison::*;
    Some(match op {
        Eq => Ne,
        Ne => Eq,
        Gt => Le,
        Ge => Lt,
        Lt => Ge,
        Le => Gt,
        SGt => SLe,
        SGe => SLt,
        SLt => SGe,
        SLe => SGt,
        Set => return None,
    })
}

/// The same comparison with its operands exchanged.
pub fn swapped(op: Comparison) -> Comparison {
    use Comparison::*;
    match op {
        Gt => Lt,
        Ge => Le,
        Lt => Gt,
        Le => Ge,
        SGt => SLt,
        SGe => SLe,
        SLt => SGt,
        SLe => SGe,
        same => same,
    }
}
