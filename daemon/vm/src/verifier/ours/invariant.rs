//! Guesses at what is true at the head of a loop in every round.
//!
//! Nothing here has to be right: `attempt` checks it.

use super::super::domain::{Arithmetic, Scalar, arithmetic};
use super::checker::Checker;
use super::stack::Found;
use super::state::{Anchor, Bounds, Order, State};
use super::trail::Registers;
use super::trips::{Course, Test};
use super::value::{Absent, Link, Number, Pointer, Region, Symbol, Value, shifted};
use std::rc::Rc;

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Register(usize, usize),
    Piece(usize, i16, u8),
}

/// How a value changes from round to round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Stays,
    /// By the same number each time.
    Steps(i64),
    Varies,
}

#[derive(Clone, Copy, Debug)]
pub struct Change {
    at: At,
    how: How,
}

/// What is guessed of numbers that change irregularly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Widening {
    Unknown,
    Thresholds,
    Hulls,
}

/// The state in which a loop is entered, with a symbol for every value, and without dead ones.
pub fn probe(entry: &State, live: Registers, fresh: &mut Symbol) -> State {
    let mut state = entry.clone();
    for register in 0..10 {
        if live >> register & 1 == 0 {
            state.frame_mut().registers[register] = Value::Absent(Absent::Varies);
        }
    }
    state.update(|value| {
        if let Some(link @ None) = value.link_mut() {
            *fresh += 1;
            *link = Some(Link::to(*fresh));
            if let Value::Pointer(pointer) = value
                && let Some(offset) = pointer.offset.known()
            {
                pointer.link = Some(Link {
                    add: offset as i64,
                    ..Link::to(*fresh)
                });
            }
        }
    });
    state
}

fn places(state: &State) -> Vec<At> {
    let mut places = Vec::new();
    for (depth, frame) in state.frames.iter().enumerate() {
        places.extend((0..10).map(|register| At::Register(depth, register)));
        let pieces = frame.stack.pieces().iter();
        places.extend(pieces.map(|piece| At::Piece(depth, piece.at, piece.size)));
    }
    places
}

fn value(state: &State, at: At) -> Value {
    match at {
        At::Register(depth, register) => state.frames[depth].registers[register],
        At::Piece(depth, at, size) => {
            match state.frames[depth].stack.load(at.into(), size.into()) {
                Found::Value(value) => value,
                _ => Value::Absent(Absent::Varies),
            }
        }
    }
}

fn set(state: &mut State, at: At, value: Value) {
    match at {
        At::Register(depth, register) => {
            Rc::make_mut(&mut state.frames[depth]).registers[register] = value;
        }
        At::Piece(depth, at, size) => {
            let stack = &mut Rc::make_mut(&mut state.frames[depth]).stack;
            match value {
                Value::Absent(_) => stack.forget(at.into(), size.into()),
                value => stack.store(at.into(), size.into(), value),
            }
        }
    }
}

/// How everything changes, after the states that came back.
pub fn changes(probe: &State, posts: &[State], live: Registers) -> Vec<Change> {
    let depth = probe.depth();
    let is_dead = |at: At| matches!(at, At::Register(own, register) if own == depth && live >> register & 1 == 0);
    let how = |at: At| {
        let before = value(probe, at);
        let mut all = None;
        for post in posts {
            let how = change(probe, &before, post, &value(post, at));
            match all {
                None => all = Some(how),
                Some(known) if known == how => {}
                Some(_) => return How::Varies,
            }
        }
        all.unwrap_or(How::Varies)
    };
    let places = places(probe).into_iter().filter(|at| !is_dead(*at));
    places.map(|at| Change { at, how: how(at) }).collect()
}

/// Take back what a state that came back from a guess shows to be wrong; whether anything was.
pub fn demote(changes: &mut [Change], guess: &State, post: &State) -> bool {
    let mut any = false;
    for change_ in changes
        .iter_mut()
        .filter(|change| change.how != How::Varies)
    {
        let before = value(guess, change_.at);
        let how = change(guess, &before, post, &value(post, change_.at));
        if how != change_.how && !before.is_absent() {
            change_.how = How::Varies;
            any = true;
        }
    }
    any
}

