//! Compile once, run everywhere: fields are found by name in the layout that is there at run time.
//!
//! ```text
//!  object's BTF + .BTF.ext -> access   (names, indices, what the compiler has answered)
//!  context's BTF -> target -> answer   (an offset, a size, whether it exists ...)
//!                               '----> patch   (the instruction that holds the answer)
//! ```
//!
//! The first line belongs to parsing an object, the others to a parsed program, whose type is
//! known by then.  What cannot be found makes the instruction one that the verifier refuses if a
//! run could come to it, so that a program may ask first and then do without.

mod access;
mod answer;
mod patch;
mod target;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use access::Access;
use access::Question;
use answer::Answer;
use target::Target;

use super::btf::Types;
use super::ext;
use super::reader::u32_at;
use crate::error::{EngineError, Result};
use crate::isa::{Insn, class};
use crate::spec::{ProgramSpec, Relocation, Unresolved};

const MAX_RECORDS: usize = 1 << 16;

/// Relocations by section name, each list sorted by pc, which counts in the section.
#[derive(Default)]
pub struct Relocations {
    sections: HashMap<String, Vec<Relocation>>,
}

impl Relocations {
    pub fn parse(data: &[u8], types: &Types<'_>) -> Result<Self> {
        let mut found = Self::default();
        let mut known: HashMap<(u32, u32, u32), Arc<Access>> = HashMap::new();
        for part in ext::RELOCATIONS.parts(data, types, MAX_RECORDS)? {
            let list = found.sections.entry(part.section.to_owned()).or_default();
            for record in part.records() {
                let word = |index: usize| u32_at(record, index * 4).unwrap_or(0);
                let key = (word(1), word(2), word(3));
                let access = match known.get(&key) {
                    Some(access) => Arc::clone(access),
                    None => {
                        let path = types.string(key.1);
                        let access = Arc::new(Access::read(types, key.2, key.0, path)?);
                        known.insert(key, Arc::clone(&access));
                        access
                    }
                };
                let pc = word(0) as usize / 8;
                list.push(Relocation { pc, access });
            }
        }
        for list in found.sections.values_mut() {
            list.sort_by_key(|relocation| relocation.pc);
            list.dedup_by_key(|relocation| relocation.pc);
        }
        Ok(found)
    }

    /// Those of the slots `start..end` of a section.
    pub fn of(&self, section: &str, start: usize, end: usize) -> &[Relocation] {
        let list = self.sections.get(section).map_or(&[][..], Vec::as_slice);
        let from = list.partition_point(|relocation| relocation.pc < start);
        let to = list.partition_point(|relocation| relocation.pc < end);
        &list[from..to]
    }
}

/// The program for a layout that BTF describes; `None` if nothing is to be changed.
///
/// The error says what is wrong with the BTF; a field that it does not have is none.
pub fn relocated(program: &ProgramSpec, btf: &[u8]) -> Result<Option<ProgramSpec>> {
    if btf.is_empty() || program.relocations.is_empty() {
        return Ok(None);
    }
    let fail = |error: EngineError| {
        EngineError::argument(format!(
            "program {}: BTF of its context: {}",
            program.name, error.message
        ))
    };
    let types = Types::parse(btf).map_err(fail)?;
    let mut target = Target::new(&types);
    let mut answers: HashMap<*const Access, Answer> = HashMap::new();
    let shifted = shifted(program);
    let mut result = program.clone();
    for relocation in &program.relocations {
        let access = &*relocation.access;
        let answer = match answers.get(&Arc::as_ptr(&relocation.access)) {
            Some(known) => known.clone(),
            None => {
                let found = answer::answer(access, &mut target).map_err(fail)?;
                answers.insert(Arc::as_ptr(&relocation.access), found.clone());
                found
            }
        };
        let (code, pc) = (&mut result.instructions, relocation.pc);
        let reason = match answer {
            Answer::None(reason) => Err(reason),
            Answer::Value { value, place } => {
                let expected = answer::expected(access);
                let value = match (&access.local, &place) {
                    (Some(from), Some(to))
                        if from.bits | to.bits != 0 && is_plain(access, code[pc], &shifted) =>
                    {
                        patch::moved_bits(code[pc], from, to)
                    }
                    _ => Ok(value),
                };
                value
                    .and_then(|value| {
                        patch::patch(code, pc, access, expected, value, place.as_ref())
                    })
                    .map_err(|what| format!("{}: {what}", access.text()))
            }
        };
        if let Err(reason) = reason {
            patch::poison(code, pc);
            result.unresolved.push(Unresolved { pc, reason });
        }
    }
    // Answers stand in the instructions now: they cannot be asked for again.
    result.relocations.clear();
    Ok(Some(result))
}

/// The bit-fields whose shifts a program asks for.
fn shifted(program: &ProgramSpec) -> HashSet<String> {
    let accesses = program.relocations.iter().map(|found| &found.access);
    accesses
        .filter(|access| matches!(access.question, Question::LeftShift | Question::RightShift))
        .map(|access| access.text())
        .collect()
}

/// Whether an instruction loads or stores a field with shifts, if any, that stay what they are.
///
/// It looks the same as one of a program that asks for offset and shifts, so that is what tells.
fn is_plain(access: &Access, insn: Insn, shifted: &HashSet<String>) -> bool {
    access.question == Question::ByteOffset
        && matches!(insn.class(), class::LDX | class::ST | class::STX)
        && !shifted.contains(&access.text())
}
