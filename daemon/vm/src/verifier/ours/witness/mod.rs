//! An input on which a program goes wrong, as the checked interpreter confirms.
//!
//! ```text
//!   input     a context, data, entries of maps, answers of the extension
//!   reading   a run on it, with the origin of every number (graph)
//!   search    where the run leaves the path to the problem, change what decided it (solve);
//!             at the problem itself, change what makes it harmful (goals)
//! ```
//!
//! None of this has to be right: only what the interpreter stops at is shown.
//! The search is the same in every run, and bounded in runs and in time.

mod end;
mod goals;
mod graph;
mod input;
mod reading;
mod search;
mod solve;

use super::super::Case;
use super::explore::Violation;

/// An input that makes the program fail, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// With zeros for its pointers.
    pub context: Vec<u8>,
    /// Metadata, then data.
    pub data: Vec<u8>,
    /// Bytes of the metadata.
    pub meta: usize,
    /// Whether contexts of this type have data at all.
    pub has_data: bool,
    /// Keys that are looked up.
    pub entries: Vec<Entry>,
    /// Whether it takes arrays with one entry only, so that nothing lies behind a value.
    pub is_cut: bool,
    /// What the extension answers.
    pub answers: Vec<u64>,
    /// Where the run was stopped, and its `ebpf_result`.
    pub pc: usize,
    pub code: u8,
    /// What happened there.
    pub end: String,
    /// Runs that it took to find it.
    pub runs: usize,
}

/// What a key leads to before the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The map's name.
    pub map: String,
    pub key: Vec<u8>,
    /// `None`: there is no such key.
    pub value: Option<Vec<u8>>,
}

/// An input on which the program fails as the violation says, if one is found.
pub fn witness(case: Case<'_>, violation: &Violation) -> Option<Witness> {
    search::Search::new(case, violation)?.run()
}
