//! From a lowered program to machine code: what is compiled, for which machine, in which order.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{AbiParam, Signature, UserFuncName, types};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;

use super::bounds::{self, Bounds};
use super::code::{Jit, Timing};
use super::facts::{self, Analysis};
use super::flow::{self, Flow, Function};
use super::layout::Layout;
use super::translate;
use crate::contract::ContextDescriptor;
use crate::exec::lower::{Code, Op, extra};
use crate::isa::{class, mem};
use crate::maps::Map;

/// Instructions of local functions that are copied into their callers, for a program.
const MAX_COPIES: usize = 2_048;
/// Instructions of a program after which Cranelift's memory is kept for the next one.
const MAX_KEPT: usize = 2_048;

/// What the translation of each function needs of the program.
pub struct Plan<'a> {
    pub code: &'a Code,
    pub maps: &'a [Arc<Map>],
    pub flow: &'a Flow,
    pub bounds: &'a Bounds,
    /// Whether anything can end an invocation before the program does.
    pub can_end: bool,
}

/// Compile a verified program, or say why it must be interpreted.
///
/// `proved` is the most instructions that a run can execute, if our own judge has proved it: then
/// it has also proved that nothing is written to read-only maps.
pub fn compile(
    code: &Code,
    maps: &[Arc<Map>],
    descriptor: &ContextDescriptor,
    budget: u64,
    proved: Option<u64>,
) -> Result<Jit, String> {
    if cfg!(not(target_arch = "x86_64")) {
        return Err("there is no compiler for this machine".into());
    }
    let start = Instant::now();
    let flow = flow::analyse(code)?;
    let mut facts = facts::analyse(code, maps, &flow, descriptor);
    if proved.is_none() {
        facts.check_all_stores()?;
    }
    let bounds = bounds::find(&mut facts, budget, proved);
    let plan = Plan {
        code,
        maps,
        flow: &flow,
        can_end: bounds.metered || flow.deep || code.ops.iter().any(may_end),
        bounds: &bounds,
    };
    // Cranelift states some of its limits by panicking.
    let emitted = catch_unwind(AssertUnwindSafe(|| emit(&plan, &mut facts)));
    let (mut jit, generator) =
        emitted.unwrap_or_else(|_| Err("the code generator panicked".into()))?;
    jit.set_keeps_context(facts.keeps_context());
    jit.set_timing(Timing {
        total_ns: start.elapsed().as_nanos() as u64,
        generator_ns: generator.as_nanos() as u64,
    });
    Ok(jit)
}

/// What Cranelift works with; it keeps its memory from one program to the next.
struct Tools {
    context: Context,
    builder: FunctionBuilderContext,
}

thread_local! {
    /// Set back only after success: what a panic leaves is not used again.
    static TOOLS: Cell<Option<Tools>> = const { Cell::new(None) };
}

/// The code, and the time that Cranelift took for it.
fn emit(plan: &Plan<'_>, facts: &mut Analysis<'_>) -> Result<(Jit, Duration), String> {
    let mut generator = Duration::ZERO;
    let isa = host()?;
    let mut layout = Layout::default();
    let mut tools = TOOLS.take().unwrap_or_else(|| Tools {
        context: Context::new(),
        builder: FunctionBuilderContext::new(),
    });
    let (context, builder) = (&mut tools.context, &mut tools.builder);
    let mut pending = Pending::new();
    while let Some(start) = pending.next() {
        let function = plan.flow.function_at(start);
        context.clear();
        context.func.signature = signature(function, isa.default_call_conv());
        context.func.name = UserFuncName::user(0, start as u32);
        translate::function(
            plan,
            facts,
            function,
            &mut pending,
            &mut context.func,
            builder,
            isa,
        );
        let began = Instant::now();
        context
            .compile(isa, &mut ControlPlane::default())
            .map_err(|error| format!("the code generator: {:?}", error.inner))?;
        generator += began.elapsed();
        let compiled = context.compiled_code().ok_or("nothing was compiled")?;
        layout.add(start as u32, &context.func, compiled)?;
    }
    if plan.code.ops.len() <= MAX_KEPT {
        TOOLS.set(Some(tools));
    }
    layout.link()?;
    let jit = Jit::new(&layout.code, layout.start(0)?, plan.bounds)?;
    Ok((jit, generator))
}

/// Functions that have to be compiled, because something calls them.
pub struct Pending {
    waiting: Vec<usize>,
    known: BTreeSet<usize>,
    /// Instructions that may still be copied into callers.
    pub copies: usize,
}

impl Pending {
    fn new() -> Self {
        Self {
            waiting: vec![0],
            known: BTreeSet::from([0]),
            copies: MAX_COPIES,
        }
    }

    pub fn add(&mut self, start: usize) {
        if self.known.insert(start) {
            self.waiting.push(start);
        }
    }

    fn next(&mut self) -> Option<usize> {
        self.waiting.pop()
    }
}

/// Helpers can fail, and atomic accesses can be unaligned.
fn may_end(op: &Op) -> bool {
    let atomic = op.code & 0xe7 == mem::ATOMIC | class::STX;
    atomic || matches!(op.code, extra::CALL_NATIVE | extra::CALL_REMOTE)
}

/// Invocation, end of the own frame, then the registers that the function takes.
pub fn signature(function: &Function, convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    let parameters = 2 + parameters(function).count();
    signature.params = vec![AbiParam::new(types::I64); parameters];
    signature.returns = vec![AbiParam::new(types::I64)];
    signature
}

/// The program itself is given r1 and nothing else, whatever it reads.
pub fn parameters(function: &Function) -> impl Iterator<Item = u8> + use<> {
    let taken = if function.start == 0 {
        0b10
    } else {
        function.live_in
    };
    (0..10_u8).filter(move |register| taken >> register & 1 != 0)
}

/// The code generator for this machine, set up once.
fn host() -> Result<&'static dyn TargetIsa, String> {
    static HOST: OnceLock<Result<OwnedTargetIsa, String>> = OnceLock::new();
    let host = HOST.get_or_init(|| {
        let mut flags = settings::builder();
        let verifier = if cfg!(debug_assertions) {
            "true"
        } else {
            "false"
        };
        for (name, value) in [
            ("opt_level", "speed"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            ("unwind_info", "false"),
            ("machine_code_cfg_info", "true"),
            // A frame of many pages touches each, so that it cannot leap over a guard page.
            ("enable_probestack", "true"),
            ("probestack_strategy", "inline"),
            ("enable_verifier", verifier),
        ] {
            flags.set(name, value).map_err(|error| error.to_string())?;
        }
        let machine = cranelift_native::builder()?;
        machine
            .finish(settings::Flags::new(flags))
            .map_err(|error| error.to_string())
    });
    host.as_ref().map(AsRef::as_ref).map_err(Clone::clone)
}
