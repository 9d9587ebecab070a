//! Numbers and names of map types (`bpf_map_type`), as eBPF for Windows counts them.

pub const HASH: u32 = 1;
pub const ARRAY: u32 = 2;
pub const PROG_ARRAY: u32 = 3;
pub const PERCPU_HASH: u32 = 4;
pub const PERCPU_ARRAY: u32 = 5;
pub const HASH_OF_MAPS: u32 = 6;
pub const ARRAY_OF_MAPS: u32 = 7;
pub const LRU_HASH: u32 = 8;
pub const LPM_TRIE: u32 = 9;
pub const QUEUE: u32 = 10;
pub const LRU_PERCPU_HASH: u32 = 11;
pub const STACK: u32 = 12;
pub const RINGBUF: u32 = 13;
pub const PERF_EVENT_ARRAY: u32 = 14;

const NAMES: [&str; 15] = [
    "UNSPEC",
    "HASH",
    "ARRAY",
    "PROG_ARRAY",
    "PERCPU_HASH",
    "PERCPU_ARRAY",
    "HASH_OF_MAPS",
    "ARRAY_OF_MAPS",
    "LRU_HASH",
    "LPM_TRIE",
    "QUEUE",
    "LRU_PERCPU_HASH",
    "STACK",
    "RINGBUF",
    "PERF_EVENT_ARRAY",
];

/// The name of a type, "unknown" for a number that is none.
pub fn name(map_type: u32) -> &'static str {
    NAMES.get(map_type as usize).copied().unwrap_or("unknown")
}

/// Whether such a map takes records for a reader.
pub fn has_records(map_type: u32) -> bool {
    matches!(map_type, RINGBUF | PERF_EVENT_ARRAY)
}

/// Whether the values of such a map are maps.
pub fn holds_maps(map_type: u32) -> bool {
    matches!(map_type, HASH_OF_MAPS | ARRAY_OF_MAPS)
}
