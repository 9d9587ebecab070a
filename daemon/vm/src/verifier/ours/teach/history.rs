//! How a register came to what it is: its value followed back along the path.
//!
//! The value is followed from where it is used to where it was made, through
//! copies, the stack and calls of functions.  Where a pointer and a number are
//! added, the one goes on that the problem is about.

use super::super::stack::Found;
use super::super::state::State;
use super::super::trail::effect;
use super::super::value::{Absent, Region, Value, shifted};
use super::replay::{Replay, Step};
use super::{Change, Event, Spot, words};
use crate::isa::{self, CALL, FRAME_POINTER, Insn, alu, class, mem};

/// Events that are told.
const MOST: usize = 12;

/// What of a register a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    Value,
    /// The number that its offset varies by.
    Offset,
    /// The bytes at this offset of the frame that it leads to.
    Stack(i64),
}

pub struct History {
    /// The oldest first.
    pub events: Vec<Event>,
    /// The call that gave the value, if one did.
    pub call: Option<String>,
    /// The step in which the register itself got its value.
    pub written: Option<usize>,
    /// The instruction after which what was saved on the stack had no value any more.
    pub lost: Option<usize>,
}

/// Where the value is at a point of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Register(usize, u8),
    /// So many bytes of the frame at a depth.
    Stack(usize, i64, i64),
}

/// What an instruction does to the place that is followed.
enum Done {
    Nothing,
    /// The value comes from another place.
    From(Place, Option<(Change, String)>),
    /// It was made here.
    Made(Change, String),
}

/// The history of a register at the end of the path.
pub fn of(replay: &Replay<'_>, register: u8, matter: Matter) -> History {
    let state = replay.last();
    let place = match (matter, state.register(register)) {
        (Matter::Stack(at), Value::Pointer(pointer)) => match pointer.region {
            Region::Stack(depth) => Place::Stack(depth.into(), at, 1),
            _ => Place::Register(state.depth(), register),
        },
        _ => Place::Register(state.depth(), register),
    };
    let mut tracer = Tracer {
        replay,
        place,
        moved: matter == Matter::Offset,
        history: History {
            events: Vec::new(),
            call: None,
            written: None,
            lost: None,
        },
    };
    for step in replay.steps().rev() {
        if tracer.history.events.len() >= MOST || tracer.goes_back(&step) {
            break;
        }
    }
    if let (Place::Stack(..), None) = (tracer.place, tracer.history.lost) {
        // Nothing was ever there.
        tracer.history.events.clear();
    }
    tracer.history.events.reverse();
    tracer.history
}

struct Tracer<'a> {
    replay: &'a Replay<'a>,
    place: Place,
    moved: bool,
    history: History,
}

