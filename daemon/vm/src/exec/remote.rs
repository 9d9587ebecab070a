//! Helpers of an extension: arguments by prototype, out and back.
//!
//! The extension sees copies only.  What it sends back is as hostile as a
//! program: every write is bounded by the size that the program gave.

use super::fault::Fault;
use super::interpreter::Services;
use super::lower::RemoteHelper;
use crate::contract::Argument;
use crate::error::ResultCode;
use crate::helpers::{self, Native};
use crate::maps::Map;
use std::sync::Arc;

/// One argument as the extension gets it; there is one for each of the prototype's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Number(u64),
    Bytes(Vec<u8>),
    /// Index into the maps of the program.
    Map(usize),
    /// The context, which is passed apart, or a pointer that is 0.
    Nothing,
}

/// What the extension answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    pub result: u64,
    /// (argument, bytes) for arguments that it may write.
    pub written: Vec<(usize, Vec<u8>)>,
}

/// Why there is no answer: ends the invocation with `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: u8,
    pub message: String,
}

/// Whoever answers a call, or carries it to who does; returns when there is an answer.
pub trait Remote: Send + Sync {
    fn call(&self, helper: u32, arguments: Vec<Value>, context: Vec<u8>) -> Result<Reply, Failure>;
}

/// How a helper of the contract is answered without leaving the process.
#[derive(Clone)]
pub enum Binding {
    /// As the engine's own helpers are: it gets the registers that its prototype has, and judges
    /// its pointers itself.
    Native(Native),
    /// With arguments by prototype, as an extension gets them.
    Local(Arc<dyn Remote>),
}

/// Call a helper by its prototype, wherever it is.
pub fn call(
    helper: &RemoteHelper,
    services: &mut Services<'_>,
    registers: [u64; 5],
) -> Result<u64, Fault> {
    if let Some(provided) = &helper.provided {
        let own = services.memory.map_index(registers[0]).ok();
        if !own.is_some_and(|(index, _)| provided.maps.contains(&index)) {
            return (provided.native)(services, registers);
        }
        if helper.id == helpers::LOOKUP_AND_DELETE {
            return Err(taken_at_once(helper));
        }
    }
    let mut arguments = Vec::with_capacity(helper.arguments.len());
    let mut map = None;
    for index in 0..helper.arguments.len() {
        arguments.push(pass(helper, services, &registers, index, &mut map)?);
    }
    let mut context = services.memory.context();
    for offset in services.pointers.into_iter().flatten() {
        context[offset..offset + crate::contract::POINTER_SIZE].fill(0);
    }
    let reply = services.taped(helper.id, |services| {
        let Some(remote) = helper.local.as_deref().or(services.remote) else {
            return Err(Fault::failed(format!(
                "helper {} has no provider",
                helper.name
            )));
        };
        remote
            .call(helper.id, arguments, context)
            .map_err(|failure| Fault {
                code: failure.code,
                message: format!("helper {}: {}", helper.name, failure.message),
            })
    })?;
    for (index, bytes) in reply.written {
        write_back(helper, services, &registers, index, &bytes)?;
    }
    Ok(reply.result)
}

/// The value of argument `index`; remembers the map for keys and values after it.
fn pass(
    helper: &RemoteHelper,
    services: &mut Services<'_>,
    registers: &[u64; 5],
    index: usize,
    map: &mut Option<Arc<Map>>,
) -> Result<Value, Fault> {
    let memory = &mut services.memory;
    let register = registers[index];
    Ok(match helper.arguments[index] {
        Argument::Anything | Argument::ConstSize | Argument::ConstSizeOrZero => {
            Value::Number(register)
        }
        Argument::ContextOrNull if register == 0 => Value::Nothing,
        Argument::Context | Argument::ContextOrNull => {
            if !memory.is_context(register) {
                return Err(bad(helper, index, "is not the context"));
            }
            Value::Nothing
        }
        Argument::Map | Argument::MapOfPrograms => {
            let (number, found) = memory.map_index(register)?;
            *map = Some(Arc::clone(found));
            Value::Map(number)
        }
        kind => {
            if register == 0 && is_nullable(kind) {
                return Ok(Value::Nothing);
            }
            let size = size_of(kind, registers, index, map.as_deref());
            if is_writable(kind) {
                memory.check_writable(register, size)?;
            }
            Value::Bytes(memory.read(register, size)?)
        }
    })
}

fn is_nullable(kind: Argument) -> bool {
    matches!(
        kind,
        Argument::ReadableMemoryOrNull | Argument::WritableMemoryOrNull
    )
}

fn is_writable(kind: Argument) -> bool {
    matches!(
        kind,
        Argument::WritableMemory | Argument::WritableMemoryOrNull | Argument::Long | Argument::Int
    )
}

/// Bytes that a pointer argument leads to.
fn size_of(kind: Argument, registers: &[u64; 5], index: usize, map: Option<&Map>) -> u64 {
    match kind {
        Argument::MapKey => map.map_or(0, Map::key_size) as u64,
        Argument::MapValue => map.map_or(0, Map::value_size) as u64,
        Argument::Long => 8,
        Argument::Int => 4,
        _ => registers.get(index + 1).copied().unwrap_or(0),
    }
}

fn write_back(
    helper: &RemoteHelper,
    services: &mut Services<'_>,
    registers: &[u64; 5],
    index: usize,
    bytes: &[u8],
) -> Result<(), Fault> {
    let kind = helper.arguments.get(index).copied();
    let Some(kind) = kind.filter(|kind| is_writable(*kind)) else {
        return Err(Fault::failed(format!(
            "helper {}: the extension wrote argument {index}, which it may not",
            helper.name
        )));
    };
    let size = match registers[index] {
        0 if is_nullable(kind) => 0,
        _ => size_of(kind, registers, index, None),
    };
    if bytes.len() as u64 > size {
        return Err(Fault::failed(format!(
            "helper {}: the extension wrote {} bytes to argument {index}, which has {size}",
            helper.name,
            bytes.len()
        )));
    }
    services.memory.write(registers[index], bytes)
}

#[cold]
fn taken_at_once(helper: &RemoteHelper) -> Fault {
    Fault::new(
        ResultCode::OperationNotSupported,
        format!(
            "helper {}: the map's type is an extension's, which keeps account of its elements",
            helper.name
        ),
    )
}

fn bad(helper: &RemoteHelper, index: usize, what: &str) -> Fault {
    Fault::new(
        ResultCode::InvalidPointer,
        format!("helper {}: argument {index} {what}", helper.name),
    )
}
