//! Whether a run is in one of the situations that a state stands for.
//!
//! Addresses are those of the process, so every pointer says where it leads;
//! what only holds for names (symbols, anchors) holds if there are numbers and
//! places for them that satisfy every value at once.  Where several would do
//! and finding them out would take a search, the question is left open: an
//! answer "no" is always right.

use super::stack::SIZE;
use super::state::{Anchor, DATA, META, State};
use super::trail::Registers;
use super::value::{Link, Number, Pointer, Region, Symbol, Value};
use super::visited::Visited;

/// One active function of a run.
#[derive(Clone)]
pub struct Frame {
    pub registers: [u64; 11],
    /// Where it was called; not used for the program itself.
    pub call: usize,
    /// Where it is itself.
    pub pc: usize,
}

/// Where the things lie that pointers lead to.
pub trait Memory {
    fn context(&self) -> u64;
    fn data(&self) -> u64;
    fn end(&self) -> u64;
    fn meta(&self) -> u64;
    /// What a program has of a map itself.
    fn map(&self, index: u32) -> u64;
    /// Where the value of a map begins that an address lies in.
    fn value(&self, index: u32, address: u64) -> Option<u64>;
    /// Bytes from one value of a map to the next, if they lie in a row.
    fn stride(&self, index: u32) -> u64;
    /// A byte of the stack.
    fn byte(&self, address: u64) -> u8;
}

/// A run before one of its instructions.
pub struct Run<'r> {
    pub pc: usize,
    pub frames: &'r [Frame],
    pub memory: &'r dyn Memory,
}

/// What of a state a run is not in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    Calls,
    Register(usize, u8),
    Stack(usize, i16),
    Anchor(u32),
    Symbol(Symbol),
    Order(Symbol, Symbol),
}

/// Whether a state was visited that the run is in; else what the last one does not allow.
///
/// `registers`: only these of the innermost function count, and no stack.
pub fn visited(run: &Run<'_>, all: &Visited, registers: Option<Registers>) -> Result<(), String> {
    let states = all.at(run.pc);
    let mut last = None;
    for state in states.iter().rev() {
        match holds(state, run, registers) {
            Ok(()) => return Ok(()),
            Err(outside) => {
                if last.is_none_or(|(known, _)| known == Outside::Calls) {
                    last = Some((outside, state));
                }
            }
        }
    }
    Err(match last {
        None => format!("no path comes to instruction {}", run.pc),
        Some((outside, state)) => format!(
            "none of {} states at instruction {}: {outside:?}\n{}",
            states.len(),
            run.pc,
            shown(state, run, outside)
        ),
    })
}

/// What an access leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Stack,
    Data,
    Elsewhere,
}

/// What a register leads to at an instruction, on some path.
pub fn targets(all: &Visited, pc: usize, register: u8) -> Target {
    let regions = all
        .at(pc)
        .iter()
        .filter_map(|state| state.register(register).as_pointer());
    let mut targets = regions.map(|pointer| match pointer.region {
        Region::Stack(_) => Target::Stack,
        Region::Data(_) => Target::Data,
        _ => Target::Elsewhere,
    });
    targets.next().unwrap_or(Target::Elsewhere)
}

/// Whether every run that the state describes can be this one.
pub fn holds(state: &State, run: &Run<'_>, registers: Option<Registers>) -> Result<(), Outside> {
    if state.frames.len() != run.frames.len() {
        return Err(Outside::Calls);
    }
    let calls = state.frames.iter().zip(run.frames).skip(1);
    if calls.into_iter().any(|(a, b)| a.call as usize != b.call) {
        return Err(Outside::Calls);
    }
    let mut question = Question {
        state,
        run,
        anchors: vec![(DATA, 0), (META, 0)],
        nulls: Vec::new(),
        equations: Vec::new(),
    };
    let values = question.values(registers);
    for (at, value, found) in &values {
        question.place(value, *found).then_some(()).ok_or(*at)?;
    }
    for (at, value, found) in &values {
        question.value(value, *found).then_some(()).ok_or(*at)?;
    }
    for anchor in state.anchors.iter() {
        if !question.anchor(anchor) {
            return Err(Outside::Anchor(anchor.name));
        }
    }
    question.symbols()
}

type Found = (Outside, Value, u64);

struct Question<'q> {
    state: &'q State,
    run: &'q Run<'q>,
    /// How far anchors are behind their roots.
    anchors: Vec<(u32, i64)>,
    nulls: Vec<(Symbol, bool)>,
    equations: Vec<(Link, u64)>,
}

