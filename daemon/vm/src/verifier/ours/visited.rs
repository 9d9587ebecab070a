//! The states that were followed on the way to a verdict, for tests that compare them with runs.
//!
//! What an attempt to prove a loop has followed counts only once the loop is proved.

use super::super::Case;
use super::explore::{Event, Explorer, Limits, Report};
use super::state::State;

/// States by the instruction that they were followed to.
#[derive(Default)]
pub struct Visited {
    /// One list for each attempt that is being made.
    pending: Vec<Vec<State>>,
    by_pc: Vec<Vec<State>>,
}

impl Visited {
    pub fn see(&mut self, state: &State) {
        if let Some(last) = self.pending.last_mut() {
            last.push(state.clone());
        }
    }

    pub fn tell(&mut self, event: Event) {
        match event {
            Event::Begins => self.pending.push(Vec::new()),
            Event::Fails => drop(self.pending.pop()),
            Event::Proves => {
                let proved = self.pending.pop().unwrap_or_default();
                if let Some(last) = self.pending.last_mut() {
                    last.extend(proved);
                }
            }
            Event::Again => self.pending = vec![Vec::new()],
        }
    }

    /// The states at an instruction.
    pub(super) fn at(&self, pc: usize) -> &[State] {
        self.by_pc.get(pc).map_or(&[], Vec::as_slice)
    }

    /// Whether any path comes to an instruction.
    pub fn reached(&self, pc: usize) -> bool {
        !self.at(pc).is_empty()
    }

    fn sort(&mut self, length: usize) {
        self.by_pc.resize_with(length, Vec::new);
        for state in std::mem::take(&mut self.pending).into_iter().flatten() {
            self.by_pc[state.pc].push(state);
        }
    }
}

/// Follow all paths of a program, and keep every state.
pub fn explore_visibly(case: Case<'_>, limits: Limits) -> (Report, Visited) {
    let mut visited = Visited::default();
    let mut explorer = Explorer::new(case, limits);
    explorer.visited = Some(&mut visited);
    let report = explorer.run();
    visited.sort(case.program.instructions.len());
    (report, visited)
}
