//! Helpers that take memory with a size, a helper that moves the data, and what functions do
//! with what they are given.

use super::numbers::{SIZES, bytes};
use super::stack::BUFFER;
use super::world::{ADJUST, DATA, SIZES_OF_VALUES};
use super::writer::{ADD, Writer};
use crate::isa::{CALL, CALL_HELPER, LDDW_MAP_VALUE, SOURCE_REGISTER as X, class, jump, mem};

const CSUM_DIFF: i32 = 10;
const MEMCPY: i32 = 22;
const MEMCMP: i32 = 23;
const MEMSET: i32 = 24;

impl Writer<'_> {
    /// `pointer` leads to memory from now on: how much, and whether it is the buffer.
    fn some_memory(&mut self, pointer: u8, writes: bool, others: &[u8]) -> (i64, bool) {
        match self.below(4) {
            0 => {
                let start = self.below(8) as i64 * 8;
                self.map(pointer, LDDW_MAP_VALUE, DATA, start as i32);
                (SIZES_OF_VALUES[DATA as usize] - start, false)
            }
            1 => {
                if !self.view.data {
                    self.load_data();
                }
                let length = 1 + self.below(24) as i64;
                let (data, end) = (self.data, self.end);
                let ahead = self.scratch(others);
                self.mov(ahead, data);
                self.push(ADD, ahead, 0, 0, length as i32);
                self.fail_if(class::JMP | jump::JGT | X, ahead, end, 0);
                self.mov(pointer, data);
                (length, false)
            }
            _ => {
                let size = self.of_these(&[8, 16, 24, 64]);
                if !writes && !self.wrong() {
                    self.clear(BUFFER, size);
                }
                self.mov(pointer, 10);
                self.push(ADD, pointer, 0, 0, BUFFER as i32);
                (size, true)
            }
        }
    }

    /// A size of at most `most` into a register.
    fn some_size(&mut self, register: u8, most: i64, others: &[u8]) -> i64 {
        if self.one_in(2) {
            let size = if self.one_in(2) {
                most
            } else {
                self.below(most as usize + 1) as i64
            };
            let size = if self.wrong() { size + 1 } else { size };
            self.set(register, size as i32);
            return size;
        }
        let size = self.confined(most as i32, others);
        if size != register {
            self.mov(register, size);
        }
        0
    }

    pub(super) fn memory_helper(&mut self) {
        let helper = self.of_these(&[MEMSET, MEMSET, MEMCPY, MEMCMP, CSUM_DIFF]);
        match helper {
            MEMSET => {
                let (most, on_stack) = self.some_memory(1, true, &[1]);
                let size = self.some_size(2, most, &[1]);
                // Then these bytes are written, or the most that may be.
                let size = if self.one_in(4) { most } else { size };
                if on_stack {
                    self.wrote(BUFFER, size.min(64));
                }
                self.forget(2);
                let byte = self.number(&[1, 2]);
                self.mov(3, byte);
                self.push(CALL, 0, CALL_HELPER, 0, helper);
            }
            _ => {
                let (one, on_stack) = self.some_memory(1, helper == MEMCPY, &[1]);
                if helper == MEMCPY && on_stack && self.one_in(4) {
                    // As if the source were as large.
                    self.wrote(BUFFER, one);
                }
                self.some_size(2, one, &[1]);
                let (two, _) = self.some_memory(3, false, &[1, 2, 3]);
                self.some_size(4, two, &[1, 2, 3]);
                self.set(5, 0);
                self.push(CALL, 0, CALL_HELPER, 0, helper);
            }
        }
        self.view.numbers &= !0b11_1111;
        self.is_number(0);
        if self.one_in(2) {
            let size = self.of_these(&SIZES);
            let at = BUFFER + self.below(8) as i64 * bytes(size);
            if self.is_written(at, bytes(size)) {
                let into = self.scratch(&[]);
                self.push(class::LDX | mem::MEM | size, into, 10, at as i16, 0);
                self.is_number(into);
            }
        }
    }

    /// The helper after which nothing is known of the data.
    pub(super) fn adjust(&mut self) {
        let context = self.context;
        self.mov(1, context);
        let number = self.number(&[1]);
        self.mov(2, number);
        self.push(CALL, 0, CALL_HELPER, 0, ADJUST as i32);
        self.view.numbers &= !0b11_1111;
        self.is_number(0);
        self.view.data = self.wrong() && self.view.data;
    }

    /// In a function: r3 leads to 16 bytes of the caller's frame, which are written.
    pub(super) fn use_callers_buffer(&mut self) {
        for _ in 0..self.below(3) {
            match self.one_in(3) {
                true => self.index(3, 0, 16, &[]),
                false => self.touch(3, 0, 16),
            }
        }
    }
}
