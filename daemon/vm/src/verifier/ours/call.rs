//! Calls: helpers and functions by their prototypes, functions of the program by their code.

use super::super::domain::Scalar;
use super::super::mutation::{self, Mutation};
use super::access::{Place, move_data};
use super::branch::clobber;
use super::checker::{Check, Checker, Next};
use super::problem::{Intent, Kind, Leak, Problem, Wrong};
use super::stack::Stack;
use super::state::{Frame, State};
use super::trail::Step;
use super::value::{Absent, Number, Pointer, Region, Value};
use crate::contract::{
    Prototype, RETURN_INTEGER, RETURN_MAP_VALUE_OR_NULL, RETURN_NOTHING_IF_SUCCEED,
};
use crate::isa::{Insn, MAX_CALL_FRAMES};
use crate::{functions, helpers, map_type};
use std::rc::Rc;

/// Argument types of eBPF for Windows that this file tells apart, by their numbers.
mod argument {
    pub const ANYTHING: u32 = 1;
    pub const SIZE: u32 = 2;
    pub const SIZE_OR_ZERO: u32 = 3;
    pub const CONTEXT: u32 = 4;
    pub const MAP: u32 = 5;
    pub const PROGRAMS: u32 = 6;
    pub const KEY: u32 = 7;
    pub const VALUE: u32 = 8;
    pub const READABLE: u32 = 9;
    pub const READABLE_OR_NULL: u32 = 10;
    pub const WRITABLE: u32 = 11;
    pub const STACK: u32 = 12;
    pub const STACK_OR_NULL: u32 = 13;
    pub const CONTEXT_OR_NULL: u32 = 14;
    pub const WRITABLE_OR_NULL: u32 = 15;
    pub const SOCKET_BY_TYPE: u32 = 17;
    pub const SOCKET: u32 = 19;
    pub const BY_TYPE: u32 = 20;
    pub const LONG: u32 = 21;
    pub const INT: u32 = 22;
    pub const TEXT: u32 = 23;
    pub const FUNCTION: u32 = 24;
    pub const NEW_SIZE_OR_ZERO: u32 = 25;
    pub const ALLOCATED: u32 = 26;
    pub const PER_CPU_BY_TYPE: u32 = 28;
    pub const READ_ONLY: u32 = 29;
    pub const READ_ONLY_OR_NULL: u32 = 30;
    pub const UNWRITTEN_VALUE: u32 = 31;
    pub const CONSTANT_MAP: u32 = 32;
}

/// Return types.
mod returned {
    pub const SOCKETS: [u32; 3] = [4, 5, 6];
    pub const ALLOCATED_OR_NULL: u32 = 7;
    pub const OR_NULL: [u32; 6] = [4, 5, 6, 7, 8, 9];
    pub const BY_TYPE: [u32; 4] = [8, 9, 10, 11];
}

/// General helpers that write to the value that they are given: pop and peek.
const TAKE_OUT: [u32; 2] = [17, 18];

/// General helpers that copy r4 bytes to a target of r2: memcpy and memmove.  They leave
/// the rest as it was, and all of it where the source is larger.
const COPY: [u32; 2] = [22, 25];

/// The general helper that reads the target that it appends to: strncat_s.
const APPEND: u32 = 28;

/// What a call does to bytes that an argument leads to.
struct Written {
    place: Place,
    /// Bytes that are written in any case.
    least: i64,
    most: i64,
}

/// What the arguments of one call tell.
#[derive(Default)]
struct Given {
    map: Option<u32>,
    new_size: Option<u32>,
    released: Option<u32>,
    written: Vec<Written>,
}

