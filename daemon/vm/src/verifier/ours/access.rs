//! Loads, stores and atomic operations: what must hold, and what they change.

use super::super::domain::{Arithmetic, Scalar, arithmetic};
use super::super::mutation::{self, Mutation};
use super::checker::{Check, Checker};
use super::problem::{Intent, Leak, Problem, Span};
use super::stack::{Found, SIZE, Stack};
use super::state::{DATA, META, State};
use super::symbols;
use super::value::{Absent, Number, Pointer, Region, Value, shifted};
use crate::contract::{ContextField, POINTER_SIZE};
use crate::isa::{Insn, atomic, class, mem};

/// Offsets beyond this are not followed: nothing that exists is so large.
pub const FAR: i64 = 1 << 29;
/// Nothing lies at a lower address: so much less than that of something does not wrap.
pub const LOWEST: i64 = 1 << 16;
/// Pieces of one frame that are tied to one symbol.
const MOST_TIED: usize = 8;

/// Where an access goes, once it is allowed.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A known place of the frame at this depth.
    Stack {
        depth: u8,
        at: i64,
    },
    /// Any place in these bytes of a frame.
    SomeStack {
        depth: u8,
        low: i64,
        size: i64,
    },
    Context {
        at: i64,
    },
    /// A known place of a value that never changes.
    Constant {
        map: u32,
        at: i64,
    },
    Elsewhere,
}

