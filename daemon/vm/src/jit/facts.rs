//! What is known of registers without running: frame addresses, maps, and
//! pointers that may lead into read-only maps.
//!
//! The last is a matter of safety.  A verifier that knows no read-only maps
//! accepts stores into `.rodata`, so a program is only compiled if no address
//! that it stores to can come from such a map.  "Can come" is over-approximated:
//! an address is suspect if any operand of what computed it was, everything
//! loaded is once a suspect has been stored anywhere, and so is what a helper
//! returns that was given one.

use std::sync::Arc;

use super::flow::{Block, Flow, Function, Registers, each, is_conditional};
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
    /// Whether control was seen to come here.
    seen: bool,
}

/// What is known of one function.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// At the start of each block.
    states: Vec<State>,
    /// What is known of its entry changed since it was followed.
    pub(super) stale: bool,
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
    /// By number of the function.
    pub(super) functions: Vec<Facts>,
    /// A suspect was stored to memory.
    pub(super) stored: bool,
    /// The address of a frame went where it is not followed.
    pub(super) escaped: bool,
}

/// Follow all functions until nothing new is found.
pub fn analyse<'a>(
    code: &'a Code,
    maps: &'a [Arc<Map>],
    flow: &'a Flow,
    descriptor: &'a ContextDescriptor,
) -> Analysis<'a> {
    let fresh = Facts {
        stale: true,
        ..Facts::default()
    };
    let mut analysis = Analysis {
        code,
        maps,
        flow,
        descriptor,
        functions: vec![fresh; flow.functions.len()],
        stored: false,
        escaped: false,
    };
    // Callers come first, so that mostly all is known of an entry when its function is followed.
    while analysis.functions.iter().any(|facts| facts.stale) {
        for number in flow.callees_first.iter().rev() {
            if std::mem::replace(&mut analysis.functions[*number].stale, false) {
                analysis.follow(&flow.functions[*number]);
            }
        }
    }
    analysis
}

