//! Where control goes: functions, blocks, loops, live registers, and how long it can take.
//!
//! Everything here is read off the lowered program, and nothing is believed of
//! the verifier: which registers a function really takes from its caller, for
//! one, decides its signature, because a verifier that follows calls by
//! inlining lets a callee read any register.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::exec::lower::{Code, Op, extra};
use crate::isa::{EXIT, LDDW, MAX_CALL_FRAMES, SOURCE_REGISTER, alu, atomic, class, mem};

/// A set of registers, a bit each.
pub type Registers = u16;

/// r1 to r5, which a local call leaves to its callee.
const SCRATCH: Registers = 0b11_1110;

/// Instructions that control can reach: bounds compile time, and the native stack, on which
/// every value may need a slot.  All functions together can be active at once.
const MAX_INSTRUCTIONS: usize = 16_384;
/// The same for programs that recurse: one function can then be active eight times.
const MAX_RECURSIVE: usize = MAX_INSTRUCTIONS / MAX_CALL_FRAMES;
/// Blocks: the code generator's time grows with their square.
const MAX_BLOCKS: usize = 4_096;
/// Functions of one program: bounds the recursion of the analysis, which follows calls.
const MAX_FUNCTIONS: usize = 512;

/// One function of a program.
#[derive(Debug, Default)]
pub struct Function {
    pub start: usize,
    /// Instructions that control can reach, ascending.
    pub reachable: Vec<usize>,
    /// Where blocks begin.
    pub leaders: BTreeSet<usize>,
    /// What a backward jump costs: see [`charges`].
    pub charges: BTreeMap<usize, i64>,
    /// Fewest instructions from its start to an exit.
    pub shortest: i64,
    /// Local calls: where, and whom.
    pub calls: Vec<(usize, usize)>,
    /// What it reads before it writes it.
    pub live_in: Registers,
}

impl Function {
    /// The instructions of the block that begins at `leader`.
    pub fn block(&self, leader: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.reachable.partition_point(|pc| *pc < leader);
        let rest = self.reachable[first..].iter().copied();
        rest.take_while(move |pc| *pc == leader || !self.leaders.contains(pc))
    }
}

/// A whole program.
pub struct Flow {
    /// By their first instruction.
    pub functions: BTreeMap<usize, Function>,
    /// Those that control can reach, of all functions.
    pub instructions: usize,
    /// Instructions of the longest way through; `None` with loops or recursion.
    pub worst_case: Option<u64>,
    /// Whether more functions could be active than there are frames.
    pub deep: bool,
}

/// Analyse a program, or say why it cannot be compiled.
pub fn analyse(code: &Code) -> Result<Flow, String> {
    let mut functions = BTreeMap::new();
    let mut waiting = vec![0];
    let (mut instructions, mut blocks) = (0, 0);
    while let Some(start) = waiting.pop() {
        if functions.contains_key(&start) {
            continue;
        }
        let function = function(code, start);
        instructions += function.reachable.len();
        blocks += function.leaders.len();
        if instructions > MAX_INSTRUCTIONS || blocks > MAX_BLOCKS {
            return Err(format!(
                "it has more than {MAX_INSTRUCTIONS} instructions or {MAX_BLOCKS} blocks"
            ));
        }
        waiting.extend(function.calls.iter().map(|(_, callee)| *callee));
        functions.insert(start, function);
        if functions.len() > MAX_FUNCTIONS {
            return Err(format!("it has more than {MAX_FUNCTIONS} functions"));
        }
    }
    let called: Vec<_> = functions.values().flat_map(|f| &f.calls).collect();
    if let Some((pc, _)) = called.iter().find(|(_, callee)| *callee == 0) {
        return Err(format!("instruction {pc} calls the program itself"));
    }
    find_live(code, &mut functions)?;
    let mut heights = BTreeMap::new();
    let height = height(&functions, 0, &mut heights);
    if height.is_none() && instructions > MAX_RECURSIVE {
        return Err(format!(
            "it recurses and has more than {MAX_RECURSIVE} instructions"
        ));
    }
    Ok(Flow {
        instructions,
        worst_case: height.and_then(|(_, worst)| worst),
        deep: height.is_none_or(|(frames, _)| frames > MAX_CALL_FRAMES),
        functions,
    })
}

