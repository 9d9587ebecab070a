//! What is learnt of one value is learnt of all that are tied to it.
//!
//! Sound because a [`Link`] is an equation that holds exactly, modulo 2^64, in
//! every run that the state stands for: from the bounds of one value follow
//! those of its symbol, and from these the bounds of every other value of that
//! symbol.  Where a factor other than 1 or -1 would make the first step
//! ambiguous, it is only made within bounds in which nothing wraps.

use std::rc::Rc;

use super::super::domain::{Arithmetic, Scalar, arithmetic};
use super::state::State;
use super::value::{Link, Region, Symbol, Value, shifted};

/// Take in that the value of `link` lies in `range`.
pub fn learn(state: &mut State, link: Link, range: Scalar) {
    if let Some(symbol) = solve(state, link, range) {
        spread(state, link.symbol, symbol);
    }
}

/// The range of the symbol of `link`, if anything can be said of it.
fn solve(state: &State, link: Link, range: Scalar) -> Option<Scalar> {
    let minus = |a, b| arithmetic(Arithmetic::Sub, true, a, b);
    let add = Scalar::constant(link.add as u64);
    match link.factor {
        1 => return Some(minus(range, add)),
        -1 => return Some(minus(add, range)),
        _ => {}
    }
    let bounds = state.bounds.iter().find(|each| each.symbol == link.symbol);
    let bounds = bounds?;
    let factor = i128::from(link.factor);
    let ends = [bounds.low, bounds.high].map(|end| i128::from(end) * factor + i128::from(link.add));
    if ends.iter().any(|end| i64::try_from(*end).is_err()) {
        return None;
    }
    let [mut low, mut high] =
        [range.smin(), range.smax()].map(|end| i128::from(end) - i128::from(link.add));
    if factor < 0 {
        (low, high) = (-high, -low);
    }
    let factor = factor.abs();
    let low = i128::from(bounds.low)
        .max(low.div_euclid(factor) + i128::from(low.rem_euclid(factor) != 0));
    let high = i128::from(bounds.high).min(high.div_euclid(factor));
    (low <= high).then(|| Scalar::signed(low as i64, high as i64))
}

/// Take in the range of a symbol.
///
/// That a value tied to it cannot be so is not used: the verdict would then depend on that value,
/// and nobody would know.
fn spread(state: &mut State, symbol: Symbol, range: Scalar) {
    limit_bounds(state, symbol, range);
    let mut distances = Vec::new();
    let mut tell = |value: &mut Value| {
        let Some(link) = value.link().filter(|link| link.symbol == symbol) else {
            return;
        };
        let Some(own) = value.range_mut() else { return };
        match own.meet(link.of(range)) {
            Some(met) => *own = met,
            None => return,
        }
        if let Value::Number(number) = value
            && let Some(distance) = number.distance
        {
            distances.push((distance, number.range));
        }
    };
    let is_tied = |value: &Value| value.link().is_some_and(|link| link.symbol == symbol);
    for frame in &mut state.frames {
        let tied = frame.registers.iter().any(is_tied);
        let tied_stack = frame
            .stack
            .pieces()
            .iter()
            .any(|piece| is_tied(&piece.value));
        if !tied && !tied_stack {
            continue;
        }
        let frame = Rc::make_mut(frame);
        frame.registers.iter_mut().for_each(&mut tell);
        if tied_stack {
            let pieces = frame.stack.pieces_mut();
            pieces.iter_mut().for_each(|piece| tell(&mut piece.value));
        }
    }
    if state
        .anchors
        .iter()
        .any(|each| each.link.is_some_and(|link| link.symbol == symbol))
    {
        for anchor in Rc::make_mut(&mut state.anchors) {
            let Some(link) = anchor.link.filter(|link| link.symbol == symbol) else {
                continue;
            };
            anchor.place = anchor.place.meet(link.of(range)).unwrap_or(anchor.place);
        }
    }
    for (distance, range) in distances {
        reach(
            state,
            distance.anchor,
            distance.add.saturating_add(range.smin()),
        );
    }
}

fn limit_bounds(state: &mut State, symbol: Symbol, range: Scalar) {
    let Some(place) = state.bounds.iter().position(|each| each.symbol == symbol) else {
        return;
    };
    let bounds = state.bounds[place];
    let low = bounds.low.max(range.smin());
    let high = bounds.high.min(range.smax());
    if low <= high && (low, high) != (bounds.low, bounds.high) {
        let bounds = &mut Rc::make_mut(&mut state.bounds)[place];
        (bounds.low, bounds.high) = (low, high);
    }
}

/// The range of a symbol, as far as a register that is it and a constant tells, and that register.
pub fn range(state: &State, symbol: Symbol) -> Option<(Scalar, u8)> {
    (0..10).find_map(|register| {
        let value = state.register(register);
        let (link, own) = (value.link()?, value.range()?);
        let is_it = (link.symbol, link.factor) == (symbol, 1);
        is_it.then(|| (shifted(own, link.add.wrapping_neg()), register))
    })
}

/// Take in that so many bytes behind an anchor exist.
pub fn reach(state: &mut State, anchor: u32, readable: i64) {
    if state.anchor(anchor).readable < readable
        && let Some(anchor) = state.anchor_mut(anchor)
    {
        anchor.readable = readable;
    }
}

/// The link of a register, which gets one if it has none.
pub fn link_of(state: &mut State, register: u8, fresh: &mut Symbol) -> Option<Link> {
    let value = state.register(register);
    if let Some(link) = value.link() {
        return Some(link);
    }
    if value.range().is_none_or(|range| range.known().is_some()) {
        return None;
    }
    *fresh += 1;
    let link = Link::to(*fresh);
    let value = &mut state.frame_mut().registers[usize::from(register)];
    *value.link_mut()? = Some(link);
    Some(link)
}

/// What a pointer that may be null turns out to be: everywhere.
pub fn decide_null(state: &mut State, null: Symbol, is_null: bool) {
    let is_one = |value: &Value| matches!(value, Value::Pointer(pointer) if pointer.null == null);
    let owned = owner_of(state, null);
    for frame in &mut state.frames {
        let stack = frame
            .stack
            .pieces()
            .iter()
            .any(|piece| is_one(&piece.value));
        if !stack && !frame.registers.iter().any(is_one) {
            continue;
        }
        let decide = |value: &mut Value| {
            if let Value::Pointer(pointer) = value
                && pointer.null == null
            {
                match is_null {
                    true => *value = Value::constant(0),
                    false => pointer.null = 0,
                }
            }
        };
        let frame = Rc::make_mut(frame);
        frame.registers.iter_mut().for_each(decide);
        if stack {
            let pieces = frame.stack.pieces_mut();
            pieces.iter_mut().for_each(|piece| decide(&mut piece.value));
        }
    }
    if is_null && owned != 0 {
        // Nothing was acquired.
        Rc::make_mut(&mut state.owned).retain(|each| *each != owned);
    }
}

fn owner_of(state: &State, null: Symbol) -> Symbol {
    let mut owned = 0;
    _ = state.any(|value| {
        if let Value::Pointer(pointer) = value
            && pointer.null == null
        {
            owned = pointer.owned;
        }
        false
    });
    owned
}

/// Whether a value leads into the data.
pub fn is_data(value: &Value) -> bool {
    let region = value.as_pointer().map(|pointer| pointer.region);
    matches!(region, Some(Region::Data(_) | Region::End))
}
