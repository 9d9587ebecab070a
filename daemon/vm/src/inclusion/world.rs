//! What random programs work on: their contract, their maps, and inputs for them.

use std::sync::Arc;

use crate::contract::{ContextDescriptor, MAX_DATA_SIZE, ProgramInformation, Prototype};
use crate::differential::random::Random;
use crate::exec::{Binding, Fault, Services};
use crate::map_type;
use crate::maps::{Map, MapOptions, epoch};
use crate::spec::MapSpec;

/// Maps of every program, by their indices.
pub const ARRAY: i32 = 0;
pub const HASH: i32 = 1;
/// One value whose address is known.
pub const DATA: i32 = 2;
/// The same, and it never changes.
pub const CONSTANT: i32 = 3;
pub const SIZES_OF_VALUES: [i64; 4] = [64, 32, 128, 64];
/// Keys are mostly below this; the array has fewer.
pub const KEYS: u32 = 6;
const ENTRIES: [u32; 4] = [4, 16, 1, 1];
/// The helper that may move the data, as far as the contract says.
pub const ADJUST: u32 = 0x10000;

pub const CONTEXT_SIZE: usize = 48;
/// Where its pointers end and its numbers begin.
const NUMBERS: usize = 24;
/// Bytes of data of most inputs, some at the edges of what programs check.
const LENGTHS: [usize; 14] = [0, 0, 1, 2, 7, 8, 13, 14, 20, 33, 34, 60, 64, 200];

pub struct World {
    pub maps: Vec<Arc<Map>>,
    pub specs: Vec<MapSpec>,
    pub information: ProgramInformation,
    /// Bytes from one value of each map to the next.
    pub strides: Vec<u64>,
}

/// One run's input.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub context: Vec<u8>,
    /// Metadata and data.
    pub data: Vec<u8>,
    pub meta: usize,
    /// What maps hold.
    pub seed: u64,
}

impl World {
    pub fn new() -> crate::error::Result<Self> {
        let types = [
            map_type::ARRAY,
            map_type::HASH,
            map_type::ARRAY,
            map_type::ARRAY,
        ];
        let spec = |index: usize| MapSpec {
            name: format!("map{index}"),
            map_type: types[index],
            key_size: 4,
            value_size: SIZES_OF_VALUES[index] as u32,
            max_entries: ENTRIES[index],
            read_only: index == CONSTANT as usize,
            initial: (index == CONSTANT as usize).then(constants),
            ..MapSpec::default()
        };
        let specs: Vec<MapSpec> = (0..4).map(spec).collect();
        let live = |spec| Map::new(MapOptions::of(spec, &specs)).map(Arc::new);
        let maps = specs
            .iter()
            .map(live)
            .collect::<crate::error::Result<_>>()?;
        let mut world = Self {
            maps,
            specs,
            information: information(),
            strides: SIZES_OF_VALUES.map(|size| size as u64).to_vec(),
        };
        world.strides[HASH as usize] = world.stride_of_hash()?;
        Ok(world)
    }

    /// The least distance between two values.
    fn stride_of_hash(&self) -> crate::error::Result<u64> {
        let map = &self.maps[HASH as usize];
        let pin = epoch::pin();
        let mut addresses = Vec::new();
        for key in 0..ENTRIES[HASH as usize] {
            let value = [0; SIZES_OF_VALUES[HASH as usize] as usize];
            map.update(&key.to_le_bytes(), &value, 0)?;
            addresses.extend(map.value_address(&key.to_le_bytes(), 0, &pin)?);
        }
        addresses.sort_unstable();
        let gaps = addresses.windows(2).map(|pair| (pair[1] - pair[0]) as u64);
        Ok(gaps.min().unwrap_or(0))
    }

    /// Let the maps hold what a seed says.
    pub fn reset(&self, seed: u64) {
        let mut random = Random::new(seed);
        for index in [ARRAY, HASH, DATA] {
            let map = &self.maps[index as usize];
            let size = SIZES_OF_VALUES[index as usize] as usize;
            let entries = ENTRIES[index as usize];
            if index == HASH {
                // Programs make entries of any key.
                let _ = map.take_entries(None, entries as usize);
            }
            for key in 0..entries {
                if index == HASH && (key >= KEYS || random.one_in(3)) {
                    continue;
                }
                let value = some_bytes(&mut random, size);
                let _ = map.update(&key.to_le_bytes(), &value, 0);
            }
        }
    }

    /// Some input; the lower the number, the more ordinary.
    pub fn input(&self, seed: u64, number: u64) -> Input {
        let mut random = Random::new(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        random.number();
        let mut context = vec![0; CONTEXT_SIZE];
        context[NUMBERS..].copy_from_slice(&some_bytes(&mut random, CONTEXT_SIZE - NUMBERS));
        let length = match random.below(40) {
            0 => MAX_DATA_SIZE - random.below(3) * 8,
            1..14 => random.below(201),
            _ => random.of(&LENGTHS),
        };
        let meta = random.of(&[0, 0, 0, 4, 8]);
        Input {
            context,
            data: some_bytes(&mut random, meta + length),
            meta,
            seed: random.number(),
        }
    }
}

/// Small numbers, numbers at edges, and any.
fn some_bytes(random: &mut Random<'_>, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        match random.below(6) {
            0 => bytes.extend(random.number().to_le_bytes()),
            1 => bytes.extend(random.interesting().to_le_bytes()),
            2 => bytes.extend((random.below(70) as u64).to_le_bytes()),
            3 => bytes.extend((random.below(70) as u32).to_le_bytes()),
            4 => bytes.extend([0; 4]),
            _ => bytes.push(random.below(12) as u8),
        }
    }
    bytes.truncate(size);
    bytes
}

fn constants() -> Vec<u8> {
    (0..SIZES_OF_VALUES[CONSTANT as usize])
        .map(|byte| {
            if byte % 8 < 4 {
                byte as u8 / 2
            } else {
                0xff * (byte as u8 / 32)
            }
        })
        .collect()
}

fn information() -> ProgramInformation {
    let context = ContextDescriptor {
        data: 0,
        end: 8,
        meta: 16,
        ..ContextDescriptor::plain(CONTEXT_SIZE)
    };
    let mut information =
        ProgramInformation::new("random", context, &[(NUMBERS, CONTEXT_SIZE - NUMBERS)]);
    information.helpers = vec![Prototype {
        id: ADJUST,
        name: "adjust".into(),
        return_type: 0,
        arguments: vec![4, 1],
        reallocate_packet: true,
        implicit_context: false,
    }];
    information
}

/// The data stays where it is: a program must not rely on it.
pub fn adjust() -> Binding {
    fn adjust(_: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
        Ok(0)
    }
    Binding::Native(adjust)
}
