//! Many threads on one map.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::*;

const KEYS: u32 = 48;
/// Bytes of a value: its key, then one number again and again.
const SIZE: u32 = 40;

fn pattern(number: u32, turn: u32) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    (1..SIZE / 4).for_each(|_| bytes.extend(turn.to_le_bytes()));
    bytes
}

/// A value is one key's, and of one update.
fn check(number: u32, bytes: &[u8]) {
    assert_eq!(number.to_le_bytes(), bytes[..4], "another key's value");
    let turn = &bytes[4..8];
    assert!(
        bytes[4..].chunks(4).all(|word| word == turn),
        "a torn value"
    );
}

/// Random operations of one thread: writes, deletes, walks, and reads through addresses.
fn hammer(map: &Map, seed: u32, turns: u32) {
    let mut state = seed;
    for turn in 0..turns {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = (state >> 16) % KEYS;
        match state >> 24 & 15 {
            0..=6 => map
                .update(&key(number), &pattern(number, turn), ANY)
                .expect("room"),
            7..=8 => drop(map.delete(&key(number))),
            9 => {
                for (key, value) in map.entries(None, 100).expect("a page") {
                    check(u32::from_le_bytes(key.try_into().expect("four")), &value);
                }
            }
            10 => {
                if let Ok(value) = map.take(&key(number)) {
                    check(number, &value);
                }
            }
            _ => look(map, number),
        }
    }
}

/// What was found stays as it is for as long as it may be looked at.
fn look(map: &Map, number: u32) {
    let pin = epoch::pin();
    let Some(place) = address(map, &key(number), 0, &pin) else {
        return;
    };
    // SAFETY: found while pinned, and still pinned.
    let first = unsafe { bytes::copy_out(place, SIZE as usize) };
    check(number, &first);
    for _ in 0..20 {
        std::hint::spin_loop();
        // SAFETY: as above.
        let again = unsafe { bytes::copy_out(place, SIZE as usize) };
        assert_eq!(first, again, "used again under a pin");
    }
}

/// Readers meet whole values of their key only, and nothing is used again under a pin.
#[test]
fn hash_values_are_whole_and_stay() {
    let map = map(map_type::HASH, 4, SIZE, 8).expect("a valid map");
    std::thread::scope(|scope| {
        let map = &map;
        (1..5).for_each(|seed| drop(scope.spawn(move || hammer(map, seed, 25_000))));
    });
    assert_eq!(
        Ok(map.count()),
        map.entries(None, 1_000).map(|all| Some(all.len()))
    );
}

/// An evicting map keeps its bound and its values under the same load.
#[test]
fn lru_values_are_whole_and_bounded() {
    let map = map(map_type::LRU_HASH, 4, SIZE, 16).expect("a valid map");
    std::thread::scope(|scope| {
        let map = &map;
        (1..5).for_each(|seed| drop(scope.spawn(move || hammer(map, seed, 20_000))));
        for _ in 0..1_000 {
            assert!(map.count() <= Some(16));
        }
    });
    assert_eq!(
        Ok(map.count()),
        map.entries(None, 1_000).map(|all| Some(all.len()))
    );
}

/// Every value that was pushed is popped once, and a queue keeps each producer's order.
#[test]
fn queues_lose_and_repeat_nothing() {
    for number in [map_type::QUEUE, map_type::STACK] {
        let map = map(number, 0, 8, 32).expect("a valid map");
        let (sum, popped) = (AtomicU64::new(0), AtomicU64::new(0));
        let each = 10_000_u64;
        std::thread::scope(|scope| {
            for producer in 0..2 {
                let map = &map;
                scope.spawn(move || {
                    for turn in 0..each {
                        let pushed = || map.push(&value(producer << 32 | turn), ANY).is_ok();
                        while !pushed() {
                            std::thread::yield_now();
                        }
                    }
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = [None; 2];
                    while popped.load(Ordering::Relaxed) < 2 * each {
                        let Ok(bytes) = map.pop() else {
                            std::thread::yield_now();
                            continue;
                        };
                        let got = u64::from_le_bytes(bytes.try_into().expect("eight"));
                        let (producer, turn) = ((got >> 32) as usize, got & 0xffff_ffff);
                        let ordered = last[producer].replace(turn) < Some(turn);
                        assert!(ordered || number == map_type::STACK, "out of order");
                        sum.fetch_add(turn, Ordering::Relaxed);
                        popped.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(each * (each - 1), sum.load(Ordering::Relaxed));
        assert_eq!(ResultCode::ObjectNotFound, code(map.pop()));
    }
}

/// Each lane's value is what its own writer wrote last, whatever the others do.
#[test]
fn lanes_do_not_disturb_each_other() {
    let map = map(map_type::PERCPU_HASH, 4, 8, 8).expect("a valid map");
    std::thread::scope(|scope| {
        for lane in 0..lanes::count().min(4) {
            let map = &map;
            scope.spawn(move || {
                for turn in 1..10_000_u64 {
                    let number = key((turn % 8) as u32);
                    let pin = epoch::pin();
                    map.update_lane(&number, &value(turn), ANY, lane, &pin)
                        .expect("room");
                    let place = address(map, &number, lane, &pin).expect("never deleted");
                    assert_eq!(turn, number_at(place));
                }
            });
        }
    });
    let all = map.lookup(&key(7)).expect("is there");
    assert_eq!(value(9_999), all[..8]);
}

/// Readers and writers on several threads see whole values only.
#[test]
fn threads_see_whole_values() {
    let map = hash();
    map.update(&key(1), &value(0), ANY).expect("room");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let bytes = map.lookup(&key(1)).expect("is always there");
                    let (low, high) = bytes.split_at(4);
                    assert_eq!(low, high, "a torn value");
                }
            });
        }
        for number in 0..50_000_u32 {
            let pair = u64::from(number) | u64::from(number) << 32;
            map.update(&key(1), &value(pair), ANY).expect("room");
            map.update(&key(number % 64 + 2), &value(pair), ANY)
                .expect("room");
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// A map that is about to move waits for a program, whose changes wait for nobody.
#[test]
fn a_program_s_changes_do_not_wait_for_a_move() {
    for (number, keys) in [
        (map_type::HASH, vec![0; 4]),
        (map_type::ARRAY, vec![0; 4]),
        (map_type::LPM_TRIE, vec![0; 8]),
        (map_type::QUEUE, vec![]),
    ] {
        let map = stored(Storage::Memfd, number, keys.len() as u32, 8, 4).expect("a valid map");
        let domain = map.shared_domain().expect("it is shared");
        let pin = map.pin();
        std::thread::scope(|scope| {
            let moved = scope.spawn(|| domain.freeze(Duration::from_secs(10)).is_some());
            until(|| domain.is_frozen());
            match number {
                map_type::QUEUE => assert_eq!(Ok(()), map.push_pinned(&value(1), ANY, &pin)),
                _ => {
                    let update = map.update_lane(&keys, &value(1), ANY, 0, &pin);
                    assert_eq!((Ok(()), Ok(())), (update, map.delete_pinned(&keys, &pin)));
                }
            }
            drop(pin);
            assert!(moved.join().expect("no panic"), "it waited for the program");
        });
    }
}
