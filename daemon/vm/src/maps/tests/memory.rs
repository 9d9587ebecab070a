//! When a value may be used again, and how much may wait for that.

use super::*;

/// A pointer found in an invocation shows the old value after a replacement.
#[test]
fn a_replaced_value_stays_readable_while_pinned() {
    let map = hash();
    map.update(&key(1), &value(1), ANY).expect("room");
    let pin = epoch::pin();
    let old = address(&map, &key(1), 0, &pin).expect("is there");
    for number in 2..1000 {
        map.update(&key(1), &value(number), ANY).expect("room");
    }
    map.delete(&key(1)).expect("is there");
    // SAFETY: found while pinned, and still pinned.
    assert_eq!(1, unsafe { bytes::load::<u64>(old as u64) });
    drop(pin);
}

/// Updates reuse the memory of replaced entries: a busy map does not grow for ever.
#[test]
fn replaced_entries_are_reused() {
    // The epoch is the process's: another test that is pinned all the while keeps everything.
    let reused = (0..100).any(|_| {
        let used = entries_used_by_updates(20_000);
        if used >= 10_000 {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        used < 10_000
    });
    assert!(reused, "no round reused what it had replaced");
}

fn entries_used_by_updates(updates: u64) -> usize {
    let map = hash();
    let mut addresses = std::collections::HashSet::new();
    for number in 0..updates {
        map.update(&key(1), &value(number), ANY).expect("room");
        let pin = epoch::pin();
        addresses.insert(address(&map, &key(1), 0, &pin));
    }
    addresses.len()
}

/// Addresses inside a value are found, those of keys and links are not.
#[test]
fn values_are_found_by_address_exactly() {
    for map in [hash(), array()] {
        let size = map.value_size();
        map.update(&key(1), &vec![1; size], ANY).expect("room");
        let pin = epoch::pin();
        let start = address(&map, &key(1), 0, &pin).expect("is there");
        let range = Some(ValueRange {
            address: start,
            size,
        });
        assert_eq!(range, map.value_at(start, 0));
        assert_eq!(range, map.value_at(start + size - 1, 0));
        assert_ne!(range, map.value_at(start - 1, 0));
        assert_ne!(range, map.value_at(start + size, 0));
        assert_eq!(None, map.value_at(0, 0));
        assert_eq!(None, map.value_at(usize::MAX, 0));
    }
}

/// An invocation that does not end holds back a bounded number of replaced values.
#[test]
fn what_waits_for_an_invocation_is_bounded() {
    let map = map(map_type::HASH, 4, 1 << 20, 1).expect("a valid map");
    let value = vec![0; 1 << 20];
    let pin = epoch::pin();
    let error = (0..1_000).find_map(|_| map.update(&key(1), &value, ANY).err());
    assert_eq!(Some(ResultCode::NoMemory), error.map(|error| error.code));
    drop(pin);
    // Other tests of this process pin too, but never for long.
    let again = (0..1_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        map.update(&key(1), &value, ANY).is_ok()
    });
    assert!(again, "nothing came back");
}

/// Free entries serve every part of the map, so deleting makes room for other keys.
#[test]
fn deleted_entries_serve_any_key() {
    let size = 4 << 20;
    let map = map(map_type::HASH, 4, size, 64).expect("a valid map");
    let data = vec![0; size as usize];
    for turn in 0..4 {
        let keys = turn * 64..turn * 64 + 64;
        for number in keys.clone() {
            // Other tests of this process pin too, but never for long.
            until(|| map.update(&key(number), &data, ANY).is_ok());
        }
        keys.for_each(|number| map.delete(&key(number)).expect("is there"));
    }
}

/// Large values are used again at once: a busy map takes little more than its values.
#[test]
fn large_values_do_not_pile_up() {
    let map = map(map_type::HASH, 4, 8 << 20, 1).expect("a valid map");
    let data = vec![0; 8 << 20];
    let mut places = std::collections::HashSet::new();
    for _ in 0..24 {
        until(|| map.update(&key(1), &data, ANY).is_ok());
        let pin = epoch::pin();
        places.insert(address(&map, &key(1), 0, &pin));
    }
    assert!(places.len() < 16, "{} places for one value", places.len());
}
