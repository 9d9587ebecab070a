//! Tail calls: one invocation that goes on with another program.
//!
//! Helper 5 notes the next program and ends the current one, in both executors
//! by the way in which any helper ends an invocation.  `program` then runs the
//! next one on the same context.  The first program's caller never resumes.

use super::fault::Fault;
use super::program::Program;
use crate::error::ResultCode;
use crate::maps::ProgramKey;

/// Tail calls that one invocation may make (`MAX_TAIL_CALL_CNT`).
pub const MAX_TAIL_CALLS: u32 = 33;

/// The tail calls of one invocation.
pub struct TailCalls<'r> {
    /// Of its context.
    layout: &'r ProgramKey,
    made: u32,
    next: Option<&'r Program>,
}

impl<'r> TailCalls<'r> {
    /// None yet, of an invocation on a context of this layout.
    pub fn of(layout: &'r ProgramKey) -> Self {
        Self {
            layout,
            made: 0,
            next: None,
        }
    }

    /// Note the next program; the fault that ends the current one, or what the helper returns.
    ///
    /// One that was verified for other contexts is none at all: its type has changed between the
    /// two of them.
    pub fn call(&mut self, program: &'r Program) -> Result<u64, Fault> {
        if program.waits() {
            return Err(Fault::new(
                ResultCode::ExtensionFailedToLoad,
                "the program that it goes on with waits for its extension",
            ));
        }
        if !program.is_for(self.layout) {
            return Ok(ResultCode::InvalidArgument.negated());
        }
        if self.made == MAX_TAIL_CALLS {
            return Ok(ResultCode::NoMoreTailCalls.negated());
        }
        self.made += 1;
        self.next = Some(program);
        Err(Fault {
            code: 0,
            message: String::new(),
        })
    }

    /// None any more: another invocation begins.
    pub fn reset(&mut self) {
        (self.made, self.next) = (0, None);
    }

    /// The program to go on with, if the last one ended by a tail call.
    pub fn take(&mut self) -> Option<&'r Program> {
        self.next.take()
    }
}
