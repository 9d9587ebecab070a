//! ARRAY: values side by side, found by a 32-bit index.
//!
//! ```text
//!   base -> | value 0 | pad | value 1 | pad | ...      each at a multiple of 8
//! ```
//!
//! Sound because: `address` only ever gets an index below `count`, and the
//! mapping has `count` strides, each with room for a value.

use super::bytes;
use super::memory::Memory;
use super::{Update, ValueRange};
use crate::error::{EngineError, Result};

/// Bytes that an array may have, as in eBPF for Windows.
const MAX_SIZE: usize = 128 << 30;

/// The place of value `index` is `base + index * stride` for each index below `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayLayout {
    pub base: usize,
    pub stride: usize,
    pub count: usize,
}

pub struct Array {
    memory: Memory,
    value_size: usize,
    stride: usize,
    count: usize,
}

impl Array {
    pub fn new(value_size: usize, count: usize, initial: &[u8]) -> Result<Self> {
        let stride = value_size.next_multiple_of(8);
        let size = stride.checked_mul(count).filter(|size| *size <= MAX_SIZE);
        let Some(size) = size else {
            return Err(EngineError::argument(format!(
                "{count} entries of {value_size} bytes are more than 128 GiB"
            )));
        };
        if !initial.len().is_multiple_of(value_size) || initial.len() / value_size > count {
            return Err(EngineError::argument(format!(
                "initial has {} bytes: it must be whole values, {count} at most",
                initial.len()
            )));
        }
        let array = Self {
            memory: Memory::zeroed(size)?,
            value_size,
            stride,
            count,
        };
        for (index, value) in initial.chunks_exact(value_size).enumerate() {
            array.write(index, value);
        }
        Ok(array)
    }

    pub fn base(&self) -> usize {
        self.memory.base()
    }

    /// Fixed for the life of the map.
    pub fn layout(&self) -> ArrayLayout {
        ArrayLayout {
            base: self.base(),
            stride: self.stride,
            count: self.count,
        }
    }

    pub fn find(&self, key: &[u8]) -> Option<usize> {
        self.index(key).map(|index| self.address(index))
    }

    pub fn lookup(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.index(key).map(|index| self.read(index))
    }

    pub fn update(&self, key: &[u8], value: &[u8], update: Update) -> Result<()> {
        if update == Update::NoExist {
            return Err(EngineError::argument(
                "flags is 1 (no such key), but every entry of an ARRAY exists",
            ));
        }
        let index = self.checked_index(key)?;
        self.write(index, value);
        Ok(())
    }

    /// Entries of an array cannot go; deleting one sets it to zero.
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        let index = self.checked_index(key)?;
        self.write(index, &vec![0; self.value_size]);
        Ok(())
    }

    pub fn next_key(&self, key: Option<&[u8]>) -> Option<Vec<u8>> {
        let next = self.index_after(key);
        (next < self.count).then(|| (next as u32).to_le_bytes().to_vec())
    }

    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let first = self.index_after(after);
        (first..self.count)
            .take(limit)
            .map(|index| ((index as u32).to_le_bytes().to_vec(), self.read(index)))
            .collect()
    }

    pub fn value_at(&self, address: usize) -> Option<ValueRange> {
        let offset = address.checked_sub(self.base())?;
        let index = offset / self.stride;
        (index < self.count && offset % self.stride < self.value_size).then(|| ValueRange {
            address: self.address(index),
            size: self.value_size,
        })
    }

    fn address(&self, index: usize) -> usize {
        self.base() + index * self.stride
    }

    fn read(&self, index: usize) -> Vec<u8> {
        // SAFETY: the index is below `count`.
        unsafe { bytes::copy_out(self.address(index), self.value_size) }
    }

    fn write(&self, index: usize, value: &[u8]) {
        debug_assert_eq!(self.value_size, value.len(), "a value of another size");
        // SAFETY: the index is below `count`, and the value is of the right size.
        unsafe { bytes::copy_in(self.address(index), value) };
    }

    fn index_after(&self, key: Option<&[u8]>) -> usize {
        key.and_then(number).map_or(0, |index| index + 1)
    }

    fn index(&self, key: &[u8]) -> Option<usize> {
        number(key).filter(|index| *index < self.count)
    }

    fn checked_index(&self, key: &[u8]) -> Result<usize> {
        self.index(key).ok_or_else(|| {
            EngineError::argument(format!(
                "key {} is outside of an array of {} entries",
                number(key).unwrap_or(0),
                self.count
            ))
        })
    }
}

fn number(key: &[u8]) -> Option<usize> {
    key.try_into()
        .ok()
        .map(|bytes| u32::from_le_bytes(bytes) as usize)
}
