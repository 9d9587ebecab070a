//! Maps whose values are maps or programs: PROG_ARRAY, ARRAY_OF_MAPS, HASH_OF_MAPS.
//!
//! ```text
//!   value:  | address of the object u64 | id u32 | pad |        0: no object
//! ```
//!
//! The store holds addresses, for programs; users see ids.  The objects
//! themselves are held beside it, by key, and one that was replaced is let go
//! only when nobody who could have found it is still pinned.  Such a map
//! belongs to one process: addresses mean nothing elsewhere.
//!
//! Sound because: an address is stored only while its object is held, and a
//! replaced object waits for `epoch`; readers are pinned, so what they find
//! lives until they unpin.  An address is published by a Release fence and one
//! store of eight bytes, and found by an Acquire load.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::arena::Identity;
use super::array::Array;
use super::backing::Storage;
use super::hash::{Hash, Written};
use super::{Kind, Update, epoch};
use crate::error::{EngineError, Result, ResultCode};

/// Bytes of an entry in the store.
const ENTRY: u32 = 16;
/// Bytes of an id, which is a value as users see it.
pub const ID: u32 = 4;

enum Store {
    Array(Array),
    Hash(Box<Hash>),
}

/// A map of objects of one kind.
pub struct Objects<T: Any + Send + Sync> {
    store: Store,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    objects: HashMap<Vec<u8>, Arc<T>>,
    /// Replaced, the oldest first.
    retired: VecDeque<(u32, Arc<T>)>,
}

impl<T: Any + Send + Sync> Objects<T> {
    pub fn new(storage: Storage, identity: Identity, hashed: bool) -> Result<Self> {
        if !matches!(storage, Storage::Anonymous) {
            return Err(EngineError::new(
                ResultCode::OperationNotSupported,
                "a map of maps or programs belongs to one process",
            ));
        }
        let kind = Kind::default();
        let identity = Identity {
            value_size: ENTRY,
            ..identity
        };
        let store = if hashed {
            Store::Hash(Box::new(Hash::new(storage, identity, kind, 0)?))
        } else {
            Store::Array(Array::new(storage, identity, kind, &[])?)
        };
        Ok(Self {
            store,
            held: Mutex::new(Held {
                objects: HashMap::new(),
                retired: VecDeque::new(),
            }),
        })
    }

