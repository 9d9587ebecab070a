//! One program: judged, run on some inputs, and compared.

use std::sync::Arc;

use super::minimise::minimised;
use super::watch::{self, Watch};
use super::world::{ADJUST, Input, World, adjust};
use super::writer::Writer;
use crate::contract::Argument;
use crate::error::{Result, ResultCode};
use crate::exec::{Execution, Options, Program, TestRun};
use crate::helpers;
use crate::isa::{self, EXIT, Insn, class, mem};
use crate::spec::{ProgramSpec, Subprogram};
use crate::verifier::ours::inside::{Target, targets};
use crate::verifier::ours::{Limits, Outcome as Judged, Visited, explore_visibly};
use crate::verifier::{Case, Judges, verify};

/// Instructions that may be followed; programs that take more are of no use here.
const FOLLOWED: u64 = 6_000;
/// Instructions that a run may execute before it is cut off.
const BUDGET: u64 = 100_000;
const INPUTS: u64 = 6;
/// What frames hold when they are opened: runs must not differ.
const FILLS: [u8; 2] = [0, 0xb7];

/// What accepted programs have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    pub loops: bool,
    pub proved_loops: bool,
    pub packet: bool,
    pub maps: bool,
    pub calls: bool,
    pub spills: bool,
    pub atomics: bool,
}

/// What became of one program.
#[derive(Debug, Default)]
pub struct Outcome {
    pub accepted: bool,
    /// Why not, in a word.
    pub refused: Option<String>,
    pub features: Features,
    /// A run that is not as the judge says.
    pub failure: Option<String>,
    /// The judge finds something wrong when it covers states only in everything.
    pub disagreement: Option<String>,
    pub executed: u64,
    pub worst_case: u64,
}

/// Judges and runs one program after the other.
pub struct Trial {
    pub world: World,
}

impl Trial {
    pub fn new() -> Result<Self> {
        Ok(Self {
            world: World::new()?,
        })
    }

    /// The program of a seed.
    pub fn check(&self, seed: u64) -> Outcome {
        let (code, starts) = Writer::new(seed).program();
        self.check_code(&code, &starts, seed)
    }

    /// The program that a fuzzer's input stands for.
    pub fn check_choices(&self, choices: &[u8]) -> Outcome {
        let (code, starts) = Writer::of_choices(choices).program();
        self.check_code(&code, &starts, choices.len() as u64)
    }

    /// What the second judge says of the program of a seed: `None` if it accepts.
    pub fn second_opinion(&self, seed: u64) -> Option<String> {
        let (code, starts) = Writer::new(seed).program();
        let spec = self.spec(&code, &starts);
        let verdict = verify(self.case(&spec), Judges::Prevail);
        let rejection = verdict.ok()?.rejection?;
        Some(rejection.reason)
    }

    /// Some program, with inputs of a seed; of what fails the smallest part is shown.
    pub fn check_code(&self, code: &[Insn], starts: &[usize], seed: u64) -> Outcome {
        let mut outcome = self.try_code(code, starts, seed);
        let is_bad =
            |outcome: &Outcome| (outcome.failure.is_some(), outcome.disagreement.is_some());
        if is_bad(&outcome) != (false, false) {
            let kind = is_bad(&outcome);
            let small = minimised(code, |code| {
                is_bad(&self.try_code(code, starts, seed)) == kind
            });
            let last = self.try_code(&small, starts, seed);
            let text = listing(&small);
            let describe =
                |what: Option<String>| what.map(|what| format!("program {seed}: {what}\n{text}"));
            outcome.failure = describe(last.failure);
            outcome.disagreement = describe(last.disagreement);
        }
        outcome
    }

    /// Whether a program is seen to be judged wrongly.
    #[cfg(test)]
    pub fn is_misjudged(&self, code: &[Insn], starts: &[usize], seed: u64) -> bool {
        let outcome = self.try_code(code, starts, seed);
        outcome.failure.is_some() || outcome.disagreement.is_some()
    }

    /// Whether the judge accepts a program.
    #[cfg(test)]
    pub fn is_accepted(&self, code: &[Insn], starts: &[usize]) -> bool {
        let spec = self.spec(code, starts);
        let case = self.case(&spec);
        let (report, _) = explore_visibly(case, Limits::default());
        matches!(report.outcome, Judged::Safe { .. })
    }

    fn case<'c>(&'c self, spec: &'c ProgramSpec) -> Case<'c> {
        Case {
            program: spec,
            maps: &self.world.specs,
            information: &self.world.information,
        }
    }

    fn spec(&self, code: &[Insn], starts: &[usize]) -> ProgramSpec {
        let function = |start: &usize| Subprogram {
            name: format!("at_{start}"),
            start: *start,
        };
        ProgramSpec {
            name: "random".into(),
            section: "sample_ext".into(),
            instructions: code.to_vec(),
            subprograms: starts.iter().map(function).collect(),
            ..ProgramSpec::default()
        }
    }

