//! What a map is declared with, and what an update may find.

use std::os::fd::OwnedFd;

use super::kind::Kind;
use super::{Storage, lanes};
use crate::error::{EngineError, Result};
use crate::spec::MapSpec;

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
#[derive(Debug, Default)]
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
    /// What inner maps must be like, for a map of maps.
    pub inner: Option<InnerMap>,
    pub storage: Storage,
    /// Lanes of whoever has made the map that is in `storage`; `None`: as many as there are here.
    pub lanes: Option<u32>,
    /// Signalled when records come while somebody waits; `None`: an event of its own.
    pub event: Option<OwnedFd>,
}

impl MapOptions {
    /// Values that each entry has, or rings that the map has: 0 if it is not per-CPU.
    pub(super) fn lanes(&self) -> u32 {
        match Kind::of(self.map_type).per_cpu {
            true => self.lanes.unwrap_or(lanes::count() as u32),
            false => 0,
        }
    }

    /// What an object file declares; `specs` are all of its maps, for templates of inner ones.
    pub fn of(spec: &MapSpec, specs: &[MapSpec]) -> Self {
        let inner = spec.inner.and_then(|index| specs.get(index));
        Self {
            name: spec.name.clone(),
            map_type: spec.map_type,
            key_size: spec.key_size,
            value_size: spec.value_size,
            max_entries: spec.max_entries,
            flags: spec.flags,
            initial: spec.initial.clone(),
            read_only: spec.read_only,
            inner: inner.map(|template| InnerMap {
                map_type: template.map_type,
                key_size: template.key_size,
                value_size: template.value_size,
                max_entries: template.max_entries,
            }),
            ..Self::default()
        }
    }
}

/// The template of a map of maps: an inner map must equal it in all of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InnerMap {
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
}
