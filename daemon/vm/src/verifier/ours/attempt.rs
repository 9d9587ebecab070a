//! Proving a loop: guess what is true at its head in every round, then check it.
//!
//! ```text
//!   probe     follow one round from where the loop is entered, and look what changes how
//!   survey    follow one round as if there were many, and look which tests end them
//!   guess     what changes by the same number in each round, and for how many rounds
//!   check     follow all paths of one round from the guess: whatever comes back to the
//!             head must be covered by the guess
//! ```
//!
//! Sound by induction over rounds, whatever the guess is: it covers the state in
//! which the loop is entered, and if it covers the head's state in one round it
//! covers it in the next.  That the loop ends follows from a symbol of the guess
//! that has bounds, and that every way back to the head moves in one direction.

use super::super::domain::Scalar;
use super::super::mutation::{self, Mutation};
use super::branch::comparison;
use super::checker::Checker;
use super::covers::{Image, Names, covers};
use super::explore::Path;
use super::flow::{Loop, target};
use super::invariant::{self, Change, Evidence, Guess, Widening};
use super::state::State;
use super::trail::{Demand, Part, Registers};
use super::trips::Test;
use super::value::{Symbol, Value};
use crate::isa::{Insn, class};

/// Tests of one loop that are looked at.
const MAX_TESTS: usize = 64;
/// States that came back and are remembered.
const MAX_POSTS: usize = 32;

/// How often a guess is corrected by what came back.
const MAX_DEMOTIONS: u32 = 4;

/// What to do after a guess has failed.
pub enum Turn {
    Try,
    GiveUp,
}

/// What a loop is tried with, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Probing,
    /// What steps does so without end: which tests end it?
    Surveying,
    /// What changes irregularly is unknown.
    Unknown,
    /// The same, and unknown behind the loop, too: so that ways within a round meet.
    UnknownBehind,
    /// It stays within round bounds.
    Thresholds,
    /// It stays within the bounds that were seen.
    Hulls(u8),
}

/// One loop that is being proved.
pub struct Attempt {
    pub number: usize,
    pub head: usize,
    pub depth: usize,
    /// The path that came to the loop.
    pub outer: Path,
    /// Instructions that had been followed before.
    pub began: u64,
    /// The last symbol that had a name before.
    settled: Symbol,
    /// What is taken for true at the head.
    pub guess: State,
    /// States in which paths left the loop, and the instruction before.
    pub exits: Vec<(State, usize)>,
    probe: State,
    posts: Vec<State>,
    tests: Vec<Test>,
    changes: Vec<Change>,
    stage: Stage,
    live: Registers,
    /// Symbols that may bound the rounds, with the least step of each.
    ranks: Option<Vec<(Symbol, i64)>>,
    /// States that came back and were not covered.
    seen: Vec<State>,
    demotions: u32,
    /// The guess without bounds, and what came back from it.
    survey: Option<Guess>,
    surveyed: Vec<State>,
    /// The last round that can begin, counted from 0, as far as tests tell.
    last: Option<i64>,
}

impl Attempt {
    pub fn new(number: usize, live: Registers, outer: Path, checker: &mut Checker<'_>) -> Self {
        let settled = checker.symbols;
        let probe = invariant::probe(&outer.state, live, &mut checker.symbols);
        Self {
            settled,
            began: 0,
            number,
            head: outer.state.pc,
            depth: outer.state.depth(),
            guess: probe.clone(),
            probe,
            outer,
            exits: Vec::new(),
            posts: Vec::new(),
            tests: Vec::new(),
            changes: Vec::new(),
            stage: Stage::Probing,
            live,
            ranks: None,
            seen: Vec::new(),
            demotions: 0,
            survey: None,
            surveyed: Vec::new(),
            last: None,
        }
    }

    /// Whether it only looks what changes, and proves nothing.
    pub fn is_looking(&self) -> bool {
        matches!(self.stage, Stage::Probing | Stage::Surveying)
    }

    /// Whether loads and stores that cannot be shown to be safe are passed over.
    pub fn is_surveying(&self) -> bool {
        self.stage == Stage::Surveying
    }

