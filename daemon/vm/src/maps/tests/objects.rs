//! ARRAY_OF_MAPS and HASH_OF_MAPS.

use std::sync::Arc;

use super::*;
use map_type::{ARRAY_OF_MAPS, HASH_OF_MAPS};

const ID: u32 = 77;

fn outer(number: u32, template: InnerMap) -> Map {
    Map::new(MapOptions {
        map_type: number,
        key_size: 4,
        value_size: 4,
        max_entries: 4,
        inner: Some(template),
        ..MapOptions::default()
    })
    .expect("a valid map")
}

fn both() -> [Map; 2] {
    [ARRAY_OF_MAPS, HASH_OF_MAPS].map(|number| outer(number, hash().template()))
}

/// Users see ids, programs the map itself.
#[test]
fn users_see_ids_and_programs_maps() {
    for map in both() {
        let inner = Arc::new(hash());
        map.set_map(&key(1), Arc::clone(&inner), ID, ANY)
            .expect("equals the template");
        assert_eq!(Ok(key(ID).to_vec()), map.lookup(&key(1)));
        let pin = epoch::pin();
        assert_eq!(
            Some(Arc::as_ptr(&inner) as usize),
            address(&map, &key(1), 0, &pin)
        );
        assert_eq!(None, address(&map, &key(2), 0, &pin));
        let shown = map.entries(None, 10).expect("entries");
        assert!(shown.contains(&(key(1).to_vec(), key(ID).to_vec())));
        assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&key(2))));
    }
}

/// A map that programs must not write is never found where they may.
#[test]
fn read_only_maps_are_no_inner_maps() {
    let options = MapOptions {
        map_type: map_type::ARRAY,
        key_size: 4,
        value_size: 8,
        max_entries: 1,
        read_only: true,
        ..MapOptions::default()
    };
    let inner = Arc::new(Map::new(options).expect("a valid map"));
    let map = outer(HASH_OF_MAPS, inner.template());
    let result = map.set_map(&key(0), inner, ID, ANY);
    assert_eq!(ResultCode::InvalidObject, code(result));
}

/// An inner map differs from the template in nothing that the model names.
#[test]
fn inner_maps_must_equal_the_template() {
    let wrong = [
        map(map_type::LRU_HASH, 4, 8, 2),
        map(map_type::HASH, 8, 8, 2),
        map(map_type::HASH, 4, 4, 2),
        map(map_type::HASH, 4, 8, 3),
    ];
    for inner in wrong.map(|map| Arc::new(map.expect("a valid map"))) {
        for map in both() {
            let result = map.set_map(&key(0), Arc::clone(&inner), ID, ANY);
            assert_eq!(ResultCode::InvalidObject, code(result));
            assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&key(0))));
        }
    }
}

/// Bytes are no map, and other types take none.
#[test]
fn only_maps_go_in_and_only_here() {
    for map in both() {
        let bytes = map.update(&key(0), &key(1), ANY);
        assert_eq!(ResultCode::InvalidArgument, code(bytes));
        let lane = map.update_lane(&key(0), &key(1), ANY, 0, &epoch::pin());
        assert_eq!(ResultCode::InvalidArgument, code(lane));
    }
    let wrong = hash().set_map(&key(0), Arc::new(hash()), ID, ANY);
    assert_eq!(ResultCode::OperationNotSupported, code(wrong));
}

/// Deleting lets the map go; the codes are those of the type.
#[test]
fn deleting_lets_go() {
    let [array, hashed] = both();
    for map in [&array, &hashed] {
        let inner = Arc::new(hash());
        map.set_map(&key(1), Arc::clone(&inner), ID, ANY)
            .expect("equals the template");
        map.delete(&key(1)).expect("is there");
        assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&key(1))));
        // Other tests may be pinned for a moment.
        until(|| {
            map.clear_objects();
            map.set_map(&key(2), Arc::new(hash()), ID, ANY)
                .expect("room");
            Arc::strong_count(&inner) == 1
        });
    }
    assert_eq!(ResultCode::ObjectNotFound, code(array.delete(&key(4))));
    assert_eq!(
        Ok(()),
        array.delete(&key(0)),
        "there is no map, but a place"
    );
    assert_eq!(ResultCode::KeyNotFound, code(hashed.delete(&key(0))));
}

/// Flags mean what they mean for the array or the hash map beneath.
#[test]
fn flags_are_those_of_the_type_beneath() {
    let [array, hashed] = both();
    let set = |map: &Map, flags| code(map.set_map(&key(0), Arc::new(hash()), ID, flags));
    assert_eq!(ResultCode::InvalidArgument, set(&array, NOEXIST));
    assert_eq!(ResultCode::Success, set(&array, EXIST));
    assert_eq!(ResultCode::KeyNotFound, set(&hashed, EXIST));
    assert_eq!(ResultCode::Success, set(&hashed, NOEXIST));
    assert_eq!(ResultCode::ObjectAlreadyExists, set(&hashed, NOEXIST));
    for map in [array, hashed] {
        assert_eq!(ResultCode::InvalidArgument, set(&map, 3));
        let result = map.set_map(&[1], Arc::new(hash()), ID, ANY);
        assert_eq!(ResultCode::InvalidArgument, code(result));
        assert_eq!(ResultCode::OperationNotSupported, code(map.take(&key(0))));
    }
}

/// A replaced map lives while a program that found it runs.
#[test]
fn a_replaced_map_lives_while_pinned() {
    let map = outer(ARRAY_OF_MAPS, hash().template());
    let inner = Arc::new(hash());
    inner.update(&key(5), &value(55), ANY).expect("room");
    map.set_map(&key(0), Arc::clone(&inner), ID, ANY)
        .expect("equals the template");
    let pin = epoch::pin();
    let found = address(&map, &key(0), 0, &pin).expect("is there");
    drop(inner);
    (0..100).for_each(|_| {
        map.set_map(&key(0), Arc::new(hash()), ID, ANY)
            .expect("equals the template");
    });
    // SAFETY: found while pinned, and still pinned.
    let inner = unsafe { &*(found as *const Map) };
    assert_eq!(Ok(value(55).to_vec()), inner.lookup(&key(5)));
}

/// Maps nested a thousand deep are dropped in a small stack.
#[test]
fn deep_nesting_does_not_use_up_the_stack() {
    let template = InnerMap {
        map_type: ARRAY_OF_MAPS,
        key_size: 4,
        value_size: 4,
        max_entries: 4,
    };
    let nest = move || {
        let mut innermost = Arc::new(outer(ARRAY_OF_MAPS, template));
        for _ in 0..3_000 {
            let next = outer(ARRAY_OF_MAPS, template);
            next.set_map(&key(0), innermost, ID, ANY)
                .expect("equals the template");
            innermost = Arc::new(next);
        }
        drop(innermost);
    };
    let thread = std::thread::Builder::new()
        .stack_size(128 << 10)
        .spawn(nest);
    thread.expect("a thread").join().expect("no overflow");
}

/// Such a map holds addresses, which mean nothing to another process.
#[test]
fn maps_of_maps_cannot_be_shared() {
    let result = Map::new(MapOptions {
        map_type: ARRAY_OF_MAPS,
        key_size: 4,
        value_size: 4,
        max_entries: 4,
        inner: Some(hash().template()),
        storage: Storage::Memfd,
        ..MapOptions::default()
    });
    assert_eq!(ResultCode::OperationNotSupported, code(result));
}
