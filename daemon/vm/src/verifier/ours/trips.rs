//! How many rounds a test lets a loop make.
//!
//! Only a guess: what comes of it is checked.

use super::super::domain::{Comparison, Scalar};
use super::value::{Region, Symbol, Value};
use crate::contract::MAX_DATA_SIZE;

/// A comparison that decides whether a loop goes on.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    pub op: Comparison,
    pub wide: bool,
    /// Whether the loop goes on if the comparison holds.
    pub stays: bool,
    pub left: Value,
    pub right: Value,
}

/// An operand as the rounds go by: where it begins, and its step.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    pub start: (i128, i128),
    pub step: i64,
}

impl Test {
    /// The last round, counted from 0, that can begin; `symbol` tells what is known of a symbol.
    pub fn last_round(&self, symbol: impl Fn(Symbol) -> Option<Course>) -> Option<i64> {
        let (left, right) = (
            self.course(&self.left, &symbol)?,
            self.course(&self.right, &symbol)?,
        );
        let step = left
            .step
            .checked_sub(right.step)
            .filter(|step| *step != 0)?;
        let staying = match self.staying()? {
            // As if the right side stood still.
            (Side::Above, strict) if step < 0 => {
                rounds(left.start.1 - right.start.0, step, strict)?
            }
            (Side::Below, strict) if step > 0 => {
                rounds(right.start.1 - left.start.0, step, strict)?
            }
            (Side::Apart, _) => self.meets(left.start, right.start, step)? - 1,
            _ => return None,
        };
        // The round after the last one that stays begins, too.
        Some(staying.max(-1) + 1)
    }

    /// Where the left operand is while the loop goes on, and whether it is never equal.
    fn staying(&self) -> Option<(Side, bool)> {
        use Comparison::*;
        Some(match (self.op, self.stays) {
            (Lt | SLt, true) | (Ge | SGe, false) => (Side::Below, true),
            (Le | SLe, true) | (Gt | SGt, false) => (Side::Below, false),
            (Gt | SGt, true) | (Le | SLe, false) => (Side::Above, true),
            (Ge | SGe, true) | (Lt | SLt, false) => (Side::Above, false),
            (Ne, true) | (Eq, false) => (Side::Apart, true),
            _ => return None,
        })
    }

    /// How an operand changes.
    fn course(&self, value: &Value, symbol: impl Fn(Symbol) -> Option<Course>) -> Option<Course> {
        let link = value.link();
        if let Some(link) = link
            && let Some(Course { start, step }) = symbol(link.symbol)
        {
            let (factor, add) = (i128::from(link.factor), i128::from(link.add));
            let ends = [start.0 * factor + add, start.1 * factor + add];
            return Some(Course {
                start: (ends[0].min(ends[1]), ends[0].max(ends[1])),
                step: step.checked_mul(link.factor)?,
            });
        }
        let start = match value {
            Value::Number(number) => self.number_ends(number.range),
            Value::Pointer(pointer) => {
                let more = match pointer.region {
                    Region::End => MAX_DATA_SIZE as i128,
                    _ => 0,
                };
                let range = pointer.offset;
                (
                    i128::from(range.smin()) + more,
                    i128::from(range.smax()) + more,
                )
            }
            _ => return None,
        };
        Some(Course { start, step: 0 })
    }

    fn number_ends(&self, range: Scalar) -> (i128, i128) {
        use Comparison::{Eq, Ne, SGe, SGt, SLe, SLt};
        let is_signed = matches!(self.op, SLt | SLe | SGt | SGe);
        let is_equality = matches!(self.op, Ne | Eq);
        match (self.wide, is_signed) {
            (true, false) if range.smin() >= 0 || !is_equality => {
                (range.umin().into(), range.umax().into())
            }
            (true, _) => (range.smin().into(), range.smax().into()),
            (false, true) => (range.s32min().into(), range.s32max().into()),
            (false, false) => (range.u32min().into(), range.u32max().into()),
        }
    }

    /// The round in which both operands are equal.
    fn meets(&self, left: (i128, i128), right: (i128, i128), step: i64) -> Option<i64> {
        let distance = match step > 0 {
            true => right.1 - left.0,
            false => left.1 - right.0,
        };
        let width = i128::from(step.unsigned_abs());
        let exact = left.0 == left.1 && right.0 == right.1;
        if distance < 0 || exact && distance % width != 0 {
            return None;
        }
        i64::try_from(distance / width).ok()
    }
}

/// Rounds in which `room` is not used up.
fn rounds(room: i128, step: i64, strict: bool) -> Option<i64> {
    let room = room - i128::from(strict);
    i64::try_from(room.div_euclid(i128::from(step.unsigned_abs()))).ok()
}

/// Where an operand is.
#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
    Apart,
}
