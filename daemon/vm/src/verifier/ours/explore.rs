//! Following all paths of a program.
//!
//! ```text
//!   level 0       the program                    each level: a tree of paths, states that
//!   level 1         a loop that is being proved    cover others, work that waits
//!   level 2           a loop within it
//! ```
//!
//! Paths are followed depth first, from a list of work, never by recursion.
//! Where ways meet, a state that a complete one covers ends its path.  At the
//! head of a loop a proof is tried, in a level of its own: on success the outer
//! path goes on from the ways out, on failure it follows the loop round by round.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use super::super::Case;
use super::super::domain::Scalar;
use super::super::mutation::{self, Mutation};
use super::attempt::{Attempt, Turn};
use super::checker::{Checker, Next};
use super::covers::covers;
use super::flow::{Flow, Loop};
use super::problem::Problem;
use super::state::{Anchor, DATA, Frame, META, State};
use super::trail::{Demand, Step};
use super::tree::{Length, NodeId, ROOT, Segment, Tree};
use super::value::{Pointer, Region, Symbol, Value};
use crate::isa::{Insn, class};

/// What following the paths of one program may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub instructions: u64,
    /// How often two states are compared.
    pub comparisons: u64,
    pub bytes: usize,
    /// States cover others only if they do so in everything, demanded or not.
    #[cfg(any(test, feature = "differential"))]
    pub exact: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instructions: 1_000_000,
            comparisons: 2_000_000,
            bytes: 192 << 20,
            #[cfg(any(test, feature = "differential"))]
            exact: false,
        }
    }
}

/// Levels at once: how deeply loops can be nested that are proved.  Each one multiplies the work.
const MAX_LEVELS: usize = 4;
/// Instructions that may be spent on proofs that fail, before as many have to be spent otherwise.
const MAX_WASTED: u64 = 4_096;
/// How often the proof of a loop may fail before it is only unrolled.
const MAX_FAILURES: u32 = 3;
/// Programs are started again, with a loop unrolled whose proof lost too much.
const MAX_RESTARTS: usize = 16;
/// Instructions that looking at a loop may take, and checking one guess.
const LOOK_INSTRUCTIONS: u64 = 4_096;
const CHECK_INSTRUCTIONS: u64 = 16_384;
/// Instructions between two looks at the memory that is used.
const CHECK_EVERY: u64 = 256;
/// Complete states that are kept at one instruction: the last ones.
const MAX_COMPLETE: usize = 64;
/// Instructions between two states that are kept on a path.
const KEEP_AFTER: u32 = 4;
/// Ancestors that are kept at one instruction before only some of them are.
const MAX_OPEN: usize = 1_024;
const KEEP_EVERY: usize = 16;
/// Rounds of a loop that lie behind each other before it is said to go on and on.
const MANY_ROUNDS: usize = 64;
/// Ancestors that are looked at for a loop that never ends.
const MAX_ANCESTORS: usize = 4;

/// What was found, and what it took.
#[derive(Clone, Debug)]
pub struct Report {
    pub outcome: Outcome,
    /// Instructions that were followed.
    pub instructions: u64,
    /// States that were kept.
    pub states: usize,
    pub bytes: usize,
    /// Loops that were proved at least once.
    pub proved: usize,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    /// Safe, and it ends after so many instructions at most.
    Safe {
        worst_case: u64,
    },
    Unsafe(Violation),
    /// Why, and the loop whose rounds took it all, if it was one.
    GaveUp(String, Option<Box<Violation>>),
}

/// A problem, and the path that leads to it.
#[derive(Clone, Debug)]
pub struct Violation {
    pub pc: usize,
    pub problem: Problem,
    pub state: State,
    /// Instructions executed, in order; proved loops are left out.
    pub path: Vec<usize>,
}

/// A path that is being followed, or waits.
pub struct Path {
    pub state: State,
    pub segment: Segment,
    /// The instruction before, in the same frame.
    pub previous: usize,
    /// Nothing is looked up or tried before the next instruction.
    pub fresh: bool,
    /// Instructions since a state was kept.
    unkept: u32,
}

impl Path {
    fn new(state: State, parent: NodeId) -> Self {
        Self {
            previous: state.pc,
            state,
            segment: Segment {
                parent,
                ..Segment::default()
            },
            fresh: true,
            unkept: 0,
        }
    }
}

