//! Maps as programs and as their loader use them: addresses, lanes, objects, records.

use std::sync::{Arc, PoisonError};

use super::hash::Written;
use super::{InnerMap, Map, Records, Rings, Store, Update, ValueRange, epoch, map_type, type_name};
use crate::error::{EngineError, Result, ResultCode};
use crate::exec::Program;

/// What must be equal for programs to call each other: the identity of their type.
pub type ProgramKey = Arc<[u8]>;

impl Map {
    /// The address of a key's value, or of an inner map; `None` if there is no such key.
    ///
    /// The caller must be pinned for as long as it uses it.
    #[inline]
    pub fn value_address(
        &self,
        key: &[u8],
        lane: usize,
        _pin: &epoch::Pin<'_>,
    ) -> Result<Option<usize>> {
        if key.len() != self.key_size() {
            return Ok(None);
        }
        Ok(match &self.store {
            Store::Hash(hash) => hash.find(key, lane),
            Store::Array(array) => array.find(key, lane),
            Store::Lpm(lpm) => lpm.find(key),
            Store::Queue(queue) => queue.peek_address()?,
            Store::Maps(maps) => maps.find(key).map(|map| map as usize),
            // A program must not touch another one but by calling it.
            Store::Programs(_) | Store::Rings(_) => None,
        })
    }

    /// Remove a key and say where its value lies, which stays readable while the caller is pinned.
    pub fn take_address(
        &self,
        key: &[u8],
        lane: usize,
        _pin: &epoch::Pin<'_>,
    ) -> Result<Option<usize>> {
        if key.len() != self.key_size() {
            return Ok(None);
        }
        match &self.store {
            Store::Hash(hash) => hash.take_address(key, lane),
            Store::Queue(queue) => queue.pop_address(),
            _ => Ok(None),
        }
    }

    /// Publish a value as a program gives it: of a per-CPU map its own lane's.
    ///
    /// The pin keeps the map where it is: a program holds nothing beside it, and waits for nobody
    /// who waits for its pin.
    pub fn update_lane(
        &self,
        key: &[u8],
        value: &[u8],
        flags: u64,
        lane: usize,
        _pin: &epoch::Pin<'_>,
    ) -> Result<()> {
        self.check_key(key)?;
        self.check_value(value, self.value_size())?;
        match &self.store {
            Store::Hash(hash) => {
                let update = Update::from_flags(flags)?;
                hash.update(key, Written::Lane(lane, value), update)
                    .map(drop)
            }
            Store::Array(array) => array.update(key, value, Some(lane), Update::from_flags(flags)?),
            _ => self.put(key, value, flags),
        }
    }

    /// Remove a key, for a program.
    pub fn delete_pinned(&self, key: &[u8], _pin: &epoch::Pin<'_>) -> Result<()> {
        self.remove(key)
    }

    /// Add a value to a queue or stack, for a program.
    pub fn push_pinned(&self, value: &[u8], flags: u64, _pin: &epoch::Pin<'_>) -> Result<()> {
        self.append(value, flags)
    }

    /// A copy of the next value of a queue or stack, which leaves the map.
    pub fn pop(&self) -> Result<Vec<u8>> {
        match &self.store {
            Store::Queue(_) => self.take(&[]),
            _ => Err(self.unsupported("pop")),
        }
    }

    /// A copy of the next value of a queue or stack.
    pub fn peek(&self) -> Result<Vec<u8>> {
        match &self.store {
            Store::Queue(_) => self.lookup(&[]),
            _ => Err(self.unsupported("peek")),
        }
    }

    /// Add a record, of these parts, to a ring buffer or to a lane of a perf event array.
    pub fn output(&self, lane: usize, parts: &[&[u8]]) -> Result<()> {
        self.rings()?.output(lane, parts)
    }

    /// Take up to `limit` records, about `size` bytes of them.
    pub fn read(&self, limit: usize, size: usize) -> Result<Records> {
        self.rings()?.read(limit, size)
    }

    /// A descriptor that becomes readable when a record comes after [`Map::arm`].
    pub fn event(&self) -> Result<i32> {
        Ok(self.rings()?.event())
    }

    /// Ask for an event; `false` if there are records already.
    pub fn arm(&self) -> Result<bool> {
        Ok(self.rings()?.arm())
    }

    /// Signal the event: a producer may have ended before it did.
    pub fn wake(&self) -> Result<()> {
        self.rings()?.wake();
        Ok(())
    }

    fn rings(&self) -> Result<&Rings> {
        match &self.store {
            Store::Rings(rings) => Ok(rings),
            _ => Err(self.unsupported("records")),
        }
    }

    /// Records that were dropped because nobody read them.
    pub fn lost(&self) -> u64 {
        match &self.store {
            Store::Rings(rings) => rings.lost(),
            _ => 0,
        }
    }

