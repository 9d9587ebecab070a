//! Helpers 1 to 4 and 16 to 18, and map values, as programs use them.

use std::sync::Arc;

use super::*;
use crate::fixtures::executors;
use crate::isa::atomic;
use crate::maps::{lanes, map_type as t};

/// Call a helper on map 0 with key `key` in r2, value `value` in r3 and flags in r4.
fn keyed(helper: i32, key: i32, value: i32, flags: i32) -> Vec<Insn> {
    // For an LPM_TRIE the key is a prefix of 32 bits: its length, then its data.
    [
        vec![put(-8, key), put(-16, value)],
        map(1, 0).to_vec(),
        stack(2, -8).to_vec(),
        stack(3, -16).to_vec(),
        vec![mov(4, flags), call(helper)],
    ]
    .concat()
}

/// Call a helper on map 0 with `value` in r2 and flags in r3; exit with r0.
fn queued(helper: i32, value: i32, flags: i32) -> Vec<Insn> {
    [
        vec![put(-8, value)],
        map(1, 0).to_vec(),
        stack(2, -8).to_vec(),
        vec![mov(3, flags), call(helper), EXIT],
    ]
    .concat()
}

fn and_exit(code: Vec<Insn>) -> Vec<Insn> {
    [code, vec![EXIT]].concat()
}

fn and_load(code: Vec<Insn>) -> Vec<Insn> {
    [code, load_and_exit(-1)].concat()
}

/// Update, lookup, delete, and lookup with delete, on every type with keys that can be removed.
#[test]
fn keyed_maps_follow_their_helpers() {
    for options in executors() {
        let types = [t::HASH, t::PERCPU_HASH, t::LRU_HASH, t::LRU_PERCPU_HASH];
        for maps in types.map(|number| [live_map(number, 8)]) {
            let run = |code: Vec<Insn>| run_with(&code, &maps, &options);
            assert_eq!((0, -1), run(and_load(keyed(1, 5, 0, 0))));
            assert_eq!((0, -19), run(and_exit(keyed(2, 5, 70, 2))));
            assert_eq!((0, 0), run(and_exit(keyed(2, 5, 70, 1))));
            assert_eq!((0, -8), run(and_exit(keyed(2, 5, 71, 1))));
            assert_eq!((0, -6), run(and_exit(keyed(2, 5, 71, 3))));
            assert_eq!((0, 70), run(and_load(keyed(1, 5, 0, 0))));
            assert_eq!((0, 0), run(and_exit(keyed(3, 5, 0, 0))));
            assert_eq!((0, -19), run(and_exit(keyed(3, 5, 0, 0))));
            assert_eq!((0, 0), run(and_exit(keyed(2, 6, 72, 0))));
            assert_eq!((0, 72), run(and_load(keyed(4, 6, 0, 0))));
            assert_eq!((0, -1), run(and_load(keyed(4, 6, 0, 0))));
        }
    }
}

/// Entries of arrays exist: deleting sets to zero, taking out gives NULL.
#[test]
fn arrays_follow_their_helpers() {
    for options in executors() {
        for maps in [t::ARRAY, t::PERCPU_ARRAY].map(|number| [live_map(number, 8)]) {
            let run = |code: Vec<Insn>| run_with(&code, &maps, &options);
            assert_eq!((0, 0), run(and_load(keyed(1, 5, 0, 0))));
            assert_eq!((0, -1), run(and_load(keyed(1, 8, 0, 0))));
            assert_eq!((0, -6), run(and_exit(keyed(2, 5, 70, 1))));
            assert_eq!((0, -6), run(and_exit(keyed(2, 8, 70, 0))));
            assert_eq!((0, 0), run(and_exit(keyed(2, 5, 70, 2))));
            assert_eq!((0, 70), run(and_load(keyed(1, 5, 0, 0))));
            assert_eq!((0, -1), run(and_load(keyed(4, 5, 0, 0))));
            assert_eq!((0, 0), run(and_exit(keyed(3, 5, 0, 0))));
            assert_eq!((0, 0), run(and_load(keyed(1, 5, 0, 0))));
        }
    }
}

/// A program finds the longest prefix; a prefix that is too long is refused.
#[test]
fn tries_follow_their_helpers() {
    for options in executors() {
        let maps = [live_map(t::LPM_TRIE, 8)];
        let run = |code: Vec<Insn>| run_with(&code, &maps, &options);
        assert_eq!((0, -1), run(and_load(keyed(1, 32, 0, 0))));
        assert_eq!((0, 0), run(and_exit(keyed(2, 8, 70, 0))));
        assert_eq!((0, 70), run(and_load(keyed(1, 32, 0, 0))));
        assert_eq!((0, -6), run(and_exit(keyed(2, 33, 70, 0))));
        assert_eq!((0, -1), run(and_load(keyed(4, 8, 0, 0))));
        assert_eq!((0, 0), run(and_exit(keyed(3, 8, 0, 0))));
    }
}

