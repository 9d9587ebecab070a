//! One instruction on one state: what must hold, and what the state becomes.
//!
//! `access`, `operation`, `branch` and `call` are its parts.  Nothing here
//! knows of paths, loops or other states.

use super::super::Case;
use super::problem::Problem;
use super::state::State;
use super::trail::Step;
use super::value::{Absent, Symbol, Value};
use crate::isa::{Insn, class, mem};

pub type Check<T = (), E = Problem> = Result<T, E>;

/// What follows an instruction.
pub enum Next {
    /// Control goes on at `state.pc`.
    Go,
    /// It can go both ways: the state went on with the next instruction, this one jumped.
    Fork(Box<State>),
    /// The program ended.
    End,
    /// No run comes here.
    Never,
}

pub struct Checker<'a> {
    pub case: Case<'a>,
    pub code: &'a [Insn],
    /// The last symbol, anchor or owner that was named.
    pub symbols: Symbol,
    /// What was done since the last place where paths part.
    pub steps: Vec<Step>,
}

impl<'a> Checker<'a> {
    pub fn new(case: Case<'a>) -> Self {
        Self {
            case,
            code: &case.program.instructions,
            symbols: 1,
            steps: Vec::new(),
        }
    }

    pub fn fresh(&mut self) -> Symbol {
        self.symbols += 1;
        self.symbols
    }

    /// Execute the instruction at `state.pc`.
    pub fn step(&mut self, state: &mut State) -> Check<Next> {
        let pc = state.pc;
        let insn = self.code[pc];
        self.steps.push(Step::at(pc, state.depth()));
        match insn.class() {
            class::ALU | class::ALU64 => self.operate(state, insn)?,
            class::LDX => self.load(state, insn)?,
            class::STX if insn.mode() == mem::ATOMIC => self.atomic(state, insn)?,
            class::ST | class::STX => self.store(state, insn)?,
            class::LD => {
                self.load_immediate(state, insn)?;
                state.pc = pc + 2;
                return Ok(Next::Go);
            }
            _ => return self.jump(state, insn),
        }
        state.pc = pc + 1;
        Ok(Next::Go)
    }

    /// The value of a register, which must have one.
    pub fn present<'s>(&self, state: &'s State, register: u8) -> Check<&'s Value> {
        match state.register(register) {
            Value::Absent(why) => Err(Problem::NoValue {
                register,
                why: *why,
            }),
            value => Ok(value),
        }
    }

    /// The step of the instruction that is being executed.
    fn own(&mut self) -> Option<&mut Step> {
        self.steps.iter_mut().rfind(|step| step.is_instruction())
    }

    /// Note that the verdict depends on the very number in a register.
    pub fn needs(&mut self, register: u8) {
        if let Some(own) = self.own() {
            own.exact |= 1 << register;
        }
    }

    /// Note that a call takes so many arguments.
    pub fn takes(&mut self, arguments: usize) {
        if let Some(own) = self.own() {
            own.taken = ((1 << arguments) - 1) << 1;
        }
    }

    /// Note that the instruction reads slots of a frame.
    pub fn reads(&mut self, depth: u8, slots: u64) {
        if let Some(own) = self.own() {
            own.read(depth, slots);
        }
    }

    /// Note that the instruction writes slots of a frame, `whole` ones completely.
    pub fn writes(&mut self, depth: u8, slots: u64, whole: u64) {
        if let Some(own) = self.own() {
            own.write(depth, slots, whole);
        }
    }
}

/// A register that a call has changed.
pub fn called(pc: usize) -> Value {
    Value::Absent(Absent::Called(pc as u32))
}
