//! Line information of `.BTF.ext`: which source line an instruction is from.
//!
//! ```text
//!  header:  magic u16, version u8, flags u8, hdr_len u32,
//!           func_info_off u32, func_info_len u32, line_info_off u32, line_info_len u32
//!  lines:   rec_size u32, then per section: name u32, count u32, records
//!  record:  insn_off u32 (bytes), file u32, text u32, line << 10 | column
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use super::btf::Types;
use super::reader::{slice_at, u32_at};
use crate::error::{EngineError, Result};
use crate::spec::{LineRecord, SourceLine};

const MAX_RECORDS: usize = 1 << 20;
/// Bytes of all file names and source lines; what is beyond them stays empty.
const MAX_TEXT: usize = 64 << 20;
const RECORD: std::ops::RangeInclusive<usize> = 16..=256;

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

fn damaged(what: &str) -> EngineError {
    EngineError::elf(format!("section .BTF.ext is damaged: {what}"))
}

impl Lines {
    pub fn parse(data: &[u8], types: &Types<'_>) -> Result<Self> {
        let field = |offset| {
            u32_at(data, offset)
                .map(|value| value as usize)
                .ok_or_else(|| damaged("its header is cut off"))
        };
        let start = field(4)?
            .checked_add(field(16)?)
            .ok_or_else(|| damaged("an offset is too large"))?;
        let table =
            slice_at(data, start, field(20)?).ok_or_else(|| damaged("its lines lie outside"))?;
        let mut lines = Self::default();
        if !table.is_empty() {
            lines.read_table(table, types)?;
        }
        Ok(lines)
    }

    /// Records of the slots `start..end` of a section; the one that holds `start` too.
    pub fn of(&self, section: &str, start: usize, end: usize) -> &[LineRecord] {
        let records = self.sections.get(section).map_or(&[][..], Vec::as_slice);
        let from = records.partition_point(|record| record.pc < start);
        let to = records.partition_point(|record| record.pc < end);
        &records[from..to]
    }

    fn read_table(&mut self, table: &[u8], types: &Types<'_>) -> Result<()> {
        let cut = || damaged("its lines are cut off");
        let record = u32_at(table, 0).ok_or_else(cut)? as usize;
        if !RECORD.contains(&record) {
            return Err(damaged(&format!("records of {record} bytes")));
        }
        let (mut offset, mut total) = (4, 0);
        let mut texts = Texts {
            types,
            known: HashMap::new(),
            total: 0,
        };
        while offset < table.len() {
            let name = types.string(u32_at(table, offset).ok_or_else(cut)?);
            let count = u32_at(table, offset + 4).ok_or_else(cut)? as usize;
            offset += 8;
            let length = count.checked_mul(record).ok_or_else(cut)?;
            let records = slice_at(table, offset, length).ok_or_else(cut)?;
            offset += length;
            total += count;
            if total > MAX_RECORDS {
                return Err(damaged("it has too many lines"));
            }
            let list = self.sections.entry(name.to_owned()).or_default();
            list.extend(records.chunks_exact(record).map(|r| line(r, &mut texts)));
        }
        self.sections.values_mut().for_each(put_in_order);
        Ok(())
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