impl Analysis<'_> {
    /// An error if a store may hit a read-only map.
    pub fn check_all_stores(&mut self) -> Result<(), String> {
        let flow = self.flow;
        if self.maps.iter().any(|map| map.read_only()) {
            for function in &flow.functions {
                self.check_stores(function)?;
            }
        }
        Ok(())
    }

    /// Compute the states of one function's blocks from what is known of its entry.
    fn follow(&mut self, function: &Function) {
        let facts = self.facts(function);
        let mut state = State {
            suspect: facts.entry,
            seen: true,
            ..State::default()
        };
        state.known[..10].copy_from_slice(&facts.given);
        if function.start == 0 {
            state.known[1] = Known::Context;
        }
        state.known[10] = Known::Frame(0);
        let first = function.block_at(function.start);
        let blocks = function.blocks.len();
        facts.states.clear();
        facts.states.resize(blocks, State::default());
        facts.states[first] = state;
        let mut waiting = vec![false; blocks];
        waiting[first] = true;
        // From the top down: so most blocks are only looked at when all before them were.
        let mut number = 0;
        while number < blocks {
            if !std::mem::replace(&mut waiting[number], false) {
                number += 1;
                continue;
            }
            let block = &function.blocks[number];
            let state = self.at_end(function, number);
            let mut lowest = number + 1;
            for (way, target) in block.after.iter().enumerate() {
                let told = self.told(block, way, &state);
                if self.join(function, *target, &state, told) {
                    waiting[*target] = true;
                    lowest = lowest.min(*target);
                }
            }
            number = lowest;
        }
    }

    /// What is known after all instructions of a block, whichever way control goes on.
    fn at_end(&mut self, function: &Function, number: usize) -> State {
        let mut state = self.at_start(function, number);
        for pc in function.blocks[number].instructions(self.code) {
            self.step(function, pc, &mut state);
        }
        state
    }

    /// What the comparison at the end of a block tells, of whom, where control takes this way on.
    fn told(&self, block: &Block, way: usize, state: &State) -> Option<(usize, Known)> {
        let op = &self.code.ops[block.last];
        let [next, target] = block.after[..] else {
            return None;
        };
        let register = usize::from(op.dst);
        let told = || ranges::refined(op, state.known[register], way == 1);
        (next != target && is_conditional(op)).then(|| (register, told()))
    }

    /// What is known before the first instruction of a block.
    pub fn at_start(&self, function: &Function, number: usize) -> State {
        self.functions[function.number].states[number]
    }

    /// Whether no instruction writes, or lets write, what may be the context.
    pub fn keeps_context(&mut self) -> bool {
        let (flow, code) = (self.flow, self.code);
        flow.functions.iter().all(|function| {
            let mut blocks = function.blocks.iter().enumerate();
            blocks.all(|(number, block)| {
                let mut instructions = block.instructions(code);
                instructions.all(|pc| self.keeps(function, number, pc))
            })
        })
    }

    fn keeps(&mut self, function: &Function, block: usize, pc: usize) -> bool {
        let op = self.code.ops[pc];
        match op.code {
            extra::CALL_NATIVE => READERS.contains(&self.code.natives[op.imm as usize].id),
            extra::CALL_REMOTE => false,
            code if matches!(code & 7, class::ST | class::STX) && op.dst != FRAME_POINTER => {
                let state = self.before(function, block, pc);
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
        self.functions[function.number].lowest
    }

    /// What is known before the instruction at `pc` of a block.
    pub fn before(&mut self, function: &Function, block: usize, pc: usize) -> State {
        let mut state = self.at_start(function, block);
        let instructions = function.blocks[block].instructions(self.code);
        for at in instructions.take_while(|at| *at != pc) {
            self.step(function, at, &mut state);
        }
        state
    }

    /// What is known where control comes to block `target` from this one.
    pub fn after(&mut self, function: &Function, number: usize, target: usize) -> State {
        let mut state = self.at_end(function, number);
        let block = &function.blocks[number];
        let way = block.after.iter().position(|next| *next == target);
        let told = way.and_then(|way| self.told(block, way, &state));
        if let Some((register, known)) = told {
            state.known[register] = known;
        }
        state
    }

    pub(super) fn facts(&mut self, function: &Function) -> &mut Facts {
        &mut self.functions[function.number]
    }

    /// All functions have to be followed again.
    pub(super) fn follow_all_again(&mut self) {
        self.functions
            .iter_mut()
            .for_each(|facts| facts.stale = true);
    }

    /// Bring a state to a block, and what its comparison told; says if any of that is new.
    ///
    /// A register that nobody will read tells nothing, and loses no frame where ways meet.
    fn join(
        &mut self,
        function: &Function,
        block: usize,
        from: &State,
        told: Option<(usize, Known)>,
    ) -> bool {
        let live = function.blocks[block].live;
        let state = &mut self.functions[function.number].states[block];
        let first = !std::mem::replace(&mut state.seen, true);
        let suspect = state.suspect | from.suspect & live;
        let mut changed = std::mem::replace(&mut state.suspect, suspect) != suspect || first;
        state.known[10] = from.known[10];
        for register in each(live & !(1 << 10)) {
            let known = match told {
                Some((refined, known)) if refined == register => known,
                _ => from.known[register],
            };
            let old = &mut state.known[register];
            if first {
                *old = known;
            } else if *old != known {
                let frames = [*old, known].map(|known| matches!(known, Known::Frame(_)));
                self.escaped |= frames.contains(&true);
                let both = ranges::join(*old, known);
                changed |= std::mem::replace(old, both) != both;
            }
        }
        changed
    }

    fn check_stores(&mut self, function: &Function) -> Result<(), String> {
        for (number, block) in function.blocks.iter().enumerate() {
            let mut state = self.at_start(function, number);
            for pc in block.instructions(self.code) {
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
