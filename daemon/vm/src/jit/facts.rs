//! What is known of registers without running: frame addresses, maps, and
//! pointers that may lead into read-only maps.
//!
//! The last is a matter of safety.  A verifier that knows no read-only maps
//! accepts stores into `.rodata`, so a program is only compiled if no address
//! that it stores to can come from such a map.  "Can come" is over-approximated:
//! an address is suspect if any operand of what computed it was, everything
//! loaded is once a suspect has been stored anywhere, and so is what a helper
//! returns that was given one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::flow::{
    Flow, Function, Registers, helper_arity, is_conditional, is_sign_extension, successors,
};
use crate::exec::lower::{Code, Op, extra};
use crate::isa::{
    EXIT, LDDW, LDDW_MAP, LDDW_MAP_VALUE, SOURCE_REGISTER, STACK_FRAME_SIZE, alu, atomic, class,
    mem,
};
use crate::maps::Map;

const FRAME: i32 = STACK_FRAME_SIZE as i32;

/// What one register holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    #[default]
    Nothing,
    /// The address this far above (below, if negative) the end of the own frame.
    Frame(i32),
    /// This map of the program.
    Map(usize),
}

/// What is known before one instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub known: [Known; 11],
    /// Registers that may lead into a read-only map.
    pub suspect: Registers,
}

/// What is known of one function.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// At the start of each block.
    pub states: BTreeMap<usize, State>,
    /// Its frame is used from here on, at most; 0: not at all.
    pub lowest: i32,
    /// Suspect arguments of any call, and whether the result may be one.
    entry: Registers,
    result: bool,
}

/// What is known of a program.
pub struct Analysis<'a> {
    code: &'a Code,
    maps: &'a [Arc<Map>],
    flow: &'a Flow,
    pub functions: BTreeMap<usize, Facts>,
    /// A suspect was stored to memory.
    stored: bool,
    changed: bool,
}

/// Follow all functions until nothing new is found; an error if a store may hit a read-only map.
pub fn analyse<'a>(
    code: &'a Code,
    maps: &'a [Arc<Map>],
    flow: &'a Flow,
) -> Result<Analysis<'a>, String> {
    let starts = flow
        .functions
        .keys()
        .map(|start| (*start, Facts::default()));
    let mut analysis = Analysis {
        code,
        maps,
        flow,
        functions: starts.collect(),
        stored: false,
        changed: true,
    };
    while analysis.changed {
        analysis.changed = false;
        for function in flow.functions.values() {
            analysis.follow(function);
        }
    }
    for function in flow.functions.values() {
        analysis.check_stores(function)?;
    }
    Ok(analysis)
}

