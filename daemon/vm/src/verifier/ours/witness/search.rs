//! The search itself: the most promising input is run, and gives others.

use std::collections::{BinaryHeap, HashSet};

use super::super::super::Case;
use super::super::branch::comparison;
use super::super::explore::Violation;
use super::super::problem::Problem;
use super::end;
use super::goals;
use super::graph::{Key, Variable};
use super::input::{self, Input, Run};
use super::reading::Reading;
use super::solve::{Change, negated, solve, swapped, values};
use super::{Entry, Witness};
use crate::error::ResultCode;
use crate::exec::{DEFAULT_BUDGET, Seen};
use crate::isa::class;
use crate::map_type;

/// What a search may take: runs, and instructions of all of them, about 50 ms.  A clock would make
/// what is found depend on the machine.
const MAX_RUNS: usize = 2_000;
const MAX_WORK: u64 = 1_000_000;
/// What it takes to begin a run, counted in instructions, and to make so many bytes of maps.
const PER_RUN: u64 = 200;
const MAP_BYTES: u64 = 64;
/// Runs of which each may go on for the whole budget.
const MAX_LONG_RUNS: usize = 4;
/// Instructions that are executed behind those of the path.
const BEHIND: u64 = 20_000;
/// Of these so many are looked at.
const KEPT: usize = 4_096;
/// Paths longer than this are not followed.
const MAX_PATH: usize = 50_000;
/// Inputs that wait, and their bytes.
const MAX_WAITING: usize = 4_096;
const MAX_BYTES: usize = 8 << 20;
/// Lengths of data that are tried at first.
const LENGTHS: [usize; 4] = [64, 0, 8, 1_500];

/// An input that waits; the one whose parent came farthest is next, then the oldest.
#[derive(PartialEq, Eq)]
struct Waiting {
    progress: usize,
    age: std::cmp::Reverse<usize>,
    input: Input,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.progress, &self.age).cmp(&(other.progress, &other.age))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

pub struct Search<'a> {
    case: Case<'a>,
    violation: &'a Violation,
    waiting: BinaryHeap<Waiting>,
    seen: HashSet<Input>,
    /// Bytes of all inputs.
    bytes: usize,
    runs: usize,
    long_runs: usize,
    work: u64,
    budget: u64,
    random: u64,
}

impl<'a> Search<'a> {
    /// `None`: no run could show this problem.
    pub fn new(case: Case<'a>, violation: &'a Violation) -> Option<Self> {
        let too_long = violation.path.len() > MAX_PATH;
        if too_long || !input::is_small(case) || is_silent(&violation.problem) {
            return None;
        }
        let mut search = Self {
            case,
            violation,
            waiting: BinaryHeap::new(),
            seen: HashSet::new(),
            bytes: 0,
            runs: 0,
            long_runs: 0,
            work: 0,
            budget: (violation.path.len() as u64 + BEHIND).min(DEFAULT_BUDGET),
            random: 0x9e37_79b9_7f4a_7c15,
        };
        let has_data = case.information.context.data >= 0;
        for length in LENGTHS
            .into_iter()
            .filter(|length| has_data || *length == 0)
        {
            search.wait(
                0,
                Input {
                    context: vec![0; case.information.context.size as usize],
                    data: vec![0; length],
                    ..Input::default()
                },
            );
        }
        Some(search)
    }

    fn wait(&mut self, progress: usize, input: Input) {
        let has_room = self.seen.len() < MAX_WAITING && self.bytes < MAX_BYTES;
        if has_room && self.seen.insert(input.clone()) {
            self.bytes += input.context.len() + input.data.len();
            self.waiting.push(Waiting {
                progress,
                age: std::cmp::Reverse(self.seen.len()),
                input,
            });
        }
    }

    pub fn run(mut self) -> Option<Witness> {
        let maps = input::bytes(self.case) / MAP_BYTES;
        while self.runs < MAX_RUNS && self.work < MAX_WORK {
            let Waiting { input, .. } = self.waiting.pop()?;
            self.runs += 1;
            let keep = self.violation.path.len() + KEPT;
            let run = input::run(self.case, &input, self.budget, keep)?;
            let executed = match run.watched.steps.len() {
                seen if seen == keep => self.budget,
                seen => seen as u64,
            };
            self.work += executed + maps + PER_RUN;
            if let Some(witness) = self.confirmed(&input, &run) {
                return Some(witness);
            }
            self.follow(&input, &run);
        }
        None
    }

