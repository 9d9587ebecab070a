//! One function: its frame, registers and blocks, and which file translates what.

use std::collections::BTreeMap;

use cranelift_codegen::ir::{
    self, Block, FuncRef, InstBuilder, MemFlagsData, SigRef, Type, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use cranelift_jit::JITModule;
use cranelift_module::Module;

use super::compile::{Plan, parameters};
use super::facts::{Analysis, Known, State};
use super::flow::{Function, is_conditional, is_sign_extension};
use super::runtime::Head;
use crate::exec::lower::{Op, extra};
use crate::isa::{EXIT, LDDW, SOURCE_REGISTER, class, mem};

/// State of the translation of one function.
pub struct Translator<'a, 'b, 'c> {
    pub plan: &'a Plan<'a>,
    facts: &'a mut Analysis<'c>,
    pub function: &'a Function,
    pub builder: FunctionBuilder<'b>,
    pub blocks: BTreeMap<usize, Block>,
    /// Local functions that this one calls.
    pub callees: BTreeMap<usize, FuncRef>,
    /// r0 to r9; r10 is `frame`.
    registers: [Variable; 10],
    /// What is left of the budget, if it is counted.
    pub left: Variable,
    /// The end of the function's frame.
    pub frame: Value,
    /// Address of the invocation's [`Head`].
    pub head: Value,
    /// Of helpers.
    pub signature: Option<SigRef>,
    /// What is known before the instruction at `pc`.
    pub state: State,
    pub pc: usize,
}

/// Fill `target` with the translation of one function.
pub fn function<'a, 'b>(
    plan: &'a Plan<'a>,
    facts: &'a mut Analysis<'_>,
    function: &'a Function,
    target: &'b mut ir::Function,
    context: &'b mut FunctionBuilderContext,
    module: &mut JITModule,
) {
    let callees = function.calls.iter().map(|(_, callee)| {
        let id = plan.ids[callee];
        (*callee, module.declare_func_in_func(id, target))
    });
    let callees = callees.collect();
    let mut builder = FunctionBuilder::new(target, context);
    let registers = std::array::from_fn(|_| builder.declare_var(types::I64));
    let left = builder.declare_var(types::I64);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let given = builder.block_params(entry).to_vec();
    let leaders = function.leaders.iter();
    let blocks = leaders
        .map(|leader| (*leader, builder.create_block()))
        .collect();
    let mut translator = Translator {
        plan,
        facts,
        function,
        builder,
        blocks,
        callees,
        registers,
        left,
        frame: given[1],
        head: given[0],
        signature: None,
        state: State::default(),
        pc: function.start,
    };
    translator.enter(&given[2..]);
    for leader in &function.leaders {
        translator.block(*leader);
    }
    translator.builder.seal_all_blocks();
    translator.builder.finalize(module.target_config());
}

