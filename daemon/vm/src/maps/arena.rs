//! The memory of one map: a header, then the regions of its type.
//!
//! ```text
//!   0     Identity: what the map is; written last, so a half-made map is none
//!   256   stripes, 128 bytes each: lock and lists of one part of the map
//!   ...   epoch domain, for maps that several processes have
//!   ...   regions, each from a page's beginning; the type says how many and how long
//! ```
//!
//! Everything inside refers to its place by offset or index, so the same bytes
//! serve at any address, after a crash, and in several processes at once.  A
//! process computes where things lie from what it was told about the map, never
//! from the header, which it only compares: a peer may have changed it.
//!
//! Sound because: header and stripes lie inside the mapping, are made of
//! atomics, and every bit pattern of them is valid.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::backing::{self, Backing, PAGE, Region, Storage};
use super::epoch::{DOMAIN_BYTES, Domain, local};
use super::lock::{self, Held};
use super::peers::Peers;
use crate::error::{EngineError, Result, ResultCode};

/// Of the layout below; a file of another version is refused.
const VERSION: u64 = 1;
const MAGIC: u64 = u64::from_le_bytes(*b"ebpfdmap");
/// Held by who moves a map.
static MOVING: Mutex<()> = Mutex::new(());
pub const MAX_STRIPES: usize = 64;
const STRIPES_AT: usize = 256;
const DOMAIN_AT: usize = STRIPES_AT + MAX_STRIPES * size_of::<Stripe>();
/// Bytes before the first region.
const HEAD: usize = (DOMAIN_AT + DOMAIN_BYTES).next_multiple_of(PAGE);

/// What tells two maps apart; all of it must be equal for a file to be opened as a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
    pub lanes: u32,
}

#[repr(C)]
pub struct Header {
    magic: AtomicU64,
    version: AtomicU64,
    identity: [AtomicU32; 6],
    length: AtomicU64,
    /// A number that nobody outside can guess, so that nobody can choose collisions.
    pub seed: AtomicU64,
    /// Entries handed out so far.
    pub used: AtomicU32,
    /// Free for the type.
    pub words: [AtomicU64; 4],
}

/// One part of a map with its own lock; what each number means, `pool` says.
#[repr(C, align(128))]
pub struct Stripe {
    pub lock: AtomicU32,
    pub oldest: AtomicU32,
    pub newest: AtomicU32,
    pub waiting: AtomicU32,
    pub patience: AtomicU32,
    /// Entries that can be found.
    pub live: AtomicU32,
}

/// A map's memory.
pub struct Arena {
    backing: Arc<Backing>,
    peers: Option<Arc<Peers>>,
    domain: Option<Arc<Domain>>,
    pub regions: Vec<Region>,
}

impl Arena {
    /// Make, or open, the memory of a map with regions of these lengths.
    ///
    /// `fill` makes what the type needs, before anybody can open the map; it is told
    /// whether the map is new.
    pub fn new(
        storage: Storage,
        identity: Identity,
        lengths: &[usize],
        fill: impl FnOnce(&Self, bool) -> Result<()>,
    ) -> Result<Self> {
        let (places, end) = places(lengths)?;
        let file = backing::open(storage, end)?;
        let peers = file.as_ref().map(Peers::join).transpose()?.map(Arc::new);
        let empty = match &file {
            Some(file) => backing::prepare(file, end)?,
            None => false,
        };
        let made = Self::make(file, peers.clone(), identity, (places, end), fill);
        if let Some(peers) = &peers {
            if empty && made.is_err() {
                peers.give_back();
            }
            peers.open_door();
        }
        made
    }

    fn make(
        file: Option<File>,
        peers: Option<Arc<Peers>>,
        identity: Identity,
        (places, end): (Vec<(usize, usize)>, usize),
        fill: impl FnOnce(&Self, bool) -> Result<()>,
    ) -> Result<Self> {
        let backing = Arc::new(Backing::new(file, end)?);
        Region::new(&backing, 0, HEAD).commit(&backing, HEAD)?;
        let regions = places
            .into_iter()
            .map(|(offset, length)| Region::new(&backing, offset, length))
            .collect();
        let mut arena = Self {
            backing,
            peers,
            domain: None,
            regions,
        };
        let new = arena.open(identity, end as u64)?;
        arena.share();
        fill(&arena, new)?;
        arena.header().magic.store(MAGIC, Ordering::Release);
        Ok(arena)
    }

