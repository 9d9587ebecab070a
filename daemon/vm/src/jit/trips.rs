//! How often a loop can run: counted loops are recognised and their rounds bounded.
//!
//! A counter is a register that each round changes by the same number.  Per
//! loop, every register is followed as "what it was at the header, plus a
//! number" (`Sum`).  If one that a way out compares is such a counter, and the
//! comparison is made in each round, then the counter's range at the first
//! round, its step and the range of what it is compared with bound the rounds.
//!
//! Sound because: nothing is assumed but what `facts` knows of every run.  All
//! is computed in `i128`, and a bound is only given where the counter cannot
//! wrap before the comparison ends the loop.

use super::effects::is_register;
use super::facts::{Analysis, Known, State};
use super::flow::{Function, defined, each, is_conditional};
use super::graph::{Graph, Loop};
use super::ranges;
use crate::contract::MAX_DATA_SIZE;
use crate::exec::lower::Op;
use crate::isa::{SOURCE_REGISTER, alu, class, jump};

/// No budget allows so many rounds.
const ENDLESS: u64 = 1 << 40;

/// How a comparison for equality can be made by order: the counter cannot pass by its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The counter grows: equal is greater or equal; else less or equal.
    pub upwards: bool,
    pub signed: bool,
}

/// What is proved of a loop.
#[derive(Clone, Copy, Debug)]
pub struct Trips {
    /// Its header runs at most so often each time that control comes to it.
    pub rounds: u64,
    /// The instruction of the comparison, and what it can be replaced by.
    pub compared: (usize, Option<Order>),
}

/// What of a register is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// All.
    Wide,
    /// The low half, zero-extended.
    Narrow,
    /// The low half, moved to the high one.
    Shifted,
    /// The low half, sign-extended.
    Signed,
}

/// A register of the header plus a number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum {
    base: u8,
    shape: Shape,
    add: i32,
}

type Sums = [Option<Sum>; 11];

/// The fewest rounds that are proved to be enough for a loop.
pub fn rounds(
    analysis: &mut Analysis<'_>,
    function: &Function,
    graph: &Graph,
    of: &Loop,
) -> Option<Trips> {
    let (at, end) = follow(analysis, function, graph, of);
    let mut best: Option<Trips> = None;
    for (block, sums) in of.body.iter().zip(&at) {
        let node = &graph.nodes[*block];
        let op = analysis.code.ops[node.last];
        if !is_conditional(&op) || node.after.len() != 2 {
            continue;
        }
        // The way on comes first in `after`, the jump's target second.
        let stays = match [of.has(node.after[0]), of.has(node.after[1])] {
            [true, false] => false,
            [false, true] => true,
            _ => continue,
        };
        let Some(sum) = sums[usize::from(op.dst)] else {
            continue;
        };
        let Some(step) = end[usize::from(sum.base)].filter(|step| step.base == sum.base) else {
            continue;
        };
        let mut latches = of.latches.iter();
        let each_round = latches.all(|latch| graph.dominates(*block, *latch));
        let holds =
            |other: &Loop| other.header != of.header && of.has(other.header) && other.has(*block);
        if !each_round || graph.loops.iter().any(holds) {
            continue;
        }
        let state = if is_register(&op) {
            analysis.before(function, node.block, node.last)
        } else {
            State::default()
        };
        let first = first(analysis, function, graph, of, sum.base);
        let exit = Exit {
            op: &op,
            stays,
            sum,
            step,
            first,
            bound: ranges::operand(&op, &state),
        };
        if let Some((rounds, order)) = exit.rounds()
            && best.is_none_or(|best| rounds < best.rounds)
        {
            best = Some(Trips {
                rounds,
                compared: (node.last, order),
            });
        }
    }
    best
}

