//! HASH, PERCPU_HASH and their LRU kinds: buckets of linked entries.
//!
//! ```text
//!   buckets: [u32 entry] -> entry -> entry      0 ends a chain
//! ```
//!
//! Readers never wait; writers lock a stripe of the buckets.  `max_entries`
//! sizes the table of buckets and is no limit, as in eBPF for Windows, unless
//! the kind evicts; a quota ends growth beyond it with NO_MEMORY.  Replacing a
//! value publishes a new entry; the old one stays as it is until no invocation
//! can hold a pointer into it, so no reader ever sees half of an update.
//!
//! Sound because: an entry can be found only after it was filled (Release
//! stores, Acquire loads), its key and hash do not change while it can be
//! found, and it is used again only when `epoch` says that nobody who could
//! have found it is still pinned.  Readers are pinned; writers hold the lock of
//! the stripe, and only they unlink.  An index that a peer may have damaged is
//! checked before it is used, and no walk is longer than [`MAX_CHAIN`].

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use super::arena::{Arena, MAX_STRIPES};
use super::backing::Storage;
use super::direct::View;
use super::hashing::Seed;
use super::lru::Order;
use super::pool::{Layout, Pool};
use super::{Kind, ValueRange, arena::Identity};
use crate::error::Result;

const MIN_BUCKETS: usize = 1 << 10;
const MAX_BUCKETS: usize = 1 << 23;
/// Buckets for each entry: a second entry in a chain is a cache miss and a wrong guess.
const SPREAD: usize = 4;
/// Entries of one bucket, on average, to which a map may grow beyond `max_entries`.
const MAX_LOAD: usize = 64;
/// Bytes to which a map may grow beyond `max_entries`.
const MAX_GROWTH: usize = 256 << 20;
/// Steps of one walk: no honest bucket is as long.
pub const MAX_CHAIN: usize = 1 << 12;

pub struct Hash {
    pub(super) arena: Arena,
    pub(super) pool: Pool,
    buckets: usize,
    pub(super) mask: usize,
    pub(super) stripes: usize,
    pub(super) seed: Seed,
    /// Entries that can be found, at most.
    pub(super) limit: usize,
    pub(super) bound: OnceLock<Bound>,
    pub(super) order: Option<Order>,
    /// Bytes that the type asked for.
    extra: usize,
    /// For compiled lookups.
    view: View,
}

/// Entries of a map of which `max_entries` is a limit, as that of a HASH is not.
pub struct Bound {
    pub(super) most: usize,
    /// Whoever adds one does so alone.
    pub(super) adding: Mutex<()>,
}

/// Where a key was found: the link that leads to its entry, and the entry.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    pub link: &'a AtomicU32,
    pub id: u32,
}

/// How a value comes in.
#[derive(Clone, Copy)]
pub enum Written<'a> {
    /// All lanes, as users write.
    Whole(&'a [u8]),
    /// One lane's, as programs write; a new entry has zero in the others.
    Lane(usize, &'a [u8]),
}

impl Hash {
    /// An empty map, or the one in `storage`, with `extra` bytes for the type's own use.
    pub fn new(storage: Storage, identity: Identity, kind: Kind, extra: usize) -> Result<Self> {
        let key_size = identity.key_size as usize;
        let value_size = identity.value_size as usize;
        let lanes = if kind.per_cpu {
            identity.lanes as usize
        } else {
            0
        };
        let max_entries = identity.max_entries as usize;
        let bytes = Layout::entry_bytes(key_size, value_size, lanes);
        let wanted = max_entries.saturating_mul(SPREAD).next_power_of_two();
        let buckets = wanted.clamp(MIN_BUCKETS, MAX_BUCKETS);
        let limit = if kind.evicts {
            max_entries
        } else {
            max_entries.max((MAX_GROWTH / bytes).min(MAX_LOAD * buckets))
        };
        let capacity = limit.saturating_add(Layout::waiting(bytes));
        let capacity = capacity.min(u32::MAX as usize - 1);
        let layout = Layout::new(key_size, value_size, lanes, capacity);
        let mut regions = layout.regions();
        let at = regions.len();
        regions.push(buckets * size_of::<AtomicU32>());
        regions.push(extra);
        if kind.evicts {
            regions.push(Order::region(capacity));
        }
        let arena = Arena::new(storage, identity, &regions, |arena, _| {
            arena.commit(at, regions[at])?;
            arena.commit(at + 1, extra)
        })?;
        let pool = Pool::new(&arena, layout);
        let order = kind.evicts.then(|| Order::new(&arena, at + 2));
        let seed = Seed::new(arena.header().seed.load(Ordering::Relaxed));
        let marks = order.as_ref().map_or(0, Order::marks);
        Ok(Self {
            view: View::new(arena.base(at), buckets - 1, seed, &pool, marks),
            pool,
            buckets: arena.base(at),
            mask: buckets - 1,
            // Evicting is one order over all entries.
            stripes: if kind.evicts { 1 } else { MAX_STRIPES },
            seed,
            limit,
            bound: OnceLock::new(),
            extra: arena.base(at + 1),
            order,
            arena,
        })
    }

    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Let it have no more than so many entries, from now on and in this process.
    pub fn bind(&self, most: usize) {
        let adding = Mutex::new(());
        self.bound.get_or_init(|| Bound { most, adding });
    }

    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The map's constants, which lie still while the map lives.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The address of the bytes that the type asked for.
    pub fn extra(&self) -> usize {
        self.extra
    }

    /// The address of a key's value as a program finds it.  The caller is pinned.
    #[inline]
    pub fn find(&self, key: &[u8], lane: usize) -> Option<usize> {
        if self.pool.layout.lanes == 0
            && let Some(address) = self.view.find(key)
        {
            return (address != 0).then_some(address as usize);
        }
        let found = self.locate(key, self.seed.of(key))?;
        if let Some(order) = &self.order {
            order.touch(found.id);
        }
        Some(self.pool.value_address(found.id, lane))
    }

    /// A copy of a key's value, all lanes.  The caller is pinned.
    pub fn lookup(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.locate(key, self.seed.of(key))
            .map(|found| self.pool.value(found.id))
    }

    pub fn value_at(&self, address: usize, lane: usize) -> Option<ValueRange> {
        self.pool.value_at(&self.arena, address, lane)
    }

    /// Find a key in its bucket.  The caller is pinned or holds the lock.
    #[inline]
    pub(super) fn locate(&self, key: &[u8], hash: u32) -> Option<Found<'_>> {
        let mut link = self.bucket(hash as usize & self.mask);
        for _ in 0..MAX_CHAIN {
            let id = link.load(Ordering::Acquire);
            if !self.pool.is_valid(id) {
                return None;
            }
            if self.pool.hash(id).load(Ordering::Relaxed) == hash && self.pool.has_key(id, key) {
                return Some(Found { link, id });
            }
            link = self.pool.next(id);
        }
        None
    }

    #[inline]
    pub(super) fn bucket(&self, index: usize) -> &AtomicU32 {
        debug_assert!(index <= self.mask, "bucket {index} does not exist");
        let address = self.buckets + index * size_of::<AtomicU32>();
        // SAFETY: the table has `mask + 1` of them.
        unsafe { AtomicU32::from_ptr(address as *mut u32) }
    }
}
