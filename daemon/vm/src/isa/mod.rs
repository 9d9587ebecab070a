//! The instruction set: RFC 9669 with the instructions of version 4.
//!
//! ```text
//!  byte   0        1         2..4     4..8
//!       +--------+----+----+--------+----------------+
//!       | opcode |src |dst | offset |      imm       |   little-endian
//!       +--------+----+----+--------+----------------+
//!  opcode of arithmetic and jumps:  op(4) | source(1) | class(3)
//!  opcode of loads and stores:      mode(3) | size(2) | class(3)
//! ```
//!
//! [`Insn`] is one such slot and knows nothing of its neighbours; `validate`
//! judges a whole program.

mod loops;
mod text;
mod validate;

pub use loops::has_loops;
pub use text::describe;
pub use validate::{Invalid, validate};

/// Instruction classes, RFC 9669 section 3.
pub mod class {
    pub const LD: u8 = 0x00;
    pub const LDX: u8 = 0x01;
    pub const ST: u8 = 0x02;
    pub const STX: u8 = 0x03;
    pub const ALU: u8 = 0x04;
    pub const JMP: u8 = 0x05;
    pub const JMP32: u8 = 0x06;
    pub const ALU64: u8 = 0x07;
}

/// Operations of the arithmetic classes, RFC 9669 section 4.1.
pub mod alu {
    pub const ADD: u8 = 0x00;
    pub const SUB: u8 = 0x10;
    pub const MUL: u8 = 0x20;
    pub const DIV: u8 = 0x30;
    pub const OR: u8 = 0x40;
    pub const AND: u8 = 0x50;
    pub const LSH: u8 = 0x60;
    pub const RSH: u8 = 0x70;
    pub const NEG: u8 = 0x80;
    pub const MOD: u8 = 0x90;
    pub const XOR: u8 = 0xa0;
    pub const MOV: u8 = 0xb0;
    pub const ARSH: u8 = 0xc0;
    pub const END: u8 = 0xd0;
}

/// Operations of the jump classes, RFC 9669 section 4.3.
pub mod jump {
    pub const JA: u8 = 0x00;
    pub const JEQ: u8 = 0x10;
    pub const JGT: u8 = 0x20;
    pub const JGE: u8 = 0x30;
    pub const JSET: u8 = 0x40;
    pub const JNE: u8 = 0x50;
    pub const JSGT: u8 = 0x60;
    pub const JSGE: u8 = 0x70;
    pub const CALL: u8 = 0x80;
    pub const EXIT: u8 = 0x90;
    pub const JLT: u8 = 0xa0;
    pub const JLE: u8 = 0xb0;
    pub const JSLT: u8 = 0xc0;
    pub const JSLE: u8 = 0xd0;

    /// All jumps that compare.
    pub const CONDITIONS: [u8; 11] = [JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE];
}

/// Modes and sizes of loads and stores, RFC 9669 section 5.
pub mod mem {
    pub const W: u8 = 0x00;
    pub const H: u8 = 0x08;
    pub const B: u8 = 0x10;
    pub const DW: u8 = 0x18;

    pub const IMM: u8 = 0x00;
    pub const ABS: u8 = 0x20;
    pub const IND: u8 = 0x40;
    pub const MEM: u8 = 0x60;
    pub const MEMSX: u8 = 0x80;
    pub const ATOMIC: u8 = 0xc0;
}

/// Operations of atomic instructions, RFC 9669 section 5.3.
pub mod atomic {
    pub const FETCH: i32 = 0x01;
    pub const ADD: i32 = 0x00;
    pub const OR: i32 = 0x40;
    pub const AND: i32 = 0x50;
    pub const XOR: i32 = 0xa0;
    pub const XCHG: i32 = 0xe0 | FETCH;
    pub const CMPXCHG: i32 = 0xf0 | FETCH;

    /// All operations.
    pub const ALL: [i32; 10] = [
        ADD,
        OR,
        AND,
        XOR,
        ADD | FETCH,
        OR | FETCH,
        AND | FETCH,
        XOR | FETCH,
        XCHG,
        CMPXCHG,
    ];
}

/// The second operand is a register.
pub const SOURCE_REGISTER: u8 = 0x08;
/// The first slot of the only two-slot instruction, a 64-bit immediate load.
pub const LDDW: u8 = class::LD | mem::IMM | mem::DW;
pub const CALL: u8 = class::JMP | jump::CALL;
pub const EXIT: u8 = class::JMP | jump::EXIT;

/// `src` of a `lddw`: what the immediate means, RFC 9669 section 5.4.
pub const LDDW_VALUE: u8 = 0;
pub const LDDW_MAP: u8 = 1;
pub const LDDW_MAP_VALUE: u8 = 2;