    /// Whether this map is one of those with records.
    pub fn has_records(&self) -> bool {
        map_type::has_records(self.map_type)
    }

    /// Put a map under a key of a map of maps; users see `id`.
    pub fn set_map(&self, key: &[u8], map: Arc<Map>, id: u32, flags: u64) -> Result<()> {
        self.check_key(key)?;
        let update = Update::from_flags(flags)?;
        let Store::Maps(maps) = &self.store else {
            return Err(self.unsupported("map under a key"));
        };
        if self.inner != Some(map.template()) {
            return Err(EngineError::new(
                ResultCode::InvalidObject,
                format!(
                    "map {} does not equal the template of {}: {}",
                    map.name(),
                    self.name(),
                    difference(self.inner, map.template())
                ),
            ));
        }
        // What a program finds in a map of maps, compiled code takes for writable.
        if map.read_only() {
            return Err(EngineError::new(
                ResultCode::InvalidObject,
                format!("map {} is read-only: it cannot be an inner map", map.name()),
            ));
        }
        maps.set(key, map, id, update)
    }

    /// Put a program under a key of a PROG_ARRAY; users see `id`.
    pub fn set_program(
        &self,
        key: &[u8],
        program: Arc<Program>,
        id: u32,
        flags: u64,
    ) -> Result<()> {
        self.check_key(key)?;
        let update = Update::from_flags(flags)?;
        let Store::Programs(programs) = &self.store else {
            return Err(self.unsupported("program under a key"));
        };
        self.bind_program_type(program.key())?;
        programs.set(key, program, id, update)
    }

    /// Fix the type of a PROG_ARRAY's programs; INVALID_FD if it is another one already.
    pub fn bind_program_type(&self, key: &ProgramKey) -> Result<()> {
        if !matches!(self.store, Store::Programs(_)) {
            return Ok(());
        }
        let mut known = self
            .program_type
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) if known != key => Err(EngineError::new(
                ResultCode::InvalidFd,
                format!(
                    "PROG_ARRAY {} holds programs of another program type",
                    self.name()
                ),
            )),
            _ => {
                *known = Some(Arc::clone(key));
                Ok(())
            }
        }
    }

    /// The program under an index of a PROG_ARRAY.  The caller must be pinned while it uses it.
    pub fn program_at(&self, index: u32, _pin: &epoch::Pin<'_>) -> Option<*const Program> {
        match &self.store {
            Store::Programs(programs) => programs.find(&index.to_le_bytes()),
            _ => None,
        }
    }

    /// Whether a program that this map holds may wait for an extension.
    pub fn may_block(&self) -> bool {
        match &self.store {
            Store::Programs(programs) => programs.any(Program::blocks_itself),
            _ => false,
        }
    }

    /// Let go of the objects that a map of maps or programs holds.
    pub fn clear_objects(&self) {
        match &self.store {
            Store::Maps(maps) => maps.clear_all(),
            Store::Programs(programs) => programs.clear_all(),
            _ => {}
        }
    }

    /// The address of an array's first value, for direct references (`lddw` of kind 2).
    pub fn first_value(&self) -> Option<usize> {
        match &self.store {
            Store::Array(array) if self.map_type == map_type::ARRAY => Some(array.base()),
            _ => None,
        }
    }

    /// The value that `address` lies in, if it lies in one that this lane may touch.
    pub fn value_at(&self, address: usize, lane: usize) -> Option<ValueRange> {
        match &self.store {
            Store::Hash(hash) => hash.value_at(address, lane),
            Store::Array(array) => array.value_at(address, lane),
            Store::Lpm(lpm) => lpm.value_at(address),
            Store::Queue(queue) => queue.value_at(address),
            Store::Maps(_) | Store::Programs(_) | Store::Rings(_) => None,
        }
    }

    /// What one lookup costs beside its key, in tries.
    pub fn lookup_tries(&self) -> u64 {
        match &self.store {
            Store::Lpm(lpm) => lpm.lengths() as u64,
            _ => 0,
        }
    }
}

fn difference(template: Option<InnerMap>, map: InnerMap) -> String {
    let Some(template) = template else {
        return "there is none".to_owned();
    };
    if template.map_type != map.map_type {
        let (wanted, given) = (type_name(template.map_type), type_name(map.map_type));
        return format!("type must be {wanted}, not {given}");
    }
    let fields = [
        ("key_size", template.key_size, map.key_size),
        ("value_size", template.value_size, map.value_size),
        ("max_entries", template.max_entries, map.max_entries),
    ];
    fields
        .iter()
        .find(|(_, wanted, given)| wanted != given)
        .map_or_else(String::new, |(field, wanted, given)| {
            format!("{field} must be {wanted}, not {given}")
        })
}
