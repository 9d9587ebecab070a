//! Whether everything that one state stands for is among what another one stands for.
//!
//! Only what the other one's paths demand is compared ([`Demand`]).  Names of
//! symbols and anchors mean nothing by themselves: the comparison finds out which
//! name of the old state stands for what in the new one, and that it is the same
//! for all values.

use super::stack::{Found, Stack};
use super::state::{DATA, META, State};
use super::trail::{Demand, Part};
use super::value::{Distance, Link, Number, Pointer, Region, Symbol, Value, shifted};

/// What a symbol of the old state is in the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// `scale * symbol + shift`.
    Of {
        symbol: Symbol,
        scale: i64,
        shift: i64,
    },
    Fixed(i64),
    /// Something that nothing else is tied to.
    Alone,
}

/// An anchor of the old state is this far behind one of the new state.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    anchor: u32,
    shift: i64,
}

/// What the names of the old state mean in the new one.
#[derive(Default)]
pub struct Names {
    symbols: Vec<(Symbol, Image)>,
    anchors: Vec<(u32, Place)>,
    /// Pointers that may be null, and owned ones, by their numbers.
    pointers: Vec<(Symbol, Symbol)>,
    /// Symbols of the old state whose ties matter.
    matter: Vec<Symbol>,
}

impl Names {
    pub fn image(&self, symbol: Symbol) -> Option<Image> {
        let found = self.symbols.iter().find(|(old, _)| *old == symbol);
        found.map(|(_, image)| *image)
    }
}

/// Whether `old` covers `new` in all that is demanded; if so, how names correspond.
///
/// Symbols up to `settled` must stand for themselves: a proof that a loop ends counts on it that
/// they mean the same on all paths of a round.
pub fn covers(old: &State, demand: &Demand, new: &State, settled: Symbol) -> Option<Names> {
    if old.frames.len() != new.frames.len() || old.owned.len() != new.owned.len() {
        return None;
    }
    let mut frames = old.frames.iter().zip(&new.frames);
    if !frames.all(|(old, new)| old.call == new.call) {
        return None;
    }
    let roots = [DATA, META];
    if !roots
        .iter()
        .all(|root| old.extent(*root) <= new.extent(*root))
    {
        return None;
    }
    let mut comparison = Comparison {
        old,
        new,
        names: Names::default(),
        settled,
    };
    comparison.names.matter = matter(old, demand);
    for depth in 0..old.frames.len() {
        if !comparison.frame(depth, &demand.frames[depth]) {
            return None;
        }
    }
    let holds = comparison.bounds() && comparison.anchors() && comparison.orders();
    holds.then_some(comparison.names)
}

/// Symbols that pointers, or numbers that are demanded exactly, are made of.
fn matter(old: &State, demand: &Demand) -> Vec<Symbol> {
    let mut matter = Vec::new();
    let mut add = |value: &Value, exact: bool| {
        let counts = exact || value.as_pointer().is_some();
        matter.extend(value.link().filter(|_| counts).map(|link| link.symbol));
    };
    for (frame, part) in old.frames.iter().zip(&demand.frames) {
        for register in 0..10 {
            if part.reads >> register & 1 != 0 {
                add(&frame.registers[register], part.exact >> register & 1 != 0);
            }
        }
        for piece in frame.stack.pieces() {
            let slots = Stack::slots(piece.at.into(), piece.size.into());
            if slots & part.slots != 0 {
                add(&piece.value, slots & part.exact_slots != 0);
            }
        }
    }
    matter.extend(
        old.anchors
            .iter()
            .filter_map(|anchor| anchor.link.map(|link| link.symbol)),
    );
    matter
}

struct Comparison<'a> {
    old: &'a State,
    new: &'a State,
    names: Names,
    settled: Symbol,
}

