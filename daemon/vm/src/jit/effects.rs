//! What each instruction does to what is known: see `facts`.

use std::sync::Arc;

use super::facts::{Analysis, FRAME, Known, State};
use super::flow::{Function, Registers, helper_arity, is_sign_extension};
use super::ranges;
use crate::exec::lower::{Op, extra};
use crate::isa::{EXIT, LDDW, LDDW_MAP, LDDW_MAP_VALUE, SOURCE_REGISTER, alu, atomic, class, mem};

impl Analysis<'_> {
    /// What one instruction does to a state, and to what is known of the program.
    pub fn step(&mut self, function: &Function, pc: usize, state: &mut State) {
        let op = self.code.ops[pc];
        let dst = usize::from(op.dst);
        let src = usize::from(op.src);
        let suspects = |register: usize| state.suspect >> register & 1 != 0;
        match op.code {
            EXIT => {
                let news = suspects(0) && !self.facts(function).result;
                if news {
                    self.facts(function).result = true;
                    self.follow_all_again();
                }
                return;
            }
            LDDW => {
                let (known, suspect) = self.constant(&op);
                return set(state, dst, known, suspect);
            }
            extra::GOTO => return,
            extra::CALL_LOCAL => return self.call(&op, state),
            extra::CALL_NATIVE | extra::CALL_REMOTE => {
                let given = ((1 << helper_arity(self.code, &op)) - 1) << 1;
                // A helper only reaches upwards from the address that it is given.
                self.use_frame(function, state, given, 0);
                return set(state, 0, Known::Nothing, state.suspect & given != 0);
            }
            code if is_sign_extension(code) => {
                self.lose(state.known[src]);
                return set(state, dst, Known::Nothing, suspects(src));
            }
            _ => {}
        }
        match op.code & 7 {
            class::JMP | class::JMP32 => {}
            class::LDX => {
                self.use_frame(function, state, 1 << src, op.offset);
                set(state, dst, self.loaded(&op, state), self.stored);
            }
            class::ST => self.use_frame(function, state, 1 << dst, op.offset),
            class::STX => self.store(function, &op, state),
            _ => self.compute(&op, state),
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

    /// What a load finds: the data's pointers come from the context.
    fn loaded(&self, op: &Op, state: &State) -> Known {
        let wide = op.code == class::LDX | mem::MEM | mem::DW;
        if wide && state.known[usize::from(op.src)] == Known::Context {
            return match op.offset {
                offset if offset == self.descriptor.data => Known::Data(0, 0),
                offset if offset == self.descriptor.end => Known::End,
                _ => Known::Nothing,
            };
        }
        ranges::loaded(op)
    }

    fn call(&mut self, op: &Op, state: &mut State) {
        let callee = self.flow.function_at(op.offset as usize);
        let facts = &mut self.functions[callee.number];
        let first = !std::mem::replace(&mut facts.called, true);
        facts.stale |= first;
        for register in 0..10 {
            let known = match state.known[register] {
                _ if callee.live_in >> register & 1 == 0 => Known::Nothing,
                Known::Frame(_) => {
                    self.escaped = true;
                    Known::Nothing
                }
                known => known,
            };
            let entry = &mut facts.given[register];
            let new = if first {
                known
            } else {
                ranges::join(*entry, known)
            };
            facts.stale |= std::mem::replace(entry, new) != new;
        }
        let entry = facts.entry | state.suspect & callee.live_in;
        facts.stale |= std::mem::replace(&mut facts.entry, entry) != entry;
        let result = facts.result;
        for register in 1..6 {
            set(state, register, Known::Nothing, false);
        }
        set(state, 0, Known::Nothing, result);
    }

    fn store(&mut self, function: &Function, op: &Op, state: &mut State) {
        let src = usize::from(op.src);
        self.use_frame(function, state, 1 << op.dst, op.offset);
        self.lose(state.known[src]);
        if state.suspect >> src & 1 != 0 && !std::mem::replace(&mut self.stored, true) {
            self.follow_all_again();
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

    fn compute(&mut self, op: &Op, state: &mut State) {
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
                    self.lose(old);
                }
                if register {
                    self.lose(state.known[src]);
                }
                ranges::compute(op, state)
            }
        };
        if known == Known::Nothing && (is(alu::ADD) || is(alu::SUB)) {
            self.lose(state.known[dst]);
        }
        set(state, dst, known, suspect);
    }

    /// The address of a frame goes where it is not followed: any frame may be used anywhere.
    fn lose(&mut self, known: Known) {
        self.escaped |= matches!(known, Known::Frame(_));
    }

    fn use_frame(&mut self, function: &Function, state: &State, registers: Registers, offset: i32) {
        for (register, known) in state.known.iter().enumerate() {
            if let (Known::Frame(at), true) = (known, registers >> register & 1 != 0) {
                let facts = self.facts(function);
                facts.lowest = facts.lowest.min(at + offset).max(-FRAME);
            }
        }
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
pub fn is_register(op: &Op) -> bool {
    match op.code & 7 {
        class::LD => matches!(
            op.code,
            extra::SDIV64_X | extra::SDIV32_X | extra::SMOD64_X | extra::SMOD32_X
        ),
        _ => op.code & SOURCE_REGISTER != 0,
    }
}
