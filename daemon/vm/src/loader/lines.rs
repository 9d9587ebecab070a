//! Line information of `.BTF.ext`: which source line an instruction is from.
//!
//! ```text
//!  record:  insn_off u32 (bytes), file u32, text u32, line << 10 | column
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use super::btf::Types;
use super::ext;
use super::reader::u32_at;
use crate::error::Result;
use crate::spec::{LineRecord, SourceLine};

const MAX_RECORDS: usize = 1 << 20;
/// Bytes of all file names and source lines; what is beyond them stays empty.
const MAX_TEXT: usize = 64 << 20;

/// Line records by section name, each list sorted; their pc counts in the section.
#[derive(Default)]
pub struct Lines {
    sections: HashMap<String, Vec<LineRecord>>,
}

/// Strings of BTF by their offset: many records share one.
struct Texts<'a> {
    types: &'a Types<'a>,
    known: HashMap<u32, Arc<str>>,
    total: usize,
}

impl Texts<'_> {
    fn get(&mut self, offset: u32) -> Arc<str> {
        if let Some(known) = self.known.get(&offset) {
            return Arc::clone(known);
        }
        let text = self.types.string(offset).trim_end();
        self.total += text.len();
        if self.total > MAX_TEXT {
            return Arc::default();
        }
        let text: Arc<str> = text.into();
        self.known.insert(offset, Arc::clone(&text));
        text
    }
}

impl Lines {
    pub fn parse(data: &[u8], types: &Types<'_>) -> Result<Self> {
        let mut lines = Self::default();
        let mut texts = Texts {
            types,
            known: HashMap::new(),
            total: 0,
        };
        for part in ext::LINES.parts(data, types, MAX_RECORDS)? {
            let list = lines.sections.entry(part.section.to_owned()).or_default();
            list.extend(part.records().map(|record| line(record, &mut texts)));
        }
        lines.sections.values_mut().for_each(put_in_order);
        Ok(lines)
    }

    /// Records of the slots `start..end` of a section; the one that holds `start` too.
    pub fn of(&self, section: &str, start: usize, end: usize) -> &[LineRecord] {
        let records = self.sections.get(section).map_or(&[][..], Vec::as_slice);
        let from = records.partition_point(|record| record.pc < start);
        let to = records.partition_point(|record| record.pc < end);
        &records[from..to]
    }
}

/// Sorted, and of several records for one instruction only the last.
fn put_in_order(list: &mut Vec<LineRecord>) {
    list.reverse();
    list.sort_by_key(|record| record.pc);
    list.dedup_by_key(|record| record.pc);
}

fn line(record: &[u8], texts: &mut Texts<'_>) -> LineRecord {
    let word = |index: usize| u32_at(record, index * 4).unwrap_or(0);
    LineRecord {
        pc: word(0) as usize / 8,
        source: SourceLine {
            file: texts.get(word(1)),
            line: word(3) >> 10,
            column: word(3) & 0x3ff,
            text: texts.get(word(2)),
        },
    }
}
