//! HASH.

use super::*;

/// NOEXIST refuses a key that is there, EXIST one that is not.
#[test]
fn hash_updates_obey_their_flags() {
    let map = hash();
    assert_eq!(
        ResultCode::KeyNotFound,
        code(map.update(&key(1), &value(1), EXIST))
    );
    assert_eq!(Ok(()), map.update(&key(1), &value(1), NOEXIST));
    assert_eq!(
        ResultCode::ObjectAlreadyExists,
        code(map.update(&key(1), &value(2), NOEXIST))
    );
    assert_eq!(Ok(()), map.update(&key(1), &value(3), EXIST));
    assert_eq!(Ok(()), map.update(&key(1), &value(4), ANY));
    assert_eq!(Ok(value(4).to_vec()), map.lookup(&key(1)));
    assert_eq!(
        ResultCode::InvalidArgument,
        code(map.update(&key(1), &value(4), 3))
    );
}

/// A map that is bound has `max_entries` and not one more, whoever adds them at once.
#[test]
fn a_bound_map_is_full() {
    let map = map(map_type::HASH, 4, 8, 100).expect("a valid map");
    map.bind().expect("a map with keys");
    std::thread::scope(|scope| {
        for from in 0..4 {
            let map = &map;
            scope.spawn(move || {
                for number in 0..100 {
                    let pin = map.pin();
                    let _ = map.update_lane(&key(4 * number + from), &value(1), ANY, 0, &pin);
                }
            });
        }
    });
    assert_eq!(Some(100), map.count());
    assert_eq!(
        ResultCode::OutOfSpace,
        code(map.update(&key(1000), &value(1), ANY))
    );
    let entries = map.entries(None, 1).expect("it has some");
    assert_eq!(Ok(()), map.update(&entries[0].0, &value(2), ANY));
    assert_eq!(Ok(()), map.delete(&entries[0].0));
    assert_eq!(Ok(()), map.update(&key(1000), &value(1), ANY));
    assert_eq!(ResultCode::OperationNotSupported, code(array().bind()));
}

/// Lookup and delete of a key that is not there have different codes.
#[test]
fn missing_hash_keys_have_the_codes_of_the_model() {
    let map = hash();
    assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&key(9))));
    assert_eq!(ResultCode::KeyNotFound, code(map.delete(&key(9))));
}

/// Keys and values of a wrong size are invalid arguments.
#[test]
fn wrong_sizes_are_invalid_arguments() {
    for map in [hash(), array()] {
        assert_eq!(ResultCode::InvalidArgument, code(map.lookup(b"123")));
        assert_eq!(ResultCode::InvalidArgument, code(map.delete(b"12345")));
        assert_eq!(ResultCode::InvalidArgument, code(map.next_key(Some(b""))));
        assert_eq!(
            ResultCode::InvalidArgument,
            code(map.update(&key(0), b"1", ANY))
        );
        assert_eq!(
            ResultCode::InvalidArgument,
            code(map.entries(Some(b"1"), 1))
        );
    }
}

/// `max_entries` of a HASH sizes its table and is no limit.
#[test]
fn a_hash_grows_beyond_max_entries() {
    let map = hash();
    for number in 0..10_000 {
        map.update(&key(number), &value(number.into()), ANY)
            .expect("room");
    }
    for number in 0..10_000 {
        assert_eq!(Ok(value(number.into()).to_vec()), map.lookup(&key(number)));
    }
}

/// Growth beyond `max_entries` ends, and so does what one lookup may cost.
#[test]
fn growth_beyond_max_entries_ends_with_no_memory() {
    let map = map(map_type::HASH, 4, 8, 1).expect("a valid map");
    let full = (0..1_000_000).find_map(|number| map.update(&key(number), &value(0), ANY).err());
    assert_eq!(Some(ResultCode::NoMemory), full.map(|error| error.code));
    assert_eq!(Ok(()), map.update(&key(0), &value(1), EXIST));
    assert_eq!(Ok(()), map.delete(&key(0)));
    assert_eq!(Ok(()), map.update(&key(2_000_000), &value(1), NOEXIST));
}

/// As many entries as were asked for always fit.
#[test]
fn max_entries_always_fit() {
    let map = map(map_type::HASH, 4, 8, 200_000).expect("a valid map");
    for number in 0..200_000 {
        assert_eq!(Ok(()), map.update(&key(number), &value(0), ANY));
    }
}

/// Looking up and deleting at once gives the value, and OBJECT_NOT_FOUND without one.
#[test]
fn take_removes_and_returns() {
    let map = hash();
    map.update(&key(1), &value(7), ANY).expect("room");
    assert_eq!(Ok(value(7).to_vec()), map.take(&key(1)));
    assert_eq!(ResultCode::ObjectNotFound, code(map.take(&key(1))));
    assert_eq!(Some(0), map.count());
}

/// Keys of any size are told apart by all of their bytes.
#[test]
fn keys_differ_in_any_byte() {
    for size in [1, 3, 4, 7, 8, 9, 16, 31, 300] {
        let map = map(map_type::HASH, size, 8, 16).expect("a valid map");
        let mut last = vec![0; size as usize];
        for place in 0..size as usize {
            last[place] = 1;
            map.update(&last, &value(place as u64), NOEXIST)
                .expect("a new key");
            last[place] = 0;
        }
        for place in 0..size as usize {
            last[place] = 1;
            assert_eq!(Ok(value(place as u64).to_vec()), map.lookup(&last));
            last[place] = 0;
        }
        assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&last)));
    }
}

/// The count follows what can be found.
#[test]
fn the_count_is_exact() {
    let map = hash();
    for number in 0..100 {
        map.update(&key(number), &value(0), ANY).expect("room");
        map.update(&key(number), &value(1), ANY).expect("room");
    }
    (0..30).for_each(|number| map.delete(&key(number)).expect("is there"));
    assert_eq!(Some(70), map.count());
}
