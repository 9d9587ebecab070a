//! The programs of `tests/bench/programs/vm`: every peer on the same packet.

use std::path::Path;

use _native::exec::{Prepared, Single};
use _native::maps::Map;
use serde_json::{Map as Object, Value, json};

use crate::executor::{self, EXECUTORS, Subject, Trust};
use crate::measure::{Peer, Plan, interleaved, pin_to};
use crate::natives::Library;
use crate::{Outcome, emit, peers};

const CONTEXT: [u8; 32] = [0; 32];
const ARRAY: &str = "map0_array";
const HASH: &str = "map1_hash";

pub fn bench(folder: &Path, plan: &Plan) -> Outcome<()> {
    pin_to(0);
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{path:?}: {error}"));
    let packet = read(&folder.join("packet.bin"))?;
    let library = Library::open(&folder.join("natives.so"))?;
    let mut names: Vec<String> = std::fs::read_dir(folder.join("sample"))
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    for name in names {
        eprintln!("  {name}");
        let object = read(&folder.join(format!("sample/{name}.o")))?;
        let subjects = subjects(&object)?;
        let mut peers = vec![
            peers::native("native", library.program("nat", &name)?, packet.clone()),
            peers::native(
                "native_scalar",
                library.program("sca", &name)?,
                packet.clone(),
            ),
        ];
        let plain = folder.join(format!("plain/{name}.o"));
        peers.push(peers::rbpf(&plain, &library, packet.clone())?);
        for (executor, subject) in &subjects.0 {
            peers.push(ours(executor, subject, &packet)?);
        }
        let refusal = subjects.1.as_deref();
        emit(&row(&name, &mut peers, &subjects.0, refusal, plan));
    }
    around(&read(&folder.join("sample/empty.o"))?, &packet, plan)
}

type Subjects = Vec<(&'static str, Subject)>;

/// The program by each of our executors, and why the verifier refuses it.
fn subjects(object: &[u8]) -> Outcome<(Subjects, Option<String>)> {
    let loaded = executor::load(object, &executor::sample())?;
    for map in &loaded.maps {
        fill(map)?;
    }
    let subjects: Outcome<Subjects> = EXECUTORS
        .into_iter()
        .map(|name| Ok((name, executor::build(&loaded, name, Trust::Anything)?)))
        .collect();
    Ok((subjects?, loaded.refusal))
}

/// What the native maps hold.
fn fill(map: &Map) -> Outcome<()> {
    let (entries, factor) = match map.name() {
        ARRAY => (64, 1),
        HASH => (1024, 3),
        other => return Err(format!("an unknown map {other}")),
    };
    for key in 0..entries {
        let value = u64::from(key) * factor;
        map.update(&u32::to_le_bytes(key), &value.to_le_bytes(), 0)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn ours<'a>(executor: &str, subject: &'a Subject, packet: &[u8]) -> Outcome<Peer<'a>> {
    let prepared = subject.program.prepare(&CONTEXT, packet);
    let mut prepared = prepared.map_err(|error| error.to_string())?;
    Ok(Peer::new(executor, move |count| {
        repeat(&mut prepared, count)
    }))
}

/// The last result of `count` runs; a failed one shows up as no result at all.
pub fn repeat(prepared: &mut Prepared<'_>, count: u64) -> u64 {
    let mut last = (0, 0);
    for _ in 0..count {
        last = prepared.run();
    }
    match last {
        (0, result) => result & 0xffff_ffff,
        _ => u64::MAX,
    }
}

fn row(
    name: &str,
    peers: &mut [Peer<'_>],
    subjects: &Subjects,
    refusal: Option<&str>,
    plan: &Plan,
) -> Value {
    let results: Vec<u64> = peers.iter_mut().map(|peer| (peer.batch)(1)).collect();
    let agree = results.iter().all(|result| *result == results[0]);
    let times = interleaved(peers, plan);
    let named = |peer: &Peer<'_>, time: f64| (peer.name.clone(), json!(time));
    let ns: Object<String, Value> = peers
        .iter()
        .zip(times)
        .map(|(peer, time)| named(peer, time))
        .collect();
    let code = |(executor, subject): &(&str, Subject)| {
        let code = json!({"metered": subject.metered, "checks": subject.checks});
        ((*executor).to_owned(), code)
    };
    let mut code: Object<String, Value> = subjects.iter().map(code).collect();
    code.insert(
        "rbpf_jit".into(),
        json!({"metered": false, "checks": "none"}),
    );
    json!({
        "table": "programs", "program": name, "ns": ns, "code": code,
        "results_agree": agree, "result": results[0],
        "verifier": refusal.map_or_else(|| "accepts".to_owned(), |why| format!("skipped: {why}")),
    })
}

/// What a run leaves out: preparing a context of 1,500 bytes of data, copying back, counting.
fn around(empty: &[u8], packet: &[u8], plan: &Plan) -> Outcome<()> {
    let loaded = executor::load(empty, &executor::sample())?;
    for name in EXECUTORS {
        let program = executor::build(&loaded, name, Trust::Verdict)?.program;
        let program = std::sync::Arc::new(program);
        let mut prepared = program
            .prepare(&CONTEXT, packet)
            .map_err(|error| error.to_string())?;
        let mut single = Single::new(std::sync::Arc::clone(&program));
        let mut peers = [
            Peer::new("run", |count| repeat(&mut prepared, count)),
            Peer::new("prepare", |count| {
                let ready = |_| program.prepare(&CONTEXT, packet).is_ok();
                (0..count).map(ready).filter(|ready| *ready).count() as u64
            }),
            Peer::new("prepare_run_copy_back", |count| {
                let test = |_| program.test_run(&CONTEXT, packet, 0, 1).is_ok();
                (0..count).map(test).filter(|done| *done).count() as u64
            }),
            Peer::new("single_without_data", |count| {
                let run = |_| {
                    single.context().copy_from_slice(&CONTEXT);
                    single.run().is_ok() && single.left().0.len() == CONTEXT.len()
                };
                (0..count).map(run).filter(|done| *done).count() as u64
            }),
        ];
        let times = interleaved(&mut peers, plan);
        let ns: Object<String, Value> = peers
            .iter()
            .zip(times)
            .map(|(peer, time)| (peer.name.clone(), json!(time)))
            .collect();
        emit(&json!({"table": "around a run", "executor": name, "program": "empty", "ns": ns}));
    }
    Ok(())
}
