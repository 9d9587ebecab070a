//! The tables of `.BTF.ext`, which say something of single instructions.
//!
//! ```text
//!  header:  magic u16, version u8, flags u8, hdr_len u32,
//!           then offset u32 and length u32 of each table: functions, lines, relocations
//!  table:   rec_size u32, then per section: name u32, count u32, records
//!  record:  begins with insn_off u32 (bytes)
//! ```

use super::btf::Types;
use super::reader::{slice_at, u32_at};
use crate::error::{EngineError, Result};

const RECORD: std::ops::RangeInclusive<usize> = 16..=256;

/// Which table, by the place of its offset in the header; and what it is called.
#[derive(Clone, Copy)]
pub struct Table {
    header: usize,
    what: &'static str,
}

pub const LINES: Table = Table {
    header: 16,
    what: "lines",
};
pub const RELOCATIONS: Table = Table {
    header: 24,
    what: "relocations",
};

/// The records of one section.
pub struct Part<'data> {
    pub section: &'data str,
    records: &'data [u8],
    size: usize,
}

impl<'data> Part<'data> {
    pub fn records(&self) -> std::slice::ChunksExact<'data, u8> {
        self.records.chunks_exact(self.size)
    }
}

pub fn damaged(what: &str) -> EngineError {
    EngineError::elf(format!("section .BTF.ext is damaged: {what}"))
}

impl Table {
    /// The table's parts, with at most `most` records together; none if there is no such table.
    pub fn parts<'data>(
        self,
        data: &'data [u8],
        types: &Types<'data>,
        most: usize,
    ) -> Result<Vec<Part<'data>>> {
        let Some(table) = self.find(data)? else {
            return Ok(Vec::new());
        };
        let cut = || damaged(&format!("its {} are cut off", self.what));
        let size = u32_at(table, 0).ok_or_else(cut)? as usize;
        if !RECORD.contains(&size) {
            return Err(damaged(&format!("records of {size} bytes")));
        }
        let (mut offset, mut total) = (4, 0);
        let mut parts = Vec::new();
        while offset < table.len() {
            let section = types.string(u32_at(table, offset).ok_or_else(cut)?);
            let count = u32_at(table, offset + 4).ok_or_else(cut)? as usize;
            offset += 8;
            let length = count.checked_mul(size).ok_or_else(cut)?;
            let records = slice_at(table, offset, length).ok_or_else(cut)?;
            offset += length;
            total += count;
            if total > most {
                return Err(damaged(&format!("it has too many {}", self.what)));
            }
            parts.push(Part {
                section,
                records,
                size,
            });
        }
        Ok(parts)
    }

    fn find(self, data: &[u8]) -> Result<Option<&[u8]>> {
        let field = |offset| {
            u32_at(data, offset)
                .map(|value| value as usize)
                .ok_or_else(|| damaged("its header is cut off"))
        };
        let header = field(4)?;
        // Headers grew: an old one has no place for the later tables.
        if header < self.header + 8 {
            return Ok(None);
        }
        let start = header
            .checked_add(field(self.header)?)
            .ok_or_else(|| damaged("an offset is too large"))?;
        let table = slice_at(data, start, field(self.header + 4)?)
            .ok_or_else(|| damaged(&format!("its {} lie outside", self.what)))?;
        Ok((!table.is_empty()).then_some(table))
    }
}
