//! Which files become a map, which are refused, and what a failure leaves of them.

use std::fs::File;

use super::processes::{Declared, file, shared};
use super::roles::Peer;
use super::*;

/// A file of another map is refused, and left as it is.
#[test]
fn a_file_of_another_map_is_refused() {
    let (map, file) = shared(map_type::HASH, false);
    map.update(&key(1), &value(1), ANY).expect("room");
    let open = |map_type, key_size, value_size, max_entries| {
        let storage = Storage::File(file.try_clone().expect("a descriptor").into());
        code(stored(storage, map_type, key_size, value_size, max_entries))
    };
    let others = [
        open(map_type::LRU_HASH, 4, 8, 64),
        open(map_type::HASH, 8, 8, 64),
        open(map_type::HASH, 4, 16, 64),
        open(map_type::HASH, 4, 8, 65),
        open(map_type::HASH, 3, 7, 64),
        open(map_type::ARRAY, 4, 8, 64),
    ];
    assert_eq!([ResultCode::InvalidObject; 6], others);
    assert_eq!(ResultCode::Success, open(map_type::HASH, 4, 8, 64));
    assert_eq!(Some(1), map.count());
}

/// What is no file, or cannot be written, is refused with a reason.
#[test]
fn odd_descriptors_are_refused() {
    let declared = Declared::of(map_type::HASH);
    let read_only = File::open("/proc/self/exe").expect("readable");
    assert_eq!(ResultCode::AccessDenied, code(declared.open(&read_only)));
    let null = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null");
    let null = null.expect("writable");
    assert_eq!(ResultCode::InvalidArgument, code(declared.open(&null)));
}

/// Whoever comes at the same time opens one and the same map.
#[test]
fn an_empty_file_becomes_one_map() {
    for _ in 0..20 {
        let file = file();
        let maps: Vec<Map> = std::thread::scope(|scope| {
            let open = || {
                Declared::of(map_type::HASH)
                    .open(&file)
                    .expect("a valid map")
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        for (number, map) in (0..).zip(&maps) {
            map.update(&key(number), &value(number.into()), NOEXIST)
                .expect("room");
        }
        for map in &maps {
            (0..4).for_each(|number| assert!(map.lookup(&key(number)).is_ok(), "another seed"));
        }
    }
}

/// A map that was half made when its maker died is made again, first bytes and all.
#[test]
fn a_half_made_map_is_made_again() {
    let file = file();
    let open = || {
        Map::new(MapOptions {
            map_type: map_type::ARRAY,
            key_size: 4,
            value_size: 8,
            max_entries: 2,
            initial: Some(value(7).to_vec()),
            storage: Storage::File(file.try_clone().expect("a descriptor").into()),
            ..MapOptions::default()
        })
        .expect("a valid map")
    };
    let map = open();
    map.update(&key(0), &value(9), ANY).expect("exists");
    assert_eq!(
        Ok(value(9).to_vec()),
        open().lookup(&key(0)),
        "it is not made again"
    );
    let made = std::os::unix::fs::FileExt::write_all_at(&file, &[0; 8], 0);
    made.expect("writable");
    assert_eq!(Ok(value(7).to_vec()), open().lookup(&key(0)));
}

/// More processes than there are rows are refused, until one leaves.
#[test]
fn rows_are_bounded_and_come_back() {
    let (first, file) = shared(map_type::HASH, true);
    let open = || Declared::of(map_type::HASH).open(&file);
    let mut maps: Vec<Map> = (1..peers::MAX_PEERS)
        .map(|_| open().expect("a row"))
        .collect();
    assert_eq!(ResultCode::NoMemory, code(open()));
    drop(maps.pop());
    assert_eq!(ResultCode::Success, code(open()));
    drop(first);
}

/// A full disk is NO_MEMORY, never a signal, and a map that did not come to be leaves no trace.
#[test]
fn a_full_disk_is_no_memory() {
    Peer::start("fill", &file(), Declared::of(map_type::HASH)).says("done");
}

/// A memfd that somebody could shrink is not mapped.
#[test]
fn an_unsealed_memfd_of_somebody_else_is_refused() {
    let (map, _) = shared(map_type::HASH, true);
    // SAFETY: a new descriptor, ours alone.
    let memfd = unsafe {
        use std::os::fd::FromRawFd;
        File::from_raw_fd(libc::memfd_create(c"x".as_ptr(), libc::MFD_CLOEXEC))
    };
    memfd.set_len(map.reserved() as u64).expect("room");
    let result = Declared::of(map_type::HASH).open(&memfd);
    assert_eq!(ResultCode::InvalidObject, code(result));
}
