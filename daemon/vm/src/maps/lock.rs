//! A lock in a map's memory that threads of several processes can hold.
//!
//! ```text
//!   word:  0 free | row + 1 of the owner, top bit: somebody sleeps
//! ```
//!
//! A process that dies with the lock leaves its row in the word.  Whoever waits
//! looks now and then whether that process is alive, takes the lock over if it
//! is not, and is told so: the caller repairs what the dead one left half done.
//! A live owner is waited for up to a bound, since a peer may be malicious.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::peers::{MAX_PEERS, Peers};
use crate::error::{EngineError, Result, ResultCode};

const SLEEPERS: u32 = 1 << 31;
/// In place of a row: the owner died, and its row is somebody else's by now.
const ABANDONED: u32 = SLEEPERS - 1;
const SPINS: u32 = 128;
/// How often a waiter looks whether the owner is alive.
const LOOK: Duration = Duration::from_millis(5);
/// How long the lock of a live peer is waited for.
pub const MAX_WAIT: Duration = Duration::from_secs(2);

/// The lock is held while it lives.
pub struct Held<'a> {
    word: &'a AtomicU32,
    /// The last owner died with the lock.
    pub recovered: bool,
}

/// Take the lock.
#[inline]
pub fn acquire<'a>(word: &'a AtomicU32, peers: Option<&Peers>) -> Result<Held<'a>> {
    let me = name(peers);
    if word
        .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
    {
        return Ok(Held {
            word,
            recovered: false,
        });
    }
    wait(word, me, peers)
}

/// Take the lock if it is free.
pub fn try_acquire<'a>(word: &'a AtomicU32, peers: Option<&Peers>) -> Option<Held<'a>> {
    take(word, 0, name(peers)).then_some(Held {
        word,
        recovered: false,
    })
}

/// What this process writes into the word.
fn name(peers: Option<&Peers>) -> u32 {
    peers.map_or(0, |peers| peers.row as u32) + 1
}

/// Say that the last process with this row died, if it left the lock held.
pub fn abandon(word: &AtomicU32, row: usize) {
    let owner = row as u32 + 1;
    for value in [owner, owner | SLEEPERS] {
        take(word, value, ABANDONED | SLEEPERS);
    }
}

#[cold]
fn wait<'a>(word: &'a AtomicU32, me: u32, peers: Option<&Peers>) -> Result<Held<'a>> {
    let mut spins = 0;
    let mut deadline = None;
    loop {
        let value = word.load(Ordering::Relaxed);
        // Others may sleep: whoever slept must wake the next.
        let mine = if spins < SPINS { me } else { me | SLEEPERS };
        let free = is_nobody(value);
        if free && take(word, value, mine | value & SLEEPERS) {
            return Ok(Held {
                word,
                recovered: value != 0,
            });
        }
        if spins < SPINS {
            spins += 1;
            std::hint::spin_loop();
            continue;
        }
        // Checked whatever the word does: a peer may change it all the time.
        let now = Instant::now();
        if peers.is_some() && now > *deadline.get_or_insert(now + MAX_WAIT) {
            return Err(EngineError::new(
                ResultCode::Timeout,
                format!("another process has held the map's lock for {MAX_WAIT:?}"),
            ));
        }
        if free || value & SLEEPERS == 0 && !take(word, value, value | SLEEPERS) {
            continue;
        }
        let value = value | SLEEPERS;
        sleep(word, value);
        let owner = (value & !SLEEPERS) as usize - 1;
        let taken = || take(word, value, me | SLEEPERS);
        if peers.and_then(|peers| peers.if_dead(owner, taken)) == Some(true) {
            return Ok(Held {
                word,
                recovered: true,
            });
        }
    }
}

/// Whether no process that may be alive has the lock; only 0 is what an honest owner leaves.
fn is_nobody(value: u32) -> bool {
    let owner = (value & !SLEEPERS) as usize;
    owner == 0 || owner > MAX_PEERS
}

fn take(word: &AtomicU32, old: u32, new: u32) -> bool {
    word.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.word.swap(0, Ordering::Release) & SLEEPERS != 0 {
            wake(self.word);
        }
    }
}

/// Sleep while the word has this value, a few milliseconds at most.
fn sleep(word: &AtomicU32, value: u32) {
    let timeout = libc::timespec {
        tv_sec: 0,
        tv_nsec: LOOK.subsec_nanos().into(),
    };
    // SAFETY: the word is live memory, and the kernel only reads it.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            value,
            &raw const timeout,
        )
    };
}

#[cold]
fn wake(word: &AtomicU32) {
    // SAFETY: waking does not touch the word.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}