impl Tracer<'_> {
    /// Go back over one step; true: the value was made there.
    fn goes_back(&mut self, step: &Step<'_>) -> bool {
        if self.is_lost(step) {
            self.history.lost.get_or_insert(step.pc);
            self.note_refinement(step);
            self.widen(step);
            return false;
        }
        match self.done(step) {
            Done::Nothing => {
                self.note_refinement(step);
                false
            }
            Done::From(place, event) => {
                self.history.written.get_or_insert(step.number);
                if let Some((change, words)) = event {
                    self.note(step, change, words);
                }
                self.place = place;
                false
            }
            Done::Made(change, words) => {
                self.history.written.get_or_insert(step.number);
                self.note(step, change, words);
                true
            }
        }
    }

    /// Whether what was saved on the stack has no value afterwards.
    fn is_lost(&self, step: &Step<'_>) -> bool {
        let is_there = |state| at(state, self.place).is_some_and(|value| !value.is_absent());
        let is_slot = matches!(self.place, Place::Stack(..));
        is_slot && self.holder(step.before).is_some() && !is_there(step.after)
    }

    /// The piece of the stack that the place is in.
    fn holder(&self, state: &State) -> Option<Place> {
        let Place::Stack(depth, at, size) = self.place else {
            return None;
        };
        let pieces = state.frames.get(depth)?.stack.pieces();
        let found = pieces.iter().find(|piece| {
            let (from, length) = (i64::from(piece.at), i64::from(piece.size));
            from <= at && at + size <= from + length
        })?;
        Some(Place::Stack(depth, found.at.into(), found.size.into()))
    }

    /// Follow the whole of what the place was a part of.
    fn widen(&mut self, step: &Step<'_>) {
        if let Some(whole) = self.holder(step.before) {
            self.place = whole;
        }
    }

    fn note(&mut self, step: &Step<'_>, change: Change, words: String) {
        let place = Spot::new(self.replay.case, step.pc);
        self.history.events.push(Event {
            place,
            change,
            words,
        });
    }

    /// A comparison may have told more of the value.
    fn note_refinement(&mut self, step: &Step<'_>) {
        let own = self.holder(step.before).unwrap_or(self.place);
        let (Some(before), Some(after)) = (at(step.before, own), at(step.after, self.place)) else {
            return;
        };
        let told = |state: &State, value: &Value| words::value(self.replay.case, state, value);
        let (old, new) = (told(step.before, &before), told(step.after, &after));
        if old == new {
            return;
        }
        let change = match (after, step.insn.is_comparison()) {
            (Value::Absent(_), _) => Change::Invalidated,
            (_, true) => Change::Refined,
            _ => return,
        };
        let name = self.name();
        let words = match change {
            Change::Refined => {
                let holds =
                    super::path::holds(step.before, step.insn, step.after.pc != step.pc + 1);
                format!("{holds}: {name} {new}")
            }
            _ => match self.place {
                Place::Stack(..) => format!("{name} is lost; before, it {}", past(&old)),
                Place::Register(..) => format!("{name} {new}; before, it {}", past(&old)),
            },
        };
        self.note(step, change, words);
    }

    fn name(&self) -> String {
        match self.place {
            Place::Register(_, register) => format!("r{register}"),
            Place::Stack(..) => "what was saved".into(),
        }
    }

    fn done(&self, step: &Step<'_>) -> Done {
        let depth = step.before.depth();
        match self.place {
            Place::Register(at, register) if step.insn.is_exit() => {
                self.returned(step, at, register, depth)
            }
            Place::Register(at, register) if step.insn.is_local_call() && at == depth + 1 => {
                self.passed(step, register, depth)
            }
            Place::Register(at, register) if at == depth => self.written(step, register, depth),
            Place::Register(..) => Done::Nothing,
            Place::Stack(frame, from, size) => stored(step, frame, from, size),
        }
    }

    /// The place is in the frame that control returns to.
    fn returned(&self, step: &Step<'_>, at: usize, register: u8, depth: usize) -> Done {
        let function = self.replay.case.program.function_at(step.pc);
        match (at + 1 == depth, register) {
            (true, 0) => Done::From(
                Place::Register(depth, 0),
                Some((Change::Returned, format!("returned by {function}"))),
            ),
            (true, 1..=5) => {
                let value = step.after.register(register);
                let words = words::value(self.replay.case, step.after, value);
                Done::Made(Change::Invalidated, format!("r{register} {words}"))
            }
            _ => Done::Nothing,
        }
    }

    /// The place is in the frame that a call makes.
    fn passed(&self, step: &Step<'_>, register: u8, depth: usize) -> Done {
        let function = words::called(self.replay.case, step.pc);
        match register {
            1..=5 => Done::From(
                Place::Register(depth, register),
                Some((
                    Change::Passed,
                    format!("given to {function} in r{register}"),
                )),
            ),
            _ => Done::Made(Change::Passed, format!("{function} begins")),
        }
    }

    fn written(&self, step: &Step<'_>, register: u8, depth: usize) -> Done {
        let insn = step.insn;
        if insn.opcode == CALL && !insn.is_local_call() {
            return self.called(step, register);
        }
        if effect(insn).defined >> register & 1 == 0 {
            return Done::Nothing;
        }
        let case = self.replay.case;
        let words = words::value(case, step.after, step.after.register(register));
        let text = isa::describe(self.replay.code(), step.pc);
        match insn.class() {
            class::ALU | class::ALU64 => self.computed(step, register, depth, text, words),
            class::LDX => match stack_place(step.before, insn, insn.src) {
                Some((frame, at)) => Done::From(
                    Place::Stack(frame, at, insn.width() as i64),
                    Some((Change::Filled, format!("{text}: loaded from the stack"))),
                ),
                None => {
                    let from = match step.before.register(insn.src) {
                        Value::Pointer(pointer) => words::region(case, step.before, pointer.region),
                        _ => "memory".into(),
                    };
                    Done::Made(
                        Change::Written,
                        format!("{text}: loaded from {from}, r{register} {words}"),
                    )
                }
            },
            _ => Done::Made(Change::Written, format!("{text}: r{register} {words}")),
        }
    }

    fn computed(
        &self,
        step: &Step<'_>,
        register: u8,
        depth: usize,
        text: String,
        words: String,
    ) -> Done {
        let insn = step.insn;
        let told = |change, from: u8| {
            let event = (change, format!("{text}: r{register} {words}"));
            Done::From(Place::Register(depth, from), Some(event))
        };
        if insn.operation() == alu::MOV {
            return match insn.is_register_source() {
                true => told(Change::Copied, insn.src),
                false => Done::Made(Change::Written, format!("{text}: r{register} {words}")),
            };
        }
        let from = match insn.is_register_source() && insn.operation() != alu::END {
            true => self.interesting(step.before, insn),
            false => insn.dst,
        };
        told(Change::Written, from)
    }

    /// The operand that the problem is about.
    fn interesting(&self, state: &State, insn: Insn) -> u8 {
        let (a, b) = (state.register(insn.dst), state.register(insn.src));
        let known = |value: &Value| value.range().and_then(|range| range.known()).is_some();
        match (a.as_pointer().is_some(), b.as_pointer().is_some()) {
            (true, false) if self.moved && known(a) && !known(b) => insn.src,
            (false, true) if self.moved && known(b) && !known(a) => insn.dst,
            (true, _) => insn.dst,
            (false, true) => insn.src,
            _ if known(a) && !known(b) => insn.src,
            _ => insn.dst,
        }
    }

    /// A helper was called.
    fn called(&self, step: &Step<'_>, register: u8) -> Done {
        let case = self.replay.case;
        let call = words::called(case, step.pc);
        match register {
            0 => {
                let words = words::value(case, step.after, step.after.register(0));
                Done::Made(Change::Returned, format!("returned by {call}: r0 {words}"))
            }
            1..=5 => {
                let before = step.before.register(register);
                let words = words::value(case, step.before, before);
                Done::Made(
                    Change::Invalidated,
                    format!(
                        "{call} leaves no value in r{register}, which before {}",
                        past(&words)
                    ),
                )
            }
            _ => Done::Nothing,
        }
    }
}

