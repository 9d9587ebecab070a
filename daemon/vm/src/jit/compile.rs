//! From a lowered program to machine code: the module, its functions, their signatures.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Signature, UserFuncName, types};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::{FuncId, Module};

use super::code::{Jit, Pages};
use super::facts::{self, Analysis};
use super::flow::{self, Flow, Function};
use super::translate;
use crate::exec::lower::{Code, Op, extra};
use crate::isa::{class, mem};
use crate::maps::Map;

/// What the translation of each function needs of the program.
pub struct Plan<'a> {
    pub code: &'a Code,
    pub maps: &'a [Arc<Map>],
    pub flow: &'a Flow,
    pub ids: BTreeMap<usize, FuncId>,
    /// Whether the run time is not bounded by the program's form.
    pub metered: bool,
    /// Whether anything can end an invocation before the program does.
    pub can_end: bool,
}

/// Compile a verified program, or say why it must be interpreted.
pub fn compile(code: &Code, maps: &[Arc<Map>], budget: u64) -> Result<Jit, String> {
    if cfg!(target_endian = "big") {
        return Err("this machine is big-endian".into());
    }
    let flow = flow::analyse(code)?;
    let mut facts = facts::analyse(code, maps, &flow)?;
    let metered = flow
        .worst_case
        .is_none_or(|instructions| instructions > budget);
    let plan = Plan {
        code,
        maps,
        flow: &flow,
        ids: BTreeMap::new(),
        metered,
        can_end: metered || flow.deep || code.ops.iter().any(may_end),
    };
    // Cranelift states some of its limits by panicking.
    catch_unwind(AssertUnwindSafe(|| emit(plan, &mut facts)))
        .unwrap_or_else(|_| Err("the code generator panicked".into()))
}

fn emit(mut plan: Plan<'_>, facts: &mut Analysis<'_>) -> Result<Jit, String> {
    let mut pages = Pages::new(host()?, plan.flow.instructions)?;
    let module = pages.module();
    for function in plan.flow.functions.values() {
        let signature = signature(function, module.make_signature());
        let id = module.declare_anonymous_function(&signature);
        plan.ids
            .insert(function.start, id.map_err(|error| error.to_string())?);
    }
    let mut size = 0;
    let mut context = module.make_context();
    let mut builder = FunctionBuilderContext::new();
    for function in plan.flow.functions.values() {
        let id = plan.ids[&function.start];
        begin(&mut context, function, id, module.make_signature());
        translate::function(
            &plan,
            facts,
            function,
            &mut context.func,
            &mut builder,
            module,
        );
        module
            .define_function(id, &mut context)
            .map_err(|error| format!("the code generator: {error:?}"))?;
        size += context
            .compiled_code()
            .map_or(0, |code| code.code_buffer().len());
        module.clear_context(&mut context);
    }
    pages.finish(plan.ids[&0], size)
}

/// Helpers can fail, and atomic accesses can be unaligned.
fn may_end(op: &Op) -> bool {
    let atomic = op.code & 0xe7 == mem::ATOMIC | class::STX;
    atomic || matches!(op.code, extra::CALL_NATIVE | extra::CALL_REMOTE)
}

fn begin(context: &mut Context, function: &Function, id: FuncId, empty: Signature) {
    context.func.signature = signature(function, empty);
    context.func.name = UserFuncName::user(0, id.as_u32());
}

/// Invocation, end of the own frame, then the registers that the function takes.
fn signature(function: &Function, mut signature: Signature) -> Signature {
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
fn host() -> Result<OwnedTargetIsa, String> {
    static HOST: OnceLock<Result<OwnedTargetIsa, String>> = OnceLock::new();
    HOST.get_or_init(|| {
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "speed"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            ("unwind_info", "false"),
            // A frame of many pages touches each, so that it cannot leap over a guard page.
            ("enable_probestack", "true"),
            ("probestack_strategy", "inline"),
            (
                "enable_verifier",
                if cfg!(debug_assertions) {
                    "true"
                } else {
                    "false"
                },
            ),
        ] {
            flags.set(name, value).map_err(|error| error.to_string())?;
        }
        let machine = cranelift_native::builder()?;
        machine
            .finish(settings::Flags::new(flags))
            .map_err(|error| error.to_string())
    })
    .clone()
}
