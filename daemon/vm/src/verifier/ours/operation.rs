//! Arithmetic, moves and immediates.

use super::super::domain::{Arithmetic, Scalar, arithmetic};
use super::super::mutation::{self, Mutation};
use super::access::FAR;
use super::checker::{Check, Checker};
use super::problem::Problem;
use super::state::{DATA, State};
use super::symbols;
use super::value::{Distance, Link, Number, Pointer, Region, Value};
use crate::contract::MAX_DATA_SIZE;
use crate::isa::{self, Insn, alu, class};

impl Checker<'_> {
    pub fn operate(&mut self, state: &mut State, insn: Insn) -> Check {
        let wide = insn.class() == class::ALU64;
        match insn.operation() {
            alu::MOV => self.copy(state, insn, wide),
            alu::END => self.swap(state, insn, wide),
            _ => {
                let value = self.result(state, insn, wide)?;
                state.set(insn.dst, value);
                Ok(())
            }
        }
    }

    fn copy(&mut self, state: &mut State, insn: Insn, wide: bool) -> Check {
        if !insn.is_register_source() {
            let value = i64::from(insn.imm) as u64;
            let value = if wide { value } else { value & 0xffff_ffff };
            state.set(insn.dst, Value::constant(value));
            return Ok(());
        }
        self.present(state, insn.src)?;
        let fits = |value: &Value| match value {
            Value::Number(number) => wide || number.range.umax() <= u32::MAX.into(),
            Value::Pointer(_) => wide,
            _ => false,
        };
        if insn.offset == 0 && fits(state.register(insn.src)) {
            symbols::link_of(state, insn.src, &mut self.symbols);
            let value = *state.register(insn.src);
            state.set(insn.dst, value);
            return Ok(());
        }
        let value = match *state.register(insn.src) {
            Value::Number(number)
                if insn.offset == 0 && mutation::on(Mutation::LowHalfKeepsLink) =>
            {
                Value::Number(Number {
                    link: number.link,
                    ..Number::of(number.range.low32())
                })
            }
            Value::Number(number) => Value::number(match insn.offset {
                0 => number.range.low32(),
                bits if wide => number.range.sign_extended(bits as u32),
                bits => number.range.sign_extended(bits as u32).low32(),
            }),
            Value::Pointer(pointer) if insn.offset == 0 && is_in_data(&pointer) => {
                Value::Half(pointer)
            }
            _ => {
                return Err(Problem::PointerArithmetic {
                    register: insn.src,
                    op: None,
                    wide,
                });
            }
        };
        state.set(insn.dst, value);
        Ok(())
    }

    fn swap(&mut self, state: &mut State, insn: Insn, wide: bool) -> Check {
        let Value::Number(number) = *self.present(state, insn.dst)? else {
            return Err(Problem::PointerArithmetic {
                register: insn.dst,
                op: None,
                wide,
            });
        };
        let bits = insn.imm as u32;
        // On a little-endian machine an unconditional swap is one to big-endian.
        let range = match wide || insn.is_register_source() {
            true => number.range.swapped(bits),
            false => number.range.truncated(bits),
        };
        if range != number.range || bits < 64 || wide || insn.is_register_source() {
            let link = number
                .link
                .filter(|_| mutation::on(Mutation::SwapKeepsLink));
            state.set(
                insn.dst,
                Value::Number(Number {
                    link,
                    ..Number::of(range)
                }),
            );
        }
        Ok(())
    }

    fn result(&mut self, state: &mut State, insn: Insn, wide: bool) -> Check<Value> {
        let op = operation(insn);
        if insn.is_register_source() && wide {
            self.tie_to_pointer(state, insn);
        }
        let a = *self.present(state, insn.dst)?;
        let b = match insn.is_register_source() {
            true => *self.present(state, insn.src)?,
            false => Value::constant(match wide {
                true => i64::from(insn.imm) as u64,
                false => insn.imm as u32 as u64,
            }),
        };
        let fail = |register| {
            let op = Some(op);
            Err(Problem::PointerArithmetic { register, op, wide })
        };
        match (a, b) {
            (Value::Number(a), Value::Number(b)) => {
                let number = match wide {
                    true => unshifted(state, op, &a, &b),
                    false => None,
                };
                let number = number.map(|(number, register)| {
                    self.needs(register);
                    number
                });
                Ok(Value::Number(
                    number.unwrap_or_else(|| compute(op, wide, a, b)),
                ))
            }
            (Value::Pointer(pointer), Value::Number(number)) => match op {
                // So compilers add an index to the address of an aligned array.
                Arithmetic::Or if wide && is_sum(&pointer, &number) => {
                    self.moved(insn, insn.dst, pointer, number, false)
                }
                Arithmetic::Add | Arithmetic::Sub if wide => {
                    self.moved(insn, insn.dst, pointer, number, op == Arithmetic::Sub)
                }
                _ => fail(insn.dst),
            },
            (Value::Number(number), Value::Pointer(pointer)) => match op {
                Arithmetic::Add if wide => self.moved(insn, insn.src, pointer, number, false),
                _ => fail(insn.src),
            },
            (Value::Pointer(a) | Value::Half(a), Value::Pointer(b) | Value::Half(b))
                if op == Arithmetic::Sub =>
            {
                let is_half = |register| matches!(state.register(register), Value::Half(_));
                if wide && (is_half(insn.dst) || is_half(insn.src)) {
                    return fail(insn.dst);
                }
                match difference(state, &a, &b, wide) {
                    Some(number) => Ok(Value::Number(number)),
                    None if self.case.information.is_privileged => Ok(Value::UNKNOWN),
                    None => fail(insn.dst),
                }
            }
            (Value::Pointer(_) | Value::Half(_), _) => fail(insn.dst),
            _ => fail(insn.src),
        }
    }

    /// A number that is added to a pointer stays tied to where the pointer leads.
    fn tie_to_pointer(&mut self, state: &mut State, insn: Insn) {
        for (number, pointer) in [(insn.src, insn.dst), (insn.dst, insn.src)] {
            let is_pointer = matches!(state.register(pointer), Value::Pointer(_));
            if is_pointer && matches!(state.register(number), Value::Number(_)) {
                symbols::link_of(state, number, &mut self.symbols);
            }
        }
    }

    /// A pointer and a number.
    fn moved(
        &mut self,
        insn: Insn,
        register: u8,
        pointer: Pointer,
        number: Number,
        backwards: bool,
    ) -> Check<Value> {
        let op = if backwards {
            Arithmetic::Sub
        } else {
            Arithmetic::Add
        };
        let is_fixed = match pointer.region {
            Region::Object(_) | Region::Function(_) | Region::Map(_) => true,
            Region::End => number.range.known().is_none(),
            _ => pointer.null != 0,
        };
        if is_fixed && number.range.known() != Some(0) {
            return Err(Problem::FixedPointer {
                register,
                region: pointer.region,
                maybe_null: pointer.null != 0,
            });
        }
        let offset = match number.range.known() {
            None if mutation::on(Mutation::SumForgotten) => pointer.offset,
            _ => arithmetic(op, true, pointer.offset, number.range),
        };
        let link = match (number.range.known(), pointer.offset.known()) {
            (Some(add), _) => pointer.link.map(|link| {
                let add = add as i64;
                link.plus(if backwards { add.wrapping_neg() } else { add })
            }),
            (None, Some(from)) => {
                // The offset is the number and a constant, so it has the number's symbol.
                let own = number.link.unwrap_or_else(|| Link::to(self.fresh()));
                let own = if backwards { own.times(-1) } else { Some(own) };
                own.map(|link| link.plus(from as i64))
            }
            (None, None) => {
                let sum = pointer.link.zip(number.link).filter(|_| !backwards);
                sum.and_then(|(a, b)| a.sum(b))
                    .or_else(|| Some(Link::to(self.fresh())))
            }
        };
        if insn.is_register_source() {
            self.needs(if register == insn.dst {
                insn.src
            } else {
                insn.dst
            });
        }
        Ok(Value::Pointer(Pointer {
            offset,
            link,
            ..pointer
        }))
    }

    pub fn load_immediate(&mut self, state: &mut State, insn: Insn) -> Check {
        let second = self.code[state.pc + 1].imm as u32;
        let index = insn.imm as u32;
        let value = match insn.src {
            isa::LDDW_MAP => Value::Pointer(Pointer::to(Region::Map(index), 0)),
            isa::LDDW_MAP_VALUE => {
                Value::Pointer(Pointer::to(Region::MapValue(index), second.into()))
            }
            _ => Value::constant(u64::from(index) | u64::from(second) << 32),
        };
        state.set(insn.dst, value);
        Ok(())
    }
}