    /// The input with what happened, if it is what the violation says.
    fn confirmed(&mut self, input: &Input, run: &Run) -> Option<Witness> {
        let (pc, code) = match &run.watched.outcome {
            Ok(_) => return None,
            Err((pc, fault)) => (*pc, fault.code),
        };
        if !self.fits(run, pc, code) {
            return None;
        }
        let timeout = code == ResultCode::Timeout as u8;
        if timeout {
            self.long_runs += 1;
            if self.long_runs > MAX_LONG_RUNS {
                return None;
            }
            let long = input::run(self.case, input, DEFAULT_BUDGET, 0)?;
            let ended = long.watched.outcome.err();
            ended.filter(|(_, fault)| fault.code == code)?;
        }
        self.witness(input, run, pc, code)
    }

    fn fits(&self, run: &Run, pc: usize, code: u8) -> bool {
        let is = |wanted: ResultCode| code == wanted as u8;
        let problem = goals::inner(&self.violation.problem);
        let passed = || {
            run.watched
                .steps
                .iter()
                .any(|step| step.pc == self.violation.pc)
        };
        match problem {
            Problem::Endless { .. } | Problem::Unbounded { .. } => is(ResultCode::Timeout),
            Problem::TooDeep { .. } => is(ResultCode::Failed) && pc == self.violation.pc,
            _ if !is(ResultCode::InvalidPointer) => false,
            _ if shows_at_once(problem) => pc == self.violation.pc,
            _ => pc == self.violation.pc || passed(),
        }
    }

    /// Inputs that may come farther than this one.
    fn follow(&mut self, input: &Input, run: &Run) {
        let path = &self.violation.path;
        let steps = &run.watched.steps;
        let common = path
            .iter()
            .zip(steps)
            .take_while(|(pc, step)| **pc == step.pc)
            .count();
        let Some(mut reading) = Reading::new(self.case, input, run) else {
            return;
        };
        let Some(last) = common.checked_sub(1) else {
            return;
        };
        for number in 0..last {
            reading.step(number);
        }
        let now = steps[last];
        let base = run.watched.data;
        let changes = match common == path.len() {
            true => {
                let end = base + input.data.len() as u64;
                let insn = self.case.program.instructions[now.pc];
                goals::changes(self.violation, &mut reading, &now, insn, end)
            }
            false => self.decide(&reading, &now, path[common]),
        };
        for each in &changes {
            if let Some(next) = input.with(self.case, each, base) {
                self.wait(common, next);
            }
        }
        if common == path.len() && input.cut == 0 && self.is_of_value() {
            self.wait(
                common,
                Input {
                    cut: 1,
                    ..input.clone()
                },
            );
        }
        self.vary(input, &reading, &now, common, base);
    }

    fn is_of_value(&self) -> bool {
        matches!(
            goals::inner(&self.violation.problem),
            Problem::OutsideValue { .. }
        )
    }

    /// Changes with which a comparison goes the way to `next`.
    fn decide(&self, reading: &Reading<'_>, now: &Seen, next: usize) -> Vec<Vec<Change>> {
        let insn = self.case.program.instructions[now.pc];
        if !insn.is_comparison() {
            return Vec::new();
        }
        let op = comparison(insn);
        let op = match next == now.pc + 1 {
            true => negated(op),
            false => Some(op),
        };
        let wide = insn.class() == class::JMP;
        let bits = if wide { 64 } else { 32 };
        let left = reading.registers[usize::from(insn.dst)];
        let (right, value) = match insn.is_register_source() {
            true => {
                let id = reading.registers[usize::from(insn.src)];
                (Some(id), reading.graph.value(id))
            }
            false => (None, i64::from(insn.imm) as u64),
        };
        let Some(op) = op else {
            // No bit of the right operand may be set.
            let kept = reading.graph.value(left) & !value;
            return solve(&reading.graph, left, kept).into_iter().collect();
        };
        let mut found = Vec::new();
        let mut wanted = |id: usize, targets: Vec<u64>| {
            let rest = match wide {
                true => 0,
                false => reading.graph.value(id) & !0xffff_ffff,
            };
            let targets = targets.into_iter();
            let solved = targets.filter_map(|target| solve(&reading.graph, id, rest | target));
            found.extend(solved.filter(|changes| !changes.is_empty()));
        };
        if let Some(right) = right {
            let own = reading.graph.value(left);
            wanted(right, values(swapped(op), bits, own));
        }
        wanted(left, values(op, bits, value));
        found
    }