/// The states that are kept at one instruction.
#[derive(Default)]
struct Kept {
    /// Ancestors of the path that is followed, the nearest last.
    open: Vec<NodeId>,
    complete: VecDeque<NodeId>,
    arrivals: usize,
}

/// One tree of paths, and what it needs.
pub struct Level {
    pub tree: Tree,
    work: Vec<Path>,
    kept: HashMap<usize, Kept>,
    pub attempt: Option<Box<Attempt>>,
    end: u64,
    /// Symbols up to this one mean the same on all paths.
    settled: Symbol,
    /// Heads of loops whose proof failed here, and how often.
    failures: HashMap<usize, u32>,
}

impl Level {
    fn new(attempt: Option<Box<Attempt>>, end: u64, settled: Symbol) -> Self {
        Self {
            tree: Tree::new(),
            work: Vec::new(),
            kept: HashMap::new(),
            attempt,
            end,
            settled,
            failures: HashMap::new(),
        }
    }

    /// A path has ended.
    fn end(&mut self, segment: Segment, demand: &Demand, length: Length, code: &[Insn]) {
        for id in self.tree.end(segment, demand, length, code) {
            let Some(state) = &self.tree.node(id).state else {
                continue;
            };
            let kept = self.kept.entry(state.pc).or_default();
            // Ancestors are completed from the last one on.
            let last = kept.open.pop();
            debug_assert_eq!(Some(id), last);
            kept.complete.push_back(id);
            if kept.complete.len() > MAX_COMPLETE
                && let Some(oldest) = kept.complete.pop_front()
            {
                self.tree.drop(oldest);
            }
        }
    }
}

/// What becomes of attempts to prove loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Begins,
    Fails,
    Proves,
    /// The program is followed anew, from its start.
    Again,
}

/// How following a path ended.
enum Ended {
    /// As it should.
    Well,
    Wrong(Problem, Box<Path>),
    /// At the head of a loop that a proof may be tried for.
    AtLoop(usize, Box<Path>),
    /// The proof that is being tried cannot succeed.
    Fails,
    GaveUp(String),
}

pub struct Explorer<'a> {
    pub checker: Checker<'a>,
    pub flow: Flow,
    levels: Vec<Level>,
    processed: u64,
    compared: u64,
    /// Instructions of these that were followed outside of proofs, and in those that succeeded.
    useful: u64,
    limits: Limits,
    /// Heads of loops that are not proved any more.
    unrolled: BTreeSet<usize>,
    failures: HashMap<usize, u32>,
    proved: BTreeSet<usize>,
    states: usize,
    bytes: usize,
    #[cfg(any(test, feature = "differential"))]
    pub visited: Option<&'a mut super::visited::Visited>,
}

impl<'a> Explorer<'a> {
    pub fn new(case: Case<'a>, limits: Limits) -> Self {
        let flow = Flow::new(&case.program.instructions, &case.program.starts());
        Self {
            checker: Checker::new(case),
            flow,
            levels: Vec::new(),
            processed: 0,
            compared: 0,
            useful: 0,
            limits,
            unrolled: BTreeSet::new(),
            failures: HashMap::new(),
            proved: BTreeSet::new(),
            states: 0,
            bytes: 0,
            #[cfg(any(test, feature = "differential"))]
            visited: None,
        }
    }

    /// Follow all paths.
    pub fn run(mut self) -> Report {
        let mut outcome = self.attempt_all();
        for _ in 0..MAX_RESTARTS {
            let Err(head) = outcome else { break };
            self.unrolled.insert(head);
            outcome = self.attempt_all();
        }
        self.is_too_large();
        let outcome = outcome.unwrap_or_else(|_| {
            let why = "too many of its loops lose what is needed after them";
            Outcome::GaveUp(why.into(), None)
        });
        Report {
            outcome,
            instructions: self.processed,
            states: self.states,
            bytes: self.bytes,
            proved: self.proved.len(),
        }
    }

