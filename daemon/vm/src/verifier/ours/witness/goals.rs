//! At the problem itself: which changes could make it harmful.

use super::super::explore::Violation;
use super::super::problem::{Problem, Span, Wrong};
use super::graph::{Id, Shape, Variable};
use super::reading::Reading;
use super::solve::{Change, solve};
use crate::exec::Seen;
use crate::isa::{Insn, STACK_FRAME_SIZE, class};

/// The problem of memory behind an argument is a problem of memory.
pub fn inner(problem: &Problem) -> &Problem {
    match problem {
        Problem::Argument {
            wrong: Wrong::Memory(problem),
            ..
        } => problem,
        problem => problem,
    }
}

/// Changes to try, the likeliest first; `now` is the step of the problem.
pub fn changes(
    violation: &Violation,
    reading: &mut Reading<'_>,
    now: &Seen,
    insn: Insn,
    end: u64,
) -> Vec<Vec<Change>> {
    let problem = inner(&violation.problem);
    let mut goals = Goals {
        reading,
        insn,
        now,
        end,
        found: Vec::new(),
    };
    match problem {
        Problem::PastData { register, span, .. } | Problem::BeforeData { register, span } => {
            goals.data(*register, span);
        }
        Problem::OutsideValue {
            register,
            span,
            size,
            ..
        } => goals.value(*register, span, *size),
        Problem::OutsideStack { register, span } => goals.stack(*register, span),
        Problem::AtomicUnaligned { register, .. } => {
            let address = goals.address(*register);
            goals.reach(*register, address.wrapping_add(1));
        }
        Problem::NotPointer { register, .. } | Problem::MaybeNull { register, .. } => {
            goals.number(*register, 0);
            goals.number(*register, 1);
        }
        Problem::Argument { index, wrong, .. } => {
            let register = *index as u8 + 1;
            let numbers = match wrong {
                Wrong::SizeMayBeNegative { range } | Wrong::SizeMayBeZero { range } => {
                    vec![range.smin() as u64, range.umax(), range.umin(), 0]
                }
                _ => vec![0],
            };
            for number in numbers {
                goals.number(register, number);
                if register < 5 {
                    goals.number(register + 1, number);
                }
            }
        }
        _ => {}
    }
    goals.found
}

struct Goals<'a, 'r> {
    reading: &'a mut Reading<'r>,
    insn: Insn,
    now: &'a Seen,
    /// Where the data ends in this run.
    end: u64,
    found: Vec<Vec<Change>>,
}

impl Goals<'_, '_> {
    fn id(&self, register: u8) -> Id {
        self.reading.registers[usize::from(register)]
    }

    /// What the instruction adds to its register.
    fn offset(&self) -> i64 {
        match self.insn.class() {
            class::LDX | class::ST | class::STX => self.insn.offset.into(),
            _ => 0,
        }
    }

    fn address(&self, register: u8) -> u64 {
        self.now.registers[usize::from(register)].wrapping_add_signed(self.offset())
    }

    fn number(&mut self, register: u8, number: u64) {
        let solved = solve(&self.reading.graph, self.id(register), number);
        self.found
            .extend(solved.filter(|changes| !changes.is_empty()));
    }

    /// Let the instruction go to an address.
    fn reach(&mut self, register: u8, address: u64) {
        self.number(register, address.wrapping_add_signed(-self.offset()));
    }

    /// The register of a size, if the instruction is a call.
    fn size(&self, register: u8) -> Option<u8> {
        (self.insn.class() == class::JMP && register < 5).then_some(register + 1)
    }

    fn sizes(&mut self, register: u8, span: &Span) {
        if let Some(size) = self.size(register) {
            self.number(size, span.size as u64);
        }
    }

    fn data(&mut self, register: u8, span: &Span) {
        let address = self.address(register);
        let size = span.size as u64;
        self.sizes(register, span);
        // The data ends within the access, or right before it.
        for end in [address.wrapping_add(size - 1), address] {
            self.found.push(vec![(Variable::End, end)]);
        }
        for target in [
            self.end.wrapping_sub(size - 1),
            self.end,
            address.wrapping_add_signed(span.high.wrapping_sub(span.low)),
        ] {
            self.reach(register, target);
        }
        let start = self.start();
        for target in [start.wrapping_sub(1), start.wrapping_add_signed(span.low)] {
            self.reach(register, target);
        }
    }

    /// Where the data, or the metadata, begins.
    fn start(&self) -> u64 {
        self.reading.data()
    }

    fn value(&mut self, register: u8, span: &Span, size: i64) {
        let address = self.address(register);
        let nearest = self
            .reading
            .places
            .iter()
            .min_by_key(|place| address.abs_diff(place.base));
        let Some(base) = nearest.map(|place| place.base) else {
            return;
        };
        self.sizes(register, span);
        for target in [span.high, span.low, size - span.size + 1, size, -1] {
            if target < span.low || target > span.high {
                continue;
            }
            self.reach(register, base.wrapping_add_signed(target));
        }
    }

    fn stack(&mut self, register: u8, span: &Span) {
        let top = self.now.registers[10];
        self.sizes(register, span);
        let frame = STACK_FRAME_SIZE as i64;
        let above = self.reading.top.wrapping_sub(top) as i64;
        for target in [
            span.high,
            span.low,
            1 - span.size,
            0,
            above,
            above + 1 - span.size,
            -frame - 1,
        ] {
            self.reach(register, top.wrapping_add_signed(target));
        }
    }
}

/// The inputs that have a part in a number.
pub fn variables(reading: &Reading<'_>, id: Id, found: &mut Vec<Variable>) {
    let node = reading.graph.get(id);
    if !node.is_free || found.len() > 64 {
        return;
    }
    match &node.shape {
        Shape::Fixed => {}
        Shape::Input(variable) => {
            if !found.contains(variable) {
                found.push(variable.clone());
            }
        }
        Shape::Bytes(bytes) => {
            for byte in bytes {
                variables(reading, *byte, found);
            }
        }
        Shape::Binary { left, right, .. } => {
            variables(reading, *left, found);
            variables(reading, *right, found);
        }
        Shape::Low { of, .. }
        | Shape::Signed { of, .. }
        | Shape::Swapped { of, .. }
        | Shape::Byte { of, .. } => variables(reading, *of, found),
    }
}
