//! Live maps: shared between programs, threads, processes and the daemon.
//!
//! ```text
//!   Map          what all types have in common: sizes, flags, rights
//!     array  hash (lru)  lpm  queue  ring  objects      one store for each family
//!       pool  retired                 entries: handed out, published, used again
//!         arena  backing              one mapping with a header and regions
//!         epoch  lock  peers  lanes   who may see what, who may change what
//! ```
//!
//! Rules and error codes are those of eBPF for Windows.  Values have stable
//! addresses, so a program may keep a pointer to one until its invocation ends;
//! see `epoch`.  What users do (whole values, ids) and what programs do (their
//! lane's values, addresses) differs; `access` has the programs' side.

mod access;
mod arena;
mod array;
pub(crate) mod backing;
mod batch;
pub mod budget;
pub mod bytes;
mod change;
mod direct;
pub mod epoch;
mod guard;
mod hash;
mod hashing;
mod kind;
pub mod lanes;
mod lock;
mod lpm;
mod lru;
mod numbers;
mod objects;
mod options;
mod peers;
mod pool;
mod queue;
mod renew;
mod retired;
mod ring;
mod user;
mod walk;

#[cfg(test)]
mod tests;

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

pub use access::ProgramKey;
use arena::{Arena, Identity};
use array::Array;
pub use backing::Storage;
pub use direct::DirectLookup;
pub(crate) use epoch::{SHARED_SLOT, SLOTS};
use hash::Hash;
use kind::Kind;
use lpm::Lpm;
pub(crate) use numbers::own as thread_number;
use objects::Objects;
pub use options::{InnerMap, MapOptions, Update, ValueRange};
use queue::Queue;
use ring::Rings;
pub use ring::{Record, Records};

use crate::error::{EngineError, Result, ResultCode};
use crate::exec::Program;
pub use crate::map_type::{self, name as type_name};

/// Bytes of entries that are copied out at once.
const MAX_PAGE: usize = 16 << 20;

enum Store {
    Hash(Box<Hash>),
    Array(Array),
    Lpm(Box<Lpm>),
    Queue(Queue),
    Rings(Rings),
    Maps(Objects<Map>),
    Programs(Objects<Program>),
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
    inner: Option<InnerMap>,
    lanes: usize,
    /// The type of the programs that a PROG_ARRAY is for, once it is known.
    program_type: Mutex<Option<ProgramKey>>,
    store: Store,
}