fn change(probe: &State, before: &Value, post: &State, after: &Value) -> How {
    let steps = |number: i64| match number {
        0 => How::Stays,
        number => How::Steps(number),
    };
    match (before, after) {
        (Value::Absent(_), _) => How::Stays,
        (Value::Number(a), Value::Number(b)) => {
            let difference = difference(a.link, b.link);
            if let Some(number) = difference {
                return steps(number);
            }
            match (a.range.known(), b.range.known()) {
                (Some(a), Some(b)) if a == b => How::Stays,
                _ => How::Varies,
            }
        }
        (Value::Pointer(a), Value::Pointer(b)) | (Value::Half(a), Value::Half(b)) => {
            if a == b {
                return How::Stays;
            }
            let (mut b, a) = (*b, *a);
            loop {
                if a.region == b.region {
                    let known = a.offset.known().zip(b.offset.known());
                    let known = known.map(|(a, b)| (b as i64).wrapping_sub(a as i64));
                    return known
                        .or_else(|| difference(a.link, b.link))
                        .map_or(How::Varies, steps);
                }
                match post.by_parent(&b) {
                    Some(next) => b = next,
                    None => break,
                }
            }
            let (a, b) = (probe.rooted(&a), post.rooted(&b));
            let same = a.region == b.region;
            let difference = difference(a.link, b.link).filter(|_| same);
            difference.map_or(How::Varies, steps)
        }
        _ => How::Varies,
    }
}

fn difference(a: Option<Link>, b: Option<Link>) -> Option<i64> {
    let (a, b) = (a?, b?);
    let same = a.symbol == b.symbol && a.factor == b.factor;
    same.then(|| b.add.wrapping_sub(a.add))
}

/// Rounds that a first guess allows, before it is known how many there are.
pub const MANY: i64 = 1 << 20;

/// A guess, and what its symbols do from round to round.
pub struct Guess {
    pub state: State,
    /// By symbol: where it begins, and its step.
    courses: Vec<(Symbol, Course)>,
}

impl Guess {
    /// The last round that can begin, counted from 0, as the tests say.
    pub fn last_round(&self, tests: &[Test]) -> Option<i64> {
        let course = |symbol: Symbol| {
            let found = self.courses.iter().find(|(name, _)| *name == symbol);
            found.map(|(_, course)| *course)
        };
        tests
            .iter()
            .filter_map(|test| test.last_round(course))
            .min()
    }
}

/// What a guess is made from.
pub struct Evidence<'a> {
    /// The state in which the loop is entered.
    pub entry: &'a State,
    pub changes: &'a [Change],
    /// States that came back to the head.
    pub posts: &'a [&'a State],
    /// A guess without bounds.
    pub survey: Option<&'a State>,
    /// The last of them, that came back from it.
    pub surveyed: &'a [State],
    pub widening: Widening,
    /// The last round that can begin, counted from 0.
    pub last: i64,
}

/// What may be true at the head in every round.
pub fn guess(evidence: &Evidence<'_>, dead: &State, checker: &mut Checker<'_>) -> Guess {
    let Evidence {
        entry,
        changes,
        posts,
        ..
    } = *evidence;
    let mut state = entry.clone();
    for frame in 0..state.frames.len() {
        for register in 0..10 {
            let probed = &dead.frames[frame].registers[register];
            if probed.is_absent() {
                Rc::make_mut(&mut state.frames[frame]).registers[register] = *probed;
            }
        }
        let own = &mut Rc::make_mut(&mut state.frames[frame]).stack;
        for post in posts {
            *own = own.common(&post.frames[frame].stack);
        }
    }
    let round = checker.fresh();
    Rc::make_mut(&mut state.bounds).push(Bounds {
        symbol: round,
        low: 0,
        high: evidence.last,
    });
    let rounds = Course {
        start: (0, 0),
        step: 1,
    };
    let mut stepper = Stepper {
        evidence,
        round,
        courses: vec![(round, rounds)],
        groups: Vec::new(),
    };
    for change in changes {
        let before = value(entry, change.at);
        let after = match change.how {
            How::Stays => continue,
            How::Steps(step) => {
                let after = stepper.stepped(&before, step, checker);
                stepper.anchored(&mut state, change.at, after, checker)
            }
            How::Varies => varied(&before, change.at, posts, evidence.widening, checker),
        };
        set(&mut state, change.at, after);
    }
    let courses = stepper.courses;
    forget_new_pointers(&mut state, entry, posts);
    orders(&mut state, evidence, round);
    state.tidy();
    Guess { state, courses }
}

