//! On whose behalf an invocation runs, for the helpers that ask.
//!
//! A batch may name its origin; else it is the thread that runs the program.
//! What eBPF for Windows asks its kernel is read from `/proc`:
//!
//! ```text
//!   logon id            audit session << 32 | login uid (without one, the origin's uid)
//!   process start key   start of the process in clock ticks << 22 | pid
//!   thread create time  100-ns units since 1601, as FILETIME counts
//! ```
//!
//! Each is the same for as long as the process or thread lives, and 0 if nothing
//! can be known.  It is read once: for a batch that names its origin while the
//! batch runs, for a thread that does not while the thread lives, so that a
//! number that is used again never answers for who had it before.
//!
//! Sound because: the system calls take no pointers.

use std::cell::{Cell, OnceCell};
use std::fs;
use std::sync::OnceLock;

/// Bits of the start key that hold the pid: Linux has no larger ones.
const PID_BITS: u32 = 22;
/// What `/proc` says when nobody logged in.
const UNSET: u32 = u32::MAX;
/// Seconds from 1601 to 1970.
const UNIX_EPOCH: u64 = 11_644_473_600;
const UNITS_PER_SECOND: u64 = 10_000_000;

/// Who caused an invocation; pids and tids as this process sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub pid: u32,
    pub tid: u32,
    /// `None`: nobody said, and the user of this process stands for nobody.
    pub uid: Option<u32>,
}

/// What `/proc` tells of an origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub logon_id: u64,
    pub start_key: u64,
    pub create_time: u64,
}

thread_local! {
    /// This thread, and what is known of it; a fork is noticed by its pid.
    static OWN: Cell<Option<(Origin, Option<Facts>)>> = const { Cell::new(None) };
}

/// The origin of one batch.
#[derive(Default)]
pub struct Identity {
    named: Option<Origin>,
    facts: OnceCell<Facts>,
}

impl Identity {
    pub fn new(named: Option<Origin>) -> Self {
        Self {
            named,
            facts: OnceCell::new(),
        }
    }

    pub fn origin(&self) -> Origin {
        self.named.unwrap_or_else(|| own().0)
    }

    /// Whether [`Self::facts`] has to read anything.
    pub fn is_known(&self) -> bool {
        self.facts.get().is_some() || self.named.is_none() && own().1.is_some()
    }

    pub fn facts(&self) -> Facts {
        *self.facts.get_or_init(|| match (self.named, own()) {
            (Some(origin), _) => read(origin),
            (None, (_, Some(facts))) => facts,
            (None, (origin, None)) => {
                let facts = read(origin);
                OWN.set(Some((origin, Some(facts))));
                facts
            }
        })
    }
}

fn own() -> (Origin, Option<Facts>) {
    // SAFETY: takes no arguments.
    let pid = unsafe { libc::getpid() }.cast_unsigned();
    if let Some(known) = OWN.get().filter(|(origin, _)| origin.pid == pid) {
        return known;
    }
    let origin = Origin {
        pid,
        // SAFETY: takes no arguments.
        tid: unsafe { libc::gettid() }.cast_unsigned(),
        uid: None,
    };
    OWN.set(Some((origin, None)));
    (origin, None)
}

fn read(origin: Origin) -> Facts {
    let Origin { pid, tid, uid } = origin;
    let number = |name: &str| -> Option<u32> {
        let text = fs::read_to_string(format!("/proc/{pid}/{name}")).ok()?;
        text.trim().parse().ok().filter(|number| *number != UNSET)
    };
    let user = number("loginuid").or(uid).unwrap_or_default();
    let session = number("sessionid").unwrap_or_default();
    let process = start_ticks(&format!("/proc/{pid}/stat"));
    let thread = start_ticks(&format!("/proc/{pid}/task/{tid}/stat"));
    Facts {
        logon_id: u64::from(session) << 32 | u64::from(user),
        start_key: process.map_or(0, |ticks| ticks << PID_BITS | u64::from(pid)),
        create_time: thread.map_or(0, file_time),
    }
}

/// When a process or thread began, in clock ticks since boot: field 22 of its `stat`.
fn start_ticks(path: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    // The name, field 2, may hold anything; its bracket is the last one.
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// A time since boot as eBPF for Windows has it.
fn file_time(ticks: u64) -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    let boot = BOOT.get_or_init(|| {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("btime "));
        line.and_then(|seconds| seconds.parse().ok())
            .unwrap_or_default()
    });
    // SAFETY: takes no pointer.
    let rate = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let rate = u64::try_from(rate).unwrap_or(100).max(1);
    (boot + UNIX_EPOCH) * UNITS_PER_SECOND + ticks * UNITS_PER_SECOND / rate
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH as EPOCH};

    /// Without a name it is the thread that runs the program, whose user nobody named.
    #[test]
    fn the_default_is_the_running_thread() {
        let mine = Identity::default().origin();
        assert_eq!((std::process::id(), None), (mine.pid, mine.uid));
        let other = std::thread::spawn(|| Identity::default().origin());
        let other = other.join().expect("no panic");
        assert_eq!(mine.pid, other.pid);
        assert_ne!(mine.tid, other.tid);
    }

    /// What is read is kept, and the same whoever asks.
    #[test]
    fn facts_of_a_living_thread_do_not_change() {
        let first = Identity::default();
        let facts = first.facts();
        assert!(first.is_known() && Identity::default().is_known());
        assert_eq!(facts, Identity::default().facts());
        let named = Identity::new(Some(first.origin()));
        assert!(!named.is_known());
        assert_eq!(facts, named.facts());
        assert!(named.is_known());
        assert_eq!(u64::from(std::process::id()), facts.start_key & 0x3f_ffff);
    }

    /// A thread began before now, and not long before the test did.
    #[test]
    fn create_times_are_file_times() {
        let created = Identity::default().facts().create_time;
        let now = SystemTime::now().duration_since(EPOCH).expect("after 1970");
        let now = (now.as_secs() + UNIX_EPOCH) * UNITS_PER_SECOND;
        let hour = 3_600 * UNITS_PER_SECOND;
        assert!(created > now - hour && created < now + hour, "{created}");
    }

    /// Of who does not exist nothing is known; a named user is its own login.
    #[test]
    fn unknown_origins_have_no_times() {
        let nobody = Origin {
            pid: u32::MAX,
            tid: 1,
            uid: Some(77),
        };
        let expected = Facts {
            logon_id: 77,
            ..Facts::default()
        };
        assert_eq!(expected, Identity::new(Some(nobody)).facts());
    }
}
