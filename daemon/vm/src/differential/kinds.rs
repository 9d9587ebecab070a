//! What distinguishes two instructions, and which there are.

use std::collections::BTreeSet;

use crate::isa::{CALL, EXIT, Insn, SOURCE_REGISTER, alu, atomic, class, jump, mem};

/// Opcode, and what refines it.
pub type Kind = (u8, i32);

pub fn kind(insn: Insn) -> Kind {
    let refinement = match insn.class() {
        class::ALU | class::ALU64 if insn.operation() == alu::END => insn.imm,
        class::ALU | class::ALU64 => insn.offset.into(),
        class::STX if insn.mode() == mem::ATOMIC => insn.imm,
        class::JMP if insn.opcode == CALL => insn.src.into(),
        class::LD if insn.is_lddw() => insn.src.into(),
        _ => 0,
    };
    (insn.opcode, refinement)
}

/// Every instruction that `isa::validate` accepts, found by asking it.
pub fn all_kinds() -> BTreeSet<Kind> {
    let exit = Insn::new(EXIT, 0, 0, 0, 0);
    let mut kinds = BTreeSet::new();
    let interesting = [0, 1, 8, 16, 32, 64].into_iter();
    let atomics = (0..0x100).filter(|operation| operation & !atomic::FETCH != 0);
    let refinements: Vec<i32> = interesting.chain(atomics).collect();
    for opcode in 1..=u8::MAX {
        for refinement in refinements.iter().copied() {
            for insn in [
                Insn::new(opcode, 0, 0, refinement as i16, 0),
                Insn::new(opcode, 0, 0, 0, refinement),
            ] {
                let valid = crate::isa::validate(&[insn, exit, exit], &[0]).is_ok();
                let plain = insn.distance().is_none() || insn.distance() == Some(0);
                if valid && plain {
                    kinds.insert(kind(insn));
                }
            }
        }
    }
    kinds.extend([(CALL, 0), (CALL, 1)]);
    debug_assert!(kinds.contains(&(class::ALU64 | alu::DIV | SOURCE_REGISTER, 1)));
    debug_assert!(kinds.contains(&(class::JMP32 | jump::JA, 0)));
    kinds
}
