//! Helpers 11 and 32: records for users.

use super::*;
use crate::fixtures::executors;
use crate::maps::{lanes, map_type as t};

/// The ring of the lane that the program has.
const CURRENT: u64 = 0xffff_ffff;

fn ring_output(size: i32) -> Vec<Insn> {
    [
        vec![put(-8, 0x0102_0304)],
        map(1, 0).to_vec(),
        stack(2, -8).to_vec(),
        vec![mov(3, size), mov(4, -1), call(11), EXIT],
    ]
    .concat()
}

fn perf_output(flags: u64) -> Vec<Insn> {
    [
        vec![put(-8, 0x0102_0304)],
        map(2, 0).to_vec(),
        lddw(3, flags).to_vec(),
        stack(4, -8).to_vec(),
        vec![mov(5, 4), call(32), EXIT],
    ]
    .concat()
}

fn records(map: &Map) -> Vec<Vec<u8>> {
    let read = map.read(100, usize::MAX).expect("one reader");
    read.records.into_iter().map(|record| record.data).collect()
}

/// Helper 11 adds a record whatever its flags; sizes and a full ring have their codes.
#[test]
fn ring_buffers_take_records() {
    for options in executors() {
        let maps = [live_map(t::RINGBUF, 4096)];
        assert_eq!((0, 0), run_with(&ring_output(4), &maps, &options));
        assert_eq!((0, -6), run_with(&ring_output(0), &maps, &options));
        assert_eq!(vec![vec![4, 3, 2, 1]], records(&maps[0]));
        while maps[0].output(0, &[&[0; 8]]).is_ok() {}
        assert_eq!((0, -12), run_with(&ring_output(4), &maps, &options));
        assert_eq!(2, maps[0].lost());
        let other = [live_map(t::PERF_EVENT_ARRAY, 4096)];
        assert_eq!((0, -6), run_with(&ring_output(4), &other, &options));
    }
}

/// Helper 32 takes the program's own lane and no other, and no unknown flags.
#[test]
fn perf_arrays_take_records_of_the_own_lane() {
    for options in executors() {
        let maps = [live_map(t::PERF_EVENT_ARRAY, 4096)];
        let run = |flags| run_with(&perf_output(flags), &maps, &options);
        assert_eq!((0, 0), run(CURRENT));
        let read = maps[0].read(9, 99).expect("one reader");
        assert_eq!(vec![4, 3, 2, 1], read.records[0].data);
        assert!((read.records[0].lane as usize) < lanes::count());
        let refused = (0..lanes::count() as u64).filter(|lane| run(*lane) == (0, -6));
        assert!(refused.count() >= lanes::count() - 2, "all but the own one");
        assert_eq!((0, -6), run(CURRENT | 1 << 52));
        assert_eq!((0, -6), run(lanes::count() as u64));
        let other = [live_map(t::RINGBUF, 4096)];
        assert_eq!((0, -6), run_with(&perf_output(CURRENT), &other, &options));
    }
}

/// Bits 32 to 51 of the flags append so many bytes of the data, if it has as many.
#[test]
fn perf_records_capture_data() {
    for options in executors() {
        let maps = [live_map(t::PERF_EVENT_ARRAY, 4096)];
        for (capture, expected) in [(3, 0), (4, 0), (5, -6), (0xfffff, -6)] {
            let code = perf_output(CURRENT | capture << 32);
            let program = ready(&assembled(&code, &[]), maps.to_vec(), options.clone());
            let test = program
                .test_run(&context(0, 0), b"data", 0, 1)
                .expect("valid input");
            assert_eq!((0, expected), (test.code, test.result.cast_signed()));
            let wanted: Vec<u8> = [&[4, 3, 2, 1], &b"data"[..4.min(capture as usize)]].concat();
            let wanted = if expected == 0 {
                vec![wanted]
            } else {
                Vec::new()
            };
            assert_eq!(wanted, records(&maps[0]));
        }
    }
}
