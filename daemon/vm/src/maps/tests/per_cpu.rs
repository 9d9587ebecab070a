//! PERCPU_HASH, PERCPU_ARRAY and LRU_PERCPU_HASH: a value for each lane.

use super::*;
use map_type::{LRU_PERCPU_HASH, PERCPU_ARRAY, PERCPU_HASH};

const ALL: [u32; 3] = [PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH];

fn per_cpu(number: u32) -> Map {
    map(number, 4, 6, 4).expect("a valid map")
}

/// All lanes' values with `byte` in lane `lane` and zero in the others.
fn only(lane: usize, byte: u8) -> Vec<u8> {
    let mut all = vec![0; 8 * lanes::count()];
    all[8 * lane..8 * lane + 6].fill(byte);
    all
}

/// Users give and get the values of all lanes, each padded to eight bytes.
#[test]
fn users_see_all_lanes() {
    for number in ALL {
        let map = per_cpu(number);
        assert_eq!(8 * lanes::count(), map.user_value_size());
        assert_eq!(6, map.value_size());
        let mut all: Vec<u8> = (0..map.user_value_size()).map(|at| at as u8).collect();
        map.update(&key(1), &all, ANY).expect("room");
        all.chunks_mut(8).for_each(|lane| lane[6..].fill(0));
        assert_eq!(Ok(all), map.lookup(&key(1)), "padding is zero");
        let one = map.update(&key(1), &[0; 6], ANY);
        assert_eq!(ResultCode::InvalidArgument, code(one));
    }
}

/// A program writes its own lane; a new entry is zero on the others.
#[test]
fn programs_write_their_own_lane() {
    for number in ALL {
        let map = per_cpu(number);
        let pin = epoch::pin();
        map.update_lane(&key(1), &[7; 6], ANY, 1, &pin)
            .expect("room");
        assert_eq!(Ok(only(1, 7)), map.lookup(&key(1)));
        map.update_lane(&key(1), &[9; 6], ANY, 2, &pin)
            .expect("is there");
        let mut both = only(1, 7);
        both[16..22].fill(9);
        assert_eq!(Ok(both), map.lookup(&key(1)));
    }
}

/// An entry that is used again shows nothing of what it held before.
#[test]
fn reused_entries_are_zero_on_other_lanes() {
    for number in [PERCPU_HASH, LRU_PERCPU_HASH] {
        let map = per_cpu(number);
        for turn in 0..1_000 {
            map.update(&key(turn), &vec![0xff; map.user_value_size()], ANY)
                .expect("room");
            map.delete(&key(turn)).expect("is there");
        }
        map.update_lane(&key(5), &[1; 6], ANY, 0, &epoch::pin())
            .expect("room");
        assert_eq!(Ok(only(0, 1)), map.lookup(&key(5)));
    }
}

/// Programs find the value of their lane, and may touch no other one.
#[test]
fn programs_find_their_own_lane() {
    for number in ALL {
        let map = per_cpu(number);
        map.update(&key(1), &vec![1; map.user_value_size()], ANY)
            .expect("room");
        let pin = epoch::pin();
        let places: Vec<usize> = (0..lanes::count())
            .map(|lane| address(&map, &key(1), lane, &pin).expect("is there"))
            .collect();
        for (lane, place) in places.iter().enumerate() {
            assert_eq!(
                Some(ValueRange {
                    address: *place,
                    size: 6
                }),
                map.value_at(*place + 5, lane)
            );
            let other = (lane + 1) % lanes::count();
            assert_ne!(
                Some(*place),
                map.value_at(*place, other).map(|range| range.address)
            );
        }
    }
}

/// The flags mean what they mean for one value.
#[test]
fn flags_hold_for_programs_too() {
    let map = per_cpu(PERCPU_HASH);
    let pin = epoch::pin();
    let update = |flags| code(map.update_lane(&key(1), &[1; 6], flags, 0, &pin));
    assert_eq!(ResultCode::KeyNotFound, update(EXIST));
    assert_eq!(ResultCode::Success, update(NOEXIST));
    assert_eq!(ResultCode::ObjectAlreadyExists, update(NOEXIST));
    assert_eq!(ResultCode::Success, update(EXIST));
    assert_eq!(ResultCode::InvalidArgument, update(3));
    let array = per_cpu(PERCPU_ARRAY);
    let result = array.update_lane(&key(4), &[1; 6], ANY, 0, &pin);
    assert_eq!(ResultCode::InvalidArgument, code(result));
}

/// Deleting an array's entry sets all lanes to zero.
#[test]
fn deleting_clears_all_lanes_of_an_array() {
    let map = per_cpu(PERCPU_ARRAY);
    map.update(&key(1), &vec![1; map.user_value_size()], ANY)
        .expect("room");
    map.delete(&key(1)).expect("exists");
    assert_eq!(Ok(only(0, 0)), map.lookup(&key(1)));
}
