//! Tail calls: one invocation that goes on with another program.
//!
//! Helper 5 notes the next program and ends the current one, in both executors
//! by the way in which any helper ends an invocation.  `program` then runs the
//! next one on the same context.  The first program's caller never resumes.

use super::fault::Fault;
use super::program::Program;
use crate::error::ResultCode;

/// Tail calls that one invocation may make (`MAX_TAIL_CALL_CNT`).
pub const MAX_TAIL_CALLS: u32 = 33;

/// The tail calls of one invocation.
#[derive(Default)]
pub struct TailCalls<'r> {
    made: u32,
    next: Option<&'r Program>,
}

impl<'r> TailCalls<'r> {
    /// Note the next program; the fault that ends the current one, or what the helper returns.
    pub fn call(&mut self, program: &'r Program) -> Result<u64, Fault> {
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

    /// The program to go on with, if the last one ended by a tail call.
    pub fn take(&mut self) -> Option<&'r Program> {
        self.next.take()
    }
}
