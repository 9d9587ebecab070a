//! One function: its frame, registers and blocks, and which file translates what.

use std::collections::BTreeMap;

use cranelift_codegen::ir::{
    self, Block, BlockArg, FuncRef, InstBuilder, MemFlagsData, SigRef, Type, Value, types,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};

use super::compile::{Pending, Plan, parameters};
use super::facts::{Analysis, FRAME, Known, State};
use super::flow::{Function, Registers, is_conditional, is_sign_extension};
use super::graph::Graph;
use super::registers::File;
use super::runtime::Head;
use crate::exec::lower::{Op, extra};
use crate::isa::{EXIT, LDDW, MAX_CALL_FRAMES, SOURCE_REGISTER, class, mem};

/// Instructions of a function that is copied wherever it is called.
const SMALL: usize = 48;

/// State of the translation of one function.
pub struct Translator<'a, 'b, 'c> {
    pub plan: &'a Plan<'a>,
    facts: &'a mut Analysis<'c>,
    pub pending: &'a mut Pending,
    pub builder: FunctionBuilder<'b>,
    /// What is being translated: the function itself, or one that it calls.
    pub body: Body<'a>,
    /// Local functions that this one calls.
    pub callees: BTreeMap<usize, FuncRef>,
    /// What is left of the budget, if it is counted.
    pub left: Variable,
    /// The end of the function's frame.
    frame: Value,
    /// Address of the invocation's [`Head`].
    pub head: Value,
    /// Of helpers.
    pub signature: Option<SigRef>,
    /// What is known before the instruction at `pc`.
    pub state: State,
    pub pc: usize,
    /// Registers that are read after the block.
    pub live: Registers,
}

/// A function in place, maybe inside of another one.
pub struct Body<'a> {
    pub function: &'a Function,
    /// By number in the function.
    blocks: Vec<Block>,
    pub registers: File,
    /// The end of its frame, from the end of the frame of what it is inside of.
    base: i32,
    /// How many functions it is inside of.
    depth: usize,
    /// Where it returns to with r0, if it is inside of another one.
    back: Option<Block>,
}

/// Fill `target` with the translation of one function.
pub fn function<'a, 'b>(
    plan: &'a Plan<'a>,
    facts: &'a mut Analysis<'_>,
    function: &'a Function,
    pending: &'a mut Pending,
    target: &'b mut ir::Function,
    context: &'b mut FunctionBuilderContext,
    isa: &dyn TargetIsa,
) {
    let mut builder = FunctionBuilder::new(target, context);
    let left = builder.declare_var(types::I64);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let given = builder.block_params(entry).to_vec();
    let body = Body::new(&mut builder, function, 0, 0, None);
    let mut translator = Translator {
        plan,
        facts,
        pending,
        builder,
        body,
        callees: BTreeMap::new(),
        left,
        frame: given[1],
        head: given[0],
        signature: None,
        state: State::default(),
        pc: function.start,
        live: 0,
    };
    translator.load_budget();
    translator.enter(&given[2..]);
    translator.builder.seal_all_blocks();
    translator.builder.finalize(isa.frontend_config());
}

impl<'a> Body<'a> {
    fn new(
        builder: &mut FunctionBuilder<'_>,
        function: &'a Function,
        base: i32,
        depth: usize,
        back: Option<Block>,
    ) -> Self {
        let blocks = function.blocks.iter();
        Self {
            function,
            blocks: blocks.map(|_| builder.create_block()).collect(),
            registers: File::new(builder),
            base,
            depth,
            back,
        }
    }

    /// Where the translation of the block that begins at `pc` begins.
    pub fn block(&self, pc: usize) -> Block {
        self.blocks[self.function.block_at(pc)]
    }
}

impl<'a> Translator<'a, '_, '_> {
    /// Set up registers and frame, and translate all blocks.
    fn enter(&mut self, given: &[Value]) {
        let function = self.body.function;
        for (register, value) in parameters(function).zip(given) {
            self.set(register, *value);
        }
        // Verifiers refuse programs that read what nobody wrote; others find 0, as interpreted.
        let never_set = function.live_in & !parameters(function).fold(0, |all, r| all | 1 << r);
        for register in (0..10).filter(|register| never_set >> register & 1 != 0) {
            let zero = self.number(0);
            self.set(register, zero);
        }
        self.settle(function.live_in);
        self.clear_frame();
        let first = self.body.block(function.start);
        self.builder.ins().jump(first, &[]);
        let graph = &self.plan.bounds.graphs[function.number];
        for (number, node) in graph.nodes.iter().enumerate() {
            if self.is_jumped_over(graph, number) {
                continue;
            }
            let block = self.body.blocks[node.block];
            self.builder.switch_to_block(block);
            // Blocks to which control comes back are sealed in the end.
            if graph.before(number).iter().all(|before| *before < number) {
                self.builder.seal_block(block);
            }
            self.block(node.block);
        }
    }

