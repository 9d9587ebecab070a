//! Everything that is known at one point of one path.

use std::rc::Rc;

use super::super::domain::Scalar;
use super::stack::Stack;
use super::value::{Absent, Link, Pointer, Region, Symbol, Value, shifted};
use crate::isa::FRAME_POINTER;

/// The start of the data, and that of its metadata.
pub const DATA: u32 = 0;
pub const META: u32 = 1;
/// Anchors that are kept without a pointer that is counted from them.
const MAX_ANCHORS: usize = 16;

/// A place in the data that several pointers are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub name: u32,
    /// [`DATA`] or [`META`]: where counting from anchor to anchor ends.
    pub root: u32,
    /// The anchor that its own place is counted from.
    pub parent: u32,
    pub place: Scalar,
    pub link: Option<Link>,
    /// Bytes behind it that are proved to exist; negative: it may lie behind the end.
    pub readable: i64,
}

/// The bounds of a symbol that is a factor of others: a round of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub symbol: Symbol,
    pub low: i64,
    pub high: i64,
}

/// `lesser <= greater + add`, both taken as signed numbers that did not wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub lesser: Symbol,
    pub greater: Symbol,
    pub add: i64,
}

/// One active function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub registers: [Value; 11],
    pub stack: Stack,
    /// The call that made it; not used for the program itself.
    pub call: u32,
}

impl Frame {
    pub fn new(depth: usize, call: u32) -> Self {
        let mut registers = [Value::Absent(Absent::Unwritten); 11];
        registers[usize::from(FRAME_POINTER)] =
            Value::Pointer(Pointer::to(Region::Stack(depth as u8), 0));
        Self {
            registers,
            stack: Stack::default(),
            call,
        }
    }
}

#[derive(Clone, Debug)]
pub struct State {
    pub pc: usize,
    pub frames: Vec<Rc<Frame>>,
    pub anchors: Rc<Vec<Anchor>>,
    pub bounds: Rc<Vec<Bounds>>,
    pub orders: Rc<Vec<Order>>,
    /// What was acquired and not released.
    pub owned: Rc<Vec<Symbol>>,
}

impl State {
    /// Bytes that it takes, at most: states share frames that are equal.
    pub fn size(&self) -> usize {
        let frame = |frame: &Rc<Frame>| size_of::<Frame>() + size_of_val(frame.stack.pieces());
        size_of::<Self>() + self.frames.last().map_or(0, frame)
    }

    pub fn depth(&self) -> usize {
        self.frames.len() - 1
    }

