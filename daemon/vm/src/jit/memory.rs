//! Loads, stores and atomic instructions (RFC 9669 section 5).
//!
//! Nothing is checked that the verifier has proved; alignment of atomic
//! accesses is, because it proves none, and a machine may trap.

use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, Type, Value, types};

use super::facts::Known;
use super::runtime::status;
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
        let address = self.aligned(op, kind);
        let operand = self.get_as(op.src, kind);
        let flags = flags().with_aligned();
        let operation = op.imm as i32;
        if operation == atomic::CMPXCHG {
            let expected = self.get_as(0, kind);
            let before = self
                .builder
                .ins()
                .atomic_cas(flags, address, expected, operand);
            return self.set_as(0, kind, before);
        }
        let rmw = match operation & !atomic::FETCH {
            atomic::ADD => AtomicRmwOp::Add,
            atomic::OR => AtomicRmwOp::Or,
            atomic::AND => AtomicRmwOp::And,
            atomic::XOR => AtomicRmwOp::Xor,
            _ => AtomicRmwOp::Xchg,
        };
        let before = self
            .builder
            .ins()
            .atomic_rmw(kind, flags, rmw, address, operand);
        if operation & atomic::FETCH != 0 {
            self.set_as(op.src, kind, before);
        }
    }

    /// The address of an atomic access, checked unless it is known to be aligned.
    fn aligned(&mut self, op: &Op, kind: Type) -> Value {
        let (base, offset) = self.place(op.dst, op.offset);
        let offset = i64::from(offset);
        let size = i64::from(kind.bytes());
        let distance = self.number(offset);
        let address = self.builder.ins().iadd(base, distance);
        let in_frame = matches!(self.state.known[usize::from(op.dst)], Known::Frame(_));
        // Frames are aligned like the stack, to 16 bytes.
        if !in_frame || offset % size != 0 {
            let mask = self.number(size - 1);
            let rest = self.builder.ins().band(address, mask);
            self.fail_if(rest, status::UNALIGNED + size, Some(address));
        }
        address
    }
}

fn width(op: &Op) -> Type {
    match op.code & 0x18 {
        mem::B => types::I8,
        mem::H => types::I16,
        mem::W => types::I32,
        _ => types::I64,
    }
}