    /// Compare, or write, what the map is; whether it is new.
    fn open(&self, identity: Identity, length: u64) -> Result<bool> {
        let header = self.header();
        let numbers = identity.numbers();
        let magic = header.magic.load(Ordering::Acquire);
        if magic != 0 {
            let same = magic == MAGIC
                && header.version.load(Ordering::Relaxed) == VERSION
                && header.length.load(Ordering::Relaxed) == length
                && numbers
                    .iter()
                    .zip(&header.identity)
                    .all(|(number, word)| *number == word.load(Ordering::Relaxed));
            if same {
                return Ok(false);
            }
            return Err(EngineError::new(
                ResultCode::InvalidObject,
                "the file holds another map: its type, sizes, flags or version differ",
            ));
        }
        header.version.store(VERSION, Ordering::Relaxed);
        header.length.store(length, Ordering::Relaxed);
        header
            .seed
            .store(RandomState::new().hash_one(0_u64), Ordering::Relaxed);
        for (number, word) in numbers.iter().zip(&header.identity) {
            word.store(*number, Ordering::Relaxed);
        }
        Ok(true)
    }

    /// Take part among the processes that have this map.
    fn share(&mut self) {
        let Some(peers) = &self.peers else {
            return;
        };
        // Whoever had this row before died: what it held is nobody's.
        for index in 0..MAX_STRIPES {
            lock::abandon(&self.stripe(index).lock, peers.row);
        }
        let domain = Domain::shared(&self.backing, DOMAIN_AT, peers);
        self.domain = Some(Arc::new(domain));
    }

    pub fn header(&self) -> &Header {
        // SAFETY: see the module.
        unsafe { &*(self.backing.base() as *const Header) }
    }

    pub fn stripe(&self, index: usize) -> &Stripe {
        assert!(index < MAX_STRIPES, "stripe {index} does not exist");
        let address = self.backing.base() + STRIPES_AT + index * size_of::<Stripe>();
        // SAFETY: see the module.
        unsafe { &*(address as *const Stripe) }
    }

    /// Take the lock of a stripe.
    #[inline]
    pub fn lock(&self, index: usize) -> Result<Held<'_>> {
        lock::acquire(&self.stripe(index).lock, self.peers.as_deref())
    }

    /// Take the lock of a stripe if it is free.
    pub fn try_lock(&self, index: usize) -> Option<Held<'_>> {
        lock::try_acquire(&self.stripe(index).lock, self.peers.as_deref())
    }

    pub fn domain(&self) -> &Domain {
        match &self.domain {
            Some(domain) => domain,
            None => local(),
        }
    }

    /// The domain of a map that other processes may have.
    pub fn shared_domain(&self) -> Option<&Arc<Domain>> {
        self.domain.as_ref()
    }

    pub fn backing(&self) -> &Backing {
        &self.backing
    }

    #[inline]
    pub fn base(&self, region: usize) -> usize {
        self.regions[region].base
    }

    /// Go on in another file, a new memfd if there is none, and leave other processes behind.
    pub fn move_to(&self, storage: Storage, patience: Duration) -> Result<()> {
        let (Some(peers), Some(domain)) = (&self.peers, &self.domain) else {
            return Err(EngineError::argument("the map is in no file to move from"));
        };
        let length = self.backing.length();
        let file = backing::open(storage, length)?
            .ok_or_else(|| EngineError::argument("the map must move to a file"))?;
        backing::prepare(&file, length)?;
        // Two that move could wait for each other's threads.
        let _alone = MOVING.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(_frozen) = domain.freeze(patience) else {
            return Err(EngineError::new(
                ResultCode::Timeout,
                format!("an invocation in this process has used the map for {patience:?}"),
            ));
        };
        self.backing.move_to(&file, &self.regions)?;
        // What others left in locks and epochs is seen to be of the dead: nobody has their rows.
        peers.move_to(&file)
    }

    /// Take all of a region; its pages stay as they are.
    pub fn allocate(&self, region: usize) -> Result<()> {
        self.regions[region].allocate(&self.backing)
    }

    /// Make the first `end` bytes of a region usable.
    #[inline]
    pub fn commit(&self, region: usize, end: usize) -> Result<()> {
        self.regions[region].commit(&self.backing, end)
    }
}

/// Where regions of these lengths begin, and where the last one ends.
fn places(lengths: &[usize]) -> Result<(Vec<(usize, usize)>, usize)> {
    let mut end = HEAD;
    let mut places = Vec::new();
    for length in lengths {
        places.push((end, *length));
        end = length
            .checked_next_multiple_of(PAGE)
            .and_then(|length| end.checked_add(length))
            .filter(|end| *end <= isize::MAX as usize)
            .ok_or_else(|| {
                EngineError::new(ResultCode::NoMemory, "the map is larger than all memory")
            })?;
    }
    Ok((places, end))
}

impl Identity {
    fn numbers(self) -> [u32; 6] {
        [
            self.map_type,
            self.key_size,
            self.value_size,
            self.max_entries,
            self.flags,
            self.lanes,
        ]
    }
}
