//! How everything here is timed.
//!
//! Cores are shared and clocks change, so figures are compared, never judged
//! alone: all peers of one row take turns, batch by batch, on one pinned core,
//! in thread CPU time; the median of batches, then of rounds, is the figure.
//!
//! Sound because: the libc calls get pointers to live values of their types.

use std::mem::MaybeUninit;

/// How long and how often.
pub struct Plan {
    pub quick: bool,
    rounds: usize,
    batches: usize,
    batch_ns: f64,
}

impl Plan {
    pub fn new(quick: bool) -> Self {
        let (rounds, batches, batch_ns) = if quick { (3, 5, 1.5e6) } else { (5, 15, 5e6) };
        Self {
            quick,
            rounds,
            batches,
            batch_ns,
        }
    }

    /// The same with fewer batches: for tables of many rows.
    pub fn shorter(&self) -> Self {
        Self {
            quick: self.quick,
            rounds: self.rounds.min(3),
            batches: self.batches.min(5),
            batch_ns: self.batch_ns,
        }
    }
}

/// Something that can be done `n` times in a row; gives back its last result.
pub struct Peer<'a> {
    pub name: String,
    pub batch: Box<dyn FnMut(u64) -> u64 + 'a>,
}

impl<'a> Peer<'a> {
    pub fn new(name: impl Into<String>, batch: impl FnMut(u64) -> u64 + 'a) -> Self {
        Self {
            name: name.into(),
            batch: Box::new(batch),
        }
    }
}

/// Median nanoseconds that each peer takes for one of its things.
pub fn interleaved(peers: &mut [Peer<'_>], plan: &Plan) -> Vec<f64> {
    let counts: Vec<u64> = peers
        .iter_mut()
        .map(|peer| calibrate(peer, plan.batch_ns))
        .collect();
    let mut rounds = vec![Vec::new(); peers.len()];
    for _ in 0..plan.rounds {
        let mut batches = vec![Vec::new(); peers.len()];
        for _ in 0..plan.batches {
            for (index, peer) in peers.iter_mut().enumerate() {
                batches[index].push(time(peer, counts[index]) / counts[index] as f64);
            }
        }
        for (index, batches) in batches.into_iter().enumerate() {
            rounds[index].push(median(batches));
        }
    }
    rounds.into_iter().map(median).collect()
}

/// How often to do it for a batch of about `batch_ns`.
fn calibrate(peer: &mut Peer<'_>, batch_ns: f64) -> u64 {
    let mut count = 1;
    loop {
        let taken = time(peer, count);
        if taken > batch_ns / 8.0 {
            return ((count as f64 * batch_ns / taken) as u64).max(1);
        }
        count *= 4;
    }
}

fn time(peer: &mut Peer<'_>, count: u64) -> f64 {
    let start = cpu_ns();
    std::hint::black_box((peer.batch)(count));
    (cpu_ns() - start) as f64
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// CPU time of this thread.
pub fn cpu_ns() -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the clock exists on Linux, and fills the value.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr());
        time.assume_init()
    };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Keep this thread on one core, as far as the system lets us.
pub fn pin_to(core: usize) {
    // SAFETY: an all-zero set is valid; it outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}

/// Numbers that look random and are the same in every run (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % bound as u64) as usize
    }

    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for index in (1..values.len()).rev() {
            values.swap(index, self.below(index + 1));
        }
    }
}