impl Translator<'_, '_, '_> {
    /// Set up registers, budget and frame.
    fn enter(&mut self, given: &[Value]) {
        let zero = self.number(0);
        for register in 0..10 {
            self.set(register, zero);
        }
        for (register, value) in parameters(self.function).zip(given) {
            self.set(register, *value);
        }
        if self.plan.metered {
            self.load_budget();
        }
        self.clear_frame();
        let first = self.blocks[&self.function.start];
        self.builder.ins().jump(first, &[]);
    }

    /// Clear what the function may read of its frame: no run sees what another one left.
    fn clear_frame(&mut self) {
        let lowest = self.facts.lowest(self.function);
        let mut at = lowest & !15;
        if at == 0 {
            return;
        }
        let zero = self.number(0);
        let zeros = self.builder.ins().splat(types::I64X2, zero);
        while at < 0 {
            self.builder.ins().store(flags(), zeros, self.frame, at);
            at += 16;
        }
    }

    fn block(&mut self, leader: usize) {
        self.builder.switch_to_block(self.blocks[&leader]);
        let facts = &self.facts.functions[&self.function.start];
        self.state = facts.states[&leader];
        let mut last = leader;
        for pc in self.function.block(leader) {
            self.pc = pc;
            let op = self.plan.code.ops[pc];
            self.instruction(&op);
            self.facts.step(self.function, pc, &mut self.state);
            last = pc;
        }
        let op = &self.plan.code.ops[last];
        if op.code != EXIT && op.code != extra::GOTO && !is_conditional(op) {
            let next = last + if op.code == LDDW { 2 } else { 1 };
            self.builder.ins().jump(self.blocks[&next], &[]);
        }
    }

    /// The dispatch: every opcode has its place in one of the other files.
    fn instruction(&mut self, op: &Op) {
        match op.code {
            EXIT => {
                self.store_budget();
                let result = self.get(0);
                self.builder.ins().return_(&[result]);
            }
            LDDW => {
                let value = self.number(op.imm as i64);
                self.set(op.dst, value);
            }
            extra::GOTO => self.goto(op),
            extra::CALL_LOCAL => self.call_local(op),
            extra::CALL_NATIVE | extra::CALL_REMOTE => self.call_helper(op),
            extra::SDIV64_K | extra::SMOD64_K => self.divide_signed(op, types::I64, false),
            extra::SDIV64_X | extra::SMOD64_X => self.divide_signed(op, types::I64, true),
            extra::SDIV32_K | extra::SMOD32_K => self.divide_signed(op, types::I32, false),
            extra::SDIV32_X | extra::SMOD32_X => self.divide_signed(op, types::I32, true),
            code if is_sign_extension(code) => self.extend_sign(op),
            code if code & 7 == class::LD => self.swap_bytes(op),
            code => match code & 7 {
                class::ALU => self.compute(op, types::I32),
                class::ALU64 => self.compute(op, types::I64),
                class::JMP => self.branch(op, types::I64),
                class::JMP32 => self.branch(op, types::I32),
                class::LDX => self.load(op),
                class::STX if code & 0xe0 == mem::ATOMIC => self.atomic(op),
                _ => self.store(op),
            },
        }
    }

    pub fn number(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(types::I64, value)
    }

    pub fn constant(&mut self, kind: Type, value: i64) -> Value {
        let value = if kind == types::I32 {
            i64::from(value as u32)
        } else {
            value
        };
        self.builder.ins().iconst(kind, value)
    }

    pub fn get(&mut self, register: u8) -> Value {
        match self.registers.get(usize::from(register)) {
            Some(variable) => self.builder.use_var(*variable),
            None => self.frame,
        }
    }

    /// A register, or its low half.
    pub fn get_as(&mut self, register: u8, kind: Type) -> Value {
        let value = self.get(register);
        if kind == types::I64 {
            return value;
        }
        self.builder.ins().ireduce(kind, value)
    }

    pub fn set(&mut self, register: u8, value: Value) {
        let variable = self.registers[usize::from(register)];
        self.builder.def_var(variable, value);
    }

    /// Set a register; a narrower value clears the rest.
    pub fn set_as(&mut self, register: u8, kind: Type, value: Value) {
        let value = if kind == types::I64 {
            value
        } else {
            self.builder.ins().uextend(types::I64, value)
        };
        self.set(register, value);
    }

    /// The second operand: a register or the immediate.
    pub fn operand(&mut self, op: &Op, kind: Type, register: bool) -> Value {
        if register {
            self.get_as(op.src, kind)
        } else {
            self.constant(kind, op.imm as i64)
        }
    }

    /// Base and displacement of an access; frame addresses always from the same base, so that
    /// Cranelift sees which accesses meet.
    pub fn place(&mut self, register: u8, offset: i32) -> (Value, i32) {
        match self.state.known[usize::from(register)] {
            Known::Frame(at) => (self.frame, at + offset),
            _ => (self.get(register), offset),
        }
    }

    /// A field of the [`Head`].
    pub fn load_head(&mut self, offset: usize) -> Value {
        self.builder
            .ins()
            .load(types::I64, flags(), self.head, offset as i32)
    }

    pub fn store_head(&mut self, offset: usize, value: Value) {
        self.builder
            .ins()
            .store(flags(), value, self.head, offset as i32);
    }

    /// End the invocation here, if `condition` is not 0.
    pub fn fail_if(&mut self, condition: Value, status: i64) {
        let fails = self.builder.create_block();
        let goes_on = self.builder.create_block();
        self.builder.set_cold_block(fails);
        self.builder.ins().brif(condition, fails, &[], goes_on, &[]);
        self.builder.switch_to_block(fails);
        let status = self.number(status);
        self.store_head(std::mem::offset_of!(Head, status), status);
        let pc = self.number(self.pc as i64);
        self.store_head(std::mem::offset_of!(Head, pc), pc);
        self.give_up();
        self.builder.switch_to_block(goes_on);
    }

    /// Return to the caller, which will look at the status.
    pub fn give_up(&mut self) {
        let zero = self.number(0);
        self.builder.ins().return_(&[zero]);
    }
}

/// Of all accesses: they never trap, and are aligned as the program pleases.
pub fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// Whether the second operand of a common arithmetic or jump instruction is a register.
pub fn is_register(op: &Op) -> bool {
    op.code & SOURCE_REGISTER != 0
}
