//! A program ready to run, with everything that it refers to.

use std::sync::Arc;
use std::time::Instant;

use super::context::{ContextBlock, writable_ranges};
use super::counters::{CounterValues, Counters};
use super::fault::Fault;
use super::input::{self, Input, Item};
use super::interpreter::{self, STACK_SIZE, Services, Stack};
use super::lower::{self, Bindings, Code, NativeHelper, RemoteHelper};
use super::memory::{Memory, Region};
use super::origin::Identity;
use super::remote::Remote;
use super::tail::TailCalls;
use crate::contract::{ContextDescriptor, ProgramInformation};
use crate::error::{EngineError, Result, ResultCode};
use crate::jit::{self, Jit};
use crate::maps::epoch::{self, Domain};
use crate::maps::lanes::{self, Lane};
use crate::maps::{Map, ProgramKey};
use crate::spec::ProgramSpec;
use crate::trace::Trace;

/// Instructions that one invocation may execute; what helpers do counts too.
pub const DEFAULT_BUDGET: u64 = 1_000_000;
/// Invocations in a row that keep the same pin; more would hold back memory longer.
const PINNED_RUNS: usize = 64;
/// Helpers that write through an argument which the verifier believes to be only read: what
/// it knew of that memory is wrong afterwards, so its verdict does not hold without checks.
const UNSEEN: [u32; 2] = [17, 18];
/// Helpers that tell the lane, write to the lane's ring, or call who knows what.
const NEED_LANE: [u32; 3] = [5, 8, 32];

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
    /// The verifier, with maps of these sizes and this contract.
    Accepted,
    /// Nobody either: its maker vouches for it.  For tests and benchmarks alone.
    Assumed,
}

/// What a program may be given.
#[derive(Clone, Default)]
pub struct Options {
    /// Who carries calls of extension helpers.
    pub remote: Option<Arc<dyn Remote>>,
    /// Helpers and functions of the contract that are answered in this process: no run waits.
    pub local: Bindings,
    pub trace: Option<Arc<Trace>>,
    /// Names the program in its trace lines.
    pub tag: u64,
    /// Instructions per invocation, the work of helpers included; `None`: [`DEFAULT_BUDGET`].
    pub budget: Option<u64>,
    /// A promise of the caller on which the safety of the process rests, for it is what
    /// allows to compile.
    pub verified: Verified,
    pub execution: Execution,
    /// Is told the pc of each instruction that the interpreter executes.
    #[cfg(any(test, feature = "differential"))]
    pub observer: Option<Arc<dyn Fn(usize) + Send + Sync>>,
}

impl Options {
    fn budget(&self) -> u64 {
        self.budget.unwrap_or(DEFAULT_BUDGET)
    }
}

/// What a batch leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// One `ebpf_result` a context.
    pub codes: Vec<u8>,
    /// r0 of each, truncated to 32 bits, little-endian; 0 for a failed one.
    pub results: Vec<u8>,
    /// All contexts; empty when none changed.
    pub contexts: Vec<u8>,
    /// All data; empty when none changed.
    pub data: Vec<u8>,
    pub elapsed_ns: u64,
}

/// What repeated runs on one context leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestRun {
    /// Of the last run; the first failure ends the test.
    pub code: u8,
    pub result: u32,
    pub context: Vec<u8>,
    pub data: Vec<u8>,
    /// Of all runs together.
    pub elapsed_ns: u64,
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
    options: Options,
    counters: Counters,
    /// Identity of the program's type: programs of one type may call each other.
    key: ProgramKey,
    /// Of maps that other processes may have.
    domains: Vec<Arc<Domain>>,
    /// Whether an invocation must have a lane of its own.
    uses_lane: bool,
}

