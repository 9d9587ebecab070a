//! A run read again, with the origin of every number.
//!
//! The interpreter has told the registers before each instruction; what they are
//! made of follows from the instructions.  Where that is not known, the number
//! of the run stands for itself.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::super::Case;
use super::super::operation::operation;
use super::graph::{Graph, Id, Key, Shape, Variable, low};
use super::input::{Input, Run};
use crate::contract::{POINTER_SIZE, Prototype};
use crate::exec::{REGISTERS, Seen};
use crate::isa::{self, CALL, Insn, MAX_CALL_FRAMES, STACK_FRAME_SIZE, alu, atomic, class, mem};

/// The numbers of a map's key, of a lookup, and of the helper that does one.
const MAP_KEY: u32 = 7;
const LOOKUP: i32 = 1;

type Registers = [Id; REGISTERS];

/// A value of a map that the run has found, and where it was.
#[derive(Clone, Debug)]
pub struct Place {
    pub base: u64,
    pub size: u64,
    pub entry: Key,
}

/// A key that was looked up.
pub struct LookedUp {
    pub map: usize,
    pub key: Vec<u8>,
    pub is_there: bool,
}

/// A number in memory: of so many bytes, and which of them.
#[derive(Clone, Copy)]
struct Stored {
    id: Id,
    index: u32,
    width: u32,
}

/// A run up to some step.
pub struct Reading<'a> {
    pub case: Case<'a>,
    input: &'a Input,
    run: &'a Run,
    pub graph: Graph,
    /// What the registers are made of, before the next step.
    pub registers: Registers,
    callers: Vec<Registers>,
    memory: HashMap<u64, Stored>,
    pub places: Vec<Place>,
    /// Keys that were looked up, found or not.
    pub looked_up: Vec<LookedUp>,
    /// Calls that the extension has answered.
    answers: usize,
    pub context: u64,
    /// The end of the stack.
    pub top: u64,
}

impl<'a> Reading<'a> {
    /// Before the first step.
    pub fn new(case: Case<'a>, input: &'a Input, run: &'a Run) -> Option<Self> {
        let first = run.watched.steps.first()?;
        let mut graph = Graph::default();
        let registers = first.registers.map(|value| graph.fixed(value));
        Some(Self {
            case,
            input,
            run,
            graph,
            registers,
            callers: Vec::new(),
            memory: HashMap::new(),
            places: Vec::new(),
            looked_up: Vec::new(),
            answers: 0,
            context: first.registers[1],
            top: first.registers[10],
        })
    }

    /// Where the metadata begins, or the data if there is none.
    pub fn data(&self) -> u64 {
        self.run.watched.data
    }

    /// Where the metadata begins, how many bytes it has, and those with the data behind it.
    pub fn data_range(&self) -> (u64, u64, u64) {
        let input = self.input;
        (self.data(), input.meta as u64, input.data.len() as u64)
    }

    /// Go over a step of the run, which is not the last one.
    pub fn step(&mut self, number: usize) {
        let steps = &self.run.watched.steps;
        let (now, next) = (&steps[number], &steps[number + 1]);
        let insn = self.case.program.instructions[now.pc];
        match insn.class() {
            class::ALU | class::ALU64 => self.compute(insn, next),
            class::LD => self.immediate(insn, next),
            class::LDX => self.load(insn, now, next),
            class::ST | class::STX if insn.mode() != mem::ATOMIC => self.store(insn, now),
            class::STX => self.atomic(insn, now),
            _ if insn.is_local_call() => self.callers.push(self.registers),
            _ if insn.opcode == CALL => self.call(insn, now, next),
            _ if insn.is_exit() => {
                let result = self.registers[0];
                if let Some(caller) = self.callers.pop() {
                    self.registers = caller;
                    self.registers[0] = result;
                }
            }
            _ => {}
        }
        for (register, value) in next.registers.iter().enumerate() {
            if self.graph.value(self.registers[register]) != *value {
                self.registers[register] = self.graph.fixed(*value);
            }
        }
    }

    fn set(&mut self, register: u8, shape: Shape, next: &Seen) {
        let register = usize::from(register);
        self.registers[register] = self.graph.add(shape, next.registers[register]);
    }