    /// The same input with other numbers in what has a part in the operands of a step.
    fn vary(
        &mut self,
        input: &Input,
        reading: &Reading<'_>,
        now: &Seen,
        progress: usize,
        base: u64,
    ) {
        let insn = self.case.program.instructions[now.pc];
        let mut found = Vec::new();
        for register in [insn.dst, insn.src] {
            let id = reading.registers[usize::from(register)];
            goals::variables(reading, id, &mut found);
        }
        for _ in 0..VARIANTS {
            let mut changes = Vec::new();
            for variable in &found {
                let number = self.number();
                let number = match variable {
                    Variable::End => base + (input.meta as u64 + number % 128),
                    Variable::Start => base + number % 64,
                    Variable::Answer(_) | Variable::Found(_) => number,
                    _ => number & 0xff,
                };
                changes.push((variable.clone(), number));
            }
            if let Some(next) = input.with(self.case, &changes, base) {
                self.wait(progress.saturating_sub(1), next);
            }
        }
    }

    /// A number that looks random, often a small or a large one.
    fn number(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        match self.random >> 61 {
            0 => 0,
            1 => u64::MAX,
            2 => self.random & 0xf,
            3 => 0x80,
            _ => self.random,
        }
    }

    fn witness(&self, input: &Input, run: &Run, pc: usize, code: u8) -> Option<Witness> {
        let mut reading = Reading::new(self.case, input, run)?;
        for number in 0..run.watched.steps.len().saturating_sub(1) {
            reading.step(number);
        }
        let end = end::of(self.violation, &reading, (pc, code));
        let mut entries: Vec<Entry> = Vec::new();
        for found in reading.looked_up {
            let map = &self.case.maps[found.map];
            let is_array = map.map_type == map_type::ARRAY;
            let fresh = (is_array && found.is_there).then(|| vec![0; map.value_size as usize]);
            let key = Key {
                map: found.map,
                key: found.key.clone(),
            };
            let entry = Entry {
                map: map.name.clone(),
                key: found.key,
                value: input.entries.get(&key).cloned().or(fresh),
            };
            let is_same = |known: &Entry| (&known.map, &known.key) == (&entry.map, &entry.key);
            if !entries.iter().any(is_same) {
                entries.push(entry);
            }
        }
        Some(Witness {
            context: input.context.clone(),
            data: input.data.clone(),
            meta: input.meta,
            has_data: self.case.information.context.data >= 0,
            entries,
            is_cut: input.cut > 0,
            answers: input.answers.clone(),
            pc,
            code,
            end,
            runs: self.runs,
        })
    }
}

/// Inputs with random numbers that each run gives.
const VARIANTS: usize = 4;

/// Whether the interpreter does what no program may do here, and no harm comes of it.
fn is_silent(problem: &Problem) -> bool {
    matches!(
        goals::inner(problem),
        Problem::ReadOnlyContext { .. }
            | Problem::WriteToContextPointer { .. }
            | Problem::ReturnsPointer
            | Problem::NotReleased { .. }
            | Problem::TailCallInFunction
            | Problem::Leak { .. }
    )
}

/// Whether the interpreter stops at the instruction itself, not at a later one.
fn shows_at_once(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::PastData { .. }
            | Problem::BeforeData { .. }
            | Problem::OutsideValue { .. }
            | Problem::OutsideStack { .. }
            | Problem::OutsideMemory { .. }
            | Problem::OutsideContext { .. }
            | Problem::NotPointer { .. }
            | Problem::NotMemory { .. }
            | Problem::MaybeNull { .. }
            | Problem::ReadOnlyValue { .. }
            | Problem::AtomicUnaligned { .. }
            | Problem::Argument { .. }
    )
}
