//! A program ready to run, with everything that it refers to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::writable_ranges;
use super::counters::{CounterValues, Counters};
use super::fault::Fault;
use super::gate::{Gate, Inside};
use super::image::Part;
#[cfg(any(test, feature = "differential"))]
use super::interpreter::Moment;
use super::interpreter::{self, Services, Stack};
use super::lower::{self, Bindings, Code, RemoteHelper};
use super::memory::Memory;
use super::origin::{Identity, Origin};
use super::remote::Remote;
use super::tail::TailCalls;
use super::tape::Tape;
use crate::contract::{ContextDescriptor, ProgramInformation};
use crate::error::{EngineError, Result, ResultCode};
use crate::helpers;
use crate::jit::{self, Entry, Invocation, Jit};
use crate::maps::epoch::{self, Domain};
use crate::maps::lanes::{self, Lane};
use crate::maps::{Map, ProgramKey};
use crate::spec::ProgramSpec;
use crate::trace::Trace;

/// Instructions that one invocation may execute; what helpers do counts too.
pub const DEFAULT_BUDGET: u64 = 1_000_000;
/// Helpers that tell the lane, write to the lane's ring, or call who knows what.
const NEED_LANE: [u32; 3] = [helpers::TAIL_CALL, 8, 32];

/// How a program may be executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Execution {
    /// Compiled if that is possible.
    #[default]
    Any,
    Jit,
    Interpreter,
}

/// Who has seen that a program is safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verified {
    /// Nobody.
    #[default]
    No,
    /// Prevail, with maps of these sizes and this contract: it runs with checks.
    Accepted,
    /// Our own judge, in the same way, and that it ends after so many instructions: it is compiled.
    Proved(u64),
    /// Nobody either: its maker vouches for it.  For tests and benchmarks alone.
    Assumed,
}

