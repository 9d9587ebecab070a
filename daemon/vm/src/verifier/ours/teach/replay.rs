//! The path that leads to a problem, followed again with its states.
//!
//! ```text
//!   path      pc of step 0    pc of step 1   ...   pc of the problem
//!   states   before step 0   before step 1   ...   (kept for the last MOST steps)
//! ```

use super::super::super::Case;
use super::super::checker::{Checker, Next};
use super::super::explore::{Violation, start};
use super::super::state::State;
use crate::isa::Insn;

/// States that are kept: those before the last steps.
const MOST: usize = 4_096;

pub struct Replay<'a> {
    pub case: Case<'a>,
    pub violation: &'a Violation,
    /// The step of the first state that is kept.
    first: usize,
    states: Vec<State>,
}

impl<'a> Replay<'a> {
    pub fn new(case: Case<'a>, violation: &'a Violation) -> Self {
        let path = &violation.path;
        let first = path.len().saturating_sub(MOST);
        let mut replay = Self {
            case,
            violation,
            first,
            states: Vec::new(),
        };
        let mut checker = Checker::new(case);
        let mut state = start();
        for (step, pc) in path.iter().enumerate() {
            if state.pc != *pc {
                break;
            }
            if step >= first {
                replay.states.push(state.clone());
            }
            checker.steps.clear();
            let next = path.get(step + 1).copied();
            match checker.step(&mut state) {
                Ok(Next::Fork(other)) if next != Some(state.pc) => state = *other,
                Ok(Next::Go | Next::Fork(_)) => {}
                Ok(Next::End | Next::Never) | Err(_) => return replay,
            }
        }
        // A loop that never ends is noticed before the next step.
        replay.states.push(state);
        replay
    }

    pub fn code(&self) -> &'a [Insn] {
        &self.case.program.instructions
    }

    /// Steps of which the states before and after are known, in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = Step<'_>> {
        self.states.windows(2).enumerate().map(|(at, pair)| {
            let pc = pair[0].pc;
            Step {
                number: self.first + at,
                pc,
                insn: self.code()[pc],
                before: &pair[0],
                after: &pair[1],
            }
        })
    }

    /// The state in which the problem is met.
    pub fn last(&self) -> &State {
        self.states.last().unwrap_or(&self.violation.state)
    }
}

/// One step whose states are known.
#[derive(Clone, Copy)]
pub struct Step<'r> {
    pub number: usize,
    pub pc: usize,
    pub insn: Insn,
    pub before: &'r State,
    pub after: &'r State,
}
