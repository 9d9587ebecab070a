//! LRU_HASH and LRU_PERCPU_HASH: full maps that give up what nobody uses.

use super::*;
use map_type::{LRU_HASH, LRU_PERCPU_HASH};

fn lru(entries: u32) -> Map {
    let map = map(LRU_HASH, 4, 8, entries).expect("a valid map");
    (0..entries).for_each(|number| put(&map, number));
    map
}

fn put(map: &Map, number: u32) {
    map.update(&key(number), &value(number.into()), ANY)
        .expect("a full map gives way");
}

fn has(map: &Map, number: u32) -> bool {
    map.lookup(&key(number)).is_ok()
}

/// A full map takes every new key, has never more than `max_entries`, and runs out of nothing.
#[test]
fn max_entries_are_never_exceeded() {
    for number in [LRU_HASH, LRU_PERCPU_HASH] {
        for entries in [1, 2, 7, 100] {
            let map = map(number, 4, 8, entries).expect("a valid map");
            for new in 0..2_000 {
                map.update_lane(&key(new), &value(1), NOEXIST, 0, &epoch::pin())
                    .expect("a full map gives way");
                assert_eq!(Some((new + 1).min(entries) as usize), map.count());
                assert!(has(&map, new), "what was added last is there");
            }
            assert_eq!(
                Ok(entries as usize),
                map.entries(None, 1_000).map(|all| all.len())
            );
        }
    }
}

/// The victim is the oldest entry that no program used.
#[test]
fn the_oldest_unused_entry_goes() {
    let map = lru(4);
    put(&map, 10);
    assert!(!has(&map, 0));
    put(&map, 11);
    assert!(!has(&map, 1));
    assert!([2, 3, 10, 11].iter().all(|number| has(&map, *number)));
}

/// A program's lookup spares an entry once, a user's does not.
#[test]
fn only_programs_touch() {
    let map = lru(4);
    let pin = epoch::pin();
    assert!(address(&map, &key(0), 0, &pin).is_some());
    assert!(has(&map, 1));
    assert!(map.entries(None, 10).is_ok());
    put(&map, 10);
    assert!(has(&map, 0), "a program used it");
    assert!(!has(&map, 1), "only a user looked at it");
}

/// Replacing a value makes its entry the youngest, and nothing has to go.
#[test]
fn replacing_evicts_nobody_and_counts_as_use() {
    let map = lru(3);
    map.update(&key(0), &value(9), EXIST).expect("is there");
    assert_eq!(Some(3), map.count());
    put(&map, 10);
    assert!(has(&map, 0) && !has(&map, 1));
}

/// An update that is refused evicts nobody.
#[test]
fn refused_updates_evict_nobody() {
    let map = lru(3);
    let missing = map.update(&key(9), &value(9), EXIST);
    assert_eq!(ResultCode::KeyNotFound, code(missing));
    let present = map.update(&key(2), &value(9), NOEXIST);
    assert_eq!(ResultCode::ObjectAlreadyExists, code(present));
    assert!((0..3).all(|number| has(&map, number)));
}

/// A deleted entry leaves room.
#[test]
fn deleting_makes_room() {
    let map = lru(3);
    map.delete(&key(1)).expect("is there");
    assert_eq!(ResultCode::KeyNotFound, code(map.delete(&key(1))));
    put(&map, 10);
    assert!(has(&map, 0) && has(&map, 2) && has(&map, 10));
}

/// One invocation may replace far more than the map holds: what it may see waits.
#[test]
fn a_pinned_program_can_turn_the_map_over_many_times() {
    let map = lru(4);
    let pin = epoch::pin();
    let first = address(&map, &key(3), 0, &pin).expect("is there");
    (10..50_000).for_each(|number| put(&map, number));
    assert_eq!(3, number_at(first), "still what the program found");
    drop(pin);
}

/// When every entry is in use, one of them goes all the same.
#[test]
fn a_map_of_used_entries_still_gives_way() {
    let map = lru(200);
    let pin = epoch::pin();
    for new in 1_000..1_400 {
        (0..2_000).for_each(|number| {
            address(&map, &key(number), 0, &pin);
        });
        put(&map, new);
        assert_eq!(Some(200), map.count());
    }
}
