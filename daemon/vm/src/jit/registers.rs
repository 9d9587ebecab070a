//! Registers while a block is translated: their values are remembered until the block ends.
//!
//! Cranelift is told of a register's value once per block, and only if
//! somebody reads it later on: each telling costs a search, as each question
//! does.  So a register must be read where all of the rest of the block lies
//! behind, not in a part that an instruction may leave out.
//!
//! The low half is remembered as it is: so arithmetic of 32 bits does not
//! extend each result only to cut it off again.

use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};

use super::flow::Registers;
use super::translate::Translator;

/// r0 to r9; r10 is an address that is known.
const COUNT: usize = 10;

/// One register, in the block that is being translated.
#[derive(Clone, Copy, Default)]
struct Register {
    whole: Option<Value>,
    /// The low half; if `whole` is not known, the rest is 0.
    half: Option<Value>,
    /// Cranelift has not been told.
    written: bool,
}

/// The registers of one function in place.
pub struct File {
    /// What they hold where blocks begin and end.
    variables: [Variable; COUNT],
    now: [Register; COUNT],
}

impl File {
    pub fn new(builder: &mut FunctionBuilder<'_>) -> Self {
        Self {
            variables: std::array::from_fn(|_| builder.declare_var(types::I64)),
            now: [Register::default(); COUNT],
        }
    }

    /// Where control comes from several sides, nothing is remembered.
    pub fn forget(&mut self) {
        self.now = [Register::default(); COUNT];
    }
}

impl Translator<'_, '_, '_> {
    pub fn get(&mut self, register: u8) -> Value {
        let place = usize::from(register);
        let Some(known) = self.body.registers.now.get(place).copied() else {
            return self.own_frame();
        };
        let value = match known {
            Register {
                whole: Some(value), ..
            } => return value,
            Register {
                half: Some(half), ..
            } => self.builder.ins().uextend(types::I64, half),
            _ => self.builder.use_var(self.body.registers.variables[place]),
        };
        self.body.registers.now[place].whole = Some(value);
        value
    }

    /// A register, or its low part.
    pub fn get_as(&mut self, register: u8, kind: Type) -> Value {
        let place = usize::from(register);
        let half = self.body.registers.now.get(place).and_then(|now| now.half);
        match (kind, half) {
            (types::I64, _) => return self.get(register),
            (types::I32, Some(half)) => return half,
            _ => {}
        }
        let whole = self.get(register);
        let value = self.builder.ins().ireduce(kind, whole);
        if kind == types::I32 && place < COUNT {
            self.body.registers.now[place].half = Some(value);
        }
        value
    }

    pub fn set(&mut self, register: u8, value: Value) {
        self.body.registers.now[usize::from(register)] = Register {
            whole: Some(value),
            half: None,
            written: true,
        };
    }

    /// Set a register; a narrower value clears the rest.
    pub fn set_as(&mut self, register: u8, kind: Type, value: Value) {
        match kind {
            types::I64 => self.set(register, value),
            types::I32 => {
                self.body.registers.now[usize::from(register)] = Register {
                    whole: None,
                    half: Some(value),
                    written: true,
                };
            }
            _ => {
                let whole = self.builder.ins().uextend(types::I64, value);
                self.set(register, whole);
            }
        }
    }

    /// Before a block ends: tell Cranelift of the registers that were written and are `live`.
    pub fn settle(&mut self, live: Registers) {
        for register in 0..COUNT {
            let written = self.body.registers.now[register].written;
            if written && live >> register & 1 != 0 {
                let value = self.get(register as u8);
                let variable = self.body.registers.variables[register];
                self.builder.def_var(variable, value);
            }
            self.body.registers.now[register].written = false;
        }
    }
}
