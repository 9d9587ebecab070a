//! The checked interpreter: the oracle, and the executor of last resort.
//!
//! It survives any validated program, verified or not: `memory` judges every
//! access, a budget of instructions (and of what helpers do) bounds the time, and eight frames bound the
//! stack.  `run` is the one long function of the engine: a dispatch over
//! opcodes is easiest to audit, and fastest, in one piece.
//!
//! Sound because: `isa::validate` has shown that control never leaves the
//! program and that registers are at most r10, so neither the fetch nor the
//! register file (16 long, indices masked) needs a check at run time.

use super::arith::{narrow, wide};
use super::atomics::Change;
use super::fault::Fault;
use super::lower::{Code, Op, extra};
use super::memory::{Memory, Region};
use super::origin::Identity;
use super::remote::{self, Remote};
use super::tail::TailCalls;
use super::tape::Tape;
use crate::isa::{
    CALL, EXIT, LDDW, MAX_CALL_FRAMES, SOURCE_REGISTER, STACK_FRAME_SIZE, alu, atomic, class, jump,
    mem,
};
use crate::trace::Trace;

/// Bytes of all frames.
pub const STACK_SIZE: usize = MAX_CALL_FRAMES * STACK_FRAME_SIZE;

/// The frames of one executing thread; the first function has the highest.
#[repr(C, align(16))]
pub struct Stack(pub [u8; STACK_SIZE]);

/// What helpers reach of the invocation that calls them.
pub struct Services<'r> {
    pub memory: Memory<'r>,
    pub trace: Option<&'r Trace>,
    /// The program's tag, for its trace lines.
    pub tag: u64,
    pub remote: Option<&'r dyn Remote>,
    /// Who caused the invocation.
    pub identity: Identity,
    /// Offsets of the pointers in the context, which no extension sees.
    pub pointers: [Option<usize>; 3],
    pub tail: TailCalls<'r>,
    /// Where questions to the world go through.
    pub tape: Tape,
}

/// What an observer is shown before an instruction runs.
pub struct Moment<'m> {
    pub pc: usize,
    /// Local calls that have not returned.
    pub depth: usize,
    pub registers: &'m [u64; 16],
    /// All frames; that of `depth` ends where r10 points.
    pub stack: &'m mut [u8; STACK_SIZE],
}

/// What a local call puts aside.
#[derive(Clone, Copy, Default)]
struct Caller {
    pc: usize,
    saved: [u64; 4],
}

/// Opcodes with an immediate (K) and with a register (X).
macro_rules! opcodes {
    ($($k:ident $x:ident = $class:ident $group:ident $op:ident;)*) => {
        $(
            const $k: u8 = class::$class | $group::$op;
            const $x: u8 = class::$class | $group::$op | SOURCE_REGISTER;
        )*
    };
}

