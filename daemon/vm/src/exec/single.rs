//! One context at a time, for callers that count nanoseconds.
//!
//! Memory is kept between runs and the caller fills the context in place, so a
//! run allocates nothing.  Runs are counted exactly.  A clock costs more than a
//! small program, so it is read for one run in [`TIMED`]; the others are taken
//! to last as long as the last one that was timed.  Among the latencies each
//! timed run stands for those before it that were not, the last one also for
//! those that follow.
//!
//! Sound because: the session's program lives in an `Arc` that is dropped after
//! the session, and no reference to it is handed out for longer.  Between runs
//! the session holds no pin, the one thing in it that is tied to a thread.

use std::sync::Arc;
use std::time::Instant;

use super::counters::Leased;
use super::fault::Fault;
use super::input::Item;
use super::program::Program;
use super::session::Session;

/// Of so many runs one is timed.
const TIMED: u64 = 64;

/// A program with memory for one run at a time; contexts have no data.
pub struct Single {
    /// Dropped before the program that it refers to.
    session: Session<'static>,
    program: Arc<Program>,
    share: Leased,
    /// Whether contexts have any.
    has_pointers: bool,
    untimed: u64,
    lately_ns: u64,
}

// SAFETY: see the module.
unsafe impl Send for Single {}

impl Single {
    pub fn new(program: Arc<Program>) -> Self {
        // SAFETY: see the module.
        let lasting: &'static Program = unsafe { &*Arc::as_ptr(&program) };
        Self {
            session: Session::new(lasting, None, lasting.identity(None)),
            share: program.tally().share(),
            has_pointers: program.descriptor().pointers().next().is_some(),
            program,
            untimed: 0,
            lately_ns: 0,
        }
    }

    /// The context, to be filled before a run.
    pub fn context(&mut self) -> &mut [u8] {
        self.session.context.bytes()
    }

    /// The context after a run, and (offset, size) of what its owner takes back of it.
    pub fn left(&mut self) -> (&[u8], &[(usize, usize)]) {
        (self.session.context.bytes(), self.program.writable())
    }

    /// Run once on the context; r0, of which the program's result is the lower half.
    pub fn run(&mut self) -> Result<u64, Box<Fault>> {
        let program = self.session.program();
        let _inside = match program.enter() {
            Ok(inside) => inside,
            Err(error) => return Err(Box::new(Fault::new(error.code, error.message))),
        };
        let start = (self.untimed == 0).then(Instant::now);
        let outcome = self.invoke();
        if let Some(start) = start {
            self.lately_ns = start.elapsed().as_nanos() as u64;
            self.untimed = TIMED;
            let stands_for = TIMED.min(self.share.runs() + 1);
            self.program.tally().timed(stands_for, self.lately_ns);
        }
        self.untimed -= 1;
        self.share.add(self.lately_ns);
        outcome
    }

    #[inline]
    fn invoke(&mut self) -> Result<u64, Box<Fault>> {
        if self.has_pointers {
            let base = std::ptr::NonNull::<u8>::dangling().as_ptr() as u64;
            let context = &mut self.session.context;
            context.point(self.program.descriptor(), base, Item::default());
        }
        if !self.program.has_maps() {
            return self.session.run();
        }
        let pinned = Pinned(&mut self.session);
        pinned.0.repin();
        pinned.0.run()
    }
}

/// A session that holds no pin when this is dropped, also by a panic.
struct Pinned<'s>(&'s mut Session<'static>);

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        self.0.memory().let_go();
    }
}

impl Drop for Single {
    fn drop(&mut self) {
        let tally = self.program.tally();
        let after_timed = self.share.runs().saturating_sub(1) % TIMED;
        tally.timed(after_timed, self.lately_ns);
        tally.give_back(&self.share);
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
        assert_eq!(1, program.latency().iter().sum::<u64>());
        drop(single);
        assert_eq!(counters, program.counters());
        assert_eq!(40, program.latency().iter().sum::<u64>());
    }

    /// However many runs there were, the latencies know of all of them in the end, and of most now.
    #[test]
    fn a_timed_run_stands_for_those_that_are_not() {
        for runs in [0, 1, 2, 64, 65, 66, 128, 129, 200] {
            let mut single = single(&reads_and_writes(), Options::default());
            for _ in 0..runs {
                single.run().expect("it ends");
            }
            let program = Arc::clone(&single.program);
            let known = program.latency().iter().sum::<u64>();
            assert!(known <= runs && runs < known + super::TIMED);
            drop(single);
            assert_eq!(runs, program.latency().iter().sum::<u64>());
        }
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
