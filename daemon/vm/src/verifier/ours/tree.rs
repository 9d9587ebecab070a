//! The paths that were followed, as a tree, and what is known once they have ended.
//!
//! A node is a place where paths part, or one whose state is kept to cover
//! others.  It is *complete* when all paths from it have ended: then it is known
//! what they demand, and how long they can be.
//!
//! Sound because only complete nodes cover: paths are followed depth first, so
//! every node that is not complete is an ancestor of the path being followed, and
//! a program cannot run in circles through complete ones.

use super::state::State;
use super::trail::{Demand, Step};
use crate::isa::Insn;

pub type NodeId = u32;

/// The most instructions to the end of a path, by how it ends; `None`: it cannot end so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// It leaves: the program, or the loop that is being proved.
    pub leaves: Option<u64>,
    /// It comes back to the head of that loop.
    pub returns: Option<u64>,
}

impl Length {
    pub const LEAVES: Self = Self {
        leaves: Some(0),
        returns: None,
    };
    pub const RETURNS: Self = Self {
        leaves: None,
        returns: Some(0),
    };

    fn plus(self, instructions: u64) -> Self {
        let plus = |length: Option<u64>| length.map(|each| each.saturating_add(instructions));
        Self {
            leaves: plus(self.leaves),
            returns: plus(self.returns),
        }
    }

    fn most(self, other: Self) -> Self {
        Self {
            leaves: self.leaves.max(other.leaves),
            returns: self.returns.max(other.returns),
        }
    }
}

/// A piece of path that has not ended: what was done since a node.
#[derive(Default)]
pub struct Segment {
    pub parent: NodeId,
    pub steps: Vec<Step>,
    /// Instructions that it stands for; those of proved loops are not among the steps.
    pub length: u64,
}

pub struct Node {
    segment: Segment,
    pub state: Option<State>,
    open: u32,
    pub demand: Demand,
    pub length: Length,
    /// The loop that was proved here, by its head.
    pub proved: Option<usize>,
}

pub const ROOT: NodeId = 0;

/// The paths of a program, or of a loop that is being proved.
pub struct Tree {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
    /// Bytes of steps and states, about.
    held: usize,
}

impl Tree {
    /// A tree with one path, from its root.
    pub fn new() -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            free: Vec::new(),
            held: 0,
        };
        tree.add(Segment::default(), None, 1);
        tree
    }

    /// A node at the end of a segment, from which `open` paths go on.
    pub fn add(&mut self, segment: Segment, state: Option<State>, open: u32) -> NodeId {
        self.held += held(&segment, state.as_ref());
        let node = Node {
            segment,
            state,
            open,
            demand: Demand::default(),
            length: Length::default(),
            proved: None,
        };
        match self.free.pop() {
            Some(free) => {
                self.nodes[free as usize] = node;
                free
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as NodeId - 1
            }
        }
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    /// A path has ended; nodes that this completes hand on what they know.
    ///
    /// Gives those that have a state.
    pub fn end(
        &mut self,
        mut segment: Segment,
        demand: &Demand,
        length: Length,
        code: &[Insn],
    ) -> Vec<NodeId> {
        let mut completed = Vec::new();
        let (mut demand, mut length) = (*demand, length);
        loop {
            let before = demand.before(&segment.steps, code);
            let whole = length.plus(segment.length);
            let id = segment.parent;
            let node = &mut self.nodes[id as usize];
            node.demand.add(&before);
            node.length = node.length.most(whole);
            node.open -= 1;
            if node.open > 0 || id == ROOT {
                return completed;
            }
            (demand, length) = (node.demand, node.length);
            segment = std::mem::take(&mut node.segment);
            self.held -= held(&segment, None);
            match node.state {
                Some(_) => completed.push(id),
                None => self.free.push(id),
            }
        }
    }

    /// Forget a complete node.
    pub fn drop(&mut self, id: NodeId) {
        let state = self.nodes[id as usize].state.take();
        self.held -= held(&Segment::default(), state.as_ref());
        self.free.push(id);
    }

    /// The segments from the root to the end of `last`, and the loops that were proved on the way.
    pub fn path(&self, last: &Segment) -> (Vec<Step>, Vec<usize>) {
        let mut pieces = vec![&last.steps];
        let mut proved = Vec::new();
        let mut id = last.parent;
        while id != ROOT {
            let node = &self.nodes[id as usize];
            proved.extend(node.proved);
            pieces.push(&node.segment.steps);
            id = node.segment.parent;
        }
        let steps = pieces.into_iter().rev().flatten().copied().collect();
        proved.reverse();
        (steps, proved)
    }

    /// Bytes that it takes, about.
    pub fn size(&self) -> usize {
        self.nodes.len() * size_of::<Node>() + self.held
    }
}

/// Bytes that a node holds beside itself.
fn held(segment: &Segment, state: Option<&State>) -> usize {
    segment.steps.len() * size_of::<Step>() + state.map_or(0, State::size)
}
