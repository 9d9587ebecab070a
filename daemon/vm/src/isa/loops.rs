//! Whether control can come back to where it was.
//!
//! A backward jump alone is no loop: clang also lays out blocks that way.

use super::*;

/// Whether a function of the program has a loop; recursion, which the frames bound, is none.
pub fn has_loops(program: &[Insn]) -> bool {
    let mut incoming = vec![0u32; program.len()];
    for pc in 0..program.len() {
        for next in successors(program, pc) {
            incoming[next] += 1;
        }
    }
    // Take away what nothing leads to, again and again: what is left leads to itself.
    let mut free: Vec<usize> = (0..program.len()).filter(|pc| incoming[*pc] == 0).collect();
    let mut left = program.len();
    while let Some(pc) = free.pop() {
        left -= 1;
        for next in successors(program, pc) {
            incoming[next] -= 1;
            if incoming[next] == 0 {
                free.push(next);
            }
        }
    }
    left > 0
}

/// The slots that may follow `pc` within its function; a call comes back.
fn successors(program: &[Insn], pc: usize) -> impl Iterator<Item = usize> {
    let insn = program[pc];
    let falls = !insn.is_exit() && !insn.is_goto();
    let target = insn
        .distance()
        .filter(|_| !insn.is_local_call())
        .and_then(|distance| (pc as i64 + 1).checked_add(distance))
        .and_then(|target| usize::try_from(target).ok());
    [falls.then_some(pc + 1), target]
        .into_iter()
        .flatten()
        .filter(|next| *next < program.len())
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Insn = Insn::new(EXIT, 0, 0, 0, 0);

    /// A jump to itself or to what led to it is a loop.
    #[test]
    fn a_way_back_is_a_loop() {
        assert!(has_loops(&[Insn::new(0x05, 0, 0, -1, 0)]));
        assert!(has_loops(&[
            Insn::new(0x07, 0, 0, 0, 1),
            Insn::new(0xa5, 0, 0, -2, 9),
            END,
        ]));
    }

    /// A jump forwards, a call backwards and a block laid out before its users are none.
    #[test]
    fn a_backward_jump_alone_is_no_loop() {
        assert!(!has_loops(&[Insn::new(0x05, 0, 0, 1, 0), END, END]));
        assert!(!has_loops(&[Insn::new(CALL, 0, CALL_LOCAL, 0, -5), END]));
        let shared_exit = [
            Insn::new(0x05, 0, 0, 2, 0),
            Insn::new(0xb7, 0, 0, 0, 1),
            END,
            Insn::new(0x05, 0, 0, -3, 0),
        ];
        assert!(!has_loops(&shared_exit));
    }
}
