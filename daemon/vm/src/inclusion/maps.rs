//! Values of maps: found by a key, or by their address.

use super::numbers::{SIZES, bytes};
use super::stack::BUFFER;
use super::world::{ARRAY, CONSTANT, DATA, HASH, KEYS, SIZES_OF_VALUES};
use super::writer::{ADD, Label, MOV, Writer};
use crate::isa::{
    CALL, CALL_HELPER, LDDW_MAP, LDDW_MAP_VALUE, SOURCE_REGISTER as X, class, jump, mem,
};

const KEY: i64 = -8;

impl Writer<'_> {
    fn key(&mut self) {
        match self.one_in(2) {
            true => {
                let key = self.below(KEYS as usize) as i32;
                self.push(class::ST | mem::MEM | mem::W, 10, 0, KEY as i16, key);
            }
            false => {
                let number = self.number(&[]);
                self.push(class::STX | mem::MEM | mem::W, 10, number, KEY as i16, 0);
            }
        }
        self.wrote(KEY, 4);
        self.mov(2, 10);
        self.push(ADD, 2, 0, 0, KEY as i32);
    }

    fn called(&mut self, helper: i32) {
        self.push(CALL, 0, CALL_HELPER, 0, helper);
        self.view.numbers &= !0b11_1111;
    }

    /// A value is looked up and used.
    pub(super) fn map_value(&mut self) {
        let map = self.of_these(&[ARRAY, ARRAY, HASH]);
        self.key();
        self.map(1, LDDW_MAP, map, 0);
        self.called(1);
        let mut missing = Label::default();
        let value = match self.one_in(3) {
            true => {
                let value = self.scratch(&[0]);
                self.mov(value, 0);
                value
            }
            false => 0,
        };
        if !self.wrong() {
            let opcode = class::JMP | jump::JEQ;
            self.jump(opcode, value, 0, &mut missing);
        }
        let size = SIZES_OF_VALUES[map as usize];
        self.reserved |= 1 << value;
        for _ in 0..=self.below(2) {
            self.use_value(value, 0, size);
        }
        self.reserved &= !(1 << value);
        if value != 0 && self.view.numbers & 1 == 0 {
            self.set(0, 0);
            self.is_number(0);
        }
        self.forget(value);
        self.place(missing, true);
    }

    fn use_value(&mut self, value: u8, low: i64, size: i64) {
        match self.below(5) {
            0 | 1 => self.touch(value, low, low + size),
            2 => {
                let width = self.of_these(&[mem::W, mem::DW]);
                let at = low + self.below((size / 8) as usize) as i64 * 8;
                let at = if self.wrong() { at + 4 } else { at };
                self.atomic_on(value, at as i16, width);
            }
            _ => self.index(value, low, size, &[]),
        }
    }

    /// A value whose address is known.
    pub(super) fn direct_value(&mut self) {
        let map = self.of_these(&[DATA, DATA, CONSTANT, ARRAY]);
        let size = SIZES_OF_VALUES[map as usize];
        let pointer = self.scratch(&[]);
        let start = self.below(size as usize / 2) as i64 & -8;
        self.map(pointer, LDDW_MAP_VALUE, map, start as i32);
        self.reserved |= 1 << pointer;
        if map == CONSTANT {
            let size = self.of_these(&SIZES);
            let at = self.below(8 / bytes(size) as usize) as i64 * bytes(size);
            let into = self.scratch(&[pointer]);
            self.push(class::LDX | mem::MEM | size, into, pointer, at as i16, 0);
            self.is_number(into);
            // Its bytes are known, so this can be decided.
            if self.one_in(2) {
                let opcode = self.condition();
                let imm = self.edge();
                self.fail_if(opcode, into, 0, imm);
            }
        } else {
            for _ in 0..=self.below(2) {
                self.use_value(pointer, -start, size);
            }
        }
        self.reserved &= !(1 << pointer);
        self.forget(pointer);
    }

    /// An entry is changed or deleted.
    pub(super) fn map_change(&mut self) {
        let map = self.of_these(&[ARRAY, HASH]);
        let size = SIZES_OF_VALUES[map as usize];
        self.key();
        let deletes = self.one_in(3);
        if !deletes {
            let size = if self.wrong() { size - 8 } else { size };
            self.clear(BUFFER, size);
            self.mov(3, 10);
            self.push(ADD, 3, 0, 0, BUFFER as i32);
            self.push(MOV, 4, 0, 0, 0);
        }
        self.map(1, LDDW_MAP, map, 0);
        self.called(if deletes { 3 } else { 2 });
        self.is_number(0);
        if self.one_in(3) {
            let other = self.number(&[0]);
            self.push(ADD | X, 0, other, 0, 0);
        }
    }
}
