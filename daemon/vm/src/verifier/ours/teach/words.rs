//! Values, places and sizes in words.

use super::super::super::Case;
use super::super::super::domain::Scalar;
use super::super::state::{DATA, META, State};
use super::super::value::{Absent, Number, Pointer, Region, Value};
use crate::isa::CALL;
use crate::spec::SourceLine;
use crate::{functions, helpers};

/// Numbers from here on are easier to read in hexadecimal.
const LARGE: u64 = 0x1_0000;

/// "1 byte", "4 bytes".
pub fn count(number: i64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

pub fn bytes(number: i64) -> String {
    count(number, "byte")
}

/// A number as a person would write it.
pub fn number(value: u64) -> String {
    let signed = value as i64;
    match (signed < 0 && signed > -(LARGE as i64), value < LARGE) {
        (true, _) => signed.to_string(),
        (_, true) => value.to_string(),
        _ => format!("{value:#x}"),
    }
}

fn signed(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", number(value.unsigned_abs()))
}

/// "14", or "between 0 and 70".
pub fn between(low: i64, high: i64) -> String {
    match low == high {
        true => signed(low),
        false if is_wild(low, high) => "unknown".into(),
        false => format!("between {} and {}", signed(low), signed(high)),
    }
}

/// Which numbers a scalar can be.
pub fn range(scalar: Scalar) -> String {
    if let Some(known) = scalar.known() {
        return format!("the number {}", number(known));
    }
    let step = 1_u64 << scalar.bits().mask.trailing_zeros().min(63);
    let kind = match scalar.bits().value & (step - 1) {
        0 if step > 1 => format!("a multiple of {}", number(step)),
        _ => "a number".to_owned(),
    };
    let is_signed = scalar.smin() < 0 && scalar.umax() > i64::MAX as u64;
    match is_signed {
        false => {
            let (low, high) = (number(scalar.umin()), number(scalar.umax()));
            format!("{kind} between {low} and {high}")
        }
        true if is_wild(scalar.smin(), scalar.smax()) && step > 1 => kind,
        true if is_wild(scalar.smin(), scalar.smax()) => "any number".to_owned(),
        true => {
            let (low, high) = (signed(scalar.smin()), signed(scalar.smax()));
            format!("{kind} between {low} and {high}")
        }
    }
}

/// Bounds that say nothing.
fn is_wild(low: i64, high: i64) -> bool {
    low < i64::MIN / 4 && high > i64::MAX / 4
}

/// A source line, or the instruction where there is none: compilers have some of number 0.
pub fn at(source: Option<&SourceLine>, pc: usize) -> String {
    match source.filter(|source| source.line > 0) {
        Some(source) => format!("line {}", source.line),
        None => format!("instruction {pc}"),
    }
}

/// Where in the source an instruction is: "line 12", or its number if nobody knows.
pub fn line(case: Case<'_>, pc: usize) -> String {
    at(case.program.source_line(pc), pc)
}

/// What an instruction calls.
pub fn called(case: Case<'_>, pc: usize) -> String {
    let Some(insn) = case.program.instructions.get(pc).copied() else {
        return "the function".into();
    };
    if insn.opcode != CALL {
        return "the function".into();
    }
    if insn.is_local_call() {
        let target = insn.distance().map(|distance| pc as i64 + 1 + distance);
        return match target.and_then(|target| usize::try_from(target).ok()) {
            Some(target) => case.program.function_at(target).to_owned(),
            None => "the function".into(),
        };
    }
    if insn.is_function_call() {
        let import = case.program.imports.get(insn.imm as u32 as usize);
        return match import.and_then(|import| functions::find(import, case.information)) {
            Some(prototype) => prototype.name.clone(),
            None => format!("import {}", insn.imm),
        };
    }
    let id = insn.imm as u32;
    match (case.information.helper(id), helpers::general(id)) {
        (Some(own), _) => own.name.clone(),
        (None, Some(general)) => general.name.to_owned(),
        _ => format!("helper {id}"),
    }
}

/// The call at an instruction, with its place.
pub fn call_at(case: Case<'_>, pc: u32) -> String {
    let pc = pc as usize;
    format!("{} at {}", called(case, pc), line(case, pc))
}

pub fn map(case: Case<'_>, index: u32) -> String {
    match case.maps.get(index as usize) {
        Some(map) => map.name.clone(),
        None => format!("map {index}"),
    }
}

/// What a pointer leads to.
pub fn region(case: Case<'_>, state: &State, region: Region) -> String {
    match region {
        Region::Context => "the context".into(),
        Region::Stack(depth) if usize::from(depth) == state.depth() => "the stack".into(),
        Region::Stack(_) => "the stack of a caller".into(),
        Region::Data(anchor) if state.anchor(anchor).root == META => "the metadata".into(),
        Region::Data(_) => "the packet".into(),
        Region::End => "the end of the packet".into(),
        Region::Map(index) => format!("the map {}", map(case, index)),
        Region::MapValue(index) => format!("a value of {}", map(case, index)),
        Region::Memory { size } => format!("memory of {}", bytes(size.into())),
        Region::Object(_) => "something that only helpers may use".into(),
        Region::Function(_) => "a function".into(),
    }
}

/// Where a pointer with an offset leads.
fn place(case: Case<'_>, state: &State, pointer: &Pointer) -> String {
    let whole = match pointer.region {
        Region::Data(_) => state.from_root(pointer),
        _ => *pointer,
    };
    let what = region(case, state, pointer.region);
    let (low, high) = (whole.offset.smin(), whole.offset.smax());
    match pointer.region {
        Region::Map(_) | Region::Object(_) | Region::Function(_) => format!("is {what}"),
        Region::End if low == 0 && high == 0 => format!("is {what}"),
        Region::Stack(_) if low == 0 && high == 0 => format!("is the top of {what}"),
        Region::Stack(_) => format!("points {} below the top of {what}", span(-high, -low)),
        _ if low == 0 && high == 0 => match pointer.region {
            Region::MapValue(_) => format!("points to {what}"),
            _ => format!("points to the start of {what}"),
        },
        Region::End => format!("points {} from {what}", span(low, high)),
        _ => format!("points {} into {what}", span(low, high)),
    }
}

fn span(low: i64, high: i64) -> String {
    match low == high {
        true => bytes(low),
        false if is_wild(low, high) => "any number of bytes".into(),
        false => format!("{} bytes", between(low, high)),
    }
}

/// What is known of the bytes that a pointer leads to.
fn room(case: Case<'_>, state: &State, pointer: &Pointer) -> Option<String> {
    match pointer.region {
        Region::Data(anchor) => Some(proved(state, pointer, anchor)),
        Region::MapValue(index) => {
            let size = case.maps.get(index as usize)?.value_size;
            Some(format!("which has {}", bytes(size.into())))
        }
        Region::Context => {
            let size = i64::from(case.information.context.size);
            Some(format!("which has {}", bytes(size)))
        }
        _ => None,
    }
}

fn proved(state: &State, pointer: &Pointer, anchor: u32) -> String {
    let own = state.anchor(anchor);
    let is_root = anchor == own.root;
    let readable = match is_root {
        true => own.readable,
        false => own.readable.saturating_sub(pointer.offset.smin()),
    };
    match (readable, is_root) {
        (..=0, true) => "of which none are proved to exist".into(),
        (..=0, false) => "and none are proved to exist there".into(),
        (1, true) => "of which 1 is proved to exist".into(),
        (count, true) => format!("of which {count} are proved to exist"),
        (count, false) => format!("where {} proved to exist", are(count)),
    }
}

/// "1 byte is", "4 bytes are".
pub fn are(count: i64) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} {verb}", bytes(count))
}

