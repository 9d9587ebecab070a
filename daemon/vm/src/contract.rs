//! One program type as the verifier and the executors see it.
//!
//! Plain data, after the program information of eBPF for Windows: the engine
//! knows no program type and no extension helper by name.

use std::collections::HashSet;

use crate::error::{EngineError, Result};
use crate::functions::{FIRST_FUNCTION, Function};

/// Ids from here on are helpers of a program type, not general ones.
pub const FIRST_EXTENSION_HELPER: u32 = 0x10000;
/// Bytes that one packet may have: what the verifier assumes of `data_end - data`.
pub const MAX_DATA_SIZE: usize = 65_534;
/// Bytes that a packet's metadata may have: what the verifier assumes.
pub const MAX_META_SIZE: usize = 4_098;
/// Bytes that a context may have.
pub const MAX_CONTEXT_SIZE: usize = 65_535;
/// Bytes of a pointer in a context.
pub const POINTER_SIZE: usize = 8;

/// Size of a context in bytes, and the byte offsets of its pointers (-1: none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextDescriptor {
    pub size: i32,
    pub data: i32,
    pub end: i32,
    pub meta: i32,
}

impl ContextDescriptor {
    /// A context of plain bytes, without pointers.
    pub fn plain(size: usize) -> Self {
        Self {
            size: size as i32,
            data: -1,
            end: -1,
            meta: -1,
        }
    }

    /// Where pointer `field` lies, if the context has it.
    pub fn pointer(field: i32) -> Option<usize> {
        usize::try_from(field).ok()
    }

    /// Offsets of all pointers that the context has.
    pub fn pointers(&self) -> impl Iterator<Item = usize> + use<> {
        [self.data, self.end, self.meta]
            .into_iter()
            .filter_map(Self::pointer)
    }

    /// Check that every pointer lies inside the context and none overlaps another.
    pub fn validate(&self) -> Result<()> {
        let size = usize::try_from(self.size).unwrap_or(0);
        if size == 0 || size > MAX_CONTEXT_SIZE {
            return Err(EngineError::argument(format!(
                "context.size is {}: it must be between 1 and {MAX_CONTEXT_SIZE}",
                self.size
            )));
        }
        for (name, offset) in [("data", self.data), ("end", self.end), ("meta", self.meta)] {
            if offset < -1 || offset >= 0 && offset as usize + POINTER_SIZE > size {
                return Err(EngineError::argument(format!(
                    "context.{name} is {offset}: a pointer there does not fit into {size} bytes"
                )));
            }
        }
        if (self.data < 0) != (self.end < 0) || self.meta >= 0 && self.data < 0 {
            return Err(EngineError::argument(
                "context.data and context.end must be given together, and with context.meta",
            ));
        }
        let fields: Vec<usize> = self.pointers().collect();
        for (i, a) in fields.iter().enumerate() {
            if fields[i + 1..]
                .iter()
                .any(|b| a.abs_diff(*b) < POINTER_SIZE)
            {
                return Err(EngineError::argument(
                    "context: the pointers data, end and meta overlap",
                ));
            }
        }
        // The verifier takes the distance of these two for the width of a pointer.
        if self.data >= 0 && self.end - self.data != POINTER_SIZE as i32 {
            return Err(EngineError::argument(format!(
                "context.end is {}: it must directly follow context.data, at {}",
                self.end,
                self.data + POINTER_SIZE as i32
            )));
        }
        Ok(())
    }
}

/// `ebpf_argument_type` of eBPF for Windows: the kinds that the engine can serve.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    Anything = 1,
    ConstSize = 2,
    ConstSizeOrZero = 3,
    Context = 4,
    Map = 5,
    MapOfPrograms = 6,
    MapKey = 7,
    MapValue = 8,
    ReadableMemory = 9,
    ReadableMemoryOrNull = 10,
    WritableMemory = 11,
    ContextOrNull = 14,
    WritableMemoryOrNull = 15,
    Long = 21,
    Int = 22,
}

impl Argument {
    /// The kind of number `value`; an equivalent of it for kinds that differ in name only.
    pub fn from_number(value: u32) -> Option<Self> {
        Some(match value {
            1 => Self::Anything,
            2 => Self::ConstSize,
            3 => Self::ConstSizeOrZero,
            4 => Self::Context,
            5 | 32 => Self::Map,
            6 => Self::MapOfPrograms,
            7 => Self::MapKey,
            8 => Self::MapValue,
            9 | 29 => Self::ReadableMemory,
            10 | 30 => Self::ReadableMemoryOrNull,
            11 => Self::WritableMemory,
            14 => Self::ContextOrNull,
            15 => Self::WritableMemoryOrNull,
            21 => Self::Long,
            22 => Self::Int,
            _ => return None,
        })
    }

    /// A pointer whose length is the next argument.
    pub fn is_sized_memory(self) -> bool {
        matches!(
            self,
            Self::ReadableMemory
                | Self::ReadableMemoryOrNull
                | Self::WritableMemory
                | Self::WritableMemoryOrNull
        )
    }

    pub fn is_size(self) -> bool {
        matches!(self, Self::ConstSize | Self::ConstSizeOrZero)
    }
}

/// Return types that the engine tells apart.
pub const RETURN_INTEGER: u32 = 0;
pub const RETURN_MAP_VALUE_OR_NULL: u32 = 1;
pub const RETURN_NOTHING_IF_SUCCEED: u32 = 2;
/// Argument and return type numbers go up to these.
const LAST_ARGUMENT: u32 = 33;
const LAST_RETURN: u32 = 11;