/// The sums before the last instruction of each block of a loop, and at the end of each round.
fn follow(
    analysis: &Analysis<'_>,
    function: &Function,
    graph: &Graph,
    of: &Loop,
) -> (Vec<Sums>, Sums) {
    let start = std::array::from_fn(|base| {
        Some(Sum {
            base: base as u8,
            shape: Shape::Wide,
            add: 0,
        })
    });
    let mut at: Vec<Sums> = Vec::with_capacity(of.body.len());
    let mut after: Vec<Sums> = Vec::with_capacity(of.body.len());
    for block in &of.body {
        let node = &graph.nodes[*block];
        let mut sums = start;
        if *block != of.header {
            let before = graph.before(*block).iter();
            let before = before.filter(|before| **before < *block);
            let before = before.filter_map(|before| of.body.binary_search(before).ok());
            sums = before
                .map(|place| after[place])
                .reduce(both)
                .unwrap_or([None; 11]);
            for inner in graph.loops.iter().filter(|inner| inner.header == *block) {
                forget(analysis, function, graph, inner, &mut sums);
            }
        }
        let instructions = function.blocks[node.block].instructions(analysis.code);
        for pc in instructions.take_while(|pc| *pc != node.last) {
            step(analysis, pc, &mut sums);
        }
        at.push(sums);
        step(analysis, node.last, &mut sums);
        after.push(sums);
    }
    let ends = of
        .latches
        .iter()
        .filter_map(|latch| of.body.binary_search(latch).ok());
    let end = ends
        .map(|place| after[place])
        .reduce(both)
        .unwrap_or([None; 11]);
    (at, end)
}

fn both(a: Sums, b: Sums) -> Sums {
    std::array::from_fn(|register| a[register].filter(|sum| b[register] == Some(*sum)))
}

/// What a loop inside changes is not followed.
fn forget(
    analysis: &Analysis<'_>,
    function: &Function,
    graph: &Graph,
    inner: &Loop,
    sums: &mut Sums,
) {
    for block in &inner.body {
        let block = &function.blocks[graph.nodes[*block].block];
        for pc in block.instructions(analysis.code) {
            let changed = defined(&analysis.code.ops[pc]);
            each(changed).for_each(|register| sums[register] = None);
        }
    }
}

fn step(analysis: &Analysis<'_>, pc: usize, sums: &mut Sums) {
    let op = &analysis.code.ops[pc];
    let changed = defined(op);
    let new = result(op, sums);
    each(changed).for_each(|register| sums[register] = None);
    if let Some(new) = new {
        sums[usize::from(op.dst)] = Some(new);
    }
}

/// The sum that an arithmetic instruction makes, if it makes one.
fn result(op: &Op, sums: &Sums) -> Option<Sum> {
    let wide = match op.code & 7 {
        class::ALU64 => true,
        class::ALU => false,
        _ => return None,
    };
    let sum = sums[usize::from(op.dst)];
    let register = op.code & SOURCE_REGISTER != 0;
    let by = op.imm as i64;
    let half = by == 32 && wide && !register;
    let narrowed = |sum: Sum| match (wide, sum.shape) {
        (true, _) => Some(sum),
        (false, Shape::Shifted) => None,
        (false, _) => Some(Sum {
            shape: Shape::Narrow,
            ..sum
        }),
    };
    let shaped = |from: &[Shape], shape| {
        sum.filter(|sum| from.contains(&sum.shape))
            .map(|sum| Sum { shape, ..sum })
    };
    let added = |by: i64| {
        let sum = narrowed(sum?)?;
        let whole = matches!(
            (wide, sum.shape),
            (true, Shape::Wide) | (false, Shape::Narrow)
        );
        let add = i64::from(sum.add).checked_add(by)?;
        let add = i32::try_from(add).ok().filter(|add| *add != i32::MIN);
        add.filter(|_| whole).map(|add| Sum { add, ..sum })
    };
    match op.code & 0xf0 {
        alu::MOV if register => narrowed(sums[usize::from(op.src)]?),
        alu::ADD if !register => added(by),
        alu::SUB if !register => added(by.checked_neg()?),
        alu::LSH if half => shaped(&[Shape::Wide, Shape::Narrow, Shape::Signed], Shape::Shifted),
        alu::RSH if half => shaped(&[Shape::Shifted], Shape::Narrow),
        alu::ARSH if half => shaped(&[Shape::Shifted], Shape::Signed),
        _ => None,
    }
}

