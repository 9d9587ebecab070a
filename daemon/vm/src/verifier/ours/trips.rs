//! How many rounds a test lets a loop make.
//!
//! Only a guess: what comes of it is checked.

use super::super::domain::{Comparison, Scalar};
use super::value::{Region, Value};
use crate::contract::MAX_DATA_SIZE;

/// A comparison that decides whether a loop goes on, with its operands in the first round.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    pub op: Comparison,
    pub wide: bool,
    /// Whether the loop goes on if the comparison holds.
    pub stays: bool,
    pub left: Value,
    pub right: Value,
}

impl Test {
    /// The last round, counted from 0, that can begin; `step` tells how a value changes by round.
    pub fn last_round(&self, step: impl Fn(&Value) -> Option<i64>) -> Option<i64> {
        let (left, right) = (step(&self.left)?, step(&self.right)?);
        let step = left.checked_sub(right).filter(|step| *step != 0)?;
        let staying = match self.staying()? {
            // As if the right side stood still.
            (Side::Above, strict) => self.until(step, strict, true)?,
            (Side::Below, strict) => self.until(step, strict, false)?,
            (Side::Apart, _) => self.meets(step)? - 1,
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

    fn is_signed(&self) -> bool {
        use Comparison::*;
        matches!(self.op, SLt | SLe | SGt | SGe)
    }

    /// Least and greatest of an operand.
    fn ends(&self, value: &Value) -> Option<(i128, i128)> {
        let range = match value {
            Value::Number(number) => number.range,
            Value::Pointer(pointer) => {
                let add = if pointer.region == Region::End {
                    MAX_DATA_SIZE as i128
                } else {
                    0
                };
                let range = pointer.offset;
                return Some((
                    i128::from(range.smin()) + add,
                    i128::from(range.smax()) + add,
                ));
            }
            _ => return None,
        };
        Some(self.number_ends(range))
    }

    fn number_ends(&self, range: Scalar) -> (i128, i128) {
        match (self.wide, self.is_signed()) {
            (true, false)
                if range.smin() >= 0 || !matches!(self.op, Comparison::Ne | Comparison::Eq) =>
            {
                (range.umin().into(), range.umax().into())
            }
            (true, _) => (range.smin().into(), range.smax().into()),
            (false, true) => (range.s32min().into(), range.s32max().into()),
            (false, false) => (range.u32min().into(), range.u32max().into()),
        }
    }

    /// The last round in which the left operand is still above or below the right one.
    fn until(&self, step: i64, strict: bool, above: bool) -> Option<i64> {
        let (left, right) = (self.ends(&self.left)?, self.ends(&self.right)?);
        let room = match above {
            true if step < 0 => left.1 - right.0,
            false if step > 0 => right.1 - left.0,
            _ => return None,
        };
        let room = room - i128::from(strict);
        i64::try_from(room.div_euclid(i128::from(step.unsigned_abs()))).ok()
    }

    /// The round in which both operands are equal.
    fn meets(&self, step: i64) -> Option<i64> {
        let (left, right) = (self.ends(&self.left)?, self.ends(&self.right)?);
        let distance = match step > 0 {
            true => right.1 - left.0,
            false => left.1 - right.0,
        };
        let width = i128::from(step.unsigned_abs());
        let exact = left.0 == left.1 && right.0 == right.1;
        if distance < 0 || !exact && width != 1 && !self.is_end() {
            return None;
        }
        if exact && distance % width != 0 {
            return None;
        }
        i64::try_from(distance / width).ok()
    }

    fn is_end(&self) -> bool {
        matches!(self.right, Value::Pointer(pointer) if pointer.region == Region::End)
    }
}

/// Where an operand is.
#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
    Apart,
}
