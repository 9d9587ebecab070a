//! Why a program is refused, told to its author.
//!
//! ```text
//!   lessons   what each kind of mistake is called, and its sentences
//!   blanks    what one problem puts into them
//!   words     values and places in words
//!
//!   replay    the path that leads to the problem, followed again with its states
//!   path      its branches as source lines
//!   history   how a register came to what it is
//!   facts     what is proved of the bytes in question, and where
//!
//!   witness   an input on which the program goes wrong
//!   text      all of it on one screen
//! ```
//!
//! Nothing here decides anything: whoever explores the paths keeps only the
//! numbers of the instructions of the path, and all else is found again after
//! the program is refused.

mod blanks;
mod facts;
mod history;
mod lessons;
mod path;
mod replay;
mod text;
pub mod words;

#[cfg(test)]
mod tests;

use super::super::{Case, Rejection};
use super::explore::Violation;
use super::problem::{Problem, Wrong};
use super::witness::Witness;
use crate::isa::{self, class};
use crate::spec::SourceLine;
use history::Matter;
use replay::Replay;

/// Why a program is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The kind of mistake, a name that never changes.
    pub kind: &'static str,
    pub place: Spot,
    pub instruction: String,
    /// Why, in one sentence.
    pub reason: String,
    /// What had to hold.
    pub obligation: String,
    /// What is proved that comes nearest to it; empty if there is nothing to say.
    pub fact: String,
    /// A check that was made, and why it does not help here; empty if there is none.
    pub proof: String,
    /// How control comes here.
    pub path: Vec<Turn>,
    /// The registers of the instruction, with what is known of them.
    pub registers: Vec<(u8, String)>,
    /// How the one that matters came to what it is, the oldest event first.
    pub history: Vec<Event>,
    /// What to write instead.
    pub hint: String,
    /// An input on which the program goes wrong.
    pub witness: Option<Witness>,
}

/// An instruction, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    pub pc: usize,
    pub source: Option<SourceLine>,
}

/// One thing that control does on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub place: Spot,
    pub way: Way,
    /// How often in a row it is done, with the turns up to the next one of this kind.
    pub times: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A comparison that could go both ways.
    Branch {
        /// What is true of its operands on this path.
        holds: String,
        /// Whether it jumped.
        taken: bool,
        /// Where control goes on.
        next: Spot,
    },
    /// A function of the program is called, or returns.
    Enter(String),
    Leave(String),
    /// A loop begins another round.
    Round,
}

/// One thing that happened to a register, or to the place that its value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub place: Spot,
    pub change: Change,
    pub words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Written,
    Copied,
    Spilled,
    Filled,
    Refined,
    Invalidated,
    Passed,
    Returned,
}

impl Spot {
    fn new(case: Case<'_>, pc: usize) -> Self {
        Self {
            pc,
            source: case.program.source_line(pc).cloned(),
        }
    }
}

/// Tell why a program is refused, but for an input that shows it: that is for the caller to look
/// for, who may have to know before.
pub fn explain(case: Case<'_>, violation: &Violation) -> Explanation {
    let replay = Replay::new(case, violation);
    let register = blanks::choose(case, violation, None).register;
    let history = register.map(|register| history::of(&replay, register, place(violation)));
    let choice = blanks::choose(case, violation, history.as_ref());
    let lesson = choice.lesson;
    let facts = facts::of(&replay, choice.register, history.as_ref());
    Explanation {
        kind: lesson.kind,
        place: Spot::new(case, violation.pc),
        instruction: isa::describe(&case.program.instructions, violation.pc),
        reason: choice.reason(),
        obligation: choice.fill(lesson.obligation),
        fact: facts.best,
        proof: facts.nearest,
        path: path::of(&replay),
        registers: registers(case, violation, choice.register),
        history: history.map(|history| history.events).unwrap_or_default(),
        hint: choice.fill(lesson.hint),
        witness: None,
    }
}

impl Explanation {
    /// What every judge can say, with the explanation beside.
    pub fn rejection(self) -> Rejection {
        Rejection {
            pc: Some(self.place.pc),
            instruction: self.instruction.clone(),
            reason: self.reason.clone(),
            hint: self.hint.clone(),
            detail: self.detail(),
            source: self.place.source.clone(),
            explanation: Some(Box::new(self)),
        }
    }
}

impl Way {
    /// Its name for other languages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Branch { .. } => "branch",
            Self::Enter(_) => "enter",
            Self::Leave(_) => "leave",
            Self::Round => "round",
        }
    }
}

impl Change {
    /// Its name for other languages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Copied => "copied",
            Self::Spilled => "spilled",
            Self::Filled => "filled",
            Self::Refined => "refined",
            Self::Invalidated => "invalidated",
            Self::Passed => "passed",
            Self::Returned => "returned",
        }
    }
}

/// What matters of the register of a problem.
fn place(violation: &Violation) -> Matter {
    let problem = match &violation.problem {
        Problem::Argument {
            wrong: Wrong::Memory(problem),
            ..
        } => problem,
        problem => problem,
    };
    match problem {
        Problem::UnwrittenStack { at, .. } => Matter::Stack(*at),
        Problem::PastData { span, .. }
        | Problem::BeforeData { span, .. }
        | Problem::OutsideValue { span, .. }
        | Problem::OutsideStack { span, .. }
        | Problem::OutsideMemory { span, .. }
        | Problem::OutsideContext { span, .. }
        | Problem::VariableContext { span, .. }
        | Problem::OverPointer { span, .. }
            if span.low != span.high =>
        {
            Matter::Offset
        }
        _ => Matter::Value,
    }
}

/// The registers that the instruction uses, that of the problem first.
fn registers(case: Case<'_>, violation: &Violation, first: Option<u8>) -> Vec<(u8, String)> {
    let insn = case.program.instructions[violation.pc];
    let mut numbers: Vec<u8> = first.into_iter().collect();
    match insn.class() {
        class::LDX => numbers.push(insn.src),
        class::ST => numbers.push(insn.dst),
        class::STX => numbers.extend([insn.dst, insn.src]),
        class::ALU | class::ALU64 => {
            let is_move = insn.operation() == isa::alu::MOV;
            numbers.extend((!is_move).then_some(insn.dst));
            numbers.extend(insn.is_register_source().then_some(insn.src));
        }
        _ if insn.is_comparison() => {
            numbers.push(insn.dst);
            numbers.extend(insn.is_register_source().then_some(insn.src));
        }
        _ => {}
    }
    let mut seen = Vec::new();
    numbers.retain(|number| {
        !seen.contains(number) && {
            seen.push(*number);
            true
        }
    });
    let state = &violation.state;
    let words = |number: u8| words::value(case, state, state.register(number));
    numbers
        .into_iter()
        .map(|number| (number, words(number)))
        .collect()
}
