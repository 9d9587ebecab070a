//! Peers that write whatever they like into a shared map.
//!
//! Whatever they do, calls end, nothing panics, and nothing outside of the map
//! is touched.  What they read in the map is their own fault.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;

const TYPES: [u32; 8] = [
    map_type::HASH,
    map_type::PERCPU_HASH,
    map_type::LRU_HASH,
    map_type::LPM_TRIE,
    map_type::QUEUE,
    map_type::STACK,
    map_type::PERF_EVENT_ARRAY,
    map_type::RINGBUF,
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
        map_type::PERF_EVENT_ARRAY | map_type::RINGBUF => (0, 0, 4096),
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
        3 => drop(map.update_lane(&key, &[1; 8], (number % 4).into(), 1, &pin)),
        4 => drop((map.delete(&key), map.delete_pinned(&key, &pin))),
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

/// Pages of `limit` entries until the end, or an error; more than a thousand are too many.
fn walked(map: &Map, limit: usize) -> Result<usize> {
    let (mut count, mut last) = (0, None);
    for _ in 0..1_000 {
        let page = map.entries(last.as_deref(), limit)?;
        let Some((key, _)) = page.last() else {
            return Ok(count);
        };
        last = Some(key.clone());
        count += page.len();
    }
    panic!("a walk without an end");
}

/// Keys until the end, or an error.
fn stepped(map: &Map) -> Result<usize> {
    let mut last: Option<Vec<u8>> = None;
    for count in 0..1_000 {
        match map.next_key(last.as_deref()) {
            Ok(key) => last = Some(key),
            Err(error) if error.code == ResultCode::NoMoreKeys => return Ok(count),
            Err(error) => return Err(error),
        }
    }
    panic!("a walk without an end");
}

/// The word of an entry that leads to the next one.
fn next(map: &Map, id: usize) -> &AtomicU32 {
    word(
        map,
        map.arena().expect("a shared map").regions[0].offset + id * 32,
    )
}

/// A chain that leads back, a key that lies elsewhere, or twice: a walk says so, and ends.
#[test]
fn a_walk_of_a_damaged_map_ends() {
    let rename = |map: &Map, id: usize, name: &[u8; 4]| {
        let number = u32::from_le_bytes(*name);
        let offset = map.arena().expect("shared").regions[0].offset;
        word(map, offset + id * 32 + 16).store(number, Ordering::Relaxed);
    };
    let damages: [&dyn Fn(&Map); 4] = [
        &|map| next(map, 3).store(3, Ordering::Relaxed),
        &|map| {
            next(map, 3).store(4, Ordering::Relaxed);
            next(map, 4).store(3, Ordering::Relaxed);
        },
        &|map| rename(map, 3, &key(1_000)),
        &|map| rename(map, 3, &key(1)),
    ];
    for (number, damage) in damages.iter().enumerate() {
        let map = shared(map_type::HASH);
        (0..8).for_each(|key| map.update(&self::key(key), &value(1), ANY).expect("room"));
        assert_eq!((Ok(8), Ok(8)), (walked(&map, 3), stepped(&map)));
        damage(&map);
        for limit in [1, 2, 3, 100] {
            let end = code(walked(&map, limit));
            assert_eq!(
                ResultCode::InvalidObject,
                end,
                "damage {number}, pages of {limit}"
            );
        }
        assert_eq!(
            ResultCode::InvalidObject,
            code(stepped(&map)),
            "damage {number}"
        );
    }
}

/// Epochs that say what is impossible keep nobody from moving the map away.
#[test]
fn a_map_with_spoiled_epochs_moves() {
    let map = shared(map_type::HASH);
    map.update(&key(1), &value(1), ANY).expect("room");
    let epochs = STRIPES + arena::MAX_STRIPES * size_of::<arena::Stripe>();
    for spoiled in [1, 0, u32::MAX] {
        (0..epoch::DOMAIN_BYTES / 4)
            .for_each(|at| word(&map, epochs + 4 * at).store(spoiled, Ordering::Relaxed));
        assert_eq!(Ok(()), map.renew(Storage::Memfd), "all {spoiled}");
        let pin = map.pin();
        assert_eq!(ResultCode::Timeout, code(map.renew(Storage::Memfd)));
        drop(pin);
        assert_eq!(Ok(value(1).to_vec()), map.lookup(&key(1)));
    }
}

/// A file that somebody cuts off ends no process: what was in it is zero.
#[test]
fn a_file_that_was_cut_off_is_zero() {
    let file = super::processes::file();
    let map = super::processes::Declared::of(map_type::HASH)
        .open(&file)
        .expect("a map");
    (0..100).for_each(|number| {
        map.update(&key(number % 60), &value(1), ANY).expect("room");
    });
    file.set_len(0).expect("it is ours");
    assert_eq!(Some(0), map.count());
    assert_eq!(Ok(0), walked(&map, 10));
    assert_eq!(Ok(()), map.update(&key(1), &value(2), ANY));
    assert_eq!(Ok(value(2).to_vec()), map.lookup(&key(1)));
}
