//! What a map operation costs, from Rust and from a program, on one and on two threads.
//!
//! Keys come in one random order, the same for every peer; each value that is
//! found is read.  `find` gives an address (what programs get), `lookup` a copy.
//! hashbrown with foldhash stands beside HASH.
//!
//! Sound because: an address is read while the pin under which it was found lives.

use std::sync::Barrier;
use std::time::Instant;

use _native::maps::{DirectLookup, Map, epoch};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde_json::{Map as Object, Value, json};

use crate::map_kinds::{Family, KINDS, Kind, SIZES};
use crate::measure::{Peer, Plan, interleaved, pin_to};
use crate::{Outcome, emit, map_objects, map_ordered, map_programs};

/// Lookups under one pin, as invocations in a batch have it.
const PINNED: u64 = 64;
/// Operations of each thread where two work at once.
const TOGETHER: u64 = 200_000;

type Beside = HashMap<u32, u64, FixedState>;

pub fn bench(plan: &Plan) -> Outcome<()> {
    pin_to(0);
    let plan = plan.shorter();
    for kind in &KINDS {
        if kind.family == Family::Queue {
            map_ordered::bench(kind, &plan)?;
            continue;
        }
        for entries in SIZES {
            let (spec, map) = match kind.map(entries) {
                Ok(made) => made,
                Err(reason) => {
                    emit(&json!({"table": "maps", "type": kind.name, "reason": reason}));
                    break;
                }
            };
            eprintln!("  {} of {entries}", kind.name);
            let row = |from: &str, ns: Object<String, Value>| {
                emit(&json!({
                    "table": "maps", "type": kind.name, "entries": entries, "from": from, "ns": ns,
                }));
            };
            let keys = kind.keys(entries);
            let round = Round {
                keys: &keys,
                size: kind.key_size(),
                at: 0,
            };
            row("rust", native(kind, &map, round, &plan));
            row("rust, two threads", together(kind, &map, round));
            map_programs::bench(kind, &(spec, map), entries, &plan);
        }
    }
    map_objects::bench(&plan);
    Ok(())
}

/// Goes round through the keys, on and on.
#[derive(Clone, Copy)]
struct Round<'a> {
    /// One after the other.
    keys: &'a [u8],
    size: usize,
    at: usize,
}

impl<'a> Round<'a> {
    fn next(&mut self) -> &'a [u8] {
        let key = &self.keys[self.at..self.at + self.size];
        self.at += self.size;
        if self.at == self.keys.len() {
            self.at = 0;
        }
        key
    }
}

/// A peer that does `work` with one key after the other.
fn each<'a>(
    name: &str,
    mut round: Round<'a>,
    mut work: impl FnMut(&'a [u8]) -> u64 + 'a,
) -> Peer<'a> {
    Peer::new(name, move |count| {
        let step = |sum: u64, _| sum.wrapping_add(work(round.next()));
        (0..count).fold(0, step)
    })
}

fn native(kind: &Kind, map: &Map, round: Round<'_>, plan: &Plan) -> Object<String, Value> {
    let value = vec![1; map.user_value_size()];
    let beside = std::cell::RefCell::new(Beside::default());
    for key in round.keys.chunks(round.size) {
        beside.borrow_mut().insert(number(key), 1);
    }
    let mut lookups = vec![
        finds(map, round),
        each("lookup", round, |key| {
            map.lookup(key).map_or(0, |v| v[0].into())
        }),
        each("next_key", round, |key| {
            map.next_key(Some(key)).map_or(0, |k| k[0].into())
        }),
    ];
    let mut changes = vec![each("update", round, |key| {
        map.update(key, &value, 0).is_ok().into()
    })];
    if kind.deletes() {
        changes.push(each("delete_insert", round, |key| {
            u64::from(map.delete(key).is_ok()) + u64::from(map.update(key, &value, 0).is_ok())
        }));
    }
    if kind.name == "HASH" {
        lookups.push(each("hashbrown_lookup", round, |key| {
            beside.borrow().get(&number(key)).copied().unwrap_or(0)
        }));
        changes.push(each("hashbrown_update", round, |key| {
            beside.borrow_mut().insert(number(key), 1).unwrap_or(0)
        }));
        changes.push(each("hashbrown_delete_insert", round, |key| {
            let mut beside = beside.borrow_mut();
            beside.remove(&number(key));
            beside.insert(number(key), 1).unwrap_or(0)
        }));
    }
    let mut ns = Object::new();
    for peers in [&mut lookups, &mut changes] {
        let times = interleaved(peers, plan);
        ns.extend(
            peers
                .iter()
                .zip(times)
                .map(|(peer, time)| (peer.name.clone(), json!(time))),
        );
    }
    ns
}

fn number(key: &[u8]) -> u32 {
    key.try_into().map_or(0, u32::from_le_bytes)
}

/// Addresses of values, each read; found as compiled code finds them, if it has a way of its own.
fn finds<'a>(map: &'a Map, mut round: Round<'a>) -> Peer<'a> {
    Peer::new("find", move |count| {
        let (mut sum, mut pin) = (0_u64, epoch::pin());
        let direct = map.direct_lookup();
        for index in 0..count {
            if index % PINNED == PINNED - 1 {
                drop(pin);
                pin = epoch::pin();
            }
            let key = round.next();
            let address = match direct {
                // SAFETY: the view is the live map's, the key has its size, and we are pinned.
                DirectLookup::Function { function, view } => unsafe {
                    function(view, key.as_ptr())
                },
                _ => map.value_address(key, 0, &pin).ok().flatten().unwrap_or(0) as u64,
            };
            if address != 0 {
                // SAFETY: a value has 8 bytes here, at a multiple of 8, and stays while pinned.
                sum = sum.wrapping_add(unsafe { (address as *const u64).read_volatile() });
            }
        }
        sum
    })
}

/// Wall time of an operation while another thread does the same on the same map.
fn together(kind: &Kind, map: &Map, round: Round<'_>) -> Object<String, Value> {
    let value = vec![1; map.user_value_size()];
    let update = |key: &[u8]| u64::from(map.update(key, &value, 0).is_ok());
    let mut ns = Object::new();
    let find = || finds(map, round);
    ns.insert("find".into(), json!(on_two(&find, TOGETHER)));
    let lookup = || each("", round, |key| map.lookup(key).map_or(0, |v| v[0].into()));
    ns.insert("lookup".into(), json!(on_two(&lookup, TOGETHER)));
    let change = || each("", round, update);
    ns.insert("update".into(), json!(on_two(&change, TOGETHER)));
    if kind.deletes() {
        let replace = || {
            each("", round, |key| {
                u64::from(map.delete(key).is_ok()) + update(key)
            })
        };
        ns.insert("delete_insert".into(), json!(on_two(&replace, TOGETHER)));
    }
    ns
}

/// Nanoseconds of wall time a thing, `count` of which each of two threads does.
pub fn on_two<'a>(peer: &(impl Fn() -> Peer<'a> + Sync), count: u64) -> f64 {
    let barrier = Barrier::new(2);
    let work = |core: usize| {
        pin_to(core);
        let mut peer = peer();
        (peer.batch)(count / 10);
        barrier.wait();
        let start = Instant::now();
        std::hint::black_box((peer.batch)(count));
        start.elapsed().as_nanos() as f64 / count as f64
    };
    let both = std::thread::scope(|scope| {
        let threads = [0, 1].map(|core| scope.spawn(move || work(core)));
        threads.map(|thread| thread.join().unwrap_or(f64::NAN))
    });
    (both[0] + both[1]) / 2.0
}
