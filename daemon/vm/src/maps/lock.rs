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

use super::peers::Peers;
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
    let me = peers.map_or(0, |peers| peers.row as u32) + 1;
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
        if value == 0 {
            // Others may sleep: whoever slept must wake the next.
            let taken = if spins < SPINS { me } else { me | SLEEPERS };
            if take(word, 0, taken) {
                return Ok(Held {
                    word,
                    recovered: false,
                });
            }
            continue;
        }
        if value & !SLEEPERS == ABANDONED {
            if take(word, value, me | SLEEPERS) {
                return Ok(Held {
                    word,
                    recovered: true,
                });
            }
            continue;
        }
        if spins < SPINS {
            spins += 1;
            std::hint::spin_loop();
            continue;
        }
        if value & SLEEPERS == 0 && !take(word, value, value | SLEEPERS) {
            continue;
        }
        sleep(word, value | SLEEPERS);
        let Some(peers) = peers else {
            continue;
        };
        let owner = (value & !SLEEPERS).wrapping_sub(1) as usize;
        let taken = || take(word, value | SLEEPERS, me | SLEEPERS);
        if peers.if_dead(owner, taken) == Some(true) {
            return Ok(Held {
                word,
                recovered: true,
            });
        }
        let now = Instant::now();
        if now > *deadline.get_or_insert(now + MAX_WAIT) {
            return Err(EngineError::new(
                ResultCode::Timeout,
                format!("another process has held the map's lock for {MAX_WAIT:?}"),
            ));
        }
    }
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