/// Makes the values that step.
struct Stepper<'a> {
    evidence: &'a Evidence<'a>,
    round: Symbol,
    courses: Vec<(Symbol, Course)>,
    /// Symbols of the entry, their steps, and the symbols that stand for them.
    groups: Vec<(Symbol, i64, Symbol)>,
}

impl Stepper<'_> {
    /// A value that steps from where it is.
    fn stepped(&mut self, before: &Value, step: i64, checker: &mut Checker<'_>) -> Value {
        let Some(range) = before.range() else {
            return *before;
        };
        let Some(way) = step.checked_mul(self.evidence.last) else {
            return Value::Absent(Absent::Varies);
        };
        let moved = Scalar::signed(way.min(0), way.max(0));
        let after = arithmetic(Arithmetic::Add, true, range, moved);
        let link = match range.known() {
            Some(start) => Some(Link {
                symbol: self.round,
                factor: step,
                add: start as i64,
            }),
            None => Some(self.group(before, range, step, checker)),
        };
        let mut value = *before;
        if let Some(own) = value.range_mut() {
            *own = after;
        }
        if let Some(own) = value.link_mut() {
            *own = link;
        }
        if let Value::Number(number) = &mut value {
            number.distance = None;
        }
        value
    }

    /// The link of a value that does not begin at a known number; others may be tied to it.
    fn group(
        &mut self,
        before: &Value,
        range: Scalar,
        step: i64,
        checker: &mut Checker<'_>,
    ) -> Link {
        let link = before.link().filter(|link| link.factor == 1);
        let link = link.unwrap_or_else(|| Link::to(checker.fresh()));
        let known = self
            .groups
            .iter()
            .find(|(old, by, _)| (*old, *by) == (link.symbol, step));
        if let Some((.., symbol)) = known {
            return Link {
                symbol: *symbol,
                ..link
            };
        }
        let symbol = checker.fresh();
        self.groups.push((link.symbol, step, symbol));
        let start = shifted(range, link.add.wrapping_neg());
        let start = (i128::from(start.smin()), i128::from(start.smax()));
        self.courses.push((symbol, Course { start, step }));
        Link { symbol, ..link }
    }

    /// A pointer into the data of which it is known in every round how much follows it.
    fn anchored(
        &mut self,
        state: &mut State,
        at: At,
        after: Value,
        checker: &mut Checker<'_>,
    ) -> Value {
        let Value::Pointer(pointer) = after else {
            return after;
        };
        let Region::Data(parent) = pointer.region else {
            return after;
        };
        let evidence = self.evidence;
        let before = value(evidence.entry, at);
        let mut readable = readable_from(evidence.entry, &before);
        let surveyed = evidence.surveyed.iter();
        let posts = evidence.posts.iter().copied();
        let known: Vec<&State> = match evidence.surveyed.is_empty() {
            // To begin with, what the first round left.
            true => posts.collect(),
            false => surveyed.collect(),
        };
        for post in known {
            readable = readable.min(readable_from(post, &value(post, at)));
        }
        let uses_up = |survey| readable < readable_from(survey, &value(survey, at));
        if evidence.survey.is_some_and(uses_up) {
            return after;
        }
        if readable <= readable_from(state, &after) {
            return after;
        }
        let anchor = Anchor {
            name: checker.fresh(),
            root: state.anchor(parent).root,
            parent,
            place: pointer.offset,
            link: pointer.link,
            readable,
        };
        Rc::make_mut(&mut state.anchors).push(anchor);
        Value::Pointer(Pointer::to(Region::Data(anchor.name), 0))
    }
}

/// Bytes that are known to follow a pointer into the data.
fn readable_from(state: &State, value: &Value) -> i64 {
    let Value::Pointer(pointer) = value else {
        return i64::MIN;
    };
    let Region::Data(name) = pointer.region else {
        return i64::MIN;
    };
    let anchor = state.anchor(name);
    let own = anchor.readable.saturating_sub(pointer.offset.smax());
    let place = state.rooted(pointer).offset;
    own.max(
        state
            .anchor(anchor.root)
            .readable
            .saturating_sub(place.smax()),
    )
}

/// A value that changes irregularly.
fn varied(
    before: &Value,
    at: At,
    posts: &[&State],
    widening: Widening,
    checker: &Checker<'_>,
) -> Value {
    let Value::Number(number) = before else {
        return Value::Absent(Absent::Varies);
    };
    let mut hull = number.range;
    for post in posts {
        match value(post, at) {
            Value::Number(other) => hull = hull.hull(other.range),
            _ => return Value::Absent(Absent::Varies),
        }
    }
    if let At::Piece(_, _, size) = at
        && widening == Widening::Unknown
    {
        return Value::number(Scalar::loaded(size.into()));
    }
    match widening {
        Widening::Unknown => Value::UNKNOWN,
        Widening::Thresholds => Value::number(widened(hull, checker)),
        Widening::Hulls => Value::Number(Number::of(hull)),
    }
}

