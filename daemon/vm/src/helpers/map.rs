//! Helpers 1 to 3: look up, update, delete.

use crate::error::ResultCode;
use crate::exec::{Fault, Services};

/// 1: the address of a key's value, or NULL.
pub fn lookup(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let (_, map) = services.memory.map(args[0])?;
    let key = services.memory.read(args[1], map.key_size() as u64)?;
    let found = map.value_address(&key, services.memory.pin());
    Ok(found.ok().flatten().unwrap_or(0) as u64)
}

/// 2: publish a value; 0 or a negative result.
pub fn update(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let (_, map) = services.memory.map(args[0])?;
    let key = services.memory.read(args[1], map.key_size() as u64)?;
    let value = services.memory.read(args[2], map.value_size() as u64)?;
    if map.read_only() {
        return Ok(ResultCode::AccessDenied.negated());
    }
    Ok(outcome(map.update(&key, &value, args[3])))
}

/// 3: remove a key; 0 or a negative result.
pub fn delete(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    let (_, map) = services.memory.map(args[0])?;
    let key = services.memory.read(args[1], map.key_size() as u64)?;
    if map.read_only() {
        return Ok(ResultCode::AccessDenied.negated());
    }
    // An ARRAY sets the value to zero.
    services.memory.charge(map.value_size() as u64)?;
    Ok(outcome(map.delete(&key)))
}

fn outcome(result: crate::error::Result<()>) -> u64 {
    result.map_or_else(|error| error.code.negated(), |()| 0)
}
