//! Many entries at once, in order, until one fails.

use super::{Map, Store};
use crate::error::{EngineError, Result, ResultCode};

impl Map {
    /// Update keys that stand one behind the other; how many there were.
    ///
    /// The first that fails ends it, and its error says which it was.
    pub fn update_batch(&self, keys: &[u8], values: &[u8], flags: u64) -> Result<usize> {
        let count = self.count_keys(keys)?;
        let size = self.user_value_size();
        let wanted = count.saturating_mul(size);
        if values.len() != wanted {
            return Err(EngineError::argument(format!(
                "values have {} bytes, {count} values of this map have {wanted}",
                values.len(),
            )));
        }
        let pairs = keys.chunks(self.key_size()).zip(values.chunks(size));
        for (index, (key, value)) in pairs.enumerate() {
            self.update(key, value, flags)
                .map_err(|error| at(index, error))?;
        }
        Ok(count)
    }

    /// Delete keys that stand one behind the other; how many there were.
    pub fn delete_batch(&self, keys: &[u8]) -> Result<usize> {
        let count = self.count_keys(keys)?;
        for (index, key) in keys.chunks(self.key_size()).enumerate() {
            self.delete(key).map_err(|error| at(index, error))?;
        }
        Ok(count)
    }

    /// Remove up to `limit` entries that follow `after`, and return them; none at the end.
    ///
    /// Entries of an array cannot go: they are set to zero.
    pub fn take_entries(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut taken = Vec::new();
        for (key, seen) in self.entries(after, limit)? {
            let value = match &self.store {
                Store::Hash(_) => self.take(&key),
                _ => self.delete(&key).map(|()| seen),
            };
            match value {
                Ok(value) => taken.push((key, value)),
                // What somebody else removed meanwhile is not ours to return.
                Err(error) if is_missing(&error) => {}
                // What was removed already must not be lost with the error.
                Err(_) if !taken.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    fn count_keys(&self, keys: &[u8]) -> Result<usize> {
        let size = self.key_size();
        if size == 0 {
            return Err(self.unsupported("batch of keys"));
        }
        if keys.is_empty() || !keys.len().is_multiple_of(size) {
            return Err(EngineError::argument(format!(
                "keys have {} bytes: they must be one or more keys of {size} bytes",
                keys.len()
            )));
        }
        Ok(keys.len() / size)
    }
}

fn at(index: usize, error: EngineError) -> EngineError {
    EngineError::new(error.code, format!("entry {index}: {}", error.message))
}

fn is_missing(error: &EngineError) -> bool {
    matches!(
        error.code,
        ResultCode::ObjectNotFound | ResultCode::KeyNotFound
    )
}
