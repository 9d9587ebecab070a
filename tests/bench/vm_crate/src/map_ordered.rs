//! Prices of QUEUE and STACK maps: values in, values out, the next one looked at.

use _native::maps::Map;
use serde_json::{Map as Object, Value, json};

use crate::map_kinds::{Kind, SIZES};
use crate::map_prices::on_two;
use crate::measure::{Peer, Plan, interleaved};
use crate::{Outcome, emit, map_programs};

/// Operations of each thread where two work at once.
const TOGETHER: u64 = 200_000;
const VALUE: [u8; 8] = [1; 8];

pub fn bench(kind: &Kind, plan: &Plan) -> Outcome<()> {
    for entries in SIZES {
        eprintln!("  {} of {entries}", kind.name);
        let (spec, map) = kind.map(entries)?;
        let row = |from: &str, ns: Object<String, Value>| {
            emit(&json!({
                "table": "maps", "type": kind.name, "entries": entries, "from": from, "ns": ns,
            }));
        };
        row("rust", alone(&map, plan));
        row("rust, two threads", together(&map));
        map_programs::bench(kind, &(spec, map), entries, plan);
    }
    Ok(())
}

fn alone(map: &Map, plan: &Plan) -> Object<String, Value> {
    let mut peers = [peek(map), push_pop(map)];
    let times = interleaved(&mut peers, plan);
    let named = |(peer, time): (&Peer<'_>, f64)| (peer.name.clone(), json!(time));
    peers.iter().zip(times).map(named).collect()
}

fn together(map: &Map) -> Object<String, Value> {
    let mut ns = Object::new();
    ns.insert("peek".into(), json!(on_two(&|| peek(map), TOGETHER)));
    ns.insert(
        "push_pop".into(),
        json!(on_two(&|| push_pop(map), TOGETHER)),
    );
    ns
}

fn peek(map: &Map) -> Peer<'_> {
    Peer::new("peek", |count| {
        (0..count).map(|_| u64::from(map.peek().is_ok())).sum()
    })
}

fn push_pop(map: &Map) -> Peer<'_> {
    Peer::new("push_pop", |count| {
        let both = |_| u64::from(map.push(&VALUE, 0).is_ok()) + u64::from(map.pop().is_ok());
        (0..count).map(both).sum()
    })
}