    /// One exploration from the start; an error names a loop that has to be unrolled.
    fn attempt_all(&mut self) -> Result<Outcome, usize> {
        self.levels = vec![Level::new(None, self.limits.instructions, 0)];
        self.tell(Event::Again);
        self.checker.steps.clear();
        let mut next = Some(Path::new(start(), ROOT));
        loop {
            let ended = match next.take().or_else(|| self.level().work.pop()) {
                Some(path) => self.follow(path),
                None => match self.finish_level() {
                    Some(path) => {
                        next = path;
                        continue;
                    }
                    None => {
                        let length = self.level().tree.node(ROOT).length.leaves;
                        let worst_case = length.unwrap_or(0);
                        return Ok(Outcome::Safe { worst_case });
                    }
                },
            };
            match ended {
                Ended::Well => {}
                Ended::AtLoop(number, path) => next = Some(self.try_proof(number, *path)),
                Ended::GaveUp(why) if self.levels.len() == 1 => {
                    let unbounded = self.unbounded().map(Box::new);
                    return Ok(Outcome::GaveUp(why, unbounded));
                }
                Ended::GaveUp(_) | Ended::Fails => next = Some(self.next_guess()),
                Ended::Wrong(problem, path) if self.levels.len() == 1 => {
                    let (steps, proved) = self.level().tree.path(&path.segment);
                    if let Some(head) = proved.last() {
                        return Err(*head);
                    }
                    return Ok(Outcome::Unsafe(Violation {
                        pc: path.state.pc,
                        problem,
                        state: path.state,
                        path: steps.iter().filter_map(Step::pc).collect(),
                    }));
                }
                Ended::Wrong(..) => match self.attempt().is_looking() {
                    // It only looks around: the path does not count.
                    true => {}
                    false => next = Some(self.next_guess()),
                },
            }
        }
    }

    /// The loop that goes on and on, and how control first comes to it: the outermost of those
    /// of which many rounds lie behind each other.
    fn unbounded(&self) -> Option<Violation> {
        let level = self.levels.first()?;
        let went_on = |each: &&Loop| {
            let kept = level.kept.get(&each.head);
            kept.is_some_and(|kept| kept.open.len() >= MANY_ROUNDS)
        };
        let found = self.flow.loops().iter().filter(went_on);
        let head = found.max_by_key(|each| each.levels)?.head;
        let node = *level.kept.get(&head)?.open.first()?;
        let (steps, _) = level.tree.path(&Segment {
            parent: node,
            ..Segment::default()
        });
        let way = steps.iter().filter_map(Step::pc);
        Some(Violation {
            pc: head,
            problem: Problem::Unbounded { loop_pc: head },
            state: level.tree.node(node).state.clone()?,
            path: way.chain([head]).collect(),
        })
    }

    /// Tell who watches what becomes of an attempt.
    fn tell(&mut self, event: Event) {
        #[cfg(any(test, feature = "differential"))]
        if let Some(visited) = &mut self.visited {
            visited.tell(event);
        }
        let _ = event;
    }

