//! Blocks of one function as a graph: order, dominators, loops.
//!
//! A loop here is a natural one: all its ways back lead to one header that
//! dominates it.  A function with any other way back is `unstructured`, and
//! nothing is proved of its loops.

use super::flow::{Function, Ways};

/// One block: where it is, and where control goes from there.
pub struct Node {
    /// Its number in the function.
    pub block: usize,
    pub first: usize,
    pub last: usize,
    pub after: Ways,
    /// Where the blocks from which control comes stand in `Graph::before`.
    before: (usize, usize),
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
    /// The node of each block of the function.
    places: Vec<usize>,
    /// For each node those from which control comes.
    before: Vec<usize>,
    /// The closest dominator of each block; the first block is its own.
    dominators: Vec<usize>,
}

impl Graph {
    pub fn new(function: &Function) -> Self {
        let (mut nodes, places) = order(function);
        let mut graph = Self {
            places,
            before: turn_around(&mut nodes),
            nodes,
            loops: Vec::new(),
            unstructured: false,
            dominators: Vec::new(),
        };
        graph.find_dominators();
        graph.find_loops();
        graph
    }

    /// Where a block of the function stands.
    pub fn node_of(&self, block: usize) -> usize {
        self.places[block]
    }

    /// The blocks from which control comes to a block.
    pub fn before(&self, block: usize) -> &[usize] {
        let (first, end) = self.nodes[block].before;
        &self.before[first..end]
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
                let known = self.before(block).iter().copied();
                let known = known.filter(|before| above[*before] != usize::MAX);
                let closest = known.reduce(|a, b| meet(&above, a, b)).unwrap_or(0);
                changed |= std::mem::replace(&mut above[block], closest) != closest;
            }
        }
        self.dominators = above;
    }

    fn find_loops(&mut self) {
        let mut ways: Vec<(usize, usize)> = self.ways_back().collect();
        ways.sort_by_key(|(_, header)| *header);
        for ways in ways.chunk_by(|(_, one), (_, other)| one == other) {
            let header = ways[0].1;
            let latches: Vec<usize> = ways.iter().map(|(latch, _)| *latch).collect();
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
                waiting.extend(self.before(block));
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

/// The blocks in reverse postorder, with the ways on; and where each of them stands.
fn order(function: &Function) -> (Vec<Node>, Vec<usize>) {
    let blocks = &function.blocks;
    let first = function.block_at(function.start);
    let mut place = vec![usize::MAX; blocks.len()];
    let mut finished = Vec::with_capacity(blocks.len());
    let mut path = vec![(first, 0)];
    place[first] = 0;
    while let Some((block, edge)) = path.last_mut() {
        match blocks[*block].after.get(*edge).copied() {
            Some(next) => {
                *edge += 1;
                if std::mem::replace(&mut place[next], 0) == usize::MAX {
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
    for (number, block) in finished.iter().enumerate() {
        place[*block] = number;
    }
    let node = |number: &usize| {
        let block = &blocks[*number];
        Node {
            block: *number,
            first: block.first,
            last: block.last,
            after: block.after.iter().map(|next| place[*next]).collect(),
            before: (0, 0),
        }
    };
    (finished.iter().map(node).collect(), place)
}

/// The ways from behind: a part for each block, in which those before it ascend.
fn turn_around(nodes: &mut [Node]) -> Vec<usize> {
    let mut counts = vec![0; nodes.len()];
    for next in nodes.iter().flat_map(|node| node.after.iter()) {
        counts[*next] += 1;
    }
    let mut all = 0;
    for (node, count) in nodes.iter_mut().zip(counts) {
        node.before = (all, all);
        all += count;
    }
    let mut before = vec![0; all];
    for from in 0..nodes.len() {
        let after = nodes[from].after;
        for to in after.iter() {
            let end = &mut nodes[*to].before.1;
            before[*end] = from;
            *end += 1;
        }
    }
    before
}
