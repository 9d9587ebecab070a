//! What other processes do: this test binary starts itself again, in a role.
//!
//! A child runs the one test [`role`], finds in its environment what to do and
//! on which file, says "ready" on its standard output, and goes on until it is
//! killed or done.  Nothing of it reaches the parent but through the map.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Lines};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::processes::{Declared, PAIRS};
use super::*;

const ROLE: &str = "EBPFD_TEST_ROLE";
const FILE: &str = "EBPFD_TEST_FILE";
const TYPE: &str = "EBPFD_TEST_TYPE";

/// Another process, killed when it is dropped.
pub struct Peer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Start a process in a role on the map in `file`, and wait until it is ready.
    pub fn start(role: &str, file: &File, declared: Declared) -> Self {
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg(test_name())
            .env(ROLE, role)
            .env(FILE, path)
            .env(TYPE, declared.number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this binary starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut peer = Self { child, lines };
        peer.says("ready");
        peer
    }

    /// Wait for a line that ends with `word`.
    pub fn says(&mut self, word: &str) {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            let line = line.expect("text");
            if line.ends_with(word) {
                return;
            }
            seen.push(line);
        }
        panic!("the child did not say {word}: {seen:?}");
    }

    /// End it without any warning.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The name of [`role`] as the test binary knows it, without the crate.
fn test_name() -> String {
    let (_, module) = module_path!().split_once("::").expect("a crate");
    format!("{module}::role")
}

/// The part of a child; nothing to do in any other process.
#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let number = std::env::var(TYPE)
        .expect("a type")
        .parse()
        .expect("a number");
    let declared = Declared::of(number);
    let path = std::env::var(FILE).expect("a file");
    let open = || {
        let file = OpenOptions::new().read(true).write(true).open(&path);
        declared
            .open(&file.expect("it opens"))
            .expect("the same map")
    };
    match role.as_str() {
        "hold" => hold(&open()),
        "pin" => pin(&open()),
        "write" => write(&open(), true),
        "write once" => write(&open(), false),
        "churn" => churn(&open()),
        "join" => ready(&open()),
        "fill" => fill_disk(),
        other => panic!("there is no role {other}"),
    }
}

/// Say so, and wait for the end.
fn ready(_map: &Map) {
    println!("ready");
    loop {
        std::thread::park();
    }
}

/// Take all of the map's locks for ever.
fn hold(map: &Map) {
    let arena = map.arena().expect("a shared map");
    for index in 0..arena::MAX_STRIPES {
        std::mem::forget(arena.lock(index).expect("nobody is in the way"));
    }
    ready(map);
}

/// Stay pinned for ever.
fn pin(map: &Map) {
    let _pin = map.pin();
    ready(map);
}

/// Write pairs of equal numbers.
fn write(map: &Map, for_ever: bool) {
    for turn in 0_u32.. {
        for number in 0..PAIRS {
            let pair = u64::from(turn) << 32 | u64::from(turn);
            map.update(&key(number), &value(pair), ANY).expect("room");
        }
        if turn == 0 {
            println!("ready");
        }
        if turn == 0 && !for_ever {
            return ready(map);
        }
    }
}

/// All that changes a map, as fast as it goes.
fn churn(map: &Map) {
    println!("ready");
    let mut state = std::process::id();
    loop {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let _ = Declared::of(map.map_type()).change(map, state >> 8);
    }
}

/// In a file system of our own that is too small: what a full one does.
fn fill_disk() {
    // SAFETY: names are constants; a mount of this process's own name space alone.
    let mounted = unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(
                std::ptr::null(),
                c"/".as_ptr(),
                std::ptr::null(),
                libc::MS_REC | libc::MS_PRIVATE,
                std::ptr::null(),
            ) == 0
            && libc::mount(
                c"none".as_ptr(),
                c"/mnt".as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                c"size=1m".as_ptr().cast(),
            ) == 0
    };
    println!("ready");
    if !mounted {
        println!("done");
        return;
    }
    let create = |name: &str| {
        let options = &mut OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        options.open(format!("/mnt/{name}")).expect("it opens")
    };
    let types = [
        map_type::HASH,
        map_type::LRU_HASH,
        map_type::QUEUE,
        map_type::LPM_TRIE,
    ];
    for (number, entries) in types.into_iter().zip([1 << 14, 1 << 14, 1 << 17, 1 << 14]) {
        let declared = Declared::of(number);
        let storage = Storage::File(create("map").into());
        let map = declared
            .stored(storage, entries)
            .expect("room for an empty one");
        let error = (0..200_000).find_map(|turn| declared.add(&map, turn).err());
        assert_eq!(Some(ResultCode::NoMemory), error.map(|error| error.code));
        assert!(
            declared.add(&map, 1).is_ok() || map.count() > Some(100),
            "still whole"
        );
        std::fs::remove_file("/mnt/map").expect("it goes");
    }
    let file = create("array");
    let array = Map::new(MapOptions {
        map_type: map_type::ARRAY,
        key_size: 4,
        value_size: 4 << 20,
        max_entries: 1,
        storage: Storage::File(file.try_clone().expect("a descriptor").into()),
        ..MapOptions::default()
    });
    assert_eq!(ResultCode::NoMemory, code(array));
    assert_eq!(0, file.metadata().expect("readable").len(), "as it was");
    println!("done");
}
