//! Peers that write whatever they like into a shared map.
//!
//! Whatever they do, calls end, nothing panics, and nothing outside of the map
//! is touched.  What they read in the map is their own fault.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;

const TYPES: [u32; 7] = [
    map_type::HASH,
    map_type::PERCPU_HASH,
    map_type::LRU_HASH,
    map_type::LPM_TRIE,
    map_type::QUEUE,
    map_type::STACK,
    map_type::PERF_EVENT_ARRAY,
];
/// Bytes of the header and of the lists of a stripe, from the beginning of the map.
const STRIPES: usize = 256;

/// Ends the peer even if the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 4
    }
}

fn shared(number: u32) -> Map {
    let (keys, values, entries) = match number {
        map_type::QUEUE | map_type::STACK => (0, 8, 16),
        map_type::LPM_TRIE => (8, 8, 16),
        map_type::PERF_EVENT_ARRAY => (0, 0, 4096),
        _ => (4, 8, 16),
    };
    stored(Storage::Memfd, number, keys, values, entries).expect("a valid map")
}

fn word(map: &Map, offset: usize) -> &AtomicU32 {
    let base = map.arena().expect("a shared map").backing().base();
    // SAFETY: callers pass offsets of words that lie inside of the map's memory.
    unsafe { AtomicU32::from_ptr((base + offset) as *mut u32) }
}

/// Spoil words that matter: header, lists, tables, first entries; locks only if asked.
fn spoil(map: &Map, random: &mut Random) {
    let arena = map.arena().expect("a shared map");
    let region = random.next() as usize % (arena.regions.len() + 1);
    let offset = match arena.regions.get(region) {
        Some(region) if region.length == 0 => return,
        Some(region) => region.offset + random.next() as usize % region.length.min(4096),
        None => random.next() as usize % (STRIPES + 4 * size_of::<arena::Stripe>()),
    } & !3;
    let in_stripe = (STRIPES..STRIPES + arena::MAX_STRIPES * size_of::<arena::Stripe>())
        .contains(&offset)
        .then(|| (offset - STRIPES) % size_of::<arena::Stripe>());
    if in_stripe == Some(0) {
        return; // A lock: see the other test.
    }
    let value = match random.next() % 4 {
        0 => 0,
        1 => random.next() % 64,
        2 => u32::MAX - random.next() % 64,
        _ => random.next(),
    };
    word(map, offset).store(value, Ordering::Relaxed);
}

/// One of all that users and programs can do.
fn act(map: &Map, random: &mut Random) {
    let number = random.next() % 32;
    let key: Vec<u8> = match map.key_size() {
        0 => Vec::new(),
        4 => key(number).to_vec(),
        _ => [(random.next() % 34).to_le_bytes(), key(number)].concat(),
    };
    let pin = map.pin();
    match random.next() % 12 {
        0..=2 => drop(map.update(&key, &vec![1; map.user_value_size()], ANY)),
        3 => drop(map.update_lane(&key, &[1; 8], (number % 4).into(), 1)),
        4 => drop(map.delete(&key)),
        5 => drop(map.take(&key)),
        6 => drop(map.entries(Some(&key), 40)),
        7 => drop(map.next_key(Some(&key))),
        8 => drop(map.output(
            number as usize % lanes::count(),
            &[&vec![1; 64 * number as usize]],
        )),
        9 => drop((map.read(100, 100_000), map.arm(), map.lost())),
        10 => drop((map.take_address(&key, 1, &pin), map.count())),
        _ => {
            if let Ok(Some(place)) = map.value_address(&key, 1, &pin) {
                assert!(
                    map.value_at(place, 1)
                        .is_none_or(|range| range.address == place)
                );
                let _ = number_at(place);
            }
        }
    }
}

/// Whatever is written anywhere into the map, all calls end and touch only the map.
#[test]
fn spoiled_maps_do_no_harm() {
    for number in TYPES {
        let map = shared(number);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = Random(7 + number);
                while !done.load(Ordering::Relaxed) {
                    spoil(&map, &mut random);
                }
            });
            let _end = End(&done);
            let mut random = Random(number);
            for _ in 0..30_000 {
                act(&map, &mut random);
            }
        });
    }
}

/// Whatever a lock word says, its taker gets the lock or gives up in time.
#[test]
fn spoiled_locks_are_taken_or_given_up() {
    let map = shared(map_type::HASH);
    let locks =
        || (0..arena::MAX_STRIPES).map(|index| &map.arena().expect("shared").stripe(index).lock);
    for spoiled in [1 << 31, 17, 500, u32::MAX >> 1, u32::MAX, 9, 9 | 1 << 31] {
        locks().for_each(|lock| lock.store(spoiled, Ordering::Relaxed));
        assert_eq!(Ok(()), map.update(&key(1), &value(1), ANY), "{spoiled:x}");
    }
    // A word that never lies still: given up, not waited for without end.
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                locks().for_each(|lock| lock.store(1, Ordering::Relaxed));
            }
        });
        let end = code(map.update(&key(1), &value(2), ANY));
        done.store(true, Ordering::Relaxed);
        assert!([ResultCode::Timeout, ResultCode::Success].contains(&end));
    });
}

/// A list of retired entries that was made a ring is given up, not followed for ever.
#[test]
fn a_ring_of_retired_entries_is_given_up() {
    let map = shared(map_type::QUEUE);
    for number in 0..8 {
        map.push(&value(number), ANY).expect("room");
    }
    (0..8).for_each(|_| drop(map.pop().expect("not empty")));
    let arena = map.arena().expect("a shared map");
    let stripe = arena.stripe(0);
    let link = |id: usize| word(&map, arena.regions[0].offset + id * 24 + 8);
    let newest = stripe.newest.load(Ordering::Relaxed) as usize;
    link(newest).store(stripe.oldest.load(Ordering::Relaxed), Ordering::Relaxed);
    stripe.lock.store(99, Ordering::Relaxed);
    assert_eq!(Ok(()), map.push(&value(1), ANY));
    assert_eq!(Ok(value(1).to_vec()), map.pop());
}
