//! RINGBUF and PERF_EVENT_ARRAY.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use map_type::{PERF_EVENT_ARRAY, RINGBUF};

const SIZE: usize = 4096;
/// Bytes before each record's payload.
const HEADER: usize = 8;

fn ring(number: u32) -> Map {
    map(number, 0, 0, SIZE as u32).expect("a valid map")
}

fn read(map: &Map) -> Vec<(u32, Vec<u8>)> {
    let read = map.read(usize::MAX, usize::MAX).expect("one reader");
    read.records
        .into_iter()
        .map(|record| (record.lane, record.data))
        .collect()
}

/// Records come as they were written, in the order of their reservation, once.
#[test]
fn records_come_once_and_in_order() {
    for number in [RINGBUF, PERF_EVENT_ARRAY] {
        let map = ring(number);
        for length in 1..20_u8 {
            map.output(0, &[&vec![length; length as usize]])
                .expect("room");
        }
        let expected = (1..20_u8).map(|length| (0, vec![length; length as usize]));
        assert_eq!(expected.collect::<Vec<_>>(), read(&map));
        assert!(read(&map).is_empty());
    }
}

/// A record has 1 byte at least, and fits into the ring with its header.
#[test]
fn lengths_have_limits() {
    for number in [RINGBUF, PERF_EVENT_ARRAY] {
        let map = ring(number);
        for length in [0, SIZE - HEADER + 1, SIZE, 1 << 20] {
            let result = map.output(0, &[&vec![1; length]]);
            assert_eq!(ResultCode::InvalidArgument, code(result), "{length}");
        }
        assert_eq!(Ok(()), map.output(0, &[&vec![1; SIZE - HEADER]]));
        assert_eq!(0, map.lost(), "a bad length is no loss");
        assert_eq!(1, read(&map).len());
    }
}

/// A full ring refuses, counts what it lost by lane, and takes more after reading.
#[test]
fn a_full_ring_loses_and_counts() {
    for number in [RINGBUF, PERF_EVENT_ARRAY] {
        let map = ring(number);
        let record = [7; 1024 - HEADER];
        (0..4).for_each(|_| map.output(0, &[&record]).expect("room"));
        for lost in 1..4 {
            assert_eq!(ResultCode::NoMemory, code(map.output(0, &[&[1]])));
            assert_eq!(lost, map.lost());
        }
        let all = map.read(usize::MAX, usize::MAX).expect("one reader");
        assert_eq!((4, 3), (all.records.len(), all.lost[0]));
        assert_eq!(Ok(()), map.output(0, &[&record]));
        if number == PERF_EVENT_ARRAY {
            assert_eq!(lanes::count(), all.lost.len());
            assert_eq!(0, all.lost[1]);
        }
    }
}

/// Payloads that lie round the end of the ring are whole, whatever their parts.
#[test]
fn records_wrap_around() {
    let map = ring(RINGBUF);
    for turn in 0..2_000_usize {
        let data: Vec<u8> = (0..1 + turn * 37 % 3_000)
            .map(|at| (at + turn) as u8)
            .collect();
        let (first, second) = data.split_at(data.len() / 3);
        map.output(0, &[first, second]).expect("room");
        assert_eq!(vec![(0, data)], read(&map));
    }
    assert_eq!(0, map.lost());
}

/// Each lane has a ring of its own; order holds within each.
#[test]
fn lanes_have_rings_of_their_own() {
    let map = ring(PERF_EVENT_ARRAY);
    for number in 0..10_u8 {
        for lane in 0..lanes::count() {
            map.output(lane, &[&[lane as u8, number]]).expect("room");
        }
    }
    let records = read(&map);
    assert_eq!(10 * lanes::count(), records.len());
    for lane in 0..lanes::count() {
        let of_lane = records.iter().filter(|(of, _)| *of == lane as u32);
        let numbers: Vec<u8> = of_lane.map(|(_, data)| data[1]).collect();
        assert_eq!((0..10).collect::<Vec<u8>>(), numbers);
    }
}

