//! The bytes of one function's frame.
//!
//! ```text
//!   written   one bit a byte: it holds something
//!   pieces    what was stored as a whole and is remembered: [at, at + size) = value
//! ```
//!
//! Bytes that are written but in no piece hold numbers of which nothing is
//! known.  Pieces never overlap; a store cuts away those that it hits, and what
//! is left of a number is an unknown one, what is left of a pointer is not
//! written any more.  Offsets count from the end of the frame: -512 to -1.

use std::rc::Rc;

use super::super::domain::Scalar;
use super::super::mutation::{self, Mutation};
use super::value::{Number, Value};
use crate::isa::STACK_FRAME_SIZE;

pub const SIZE: i64 = STACK_FRAME_SIZE as i64;
const WORDS: usize = STACK_FRAME_SIZE / 64;

/// A value that was stored as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub at: i16,
    pub size: u8,
    pub value: Value,
}

impl Piece {
    fn end(&self) -> i64 {
        i64::from(self.at) + i64::from(self.size)
    }

    fn meets(&self, at: i64, size: i64) -> bool {
        i64::from(self.at) < at + size && at < self.end()
    }

    fn holds_pointer(&self) -> bool {
        matches!(self.value, Value::Pointer(_) | Value::Half(_))
    }

    /// The byte at an offset of the frame, if the piece is a known number.
    fn byte(&self, at: i64) -> Option<u8> {
        let Value::Number(number) = self.value else {
            return None;
        };
        let value = number.range.known()?;
        Some((value >> (8 * (at - i64::from(self.at)))) as u8)
    }
}

/// What a load from the frame finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Value(Value),
    /// The byte at this offset was never written.
    Unwritten(i64),
    /// Part of a pointer.
    Pointer,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    written: [u64; WORDS],
    /// Ascending.
    pieces: Rc<Vec<Piece>>,
}

impl Stack {
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// To change values in their places.
    pub fn pieces_mut(&mut self) -> &mut [Piece] {
        let pieces: &mut Vec<Piece> = Rc::make_mut(&mut self.pieces);
        pieces
    }

    pub fn is_written(&self, at: i64) -> bool {
        let bit = (at + SIZE) as usize;
        self.written[bit / 64] >> (bit % 64) & 1 != 0
    }

    /// The first byte of a range that is not written.
    pub fn unwritten(&self, at: i64, size: i64) -> Option<i64> {
        (at..at + size).find(|byte| !self.is_written(*byte))
    }

    /// Whether a piece in a range holds a pointer.
    pub fn has_pointer(&self, at: i64, size: i64) -> bool {
        let mut pieces = self.meeting(at, size).iter();
        pieces.any(Piece::holds_pointer)
    }

    /// The bits of the 8-byte slots that a range meets.
    pub fn slots(at: i64, size: i64) -> u64 {
        if size <= 0 {
            return 0;
        }
        let first = (at + SIZE).clamp(0, SIZE - 1) / 8;
        let last = (at + size - 1 + SIZE).clamp(0, SIZE - 1) / 8;
        (u64::MAX >> (63 - (last - first))) << first
    }

    /// The bits of the slots that lie wholly within a range.
    pub fn whole_slots(at: i64, size: i64) -> u64 {
        let first = (at + SIZE + 7) / 8;
        let end = (at + size + SIZE) / 8;
        if end <= first {
            return 0;
        }
        (u64::MAX >> (64 - (end - first))) << first
    }

    fn set_written(&mut self, at: i64, size: i64, written: bool) {
        for byte in at..at + size {
            let bit = (byte + SIZE) as usize;
            let mask = 1 << (bit % 64);
            match written {
                true => self.written[bit / 64] |= mask,
                false => self.written[bit / 64] &= !mask,
            }
        }
    }

    /// The pieces that meet a range: they are next to each other.
    fn meeting(&self, at: i64, size: i64) -> &[Piece] {
        let first = self.pieces.partition_point(|piece| piece.end() <= at);
        let rest = &self.pieces[first..];
        let count = rest.partition_point(|piece| i64::from(piece.at) < at + size);
        &rest[..count]
    }

    /// The value of the piece with this place and size, if there is one.
    pub fn piece(&self, at: i16, size: u8) -> Option<&Value> {
        let found = self
            .pieces
            .binary_search_by_key(&at, |piece| piece.at)
            .ok()?;
        let piece = &self.pieces[found];
        (piece.size == size).then_some(&piece.value)
    }

    /// Load from a known place.
    pub fn load(&self, at: i64, size: i64) -> Found {
        if let Some(byte) = self.unwritten(at, size) {
            return Found::Unwritten(byte);
        }
        let pieces = self.meeting(at, size);
        let unknown = Found::Value(Value::number(Scalar::loaded(size as usize)));
        if pieces.is_empty() {
            return unknown;
        }
        let mut known = 0_u64;
        let mut all_known = true;
        for piece in pieces {
            if i64::from(piece.at) == at && i64::from(piece.size) == size {
                return Found::Value(piece.value);
            }
            if piece.holds_pointer() {
                return Found::Pointer;
            }
            if i64::from(piece.at) == at && i64::from(piece.size) > size {
                let Value::Number(number) = piece.value else {
                    return Found::Pointer;
                };
                return Found::Value(Value::number(number.range.truncated(8 * size as u32)));
            }
        }
        for byte in at..at + size {
            let piece = pieces.iter().find(|piece| piece.meets(byte, 1));
            match piece.and_then(|piece| piece.byte(byte)) {
                Some(value) => known |= u64::from(value) << (8 * (byte - at)),
                None => all_known = false,
            }
        }
        match all_known {
            true => Found::Value(Value::constant(known)),
            false => unknown,
        }
    }

