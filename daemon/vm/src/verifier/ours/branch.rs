//! Comparisons: which way control can go, and what is known on each way.

use super::super::domain::{Comparison, Scalar, assume, decide};
use super::super::mutation::{self, Mutation};
use super::access::{FAR, LOWEST};
use super::checker::{Check, Checker, Next, called};
use super::orders;
use super::problem::Problem;
use super::state::{Anchor, DATA, META, State};
use super::symbols;
use super::value::{Link, Pointer, Region, Value};
use crate::contract::{MAX_DATA_SIZE, MAX_META_SIZE};
use crate::isa::{CALL, EXIT, Insn, class, jump};
use std::rc::Rc;

impl Checker<'_> {
    pub fn jump(&mut self, state: &mut State, insn: Insn) -> Check<Next> {
        let pc = state.pc;
        let target = insn
            .distance()
            .map(|distance| (pc as i64 + 1 + distance) as usize);
        if insn.is_goto() {
            state.pc = target.unwrap_or(pc + 1);
            return Ok(Next::Go);
        }
        match insn.opcode {
            EXIT => return self.leave(state),
            CALL if insn.is_local_call() => {
                self.enter(state, target.unwrap_or(0))?;
                return Ok(Next::Go);
            }
            CALL => return self.call(state, insn),
            _ => {}
        }
        let mut other = state.clone();
        let taken = self.assume(&mut other, insn, true)?;
        let stays = self.assume(state, insn, false)?;
        other.pc = target.unwrap_or(pc + 1);
        state.pc = pc + 1;
        if taken != stays && !mutation::on(Mutation::DecisionNotDemanded) {
            // The numbers decided it, so the verdict depends on them.
            self.needs(insn.dst);
            if insn.is_register_source() {
                self.needs(insn.src);
            }
        }
        Ok(match (taken, stays) {
            (true, true) => Next::Fork(Box::new(other)),
            (false, true) => Next::Go,
            (true, false) => {
                *state = other;
                Next::Go
            }
            (false, false) => Next::Never,
        })
    }

    /// Take in that a comparison holds, or does not; false: it cannot be so.
    fn assume(&mut self, state: &mut State, insn: Insn, holds: bool) -> Check<bool> {
        let wide = insn.class() == class::JMP;
        let op = comparison(insn);
        let a = *self.present(state, insn.dst)?;
        let b = match insn.is_register_source() {
            true => *self.present(state, insn.src)?,
            false => Value::constant(match wide {
                true => i64::from(insn.imm) as u64,
                false => insn.imm as u32 as u64,
            }),
        };
        let second = insn.is_register_source().then_some(insn.src);
        let refuse = Err(Problem::PointerComparison {
            registers: [Some(insn.dst), second],
            wide,
        });
        match (a, b) {
            (Value::Number(x), Value::Number(y)) => {
                if Some(insn.dst) == second {
                    return Ok(same_compared(op, wide, x.range, holds));
                }
                if x.range.known().is_none() && y.range.known().is_none() {
                    // Each bounds the other one.
                    self.needs(insn.dst);
                    self.needs(insn.src);
                } else if let (Some(register), true) = (second, y.range.known().is_some()) {
                    self.needs(register);
                } else if second.is_some() {
                    self.needs(insn.dst);
                }
                Ok(self.assume_numbers(state, insn, (op, wide, holds), x.range, y.range))
            }
            (Value::Pointer(pointer), Value::Number(number))
            | (Value::Number(number), Value::Pointer(pointer)) => {
                second.into_iter().for_each(|register| self.needs(register));
                self.needs(insn.dst);
                let is_null_test = number.range.known() == Some(0)
                    && (wide || mutation::on(Mutation::NullByLowHalf))
                    && matches!(op, Comparison::Eq | Comparison::Ne);
                if is_null_test {
                    let is_null = (op == Comparison::Eq) == holds;
                    return Ok(assume_null(state, &pointer, is_null));
                }
                if self.case.information.is_privileged {
                    return Ok(true);
                }
                refuse
            }
            (Value::Pointer(x), Value::Pointer(y)) if wide => {
                match self.assume_pointers(state, insn, (op, holds), &x, &y) {
                    Some(possible) => Ok(possible),
                    None if self.case.information.is_privileged => Ok(true),
                    None => refuse,
                }
            }
            _ if self.case.information.is_privileged => Ok(true),
            _ => refuse,
        }
    }

    fn assume_numbers(
        &mut self,
        state: &mut State,
        insn: Insn,
        (op, wide, holds): (Comparison, bool, bool),
        x: Scalar,
        y: Scalar,
    ) -> bool {
        if decide(op, wide, x, y).is_some_and(|way| way != holds) {
            return false;
        }
        let Some((x_after, y_after)) = assume(op, wide, holds, x, y) else {
            return false;
        };
        if wide {
            orders::note(state, insn, op, holds);
        }
        if x_after != x {
            narrow(state, insn.dst, x_after);
        }
        if insn.is_register_source() && y_after != y {
            narrow(state, insn.src, y_after);
        }
        true
    }

    /// Pointers of one region; `None`: they cannot be compared.
    fn assume_pointers(
        &mut self,
        state: &mut State,
        insn: Insn,
        (op, holds): (Comparison, bool),
        x: &Pointer,
        y: &Pointer,
    ) -> Option<bool> {
        if x.null != 0 || y.null != 0 {
            return (x.region == y.region).then_some(true);
        }
        let order = Order::of(op, holds)?;
        if let (Region::Data(_), Some(edge)) = (x.region, edge(state, x, y)) {
            return Some(self.assume_edge(state, x, edge, order));
        }
        if let (Region::Data(_), Some(edge)) = (y.region, edge(state, y, x)) {
            return Some(self.assume_edge(state, y, edge, order.swapped()));
        }
        let (a, b) = match (x.region, y.region) {
            (Region::Data(own), Region::Data(other)) if own != other => {
                (state.rooted(x), state.rooted(y))
            }
            _ => (*x, *y),
        };
        if a.region != b.region {
            return None;
        }
        if matches!(
            a.region,
            Region::MapValue(_) | Region::Map(_) | Region::Object(_) | Region::Memory { .. }
        ) {
            // Of one map or size, but perhaps not the same value.
            return Some(true);
        }
        if wraps(a.offset) || wraps(b.offset) {
            return Some(true);
        }
        // Addresses do not wrap within a region, so they are ordered as their offsets are.
        let op = signed(op);
        if decide(op, true, a.offset, b.offset).is_some_and(|way| way != holds) {
            return Some(false);
        }
        let Some((a_after, b_after)) = assume(op, true, holds, a.offset, b.offset) else {
            return Some(false);
        };
        if x.region != y.region {
            return Some(true);
        }
        if a_after != a.offset {
            narrow(state, insn.dst, a_after);
        }
        if b_after != b.offset {
            narrow(state, insn.src, b_after);
        }
        Some(true)
    }

    /// A pointer into the data is compared with its end, or one into the metadata with its.
    fn assume_edge(
        &mut self,
        state: &mut State,
        pointer: &Pointer,
        edge: Edge,
        order: Order,
    ) -> bool {
        let Region::Data(name) = pointer.region else {
            return true;
        };
        let from_root = state.rooted(pointer);
        let is_far = pointer.offset.smin() < -FAR || pointer.offset.smax() > FAR;
        if wraps(from_root.offset) || edge.add < -LOWEST || is_far {
            return true;
        }
        let known = state
            .anchor(name)
            .readable
            .saturating_sub(pointer.offset.smax());
        let root = state.anchor(edge.root);
        let known = known.max(root.readable.saturating_sub(from_root.offset.smax()));
        let needed = match order {
            Order::Less => 1 - edge.add,
            Order::LessOrEqual if mutation::on(Mutation::OneByteMore) => 1 - edge.add,
            Order::LessOrEqual | Order::Equal => -edge.add,
            Order::NotEqual if known >= -edge.add => 1 - edge.add,
            Order::NotEqual => return true,
            // It is behind what is known to exist, or just where that ends.
            Order::Greater => return known < -edge.add,
            Order::GreaterOrEqual => return known < 1 - edge.add,
        };
        if order == Order::Equal && known > -edge.add {
            return false;
        }
        let twice = match mutation::on(Mutation::EdgeTwice) {
            true => edge.add,
            false => 0,
        };
        let most = edge.most.saturating_sub(needed).saturating_add(twice);
        if from_root.offset.smin() > most {
            return false;
        }
        limit(state, pointer, most);
        self.reach(state, pointer, name, needed, edge.root);
        true
    }

    /// So many bytes from where a pointer leads exist.
    fn reach(&mut self, state: &mut State, pointer: &Pointer, name: u32, bytes: i64, root: u32) {
        symbols::reach(state, name, bytes.saturating_add(pointer.offset.smin()));
        if pointer.offset.known().is_some() {
            return;
        }
        let own = state.anchor(name);
        let from_root = state.rooted(pointer);
        let by_own = own.readable.saturating_sub(pointer.offset.smax());
        let by_root = state.anchor(root).readable;
        let by_root = by_root.saturating_sub(from_root.offset.smax());
        let Some(link) = pointer.link.filter(|_| by_own.max(by_root) < bytes) else {
            return;
        };
        // From now on the place itself is an anchor, and what moves with it is counted from it.
        let anchor = Anchor {
            name: self.fresh(),
            root: own.root,
            parent: name,
            place: pointer.offset,
            link: Some(link),
            readable: bytes,
        };
        Rc::make_mut(&mut state.anchors).push(anchor);
        state.update(|value| count_from(value, name, link, anchor.name));
    }
}

