//! What compiled code and the engine hand each other during one invocation.
//!
//! Compiled code knows [`Head`] by its offsets, and calls the two functions at
//! the end.  A frame of compiled code cannot be unwound: whatever ends an
//! invocation inside a helper, a panic included, is kept here and marked in
//! `status`, which the code looks at after each call that may have set it.
//!
//! Sound because: `Head` is the first field of an `Invocation`, so the pointer
//! that compiled code passes back leads to the whole value.  It lives in `run`
//! while compiled code runs on the same thread, and nobody else has it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::code::Jit;
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

#[repr(C)]
struct Invocation<'a, 'r> {
    head: Head,
    code: &'a Code,
    services: &'a mut Services<'r>,
    end: Option<End>,
}

/// Run one invocation to its end: r0, or the pc of a fault.
pub fn run(
    jit: &Jit,
    code: &Code,
    services: &mut Services<'_>,
    stack: &mut Stack,
    context: u64,
    budget: u64,
) -> Result<u64, (usize, Fault)> {
    // The verifier has proved that each function stays in its frame, or its callers'.
    services.memory.open_stack(&mut stack.0);
    services.memory.budget = budget;
    let mut invocation = Invocation {
        head: Head {
            left: i64::try_from(budget).unwrap_or(i64::MAX),
            status: status::RUNNING,
            pc: 0,
            top: stack.0.as_mut_ptr() as u64 + STACK_SIZE as u64,
            lane: services.memory.lane() as u64,
        },
        code,
        services,
        end: None,
    };
    let top = invocation.head.top;
    // SAFETY: the head of an invocation, the end of its stack, and the context are what the
    // code was compiled for; `Jit` promises the rest.
    let result = unsafe { (jit.entry())((&raw mut invocation).cast(), top, context) };
    let Invocation { head, end, .. } = invocation;
    let fault = match (head.status, end) {
        (status::RUNNING, _) => return Ok(result),
        (_, Some(End::Fault(fault))) => fault,
        (_, Some(End::Panic(panic))) => resume_unwind(panic),
        (status::BUDGET, _) => Fault::out_of_budget(budget),
        (_, _) => too_deep(),
    };
    Err((head.pc as usize, fault))
}

impl<'r> Invocation<'_, 'r> {
    /// Call a helper, and keep what must not unwind through compiled code.
    fn call(
        &mut self,
        pc: u64,
        helper: impl FnOnce(&Code, &mut Services<'r>) -> Result<u64, Fault>,
    ) -> u64 {
        let (code, services) = (self.code, &mut *self.services);
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
    let invocation = unsafe { &mut *head.cast::<Invocation<'_, '_>>() };
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
    let invocation = unsafe { &mut *head.cast::<Invocation<'_, '_>>() };
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
    let invocation = unsafe { &mut *head.cast::<Invocation<'_, '_>>() };
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
