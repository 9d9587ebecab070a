//! A concrete input of a program, and a program that is ready to run on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::Case;
use super::graph::{Key, Variable};
use super::solve::Change;
use crate::contract::{MAX_DATA_SIZE, MAX_META_SIZE};
use crate::exec::{Failure, Options, Program, Remote, Reply, Value, Watched};
use crate::map_type;
use crate::maps::{Map, MapOptions};

/// Bytes that the maps of a program may have, for an input to be looked for.
const MAX_MAP_BYTES: u64 = 8 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Input {
    /// Its pointers are zero: the engine sets them.
    pub context: Vec<u8>,
    /// Metadata and data.
    pub data: Vec<u8>,
    /// Bytes of the metadata.
    pub meta: usize,
    /// Values of maps that are not what a new map has.
    pub entries: BTreeMap<Key, Vec<u8>>,
    /// What the extension answers, one after the other; 0 afterwards.
    pub answers: Vec<u64>,
    /// Arrays have no more entries than this, if it is not 0: behind a value there is nothing then.
    pub cut: u32,
}

impl Input {
    /// The input with some changes, after a run in which data began at `base`.
    pub fn with(&self, case: Case<'_>, changes: &[Change], base: u64) -> Option<Self> {
        let mut input = self.clone();
        for (variable, value) in changes {
            input.change(case, variable, *value, base)?;
        }
        (input != *self).then_some(input)
    }

    fn change(&mut self, case: Case<'_>, of: &Variable, value: u64, base: u64) -> Option<()> {
        match of {
            Variable::Context(at) => *self.context.get_mut(*at)? = value as u8,
            Variable::Data(at) => *self.data.get_mut(*at)? = value as u8,
            Variable::End => {
                let length = value.wrapping_sub(base) as usize;
                let fits = (self.meta..=self.meta + MAX_DATA_SIZE).contains(&length);
                fits.then(|| self.data.resize(length, 0))?;
            }
            Variable::Start => {
                let meta = value.wrapping_sub(base) as usize;
                let data = self.data.len() - self.meta;
                (meta <= MAX_META_SIZE).then_some(())?;
                self.meta = meta;
                self.data.resize(meta + data, 0);
            }
            Variable::Found(entry) => match value {
                0 => drop(self.entries.remove(entry)),
                _ => drop(
                    self.entries
                        .entry(entry.clone())
                        .or_insert_with(|| vec![0; case.maps[entry.map].value_size as usize]),
                ),
            },
            Variable::Value(entry, at) => {
                let size = case.maps[entry.map].value_size as usize;
                let values = self.entries.entry(entry.clone());
                *values.or_insert_with(|| vec![0; size]).get_mut(*at)? = value as u8;
            }
            Variable::Answer(number) => {
                if self.answers.len() <= *number {
                    self.answers.resize(number + 1, 0);
                }
                self.answers[*number] = value;
            }
        }
        Some(())
    }
}

/// An extension that answers what it is told to.
struct Answers(Vec<u64>, std::sync::atomic::AtomicUsize);

impl Remote for Answers {
    fn call(&self, _: u32, _: Vec<Value>, _: Vec<u8>) -> Result<Reply, Failure> {
        let number = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Reply {
            result: self.0.get(number).copied().unwrap_or(0),
            written: Vec::new(),
        })
    }
}

/// A run, and what it ran with.
pub struct Run {
    pub watched: Watched,
    pub maps: Vec<Arc<Map>>,
}

/// Whether the maps of a program can be made for each run.
pub fn is_small(case: Case<'_>) -> bool {
    let size = |entries: u32, key: u32, value: u32| {
        u64::from(entries) * (u64::from(key) + u64::from(value) + 64)
    };
    let maps = case.maps.iter();
    let bytes = maps.map(|map| size(map.max_entries, map.key_size, map.value_size));
    bytes.sum::<u64>() <= MAX_MAP_BYTES
}

/// Run once, with maps of its own; keep the first `keep` instructions.
pub fn run(case: Case<'_>, input: &Input, budget: u64, keep: usize) -> Option<Run> {
    let maps = maps(case, input)?;
    let options = Options {
        remote: Some(Arc::new(Answers(input.answers.clone(), Default::default()))),
        budget: Some(budget),
        ..Options::default()
    };
    let program = Program::new(case.program, maps.clone(), case.information, options).ok()?;
    // Room for one byte more: what is empty has no address else.
    let mut data = Vec::with_capacity(input.data.len() + 1);
    data.extend_from_slice(&input.data);
    let meta = input.meta as u32;
    let watched = program.watch(&input.context, &mut data, meta, keep).ok()?;
    Some(Run { watched, maps })
}

fn maps(case: Case<'_>, input: &Input) -> Option<Vec<Arc<Map>>> {
    let mut maps = Vec::new();
    for (index, spec) in case.maps.iter().enumerate() {
        let mut options = MapOptions::of(spec, case.maps);
        if input.cut > 0 && spec.map_type == map_type::ARRAY && spec.initial.is_none() {
            options.max_entries = options.max_entries.min(input.cut);
        }
        let map = Map::new(options).ok()?;
        for (entry, value) in input.entries.iter().filter(|(entry, _)| entry.map == index) {
            let mut all = value.clone();
            all.resize(map.user_value_size(), 0);
            map.update(&entry.key, &all, 0).ok()?;
        }
        maps.push(Arc::new(map));
    }
    Some(maps)
}
