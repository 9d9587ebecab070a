//! When memory that an invocation may still see can be used again.
//!
//! A thread that holds a [`Pin`] has announced the epoch it started in.  What
//! is unlinked is stamped with the epoch of that moment.  The epoch moves on
//! only when every pinned thread has announced the current one, so two steps
//! after the stamp nobody is left who could have found it:
//!
//! ```text
//!   reader   pin (epoch 7) ------ finds value ------ unpin
//!   writer        unlinks value (stamp 7)   7 -> 8           8 -> 9: free
//! ```
//!
//! A reader announces before it looks, with a full fence between; a writer
//! unlinks before it stamps, with a full fence between.  A reader that
//! announced a later epoch than the stamp has therefore seen the unlinking.
//! Writers never wait: what cannot be freed yet is kept.
//!
//! Maps of this process alone share one [`Domain`]; a shared map carries its
//! own in its memory, with a row of slots for each process.  A row whose
//! process died is cleared by whoever meets it.
//!
//! Who is pinned in this process it knows from words of its own: those in a
//! shared map are for the others, and any of them may have written there.
//!
//! Sound because: a domain's words are static words, or live in a mapping that the
//! domain keeps alive; slots are atomics and every bit pattern is valid.

use std::iter;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::backing::Backing;
use super::numbers;
use super::peers::{MAX_PEERS, Peers};

/// Threads of a process that have a slot of their own; more share the last one.
pub const SLOTS: usize = 64;
/// Words between two slots: each has a cache line, for threads write theirs all the time.
const LINE: usize = 8;
/// How often a thread looks whether it may go on.
const LOOK: Duration = Duration::from_micros(50);
/// A slot's value while its thread is not pinned; epochs start at 1.
const IDLE: u64 = 0;
/// The last one.
pub const SHARED_SLOT: usize = SLOTS - 1;
/// Bytes that a domain takes in a map's memory: the epoch, the rows in use, then the slots.
pub const DOMAIN_BYTES: usize = 64 + MAX_PEERS * SLOTS * LINE * 8;

/// Epoch 1 and row 0 in use; see [`Domain`].
static LOCAL_WORDS: [AtomicU64; 2] = [const { AtomicU64::new(1) }; 2];
static LOCAL_SLOTS: [AtomicU64; SLOTS * LINE] = [const { AtomicU64::new(IDLE) }; SLOTS * LINE];
static LOCAL: Domain = Domain {
    words: LOCAL_WORDS.as_ptr(),
    slots: LOCAL_SLOTS.as_ptr(),
    pinned: LOCAL_SLOTS.as_ptr(),
    sharing: None,
    crowd: Mutex::new(0),
    held: AtomicUsize::new(0),
    frozen: AtomicBool::new(false),
};

/// Threads that may see the same entries, and the epoch they agree on.
pub struct Domain {
    /// The epoch, then a bit for each row in use.
    words: *const AtomicU64,
    /// Rows of [`SLOTS`], one a process.
    slots: *const AtomicU64,
    /// What this process has announced, where no other one writes.
    pinned: *const AtomicU64,
    sharing: Option<Sharing>,
    /// Pins of this process in the slot that several threads share.
    crowd: Mutex<usize>,
    /// Threads of this process that change the map without a pin.
    held: AtomicUsize,
    /// No thread of this process may pin, or hold.
    frozen: AtomicBool,
}

struct Sharing {
    peers: Arc<Peers>,
    /// Where `pinned` points.
    _pinned: Arc<[AtomicU64; SLOTS * LINE]>,
    /// Keeps the words mapped.
    _backing: Arc<Backing>,
}

// SAFETY: the words are atomics that live as long as the domain.
unsafe impl Send for Domain {}
// SAFETY: as for `Send`.
unsafe impl Sync for Domain {}

/// The domain of all maps that only this process has.
pub fn local() -> &'static Domain {
    &LOCAL
}

impl Domain {
    /// The domain in a shared map's memory, `offset` bytes behind its base.
    pub fn shared(backing: &Arc<Backing>, offset: usize, peers: &Arc<Peers>) -> Self {
        let base = backing.base() + offset;
        let pinned = Arc::new([const { AtomicU64::new(IDLE) }; SLOTS * LINE]);
        let domain = Self {
            words: base as *const AtomicU64,
            slots: (base + 64) as *const AtomicU64,
            pinned: pinned.as_ptr(),
            sharing: Some(Sharing {
                peers: Arc::clone(peers),
                _pinned: pinned,
                _backing: Arc::clone(backing),
            }),
            crowd: Mutex::new(0),
            held: AtomicUsize::new(0),
            frozen: AtomicBool::new(false),
        };
        domain.clear(peers.row);
        domain.rows().fetch_or(1 << peers.row, Ordering::SeqCst);
        // The first process starts the epochs.
        let _ = domain
            .epoch()
            .compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
        domain
    }