impl Question<'_> {
    /// What the state says of values, and what the run has there.
    fn values(&self, registers: Option<Registers>) -> Vec<Found> {
        let mut values = Vec::new();
        let last = self.run.frames.len() - 1;
        for (depth, (frame, own)) in self.state.frames.iter().zip(self.run.frames).enumerate() {
            let wanted = match registers {
                None => 0x3ff,
                Some(wanted) if depth == last => wanted,
                Some(_) => 0,
            };
            for number in 0..10_u8 {
                let value = frame.registers[usize::from(number)];
                if wanted >> number & 1 != 0 && !value.is_absent() {
                    let found = own.registers[usize::from(number)];
                    values.push((Outside::Register(depth, number), value, found));
                }
            }
            if registers.is_some() {
                continue;
            }
            for piece in frame.stack.pieces() {
                let start = own.registers[10].wrapping_add_signed(piece.at.into());
                let bytes = (0..u64::from(piece.size)).rev();
                let found = bytes.fold(0, |all, byte| {
                    all << 8 | u64::from(self.run.memory.byte(start + byte))
                });
                values.push((Outside::Stack(depth, piece.at), piece.value, found));
            }
        }
        values
    }

    fn root(&self, name: u32) -> u64 {
        match self.state.anchor(name).root {
            META => self.run.memory.meta(),
            _ => self.run.memory.data(),
        }
    }

    fn distance_of(&self, name: u32) -> Option<i64> {
        let found = self.anchors.iter().find(|(known, _)| *known == name);
        found.map(|(_, distance)| *distance)
    }

    /// Find out where anchors are; false: it cannot be so.
    fn place(&mut self, value: &Value, found: u64) -> bool {
        let (name, distance) = match value {
            Value::Pointer(pointer) => {
                let (Region::Data(name), Some(offset)) = (pointer.region, pointer.offset.known())
                else {
                    return true;
                };
                (
                    name,
                    found.wrapping_sub(self.root(name)).wrapping_sub(offset),
                )
            }
            Value::Number(Number {
                distance: Some(distance),
                ..
            }) => {
                let place = self.run.memory.end().wrapping_sub(found);
                let place = place.wrapping_sub(distance.add as u64);
                (
                    distance.anchor,
                    place.wrapping_sub(self.root(distance.anchor)),
                )
            }
            _ => return true,
        };
        match self.distance_of(name) {
            Some(known) => known == distance as i64,
            None => {
                self.anchors.push((name, distance as i64));
                true
            }
        }
    }

    fn value(&mut self, value: &Value, found: u64) -> bool {
        match value {
            Value::Absent(_) => true,
            Value::Number(number) => {
                self.equations.extend(number.link.map(|link| (link, found)));
                number.range.contains(found)
            }
            Value::Pointer(pointer) => self.pointer(pointer, found),
            Value::Half(pointer) => self.half(pointer, found),
        }
    }

    fn pointer(&mut self, pointer: &Pointer, found: u64) -> bool {
        if pointer.null != 0 {
            let is_null = found == 0;
            match self.nulls.iter().find(|(name, _)| *name == pointer.null) {
                Some((_, known)) if *known != is_null => return false,
                Some(_) => {}
                None => self.nulls.push((pointer.null, is_null)),
            }
            if is_null {
                return true;
            }
        }
        let bases = match pointer.region {
            Region::Map(index) => return found == self.run.memory.map(index),
            Region::MapValue(index) => self.bases(index, pointer, found),
            Region::Memory { .. } | Region::Object(_) | Region::Function(_) => return true,
            region => self.base(region).into_iter().collect(),
        };
        let offset = |base: u64| found.wrapping_sub(base);
        let fits = |base: &u64| pointer.offset.contains(offset(*base));
        if let (Some(link), [base]) = (pointer.link, bases.as_slice()) {
            self.equations.push((link, offset(*base)));
        }
        bases.is_empty() || bases.iter().any(fits)
    }

    /// Where a region begins, if there is only one and it is known.
    fn base(&self, region: Region) -> Option<u64> {
        let memory = self.run.memory;
        Some(match region {
            Region::Context => memory.context(),
            Region::Stack(depth) => self.run.frames[usize::from(depth)].registers[10],
            Region::End => memory.end(),
            Region::Data(name) => {
                let distance = self.distance_of(name)?;
                self.root(name).wrapping_add_signed(distance)
            }
            _ => return None,
        })
    }

    /// Values of a map that a pointer may be counted from; none: it is not known.
    fn bases(&self, index: u32, pointer: &Pointer, found: u64) -> Vec<u64> {
        let memory = self.run.memory;
        if let Some(offset) = pointer.offset.known() {
            let base = found.wrapping_sub(offset);
            return match memory.value(index, base) {
                Some(start) if start == base => vec![base],
                // It leads to no value: an offset that nothing has.
                _ => vec![base.wrapping_add(1)],
            };
        }
        let Some(near) = memory.value(index, found) else {
            return Vec::new();
        };
        let stride = memory.stride(index);
        if stride == 0 {
            return vec![near];
        }
        let around = (-4..=4_i64).map(|by| near.wrapping_add_signed(by * stride as i64));
        let is_start = |base: &u64| memory.value(index, *base) == Some(*base);
        around.filter(is_start).collect()
    }

    fn half(&self, pointer: &Pointer, found: u64) -> bool {
        let Some(base) = self.base(pointer.region) else {
            return found >> 32 == 0;
        };
        let offset = i64::from((found as u32).wrapping_sub(base as u32) as i32);
        let is_near = |end: i64| i32::try_from(end).is_ok();
        let near = is_near(pointer.offset.smin()) && is_near(pointer.offset.smax());
        found >> 32 == 0 && (!near || pointer.offset.contains(offset as u64))
    }

    fn anchor(&mut self, anchor: &Anchor) -> bool {
        let Some(distance) = self.distance_of(anchor.name) else {
            return true;
        };
        let end = match anchor.root {
            META => self.run.memory.data(),
            _ => self.run.memory.end(),
        };
        let size = end.wrapping_sub(self.root(anchor.name)) as i64;
        if i128::from(anchor.readable) > i128::from(size) - i128::from(distance) {
            return false;
        }
        let Some(parent) = self.distance_of(anchor.parent) else {
            return true;
        };
        let place = match anchor.name == anchor.parent {
            true => 0,
            false => distance.wrapping_sub(parent) as u64,
        };
        self.equations.extend(anchor.link.map(|link| (link, place)));
        anchor.place.contains(place)
    }

    /// Whether there are numbers for all symbols.
    fn symbols(&self) -> Result<(), Outside> {
        let mut known: Vec<(Symbol, u64)> = Vec::new();
        let mut equations = self.equations.clone();
        equations.sort_by_key(|(link, _)| link.factor.unsigned_abs());
        for (link, found) in equations {
            let left = found.wrapping_sub(link.add as u64);
            let factor = link.factor;
            if let Some((_, symbol)) = known.iter().find(|(name, _)| *name == link.symbol) {
                match left == symbol.wrapping_mul(factor as u64) {
                    true => continue,
                    false => return Err(Outside::Symbol(link.symbol)),
                }
            }
            // Where nothing wraps within bounds the symbol can be told.
            let mut bounds = self.state.bounds.iter();
            let bounds = bounds.find(|each| each.symbol == link.symbol);
            let is_bounded = bounds.is_some_and(|bounds| {
                let end = |symbol: i64| symbol.checked_mul(factor)?.checked_add(link.add);
                end(bounds.low).is_some() && end(bounds.high).is_some()
            });
            match factor {
                1 | -1 => known.push((link.symbol, left.wrapping_mul(factor as u64))),
                _ if is_bounded && left as i64 % factor == 0 => {
                    known.push((link.symbol, (left as i64 / factor) as u64));
                }
                _ if is_bounded => return Err(Outside::Symbol(link.symbol)),
                _ => {}
            }
        }
        let find = |symbol| known.iter().find(|(name, _)| *name == symbol);
        for bounds in self.state.bounds.iter() {
            if let Some((_, found)) = find(bounds.symbol)
                && !(bounds.low..=bounds.high).contains(&(*found as i64))
            {
                return Err(Outside::Symbol(bounds.symbol));
            }
        }
        for order in self.state.orders.iter() {
            let both = find(order.lesser).zip(find(order.greater));
            if let Some(((_, lesser), (_, greater))) = both
                && i128::from(*lesser as i64) > i128::from(*greater as i64) + i128::from(order.add)
            {
                return Err(Outside::Order(order.lesser, order.greater));
            }
        }
        Ok(())
    }
}

/// A state and a run, for people.
fn shown(state: &State, run: &Run<'_>, outside: Outside) -> String {
    let mut text = String::new();
    for (depth, (frame, own)) in state.frames.iter().zip(run.frames).enumerate() {
        for number in 0..10 {
            let value = &frame.registers[number];
            if !value.is_absent() {
                let found = own.registers[number];
                text += &format!("  {depth}:r{number} = 0x{found:x}, not in {value:?}\n");
            }
        }
        if matches!(outside, Outside::Stack(own, _) if own == depth) {
            let top = own.registers[10];
            let bytes = (0..SIZE as u64).map(|byte| run.memory.byte(top - SIZE as u64 + byte));
            let bytes: Vec<u8> = bytes.collect();
            text += &format!("  {:?}\n  {bytes:x?}\n", frame.stack.pieces());
        }
    }
    let memory = run.memory;
    let places = [memory.context(), memory.meta(), memory.data(), memory.end()];
    text += &format!("  context, meta, data, end: {places:x?}\n");
    text += &format!(
        "  {:?}\n  {:?}\n  {:?}",
        state.anchors, state.bounds, state.orders
    );
    text
}