impl Analysis<'_> {
    /// Compute the states of one function's blocks from what is known of its entry.
    fn follow(&mut self, function: &Function) {
        let mut state = State {
            suspect: self.facts(function).entry,
            ..State::default()
        };
        state.known[10] = Known::Frame(0);
        self.facts(function).states = BTreeMap::from([(function.start, state)]);
        let mut waiting = vec![function.start];
        while let Some(leader) = waiting.pop() {
            let mut state = self.facts(function).states[&leader];
            let mut pc = leader;
            loop {
                self.step(function, pc, &mut state);
                let op = &self.code.ops[pc];
                let ends = op.code == extra::GOTO || is_conditional(op);
                let mut next = successors(op, pc).peekable();
                match next.peek().copied() {
                    None => break,
                    Some(after) if !ends && !function.leaders.contains(&after) => pc = after,
                    Some(_) => {
                        for target in next {
                            if self.join(function, target, state) {
                                waiting.push(target);
                            }
                        }
                        break;
                    }
                }
            }
        }
    }

    fn facts(&mut self, function: &Function) -> &mut Facts {
        self.functions.entry(function.start).or_default()
    }

    /// Bring a state to a block; says if that told anything new.
    fn join(&mut self, function: &Function, leader: usize, state: State) -> bool {
        let facts = self.facts(function);
        let Some(old) = facts.states.get(&leader).copied() else {
            facts.states.insert(leader, state);
            return true;
        };
        let mut new = old;
        new.suspect |= state.suspect;
        for (known, other) in new.known.iter_mut().zip(state.known) {
            if *known != other {
                if matches!(*known, Known::Frame(_)) || matches!(other, Known::Frame(_)) {
                    facts.lowest = -FRAME;
                }
                *known = Known::Nothing;
            }
        }
        facts.states.insert(leader, new);
        new != old
    }

    /// What one instruction does to a state, and to what is known of the program.
    pub fn step(&mut self, function: &Function, pc: usize, state: &mut State) {
        let op = self.code.ops[pc];
        let dst = usize::from(op.dst);
        let src = usize::from(op.src);
        let suspects = |register: usize| state.suspect >> register & 1 != 0;
        match op.code {
            EXIT => {
                let result = suspects(0);
                let facts = self.facts(function);
                self.changed |= result && !std::mem::replace(&mut facts.result, result);
                return;
            }
            LDDW => {
                let (known, suspect) = self.constant(&op);
                return set(state, dst, known, suspect);
            }
            extra::GOTO => return,
            extra::CALL_LOCAL => return self.call(function, &op, state),
            extra::CALL_NATIVE | extra::CALL_REMOTE => {
                let given = ((1 << helper_arity(self.code, &op)) - 1) << 1;
                // A helper only reaches upwards from the address that it is given.
                self.use_frame(function, state, given, 0);
                return set(state, 0, Known::Nothing, state.suspect & given != 0);
            }
            code if is_sign_extension(code) => {
                self.lose(function, state.known[src]);
                return set(state, dst, Known::Nothing, suspects(src));
            }
            _ => {}
        }
        match op.code & 7 {
            class::JMP | class::JMP32 => {}
            class::LDX => {
                self.use_frame(function, state, 1 << src, op.offset);
                set(state, dst, Known::Nothing, self.stored);
            }
            class::ST => self.use_frame(function, state, 1 << dst, op.offset),
            class::STX => self.store(function, &op, state),
            _ => self.compute(function, &op, state),
        }
    }

    /// What a `lddw` loads, and whether that leads into a read-only map.
    fn constant(&self, op: &Op) -> (Known, bool) {
        let address = op.imm as usize;
        match op.src {
            LDDW_MAP => {
                let map = self
                    .maps
                    .iter()
                    .position(|map| Arc::as_ptr(map) as usize == address);
                let read_only = map.is_none_or(|index| self.maps[index].read_only());
                (map.map_or(Known::Nothing, Known::Map), read_only)
            }
            LDDW_MAP_VALUE => {
                let read_only = self.maps.iter().filter(|map| map.read_only()).any(|map| {
                    let first = map.first_value();
                    first.is_some_and(|base| (base..=base + map.value_size()).contains(&address))
                });
                (Known::Nothing, read_only)
            }
            _ => (Known::Nothing, false),
        }
    }

    fn call(&mut self, function: &Function, op: &Op, state: &mut State) {
        let callee = op.offset as usize;
        let given = self.flow.functions[&callee].live_in;
        for register in 0..10 {
            if given >> register & 1 != 0 {
                self.lose(function, state.known[register]);
            }
        }
        let facts = self.functions.entry(callee).or_default();
        let entry = facts.entry | state.suspect & given;
        self.changed |= std::mem::replace(&mut facts.entry, entry) != entry;
        let result = facts.result;
        for register in 1..6 {
            set(state, register, Known::Nothing, false);
        }
        set(state, 0, Known::Nothing, result);
    }

    fn store(&mut self, function: &Function, op: &Op, state: &mut State) {
        let src = usize::from(op.src);
        self.use_frame(function, state, 1 << op.dst, op.offset);
        self.lose(function, state.known[src]);
        if state.suspect >> src & 1 != 0 {
            self.changed |= !std::mem::replace(&mut self.stored, true);
        }
        if op.code & 0xe0 == mem::ATOMIC && op.imm as i32 & atomic::FETCH != 0 {
            let fetched = if op.imm as i32 == atomic::CMPXCHG {
                0
            } else {
                src
            };
            set(state, fetched, Known::Nothing, self.stored);
        }
    }

    fn compute(&mut self, function: &Function, op: &Op, state: &mut State) {
        let (dst, src) = (usize::from(op.dst), usize::from(op.src));
        let is = |operation| op.code == class::ALU64 | operation;
        let register = is_register(op);
        let copies = matches!(op.code & 7, class::ALU | class::ALU64) && op.code & 0xf0 == alu::MOV;
        let mut suspect = register && state.suspect >> src & 1 != 0;
        suspect |= !copies && state.suspect >> dst & 1 != 0;
        let known = match state.known[dst] {
            _ if is(alu::MOV | SOURCE_REGISTER) => state.known[src],
            Known::Frame(at) if is(alu::ADD) => moved(at, op.imm as i64),
            Known::Frame(at) if is(alu::SUB) => moved(at, (op.imm as i64).wrapping_neg()),
            old => {
                if !copies {
                    self.lose(function, old);
                }
                if register {
                    self.lose(function, state.known[src]);
                }
                Known::Nothing
            }
        };
        if known == Known::Nothing && (is(alu::ADD) || is(alu::SUB)) {
            self.lose(function, state.known[dst]);
        }
        set(state, dst, known, suspect);
    }

    /// The address of a frame goes where it is not followed: all of the frame may be used.
    fn lose(&mut self, function: &Function, known: Known) {
        if matches!(known, Known::Frame(_)) {
            self.facts(function).lowest = -FRAME;
        }
    }

    fn use_frame(&mut self, function: &Function, state: &State, registers: Registers, offset: i32) {
        for (register, known) in state.known.iter().enumerate() {
            if let (Known::Frame(at), true) = (known, registers >> register & 1 != 0) {
                let facts = self.facts(function);
                facts.lowest = facts.lowest.min(at + offset).max(-FRAME);
            }
        }
    }

    fn check_stores(&mut self, function: &Function) -> Result<(), String> {
        let states = self.facts(function).states.clone();
        for (leader, mut state) in states {
            for pc in function.block(leader) {
                let op = self.code.ops[pc];
                let stores = matches!(op.code & 7, class::ST | class::STX);
                if stores && state.suspect >> op.dst & 1 != 0 {
                    return Err(format!(
                        "the store at instruction {pc} may lead into a read-only map"
                    ));
                }
                self.step(function, pc, &mut state);
            }
        }
        Ok(())
    }
}

fn set(state: &mut State, register: usize, known: Known, suspect: bool) {
    state.known[register] = known;
    state.suspect = state.suspect & !(1 << register) | Registers::from(suspect) << register;
}

fn moved(at: i32, by: i64) -> Known {
    let place = i64::from(at).checked_add(by);
    let inside = place.filter(|place| (-i64::from(FRAME)..=0).contains(place));
    inside.map_or(Known::Nothing, |place| Known::Frame(place as i32))
}

/// Whether the second operand of an arithmetic instruction is a register.
fn is_register(op: &Op) -> bool {
    match op.code & 7 {
        class::LD => matches!(
            op.code,
            extra::SDIV64_X | extra::SDIV32_X | extra::SMOD64_X | extra::SMOD32_X
        ),
        _ => op.code & SOURCE_REGISTER != 0,
    }
}