/// The type's name, and the layout of its contexts: on that a proof rests, so of two types with
/// one name, or of one type at two times, programs must not call each other.
fn key_of(information: &ProgramInformation) -> ProgramKey {
    let ProgramInformation { name, context, .. } = information;
    let layout = (context, information.is_privileged, &information.writable);
    format!("{name}\0{layout:?}").into_bytes().into()
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
        let code = lower::lower(spec, &maps, information, &options.local)?;
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
        let key = key_of(information);
        let used = spec.map_indices();
        let used = || used.iter().filter_map(|index| maps.get(*index));
        used().try_for_each(|map| map.bind_program_type(&key))?;
        let uses_lane = used().any(|map| map.is_per_cpu())
            || spec.helper_ids().iter().any(|id| NEED_LANE.contains(id));
        let domains = used().filter_map(|map| map.shared_domain()).map(Arc::clone);
        let domains = domains.collect();
        Ok(Self {
            key,
            domains,
            uses_lane,
            name: spec.name.clone(),
            code,
            jit,
            maps,
            descriptor,
            pointers: [descriptor.data, descriptor.end, descriptor.meta].map(pointer),
            writable: writable_ranges(information),
            options,
            counters: Counters::default(),
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

    /// Identity of the program's type.
    pub fn key(&self) -> &ProgramKey {
        &self.key
    }

    /// What a thread must have while it runs the program.
    pub(super) fn pin(&self) -> epoch::Pin {
        if self.domains.is_empty() {
            return epoch::pin();
        }
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
        self.jit.as_ref().ok().and_then(Jit::worst_case)
    }

    /// Bytes that a context has at least.
    pub fn context_size(&self) -> usize {
        self.descriptor.size as usize
    }

    pub fn counters(&self) -> CounterValues {
        self.counters.values()
    }

    /// Run once on each context.
    pub fn run_batch(&self, input: Input<'_>) -> Result<Batch> {
        let stride = input::stride(&input, &self.descriptor)?;
        let items = input::items(&input, &self.descriptor)?;
        let mut batch = Batch {
            codes: Vec::with_capacity(input.count),
            results: Vec::with_capacity(input.count * 4),
            contexts: input.contexts.to_vec(),
            data: input.data.to_vec(),
            elapsed_ns: 0,
        };
        let start = Instant::now();
        let mut machine = Machine::new(self.context_size());
        machine.identity = Identity::new(input.origin);
        let mut changed = false;
        let blocking = self.blocking();
        let lane = self.lease();
        let lane = lane.as_ref().map_or(0, Lane::number);
        let mut pin = self.pin();
        for (index, item) in items.into_iter().enumerate() {
            if blocking || index % PINNED_RUNS == PINNED_RUNS - 1 {
                drop(pin);
                pin = self.pin();
            }
            let context = &mut batch.contexts[index * stride..(index + 1) * stride];
            let base = batch.data.as_mut_ptr() as u64;
            machine.context.load(context, &self.descriptor, base, item);
            let (code, result) = self.run(&mut machine, &mut batch.data, item, lane, &pin);
            changed |= machine.context.store(context, &self.writable);
            batch.codes.push(code);
            batch.results.extend(result.to_le_bytes());
        }
        drop(pin);
        batch.elapsed_ns = start.elapsed().as_nanos() as u64;
        self.counters.add(input.count as u64, batch.elapsed_ns);
        if !changed {
            batch.contexts = Vec::new();
        }
        if batch.data == input.data {
            batch.data = Vec::new();
        }
        Ok(batch)
    }

    /// Run `repeat` times on one context, which keeps what each run leaves in it.
    pub fn test_run(
        &self,
        context: &[u8],
        data: &[u8],
        meta_length: usize,
        repeat: u64,
    ) -> Result<TestRun> {
        if repeat == 0 {
            return Err(EngineError::argument("repeat is 0: it must be at least 1"));
        }
        let meta = u32::try_from(meta_length)
            .map_err(|_| EngineError::argument(format!("meta_length {meta_length} is too large")))?
            .to_le_bytes();
        let input = Input {
            contexts: context,
            count: 1,
            data,
            data_lengths: &[],
            meta_lengths: &meta,
            origin: None,
        };
        input::stride(&input, &self.descriptor)?;
        let item = input::items(&input, &self.descriptor)?[0];
        let mut test = TestRun {
            context: context.to_vec(),
            data: data.to_vec(),
            ..TestRun::default()
        };
        let mut machine = Machine::new(self.context_size());
        let base = test.data.as_mut_ptr() as u64;
        machine.context.load(context, &self.descriptor, base, item);
        let lane = self.lease();
        let lane = lane.as_ref().map_or(0, Lane::number);
        let start = Instant::now();
        let mut runs = 0;
        let mut pin = self.pin();
        while runs < repeat && test.code == 0 {
            if self.blocking() || runs % PINNED_RUNS as u64 == PINNED_RUNS as u64 - 1 {
                drop(pin);
                pin = self.pin();
            }
            machine.context.point(&self.descriptor, base, item);
            (test.code, test.result) = self.run(&mut machine, &mut test.data, item, lane, &pin);
            runs += 1;
        }
        test.elapsed_ns = start.elapsed().as_nanos() as u64;
        self.counters.add(runs, test.elapsed_ns);
        machine.context.store(&mut test.context, &self.writable);
        Ok(test)
    }

    /// One invocation on the context that `machine` holds; its code and result.
    ///
    /// Each program that a tail call leads to has its own budget; there are few.
    fn run(
        &self,
        machine: &mut Machine,
        data: &mut [u8],
        item: Item,
        lane: usize,
        pin: &epoch::Pin,
    ) -> (u8, u32) {
        match self.invoke(machine, data, item, lane, pin) {
            Ok(result) => (0, result as u32),
            Err(fault) => (fault.code, 0),
        }
    }

    /// The same with all of r0, and the reason of a failure, which is counted and traced here.
    ///
    /// Both are as wide as a register, so that they travel in registers: handed up through
    /// memory, from one function to the next, they would cost more than a small program.
    pub(super) fn invoke(
        &self,
        machine: &mut Machine,
        data: &mut [u8],
        item: Item,
        lane: usize,
        pin: &epoch::Pin,
    ) -> Result<u64, Box<Fault>> {
        let context = machine.context.bytes();
        let address = context.as_mut_ptr() as u64;
        let data = &mut data[item.start..item.start + item.length];
        let mut services = self.services(context, data, lane, &machine.identity, pin);
        match self.run_chain(&mut services, &mut machine.stack, address) {
            Ok(result) => Ok(result),
            Err(ended) => {
                ended.program.failed(ended.pc, &ended.fault);
                Err(Box::new(ended.fault))
            }
        }
    }

    /// What one invocation, or several on the same memory, may reach.
    pub(super) fn services<'r>(
        &'r self,
        context: &'r mut [u8],
        data: &'r mut [u8],
        lane: usize,
        identity: &'r Identity,
        pin: &'r epoch::Pin,
    ) -> Services<'r> {
        Services {
            memory: Memory::new(Region::default(), context, data, &self.maps, lane, pin),
            trace: self.options.trace.as_deref(),
            tag: self.options.tag,
            remote: self.options.remote.as_deref(),
            identity,
            pointers: self.pointers,
            tail: TailCalls::default(),
        }
    }

    /// Run the program, and then whatever tail calls lead to: the last one's r0.
    #[inline]
    pub(super) fn run_chain<'r>(
        &'r self,
        services: &mut Services<'r>,
        stack: &mut Stack,
        context: u64,
    ) -> Result<u64, Box<Ended<'r>>> {
        match self.execute(services, stack, context) {
            Ok(result) => Ok(result),
            Err((pc, fault)) => {
                let program = self;
                go_on(Ended { program, pc, fault }, services, stack, context)
            }
        }
    }

    /// The executor's own work; `context` is where the context of `services` begins.
    #[inline]
    fn execute(
        &self,
        services: &mut Services<'_>,
        stack: &mut Stack,
        context: u64,
    ) -> Result<u64, (usize, Fault)> {
        let budget = self.budget();
        match &self.jit {
            Ok(jit) => jit::run(jit, &self.code, services, stack, context, budget),
            Err(_) => self.interpret(services, stack, context),
        }
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
    fn failed(&self, pc: usize, fault: &Fault) {
        self.counters.fail(fault.code);
        if let Some(trace) = &self.options.trace {
            let text = format!(
                "{}: ended with code {} at instruction {pc}: {}",
                self.name, fault.code, fault.message
            );
            trace.push(self.options.tag, text);
        }
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

    /// A lane for an invocation, if it needs one.
    pub(super) fn lease(&self) -> Option<Lane> {
        self.uses_lane.then(|| lanes::lease(self.blocking()))
    }

    /// Whether a run can find anything that a pin would keep.
    pub(super) fn has_maps(&self) -> bool {
        !self.maps.is_empty()
    }
}

/// The first helper that only an extension can answer.
fn waited_for(code: &Code) -> Option<&RemoteHelper> {
    code.remotes.iter().find(|helper| helper.local.is_none())
}

/// Where an invocation ended before its program did.
pub(super) struct Ended<'r> {
    pub program: &'r Program,
    pub pc: usize,
    pub fault: Fault,
}