/// Where control may go after the instruction at `pc`.
pub fn successors(op: &Op, pc: usize) -> impl Iterator<Item = usize> + use<> {
    let target = op.offset as usize;
    let (next, other) = match op.code {
        EXIT => (None, None),
        LDDW => (Some(pc + 2), None),
        extra::GOTO => (Some(target), None),
        _ if is_conditional(op) => (Some(pc + 1), Some(target)),
        _ => (Some(pc + 1), None),
    };
    next.into_iter().chain(other)
}

/// A jump that depends on a comparison.
pub fn is_conditional(op: &Op) -> bool {
    matches!(op.code & 7, class::JMP | class::JMP32) && op.code != EXIT
}

/// A move that extends the sign of a part of a register.
pub fn is_sign_extension(code: u8) -> bool {
    use extra::{MOVSX8_32, MOVSX8_64, MOVSX16_32, MOVSX16_64, MOVSX32_64};
    matches!(
        code,
        MOVSX8_64 | MOVSX16_64 | MOVSX32_64 | MOVSX8_32 | MOVSX16_32
    )
}

fn function(code: &Code, start: usize) -> Function {
    let mut function = Function {
        start,
        leaders: BTreeSet::from([start]),
        shortest: i64::MAX,
        ..Function::default()
    };
    let mut distances = BTreeMap::from([(start, 0_i64)]);
    let mut waiting = VecDeque::from([start]);
    // What is left out beyond the bound is never asked for: the program is refused.
    while let Some(pc) = waiting
        .pop_front()
        .filter(|_| distances.len() <= MAX_INSTRUCTIONS)
    {
        let op = &code.ops[pc];
        let distance = distances[&pc];
        match op.code {
            EXIT => function.shortest = function.shortest.min(distance + 1),
            extra::CALL_LOCAL => function.calls.push((pc, op.offset as usize)),
            extra::GOTO => _ = function.leaders.insert(op.offset as usize),
            _ if is_conditional(op) => function.leaders.extend(successors(op, pc)),
            _ => {}
        }
        for next in successors(op, pc) {
            distances.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                distance + 1
            });
        }
    }
    if function.shortest == i64::MAX {
        function.shortest = 1;
    }
    function.charges = charges(code, &distances);
    function.reachable = distances.into_keys().collect();
    function
}

/// What each backward jump costs, so that no run costs more than it executes.
///
/// With d(pc) the fewest instructions from the start, no forward step raises d
/// by more than 1.  So what lies between two points is at least the difference
/// of their d, and a loop that jumps from p back to t has executed at least
/// d(p) - d(t) + 1.  Where that is below 1 (a loop entered in its middle), all
/// jumps of the function cost 1 instead.
fn charges(code: &Code, distances: &BTreeMap<usize, i64>) -> BTreeMap<usize, i64> {
    let mut charges = BTreeMap::new();
    for (pc, distance) in distances {
        let op = &code.ops[*pc];
        let target = op.offset as usize;
        if (op.code == extra::GOTO || is_conditional(op)) && target <= *pc {
            let before = distances.get(&target).copied().unwrap_or(0);
            charges.insert(*pc, distance - before + 1);
        }
    }
    if charges.values().any(|charge| *charge < 1) {
        charges.values_mut().for_each(|charge| *charge = 1);
    }
    charges
}

/// Frames and instructions that a call can take at most; no frames: it recurses.
type Height = Option<(usize, Option<u64>)>;

