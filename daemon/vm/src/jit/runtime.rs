//! What compiled code and the engine hand each other during one invocation.
//!
//! Compiled code knows [`Head`] by its offsets, and calls the two functions at
//! the end.  A frame of compiled code cannot be unwound: whatever ends an
//! invocation inside a helper, a panic included, is kept here and marked in
//! `status`, which the code looks at after each call that may have set it.
//!
//! An [`Invocation`] is used again: what a run of the same program needs anew is
//! its budget, and all else is looked at only if the run ended early.
//!
//! Sound because: `Head` is the first field of an `Invocation`, so the pointer
//! that compiled code passes back leads to the whole value.  It is borrowed by
//! `enter` while compiled code runs on the same thread, and nobody else has it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::code::{Entry, Jit};
use crate::exec::atomics::Change;
use crate::exec::interpreter::{STACK_SIZE, Stack, too_deep};
use crate::exec::lower::Code;
use crate::exec::{Fault, Services, remote};

/// Why compiled code returned before the program's end: [`Head::status`].
pub mod status {
    pub const RUNNING: i64 = 0;
    /// A helper ended the invocation; `Invocation::end` says how.
    pub const HELPER: i64 = 1;
    pub const BUDGET: i64 = 2;
    pub const DEPTH: i64 = 3;
}

/// What compiled code reads and writes.
#[repr(C)]
pub struct Head {
    /// Instructions left of the budget.
    pub left: i64,
    pub status: i64,
    /// Where.
    pub pc: u64,
    /// End of the outermost frame.
    pub top: u64,
    /// That of the invocation's services.
    pub lane: u64,
}

/// How a helper ended the invocation.
enum End {
    Fault(Fault),
    Panic(Box<dyn Any + Send>),
}

/// What a thread executes, one program after the other; see `exec::session`.
#[repr(C)]
pub struct Invocation<'r> {
    head: Head,
    /// What each run starts with; [`Head::left`] as the budget's.
    limit: i64,
    code: &'r Code,
    pub services: Services<'r>,
    end: Option<End>,
}

/// Run a program that `invocation` was prepared for: r0, or the pc of a fault.
pub fn run(
    jit: &Jit,
    invocation: &mut Invocation<'_>,
    context: u64,
) -> Result<u64, (usize, Fault)> {
    // SAFETY: `prepare` was given this program's code; `Jit` promises the rest.
    match unsafe { invocation.enter(jit.entry(), context) } {
        Some(result) => Ok(result),
        None => Err(invocation.ended()),
    }
}

impl<'r> Invocation<'r> {
    pub fn new(code: &'r Code, services: Services<'r>) -> Self {
        Self {
            head: Head {
                left: 0,
                status: status::RUNNING,
                pc: 0,
                top: 0,
                lane: 0,
            },
            limit: 0,
            code,
            services,
            end: None,
        }
    }

    /// Set up what runs of the same compiled program share.
    ///
    /// The verifier has proved that each function stays in its frame, or its callers'.
    pub fn prepare(&mut self, code: &'r Code, stack: &mut Stack, budget: u64) {
        self.code = code;
        self.limit = i64::try_from(budget).unwrap_or(i64::MAX);
        self.head.status = status::RUNNING;
        self.head.top = stack.0.as_mut_ptr() as u64 + STACK_SIZE as u64;
        self.head.lane = self.services.memory.lane() as u64;
        self.services.memory.open_stack(&mut stack.0);
        self.services.memory.budget = budget;
    }

    /// Run compiled code; `None` if it ended early, and then [`Self::ended`] must come next.
    ///
    /// # Safety
    /// `entry` is that of the code for which `prepare` was called last, with a stack that is
    /// still there; `context` is that of the services, and all of it and of their data is alive.
    #[inline]
    pub unsafe fn enter(&mut self, entry: Entry, context: u64) -> Option<u64> {
        self.head.left = self.limit;
        let top = self.head.top;
        let head = (&raw mut *self).cast::<Head>();
        // SAFETY: the head of an invocation, the end of its stack, and the context are what the
        // code was compiled for; the caller promises the rest.
        let result = unsafe { entry(head, top, context) };
        (self.head.status == status::RUNNING).then_some(result)
    }