/// Whether an address with this offset from the start of something that exists may wrap.
fn wraps(offset: Scalar) -> bool {
    offset.smin() < -LOWEST || offset.smax() > FAR
}

/// Count a pointer that differs by a constant from the one with this link from a new anchor.
fn count_from(value: &mut Value, old: u32, link: Link, new: u32) {
    let (Value::Pointer(pointer) | Value::Half(pointer)) = value else {
        return;
    };
    let Some(own) = pointer.link else { return };
    let same = own.symbol == link.symbol && own.factor == link.factor;
    if pointer.region == Region::Data(old) && same {
        pointer.region = Region::Data(new);
        pointer.offset = Scalar::constant(own.add.wrapping_sub(link.add) as u64);
        pointer.link = None;
    }
}

/// No pointer that is followed by bytes that exist is behind this place, counted from the root.
fn limit(state: &mut State, pointer: &Pointer, most: i64) {
    let from_root = state.rooted(pointer);
    let range = from_root.offset.meet(Scalar::signed(i64::MIN, most));
    if let (Some(link), Some(range)) = (from_root.link, range)
        && range != from_root.offset
    {
        symbols::learn(state, link, range);
    } else if let Some(link) = pointer.link
        && let Region::Data(name) = pointer.region
    {
        let most = most.saturating_sub(state.place(name).smin());
        if let Some(range) = pointer.offset.meet(Scalar::signed(i64::MIN, most)) {
            symbols::learn(state, link, range);
        }
    }
}

