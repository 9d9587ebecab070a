//! BTF type information, as far as map declarations, line tables and relocations need it.
//!
//! ```text
//!  header: magic u16, version u8, flags u8, hdr_len u32,
//!          type_off u32, type_len u32, str_off u32, str_len u32
//!  type:   name_off u32, info u32 (kind 24..29, kind_flag 31, vlen 0..16),
//!          size_or_type u32, then what the kind asks for
//! ```

use std::collections::HashMap;

use super::reader::{slice_at, string_at, u16_at, u32_at};
use crate::error::{EngineError, Result};

const MAGIC: u16 = 0xeb9f;
const MAX_TYPES: usize = 1 << 20;
const KIND_FLAG: u32 = 1 << 31;
/// Of an integer's encoding: it has a sign.
const SIGNED: u32 = 1 << 24;
/// Typedefs and qualifiers that may follow one another; more is a cycle.
const MAX_MODIFIERS: usize = 64;
/// The component of a tag that belongs to none.
const WHOLE: u32 = u32::MAX;
/// Nested arrays and structures when a size is computed.
const MAX_DEPTH: usize = 32;

mod kind {
    pub const INT: u32 = 1;
    pub const PTR: u32 = 2;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const FWD: u32 = 7;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC: u32 = 12;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const FLOAT: u32 = 16;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

#[derive(Clone, Debug)]
pub struct Member<'data> {
    pub name: &'data str,
    pub type_id: u32,
    /// Bits before it in its structure.
    pub offset: u32,
    /// Its bits, if it is a bit-field; else 0.
    pub bits: u32,
}

/// What may be said of a number: its kind beside its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Unsigned,
    Signed,
    Float,
}

#[derive(Clone, Debug)]
pub enum Type<'data> {
    Pointer {
        target: u32,
    },
    Array {
        element: u32,
        count: u32,
    },
    /// A union is one whose members all begin at 0.
    Struct {
        name: &'data str,
        size: u32,
        members: Vec<Member<'data>>,
    },
    /// Typedefs, qualifiers and tags: they only stand for another type; all but typedefs
    /// without a name.
    Alias {
        name: &'data str,
        target: u32,
    },
    Variable {
        name: &'data str,
        type_id: u32,
    },
    DataSection {
        name: &'data str,
        variables: Vec<u32>,
    },
    Function {
        name: &'data str,
    },
    Prototype,
    /// What an attribute says of a whole declaration.
    Tag {
        target: u32,
        text: &'data str,
    },
    Number {
        name: &'data str,
        size: u32,
        number: Number,
    },
    Enumeration {
        name: &'data str,
        size: u32,
        signed: bool,
        /// Names with their values, as 64 bits.
        values: Vec<(&'data str, u64)>,
    },
    Void,
}

/// All types of one object; type 0 is `void`.
pub struct Types<'data> {
    types: Vec<Type<'data>>,
    strings: &'data [u8],
}

fn damaged(what: &str) -> EngineError {
    EngineError::elf(format!("section .BTF is damaged: {what}"))
}

impl<'data> Types<'data> {
    pub fn parse(data: &'data [u8]) -> Result<Self> {
        if u16_at(data, 0) != Some(MAGIC) {
            return Err(damaged("it does not begin with 0xeb9f"));
        }
        let field = |offset| {
            u32_at(data, offset)
                .map(|value| value as usize)
                .ok_or_else(|| damaged("its header is cut off"))
        };
        let header = field(4)?;
        let part = |offset: usize, length: usize| {
            header
                .checked_add(offset)
                .and_then(|start| slice_at(data, start, length))
                .ok_or_else(|| damaged("a part of it lies outside"))
        };
        let mut types = Self {
            types: vec![Type::Void],
            strings: part(field(16)?, field(20)?)?,
        };
        types.read_types(part(field(8)?, field(12)?)?)?;
        Ok(types)
    }