impl Map {
    pub fn new(options: MapOptions) -> Result<Self> {
        kind::check(
            &options.name,
            options.map_type,
            options.key_size,
            options.value_size,
            options.max_entries,
        )?;
        if options.initial.is_some() && options.map_type != map_type::ARRAY {
            return Err(EngineError::argument(format!(
                "initial: only an ARRAY takes first bytes, not a map of type {}",
                type_name(options.map_type)
            )));
        }
        let holds_maps = map_type::holds_maps(options.map_type);
        if holds_maps && options.inner.is_none() {
            return Err(EngineError::new(
                ResultCode::InvalidFd,
                "inner is missing: a map of maps needs a template of its inner maps",
            ));
        }
        let lanes = options.lanes() as usize;
        let store = Store::new(
            options.initial.as_deref(),
            identity(&options),
            options.storage,
            options.event,
        )?;
        Ok(Self {
            name: options.name,
            map_type: options.map_type,
            key_size: options.key_size,
            value_size: options.value_size,
            max_entries: options.max_entries,
            flags: options.flags,
            read_only: options.read_only,
            inner: options.inner.filter(|_| holds_maps),
            lanes,
            program_type: Mutex::new(None),
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

    /// Bytes of a value as it was declared, and as programs see it.
    pub fn value_size(&self) -> usize {
        self.value_size as usize
    }

    /// Bytes of a value as users see it: of a per-CPU map all lanes, each padded to 8.
    pub fn user_value_size(&self) -> usize {
        match &self.store {
            Store::Hash(hash) => hash.pool().user_size(),
            Store::Array(array) => array.user_size(),
            _ => self.value_size(),
        }
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

    /// What an inner map must be like.
    pub fn inner(&self) -> Option<InnerMap> {
        self.inner
    }

    /// What this map is like, as a template.
    pub fn template(&self) -> InnerMap {
        InnerMap {
            map_type: self.map_type,
            key_size: self.key_size,
            value_size: self.value_size,
            max_entries: self.max_entries,
        }
    }

    /// Whether each lane has values of its own.
    pub fn is_per_cpu(&self) -> bool {
        Kind::of(self.map_type).per_cpu
    }

    /// Values that each entry has, or rings that the map has: 0 if it is not per-CPU.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// The domain to pin beside the process's own, if other processes may have this map.
    pub fn shared_domain(&self) -> Option<&Arc<epoch::Domain>> {
        self.arena()?.shared_domain()
    }

    /// The file or memfd that the map lives in.
    pub fn file(&self) -> Option<&std::fs::File> {
        self.arena()?.backing().file()
    }

    /// Bytes of addresses that the map takes; memory is taken as it is used.
    pub fn reserved(&self) -> usize {
        self.arena().map_or(0, |arena| arena.backing().length())
    }

    fn arena(&self) -> Option<&Arena> {
        match &self.store {
            Store::Hash(hash) => Some(hash.arena()),
            Store::Array(array) => Some(array.arena()),
            Store::Lpm(lpm) => Some(lpm.hash().arena()),
            Store::Queue(queue) => Some(queue.arena()),
            Store::Rings(rings) => Some(rings.arena()),
            Store::Maps(_) | Store::Programs(_) => None,
        }
    }

    /// Pin this thread for work on this map.
    fn pin(&self) -> epoch::Pin<'_> {
        epoch::pin_with(self.shared_domain().map_or(&[], std::slice::from_ref))
    }

    /// Keep the map where it is, for a change by somebody who is not pinned: of what he replaces he
    /// may need the room at once.
    fn stays(&self) -> Option<epoch::Hold<'_>> {
        self.shared_domain().map(|domain| domain.hold())
    }

    fn unsupported(&self, operation: &str) -> EngineError {
        EngineError::new(
            ResultCode::OperationNotSupported,
            format!(
                "a map of type {} has no {operation}",
                type_name(self.map_type)
            ),
        )
    }
}

impl Store {
    fn new(
        initial: Option<&[u8]>,
        identity: Identity,
        storage: Storage,
        event: Option<OwnedFd>,
    ) -> Result<Self> {
        use self::map_type as t;
        let kind = Kind::of(identity.map_type);
        Ok(match identity.map_type {
            t::ARRAY | t::PERCPU_ARRAY => Self::Array(Array::new(
                storage,
                identity,
                kind,
                initial.unwrap_or_default(),
            )?),
            t::LPM_TRIE => Self::Lpm(Box::new(Lpm::new(storage, identity, kind)?)),
            t::QUEUE => Self::Queue(Queue::new(storage, identity, false)?),
            t::STACK => Self::Queue(Queue::new(storage, identity, true)?),
            t::RINGBUF => Self::Rings(Rings::new(storage, identity, false, event)?),
            t::PERF_EVENT_ARRAY => Self::Rings(Rings::new(storage, identity, true, event)?),
            t::HASH_OF_MAPS => Self::Maps(Objects::new(storage, identity, true)?),
            t::ARRAY_OF_MAPS => Self::Maps(Objects::new(storage, identity, false)?),
            t::PROG_ARRAY => Self::Programs(Objects::new(storage, identity, false)?),
            _ => Self::Hash(Box::new(Hash::new(storage, identity, kind, 0)?)),
        })
    }
}

fn identity(options: &MapOptions) -> Identity {
    Identity {
        map_type: options.map_type,
        key_size: options.key_size,
        value_size: options.value_size,
        max_entries: options.max_entries,
        flags: options.flags,
        lanes: options.lanes(),
    }
}
