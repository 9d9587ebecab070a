//! Where functions lie in a program's code, and the calls between them.
//!
//! A function is shifted within 64 bytes so that its loops lie in as few lines
//! of the instruction cache as they can: a small loop that crosses into another
//! line takes up to twice the time.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, Function};
use cranelift_codegen::{CompiledCode, FinalizedRelocTarget};

const LINE: usize = 64;
/// Functions begin at multiples of this.
const STEP: usize = 4;
/// Loops to look at, and the size up to which the place of a loop matters.
const MAX_LOOPS: usize = 64;
const MAX_LOOP: usize = 512;

/// A call from one function to another one.
struct Call {
    /// Where its distance is to be written.
    at: usize,
    callee: u32,
    addend: i64,
}

/// Code of a whole program, function by function.
#[derive(Default)]
pub struct Layout {
    pub code: Vec<u8>,
    /// By number of the function.
    starts: Vec<(u32, usize)>,
    calls: Vec<Call>,
}

impl Layout {
    /// Add what was compiled of a function.
    pub fn add(
        &mut self,
        number: u32,
        function: &Function,
        compiled: &CompiledCode,
    ) -> Result<(), String> {
        let start = self.code.len().next_multiple_of(LINE) + best_shift(compiled);
        // What is skipped traps.
        self.code.resize(start, 0xcc);
        self.code.extend_from_slice(compiled.code_buffer());
        self.starts.push((number, start));
        for relocation in compiled.buffer.relocs() {
            let callee = match &relocation.target {
                FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => {
                    function.params.user_named_funcs()[*name].index
                }
                other => return Err(format!("code refers to {other:?}")),
            };
            if relocation.kind != Reloc::X86CallPCRel4 {
                return Err(format!("code has a relocation {:?}", relocation.kind));
            }
            self.calls.push(Call {
                at: start + relocation.offset as usize,
                callee,
                addend: relocation.addend,
            });
        }
        Ok(())
    }

    /// Where a function begins.
    pub fn start(&self, number: u32) -> Result<usize, String> {
        let found = self.starts.iter().find(|(other, _)| *other == number);
        found
            .map(|(_, start)| *start)
            .ok_or_else(|| format!("function {number} was not compiled"))
    }

    /// Resolve the calls; the code can then be anywhere.
    pub fn link(&mut self) -> Result<(), String> {
        for call in std::mem::take(&mut self.calls) {
            let distance = self.start(call.callee)? as i64 + call.addend - call.at as i64;
            let distance = i32::try_from(distance).map_err(|_| "a call is too far".to_owned())?;
            let place = self
                .code
                .get_mut(call.at..call.at + 4)
                .ok_or("a call outside of its code")?;
            place.copy_from_slice(&distance.to_le_bytes());
        }
        Ok(())
    }
}

/// How far behind a line's start a function should begin.
fn best_shift(compiled: &CompiledCode) -> usize {
    let end = compiled.code_buffer().len();
    let end_of = |block: usize| {
        let next = compiled
            .bb_starts
            .partition_point(|start| *start as usize <= block);
        compiled
            .bb_starts
            .get(next)
            .map_or(end, |start| *start as usize)
    };
    let edges = compiled
        .bb_edges
        .iter()
        .map(|(from, to)| (*from as usize, *to as usize));
    let loops = edges
        .filter(|(from, to)| to <= from)
        .map(|(from, to)| (to, end_of(from)));
    let loops: Vec<(usize, usize)> = loops
        .filter(|(start, end)| end - start <= MAX_LOOP)
        .take(MAX_LOOPS)
        .collect();
    let cost = |shift: &usize| -> usize {
        let lines = |start: usize, end: usize| (shift + end - 1) / LINE - (shift + start) / LINE;
        // Small loops run often: what they cost counts most.
        loops
            .iter()
            .map(|(start, end)| {
                lines(*start, *end) * LINE * LINE / (end - start) + (shift + start) % 32 / 16
            })
            .sum()
    };
    (0..LINE).step_by(STEP).min_by_key(cost).unwrap_or(0)
}