/// Take in the range of a register, and what follows for others.
fn narrow(state: &mut State, register: u8, range: Scalar) {
    let value = &mut state.frame_mut().registers[usize::from(register)];
    let link = value.link();
    let distance = value.as_number().and_then(|number| number.distance);
    if let Some(own) = value.range_mut() {
        *own = range;
    }
    if let Some(distance) = distance {
        let bytes = distance.add.saturating_add(range.smin());
        symbols::reach(state, distance.anchor, bytes);
    }
    if let Some(link) = link {
        symbols::learn(state, link, range);
    }
}

fn assume_null(state: &mut State, pointer: &Pointer, is_null: bool) -> bool {
    if pointer.null != 0 {
        symbols::decide_null(state, pointer.null, is_null);
        return true;
    }
    let offset = pointer.offset;
    let is_near = offset.smin() >= -FAR && offset.smax() <= FAR;
    !(is_null && is_near)
}

/// A register compared with itself.
fn same_compared(op: Comparison, wide: bool, range: Scalar, holds: bool) -> bool {
    use Comparison::*;
    let way = match op {
        Eq | Ge | Le | SGe | SLe => Some(true),
        Ne | Gt | Lt | SGt | SLt => Some(false),
        Set => decide(Ne, wide, range, Scalar::constant(0)),
    };
    way.is_none_or(|way| way == holds)
}

/// A place `add` bytes behind the end of what a pointer leads into, which has at most `most` bytes.
#[derive(Clone, Copy)]
struct Edge {
    add: i64,
    root: u32,
    most: i64,
}

/// The edge that `other` is for `pointer`.
fn edge(state: &State, pointer: &Pointer, other: &Pointer) -> Option<Edge> {
    let Region::Data(name) = pointer.region else {
        return None;
    };
    let root = state.anchor(name).root;
    let add = other.offset.known()? as i64;
    if add.abs() > FAR {
        return None;
    }
    let size = |size: usize| size as i64;
    match (root, other.region) {
        (DATA, Region::End) => Some(Edge {
            add,
            root,
            most: size(MAX_DATA_SIZE),
        }),
        (META, Region::Data(DATA)) => Some(Edge {
            add,
            root,
            most: size(MAX_META_SIZE),
        }),
        _ => None,
    }
}

/// How two pointers are ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn of(op: Comparison, holds: bool) -> Option<Self> {
        use Comparison::*;
        let order = match op {
            Eq => Self::Equal,
            Ne => Self::NotEqual,
            Lt | SLt => Self::Less,
            Le | SLe => Self::LessOrEqual,
            Gt | SGt => Self::Greater,
            Ge | SGe => Self::GreaterOrEqual,
            Set => return None,
        };
        Some(if holds { order } else { order.negated() })
    }

    fn negated(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    fn swapped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

fn signed(op: Comparison) -> Comparison {
    use Comparison::*;
    match op {
        Gt => SGt,
        Ge => SGe,
        Lt => SLt,
        Le => SLe,
        other => other,
    }
}

pub fn comparison(insn: Insn) -> Comparison {
    match insn.operation() {
        jump::JEQ => Comparison::Eq,
        jump::JGT => Comparison::Gt,
        jump::JGE => Comparison::Ge,
        jump::JSET => Comparison::Set,
        jump::JNE => Comparison::Ne,
        jump::JSGT => Comparison::SGt,
        jump::JSGE => Comparison::SGe,
        jump::JLT => Comparison::Lt,
        jump::JLE => Comparison::Le,
        jump::JSLT => Comparison::SLt,
        _ => Comparison::SLe,
    }
}

/// The registers that a call leaves without a value.
pub fn clobber(state: &mut State, pc: usize) {
    for register in 1..=5 {
        state.set(register, called(pc));
    }
}
