//! How compiled code finds a key without asking the helper.
//!
//! An array is arithmetic.  A hash map is a function that knows the size of its
//! keys and the map's constants; it does what `hash` does, step by step, and is
//! sound for the same reasons.
//!
//! Sound because: a view is made of a live map's own numbers and lies in that
//! map, and the caller promises a readable key and to be pinned.

use std::sync::atomic::{AtomicU32, Ordering};

use super::hash::MAX_CHAIN;
use super::hashing::Seed;
use super::lru::Order;
use super::pool::{ENTRY_HEADER, Pool};
use super::{Map, Store, bytes};

/// What compiled code may do in place of a lookup.
#[derive(Clone, Copy, Debug)]
pub enum DirectLookup {
    /// `base + lane * lane_stride + index * stride`, if `index < count`; else NULL.
    Index {
        base: u64,
        stride: u64,
        count: u64,
        /// 0: not per-CPU.
        lane_stride: u64,
    },
    /// `function(view, key)` gives the address or 0; `view` lives as long as the map.
    Function {
        function: unsafe extern "C" fn(u64, *const u8) -> u64,
        view: u64,
    },
    /// Only the helper can.
    None,
}

/// The constants of a hash map, in the order in which a lookup needs them.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
pub struct View {
    seed: Seed,
    mask: u64,
    buckets: u64,
    entries: u64,
    stride: u64,
    capacity: u32,
    value_offset: u32,
    /// Where marks of use lie; 0: nobody keeps any.
    marks: u64,
}

impl View {
    pub fn new(buckets: usize, mask: usize, seed: Seed, pool: &Pool, marks: usize) -> Self {
        Self {
            seed,
            mask: mask as u64,
            buckets: buckets as u64,
            entries: pool.base() as u64,
            stride: pool.layout.stride as u64,
            capacity: pool.layout.capacity as u32,
            value_offset: pool.layout.value_offset as u32,
            marks: marks as u64,
        }
    }

    /// The address of a key's value, if keys have a size that is quick to find.
    ///
    /// The caller is pinned, and the map is not per-CPU.
    #[inline(always)]
    pub fn find(&self, key: &[u8]) -> Option<u64> {
        let view = std::ptr::from_ref(self) as u64;
        // SAFETY: our own address, and a key that can be read.
        unsafe {
            match key.len() {
                4 => Some(find4(view, key.as_ptr())),
                8 => Some(find8(view, key.as_ptr())),
                _ => None,
            }
        }
    }
}

impl Map {
    /// The fastest way to this map's values, if there is one that knows all it needs.
    pub fn direct_lookup(&self) -> DirectLookup {
        match &self.store {
            Store::Array(array) => DirectLookup::Index {
                base: array.base() as u64,
                stride: array.stride() as u64,
                count: array.count() as u64,
                lane_stride: array.lane_stride() as u64,
            },
            Store::Hash(hash) if !self.is_per_cpu() => {
                let function = match self.key_size() {
                    4 => find4,
                    8 => find8,
                    _ => return DirectLookup::None,
                };
                DirectLookup::Function {
                    function,
                    view: std::ptr::from_ref(hash.view()) as u64,
                }
            }
            _ => DirectLookup::None,
        }
    }
}

/// # Safety
/// `view` is the address of a live map's [`View`], `key` leads to four readable bytes, and
/// the thread is pinned.
unsafe extern "C" fn find4(view: u64, key: *const u8) -> u64 {
    // SAFETY: the caller's promise.
    unsafe {
        let key: u32 = bytes::load(key as u64);
        find(&*(view as *const View), key.into(), |entry| {
            bytes::load::<u32>(entry) == key
        })
    }
}

/// # Safety
/// As for [`find4`], with eight bytes.
unsafe extern "C" fn find8(view: u64, key: *const u8) -> u64 {
    // SAFETY: the caller's promise.
    unsafe {
        let key: u64 = bytes::load(key as u64);
        find(&*(view as *const View), key, |entry| {
            bytes::load::<u64>(entry) == key
        })
    }
}

/// # Safety
/// The view is of a live map, and the thread is pinned.
#[inline(always)]
unsafe fn find(view: &View, word: u64, is_key: impl Fn(u64) -> bool) -> u64 {
    let bucket = u64::from(view.seed.of_word(word)) & view.mask;
    // SAFETY: the table has `mask + 1` buckets.
    let mut link = unsafe { AtomicU32::from_ptr((view.buckets + 4 * bucket) as *mut u32) };
    for _ in 0..MAX_CHAIN {
        let id = link.load(Ordering::Acquire);
        // 0 is no entry, and none lies behind the capacity.
        if id.wrapping_sub(1) >= view.capacity {
            return 0;
        }
        let entry = view.entries + u64::from(id) * view.stride;
        if is_key(entry + ENTRY_HEADER as u64) {
            if view.marks != 0 {
                // SAFETY: each entry has a mark.
                unsafe { Order::touch_at(view.marks, id) };
            }
            return entry + u64::from(view.value_offset);
        }
        // SAFETY: the entry exists, and begins with the next one's id.
        link = unsafe { AtomicU32::from_ptr(entry as *mut u32) };
    }
    0
}
