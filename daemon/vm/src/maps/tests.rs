use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const ANY: u64 = 0;
const NOEXIST: u64 = 1;
const EXIST: u64 = 2;

fn map(map_type: u32, key_size: u32, value_size: u32, max_entries: u32) -> Result<Map> {
    Map::new(MapOptions {
        map_type,
        key_size,
        value_size,
        max_entries,
        ..MapOptions::default()
    })
}

fn hash() -> Map {
    map(TYPE_HASH, 4, 8, 2).expect("a valid map")
}

fn array() -> Map {
    map(TYPE_ARRAY, 4, 6, 3).expect("a valid map")
}

fn key(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

fn value(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> ResultCode {
    result.expect_err("an error").code
}

/// Sizes of zero, long names and odd index sizes are invalid arguments.
#[test]
fn creation_checks_every_number() {
    let invalid = [
        map(TYPE_HASH, 0, 4, 1),
        map(TYPE_HASH, 4, 0, 1),
        map(TYPE_HASH, 4, 4, 0),
        map(TYPE_ARRAY, 8, 4, 1),
        map(TYPE_ARRAY, 4, 1024, u32::MAX),
        Map::new(MapOptions {
            name: "n".repeat(64),
            map_type: TYPE_HASH,
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

/// A huge array reserves addresses, not memory.
#[test]
fn a_large_array_takes_memory_on_use_only() {
    let map = map(TYPE_ARRAY, 4, 8, u32::MAX).expect("32 GiB of addresses");
    map.update(&key(u32::MAX - 1), &value(7), ANY)
        .expect("the last entry");
    assert_eq!(
        value(7).to_vec(),
        map.lookup(&key(u32::MAX - 1)).expect("is there")
    );
}

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

/// Walking by keys visits every entry once and ends with NO_MORE_KEYS.
#[test]
fn next_key_visits_every_entry_once() {
    let map = hash();
    for number in 0..500 {
        map.update(&key(number), &value(0), ANY).expect("room");
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut last = None;
    let end = loop {
        match map.next_key(last.as_deref()) {
            Ok(next) => {
                assert!(seen.insert(next.clone()));
                last = Some(next);
            }
            Err(error) => break error.code,
        }
    };
    assert_eq!((500, ResultCode::NoMoreKeys), (seen.len(), end));
    let first = map.next_key(None);
    assert_eq!(
        first,
        map.next_key(Some(&key(100_000))),
        "a lost key starts over"
    );
}

/// Pages of entries cover the map, and an empty page ends them.
#[test]
fn entries_come_in_pages() {
    let hash = hash();
    for number in 0..100 {
        hash.update(&key(number), &value(number.into()), ANY)
            .expect("room");
    }
    for (map, count) in [(hash, 100), (array(), 3)] {
        let mut total = 0;
        let mut last: Option<Vec<u8>> = None;
        loop {
            let page = map.entries(last.as_deref(), 7).expect("a page");
            let Some((key, _)) = page.last() else { break };
            last = Some(key.clone());
            total += page.len();
        }
        assert_eq!(count, total);
    }
}

/// Array entries always exist: no NOEXIST, deleting sets to zero, the size is fixed.
#[test]
fn arrays_follow_the_rules_of_the_model() {
    let map = array();
    let six = [1, 2, 3, 4, 5, 6];
    assert_eq!(Ok(vec![0; 6]), map.lookup(&key(2)));
    assert_eq!(Ok(()), map.update(&key(2), &six, EXIST));
    assert_eq!(Ok(six.to_vec()), map.lookup(&key(2)));
    assert_eq!(Ok(()), map.delete(&key(2)));
    assert_eq!(Ok(vec![0; 6]), map.lookup(&key(2)));
    assert_eq!(
        ResultCode::InvalidArgument,
        code(map.update(&key(2), &six, NOEXIST))
    );
    assert_eq!(
        ResultCode::InvalidArgument,
        code(map.update(&key(3), &six, ANY))
    );
    assert_eq!(ResultCode::InvalidArgument, code(map.delete(&key(3))));
    assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&key(3))));
    assert_eq!(Ok(key(0).to_vec()), map.next_key(None));
    assert_eq!(Ok(key(2).to_vec()), map.next_key(Some(&key(1))));
    assert_eq!(ResultCode::NoMoreKeys, code(map.next_key(Some(&key(2)))));
}

/// Initial bytes fill an array's first values and must be whole ones.
#[test]
fn initial_bytes_fill_an_array() {
    let options = |initial: &[u8]| MapOptions {
        map_type: TYPE_ARRAY,
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

/// A pointer found in an invocation shows the old value after a replacement.
#[test]
fn a_replaced_value_stays_readable_while_pinned() {
    let map = hash();
    map.update(&key(1), &value(1), ANY).expect("room");
    let pin = epoch::pin();
    let old = map.value_address(&key(1), 0, &pin).expect("is there");
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
        addresses.insert(map.value_address(&key(1), 0, &pin));
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
        let start = map.value_address(&key(1), 0, &pin).expect("is there");
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

/// Growth beyond `max_entries` ends, and so does what one lookup may cost.
#[test]
fn growth_beyond_max_entries_ends_with_no_memory() {
    let map = map(TYPE_HASH, 4, 8, 1).expect("a valid map");
    let full = (0..1_000_000).find_map(|number| map.update(&key(number), &value(0), ANY).err());
    assert_eq!(Some(ResultCode::NoMemory), full.map(|error| error.code));
    assert_eq!(Ok(()), map.update(&key(0), &value(1), EXIST));
    assert_eq!(Ok(()), map.delete(&key(0)));
    assert_eq!(Ok(()), map.update(&key(2_000_000), &value(1), NOEXIST));
}

/// As many entries as were asked for always fit.
#[test]
fn max_entries_always_fit() {
    let map = map(TYPE_HASH, 4, 8, 200_000).expect("a valid map");
    for number in 0..200_000 {
        assert_eq!(Ok(()), map.update(&key(number), &value(0), ANY));
    }
}

/// An invocation that does not end holds back a bounded number of replaced values.
#[test]
fn what_waits_for_an_invocation_is_bounded() {
    let map = map(TYPE_HASH, 4, 1 << 20, 1).expect("a valid map");
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

/// A page of large entries is short, but never empty.
#[test]
fn pages_of_large_entries_are_short() {
    let map = map(TYPE_ARRAY, 4, 6 << 20, 4).expect("a valid map");
    let mut last: Option<Vec<u8>> = None;
    let mut sizes = Vec::new();
    loop {
        let page = map.entries(last.as_deref(), usize::MAX).expect("a page");
        let Some((key, _)) = page.last() else { break };
        last = Some(key.clone());
        sizes.push(page.len());
    }
    assert_eq!(vec![2, 2], sizes);
}