impl Checker<'_> {
    pub fn load(&mut self, state: &mut State, insn: Insn) -> Check {
        let size = insn.width() as i64;
        let pointer = self.pointer(state, insn.src)?;
        let at = shifted(pointer.offset, insn.offset.into());
        let place = self.place(state, insn.src, &pointer, at, size, Intent::Read)?;
        let signed = insn.mode() == mem::MEMSX;
        let value = self.loaded(state, insn.src, place, size)?;
        let value = match (value, signed) {
            (Value::Number(number), true) => {
                Value::number(number.range.sign_extended(8 * size as u32))
            }
            (Value::Pointer(_) | Value::Half(_), true) => {
                return Err(Problem::PartOfContextPointer { offset: at.smin() });
            }
            (value, _) => value,
        };
        state.set(insn.dst, value);
        Ok(())
    }

    fn loaded(&mut self, state: &mut State, register: u8, place: Place, size: i64) -> Check<Value> {
        let unknown = Value::number(Scalar::loaded(size as usize));
        match place {
            Place::Stack { depth, at } => {
                self.reads(depth, Stack::slots(at, size));
                match state.frames[usize::from(depth)].stack.load(at, size) {
                    Found::Value(value) => Ok(value),
                    Found::Unwritten(at) => Err(Problem::UnwrittenStack { register, at }),
                    Found::Pointer => Err(Problem::PartOfPointer { register, at }),
                }
            }
            Place::SomeStack {
                depth,
                low,
                size: window,
            } => {
                self.reads(depth, Stack::slots(low, window));
                self.readable_stack(state, register, depth, low, window)?;
                Ok(unknown)
            }
            Place::Context { at } => self.context_field(at, size),
            Place::Constant { map, at } => {
                let map = &self.case.maps[map as usize];
                let bytes = map.initial.as_deref().unwrap_or_default();
                let bytes = bytes.get(at as usize..(at + size) as usize);
                Ok(bytes.map_or(unknown, |bytes| {
                    let value = bytes
                        .iter()
                        .rev()
                        .fold(0, |all, byte| all << 8 | u64::from(*byte));
                    Value::constant(value)
                }))
            }
            Place::Elsewhere => Ok(unknown),
        }
    }

    /// Bytes of a frame that are read as numbers.
    pub fn readable_stack(
        &self,
        state: &State,
        register: u8,
        depth: u8,
        at: i64,
        size: i64,
    ) -> Check {
        let stack = &state.frames[usize::from(depth)].stack;
        if let Some(at) = stack.unwritten(at, size) {
            return Err(Problem::UnwrittenStack { register, at });
        }
        if stack.has_pointer(at, size) {
            return Err(Problem::PartOfPointer { register, at });
        }
        Ok(())
    }

    fn context_field(&self, at: i64, size: i64) -> Check<Value> {
        let context = &self.case.information.context;
        let wide = size == POINTER_SIZE as i64;
        let pointer = |region| Ok(Value::Pointer(Pointer::to(region, 0)));
        if wide && at == i64::from(context.data) {
            return pointer(Region::Data(DATA));
        }
        if wide && at == i64::from(context.end) {
            return pointer(Region::End);
        }
        if wide && at == i64::from(context.meta) {
            return pointer(Region::Data(META));
        }
        if self.meets_pointer(at, size) {
            return Err(Problem::PartOfContextPointer { offset: at });
        }
        Ok(Value::number(Scalar::loaded(size as usize)))
    }

    fn meets_pointer(&self, at: i64, size: i64) -> bool {
        let mut pointers = self.case.information.context.pointers();
        pointers.any(|field| (field as i64) < at + size && at < (field + POINTER_SIZE) as i64)
    }

    pub fn store(&mut self, state: &mut State, insn: Insn) -> Check {
        let size = insn.width() as i64;
        let value = match insn.class() {
            class::ST => Value::constant(i64::from(insn.imm) as u64),
            _ => *self.present(state, insn.src)?,
        };
        let pointer = self.pointer(state, insn.dst)?;
        let at = shifted(pointer.offset, insn.offset.into());
        let place = self.place(state, insn.dst, &pointer, at, size, Intent::Write)?;
        let is_pointer = value.as_pointer().is_some();
        match place {
            Place::Stack { depth, at } => {
                if is_pointer && size != POINTER_SIZE as i64 {
                    return Err(Problem::Leak {
                        register: insn.src,
                        to: Leak::Memory(pointer.region),
                    });
                }
                let value = self.tied(state, insn, value);
                self.writes(depth, Stack::slots(at, size), Stack::whole_slots(at, size));
                state.stack_mut(depth).store(at, size, value);
            }
            _ if is_pointer && !self.case.information.is_privileged => {
                return Err(Problem::Leak {
                    register: insn.src,
                    to: Leak::Memory(pointer.region),
                });
            }
            Place::SomeStack { depth, low, size } => {
                if is_pointer
                    || state.frames[usize::from(depth)]
                        .stack
                        .has_pointer(low, size)
                {
                    let span = Span::new(at, insn.width() as i64);
                    return Err(Problem::OverPointer {
                        register: insn.dst,
                        span,
                    });
                }
                self.reads(depth, Stack::slots(low, size));
                state.stack_mut(depth).disturb(low, size);
            }
            Place::Context { .. } | Place::Constant { .. } | Place::Elsewhere => {}
        }
        Ok(())
    }

    /// What is stored stays tied to the register that it comes from.
    fn tied(&mut self, state: &mut State, insn: Insn, value: Value) -> Value {
        let Value::Number(number) = value else {
            return value;
        };
        if insn.class() == class::ST || number.range.known().is_some() {
            return value;
        }
        let link = symbols::link_of(state, insn.src, &mut self.symbols);
        let pieces = state.frame().stack.pieces().iter();
        let same = pieces.filter(|piece| {
            let other = piece.value.link();
            other.zip(link).is_some_and(|(a, b)| a.symbol == b.symbol)
        });
        // What is learnt of one has to be told to all: a crowd is not kept.
        let link = link.filter(|_| same.count() < MOST_TIED);
        Value::Number(Number { link, ..number })
    }

    pub fn atomic(&mut self, state: &mut State, insn: Insn) -> Check {
        let size = insn.width() as i64;
        for register in [Some(insn.src), (insn.imm == atomic::CMPXCHG).then_some(0)] {
            let Some(register) = register else { continue };
            if self.present(state, register)?.as_pointer().is_some() {
                return Err(Problem::AtomicPointer { register });
            }
        }
        let pointer = self.pointer(state, insn.dst)?;
        let at = shifted(pointer.offset, insn.offset.into());
        let place = self.place(state, insn.dst, &pointer, at, size, Intent::Atomic)?;
        match self.loaded(state, insn.dst, place, size)? {
            Value::Number(_) => {}
            _ => return Err(Problem::AtomicPointer { register: insn.dst }),
        }
        match place {
            Place::Stack { depth, at } => {
                self.writes(depth, Stack::slots(at, size), 0);
                state.stack_mut(depth).fill(at, size);
            }
            Place::SomeStack { depth, low, size } => state.stack_mut(depth).disturb(low, size),
            _ => {}
        }
        let fetched = Value::number(Scalar::loaded(size as usize));
        match insn.imm {
            atomic::CMPXCHG => state.set(0, fetched),
            operation if operation & atomic::FETCH != 0 => state.set(insn.src, fetched),
            _ => {}
        }
        Ok(())
    }

    /// The pointer in a register, which may be followed.
    fn pointer(&self, state: &State, register: u8) -> Check<Pointer> {
        match self.present(state, register)? {
            Value::Pointer(pointer) if pointer.null != 0 => Err(Problem::MaybeNull {
                register,
                region: pointer.region,
            }),
            Value::Pointer(pointer) => Ok(*pointer),
            Value::Number(number) => Err(Problem::NotPointer {
                register,
                range: number.range,
            }),
            Value::Half(_) | Value::Absent(_) => Err(Problem::NotPointer {
                register,
                range: Scalar::UNKNOWN,
            }),
        }
    }

    /// Where an access of `size` bytes at offset `at` of the pointer's region goes.
    pub fn place(
        &mut self,
        state: &State,
        register: u8,
        pointer: &Pointer,
        at: Scalar,
        size: i64,
        intent: Intent,
    ) -> Check<Place> {
        let span = Span::new(at, size);
        if at.known().is_none() {
            self.needs(register);
        }
        match pointer.region {
            Region::Stack(depth) => stack_place(register, depth, at, span),
            Region::Context => self.context_place(register, at, span, intent),
            Region::Data(anchor) => {
                self.check_data(state, register, pointer, anchor, span)?;
                Ok(Place::Elsewhere)
            }
            Region::MapValue(index) => self.value_place(register, index, at, span, intent),
            Region::Memory { size } => {
                if span.low < 0 || span.end() > i64::from(size) {
                    let size = size.into();
                    return Err(Problem::OutsideMemory {
                        register,
                        span,
                        size,
                    });
                }
                Ok(Place::Elsewhere)
            }
            region => Err(Problem::NotMemory {
                register,
                region,
                intent,
            }),
        }
    }

    fn context_place(&self, register: u8, at: Scalar, span: Span, intent: Intent) -> Check<Place> {
        let information = self.case.information;
        let size = i64::from(information.context.size);
        if at.known().is_none() {
            return Err(Problem::VariableContext { register, span });
        }
        let offset = span.low;
        if offset < 0 || span.end() > size {
            return Err(Problem::OutsideContext {
                register,
                span,
                size,
            });
        }
        if intent != Intent::Read {
            if self.meets_pointer(offset, span.size) {
                return Err(Problem::WriteToContextPointer { offset });
            }
            if !self.is_writable(offset, span.size) {
                let size = span.size;
                return Err(Problem::ReadOnlyContext { offset, size });
            }
        }
        let hidden = |field: &ContextField| {
            field.is_hidden && field.meets(offset as usize, span.size as usize)
        };
        if information.fields.iter().any(hidden) {
            let size = span.size;
            return Err(Problem::HiddenContext { offset, size });
        }
        Ok(Place::Context { at: offset })
    }

    /// Whether the contract lets programs write all of these bytes of the context.
    fn is_writable(&self, at: i64, size: i64) -> bool {
        (at..at + size).all(|byte| {
            let mut ranges = self.case.information.writable.iter();
            ranges.any(|(start, length)| (*start as i64..(start + length) as i64).contains(&byte))
        })
    }

    fn value_place(
        &self,
        register: u8,
        index: u32,
        at: Scalar,
        span: Span,
        intent: Intent,
    ) -> Check<Place> {
        let map = &self.case.maps[index as usize];
        let size = i64::from(map.value_size);
        if span.low < 0 || span.end() > size {
            let map = index;
            return Err(Problem::OutsideValue {
                register,
                span,
                map,
                size,
            });
        }
        if intent != Intent::Read && map.read_only {
            return Err(Problem::ReadOnlyValue { map: index });
        }
        if intent == Intent::Atomic {
            let low_bits = arithmetic(
                Arithmetic::And,
                true,
                at,
                Scalar::constant(span.size as u64 - 1),
            );
            if low_bits.known() != Some(0) {
                return Err(Problem::AtomicUnaligned { register, span });
            }
        }
        Ok(match at.known() {
            Some(_) if map.read_only => Place::Constant {
                map: index,
                at: span.low,
            },
            _ => Place::Elsewhere,
        })
    }

    /// Whether bytes counted from an anchor exist.
    fn check_data(
        &self,
        state: &State,
        register: u8,
        pointer: &Pointer,
        anchor: u32,
        span: Span,
    ) -> Check {
        let own = state.anchor(anchor);
        let root = state.anchor(own.root);
        let far = |span: &Span| span.low < -FAR || span.high > FAR;
        // Counted from the root, the same bytes.
        let place = Span::new(state.place(anchor), 0);
        let whole = Span {
            low: place.low.saturating_add(span.low),
            high: place.high.saturating_add(span.high),
            size: span.size,
        };
        if far(&span) || far(&whole) || whole.low < 0 {
            return Err(if whole.low < 0 {
                Problem::BeforeData {
                    register,
                    span: whole,
                }
            } else {
                past(register, whole, root.readable, own.root)
            });
        }
        if span.end() <= own.readable || whole.end() <= state.extent(own.root) {
            return Ok(());
        }
        if super::orders::reaches(state, pointer, span) {
            return Ok(());
        }
        Err(past(register, span, own.readable, own.root))
    }
}