    fn compute(&mut self, insn: Insn, next: &Seen) {
        let wide = insn.class() == class::ALU64;
        let own = self.registers[usize::from(insn.dst)];
        let source = match insn.is_register_source() && insn.operation() != alu::END {
            true => self.registers[usize::from(insn.src)],
            false => self.graph.fixed(i64::from(insn.imm) as u64),
        };
        let into = if wide { 64 } else { 32 };
        let shape = match insn.operation() {
            alu::MOV if insn.offset != 0 => Shape::Signed {
                bits: insn.offset as u32,
                into,
                of: source,
            },
            alu::MOV if wide => {
                self.registers[usize::from(insn.dst)] = source;
                return;
            }
            alu::MOV => Shape::Low {
                bits: 32,
                of: source,
            },
            alu::END if wide || insn.is_register_source() => Shape::Swapped {
                bits: insn.imm as u32,
                of: own,
            },
            alu::END => Shape::Low {
                bits: insn.imm as u32,
                of: own,
            },
            _ => Shape::Binary {
                op: operation(insn),
                wide,
                left: own,
                right: source,
            },
        };
        self.set(insn.dst, shape, next);
    }

    fn immediate(&mut self, insn: Insn, next: &Seen) {
        if insn.src == isa::LDDW_MAP_VALUE {
            let index = insn.imm as u32 as usize;
            let map = &self.run.maps[index];
            if let (Some(base), Some(spec)) = (map.first_value(), self.case.maps.get(index)) {
                self.places.push(Place {
                    base: base as u64,
                    size: spec.value_size.into(),
                    entry: Key {
                        map: index,
                        key: vec![0; spec.key_size as usize],
                    },
                });
            }
        }
        self.set(insn.dst, Shape::Fixed, next);
    }

    fn load(&mut self, insn: Insn, now: &Seen, next: &Seen) {
        let address = now.registers[usize::from(insn.src)].wrapping_add_signed(insn.offset.into());
        let width = insn.width() as u32;
        let result = next.registers[usize::from(insn.dst)];
        let loaded = match self.pointer(address, width) {
            Some(id) => id,
            None => self.bytes(address, width, result),
        };
        let bits = 8 * width;
        let shape = match (insn.mode() == mem::MEMSX, width) {
            (true, _) => Shape::Signed {
                bits,
                into: 64,
                of: loaded,
            },
            (false, 8) => {
                self.registers[usize::from(insn.dst)] = loaded;
                return;
            }
            (false, _) => Shape::Low { bits, of: loaded },
        };
        self.set(insn.dst, shape, next);
    }

    /// A pointer of the context.
    fn pointer(&mut self, address: u64, width: u32) -> Option<Id> {
        let at = i32::try_from(address.wrapping_sub(self.context)).ok()?;
        let fields = self.case.information.context;
        if width as usize != POINTER_SIZE || at < 0 {
            return None;
        }
        let data = self.run.watched.data;
        let end = data + self.input.data.len() as u64;
        let shape = |variable| Shape::Input(variable);
        match at {
            _ if at == fields.end => Some(self.graph.add(shape(Variable::End), end)),
            _ if at == fields.data && fields.meta < 0 => Some(self.graph.fixed(data)),
            _ if at == fields.data => {
                let start = data + self.input.meta as u64;
                Some(self.graph.add(shape(Variable::Start), start))
            }
            _ if at == fields.meta => Some(self.graph.fixed(data)),
            _ => None,
        }
    }

    /// The number that lies in some bytes; `value` are their bits in the run.
    fn bytes(&mut self, address: u64, width: u32, value: u64) -> Id {
        if let Some(whole) = self.stored_whole(address, width) {
            return whole;
        }
        let bytes = (0..width)
            .map(|index| {
                let byte = value >> (8 * index) & 0xff;
                self.byte(address + u64::from(index), byte)
            })
            .collect();
        self.graph.add(Shape::Bytes(bytes), low(value, 8 * width))
    }

    /// A number that was stored as a whole.
    fn stored_whole(&self, address: u64, width: u32) -> Option<Id> {
        let first = self.memory.get(&address)?;
        let same = (1..width).all(|index| {
            let stored = self.memory.get(&(address + u64::from(index)));
            stored.is_some_and(|stored| (stored.id, stored.index) == (first.id, index))
        });
        (first.index == 0 && first.width >= width && same).then_some(first.id)
    }

    /// One byte of memory; `value` is what it is in the run, unless it is known better.
    fn byte(&mut self, address: u64, value: u64) -> Id {
        if let Some(stored) = self.memory.get(&address).copied() {
            return self.graph.byte(stored.id, stored.index);
        }
        match self.variable(address) {
            Some(variable) => self.graph.add(Shape::Input(variable), value),
            None => self.graph.fixed(value),
        }
    }

