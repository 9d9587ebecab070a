//! One context at a time, for callers that count nanoseconds.
//!
//! Memory is kept between runs and the caller fills the context in place, so a
//! run allocates nothing.  Runs are counted exactly.  A clock costs more than a
//! small program, so it is read for one run in [`TIMED`]; the others are taken
//! to last as long as the last one that was timed.

use std::sync::Arc;
use std::time::Instant;

use super::counters::Share;
use super::fault::Fault;
use super::input::Item;
use super::program::{Machine, Program};
use crate::maps::epoch;
use crate::maps::lanes::Lane;

/// Of so many runs one is timed.
const TIMED: u32 = 64;

const NO_DATA: Item = Item {
    start: 0,
    length: 0,
    meta: 0,
};

/// A program with memory for one run at a time; contexts have no data.
pub struct Single {
    program: Arc<Program>,
    machine: Machine,
    share: Arc<Share>,
    /// Whether contexts have any.
    has_pointers: bool,
    untimed: u32,
    lately_ns: u64,
}

impl Single {
    pub fn new(program: Arc<Program>) -> Self {
        Self {
            machine: Machine::new(program.context_size()),
            share: program.tally().share(),
            has_pointers: program.descriptor().pointers().next().is_some(),
            program,
            untimed: 0,
            lately_ns: 0,
        }
    }

    /// The context, to be filled before a run.
    pub fn context(&mut self) -> &mut [u8] {
        self.machine.context.bytes()
    }

    /// The context after a run, and (offset, size) of what its owner takes back of it.
    pub fn left(&mut self) -> (&[u8], &[(usize, usize)]) {
        (self.machine.context.bytes(), self.program.writable())
    }

    /// Run once on the context; r0, of which the program's result is the lower half.
    pub fn run(&mut self) -> Result<u64, Box<Fault>> {
        let start = (self.untimed == 0).then(Instant::now);
        let outcome = self.invoke();
        if let Some(start) = start {
            self.lately_ns = start.elapsed().as_nanos() as u64;
            self.untimed = TIMED;
        }
        self.untimed -= 1;
        self.share.add(self.lately_ns);
        outcome
    }

    fn invoke(&mut self) -> Result<u64, Box<Fault>> {
        let Self {
            program, machine, ..
        } = self;
        let data: &mut [u8] = &mut [];
        if self.has_pointers {
            let base = data.as_mut_ptr() as u64;
            machine.context.point(program.descriptor(), base, NO_DATA);
        }
        let pin = if program.has_maps() {
            program.pin()
        } else {
            epoch::Pin::of_nothing()
        };
        let lane = program.lease();
        let lane = lane.as_ref().map_or(0, Lane::number);
        program.invoke(machine, data, NO_DATA, lane, &pin)
    }
}

impl Drop for Single {
    fn drop(&mut self) {
        self.program.tally().give_back(&self.share);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Single;
    use crate::error::ResultCode;
    use crate::exec::Options;
    use crate::fixtures::{assembled, context, ready};
    use crate::isa::{EXIT, Insn, class, mem};

    /// r0 is the number of the context, which is then set to 5.
    fn reads_and_writes() -> Vec<Insn> {
        vec![
            Insn::new(class::LDX | mem::MEM | mem::W, 0, 1, 16, 0),
            Insn::new(class::ST | mem::MEM | mem::W, 1, 0, 16, 5),
            Insn::new(EXIT, 0, 0, 0, 0),
        ]
    }

    fn single(instructions: &[Insn], options: Options) -> Single {
        let program = ready(&assembled(instructions, &[]), Vec::new(), options);
        Single::new(Arc::new(program))
    }

    /// Every run sees the context that was filled in, and leaves its changes in it.
    #[test]
    fn runs_follow_one_another_in_the_same_memory() {
        let mut single = single(&reads_and_writes(), Options::default());
        for number in 0..40 {
            single.context().copy_from_slice(&context(number, 0));
            assert_eq!(Some(u64::from(number)), single.run().ok());
            assert_eq!((5, &[(16, 16)][..]), (single.left().0[16], single.left().1));
        }
        let program = Arc::clone(&single.program);
        let counters = program.counters();
        assert_eq!(40, counters.runs);
        assert!(counters.nanoseconds > 0);
        drop(single);
        assert_eq!(counters, program.counters());
    }

    /// A failed run says why, is counted, and does not spoil the next one.
    #[test]
    fn a_failed_run_is_counted() {
        let options = Options {
            budget: Some(2),
            ..Options::default()
        };
        let mut single = single(&reads_and_writes(), options);
        for _ in 0..2 {
            let fault = single.run().expect_err("three instructions are too many");
            assert_eq!(ResultCode::Timeout as u8, fault.code);
        }
        let counters = single.program.counters();
        assert_eq!(2, counters.runs);
        assert_eq!(2, counters.failures[&(ResultCode::Timeout as u8)]);
    }
}