/// Whether a number has only bits that are 0 in an address on the stack, where frames end at
/// multiples of 8.
fn is_sum(pointer: &Pointer, number: &Number) -> bool {
    let is_stack = matches!(pointer.region, Region::Stack(_));
    let aligned = pointer.offset.known().is_some_and(|offset| offset % 8 == 0);
    is_stack && aligned && number.range.umax() < 8
}

fn is_in_data(pointer: &Pointer) -> bool {
    matches!(pointer.region, Region::Data(_) | Region::End)
}

pub fn operation(insn: Insn) -> Arithmetic {
    match (insn.operation(), insn.offset) {
        (alu::ADD, _) => Arithmetic::Add,
        (alu::SUB, _) => Arithmetic::Sub,
        (alu::MUL, _) => Arithmetic::Mul,
        (alu::DIV, 1) => Arithmetic::SDiv,
        (alu::DIV, _) => Arithmetic::Div,
        (alu::MOD, 1) => Arithmetic::SMod,
        (alu::MOD, _) => Arithmetic::Mod,
        (alu::OR, _) => Arithmetic::Or,
        (alu::AND, _) => Arithmetic::And,
        (alu::XOR, _) => Arithmetic::Xor,
        (alu::LSH, _) => Arithmetic::Lsh,
        (alu::RSH, _) => Arithmetic::Rsh,
        (alu::ARSH, _) => Arithmetic::Arsh,
        _ => Arithmetic::Neg,
    }
}

