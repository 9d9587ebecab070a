//! LPM_TRIE: the longest prefix wins.

use super::*;

fn trie() -> Map {
    map(map_type::LPM_TRIE, 8, 8, 16).expect("a valid map")
}

fn prefix(bits: u32, address: [u8; 4]) -> Vec<u8> {
    [bits.to_le_bytes(), address].concat()
}

fn put(map: &Map, bits: u32, address: [u8; 4], number: u64) {
    map.update(&prefix(bits, address), &value(number), ANY)
        .expect("room");
}

fn find(map: &Map, bits: u32, address: [u8; 4]) -> Option<u64> {
    let found = map.lookup(&prefix(bits, address)).ok()?;
    let pin = epoch::pin();
    let place = super::address(map, &prefix(bits, address), 0, &pin);
    assert_eq!(
        found,
        number_at(place.expect("programs find the same")).to_le_bytes()
    );
    Some(u64::from_le_bytes(found.try_into().expect("eight bytes")))
}

/// The longest stored prefix that is no longer than asked for is found.
#[test]
fn the_longest_prefix_wins() {
    let map = trie();
    put(&map, 8, [10, 0, 0, 0], 8);
    put(&map, 16, [10, 1, 0, 0], 16);
    put(&map, 17, [10, 1, 128, 0], 17);
    put(&map, 32, [10, 1, 2, 3], 32);
    assert_eq!(Some(32), find(&map, 32, [10, 1, 2, 3]));
    assert_eq!(Some(16), find(&map, 32, [10, 1, 2, 4]));
    assert_eq!(Some(17), find(&map, 32, [10, 1, 200, 4]));
    assert_eq!(Some(16), find(&map, 16, [10, 1, 200, 4]));
    assert_eq!(Some(8), find(&map, 15, [10, 1, 2, 3]));
    assert_eq!(Some(8), find(&map, 32, [10, 9, 9, 9]));
    assert_eq!(None, find(&map, 7, [10, 0, 0, 0]));
    assert_eq!(None, find(&map, 32, [11, 0, 0, 0]));
}

/// A lookup that finds no prefix is KEY_NOT_FOUND.
#[test]
fn a_miss_is_key_not_found() {
    assert_eq!(
        ResultCode::KeyNotFound,
        code(trie().lookup(&prefix(32, [1, 2, 3, 4])))
    );
}

/// The prefix of no bits matches everything.
#[test]
fn the_empty_prefix_is_the_default() {
    let map = trie();
    put(&map, 0, [1, 2, 3, 4], 1);
    assert_eq!(Some(1), find(&map, 32, [9, 9, 9, 9]));
    assert_eq!(Some(1), find(&map, 0, [0, 0, 0, 0]));
    map.delete(&prefix(0, [7, 7, 7, 7]))
        .expect("bits behind the prefix mean nothing");
    assert_eq!(None, find(&map, 32, [9, 9, 9, 9]));
}

/// A prefix longer than the data is an invalid argument, to store or to delete.
#[test]
fn prefixes_that_are_too_long_are_refused() {
    let map = trie();
    for bits in [33, u32::MAX] {
        let long = prefix(bits, [1, 2, 3, 4]);
        assert_eq!(
            ResultCode::InvalidArgument,
            code(map.update(&long, &value(1), ANY))
        );
        assert_eq!(ResultCode::InvalidArgument, code(map.delete(&long)));
    }
    put(&map, 32, [1, 2, 3, 4], 5);
    assert_eq!(Some(5), find(&map, u32::MAX, [1, 2, 3, 4]));
}

/// Only the exact prefix is deleted, and no flag is needed to replace one.
#[test]
fn deleting_and_replacing_are_exact() {
    let map = trie();
    put(&map, 8, [10, 0, 0, 0], 1);
    put(&map, 8, [10, 99, 0, 0], 2);
    assert_eq!(Some(1), map.count());
    assert_eq!(Some(2), find(&map, 32, [10, 0, 0, 0]));
    assert_eq!(
        ResultCode::KeyNotFound,
        code(map.delete(&prefix(9, [10, 0, 0, 0])))
    );
    assert_eq!(Ok(()), map.delete(&prefix(8, [10, 0, 0, 0])));
    assert_eq!(
        ResultCode::KeyNotFound,
        code(map.delete(&prefix(8, [10, 0, 0, 0])))
    );
    let exists = map.update(&prefix(8, [10, 0, 0, 0]), &value(1), EXIST);
    assert_eq!(ResultCode::KeyNotFound, code(exists));
    put(&map, 8, [10, 0, 0, 0], 3);
    let there = map.update(&prefix(8, [10, 1, 1, 1]), &value(1), NOEXIST);
    assert_eq!(ResultCode::ObjectAlreadyExists, code(there));
}

/// Looking up and deleting at once is an invalid argument.
#[test]
fn tries_cannot_look_up_and_delete() {
    let result = trie().take(&prefix(8, [10, 0, 0, 0]));
    assert_eq!(ResultCode::InvalidArgument, code(result));
}

/// A walk goes on from a prefix however the bits behind it are written.
#[test]
fn walks_take_any_spelling_of_a_prefix() {
    let map = trie();
    put(&map, 8, [10, 0, 0, 0], 1);
    put(&map, 9, [10, 0, 0, 0], 2);
    let first = map.next_key(None).expect("two");
    let mut spelled = first.clone();
    spelled[7] = 0xff;
    let second = map.next_key(Some(&spelled)).expect("another");
    assert_ne!(first, second);
    assert_eq!(ResultCode::NoMoreKeys, code(map.next_key(Some(&second))));
}
