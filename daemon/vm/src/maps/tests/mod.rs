//! What each type of map promises, a file for each family.

mod array;
mod creation;
mod files;
mod hash;
mod hostile;
mod lpm;
mod lru;
mod memory;
mod objects;
mod per_cpu;
mod processes;
mod queue;
mod ring;
mod roles;
mod threads;
mod walks;

use super::*;

const ANY: u64 = 0;
const NOEXIST: u64 = 1;
const EXIST: u64 = 2;

fn map(map_type: u32, key_size: u32, value_size: u32, max_entries: u32) -> Result<Map> {
    stored(
        Storage::Anonymous,
        map_type,
        key_size,
        value_size,
        max_entries,
    )
}

fn stored(
    storage: Storage,
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
) -> Result<Map> {
    Map::new(MapOptions {
        map_type,
        key_size,
        value_size,
        max_entries,
        storage,
        ..MapOptions::default()
    })
}

fn hash() -> Map {
    map(map_type::HASH, 4, 8, 2).expect("a valid map")
}

fn array() -> Map {
    map(map_type::ARRAY, 4, 6, 3).expect("a valid map")
}

fn key(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

fn value(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

fn code<T>(result: Result<T>) -> ResultCode {
    match result {
        Ok(_) => ResultCode::Success,
        Err(error) => error.code,
    }
}

/// Where a key's value is, for a program on this lane.
fn address(map: &Map, key: &[u8], lane: usize, pin: &epoch::Pin) -> Option<usize> {
    map.value_address(key, lane, pin)
        .expect("nobody is in the way")
}

/// The number that lies at an address.
fn number_at(address: usize) -> u64 {
    // SAFETY: tests pass addresses of values of eight bytes while they are pinned.
    unsafe { bytes::load(address as u64) }
}

/// Wait for what other threads or processes do soon.
fn until(mut done: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !done() {
        assert!(std::time::Instant::now() < deadline, "it did not happen");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