fn height(
    functions: &BTreeMap<usize, Function>,
    start: usize,
    known: &mut BTreeMap<usize, Height>,
) -> Height {
    if let Some(height) = known.get(&start) {
        return *height;
    }
    // Whoever finds this on the way down has found recursion.
    known.insert(start, None);
    let function = &functions[&start];
    let mut frames = 0;
    let mut worst = function.charges.is_empty().then_some(0_u64);
    let own = function.reachable.len() as u64;
    for (_, callee) in &function.calls {
        let (below, instructions) = height(functions, *callee, known)?;
        frames = frames.max(below);
        worst = worst.zip(instructions).map(|(a, b)| a.saturating_add(b));
    }
    let height = Some((frames + 1, worst.map(|sum| sum.saturating_add(own))));
    known.insert(start, height);
    height
}

/// Find what each function takes from its caller.
fn find_live(code: &Code, functions: &mut BTreeMap<usize, Function>) -> Result<(), String> {
    let mut live = vec![0; code.ops.len()];
    let starts: Vec<usize> = functions.keys().copied().collect();
    let mut changed = true;
    while changed {
        changed = false;
        for start in &starts {
            for pc in functions[start].reachable.iter().rev() {
                let op = &code.ops[*pc];
                let after = live_after(op, *pc, &live);
                let (defined, used) = effect(code, op, &live);
                let before = after & !defined | used;
                changed |= std::mem::replace(&mut live[*pc], before) != before;
            }
        }
    }
    for function in functions.values_mut() {
        function.live_in = live[function.start] & !(1 << 10);
        for (pc, _) in &function.calls {
            let left = live_after(&code.ops[*pc], *pc, &live) & SCRATCH;
            if left != 0 {
                let register = left.trailing_zeros();
                return Err(format!(
                    "after the call at instruction {pc}, r{register} is what the callee left in it"
                ));
            }
        }
    }
    Ok(())
}

fn live_after(op: &Op, pc: usize, live: &[Registers]) -> Registers {
    successors(op, pc).fold(0, |all, next| all | live[next])
}

/// How many of r1 to r5 a helper takes.
pub fn helper_arity(code: &Code, op: &Op) -> usize {
    match op.code {
        extra::CALL_NATIVE => code.natives[op.imm as usize].arguments,
        _ => code.remotes[op.imm as usize].arguments.len(),
    }
}

/// The registers that an instruction writes and those that it reads.
fn effect(code: &Code, op: &Op, live: &[Registers]) -> (Registers, Registers) {
    let dst = 1 << op.dst;
    let src = 1 << op.src;
    match op.code {
        EXIT => return (0, 1),
        LDDW => return (dst, 0),
        extra::GOTO => return (0, 0),
        extra::CALL_LOCAL => {
            let taken = live[op.offset as usize] & !(1 << 10);
            return (SCRATCH | 1, taken);
        }
        extra::CALL_NATIVE | extra::CALL_REMOTE => {
            return (1, ((1 << helper_arity(code, op)) - 1) << 1);
        }
        code if is_sign_extension(code) => return (dst, src),
        extra::SDIV64_X | extra::SDIV32_X | extra::SMOD64_X | extra::SMOD32_X => {
            return (dst, dst | src);
        }
        _ => {}
    }
    let second = if op.code & SOURCE_REGISTER == 0 {
        0
    } else {
        src
    };
    match op.code & 7 {
        class::ALU | class::ALU64 if op.code & 0xf0 == alu::MOV => (dst, second),
        class::ALU | class::ALU64 => (dst, dst | second),
        class::JMP | class::JMP32 => (0, dst | second),
        class::LDX => (dst, src),
        class::ST => (0, dst),
        class::STX if op.code & 0xe0 == mem::ATOMIC => match op.imm as i32 {
            atomic::CMPXCHG => (1, dst | src | 1),
            operation if operation & atomic::FETCH != 0 => (src, dst | src),
            _ => (0, dst | src),
        },
        class::STX => (0, dst | src),
        // What is left are immediates in class LD: signed division and byte swaps.
        _ => (dst, dst),
    }
}
