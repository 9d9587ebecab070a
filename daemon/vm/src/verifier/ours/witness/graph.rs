//! Where numbers come from: expressions over the bytes of an input, each with the value of one run.

use super::super::super::domain::Arithmetic;

/// Something of an input that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// A byte of the context.
    Context(usize),
    /// A byte of the data, counted from the start of the metadata.
    Data(usize),
    /// Where the metadata ends, and the data; as addresses.
    Start,
    End,
    /// What a lookup of a key finds: an address, or 0.
    Found(Key),
    /// A byte of a value.
    Value(Key, usize),
    /// What the extension answers when it is called for the so-manieth time.
    Answer(usize),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub map: usize,
    pub key: Vec<u8>,
}

pub type Id = usize;

#[derive(Clone, Debug)]
pub enum Shape {
    /// Nobody can choose it.
    Fixed,
    Input(Variable),
    /// Bytes, the lowest first.
    Bytes(Vec<Id>),
    Binary {
        op: Arithmetic,
        wide: bool,
        left: Id,
        right: Id,
    },
    /// The lower bits alone.
    Low {
        bits: u32,
        of: Id,
    },
    /// The lower bits with their sign, in so many bits.
    Signed {
        bits: u32,
        into: u32,
        of: Id,
    },
    /// The lower bytes in opposite order.
    Swapped {
        bits: u32,
        of: Id,
    },
    /// One byte of a number.
    Byte {
        index: u32,
        of: Id,
    },
}

#[derive(Clone, Debug)]
pub struct Node {
    pub shape: Shape,
    /// In this run.
    pub value: u64,
    /// Whether any input has a part in it.
    pub is_free: bool,
}

#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

pub fn low(value: u64, bits: u32) -> u64 {
    match bits {
        64.. => value,
        bits => value & ((1 << bits) - 1),
    }
}

impl Graph {
    pub fn get(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    pub fn value(&self, id: Id) -> u64 {
        self.nodes[id].value
    }

    pub fn is_free(&self, id: Id) -> bool {
        self.nodes[id].is_free
    }

    pub fn fixed(&mut self, value: u64) -> Id {
        self.add(Shape::Fixed, value)
    }

    pub fn add(&mut self, shape: Shape, value: u64) -> Id {
        let is_free = match &shape {
            Shape::Fixed => false,
            Shape::Input(_) => true,
            Shape::Bytes(bytes) => bytes.iter().any(|byte| self.is_free(*byte)),
            Shape::Binary { left, right, .. } => self.is_free(*left) || self.is_free(*right),
            Shape::Low { of, .. }
            | Shape::Signed { of, .. }
            | Shape::Swapped { of, .. }
            | Shape::Byte { of, .. } => self.is_free(*of),
        };
        self.nodes.push(Node {
            shape,
            value,
            is_free,
        });
        self.nodes.len() - 1
    }

    /// One byte of a number.
    pub fn byte(&mut self, of: Id, index: u32) -> Id {
        let value = self.value(of) >> (8 * index) & 0xff;
        self.add(Shape::Byte { index, of }, value)
    }
}