    pub fn frame(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    pub fn frame_mut(&mut self) -> &mut Frame {
        let depth = self.depth();
        Rc::make_mut(&mut self.frames[depth])
    }

    pub fn register(&self, number: u8) -> &Value {
        &self.frame().registers[usize::from(number)]
    }

    pub fn set(&mut self, number: u8, value: Value) {
        self.frame_mut().registers[usize::from(number)] = value;
    }

    pub fn stack_mut(&mut self, depth: u8) -> &mut Stack {
        &mut Rc::make_mut(&mut self.frames[usize::from(depth)]).stack
    }

    pub fn anchor(&self, name: u32) -> Anchor {
        let found = self.anchors.iter().find(|anchor| anchor.name == name);
        found.copied().unwrap_or(Anchor {
            name,
            root: DATA,
            parent: DATA,
            place: Scalar::UNKNOWN,
            link: None,
            readable: i64::MIN / 4,
        })
    }

    pub fn anchor_mut(&mut self, name: u32) -> Option<&mut Anchor> {
        let anchors = Rc::make_mut(&mut self.anchors);
        anchors.iter_mut().find(|anchor| anchor.name == name)
    }

    /// The same pointer, counted from the anchor that its own anchor is counted from.
    pub fn by_parent(&self, pointer: &Pointer) -> Option<Pointer> {
        let Region::Data(name) = pointer.region else {
            return None;
        };
        let anchor = self.anchor(name);
        if anchor.name == anchor.root {
            return None;
        }
        let add = |scalar: Option<u64>| scalar.map(|number| number as i64);
        let known = (add(pointer.offset.known()), add(anchor.place.known()));
        let (offset, link) = match known {
            (Some(offset), _) => (
                shifted(anchor.place, offset),
                anchor.link.map(|link| link.plus(offset)),
            ),
            (_, Some(place)) => (
                shifted(pointer.offset, place),
                pointer.link.map(|link| link.plus(place)),
            ),
            _ => (sum(anchor.place, pointer.offset), None),
        };
        Some(Pointer {
            region: Region::Data(anchor.parent),
            offset,
            link,
            ..*pointer
        })
    }

    /// The same pointer, counted from the start of the data or metadata.
    pub fn rooted(&self, pointer: &Pointer) -> Pointer {
        let mut found = *pointer;
        while let Some(next) = self.by_parent(&found) {
            found = next;
        }
        found
    }

    /// Bytes behind a root that exist, as far as any anchor tells.
    pub fn extent(&self, root: u32) -> i64 {
        let anchors = self.anchors.iter().filter(|anchor| anchor.root == root);
        let extents = anchors.map(|anchor| match anchor.name == root {
            true => anchor.readable,
            false => self
                .place(anchor.name)
                .smin()
                .saturating_add(anchor.readable),
        });
        extents.max().unwrap_or(0)
    }

    /// Where an anchor lies, counted from its root.
    pub fn place(&self, name: u32) -> Scalar {
        self.rooted(&Pointer::to(Region::Data(name), 0)).offset
    }

    /// Apply a change to every value that exists.
    pub fn update(&mut self, mut change: impl FnMut(&mut Value)) {
        for frame in &mut self.frames {
            let frame = Rc::make_mut(frame);
            frame.registers.iter_mut().for_each(&mut change);
            frame.stack.update(&mut change);
        }
    }

    /// Whether any value that exists is such a one.
    pub fn any(&self, mut is: impl FnMut(&Value) -> bool) -> bool {
        self.frames.iter().any(|frame| {
            frame.registers.iter().any(&mut is)
                || frame.stack.pieces().iter().any(|piece| is(&piece.value))
        })
    }

    /// Drop anchors, bounds and orders that nothing refers to any more.
    pub fn tidy(&mut self) {
        if self.anchors.len() > 2 {
            let (mut used, mut symbols) = (Vec::new(), Vec::new());
            _ = self.any(|value| {
                match value {
                    Value::Pointer(Pointer {
                        region: Region::Data(name),
                        ..
                    })
                    | Value::Half(Pointer {
                        region: Region::Data(name),
                        ..
                    }) => used.push(*name),
                    Value::Number(number) => {
                        used.extend(number.distance.map(|each| each.anchor));
                        symbols.extend(number.link.map(|link| link.symbol));
                    }
                    _ => {}
                }
                false
            });
            // A number says where the data ends, though no pointer leads there any more.
            if self.anchors.len() <= MAX_ANCHORS {
                let told = self.anchors.iter().filter(|anchor| {
                    anchor
                        .link
                        .is_some_and(|link| symbols.contains(&link.symbol))
                });
                used.extend(told.map(|anchor| anchor.name));
            }
            let is_used =
                |anchor: &Anchor| matches!(anchor.name, DATA | META) || used.contains(&anchor.name);
            if !self.anchors.iter().all(is_used) {
                self.count_from_used(&used);
                Rc::make_mut(&mut self.anchors).retain(is_used);
            }
        }
        if !self.orders.is_empty() || !self.bounds.is_empty() {
            self.drop_unused_symbols();
        }
    }

    /// Count anchors from those that stay.
    fn count_from_used(&mut self, used: &[u32]) {
        for index in 0..self.anchors.len() {
            let mut anchor = self.anchors[index];
            while !matches!(anchor.parent, DATA | META) && !used.contains(&anchor.parent) {
                let own = Pointer {
                    offset: anchor.place,
                    link: anchor.link,
                    ..Pointer::to(Region::Data(anchor.parent), 0)
                };
                let Some(Pointer {
                    region: Region::Data(parent),
                    offset,
                    link,
                    ..
                }) = self.by_parent(&own)
                else {
                    break;
                };
                (anchor.parent, anchor.place, anchor.link) = (parent, offset, link);
            }
            Rc::make_mut(&mut self.anchors)[index] = anchor;
        }
    }

    fn drop_unused_symbols(&mut self) {
        let mut used: Vec<Symbol> = Vec::new();
        used.extend(
            self.anchors
                .iter()
                .filter_map(|anchor| anchor.link.map(|link| link.symbol)),
        );
        _ = self.any(|value| {
            used.extend(value.link().map(|link| link.symbol));
            false
        });
        let is_used = |symbol: Symbol| used.contains(&symbol);
        if !self.bounds.iter().all(|each| is_used(each.symbol)) {
            Rc::make_mut(&mut self.bounds).retain(|each| is_used(each.symbol));
        }
        let keeps = |order: &Order| is_used(order.lesser) && is_used(order.greater);
        if !self.orders.iter().all(keeps) {
            Rc::make_mut(&mut self.orders).retain(keeps);
        }
    }
}

pub fn sum(a: Scalar, b: Scalar) -> Scalar {
    use super::super::domain::{Arithmetic, arithmetic};
    arithmetic(Arithmetic::Add, true, a, b)
}