/// Is shown what the interpreter is about to do.
#[cfg(any(test, feature = "differential"))]
pub type Observer = Arc<dyn Fn(Moment<'_>) + Send + Sync>;

/// What a program may be given.
#[derive(Clone, Default)]
pub struct Options {
    /// Who carries calls of extension helpers.
    pub remote: Option<Arc<dyn Remote>>,
    /// Helpers and functions of the contract that are answered in this process: no run waits.
    pub local: Bindings,
    /// Maps of which `remote` writes the elements, since their provider must know of them.
    pub provided: Vec<usize>,
    pub trace: Option<Arc<Trace>>,
    /// Names the program in its trace lines.
    pub tag: u64,
    /// Instructions per invocation, the work of helpers included; `None`: [`DEFAULT_BUDGET`].
    pub budget: Option<u64>,
    /// A promise of the caller on which the safety of the process rests, for it is what
    /// allows to compile.
    pub verified: Verified,
    pub execution: Execution,
    /// Between this process and the daemon that it runs the program for.
    pub gate: Option<Arc<Gate>>,
    /// The lane that the daemon has lent this process; `None`: a run takes one of its own.
    pub lane: Option<u32>,
    /// What goes with the program.
    pub leads: Option<Arc<Leads>>,
    /// On whose behalf runs are that do not say it; `None`: on that of the thread.
    pub origin: Option<Origin>,
    /// Is shown each instruction that the interpreter executes.
    #[cfg(any(test, feature = "differential"))]
    pub observer: Option<Observer>,
}

impl Options {
    fn budget(&self) -> u64 {
        self.budget.unwrap_or(DEFAULT_BUDGET)
    }
}

/// Arrays of programs that one program alone leads to: else arrays and programs kept each other.
pub struct Leads(pub Vec<Arc<Map>>);

impl Drop for Leads {
    fn drop(&mut self) {
        self.0.iter().for_each(|array| array.clear_objects());
    }
}

/// A program ready to run; any number of threads may run it at once.
pub struct Program {
    name: String,
    code: Code,
    /// Or why there is none.
    jit: std::result::Result<Jit, String>,
    maps: Vec<Arc<Map>>,
    descriptor: ContextDescriptor,
    pointers: [Option<usize>; 3],
    writable: Vec<(usize, usize)>,
    hidden: Vec<(usize, usize)>,
    options: Options,
    counters: Counters,
    /// Identity of the program's type: an array holds programs of one.
    key: ProgramKey,
    /// Of the contexts that it was verified for: it goes on with programs that were for the same.
    layout: ProgramKey,
    /// Whether something that it needs is not there, so that nothing may go on with it.
    waits: AtomicBool,
    /// Of maps that other processes may have.
    domains: Vec<Arc<Domain>>,
    /// Whether an invocation must have a lane of its own.
    uses_lane: bool,
}

/// The type's GUID, or where nobody gives it the type's name.
fn key_of(information: &ProgramInformation) -> ProgramKey {
    match &information.program_type[..] {
        [] => information.name.as_bytes().into(),
        guid => guid.into(),
    }
}

/// On this a proof rests: of one type at two times programs may be for other contexts.
fn layout_of(information: &ProgramInformation) -> ProgramKey {
    let rights = (&information.writable, information.hidden());
    let layout = (information.context, information.is_privileged, rights);
    format!("{layout:?}").into_bytes().into()
}

impl Program {
    /// Check the program and bind it to its maps: `maps[i]` is map `i` of the object.
    pub fn new(
        spec: &ProgramSpec,
        maps: Vec<Arc<Map>>,
        information: &ProgramInformation,
        options: Options,
    ) -> Result<Self> {
        information.validate()?;
        let code = lower::lower(spec, &maps, information, &options.local, &options.provided)?;
        if let (Some(helper), None) = (waited_for(&code), &options.remote) {
            return Err(EngineError::argument(format!(
                "helper is not given, but program {} calls {} ({}) of its extension",
                spec.name, helper.name, helper.id
            )));
        }
        let jit = compile(&code, &maps, &information.context, &options);
        if let (Execution::Jit, Err(reason)) = (options.execution, &jit) {
            return Err(EngineError::new(
                ResultCode::JitCompilationFailed,
                format!("program {} cannot be compiled: {reason}", spec.name),
            ));
        }
        let descriptor = information.context;
        let pointer = ContextDescriptor::pointer;
        let (key, layout) = (key_of(information), layout_of(information));
        let used = spec.map_indices();
        let used = || used.iter().filter_map(|index| maps.get(*index));
        used().try_for_each(|map| map.bind_program_type(&key))?;
        let uses_lane = used().any(|map| map.is_per_cpu())
            || spec.helper_ids().iter().any(|id| NEED_LANE.contains(id));
        used().try_for_each(|map| check_lanes(map, options.lane))?;
        if uses_lane && options.gate.is_some() && options.lane.is_none() {
            return Err(EngineError::argument(
                "lane is missing: the program has values of its own, or asks for its processor",
            ));
        }
        let domains = used().filter_map(|map| map.shared_domain()).map(Arc::clone);
        let domains = domains.collect();
        Ok(Self {
            key,
            layout,
            waits: AtomicBool::new(false),
            domains,
            uses_lane,
            name: spec.name.clone(),
            code,
            jit,
            maps,
            descriptor,
            pointers: [descriptor.data, descriptor.end, descriptor.meta].map(pointer),
            writable: writable_ranges(information),
            hidden: information.hidden(),
            counters: Counters::at(options.gate.clone()),
            options,
        })
    }

    /// Whether a run may wait for an extension, by itself or by a program that it calls.
    pub fn blocking(&self) -> bool {
        self.blocks_itself() || self.maps.iter().any(|map| map.may_block())
    }

    /// Whether the program itself may wait for an extension.
    pub fn blocks_itself(&self) -> bool {
        waited_for(&self.code).is_some()
    }

    /// Whether a run may call somebody who takes his time, in this process or out of it: such runs
    /// keep no pin for the next one.
    pub(super) fn calls_out(&self) -> bool {
        self.blocking() || !self.options.local.is_empty()
    }

    /// Identity of the program's type.
    pub fn key(&self) -> &ProgramKey {
        &self.key
    }

    /// Whether a run for contexts of `layout` may go on with this program.
    pub(super) fn is_for(&self, layout: &ProgramKey) -> bool {
        Arc::ptr_eq(&self.layout, layout) || self.layout == *layout
    }

    /// Whether something that it needs is not there.
    pub(super) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// Let runs go on with it, or not: what it needs has come, or is going.
    pub fn set_waits(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// What a thread must have while it runs the program.
    pub(super) fn pin(&self) -> epoch::Pin<'_> {
        epoch::pin_with(&self.domains)
    }

    pub fn budget(&self) -> u64 {
        self.options.budget()
    }

    /// Machine code, if the program runs as such, or why it does not.
    pub fn jit(&self) -> std::result::Result<&Jit, &str> {
        self.jit.as_ref().map_err(String::as_str)
    }

    /// Who runs it: "jit" or "interpreter".
    pub fn executor(&self) -> &'static str {
        match self.jit {
            Ok(_) => "jit",
            Err(_) => "interpreter",
        }
    }

    /// Why it is interpreted; empty if it is not.
    pub fn executor_reason(&self) -> &str {
        self.jit().err().unwrap_or_default()
    }

    /// Whether instructions are counted while it runs, because no bound of them is proved.
    pub fn metered(&self) -> bool {
        self.jit.as_ref().map_or(true, Jit::metered)
    }

    /// The most instructions that a run can execute, if that is known.
    pub fn worst_case(&self) -> Option<u64> {
        let compiled = self.jit.as_ref().ok().and_then(Jit::worst_case);
        match self.options.verified {
            Verified::Proved(most) => Some(compiled.map_or(most, |other| other.min(most))),
            _ => compiled,
        }
    }

    /// Whether it is known that no run changes the context.
    pub(super) fn keeps_context(&self) -> bool {
        self.jit.as_ref().is_ok_and(Jit::keeps_context)
    }

    /// Bytes that a context has at least.
    pub fn context_size(&self) -> usize {
        self.descriptor.size as usize
    }

    /// Runs by how long they took; see `latency`.
    pub fn latency(&self) -> Vec<u64> {
        self.counters.latency()
    }

    /// This program, which was made of `spec`, with all that it runs by, for an image.
    pub(super) fn vouched(
        &self,
        spec: ProgramSpec,
        information: ProgramInformation,
        tag: u64,
    ) -> Result<Part> {
        let bound = !self.options.local.is_empty() || !self.options.provided.is_empty();
        if self.options.verified == Verified::No || bound {
            return Err(EngineError::new(
                ResultCode::OperationNotSupported,
                "nobody has verified the program, or helpers of it are bound here",
            ));
        }
        Ok(Part {
            spec,
            information,
            verified: self.options.verified,
            budget: self.budget(),
            execution: self.options.execution,
            tag,
        })
    }

    /// Count what another process counts that runs the program for this one.
    pub fn follow(&self, gate: &Arc<Gate>) {
        self.counters.follow(gate, false);
    }

    /// Keep what it has counted, and look there no more.
    pub fn unfollow(&self, gate: &Arc<Gate>) {
        self.counters.unfollow(gate);
    }

    /// Go where the daemon lets this process run the program, for as long as the answer lives.
    #[inline]
    pub(super) fn enter(&self) -> Result<Option<Inside<'_>>> {
        match &self.options.gate {
            None => Ok(None),
            Some(gate) => gate.enter().map(Some).ok_or_else(gone),
        }
    }

    /// Whether the daemon lets this process run it no more.
    pub fn is_taken_back(&self) -> bool {
        let gate = self.options.gate.as_ref();
        gate.is_some_and(|gate| gate.is_closed())
    }

    pub fn counters(&self) -> CounterValues {
        self.counters.values()
    }

    /// What invocations on the same memory may reach.
    pub(super) fn services<'r>(
        &'r self,
        context: &mut [u8],
        lane: usize,
        identity: Identity,
    ) -> Services<'r> {
        Services {
            memory: Memory::new(context, &self.hidden, &self.maps, lane),
            trace: self.options.trace.as_deref(),
            tag: self.options.tag,
            remote: self.options.remote.as_deref(),
            identity,
            pointers: self.pointers,
            tail: TailCalls::of(&self.layout),
            tape: Tape::Off,
        }
    }

    /// Make services those of this program, whichever program they served last.
    pub(super) fn take_over<'r>(&'r self, services: &mut Services<'r>) {
        services.memory.switch(&self.maps);
        services.trace = self.options.trace.as_deref();
        services.tag = self.options.tag;
        services.remote = self.options.remote.as_deref();
    }

    /// Run the program: r0, or how it ended.
    pub(super) fn execute<'r>(
        &'r self,
        invocation: &mut Invocation<'r>,
        stack: &mut Stack,
        context: u64,
    ) -> Result<u64, (usize, Fault)> {
        match &self.jit {
            Ok(jit) => {
                invocation.prepare(&self.code, stack, self.budget());
                jit::run(jit, invocation, context)
            }
            Err(_) => self.interpret(&mut invocation.services, stack, context),
        }
    }

    /// Make an invocation ready for machine code; `None` if the program has none.
    pub(super) fn open<'r>(
        &'r self,
        invocation: &mut Invocation<'r>,
        stack: &mut Stack,
    ) -> Option<Entry> {
        invocation.prepare(&self.code, stack, self.budget());
        self.jit.as_ref().ok().map(Jit::entry)
    }

    fn interpret(
        &self,
        services: &mut Services<'_>,
        stack: &mut Stack,
        context: u64,
    ) -> std::result::Result<u64, (usize, Fault)> {
        let budget = self.budget();
        #[cfg(any(test, feature = "differential"))]
        if let Some(observer) = &self.options.observer {
            return interpreter::run(&self.code, services, stack, context, budget, &**observer);
        }
        interpreter::run(&self.code, services, stack, context, budget, |_| {})
    }

    /// Count a failed invocation and say in the trace why it failed.
    #[cold]
    pub(super) fn failed(&self, pc: usize, fault: &Fault) {
        self.counters.fail(fault.code);
        if let Some(trace) = &self.options.trace {
            let text = format!(
                "{}: ended with code {} at instruction {pc}: {}",
                self.name, fault.code, fault.message
            );
            trace.push(self.options.tag, text);
        }
    }

    pub(super) fn code(&self) -> &Code {
        &self.code
    }

    pub(super) fn descriptor(&self) -> &ContextDescriptor {
        &self.descriptor
    }

    pub(super) fn writable(&self) -> &[(usize, usize)] {
        &self.writable
    }

    pub(super) fn tally(&self) -> &Counters {
        &self.counters
    }

    /// Count a run of a program that another one called, as `first` was by nobody.
    pub(super) fn called(&self, first: &Self) {
        self.counters.add_untimed(1, 0);
        if let (Some(own), Some(gate)) = (&self.options.gate, &first.options.gate)
            && Arc::ptr_eq(own, gate)
        {
            gate.count_called();
        }
    }

    /// Count an event that ended, with this code, in a program which this one led to.
    #[cold]
    pub(super) fn failed_in(&self, last: &Self, code: u8) {
        if let (Some(gate), Some(other)) = (&self.options.gate, &last.options.gate)
            && !Arc::ptr_eq(gate, other)
        {
            gate.count_failed_elsewhere(code);
        }
    }

    /// On whose behalf a run is that has this origin, if any.
    pub(super) fn identity(&self, named: Option<Origin>) -> Identity {
        Identity::new(named.or(self.options.origin))
    }

    /// What must be held beside the caller's pin while the program runs at the end of a tail call.
    pub(super) fn pin_of_its_own(&self) -> Option<epoch::Pin<'_>> {
        (!self.domains.is_empty()).then(|| self.pin())
    }

    /// Whether an invocation must have a lane of its own.
    pub fn uses_lane(&self) -> bool {
        self.uses_lane
    }

    /// A lane for an invocation, if it needs one.
    pub(super) fn lease(&self) -> Option<Lane> {
        self.uses_lane.then(|| match self.options.lane {
            Some(lent) => lanes::lease_lent(lent),
            None => lanes::lease(self.blocking()),
        })
    }

    /// Whether a run can find anything that a pin would keep.
    pub(super) fn has_maps(&self) -> bool {
        !self.maps.is_empty()
    }
}