impl Comparison<'_> {
    fn frame(&mut self, depth: usize, part: &Part) -> bool {
        let (old, new) = (&self.old.frames[depth], &self.new.frames[depth]);
        for register in 0..10 {
            if part.reads >> register & 1 == 0 {
                continue;
            }
            let exact = part.exact >> register & 1 != 0;
            if !self.value(&old.registers[register], &new.registers[register], exact) {
                return false;
            }
        }
        part.slots == 0 || self.stack(&old.stack, &new.stack, part)
    }

    fn stack(&mut self, old: &Stack, new: &Stack, part: &Part) -> bool {
        if !old.written_in(new, part.slots) {
            return false;
        }
        let slots_of = |at: i16, size: u8| Stack::slots(at.into(), size.into());
        for piece in old.pieces() {
            let slots = slots_of(piece.at, piece.size);
            if slots & part.slots == 0 {
                continue;
            }
            let Found::Value(value) = new.load(piece.at.into(), piece.size.into()) else {
                return false;
            };
            if !self.value(&piece.value, &value, slots & part.exact_slots != 0) {
                return false;
            }
        }
        // Where the old state has numbers, the new one must not have pointers.
        let is_pointer = |value: &Value| value.as_pointer().is_some();
        let mut pointers = new.pieces().iter().filter(|piece| is_pointer(&piece.value));
        pointers.all(|piece| {
            let same = |other: &&super::stack::Piece| {
                (other.at, other.size) == (piece.at, piece.size) && is_pointer(&other.value)
            };
            slots_of(piece.at, piece.size) & part.slots == 0
                || old.pieces().iter().any(|other| same(&other))
                || (i64::from(piece.at)..i64::from(piece.at) + i64::from(piece.size))
                    .all(|byte| !old.is_written(byte))
        })
    }

    fn value(&mut self, old: &Value, new: &Value, exact: bool) -> bool {
        match (old, new) {
            (Value::Absent(_), _) => true,
            (Value::Number(old), Value::Number(new)) => self.number(old, new, exact),
            (Value::Pointer(old), Value::Pointer(new)) => self.pointer(old, new),
            (Value::Half(old), Value::Half(new)) => self.pointer(old, new),
            _ => false,
        }
    }

    fn number(&mut self, old: &Number, new: &Number, exact: bool) -> bool {
        if exact && !old.range.includes(new.range) {
            return false;
        }
        let distance = match (old.distance, new.distance) {
            (None, _) => true,
            (Some(old), Some(new)) => self.distance(old, new),
            (Some(_), None) => false,
        };
        distance && self.link(old.link, new.link, new.range.known())
    }

    fn distance(&mut self, old: Distance, new: Distance) -> bool {
        let place = Place {
            anchor: new.anchor,
            shift: new.add.wrapping_sub(old.add),
        };
        self.anchor(old.anchor, place)
    }

    fn pointer(&mut self, old: &Pointer, new: &Pointer) -> bool {
        if !self.named(old.null, new.null) || !self.named(old.owned, new.owned) {
            return false;
        }
        let (Region::Data(name), Region::Data(_)) = (old.region, new.region) else {
            return old.region == new.region
                && old.offset.includes(new.offset)
                && self.link(old.link, new.link, new.offset.known());
        };
        let mut new = *new;
        if matches!(name, DATA | META) {
            new = self.new.from_root(&new);
            return new.region == old.region
                && old.offset.includes(new.offset)
                && self.link(old.link, new.link, new.offset.known());
        }
        // Either the place corresponds, or that of an anchor that it is counted from.
        loop {
            let Region::Data(anchor) = new.region else {
                return false;
            };
            let shift = match (old.offset.known(), new.offset.known()) {
                (Some(old), Some(new)) => (new as i64).wrapping_sub(old as i64),
                _ => 0,
            };
            let known = self.names.anchors.iter().find(|(old, _)| *old == name);
            let place = known.map_or(Place { anchor, shift }, |(_, place)| *place);
            if place.anchor == anchor && self.anchor(name, place) {
                let offset = shifted(new.offset, place.shift.wrapping_neg());
                let link = new.link.map(|link| link.plus(place.shift.wrapping_neg()));
                return old.offset.includes(offset) && self.link(old.link, link, offset.known());
            }
            match self.new.from_parent(&new) {
                Some(next) => new = next,
                None => return false,
            }
        }
    }

    /// Whether an anchor of the old state covers a place of the new one.
    fn anchor(&mut self, name: u32, place: Place) -> bool {
        if let Some((_, known)) = self.names.anchors.iter().find(|(old, _)| *old == name) {
            return *known == place;
        }
        let old = self.old.anchor(name);
        let new = self.new.anchor(place.anchor);
        if old.root != new.root || new.readable.saturating_sub(place.shift) < old.readable {
            return false;
        }
        if matches!(name, DATA | META) {
            return place
                == Place {
                    anchor: name,
                    shift: 0,
                };
        }
        // Both places, counted from their roots.
        let own = self.old.from_root(&Pointer::to(Region::Data(name), 0));
        let other = self
            .new
            .from_root(&Pointer::to(Region::Data(place.anchor), place.shift));
        if !own.offset.includes(other.offset)
            || !self.link(own.link, other.link, other.offset.known())
        {
            return false;
        }
        self.names.anchors.push((name, place));
        true
    }

    /// Whether two numbers of pointers correspond; 0 is none.
    fn named(&mut self, old: Symbol, new: Symbol) -> bool {
        if old == 0 || new == 0 {
            return old == new;
        }
        match self.names.pointers.iter().find(|(name, _)| *name == old) {
            Some((_, known)) => *known == new,
            None => {
                self.names.pointers.push((old, new));
                true
            }
        }
    }

    /// Whether a value is tied to the old state's symbol as all others are.
    fn link(&mut self, old: Option<Link>, new: Option<Link>, known: Option<u64>) -> bool {
        let Some(old) = old.filter(|link| self.names.matter.contains(&link.symbol)) else {
            return true;
        };
        let image = image(old, new, known);
        let itself = Image::Of {
            symbol: old.symbol,
            scale: 1,
            shift: 0,
        };
        if old.symbol <= self.settled && image != itself {
            return false;
        }
        match self.names.image(old.symbol) {
            None => {
                self.names.symbols.push((old.symbol, image));
                true
            }
            Some(known) => known == image && image != Image::Alone,
        }
    }

    /// Whether the symbols that have bounds stay in them.
    fn bounds(&self) -> bool {
        self.old.bounds.iter().all(|bounds| {
            let Some(image) = self.names.image(bounds.symbol) else {
                return true;
            };
            let (low, high) = match image {
                Image::Fixed(number) => (number, number),
                Image::Of {
                    symbol,
                    scale: 1,
                    shift,
                } => {
                    let found = self.new.bounds.iter().find(|each| each.symbol == symbol);
                    match found {
                        Some(found) => (
                            found.low.saturating_add(shift),
                            found.high.saturating_add(shift),
                        ),
                        None => return false,
                    }
                }
                _ => return false,
            };
            bounds.low <= low && high <= bounds.high
        })
    }

    /// Whether the places that numbers lead to have as much behind them, though no pointer leads
    /// there.
    fn anchors(&self) -> bool {
        self.old.anchors.iter().all(|anchor| {
            let is_known = self
                .names
                .anchors
                .iter()
                .any(|(old, _)| *old == anchor.name);
            let at = Pointer::to(Region::Data(anchor.name), 0);
            let Some(link) = self.old.from_root(&at).link.filter(|_| !is_known) else {
                return true;
            };
            match self.names.image(link.symbol) {
                // Nothing that matters is tied to it.
                None => true,
                Some(Image::Of {
                    symbol,
                    scale: 1,
                    shift,
                }) => {
                    let own = Link {
                        symbol,
                        factor: link.factor,
                        add: link.add.wrapping_add(link.factor.wrapping_mul(shift)),
                    };
                    self.new.anchors.iter().any(|other| {
                        let at = Pointer::to(Region::Data(other.name), 0);
                        other.root == anchor.root
                            && other.readable >= anchor.readable
                            && self.new.from_root(&at).link == Some(own)
                    })
                }
                Some(Image::Fixed(number)) => {
                    let place = link.factor.checked_mul(number);
                    let place = place.and_then(|place| place.checked_add(link.add));
                    let end = place.and_then(|place| place.checked_add(anchor.readable));
                    end.is_some_and(|end| end <= self.new.extent(anchor.root))
                }
                Some(_) => false,
            }
        })
    }

    /// Whether what is known of the order of numbers still holds.
    fn orders(&self) -> bool {
        self.old.orders.iter().all(|order| {
            let images = (
                self.names.image(order.lesser),
                self.names.image(order.greater),
            );
            let (Some(lesser), Some(greater)) = images else {
                // One of them is of no use to anybody.
                return true;
            };
            super::orders::holds(self.new, lesser, greater, order.add)
        })
    }
}

fn image(old: Link, new: Option<Link>, known: Option<u64>) -> Image {
    let divided =
        |number: i64| (number.checked_rem(old.factor) == Some(0)).then(|| number / old.factor);
    if let Some(new) = new
        && let Some(scale) = divided(new.factor)
        && let Some(shift) = divided(new.add.wrapping_sub(old.add))
    {
        return Image::Of {
            symbol: new.symbol,
            scale,
            shift,
        };
    }
    let fixed = known.and_then(|known| divided((known as i64).wrapping_sub(old.add)));
    fixed.map_or(Image::Alone, Image::Fixed)
}
