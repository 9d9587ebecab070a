//! Live maps: shared between programs, threads and the daemon.
//!
//! [`Map`] checks what every type has in common (sizes, flags, rights) and
//! hands on to the type's own store.  Rules and error codes are those of eBPF
//! for Windows.  Values have stable addresses, so a program may keep a pointer
//! to one until its invocation ends; see `epoch`.

mod array;
pub mod bytes;
pub mod epoch;
mod hash;
mod memory;

#[cfg(test)]
mod tests;

use crate::error::{EngineError, Result, ResultCode};
pub use array::ArrayLayout;

use array::Array;
use hash::Hash;

pub const TYPE_HASH: u32 = 1;
pub const TYPE_ARRAY: u32 = 2;

/// Bytes that a map's name must stay below.
const NAME_LENGTH: usize = 64;

/// Bytes of entries that are copied out at once.
const MAX_PAGE: usize = 16 << 20;

/// Names of `bpf_map_type`, by number, as eBPF for Windows counts them.
const TYPE_NAMES: [&str; 15] = [
    "UNSPEC",
    "HASH",
    "ARRAY",
    "PROG_ARRAY",
    "PERCPU_HASH",
    "PERCPU_ARRAY",
    "HASH_OF_MAPS",
    "ARRAY_OF_MAPS",
    "LRU_HASH",
    "LPM_TRIE",
    "QUEUE",
    "LRU_PERCPU_HASH",
    "STACK",
    "RINGBUF",
    "PERF_EVENT_ARRAY",
];

/// `BPF_ANY`, `BPF_NOEXIST`, `BPF_EXIST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    Any,
    NoExist,
    Exist,
}

impl Update {
    pub fn from_flags(flags: u64) -> Result<Self> {
        match flags {
            0 => Ok(Self::Any),
            1 => Ok(Self::NoExist),
            2 => Ok(Self::Exist),
            other => Err(EngineError::argument(format!(
                "flags is {other}: it must be 0 (any), 1 (no such key) or 2 (key exists)"
            ))),
        }
    }
}

/// One value in memory: where it begins and how many bytes it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueRange {
    pub address: usize,
    pub size: usize,
}

/// What a map is made of.
#[derive(Clone, Debug, Default)]
pub struct MapOptions {
    pub name: String,
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
    /// First bytes of an array; the rest is zero.
    pub initial: Option<Vec<u8>>,
    /// Programs may not write, neither through helpers nor through pointers.
    pub read_only: bool,
}

enum Store {
    Hash(Box<Hash>),
    Array(Array),
}

/// A live map.
pub struct Map {
    name: String,
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
    read_only: bool,
    store: Store,
}