    /// Store to a known place.
    pub fn store(&mut self, at: i64, size: i64, value: Value) {
        self.cut(at, size);
        self.set_written(at, size, true);
        let value = match value {
            Value::Number(number) if size < 8 => narrowed(number, size),
            other => other,
        };
        // An unknown number needs no piece, unless something else is tied to it.
        let plain = Value::number(Scalar::loaded(size as usize));
        if value == plain {
            return;
        }
        let pieces = Rc::make_mut(&mut self.pieces);
        let place = pieces.partition_point(|piece| i64::from(piece.at) < at);
        let piece = Piece {
            at: at as i16,
            size: size as u8,
            value,
        };
        pieces.insert(place, piece);
    }

    /// Bytes that now hold unknown numbers.
    pub fn fill(&mut self, at: i64, size: i64) {
        self.cut(at, size);
        self.set_written(at, size, true);
    }

    /// Bytes that may now hold unknown numbers: what was not written still is not.
    pub fn disturb(&mut self, at: i64, size: i64) {
        self.cut(at, size);
    }

    /// Forget that bytes were written.
    pub fn forget(&mut self, at: i64, size: i64) {
        self.cut(at, size);
        self.set_written(at, size, false);
    }

    /// Take away the pieces that meet a range.
    fn cut(&mut self, at: i64, size: i64) {
        if size < 8 && mutation::on(Mutation::PartialStoreKeeps) {
            return;
        }
        let count = self.meeting(at, size).len();
        if count == 0 {
            return;
        }
        let first = self.pieces.partition_point(|piece| piece.end() <= at);
        let pieces = Rc::make_mut(&mut self.pieces);
        let cut: Vec<Piece> = pieces.drain(first..first + count).collect();
        for piece in cut {
            // What is left of a number stays a number; what is left of a pointer is nothing.
            if piece.holds_pointer() && !mutation::on(Mutation::RestOfPointer) {
                self.set_written(piece.at.into(), piece.size.into(), false);
                continue;
            }
            self.keep_known_bytes(&piece, at, size);
        }
    }

    /// The bytes of a known number that a store leaves alone stay known.
    fn keep_known_bytes(&mut self, piece: &Piece, at: i64, size: i64) {
        for byte in i64::from(piece.at)..piece.end() {
            let Some(value) = piece.byte(byte).filter(|_| byte < at || byte >= at + size) else {
                continue;
            };
            let pieces = Rc::make_mut(&mut self.pieces);
            let place = pieces.partition_point(|piece| i64::from(piece.at) < byte);
            let left = Piece {
                at: byte as i16,
                size: 1,
                value: Value::constant(value.into()),
            };
            pieces.insert(place, left);
        }
    }

    /// Change each value, and forget those that are gone afterwards.
    pub fn update(&mut self, mut change: impl FnMut(&mut Value)) {
        if self.pieces.is_empty() {
            return;
        }
        let mut gone = Vec::new();
        for piece in self.pieces_mut() {
            change(&mut piece.value);
            if piece.value.is_absent() {
                gone.push((i64::from(piece.at), i64::from(piece.size)));
            }
        }
        for (at, size) in gone {
            Rc::make_mut(&mut self.pieces).retain(|piece| i64::from(piece.at) != at);
            self.set_written(at, size, false);
        }
    }

    /// Bytes that are written in both.
    pub fn common(&self, other: &Self) -> Self {
        let mut written = self.written;
        written
            .iter_mut()
            .zip(other.written)
            .for_each(|(own, other)| *own &= other);
        Self {
            written,
            pieces: Rc::clone(&self.pieces),
        }
    }

    /// Whether all bytes of `slots` that are written here are written in `other`, too.
    pub fn written_in(&self, other: &Self, slots: u64) -> bool {
        (0..WORDS).all(|word| {
            let lost = self.written[word] & !other.written[word];
            lost & spread(slots >> (8 * word)) == 0
        })
    }

    /// Whether nothing was ever written.
    pub fn is_empty(&self) -> bool {
        self.written == [0; WORDS]
    }
}

/// Each of the low 8 bits as 8 bits.
fn spread(slots: u64) -> u64 {
    (0..8).fold(0, |all, slot| {
        all | (slots >> slot & 1) * 0xff << (8 * slot)
    })
}

/// What a narrow store leaves of a number.
fn narrowed(number: Number, size: i64) -> Value {
    let bits = 8 * size as u32;
    let fits = number.range.umax() >> bits == 0;
    Value::Number(match fits {
        true => number,
        false => Number::of(number.range.truncated(bits)),
    })
}
