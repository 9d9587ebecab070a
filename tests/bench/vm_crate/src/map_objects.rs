//! What maps of other things cost a program: of maps, of programs, of records.
//!
//! ```text
//!   HASH_OF_MAPS, ARRAY_OF_MAPS   find an inner array, then its value     16 times a run, any key
//!   PROG_ARRAY                    a program that calls itself             33 times a run
//!   RINGBUF, PERF_EVENT_ARRAY     8 bytes out; the reader takes them after every 64 runs
//! ```

use std::sync::Arc;

use _native::maps::{Map, MapOptions};
use _native::spec::MapSpec;
use serde_json::{Value, json};

use crate::assembly::{self, CONTEXT_SIZE, OPERATIONS, Operation};
use crate::executor::{self, EXECUTORS, Subject, Trust};
use crate::map_kinds::{Family, Kind, SIZES};
use crate::measure::{Peer, Plan, interleaved};
use crate::programs::repeat;
use crate::{Outcome, emit};

const OF_MAPS: [Kind; 2] = [
    Kind::new("HASH_OF_MAPS", 6, Family::Keyed),
    Kind::new("ARRAY_OF_MAPS", 7, Family::Indexed),
];
const PROGRAMS: Kind = Kind::new("PROG_ARRAY", 3, Family::Indexed);
const RINGS: [Kind; 2] = [
    Kind::new("RINGBUF", 13, Family::Records),
    Kind::new("PERF_EVENT_ARRAY", 14, Family::Records),
];
/// Tail calls of an invocation: the next one fails.
const TAIL_CALLS: usize = 33;
const RING_BYTES: u32 = 1 << 20;
/// Runs after which all records are read.
const UNREAD: u64 = 64;

pub fn bench(plan: &Plan) {
    let sizes = if plan.quick { &SIZES[..2] } else { &SIZES };
    for kind in &OF_MAPS {
        for entries in sizes.iter().copied() {
            eprintln!("  {} of {entries}", kind.name);
            each_executor(kind, entries, |executor| {
                inner(kind, entries, executor, plan)
            });
        }
    }
    each_executor(&PROGRAMS, 1, |executor| tail_call(executor, plan));
    for kind in &RINGS {
        each_executor(kind, RING_BYTES, |executor| record(kind, executor, plan));
    }
}

/// A row of each executor: named times of one operation, or why there are none.
fn each_executor(kind: &Kind, entries: u32, times: impl Fn(&str) -> Outcome<Value>) {
    for executor in EXECUTORS {
        let mut row = json!({
            "table": "maps", "type": kind.name, "entries": entries,
            "from": format!("program, {executor}"),
        });
        match times(executor) {
            Ok(times) => row["ns"] = times,
            Err(reason) => row["reason"] = json!(reason),
        }
        emit(&row);
    }
}

fn subject(
    operation: Operation,
    kind: &Kind,
    entries: u32,
    executor: &str,
    (specs, map): (&[MapSpec], &Arc<Map>),
) -> Outcome<Subject> {
    let program = assembly::program(operation, kind, entries);
    let information = executor::plain("bench_map", CONTEXT_SIZE);
    let loaded = executor::judge(program, specs, vec![Arc::clone(map)], information)?;
    executor::build(&loaded, executor, Trust::Verdict)
}

/// Nanoseconds of one of the `count` operations in each run.
fn price(subject: &Subject, count: usize, plan: &Plan, mut after: impl FnMut()) -> Outcome<f64> {
    let prepared = subject.program.prepare(&[0; CONTEXT_SIZE], b"");
    let mut prepared = prepared.map_err(|error| error.to_string())?;
    if repeat(&mut prepared, 1) == u64::MAX {
        return Err("a program of map operations failed".into());
    }
    let batch = move |runs: u64| {
        let mut left = runs;
        let mut result = 0;
        while left > 0 {
            let now = left.min(UNREAD);
            result = repeat(&mut prepared, now);
            after();
            left -= now;
        }
        result
    };
    let times = interleaved(&mut [Peer::new("", batch)], plan);
    Ok(times[0] / count as f64)
}

fn declared(kind: &Kind, sizes: (u32, u32), entries: u32, inner: Option<usize>) -> MapSpec {
    MapSpec {
        name: "priced".into(),
        map_type: kind.number,
        key_size: sizes.0,
        value_size: sizes.1,
        max_entries: entries,
        inner,
        ..MapSpec::default()
    }
}

fn made(specs: &[MapSpec]) -> Outcome<Arc<Map>> {
    let map = Map::new(MapOptions::of(&specs[0], specs));
    map.map(Arc::new).map_err(|error| error.to_string())
}

/// The value of an inner map, which is the same one under each key.
fn inner(kind: &Kind, entries: u32, executor: &str, plan: &Plan) -> Outcome<Value> {
    let array = Kind::new("ARRAY", 2, Family::Indexed);
    let specs = [
        declared(kind, (4, 4), entries, Some(1)),
        declared(&array, (4, 8), 1, None),
    ];
    let (map, value) = (made(&specs)?, made(&specs[1..])?);
    for key in kind.keys(entries).chunks(kind.key_size()) {
        map.set_map(key, Arc::clone(&value), 1, 0)
            .map_err(|error| error.to_string())?;
    }
    let mut times = serde_json::Map::new();
    for (name, operation) in [
        ("draw", Operation::None),
        ("lookup", Operation::LookupInner),
    ] {
        let subject = subject(operation, kind, entries, executor, (&specs, &map))?;
        times.insert(
            name.into(),
            json!(price(&subject, OPERATIONS, plan, || ())?),
        );
    }
    Ok(times.into())
}

/// A tail call, its part of the run's start and end among it.
fn tail_call(executor: &str, plan: &Plan) -> Outcome<Value> {
    let specs = [declared(&PROGRAMS, (4, 4), 1, None)];
    let map = made(&specs)?;
    let at = (&specs[..], &map);
    let called = subject(Operation::TailCall, &PROGRAMS, 1, executor, at)?;
    map.set_program(&[0; 4], Arc::new(called.program), 1, 0)
        .map_err(|error| error.to_string())?;
    let caller = subject(Operation::TailCall, &PROGRAMS, 1, executor, at)?;
    let time = price(&caller, TAIL_CALLS, plan, || ())?;
    map.clear_objects();
    Ok(json!({"tail_call": time}))
}

/// A record, written and read.
fn record(kind: &Kind, executor: &str, plan: &Plan) -> Outcome<Value> {
    let specs = [declared(kind, (0, 0), RING_BYTES, None)];
    let map = made(&specs)?;
    let operation = if kind.number == 13 {
        Operation::Output
    } else {
        Operation::OutputEvent
    };
    let subject = subject(operation, kind, RING_BYTES, executor, (&specs, &map))?;
    let time = price(&subject, OPERATIONS, plan, || {
        let _ = map.read(usize::MAX, usize::MAX);
    })?;
    Ok(json!({"output_read": time}))
}