opcodes! {
    ADD64_K ADD64_X = ALU64 alu ADD;
    SUB64_K SUB64_X = ALU64 alu SUB;
    MUL64_K MUL64_X = ALU64 alu MUL;
    DIV64_K DIV64_X = ALU64 alu DIV;
    OR64_K OR64_X = ALU64 alu OR;
    AND64_K AND64_X = ALU64 alu AND;
    LSH64_K LSH64_X = ALU64 alu LSH;
    RSH64_K RSH64_X = ALU64 alu RSH;
    MOD64_K MOD64_X = ALU64 alu MOD;
    XOR64_K XOR64_X = ALU64 alu XOR;
    MOV64_K MOV64_X = ALU64 alu MOV;
    ARSH64_K ARSH64_X = ALU64 alu ARSH;
    ADD32_K ADD32_X = ALU alu ADD;
    SUB32_K SUB32_X = ALU alu SUB;
    MUL32_K MUL32_X = ALU alu MUL;
    DIV32_K DIV32_X = ALU alu DIV;
    OR32_K OR32_X = ALU alu OR;
    AND32_K AND32_X = ALU alu AND;
    LSH32_K LSH32_X = ALU alu LSH;
    RSH32_K RSH32_X = ALU alu RSH;
    MOD32_K MOD32_X = ALU alu MOD;
    XOR32_K XOR32_X = ALU alu XOR;
    MOV32_K MOV32_X = ALU alu MOV;
    ARSH32_K ARSH32_X = ALU alu ARSH;
    JEQ64_K JEQ64_X = JMP jump JEQ;
    JGT64_K JGT64_X = JMP jump JGT;
    JGE64_K JGE64_X = JMP jump JGE;
    JSET64_K JSET64_X = JMP jump JSET;
    JNE64_K JNE64_X = JMP jump JNE;
    JSGT64_K JSGT64_X = JMP jump JSGT;
    JSGE64_K JSGE64_X = JMP jump JSGE;
    JLT64_K JLT64_X = JMP jump JLT;
    JLE64_K JLE64_X = JMP jump JLE;
    JSLT64_K JSLT64_X = JMP jump JSLT;
    JSLE64_K JSLE64_X = JMP jump JSLE;
    JEQ32_K JEQ32_X = JMP32 jump JEQ;
    JGT32_K JGT32_X = JMP32 jump JGT;
    JGE32_K JGE32_X = JMP32 jump JGE;
    JSET32_K JSET32_X = JMP32 jump JSET;
    JNE32_K JNE32_X = JMP32 jump JNE;
    JSGT32_K JSGT32_X = JMP32 jump JSGT;
    JSGE32_K JSGE32_X = JMP32 jump JSGE;
    JLT32_K JLT32_X = JMP32 jump JLT;
    JLE32_K JLE32_X = JMP32 jump JLE;
    JSLT32_K JSLT32_X = JMP32 jump JSLT;
    JSLE32_K JSLE32_X = JMP32 jump JSLE;
}

const NEG64: u8 = class::ALU64 | alu::NEG;
const NEG32: u8 = class::ALU | alu::NEG;
const LDX_B: u8 = class::LDX | mem::MEM | mem::B;
const LDX_H: u8 = class::LDX | mem::MEM | mem::H;
const LDX_W: u8 = class::LDX | mem::MEM | mem::W;
const LDX_DW: u8 = class::LDX | mem::MEM | mem::DW;
const LDXS_B: u8 = class::LDX | mem::MEMSX | mem::B;
const LDXS_H: u8 = class::LDX | mem::MEMSX | mem::H;
const LDXS_W: u8 = class::LDX | mem::MEMSX | mem::W;
const ST_B: u8 = class::ST | mem::MEM | mem::B;
const ST_H: u8 = class::ST | mem::MEM | mem::H;
const ST_W: u8 = class::ST | mem::MEM | mem::W;
const ST_DW: u8 = class::ST | mem::MEM | mem::DW;
const STX_B: u8 = class::STX | mem::MEM | mem::B;
const STX_H: u8 = class::STX | mem::MEM | mem::H;
const STX_W: u8 = class::STX | mem::MEM | mem::W;
const STX_DW: u8 = class::STX | mem::MEM | mem::DW;
const ATOMIC_W: u8 = class::STX | mem::ATOMIC | mem::W;
const ATOMIC_DW: u8 = class::STX | mem::ATOMIC | mem::DW;

