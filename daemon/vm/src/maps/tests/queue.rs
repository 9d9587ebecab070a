//! QUEUE and STACK.

use super::*;
use map_type::{QUEUE, STACK};

fn filled(number: u32, entries: u32) -> Map {
    let map = map(number, 0, 8, entries).expect("a valid map");
    (0..entries).for_each(|number| map.push(&value(number.into()), ANY).expect("room"));
    map
}

fn pops(map: &Map) -> Vec<u64> {
    let next = || {
        map.pop()
            .ok()
            .map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight")))
    };
    std::iter::from_fn(next).collect()
}

/// A queue gives the oldest value first, a stack the newest.
#[test]
fn values_come_in_order() {
    assert_eq!(vec![0, 1, 2], pops(&filled(QUEUE, 3)));
    assert_eq!(vec![2, 1, 0], pops(&filled(STACK, 3)));
}

/// Peeking and looking up show what the next pop takes.
#[test]
fn peeking_takes_nothing() {
    for (number, next) in [(QUEUE, 0), (STACK, 2)] {
        let map = filled(number, 3);
        assert_eq!(Ok(value(next).to_vec()), map.peek());
        assert_eq!(Ok(value(next).to_vec()), map.lookup(&[]));
        assert_eq!(Some(3), map.count());
        assert_eq!(Ok(value(next).to_vec()), map.take(&[]));
        assert_eq!(Some(2), map.count());
    }
}

/// An empty map has no object to find.
#[test]
fn empty_is_object_not_found() {
    for number in [QUEUE, STACK] {
        let map = map(number, 0, 8, 3).expect("a valid map");
        assert_eq!(ResultCode::ObjectNotFound, code(map.pop()));
        assert_eq!(ResultCode::ObjectNotFound, code(map.peek()));
        assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&[])));
        assert_eq!(ResultCode::ObjectNotFound, code(map.take(&[])));
    }
}

/// A full map is OUT_OF_SPACE, whatever flags say, unless they have the bit of BPF_EXIST.
#[test]
fn full_is_out_of_space_unless_told_to_overwrite() {
    for (number, left) in [(QUEUE, [1, 2, 9]), (STACK, [9, 2, 1])] {
        for flags in [0, 1, 4, 0x1_0000_0001] {
            let map = filled(number, 3);
            assert_eq!(ResultCode::OutOfSpace, code(map.push(&value(9), flags)));
            assert_eq!(3, pops(&map).len());
            assert_eq!(Ok(()), map.push(&value(9), flags), "a plain push");
        }
        for flags in [2, 3, u64::MAX] {
            let map = filled(number, 3);
            assert_eq!(Ok(()), map.update(&[], &value(9), flags));
            assert_eq!(left.to_vec(), pops(&map), "the oldest went");
        }
    }
}

/// What has no meaning without keys is not supported, and sizes are checked.
#[test]
fn operations_on_keys_are_unsupported() {
    for number in [QUEUE, STACK] {
        let map = filled(number, 3);
        let unsupported = [
            code(map.delete(&[])),
            code(map.next_key(None)),
            code(map.entries(None, 1)),
            code(map.take_entries(None, 1)),
            code(map.update_batch(b"", b"", 0)),
            code(map.delete_batch(b"")),
            code(map.output(0, &[b"1"])),
            code(map.read(1, 1)),
        ];
        assert_eq!([ResultCode::OperationNotSupported; 8], unsupported);
        assert_eq!(ResultCode::InvalidArgument, code(map.push(b"123", ANY)));
        assert_eq!(ResultCode::InvalidArgument, code(map.lookup(b"1")));
    }
    let others = [
        code(hash().push(&value(1), 0)),
        code(hash().pop()),
        code(hash().peek()),
    ];
    assert_eq!([ResultCode::OperationNotSupported; 3], others);
}

/// Places are used round and round.
#[test]
fn many_rounds_keep_the_order() {
    let map = map(QUEUE, 0, 8, 7).expect("a valid map");
    let (mut pushed, mut popped) = (0, 0);
    for turn in 0..10_000_u64 {
        for _ in 0..turn % 5 {
            if map.push(&value(pushed), ANY).is_ok() {
                pushed += 1;
            }
        }
        for _ in 0..turn % 4 {
            if let Ok(bytes) = map.pop() {
                assert_eq!(value(popped).to_vec(), bytes);
                popped += 1;
            }
        }
        assert_eq!(Some((pushed - popped) as usize), map.count());
    }
}

/// A value that a program saw stays as it was while the program runs, even popped.
#[test]
fn popped_values_stay_while_pinned() {
    let map = filled(QUEUE, 4);
    let pin = epoch::pin();
    let peeked = address(&map, &[], 0, &pin).expect("not empty");
    let taken = map
        .take_address(&[], 0, &pin)
        .expect("nobody is in the way");
    assert_eq!(Some(peeked), taken);
    for number in 100..20_000 {
        map.push(&value(number), 2).expect("overwrites");
    }
    assert_eq!(0, number_at(peeked));
}
