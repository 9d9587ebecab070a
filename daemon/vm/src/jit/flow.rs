//! Where control goes: functions and blocks; `live` adds which registers they take.
//!
//! Everything here is read off the lowered program, and nothing is believed of
//! the verifier: which registers a function really takes from its caller, for
//! one, decides its signature, because a verifier that follows calls by
//! inlining lets a callee read any register.

use super::live;
use crate::exec::lower::{Code, Op, extra};
use crate::isa::{EXIT, LDDW, MAX_CALL_FRAMES, class, mem};

/// A set of registers, a bit each.
pub type Registers = u16;

/// The registers of a set, ascending.
pub fn each(mut registers: Registers) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let register = (registers != 0).then(|| registers.trailing_zeros() as usize)?;
        registers &= registers - 1;
        Some(register)
    })
}

/// r1 to r5, which a local call leaves to its callee.
pub const SCRATCH: Registers = 0b11_1110;

/// What stands where no instruction is.
const SECOND_SLOT: u8 = 0;
/// Instructions that control can reach: bounds compile time, and the native stack, on which
/// every value may need a slot.  All functions together can be active at once.
const MAX_INSTRUCTIONS: usize = 16_384;
/// The same for programs that recurse: one function can then be active eight times.
const MAX_RECURSIVE: usize = MAX_INSTRUCTIONS / MAX_CALL_FRAMES;
/// Blocks: the code generator's time grows with their square.
const MAX_BLOCKS: usize = 4_096;
/// Functions of one program: bounds the recursion of the analysis, which follows calls.
const MAX_FUNCTIONS: usize = 512;

/// Instructions that run one after the other: control comes to the first and leaves the last.
#[derive(Clone, Debug)]
pub struct Block {
    pub first: usize,
    pub last: usize,
    /// How many there are.
    pub size: usize,
    /// Fewest instructions from the function's start to the first.
    pub distance: i64,
    /// Blocks to which control goes on: after a comparison the next one, then the jump's target.
    pub after: Ways,
    /// Registers that are read later on, before the first instruction.
    pub live: Registers,
}

impl Block {
    /// Its instructions; the second slot of a `lddw` is none.
    pub fn instructions<'a>(
        &self,
        code: &'a Code,
    ) -> impl DoubleEndedIterator<Item = usize> + use<'a> {
        let all = self.first..=self.last;
        all.filter(|pc| code.ops[*pc].code != SECOND_SLOT)
    }

    /// Fewest instructions from the function's start to the last.
    pub fn distance_of_last(&self) -> i64 {
        self.distance + self.size as i64 - 1
    }
}

/// Up to two blocks, by number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ways {
    blocks: [usize; 2],
    count: usize,
}

impl std::ops::Deref for Ways {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.blocks[..self.count]
    }
}

impl FromIterator<usize> for Ways {
    fn from_iter<I: IntoIterator<Item = usize>>(blocks: I) -> Self {
        let mut ways = Self::default();
        for block in blocks {
            ways.blocks[ways.count] = block;
            ways.count += 1;
        }
        ways
    }
}

/// One function of a program.
#[derive(Debug, Default)]
pub struct Function {
    pub start: usize,
    /// Its place in [`Flow::functions`].
    pub number: usize,
    /// Ascending.
    pub blocks: Vec<Block>,
    /// Instructions that control can reach.
    pub size: usize,
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
    /// The block that begins at `pc`.
    pub fn block_at(&self, pc: usize) -> usize {
        self.blocks.partition_point(|block| block.first < pc)
    }

    /// The block that `pc` is in.
    pub fn block_around(&self, pc: usize) -> usize {
        self.blocks.partition_point(|block| block.first <= pc) - 1
    }

    /// Registers that are read after `block`.
    pub fn live_after(&self, block: &Block) -> Registers {
        let after = block.after.iter();
        after.fold(0, |all, next| all | self.blocks[*next].live)
    }
}

/// A whole program.
pub struct Flow {
    /// By their first instruction, ascending.
    pub functions: Vec<Function>,
    /// All functions by number, each after those that it calls, but for recursion.
    pub callees_first: Vec<usize>,
    pub recursive: bool,
    /// Whether more functions could be active than there are frames.
    pub deep: bool,
}

impl Flow {
    /// The function that begins at `start`.
    pub fn function_at(&self, start: usize) -> &Function {
        &self.functions[number_of(&self.functions, start)]
    }
}

fn number_of(functions: &[Function], start: usize) -> usize {
    functions.partition_point(|function| function.start < start)
}

/// Analyse a program, or say why it cannot be compiled.
pub fn analyse(code: &Code) -> Result<Flow, String> {
    let mut functions = find_functions(code)?;
    let called = functions.iter().flat_map(|function| &function.calls);
    if let Some((pc, _)) = { called }.find(|(_, callee)| *callee == 0) {
        return Err(format!("instruction {pc} calls the program itself"));
    }
    for caller in 0..functions.len() {
        for call in 0..functions[caller].calls.len() {
            let callee = number_of(&functions, functions[caller].calls[call].1);
            functions[callee].callers += 1;
        }
    }
    let mut order = Order {
        known: vec![None; functions.len()],
        callees_first: Vec::with_capacity(functions.len()),
    };
    let height = order.height(&functions, 0);
    let instructions: usize = functions.iter().map(|function| function.size).sum();
    if height.is_none() && instructions > MAX_RECURSIVE {
        return Err(format!(
            "it recurses and has more than {MAX_RECURSIVE} instructions"
        ));
    }
    let mut flow = Flow {
        callees_first: order.callees_first,
        recursive: height.is_none(),
        deep: height.is_none_or(|frames| frames > MAX_CALL_FRAMES),
        functions,
    };
    live::find(code, &mut flow)?;
    Ok(flow)
}