    fn epoch(&self) -> &AtomicU64 {
        // SAFETY: see the module.
        unsafe { &*self.words }
    }

    fn rows(&self) -> &AtomicU64 {
        // SAFETY: see the module.
        unsafe { &*self.words.add(1) }
    }

    fn slot(&self, row: usize, number: usize) -> &AtomicU64 {
        debug_assert!(row < MAX_PEERS && number < SLOTS, "a slot that exists");
        // SAFETY: see the module.
        unsafe { &*self.slots.add((row * SLOTS + number) * LINE) }
    }

    /// What a thread of this process has announced, as this process knows it.
    fn pinned(&self, number: usize) -> &AtomicU64 {
        debug_assert!(number < SLOTS, "a slot that exists");
        // SAFETY: see the module.
        unsafe { &*self.pinned.add(number * LINE) }
    }

    /// Tell everybody what a thread has announced.
    #[inline]
    fn write(&self, number: usize) {
        // 0 is no epoch, whatever a peer has written.
        let now = self.epoch().load(Ordering::Relaxed).max(1);
        self.pinned(number).store(now, Ordering::Relaxed);
        self.slot(self.own_row(), number)
            .store(now, Ordering::Relaxed);
    }

    /// Take it back.
    #[inline]
    fn retract(&self, number: usize) {
        self.slot(self.own_row(), number)
            .store(IDLE, Ordering::Release);
        self.pinned(number).store(IDLE, Ordering::Release);
    }

    fn own_row(&self) -> usize {
        self.sharing.as_ref().map_or(0, |sharing| sharing.peers.row)
    }

    fn clear(&self, row: usize) {
        for number in 0..SLOTS {
            self.slot(row, number).store(IDLE, Ordering::Release);
        }
    }

    /// Say that this thread is pinned, which holds once the caller has fenced and has seen that
    /// the domain is not frozen; `false` if the thread was pinned already.
    #[inline]
    fn announce(&self, number: usize) -> bool {
        if number == SHARED_SLOT {
            return self.announce_in_crowd();
        }
        if self.pinned(number).load(Ordering::Relaxed) != IDLE {
            return false;
        }
        self.write(number);
        true
    }

    /// Stay as it is until the answer is dropped.
    pub(super) fn hold(&self) -> Hold<'_> {
        loop {
            self.held.fetch_add(1, Ordering::SeqCst);
            let hold = Hold(self);
            fence(Ordering::SeqCst);
            if !self.is_frozen() {
                return hold;
            }
            drop(hold);
            self.thawed();
        }
    }

    #[inline]
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }

    /// Wait until threads may pin.
    #[cold]
    fn thawed(&self) {
        while self.frozen.load(Ordering::Acquire) {
            std::thread::sleep(LOOK);
        }
    }

    /// Keep the threads of this process out until the answer is dropped; `None` if one that is
    /// pinned does not leave in time.
    pub(super) fn freeze(&self, patience: Duration) -> Option<Frozen<'_>> {
        let frozen = Frozen(self);
        self.frozen.store(true, Ordering::SeqCst);
        // Whoever is not seen below sees the word above.
        fence(Ordering::SeqCst);
        let deadline = Instant::now() + patience;
        let pinned = |number| self.pinned(number).load(Ordering::Acquire) != IDLE;
        while self.held.load(Ordering::Acquire) != 0 || (0..SLOTS).any(pinned) {
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(LOOK);
        }
        Some(frozen)
    }

    /// The first of many announces, for all of them.
    #[cold]
    fn announce_in_crowd(&self) -> bool {
        let mut crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        if *crowd == 0 {
            self.write(SHARED_SLOT);
        }
        *crowd += 1;
        true
    }

    #[inline]
    fn leave(&self, number: usize) {
        if number == SHARED_SLOT {
            let mut crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
            *crowd -= 1;
            if *crowd > 0 {
                return;
            }
        }
        self.retract(number);
    }

    /// The stamp of something that was just unlinked.
    pub fn stamp(&self) -> u32 {
        fence(Ordering::SeqCst);
        self.epoch().load(Ordering::SeqCst) as u32
    }

    /// Whether nobody can see any more what was unlinked with this stamp.
    pub fn is_safe(&self, stamp: u32) -> bool {
        let now = self.epoch().load(Ordering::Acquire) as u32;
        now.wrapping_sub(stamp).cast_signed() >= 2
    }

    /// Move the epoch on, if nobody is left behind.
    pub fn advance(&self) -> bool {
        let now = self.epoch().load(Ordering::SeqCst);
        // Whoever pinned before the epoch became `now` is seen behind this fence.
        fence(Ordering::SeqCst);
        let rows = self.rows().load(Ordering::SeqCst);
        for row in (0..MAX_PEERS).filter(|row| rows >> row & 1 != 0) {
            if !self.is_current(row, now) && !self.is_cleared(row) {
                return false;
            }
        }
        self.epoch()
            .compare_exchange(now, now.wrapping_add(1), Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    fn vacate(&self, row: usize) {
        self.rows().fetch_and(!(1 << row), Ordering::SeqCst);
        self.clear(row);
    }

    fn is_current(&self, row: usize, now: u64) -> bool {
        (0..SLOTS).all(|number| {
            let announced = self.slot(row, number).load(Ordering::Acquire);
            announced == IDLE || announced == now
        })
    }

    /// Clear the row of a dead process.
    fn is_cleared(&self, row: usize) -> bool {
        let cleared = self
            .sharing
            .as_ref()
            .and_then(|sharing| sharing.peers.if_dead(row, || self.vacate(row)));
        cleared.is_some()
    }
}

/// While it lives, nobody freezes the domain.
pub(super) struct Hold<'a>(&'a Domain);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Release);
    }
}

