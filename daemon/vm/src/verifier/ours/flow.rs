//! Where control goes: the points where paths meet, loops, live registers.
//!
//! Found once for a program, before any path is followed.  Loops are those with
//! one way in (natural loops); what goes in circles otherwise is only unrolled.

use super::trail::{Effect, Registers, effect};
use crate::isa::{CALL, EXIT, FRAME_POINTER, Insn};

/// Blocks of loops that are remembered for a program: a bound on memory.
const MAX_LOOP_BLOCKS: usize = 1 << 20;

/// A loop with one way in.
#[derive(Debug)]
pub struct Loop {
    /// The instruction that each round begins with.
    pub head: usize,
    /// Instructions that belong to it, ranges in ascending order.
    ranges: Vec<(usize, usize)>,
    /// Loops within each other here, this one counted.
    pub levels: usize,
}

impl Loop {
    pub fn has(&self, pc: usize) -> bool {
        let after = self.ranges.partition_point(|(start, _)| *start <= pc);
        after > 0 && pc < self.ranges[after - 1].1
    }
}

pub struct Flow {
    /// Whether several ways lead to an instruction, or a call returns to it.
    meets: Vec<bool>,
    /// By their heads.
    loops: Vec<Loop>,
    /// Registers that are read later on, before the first instruction of each block.
    live: Vec<Registers>,
}

impl Flow {
    pub fn new(code: &[Insn], starts: &[usize]) -> Self {
        let blocks = Blocks::new(code, starts);
        let mut meets = vec![false; code.len()];
        for (index, block) in blocks.all.iter().enumerate() {
            meets[block.start] = blocks.before[index].len() > 1;
        }
        for pc in 0..code.len() {
            if code[pc].is_local_call() {
                meets[pc + 1] = true;
            }
        }
        let mut loops = blocks.loops(starts);
        loops.sort_by_key(|each| each.head);
        loops.iter().for_each(|each| meets[each.head] = true);
        Self {
            meets,
            loops,
            live: blocks.live(code),
        }
    }

    pub fn meets(&self, pc: usize) -> bool {
        self.meets[pc]
    }

    /// The number of the loop that begins at an instruction.
    pub fn loop_at(&self, pc: usize) -> Option<usize> {
        self.loops.binary_search_by_key(&pc, |each| each.head).ok()
    }

    pub fn get(&self, number: usize) -> &Loop {
        &self.loops[number]
    }

    pub fn loops(&self) -> &[Loop] {
        &self.loops
    }

    /// Registers that are read later on, before the first instruction of a block.
    pub fn live(&self, pc: usize) -> Registers {
        self.live[pc]
    }
}

struct Block {
    start: usize,
    end: usize,
}

/// Straight pieces of code, and how control goes between them.
struct Blocks {
    all: Vec<Block>,
    after: Vec<Vec<usize>>,
    before: Vec<Vec<usize>>,
}

impl Blocks {
    fn new(code: &[Insn], starts: &[usize]) -> Self {
        let mut leads = vec![false; code.len() + 1];
        starts.iter().for_each(|start| leads[*start] = true);
        leads[code.len()] = true;
        let mut pc = 0;
        while pc < code.len() {
            let insn = code[pc];
            let next = pc + size(insn);
            if let Some(target) = target(insn, pc) {
                leads[target] = true;
                leads[next.min(code.len())] = true;
            }
            if insn.opcode == EXIT {
                leads[next] = true;
            }
            pc = next;
        }
        let mut all = Vec::new();
        let mut of = vec![0; code.len()];
        let mut start = 0;
        for end in 1..=code.len() {
            if leads[end] {
                of[start..end].fill(all.len());
                all.push(Block { start, end });
                start = end;
            }
        }
        let mut after = vec![Vec::new(); all.len()];
        let mut before = vec![Vec::new(); all.len()];
        for (index, block) in all.iter().enumerate() {
            let last = last_instruction(code, block);
            let insn = code[last];
            let falls = insn.opcode != EXIT && !insn.is_goto() && block.end < code.len();
            let ways = [falls.then_some(block.end), target(insn, last)];
            for next in ways.into_iter().flatten() {
                let next = of[next];
                if !after[index].contains(&next) {
                    after[index].push(next);
                    before[next].push(index);
                }
            }
        }
        Self { all, after, before }
    }

    /// Blocks that control can reach from the starts of functions, each after those that lead to
    /// it but for ways back.
    fn order(&self, starts: &[usize]) -> Vec<usize> {
        let mut seen = vec![false; self.all.len()];
        let mut order = Vec::new();
        for start in starts {
            let root = self.all.partition_point(|block| block.start < *start);
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            let mut stack = vec![(root, 0)];
            while let Some((block, way)) = stack.last_mut() {
                let next = self.after[*block].get(*way).copied();
                *way += 1;
                match next {
                    Some(next) if !std::mem::replace(&mut seen[next], true) => {
                        stack.push((next, 0))
                    }
                    Some(_) => {}
                    None => {
                        order.push(*block);
                        stack.pop();
                    }
                }
            }
        }
        order.reverse();
        order
    }

