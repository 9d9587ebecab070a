//! Jumps (RFC 9669 section 4.3), and the budget that backward ones carry.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Type, types};

use super::runtime::{Head, status};
use super::translate::{Translator, is_register};
use crate::exec::lower::{Op, extra};
use crate::isa::jump;

/// Stands for control that just goes on, which no jump does.
const NOWHERE: usize = usize::MAX;

impl Translator<'_, '_, '_> {
    pub fn goto(&mut self, op: &Op) {
        self.charge_jump();
        let target = self.blocks[&(op.offset as usize)];
        self.builder.ins().jump(target, &[]);
    }

    pub fn branch(&mut self, op: &Op, kind: Type) {
        let left = self.get_as(op.dst, kind);
        let right = self.operand(op, kind, is_register(op));
        let comparison = match op.code & 0xf0 {
            jump::JEQ => Some(IntCC::Equal),
            jump::JNE => Some(IntCC::NotEqual),
            jump::JGT => Some(IntCC::UnsignedGreaterThan),
            jump::JGE => Some(IntCC::UnsignedGreaterThanOrEqual),
            jump::JLT => Some(IntCC::UnsignedLessThan),
            jump::JLE => Some(IntCC::UnsignedLessThanOrEqual),
            jump::JSGT => Some(IntCC::SignedGreaterThan),
            jump::JSGE => Some(IntCC::SignedGreaterThanOrEqual),
            jump::JSLT => Some(IntCC::SignedLessThan),
            jump::JSLE => Some(IntCC::SignedLessThanOrEqual),
            _ => None,
        };
        let condition = match comparison {
            Some(comparison) => self.builder.ins().icmp(comparison, left, right),
            None => self.builder.ins().band(left, right),
        };
        // Compilers end loops with a jump over the jump back: one machine instruction for both.
        let pc = self.pc;
        let after = self.plan.code.ops[pc + 1];
        let (from, next) = match after.code {
            extra::GOTO => (pc + 1, after.offset as usize),
            _ => (NOWHERE, pc + 1),
        };
        let edges = [(pc, op.offset as usize), (from, next)];
        let [taken, not_taken] = edges.map(|(from, to)| self.landing(from, to));
        self.builder
            .ins()
            .brif(condition, taken, &[], not_taken, &[]);
        for ((from, to), landing) in edges.into_iter().zip([taken, not_taken]) {
            if self.is_charged(from) {
                self.builder.switch_to_block(landing);
                self.pc = from;
                self.charge_jump();
                self.builder.ins().jump(self.blocks[&to], &[]);
            }
        }
        self.pc = pc;
    }

    /// Where the jump at `from` leads: to its target, or first to where it is charged.
    fn landing(&mut self, from: usize, to: usize) -> Block {
        if self.is_charged(from) {
            return self.builder.create_block();
        }
        self.blocks[&to]
    }

    fn is_charged(&self, pc: usize) -> bool {
        self.plan.metered && self.function.charges.contains_key(&pc)
    }

    /// Take what a backward jump costs off the budget.
    fn charge_jump(&mut self) {
        if let Some(cost) = self.function.charges.get(&self.pc) {
            self.charge(*cost);
        }
    }

    /// Take `cost` off the budget; the invocation ends when it is used up.
    pub fn charge(&mut self, cost: i64) {
        if !self.plan.metered {
            return;
        }
        let left = self.builder.use_var(self.left);
        let cost = self.number(cost);
        let left = self.builder.ins().isub(left, cost);
        self.builder.def_var(self.left, left);
        let zero = self.number(0);
        let over = self.builder.ins().icmp(IntCC::SignedLessThan, left, zero);
        self.fail_if(over, status::BUDGET);
    }

    /// The budget is in a register inside of a function, and in memory between functions.
    pub fn load_budget(&mut self) {
        if self.plan.metered {
            let left = self.load_head(offset_of!(Head, left));
            self.builder.def_var(self.left, left);
        }
    }

    pub fn store_budget(&mut self) {
        if self.plan.metered {
            let left = self.builder.use_var(self.left);
            debug_assert_eq!(
                types::I64,
                self.builder.func.dfg.value_type(left),
                "a counter"
            );
            self.store_head(offset_of!(Head, left), left);
        }
    }
}
