//! Many programs alive at once: memory, mappings, and the time that making one takes.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::executor::{self, EXECUTORS, Trust};
use crate::measure::{Plan, pin_to};
use crate::{Outcome, batch, emit};

const PROGRAMS: usize = 10_000;

pub fn bench(folder: &Path, plan: &Plan) -> Outcome<()> {
    pin_to(0);
    let object = std::fs::read(folder.join("verdict.o")).map_err(|error| error.to_string())?;
    let loaded = executor::load(
        &object,
        &executor::plain("bench_event", batch::CONTEXT_SIZE),
    )?;
    let programs = if plan.quick { PROGRAMS / 4 } else { PROGRAMS };
    for name in EXECUTORS {
        let (memory, mappings) = (resident_kib()?, mappings()?);
        let start = Instant::now();
        let alive: Outcome<Vec<_>> = (0..programs)
            .map(|_| executor::build(&loaded, name, Trust::Verdict))
            .collect();
        let taken = start.elapsed().as_secs_f64();
        let alive = alive?;
        let all_run = alive.iter().all(|subject| {
            let prepared = subject.program.prepare(&batch::context(), b"");
            prepared.is_ok_and(|mut prepared| prepared.run() == (0, 0))
        });
        let (more_memory, more_mappings) = (resident_kib()?, self::mappings()?);
        drop(alive);
        emit(&json!({
            "table": "programs alive", "executor": name, "programs": programs, "all_run": all_run,
            "kib_each": (more_memory as f64 - memory as f64) / programs as f64,
            "mappings": more_mappings - mappings,
            "kib_left_behind": resident_kib()? as i64 - memory as i64,
            "mappings_left_behind": self::mappings()? as i64 - mappings as i64,
            "make_us_each": taken * 1e6 / programs as f64,
        }));
    }
    Ok(())
}

fn resident_kib() -> Outcome<usize> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.ok_or_else(|| "no VmRSS in /proc/self/status".into())
}

fn mappings() -> Outcome<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(|error| error.to_string())?;
    Ok(maps.lines().count())
}
