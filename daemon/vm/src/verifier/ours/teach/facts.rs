//! What is proved that comes nearest to what is needed, and the check that does not help.

use super::super::problem::{Problem, Wrong};
use super::super::state::State;
use super::super::value::{Region, Value};
use super::history::History;
use super::replay::{Replay, Step};
use super::words;

/// Empty where there is nothing to say.
#[derive(Default)]
pub struct Facts {
    pub best: String,
    pub nearest: String,
}

pub fn of(replay: &Replay<'_>, register: Option<u8>, history: Option<&History>) -> Facts {
    let problem = match &replay.violation.problem {
        Problem::Argument {
            wrong: Wrong::Memory(problem),
            ..
        } => problem,
        problem => problem,
    };
    let Some(register) = register else {
        return Facts::default();
    };
    match problem {
        Problem::PastData { root, .. } => of_data(replay, register, *root, history),
        Problem::MaybeNull { .. }
        | Problem::FixedPointer {
            maybe_null: true, ..
        }
        | Problem::Argument {
            wrong: Wrong::MaybeNull,
            ..
        } => of_null(replay, register, history),
        Problem::OutsideValue { .. }
        | Problem::BeforeData { .. }
        | Problem::OutsideStack { .. }
        | Problem::OutsideMemory { .. } => Facts {
            best: offset(replay, register),
            nearest: String::new(),
        },
        _ => Facts::default(),
    }
}

/// Which offsets the pointer can have.
fn offset(replay: &Replay<'_>, register: u8) -> String {
    let state = &replay.violation.state;
    let Value::Pointer(pointer) = state.register(register) else {
        return String::new();
    };
    let offset = state.rooted(pointer).offset;
    match offset.known() {
        Some(_) => String::new(),
        None => format!("the offset of r{register} is {}", words::range(offset)),
    }
}

fn of_data(replay: &Replay<'_>, register: u8, root: u32, history: Option<&History>) -> Facts {
    let state = &replay.violation.state;
    let readable = state.anchor(root).readable;
    let data = words::data(root);
    let mut best = match readable {
        ..=0 => format!("no byte of the {data} is proved to exist on this path"),
        count => format!(
            "{} proved to exist on this path{}",
            words::are(count),
            by(replay, root)
        ),
    };
    if let Value::Pointer(pointer) = state.register(register)
        && let Region::Data(anchor) = pointer.region
        && anchor != root
    {
        let own = state.anchor(anchor);
        if own.readable > 0 {
            best = format!(
                "{} proved to exist from where a check was made{}",
                words::are(own.readable),
                by(replay, anchor)
            );
        }
    }
    let nearest = check(replay, register, root, history).unwrap_or_default();
    Facts { best, nearest }
}

/// Where the bytes behind an anchor were proved.
fn by(replay: &Replay<'_>, anchor: u32) -> String {
    let readable = |state: &State| {
        let found = state.anchors.iter().find(|each| each.name == anchor);
        found.map(|anchor| anchor.readable)
    };
    let last = readable(replay.last());
    let found = replay
        .steps()
        .rev()
        .find(|step| readable(step.after) == last && readable(step.before) != last);
    match found {
        Some(step) => format!(", by {}", words::line(replay.case, step.pc)),
        None => String::new(),
    }
}

/// A register of a comparison that leads into the data, where the other one is its end.
fn checked(step: &Step<'_>, root: u32) -> Option<u8> {
    let insn = step.insn;
    if !insn.is_comparison() || !insn.is_register_source() {
        return None;
    }
    let leads = |register: u8| match step.before.register(register) {
        Value::Pointer(pointer) => match pointer.region {
            Region::Data(anchor) => step.before.anchor(anchor).root == root,
            _ => false,
        },
        _ => false,
    };
    let is_end = |register: u8| match step.before.register(register) {
        Value::Pointer(pointer) => pointer.region == Region::End,
        _ => false,
    };
    match (leads(insn.dst), leads(insn.src)) {
        (true, false) if is_end(insn.src) => Some(insn.dst),
        (false, true) if is_end(insn.dst) => Some(insn.src),
        _ => None,
    }
}

/// The last check against the end of the data, and why it does not help.
fn check(
    replay: &Replay<'_>,
    register: u8,
    root: u32,
    history: Option<&History>,
) -> Option<String> {
    let case = replay.case;
    let (step, of) = replay
        .steps()
        .rev()
        .find_map(|step| Some((step, checked(&step, root)?)))?;
    let line = words::line(case, step.pc);
    let told = step.after.anchors != step.before.anchors;
    if !told {
        let holds = super::path::holds(step.before, step.insn, step.after.pc != step.pc + 1);
        return Some(format!(
            "{line} makes a check, but on this path it found that {holds}"
        ));
    }
    let state = &replay.violation.state;
    let Value::Pointer(pointer) = state.register(register) else {
        return None;
    };
    let whole = state.rooted(pointer);
    if whole.offset.known().is_some() {
        return Some(format!("the check at {line} is for fewer bytes"));
    }
    let written = history.and_then(|history| history.written);
    if let Some(written) = written.filter(|written| *written > step.number) {
        let at = replay.steps().find(|step| step.number == written)?;
        return Some(format!(
            "the check at {line} is of r{of}, but r{register} got its value later, at {}",
            words::line(case, at.pc)
        ));
    }
    match of == register {
        true => Some(format!("the check at {line} is for fewer bytes")),
        false => Some(format!(
            "the check at {line} is of r{of}, whose offset r{register} does not share"
        )),
    }
}

fn of_null(replay: &Replay<'_>, register: u8, history: Option<&History>) -> Facts {
    let case = replay.case;
    let origin = history.and_then(|history| history.events.first());
    let best = match origin {
        Some(event) if event.change == super::Change::Returned => format!(
            "r{register} may be NULL: it comes from {}",
            words::call_at(case, event.place.pc as u32)
        ),
        _ => String::new(),
    };
    let state = &replay.violation.state;
    let null = |value: &Value| match value {
        Value::Pointer(pointer) => pointer.null,
        _ => 0,
    };
    let own = null(state.register(register));
    let other = replay.steps().rev().find(|step| {
        let is_test =
            step.insn.is_comparison() && !step.insn.is_register_source() && step.insn.imm == 0;
        let tested = null(step.before.register(step.insn.dst));
        is_test && tested != 0 && tested != own
    });
    let nearest = other.map(|step| {
        format!(
            "the check at {} is of another result",
            words::line(case, step.pc)
        )
    });
    Facts {
        best,
        nearest: nearest.unwrap_or_default(),
    }
}