/// Follow control from the program's start, and from that of whatever is called.
fn find_functions(code: &Code) -> Result<Vec<Function>, String> {
    let mut functions: Vec<Function> = Vec::new();
    let mut waiting = vec![0];
    let mut marks = vec![Mark::default(); code.ops.len()];
    let (mut instructions, mut blocks) = (0, 0);
    while let Some(start) = waiting.pop() {
        let number = number_of(&functions, start);
        if functions
            .get(number)
            .is_some_and(|known| known.start == start)
        {
            continue;
        }
        let function = function(code, start, &mut marks);
        instructions += function.size;
        blocks += function.blocks.len();
        if instructions > MAX_INSTRUCTIONS || blocks > MAX_BLOCKS {
            return Err(format!(
                "it has more than {MAX_INSTRUCTIONS} instructions or {MAX_BLOCKS} blocks"
            ));
        }
        waiting.extend(function.calls.iter().map(|(_, callee)| *callee));
        functions.insert(number, function);
        if functions.len() > MAX_FUNCTIONS {
            return Err(format!("it has more than {MAX_FUNCTIONS} functions"));
        }
    }
    for (number, function) in functions.iter_mut().enumerate() {
        function.number = number;
    }
    Ok(functions)
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

/// What is known of an instruction while its function is followed.
#[derive(Clone, Copy, Default)]
struct Mark {
    /// Fewest instructions from the function's start to it, itself included; 0: none known.
    distance: u32,
    begins_block: bool,
}

/// Follow control from `start`; all `marks` are empty before and afterwards.
fn function(code: &Code, start: usize, marks: &mut [Mark]) -> Function {
    let mut function = Function {
        start,
        shortest: i64::MAX,
        ..Function::default()
    };
    let mut reachable = Vec::with_capacity(code.ops.len().min(MAX_INSTRUCTIONS));
    reachable.push(start);
    marks[start] = Mark {
        distance: 1,
        begins_block: true,
    };
    let mut followed = 0;
    // What is left out beyond the bound is never asked for: the program is refused.
    while followed < reachable.len() && followed <= MAX_INSTRUCTIONS {
        let pc = reachable[followed];
        followed += 1;
        let op = &code.ops[pc];
        let distance = marks[pc].distance;
        let ends = op.code == extra::GOTO || is_conditional(op);
        match op.code {
            EXIT => function.shortest = function.shortest.min(distance.into()),
            extra::CALL_LOCAL => function.calls.push((pc, op.offset as usize)),
            _ => {}
        }
        for next in successors(op, pc) {
            let mark = &mut marks[next];
            mark.begins_block |= ends;
            if mark.distance == 0 {
                mark.distance = distance + 1;
                reachable.push(next);
            }
        }
    }
    if function.shortest == i64::MAX {
        function.shortest = 1;
    }
    reachable.sort_unstable();
    function.size = reachable.len();
    function.blocks = blocks(&reachable, marks);
    for block in 0..function.blocks.len() {
        let last = function.blocks[block].last;
        let after = successors(&code.ops[last], last).map(|pc| function.block_at(pc));
        function.blocks[block].after = after.collect();
    }
    function
}

/// The blocks of a function whose instructions are `reachable`; takes their marks off.
fn blocks(reachable: &[usize], marks: &mut [Mark]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for pc in reachable {
        let mark = std::mem::take(&mut marks[*pc]);
        match blocks.last_mut() {
            Some(block) if !mark.begins_block => {
                block.last = *pc;
                block.size += 1;
            }
            _ => blocks.push(Block {
                first: *pc,
                last: *pc,
                size: 1,
                distance: i64::from(mark.distance) - 1,
                after: Ways::default(),
                live: 0,
            }),
        }
    }
    blocks
}

/// The order of calls.
struct Order {
    /// How many frames a call of each needs, once that is known; `Some(None)`: it recurses.
    known: Vec<Option<Option<usize>>>,
    callees_first: Vec<usize>,
}

impl Order {
    /// Callees before their callers, and how many frames a call needs; `None`: it recurses.
    fn height(&mut self, functions: &[Function], number: usize) -> Option<usize> {
        if let Some(height) = self.known[number] {
            return height;
        }
        // Whoever finds this on the way down has found recursion.
        self.known[number] = Some(None);
        let mut deepest = Some(0);
        for (_, callee) in &functions[number].calls {
            let height = self.height(functions, number_of(functions, *callee));
            deepest = deepest
                .zip(height)
                .map(|(deepest, height)| height.max(deepest));
        }
        let height = deepest.map(|frames: usize| frames + 1);
        self.known[number] = Some(height);
        self.callees_first.push(number);
        height
    }
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
