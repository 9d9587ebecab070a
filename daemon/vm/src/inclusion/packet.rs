//! Accesses to the data, and the comparisons that make them safe.

use super::numbers::{SIZES, bytes};
use super::writer::{ADD, Label, SUB, Writer};
use crate::isa::{SOURCE_REGISTER as X, alu, class, jump, mem};

const WIDE: u8 = class::JMP;

impl Writer<'_> {
    pub(super) fn packet(&mut self) {
        if !self.view.data {
            self.load_data();
        }
        match self.below(16) {
            0..5 => self.packet_constant(),
            5..9 => self.packet_variable(),
            9..11 => self.packet_distance(),
            11..13 => self.packet_order(),
            13 => self.packet_checked_once(),
            14 => self.packet_edge(),
            _ => self.metadata(),
        }
    }

    /// A load or store somewhere in `low..high` from what a register leads to.
    pub(super) fn touch(&mut self, base: u8, low: i64, high: i64) {
        let size = self.of_these(&SIZES);
        let length = bytes(size);
        let room = high - low - length;
        if room < 0 {
            if high > low {
                self.touch_sized(base, low, mem::B);
            }
            return;
        }
        let off = match self.below(4) {
            0 => room,
            1 => 0,
            _ => self.below(room as usize + 1) as i64,
        };
        let wrong = match self.wrong() {
            true => self.of_these(&[1, 1, -1, 4]),
            false => 0,
        };
        let at = low + off + if off == room { wrong } else { 0 };
        self.touch_sized(base, at, size);
    }

    fn touch_sized(&mut self, base: u8, at: i64, size: u8) {
        let at = at as i16;
        match self.below(5) {
            0 => {
                let imm = self.edge();
                self.push(class::ST | mem::MEM | size, base, 0, at, imm);
            }
            1 => {
                let number = self.number(&[base]);
                self.push(class::STX | mem::MEM | size, base, number, at, 0);
            }
            _ => {
                let signed = size != mem::DW && self.one_in(4);
                let mode = if signed { mem::MEMSX } else { mem::MEM };
                let register = self.scratch(&[base]);
                self.push(class::LDX | mode | size, register, base, at, 0);
                self.is_number(register);
            }
        }
    }

    /// Compare a pointer with the end: behind this, so many bytes more than asked exist.
    fn check(&mut self, pointer: u8, end: u8) -> i64 {
        let (p, e) = (pointer, end);
        match self.below(10) {
            0 | 1 => {
                self.fail_if(WIDE | jump::JGT | X, p, e, 0);
                0
            }
            2 => {
                self.fail_if(WIDE | jump::JLT | X, e, p, 0);
                0
            }
            3 => {
                self.fail_if(WIDE | jump::JGE | X, p, e, 0);
                1
            }
            4 => {
                self.fail_if(WIDE | jump::JLE | X, e, p, 0);
                1
            }
            5 => self.checked_by_way(WIDE | jump::JLE, p, e, 0),
            6 => self.checked_by_way(WIDE | jump::JLT, p, e, 1),
            7 => self.checked_by_way(WIDE | jump::JGE, e, p, 0),
            8 => self.checked_by_way(WIDE | jump::JGT, e, p, 1),
            _ => {
                let equal = self.of_these(&[jump::JNE, jump::JEQ]);
                match equal {
                    jump::JNE => self.fail_if(WIDE | equal | X, p, e, 0),
                    _ => {
                        self.fail_if(WIDE | jump::JGT | X, p, e, 0);
                        self.fail_if(WIDE | equal | X, p, e, 0);
                        return 1;
                    }
                }
                0
            }
        }
    }

    fn checked_by_way(&mut self, opcode: u8, dst: u8, src: u8, more: i64) -> i64 {
        let mut good = Label::default();
        self.jump_with(opcode | X, dst, src, 0, &mut good);
        self.fail_if(WIDE | jump::JA, 0, 0, 0);
        self.place(good, false);
        more
    }

    /// The end, maybe loaded anew, and maybe less a constant.
    fn some_end(&mut self, others: &[u8]) -> (u8, i64) {
        if self.one_in(3) {
            let register = self.scratch(others);
            let context = self.context;
            self.push(class::LDX | mem::MEM | mem::DW, register, context, 8, 0);
            let by = match self.one_in(3) {
                true => self.below(24) as i64 - 4,
                false => 0,
            };
            if by != 0 {
                self.push(SUB, register, 0, 0, by as i32);
            }
            return (register, by);
        }
        (self.end, 0)
    }

    fn packet_constant(&mut self) {
        let length = 1 + self.below(48) as i64;
        let pointer = self.scratch(&[]);
        let data = self.data;
        self.mov(pointer, data);
        self.add(pointer, length as i32);
        let (end, less) = self.some_end(&[pointer]);
        let known = length + self.check(pointer, end) + less;
        for _ in 0..=self.below(3) {
            match self.one_in(2) {
                true => self.touch(data, 0, known),
                false => self.touch(pointer, -length, known - length),
            }
            if self.view.numbers >> pointer & 1 != 0 {
                return;
            }
        }
        if self.one_in(3) && known > 8 && known < 64 {
            let index = self.confined(known as i32 - 4, &[pointer, end]);
            self.add_pointer(index, data);
            self.touch(index, 0, 4);
        }
    }

    /// number + pointer into the register of the number.
    pub(super) fn add_pointer(&mut self, number: u8, pointer: u8) {
        self.push(ADD | X, number, pointer, 0, 0);
        self.forget(number);
    }

    fn packet_variable(&mut self) {
        let limit = self.of_these(&[7, 60, 60, 255, 1_500, 0xffff]);
        let index = self.confined(limit, &[]);
        let data = self.data;
        if self.one_in(4) {
            self.push(class::ALU64 | alu::LSH, index, 0, 0, 1);
        }
        if self.one_in(2) {
            self.add_pointer(index, data);
        } else {
            let pointer = self.scratch(&[index]);
            self.mov(pointer, data);
            self.push(ADD | X, pointer, index, 0, 0);
            self.checked_from(pointer, &[index]);
            return;
        }
        self.checked_from(index, &[]);
    }

    /// A pointer with an unknown offset is checked, moved and followed.
    fn checked_from(&mut self, pointer: u8, others: &[u8]) {
        let mut not = others.to_vec();
        not.push(pointer);
        let ahead = self.scratch(&not);
        not.push(ahead);
        let length = 1 + self.below(24) as i64;
        self.mov(ahead, pointer);
        self.add(ahead, length as i32);
        let (end, less) = self.some_end(&not);
        let known = length + self.check(ahead, end) + less;
        match self.below(4) {
            0 => self.touch(ahead, -length, known - length),
            1 => {
                let by = self.below(length as usize + 1) as i64;
                self.add(pointer, by as i32);
                self.touch(pointer, -by, known - by);
            }
            2 => {
                // Another unknown step: what was checked says nothing of it.
                let more = self.confined(3, &not);
                self.push(ADD | X, pointer, more, 0, 0);
                let wrong = self.wrong();
                self.touch(pointer, if wrong { 0 } else { -3 }, (known - 3).max(-2));
            }
            _ => self.touch(pointer, 0, known),
        }
    }

    /// `end - p` is compared with a number.
    fn packet_distance(&mut self) {
        let left = self.scratch(&[]);
        let (data, end) = (self.data, self.end);
        let class = self.of_these(&[class::ALU64, class::ALU64, class::ALU]);
        self.push(class | alu::MOV | X, left, end, 0, 0);
        let mut base = data;
        let length = 1 + self.below(30) as i64;
        if class == class::ALU {
            let low = self.scratch(&[left]);
            self.push(class | alu::MOV | X, low, data, 0, 0);
            self.push(class | alu::SUB | X, left, low, 0, 0);
        } else {
            if self.one_in(3) {
                base = self.confined(40, &[left]);
                self.add_pointer(base, data);
            }
            self.push(class | alu::SUB | X, left, base, 0, 0);
        }
        self.is_number(left);
        let mut counted = left;
        if self.one_in(3) {
            counted = self.scratch(&[left, base]);
            self.mov(counted, left);
            self.is_number(counted);
        }
        let jumps = [
            WIDE | jump::JSLT,
            WIDE | jump::JLT,
            class::JMP32 | jump::JLT,
            WIDE | jump::JSLE,
        ];
        let opcode = self.of_these(&jumps);
        self.fail_if(opcode, counted, 0, length as i32);
        let known = length + i64::from(opcode == WIDE | jump::JSLE);
        self.touch(base, 0, known);
    }

    /// A number of bytes exists, and an index is less than it.
    fn packet_order(&mut self) {
        let (data, end) = (self.data, self.end);
        let count = match self.one_in(2) {
            true => {
                let count = self.scratch(&[]);
                self.mov(count, end);
                self.push(SUB | X, count, data, 0, 0);
                self.is_number(count);
                let copy = self.scratch(&[count]);
                self.mov(copy, count);
                copy
            }
            false => {
                let count = self.confined(200, &[]);
                let behind = self.scratch(&[count]);
                self.mov(behind, count);
                self.push(ADD | X, behind, data, 0, 0);
                self.fail_if(WIDE | jump::JGT | X, behind, end, 0);
                count
            }
        };
        self.is_number(count);
        let index = self.confined(255, &[count]);
        let mut skips = Label::default();
        // The way around the comparison leads to the access, too: mostly refused.
        let skipping = self.one_in(6);
        if skipping {
            let register = self.number(&[count, index]);
            let value = self.edge();
            self.jump(WIDE | jump::JEQ, register, value, &mut skips);
        }
        let compare = match self.below(8) {
            0 => jump::JGT,
            1 => jump::JSGE,
            _ => jump::JGE,
        };
        self.fail_if(WIDE | compare | X, index, count, 0);
        if skipping {
            self.place(skips, true);
        }
        if self.one_in(3) {
            self.set(count, 0);
        }
        let pointer = self.scratch(&[index, count]);
        self.mov(pointer, data);
        self.push(ADD | X, pointer, index, 0, 0);
        let at = i64::from(self.wrong());
        self.touch(pointer, at, at + 1);
    }

    /// One of two ways checks; both lead to the access.
    fn packet_checked_once(&mut self) {
        let flag = self.scratch(&[]);
        let data = self.data;
        let (mut around, mut out) = (Label::default(), Label::default());
        let unknown = self.unknown(&[flag]);
        let opcode = self.condition();
        let imm = self.edge();
        self.set(flag, 0);
        self.is_number(flag);
        self.jump(opcode, unknown, imm, &mut around);
        let pointer = self.scratch(&[flag, unknown]);
        let length = 1 + self.below(16) as i32;
        self.mov(pointer, data);
        self.add(pointer, length);
        let end = self.end;
        self.fail_if(WIDE | jump::JGT | X, pointer, end, 0);
        self.set(flag, 1);
        self.place(around, true);
        if self.one_in(2) {
            self.some_arithmetic();
        }
        if !self.wrong() && self.view.numbers >> flag & 1 != 0 {
            let class = self.of_these(&[WIDE, class::JMP32]);
            self.jump(class | jump::JNE, flag, 1, &mut out);
        }
        self.touch(data, 0, length.into());
        self.place(out, true);
    }

    /// The number of bytes is used where the length of the data matters most: near its most.
    fn packet_edge(&mut self) {
        let (data, end) = (self.data, self.end);
        let pointer = self.confined(0xffff, &[]);
        self.add_pointer(pointer, data);
        let limit = self.scratch(&[pointer]);
        self.mov(limit, end);
        let by = self.below(40) as i32 - 8;
        self.push(SUB, limit, 0, 0, by);
        self.fail_if(WIDE | jump::JGT | X, pointer, limit, 0);
        self.push(SUB | X, pointer, data, 0, 0);
        // Now it is a number again, at most the length of the longest data.
        let most = 65_534 - by.max(0) + self.of_these(&[0, 0, -1, -8, -24]);
        let high = self.scratch(&[pointer]);
        self.set(high, most);
        self.is_number(high);
        self.push(SUB | X, high, pointer, 0, 0);
        self.is_number(pointer);
        // Negative only if the number can be greater than `most`.
        self.push(class::ALU64 | alu::RSH, high, 0, 0, 58);
        self.touch_buffer(high, 8);
    }

    /// An index into 64 bytes of the frame that are written.
    fn touch_buffer(&mut self, index: u8, size: i64) {
        self.clear(-128, 64);
        self.reserved |= 1 << index;
        self.add_pointer(index, 10);
        self.touch(index, -128, -128 + size);
        self.reserved &= !(1 << index);
    }

    fn metadata(&mut self) {
        let meta = self.scratch(&[]);
        let (context, data) = (self.context, self.data);
        self.push(class::LDX | mem::MEM | mem::DW, meta, context, 16, 0);
        let pointer = self.scratch(&[meta]);
        let length = 1 + self.below(8) as i64;
        self.mov(pointer, meta);
        self.add(pointer, length as i32);
        let end = if self.wrong() { self.end } else { data };
        let known = length + self.check(pointer, end);
        self.touch(meta, 0, known);
    }
}