    /// Remember a comparison that decides whether the loop goes on.
    pub fn look_at_test(&mut self, state: &State, insn: Insn, of: &Loop) {
        if !self.is_surveying() || self.tests.len() >= MAX_TESTS || insn.is_goto() {
            return;
        }
        let Some(target) = target(insn, state.pc) else {
            return;
        };
        let stays = match (of.has(target), of.has(state.pc + 1)) {
            (true, false) => true,
            (false, true) => false,
            _ => return,
        };
        let wide = insn.class() == class::JMP;
        let right = match insn.is_register_source() {
            true => *state.register(insn.src),
            false => Value::constant(match wide {
                true => i64::from(insn.imm) as u64,
                false => insn.imm as u32 as u64,
            }),
        };
        let root = |value: Value| match value {
            Value::Pointer(pointer) => Value::Pointer(state.rooted(&pointer)),
            other => other,
        };
        self.tests.push(Test {
            op: comparison(insn),
            wide,
            stays,
            left: root(*state.register(insn.dst)),
            right: root(right),
        });
    }

    /// A path comes back to the head: what it demands, or `None` if the guess is wrong.
    pub fn come_back(&mut self, state: &State) -> Option<Demand> {
        if self.is_looking() {
            let posts = match self.stage {
                Stage::Probing => &mut self.posts,
                _ => &mut self.surveyed,
            };
            if posts.len() < MAX_POSTS {
                posts.push(state.clone());
            }
            return Some(self.hopeful());
        }
        if self.ranks.is_some() && mutation::on(Mutation::OneWayBack) {
            return Some(self.demand());
        }
        let everything = &Demand::EVERYTHING;
        let Some(names) = covers(&self.guess, everything, state, self.settled) else {
            self.seen.push(state.clone());
            return None;
        };
        self.rank(&names);
        Some(self.demand())
    }

    /// Keep the symbols that this way back moves in their direction.
    fn rank(&mut self, names: &Names) {
        let guess = &self.guess;
        let step = |symbol: Symbol| match names.image(symbol) {
            Some(Image::Of {
                symbol: same,
                scale: 1,
                shift,
            }) if same == symbol && !matches!(shift, 0 | i64::MIN) => Some(shift),
            _ => None,
        };
        match &mut self.ranks {
            None => {
                let symbols = invariant::symbols(guess);
                let ranks = symbols
                    .into_iter()
                    .filter_map(|symbol| Some((symbol, step(symbol)?)));
                self.ranks = Some(ranks.collect());
            }
            Some(ranks) => ranks.retain_mut(|(symbol, least)| match step(*symbol) {
                Some(shift)
                    if shift.signum() == least.signum() || mutation::on(Mutation::BackAndForth) =>
                {
                    *least = least.signum() * shift.abs().min(least.abs());
                    true
                }
                _ => false,
            }),
        }
    }

    /// How often the head can be come to, if it is known that this ends.
    pub fn rounds(&self) -> Option<u64> {
        let Some(ranks) = &self.ranks else {
            // Nothing came back.
            return Some(1);
        };
        let rounds = ranks.iter().filter_map(|(symbol, step)| {
            let (low, high) = invariant::bounds(&self.guess, *symbol)?;
            let width = i128::from(high) - i128::from(low);
            let rounds = width / i128::from(step.abs()) + 1;
            u64::try_from(rounds).ok()
        });
        rounds.min()
    }

    /// While probing: registers that are read matter, but not their numbers.
    fn hopeful(&self) -> Demand {
        let mut demand = Demand::default();
        for part in &mut demand.frames[..=self.depth] {
            part.reads = self.live;
            part.slots = u64::MAX;
        }
        demand
    }

    /// What a path that comes back demands: that the guess covers its end.
    pub fn demand(&self) -> Demand {
        let mut demand = Demand::default();
        for (part, frame) in demand.frames.iter_mut().zip(&self.guess.frames) {
            part.slots = u64::MAX;
            part.exact_slots = u64::MAX;
            for register in 0..10 {
                let value = &frame.registers[register];
                if !value.is_absent() {
                    part.reads |= 1 << register;
                    part.exact |= Registers::from(*value != Value::UNKNOWN) << register;
                }
            }
        }
        demand
    }