/// While it lives, no thread of this process is pinned.
pub(super) struct Frozen<'a>(&'a Domain);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.frozen.store(false, Ordering::Release);
    }
}

/// Domains behind the first one that a pin has a bit for.
const MARKED: usize = 63;

/// While it lives, nothing that this thread can find is reused.
///
/// May be nested; the outermost must be dropped last.
pub struct Pin<'d> {
    number: usize,
    first: &'d Domain,
    others: &'d [Arc<Domain>],
    /// Bit a domain, from the first one on: set if this pin entered it, and not one around it.
    entered: u64,
    /// Of domains that have no bit here.
    rest: Option<Box<Self>>,
    /// Tied to its thread.
    _not_send: PhantomData<*const ()>,
}

impl<'d> Pin<'d> {
    /// A pin that keeps nothing, for a reader that has no map to find anything in.
    pub fn of_nothing() -> Self {
        Self {
            number: 0,
            first: &LOCAL,
            others: &[],
            entered: 0,
            rest: None,
            _not_send: PhantomData,
        }
    }

    /// Announce thread `number` to all of them; a fence costs more than that, and one will do.
    #[inline]
    fn enter(number: usize, first: &'d Domain, others: &'d [Arc<Domain>]) -> Self {
        loop {
            let pin = Self::announced(number, first, others);
            full_fence();
            let Some(frozen) = pin.frozen() else {
                return pin;
            };
            drop(pin);
            frozen.thawed();
        }
    }

    #[inline]
    fn announced(number: usize, first: &'d Domain, others: &'d [Arc<Domain>]) -> Self {
        let mut entered = u64::from(first.announce(number));
        for (place, domain) in others.iter().take(MARKED).enumerate() {
            entered |= u64::from(domain.announce(number)) << (place + 1);
        }
        Self {
            number,
            first,
            others,
            entered,
            rest: Self::behind(number, others),
            _not_send: PhantomData,
        }
    }

    #[inline]
    fn behind(number: usize, others: &'d [Arc<Domain>]) -> Option<Box<Self>> {
        let next = others.get(MARKED)?;
        let rest = Self::announced(number, next, &others[MARKED + 1..]);
        Some(Box::new(rest))
    }

    /// The domains that this pin entered; those that an outer one has are none of its business.
    #[inline]
    fn own(&self) -> impl Iterator<Item = &'d Domain> + use<'d> {
        let Self { first, others, .. } = *self;
        let mut left = self.entered;
        iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            Some(match place {
                0 => first,
                _ => &*others[place - 1],
            })
        })
    }

    /// A domain that was frozen before it was entered.
    #[inline]
    fn frozen(&self) -> Option<&'d Domain> {
        let rest = self.rest.as_ref();
        self.own()
            .find(|domain| domain.is_frozen())
            .or_else(|| rest.and_then(|rest| rest.frozen()))
    }
}

/// A full fence.
///
/// On x86 every locked instruction is one.  What `fence` becomes there costs four times as much,
/// which is as much as a small program.
#[inline]
fn full_fence() {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: what it writes is what is there; by default such a block touches all memory, so that
    // nothing is moved over it.
    unsafe {
        std::arch::asm!("lock or dword ptr [rsp], 0", options(nostack));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    fence(Ordering::SeqCst);
}

/// Announce that this thread reads maps of this process from now on.
#[inline]
pub fn pin() -> Pin<'static> {
    pin_with(&[])
}

/// As [`pin`], and maps of these shared domains too.
#[inline]
pub fn pin_with(domains: &[Arc<Domain>]) -> Pin<'_> {
    Pin::enter(numbers::own(), &LOCAL, domains)
}

impl Drop for Pin<'_> {
    #[inline]
    fn drop(&mut self) {
        self.own().for_each(|domain| domain.leave(self.number));
    }
}

#[cfg(test)]
#[path = "tests/epoch.rs"]
mod tests;
