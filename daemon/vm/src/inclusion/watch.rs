//! Looking at a run before each of its instructions.
//!
//! An observer has to be shareable among threads, states are not: so what a run
//! is compared with lies in a variable of the thread that runs it.

use std::cell::RefCell;
use std::sync::Arc;

use super::world::World;
use crate::exec::Moment;
use crate::isa::STACK_FRAME_SIZE;
use crate::maps::Map;
use crate::verifier::ours::Visited;
use crate::verifier::ours::inside::{self, Frame, Memory, Run};

/// The first instructions of a run are compared with states, then some of the next ones; the
/// rest are only counted.
const COMPARED: u64 = 300;
const COMPARED_AT_ALL: u64 = 3_000;
const SOME: u64 = 5;

/// What a run is compared with, and what is known of it.
pub struct Watch {
    pub ordinary: Visited,
    pub exact: Option<Visited>,
    /// Registers of each instruction that decide where it reads or writes.
    pub operands: Vec<u16>,
    /// Instructions that a run may execute.
    pub worst_case: u64,
    pub compares: bool,
    /// What frames hold when they are opened.
    pub fill: u8,
    pub executed: u64,
    pub failure: Option<String>,
    frames: Vec<Frame>,
    places: Places,
}

#[derive(Clone, Default)]
struct Places {
    context: u64,
    data: u64,
    end: u64,
    meta: u64,
    maps: Vec<Arc<Map>>,
    strides: Vec<u64>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

impl Watch {
    pub fn new(
        world: &World,
        ordinary: Visited,
        exact: Option<Visited>,
        operands: Vec<u16>,
        worst_case: u64,
    ) -> Self {
        Self {
            ordinary,
            exact,
            operands,
            worst_case,
            compares: true,
            fill: 0,
            executed: 0,
            failure: None,
            frames: Vec::new(),
            places: Places {
                maps: world.maps.clone(),
                strides: world.strides.clone(),
                ..Places::default()
            },
        }
    }

    /// Do something while this watches runs of this thread.
    pub fn during<T>(self, run: impl FnOnce() -> T) -> (T, Self) {
        WATCH.with(|watch| *watch.borrow_mut() = Some(self));
        let result = run();
        let watch = WATCH.with(|watch| watch.borrow_mut().take());
        (result, watch.expect("it was put there"))
    }

    fn see(&mut self, moment: Moment<'_>) {
        let Moment {
            pc,
            depth,
            registers,
            stack,
        } = moment;
        if self.executed == 0 {
            self.frames.clear();
            self.places.begin(registers[1]);
        }
        self.executed += 1;
        let base = stack.as_ptr() as u64;
        self.frames.truncate(depth + 1);
        if self.frames.len() == depth {
            let call = self.last_call();
            let top = (registers[10] - base) as usize;
            stack[top - STACK_FRAME_SIZE..top].fill(self.fill);
            self.frames.push(Frame {
                registers: [0; 11],
                call,
                pc,
            });
        }
        let frame = &mut self.frames[depth];
        frame.registers.copy_from_slice(&registers[..11]);
        frame.pc = pc;
        if self.failure.is_some() {
            return;
        }
        if self.executed > self.worst_case {
            self.failure = Some(format!("more than {} instructions", self.worst_case));
        } else if self.compares && self.is_compared() {
            self.failure = self.compare(pc, &stack[..]);
        }
    }

    fn is_compared(&self) -> bool {
        let some = self.executed <= COMPARED_AT_ALL && self.executed.is_multiple_of(SOME);
        self.executed <= COMPARED || some
    }

    fn last_call(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.pc)
    }

    fn compare(&self, pc: usize, stack: &[u8]) -> Option<String> {
        let run = Run {
            pc,
            frames: &self.frames,
            memory: &Seen {
                places: &self.places,
                stack,
            },
        };
        if let Some(exact) = &self.exact
            && let Err(why) = inside::visited(&run, exact, None)
        {
            return Some(format!("in everything: {why}"));
        }
        let operands = self.operands[pc];
        let result = inside::visited(&run, &self.ordinary, Some(operands));
        result.err().map(|why| format!("operands: {why}"))
    }
}

/// Show a moment to what watches.
pub fn see(moment: Moment<'_>) {
    WATCH.with(|watch| {
        if let Some(watch) = watch.borrow_mut().as_mut() {
            watch.see(moment);
        }
    });
}

impl Places {
    fn begin(&mut self, context: u64) {
        let pointer = |offset: u64| {
            // SAFETY: the context of the run that is being watched, which has its pointers there.
            unsafe { std::ptr::read_unaligned((context + offset) as *const u64) }
        };
        self.context = context;
        (self.data, self.end, self.meta) = (pointer(0), pointer(8), pointer(16));
    }
}

/// The memory of a run at one moment.
struct Seen<'s> {
    places: &'s Places,
    stack: &'s [u8],
}

impl Memory for Seen<'_> {
    fn context(&self) -> u64 {
        self.places.context
    }

    fn data(&self) -> u64 {
        self.places.data
    }

    fn end(&self) -> u64 {
        self.places.end
    }

    fn meta(&self) -> u64 {
        self.places.meta
    }

    fn map(&self, index: u32) -> u64 {
        Arc::as_ptr(&self.places.maps[index as usize]) as u64
    }

    fn value(&self, index: u32, address: u64) -> Option<u64> {
        let map = &self.places.maps[index as usize];
        let range = map.value_at(address as usize, 0)?;
        Some(range.address as u64)
    }

    fn stride(&self, index: u32) -> u64 {
        self.places.strides[index as usize]
    }

    fn byte(&self, address: u64) -> u8 {
        let at = address.wrapping_sub(self.stack.as_ptr() as u64);
        self.stack.get(at as usize).copied().unwrap_or(0)
    }
}
