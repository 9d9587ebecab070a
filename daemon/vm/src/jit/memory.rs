//! Loads, stores and atomic instructions (RFC 9669 section 5).
//!
//! Nothing is checked that the verifier has proved; alignment of atomic
//! accesses is, because it proves none, and a machine may trap.

use cranelift_codegen::ir::{AtomicRmwOp, BlockArg, InstBuilder, Type, Value, types};

use super::facts::Known;
use super::runtime;
use super::translate::{Translator, flags};
use crate::exec::lower::Op;
use crate::isa::{atomic, class, mem};

impl Translator<'_, '_, '_> {
    pub fn load(&mut self, op: &Op) {
        let (base, offset) = self.place(op.src, op.offset);
        let signed = op.code & 0xe0 == mem::MEMSX;
        let (wide, flags) = (types::I64, flags());
        let ins = self.builder.ins();
        let value = match (width(op), signed) {
            (types::I8, false) => ins.uload8(wide, flags, base, offset),
            (types::I8, true) => ins.sload8(wide, flags, base, offset),
            (types::I16, false) => ins.uload16(wide, flags, base, offset),
            (types::I16, true) => ins.sload16(wide, flags, base, offset),
            (types::I32, false) => ins.uload32(flags, base, offset),
            (types::I32, true) => ins.sload32(flags, base, offset),
            _ => ins.load(wide, flags, base, offset),
        };
        self.set(op.dst, value);
    }

    pub fn store(&mut self, op: &Op) {
        let kind = width(op);
        let value = if op.code & 7 == class::STX {
            self.get_as(op.src, kind)
        } else {
            let value = self.number(op.imm as i64);
            self.narrow(value, kind)
        };
        let (base, offset) = self.place(op.dst, op.offset);
        self.builder.ins().store(flags(), value, base, offset);
    }

    fn narrow(&mut self, value: Value, kind: Type) -> Value {
        if kind == types::I64 {
            return value;
        }
        self.builder.ins().ireduce(kind, value)
    }

    pub fn atomic(&mut self, op: &Op) {
        let kind = width(op);
        let (base, offset) = self.place(op.dst, op.offset);
        let distance = self.number(offset.into());
        let address = self.builder.ins().iadd(base, distance);
        let operands = Operands {
            address,
            value: self.get_as(op.src, kind),
            expected: (op.imm as i32 == atomic::CMPXCHG).then(|| self.get_as(0, kind)),
        };
        let size = i64::from(kind.bytes());
        let in_frame = matches!(self.state.known[usize::from(op.dst)], Known::Frame(_));
        // Frames are aligned like the stack, to 16 bytes.
        let before = if in_frame && i64::from(offset) % size == 0 {
            self.atomic_aligned(op, kind, operands)
        } else {
            self.atomic_anywhere(op, kind, operands)
        };
        match op.imm as i32 {
            atomic::CMPXCHG => self.set_as(0, kind, before),
            operation if operation & atomic::FETCH != 0 => self.set_as(op.src, kind, before),
            _ => {}
        }
    }

    /// What the machine's own instruction finds.
    fn atomic_aligned(&mut self, op: &Op, kind: Type, operands: Operands) -> Value {
        let Operands { address, value, .. } = operands;
        let flags = flags().with_aligned();
        if let Some(expected) = operands.expected {
            let ins = self.builder.ins();
            return ins.atomic_cas(flags, address, expected, value);
        }
        let rmw = match op.imm as i32 & !atomic::FETCH {
            atomic::ADD => AtomicRmwOp::Add,
            atomic::OR => AtomicRmwOp::Or,
            atomic::AND => AtomicRmwOp::And,
            atomic::XOR => AtomicRmwOp::Xor,
            _ => AtomicRmwOp::Xchg,
        };
        let ins = self.builder.ins();
        ins.atomic_rmw(kind, flags, rmw, address, value)
    }

    /// The same if the address is aligned; else the engine does it, or ends the invocation.
    fn atomic_anywhere(&mut self, op: &Op, kind: Type, operands: Operands) -> Value {
        let Operands { address, value, .. } = operands;
        let [apart, aligned, done] = std::array::from_fn(|_| self.builder.create_block());
        self.builder.set_cold_block(apart);
        self.builder.append_block_param(done, kind);
        let mask = self.number(i64::from(kind.bytes()) - 1);
        let rest = self.builder.ins().band(address, mask);
        self.builder.ins().brif(rest, apart, &[], aligned, &[]);

        self.continue_with(apart);
        let size = self.number(kind.bytes().into());
        let operation = self.number(op.imm as i64);
        let [value, expected] = [value, operands.expected.unwrap_or(value)].map(|operand| {
            if kind == types::I64 {
                return operand;
            }
            self.builder.ins().uextend(types::I64, operand)
        });
        let arguments = [address, size, operation, value, expected];
        let before = self.call_engine(runtime::atomic_apart as *const () as i64, &arguments);
        let before = self.narrow(before, kind);
        self.builder.ins().jump(done, &[BlockArg::Value(before)]);

        self.continue_with(aligned);
        let before = self.atomic_aligned(op, kind, operands);
        self.builder.ins().jump(done, &[BlockArg::Value(before)]);
        self.continue_with(done);
        self.builder.block_params(done)[0]
    }
}

/// What an atomic instruction reads, before control splits: what is read behind that is not known
/// where control meets again.
#[derive(Clone, Copy)]
struct Operands {
    address: Value,
    value: Value,
    /// Of a comparison.
    expected: Option<Value>,
}

fn width(op: &Op) -> Type {
    match op.code & 0x18 {
        mem::B => types::I8,
        mem::H => types::I16,
        mem::W => types::I32,
        _ => types::I64,
    }
}
