//! A validated program as both executors want it: one [`Op`] per slot.
//!
//! Immediates are sign-extended, jump targets absolute, map references
//! addresses, helpers already found.  The opcode byte of RFC 9669 is kept
//! where it says all; where it does not (signed division, sign extension,
//! byte swaps, kinds of calls), a byte that is free in class LD stands in.

use super::remote::{Binding, Remote};
use crate::contract::{Argument, ProgramInformation, Prototype};
use crate::error::{EngineError, Result, ResultCode};
use crate::functions;
use crate::helpers::{self, Native};
use crate::isa::{self, Insn, alu, class, jump, mem};
use crate::maps::Map;
use crate::spec::ProgramSpec;
use std::collections::HashMap;
use std::sync::Arc;

/// One instruction, ready to execute.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Op {
    pub code: u8,
    pub dst: u8,
    pub src: u8,
    /// Bytes that a memory access adds, or the slot that a jump or call leads to.
    pub offset: i32,
    pub imm: u64,
}

/// Bytes for what an opcode alone does not say; free in class LD.
pub mod extra {
    // 0x00 stays free: it is the second slot of a lddw, which never runs.
    pub const SDIV64_K: u8 = 0x08;
    pub const SDIV64_X: u8 = 0x10;
    pub const SDIV32_K: u8 = 0x20;
    pub const SDIV32_X: u8 = 0x28;
    pub const SMOD64_K: u8 = 0x30;
    pub const SMOD64_X: u8 = 0x38;
    pub const SMOD32_K: u8 = 0x40;
    pub const SMOD32_X: u8 = 0x48;
    pub const MOVSX8_64: u8 = 0x50;
    pub const MOVSX16_64: u8 = 0x58;
    pub const MOVSX32_64: u8 = 0x60;
    pub const MOVSX8_32: u8 = 0x68;
    pub const MOVSX16_32: u8 = 0x70;
    pub const TO_LE16: u8 = 0x78;
    pub const TO_LE32: u8 = 0x80;
    pub const TO_LE64: u8 = 0x88;
    pub const TO_BE16: u8 = 0x90;
    pub const TO_BE32: u8 = 0x98;
    pub const TO_BE64: u8 = 0xa0;
    pub const CALL_NATIVE: u8 = 0xa8;
    pub const CALL_REMOTE: u8 = 0xb0;
    pub const CALL_LOCAL: u8 = 0xb8;
    pub const GOTO: u8 = 0xc0;
}

/// A helper that is a function of this process.
#[derive(Clone, Copy)]
pub struct NativeHelper {
    /// The general helper that it is; 0 for one that a contract brings: nothing is known of it.
    pub id: u32,
    /// How many of r1 to r5 it takes.
    pub arguments: usize,
    pub function: Native,
}

/// A helper or function of the contract, with what is needed to pass its arguments.
#[derive(Clone)]
pub struct RemoteHelper {
    pub id: u32,
    pub name: String,
    pub arguments: Vec<Argument>,
    /// Who answers in this process; `None`: an extension, for which the call waits.
    pub local: Option<Arc<dyn Remote>>,
    /// Of a general helper on maps: which of them ask, and what it is for all others.
    pub provided: Option<Provided>,
}

/// Helpers by which a program writes elements: maps that an extension provides ask it before.
const WRITE_ELEMENTS: [u32; 3] = [2, 3, helpers::LOOKUP_AND_DELETE];

/// Maps of a program whose provider must know of their elements.
#[derive(Clone)]
pub struct Provided {
    /// Their indices.
    pub maps: Vec<usize>,
    /// How all others are written.
    pub native: Native,
}

/// How helpers are answered without waiting, by their ids.
pub type Bindings = HashMap<u32, Binding>;

/// A program that can run.
pub struct Code {
    pub ops: Vec<Op>,
    pub natives: Vec<NativeHelper>,
    pub remotes: Vec<RemoteHelper>,
}