impl Checker<'_> {
    /// Call a helper, or a function of another module.
    pub fn call(&mut self, state: &mut State, insn: Insn) -> Check<Next> {
        let pc = state.pc;
        let Some(prototype) = self.prototype(insn) else {
            // `precheck` refuses these.
            return Err(Problem::Argument {
                call: "the function".into(),
                index: 0,
                wrong: Wrong::Unsupported { number: 0 },
            });
        };
        if prototype.return_type == RETURN_NOTHING_IF_SUCCEED && state.depth() > 0 {
            return Err(Problem::TailCallInFunction);
        }
        let mut given = self.arguments(state, &prototype)?;
        let copies = COPY.contains(&prototype.id) && self.is_general(&prototype);
        if copies && !mutation::on(Mutation::CopyFillsTarget) {
            let least = self.copied(state)?;
            for written in &mut given.written {
                written.least = least;
            }
        }
        for written in &given.written {
            self.write_through(state, written);
        }
        if let Some(owned) = given.released {
            release(state, owned, pc);
        }
        clobber(state, pc);
        if prototype.reallocate_packet && !mutation::on(Mutation::DataStays) {
            move_data(state, pc);
        }
        let value = self.returned(state, &prototype, &given);
        state.set(0, value);
        state.pc = pc + 1;
        Ok(Next::Go)
    }

    /// The prototype of what is called; the contract's own come first.
    pub fn prototype(&self, insn: Insn) -> Option<Prototype> {
        if insn.is_function_call() {
            let import = self.case.program.imports.get(insn.imm as u32 as usize)?;
            return functions::find(import, self.case.information).cloned();
        }
        let id = insn.imm as u32;
        let own = self.case.information.helper(id).cloned();
        own.or_else(|| helpers::general(id).map(helpers::General::prototype))
    }

    /// Whether this is the helper of the facts, not one that the contract put in its place.
    fn is_general(&self, prototype: &Prototype) -> bool {
        self.case.information.helper(prototype.id).is_none()
    }

    /// The bytes that a copy of r4 bytes to a target of r2 writes in any case.
    fn copied(&mut self, state: &State) -> Check<i64> {
        let room = self.present(state, 2)?.range();
        let count = self.present(state, 4)?.range();
        Ok(match (room, count) {
            (Some(room), Some(count)) if count.umax() <= room.umin() => count.smin(),
            _ => 0,
        })
    }

    /// What the arguments of a call are, each as the prototype asks.
    fn arguments(&mut self, state: &mut State, prototype: &Prototype) -> Check<Given> {
        let mut given = Given::default();
        self.takes(prototype.arguments.len());
        for (index, number) in prototype.arguments.iter().enumerate() {
            self.argument(state, prototype, index, *number, &mut given)
                .map_err(|wrong| Problem::Argument {
                    call: prototype.name.clone(),
                    index,
                    wrong,
                })?;
        }
        Ok(given)
    }

    fn argument(
        &mut self,
        state: &mut State,
        prototype: &Prototype,
        index: usize,
        number: u32,
        given: &mut Given,
    ) -> Check<(), Wrong> {
        use argument::*;
        let register = index as u8 + 1;
        let value = match state.register(register) {
            Value::Absent(why) => {
                let why = *why;
                return Err(wrong(Problem::NoValue { register, why }));
            }
            value => *value,
        };
        let next = prototype.arguments.get(index + 1).copied();
        match number {
            ANYTHING => self.anything(register, &value),
            SIZE | SIZE_OR_ZERO => self
                .size(register, &value, number == SIZE_OR_ZERO)
                .map(|_| ()),
            CONTEXT | CONTEXT_OR_NULL => context(&value, number == CONTEXT_OR_NULL),
            MAP | CONSTANT_MAP | PROGRAMS => {
                given.map = Some(self.map(&value, number == PROGRAMS)?);
                Ok(())
            }
            KEY | VALUE | UNWRITTEN_VALUE => {
                let map = given.map.ok_or(Wrong::NoMapBefore)?;
                let map = &self.case.maps[map as usize];
                let size = if number == KEY {
                    map.key_size
                } else {
                    map.value_size
                };
                let takes_out = TAKE_OUT.contains(&prototype.id) && self.is_general(prototype);
                let intent = match number {
                    UNWRITTEN_VALUE => Intent::Write,
                    VALUE if takes_out => Intent::Write,
                    _ => Intent::Read,
                };
                let sizes = (size.into(), size.into());
                self.memory(state, register, &value, sizes, intent, given)
            }
            READABLE | READ_ONLY | READABLE_OR_NULL | READ_ONLY_OR_NULL | WRITABLE
            | WRITABLE_OR_NULL => {
                let or_null = matches!(
                    number,
                    READABLE_OR_NULL | READ_ONLY_OR_NULL | WRITABLE_OR_NULL
                );
                let writes = matches!(number, WRITABLE | WRITABLE_OR_NULL);
                let intent = if writes { Intent::Write } else { Intent::Read };
                if writes && prototype.id == APPEND && self.is_general(prototype) {
                    self.sized(state, register, &value, next, or_null, Intent::Read, given)?;
                }
                self.sized(state, register, &value, next, or_null, intent, given)
            }
            STACK | STACK_OR_NULL => match value {
                Value::Number(number_) if number == STACK_OR_NULL && is_zero(&number_) => Ok(()),
                Value::Pointer(Pointer {
                    region: Region::Stack(_),
                    ..
                }) => Ok(()),
                _ => Err(Wrong::Kind {
                    wanted: Kind::Stack,
                }),
            },
            LONG | INT => {
                let size = if number == LONG { 8 } else { 4 };
                self.memory(state, register, &value, (size, size), Intent::Write, given)
            }
            TEXT => self.text(&value),
            FUNCTION => match value {
                Value::Pointer(Pointer {
                    region: Region::Function(_),
                    ..
                }) => Ok(()),
                _ => Err(Wrong::Kind {
                    wanted: Kind::Function,
                }),
            },
            NEW_SIZE_OR_ZERO => {
                self.needs(register);
                let number = value.as_number().ok_or(Wrong::Kind {
                    wanted: Kind::Number,
                })?;
                let size = number
                    .range
                    .known()
                    .and_then(|size| u32::try_from(size).ok());
                given.new_size = Some(size.ok_or(Wrong::NotConstant)?);
                Ok(())
            }
            ALLOCATED => match value {
                Value::Pointer(pointer)
                    if pointer.owned != 0
                        && pointer.null == 0
                        && pointer.offset.known() == Some(0) =>
                {
                    given.released = Some(pointer.owned);
                    Ok(())
                }
                Value::Pointer(pointer) if pointer.null != 0 => Err(Wrong::MaybeNull),
                _ => Err(Wrong::Kind {
                    wanted: Kind::Allocated,
                }),
            },
            SOCKET | SOCKET_BY_TYPE | BY_TYPE | PER_CPU_BY_TYPE => object(&value, number),
            _ => Err(Wrong::Unsupported { number }),
        }
    }

    /// A number, or whatever the contract's programs may give away.
    fn anything(&mut self, register: u8, value: &Value) -> Check<(), Wrong> {
        match value {
            Value::Number(_) => Ok(()),
            _ if self.case.information.is_privileged => Ok(()),
            _ => Err(wrong(Problem::Leak {
                register,
                to: Leak::Argument,
            })),
        }
    }

    /// The least and the greatest size.
    fn size(&mut self, register: u8, value: &Value, or_zero: bool) -> Check<(i64, i64), Wrong> {
        if !mutation::on(Mutation::SizeNotDemanded) {
            self.needs(register);
        }
        let number = value.as_number().ok_or(Wrong::Kind {
            wanted: Kind::Number,
        })?;
        let range = number.range;
        if range.smin() < 0 || range.umax() > u32::MAX.into() {
            return Err(Wrong::SizeMayBeNegative { range });
        }
        if !or_zero && range.umin() == 0 {
            return Err(Wrong::SizeMayBeZero { range });
        }
        Ok((range.smin(), range.smax()))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one argument of a call has so many sides"
    )]
    fn sized(
        &mut self,
        state: &mut State,
        register: u8,
        value: &Value,
        next: Option<u32>,
        or_null: bool,
        intent: Intent,
        given: &mut Given,
    ) -> Check<(), Wrong> {
        let Some(number) =
            next.filter(|next| matches!(*next, argument::SIZE | argument::SIZE_OR_ZERO))
        else {
            return Err(Wrong::Unsupported { number: 0 });
        };
        let size_value = *self.present(state, register + 1).map_err(wrong)?;
        let or_zero = number == argument::SIZE_OR_ZERO;
        let sizes = self.size(register + 1, &size_value, or_zero)?;
        if let Value::Number(number) = value {
            self.needs(register);
            return match (or_null && is_zero(number), sizes.1) {
                (true, 0) => Ok(()),
                (true, _) => {
                    let range = size_value.range().unwrap_or(Scalar::UNKNOWN);
                    Err(Wrong::NullWithSize { range })
                }
                (false, _) => Err(Wrong::Kind {
                    wanted: Kind::Memory,
                }),
            };
        }
        self.memory(state, register, value, sizes, intent, given)
    }

    /// Memory of between `sizes` bytes that the call reads or writes.
    fn memory(
        &mut self,
        state: &mut State,
        register: u8,
        value: &Value,
        sizes: (i64, i64),
        intent: Intent,
        given: &mut Given,
    ) -> Check<(), Wrong> {
        let Value::Pointer(pointer) = value else {
            return Err(match value {
                Value::Number(number) if is_zero(number) => Wrong::NullPointer,
                _ => Wrong::Kind {
                    wanted: Kind::Memory,
                },
            });
        };
        if pointer.null != 0 {
            return Err(Wrong::MaybeNull);
        }
        if matches!(pointer.region, Region::Context) {
            return Err(Wrong::Kind {
                wanted: Kind::Memory,
            });
        }
        let place = self
            .place(state, register, pointer, pointer.offset, sizes.1, intent)
            .map_err(wrong)?;
        if intent == Intent::Write {
            let (least, most) = sizes;
            given.written.push(Written { place, least, most });
            return Ok(());
        }
        let (depth, at, size) = match place {
            Place::Stack { depth, at } => (depth, at, sizes.1),
            Place::SomeStack { depth, low, size } => (depth, low, size),
            _ => return Ok(()),
        };
        self.steps
            .push(Step::of_slots(depth, Stack::slots(at, size), 0));
        self.readable_stack(state, register, depth, at, size)
            .map_err(wrong)
    }

    fn write_through(&mut self, state: &mut State, written: &Written) {
        match written.place {
            Place::Stack { depth, at } => {
                let stack = state.stack_mut(depth);
                stack.disturb(at, written.most);
                let least = match mutation::on(Mutation::WritesTheMost) {
                    true => written.most,
                    false => written.least,
                };
                stack.fill(at, least);
                let whole = Stack::whole_slots(at, written.least);
                self.steps.push(Step::of_slots(depth, 0, whole));
            }
            Place::SomeStack { depth, low, size } => state.stack_mut(depth).disturb(low, size),
            _ => {}
        }
    }

    fn map(&self, value: &Value, programs: bool) -> Check<u32, Wrong> {
        let wanted = if programs {
            Kind::ProgramArray
        } else {
            Kind::Map
        };
        match value {
            Value::Pointer(Pointer {
                region: Region::Map(_),
                null: 1..,
                ..
            }) => Err(Wrong::MaybeNull),
            Value::Pointer(Pointer {
                region: Region::Map(map),
                ..
            }) => {
                let kind = self.case.maps[*map as usize].map_type;
                match programs && kind != map_type::PROG_ARRAY {
                    true => Err(Wrong::MapType { map: *map }),
                    false => Ok(*map),
                }
            }
            _ => Err(Wrong::Kind { wanted }),
        }
    }

    /// A text that nobody can change, with its end.
    fn text(&self, value: &Value) -> Check<(), Wrong> {
        let fail = Err(Wrong::Kind {
            wanted: Kind::ConstantText,
        });
        let Value::Pointer(Pointer {
            region: Region::MapValue(map),
            offset,
            null: 0,
            ..
        }) = value
        else {
            return fail;
        };
        let map = &self.case.maps[*map as usize];
        let (Some(bytes), Some(at)) = (
            map.initial.as_deref().filter(|_| map.read_only),
            offset.known(),
        ) else {
            return fail;
        };
        match bytes
            .get(at as usize..)
            .is_some_and(|rest| rest.contains(&0))
        {
            true => Ok(()),
            false => fail,
        }
    }

    /// What r0 is after a call.
    fn returned(&mut self, state: &mut State, prototype: &Prototype, given: &Given) -> Value {
        let number = prototype.return_type;
        match number {
            RETURN_INTEGER | RETURN_NOTHING_IF_SUCCEED => Value::UNKNOWN,
            RETURN_MAP_VALUE_OR_NULL => self.found(given),
            _ => {
                let region = match number {
                    returned::ALLOCATED_OR_NULL => Region::Memory {
                        size: given.new_size.unwrap_or(0),
                    },
                    _ => Region::Object(number),
                };
                let mut pointer = Pointer::to(region, 0);
                if returned::OR_NULL.contains(&number) {
                    pointer.null = self.fresh();
                }
                if number == returned::ALLOCATED_OR_NULL {
                    pointer.owned = self.fresh();
                    Rc::make_mut(&mut state.owned).push(pointer.owned);
                }
                Value::Pointer(pointer)
            }
        }
    }

    /// What a lookup finds: a value of the map, or a map if those are its values.
    fn found(&mut self, given: &Given) -> Value {
        let Some(index) = given.map else {
            return Value::UNKNOWN;
        };
        let map = &self.case.maps[index as usize];
        let region = match (map_type::holds_maps(map.map_type), map.inner) {
            (true, Some(inner)) => Region::Map(inner as u32),
            // Of a map whose maps nobody described nothing can be used.
            (true, None) => Region::Object(0),
            _ => Region::MapValue(index),
        };
        Value::Pointer(Pointer {
            null: self.fresh(),
            ..Pointer::to(region, 0)
        })
    }

    /// What the prototype of a helper asks, if a function is one that came as code.
    ///
    /// It is judged as any other, so this is for clearness: who calls it wrongly is told so there.
    fn check_passed(&mut self, state: &mut State, target: usize) -> Check {
        let linked = &self.case.program.helpers;
        let helper = linked.iter().find(|helper| helper.start == target);
        match helper.and_then(|helper| self.case.information.helper(helper.id)) {
            Some(prototype) => self.arguments(state, prototype).map(drop),
            None => Ok(()),
        }
    }

    /// Call a function of the program.
    pub fn enter(&mut self, state: &mut State, target: usize) -> Check {
        let pc = state.pc;
        if state.frames.len() >= MAX_CALL_FRAMES {
            let starts = |frame: &Rc<Frame>| self.target_of(frame.call as usize) == Some(target);
            let recursive = target == 0 || state.frames[1..].iter().any(starts);
            return Err(Problem::TooDeep { recursive });
        }
        self.check_passed(state, target)?;
        let mut frame = Frame::new(state.frames.len(), pc as u32);
        frame.registers[1..=5].copy_from_slice(&state.frame().registers[1..=5]);
        state.frames.push(Rc::new(frame));
        state.pc = target;
        Ok(())
    }

    fn target_of(&self, pc: usize) -> Option<usize> {
        let distance = self.code.get(pc)?.distance()?;
        usize::try_from(pc as i64 + 1 + distance).ok()
    }

    /// Return from a function, or end the program.
    pub fn leave(&mut self, state: &mut State) -> Check<Next> {
        let depth = state.depth();
        if depth == 0 {
            return self.end(state);
        }
        let result = *state.register(0);
        let own = Region::Stack(depth as u8);
        let is_own = |value: &Value| {
            value
                .as_pointer()
                .is_some_and(|pointer| pointer.region == own)
        };
        if is_own(&result) {
            return Err(Problem::ReturnsStack);
        }
        let call = state.frame().call as usize;
        let sixth = *state.register(6);
        state.frames.pop();
        if mutation::on(Mutation::CalleeKeepsR6) {
            state.set(6, sixth);
        }
        state.update(|value| {
            if is_own(value) {
                *value = Value::Absent(Absent::Unwritten);
            }
        });
        clobber(state, call);
        state.set(0, result);
        state.pc = call + 1;
        Ok(Next::Go)
    }

    fn end(&self, state: &State) -> Check<Next> {
        match self.present(state, 0)? {
            Value::Number(_) => {}
            _ if self.case.information.is_privileged => {}
            _ => return Err(Problem::ReturnsPointer),
        }
        if !state.owned.is_empty() {
            return Err(Problem::NotReleased {
                owned: state.owned.len(),
            });
        }
        Ok(Next::End)
    }
}

