//! The frame: copies of registers, buffers, and the bytes of both.

use super::numbers::{SIZES, bytes};
use super::writer::{ADD, Writer};
use crate::isa::{SOURCE_REGISTER as X, atomic, class, mem};

/// Where single values go.
const AREA: i64 = -256;
const AREA_SIZE: usize = 40;
/// Where buffers are.
pub(super) const BUFFER: i64 = -128;

impl Writer<'_> {
    /// Write zeros, or something else, to bytes of the frame.
    pub(super) fn clear(&mut self, at: i64, size: i64) {
        if self.is_written(at, size) && !self.one_in(4) {
            return;
        }
        for slot in 0..size / 8 {
            let imm = if self.one_in(3) { self.edge() } else { 0 };
            self.push(
                class::ST | mem::MEM | mem::DW,
                10,
                0,
                (at + 8 * slot) as i16,
                imm,
            );
        }
        self.wrote(at, size);
    }

    /// Stores and loads of all sizes, over one another.
    pub(super) fn spill(&mut self) {
        for _ in 0..=self.below(3) {
            let (size, at) = self.slot();
            match self.below(4) {
                0 => {
                    let imm = self.edge();
                    self.push(class::ST | mem::MEM | size, 10, 0, at as i16, imm);
                }
                _ => {
                    let register = self.number(&[]);
                    self.push(class::STX | mem::MEM | size, 10, register, at as i16, 0);
                }
            }
            self.wrote(at, bytes(size));
        }
        for _ in 0..=self.below(2) {
            let (size, at) = self.slot();
            if self.is_written(at, bytes(size)) || self.wrong() {
                let register = self.scratch(&[]);
                let signed = size != mem::DW && self.one_in(4);
                let mode = if signed { mem::MEMSX } else { mem::MEM };
                self.push(class::LDX | mode | size, register, 10, at as i16, 0);
                self.is_number(register);
            }
        }
    }

    fn slot(&mut self) -> (u8, i64) {
        let size = self.of_these(&[mem::DW, mem::DW, mem::W, mem::W, mem::H, mem::B]);
        let place = self.below(AREA_SIZE) as i64;
        let step = match self.one_in(8) {
            true => 1,
            false => bytes(size),
        };
        (size, AREA + place / step * step)
    }

    /// A buffer with an index that is not known.
    pub(super) fn indexed_stack(&mut self) {
        let size = self.of_these(&[8, 16, 32, 64]);
        self.clear(BUFFER, size);
        self.index(10, BUFFER, size, &[]);
    }

    /// An access somewhere in `low..low + size` from what a register leads to.
    pub(super) fn index(&mut self, base: u8, low: i64, size: i64, others: &[u8]) {
        let mut not = others.to_vec();
        not.push(base);
        let width = self.of_these(&SIZES);
        let length = bytes(width);
        let scale = if self.one_in(3) { length } else { 1 };
        let index = self.confined(((size - length) / scale) as i32, &not);
        self.access_at(base, index, scale, low, width, &not);
    }

    /// An access at `base + low + index * scale`.
    pub(super) fn access_at(
        &mut self,
        base: u8,
        index: u8,
        scale: i64,
        low: i64,
        width: u8,
        others: &[u8],
    ) {
        let mut not = others.to_vec();
        not.push(index);
        let pointer = self.scratch(&not);
        if scale > 1 {
            let scaled = self.of_these(&[true, false]);
            self.mov(pointer, index);
            match scaled {
                true => self.push(
                    class::ALU64 | crate::isa::alu::LSH,
                    pointer,
                    0,
                    0,
                    scale.trailing_zeros() as i32,
                ),
                false => self.push(
                    class::ALU64 | crate::isa::alu::MUL,
                    pointer,
                    0,
                    0,
                    scale as i32,
                ),
            }
            self.push(ADD | X, pointer, base, 0, 0);
        } else {
            self.mov(pointer, base);
            self.push(ADD | X, pointer, index, 0, 0);
        }
        not.push(pointer);
        let at = match self.wrong() {
            true => low + self.of_these(&[1, -1, 8]),
            false => low,
        };
        let split = self.below(3) as i64 * 4;
        if split != 0 {
            self.add(pointer, (at - split) as i32);
        }
        let off = if split != 0 { split } else { at } as i16;
        match self.below(6) {
            0 => {
                let imm = self.edge();
                self.push(class::ST | mem::MEM | width, pointer, 0, off, imm);
            }
            1 => {
                let number = self.number(&not);
                self.push(class::STX | mem::MEM | width, pointer, number, off, 0);
            }
            2 if matches!(width, mem::W | mem::DW) && scale > 1 => {
                self.atomic_on(pointer, off, width);
            }
            _ => {
                let into = self.scratch(&not);
                self.push(class::LDX | mem::MEM | width, into, pointer, off, 0);
                self.is_number(into);
            }
        }
    }

    /// An atomic operation on the frame.
    pub(super) fn atomic(&mut self) {
        self.clear(BUFFER, 16);
        let size = self.of_these(&[mem::W, mem::DW]);
        let places = 16 / bytes(size) as usize;
        let at = BUFFER + self.below(places) as i64 * bytes(size);
        self.atomic_on(10, at as i16, size);
    }

    pub(super) fn atomic_on(&mut self, base: u8, at: i16, size: u8) {
        let operation = self.of_these(&atomic::ALL);
        if operation == atomic::CMPXCHG && self.view.numbers & 1 == 0 {
            if base == 0 || self.reserved & 1 != 0 {
                return;
            }
            self.set(0, 1);
            self.is_number(0);
        }
        let src = self.own_number(&[base]);
        self.push(class::STX | mem::ATOMIC | size, base, src, at, operation);
    }

    /// A pointer is put aside, and used when it is back.
    pub(super) fn pointer_spill(&mut self) {
        let at = AREA - 8 * (1 + self.below(3) as i64);
        if !self.view.data {
            self.load_data();
        }
        let pointer = self.scratch(&[]);
        let (data, end) = (self.data, self.end);
        let length = 1 + self.below(20) as i64;
        self.push(class::STX | mem::MEM | mem::DW, 10, data, at as i16, 0);
        self.unwrite(at, 8);
        self.mov(pointer, data);
        self.add(pointer, length as i32);
        self.fail_if(class::JMP | crate::isa::jump::JGT | X, pointer, end, 0);
        if self.wrong() {
            let size = self.of_these(&SIZES);
            let byte = self.below(8) as i64 & -bytes(size);
            self.push(class::ST | mem::MEM | size, 10, 0, (at + byte) as i16, 0);
        }
        self.push(class::LDX | mem::MEM | mem::DW, pointer, 10, at as i16, 0);
        self.touch(pointer, 0, length);
        // From now on it holds a number again.
        self.push(class::ST | mem::MEM | mem::DW, 10, 0, at as i16, 0);
        self.wrote(at, 8);
    }
}
