//! What a map operation costs a program, by each of our executors.

use std::sync::Arc;

use _native::exec::Program;
use _native::maps::Map;
use _native::spec::MapSpec;
use serde_json::{Map as Object, Value, json};

use crate::assembly::{self, CONTEXT_SIZE, OPERATIONS, Operation};
use crate::executor::{self, EXECUTORS, Trust};
use crate::map_kinds::Kind;
use crate::map_prices::on_two;
use crate::measure::{Peer, Plan, interleaved};
use crate::programs::repeat;
use crate::{Outcome, emit};

/// Runs of each thread where two work at once.
const TOGETHER: u64 = 10_000;

/// A map, and how it is declared.
type Declared = (MapSpec, Arc<Map>);

/// Rows of each executor, or why it has none.
pub fn bench(kind: &Kind, map: &Declared, entries: u32, plan: &Plan) {
    for executor in EXECUTORS {
        if let Err(reason) = rows(kind, map, entries, executor, plan) {
            emit(&json!({
                "table": "maps", "type": kind.name, "entries": entries,
                "from": format!("program, {executor}"), "reason": reason,
            }));
        }
    }
}

fn rows(
    kind: &Kind,
    (spec, map): &Declared,
    entries: u32,
    executor: &str,
    plan: &Plan,
) -> Outcome<()> {
    let mut subjects = Vec::new();
    for (name, operation) in operations(kind) {
        let program = assembly::program(operation, kind, entries);
        let information = executor::plain("bench_map", CONTEXT_SIZE);
        let specs = std::slice::from_ref(spec);
        let loaded = executor::judge(program, specs, vec![Arc::clone(map)], information)?;
        let trust = Trust::Verdict;
        subjects.push((name, executor::build(&loaded, executor, trust)?.program));
    }
    let row = |from: &str, ns: Object<String, Value>| {
        emit(&json!({
            "table": "maps", "type": kind.name, "entries": entries,
            "from": format!("program, {executor}{from}"), "ns": ns,
        }));
    };
    row("", alone(&subjects, plan)?);
    row(", two threads", together(&subjects));
    Ok(())
}

/// What a map of this kind offers; the first is the price of everything else in the program.
fn operations(kind: &Kind) -> Vec<(&'static str, Operation)> {
    if !kind.has_keys() {
        return vec![
            ("nothing", Operation::None),
            ("peek", Operation::Peek),
            ("push_pop", Operation::PushPop),
        ];
    }
    let mut operations = vec![
        ("draw", Operation::None),
        ("lookup", Operation::Lookup),
        ("update", Operation::Update),
    ];
    if kind.deletes() {
        operations.push(("delete_insert", Operation::Replace));
    }
    operations
}

type Subjects = [(&'static str, Program)];

/// Nanoseconds an operation, with the drawing of its key.
fn alone(subjects: &Subjects, plan: &Plan) -> Outcome<Object<String, Value>> {
    let mut peers: Vec<Peer<'_>> = subjects
        .iter()
        .map(|(name, program)| peer(name, program))
        .collect();
    if peers.iter_mut().any(|peer| (peer.batch)(1) == u64::MAX) {
        return Err("a program of map operations failed".into());
    }
    let times = interleaved(&mut peers, plan);
    let each =
        |(peer, time): (&Peer<'_>, f64)| (peer.name.clone(), json!(time / OPERATIONS as f64));
    Ok(peers.iter().zip(times).map(each).collect())
}

fn together(subjects: &Subjects) -> Object<String, Value> {
    let each = |(name, program): &(&str, Program)| {
        let time = on_two(&|| peer(name, program), TOGETHER);
        ((*name).to_owned(), json!(time / OPERATIONS as f64))
    };
    subjects.iter().map(each).collect()
}

fn peer<'a>(name: &str, program: &'a Program) -> Peer<'a> {
    // A program of this context size takes this context; a failure would show as no result.
    let mut prepared = program.prepare(&[0; CONTEXT_SIZE], b"").ok();
    Peer::new(name, move |count| {
        prepared
            .as_mut()
            .map_or(u64::MAX, |prepared| repeat(prepared, count))
    })
}