/// The least of some round ranges that holds a number: constants of the program's comparisons,
/// and powers of two.
fn widened(range: Scalar, checker: &Checker<'_>) -> Scalar {
    if range.smin() < 0 {
        return match range.smin() >= i32::MIN.into() && range.smax() <= i32::MAX.into() {
            true => Scalar::signed(i32::MIN.into(), i32::MAX.into()),
            false => Scalar::UNKNOWN,
        };
    }
    let mut limits = vec![0xff, 0xffff, u32::MAX.into(), i64::MAX as u64, u64::MAX];
    for insn in checker.code {
        let is_jump = matches!(
            insn.class(),
            crate::isa::class::JMP | crate::isa::class::JMP32
        );
        if is_jump && !insn.is_register_source() && insn.imm > 0 && insn.opcode != crate::isa::CALL
        {
            limits.push(insn.imm as u64);
        }
    }
    let limit = limits
        .into_iter()
        .filter(|limit| *limit >= range.umax())
        .min();
    Scalar::unsigned(0, limit.unwrap_or(u64::MAX))
}

/// Where a round leaves pointers on the stack that were not there before, nothing is left.
fn forget_new_pointers(state: &mut State, entry: &State, posts: &[&State]) {
    for depth in 0..state.frames.len() {
        for post in posts {
            for piece in post.frames[depth].stack.pieces() {
                let is_pointer = piece.value.as_pointer().is_some();
                let known = entry.frames[depth].stack.pieces().iter();
                let mut same =
                    known.filter(|other| (other.at, other.size) == (piece.at, piece.size));
                if is_pointer && same.next().is_none() {
                    let stack = &mut Rc::make_mut(&mut state.frames[depth]).stack;
                    stack.forget(piece.at.into(), piece.size.into());
                }
            }
        }
    }
}

/// Numbers that stay below another one: as the states that came back from the survey say.
fn orders(state: &mut State, evidence: &Evidence<'_>, round: Symbol) {
    let Some(first) = evidence.surveyed.first() else {
        return;
    };
    // In the survey the round has another name: it is what no state of the entry knows.
    for order in first.orders.iter() {
        let known = evidence
            .entry
            .any(|value| value.link().is_some_and(|link| link.symbol == order.lesser));
        let same = |other: &&Order| (other.lesser, other.greater) == (order.lesser, order.greater);
        let adds = evidence
            .surveyed
            .iter()
            .map(|post| post.orders.iter().find(same).map(|other| other.add));
        let Some(adds) = adds.collect::<Option<Vec<i64>>>() else {
            continue;
        };
        if !known {
            // Of the round that has ended; the next one is greater by 1.
            let add = adds.into_iter().max().unwrap_or(0).saturating_add(1);
            let order = Order {
                lesser: round,
                greater: order.greater,
                add,
            };
            Rc::make_mut(&mut state.orders).push(order);
        }
    }
}

/// All symbols of a state's values and places.
pub fn symbols(state: &State) -> Vec<Symbol> {
    let anchors = state.anchors.iter();
    let mut symbols: Vec<Symbol> = anchors
        .filter_map(|anchor| Some(anchor.link?.symbol))
        .collect();
    _ = state.any(|value| {
        symbols.extend(value.link().map(|link| link.symbol));
        false
    });
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

/// The least and the greatest that a symbol can be.
pub fn bounds(state: &State, symbol: Symbol) -> Option<(i64, i64)> {
    if let Some(bounds) = state.bounds.iter().find(|each| each.symbol == symbol) {
        return Some((bounds.low, bounds.high));
    }
    let mut found = None;
    _ = state.any(|value| {
        if let (Some(link), Some(range)) = (value.link(), value.range())
            && link.symbol == symbol
            && link.factor == 1
        {
            let range = shifted(range, link.add.wrapping_neg());
            // Only where nothing wraps does each step lead on.
            if range.smin() > i64::MIN / 2 && range.smax() < i64::MAX / 2 {
                found = Some((range.smin(), range.smax()));
            }
        }
        found.is_some()
    });
    found
}
