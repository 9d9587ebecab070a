//! Helpers on maps: 1 to 5, 11, 16 to 18 and 32.
//!
//! Failures reach the program as negated results.  Whatever a program names as
//! key, value or record is checked as its own memory first.
//!
//! Sound because: an address that a map gives for an inner map or a program is
//! that of one which lives while the invocation is pinned.

use crate::contract::POINTER_SIZE;
use crate::error::{EngineError, Result as Outcome, ResultCode};
use crate::exec::{Fault, Program, Services};
use crate::maps::{Map, map_type};

/// `flags` of helper 32: the ring of the program's own lane.
const CURRENT_LANE: u64 = 0xffff_ffff;
/// Bits of `flags` that say how much of the data follows the record.
const CAPTURE_BITS: u32 = 20;

/// 1: the address of a key's value, or NULL; of an inner map, its handle.
pub fn lookup(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let map = services.memory.map(args[0])?;
    // A try of an LPM_TRIE takes about as long as an instruction.
    services.memory.work += map.lookup_tries();
    let key = services.memory.borrow(args[1], map.key_size() as u64)?;
    let lane = services.memory.lane();
    let found = map.value_address(&key, lane, services.memory.pin());
    let address = found.map_err(stuck)?.unwrap_or(0);
    if address != 0 && map.inner().is_some() {
        // SAFETY: see the module.
        services.memory.found(unsafe { &*(address as *const Map) });
    }
    Ok(address as u64)
}

/// 2: publish a value; 0 or a negative result.
pub fn update(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let map = services.memory.map(args[0])?;
    let key = services.memory.borrow(args[1], map.key_size() as u64)?;
    let value = services.memory.borrow(args[2], map.value_size() as u64)?;
    if map.read_only() {
        return Ok(ResultCode::AccessDenied.negated());
    }
    if map.is_per_cpu() {
        // A new entry is set to zero for all other lanes.
        services.memory.charge(map.user_value_size() as u64)?;
    }
    let lane = services.memory.lane();
    outcome(map.update_lane(&key, &value, args[3], lane, services.memory.pin()))
}

/// 3: remove a key; 0 or a negative result.
pub fn delete(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let map = services.memory.map(args[0])?;
    let key = services.memory.borrow(args[1], map.key_size() as u64)?;
    if map.read_only() {
        return Ok(ResultCode::AccessDenied.negated());
    }
    // An ARRAY sets the value to zero.
    services.memory.charge(map.user_value_size() as u64)?;
    outcome(map.delete_pinned(&key, services.memory.pin()))
}

/// 4: remove a key; the address of what it had, or NULL.
pub fn lookup_and_delete(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let map = services.memory.map(args[0])?;
    let key = services.memory.borrow(args[1], map.key_size() as u64)?;
    if map.read_only() {
        return Ok(0);
    }
    let lane = services.memory.lane();
    let found = map.take_address(&key, lane, services.memory.pin());
    Ok(found.map_err(stuck)?.unwrap_or(0) as u64)
}

/// 5: go on with program `r3` of a PROG_ARRAY; returns only if there is none, or too many came before.
pub fn tail_call(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    if !services.memory.is_context(args[0]) {
        return Err(Fault::new(
            ResultCode::InvalidPointer,
            "a tail call needs the context as its first argument",
        ));
    }
    let map = services.memory.map(args[1])?;
    let index = u32::try_from(args[2]).ok();
    let found = index.and_then(|index| map.program_at(index, services.memory.pin()));
    match found {
        // SAFETY: see the module.
        Some(program) => services.tail.call(unsafe { &*program as &Program }),
        None => Ok(ResultCode::InvalidArgument.negated()),
    }
}

/// 11: add a record to a ring buffer; the flags mean nothing.
pub fn ring_output(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let map = services.memory.map(args[0])?;
    if map.map_type() != map_type::RINGBUF {
        return Ok(ResultCode::InvalidArgument.negated());
    }
    let record = services.memory.borrow(args[1], args[2])?;
    services.outside(11, |_| outcome(map.output(0, &[&record])))
}

/// 16: add a value to a queue or stack; flag 2 drops the oldest of a full one.
pub fn push(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let map = services.memory.map(args[0])?;
    let value = services.memory.borrow(args[1], map.value_size() as u64)?;
    if map.read_only() {
        return Ok(ResultCode::AccessDenied.negated());
    }
    outcome(map.push_pinned(&value, args[2], services.memory.pin()))
}

/// 17: take the next value of a queue or stack.
pub fn pop(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    if services.memory.map(args[0])?.read_only() {
        return Ok(ResultCode::AccessDenied.negated());
    }
    next(services, args, Map::pop)
}

/// 18: copy the next value of a queue or stack.
pub fn peek(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    next(services, args, Map::peek)
}

fn next(
    services: &mut Services<'_>,
    args: [u64; 5],
    get: fn(&Map) -> Outcome<Vec<u8>>,
) -> Result<u64, Fault> {
    let map = services.memory.map(args[0])?;
    // Nothing may leave the map before it is known where to.
    services
        .memory
        .check_writable(args[1], map.value_size() as u64)?;
    services.memory.charge(map.value_size() as u64)?;
    match get(map) {
        Ok(value) => services.memory.write(args[1], &value).map(|()| 0),
        Err(error) => outcome(Err(error)),
    }
}

/// 32: add a record to the lane's ring of a perf event array, followed by data of the context.
pub fn perf_output(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    services.outside(32, |services| output_on_lane(services, args))
}

fn output_on_lane(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let [context, map, flags, record, size] = args;
    if !services.memory.is_context(context) {
        return Err(Fault::new(
            ResultCode::InvalidPointer,
            "helper 32 needs the context as its first argument",
        ));
    }
    let map = services.memory.map(map)?;
    let lane = services.memory.lane();
    let wanted = flags & CURRENT_LANE;
    let capture = (flags >> 32) & ((1 << CAPTURE_BITS) - 1);
    let is_lane = wanted == CURRENT_LANE || wanted == lane as u64;
    if map.map_type() != map_type::PERF_EVENT_ARRAY || !is_lane || flags >> (32 + CAPTURE_BITS) != 0
    {
        return Ok(ResultCode::InvalidArgument.negated());
    }
    let record = services.memory.borrow(record, size)?;
    if capture == 0 {
        return outcome(map.output(lane, &[&record]));
    }
    let [Some(data), Some(end), _] = services.pointers else {
        return Ok(ResultCode::OperationNotSupported.negated());
    };
    let pointer = |offset: usize| context + offset as u64;
    debug_assert_eq!(8, POINTER_SIZE, "pointers are u64");
    let data: u64 = services.memory.load(pointer(data))?;
    let end: u64 = services.memory.load(pointer(end))?;
    if end.saturating_sub(data) < capture {
        return Ok(ResultCode::InvalidArgument.negated());
    }
    let data = services.memory.borrow(data, capture)?;
    outcome(map.output(lane, &[&record, &data]))
}

/// What a program is told, unless it must not go on: it could wait again and again.
fn outcome(result: Outcome<()>) -> Result<u64, Fault> {
    match result {
        Ok(()) => Ok(0),
        Err(error) if error.code == ResultCode::Timeout => Err(stuck(error)),
        Err(error) => Ok(error.code.negated()),
    }
}

/// Another process does not let go of a shared map.
#[cold]
fn stuck(error: EngineError) -> Fault {
    Fault::new(error.code, error.message)
}
