//! What can be refused without any analysis, and explained better for it.

use super::{Case, Rejection, at};
use crate::contract::FIRST_EXTENSION_HELPER;
use crate::{functions, helpers, isa, map_type};

type Check = Result<(), Box<Rejection>>;

/// Refuse what no executor could run.
pub fn check(case: Case<'_>) -> Check {
    check_instructions(case)?;
    for pc in 0..case.program.instructions.len() {
        check_helper(case, pc)?;
        check_function(case, pc)?;
        check_map(case, pc)?;
    }
    Ok(())
}

fn refuse(case: Case<'_>, pc: usize, reason: String, hint: &str) -> Check {
    Err(Box::new(at(case.program, pc, reason, hint.to_owned())))
}

fn check_instructions(case: Case<'_>) -> Check {
    let program = case.program;
    match isa::validate(&program.instructions, &program.starts()) {
        Ok(()) => Ok(()),
        Err(invalid) => refuse(
            case,
            invalid.pc,
            invalid.message,
            "compile with clang -O2 -target bpf, and -mcpu=v1 to v4",
        ),
    }
}

fn check_helper(case: Case<'_>, pc: usize) -> Check {
    let insn = case.program.instructions[pc];
    if !insn.is_helper_call() {
        return Ok(());
    }
    let id = insn.imm as u32;
    if !helpers::is_available(id, case.information) {
        let reason = helpers::unavailable(id, case.information);
        let hint = if id < FIRST_EXTENSION_HELPER {
            "do without this helper"
        } else {
            "load the program for the type that offers this helper, or check the helper's id"
        };
        return refuse(case, pc, reason, hint);
    }
    match case
        .information
        .helper(id)
        .map(|helper| helper.marshalled())
    {
        Some(Err(error)) => refuse(case, pc, error.message, "do without this helper"),
        _ => Ok(()),
    }
}

fn check_function(case: Case<'_>, pc: usize) -> Check {
    let insn = case.program.instructions[pc];
    if !insn.is_function_call() {
        return Ok(());
    }
    let Some(import) = case.program.imports.get(insn.imm as u32 as usize) else {
        let reason = format!("import {} does not exist", insn.imm);
        return refuse(case, pc, reason, "declare the function in .ksyms");
    };
    let hint = "load the module that has this function, or do without it";
    let Some(prototype) = functions::find(import, case.information) else {
        let reason = functions::unavailable(import, case.information);
        return refuse(case, pc, reason, hint);
    };
    match prototype.marshalled() {
        Ok(_) => Ok(()),
        Err(error) => refuse(case, pc, error.message, hint),
    }
}

fn check_map(case: Case<'_>, pc: usize) -> Check {
    let insn = case.program.instructions[pc];
    if !insn.is_map_reference() {
        return Ok(());
    }
    let index = insn.imm as u32 as usize;
    let Some(map) = case.maps.get(index) else {
        return refuse(
            case,
            pc,
            format!(
                "map {index} does not exist: {} maps were given",
                case.maps.len()
            ),
            "give all maps of the object, in its order",
        );
    };
    if insn.src != isa::LDDW_MAP_VALUE {
        return Ok(());
    }
    if map.map_type != map_type::ARRAY {
        return refuse(
            case,
            pc,
            format!(
                "map {} is no ARRAY: its values have no fixed address",
                map.name
            ),
            "use bpf_map_lookup_elem",
        );
    }
    let offset = case.program.instructions[pc + 1].imm as u32;
    if offset > map.value_size {
        return refuse(
            case,
            pc,
            format!(
                "offset {offset} lies outside of {}, which has {} bytes",
                map.name, map.value_size
            ),
            "stay inside the variable",
        );
    }
    Ok(())
}
