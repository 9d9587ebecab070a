//! What map types there are, and what a declaration of each must say.

use super::objects::ID;
use crate::error::{EngineError, Result, ResultCode};
use crate::map_type::{self, name};

/// Bytes that a map's name must stay below.
const NAME_LENGTH: usize = 64;
/// Bytes that a key may have: it is copied, hashed and compared as a whole.
const MAX_KEY: u32 = 1 << 20;

/// What a size in a declaration must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Any,
    Exactly(u32),
}

/// What a type's store does differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// Every lane has values of its own.
    pub per_cpu: bool,
    /// A full map gives up its oldest entry.
    pub evicts: bool,
}

impl Kind {
    pub fn of(map_type: u32) -> Self {
        use map_type::{LRU_HASH, LRU_PERCPU_HASH, PERCPU_ARRAY, PERCPU_HASH, PERF_EVENT_ARRAY};
        Self {
            per_cpu: matches!(
                map_type,
                PERCPU_HASH | PERCPU_ARRAY | LRU_PERCPU_HASH | PERF_EVENT_ARRAY
            ),
            evicts: matches!(map_type, LRU_HASH | LRU_PERCPU_HASH),
        }
    }
}

/// Check what a declaration says about sizes.
pub fn check(
    name_given: &str,
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
) -> Result<()> {
    let Some((key, value)) = sizes(map_type) else {
        return Err(EngineError::new(
            ResultCode::OperationNotSupported,
            format!(
                "type is {map_type} ({}): the types are HASH (1) to PERF_EVENT_ARRAY (14)",
                name(map_type)
            ),
        ));
    };
    if name_given.len() >= NAME_LENGTH {
        return Err(EngineError::argument(format!(
            "name has {} bytes: it must have fewer than {NAME_LENGTH}",
            name_given.len()
        )));
    }
    check_size("key_size", map_type, key_size, key)?;
    check_size("value_size", map_type, value_size, value)?;
    if key_size > MAX_KEY {
        return Err(EngineError::argument(format!(
            "key_size is {key_size}: it must be at most {MAX_KEY}"
        )));
    }
    if max_entries == 0 {
        return Err(EngineError::argument("max_entries must not be 0"));
    }
    Ok(())
}

/// What key and value sizes must be; `None` for a number that is no type.
fn sizes(number: u32) -> Option<(Size, Size)> {
    use crate::map_type as t;
    const INDEX: Size = Size::Exactly(4);
    const OBJECT: Size = Size::Exactly(ID);
    const NOTHING: Size = Size::Exactly(0);
    Some(match number {
        t::HASH | t::PERCPU_HASH | t::LRU_HASH | t::LRU_PERCPU_HASH | t::LPM_TRIE => {
            (Size::Any, Size::Any)
        }
        t::ARRAY | t::PERCPU_ARRAY => (INDEX, Size::Any),
        t::PROG_ARRAY | t::ARRAY_OF_MAPS => (INDEX, OBJECT),
        t::HASH_OF_MAPS => (Size::Any, OBJECT),
        t::QUEUE | t::STACK => (NOTHING, Size::Any),
        t::RINGBUF | t::PERF_EVENT_ARRAY => (NOTHING, NOTHING),
        _ => return None,
    })
}

fn check_size(field: &str, map_type: u32, size: u32, wanted: Size) -> Result<()> {
    let name = name(map_type);
    match wanted {
        Size::Any if size == 0 => Err(EngineError::argument(format!("{field} must not be 0"))),
        Size::Exactly(exact) if size != exact => Err(EngineError::argument(format!(
            "{field} is {size}: for a map of type {name} it must be {exact}"
        ))),
        _ => Ok(()),
    }
}
