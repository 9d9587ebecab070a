//! Numbers that are not bounded by a constant but by another number.
//!
//! `if (p + n > end) return; for (i = 0; i < n; i++) p[i]` is safe though nobody
//! knows n: it is enough that i < n, and that n bytes exist.  Such facts are kept
//! for the few numbers that tell where data ends: the distance of an anchor from
//! the start, or of the end from a place.
//!
//! Sound because all is done with numbers of less than [`FAR`], signed: there
//! the equation of a [`Link`] holds for whole numbers, not just modulo 2^64.

use super::super::domain::Comparison;
use super::access::FAR;
use super::covers::Image;
use super::problem::Span;
use super::state::{Order, State};
use super::value::{Link, Number, Pointer, Region, Symbol, Value};
use crate::isa::Insn;
use std::rc::Rc;

/// Facts of this kind that are kept at once.
const MOST: usize = 8;

/// Keep what a comparison of two registers tells, if it tells of where data ends.
pub fn note(state: &mut State, insn: Insn, op: Comparison, holds: bool) {
    use Comparison::*;
    if !insn.is_register_source() {
        return;
    }
    let (a, b) = (*state.register(insn.dst), *state.register(insn.src));
    let (Value::Number(a), Value::Number(b)) = (a, b) else {
        return;
    };
    // Whether a comes first, and whether they cannot be equal.
    let (first, strict) = match (op, holds) {
        (Lt | SLt, true) | (Ge | SGe, false) => (true, true),
        (Le | SLe, true) | (Gt | SGt, false) => (true, false),
        (Gt | SGt, true) | (Le | SLe, false) => (false, true),
        (Ge | SGe, true) | (Lt | SLt, false) => (false, false),
        _ => return,
    };
    let is_signed = matches!(op, SGt | SGe | SLt | SLe);
    let (lesser, greater) = if first { (a, b) } else { (b, a) };
    if !(is_near(&lesser, is_signed) && is_near(&greater, is_signed)) {
        return;
    }
    let (Some(lesser), Some(greater)) = (plain(&lesser), plain(&greater)) else {
        return;
    };
    if lesser.symbol == greater.symbol || !tells(state, greater.symbol) {
        return;
    }
    keep(
        state,
        Order {
            lesser: lesser.symbol,
            greater: greater.symbol,
            add: greater.add - lesser.add - i64::from(strict),
        },
    );
}

fn keep(state: &mut State, order: Order) {
    let same = |each: &Order| (each.lesser, each.greater) == (order.lesser, order.greater);
    let orders = Rc::make_mut(&mut state.orders);
    if let Some(known) = orders.iter_mut().find(|each| same(each)) {
        known.add = known.add.min(order.add);
    } else if orders.len() < MOST {
        orders.push(order);
    }
}

/// Whether a number is so small that sums of a few do not wrap.
fn is_near(number: &Number, signed: bool) -> bool {
    let low = if signed { -FAR } else { 0 };
    number.range.smin() >= low && number.range.smax() <= FAR
}

/// The link of a number that is its symbol and a small constant.
fn plain(number: &Number) -> Option<Link> {
    number
        .link
        .filter(|link| link.factor == 1 && link.add.abs() <= FAR)
}

/// Whether a symbol says where data ends.
fn tells(state: &State, symbol: Symbol) -> bool {
    let is_it = |link: Link| link.symbol == symbol && link.factor == 1;
    let of_anchor = state
        .anchors
        .iter()
        .any(|each| each.link.is_some_and(is_it));
    of_anchor || state.any(|value| length(value).is_some_and(|(_, link)| is_it(link)))
}

/// A number that is the distance from a place to the end of the data.
fn length(value: &Value) -> Option<(&Number, Link)> {
    let number = value
        .as_number()
        .filter(|number| number.distance.is_some())?;
    Some((number, plain(number)?))
}

/// Whether the bytes of `span` exist, because the pointer's offset is less than some number.
pub fn reaches(state: &State, pointer: &Pointer, span: Span) -> bool {
    if state.orders.is_empty() {
        return false;
    }
    let from_root = state.rooted(pointer);
    let (Region::Data(root), Some(link)) = (from_root.region, from_root.link) else {
        return false;
    };
    let near = |from: i64, to: i64| from >= -FAR && to <= FAR;
    if link.factor != 1
        || link.add.abs() > FAR
        || !near(from_root.offset.smin(), from_root.offset.smax())
    {
        return false;
    }
    // The last byte is `symbol + need` behind the root.
    let need = link.add + (span.low - pointer.offset.smin()) + span.size;
    state
        .orders
        .iter()
        .filter(|order| order.lesser == link.symbol)
        .any(|order| ends(state, root, order.greater).any(|end| order.add + need <= end))
}

/// What exists behind a root, counted from a symbol.
fn ends(state: &State, root: u32, symbol: Symbol) -> impl Iterator<Item = i64> {
    let mut ends = Vec::new();
    for anchor in state.anchors.iter().filter(|each| each.root == root) {
        let link = state
            .rooted(&Pointer::to(Region::Data(anchor.name), 0))
            .link;
        let link = link.filter(|link| link.symbol == symbol);
        if let Some(link) = link.filter(|link| link.factor == 1 && link.add.abs() <= FAR) {
            ends.push(link.add + anchor.readable);
        }
    }
    _ = state.any(|value| {
        if let Some((number, link)) = length(value).filter(|(_, link)| link.symbol == symbol)
            && let Some(distance) = number.distance
        {
            let anchor = state.anchor(distance.anchor);
            let place = state.place(anchor.name).known().map(|place| place as i64);
            if let Some(place) = place.filter(|_| anchor.root == root) {
                ends.push(place + distance.add + link.add);
            }
        }
        false
    });
    ends.into_iter()
}

/// Whether `lesser <= greater + add` holds in a state, for images of symbols.
pub fn holds(state: &State, lesser: Image, greater: Image, add: i64) -> bool {
    match (lesser, greater) {
        (
            Image::Of {
                symbol: lesser,
                scale: 1,
                shift: own,
            },
            Image::Of {
                symbol: greater,
                scale: 1,
                shift: other,
            },
        ) => state.orders.iter().any(|order| {
            (order.lesser, order.greater) == (lesser, greater)
                && order.add <= add.saturating_add(other).saturating_sub(own)
        }),
        (
            Image::Fixed(number),
            Image::Of {
                symbol,
                scale: 1,
                shift,
            },
        ) => {
            let least = least(state, symbol);
            least.is_some_and(|least| number.saturating_sub(shift).saturating_sub(add) <= least)
        }
        (Image::Fixed(lesser), Image::Fixed(greater)) => lesser <= greater.saturating_add(add),
        _ => false,
    }
}

/// The least that a symbol can be, as far as any value tells.
fn least(state: &State, symbol: Symbol) -> Option<i64> {
    let mut least: Option<i64> = None;
    _ = state.any(|value| {
        if let Value::Number(number) = value
            && let Some(link) = plain(number).filter(|link| link.symbol == symbol)
            && is_near(number, true)
        {
            let own = number.range.smin() - link.add;
            least = Some(least.map_or(own, |known| known.max(own)));
        }
        false
    });
    least
}
