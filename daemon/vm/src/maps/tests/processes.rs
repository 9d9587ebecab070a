//! One map in several processes, some of which are killed.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::roles::Peer;
use super::*;

/// Keys that a writing peer writes.
pub const PAIRS: u32 = 16;
/// Of all that the tests' programs write.
const LANE: usize = 1;
const HASHES: [u32; 2] = [map_type::HASH, map_type::LRU_HASH];

/// One of each store, of those that have anything to leave half done.
const KINDS: [u32; 8] = [
    map_type::HASH,
    map_type::LRU_HASH,
    map_type::PERCPU_HASH,
    map_type::LRU_PERCPU_HASH,
    map_type::QUEUE,
    map_type::LPM_TRIE,
    map_type::RINGBUF,
    map_type::PERF_EVENT_ARRAY,
];

/// How the tests declare a map of each type that can be shared.
#[derive(Clone, Copy)]
pub struct Declared {
    pub number: u32,
}

impl Declared {
    pub fn of(number: u32) -> Self {
        Self { number }
    }

    pub fn open(self, file: &File) -> Result<Map> {
        let storage = Storage::File(OwnedFd::from(file.try_clone().expect("a descriptor")));
        self.stored(storage, 64)
    }

    pub fn stored(self, storage: Storage, entries: u32) -> Result<Map> {
        let keys = match self.number {
            map_type::QUEUE | map_type::STACK => 0,
            map_type::LPM_TRIE => 8,
            map_type::RINGBUF | map_type::PERF_EVENT_ARRAY => {
                return stored(storage, self.number, 0, 0, 4096);
            }
            _ => 4,
        };
        stored(storage, self.number, keys, 8, entries)
    }

    fn key(self, number: u32) -> Vec<u8> {
        match self.number {
            map_type::QUEUE | map_type::STACK => Vec::new(),
            map_type::LPM_TRIE => [32_u32.to_le_bytes(), number.to_le_bytes()].concat(),
            _ => number.to_le_bytes().to_vec(),
        }
    }

    /// A value that tells its key: equal halves of it.
    fn value(number: u32) -> [u8; 8] {
        value(u64::from(number) << 32 | u64::from(number))
    }

    /// Put something new.
    pub fn add(self, map: &Map, number: u32) -> Result<()> {
        let value = Self::value(number);
        match self.number {
            map_type::RINGBUF | map_type::PERF_EVENT_ARRAY => map.output(LANE, &[&value]),
            _ if map.is_per_cpu() => {
                map.update_lane(&self.key(number), &value, ANY, LANE, &map.pin())
            }
            _ => map.update(&self.key(number), &value, ANY),
        }
    }

    /// One of the changes that the type knows, on one of 128 keys.
    pub fn change(self, map: &Map, random: u32) -> Result<()> {
        let number = random % 128;
        match (self.number, random >> 8 & 3) {
            (map_type::RINGBUF | map_type::PERF_EVENT_ARRAY, _) => self.add(map, number),
            (map_type::QUEUE | map_type::STACK, 0) => map.pop().map(drop),
            (map_type::QUEUE | map_type::STACK, _) => {
                map.push(&Self::value(number), (random >> 8 & 2).into())
            }
            (_, 0) => map.delete(&self.key(number)),
            _ => self.add(map, number),
        }
    }

    /// Whether all that is in the map is whole, and its count right.
    fn check(self, map: &Map) {
        let halves = |value: &[u8]| {
            assert_eq!(value[..4], value[4..], "a torn value");
        };
        if map.has_records() {
            while let Some(record) = map.read(1, 100).expect("one reader").records.first() {
                halves(&record.data);
            }
            return;
        }
        if map.is_per_cpu() {
            let all = map.entries(None, 10_000).expect("entries");
            assert_eq!(Some(all.len()), map.count());
            all.iter()
                .flat_map(|(_, values)| values.chunks(8))
                .for_each(halves);
            return;
        }
        if self.key(0).is_empty() {
            while let Ok(value) = map.pop() {
                halves(&value);
            }
            return assert_eq!(Some(0), map.count());
        }
        let all = map.entries(None, 10_000).expect("entries");
        assert_eq!(Some(all.len()), map.count());
        for (key, value) in all {
            halves(&value);
            assert_eq!(key[key.len() - 4..], value[..4], "another key's value");
            assert_eq!(Ok(value), map.lookup(&key));
        }
    }
}

/// A new map in a memfd or a file of its own, and the file.
pub fn shared(number: u32, memfd: bool) -> (Map, File) {
    let declared = Declared::of(number);
    if !memfd {
        let file = file();
        return (declared.open(&file).expect("a valid map"), file);
    }
    let map = declared.stored(Storage::Memfd, 64).expect("a valid map");
    let file = map
        .file()
        .expect("a memfd")
        .try_clone()
        .expect("a descriptor");
    (map, file)
}

/// An empty file without a name.
pub fn file() -> File {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_TMPFILE);
    options.open(std::env::temp_dir()).expect("a file")
}

/// Two processes write the same keys; whoever reads meets whole values.
#[test]
fn two_processes_write_whole_values() {
    for memfd in [true, false] {
        for number in HASHES {
            let (map, file) = shared(number, memfd);
            let _peer = Peer::start("write", &file, Declared::of(number));
            for turn in 0..10_000 {
                let bytes = map.lookup(&key(turn % PAIRS)).expect("is there");
                assert_eq!(bytes[..4], bytes[4..], "a torn value");
                let pair = u64::from(turn) << 32 | u64::from(turn);
                map.update(&key(turn % PAIRS), &value(pair), ANY)
                    .expect("room");
            }
        }
    }
}

