//! Invocations of one program, one after the other, in memory that they share.
//!
//! What a batch, a prepared context and a single caller have in common: the
//! stack, the context, and everything that helpers and compiled code look at is
//! set up once.  A run that ends as most do is the call of compiled code and a
//! look at one word.  Whatever is rare goes out of line: failures, tail calls,
//! lanes, the interpreter.
//!
//! ```text
//!   run --> compiled code --> r0
//!    |           '--ended early--.
//!    '--> execute --> r0         |
//!            '--ended early------+--> go on where a tail call leads, or fail
//! ```
//!
//! Sound because: stack and context are on the heap and owned here, so that what
//! `invocation` knows of them stays true when the session moves.  Compiled code
//! is entered through `entry`, which is that of `program`, borrowed for `'p`;
//! whatever prepares the invocation for another program (a tail call) prepares
//! it for this one before the next run, also if a panic ends it.

use super::context::ContextBlock;
use super::fault::Fault;
use super::interpreter::{STACK_SIZE, Services, Stack};
use super::memory::Memory;
use super::origin::Identity;
use super::program::Program;
use crate::jit::{Entry, Invocation};
use crate::maps::lanes::Lane;

/// Runs in a row that keep the same pin; more would hold back memory longer.
pub const PINNED_RUNS: u32 = 64;

/// A program with memory for one run at a time.
pub struct Session<'p> {
    invocation: Box<Invocation<'p>>,
    program: &'p Program,
    /// Machine code, unless each run needs more than that.
    entry: Option<Entry>,
    stack: Box<Stack>,
    pub context: ContextBlock,
    /// Where it begins.
    address: u64,
    /// Whether each run takes a lane.
    leases: bool,
}

impl<'p> Session<'p> {
    /// `lane` is the caller's, who keeps it for as long as the session; `None`: a run takes one
    /// if it needs one.
    pub fn new(program: &'p Program, lane: Option<&Lane>, identity: Identity) -> Self {
        let mut context = ContextBlock::new(program.context_size());
        let mut stack = Box::new(Stack([0; STACK_SIZE]));
        let number = lane.map_or(0, Lane::number);
        let address = context.bytes().as_mut_ptr() as u64;
        let services = program.services(context.bytes(), number, identity);
        let mut invocation = Box::new(Invocation::new(program.code(), services));
        let leases = program.uses_lane() && lane.is_none();
        let entry = program.open(&mut invocation, &mut stack);
        Self {
            invocation,
            program,
            entry: entry.filter(|_| !leases),
            stack,
            context,
            address,
            leases,
        }
    }

    /// Memory of the invocations: who runs them must see that it is pinned if there are maps.
    #[inline]
    pub fn memory(&mut self) -> &mut Memory<'p> {
        &mut self.invocation.services.memory
    }

    /// What helpers reach.
    #[inline]
    pub fn services(&mut self) -> &mut Services<'p> {
        &mut self.invocation.services
    }

    /// The program that a run begins with.
    #[inline]
    pub fn program(&self) -> &'p Program {
        self.program
    }

    /// Pin anew.
    #[inline]
    pub fn repin(&mut self) {
        let program = self.program;
        self.memory().repin(|| program.pin());
    }

    /// Run once on the context and the data that are set: r0, or the reason of a failure, which
    /// is counted and traced here.
    ///
    /// Both are as wide as a register, so that they travel in registers: handed up through
    /// memory, from one function to the next, they would cost more than a small program.
    #[inline]
    pub fn run(&mut self) -> Result<u64, Box<Fault>> {
        self.memory().begin();
        let Some(entry) = self.entry else {
            return self.execute();
        };
        // SAFETY: see the module; the caller has set data that is alive.
        match unsafe { self.invocation.enter(entry, self.address) } {
            Some(result) => Ok(result),
            None => self.ended(),
        }
    }

    #[cold]
    fn ended(&mut self) -> Result<u64, Box<Fault>> {
        let session = Restored(self);
        let (pc, fault) = session.0.invocation.ended();
        session.0.go_on(pc, fault)
    }

    /// Run by the interpreter, or with a lane of its own.
    #[inline(never)]
    fn execute(&mut self) -> Result<u64, Box<Fault>> {
        // Held for the run alone: who keeps several programs ready must not wait for itself.
        let lane = self.leases.then(|| self.program.lease()).flatten();
        if let Some(lane) = &lane {
            self.memory().set_lane(lane.number());
        }
        let session = Restored(self);
        let Session {
            invocation,
            program,
            stack,
            address,
            ..
        } = &mut *session.0;
        match program.execute(invocation, stack, *address) {
            Ok(result) => {
                std::mem::forget(session);
                Ok(result)
            }
            Err((pc, fault)) => session.0.go_on(pc, fault),
        }
    }

    /// Go on where a tail call leads, if one ended the program; else the program has failed.
    ///
    /// Each program has its own budget; there are few.
    #[cold]
    fn go_on(&mut self, mut pc: usize, mut fault: Fault) -> Result<u64, Box<Fault>> {
        let mut pins = Vec::new();
        let mut program = self.program;
        while let Some(next) = self.invocation.services.tail.take() {
            program = next;
            pins.extend(program.pin_of_its_own());
            program.called(self.program);
            program.take_over(&mut self.invocation.services);
            match program.execute(&mut self.invocation, &mut self.stack, self.address) {
                Ok(result) => return Ok(result),
                Err(ended) => (pc, fault) = ended,
            }
        }
        program.failed(pc, &fault);
        self.program.failed_in(program, fault.code);
        Err(Box::new(fault))
    }
}

/// A session that is as new when this is dropped, whatever ended the run.
struct Restored<'s, 'p>(&'s mut Session<'p>);

impl Drop for Restored<'_, '_> {
    fn drop(&mut self) {
        let Session {
            invocation,
            program,
            stack,
            ..
        } = &mut *self.0;
        program.take_over(&mut invocation.services);
        invocation.services.tail.reset();
        program.open(invocation, stack);
    }
}
