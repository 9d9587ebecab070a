//! Live registers: which ones a function takes from its caller, and what each block takes on.

use super::flow::{Block, Flow, Function, Registers, SCRATCH, helper_arity, is_sign_extension};
use crate::exec::lower::{Code, Op, extra};
use crate::isa::{EXIT, LDDW, SOURCE_REGISTER, alu, atomic, class, mem};

/// What a block, or one instruction, does: after it `live`, before it `live & !writes | reads`.
#[derive(Clone, Copy, Default)]
struct Effect {
    writes: Registers,
    reads: Registers,
}

/// Find what each function takes from its caller; an error if one takes what a callee left.
pub fn find(code: &Code, flow: &mut Flow) -> Result<(), String> {
    // Callees come first, so that one look at each function is enough if none recurses.
    let mut changed = true;
    while std::mem::replace(&mut changed, false) {
        for place in 0..flow.callees_first.len() {
            let number = flow.callees_first[place];
            changed |= follow(code, flow, number) && flow.recursive;
        }
    }
    flow.functions
        .iter()
        .try_for_each(|function| check_calls(code, flow, function))
}

/// Follow one function from its ends to its start; says if that told anything new.
fn follow(code: &Code, flow: &mut Flow, number: usize) -> bool {
    let function = &flow.functions[number];
    let blocks = function.blocks.iter();
    let effects: Vec<Effect> = blocks.map(|block| of_block(code, flow, block)).collect();
    let function = &mut flow.functions[number];
    let mut told = false;
    let mut changed = true;
    while std::mem::replace(&mut changed, false) {
        for (block, effect) in effects.iter().enumerate().rev() {
            let after = function.live_after(&function.blocks[block]);
            let before = after & !effect.writes | effect.reads;
            changed |= std::mem::replace(&mut function.blocks[block].live, before) != before;
        }
        told |= changed;
    }
    let first = function.block_at(function.start);
    function.live_in = function.blocks[first].live & !(1 << 10);
    told
}

fn of_block(code: &Code, flow: &Flow, block: &Block) -> Effect {
    let mut all = Effect::default();
    for pc in block.instructions(code).rev() {
        let one = effect(code, &code.ops[pc], flow);
        all.reads = all.reads & !one.writes | one.reads;
        all.writes |= one.writes;
    }
    all
}

/// After a call nothing may be read of what the callee left in r1 to r5.
fn check_calls(code: &Code, flow: &Flow, function: &Function) -> Result<(), String> {
    for (call, _) in &function.calls {
        let block = &function.blocks[function.block_around(*call)];
        let mut live = function.live_after(block);
        let behind = block.instructions(code).rev().take_while(|pc| pc != call);
        for pc in behind {
            let one = effect(code, &code.ops[pc], flow);
            live = live & !one.writes | one.reads;
        }
        let left = live & SCRATCH;
        if left != 0 {
            let register = left.trailing_zeros();
            return Err(format!(
                "after the call at instruction {call}, r{register} is what the callee left in it"
            ));
        }
    }
    Ok(())
}

/// The registers that an instruction writes and those that it reads.
fn effect(code: &Code, op: &Op, flow: &Flow) -> Effect {
    let (writes, reads) = writes_and_reads(code, op, flow);
    Effect { writes, reads }
}

fn writes_and_reads(code: &Code, op: &Op, flow: &Flow) -> (Registers, Registers) {
    let dst = 1 << op.dst;
    let src = 1 << op.src;
    match op.code {
        EXIT => return (0, 1),
        LDDW => return (dst, 0),
        extra::GOTO => return (0, 0),
        extra::CALL_LOCAL => {
            let taken = flow.function_at(op.offset as usize).live_in;
            return (SCRATCH | 1, taken);
        }
        extra::CALL_NATIVE | extra::CALL_REMOTE => {
            return (1, ((1 << helper_arity(code, op)) - 1) << 1);
        }
        code if is_sign_extension(code) => return (dst, src),
        extra::SDIV64_X | extra::SDIV32_X | extra::SMOD64_X | extra::SMOD32_X => {
            return (dst, dst | src);
        }
        _ => {}
    }
    let second = if op.code & SOURCE_REGISTER == 0 {
        0
    } else {
        src
    };
    match op.code & 7 {
        class::ALU | class::ALU64 if op.code & 0xf0 == alu::MOV => (dst, second),
        class::ALU | class::ALU64 => (dst, dst | second),
        class::JMP | class::JMP32 => (0, dst | second),
        class::LDX => (dst, src),
        class::ST => (0, dst),
        class::STX if op.code & 0xe0 == mem::ATOMIC => match op.imm as i32 {
            atomic::CMPXCHG => (1, dst | src | 1),
            operation if operation & atomic::FETCH != 0 => (src, dst | src),
            _ => (0, dst | src),
        },
        class::STX => (0, dst | src),
        // What is left are immediates in class LD: signed division and byte swaps.
        _ => (dst, dst),
    }
}