    /// The string at an offset of the string table; empty if there is none.
    pub fn string(&self, offset: u32) -> &'data str {
        string_at(self.strings, offset as usize).unwrap_or_default()
    }

    /// All types with their ids.
    pub fn all(&self) -> impl Iterator<Item = (u32, &Type<'data>)> {
        (0..).zip(&self.types)
    }

    /// The type with this id itself.
    pub fn get(&self, id: u32) -> Result<&Type<'data>> {
        let found = self.types.get(id as usize);
        found.ok_or_else(|| damaged(&format!("type {id} does not exist")))
    }

    /// The type with this id, behind its typedefs and qualifiers.
    pub fn resolve(&self, id: u32) -> Result<&Type<'data>> {
        let mut id = id;
        for _ in 0..MAX_MODIFIERS {
            match self.types.get(id as usize) {
                Some(Type::Alias { target, .. }) => id = *target,
                Some(found) => return Ok(found),
                None => return Err(damaged(&format!("type {id} does not exist"))),
            }
        }
        Err(damaged(&format!("type {id} is defined by itself")))
    }

    /// The names of a section's variables, with their types.
    pub fn section_variables(&self, section: &str) -> Result<Vec<(&'data str, u32)>> {
        let wanted = self.types.iter().find_map(|found| match found {
            Type::DataSection { name, variables } if *name == section => Some(variables),
            _ => None,
        });
        let variable = |id: &u32| match self.resolve(*id)? {
            Type::Variable { name, type_id } => Ok((*name, *type_id)),
            _ => Err(damaged(&format!("section {section} holds no variable"))),
        };
        wanted.into_iter().flatten().map(variable).collect()
    }

    /// The names of the functions that a section declares, each with its tags.
    pub fn section_functions(&self, section: &str) -> Result<Vec<(&'data str, Vec<&'data str>)>> {
        let mut tags: HashMap<u32, Vec<&'data str>> = HashMap::new();
        for found in &self.types {
            if let Type::Tag { target, text } = found {
                tags.entry(*target).or_default().push(text);
            }
        }
        let wanted = self.types.iter().find_map(|found| match found {
            Type::DataSection { name, variables } if *name == section => Some(variables),
            _ => None,
        });
        let mut functions = Vec::new();
        for id in wanted.into_iter().flatten() {
            // Variables of other modules are no functions, and are refused where they are used.
            if let Type::Function { name } = self.resolve(*id)? {
                functions.push((*name, tags.remove(id).unwrap_or_default()));
            }
        }
        Ok(functions)
    }

    /// Bytes that a value of the type takes.
    pub fn size_of(&self, id: u32) -> Result<u32> {
        self.size_within(id, MAX_DEPTH)
    }

    fn size_within(&self, id: u32, depth: usize) -> Result<u32> {
        if depth == 0 {
            return Err(damaged("types are nested too deeply"));
        }
        match self.resolve(id)? {
            Type::Number { size, .. }
            | Type::Enumeration { size, .. }
            | Type::Struct { size, .. } => Ok(*size),
            Type::Pointer { .. } => Ok(8),
            Type::Array { element, count } => self
                .size_within(*element, depth - 1)?
                .checked_mul(*count)
                .ok_or_else(|| damaged("an array is larger than 4 GiB")),
            _ => Err(damaged(&format!("type {id} has no size"))),
        }
    }

    fn read_types(&mut self, data: &[u8]) -> Result<()> {
        let mut offset = 0;
        while offset < data.len() {
            if self.types.len() > MAX_TYPES {
                return Err(damaged("it has too many types"));
            }
            let cut = || damaged("a type is cut off");
            let name = self.string(u32_at(data, offset).ok_or_else(cut)?);
            let info = u32_at(data, offset + 4).ok_or_else(cut)?;
            let size = u32_at(data, offset + 8).ok_or_else(cut)?;
            let (kind, count, flag) = ((info >> 24) & 0x1f, info & 0xffff, info & KIND_FLAG != 0);
            offset += 12;
            let length = extra_length(kind, count as usize)?;
            let extra = slice_at(data, offset, length).ok_or_else(cut)?;
            offset += length;
            let found = self.read_type(kind, flag, name, size, extra)?;
            self.types.push(found);
        }
        Ok(())
    }

    fn read_type(
        &self,
        kind: u32,
        flag: bool,
        name: &'data str,
        size: u32,
        extra: &[u8],
    ) -> Result<Type<'data>> {
        let word = |index: usize| u32_at(extra, index * 4).unwrap_or(0);
        Ok(match kind {
            kind::PTR => Type::Pointer { target: size },
            kind::ARRAY => Type::Array {
                element: word(0),
                count: word(2),
            },
            kind::STRUCT | kind::UNION => Type::Struct {
                name,
                size,
                members: (0..extra.len() / 12)
                    .map(|i| {
                        member(
                            flag,
                            self.string(word(i * 3)),
                            word(i * 3 + 1),
                            word(i * 3 + 2),
                        )
                    })
                    .collect(),
            },
            kind::TYPEDEF => Type::Alias { name, target: size },
            kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => Type::Alias {
                name: "",
                target: size,
            },
            kind::VAR => Type::Variable {
                name,
                type_id: size,
            },
            kind::DATASEC => Type::DataSection {
                name,
                variables: (0..extra.len() / 12).map(|i| word(i * 3)).collect(),
            },
            kind::FUNC => Type::Function { name },
            kind::FUNC_PROTO => Type::Prototype,
            kind::DECL_TAG if word(0) == WHOLE => Type::Tag {
                target: size,
                text: name,
            },
            kind::FWD | kind::DECL_TAG => Type::Void,
            kind::ENUM => Type::Enumeration {
                name,
                size,
                signed: flag,
                values: (0..extra.len() / 8)
                    .map(|i| (self.string(word(i * 2)), extended(word(i * 2 + 1), flag)))
                    .collect(),
            },
            kind::ENUM64 => Type::Enumeration {
                name,
                size,
                signed: flag,
                values: (0..extra.len() / 12)
                    .map(|i| {
                        let low = u64::from(word(i * 3 + 1));
                        (
                            self.string(word(i * 3)),
                            low | u64::from(word(i * 3 + 2)) << 32,
                        )
                    })
                    .collect(),
            },
            kind::FLOAT => Type::Number {
                name,
                size,
                number: Number::Float,
            },
            _ => Type::Number {
                name,
                size,
                number: if word(0) & SIGNED == 0 {
                    Number::Unsigned
                } else {
                    Number::Signed
                },
            },
        })
    }
}

/// With the flag a member's offset says how wide the bit-field is, too.
fn member(flag: bool, name: &str, type_id: u32, offset: u32) -> Member<'_> {
    let (bits, offset) = match flag {
        true => (offset >> 24, offset & 0xff_ffff),
        false => (0, offset),
    };
    Member {
        name,
        type_id,
        offset,
        bits,
    }
}

/// A number of 32 bits as one of 64.
fn extended(value: u32, signed: bool) -> u64 {
    match signed {
        true => i64::from(value as i32) as u64,
        false => u64::from(value),
    }
}

/// Bytes that follow the fixed part of a type.
fn extra_length(kind: u32, count: usize) -> Result<usize> {
    Ok(match kind {
        kind::INT | kind::VAR | kind::DECL_TAG => 4,
        kind::ARRAY => 12,
        kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => count * 12,
        kind::ENUM | kind::FUNC_PROTO => count * 8,
        kind::PTR
        | kind::FWD
        | kind::TYPEDEF
        | kind::VOLATILE
        | kind::CONST
        | kind::RESTRICT
        | kind::FUNC
        | kind::FLOAT
        | kind::TYPE_TAG => 0,
        other => return Err(damaged(&format!("{other} is no kind of type"))),
    })
}