/// What is known of a register when control comes to a loop from outside.
fn first(
    analysis: &mut Analysis<'_>,
    function: &Function,
    graph: &Graph,
    of: &Loop,
    register: u8,
) -> Known {
    let mut known: Option<Known> = None;
    let header = graph.nodes[of.header].block;
    let before = graph.before(of.header).iter();
    for block in before.filter(|before| !of.has(**before)) {
        let state = analysis.after(function, graph.nodes[*block].block, header);
        let new = state.known[usize::from(register)];
        known = Some(known.map_or(new, |old| ranges::join(old, new)));
    }
    if of.header == 0 {
        return Known::Nothing;
    }
    known.unwrap_or_default()
}

/// A way out of a loop, by a comparison that each round makes.
struct Exit<'a> {
    op: &'a Op,
    /// The loop goes on where the comparison holds.
    stays: bool,
    /// The counter when it is compared, and at the end of a round.
    sum: Sum,
    step: Sum,
    /// The counter's register before the first round.
    first: Known,
    bound: Known,
}

/// Numbers from the first to the second.
type Range = (i128, i128);

const fn unsigned(bits: u32) -> Range {
    (0, (1 << bits) - 1)
}

const fn signed(bits: u32) -> Range {
    (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

impl Exit<'_> {
    fn rounds(&self) -> Option<(u64, Option<Order>)> {
        self.domains()?.iter().find_map(|(counter, compared)| {
            let (start, bound) = self.ranges(*counter, *compared)?;
            self.count(start, bound, *counter)
        })
    }

    /// Which numbers the counter goes through, and those that it is compared with.
    fn domains(&self) -> Option<&'static [(Range, Range)]> {
        const S32: Range = signed(32);
        const S64: Range = signed(64);
        const U32: Range = unsigned(32);
        const U64: Range = unsigned(64);
        let wide = self.op.code & 7 == class::JMP;
        let comparison = self.op.code & 0xf0;
        let by_sign = matches!(
            comparison,
            jump::JSGT | jump::JSGE | jump::JSLT | jump::JSLE
        );
        let any = matches!(comparison, jump::JEQ | jump::JNE);
        let halved: &[(Range, Range)] = if by_sign {
            &[(U32, S64)]
        } else {
            &[(U32, U64)]
        };
        match (wide, self.sum.shape, self.step.shape) {
            (_, Shape::Shifted, _) | (_, _, Shape::Shifted) => None,
            (false, ..) if by_sign => Some(&[(S32, S32)]),
            (false, ..) if any => Some(&[(U32, U32), (S32, S32)]),
            (false, ..) => Some(&[(U32, U32)]),
            (true, Shape::Wide, Shape::Wide) if by_sign => Some(&[(S64, S64)]),
            (true, Shape::Wide, Shape::Wide) if any => Some(&[(U64, U64), (S64, S64)]),
            (true, Shape::Wide, Shape::Wide) => Some(&[(U64, U64)]),
            (true, Shape::Narrow, _) => Some(halved),
            (true, Shape::Signed, _) if by_sign || any => Some(&[(S32, S64)]),
            // All of a register of which each round keeps the half.
            (true, Shape::Wide, Shape::Narrow) if self.sum.add == 0 => {
                let fits =
                    matches!(self.first, Known::Number(_, high) if high <= u64::from(u32::MAX));
                fits.then_some(halved)
            }
            _ => None,
        }
    }

    /// The counter's range at the first comparison, and that of what it is compared with.
    fn ranges(&self, counter: Range, compared: Range) -> Option<(Range, Range)> {
        let add = i128::from(self.sum.add);
        if let Known::Data(low, high) = self.first {
            let bound = match self.bound {
                Known::End => (0, MAX_DATA_SIZE as i128),
                Known::Data(low, high) => (low.into(), high.into()),
                _ => return None,
            };
            let start = (i128::from(low) + add, i128::from(high) + add);
            return (counter == unsigned(64) && start.0 >= 0).then_some((start, bound));
        }
        Some((
            within(self.first, add, counter)?,
            within(self.bound, 0, compared)?,
        ))
    }

    /// Rounds until the comparison must end the loop.
    fn count(&self, start: Range, bound: Range, domain: Range) -> Option<(u64, Option<Order>)> {
        let step = i128::from(self.step.add);
        let comparison = match (self.op.code & 0xf0, self.stays) {
            (operation, true) => operation,
            (operation, false) => negated(operation)?,
        };
        let (n, m) = bound;
        let fits = |last: i128| domain.0 <= last && last <= domain.1;
        let up = |m: i128| {
            (step > 0 && fits(m - 1 + step)).then(|| (m - start.0 + step - 1) / step.max(1))
        };
        let down = |n: i128| {
            (step < 0 && fits(n + 1 + step)).then(|| (start.1 - n - step - 1) / step.min(-1).abs())
        };
        let exact = step.abs() == 1
            || start.0 == start.1 && n == m && (m - start.0) % step.abs().max(1) == 0;
        let mut order = None;
        let stays = match comparison {
            jump::JLT | jump::JSLT => up(m),
            jump::JLE | jump::JSLE => up(m + 1),
            jump::JGT | jump::JSGT => down(n),
            jump::JGE | jump::JSGE => down(n - 1),
            jump::JNE if n != m && self.bound != Known::End => None,
            jump::JNE if step > 0 && exact && start.1 <= n && fits(n) => {
                let signed = domain.0 < 0;
                order = Some(Order {
                    upwards: true,
                    signed,
                });
                up(m).or(Some((m - start.0) / step))
            }
            jump::JNE if step < 0 && exact && start.0 >= m && fits(m) => {
                // Where both ways of comparing tell the same, the sign's cannot be made one with 0.
                let signed = domain.0 < 0 || start.1 <= i128::from(i32::MAX);
                order = Some(Order {
                    upwards: false,
                    signed,
                });
                Some((start.1 - n) / step.abs())
            }
            _ => None,
        }?;
        let rounds = u64::try_from(stays.max(0)).ok();
        let rounds = rounds.filter(|rounds| *rounds < ENDLESS)?;
        Some((rounds.checked_add(1)?, order))
    }
}

/// A range plus a number, modulo the size of the domain; all of that if it wraps.
fn within(known: Known, add: i128, domain: Range) -> Option<Range> {
    let (low, high): Range = match known {
        Known::Number(low, high) => (low.into(), high.into()),
        Known::Nothing => return Some(domain),
        _ => return None,
    };
    let size = domain.1 - domain.0 + 1;
    if high - low >= size {
        return Some(domain);
    }
    let low = (low + add - domain.0).rem_euclid(size) + domain.0;
    let high = (high + add - domain.0).rem_euclid(size) + domain.0;
    Some(if low <= high { (low, high) } else { domain })
}

fn negated(comparison: u8) -> Option<u8> {
    Some(match comparison {
        jump::JEQ => jump::JNE,
        jump::JNE => jump::JEQ,
        jump::JGT => jump::JLE,
        jump::JLE => jump::JGT,
        jump::JGE => jump::JLT,
        jump::JLT => jump::JGE,
        jump::JSGT => jump::JSLE,
        jump::JSLE => jump::JSGT,
        jump::JSGE => jump::JSLT,
        jump::JSLT => jump::JSGE,
        _ => return None,
    })
}
