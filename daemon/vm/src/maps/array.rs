//! ARRAY and PERCPU_ARRAY: values side by side, found by a 32-bit index.
//!
//! ```text
//!   row of a lane -> | value 0 | pad | value 1 | pad | ...      each at a multiple of 8
//! ```
//!
//! Sound because: `address` only ever gets an index below `count`, and each row
//! has `count` strides, each with room for a value.

use super::arena::{Arena, Identity};
use super::backing::Storage;
use super::bytes;
use super::{Kind, Update, ValueRange};
use crate::error::{EngineError, Result};

/// Bytes that an array may have, as in eBPF for Windows.
const MAX_SIZE: usize = 128 << 30;

pub struct Array {
    arena: Arena,
    value_size: usize,
    stride: usize,
    count: usize,
    /// One for each lane; one alone if the array is not per-CPU.
    rows: Vec<usize>,
    per_cpu: bool,
}

impl Array {
    pub fn new(storage: Storage, identity: Identity, kind: Kind, initial: &[u8]) -> Result<Self> {
        let value_size = identity.value_size as usize;
        let count = identity.max_entries as usize;
        let rows = if kind.per_cpu {
            identity.lanes as usize
        } else {
            1
        };
        let stride = value_size.next_multiple_of(8);
        let size = stride
            .checked_mul(count)
            .filter(|size| size.checked_mul(rows).is_some_and(|all| all <= MAX_SIZE));
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
        let arena = Arena::new(storage, identity, &vec![size; rows], |arena, new| {
            (0..rows).try_for_each(|row| arena.commit(row, size))?;
            let values = initial.chunks_exact(value_size).filter(|_| new);
            for (index, value) in values.enumerate() {
                // SAFETY: `initial` has no more values than the row has places.
                unsafe { bytes::copy_in(arena.base(0) + index * stride, value) };
            }
            Ok(())
        })?;
        Ok(Self {
            rows: (0..rows).map(|row| arena.base(row)).collect(),
            value_size,
            stride,
            count,
            per_cpu: kind.per_cpu,
            arena,
        })
    }

    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    pub fn base(&self) -> usize {
        self.rows[0]
    }

    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Bytes from a lane's row to the next one's; 0 if there is one row.
    pub fn lane_stride(&self) -> usize {
        self.rows.get(1).map_or(0, |second| second - self.rows[0])
    }

    /// Bytes of a value as users see it.
    pub fn user_size(&self) -> usize {
        if self.per_cpu {
            self.rows.len() * self.stride
        } else {
            self.value_size
        }
    }

    #[inline]
    pub fn find(&self, key: &[u8], lane: usize) -> Option<usize> {
        self.index(key).map(|index| self.address(index, lane))
    }

    pub fn lookup(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.index(key).map(|index| self.read(index))
    }

    /// Write a value: of all lanes, or of the one given.
    pub fn update(
        &self,
        key: &[u8],
        value: &[u8],
        lane: Option<usize>,
        update: Update,
    ) -> Result<()> {
        if update == Update::NoExist {
            return Err(EngineError::argument(
                "flags is 1 (no such key), but every entry of an ARRAY exists",
            ));
        }
        let index = self.checked_index(key)?;
        match lane.filter(|_| self.per_cpu) {
            Some(lane) => self.write(index, lane, value),
            None if self.per_cpu => {
                for (lane, value) in value.chunks(self.stride).enumerate() {
                    self.write(index, lane, &value[..self.value_size]);
                }
            }
            None => self.write(index, 0, value),
        }
        Ok(())
    }

    /// Entries of an array cannot go; deleting one sets it to zero.
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        let index = self.checked_index(key)?;
        let zero = vec![0; self.value_size];
        (0..self.rows.len()).for_each(|lane| self.write(index, lane, &zero));
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

    pub fn value_at(&self, address: usize, lane: usize) -> Option<ValueRange> {
        let lane = if self.per_cpu { lane } else { 0 };
        let offset = address.checked_sub(*self.rows.get(lane)?)?;
        let index = offset / self.stride;
        (index < self.count && offset % self.stride < self.value_size).then(|| ValueRange {
            address: self.address(index, lane),
            size: self.value_size,
        })
    }

    pub fn count(&self) -> usize {
        self.count
    }

    #[inline]
    fn address(&self, index: usize, lane: usize) -> usize {
        let lane = if self.per_cpu { lane } else { 0 };
        self.rows[lane] + index * self.stride
    }

    fn read(&self, index: usize) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.user_size());
        for lane in 0..self.rows.len() {
            // SAFETY: the index is below `count`.
            all.extend(unsafe { bytes::copy_out(self.address(index, lane), self.value_size) });
            if self.per_cpu {
                all.resize((lane + 1) * self.stride, 0);
            }
        }
        all
    }

    fn write(&self, index: usize, lane: usize, value: &[u8]) {
        debug_assert_eq!(self.value_size, value.len(), "a value of another size");
        // SAFETY: the index is below `count`, and the value is of the right size.
        unsafe { bytes::copy_in(self.address(index, lane), value) };
    }

    fn index_after(&self, key: Option<&[u8]>) -> usize {
        key.and_then(number).map_or(0, |index| index + 1)
    }

    #[inline]
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

#[inline]
pub fn number(key: &[u8]) -> Option<usize> {
    key.try_into()
        .ok()
        .map(|bytes| u32::from_le_bytes(bytes) as usize)
}