#[cold]
fn gone() -> EngineError {
    EngineError::new(
        ResultCode::InvalidState,
        "the daemon lets this process run the program no more",
    )
}

/// Whether the map has values for every lane that a run can have: on that rests every access.
fn check_lanes(map: &Map, lane: Option<u32>) -> Result<()> {
    let needed = lane.map_or(lanes::count(), |number| number as usize + 1);
    if map.is_per_cpu() && map.lanes() < needed {
        return Err(EngineError::argument(format!(
            "map {} has {} lanes, a run may have lane {}",
            map.name(),
            map.lanes(),
            needed - 1
        )));
    }
    Ok(())
}

/// The first helper that only an extension can answer.
fn waited_for(code: &Code) -> Option<&RemoteHelper> {
    code.remotes.iter().find(|helper| helper.local.is_none())
}

/// Machine code for a program that may have it.
fn compile(
    code: &Code,
    maps: &[Arc<Map>],
    descriptor: &ContextDescriptor,
    options: &Options,
) -> std::result::Result<Jit, String> {
    if options.execution == Execution::Interpreter {
        return Err("the interpreter was asked for".to_owned());
    }
    let proved = match options.verified {
        Verified::No => return Err("the program is not known to be verified".to_owned()),
        // Compiled code has no checks: what it does rests on a proof of ours, and on no other.
        Verified::Accepted => {
            return Err("only prevail accepts the program, so its accesses are checked".to_owned());
        }
        Verified::Proved(most) => Some(most),
        Verified::Assumed => None,
    };
    jit::compile(code, maps, descriptor, options.budget(), proved)
}