/// A reading ends at its limit of records, or of bytes, unless the first is larger.
#[test]
fn readings_have_limits() {
    let map = ring(RINGBUF);
    (0..6_u8).for_each(|number| map.output(0, &[&[number; 100]]).expect("room"));
    let read = |limit, size| map.read(limit, size).expect("one reader").records.len();
    assert_eq!(0, read(0, 1_000));
    assert_eq!(1, read(1, 1_000));
    assert_eq!(1, read(10, 50), "the first is larger than asked for");
    assert_eq!(2, read(10, 299));
    assert_eq!(2, read(10, 200));
    assert_eq!(0, read(10, 200));
}

/// A lane that is always full does not keep the others from being read.
#[test]
fn a_busy_lane_starves_no_other() {
    let map = ring(PERF_EVENT_ARRAY);
    let last = lanes::count() - 1;
    map.output(last, &[&[1]]).expect("room");
    let found = (0..lanes::count()).any(|_| {
        map.output(0, &[&[0]]).expect("room");
        let records = map.read(1, usize::MAX).expect("one reader").records;
        records.iter().any(|record| record.lane == last as u32)
    });
    assert!(found);
}

/// Whoever arms is told of records that are there, or gets an event for the next one.
#[test]
fn arming_never_misses_a_record() {
    let map = ring(RINGBUF);
    assert!(!readable(&map));
    assert_eq!(Ok(true), map.arm());
    assert!(!readable(&map));
    map.output(0, &[b"1"]).expect("room");
    assert!(readable(&map));
    map.output(0, &[b"2"]).expect("room");
    assert_eq!(Ok(false), map.arm(), "there are records");
    assert!(!readable(&map), "arming takes the last event back");
    read(&map);
    assert_eq!(Ok(true), map.arm());
}

/// Nobody who waits sleeps through a record, whenever it comes.
#[test]
fn a_waiting_reader_gets_every_record() {
    let map = ring(RINGBUF);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..5_000_u32 {
                until(|| map.output(0, &[&number.to_le_bytes()]).is_ok());
            }
        });
        let mut next = 0_u32;
        while next < 5_000 {
            for (_, data) in read(&map) {
                assert_eq!(next.to_le_bytes().to_vec(), data);
                next += 1;
            }
            if next < 5_000 && map.arm().expect("a ring") {
                assert!(wait_readable(&map, 20_000), "slept through a record");
            }
        }
    });
}

/// What is no operation of rings is not supported.
#[test]
fn rings_have_neither_keys_nor_values() {
    for number in [RINGBUF, PERF_EVENT_ARRAY] {
        let map = ring(number);
        let unsupported = [
            code(map.lookup(&[])),
            code(map.update(&[], &[], ANY)),
            code(map.delete(&[])),
            code(map.take(&[])),
            code(map.next_key(None)),
            code(map.entries(None, 1)),
            code(map.push(&[], ANY)),
            code(map.pop()),
        ];
        assert_eq!([ResultCode::OperationNotSupported; 8], unsupported);
    }
    let others = [
        code(hash().read(1, 1)),
        code(hash().arm()),
        code(hash().event()),
    ];
    assert_eq!([ResultCode::OperationNotSupported; 3], others);
}

/// There is one reader at a time, and whoever comes second is told.
#[test]
fn a_second_reader_is_refused() {
    let map = ring(RINGBUF);
    let refused = AtomicBool::new(false);
    let done = AtomicBool::new(false);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let _ = map.output(0, &[&[1; 2_000]]);
                    if let Err(error) = map.read(usize::MAX, usize::MAX) {
                        assert_eq!(ResultCode::InvalidState, error.code);
                        refused.store(true, Ordering::Relaxed);
                    }
                    let late = std::time::Instant::now() > deadline;
                    if refused.load(Ordering::Relaxed) || late {
                        done.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(refused.load(Ordering::Relaxed), "two readers never met");
}

pub fn readable(map: &Map) -> bool {
    wait_readable(map, 0)
}

fn wait_readable(map: &Map, milliseconds: i32) -> bool {
    let mut poll = libc::pollfd {
        fd: map.event().expect("a ring"),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one descriptor that lives as long as the map.
    unsafe { libc::poll(&raw mut poll, 1, milliseconds) == 1 }
}
