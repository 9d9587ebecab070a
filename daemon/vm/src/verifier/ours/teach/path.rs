//! The branches of a path as source lines.
//!
//! Only what could go both ways is told, with what is true of the operands on
//! this path: whether a jump is taken says little, for compilers turn
//! conditions round.  Rounds of a loop that are alike are told once.

use super::super::super::domain::Comparison;
use super::super::branch::comparison;
use super::super::state::{DATA, State};
use super::super::value::{Region, Value};
use super::replay::{Replay, Step};
use super::{Spot, Turn, Way, words};
use crate::isa::{Insn, class};

/// Turns of one round of a loop that are compared with those of the next.
const MAX_PERIOD: usize = 12;

pub fn of(replay: &Replay<'_>) -> Vec<Turn> {
    let mut turns = Vec::new();
    for step in replay.steps() {
        let way = match step.insn.class() {
            class::JMP | class::JMP32 => way(replay, &step),
            _ => None,
        };
        let place = || Spot::new(replay.case, step.pc);
        turns.extend(way.map(|way| Turn {
            place: place(),
            way,
            times: 1,
        }));
        if is_jump(step.insn) && step.after.pc <= step.pc {
            turns.push(Turn {
                place: Spot::new(replay.case, step.after.pc),
                way: Way::Round,
                times: 1,
            });
        }
    }
    folded(turns)
}

fn is_jump(insn: Insn) -> bool {
    matches!(insn.class(), class::JMP | class::JMP32)
        && insn.distance().is_some()
        && !insn.is_local_call()
}

fn way(replay: &Replay<'_>, step: &Step<'_>) -> Option<Way> {
    let insn = step.insn;
    if insn.is_local_call() {
        return Some(Way::Enter(words::called(replay.case, step.pc)));
    }
    if insn.is_exit() {
        let function = replay.case.program.function_at(step.pc);
        return Some(Way::Leave(function.to_owned()));
    }
    if !insn.is_comparison() || !is_open(replay, step) {
        return None;
    }
    let taken = step.after.pc != step.pc + 1;
    Some(Way::Branch {
        holds: holds(step.before, insn, taken),
        taken,
        next: Spot::new(replay.case, step.after.pc),
    })
}

/// Whether the comparison could go the other way, too.
fn is_open(replay: &Replay<'_>, step: &Step<'_>) -> bool {
    use super::super::checker::{Checker, Next};
    let mut state = step.before.clone();
    let next = Checker::new(replay.case).step(&mut state);
    matches!(next, Ok(Next::Fork(_)))
}

/// What is true of the operands of a comparison that went one way.
pub fn holds(state: &State, insn: Insn, taken: bool) -> String {
    let left = *state.register(insn.dst);
    let is_null_test = !insn.is_register_source() && insn.imm == 0 && left.as_pointer().is_some();
    let (symbol, is_signed) = symbol(comparison(insn), taken);
    if is_null_test && matches!(symbol, "==" | "!=") {
        let not = if symbol == "==" { "" } else { "not " };
        return format!("r{} is {not}NULL", insn.dst);
    }
    let right = match insn.is_register_source() {
        true => operand(state, insn.src),
        false => words::number(i64::from(insn.imm) as u64),
    };
    let left = operand(state, insn.dst);
    let note = match (insn.class() == class::JMP32, is_signed) {
        (true, true) => " (signed, lower 32 bits)",
        (true, false) => " (lower 32 bits)",
        (false, true) => " (signed)",
        (false, false) => "",
    };
    match symbol {
        "&" => format!("{left} & {right} is {}", if taken { "not 0" } else { "0" }),
        _ => format!("{left} {symbol} {right}{note}"),
    }
}

/// An operand as it would stand in C, where that is plain; else the register.
fn operand(state: &State, register: u8) -> String {
    let name = format!("r{register}");
    match state.register(register) {
        Value::Pointer(pointer) => match (pointer.region, pointer.offset.known()) {
            (Region::Data(DATA), Some(0)) => "data".into(),
            (Region::Data(DATA), Some(offset)) if (offset as i64) > 0 => {
                format!("data + {offset}")
            }
            (Region::End, Some(0)) => "data_end".into(),
            _ => name,
        },
        _ => name,
    }
}

/// The sign of a comparison, or of its opposite, and whether it takes numbers as signed ones.
fn symbol(op: Comparison, taken: bool) -> (&'static str, bool) {
    use Comparison::*;
    match (op, taken) {
        (Eq, true) | (Ne, false) => ("==", false),
        (Ne, true) | (Eq, false) => ("!=", false),
        (Gt, true) | (Le, false) => (">", false),
        (Ge, true) | (Lt, false) => (">=", false),
        (Lt, true) | (Ge, false) => ("<", false),
        (Le, true) | (Gt, false) => ("<=", false),
        (SGt, true) | (SLe, false) => (">", true),
        (SGe, true) | (SLt, false) => (">=", true),
        (SLt, true) | (SGe, false) => ("<", true),
        (SLe, true) | (SGt, false) => ("<=", true),
        (Set, _) => ("&", false),
    }
}

/// Rounds that follow each other and are alike become one.
fn folded(turns: Vec<Turn>) -> Vec<Turn> {
    let mut folded: Vec<Turn> = Vec::new();
    let mut at = 0;
    while at < turns.len() {
        let (period, times) = (1..=MAX_PERIOD)
            .map(|period| (period, repeats(&turns[at..], period)))
            .find(|(_, times)| *times > 1)
            .unwrap_or((1, 1));
        let round = turns[at..at + period].iter().cloned();
        folded.extend(round.map(|turn| Turn { times, ..turn }));
        at += period * times;
    }
    folded
}

/// How often the first turns are repeated.
fn repeats(turns: &[Turn], period: usize) -> usize {
    if turns.len() < period {
        return 0;
    }
    let same = turns
        .chunks_exact(period)
        .take_while(|chunk| *chunk == &turns[..period]);
    same.count()
}