/// "is 5" becomes "was 5".
fn past(words: &str) -> String {
    for (now, then) in [("is ", "was "), ("points ", "pointed "), ("has ", "had ")] {
        if let Some(rest) = words.strip_prefix(now) {
            return format!("{then}{rest}");
        }
    }
    words.to_owned()
}

fn at(state: &State, place: Place) -> Option<Value> {
    match place {
        Place::Register(depth, register) => {
            let frame = state.frames.get(depth)?;
            Some(frame.registers[usize::from(register)])
        }
        Place::Stack(depth, at, size) => match state.frames.get(depth)?.stack.load(at, size) {
            Found::Value(value) => Some(value),
            _ => Some(Value::Absent(Absent::Unwritten)),
        },
    }
}

/// The place on the stack that an instruction accesses through a register, if it is always the same.
pub fn stack_place(state: &State, insn: Insn, register: u8) -> Option<(usize, i64)> {
    let Value::Pointer(pointer) = state.register(register) else {
        return None;
    };
    let Region::Stack(depth) = pointer.region else {
        return None;
    };
    let at = shifted(pointer.offset, insn.offset.into()).known()?;
    Some((usize::from(depth), at as i64))
}

/// What a store does to a place on the stack.
fn stored(step: &Step<'_>, frame: usize, from: i64, size: i64) -> Done {
    let insn = step.insn;
    if !matches!(insn.class(), class::ST | class::STX) || insn.mode() == mem::ATOMIC {
        return Done::Nothing;
    }
    let Some((depth, at)) = stack_place(step.before, insn, insn.dst) else {
        return Done::Nothing;
    };
    let width = insn.width() as i64;
    if depth != frame || at + width <= from || at >= from + size {
        return Done::Nothing;
    }
    let name = match insn.dst {
        FRAME_POINTER => format!("saved on the stack, {} below its top", words::bytes(-at)),
        _ => "saved on the stack".into(),
    };
    match insn.class() {
        class::STX => Done::From(
            Place::Register(step.before.depth(), insn.src),
            Some((Change::Spilled, format!("r{} is {name}", insn.src))),
        ),
        _ => Done::Made(
            Change::Written,
            format!("{} is {name}", words::number(i64::from(insn.imm) as u64)),
        ),
    }
}