/// The result of two numbers, and what it is tied to.
fn compute(op: Arithmetic, wide: bool, a: Number, b: Number) -> Number {
    let link = tie(op, wide, &a, &b);
    let same = a.link.is_some() && a.link == b.link && wide;
    let range = match op {
        Arithmetic::Sub | Arithmetic::Xor if same => Scalar::constant(0),
        Arithmetic::Sub if wide => match cancelled(&a, &b) {
            Some(number) => Scalar::constant(number as u64),
            None => arithmetic(op, wide, a.range, b.range),
        },
        Arithmetic::And => {
            let range = arithmetic(op, wide, a.range, b.range);
            match cancelled(&a, &b) {
                Some(1) => without_lowest(a.range, range),
                Some(-1) => without_lowest(b.range, range),
                _ => range,
            }
        }
        _ => arithmetic(op, wide, a.range, b.range),
    };
    Number {
        range,
        link,
        distance: None,
    }
}

/// `x & (x - 1)` clears the lowest bit of x that is set: so one more bit is 0 than were at the end
/// of x, and counting bits by clearing them ends after as many rounds as there are bits.
fn without_lowest(x: Scalar, result: Scalar) -> Scalar {
    let bits = x.bits();
    match (bits.value | bits.mask).trailing_zeros() {
        zeros @ 0..63 => {
            let kept = Scalar::constant(u64::MAX << (zeros + 1));
            arithmetic(Arithmetic::And, true, result, kept)
        }
        _ => Scalar::constant(0),
    }
}

/// A number that was shifted to the left and is shifted back: as compilers cut off the upper half,
/// or extend a sign.  If nothing is cut off, it is what it was; a register tells that.
fn unshifted(state: &State, op: Arithmetic, a: &Number, b: &Number) -> Option<(Number, u8)> {
    let (link, bits) = (
        a.link?,
        b.range.known().filter(|bits| (1..63).contains(bits))?,
    );
    let unit = 1_i64 << bits;
    if link.factor % unit != 0 || link.add % unit != 0 {
        return None;
    }
    let link = Link {
        symbol: link.symbol,
        factor: link.factor / unit,
        add: link.add / unit,
    };
    let (range, register) = symbols::range(state, link.symbol)?;
    let range = link.of(range);
    let room = 63 - bits;
    let fits = match op {
        Arithmetic::Rsh => range.umax() >> (room + 1) == 0,
        Arithmetic::Arsh => range.smin() >= -(1 << room) && range.smax() < 1 << room,
        _ => false,
    };
    let number = Number {
        range,
        link: Some(link),
        distance: None,
    };
    fits.then_some((number, register))
}

/// The difference of two values of one symbol, if it is always the same.
fn cancelled(a: &Number, b: &Number) -> Option<i64> {
    let (a, b) = (a.link?, b.link?);
    (a.symbol == b.symbol && a.factor == b.factor).then(|| a.add.wrapping_sub(b.add))
}

/// The link of a result.
fn tie(op: Arithmetic, wide: bool, a: &Number, b: &Number) -> Option<Link> {
    let signed = |number: u64| match wide {
        true => number as i64,
        false => i64::from(number as u32 as i32),
    };
    let (constant, other) = match (a.range.known(), b.range.known()) {
        (_, Some(constant)) => (constant, a),
        (Some(constant), _) if op != Arithmetic::Lsh => (constant, b),
        (None, None) => {
            return match op {
                Arithmetic::Add if wide => a.link?.sum(b.link?),
                Arithmetic::Sub if wide => a.link?.sum(b.link?.times(-1)?),
                _ => None,
            };
        }
        _ => return None,
    };
    let link = other.link?;
    let is_left = b.range.known().is_some();
    if !wide && !fits_in_32(op, other, constant) {
        return None;
    }
    match op {
        Arithmetic::Add => Some(link.plus(signed(constant))),
        Arithmetic::Sub if is_left => Some(link.plus(signed(constant).wrapping_neg())),
        Arithmetic::Sub if wide => Some(link.times(-1)?.plus(constant as i64)),
        Arithmetic::Mul => link.times(signed(constant)),
        Arithmetic::Lsh if constant < 63 => link.times(1 << constant),
        _ => None,
    }
}