    fn level(&mut self) -> &mut Level {
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn attempt(&mut self) -> &mut Attempt {
        self.level()
            .attempt
            .as_mut()
            .expect("a level above the first has one")
    }

    /// Follow one path to its end.
    fn follow(&mut self, mut path: Path) -> Ended {
        self.checker.steps = std::mem::take(&mut path.segment.steps);
        let ended = self.follow_steps(&mut path);
        match ended {
            Some(Ended::Wrong(problem, _)) => {
                path.segment.steps = std::mem::take(&mut self.checker.steps);
                Ended::Wrong(problem, Box::new(path))
            }
            Some(Ended::AtLoop(number, _)) => {
                path.segment.steps = std::mem::take(&mut self.checker.steps);
                Ended::AtLoop(number, Box::new(path))
            }
            Some(other) => other,
            None => Ended::Well,
        }
    }

    fn follow_steps(&mut self, path: &mut Path) -> Option<Ended> {
        loop {
            if let Some(ended) = self.arrive(path) {
                return ended;
            }
            self.processed += 1;
            self.useful += u64::from(self.levels.len() == 1);
            if self.processed > self.limits.instructions {
                return Some(Ended::GaveUp(format!(
                    "it takes more than {} instructions to follow all paths",
                    self.limits.instructions
                )));
            }
            if self.compared > self.limits.comparisons {
                return Some(Ended::GaveUp(format!(
                    "it takes more than {} comparisons of states to follow all paths",
                    self.limits.comparisons
                )));
            }
            if self.processed.is_multiple_of(CHECK_EVERY) && self.is_too_large() {
                let mebibytes = self.limits.bytes >> 20;
                let why = format!("it takes more than {mebibytes} MiB to follow all paths");
                return Some(Ended::GaveUp(why));
            }
            if self.processed > self.level().end {
                return Some(Ended::Fails);
            }
            let pc = path.state.pc;
            let depth = path.state.depth();
            self.look_at_test(path);
            #[cfg(any(test, feature = "differential"))]
            if let Some(visited) = &mut self.visited {
                visited.see(&path.state);
            }
            // It may be as long as can be: behind a loop of which only an end is known.
            path.segment.length = path.segment.length.saturating_add(1);
            match self.checker.step(&mut path.state) {
                Ok(Next::Go) => {}
                Ok(Next::Fork(other)) => self.part(path, *other, pc),
                Ok(Next::End) => {
                    self.end(path, &Demand::default(), Length::LEAVES);
                    return None;
                }
                Ok(Next::Never) => {
                    self.end(path, &Demand::default(), Length::default());
                    return None;
                }
                Err(_) if self.passes_over(pc, &mut path.state) => {}
                Err(problem) => {
                    path.state.pc = pc;
                    let nobody = Box::new(Path::new(start(), ROOT));
                    return Some(Ended::Wrong(problem, nobody));
                }
            }
            path.fresh = false;
            path.unkept += 1;
            path.previous = match path.state.depth() < depth {
                // A function has returned: before is its call.
                true => path.state.pc - 1,
                false => pc,
            };
        }
    }

    /// Whether a load or store that is not shown to be safe does not matter now.
    fn passes_over(&mut self, pc: usize, state: &mut State) -> bool {
        let insn = self.checker.code[pc];
        let mut attempts = self
            .levels
            .iter()
            .filter_map(|level| level.attempt.as_ref());
        let is_looking = attempts.any(|attempt| attempt.is_surveying());
        if !is_looking || !matches!(insn.class(), class::LDX | class::ST | class::STX) {
            return false;
        }
        if insn.class() == class::LDX {
            state.set(insn.dst, Value::UNKNOWN);
        }
        state.pc = pc + 1;
        true
    }

    /// Two ways: one waits.
    fn part(&mut self, path: &mut Path, other: State, pc: usize) {
        let segment = Segment {
            parent: path.segment.parent,
            steps: std::mem::take(&mut self.checker.steps),
            length: std::mem::take(&mut path.segment.length),
        };
        let level = self.level();
        let node = level.tree.add(segment, None, 2);
        path.segment.parent = node;
        let mut waiting = Path::new(other, node);
        waiting.previous = pc;
        waiting.fresh = false;
        waiting.unkept = path.unkept;
        level.work.push(waiting);
    }

    /// Whether all paths together take more memory than they may.
    fn is_too_large(&mut self) -> bool {
        let trees = self.levels.iter().map(|level| {
            let waiting = level.work.len() * (size_of::<Path>() + size_of::<Frame>());
            level.tree.size() + waiting
        });
        let bytes = trees.sum();
        self.bytes = self.bytes.max(bytes);
        bytes > self.limits.bytes
    }

    fn end(&mut self, path: &mut Path, demand: &Demand, length: Length) {
        let segment = Segment {
            parent: path.segment.parent,
            steps: std::mem::take(&mut self.checker.steps),
            length: path.segment.length,
        };
        let code = self.checker.code;
        self.level().end(segment, demand, length, code);
    }

    /// What is done before an instruction: `Some` ends the path.
    fn arrive(&mut self, path: &mut Path) -> Option<Option<Ended>> {
        let (pc, depth) = (path.state.pc, path.state.depth());
        if let Some(attempt) = &self.levels[self.levels.len() - 1].attempt {
            let inside = self.flow.get(attempt.number).has(pc);
            if depth < attempt.depth || depth == attempt.depth && !inside {
                return Some(self.leave_loop(path));
            }
            if depth == attempt.depth && pc == attempt.head && !path.fresh {
                return Some(self.come_back(path));
            }
        }
        if path.fresh || !self.flow.meets(pc) {
            return None;
        }
        path.state.tidy();
        if let Some(ended) = self.look_up(path) {
            return Some(ended);
        }
        if let Some(number) = self
            .flow
            .loop_at(pc)
            .filter(|number| self.may_prove(*number))
        {
            return Some(Some(Ended::AtLoop(
                number,
                Box::new(Path::new(start(), ROOT)),
            )));
        }
        if path.unkept >= KEEP_AFTER {
            self.keep(path);
        }
        None
    }

    fn may_prove(&self, number: usize) -> bool {
        let Loop { head, levels, .. } = self.flow.get(number);
        self.levels.len() + levels <= MAX_LEVELS
            && self.processed - self.useful < MAX_WASTED + self.useful / 2
            && !self.unrolled.contains(head)
            && [&self.failures, &self.levels[self.levels.len() - 1].failures]
                .iter()
                .all(|failures| failures.get(head).copied().unwrap_or(0) < MAX_FAILURES)
    }

    /// End the path if a complete state covers it.
    fn look_up(&mut self, path: &mut Path) -> Option<Option<Ended>> {
        let level = &self.levels[self.levels.len() - 1];
        let kept = level.kept.get(&path.state.pc)?;
        let mut compared = 0;
        let found = kept.complete.iter().rev().find_map(|id| {
            compared += 1;
            let node = level.tree.node(*id);
            let state = node.state.as_ref()?;
            #[cfg(any(test, feature = "differential"))]
            if self.limits.exact {
                covers(state, &Demand::EVERYTHING, &path.state, level.settled)?;
            }
            covers(state, &node.demand, &path.state, level.settled)?;
            Some((node.demand, node.length))
        });
        self.compared += compared;
        if let Some((demand, length)) = found {
            self.end(path, &demand, length);
            return Some(None);
        }
        let everything = Demand::EVERYTHING;
        for id in kept.open.iter().rev().take(MAX_ANCESTORS) {
            let node = level.tree.node(*id);
            if let Some(state) = &node.state
                && covers(state, &everything, &path.state, 0).is_some()
                && covers(&path.state, &everything, state, 0).is_some()
            {
                let loop_pc = path.state.pc;
                // Only if each number is known, the same state means the same numbers.
                let varies = |value: &Value| value.range().is_some_and(|r| r.known().is_none());
                let problem = match path.state.any(varies) {
                    true => Problem::Unbounded { loop_pc },
                    false => Problem::Endless { loop_pc },
                };
                return Some(Some(Ended::Wrong(
                    problem,
                    Box::new(Path::new(start(), ROOT)),
                )));
            }
        }
        None
    }

    /// Keep the state: it may cover others.
    fn keep(&mut self, path: &mut Path) {
        let last = self.levels.len() - 1;
        let level = &mut self.levels[last];
        let kept = level.kept.entry(path.state.pc).or_default();
        // A loop that is followed round by round needs the states of few of its rounds.
        kept.arrivals += 1;
        if kept.open.len() >= MAX_OPEN && !kept.arrivals.is_multiple_of(KEEP_EVERY) {
            return;
        }
        let segment = Segment {
            parent: path.segment.parent,
            steps: std::mem::take(&mut self.checker.steps),
            length: std::mem::take(&mut path.segment.length),
        };
        let node = level.tree.add(segment, Some(path.state.clone()), 1);
        kept.open.push(node);
        path.segment.parent = node;
        path.unkept = 0;
        self.states += 1;
    }

    /// The path leaves the loop that is being proved.
    fn leave_loop(&mut self, path: &mut Path) -> Option<Ended> {
        let mut state = path.state.clone();
        let demand = self.attempt().leaves(&mut state);
        self.attempt().exits.push((state, path.previous));
        self.end(path, &demand, Length::LEAVES);
        None
    }

    /// The path comes back to the head of the loop that is being proved.
    fn come_back(&mut self, path: &mut Path) -> Option<Ended> {
        path.state.tidy();
        match self.attempt().come_back(&path.state) {
            Some(demand) => {
                self.end(path, &demand, Length::RETURNS);
                None
            }
            None => Some(Ended::Fails),
        }
    }

    fn look_at_test(&mut self, path: &Path) {
        let insn: Insn = self.checker.code[path.state.pc];
        let is_jump = matches!(insn.class(), class::JMP | class::JMP32);
        let level = self.levels.len() - 1;
        if let Some(attempt) = &mut self.levels[level].attempt
            && is_jump
            && attempt.depth == path.state.depth()
        {
            attempt.look_at_test(&path.state, insn, self.flow.get(attempt.number));
        }
    }

    /// Begin to prove a loop whose head a path has come to.
    fn try_proof(&mut self, number: usize, path: Path) -> Path {
        let head = path.state.pc;
        let live = self.flow.live(head);
        let mut attempt = Attempt::new(number, live, path, &mut self.checker);
        attempt.began = self.processed;
        self.begin_stage(Box::new(attempt))
    }

    /// Follow the paths of one round from what is guessed.
    fn begin_stage(&mut self, attempt: Box<Attempt>) -> Path {
        let room = match attempt.is_looking() {
            true => LOOK_INSTRUCTIONS,
            false => CHECK_INSTRUCTIONS,
        };
        let end = (self.processed + room).min(self.level().end);
        let first = Path::new(attempt.guess.clone(), ROOT);
        let settled = self.checker.symbols;
        self.levels.push(Level::new(Some(attempt), end, settled));
        self.tell(Event::Begins);
        first
    }

    /// Whether some loop around is only looked at.
    fn is_looking(&self) -> bool {
        let mut attempts = self
            .levels
            .iter()
            .filter_map(|level| level.attempt.as_ref());
        attempts.any(|attempt| attempt.is_looking())
    }

    /// What was guessed does not hold: guess again, or give up and unroll.
    fn next_guess(&mut self) -> Path {
        let level = self.levels.pop().expect("a proof is being tried");
        self.tell(Event::Fails);
        let mut attempt = level.attempt.expect("a level above the first has one");
        match attempt.next_guess(&mut self.checker) {
            Turn::Try => self.begin_stage(attempt),
            Turn::GiveUp => {
                *self.level().failures.entry(attempt.head).or_default() += 1;
                if !self.is_looking() {
                    *self.failures.entry(attempt.head).or_default() += 1;
                }
                let mut path = attempt.outer;
                self.checker.steps = std::mem::take(&mut path.segment.steps);
                self.keep(&mut path);
                path.segment.steps = std::mem::take(&mut self.checker.steps);
                path.fresh = true;
                path
            }
        }
    }

    /// All work of a level is done; `None`: it was the last one.
    fn finish_level(&mut self) -> Option<Option<Path>> {
        if self.levels.len() == 1 {
            return None;
        }
        let attempt = self.attempt();
        if attempt.is_looking() {
            return Some(Some(self.next_guess()));
        }
        let Some(rounds) = attempt.rounds() else {
            return Some(Some(self.next_guess()));
        };
        let level = self.levels.pop()?;
        self.tell(Event::Proves);
        let attempt = level.attempt?;
        let root = level.tree.node(ROOT);
        let round = root.length.returns.unwrap_or(0);
        let leaving = root.length.leaves.unwrap_or(0);
        let full = match () {
            () if mutation::on(Mutation::LastRoundNotCounted) => rounds.saturating_sub(2),
            () if mutation::on(Mutation::InnerRoundsNotCounted) && self.levels.len() > 1 => 0,
            () => rounds - 1,
        };
        let length = full.saturating_mul(round).saturating_add(leaving);
        let mut demand = root.demand;
        demand.add(&attempt.demand());
        let spent = self.processed - attempt.began;
        if self.levels.len() == 1 {
            self.useful += spent;
        }
        match spent > length {
            // It is cheaper to follow round by round.
            true => *self.failures.entry(attempt.head).or_default() += 1,
            false => _ = self.failures.remove(&attempt.head),
        }
        self.proved.insert(attempt.head);
        self.go_on_behind(*attempt, length, demand);
        Some(None)
    }

    /// Go on from the ways out of a loop that is proved.
    fn go_on_behind(&mut self, attempt: Attempt, length: u64, demand: Demand) {
        let Attempt {
            outer, exits, head, ..
        } = attempt;
        let Path { state, segment, .. } = outer;
        let level = self.levels.len() - 1;
        let level = &mut self.levels[level];
        if exits.is_empty() {
            let code = self.checker.code;
            level.end(segment, &demand, Length::default(), code);
            return;
        }
        let pc = state.pc;
        let node = level.tree.add(segment, Some(state), exits.len() as u32);
        self.states += 1;
        let added = level.tree.node_mut(node);
        added.demand = demand;
        added.proved = Some(head);
        level.kept.entry(pc).or_default().open.push(node);
        for (state, previous) in exits {
            let mut path = Path::new(state, node);
            path.segment.length = length;
            path.previous = previous;
            path.fresh = false;
            level.work.push(path);
        }
    }
}

/// What is known when a program begins.
pub fn start() -> State {
    let mut frame = Frame::new(0, 0);
    frame.registers[1] = Value::Pointer(Pointer::to(Region::Context, 0));
    let root = |name| Anchor {
        name,
        root: name,
        parent: name,
        place: Scalar::constant(0),
        link: None,
        readable: 0,
    };
    State {
        pc: 0,
        frames: vec![Rc::new(frame)],
        anchors: Rc::new(vec![root(DATA), root(META)]),
        bounds: Rc::default(),
        orders: Rc::default(),
        owned: Rc::default(),
    }
}
