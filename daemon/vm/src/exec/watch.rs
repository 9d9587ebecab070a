//! One run that is watched: each instruction, with the registers before it.
//!
//! For those who look for inputs on which a program goes wrong: the interpreter
//! checks every access, so whatever it stops at would be harmful without it.

use super::context::ContextBlock;
use super::fault::Fault;
use super::input::{self, Input};
use super::interpreter::{self, STACK_SIZE, Stack};
use super::origin::Identity;
use super::program::Program;
use crate::error::Result;
use crate::maps::lanes::Lane;

/// What is read of the registers: r0 to r10.
pub const REGISTERS: usize = 11;

/// An instruction that is about to be executed.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub pc: usize,
    pub registers: [u64; REGISTERS],
}

/// A run that was watched.
#[derive(Clone, Debug)]
pub struct Watched {
    /// r0, or where and why the run was stopped.
    pub outcome: std::result::Result<u64, (usize, Fault)>,
    /// The first instructions, as many as were asked for.
    pub steps: Vec<Seen>,
    /// Where the metadata begins, and the data behind it.
    pub data: u64,
}

impl Program {
    /// Run once in the interpreter, and keep the first `most` instructions; nothing is counted.
    pub fn watch(
        &self,
        context: &[u8],
        data: &mut [u8],
        meta: u32,
        most: usize,
    ) -> Result<Watched> {
        let input = Input {
            contexts: context,
            count: 1,
            data,
            data_lengths: &[],
            meta_lengths: &meta.to_le_bytes(),
            origin: None,
        };
        input::stride(&input, self.descriptor())?;
        let items = input::items(&input, self.descriptor())?;
        let lane = self.lease();
        let mut block = ContextBlock::new(self.context_size());
        block.load(context);
        let base = data.as_mut_ptr() as u64;
        block.point(self.descriptor(), base, items.get(0));
        let address = block.bytes().as_mut_ptr() as u64;
        let number = lane.as_ref().map_or(0, Lane::number);
        let mut services = self.services(block.bytes(), number, Identity::default());
        services.memory.set_data(data);
        services.memory.repin(|| self.pin());
        let mut stack = Box::new(Stack([0; STACK_SIZE]));
        let mut steps = Vec::new();
        let outcome = interpreter::run(
            self.code(),
            &mut services,
            &mut stack,
            address,
            self.budget(),
            |moment| {
                if steps.len() < most {
                    let mut registers = [0; REGISTERS];
                    registers.copy_from_slice(&moment.registers[..REGISTERS]);
                    let pc = moment.pc;
                    steps.push(Seen { pc, registers });
                }
            },
        );
        let outcome = match services.tail.take() {
            // It went on in another program, which is not looked at.
            Some(_) => Ok(0),
            None => outcome,
        };
        Ok(Watched {
            outcome,
            steps,
            data: base,
        })
    }
}