fn absent(case: Case<'_>, why: Absent) -> String {
    match why {
        Absent::Unwritten => "has no value: nothing was written to it".into(),
        Absent::Called(pc) => format!("has no value since the call of {}", call_at(case, pc)),
        Absent::Moved(pc) => format!(
            "led into the packet, which {} may have moved",
            call_at(case, pc)
        ),
        Absent::Released(pc) => format!("was given back by {}", call_at(case, pc)),
        Absent::Varies => "has no value that is the same in each round".into(),
    }
}

fn plain(state: &State, number: &Number) -> String {
    let words = format!("is {}", range(number.range));
    let Some(distance) = number.distance else {
        return words;
    };
    let place = state.place(distance.anchor).known();
    match place.map(|place| (place as i64).saturating_add(distance.add)) {
        Some(0) => format!("{words}: the length of the packet"),
        Some(at) => format!("{words}: the bytes of the packet behind the first {at}"),
        None => words,
    }
}

/// What is known of a value, to stand behind a name.
pub fn value(case: Case<'_>, state: &State, value: &Value) -> String {
    match value {
        Value::Absent(why) => absent(case, *why),
        Value::Number(number) => plain(state, number),
        Value::Half(_) => "is the lower half of a pointer".into(),
        Value::Pointer(pointer) if pointer.null != 0 => format!(
            "may be NULL, or points to {}",
            region(case, state, pointer.region)
        ),
        Value::Pointer(pointer) => {
            let place = place(case, state, pointer);
            match room(case, state, pointer) {
                Some(room) => format!("{place}, {room}"),
                None => place,
            }
        }
    }
}

/// The packet or what lies before it, by the anchor where counting ends.
pub fn data(root: u32) -> &'static str {
    match root {
        DATA => "packet",
        _ => "metadata",
    }
}