fn wrong(problem: Problem) -> Wrong {
    Wrong::Memory(Box::new(problem))
}

fn is_zero(number: &Number) -> bool {
    number.range.known() == Some(0)
}

fn context(value: &Value, or_null: bool) -> Check<(), Wrong> {
    match value {
        Value::Number(number) if or_null && is_zero(number) => Ok(()),
        Value::Pointer(Pointer {
            region: Region::Context,
            offset,
            null: 0,
            ..
        }) if offset.known() == Some(0) => Ok(()),
        _ => Err(Wrong::Kind {
            wanted: Kind::Context,
        }),
    }
}

/// Something that another helper returned.
fn object(value: &Value, number: u32) -> Check<(), Wrong> {
    let Value::Pointer(Pointer {
        region: Region::Object(kind),
        null,
        ..
    }) = value
    else {
        return Err(Wrong::Kind {
            wanted: Kind::Object,
        });
    };
    if *null != 0 {
        return Err(Wrong::MaybeNull);
    }
    let is_socket = returned::SOCKETS.contains(kind);
    let fits = match number {
        argument::SOCKET => is_socket,
        argument::SOCKET_BY_TYPE => is_socket || returned::BY_TYPE.contains(kind),
        _ => returned::BY_TYPE.contains(kind),
    };
    match fits {
        true => Ok(()),
        false => Err(Wrong::Kind {
            wanted: Kind::Object,
        }),
    }
}

/// What was acquired is gone, and all that leads to it.
fn release(state: &mut State, owned: u32, pc: usize) {
    state.update(|value| {
        if matches!(value, Value::Pointer(pointer) if pointer.owned == owned) {
            *value = Value::Absent(Absent::Released(pc as u32));
        }
    });
    Rc::make_mut(&mut state.owned).retain(|each| *each != owned);
}