/// What a killed process held is taken over within milliseconds.
#[test]
fn a_dead_owner_is_recovered_from() {
    for number in KINDS {
        let (map, file) = shared(number, true);
        let declared = Declared::of(number);
        let mut peer = Peer::start("hold", &file, declared);
        peer.kill();
        let start = Instant::now();
        declared.add(&map, 1).expect("taken over");
        // 5 ms and a little, on a machine that is not busy.
        assert!(
            start.elapsed() < Duration::from_millis(500),
            "{:?}",
            start.elapsed()
        );
        (0..64).for_each(|turn| declared.add(&map, turn % 60).unwrap_or(()));
        declared.check(&map);
    }
}

/// A waiter that sleeps already when the owner dies goes on soon.
#[test]
fn a_waiter_notices_the_death() {
    let (map, file) = shared(map_type::HASH, true);
    let mut peer = Peer::start("hold", &file, Declared::of(map_type::HASH));
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| map.update(&key(1), &value(1), ANY));
        let stripes = map.arena().expect("a shared map");
        let sleeping = |index| {
            stripes
                .stripe(index)
                .lock
                .load(std::sync::atomic::Ordering::Relaxed)
                >> 31
                != 0
        };
        until(|| (0..arena::MAX_STRIPES).any(sleeping));
        peer.kill();
        assert_eq!(Ok(()), waiter.join().expect("no panic"));
    });
}

/// What a dead process held is free even when a new one has its row.
#[test]
fn a_row_that_was_taken_again_holds_no_old_lock() {
    let (map, file) = shared(map_type::HASH, true);
    let declared = Declared::of(map_type::HASH);
    Peer::start("hold", &file, declared).kill();
    let _next = Peer::start("join", &file, declared);
    assert_eq!(Ok(()), map.update(&key(1), &value(1), ANY));
}

/// A live owner is waited for, but not for ever.
#[test]
fn a_live_owner_is_waited_for_with_a_bound() {
    let (map, file) = shared(map_type::HASH, true);
    let _peer = Peer::start("hold", &file, Declared::of(map_type::HASH));
    assert_eq!(
        ResultCode::Timeout,
        code(map.update(&key(1), &value(1), ANY))
    );
    assert_eq!(
        ResultCode::ObjectNotFound,
        code(map.lookup(&key(1))),
        "readers never wait"
    );
}

/// A process that dies while it is pinned holds nothing back.
#[test]
fn a_dead_reader_holds_nothing_back() {
    let (map, file) = shared(map_type::HASH, true);
    let mut peer = Peer::start("pin", &file, Declared::of(map_type::HASH));
    let domain = map.shared_domain().expect("a shared map");
    let _ = domain.advance();
    assert!(!domain.advance(), "the peer is pinned");
    peer.kill();
    assert!(domain.advance(), "nobody is");
}

/// A map in a file is what it was after its writer was killed and everybody left.
#[test]
fn a_file_keeps_its_map() {
    for number in HASHES {
        let declared = Declared::of(number);
        let file = file();
        Peer::start("write once", &file, declared).kill();
        let map = declared.open(&file).expect("the same map");
        assert_eq!(Some(PAIRS as usize), map.count());
        declared.add(&map, 99).expect("it goes on");
        drop(map);
        let map = declared.open(&file).expect("the same map");
        assert_eq!(Ok(Declared::value(99).to_vec()), map.lookup(&key(99)));
        declared_only(&map);
    }
}

/// Every key that the peer wrote is there.
fn declared_only(map: &Map) {
    (0..PAIRS).for_each(|number| assert!(map.lookup(&key(number)).is_ok()));
}

/// Wherever a process is killed, what it leaves is a map.
#[test]
fn a_kill_at_any_time_leaves_a_whole_map() {
    for number in KINDS {
        let declared = Declared::of(number);
        let (map, file) = shared(number, true);
        for round in 0..6_u32 {
            let mut peer = Peer::start("churn", &file, declared);
            let until = Instant::now() + Duration::from_micros(u64::from(round) * 1_700);
            for turn in 0.. {
                let _ = declared.change(&map, u32::wrapping_mul(turn, 2_654_435_761));
                if Instant::now() > until {
                    break;
                }
            }
            peer.kill();
            // Take every lock once, so that whatever was left is repaired.
            (0..256).for_each(|turn| {
                declared
                    .change(&map, (turn << 10) | (turn % 128))
                    .unwrap_or(())
            });
            declared.check(&map);
        }
    }
}

/// A reader that waits is woken by a record of another process, and by who has seen that end.
#[test]
fn another_process_wakes_the_reader() {
    for number in [map_type::RINGBUF, map_type::PERF_EVENT_ARRAY] {
        let (map, file) = shared(number, true);
        let other = Map::new(MapOptions {
            map_type: number,
            max_entries: 4096,
            storage: Storage::File(file.into()),
            event: Some(dup(map.event().expect("a ring"))),
            ..MapOptions::default()
        });
        let other = other.expect("the same map");
        assert_eq!(Ok(true), map.arm());
        assert!(!super::ring::readable(&map));
        other.output(LANE, &[b"1"]).expect("room");
        assert!(super::ring::readable(&map));
        assert_eq!(Ok(false), map.arm(), "there is a record");
        map.read(9, 9).expect("one reader");
        assert_eq!(Ok(true), map.arm());
        map.wake().expect("a ring");
        assert!(super::ring::readable(&map));
    }
}

fn dup(descriptor: i32) -> OwnedFd {
    use std::os::fd::BorrowedFd;
    // SAFETY: the map has it open during this call.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    borrowed.try_clone_to_owned().expect("a descriptor")
}