    /// What a path that leaves demands: nobody knows yet what comes behind.
    pub fn leaves(&mut self, state: &mut State) -> Demand {
        let mut demand = Demand::default();
        if self.is_looking() {
            return self.hopeful();
        }
        let depth = state.depth();
        for part in &mut demand.frames[..=depth] {
            *part = Part::EVERYTHING;
        }
        if self.stage == Stage::UnknownBehind {
            let guess = &self.guess.frames[self.depth].registers;
            if depth == self.depth {
                for register in 0..10_u8 {
                    let is_unknown = guess[usize::from(register)] == Value::UNKNOWN;
                    if is_unknown && matches!(state.register(register), Value::Number(_)) {
                        state.set(register, Value::UNKNOWN);
                        demand.frames[depth].exact &= !(1 << register);
                    }
                }
            }
        }
        demand
    }

    /// Make the next guess.
    pub fn next_guess(&mut self, checker: &mut Checker<'_>) -> Turn {
        let mut again = self.learn_from_failure();
        loop {
            self.stage = match self.stage {
                stage if std::mem::take(&mut again) => stage,
                Stage::Probing => Stage::Surveying,
                Stage::Surveying => Stage::Unknown,
                Stage::Unknown => Stage::UnknownBehind,
                Stage::UnknownBehind => Stage::Thresholds,
                Stage::Thresholds => Stage::Hulls(0),
                Stage::Hulls(2..) => return Turn::GiveUp,
                Stage::Hulls(times) => Stage::Hulls(times + 1),
            };
            if self.stage == Stage::Surveying {
                if self.posts.is_empty() {
                    return Turn::GiveUp;
                }
                self.changes = invariant::changes(&self.probe, &self.posts, self.live);
            }
            let last = match self.stage {
                Stage::Surveying => Some(invariant::MANY),
                _ => self.last,
            };
            let Some(last) = last else {
                return Turn::GiveUp;
            };
            self.exits.clear();
            self.ranks = None;
            let guess = self.make_guess(last, checker);
            // A guess that has failed once fails again, unless it is checked another way.
            if self.stage != Stage::UnknownBehind && same(&guess.state, &self.guess) {
                continue;
            }
            self.guess = guess.state.clone();
            self.guess.pc = self.head;
            let everything = &Demand::EVERYTHING;
            let fits = covers(&self.guess, everything, &self.outer.state, self.settled).is_some();
            if self.stage == Stage::Surveying {
                self.survey = Some(guess);
                return Turn::Try;
            }
            if fits {
                return Turn::Try;
            }
        }
    }

    fn make_guess(&self, last: i64, checker: &mut Checker<'_>) -> Guess {
        let posts: Vec<&State> = self.posts.iter().chain(&self.seen).collect();
        let widening = match self.stage {
            Stage::Thresholds => Widening::Thresholds,
            Stage::Hulls(_) => Widening::Hulls,
            _ => Widening::Unknown,
        };
        let evidence = Evidence {
            entry: &self.outer.state,
            changes: &self.changes,
            posts: &posts,
            survey: self.survey.as_ref().map(|guess| &guess.state),
            surveyed: &self.surveyed,
            widening,
            last,
        };
        invariant::guess(&evidence, &self.probe, checker)
    }

    /// Correct what is believed to step; whether the same stage is worth another try.
    fn learn_from_failure(&mut self) -> bool {
        if self.stage == Stage::Surveying {
            let mut demoted = false;
            for post in &self.surveyed {
                demoted |= invariant::demote(&mut self.changes, &self.guess, post);
            }
            self.last = self
                .survey
                .as_ref()
                .and_then(|guess| guess.last_round(&self.tests));
            if demoted && self.demotions < MAX_DEMOTIONS {
                self.demotions += 1;
                self.surveyed.clear();
                self.tests.clear();
                return true;
            }
            return false;
        }
        let seen = self.seen.last().filter(|_| self.demotions < MAX_DEMOTIONS);
        let demoted =
            seen.is_some_and(|post| invariant::demote(&mut self.changes, &self.guess, post));
        self.demotions += u32::from(demoted);
        demoted
    }
}

/// Whether two guesses say the same, but for names.
fn same(a: &State, b: &State) -> bool {
    let ranges = |state: &State| {
        let mut ranges: Vec<Option<Scalar>> = Vec::new();
        _ = state.any(|value| {
            ranges.push(value.range());
            false
        });
        ranges
    };
    ranges(a) == ranges(b)
}