    /// For each block the last one that all ways to it go through; itself for roots.
    fn dominators(&self, order: &[usize], starts: &[usize]) -> Vec<usize> {
        const NONE: usize = usize::MAX;
        let mut place = vec![NONE; self.all.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(at, block)| place[*block] = at);
        let mut dominators = vec![NONE; self.all.len()];
        for start in starts {
            let root = self.all.partition_point(|block| block.start < *start);
            dominators[root] = root;
        }
        let common = |dominators: &[usize], mut a: usize, mut b: usize| {
            while a != b {
                if place[a] > place[b] {
                    a = dominators[a];
                } else {
                    b = dominators[b];
                }
            }
            a
        };
        let mut changed = true;
        while changed {
            changed = false;
            for block in order {
                if dominators[*block] == *block {
                    continue;
                }
                let known = self.before[*block]
                    .iter()
                    .filter(|from| dominators[**from] != NONE);
                let found = known.copied().reduce(|a, b| common(&dominators, a, b));
                if let Some(found) = found.filter(|found| dominators[*block] != *found) {
                    dominators[*block] = found;
                    changed = true;
                }
            }
        }
        dominators
    }

    fn loops(&self, starts: &[usize]) -> Vec<Loop> {
        let order = self.order(starts);
        let mut place = vec![usize::MAX; self.all.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(at, block)| place[*block] = at);
        let goes_back = |from: usize, to: usize| place[to] <= place[from];
        let has_ways_back = order
            .iter()
            .any(|from| self.after[*from].iter().any(|to| goes_back(*from, *to)));
        if !has_ways_back {
            return Vec::new();
        }
        let dominators = self.dominators(&order, starts);
        let dominates = |head: usize, mut block: usize| {
            while block != head && dominators[block] != block && place[block] > place[head] {
                block = dominators[block];
            }
            block == head
        };
        let mut loops = Vec::new();
        let mut levels = vec![0; self.all.len()];
        let mut room = MAX_LOOP_BLOCKS;
        // Inner loops come before those around them.
        for head in order.iter().rev() {
            let latches: Vec<usize> = self.before[*head]
                .iter()
                .copied()
                .filter(|from| place[*from] != usize::MAX && goes_back(*from, *head))
                .filter(|from| dominates(*head, *from))
                .collect();
            if latches.is_empty() {
                continue;
            }
            let body = self.body(*head, latches);
            let Some(left) = room.checked_sub(body.len()) else {
                break;
            };
            room = left;
            levels[*head] = 1 + body.iter().map(|block| levels[*block]).max().unwrap_or(0);
            let mut ranges: Vec<(usize, usize)> = body
                .into_iter()
                .map(|block| (self.all[block].start, self.all[block].end))
                .collect();
            ranges.sort_unstable();
            ranges.dedup_by(|next, last| {
                let joins = last.1 == next.0;
                if joins {
                    last.1 = next.1;
                }
                joins
            });
            loops.push(Loop {
                head: self.all[*head].start,
                ranges,
                levels: levels[*head],
            });
        }
        loops
    }

    /// Everything that leads to the ways back without going through the head.
    fn body(&self, head: usize, latches: Vec<usize>) -> Vec<usize> {
        let mut body = vec![head];
        let mut inside = std::collections::HashSet::from([head]);
        let mut waiting = latches;
        while let Some(block) = waiting.pop() {
            if inside.insert(block) {
                body.push(block);
                waiting.extend(&self.before[block]);
            }
        }
        body
    }

    /// Registers that are read later on, before each block begins.
    fn live(&self, code: &[Insn]) -> Vec<Registers> {
        let mut live = vec![0; code.len()];
        let effects: Vec<(Registers, Registers)> =
            self.all.iter().map(|block| summary(code, block)).collect();
        let mut waiting: Vec<usize> = (0..self.all.len()).collect();
        while let Some(index) = waiting.pop() {
            let block = &self.all[index];
            let after = self.after[index]
                .iter()
                .fold(0, |all, next| all | live[self.all[*next].start]);
            let (defined, used) = effects[index];
            let before = after & !defined | used;
            if live[block.start] != before {
                live[block.start] = before;
                waiting.extend(&self.before[index]);
            }
        }
        live
    }
}

/// What a block writes before anything reads it, and what it reads.
fn summary(code: &[Insn], block: &Block) -> (Registers, Registers) {
    let (mut defined, mut used) = (0, 0);
    let mut pc = block.start;
    while pc < block.end {
        let insn = code[pc];
        let Effect {
            defined: own,
            used: reads,
            ..
        } = effect(insn);
        let reads = match insn.opcode {
            // What a call takes is not looked up: all that it could take.
            CALL => 0b11_1110,
            EXIT => 1,
            _ => reads,
        };
        used |= reads & !defined;
        defined |= own & !reads;
        pc += size(insn);
    }
    (defined & !used, used & !(1 << FRAME_POINTER))
}

fn size(insn: Insn) -> usize {
    if insn.is_lddw() { 2 } else { 1 }
}

fn last_instruction(code: &[Insn], block: &Block) -> usize {
    let last = block.end - 1;
    // The second slot of a lddw is no instruction.
    match last > block.start && code[last - 1].is_lddw() {
        true => last - 1,
        false => last,
    }
}

/// Where a jump within a function leads.
pub fn target(insn: Insn, pc: usize) -> Option<usize> {
    let distance = insn.distance().filter(|_| !insn.is_local_call())?;
    usize::try_from(pc as i64 + 1 + distance).ok()
}