/// A helper as a contract declares it; types are numbers of eBPF for Windows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prototype {
    pub id: u32,
    pub name: String,
    pub return_type: u32,
    /// Without the unused ones at the end.
    pub arguments: Vec<u32>,
    pub reallocate_packet: bool,
    pub implicit_context: bool,
}

impl Prototype {
    /// Check the numbers, that sizes follow their pointers, and keys their map.
    pub fn validate(&self) -> Result<()> {
        let fail = |what: String| {
            Err(EngineError::argument(format!(
                "helper {} ({}): {what}",
                self.name, self.id
            )))
        };
        if self.return_type > LAST_RETURN {
            return fail(format!("return_type {} is unknown", self.return_type));
        }
        if self.arguments.len() > 5 {
            return fail(format!(
                "{} arguments are more than 5",
                self.arguments.len()
            ));
        }
        for (index, number) in self.arguments.iter().enumerate() {
            if *number == 0 || *number == 16 || *number > LAST_ARGUMENT {
                return fail(format!("arguments[{index}] is {number}, which is no type"));
            }
        }
        Ok(())
    }

    /// The kinds of the arguments, or why the engine cannot hand them to an extension.
    pub fn marshalled(&self) -> Result<Vec<Argument>> {
        let fail = |what: String| {
            Err(EngineError::new(
                crate::error::ResultCode::OperationNotSupported,
                format!("helper {} ({}): {what}", self.name, self.id),
            ))
        };
        if self.return_type != RETURN_INTEGER {
            return fail("it returns a pointer, which a helper in another process cannot".into());
        }
        let mut kinds = Vec::new();
        for (index, number) in self.arguments.iter().enumerate() {
            let Some(kind) = Argument::from_number(*number) else {
                return fail(format!(
                    "arguments[{index}] of type {number} cannot be passed"
                ));
            };
            let previous = kinds.last().copied();
            if kind.is_size() != previous.is_some_and(Argument::is_sized_memory) {
                return fail(format!(
                    "arguments[{index}]: a size must follow its pointer"
                ));
            }
            if matches!(kind, Argument::MapKey | Argument::MapValue)
                && !kinds.contains(&Argument::Map)
            {
                return fail(format!(
                    "arguments[{index}]: a map must come before its key"
                ));
            }
            kinds.push(kind);
        }
        if kinds.last().is_some_and(|kind| kind.is_sized_memory()) {
            return fail("its last argument is a pointer without a size".into());
        }
        Ok(kinds)
    }
}

/// A named piece of the context, for messages and for what nobody may read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContextField {
    pub name: String,
    pub offset: usize,
    pub size: usize,
    /// No program reads anything of it.
    pub is_hidden: bool,
}

impl ContextField {
    /// Whether it has any of these bytes.
    pub fn meets(&self, offset: usize, size: usize) -> bool {
        offset < self.offset + self.size && self.offset < offset + size
    }
}

/// A program type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProgramInformation {
    pub name: String,
    /// The type's GUID, as the daemon has it; nothing where nobody gives it.
    pub program_type: Vec<u8>,
    pub context: ContextDescriptor,
    pub is_privileged: bool,
    /// Type-specific helpers, and global ones that override general ones.
    pub helpers: Vec<Prototype>,
    /// BTF-resolved functions that programs may import.
    pub functions: Vec<Function>,
    /// (offset, size) of what comes back of a context after a run.
    pub writable: Vec<(usize, usize)>,
    pub fields: Vec<ContextField>,
}

impl ProgramInformation {
    /// A program type without helpers or functions of its own.
    pub fn new(name: &str, context: ContextDescriptor, writable: &[(usize, usize)]) -> Self {
        Self {
            name: name.into(),
            program_type: Vec::new(),
            context,
            is_privileged: false,
            helpers: Vec::new(),
            functions: Vec::new(),
            writable: writable.to_vec(),
            fields: Vec::new(),
        }
    }

    /// Check every number that the engine will trust.
    pub fn validate(&self) -> Result<()> {
        self.context.validate()?;
        let size = self.context.size as usize;
        for (offset, length) in &self.writable {
            if offset.checked_add(*length).is_none_or(|end| end > size) {
                return Err(EngineError::argument(format!(
                    "writable: ({offset}, {length}) does not fit into a context of {size} bytes"
                )));
            }
        }
        for ContextField {
            name,
            offset,
            size: own,
            ..
        } in &self.fields
        {
            if offset.checked_add(*own).is_none_or(|end| end > size) {
                return Err(EngineError::argument(format!(
                    "fields: {name}, {own} bytes at {offset}, does not fit into a context of {size}"
                )));
            }
        }
        for (id, function) in (FIRST_FUNCTION..).zip(&self.functions) {
            if id != function.prototype.id {
                return Err(EngineError::argument(format!(
                    "function {}: its id is {}, but its place in the table says {id}",
                    function.prototype.name, function.prototype.id
                )));
            }
            function.prototype.validate()?;
        }
        let mut ids: HashSet<u32> = self
            .functions
            .iter()
            .map(|each| each.prototype.id)
            .collect();
        if let Some(twice) = self.helpers.iter().find(|helper| !ids.insert(helper.id)) {
            return Err(EngineError::argument(format!(
                "helper {} ({}): another one has this id",
                twice.name, twice.id
            )));
        }
        self.helpers.iter().try_for_each(Prototype::validate)
    }

    /// (offset, size) of what no program may read.
    pub fn hidden(&self) -> Vec<(usize, usize)> {
        let hidden = self.fields.iter().filter(|field| field.is_hidden);
        hidden.map(|field| (field.offset, field.size)).collect()
    }

    /// The helper that the program type itself offers under this id.
    pub fn helper(&self, id: u32) -> Option<&Prototype> {
        self.helpers.iter().find(|helper| helper.id == id)
    }
}
