//! When memory that an invocation may still see can be used again.
//!
//! A thread that holds a [`Pin`] has announced the global epoch it started in.
//! What is unlinked gets the epoch's number and the epoch moves on; it may be
//! reused once every pinned thread has announced a later one:
//!
//! ```text
//!   reader   pin (epoch 7) ------ finds value ------ unpin
//!   writer        unlinks value (stamp 7, epoch 8)           frees it: nobody <= 7
//! ```
//!
//! A reader announces before it looks (with a full fence between), a writer
//! unlinks before it stamps and stamps before it scans; so a reader that the
//! scan misses cannot find what was unlinked before.  Writers never wait: what
//! cannot be freed yet is kept.

use std::cell::{Cell, OnceCell};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};

/// A slot's value while its thread is not pinned.
const IDLE: u64 = u64::MAX;

static EPOCH: AtomicU64 = AtomicU64::new(1);
static SLOTS: Mutex<Vec<Arc<Slot>>> = Mutex::new(Vec::new());

/// What one thread announces; alone on its cache line.
#[repr(align(128))]
struct Slot {
    announced: AtomicU64,
}

struct Thread {
    slot: Arc<Slot>,
    depth: Cell<usize>,
}

thread_local! {
    static THREAD: OnceCell<Thread> = const { OnceCell::new() };
}

impl Thread {
    fn register() -> Self {
        let slot = Arc::new(Slot {
            announced: AtomicU64::new(IDLE),
        });
        let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        slots.push(Arc::clone(&slot));
        Self {
            slot,
            depth: Cell::new(0),
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}

/// While it lives, nothing that this thread can find is reused.  May be nested.
pub struct Pin {
    announced: bool,
    /// Tied to its thread.
    _not_send: PhantomData<*const ()>,
}

impl Pin {
    /// A pin that keeps nothing, for a reader that has no map to find anything in.
    pub fn of_nothing() -> Self {
        Self {
            announced: false,
            _not_send: PhantomData,
        }
    }
}

/// Announce that this thread reads maps from now on.
pub fn pin() -> Pin {
    THREAD.with(|cell| {
        let thread = cell.get_or_init(Thread::register);
        let depth = thread.depth.get();
        if depth == 0 {
            let now = EPOCH.load(Ordering::Relaxed);
            thread.slot.announced.store(now, Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
        thread.depth.set(depth + 1);
    });
    Pin {
        announced: true,
        _not_send: PhantomData,
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        if !self.announced {
            return;
        }
        THREAD.with(|cell| {
            if let Some(thread) = cell.get() {
                let depth = thread.depth.get() - 1;
                thread.depth.set(depth);
                if depth == 0 {
                    thread.slot.announced.store(IDLE, Ordering::Release);
                }
            }
        });
    }
}

/// The stamp of something that was just unlinked.
pub fn retire() -> u64 {
    fence(Ordering::SeqCst);
    EPOCH.fetch_add(1, Ordering::SeqCst)
}

/// Everything with a stamp below this can be reused.
pub fn oldest_pinned() -> u64 {
    fence(Ordering::SeqCst);
    let slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let now = EPOCH.load(Ordering::SeqCst);
    slots
        .iter()
        .map(|slot| slot.announced.load(Ordering::Acquire))
        .min()
        .map_or(now, |oldest| oldest.min(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was retired under a pin waits for that pin, and no longer.
    #[test]
    fn a_pin_holds_back_what_is_retired_while_it_lives() {
        let outer = pin();
        let inner = pin();
        let stamp = retire();
        drop(inner);
        assert!(oldest_pinned() <= stamp);
        drop(outer);
        let mine = THREAD.with(|cell| {
            cell.get()
                .map(|thread| thread.slot.announced.load(Ordering::Relaxed))
        });
        assert_eq!(Some(IDLE), mine);
    }
}