impl Map {
    pub fn new(options: MapOptions) -> Result<Self> {
        check_options(&options)?;
        let store = match options.map_type {
            TYPE_HASH => {
                if options.initial.is_some() {
                    return Err(EngineError::argument("initial: a HASH map takes none"));
                }
                Store::Hash(Box::new(Hash::new(
                    options.key_size as usize,
                    options.value_size as usize,
                    options.max_entries as usize,
                )?))
            }
            _ => Store::Array(Array::new(
                options.value_size as usize,
                options.max_entries as usize,
                options.initial.as_deref().unwrap_or_default(),
            )?),
        };
        Ok(Self {
            name: options.name,
            map_type: options.map_type,
            key_size: options.key_size,
            value_size: options.value_size,
            max_entries: options.max_entries,
            flags: options.flags,
            read_only: options.read_only,
            store,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn map_type(&self) -> u32 {
        self.map_type
    }

    pub fn key_size(&self) -> usize {
        self.key_size as usize
    }

    pub fn value_size(&self) -> usize {
        self.value_size as usize
    }

    pub fn max_entries(&self) -> u32 {
        self.max_entries
    }

    pub fn flags(&self) -> u32 {
        self.flags
    }

    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// The address of a key's value; `None` if there is no such key.
    ///
    /// The caller must be pinned ([`epoch::pin`]) for as long as it uses it.
    pub fn value_address(&self, key: &[u8], _pin: &epoch::Pin) -> Result<Option<usize>> {
        self.check_key(key)?;
        Ok(match &self.store {
            Store::Hash(hash) => hash.find(key),
            Store::Array(array) => array.find(key),
        })
    }

    /// A copy of a key's value; OBJECT_NOT_FOUND if there is no such key.
    pub fn lookup(&self, key: &[u8]) -> Result<Vec<u8>> {
        self.check_key(key)?;
        let value = match &self.store {
            Store::Hash(hash) => hash.lookup(key),
            Store::Array(array) => array.lookup(key),
        };
        value.ok_or_else(|| EngineError::new(ResultCode::ObjectNotFound, "no entry has this key"))
    }

    /// Publish a value under a key.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<()> {
        self.check_key(key)?;
        if value.len() != self.value_size() {
            return Err(EngineError::argument(format!(
                "value has {} bytes, this map's values have {}",
                value.len(),
                self.value_size
            )));
        }
        let update = Update::from_flags(flags)?;
        match &self.store {
            Store::Hash(hash) => hash.update(key, value, update),
            Store::Array(array) => array.update(key, value, update),
        }
    }

    pub fn delete(&self, key: &[u8]) -> Result<()> {
        self.check_key(key)?;
        match &self.store {
            Store::Hash(hash) => hash.delete(key),
            Store::Array(array) => array.delete(key),
        }
    }

    /// The key that follows `key`, the first one without it; NO_MORE_KEYS at the end.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Vec<u8>> {
        if let Some(key) = key {
            self.check_key(key)?;
        }
        let next = match &self.store {
            Store::Hash(hash) => hash.next_key(key),
            Store::Array(array) => array.next_key(key),
        };
        next.ok_or_else(|| EngineError::new(ResultCode::NoMoreKeys, "there are no more keys"))
    }

    /// Up to `limit` entries that follow `after`, fewer if they are large; none at the end.
    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        if let Some(key) = after {
            self.check_key(key)?;
        }
        let size = self.key_size() + self.value_size();
        let limit = limit.min((MAX_PAGE / size).max(1));
        Ok(match &self.store {
            Store::Hash(hash) => hash.entries(after, limit),
            Store::Array(array) => array.entries(after, limit),
        })
    }

    /// The address of an array's first value, for direct references (`lddw` of kind 2).
    pub fn first_value(&self) -> Option<usize> {
        match &self.store {
            Store::Array(array) => Some(array.base()),
            Store::Hash(_) => None,
        }
    }

    /// Where an array's values lie, for code that finds them by itself.
    pub fn array_layout(&self) -> Option<ArrayLayout> {
        match &self.store {
            Store::Array(array) => Some(array.layout()),
            Store::Hash(_) => None,
        }
    }

    /// The value that `address` lies in, if it lies in one of this map.
    pub fn value_at(&self, address: usize) -> Option<ValueRange> {
        match &self.store {
            Store::Hash(hash) => hash.value_at(address),
            Store::Array(array) => array.value_at(address),
        }
    }

    fn check_key(&self, key: &[u8]) -> Result<()> {
        if key.len() == self.key_size() {
            return Ok(());
        }
        Err(EngineError::argument(format!(
            "key has {} bytes, this map's keys have {}",
            key.len(),
            self.key_size
        )))
    }
}

fn check_options(options: &MapOptions) -> Result<()> {
    if !matches!(options.map_type, TYPE_HASH | TYPE_ARRAY) {
        let name = TYPE_NAMES.get(options.map_type as usize);
        return Err(EngineError::new(
            ResultCode::OperationNotSupported,
            format!(
                "maps of type {} ({}) are not supported: use HASH (1) or ARRAY (2)",
                name.copied().unwrap_or("unknown"),
                options.map_type
            ),
        ));
    }
    if options.name.len() >= NAME_LENGTH {
        return Err(EngineError::argument(format!(
            "name has {} bytes: it must have fewer than {NAME_LENGTH}",
            options.name.len()
        )));
    }
    let fields = [
        ("key_size", options.key_size),
        ("value_size", options.value_size),
        ("max_entries", options.max_entries),
    ];
    for (field, value) in fields {
        if value == 0 {
            return Err(EngineError::argument(format!("{field} must not be 0")));
        }
    }
    if options.map_type == TYPE_ARRAY && options.key_size != 4 {
        return Err(EngineError::argument(format!(
            "key_size is {}: an ARRAY is indexed by 4 bytes",
            options.key_size
        )));
    }
    Ok(())
}
