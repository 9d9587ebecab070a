//! Judges and runs random programs, and says whether a run was ever not as the judge says.
//!
//!     cargo run --release --no-default-features --features differential \
//!         --example inclusion -- PROGRAMS [SEED] [THREADS] [ASKED]
//!
//! Of so many programs, one is shown to prevail, too: what the judges do not agree on is counted.
//!
//! Progress and failures go to standard error; at the end one JSON object to standard
//! output.  The exit status is 1 if any program failed.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use _native::inclusion::{Features, Outcome, Trial};

/// Programs that one thread takes at a time.
const CHUNK: u64 = 256;
/// Failures that are printed; the rest are only counted.
const SHOWN: u64 = 10;
const PROGRESS: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Totals {
    programs: u64,
    failures: u64,
    disagreements: u64,
    accepted: u64,
    instructions: u64,
    features: BTreeMap<&'static str, u64>,
    refused: BTreeMap<String, u64>,
    asked: u64,
    /// Why one judge refuses what the other one accepts.
    ours_alone: BTreeMap<String, u64>,
    prevail_alone: BTreeMap<String, u64>,
}

impl Totals {
    /// Compare with what the second judge says.
    fn compare(&mut self, outcome: &Outcome, second: Option<String>) {
        self.asked += 1;
        match (&outcome.refused, second) {
            (None, Some(why)) => *self.ours_alone.entry(class(&why)).or_default() += 1,
            (Some(why), None) => *self.prevail_alone.entry(why.clone()).or_default() += 1,
            _ => {}
        }
    }

    fn take(&mut self, outcome: Outcome) {
        self.programs += 1;
        self.instructions += outcome.executed;
        if let Some(word) = outcome.refused {
            *self.refused.entry(word).or_default() += 1;
        }
        if outcome.accepted {
            self.accepted += 1;
            self.count(outcome.features);
        }
        if let Some(failure) = outcome.failure {
            self.failures += 1;
            if self.failures <= SHOWN {
                eprintln!("FAILURE {failure}");
            }
        }
        if let Some(disagreement) = outcome.disagreement {
            self.disagreements += 1;
            if self.disagreements <= SHOWN {
                eprintln!("DISAGREEMENT {disagreement}");
            }
        }
    }

    fn count(&mut self, features: Features) {
        for (name, has) in [
            ("loops", features.loops),
            ("proved_loops", features.proved_loops),
            ("packet", features.packet),
            ("maps", features.maps),
            ("calls", features.calls),
            ("spills", features.spills),
            ("atomics", features.atomics),
        ] {
            *self.features.entry(name).or_default() += u64::from(has);
        }
    }

    fn add(&mut self, other: Self) {
        self.programs += other.programs;
        self.failures += other.failures;
        self.disagreements += other.disagreements;
        self.accepted += other.accepted;
        self.instructions += other.instructions;
        for (name, count) in other.features {
            *self.features.entry(name).or_default() += count;
        }
        self.asked += other.asked;
        for (own, other) in [
            (&mut self.refused, other.refused),
            (&mut self.ours_alone, other.ours_alone),
            (&mut self.prevail_alone, other.prevail_alone),
        ] {
            for (word, count) in other {
                *own.entry(word).or_default() += count;
            }
        }
    }

    fn print(&self, first: u64, seconds: f64) {
        let share = |count: u64, of: u64| count as f64 / of.max(1) as f64;
        let features = self.features.iter();
        let features: Vec<String> = features
            .map(|(name, count)| format!("\"{name}\": {:.4}", share(*count, self.accepted)))
            .collect();
        println!(
            "{{\"seed\": {first}, \"programs\": {}, \"failures\": {}, \"disagreements\": {}, \
             \"share_accepted\": {:.4}, \"of_these\": {{{}}}, \"refused\": {{{}}}, \
             \"asked_prevail\": {}, \"only_ours_accepts\": {{{}}}, \"only_prevail_accepts\": {{{}}}, \
             \"instructions\": {}, \"seconds\": {seconds:.1}}}",
            self.programs,
            self.failures,
            self.disagreements,
            share(self.accepted, self.programs),
            features.join(", "),
            counts(&self.refused),
            self.asked,
            counts(&self.ours_alone),
            counts(&self.prevail_alone),
            self.instructions,
        );
    }
}

fn counts(words: &BTreeMap<String, u64>) -> String {
    let words = words.iter();
    let words: Vec<String> = words
        .map(|(word, count)| format!("{word:?}: {count}"))
        .collect();
    words.join(", ")
}

/// A reason without its numbers.
fn class(why: &str) -> String {
    let is_plain = |letter: &char| !letter.is_ascii_digit();
    why.chars().filter(is_plain).collect()
}

fn main() -> ExitCode {
    let numbers: Result<Vec<u64>, _> = std::env::args().skip(1).map(|text| text.parse()).collect();
    let Ok([programs, rest @ ..]) = numbers.as_deref() else {
        eprintln!("usage: inclusion PROGRAMS [SEED] [THREADS] [ASKED]");
        return ExitCode::from(2);
    };
    let first = rest.first().copied().unwrap_or(1);
    let threads = rest.get(1).copied().unwrap_or(1);
    let asked = rest.get(2).copied().unwrap_or(u64::MAX);
    let next = AtomicU64::new(0);
    let totals = Mutex::new(Totals::default());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (next, totals) = (&next, &totals);
            scope.spawn(move || {
                let mine = work((*programs, first), next, asked, thread == 0, start);
                totals.lock().expect("no thread panics").add(mine);
            });
        }
    });
    let totals = totals.into_inner().expect("no thread panics");
    totals.print(first, start.elapsed().as_secs_f64());
    ExitCode::from(u8::from(totals.failures > 0))
}

fn work(
    (programs, first): (u64, u64),
    next: &AtomicU64,
    asked: u64,
    tells: bool,
    start: Instant,
) -> Totals {
    let trial = Trial::new().expect("valid maps");
    let mut totals = Totals::default();
    let mut told = start;
    loop {
        let chunk = next.fetch_add(CHUNK, Ordering::Relaxed);
        if chunk >= programs {
            return totals;
        }
        for number in chunk..programs.min(chunk + CHUNK) {
            let seed = first + number;
            let outcome = trial.check(seed);
            if seed.is_multiple_of(asked) {
                totals.compare(&outcome, trial.second_opinion(seed));
            }
            totals.take(outcome);
        }
        if tells && told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!(
                "{chunk} of {programs} programs, {} failures, {} s",
                totals.failures,
                start.elapsed().as_secs()
            );
        }
    }
}
