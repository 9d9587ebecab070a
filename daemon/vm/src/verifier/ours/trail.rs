//! What was done on a path, and what the rest of a path depends on.
//!
//! A [`Demand`] says of each register and stack slot whether the rest of a path
//! reads it, and whether it depends on the very number in it (*exact*) or just
//! on there being a number.  It is computed backwards over the steps of a path
//! when its end is known: so it is complete when a state is first used to
//! cover another one.
//!
//! Sound because: if a state agrees with another one on all that the other
//! one's paths demand, then every instruction there finds operands of the same
//! kinds, every address, size and decided comparison the same numbers or fewer,
//! and so no new path opens and no check fails.

use crate::isa::{
    CALL, FRAME_POINTER, Insn, MAX_CALL_FRAMES, SOURCE_REGISTER, alu, atomic, class, mem,
};

pub type Registers = u16;

/// r1 to r5.
const ARGUMENTS: Registers = 0b11_1110;

/// One thing that was done: an instruction, or what a call did to slots of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pc: u32,
    depth: u8,
    /// The frame whose slots it reads or writes.
    target: u8,
    /// Registers whose very numbers the verdict depends on.
    pub exact: Registers,
    /// Arguments that a call takes.
    pub taken: Registers,
    reads: u64,
    writes: u64,
    /// Those slots that it writes wholly.
    whole: u64,
}

const SLOTS_ONLY: u32 = u32::MAX;

impl Step {
    pub fn at(pc: usize, depth: usize) -> Self {
        Self {
            pc: pc as u32,
            depth: depth as u8,
            target: 0,
            exact: 0,
            taken: 0,
            reads: 0,
            writes: 0,
            whole: 0,
        }
    }

    /// What a call does beside its registers.  Of one call, reads come before writes.
    pub fn of_slots(target: u8, reads: u64, whole: u64) -> Self {
        let mut step = Self::at(SLOTS_ONLY as usize, 0);
        step.read(target, reads);
        step.write(target, whole, whole);
        step
    }

    pub fn read(&mut self, target: u8, slots: u64) {
        self.target = target;
        self.reads |= slots;
    }

    pub fn write(&mut self, target: u8, slots: u64, whole: u64) {
        self.target = target;
        self.writes |= slots;
        self.whole |= whole;
    }

    pub fn is_instruction(&self) -> bool {
        self.pc != SLOTS_ONLY
    }

    pub fn pc(&self) -> Option<usize> {
        self.is_instruction().then_some(self.pc as usize)
    }
}

/// What is demanded of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub reads: Registers,
    pub exact: Registers,
    pub slots: u64,
    pub exact_slots: u64,
}

impl Part {
    pub const EVERYTHING: Self = Self {
        reads: 0x7ff,
        exact: 0x7ff,
        slots: u64::MAX,
        exact_slots: u64::MAX,
    };

    fn add(&mut self, other: &Self) {
        self.reads |= other.reads;
        self.exact |= other.exact;
        self.slots |= other.slots;
        self.exact_slots |= other.exact_slots;
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    pub frames: [Part; MAX_CALL_FRAMES],
}

impl Demand {
    pub const EVERYTHING: Self = Self {
        frames: [Part::EVERYTHING; MAX_CALL_FRAMES],
    };

    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.frames.iter_mut().zip(&other.frames) {
            own.add(other);
        }
    }

    /// What was demanded before these steps, if this is so after them.
    pub fn before(mut self, steps: &[Step], code: &[Insn]) -> Self {
        for step in steps.iter().rev() {
            match step.pc() {
                None => self.slots_before(step),
                Some(pc) => self.instruction_before(step, code[pc]),
            }
        }
        self
    }

    fn slots_before(&mut self, step: &Step) {
        let part = &mut self.frames[usize::from(step.target)];
        part.slots = part.slots & !step.whole | step.reads;
        part.exact_slots &= !step.whole;
    }