    fn try_code(&self, code: &[Insn], starts: &[usize], seed: u64) -> Outcome {
        let spec = self.spec(code, starts);
        let mut outcome = Outcome::default();
        if let Err(invalid) = isa::validate(code, &spec.starts()) {
            outcome.refused = Some(format!("invalid: {invalid:?}"));
            return outcome;
        }
        let case = self.case(&spec);
        let limits = Limits {
            instructions: FOLLOWED,
            ..Limits::default()
        };
        let (report, ordinary) = explore_visibly(case, limits);
        let worst_case = match report.outcome {
            Judged::Safe { worst_case } => worst_case,
            Judged::Unsafe(violation) => {
                outcome.refused = Some(word(&format!("{:?}", violation.problem)));
                return outcome;
            }
            Judged::GaveUp(why, _) => {
                outcome.refused = Some(word(&why));
                return outcome;
            }
        };
        outcome.accepted = true;
        outcome.worst_case = worst_case;
        outcome.features = features(code, &ordinary, report.proved);
        let exact = Limits {
            exact: true,
            ..limits
        };
        let (exact_report, exact) = explore_visibly(case, exact);
        let exact = match exact_report.outcome {
            Judged::Safe { .. } => Some(exact),
            Judged::Unsafe(violation) => {
                outcome.disagreement = Some(format!(
                    "refused at {} if all is compared: {:?}",
                    violation.pc, violation.problem
                ));
                None
            }
            Judged::GaveUp(..) => None,
        };
        let operands = (0..code.len()).map(|pc| operands(code[pc])).collect();
        let watch = Watch::new(&self.world, ordinary, exact, operands, worst_case);
        (outcome.failure, outcome.executed) = self.run_all(&spec, watch, seed);
        outcome
    }

    fn run_all(&self, spec: &ProgramSpec, mut watch: Watch, seed: u64) -> (Option<String>, u64) {
        let options = Options {
            budget: Some(BUDGET),
            execution: Execution::Interpreter,
            local: [(ADJUST, adjust())].into(),
            observer: Some(Arc::new(watch::see)),
            ..Options::default()
        };
        let program = match Program::new(
            spec,
            self.world.maps.clone(),
            &self.world.information,
            options,
        ) {
            Ok(program) => program,
            Err(error) => return (Some(format!("it cannot run: {error:?}")), 0),
        };
        let mut executed = 0;
        for number in 0..INPUTS {
            let input = self.world.input(seed, number);
            let mut results = Vec::new();
            for fill in FILLS {
                (watch.fill, watch.executed) = (fill, 0);
                watch.compares = fill != 0;
                let (test, after) = watch.during(|| self.run(&program, &input));
                watch = after;
                executed += watch.executed;
                if let Some(failure) = watch.failure.take() {
                    return (
                        Some(format!("{failure}\ninput {number}: {input:x?}")),
                        executed,
                    );
                }
                let late = test.code == ResultCode::Timeout as u8 && watch.worst_case > BUDGET / 2;
                if test.code != 0 && !late {
                    let failure = format!("it ends with code {}", test.code);
                    return (
                        Some(format!("{failure}\ninput {number}: {input:x?}")),
                        executed,
                    );
                }
                results.push(test);
            }
            if results[0] != results[1] {
                let failure = "it depends on bytes that nobody wrote".to_owned();
                return (
                    Some(format!("{failure}\n{results:x?}\n{input:x?}")),
                    executed,
                );
            }
        }
        (None, executed)
    }

    fn run(&self, program: &Program, input: &Input) -> TestRun {
        self.world.reset(input.seed);
        let test = program.test_run(&input.context, &input.data, input.meta, 1);
        TestRun {
            elapsed_ns: 0,
            ..test.expect("a valid input")
        }
    }
}

/// The first word of a debug text.
fn word(text: &str) -> String {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != ' ');
    text[..end.unwrap_or(text.len())].trim().to_owned()
}

fn listing(code: &[Insn]) -> String {
    let mut text = String::new();
    let mut pc = 0;
    while pc < code.len() {
        if code[pc] != super::minimise::NOTHING {
            text += &format!("{pc:4}: {}\n", isa::describe(code, pc));
        }
        pc += if code[pc].is_lddw() { 2 } else { 1 };
    }
    text
}

/// Registers that decide where an instruction reads or writes.
fn operands(insn: Insn) -> u16 {
    match insn.class() {
        class::LDX => 1 << insn.src,
        class::ST | class::STX => 1 << insn.dst,
        _ if insn.is_helper_call() => {
            let Some(helper) = helpers::general(insn.imm as u32) else {
                return 0;
            };
            let matters = |number: &u32| *number != Argument::Anything as u32;
            let arguments = helper.arguments.iter().enumerate();
            let matter = arguments.filter(|(_, number)| matters(number));
            matter.fold(0, |all, (index, _)| all | 2 << index)
        }
        _ => 0,
    }
}

fn features(code: &[Insn], visited: &Visited, proved: usize) -> Features {
    let mut features = Features {
        loops: isa::has_loops(code),
        proved_loops: proved > 0,
        ..Features::default()
    };
    for (pc, insn) in code.iter().enumerate() {
        if !visited.reached(pc) {
            continue;
        }
        features.calls |= insn.is_local_call();
        features.maps |= insn.is_map_reference();
        let register = match insn.class() {
            class::LDX => insn.src,
            class::ST | class::STX => insn.dst,
            _ => continue,
        };
        features.atomics |= insn.class() == class::STX && insn.mode() == mem::ATOMIC;
        let target = targets(visited, pc, register);
        features.packet |= target == Target::Data;
        features.spills |= target == Target::Stack && insn.class() == class::STX;
    }
    debug_assert!(code.iter().any(|insn| insn.opcode == EXIT));
    features
}
