//! Maps as users have them: whole values, copied in and out.

use super::array;
use super::hash::Written;
use super::{MAX_PAGE, Map, Store, Update, map_type, type_name};
use crate::error::{EngineError, Result, ResultCode};

impl Map {
    /// A copy of a key's value; OBJECT_NOT_FOUND if there is no such key.
    pub fn lookup(&self, key: &[u8]) -> Result<Vec<u8>> {
        self.check_key(key)?;
        let _pin = self.pin();
        let value = match &self.store {
            Store::Hash(hash) => hash.lookup(key),
            Store::Array(array) => array.lookup(key),
            Store::Lpm(lpm) => {
                let found = lpm.lookup(key);
                return found.ok_or_else(|| not_found(ResultCode::KeyNotFound));
            }
            Store::Queue(queue) => queue.peek()?,
            Store::Maps(maps) => id(maps.id(key)),
            Store::Programs(programs) => id(programs.id(key)),
            Store::Rings(_) => return Err(self.unsupported("lookup")),
        };
        value.ok_or_else(|| not_found(ResultCode::ObjectNotFound))
    }

    /// Publish a value under a key.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<()> {
        let _stays = self.stays();
        self.put(key, value, flags)
    }

    /// The same where the map stays: the caller holds it, or is pinned.
    pub(super) fn put(&self, key: &[u8], value: &[u8], flags: u64) -> Result<()> {
        self.check_key(key)?;
        self.check_value(value, self.user_value_size())?;
        if let Store::Queue(queue) = &self.store {
            return queue.push(value, flags);
        }
        let update = Update::from_flags(flags)?;
        match &self.store {
            Store::Hash(hash) => hash.update(key, Written::Whole(value), update).map(drop),
            Store::Array(array) => array.update(key, value, None, update),
            Store::Lpm(lpm) => lpm.update(key, value, update),
            Store::Maps(_) | Store::Programs(_) => Err(EngineError::argument(
                "value: a map of maps or programs takes objects, not bytes",
            )),
            Store::Queue(_) | Store::Rings(_) => Err(self.unsupported("update")),
        }
    }

    pub fn delete(&self, key: &[u8]) -> Result<()> {
        let _stays = self.stays();
        self.remove(key)
    }

    /// The same where the map stays: the caller holds it, or is pinned.
    pub(super) fn remove(&self, key: &[u8]) -> Result<()> {
        self.check_key(key)?;
        match &self.store {
            Store::Hash(hash) => hash.delete(key),
            Store::Array(array) => array.delete(key),
            Store::Lpm(lpm) => lpm.delete(key),
            Store::Maps(maps) if self.map_type == map_type::ARRAY_OF_MAPS => {
                let outside = array::number(key).is_none_or(|at| at >= self.max_entries as usize);
                if outside {
                    return Err(not_found(ResultCode::ObjectNotFound));
                }
                maps.clear(key)
            }
            Store::Maps(maps) => maps.clear(key),
            Store::Programs(programs) => programs.clear(key),
            Store::Queue(_) | Store::Rings(_) => Err(self.unsupported("delete")),
        }
    }

    /// Remove a key and return its value; of a queue or stack, the next value.
    pub fn take(&self, key: &[u8]) -> Result<Vec<u8>> {
        self.check_key(key)?;
        let _pin = self.pin();
        match &self.store {
            Store::Hash(hash) => hash.take(key).map_err(|error| match error.code {
                ResultCode::KeyNotFound => not_found(ResultCode::ObjectNotFound),
                _ => error,
            }),
            Store::Queue(queue) => queue
                .pop()?
                .ok_or_else(|| not_found(ResultCode::ObjectNotFound)),
            Store::Array(_) | Store::Lpm(_) => Err(EngineError::argument(format!(
                "a map of type {} cannot look up and delete at once",
                type_name(self.map_type)
            ))),
            _ => Err(self.unsupported("lookup and delete")),
        }
    }

    /// Add a value to a queue or stack; `BPF_EXIST` (2) drops the oldest of a full one.
    pub fn push(&self, value: &[u8], flags: u64) -> Result<()> {
        let _stays = self.stays();
        self.append(value, flags)
    }

    /// The same where the map stays: the caller holds it, or is pinned.
    pub(super) fn append(&self, value: &[u8], flags: u64) -> Result<()> {
        match &self.store {
            Store::Queue(_) => self.put(&[], value, flags),
            _ => Err(self.unsupported("push")),
        }
    }

    /// The key that follows `key`, the first one without it; NO_MORE_KEYS at the end.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Vec<u8>> {
        if let Some(key) = key {
            self.check_key(key)?;
        }
        let _pin = self.pin();
        let next = match &self.store {
            Store::Hash(hash) => hash.next_key(key)?,
            Store::Array(array) => array.next_key(key),
            Store::Lpm(lpm) => lpm.next_key(key)?,
            Store::Maps(maps) => maps.next_key(key)?,
            Store::Programs(programs) => programs.next_key(key)?,
            Store::Queue(_) | Store::Rings(_) => return Err(self.unsupported("next key")),
        };
        next.ok_or_else(|| EngineError::new(ResultCode::NoMoreKeys, "there are no more keys"))
    }

    /// Up to `limit` entries that follow `after`, fewer if they are large; none at the end.
    ///
    /// INVALID_OBJECT: what comes next was damaged by another process.
    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        if let Some(key) = after {
            self.check_key(key)?;
        }
        let size = self.key_size() + self.user_value_size();
        let limit = limit.min((MAX_PAGE / size.max(1)).max(1));
        let _pin = self.pin();
        match &self.store {
            Store::Hash(hash) => hash.entries(after, limit),
            Store::Array(array) => Ok(array.entries(after, limit)),
            Store::Lpm(lpm) => lpm.entries(after, limit),
            Store::Maps(maps) => maps.entries(after, limit),
            Store::Programs(programs) => programs.entries(after, limit),
            Store::Queue(_) | Store::Rings(_) => Err(self.unsupported("iteration")),
        }
    }

    /// Entries that can be found; of a queue or stack, values.
    pub fn count(&self) -> Option<usize> {
        match &self.store {
            Store::Hash(hash) => Some(hash.entries_found()),
            Store::Lpm(lpm) => Some(lpm.hash().entries_found()),
            Store::Array(array) => Some(array.count()),
            Store::Queue(queue) => Some(queue.entries()),
            _ => None,
        }
    }

    /// Let a map with keys have no more than `max_entries`, which for a HASH is else no limit.
    pub fn bind(&self) -> Result<()> {
        match &self.store {
            Store::Hash(hash) => {
                hash.bind(self.max_entries as usize);
                Ok(())
            }
            _ => Err(self.unsupported("limit of its own")),
        }
    }

    pub(super) fn check_key(&self, key: &[u8]) -> Result<()> {
        if key.len() == self.key_size() {
            return Ok(());
        }
        Err(EngineError::argument(format!(
            "key has {} bytes, this map's keys have {}",
            key.len(),
            self.key_size
        )))
    }

    pub(super) fn check_value(&self, value: &[u8], size: usize) -> Result<()> {
        if value.len() == size {
            return Ok(());
        }
        Err(EngineError::argument(format!(
            "value has {} bytes, this map's values have {size}",
            value.len()
        )))
    }
}

fn id(found: Option<u32>) -> Option<Vec<u8>> {
    found
        .filter(|id| *id != 0)
        .map(|id| id.to_le_bytes().to_vec())
}

fn not_found(code: ResultCode) -> EngineError {
    EngineError::new(code, "no entry has this key")
}