    fn instruction_before(&mut self, step: &Step, insn: Insn) {
        let depth = usize::from(step.depth);
        if insn.is_exit() {
            self.exit_before(depth);
            return;
        }
        if insn.is_local_call() {
            self.call_before(depth);
            // Of a helper that came as code: what its prototype asks of the arguments.
            let part = &mut self.frames[depth];
            part.reads |= step.taken | step.exact;
            part.exact |= step.exact;
            return;
        }
        let Effect {
            defined,
            used,
            carried,
        } = effect(insn);
        let part = &mut self.frames[depth];
        let mut exact = step.exact;
        if part.exact & defined != 0 {
            exact |= carried;
        }
        let wanted = part.exact & defined != 0;
        part.reads &= !defined;
        part.exact &= !defined;
        let target = &mut self.frames[usize::from(step.target)];
        if insn.class() == class::STX && target.exact_slots & step.writes != 0 {
            exact |= 1 << insn.src;
        }
        self.slots_before(step);
        if wanted && insn.class() == class::LDX {
            self.frames[usize::from(step.target)].exact_slots |= step.reads;
        }
        let part = &mut self.frames[depth];
        part.reads |= used | step.taken | exact;
        part.exact |= exact;
    }

    /// Before a function returned to the one at `depth - 1`, or the program ended.
    fn exit_before(&mut self, depth: usize) {
        let caller = depth.checked_sub(1).map(|caller| &mut self.frames[caller]);
        let exact = caller.map_or(0, |caller| {
            let exact = caller.exact & 1;
            caller.reads &= !(ARGUMENTS | 1);
            caller.exact &= !(ARGUMENTS | 1);
            exact
        });
        self.frames[depth] = Part {
            reads: 1,
            exact,
            ..Part::default()
        };
    }

    /// Before the function at `depth` called another one.
    fn call_before(&mut self, depth: usize) {
        let callee = std::mem::take(&mut self.frames[depth + 1]);
        let caller = &mut self.frames[depth];
        caller.reads = caller.reads & !(ARGUMENTS | 1) | callee.reads & ARGUMENTS;
        caller.exact = caller.exact & !(ARGUMENTS | 1) | callee.exact & ARGUMENTS;
    }
}

pub struct Effect {
    pub defined: Registers,
    pub used: Registers,
    /// Operands whose numbers make up the result.
    pub carried: Registers,
}

pub fn effect(insn: Insn) -> Effect {
    let dst: Registers = 1 << insn.dst;
    let src: Registers = 1 << insn.src;
    let second = match insn.opcode & SOURCE_REGISTER {
        0 => 0,
        _ => src,
    };
    let whole = |defined, used| Effect {
        defined,
        used,
        carried: used,
    };
    let none = |defined, used| Effect {
        defined,
        used,
        carried: 0,
    };
    match insn.class() {
        class::ALU | class::ALU64 => match insn.operation() {
            alu::MOV => whole(dst, second),
            alu::NEG | alu::END => whole(dst, dst),
            _ => whole(dst, dst | second),
        },
        class::LD => none(dst, 0),
        class::LDX => none(dst, src),
        class::ST => none(0, dst),
        class::STX if insn.mode() == mem::ATOMIC => match insn.imm {
            atomic::CMPXCHG => none(1, dst | src | 1),
            operation if operation & atomic::FETCH != 0 => none(src, dst | src),
            _ => none(0, dst | src),
        },
        class::STX => none(0, dst | src),
        _ if insn.opcode == CALL => none(ARGUMENTS | 1, 0),
        _ if insn.is_goto() => none(0, 0),
        _ => none(0, dst | second),
    }
    .without_frame_pointer()
}

impl Effect {
    /// r10 is the same in every state.
    fn without_frame_pointer(mut self) -> Self {
        let others = !(1 << FRAME_POINTER);
        self.used &= others;
        self.carried &= others;
        self
    }
}