/// Run one invocation to its end: r0, or the pc of a fault.
///
/// `stack` must be the stack that `services.memory` knows as its stack.  `observe` is shown
/// each instruction before it runs.  Not to be inlined: what stands around it would
/// take registers from the dispatch.
#[inline(never)]
pub fn run(
    code: &Code,
    services: &mut Services<'_>,
    stack: &mut Stack,
    context: u64,
    budget: u64,
    mut observe: impl FnMut(Moment<'_>),
) -> Result<u64, (usize, Fault)> {
    let ops = code.ops.as_slice();
    let top = stack.0.as_mut_ptr() as u64 + STACK_SIZE as u64;
    let mut registers = [0_u64; 16];
    registers[1] = context;
    registers[10] = top;
    let mut callers = [Caller::default(); MAX_CALL_FRAMES];
    let mut depth = 0;
    open_frame(services, stack, depth);
    services.memory.budget = budget;
    let mut left = budget;
    let mut pc = 0;

    macro_rules! fail {
        ($fault:expr) => {
            return Err((pc - 1, $fault))
        };
    }
    macro_rules! check {
        ($result:expr) => {
            match $result {
                Ok(value) => value,
                Err(fault) => fail!(fault),
            }
        };
    }
    loop {
        debug_assert!(pc < ops.len(), "validation keeps control inside");
        // SAFETY: see the module: control never leaves a validated program.
        let op: &Op = unsafe { ops.get_unchecked(pc) };
        pc += 1;
        if left <= services.memory.work {
            fail!(Fault::out_of_budget(budget));
        }
        left -= 1;
        observe(Moment {
            pc: pc - 1,
            depth,
            registers: &registers,
            stack: &mut stack.0,
        });
        let dst = usize::from(op.dst & 15);
        let src = usize::from(op.src & 15);

        macro_rules! wide_k {
            ($f:ident) => {
                registers[dst] = wide::$f(registers[dst], op.imm)
            };
        }
        macro_rules! wide_x {
            ($f:ident) => {
                registers[dst] = wide::$f(registers[dst], registers[src])
            };
        }
        macro_rules! narrow_k {
            ($f:ident) => {
                registers[dst] = narrow::$f(registers[dst] as u32, op.imm as u32).into()
            };
        }
        macro_rules! narrow_x {
            ($f:ident) => {
                registers[dst] = narrow::$f(registers[dst] as u32, registers[src] as u32).into()
            };
        }
        macro_rules! if_wide_k {
            ($f:ident) => {
                if wide::$f(registers[dst], op.imm) {
                    pc = op.offset as usize;
                }
            };
        }
        macro_rules! if_wide_x {
            ($f:ident) => {
                if wide::$f(registers[dst], registers[src]) {
                    pc = op.offset as usize;
                }
            };
        }
        macro_rules! if_narrow_k {
            ($f:ident) => {
                if narrow::$f(registers[dst] as u32, op.imm as u32) {
                    pc = op.offset as usize;
                }
            };
        }
        macro_rules! if_narrow_x {
            ($f:ident) => {
                if narrow::$f(registers[dst] as u32, registers[src] as u32) {
                    pc = op.offset as usize;
                }
            };
        }
        macro_rules! load {
            ($type:ty) => {{
                let address = registers[src].wrapping_add_signed(op.offset.into());
                registers[dst] = check!(services.memory.load::<$type>(address)) as u64;
            }};
        }
        macro_rules! store {
            ($type:ty, $value:expr) => {{
                let address = registers[dst].wrapping_add_signed(op.offset.into());
                check!(services.memory.store::<$type>(address, $value as $type));
            }};
        }

        match op.code {
            ADD64_K => wide_k!(add),
            ADD64_X => wide_x!(add),
            SUB64_K => wide_k!(sub),
            SUB64_X => wide_x!(sub),
            MUL64_K => wide_k!(mul),
            MUL64_X => wide_x!(mul),
            DIV64_K => wide_k!(div),
            DIV64_X => wide_x!(div),
            extra::SDIV64_K => wide_k!(sdiv),
            extra::SDIV64_X => wide_x!(sdiv),
            OR64_K => wide_k!(or),
            OR64_X => wide_x!(or),
            AND64_K => wide_k!(and),
            AND64_X => wide_x!(and),
            LSH64_K => wide_k!(lsh),
            LSH64_X => wide_x!(lsh),
            RSH64_K => wide_k!(rsh),
            RSH64_X => wide_x!(rsh),
            MOD64_K => wide_k!(rem),
            MOD64_X => wide_x!(rem),
            extra::SMOD64_K => wide_k!(srem),
            extra::SMOD64_X => wide_x!(srem),
            XOR64_K => wide_k!(xor),
            XOR64_X => wide_x!(xor),
            MOV64_K => wide_k!(mov),
            MOV64_X => wide_x!(mov),
            ARSH64_K => wide_k!(arsh),
            ARSH64_X => wide_x!(arsh),
            NEG64 => registers[dst] = registers[dst].wrapping_neg(),

            ADD32_K => narrow_k!(add),
            ADD32_X => narrow_x!(add),
            SUB32_K => narrow_k!(sub),
            SUB32_X => narrow_x!(sub),
            MUL32_K => narrow_k!(mul),
            MUL32_X => narrow_x!(mul),
            DIV32_K => narrow_k!(div),
            DIV32_X => narrow_x!(div),
            extra::SDIV32_K => narrow_k!(sdiv),
            extra::SDIV32_X => narrow_x!(sdiv),
            OR32_K => narrow_k!(or),
            OR32_X => narrow_x!(or),
            AND32_K => narrow_k!(and),
            AND32_X => narrow_x!(and),
            LSH32_K => narrow_k!(lsh),
            LSH32_X => narrow_x!(lsh),
            RSH32_K => narrow_k!(rsh),
            RSH32_X => narrow_x!(rsh),
            MOD32_K => narrow_k!(rem),
            MOD32_X => narrow_x!(rem),
            extra::SMOD32_K => narrow_k!(srem),
            extra::SMOD32_X => narrow_x!(srem),
            XOR32_K => narrow_k!(xor),
            XOR32_X => narrow_x!(xor),
            MOV32_K => narrow_k!(mov),
            MOV32_X => narrow_x!(mov),
            ARSH32_K => narrow_k!(arsh),
            ARSH32_X => narrow_x!(arsh),
            NEG32 => registers[dst] = (registers[dst] as u32).wrapping_neg().into(),

            extra::MOVSX8_64 => registers[dst] = registers[src] as i8 as u64,
            extra::MOVSX16_64 => registers[dst] = registers[src] as i16 as u64,
            extra::MOVSX32_64 => registers[dst] = registers[src] as i32 as u64,
            extra::MOVSX8_32 => registers[dst] = (registers[src] as i8 as u32).into(),
            extra::MOVSX16_32 => registers[dst] = (registers[src] as i16 as u32).into(),
            extra::TO_LE16 => registers[dst] &= 0xffff,
            extra::TO_LE32 => registers[dst] &= 0xffff_ffff,
            extra::TO_LE64 => {}
            extra::TO_BE16 => registers[dst] = (registers[dst] as u16).swap_bytes().into(),
            extra::TO_BE32 => registers[dst] = (registers[dst] as u32).swap_bytes().into(),
            extra::TO_BE64 => registers[dst] = registers[dst].swap_bytes(),

            LDDW => {
                registers[dst] = op.imm;
                pc += 1;
            }
            LDX_B => load!(u8),
            LDX_H => load!(u16),
            LDX_W => load!(u32),
            LDX_DW => load!(u64),
            LDXS_B => load!(i8),
            LDXS_H => load!(i16),
            LDXS_W => load!(i32),
            ST_B => store!(u8, op.imm),
            ST_H => store!(u16, op.imm),
            ST_W => store!(u32, op.imm),
            ST_DW => store!(u64, op.imm),
            STX_B => store!(u8, registers[src]),
            STX_H => store!(u16, registers[src]),
            STX_W => store!(u32, registers[src]),
            STX_DW => store!(u64, registers[src]),
            ATOMIC_W | ATOMIC_DW => check!(change(op, &mut registers, &mut services.memory)),

            extra::GOTO => pc = op.offset as usize,
            JEQ64_K => if_wide_k!(eq),
            JEQ64_X => if_wide_x!(eq),
            JNE64_K => if_wide_k!(ne),
            JNE64_X => if_wide_x!(ne),
            JGT64_K => if_wide_k!(gt),
            JGT64_X => if_wide_x!(gt),
            JGE64_K => if_wide_k!(ge),
            JGE64_X => if_wide_x!(ge),
            JLT64_K => if_wide_k!(lt),
            JLT64_X => if_wide_x!(lt),
            JLE64_K => if_wide_k!(le),
            JLE64_X => if_wide_x!(le),
            JSET64_K => if_wide_k!(set),
            JSET64_X => if_wide_x!(set),
            JSGT64_K => if_wide_k!(sgt),
            JSGT64_X => if_wide_x!(sgt),
            JSGE64_K => if_wide_k!(sge),
            JSGE64_X => if_wide_x!(sge),
            JSLT64_K => if_wide_k!(slt),
            JSLT64_X => if_wide_x!(slt),
            JSLE64_K => if_wide_k!(sle),
            JSLE64_X => if_wide_x!(sle),
            JEQ32_K => if_narrow_k!(eq),
            JEQ32_X => if_narrow_x!(eq),
            JNE32_K => if_narrow_k!(ne),
            JNE32_X => if_narrow_x!(ne),
            JGT32_K => if_narrow_k!(gt),
            JGT32_X => if_narrow_x!(gt),
            JGE32_K => if_narrow_k!(ge),
            JGE32_X => if_narrow_x!(ge),
            JLT32_K => if_narrow_k!(lt),
            JLT32_X => if_narrow_x!(lt),
            JLE32_K => if_narrow_k!(le),
            JLE32_X => if_narrow_x!(le),
            JSET32_K => if_narrow_k!(set),
            JSET32_X => if_narrow_x!(set),
            JSGT32_K => if_narrow_k!(sgt),
            JSGT32_X => if_narrow_x!(sgt),
            JSGE32_K => if_narrow_k!(sge),
            JSGE32_X => if_narrow_x!(sge),
            JSLT32_K => if_narrow_k!(slt),
            JSLT32_X => if_narrow_x!(slt),
            JSLE32_K => if_narrow_k!(sle),
            JSLE32_X => if_narrow_x!(sle),

            extra::CALL_NATIVE => {
                let native = code.natives[op.imm as usize].function;
                registers[0] = check!(native(services, arguments(&registers)));
            }
            extra::CALL_REMOTE => {
                let helper = &code.remotes[op.imm as usize];
                registers[0] = check!(remote::call(helper, services, arguments(&registers)));
            }
            extra::CALL_LOCAL => {
                if depth + 1 == MAX_CALL_FRAMES {
                    fail!(too_deep());
                }
                callers[depth] = Caller {
                    pc,
                    saved: [registers[6], registers[7], registers[8], registers[9]],
                };
                depth += 1;
                registers[10] -= STACK_FRAME_SIZE as u64;
                open_frame(services, stack, depth);
                pc = op.offset as usize;
            }
            EXIT => {
                if depth == 0 {
                    return Ok(registers[0]);
                }
                depth -= 1;
                let caller = callers[depth];
                registers[6..10].copy_from_slice(&caller.saved);
                registers[10] += STACK_FRAME_SIZE as u64;
                services.memory.stack = frames(stack, depth);
                pc = caller.pc;
            }
            other => fail!(Fault::failed(format!("opcode 0x{other:02x} cannot run"))),
        }
    }
}

const _: () = assert!(
    CALL & 7 == class::JMP,
    "calls are lowered, never dispatched"
);

fn arguments(registers: &[u64; 16]) -> [u64; 5] {
    [
        registers[1],
        registers[2],
        registers[3],
        registers[4],
        registers[5],
    ]
}

/// The stack from the frame of the innermost function up.
fn frames(stack: &mut Stack, depth: usize) -> Region {
    let start = (MAX_CALL_FRAMES - 1 - depth) * STACK_FRAME_SIZE;
    Region::of(&mut stack.0[start..])
}

/// Give a function its frame, cleared: no run sees what another one left.
fn open_frame(services: &mut Services<'_>, stack: &mut Stack, depth: usize) {
    let start = (MAX_CALL_FRAMES - 1 - depth) * STACK_FRAME_SIZE;
    stack.0[start..start + STACK_FRAME_SIZE].fill(0);
    services.memory.stack = frames(stack, depth);
}

#[cold]
pub fn too_deep() -> Fault {
    Fault::failed("more than 8 functions are active at once")
}

/// Atomic instructions: the change is `memory`'s, its result a register's.
fn change(op: &Op, registers: &mut [u64; 16], memory: &mut Memory<'_>) -> Result<(), Fault> {
    let address = registers[usize::from(op.dst & 15)].wrapping_add_signed(op.offset.into());
    let src = usize::from(op.src & 15);
    let change = Change {
        operation: op.imm as i32,
        operand: registers[src],
        expected: registers[0],
    };
    let before = if op.code == ATOMIC_W {
        memory.change32(address, change)?
    } else {
        memory.change64(address, change)?
    };
    match change.operation {
        atomic::CMPXCHG => registers[0] = before,
        operation if operation & atomic::FETCH != 0 => registers[src] = before,
        _ => {}
    }
    Ok(())
}
