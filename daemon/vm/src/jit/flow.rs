//! Where control goes: functions, blocks, live registers.
//!
//! Everything here is read off the lowered program, and nothing is believed of
//! the verifier: which registers a function really takes from its caller, for
//! one, decides its signature, because a verifier that follows calls by
//! inlining lets a callee read any register.

use std::collections::{BTreeMap, BTreeSet};

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
/// A distance that was not looked for.
const UNKNOWN: i64 = -1;
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
    /// Fewest instructions from its start to each of them.
    distances: Vec<i64>,
    /// Which of them begin a block.
    begins: Vec<bool>,
    /// Fewest instructions from its start to an exit.
    pub shortest: i64,
    /// Local calls: where, and whom.
    pub calls: Vec<(usize, usize)>,
    /// How many calls of it there are.
    pub callers: usize,
    /// What it reads before it writes it.
    pub live_in: Registers,
}

impl Function {
    fn place(&self, pc: usize) -> usize {
        self.reachable.partition_point(|other| *other < pc)
    }

    /// Fewest instructions from the start to `pc`.
    pub fn distance(&self, pc: usize) -> i64 {
        self.distances[self.place(pc)]
    }

    /// The instructions of the block that begins at `leader`.
    pub fn block(&self, leader: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.place(leader);
        let rest = self.reachable[first..].iter().zip(&self.begins[first..]);
        let own = rest.take_while(move |(pc, begins)| **pc == leader || !**begins);
        own.map(|(pc, _)| *pc)
    }
}

/// A whole program.
pub struct Flow {
    /// By their first instruction.
    pub functions: BTreeMap<usize, Function>,
    /// All functions, each after those that it calls, but for recursion.
    pub callees_first: Vec<usize>,
    pub recursive: bool,
    /// Whether more functions could be active than there are frames.
    pub deep: bool,
    /// Registers that are read later on, before each instruction.
    pub live: Vec<Registers>,
}

/// Analyse a program, or say why it cannot be compiled.
pub fn analyse(code: &Code) -> Result<Flow, String> {
    let mut functions = BTreeMap::new();
    let mut waiting = vec![0];
    let mut distances = vec![UNKNOWN; code.ops.len()];
    let (mut instructions, mut blocks) = (0, 0);
    while let Some(start) = waiting.pop() {
        if functions.contains_key(&start) {
            continue;
        }
        let function = function(code, start, &mut distances);
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
    let called: Vec<usize> = called.into_iter().map(|(_, callee)| *callee).collect();
    for callee in called {
        functions
            .entry(callee)
            .and_modify(|function| function.callers += 1);
    }
    let live = find_live(code, &mut functions)?;
    let mut known = BTreeMap::new();
    let mut callees_first = Vec::with_capacity(functions.len());
    let height = heights(&functions, 0, &mut known, &mut callees_first);
    if height.is_none() && instructions > MAX_RECURSIVE {
        return Err(format!(
            "it recurses and has more than {MAX_RECURSIVE} instructions"
        ));
    }
    Ok(Flow {
        callees_first,
        recursive: height.is_none(),
        deep: height.is_none_or(|frames| frames > MAX_CALL_FRAMES),
        functions,
        live,
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

/// Follow control from `start`; all `distances` are unknown before and afterwards.
fn function(code: &Code, start: usize, distances: &mut [i64]) -> Function {
    let mut function = Function {
        start,
        leaders: BTreeSet::from([start]),
        shortest: i64::MAX,
        reachable: vec![start],
        ..Function::default()
    };
    distances[start] = 0;
    let mut followed = 0;
    // What is left out beyond the bound is never asked for: the program is refused.
    while followed < function.reachable.len() && followed <= MAX_INSTRUCTIONS {
        let pc = function.reachable[followed];
        followed += 1;
        let op = &code.ops[pc];
        match op.code {
            EXIT => function.shortest = function.shortest.min(distances[pc] + 1),
            extra::CALL_LOCAL => function.calls.push((pc, op.offset as usize)),
            extra::GOTO => _ = function.leaders.insert(op.offset as usize),
            _ if is_conditional(op) => function.leaders.extend(successors(op, pc)),
            _ => {}
        }
        for next in successors(op, pc) {
            if distances[next] == UNKNOWN {
                distances[next] = distances[pc] + 1;
                function.reachable.push(next);
            }
        }
    }
    if function.shortest == i64::MAX {
        function.shortest = 1;
    }
    function.reachable.sort_unstable();
    let leaders = &function.leaders;
    for pc in &function.reachable {
        function.begins.push(leaders.contains(pc));
        function
            .distances
            .push(std::mem::replace(&mut distances[*pc], UNKNOWN));
    }
    function
}

/// Callees before their callers, and how many frames a call of each needs; `None`: it recurses.
fn heights(
    functions: &BTreeMap<usize, Function>,
    start: usize,
    known: &mut BTreeMap<usize, Option<usize>>,
    order: &mut Vec<usize>,
) -> Option<usize> {
    if let Some(height) = known.get(&start) {
        return *height;
    }
    // Whoever finds this on the way down has found recursion.
    known.insert(start, None);
    let below = functions[&start].calls.iter().map(|(_, callee)| *callee);
    let below: Vec<Option<usize>> = below
        .map(|callee| heights(functions, callee, known, order))
        .collect();
    let deepest = below
        .into_iter()
        .try_fold(0, |deepest, height| Some(height?.max(deepest)));
    let height = deepest.map(|frames| frames + 1);
    known.insert(start, height);
    order.push(start);
    height
}

/// Find what each function takes from its caller.
fn find_live(
    code: &Code,
    functions: &mut BTreeMap<usize, Function>,
) -> Result<Vec<Registers>, String> {
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
    Ok(live)
}

fn live_after(op: &Op, pc: usize, live: &[Registers]) -> Registers {
    successors(op, pc).fold(0, |all, next| all | live[next])
}

/// The registers that an instruction may write.
pub fn defined(op: &Op) -> Registers {
    let dst = 1 << op.dst;
    match op.code {
        EXIT | extra::GOTO => 0,
        extra::CALL_LOCAL => SCRATCH | 1,
        extra::CALL_NATIVE | extra::CALL_REMOTE => 1,
        code => match code & 7 {
            class::JMP | class::JMP32 | class::ST => 0,
            class::STX if code & 0xe0 == mem::ATOMIC => 1 | 1 << op.src,
            class::STX => 0,
            _ => dst,
        },
    }
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