    /// The object under a key, as an address.  The caller is pinned.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<*const T> {
        let entry = match &self.store {
            Store::Array(array) => array.find(key, 0),
            Store::Hash(hash) => hash.find(key, 0),
        }?;
        // SAFETY: an entry begins with an address, at a multiple of 8.
        let address = unsafe { AtomicU64::from_ptr(entry as *mut u64) }.load(Ordering::Acquire);
        (address != 0).then_some(address as *const T)
    }

    /// The id under a key; 0 where an array has no object.  The caller is pinned.
    pub fn id(&self, key: &[u8]) -> Option<u32> {
        let entry = match &self.store {
            Store::Array(array) => array.lookup(key),
            Store::Hash(hash) => hash.lookup(key),
        }?;
        Some(id_of(&entry))
    }

    /// Put an object under a key; the id is what users see.
    pub fn set(&self, key: &[u8], object: Arc<T>, id: u32, update: Update) -> Result<()> {
        let mut held = self.lock();
        let mut entry = [0; ENTRY as usize];
        entry[..8].copy_from_slice(&(Arc::as_ptr(&object) as u64).to_le_bytes());
        entry[8..12].copy_from_slice(&id.to_le_bytes());
        fence(Ordering::Release);
        match &self.store {
            Store::Array(array) => array.update(key, &entry, None, update)?,
            Store::Hash(hash) => hash.update(key, Written::Whole(&entry), update).map(drop)?,
        }
        let old = held.objects.insert(key.to_vec(), object);
        Self::retire(&mut held, old);
        Ok(())
    }

    /// Take the object of a key away.
    pub fn clear(&self, key: &[u8]) -> Result<()> {
        let mut held = self.lock();
        match &self.store {
            Store::Array(array) => array.delete(key)?,
            Store::Hash(hash) => hash.delete(key)?,
        }
        let old = held.objects.remove(key);
        Self::retire(&mut held, old);
        Ok(())
    }

    /// Let go of all objects: their last user is gone.
    pub fn clear_all(&self) {
        let keys: Vec<Vec<u8>> = self.lock().objects.keys().cloned().collect();
        for key in keys {
            // A key that went meanwhile is no loss.
            let _ = self.clear(&key);
        }
        // Those that somebody may be using have this map, maybe, and would keep it and be kept.
        let retired = self.lock().retired.drain(..).collect::<Vec<_>>();
        let retired = retired.into_iter();
        bury(retired.map(|(stamp, object)| (stamp, object as Arc<dyn Any + Send + Sync>)));
    }

    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        match &self.store {
            Store::Array(array) => Ok(array.next_key(key)),
            Store::Hash(hash) => hash.next_key(key),
        }
    }

    /// Keys and ids.
    pub fn entries(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let entries = match &self.store {
            Store::Array(array) => array.entries(after, limit),
            Store::Hash(hash) => hash.entries(after, limit)?,
        };
        let shown = |(key, entry): (Vec<u8>, Vec<u8>)| (key, id_of(&entry).to_le_bytes().to_vec());
        Ok(entries.into_iter().map(shown).collect())
    }

    /// Run `inspect` on the objects that are held now.
    pub fn any(&self, inspect: impl Fn(&T) -> bool) -> bool {
        self.lock().objects.values().any(|object| inspect(object))
    }

    fn lock(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retire(held: &mut Held<T>, old: Option<Arc<T>>) {
        let domain = epoch::local();
        if let Some(old) = old {
            held.retired.push_back((domain.stamp(), old));
        }
        let _ = domain.advance() && domain.advance();
        while let Some((stamp, _)) = held.retired.front()
            && domain.is_safe(*stamp)
        {
            held.retired.pop_front();
        }
    }
}

impl<T: Any + Send + Sync> Drop for Objects<T> {
    fn drop(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        let objects = held.objects.drain().map(|(_, object)| object);
        let retired = held.retired.drain(..).map(|(_, object)| object);
        drop_flat(objects.chain(retired).map(|object| object as Arc<dyn Any>));
    }
}

/// Objects of maps that are gone, the oldest first.
static BURIED: Mutex<VecDeque<(u32, Arc<dyn Any + Send + Sync>)>> = Mutex::new(VecDeque::new());

/// Keep objects until nobody uses them, and let go of those that were kept long enough.
fn bury(objects: impl Iterator<Item = (u32, Arc<dyn Any + Send + Sync>)>) {
    let domain = epoch::local();
    let mut safe = Vec::new();
    let mut buried = BURIED.lock().unwrap_or_else(PoisonError::into_inner);
    buried.extend(objects);
    while let Some((stamp, _)) = buried.front()
        && domain.is_safe(*stamp)
    {
        safe.extend(buried.pop_front());
    }
    // What goes with one of them may be buried too.
    drop(buried);
}

thread_local! {
    /// What is left to drop, while this thread drops objects.
    static LEFT: RefCell<Option<Vec<Arc<dyn Any>>>> = const { RefCell::new(None) };
}

/// Drop objects one after the other: a map in a map in a map must not use up the stack.
fn drop_flat(objects: impl Iterator<Item = Arc<dyn Any>>) {
    let objects: Vec<_> = objects.collect();
    let outermost = LEFT.with_borrow_mut(|left| {
        let outermost = left.is_none();
        left.get_or_insert_default().extend(objects);
        outermost
    });
    if !outermost {
        return;
    }
    // What is popped is dropped here, and may leave more.
    while LEFT
        .with_borrow_mut(|left| left.as_mut().and_then(Vec::pop))
        .is_some()
    {}
    LEFT.with_borrow_mut(Option::take);
}

fn id_of(entry: &[u8]) -> u32 {
    let mut id = [0; ID as usize];
    id.copy_from_slice(&entry[8..12]);
    u32::from_le_bytes(id)
}
