//! What is known of one register or one piece of the stack.
//!
//! ```text
//!   Value = Absent(why) | Number | Pointer | Half (the low half of a pointer into the data)
//! ```
//!
//! Numbers and the offsets of pointers carry a [`Scalar`], which bounds them,
//! and a [`Link`], which ties them to others: whatever has the same symbol
//! changes with it, so what a comparison tells of one it tells of all.

use super::super::domain::{Arithmetic, Scalar, arithmetic};

/// Stands for an unknown number that several values are made of.
pub type Symbol = u32;

/// `value = factor * symbol + add`, modulo 2^64, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub symbol: Symbol,
    pub factor: i64,
    pub add: i64,
}

impl Link {
    pub fn to(symbol: Symbol) -> Self {
        Self {
            symbol,
            factor: 1,
            add: 0,
        }
    }

    pub fn plus(self, number: i64) -> Self {
        Self {
            add: self.add.wrapping_add(number),
            ..self
        }
    }

    /// The link of a multiple of the value.
    pub fn times(self, number: i64) -> Option<Self> {
        let factor = self
            .factor
            .checked_mul(number)
            .filter(|factor| *factor != 0)?;
        Some(Self {
            factor,
            add: self.add.wrapping_mul(number),
            ..self
        })
    }

    /// The link of a sum of two values of one symbol.
    pub fn sum(self, other: Self) -> Option<Self> {
        let factor = self.factor.checked_add(other.factor)?;
        (self.symbol == other.symbol && factor != 0).then_some(Self {
            symbol: self.symbol,
            factor,
            add: self.add.wrapping_add(other.add),
        })
    }

    /// The value when the symbol lies in `symbol`.
    pub fn of(self, symbol: Scalar) -> Scalar {
        let factor = Scalar::constant(self.factor as u64);
        let product = match self.factor {
            1 => symbol,
            _ => arithmetic(Arithmetic::Mul, true, symbol, factor),
        };
        shifted(product, self.add)
    }
}

/// `scalar + number`, modulo 2^64.
pub fn shifted(scalar: Scalar, number: i64) -> Scalar {
    match number {
        0 => scalar,
        _ => arithmetic(
            Arithmetic::Add,
            true,
            scalar,
            Scalar::constant(number as u64),
        ),
    }
}

/// The bytes from a place in the data to its end: `end - (anchor + add)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    pub anchor: u32,
    pub add: i64,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    pub range: Scalar,
    pub link: Option<Link>,
    pub distance: Option<Distance>,
}

impl Number {
    pub fn of(range: Scalar) -> Self {
        Self {
            range,
            link: None,
            distance: None,
        }
    }
}

/// What a pointer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    Context,
    /// The frame of the function at this depth; offsets count from its end.
    Stack(u8),
    /// The data, or the metadata before it: offsets count from an anchor.
    Data(u32),
    /// The end of the data.
    End,
    /// A map of this declaration itself.
    Map(u32),
    /// A value of a map of this declaration.
    MapValue(u32),
    /// Memory of `size` bytes that a helper gave.
    Memory {
        size: u32,
    },
    /// Something only helpers can use, by the number of its return type.
    Object(u32),
    /// An instruction of the program: a function to call back.
    Function(u32),
}

/// A pointer into a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    pub region: Region,
    pub offset: Scalar,
    pub link: Option<Link>,
    /// Nonzero: it may be null, as are all pointers of this number.
    pub null: Symbol,
    /// Nonzero: it was acquired under this number, and has to be released.
    pub owned: Symbol,
}

impl Pointer {
    pub fn to(region: Region, offset: i64) -> Self {
        Self {
            region,
            offset: Scalar::constant(offset as u64),
            link: None,
            null: 0,
            owned: 0,
        }
    }
}

/// Why a register has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Nothing was ever written.
    Unwritten,
    /// A call changed it, at this instruction.
    Called(u32),
    /// It led into data that a call may have moved, at this instruction.
    Moved(u32),
    /// It was released, at this instruction.
    Released(u32),
    /// It differs from round to round of a loop.
    Varies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Absent(Absent),
    Number(Number),
    Pointer(Pointer),
    /// The low half of a pointer into the data: only differences of two make sense.
    Half(Pointer),
}

impl Value {
    pub const UNKNOWN: Self = Self::Number(Number {
        range: Scalar::UNKNOWN,
        link: None,
        distance: None,
    });

    pub fn number(range: Scalar) -> Self {
        Self::Number(Number::of(range))
    }

    pub fn constant(value: u64) -> Self {
        Self::number(Scalar::constant(value))
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    pub fn as_pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Pointer(pointer) | Self::Half(pointer) => Some(pointer),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    pub fn link(&self) -> Option<Link> {
        match self {
            Self::Number(number) => number.link,
            Self::Pointer(pointer) | Self::Half(pointer) => pointer.link,
            Self::Absent(_) => None,
        }
    }

    pub fn link_mut(&mut self) -> Option<&mut Option<Link>> {
        match self {
            Self::Number(number) => Some(&mut number.link),
            Self::Pointer(pointer) | Self::Half(pointer) => Some(&mut pointer.link),
            Self::Absent(_) => None,
        }
    }

    /// The bounds of a number or of a pointer's offset.
    pub fn range_mut(&mut self) -> Option<&mut Scalar> {
        match self {
            Self::Number(number) => Some(&mut number.range),
            Self::Pointer(pointer) | Self::Half(pointer) => Some(&mut pointer.offset),
            Self::Absent(_) => None,
        }
    }

    pub fn range(&self) -> Option<Scalar> {
        match self {
            Self::Number(number) => Some(number.range),
            Self::Pointer(pointer) | Self::Half(pointer) => Some(pointer.offset),
            Self::Absent(_) => None,
        }
    }
}