fn past(register: u8, span: Span, readable: i64, root: u32) -> Problem {
    Problem::PastData {
        register,
        span,
        readable,
        root,
    }
}

fn stack_place(register: u8, depth: u8, at: Scalar, span: Span) -> Check<Place> {
    let mut low = span.low;
    if mutation::on(Mutation::FrameWithoutStart) && at.known().is_none() {
        low = low.max(-SIZE);
    }
    if low < -SIZE || span.end() > 0 {
        return Err(Problem::OutsideStack { register, span });
    }
    Ok(match at.known() {
        Some(_) => Place::Stack {
            depth,
            at: span.low,
        },
        None => Place::SomeStack {
            depth,
            low,
            size: span.end() - low,
        },
    })
}

/// Everything that leads into the data is worthless from now on.
pub fn move_data(state: &mut State, pc: usize) {
    state.update(|value| {
        if symbols::is_data(value) {
            *value = Value::Absent(Absent::Moved(pc as u32));
        } else if let Value::Number(number) = value {
            number.distance = None;
        }
    });
    let anchors = std::rc::Rc::make_mut(&mut state.anchors);
    anchors.retain(|anchor| matches!(anchor.name, DATA | META));
    anchors.iter_mut().for_each(|anchor| anchor.readable = 0);
}
