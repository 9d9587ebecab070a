//! For tests: one helper called from a small program, with all 64 bits of its result.

use crate::fixtures::{context, run_on};
use crate::isa::{CALL, EXIT, Insn, LDDW, SOURCE_REGISTER, alu, class, mem};

/// What a register holds at the call.
#[derive(Clone, Copy)]
pub enum Arg {
    Number(u64),
    /// The address of a byte of the data.
    Data(i16),
    Context,
}

pub const NULL: Arg = Arg::Number(0);
pub const DATA: Arg = Arg::Data(0);

pub struct Done {
    pub code: u8,
    pub result: i64,
    pub data: Vec<u8>,
}

/// The arguments in r1 to r5, the call, and r0 into the context, where it comes back.
pub fn program(helper: i32, args: [Arg; 5]) -> Vec<Insn> {
    let mov = class::ALU64 | alu::MOV | SOURCE_REGISTER;
    let double = mem::MEM | mem::DW;
    let mut code = vec![
        Insn::new(mov, 6, 1, 0, 0),
        Insn::new(class::LDX | double, 7, 1, 0, 0),
    ];
    for (register, arg) in (1..).zip(args) {
        match arg {
            Arg::Number(number) => code.extend([
                Insn::new(LDDW, register, 0, 0, number as i32),
                Insn::new(0, 0, 0, 0, (number >> 32) as i32),
            ]),
            Arg::Data(at) => code.extend([
                Insn::new(mov, register, 7, 0, 0),
                Insn::new(class::ALU64 | alu::ADD, register, 0, 0, at.into()),
            ]),
            Arg::Context => code.push(Insn::new(mov, register, 6, 0, 0)),
        }
    }
    code.extend([
        Insn::new(CALL, 0, 0, 0, helper),
        Insn::new(class::STX | double, 6, 0, 16, 0),
        Insn::new(class::ALU64 | alu::MOV, 0, 0, 0, 0),
        Insn::new(EXIT, 0, 0, 0, 0),
    ]);
    code
}

/// Call a helper once from each executor, which must agree; `data` is the packet.
pub fn call(helper: i32, args: [Arg; 5], data: &[u8]) -> Done {
    let test = run_on(&program(helper, args), &[], &context(0, 0), data);
    Done {
        code: test.code,
        result: result(&test.context),
        data: test.data,
    }
}

/// r0 of the helper, from a context that came back.
pub fn result(context: &[u8]) -> i64 {
    let bytes = context[16..24].try_into().expect("eight bytes");
    i64::from_le_bytes(bytes)
}