/// Whether an operation with a constant gives in 32 bits what it gives in 64, with the constant
/// taken as a signed number.
fn fits_in_32(op: Arithmetic, number: &Number, constant: u64) -> bool {
    let (low, high) = (
        i128::from(number.range.umin()),
        i128::from(number.range.umax()),
    );
    let constant = i128::from(constant as u32 as i32);
    let ends = match op {
        Arithmetic::Add => [low + constant, high + constant],
        Arithmetic::Sub => [low - constant, high - constant],
        Arithmetic::Mul => [low * constant, high * constant],
        Arithmetic::Lsh if (0..31).contains(&constant) => [low << constant, high << constant],
        _ => return false,
    };
    let fits = |number: i128| (0..=i128::from(u32::MAX)).contains(&number);
    high <= i128::from(u32::MAX) && ends.into_iter().all(fits)
}

/// `a - b` for pointers of one region; what is learnt of it later tells of the data.
fn difference(state: &State, a: &Pointer, b: &Pointer, wide: bool) -> Option<Number> {
    let number = match (a.region, b.region) {
        (Region::End, Region::Data(name)) => {
            let from = state.rooted(b);
            if from.region != Region::Data(DATA) || a.offset.known() != Some(0) {
                return None;
            }
            let anchor = state.anchor(name);
            // The end is behind what is known to exist, and not before the start.
            let low = anchor.readable.saturating_sub(b.offset.smax());
            let low = low.max(from.offset.smax().saturating_neg());
            let high = (MAX_DATA_SIZE as i64).saturating_sub(from.offset.smin());
            let is_far = |scalar: Scalar| scalar.smin() < -FAR || scalar.smax() > FAR;
            if is_far(from.offset) || is_far(b.offset) {
                return None;
            }
            let distance = b.offset.known().map(|add| Distance {
                anchor: name,
                add: add as i64,
            });
            Number {
                range: Scalar::signed(low.min(high), high),
                link: None,
                distance,
            }
        }
        (Region::End, Region::End) => plain(a, b),
        (Region::Data(_), Region::Data(_)) => {
            if a.region == b.region {
                plain(a, b)
            } else {
                let (a, b) = (state.rooted(a), state.rooted(b));
                if a.region != b.region {
                    return None;
                }
                plain(&a, &b)
            }
        }
        (Region::Stack(a_depth), Region::Stack(b_depth)) if a_depth == b_depth => plain(a, b),
        (Region::Context, Region::Context) => plain(a, b),
        _ => return None,
    };
    if wide {
        return Some(number);
    }
    // The low halves tell the difference only if it is a small positive number.
    match number.range.smin() >= 0 && number.range.smax() <= u32::MAX.into() {
        true => Some(number),
        false => Some(Number::of(number.range.low32())),
    }
}

fn plain(a: &Pointer, b: &Pointer) -> Number {
    let same = |a: Link, b: Link| {
        (a.symbol == b.symbol && a.factor == b.factor).then(|| a.add.wrapping_sub(b.add))
    };
    if let Some(number) = a.link.zip(b.link).and_then(|(a, b)| same(a, b)) {
        return Number::of(Scalar::constant(number as u64));
    }
    let range = arithmetic(Arithmetic::Sub, true, a.offset, b.offset);
    let link = b
        .offset
        .known()
        .and_then(|known| Some(a.link?.plus((known as i64).wrapping_neg())));
    Number {
        range,
        link,
        distance: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every set of numbers of four bits that the domain can describe, against all its numbers.
    #[test]
    fn clearing_the_lowest_bit_holds_for_every_number() {
        for from in 0..16_u64 {
            for to in from..16 {
                for kept in 0..16 {
                    let range = Scalar::unsigned(from, to);
                    let x = arithmetic(Arithmetic::And, true, range, Scalar::constant(kept));
                    let less = arithmetic(Arithmetic::Sub, true, x, Scalar::constant(1));
                    let both = arithmetic(Arithmetic::And, true, x, less);
                    let result = without_lowest(x, both);
                    for number in (from..=to).map(|number| number & kept) {
                        let cleared = number & number.wrapping_sub(1);
                        assert!(result.contains(cleared), "{number:#x} of {x:?}: {result:?}");
                    }
                }
            }
        }
    }
}
