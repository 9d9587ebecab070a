//! Whether everything that one state stands for is among what another one stands for.
//!
//! Only what the other one's paths demand is compared ([`Demand`]).  Names of
//! symbols and anchors mean nothing by themselves: the comparison finds out which
//! name of the old state stands for what in the new one, and that it is the same
//! for all values.

use super::super::mutation::{self, Mutation};
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
}

/// A value of the old state that is tied to a symbol, and what the new state has there.
struct Tie {
    old: Link,
    new: Option<Link>,
    known: Option<u64>,
    /// Whether the value counts beyond being a number.
    exact: bool,
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
        ties: Vec::new(),
        settled,
    };
    for depth in 0..old.frames.len() {
        if !comparison.frame(depth, &demand.frames[depth]) {
            return None;
        }
    }
    let holds =
        comparison.tied() && comparison.bounds() && comparison.anchors() && comparison.orders();
    holds.then_some(comparison.names)
}

struct Comparison<'a> {
    old: &'a State,
    new: &'a State,
    names: Names,
    /// Found while values are compared, and looked at when all else agrees.
    ties: Vec<Tie>,
    settled: Symbol,
}

impl Comparison<'_> {
    fn frame(&mut self, depth: usize, part: &Part) -> bool {
        let (old, new) = (&self.old.frames[depth], &self.new.frames[depth]);
        for register in 0..10 {
            if part.reads >> register & 1 == 0 {
                continue;
            }
            let exact = part.exact >> register & 1 != 0
                && !(register == 2 && mutation::on(Mutation::RegisterNotCompared));
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
            let value = match new.piece(piece.at, piece.size) {
                Some(value) => *value,
                None => match new.load(piece.at.into(), piece.size.into()) {
                    Found::Value(value) => value,
                    _ => return false,
                },
            };
            if !self.value(&piece.value, &value, slots & part.exact_slots != 0) {
                return false;
            }
        }
        if mutation::on(Mutation::NumberCoversPointer) {
            return true;
        }
        // Where the old state has numbers, the new one must not have pointers.
        let is_pointer = |value: &Value| value.as_pointer().is_some();
        let mut pointers = new.pieces().iter().filter(|piece| is_pointer(&piece.value));
        pointers.all(|piece| {
            slots_of(piece.at, piece.size) & part.slots == 0
                || old.piece(piece.at, piece.size).is_some_and(is_pointer)
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
        let (outer, inner) = match mutation::on(Mutation::CoversTheWider) {
            true => (new, old),
            false => (old, new),
        };
        if exact && !outer.range.includes(inner.range) {
            return false;
        }
        let distance = match (old.distance, new.distance) {
            (None, _) => true,
            (Some(old), Some(new)) => self.distance(old, new),
            (Some(_), None) => false,
        };
        self.tie(old.link, new.link, new.range.known(), exact);
        distance
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
            self.tie(old.link, new.link, new.offset.known(), true);
            return old.region == new.region && old.offset.includes(new.offset);
        };
        let mut new = *new;
        if matches!(name, DATA | META) {
            new = self.new.from_root(&new);
            self.tie(old.link, new.link, new.offset.known(), true);
            return new.region == old.region && old.offset.includes(new.offset);
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
                self.tie(old.link, link, offset.known(), true);
                return old.offset.includes(offset);
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
        if !own.offset.includes(other.offset) {
            return false;
        }
        self.tie(own.link, other.link, other.offset.known(), true);
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

    fn tie(&mut self, old: Option<Link>, new: Option<Link>, known: Option<u64>, exact: bool) {
        let tie = old.map(|old| Tie {
            old,
            new,
            known,
            exact,
        });
        self.ties.extend(tie);
    }

    /// Whether the values that are tied to a symbol are so in the new state, too.
    fn tied(&mut self) -> bool {
        let mut ties = std::mem::take(&mut self.ties);
        ties.sort_by_key(|tie| tie.old.symbol);
        ties.chunk_by(|a, b| a.old.symbol == b.old.symbol)
            .all(|ties| self.all_tied(ties))
    }

    fn all_tied(&mut self, ties: &[Tie]) -> bool {
        let symbol = ties[0].old.symbol;
        let is_settled = symbol <= self.settled && !mutation::on(Mutation::StandsStill);
        // Nothing follows for numbers that need only be numbers.
        if !is_settled && ties.iter().all(|tie| !tie.exact) {
            return true;
        }
        let first = image(ties[0].old, ties[0].new, ties[0].known);
        let itself = Image::Of {
            symbol,
            scale: 1,
            shift: 0,
        };
        if is_settled && first != itself {
            return false;
        }
        self.names.symbols.push((symbol, first));
        let mut others = ties[1..].iter();
        others.all(|tie| first != Image::Alone && image(tie.old, tie.new, tie.known) == first)
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
                // What nothing that matters is tied to leads to no address.
                return images.0.is_none() || mutation::on(Mutation::OrderNotCompared);
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
