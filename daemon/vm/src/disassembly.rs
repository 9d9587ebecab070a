//! A program as rows that people read: one for each instruction.

use std::collections::{BTreeSet, HashMap};

use crate::isa::{self, Insn};
use crate::spec::{ProgramSpec, SourceLine};

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub pc: usize,
    /// As in an ELF file: 8 bytes, or 16 of a `lddw`.
    pub bytes: Vec<u8>,
    pub text: String,
    /// The function that begins here, or `L` and the pc of one that jumps lead to; else empty.
    pub label: String,
    /// What it refers to: the label that a jump or call leads to, a map, an imported function.
    pub reference: String,
    pub source: Option<SourceLine>,
}

/// What is known of numbers that stand in instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// By the index that a `lddw` holds.
    pub maps: HashMap<usize, String>,
    /// By id.
    pub helpers: HashMap<u32, String>,
}

/// All instructions of a program.
pub fn disassemble(program: &ProgramSpec, names: &Names) -> Vec<Row> {
    let code = &program.instructions;
    let functions = functions(program);
    let targets: BTreeSet<usize> = (0..code.len()).filter_map(|pc| target(code, pc)).collect();
    let label = |pc: usize| match functions.get(&pc) {
        Some(name) => (*name).to_owned(),
        None if targets.contains(&pc) => format!("L{pc}"),
        None => String::new(),
    };
    let mut rows = Vec::new();
    let (mut lines, mut source) = (program.lines.iter().peekable(), None);
    let mut pc = 0;
    while pc < code.len() {
        // A function without lines must not seem to come from those of the one before.
        if functions.contains_key(&pc) {
            source = None;
        }
        while let Some(record) = lines.next_if(|record| record.pc <= pc) {
            source = Some(&record.source);
        }
        let slots = if code[pc].is_lddw() { 2 } else { 1 };
        let slots = &code[pc..code.len().min(pc + slots)];
        rows.push(Row {
            pc,
            bytes: slots.iter().flat_map(|slot| slot.to_bytes()).collect(),
            text: isa::describe(code, pc),
            label: label(pc),
            reference: match target(code, pc) {
                Some(target) => label(target),
                None => reference(program, code[pc], names),
            },
            source: source.cloned(),
        });
        pc += slots.len();
    }
    rows
}

fn functions(program: &ProgramSpec) -> HashMap<usize, &str> {
    let subprograms = program.subprograms.iter();
    std::iter::once((0, &*program.name))
        .chain(subprograms.map(|sub| (sub.start, &*sub.name)))
        .collect()
}

/// Where the jump or the local call at `pc` leads, if it is one and leads to a place.
fn target(code: &[Insn], pc: usize) -> Option<usize> {
    let distance = code[pc].distance()?;
    let target = usize::try_from((pc as i64).checked_add(1)?.checked_add(distance)?).ok()?;
    (target < code.len()).then_some(target)
}

fn reference(program: &ProgramSpec, insn: Insn, names: &Names) -> String {
    let number = insn.imm as u32;
    if insn.is_map_reference() {
        let name = names.maps.get(&(number as usize));
        return name.cloned().unwrap_or_default();
    }
    if insn.is_helper_call() {
        return names.helpers.get(&number).cloned().unwrap_or_default();
    }
    if insn.is_function_call()
        && let Some(import) = program.imports.get(number as usize)
    {
        return import.name.to_string();
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{assembled, object, program};
    use crate::isa::{CALL, CALL_LOCAL, EXIT, LDDW, class, jump};

    fn rows(object_name: &str, name: &str) -> Vec<Row> {
        let object = object(object_name);
        let maps = object.maps.iter().map(|map| map.name.clone());
        let names = Names {
            maps: maps.enumerate().collect(),
            helpers: HashMap::from([(1, "bpf_map_lookup_elem".into())]),
        };
        disassemble(program(&object, name), &names)
    }

    /// Functions have labels at their first instructions, and calls name them.
    #[test]
    fn functions_are_labels() {
        let rows = rows("subprograms", "first");
        assert_eq!("first", rows[0].label);
        let called: BTreeSet<_> = rows
            .iter()
            .filter(|row| row.text.starts_with("call function"))
            .map(|row| &*row.reference)
            .collect();
        assert_eq!(BTreeSet::from(["beside", "shared", "twice"]), called);
        for name in called {
            assert_eq!(1, rows.iter().filter(|row| row.label == name).count());
        }
    }

    /// A `lddw` is one row of sixteen bytes, and names the map; a call names the helper.
    #[test]
    fn maps_are_named() {
        let rows = rows("maps", "count");
        let wide: Vec<_> = rows.iter().filter(|row| row.bytes.len() == 16).collect();
        assert!(wide.iter().any(|row| row.reference == "flows"));
        let call = rows.iter().find(|row| row.text == "call helper 1");
        assert_eq!("bpf_map_lookup_elem", call.expect("a call").reference);
        assert!(
            wide.iter()
                .all(|row| rows.iter().all(|other| other.pc != row.pc + 1))
        );
    }

    /// Imported functions are named, and what jumps lead to is numbered.
    #[test]
    fn imports_and_targets_are_named() {
        let imported = rows("imports", "imports");
        assert!(imported.iter().any(|row| row.reference == "second_add"));
        let looped = rows("loops", &object("loops").programs[0].name.clone());
        let jump = looped.iter().find(|row| row.reference.starts_with('L'));
        let jump = jump.expect("a jump");
        let label = looped.iter().find(|row| row.label == jump.reference);
        assert_eq!(
            jump.reference,
            format!("L{}", label.expect("its target").pc)
        );
    }

    /// Every row has its source line, as far as there is one.
    #[test]
    fn rows_have_source_lines() {
        for object in ["subprograms", "loops", "globals"].map(object) {
            for program in &object.programs {
                for row in disassemble(program, &Names::default()) {
                    assert_eq!(program.source_line(row.pc), row.source.as_ref());
                }
            }
        }
    }

    /// Code that no compiler writes has rows, too, and bytes that are its own.
    #[test]
    fn nonsense_has_rows() {
        let goto = |offset| Insn::new(class::JMP | jump::JA, 0, 0, offset, 0);
        let code = [
            goto(-9),
            goto(i16::MAX),
            Insn::new(CALL, 0, CALL_LOCAL, 0, i32::MIN),
            Insn::new(EXIT, 0, 0, 0, 0),
            Insn::new(LDDW, 1, 1, 0, 7),
        ];
        let spec = assembled(&code, &[]);
        let rows = disassemble(&spec, &Names::default());
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.bytes.clone()).collect();
        assert_eq!(spec.bytes(), bytes);
        assert!(rows.iter().all(|row| row.reference.is_empty()));
    }
}
