//! Runs random programs on both executors and says whether they ever differ.
//!
//!     cargo run --release --no-default-features --features differential \
//!         --example differential -- PROGRAMS [SEED] [THREADS]
//!
//! Progress goes to standard error; at the end one JSON object to standard
//! output.  The exit status is 1 if any program made a difference.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use _native::differential::{Kind, Pair, all_kinds};

/// Programs that one thread takes at a time.
const CHUNK: u64 = 256;
/// Differences that are printed; the rest are only counted.
const SHOWN: u64 = 10;
const PROGRESS: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Totals {
    programs: u64,
    differences: u64,
    long: u64,
    free: u64,
    instructions: u64,
    kinds: BTreeMap<Kind, u64>,
    codes: BTreeMap<u8, u64>,
}

impl Totals {
    fn run(&mut self, pair: &Pair, seed: u64) {
        let outcome = pair.check(seed, None);
        self.programs += 1;
        self.instructions += outcome.executed;
        self.long += u64::from(outcome.executed >= 20);
        self.free += u64::from(outcome.free);
        *self.codes.entry(outcome.code).or_default() += 1;
        for (kind, count) in outcome.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        if let Some(difference) = outcome.difference {
            self.differences += 1;
            if self.differences <= SHOWN {
                eprintln!("{difference}");
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.programs += other.programs;
        self.differences += other.differences;
        self.long += other.long;
        self.free += other.free;
        self.instructions += other.instructions;
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
    }

    fn print(&self, seconds: f64) {
        let executed = |kind: &Kind| self.kinds.get(kind).copied().unwrap_or(0);
        let all = all_kinds();
        let rarest = all
            .iter()
            .min_by_key(|kind| executed(kind))
            .copied()
            .unwrap_or_default();
        let codes: Vec<String> = self
            .codes
            .iter()
            .map(|(code, count)| format!("\"{code}\": {count}"))
            .collect();
        let share = |count: u64| count as f64 / self.programs.max(1) as f64;
        println!(
            "{{\"programs\": {}, \"differences\": {}, \"kinds\": {}, \"rarest\": {{\"opcode\": {}, \
             \"refinement\": {}, \"executions\": {}}}, \"share_of_20_instructions\": {:.4}, \
             \"share_unmetered\": {:.4}, \"instructions\": {}, \"codes\": {{{}}}, \"seconds\": {seconds:.1}}}",
            self.programs,
            self.differences,
            all.len(),
            rarest.0,
            rarest.1,
            executed(&rarest),
            share(self.long),
            share(self.free),
            self.instructions,
            codes.join(", "),
        );
    }
}

fn main() -> ExitCode {
    let numbers: Result<Vec<u64>, _> = std::env::args().skip(1).map(|text| text.parse()).collect();
    let Ok([programs, rest @ ..]) = numbers.as_deref() else {
        eprintln!("usage: differential PROGRAMS [SEED] [THREADS]");
        return ExitCode::from(2);
    };
    let first = rest.first().copied().unwrap_or(1);
    let threads = rest.get(1).copied().unwrap_or(1);
    let next = AtomicU64::new(0);
    let totals = Mutex::new(Totals::default());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (next, totals) = (&next, &totals);
            scope.spawn(move || {
                let mine = work(*programs, first, next, thread == 0, start);
                totals.lock().expect("no thread panics").add(mine);
            });
        }
    });
    let totals = totals.into_inner().expect("no thread panics");
    totals.print(start.elapsed().as_secs_f64());
    ExitCode::from(u8::from(totals.differences > 0))
}

fn work(programs: u64, first: u64, next: &AtomicU64, tells: bool, start: Instant) -> Totals {
    let pair = Pair::new().expect("valid maps");
    let mut totals = Totals::default();
    let mut told = start;
    loop {
        let chunk = next.fetch_add(CHUNK, Ordering::Relaxed);
        if chunk >= programs {
            return totals;
        }
        for number in chunk..programs.min(chunk + CHUNK) {
            totals.run(&pair, first + number);
        }
        if tells && told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!(
                "{chunk} of {programs} programs, {} s",
                start.elapsed().as_secs()
            );
        }
    }
}
