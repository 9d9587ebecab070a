//! Arithmetic (RFC 9669 section 4.1); nothing here can trap.
//!
//! Machines disagree about a zero divisor and about the smallest number by -1,
//! so neither ever reaches a division: a divisor that is not a constant is
//! tested first.  Cranelift masks shift counts as the RFC wants it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Type, Value, types};

use super::translate::{Translator, is_register};
use crate::exec::lower::{Op, extra};
use crate::isa::{alu, class};

impl Translator<'_, '_, '_> {
    /// Any operation of the classes ALU and ALU64 that has an opcode of its own.
    pub fn compute(&mut self, op: &Op, kind: Type) {
        let operation = op.code & 0xf0;
        if operation == alu::MOV {
            let value = self.operand(op, kind, is_register(op));
            // Reading the old value, too, would keep it alive.
            return self.set_as(op.dst, kind, value);
        }
        let left = self.get_as(op.dst, kind);
        let right = self.operand(op, kind, is_register(op));
        let known = (!is_register(op)).then_some(op.imm as i64);
        let ins = self.builder.ins();
        let result = match operation {
            alu::ADD => ins.iadd(left, right),
            alu::SUB => ins.isub(left, right),
            alu::MUL => ins.imul(left, right),
            alu::OR => ins.bor(left, right),
            alu::AND => ins.band(left, right),
            alu::XOR => ins.bxor(left, right),
            alu::LSH => ins.ishl(left, right),
            alu::RSH => ins.ushr(left, right),
            alu::ARSH => ins.sshr(left, right),
            alu::NEG => ins.ineg(left),
            _ => self.divide(kind, left, right, known, operation == alu::MOD),
        };
        self.set_as(op.dst, kind, result);
    }

    fn divide(
        &mut self,
        kind: Type,
        left: Value,
        right: Value,
        known: Option<i64>,
        remainder: bool,
    ) -> Value {
        let by_zero = if remainder {
            left
        } else {
            self.constant(kind, 0)
        };
        match known {
            Some(0) => return by_zero,
            Some(_) => return self.divide_by(left, right, remainder),
            None => {}
        }
        let divides = self.builder.create_block();
        let done = self.builder.create_block();
        self.builder.append_block_param(done, kind);
        let by_zero = [BlockArg::Value(by_zero)];
        self.builder.ins().brif(right, divides, &[], done, &by_zero);
        self.continue_with(divides);
        let result = self.divide_by(left, right, remainder);
        self.builder.ins().jump(done, &[BlockArg::Value(result)]);
        self.continue_with(done);
        self.builder.block_params(done)[0]
    }

    fn divide_by(&mut self, left: Value, right: Value, remainder: bool) -> Value {
        if remainder {
            self.builder.ins().urem(left, right)
        } else {
            self.builder.ins().udiv(left, right)
        }
    }

    /// Divisors 0 and -1 are replaced by 1, and the results for them chosen afterwards.
    pub fn divide_signed(&mut self, op: &Op, kind: Type, register: bool) {
        use extra::{SMOD32_K, SMOD32_X, SMOD64_K, SMOD64_X};
        let remainder = matches!(op.code, SMOD64_K | SMOD64_X | SMOD32_K | SMOD32_X);
        let left = self.get_as(op.dst, kind);
        let right = self.operand(op, kind, register);
        let zero = self.constant(kind, 0);
        let one = self.constant(kind, 1);
        let minus_one = self.constant(kind, -1);
        let ins = |translator: &mut Self, other| {
            translator.builder.ins().icmp(IntCC::Equal, right, other)
        };
        let is_zero = ins(self, zero);
        let is_minus_one = ins(self, minus_one);
        let special = self.builder.ins().bor(is_zero, is_minus_one);
        let divisor = self.builder.ins().select(special, one, right);
        let result = if remainder {
            let rest = self.builder.ins().srem(left, divisor);
            self.builder.ins().select(is_zero, left, rest)
        } else {
            let quotient = self.builder.ins().sdiv(left, divisor);
            let negative = self.builder.ins().ineg(left);
            let quotient = self.builder.ins().select(is_minus_one, negative, quotient);
            self.builder.ins().select(is_zero, zero, quotient)
        };
        self.set_as(op.dst, kind, result);
    }

    pub fn extend_sign(&mut self, op: &Op) {
        let (from, to) = match op.code {
            extra::MOVSX8_64 => (types::I8, types::I64),
            extra::MOVSX16_64 => (types::I16, types::I64),
            extra::MOVSX32_64 => (types::I32, types::I64),
            extra::MOVSX8_32 => (types::I8, types::I32),
            _ => (types::I16, types::I32),
        };
        let value = self.get_as(op.src, from);
        let value = self.builder.ins().sextend(to, value);
        self.set_as(op.dst, to, value);
    }

    pub fn swap_bytes(&mut self, op: &Op) {
        let (kind, swaps) = match op.code {
            extra::TO_LE16 => (types::I16, false),
            extra::TO_LE32 => (types::I32, false),
            extra::TO_LE64 => (types::I64, false),
            extra::TO_BE16 => (types::I16, true),
            extra::TO_BE32 => (types::I32, true),
            extra::TO_BE64 => (types::I64, true),
            other => unreachable!("0x{other:02x} is no opcode of class {}", class::LD),
        };
        let value = self.get_as(op.dst, kind);
        let value = if swaps {
            self.builder.ins().bswap(value)
        } else {
            value
        };
        self.set_as(op.dst, kind, value);
    }
}
