//! What is known of registers without running: frame addresses, maps, and
//! pointers that may lead into read-only maps.
//!
//! The last is a matter of safety.  A verifier that knows no read-only maps
//! accepts stores into `.rodata`, so a program is only compiled if no address
//! that it stores to can come from such a map.  "Can come" is over-approximated:
//! an address is suspect if any operand of what computed it was, everything
//! loaded is once a suspect has been stored anywhere, and so is what a helper
//! returns that was given one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::flow::{Flow, Function, Registers, is_conditional, successors};
use super::ranges;
use crate::contract::ContextDescriptor;
use crate::exec::lower::{Code, extra};
use crate::isa::{STACK_FRAME_SIZE, class};
use crate::maps::Map;

/// Helpers that write to maps at most: lookup, update, delete.
const READERS: [u32; 3] = [1, 2, 3];
const FRAME_POINTER: u8 = 10;

pub const FRAME: i32 = STACK_FRAME_SIZE as i32;

/// What one register holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    #[default]
    Nothing,
    /// The address this far above (below, if negative) the end of the own frame.
    Frame(i32),
    /// This map of the program.
    Map(usize),
    /// A number in this range, both ends included.
    Number(u64, u64),
    /// An address from this many bytes behind the start of the data to that many.
    Data(i32, i32),
    /// The end of the data.
    End,
    /// The context that the program was given.
    Context,
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
    /// Its frame is used from here on, as far as its address is followed; 0: not at all.
    pub lowest: i32,
    /// Suspect arguments of any call, and whether the result may be one.
    pub(super) entry: Registers,
    pub(super) result: bool,
    /// What is known of the arguments of all calls, once there was one.
    pub(super) called: bool,
    pub(super) given: [Known; 10],
}

/// What is known of a program.
pub struct Analysis<'a> {
    pub(super) code: &'a Code,
    pub(super) maps: &'a [Arc<Map>],
    pub(super) flow: &'a Flow,
    pub(super) descriptor: &'a ContextDescriptor,
    pub functions: BTreeMap<usize, Facts>,
    /// A suspect was stored to memory.
    pub(super) stored: bool,
    /// The address of a frame went where it is not followed.
    pub(super) escaped: bool,
    pub(super) changed: bool,
}

/// Follow all functions until nothing new is found.
pub fn analyse<'a>(
    code: &'a Code,
    maps: &'a [Arc<Map>],
    flow: &'a Flow,
    descriptor: &'a ContextDescriptor,
) -> Analysis<'a> {
    let starts = flow
        .functions
        .keys()
        .map(|start| (*start, Facts::default()));
    let mut analysis = Analysis {
        code,
        maps,
        flow,
        descriptor,
        functions: starts.collect(),
        stored: false,
        escaped: false,
        changed: true,
    };
    while analysis.changed {
        analysis.changed = false;
        for function in flow.functions.values() {
            analysis.follow(function);
        }
    }
    analysis
}

impl Analysis<'_> {
    /// An error if a store may hit a read-only map.
    pub fn check_all_stores(&mut self) -> Result<(), String> {
        let flow = self.flow;
        if self.maps.iter().any(|map| map.read_only()) {
            for function in flow.functions.values() {
                self.check_stores(function)?;
            }
        }
        Ok(())
    }

    /// Compute the states of one function's blocks from what is known of its entry.
    fn follow(&mut self, function: &Function) {
        let mut state = State {
            suspect: self.facts(function).entry,
            ..State::default()
        };
        state.known[..10].copy_from_slice(&self.facts(function).given);
        if function.start == 0 {
            state.known[1] = Known::Context;
        }
        state.known[10] = Known::Frame(0);
        self.facts(function).states = BTreeMap::from([(function.start, state)]);
        // From the top down: so most blocks are only looked at when all before them were.
        let mut waiting = BTreeSet::from([function.start]);
        while let Some(leader) = waiting.pop_first() {
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
                        let conditional = is_conditional(op);
                        let twice = conditional && op.offset as usize == pc + 1;
                        for target in next {
                            let mut state = state;
                            if conditional && !twice {
                                ranges::refine(op, &mut state, target == op.offset as usize);
                            }
                            self.forget_dead(target, &mut state);
                            if self.join(function, target, state) {
                                waiting.insert(target);
                            }
                        }
                        break;
                    }
                }
            }
        }
    }

    /// A register that nobody will read tells nothing, and loses no frame where ways meet.
    fn forget_dead(&self, target: usize, state: &mut State) {
        let live = self.flow.live[target];
        state.suspect &= live;
        for (register, known) in state.known[..10].iter_mut().enumerate() {
            if live >> register & 1 == 0 {
                *known = Known::Nothing;
            }
        }
    }

    /// Whether no instruction writes, or lets write, what may be the context.
    pub fn keeps_context(&mut self) -> bool {
        let flow = self.flow;
        flow.functions.values().all(|function| {
            let mut leader = function.start;
            function.reachable.iter().all(|pc| {
                if function.leaders.contains(pc) {
                    leader = *pc;
                }
                self.keeps(function, leader, *pc)
            })
        })
    }

    fn keeps(&mut self, function: &Function, leader: usize, pc: usize) -> bool {
        let op = self.code.ops[pc];
        match op.code {
            extra::CALL_NATIVE => READERS.contains(&self.code.natives[op.imm as usize].id),
            extra::CALL_REMOTE => false,
            code if matches!(code & 7, class::ST | class::STX) && op.dst != FRAME_POINTER => {
                let state = self.before(function, leader, pc);
                matches!(state.known[usize::from(op.dst)], Known::Frame(_))
            }
            _ => true,
        }
    }

    /// How far down a function's frame can be read, by whomever.
    pub fn lowest(&self, function: &Function) -> i32 {
        if self.escaped {
            return -FRAME;
        }
        self.functions[&function.start].lowest
    }

    /// What is known before the instruction at `pc` of the block that begins at `leader`.
    pub fn before(&mut self, function: &Function, leader: usize, pc: usize) -> State {
        let mut state = self.functions[&function.start].states[&leader];
        for at in function.block(leader).take_while(|at| *at != pc) {
            self.step(function, at, &mut state);
        }
        state
    }

    /// What is known where control comes to `target` from the block that ends with `last`.
    pub fn after(
        &mut self,
        function: &Function,
        leader: usize,
        last: usize,
        target: usize,
    ) -> State {
        let mut state = self.before(function, leader, last);
        self.step(function, last, &mut state);
        let op = self.code.ops[last];
        if is_conditional(&op) && op.offset as usize != last + 1 {
            ranges::refine(&op, &mut state, target == op.offset as usize);
        }
        state
    }

    pub(super) fn facts(&mut self, function: &Function) -> &mut Facts {
        self.functions.entry(function.start).or_default()
    }

    /// Bring a state to a block; says if that told anything new.
    fn join(&mut self, function: &Function, leader: usize, state: State) -> bool {
        let mut escaped = false;
        let facts = self.facts(function);
        let Some(old) = facts.states.get(&leader).copied() else {
            facts.states.insert(leader, state);
            return true;
        };
        let mut new = old;
        new.suspect |= state.suspect;
        for (known, other) in new.known.iter_mut().zip(state.known) {
            if *known != other {
                let frames = [*known, other].map(|known| matches!(known, Known::Frame(_)));
                escaped |= frames.contains(&true);
                *known = ranges::join(*known, other);
            }
        }
        facts.states.insert(leader, new);
        self.escaped |= escaped;
        new != old
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
