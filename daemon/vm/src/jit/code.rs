//! A compiled program: its code, and the door into it.
//!
//! Sound because: `entry` is where the layout placed the function that was made
//! with the signature of [`Entry`], in pages that live as long as the value; a
//! run borrows it.

use super::arena::Pages;
use super::bounds::Bounds;
use super::runtime::Head;

/// Invocation, end of the stack, context; r0 comes back.
pub type Entry = unsafe extern "C" fn(*mut Head, u64, u64) -> u64;

pub struct Jit {
    _pages: Pages,
    entry: Entry,
    size: usize,
    metered: bool,
    worst_case: Option<u64>,
    keeps_context: bool,
    timing: Timing,
}

/// How long compiling took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// From the lowered program to code that can run.
    pub total_ns: u64,
    /// Of this, the code generator's own work on what it was given.
    pub generator_ns: u64,
}

impl Jit {
    /// Publish code whose function at `start` has the signature of [`Entry`].
    pub(super) fn new(code: &[u8], start: usize, bounds: &Bounds) -> Result<Self, String> {
        let pages = Pages::new(code)?;
        let address = (pages.address() + start) as *const u8;
        // SAFETY: the caller's promise; the code is in place and executable.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        Ok(Self {
            _pages: pages,
            entry,
            size: code.len(),
            metered: bounds.metered,
            worst_case: bounds.worst_case,
            keeps_context: false,
            timing: Timing::default(),
        })
    }

    pub(super) fn set_keeps_context(&mut self, keeps: bool) {
        self.keeps_context = keeps;
    }

    pub(super) fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// Whether no run changes the context.
    pub fn keeps_context(&self) -> bool {
        self.keeps_context
    }

    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// To be called only while the value lives.
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// Bytes of machine code.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether loops or calls carry the budget.
    pub fn metered(&self) -> bool {
        self.metered
    }

    /// The most instructions that a run can execute, if that is known.
    pub fn worst_case(&self) -> Option<u64> {
        self.worst_case
    }
}
