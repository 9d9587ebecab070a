//! Jumps (RFC 9669 section 4.3), and the budget that backward ones carry.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Block, InstBuilder, Type, types};

use super::runtime::{Head, status};
use super::translate::{Translator, is_register};
use crate::exec::lower::{Op, extra};
use crate::isa::jump;

impl Translator<'_, '_, '_> {
    pub fn goto(&mut self, op: &Op) {
        self.settle(self.live);
        self.go(self.pc, op.offset as usize);
    }

    pub fn branch(&mut self, op: &Op, kind: Type) {
        let left = self.get_as(op.dst, kind);
        let right = self.operand(op, kind, is_register(op));
        let comparison = match op.code & 0xf0 {
            jump::JEQ => Some(self.equal()),
            jump::JNE => Some(self.equal().complement()),
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
        // Compilers end loops with a jump over the jump back: one machine instruction for both.
        let pc = self.pc;
        let after = self.plan.code.ops[pc + 1];
        let (from, next) = match after.code {
            extra::GOTO if !self.is_charged(pc, pc + 1) => (pc + 1, after.offset as usize),
            _ => (pc, pc + 1),
        };
        let edges = [(pc, op.offset as usize), (from, next)];
        self.settle(self.live);
        let [taken, not_taken] = edges.map(|(from, to)| self.landing(from, to));
        // The jump of the comparison itself should be the one that is taken in a loop.
        match comparison {
            Some(comparison) if next <= from => {
                let comparison = comparison.complement();
                let condition = self.builder.ins().icmp(comparison, left, right);
                let ins = self.builder.ins();
                ins.brif(condition, not_taken, &[], taken, &[]);
            }
            Some(comparison) => {
                let condition = self.builder.ins().icmp(comparison, left, right);
                let ins = self.builder.ins();
                ins.brif(condition, taken, &[], not_taken, &[]);
            }
            None => {
                let condition = self.builder.ins().band(left, right);
                let ins = self.builder.ins();
                ins.brif(condition, taken, &[], not_taken, &[]);
            }
        }
        for ((from, to), landing) in edges.into_iter().zip([taken, not_taken]) {
            if self.is_charged(from, to) {
                self.continue_with(landing);
                self.pc = from;
                self.go(from, to);
            }
        }
        self.pc = pc;
    }

    /// How this instruction compares for equality.
    ///
    /// A comparison of a counter with its end is made by order: Cranelift would compare the
    /// counter of the round before instead, keep both, and need a second jump to move them.
    fn equal(&self) -> IntCC {
        let order = self.plan.bounds.orders.get(&self.pc);
        match order.map(|order| (order.upwards, order.signed)) {
            None => IntCC::Equal,
            Some((true, true)) => IntCC::SignedGreaterThanOrEqual,
            Some((true, false)) => IntCC::UnsignedGreaterThanOrEqual,
            Some((false, true)) => IntCC::SignedLessThanOrEqual,
            Some((false, false)) => IntCC::UnsignedLessThanOrEqual,
        }
    }

    /// Where the jump at `from` leads: to its target, or first to where it is charged.
    fn landing(&mut self, from: usize, to: usize) -> Block {
        if self.is_charged(from, to) {
            return self.builder.create_block();
        }
        self.body.block(to)
    }

    pub fn is_charged(&self, from: usize, to: usize) -> bool {
        self.plan.bounds.charges.contains_key(&(from, to))
    }

    /// Go on at `to`, and charge what that costs.
    pub fn go(&mut self, from: usize, to: usize) {
        if let Some(cost) = self.plan.bounds.charges.get(&(from, to)) {
            self.charge(*cost);
        }
        let target = self.body.block(to);
        self.builder.ins().jump(target, &[]);
    }

    /// Take `cost` off the budget; the invocation ends when it is used up.
    pub fn charge(&mut self, cost: i64) {
        if !self.plan.bounds.metered {
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
        if self.plan.bounds.metered {
            let left = self.load_head(offset_of!(Head, left));
            self.builder.def_var(self.left, left);
        }
    }

    pub fn store_budget(&mut self) {
        if self.plan.bounds.metered {
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