/// Check and lower a program; `maps` has an entry for each index that it uses, and elements of
/// those that are `provided` are written by whoever carries calls of helpers.
pub fn lower(
    program: &ProgramSpec,
    maps: &[Arc<Map>],
    information: &ProgramInformation,
    bindings: &Bindings,
    provided: &[usize],
) -> Result<Code> {
    check_bindings(bindings, information)?;
    let length = program.instructions.len();
    if length > isa::MAX_INSTRUCTIONS {
        return Err(EngineError::too_large(format!(
            "program {}: {length} instructions are more than {}",
            program.name,
            isa::MAX_INSTRUCTIONS
        )));
    }
    isa::validate(&program.instructions, &program.starts()).map_err(|invalid| {
        EngineError::new(
            ResultCode::VerificationFailed,
            format!(
                "program {}: instruction {}: {}",
                program.name, invalid.pc, invalid.message
            ),
        )
    })?;
    let mut code = Code {
        ops: vec![Op::default(); program.instructions.len()],
        natives: Vec::new(),
        remotes: Vec::new(),
    };
    let mut pc = 0;
    while pc < program.instructions.len() {
        let insn = program.instructions[pc];
        let mut op = Op {
            code: insn.opcode,
            dst: insn.dst,
            src: insn.src,
            offset: insn.offset.into(),
            imm: i64::from(insn.imm) as u64,
        };
        match insn.class() {
            class::ALU | class::ALU64 => op.code = arithmetic_code(insn),
            class::JMP | class::JMP32 => {
                if let Some(distance) = insn.distance() {
                    op.offset = (pc as i64 + 1 + distance) as i32;
                }
                op.code = jump_code(insn);
                if insn.is_helper_call() {
                    let id = insn.imm as u32;
                    match information.helper(id) {
                        Some(helper) => bind(helper, bindings, &mut code, &mut op)?,
                        None => resolve_general(id, information, provided, &mut code, &mut op)?,
                    }
                } else if insn.is_function_call() {
                    let function = imported(program, insn, information)?;
                    bind(function, bindings, &mut code, &mut op)?;
                }
            }
            class::LD => op.imm = address(insn, program.instructions[pc + 1], maps)?,
            _ => {}
        }
        code.ops[pc] = op;
        pc += if insn.is_lddw() { 2 } else { 1 };
    }
    Ok(code)
}

fn arithmetic_code(insn: Insn) -> u8 {
    let wide = insn.class() == class::ALU64;
    let register = insn.is_register_source();
    match (insn.operation(), insn.offset, wide, register) {
        (alu::DIV, 1, true, false) => extra::SDIV64_K,
        (alu::DIV, 1, true, true) => extra::SDIV64_X,
        (alu::DIV, 1, false, false) => extra::SDIV32_K,
        (alu::DIV, 1, false, true) => extra::SDIV32_X,
        (alu::MOD, 1, true, false) => extra::SMOD64_K,
        (alu::MOD, 1, true, true) => extra::SMOD64_X,
        (alu::MOD, 1, false, false) => extra::SMOD32_K,
        (alu::MOD, 1, false, true) => extra::SMOD32_X,
        (alu::MOV, 8, true, _) => extra::MOVSX8_64,
        (alu::MOV, 16, true, _) => extra::MOVSX16_64,
        (alu::MOV, 32, true, _) => extra::MOVSX32_64,
        (alu::MOV, 8, false, _) => extra::MOVSX8_32,
        (alu::MOV, 16, false, _) => extra::MOVSX16_32,
        // On a little-endian machine an unconditional swap is one to big-endian.
        (alu::END, ..) => match (wide || register, insn.imm) {
            (true, 16) => extra::TO_BE16,
            (true, 32) => extra::TO_BE32,
            (true, _) => extra::TO_BE64,
            (false, 16) => extra::TO_LE16,
            (false, 32) => extra::TO_LE32,
            (false, _) => extra::TO_LE64,
        },
        _ => insn.opcode,
    }
}

fn jump_code(insn: Insn) -> u8 {
    match insn.operation() {
        jump::JA => extra::GOTO,
        jump::CALL if insn.is_local_call() => extra::CALL_LOCAL,
        _ => insn.opcode,
    }
}

/// A binding for what the contract does not have is a mistake of whoever gave it.
fn check_bindings(bindings: &Bindings, information: &ProgramInformation) -> Result<()> {
    let functions = information.functions.iter().map(|each| each.prototype.id);
    let ids: Vec<u32> = functions
        .chain(information.helpers.iter().map(|helper| helper.id))
        .collect();
    match bindings.keys().find(|id| !ids.contains(id)) {
        None => Ok(()),
        Some(id) => Err(EngineError::argument(format!(
            "local[{id}]: program type \"{}\" has no such helper or function",
            information.name
        ))),
    }
}