    /// What may be chosen at an address.
    fn variable(&self, address: u64) -> Option<Variable> {
        let context = address.wrapping_sub(self.context);
        if context < self.case.information.context.size as u64 {
            let mut pointers = self.case.information.context.pointers();
            let at = context as usize;
            let is_pointer = pointers.any(|field| (field..field + POINTER_SIZE).contains(&at));
            return (!is_pointer).then_some(Variable::Context(at));
        }
        let data = address.wrapping_sub(self.run.watched.data);
        if data < self.input.data.len() as u64 {
            return Some(Variable::Data(data as usize));
        }
        let place = self
            .places
            .iter()
            .find(|place| address.wrapping_sub(place.base) < place.size)?;
        let is_constant = self.case.maps[place.entry.map].initial.is_some();
        (!is_constant)
            .then(|| Variable::Value(place.entry.clone(), (address - place.base) as usize))
    }

    fn keep(&mut self, address: u64, id: Id, width: u32) {
        for index in 0..width {
            let stored = Stored { id, index, width };
            self.memory.insert(address + u64::from(index), stored);
        }
    }

    fn store(&mut self, insn: Insn, now: &Seen) {
        let address = now.registers[usize::from(insn.dst)].wrapping_add_signed(insn.offset.into());
        let id = match insn.class() {
            class::ST => self.graph.fixed(i64::from(insn.imm) as u64),
            _ => self.registers[usize::from(insn.src)],
        };
        self.keep(address, id, insn.width() as u32);
    }

    /// What is in memory afterwards is not followed, but what was there before.
    fn atomic(&mut self, insn: Insn, now: &Seen) {
        let address = now.registers[usize::from(insn.dst)].wrapping_add_signed(insn.offset.into());
        let width = insn.width() as u32;
        let before = self.stored_whole(address, width);
        let operand = self.registers[usize::from(insn.src)];
        let fetched = match insn.imm {
            atomic::CMPXCHG => Some(0),
            operation if operation & atomic::FETCH != 0 => Some(usize::from(insn.src)),
            _ => None,
        };
        if let (Some(register), Some(before)) = (fetched, before) {
            self.registers[register] = before;
        }
        for index in 0..width {
            self.memory.remove(&(address + u64::from(index)));
        }
        if insn.imm == atomic::XCHG {
            self.keep(address, operand, width);
        }
    }

    fn call(&mut self, insn: Insn, now: &Seen, next: &Seen) {
        let checker = super::super::checker::Checker::new(self.case);
        let Some(prototype) = checker.prototype(insn) else {
            return;
        };
        let is_own =
            insn.is_helper_call() && self.case.information.helper(insn.imm as u32).is_none();
        let shape = match is_own {
            true if insn.imm == LOOKUP => self.lookup(&prototype, now, next),
            true => Shape::Fixed,
            false => {
                self.answers += 1;
                Shape::Input(Variable::Answer(self.answers - 1))
            }
        };
        self.forget_behind(now);
        self.set(0, shape, next);
    }

    /// A call may have written where its arguments lead.
    fn forget_behind(&mut self, now: &Seen) {
        let bottom = self.top - (MAX_CALL_FRAMES * STACK_FRAME_SIZE) as u64;
        for register in 1..=5 {
            let address = now.registers[register];
            if (bottom..self.top).contains(&address) {
                let own = address..address + 64;
                self.memory
                    .retain(|at, stored| !own.contains(at) || self.graph.is_free(stored.id));
            }
        }
    }

    fn lookup(&mut self, prototype: &Prototype, now: &Seen, next: &Seen) -> Shape {
        let handle = now.registers[1];
        let found = self
            .run
            .maps
            .iter()
            .position(|map| Arc::as_ptr(map) as u64 == handle);
        let (Some(map), Some(MAP_KEY)) = (found, prototype.arguments.get(1).copied()) else {
            return Shape::Fixed;
        };
        let spec = &self.case.maps[map];
        let key = (0..u64::from(spec.key_size))
            .map(|index| {
                let id = self.known_byte(now.registers[2] + index);
                id.unwrap_or(0)
            })
            .collect();
        let entry = Key { map, key };
        self.looked_up.push(LookedUp {
            map,
            key: entry.key.clone(),
            is_there: next.registers[0] != 0,
        });
        if next.registers[0] != 0 {
            self.places.push(Place {
                base: next.registers[0],
                size: spec.value_size.into(),
                entry: entry.clone(),
            });
        }
        Shape::Input(Variable::Found(entry))
    }

    /// A byte of memory as it is in the run.
    fn known_byte(&self, address: u64) -> Option<u8> {
        if let Some(stored) = self.memory.get(&address) {
            return Some((self.graph.value(stored.id) >> (8 * stored.index)) as u8);
        }
        match self.variable(address)? {
            Variable::Context(at) => self.input.context.get(at).copied(),
            Variable::Data(at) => self.input.data.get(at).copied(),
            Variable::Value(entry, at) => self.input.entries.get(&entry)?.get(at).copied(),
            _ => None,
        }
    }
}