/// Push, pop and peek; what they say of empty and of full maps.
#[test]
fn queues_follow_their_helpers() {
    for options in executors() {
        for (number, next) in [(t::QUEUE, 1), (t::STACK, 2)] {
            let maps = [live_map(number, 2)];
            let run = |code: Vec<Insn>| run_with(&code, &maps, &options);
            assert_eq!((0, -7), run(queued(17, 0, 0)));
            assert_eq!((0, -7), run(queued(18, 0, 0)));
            assert_eq!((0, 0), run(queued(16, 1, 0)));
            assert_eq!((0, 0), run(queued(16, 2, 1)), "a plain push");
            assert_eq!((0, -29), run(queued(16, 3, 0)));
            let peek = queued(18, 0, 0);
            let shown = [&peek[..peek.len() - 1], &stack(0, -8), &load_and_exit(0)].concat();
            assert_eq!((0, next), run(shown));
            assert_eq!((0, 0), run(queued(17, 0, 0)));
            assert_eq!((0, 0), run(queued(16, 3, 0)));
            assert_eq!((0, 0), run(queued(16, 4, 2)), "the oldest goes");
            assert_eq!(Some(2), maps[0].count());
        }
        let maps = [live_map(t::HASH, 2)];
        for helper in [16, 17, 18] {
            assert_eq!((0, -18), run_with(&queued(helper, 0, 0), &maps, &options));
        }
    }
}

/// What a program writes into a per-CPU map stands in the lane that helper 8 tells.
#[test]
fn programs_write_the_lane_that_they_are_told() {
    for options in executors() {
        let maps = [live_map(t::PERCPU_ARRAY, 1)];
        let code = [keyed(2, 0, 77, 0), vec![call(8), EXIT]].concat();
        let (_, lane) = run_with(&code, &maps, &options);
        let all = maps[0].lookup(&[0; 4]).expect("exists");
        let expected = (0..lanes::count()).map(|at| if at == lane as usize { 77_u64 } else { 0 });
        let expected: Vec<u8> = expected.flat_map(u64::to_le_bytes).collect();
        assert_eq!(expected, all);
    }
}

/// A program's lookup spares an entry of an LRU_HASH.
#[test]
fn lookups_of_programs_touch() {
    for options in executors() {
        let maps = [live_map(t::LRU_HASH, 2)];
        let run = |code: Vec<Insn>| run_with(&code, &maps, &options);
        run(and_exit(keyed(2, 1, 10, 0)));
        run(and_exit(keyed(2, 2, 20, 0)));
        assert_eq!((0, 10), run(and_load(keyed(1, 1, 0, 0))));
        assert_eq!((0, 0), run(and_exit(keyed(2, 3, 30, 0))));
        assert_eq!((0, 10), run(and_load(keyed(1, 1, 0, 0))));
        assert_eq!((0, -1), run(and_load(keyed(1, 2, 0, 0))));
    }
}

/// A map that was found in a map of maps can be used, shared or not.
#[test]
fn inner_maps_are_maps() {
    use crate::maps::Storage;
    for options in executors() {
        for storage in [Storage::Anonymous, Storage::Memfd] {
            let inner = Map::new(MapOptions {
                map_type: t::HASH,
                key_size: 4,
                value_size: 8,
                max_entries: 4,
                storage,
                ..MapOptions::default()
            });
            let inner = Arc::new(inner.expect("a valid map"));
            inner
                .update(&[5, 0, 0, 0], &[9, 0, 0, 0, 0, 0, 0, 0], 0)
                .expect("room");
            let outer = Map::new(MapOptions {
                map_type: t::ARRAY_OF_MAPS,
                key_size: 4,
                value_size: 4,
                max_entries: 1,
                inner: Some(inner.template()),
                ..MapOptions::default()
            });
            let outer = Arc::new(outer.expect("a valid map"));
            outer
                .set_map(&[0; 4], inner, 3, 0)
                .expect("equals the template");
            let code = [
                keyed(1, 0, 0, 0),
                vec![Insn::new(class::JMP | jump::JNE, 0, 0, 1, 0), EXIT],
                vec![put(-8, 5), copy(1, 0)],
                stack(2, -8).to_vec(),
                vec![call(1)],
                load_and_exit(-1),
            ];
            assert_eq!((0, 9), run_with(&code.concat(), &[outer], &options));
        }
    }
}

/// Atomic additions of many threads through a value's address lose nothing.
#[test]
fn atomic_additions_lose_nothing() {
    for options in executors() {
        for number in [t::ARRAY, t::HASH] {
            let maps = [live_map(number, 1)];
            maps[0].update(&[0; 4], &[0; 8], 0).expect("room");
            let add = Insn::new(class::STX | mem::ATOMIC | mem::DW, 0, 1, 0, atomic::ADD);
            let missing = Insn::new(class::JMP | jump::JEQ, 0, 0, 2, 0);
            let tail = vec![missing, mov(1, 1), add, mov(0, 0), EXIT];
            let code = [keyed(1, 0, 0, 0), tail].concat();
            let program = ready(&assembled(&code, &[]), maps.to_vec(), options.clone());
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let test = program.test_run(&context(0, 0), b"", 0, 5_000);
                        assert_eq!(0, test.expect("valid input").code);
                    });
                }
            });
            assert_eq!(
                Ok(20_000_u64.to_le_bytes().to_vec()),
                maps[0].lookup(&[0; 4])
            );
        }
    }
}