/// `src` of a call: who is called, RFC 9669 section 4.3.1.
pub const CALL_HELPER: u8 = 0;
pub const CALL_LOCAL: u8 = 1;
pub const CALL_BTF: u8 = 2;

/// The read-only register that points behind the stack frame.
pub const FRAME_POINTER: u8 = 10;
/// Bytes of stack that one function has.
pub const STACK_FRAME_SIZE: usize = 512;
/// Functions that may be active at once, the program itself included.
pub const MAX_CALL_FRAMES: usize = 8;
/// Slots that a program with its sub-programs may have.
pub const MAX_INSTRUCTIONS: usize = 1_000_000;

/// One eight-byte slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Insn {
    pub opcode: u8,
    pub dst: u8,
    pub src: u8,
    pub offset: i16,
    pub imm: i32,
}

impl Insn {
    pub const fn new(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Self {
        Self {
            opcode,
            dst,
            src,
            offset,
            imm,
        }
    }

    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        let [opcode, registers, o0, o1, i0, i1, i2, i3] = bytes;
        Self {
            opcode,
            dst: registers & 0x0f,
            src: registers >> 4,
            offset: i16::from_le_bytes([o0, o1]),
            imm: i32::from_le_bytes([i0, i1, i2, i3]),
        }
    }

    pub fn to_bytes(self) -> [u8; 8] {
        let [o0, o1] = self.offset.to_le_bytes();
        let [i0, i1, i2, i3] = self.imm.to_le_bytes();
        let registers = (self.src << 4) | (self.dst & 0x0f);
        [self.opcode, registers, o0, o1, i0, i1, i2, i3]
    }

    /// All slots of `bytes`; a trailing part of a slot is dropped.
    pub fn slots(bytes: &[u8]) -> Vec<Self> {
        bytes
            .chunks_exact(8)
            .filter_map(|slot| slot.try_into().ok().map(Self::from_bytes))
            .collect()
    }

    pub fn class(self) -> u8 {
        self.opcode & 0x07
    }

    /// The operation of an arithmetic or jump instruction.
    pub fn operation(self) -> u8 {
        self.opcode & 0xf0
    }

    pub fn mode(self) -> u8 {
        self.opcode & 0xe0
    }

    /// Bytes that a load, store or atomic instruction moves.
    pub fn width(self) -> usize {
        match self.opcode & 0x18 {
            mem::W => 4,
            mem::H => 2,
            mem::B => 1,
            _ => 8,
        }
    }

    pub fn is_register_source(self) -> bool {
        self.opcode & SOURCE_REGISTER != 0
    }

    pub fn is_lddw(self) -> bool {
        self.opcode == LDDW
    }

    pub fn is_map_reference(self) -> bool {
        self.is_lddw() && matches!(self.src, LDDW_MAP | LDDW_MAP_VALUE)
    }

    pub fn is_helper_call(self) -> bool {
        self.opcode == CALL && self.src == CALL_HELPER
    }

    pub fn is_local_call(self) -> bool {
        self.opcode == CALL && self.src == CALL_LOCAL
    }

    /// A call of a BTF-resolved function, whose immediate the loader has resolved.
    pub fn is_function_call(self) -> bool {
        self.opcode == CALL && self.src == CALL_BTF
    }

    pub fn is_exit(self) -> bool {
        self.opcode == EXIT
    }

    /// A jump that is always taken.
    pub fn is_goto(self) -> bool {
        matches!(self.class(), class::JMP | class::JMP32) && self.operation() == jump::JA
    }

    /// A jump that may be taken or not.
    pub fn is_comparison(self) -> bool {
        self.distance().is_some() && !self.is_goto() && !self.is_local_call()
    }

    /// How far behind the next slot a jump or a local call leads, if it is one.
    pub fn distance(self) -> Option<i64> {
        match (self.class(), self.operation()) {
            (class::JMP, jump::EXIT) => None,
            (class::JMP, jump::CALL) => self.is_local_call().then_some(self.imm.into()),
            (class::JMP32, jump::JA) => Some(self.imm.into()),
            (class::JMP | class::JMP32, _) => Some(self.offset.into()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packing and unpacking a slot are inverse to each other.
    #[test]
    fn a_slot_survives_the_round_trip_through_bytes() {
        for bytes in [[0xb7, 0x21, 0x34, 0xf2, 1, 2, 3, 0x84], [0xff; 8], [0; 8]] {
            assert_eq!(bytes, Insn::from_bytes(bytes).to_bytes());
        }
    }
}