/// The function that a call of source 2 means.
fn imported<'a>(
    program: &ProgramSpec,
    insn: Insn,
    information: &'a ProgramInformation,
) -> Result<&'a Prototype> {
    let fail = |what: String| EngineError::new(ResultCode::VerificationFailed, what);
    let import = program.imports.get(insn.imm as u32 as usize);
    let import = import.ok_or_else(|| fail(format!("import {} does not exist", insn.imm)))?;
    functions::find(import, information)
        .ok_or_else(|| fail(functions::unavailable(import, information)))
}

/// A call of what the contract offers: as it is bound, else by the extension.
fn bind(helper: &Prototype, bindings: &Bindings, code: &mut Code, op: &mut Op) -> Result<()> {
    let local = match bindings.get(&helper.id) {
        Some(Binding::Native(native)) => {
            op.code = extra::CALL_NATIVE;
            op.imm = code.natives.len() as u64;
            code.natives.push(NativeHelper {
                id: 0,
                arguments: helper.arguments.len(),
                function: *native,
            });
            return Ok(());
        }
        Some(Binding::Local(local)) => Some(Arc::clone(local)),
        None => None,
    };
    op.code = extra::CALL_REMOTE;
    op.imm = code.remotes.len() as u64;
    code.remotes.push(RemoteHelper {
        id: helper.id,
        name: helper.name.clone(),
        arguments: helper.marshalled()?,
        local,
        provided: None,
    });
    Ok(())
}

/// A general helper; one of the contract with the same id comes before it.
fn resolve_general(
    id: u32,
    information: &ProgramInformation,
    provided: &[usize],
    code: &mut Code,
    op: &mut Op,
) -> Result<()> {
    let general = helpers::general(id);
    let Some((general, function)) = general.and_then(|helper| Some((helper, helper.native?)))
    else {
        return Err(EngineError::new(
            ResultCode::VerificationFailed,
            helpers::unavailable(id, information),
        ));
    };
    if !provided.is_empty() && WRITE_ELEMENTS.contains(&id) {
        let arguments = general.arguments.iter().copied();
        op.code = extra::CALL_REMOTE;
        op.imm = code.remotes.len() as u64;
        code.remotes.push(RemoteHelper {
            id,
            name: general.name.to_owned(),
            arguments: arguments.filter_map(Argument::from_number).collect(),
            local: None,
            provided: Some(Provided {
                maps: provided.to_vec(),
                native: function,
            }),
        });
        return Ok(());
    }
    op.code = extra::CALL_NATIVE;
    op.imm = code.natives.len() as u64;
    code.natives.push(NativeHelper {
        id,
        arguments: general.arguments.len(),
        function,
    });
    Ok(())
}

/// The value of a `lddw`: a number, a map, or a place in a map's only value.
fn address(insn: Insn, second: Insn, maps: &[Arc<Map>]) -> Result<u64> {
    let number = u64::from(insn.imm as u32) | (u64::from(second.imm as u32) << 32);
    if insn.src == isa::LDDW_VALUE {
        return Ok(number);
    }
    debug_assert_eq!(mem::DW, insn.opcode, "only lddw is valid in class LD");
    let index = insn.imm as u32 as usize;
    let Some(map) = maps.get(index) else {
        return Err(EngineError::argument(format!(
            "maps has {} maps, but the program refers to map {index} of its object",
            maps.len()
        )));
    };
    if insn.src == isa::LDDW_MAP {
        return Ok(Arc::as_ptr(map) as u64);
    }
    let offset = second.imm as u32 as usize;
    match map.first_value() {
        Some(base) if offset <= map.value_size() => Ok((base + offset) as u64),
        Some(_) => Err(EngineError::argument(format!(
            "offset {offset} lies outside of map {}, whose values have {} bytes",
            map.name(),
            map.value_size()
        ))),
        None => Err(EngineError::argument(format!(
            "map {} is no ARRAY: a program cannot refer to its values directly",
            map.name()
        ))),
    }
}
