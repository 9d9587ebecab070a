//! The map types whose prices are asked for, as a table.

use std::sync::Arc;

use _native::maps::Map;
use _native::spec::MapSpec;

use crate::Outcome;
use crate::executor::live;
use crate::measure::Random;

/// Entries of the maps that are measured: powers of two.
pub const SIZES: [u32; 3] = [1 << 10, 1 << 16, 1 << 20];
/// What spreads indices over 32 bits; odd, so that no two meet.
pub const SPREAD: u32 = 0x9e37_79b1;
/// Entries beyond those in use: an LRU map must not evict what is looked up.
const LRU_ROOM: u32 = 2;

/// How keys look, and what can be done with them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Any 4 bytes.
    Keyed,
    /// The same, and the oldest go when there is no room.
    Recent,
    /// An index below the number of entries.
    Indexed,
    /// A length in bits, then 4 bytes.
    Prefix,
    /// No keys: values go in and out.
    Queue,
    /// No keys: records go out to a reader.
    Records,
}

pub struct Kind {
    pub name: &'static str,
    pub number: u32,
    pub family: Family,
}

pub static KINDS: [Kind; 9] = [
    Kind::new("HASH", 1, Family::Keyed),
    Kind::new("ARRAY", 2, Family::Indexed),
    Kind::new("PERCPU_HASH", 4, Family::Keyed),
    Kind::new("PERCPU_ARRAY", 5, Family::Indexed),
    Kind::new("LRU_HASH", 8, Family::Recent),
    Kind::new("LPM_TRIE", 9, Family::Prefix),
    Kind::new("QUEUE", 10, Family::Queue),
    Kind::new("LRU_PERCPU_HASH", 11, Family::Recent),
    Kind::new("STACK", 12, Family::Queue),
];

impl Kind {
    pub const fn new(name: &'static str, number: u32, family: Family) -> Self {
        Self {
            name,
            number,
            family,
        }
    }

    /// A map full of `entries` values, or why there is none.
    pub fn map(&self, entries: u32) -> Outcome<(MapSpec, Arc<Map>)> {
        let room = if self.family == Family::Recent {
            LRU_ROOM
        } else {
            1
        };
        let spec = MapSpec {
            name: "priced".into(),
            map_type: self.number,
            key_size: self.key_size() as u32,
            value_size: 8,
            max_entries: entries * room,
            ..MapSpec::default()
        };
        let map = live(&spec)?;
        let value = vec![1; map.user_value_size()];
        if !self.has_keys() {
            // Half full: nothing is refused on the way in, nothing is missing on the way out.
            let pushed = (0..entries / 2).try_for_each(|_| map.push(&value, 0));
            pushed.map_err(|error| error.to_string())?;
            return Ok((spec, map));
        }
        for key in self.keys(entries).chunks(self.key_size()) {
            map.update(key, &value, 0)
                .map_err(|error| error.to_string())?;
        }
        Ok((spec, map))
    }

    /// All keys, one after the other, in an order that looks random and is always the same.
    pub fn keys(&self, entries: u32) -> Vec<u8> {
        let mut keys: Vec<u32> = (0..entries).collect();
        Random::new(u64::from(entries)).shuffle(&mut keys);
        keys.into_iter().flat_map(|index| self.key(index)).collect()
    }

    fn key(&self, index: u32) -> Vec<u8> {
        let number = if self.spread() {
            index.wrapping_mul(SPREAD)
        } else {
            index
        };
        let mut key = Vec::new();
        if self.prefixed() {
            key.extend(32_u32.to_le_bytes());
        }
        key.extend(number.to_le_bytes());
        key
    }

    pub fn key_size(&self) -> usize {
        match self.family {
            Family::Prefix => 8,
            Family::Queue | Family::Records => 0,
            _ => 4,
        }
    }

    pub fn spread(&self) -> bool {
        self.family != Family::Indexed
    }

    pub fn prefixed(&self) -> bool {
        self.family == Family::Prefix
    }

    pub fn has_keys(&self) -> bool {
        !matches!(self.family, Family::Queue | Family::Records)
    }

    /// Whether entries can go: those of arrays cannot.
    pub fn deletes(&self) -> bool {
        self.family != Family::Indexed
    }
}
