//! Loops: counted in many ways, up to the end of something, and not counted at all.

use super::numbers::bytes;
use super::stack::BUFFER;
use super::world::{DATA, SIZES_OF_VALUES};
use super::writer::{ADD, Label, MOV, MOV32, View, Writer};
use crate::isa::{LDDW_MAP_VALUE, SOURCE_REGISTER as X, alu, class, jump, mem};

const WIDE: u8 = class::JMP;
const NARROW: u8 = class::JMP32;
/// Where a loop keeps its count that keeps it in memory.
const COUNT: i16 = -16;

/// How a loop counts.
#[derive(Clone, Copy)]
struct Count {
    narrow: bool,
    step: i32,
    rounds: i32,
}

impl Writer<'_> {
    pub(super) fn repeat(&mut self) {
        self.loops += 1;
        match self.below(16) {
            0..7 => self.counted(),
            7 => self.counted_to_number(),
            8 => self.counted_in_memory(),
            9 | 10 => self.through_buffer(),
            11..14 => self.through_packet(),
            14 => self.halving(),
            _ => self.irregular(),
        }
        self.loops -= 1;
    }

    /// A register for a count, and whether it is a scratch register.
    fn count_register(&mut self) -> (u8, bool) {
        if !self.counter_used {
            self.counter_used = true;
            return (self.counter, false);
        }
        let register = self.scratch(&[0]);
        self.reserved |= 1 << register;
        (register, true)
    }

    fn give_back(&mut self, register: u8, scratch: bool) {
        if scratch {
            self.reserved &= !(1 << register);
            self.is_number(register);
        } else {
            self.counter_used = false;
        }
    }

    /// What the head of a loop may rely on: what holds in every round.
    fn head(&mut self) -> (usize, View) {
        // Few registers live on, so that few have to be set again.
        for register in 0..6 {
            if self.one_in(2) {
                self.forget(register);
            }
        }
        (self.code.len(), self.view)
    }

    /// Before the way back: what the head relies on.
    fn renew(&mut self, head: &View) {
        for register in 0..6_u8 {
            if (head.numbers & !self.view.numbers) >> register & 1 != 0
                && self.reserved >> register & 1 == 0
            {
                let value = self.edge();
                self.set(register, value);
                self.is_number(register);
            }
        }
        if head.data && !self.view.data {
            self.load_data();
        }
    }

    fn some_count(&mut self) -> Count {
        Count {
            narrow: self.one_in(4),
            step: self.of_these(&[1, 1, 1, 2, 3, 8]),
            rounds: 1 + self.of_these(&[3, 7, 15, 40]).min(self.below(41)) as i32,
        }
    }

    fn counted(&mut self) {
        let count = self.some_count();
        let (index, scratch) = self.count_register();
        let Count {
            narrow,
            step,
            rounds,
        } = count;
        let jumps = if narrow { NARROW } else { WIDE };
        let (mov, add) = match narrow {
            true => (MOV32, class::ALU | alu::ADD),
            false => (MOV, ADD),
        };
        let mut out = Label::default();
        let down = self.one_in(4);
        let limit = rounds * step;
        self.push(mov, index, 0, 0, if down { limit } else { 0 });
        let (head, view) = self.head();
        let at_top = self.one_in(3);
        if at_top && !down {
            let opcode = self.of_these(&[jump::JGE, jump::JSGE, jump::JGT]);
            self.jump(jumps | opcode, index, limit, &mut out);
        }
        let (low, high) = match (down, at_top) {
            (true, _) => (step, limit),
            (false, true) => (0, limit),
            (false, false) => (0, limit - step),
        };
        self.body(index, low, high, &mut out);
        self.renew(&view);
        if down {
            self.push(add, index, 0, 0, -step);
            let opcode = self.of_these(&[jump::JNE, jump::JSGT, jump::JGT, jump::JSGE]);
            let least = i32::from(opcode == jump::JSGE) * step;
            self.back(jumps | opcode, index, 0, least, head);
        } else {
            self.push(add, index, 0, 0, step);
            if at_top {
                self.back(WIDE | jump::JA, 0, 0, 0, head);
            } else {
                let limit = if self.wrong() { limit + 1 } else { limit };
                let opcode = self.of_these(&[jump::JLT, jump::JLT, jump::JNE, jump::JSLT]);
                self.back(jumps | opcode, index, 0, limit, head);
            }
        }
        self.place(out, down || !at_top);
        self.give_back(index, scratch);
    }

    /// To a number that is only known to be in bounds.
    fn counted_to_number(&mut self) {
        let (index, scratch) = self.count_register();
        let most = self.of_these(&[8, 16, 64]);
        let size = self.confined(most, &[0]);
        let reserved = self.reserved;
        self.reserved |= 1 << size;
        let mut out = Label::default();
        self.set(index, 0);
        let (head, view) = self.head();
        let opcode = self.of_these(&[jump::JGE, jump::JGE, jump::JEQ, jump::JSGE]);
        self.jump_with(WIDE | opcode | X, index, size, 0, &mut out);
        self.body(index, 0, most - 1, &mut out);
        self.renew(&view);
        self.push(ADD, index, 0, 0, 1);
        self.back(WIDE | jump::JA, 0, 0, 0, head);
        self.place(out, false);
        self.reserved = reserved;
        self.give_back(index, scratch);
    }

    fn counted_in_memory(&mut self) {
        let size = self.of_these(&[mem::W, mem::DW]);
        let rounds = 1 + self.below(12) as i32;
        let at = COUNT - if self.counter_used { 8 } else { 0 };
        self.push(class::ST | mem::MEM | size, 10, 0, at, 0);
        self.wrote(at.into(), bytes(size));
        let (head, view) = self.head();
        let mut out = Label::default();
        self.plain_body(&mut out);
        self.renew(&view);
        let count = self.scratch(&[]);
        self.push(class::LDX | mem::MEM | size, count, 10, at, 0);
        self.push(ADD, count, 0, 0, 1);
        self.push(class::STX | mem::MEM | size, 10, count, at, 0);
        let opcode = self.of_these(&[jump::JLT, jump::JNE]);
        if view.numbers >> count & 1 != 0 {
            self.is_number(count);
        }
        self.back(WIDE | opcode, count, 0, rounds, head);
        self.is_number(count);
        self.place(out, true);
    }

    /// What a round does, with the count from `low` to `high` at hand.
    fn body(&mut self, index: u8, low: i32, high: i32, out: &mut Label) {
        match self.below(6) {
            0 | 1 if high < 128 => {
                let width = self.of_these(&[mem::B, mem::W, mem::DW]);
                let room = SIZES_OF_VALUES[DATA as usize];
                let scale = match room / (i64::from(high) + 1) {
                    8.. => self.of_these(&[1, bytes(width)]),
                    _ => 1,
                };
                if i64::from(high) * scale + bytes(width) > room {
                    self.plain_body(out);
                    return;
                }
                let base = self.scratch(&[index]);
                self.map(base, LDDW_MAP_VALUE, DATA, 0);
                self.access_at(base, index, scale, 0, width, &[index, base]);
                self.forget(base);
            }
            2 if high < 60 => {
                self.clear(BUFFER, 64);
                let down = if low > 0 && self.one_in(2) { low } else { 0 };
                self.access_at(10, index, 1, BUFFER - i64::from(down), mem::B, &[index]);
            }
            3 => {
                if !self.view.data {
                    self.load_data();
                }
                let (data, end) = (self.data, self.end);
                let pointer = self.scratch(&[index]);
                self.mov(pointer, data);
                self.push(ADD | X, pointer, index, 0, 0);
                let ahead = self.scratch(&[index, pointer]);
                self.mov(ahead, pointer);
                self.push(ADD, ahead, 0, 0, 1);
                self.jump_with(WIDE | jump::JGT | X, ahead, end, 0, out);
                self.touch(pointer, 0, 1);
                self.forget(pointer);
                self.forget(ahead);
            }
            _ => {}
        }
        self.plain_body(out);
    }

    fn plain_body(&mut self, out: &mut Label) {
        self.some_pieces(2);
        if self.one_in(3) {
            let register = self.unknown(&[]);
            let opcode = self.condition();
            let imm = self.edge();
            self.jump(opcode, register, imm, out);
            if self.one_in(2) {
                self.some_arithmetic();
            }
        }
    }

    /// A pointer goes through a buffer to its end.
    fn through_buffer(&mut self) {
        let (pointer, scratch) = self.count_register();
        let step = self.of_these(&[1, 2, 4, 8]);
        let rounds = 1 + self.below(8) as i64;
        let size = rounds * step;
        let last = self.scratch(&[]);
        self.reserved |= 1 << last;
        let reaches = match self.one_in(2) {
            true => {
                self.clear(BUFFER, 64);
                self.mov(pointer, 10);
                self.push(ADD, pointer, 0, 0, BUFFER as i32);
                self.mov(last, pointer);
                64
            }
            false => {
                self.map(pointer, LDDW_MAP_VALUE, DATA, 0);
                self.mov(last, pointer);
                SIZES_OF_VALUES[DATA as usize]
            }
        };
        self.push(ADD, last, 0, 0, size as i32);
        let mut out = Label::default();
        let (head, view) = self.head();
        let room = (reaches - size + step).min(8);
        self.touch(pointer, 0, room);
        self.plain_body(&mut out);
        self.renew(&view);
        self.push(ADD, pointer, 0, 0, step as i32);
        let opcode = self.of_these(&[jump::JNE, jump::JLT]);
        self.back(WIDE | opcode | X, pointer, last, 0, head);
        self.place(out, true);
        self.reserved &= !(1 << last);
        self.forget(last);
        // The count is no number: it leads somewhere.
        self.set(pointer, 0);
        self.give_back(pointer, scratch);
    }

    /// A pointer goes through the data to its end, or some way.
    fn through_packet(&mut self) {
        if !self.view.data {
            self.load_data();
        }
        let (pointer, scratch) = self.count_register();
        let (data, end) = (self.data, self.end);
        let step = self.of_these(&[1, 4, 8, 20]);
        self.mov(pointer, data);
        if self.one_in(3) {
            let by = self.confined(20, &[pointer]);
            self.push(ADD | X, pointer, by, 0, 0);
        }
        let mut out = Label::default();
        let (head, mut view) = self.head();
        view.data = true;
        let one = step == 1 && self.one_in(2);
        if one {
            let opcode = self.of_these(&[jump::JGE, jump::JGE, jump::JEQ]);
            self.jump_with(WIDE | opcode | X, pointer, end, 0, &mut out);
        } else {
            let ahead = self.scratch(&[pointer]);
            self.mov(ahead, pointer);
            self.push(ADD, ahead, 0, 0, step);
            self.jump_with(WIDE | jump::JGT | X, ahead, end, 0, &mut out);
        }
        self.touch(pointer, 0, if one { 1 } else { step.into() });
        // A call in here could move the data.
        self.some_arithmetic();
        if self.one_in(3) {
            let register = self.unknown(&[pointer]);
            let opcode = self.condition();
            let imm = self.edge();
            self.jump(opcode, register, imm, &mut out);
        }
        self.renew(&view);
        if self.one_in(6) {
            // A step that the data tells, as options and extension headers do.
            let by = self.confined(7, &[pointer]);
            let least = i32::from(!self.wrong());
            self.push(ADD, by, 0, 0, least);
            self.push(ADD | X, pointer, by, 0, 0);
            self.renew(&view);
        } else {
            self.push(ADD, pointer, 0, 0, step);
        }
        self.back(WIDE | jump::JA, 0, 0, 0, head);
        self.place(out, false);
        self.set(pointer, 0);
        self.give_back(pointer, scratch);
    }

    fn halving(&mut self) {
        let (count, scratch) = self.count_register();
        let start = self.confined(200, &[count]);
        self.mov(count, start);
        let (head, view) = self.head();
        let mut out = Label::default();
        self.plain_body(&mut out);
        self.renew(&view);
        self.push(class::ALU64 | alu::RSH, count, 0, 0, 1);
        self.back(WIDE | jump::JNE, count, 0, 0, head);
        self.place(out, true);
        self.give_back(count, scratch);
    }

    /// A count that does not always go on; now and then the loop never ends.
    fn irregular(&mut self) {
        let (index, scratch) = self.count_register();
        let limit = 2 + self.below(20) as i32;
        let mut out = Label::default();
        self.set(index, 0);
        let (head, view) = self.head();
        let (mut other, mut joined) = (Label::default(), Label::default());
        let unknown = self.unknown(&[index]);
        let opcode = self.condition();
        let imm = self.edge();
        self.jump(opcode, unknown, imm, &mut other);
        let step = self.of_these(&[1, 1, 2]);
        self.push(ADD, index, 0, 0, step);
        self.goto(&mut joined);
        self.place(other, false);
        let other_step = self.of_these(&[0, 0, 1, 2, 3, -1]);
        if self.one_in(2) {
            let opcode = self.of_these(&[jump::JLT, jump::JSLT, jump::JEQ]);
            self.jump(WIDE | opcode, index, 1, &mut out);
        }
        if self.one_in(3) {
            self.jump(WIDE | jump::JGT, index, limit - 2, &mut out);
        }
        if other_step != 0 {
            self.push(ADD, index, 0, 0, other_step);
        }
        self.place(joined, true);
        self.plain_body(&mut out);
        self.renew(&view);
        let opcode = self.of_these(&[jump::JLT, jump::JLT, jump::JSLE, jump::JNE]);
        self.back(WIDE | opcode, index, 0, limit, head);
        self.place(out, true);
        self.give_back(index, scratch);
    }
}
