//! LPM_TRIE: the value of the longest prefix that a key begins with.
//!
//! A key is a 32-bit prefix length and the bytes that it counts bits of, most
//! significant first.  Prefixes live in a hash map, cut off behind their
//! length; a count for each length tells which are worth a look, from the
//! longest allowed one downwards.  Counts are raised before a prefix can be
//! found and lowered after it is gone, so they are never too low.
//!
//! Sound because: the counts lie in the bytes that the hash map keeps for us,
//! one for each length, and are atomics.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Update;
use super::arena::Identity;
use super::backing::Storage;
use super::hash::{Hash, Written};
use super::{Kind, ValueRange};
use crate::error::{EngineError, Result};

const LENGTH: usize = size_of::<u32>();
/// Bytes of data that a key may have.
pub const MAX_DATA: usize = 256;

pub struct Lpm {
    hash: Hash,
    /// Bits of data, and thus the longest prefix.
    bits: usize,
}

impl Lpm {
    pub fn new(storage: Storage, identity: Identity, kind: Kind) -> Result<Self> {
        let data = (identity.key_size as usize).saturating_sub(LENGTH);
        if data == 0 || data > MAX_DATA {
            return Err(EngineError::argument(format!(
                "key_size is {}: an LPM_TRIE needs 4 bytes of prefix length and 1 to {MAX_DATA} of data",
                identity.key_size
            )));
        }
        let bits = 8 * data;
        let counts = (bits + 1) * size_of::<AtomicU32>();
        Ok(Self {
            hash: Hash::new(storage, identity, kind, counts)?,
            bits,
        })
    }

    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    /// Prefix lengths that one lookup may try.
    pub fn lengths(&self) -> usize {
        self.bits + 1
    }

    /// The address of the value for the longest prefix.  The caller is pinned.
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        self.longest(key, |prefix| self.hash.find(prefix, 0))
    }

    /// A copy of the value for the longest prefix.  The caller is pinned.
    pub fn lookup(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.longest(key, |prefix| self.hash.lookup(prefix))
    }

    pub fn update(&self, key: &[u8], value: &[u8], update: Update) -> Result<()> {
        let prefix = self.exact(key)?;
        let count = self.count(length_of(&prefix));
        count.fetch_add(1, Ordering::SeqCst);
        let added = self.hash.update(&prefix, Written::Whole(value), update);
        if added != Ok(true) {
            count.fetch_sub(1, Ordering::SeqCst);
        }
        added.map(drop)
    }

    pub fn delete(&self, key: &[u8]) -> Result<()> {
        let prefix = self.exact(key)?;
        self.hash.delete(&prefix)?;
        self.count(length_of(&prefix))
            .fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    /// The prefix after `key`.  The caller is pinned.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        self.hash.next_key(self.stored(key).as_deref())
    }

    /// Up to `limit` prefixes after `after`, and their values.  The caller is pinned.
    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.hash.entries(self.stored(after).as_deref(), limit)
    }

    /// A prefix as it would be stored.
    fn stored(&self, key: Option<&[u8]>) -> Option<Vec<u8>> {
        key.map(|key| cut(key, length_of(key).min(self.bits)))
    }

    pub fn value_at(&self, address: usize) -> Option<ValueRange> {
        self.hash.value_at(address, 0)
    }

    /// Prefixes of this length, at most.
    fn count(&self, length: usize) -> &AtomicU32 {
        assert!(length <= self.bits, "a prefix of {length} bits");
        let address = self.hash.extra() + length * size_of::<AtomicU32>();
        // SAFETY: see the module.
        unsafe { AtomicU32::from_ptr(address as *mut u32) }
    }

    /// A prefix to store: cut off behind its length; an error if that is too long.
    fn exact(&self, key: &[u8]) -> Result<Vec<u8>> {
        let bits = length_of(key);
        if bits > self.bits {
            return Err(EngineError::argument(format!(
                "key: a prefix of {bits} bits does not fit into {} bytes",
                key.len() - LENGTH
            )));
        }
        Ok(cut(key, bits))
    }

    fn longest<T>(&self, key: &[u8], find: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let bits = length_of(key).min(self.bits);
        let mut prefix = cut(key, bits);
        for length in (0..=bits).rev() {
            if self.count(length).load(Ordering::SeqCst) == 0 {
                continue;
            }
            shorten(&mut prefix, length);
            if let Some(found) = find(&prefix) {
                return Some(found);
            }
        }
        None
    }
}

fn length_of(key: &[u8]) -> usize {
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(&key[..LENGTH]);
    u32::from_le_bytes(bytes) as usize
}

fn cut(key: &[u8], bits: usize) -> Vec<u8> {
    let mut prefix = key.to_vec();
    shorten(&mut prefix, bits);
    prefix
}

/// Set the length, and clear the bits behind it.
fn shorten(prefix: &mut [u8], bits: usize) {
    prefix[..LENGTH].copy_from_slice(&(bits as u32).to_le_bytes());
    let data = &mut prefix[LENGTH..];
    let whole = bits / 8;
    if let Some(last) = data.get_mut(whole) {
        *last &= !(0xff_u8 >> (bits % 8));
    }
    if whole < data.len() {
        data[whole + 1..].fill(0);
    }
}
