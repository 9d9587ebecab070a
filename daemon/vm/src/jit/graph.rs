//! Blocks of one function as a graph: order, dominators, loops.
//!
//! A loop here is a natural one: all its ways back lead to one header that
//! dominates it.  A function with any other way back is `unstructured`, and
//! nothing is proved of its loops.

use std::collections::BTreeMap;

use super::flow::{Function, successors};
use crate::exec::lower::Code;

/// One block: where it is, and where control goes from there.
pub struct Node {
    pub first: usize,
    pub last: usize,
    pub after: Vec<usize>,
    pub before: Vec<usize>,
}

/// One loop, by numbers of blocks.
pub struct Loop {
    pub header: usize,
    /// Blocks from which control goes back to the header.
    pub latches: Vec<usize>,
    /// All its blocks, ascending; with that in an order in which control can run.
    pub body: Vec<usize>,
}

impl Loop {
    pub fn has(&self, block: usize) -> bool {
        self.body.binary_search(&block).is_ok()
    }
}

/// Blocks in reverse postorder: but for ways back, control only goes to higher numbers.
pub struct Graph {
    pub nodes: Vec<Node>,
    pub loops: Vec<Loop>,
    /// A way back leads to something that does not dominate it.
    pub unstructured: bool,
    /// The closest dominator of each block; the first block is its own.
    dominators: Vec<usize>,
}

impl Graph {
    pub fn new(code: &Code, function: &Function) -> Self {
        let mut graph = Self {
            nodes: order(code, function),
            loops: Vec::new(),
            unstructured: false,
            dominators: Vec::new(),
        };
        graph.find_dominators();
        graph.find_loops();
        graph
    }

    pub fn dominates(&self, above: usize, mut block: usize) -> bool {
        while block > above {
            block = self.dominators[block];
        }
        block == above
    }

    /// Ways back, as pairs of blocks.
    pub fn ways_back(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let edges = self.nodes.iter().enumerate();
        edges.flat_map(|(from, node)| {
            let back = node.after.iter().filter(move |to| **to <= from);
            back.map(move |to| (from, *to))
        })
    }

    fn find_dominators(&mut self) {
        let mut above = vec![usize::MAX; self.nodes.len()];
        above[0] = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for block in 1..self.nodes.len() {
                let known = self.nodes[block].before.iter().copied();
                let known = known.filter(|before| above[*before] != usize::MAX);
                let closest = known.reduce(|a, b| meet(&above, a, b)).unwrap_or(0);
                changed |= std::mem::replace(&mut above[block], closest) != closest;
            }
        }
        self.dominators = above;
    }

    fn find_loops(&mut self) {
        let mut latches: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, to) in self.ways_back() {
            latches.entry(to).or_default().push(from);
        }
        for (header, latches) in latches {
            if latches.iter().any(|latch| !self.dominates(header, *latch)) {
                self.unstructured = true;
                continue;
            }
            let body = self.body(header, &latches);
            self.loops.push(Loop {
                header,
                latches,
                body,
            });
        }
    }

    /// All blocks that lead to a latch without the header.
    fn body(&self, header: usize, latches: &[usize]) -> Vec<usize> {
        let mut inside = vec![false; self.nodes.len()];
        inside[header] = true;
        let mut body = vec![header];
        let mut waiting = latches.to_vec();
        while let Some(block) = waiting.pop() {
            if !std::mem::replace(&mut inside[block], true) {
                body.push(block);
                waiting.extend(&self.nodes[block].before);
            }
        }
        body.sort_unstable();
        body
    }
}

/// The closest common dominator.
fn meet(above: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        if a > b {
            a = above[a];
        } else {
            b = above[b];
        }
    }
    a
}

/// The blocks in reverse postorder, with their edges.
fn order(code: &Code, function: &Function) -> Vec<Node> {
    let leaders: Vec<usize> = function.leaders.iter().copied().collect();
    let number = |pc: &usize| leaders.partition_point(|leader| leader < pc);
    let ends: Vec<(usize, Vec<usize>)> = leaders
        .iter()
        .map(|leader| {
            let last = function.block(*leader).last().unwrap_or(*leader);
            let after = successors(&code.ops[last], last).map(|pc| number(&pc));
            (last, after.collect())
        })
        .collect();
    let first = number(&function.start);
    let mut seen = vec![false; leaders.len()];
    let mut finished = Vec::with_capacity(leaders.len());
    let mut path = vec![(first, 0)];
    seen[first] = true;
    while let Some((block, edge)) = path.last_mut() {
        match ends[*block].1.get(*edge).copied() {
            Some(next) => {
                *edge += 1;
                if !std::mem::replace(&mut seen[next], true) {
                    path.push((next, 0));
                }
            }
            None => {
                finished.push(*block);
                path.pop();
            }
        }
    }
    finished.reverse();
    let mut place = vec![0; leaders.len()];
    for (number, block) in finished.iter().enumerate() {
        place[*block] = number;
    }
    let node = |block: &usize| Node {
        first: leaders[*block],
        last: ends[*block].0,
        after: ends[*block].1.iter().map(|next| place[*next]).collect(),
        before: Vec::new(),
    };
    let mut nodes: Vec<Node> = finished.iter().map(node).collect();
    for from in 0..nodes.len() {
        for to in nodes[from].after.clone() {
            nodes[to].before.push(from);
        }
    }
    nodes
}
