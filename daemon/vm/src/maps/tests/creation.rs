//! What a declaration must say.

use super::*;

/// Sizes of zero, long names and odd index sizes are invalid arguments.
#[test]
fn creation_checks_every_number() {
    let invalid = [
        map(map_type::HASH, 0, 4, 1),
        map(map_type::HASH, 4, 0, 1),
        map(map_type::HASH, 4, 4, 0),
        map(map_type::ARRAY, 8, 4, 1),
        map(map_type::ARRAY, 4, 1024, u32::MAX),
        Map::new(MapOptions {
            name: "n".repeat(64),
            map_type: map_type::HASH,
            key_size: 4,
            value_size: 4,
            max_entries: 1,
            ..MapOptions::default()
        }),
    ];
    for result in invalid {
        assert_eq!(ResultCode::InvalidArgument, code(result.map(|_| ())));
    }
}

/// A number that is no type of the model is refused.
#[test]
fn other_types_are_not_supported_by_number() {
    for number in [0, 15, 16, u32::MAX] {
        let error = map(number, 4, 4, 1).map(|_| ()).expect_err("no such type");
        assert_eq!(ResultCode::OperationNotSupported, error.code);
        assert!(error.message.starts_with(&format!("type is {number}")));
    }
}

/// Initial bytes fill an array's first values and must be whole ones.
#[test]
fn initial_bytes_fill_an_array() {
    let options = |initial: &[u8]| MapOptions {
        map_type: map_type::ARRAY,
        key_size: 4,
        value_size: 3,
        max_entries: 2,
        initial: Some(initial.to_vec()),
        ..MapOptions::default()
    };
    let map = Map::new(options(b"abcdef")).expect("two values");
    assert_eq!(Ok(b"def".to_vec()), map.lookup(&key(1)));
    for wrong in [&b"ab"[..], b"abcdefghi"] {
        assert_eq!(
            ResultCode::InvalidArgument,
            code(Map::new(options(wrong)).map(|_| ()))
        );
    }
}

/// Key and value sizes of each type are those of the model.
#[test]
fn each_type_checks_its_sizes() {
    use map_type as t;
    let wrong = [
        (t::PERCPU_HASH, 0, 4, 1),
        (t::LRU_HASH, 4, 0, 1),
        (t::PERCPU_ARRAY, 8, 4, 1),
        (t::PROG_ARRAY, 8, 4, 1),
        (t::PROG_ARRAY, 4, 8, 1),
        (t::HASH_OF_MAPS, 4, 8, 1),
        (t::ARRAY_OF_MAPS, 4, 8, 1),
        (t::LPM_TRIE, 4, 4, 1),
        (t::LPM_TRIE, 261, 4, 1),
        (t::QUEUE, 4, 4, 1),
        (t::QUEUE, 0, 0, 1),
        (t::STACK, 0, 4, 0),
        (t::RINGBUF, 0, 4, 4096),
        (t::RINGBUF, 0, 0, 2048),
        (t::RINGBUF, 0, 0, 4097),
        (t::PERF_EVENT_ARRAY, 4, 0, 4096),
        (t::PERF_EVENT_ARRAY, 0, 0, 12288),
    ];
    for (number, key, value, entries) in wrong {
        let result = map(number, key, value, entries);
        let name = type_name(number);
        assert_eq!(ResultCode::InvalidArgument, code(result), "{name} {key}");
    }
}

/// A name has fewer than 64 bytes.
#[test]
fn names_are_short() {
    for (length, expected) in [(63, ResultCode::Success), (64, ResultCode::InvalidArgument)] {
        let result = Map::new(MapOptions {
            name: "n".repeat(length),
            map_type: map_type::HASH,
            key_size: 4,
            value_size: 4,
            max_entries: 1,
            ..MapOptions::default()
        });
        assert_eq!(expected, code(result));
    }
}

/// An array of 128 GiB is the largest; lanes count.
#[test]
fn arrays_end_at_128_gib() {
    let per_lane = (128_u64 << 30) / lanes::count() as u64;
    for (number, most) in [
        (map_type::ARRAY, 128_u64 << 30),
        (map_type::PERCPU_ARRAY, per_lane),
    ] {
        let entries = (most / 1024) as u32;
        let allowed = [ResultCode::Success, ResultCode::NoMemory];
        assert!(allowed.contains(&code(map(number, 4, 1024, entries))));
        assert_eq!(
            ResultCode::InvalidArgument,
            code(map(number, 4, 1024, entries + 1))
        );
    }
}

/// A map of maps without a template has nothing to compare with.
#[test]
fn maps_of_maps_need_a_template() {
    for number in [map_type::HASH_OF_MAPS, map_type::ARRAY_OF_MAPS] {
        assert_eq!(ResultCode::InvalidFd, code(map(number, 4, 4, 1)));
    }
}

/// Numbers near the limits give a map or a refusal, in memory of any kind.
#[test]
fn extreme_numbers_are_refused_or_work() {
    use map_type as t;
    let allowed = [
        ResultCode::Success,
        ResultCode::NoMemory,
        ResultCode::InvalidArgument,
    ];
    for number in [
        t::HASH,
        t::PERCPU_HASH,
        t::LRU_HASH,
        t::LPM_TRIE,
        t::QUEUE,
        t::ARRAY,
    ] {
        for size in [1, 1 << 20, u32::MAX - 7, u32::MAX] {
            for entries in [1, 1 << 31, u32::MAX] {
                for storage in [Storage::Anonymous, Storage::Memfd] {
                    let key = match number {
                        t::QUEUE => 0,
                        t::ARRAY => 4,
                        t::LPM_TRIE => 20,
                        _ => size.min(1 << 20),
                    };
                    if number == t::ARRAY && entries == 1 && matches!(storage, Storage::Memfd) {
                        continue; // Takes gigabytes, rightly.
                    }
                    let result = stored(storage, number, key, size, entries);
                    assert!(allowed.contains(&code(result)), "{number} {size} {entries}");
                }
            }
        }
    }
}

/// What a shared map must take at once is refused before the machine runs out of it.
#[test]
fn a_shared_array_larger_than_memory_is_refused() {
    let map = stored(Storage::Memfd, map_type::ARRAY, 4, 32, u32::MAX);
    assert_eq!(ResultCode::NoMemory, code(map));
}