/// Go on where a tail call leads, if one ended the program.
///
/// Each program has its own budget; there are few.
#[cold]
fn go_on<'r>(
    mut ended: Ended<'r>,
    services: &mut Services<'r>,
    stack: &mut Stack,
    context: u64,
) -> Result<u64, Box<Ended<'r>>> {
    let mut pins = Vec::new();
    while let Some(next) = services.tail.take() {
        if !next.domains.is_empty() {
            pins.push(next.pin());
        }
        next.counters.add(1, 0);
        services.memory.switch(&next.maps);
        services.trace = next.options.trace.as_deref();
        services.tag = next.options.tag;
        services.remote = next.options.remote.as_deref();
        match next.execute(services, stack, context) {
            Ok(result) => return Ok(result),
            Err((pc, fault)) => {
                ended = Ended {
                    program: next,
                    pc,
                    fault,
                }
            }
        }
    }
    Err(Box::new(ended))
}

/// Machine code for a program that may have it.
fn compile(
    code: &Code,
    maps: &[Arc<Map>],
    descriptor: &ContextDescriptor,
    options: &Options,
) -> std::result::Result<Jit, String> {
    let unseen = |helper: &&NativeHelper| UNSEEN.contains(&helper.id);
    let unseen = code.natives.iter().find(unseen);
    if let (Verified::Accepted, Some(helper)) = (options.verified, unseen) {
        return Err(format!(
            "helper {} writes a value that the verifier takes for unchanged",
            helper.id
        ));
    }
    match options.execution {
        Execution::Interpreter => Err("the interpreter was asked for".to_owned()),
        _ if options.verified == Verified::No => {
            Err("the program is not known to be verified".to_owned())
        }
        _ => jit::compile(code, maps, descriptor, options.budget()),
    }
}

/// Memory of one executing thread.
pub(super) struct Machine {
    pub stack: Box<Stack>,
    pub context: ContextBlock,
    /// Who caused what it runs.
    pub identity: Identity,
}

impl Machine {
    pub fn new(context_size: usize) -> Self {
        Self {
            stack: Box::new(Stack([0; STACK_SIZE])),
            context: ContextBlock::new(context_size),
            identity: Identity::default(),
        }
    }
}
