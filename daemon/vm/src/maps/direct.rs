//! How compiled code finds a key without asking the helper.
//!
//! Sound because: the view of a HASH map is the boxed map itself, which stays
//! where it is while the map lives; compiled code only passes it back, with a
//! key of the map's size, while its invocation is pinned.

use super::hash::Hash;
use super::{Map, Store};

pub enum DirectLookup {
    /// `base + lane * lane_stride + index * stride` if the 32-bit key is below `count`, else
    /// nothing; without lanes their stride is 0.
    Index {
        base: u64,
        stride: u64,
        count: u64,
        lane_stride: u64,
    },
    /// The function gives the address, or 0, for this view and a key of the map's size.
    Function {
        function: unsafe extern "C" fn(u64, *const u8) -> u64,
        view: u64,
    },
    /// Only the helper can.
    None,
}

impl Map {
    /// Fixed for the life of the map.
    pub fn direct_lookup(&self) -> DirectLookup {
        match &self.store {
            Store::Array(array) => DirectLookup::Index {
                base: array.base() as u64,
                stride: array.stride() as u64,
                count: self.max_entries.into(),
                lane_stride: 0,
            },
            Store::Hash(hash) => DirectLookup::Function {
                function: find,
                view: std::ptr::from_ref::<Hash>(hash) as u64,
            },
        }
    }
}

/// # Safety
/// `view` is that of a live map, `key` has its size, and the caller is pinned.
unsafe extern "C" fn find(view: u64, key: *const u8) -> u64 {
    // SAFETY: see above.
    let hash = unsafe { &*(view as *const Hash) };
    // SAFETY: likewise.
    let key = unsafe { std::slice::from_raw_parts(key, hash.key_size()) };
    hash.find(key).unwrap_or(0) as u64
}
