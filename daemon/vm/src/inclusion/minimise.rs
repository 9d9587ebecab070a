//! The smallest part of a program that still does what it does.

use crate::isa::{Insn, class, jump};

/// A jump to the next instruction.
pub const NOTHING: Insn = Insn::new(class::JMP | jump::JA, 0, 0, 0, 0);

/// Replace instructions by nothing for as long as `holds`.
pub fn minimised(code: &[Insn], holds: impl Fn(&[Insn]) -> bool) -> Vec<Insn> {
    let mut code = code.to_vec();
    loop {
        let before = code.clone();
        let mut pc = code.len();
        while pc > 0 {
            pc -= 1;
            let is_second = pc > 0 && code[pc - 1].is_lddw();
            if code[pc] == NOTHING || is_second {
                continue;
            }
            let mut smaller = code.clone();
            smaller[pc] = NOTHING;
            if code[pc].is_lddw() {
                smaller[pc + 1] = NOTHING;
            }
            if holds(&smaller) {
                code = smaller;
            }
        }
        if code == before {
            return code;
        }
    }
}