    /// Where and why compiled code ended early; a helper's panic goes on here.
    #[cold]
    pub fn ended(&mut self) -> (usize, Fault) {
        let status = std::mem::replace(&mut self.head.status, status::RUNNING);
        let fault = match (status, self.end.take()) {
            (_, Some(End::Fault(fault))) => fault,
            (_, Some(End::Panic(panic))) => resume_unwind(panic),
            (status::BUDGET, _) => Fault::out_of_budget(self.services.memory.budget),
            (_, _) => too_deep(),
        };
        (self.head.pc as usize, fault)
    }

    /// Call a helper, and keep what must not unwind through compiled code.
    fn call(
        &mut self,
        pc: u64,
        helper: impl FnOnce(&Code, &mut Services<'r>) -> Result<u64, Fault>,
    ) -> u64 {
        let (code, services) = (self.code, &mut self.services);
        let before = services.memory.work;
        let end = match catch_unwind(AssertUnwindSafe(|| helper(code, services))) {
            Ok(Ok(result)) => {
                let work = services.memory.work - before;
                self.head.left = self.head.left.saturating_sub_unsigned(work);
                if self.head.left < 0 {
                    self.fail(status::BUDGET, pc);
                }
                return result;
            }
            Ok(Err(fault)) => End::Fault(fault),
            Err(panic) => End::Panic(panic),
        };
        self.end = Some(end);
        self.fail(status::HELPER, pc);
        0
    }

    #[cold]
    fn fail(&mut self, status: i64, pc: u64) {
        self.head.status = status;
        self.head.pc = pc;
    }
}

/// Call general helper `index` of the program with r1 to r5.
///
/// # Safety
/// `head` is that of the running invocation.
pub unsafe extern "C" fn call_native(
    head: *mut Head,
    pc: u64,
    index: u64,
    r1: u64,
    r2: u64,
    r3: u64,
    r4: u64,
    r5: u64,
) -> u64 {
    // SAFETY: see the module.
    let invocation = unsafe { &mut *head.cast::<Invocation<'_>>() };
    invocation.call(pc, |code, services| {
        (code.natives[index as usize].function)(services, [r1, r2, r3, r4, r5])
    })
}

/// Call helper `index` of an extension with r1 to r5.
///
/// # Safety
/// As for [`call_native`].
pub unsafe extern "C" fn call_remote(
    head: *mut Head,
    pc: u64,
    index: u64,
    r1: u64,
    r2: u64,
    r3: u64,
    r4: u64,
    r5: u64,
) -> u64 {
    // SAFETY: see the module.
    let invocation = unsafe { &mut *head.cast::<Invocation<'_>>() };
    invocation.call(pc, |code, services| {
        remote::call(
            &code.remotes[index as usize],
            services,
            [r1, r2, r3, r4, r5],
        )
    })
}

/// An atomic instruction at an address that is no multiple of its size; what was there before.
///
/// # Safety
/// As for [`call_native`].
pub unsafe extern "C" fn atomic_apart(
    head: *mut Head,
    pc: u64,
    address: u64,
    size: u64,
    operation: u64,
    operand: u64,
    expected: u64,
    _: u64,
) -> u64 {
    // SAFETY: see the module.
    let invocation = unsafe { &mut *head.cast::<Invocation<'_>>() };
    let memory = &mut invocation.services.memory;
    let change = Change {
        operation: operation as i32,
        operand,
        expected,
    };
    let done = if size == 4 {
        memory.change32(address, change)
    } else {
        memory.change64(address, change)
    };
    done.unwrap_or_else(|fault| {
        invocation.end = Some(End::Fault(fault));
        invocation.fail(status::HELPER, pc);
        0
    })
}