    /// Translate a call of a local function by its body; its result.
    fn inline(&mut self, callee: &'a Function) -> Value {
        let given: Vec<Value> = parameters(callee)
            .map(|register| self.get(register))
            .collect();
        let back = self.builder.create_block();
        self.builder.append_block_param(back, types::I64);
        let base = self.body.base - FRAME;
        let depth = self.body.depth + 1;
        let body = Body::new(&mut self.builder, callee, base, depth, Some(back));
        let caller = std::mem::replace(&mut self.body, body);
        let (state, pc, live) = (self.state, self.pc, self.live);
        self.enter(&given);
        (self.state, self.pc, self.live) = (state, pc, live);
        self.body = caller;
        self.continue_with(back);
        self.builder.block_params(back)[0]
    }

    /// r0 after a local call.
    pub fn call_local(&mut self, op: &Op) {
        let plan = self.plan;
        let callee = plan.flow.function_at(op.offset as usize);
        self.charge(callee.shortest);
        let result = if self.is_inlined(callee) {
            self.pending.copies -= callee.size;
            self.inline(callee)
        } else {
            self.call_function(callee)
        };
        self.set(0, result);
    }

    /// Small functions are, and those with one caller.
    fn is_inlined(&self, callee: &Function) -> bool {
        let size = callee.size;
        let small = size <= SMALL || callee.callers == 1;
        small
            && size <= self.pending.copies
            && !self.plan.flow.deep
            && self.body.depth + 1 < MAX_CALL_FRAMES
    }

    /// The end of the own frame.
    pub fn own_frame(&mut self) -> Value {
        self.frame_at(0)
    }

    /// An address, counted from the end of the own frame.
    pub fn frame_at(&mut self, distance: i32) -> Value {
        let distance = self.body.base + distance;
        if distance == 0 {
            return self.frame;
        }
        let distance = self.number(distance.into());
        self.builder.ins().iadd(self.frame, distance)
    }

    /// Clear what the function may read of its frame: no run sees what another one left.
    fn clear_frame(&mut self) {
        let lowest = self.facts.lowest(self.body.function);
        let base = self.body.base;
        let mut at = lowest & !15;
        if at == 0 {
            return;
        }
        let zero = self.number(0);
        let zeros = self.builder.ins().splat(types::I64X2, zero);
        while at < 0 {
            self.builder
                .ins()
                .store(flags(), zeros, self.frame, base + at);
            at += 16;
        }
    }

    /// Whether a block is only a jump that the comparison before it makes, too: see `branch`.
    fn is_jumped_over(&self, graph: &Graph, number: usize) -> bool {
        let ops = &self.plan.code.ops;
        let first = graph.nodes[number].first;
        let [before] = graph.before(number) else {
            return false;
        };
        let before = graph.nodes[*before].last;
        ops[first].code == extra::GOTO
            && before + 1 == first
            && is_conditional(&ops[before])
            && !self.is_charged(before, first)
            && ops[before].offset as usize != first
    }

    /// Go on with a block to which nothing else will lead.
    pub fn continue_with(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    fn block(&mut self, number: usize) {
        let (function, code) = (self.body.function, self.plan.code);
        let block = &function.blocks[number];
        self.state = self.facts.at_start(function, number);
        self.body.registers.forget();
        self.live = function.live_after(block);
        for pc in block.instructions(code) {
            self.pc = pc;
            self.instruction(&code.ops[pc]);
            self.facts.step(function, pc, &mut self.state);
        }
        let last = &code.ops[block.last];
        if last.code != EXIT && last.code != extra::GOTO && !is_conditional(last) {
            let next = if last.code == LDDW { 2 } else { 1 };
            self.settle(self.live);
            self.go(block.last, block.last + next);
        }
    }

    /// The dispatch: every opcode has its place in one of the other files.
    fn instruction(&mut self, op: &Op) {
        match op.code {
            EXIT => {
                let result = self.get(0);
                if let Some(back) = self.body.back {
                    self.builder.ins().jump(back, &[BlockArg::Value(result)]);
                    return;
                }
                self.store_budget();
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
            Known::Frame(at) => (self.frame, self.body.base + at + offset),
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
        self.continue_with(fails);
        let status = self.number(status);
        self.store_head(std::mem::offset_of!(Head, status), status);
        let pc = self.number(self.pc as i64);
        self.store_head(std::mem::offset_of!(Head, pc), pc);
        self.give_up();
        self.continue_with(goes_on);
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
