use super::*;
use crate::error::ResultCode;
use crate::exec::{Options, Program};
use crate::fixtures::{assembled, context, run, run_checked, run_on, sample};
use crate::isa::{atomic, jump, mem};

/// r0 of `insn` with r0 = `left` and r1 = `right`, all 64 bits of it.
fn compute(insn: Insn, left: u64, right: u64) -> u64 {
    let half = |shift: i32| {
        let mut code = Vec::new();
        code.extend(lddw(0, left));
        code.extend(lddw(1, right));
        code.extend([insn, alu64(alu::RSH, 0, shift), EXIT]);
        let test = run(&code);
        assert_eq!(0, test.code);
        u64::from(test.result)
    };
    half(0) | half(32) << 32
}

fn register(class: u8, operation: u8, offset: i16) -> Insn {
    Insn::new(class | operation | X, 0, 1, offset, 0)
}

/// Base and multiplication groups compute 64-bit results.
#[test]
fn wide_arithmetic_follows_the_rfc() {
    let cases = [
        (alu::ADD, 0, u64::MAX, 2, 1),
        (alu::SUB, 0, 1, 2, u64::MAX),
        (alu::MUL, 0, 1 << 63, 3, 1 << 63),
        (alu::DIV, 0, 7, 2, 3),
        (alu::DIV, 0, 7, 0, 0),
        (alu::DIV, 1, -7_i64 as u64, 2, -3_i64 as u64),
        (alu::DIV, 1, i64::MIN as u64, u64::MAX, i64::MIN as u64),
        (alu::MOD, 0, 7, 4, 3),
        (alu::MOD, 0, 7, 0, 7),
        (alu::MOD, 1, -7_i64 as u64, 2, -1_i64 as u64),
        (alu::MOD, 1, i64::MIN as u64, u64::MAX, 0),
        (alu::OR, 0, 5, 10, 15),
        (alu::AND, 0, 12, 10, 8),
        (alu::XOR, 0, 12, 10, 6),
        (alu::LSH, 0, 1, 65, 2),
        (alu::RSH, 0, u64::MAX, 63, 1),
        (alu::ARSH, 0, i64::MIN as u64, 63, u64::MAX),
        (alu::MOV, 0, 1, 9, 9),
        (alu::MOV, 8, 0, 0x80, -128_i64 as u64),
        (alu::MOV, 16, 0, 0x8000, -32768_i64 as u64),
        (alu::MOV, 32, 0, 0x8000_0000, i64::from(i32::MIN) as u64),
    ];
    for (operation, offset, left, right, expected) in cases {
        let insn = register(class::ALU64, operation, offset);
        assert_eq!(
            expected,
            compute(insn, left, right),
            "{operation:#x} {offset}"
        );
    }
}

/// 32-bit arithmetic uses the low halves and clears the high half.
#[test]
fn narrow_arithmetic_zero_extends() {
    let high = 0xdead_beef_0000_0000;
    let cases = [
        (alu::ADD, 0, high | 0xffff_ffff, 2, 1),
        (alu::SUB, 0, high, 1, 0xffff_ffff),
        (alu::MUL, 0, high | 0x8000_0000, 3, 0x8000_0000),
        (alu::DIV, 0, high | 7, high, 0),
        (alu::MOD, 0, high | 7, high, 7),
        (alu::DIV, 1, high | 0xffff_fff9, 2, 0xffff_fffd),
        (alu::DIV, 1, 0x8000_0000, 0xffff_ffff, 0x8000_0000),
        (alu::MOD, 1, 0xffff_fff9, 2, 0xffff_ffff),
        (alu::LSH, 0, high | 1, 33, 2),
        (alu::ARSH, 0, high | 0x8000_0000, 31, 0xffff_ffff),
        (alu::MOV, 0, 0, high | 5, 5),
        (alu::MOV, 8, 0, high | 0x80, 0xffff_ff80),
        (alu::MOV, 16, 0, high | 0x8000, 0xffff_8000),
    ];
    for (operation, offset, left, right, expected) in cases {
        let insn = register(class::ALU, operation, offset);
        assert_eq!(
            expected,
            compute(insn, left, right),
            "{operation:#x} {offset}"
        );
    }
}

/// Immediates are sign-extended to 64 bits.
#[test]
fn immediates_are_sign_extended() {
    assert_eq!(u64::MAX, compute(mov(0, -1), 0, 0));
    assert_eq!(u64::MAX - 1, compute(alu64(alu::ADD, 0, -1), u64::MAX, 0));
    assert_eq!(0, compute(alu64(alu::DIV, 0, -1), 5, 0));
    assert_eq!(
        0xffff_ffff,
        compute(Insn::new(class::ALU | alu::MOV, 0, 0, 0, -1), 0, 0)
    );
    let negate = Insn::new(class::ALU64 | alu::NEG, 0, 0, 0, 0);
    assert_eq!(u64::MAX, compute(negate, 1, 0));
    let negate = Insn::new(class::ALU | alu::NEG, 0, 0, 0, 0);
    assert_eq!(0xffff_ffff, compute(negate, 1, 0));
}

/// Byte swaps cut to their width; le only cuts, be and bswap swap.
#[test]
fn byte_swaps_follow_the_rfc() {
    let value = 0x1122_3344_5566_7788;
    let swap = |class: u8, source: u8, imm| Insn::new(class | alu::END | source, 0, 0, 0, imm);
    assert_eq!(0x7788, compute(swap(class::ALU, K, 16), value, 0));
    assert_eq!(0x5566_7788, compute(swap(class::ALU, K, 32), value, 0));
    assert_eq!(value, compute(swap(class::ALU, K, 64), value, 0));
    for (class, source) in [(class::ALU, X), (class::ALU64, K)] {
        assert_eq!(0x8877, compute(swap(class, source, 16), value, 0));
        assert_eq!(0x8877_6655, compute(swap(class, source, 32), value, 0));
        assert_eq!(
            value.swap_bytes(),
            compute(swap(class, source, 64), value, 0)
        );
    }
}

/// Conditions compare 64 or 32 bits, signed or not; immediates are sign-extended.
#[test]
fn jumps_follow_the_rfc() {
    let minus = u64::MAX;
    let cases = [
        (jump::JEQ, 1, 1, true),
        (jump::JNE, 1, 1, false),
        (jump::JGT, minus, 1, true),
        (jump::JGE, 1, 1, true),
        (jump::JLT, 1, minus, true),
        (jump::JLE, 2, 1, false),
        (jump::JSET, 6, 2, true),
        (jump::JSET, 6, 1, false),
        (jump::JSGT, minus, 1, false),
        (jump::JSGE, minus, minus, true),
        (jump::JSLT, minus, 1, true),
        (jump::JSLE, 1, minus, false),
    ];
    for (operation, left, right, expected) in cases {
        for class in [class::JMP, class::JMP32] {
            for (source, register, imm) in [(X, 2, 0), (K, 0, right as i32)] {
                let mut code = Vec::new();
                code.extend(lddw(1, left));
                code.extend(lddw(2, right));
                code.push(mov(0, 1));
                code.push(Insn::new(class | operation | source, 1, register, 1, imm));
                code.extend([mov(0, 0), EXIT]);
                let taken = run(&code).result == 1;
                assert_eq!(expected, taken, "{operation:#x} class {class}");
            }
        }
    }
    let high = [
        lddw(1, 1 << 32).to_vec(),
        vec![
            mov(0, 1),
            Insn::new(class::JMP32 | jump::JEQ, 1, 0, 1, 0),
            mov(0, 0),
            EXIT,
        ],
    ]
    .concat();
    assert_eq!(
        1,
        run(&high).result,
        "a 32-bit comparison ignores the high half"
    );
}

/// gotol takes its distance from the immediate.
#[test]
fn long_jumps_use_the_immediate() {
    let gotol = Insn::new(class::JMP32 | jump::JA, 0, 0, 0, 1);
    assert_eq!(7, run(&[mov(0, 7), gotol, mov(0, 8), EXIT]).result);
}

/// Loads extend with zeros or the sign, stores cut; all widths.
#[test]
fn loads_and_stores_have_four_widths() {
    let cases = [
        (mem::B, mem::MEM, 0xff),
        (mem::B, mem::MEMSX, 0xffff_ffff),
        (mem::H, mem::MEM, 0xfeff),
        (mem::H, mem::MEMSX, 0xffff_feff),
        (mem::W, mem::MEM, 0x80fd_feff),
        (mem::DW, mem::MEM, 0x80fd_feff),
    ];
    for (size, mode, expected) in cases {
        let code = [
            lddw(1, 0x1122_3344_80fd_feff).to_vec(),
            vec![
                Insn::new(class::STX | mem::MEM | mem::DW, 10, 1, -8, 0),
                Insn::new(class::LDX | mode | size, 0, 10, -8, 0),
                EXIT,
            ],
        ];
        assert_eq!(expected, run(&code.concat()).result);
    }
    for (size, expected) in [(mem::B, 0xfe), (mem::H, 0xfffe), (mem::W, 0xffff_fffe)] {
        let code = [
            Insn::new(class::ST | mem::MEM | size, 10, 0, -8, -2),
            Insn::new(class::LDX | mem::MEM | mem::DW, 0, 10, -8, 0),
            EXIT,
        ];
        assert_eq!(expected, run(&code).result);
    }
}

/// Atomic operations change memory and, with fetch, give what was there.
#[test]
fn atomics_follow_the_rfc() {
    // (operation, memory, r1, r0, memory afterwards, fetched into r1 or r0)
    let cases = [
        (atomic::ADD, 5, 3, 0, 8, None),
        (atomic::ADD | atomic::FETCH, 5, 3, 0, 8, Some(5)),
        (atomic::OR | atomic::FETCH, 5, 2, 0, 7, Some(5)),
        (atomic::AND | atomic::FETCH, 5, 4, 0, 4, Some(5)),
        (atomic::XOR | atomic::FETCH, 5, 1, 0, 4, Some(5)),
        (atomic::XCHG, 5, 9, 0, 9, Some(5)),
        (atomic::CMPXCHG, 5, 9, 5, 9, None),
        (atomic::CMPXCHG, 5, 9, 4, 5, None),
    ];
    for (operation, memory, operand, expected, after, fetched) in cases {
        for size in [mem::W, mem::DW] {
            let prefix = [
                Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -8, memory),
                mov(0, expected),
                mov(1, operand),
                Insn::new(class::STX | mem::ATOMIC | size, 10, 1, -8, operation),
            ];
            let load = Insn::new(class::LDX | mem::MEM | mem::DW, 0, 10, -8, 0);
            let result = |last: Insn| run(&[&prefix[..], &[last, EXIT]].concat()).result;
            assert_eq!(after, result(load));
            let fetch = Insn::new(class::ALU64 | alu::MOV | X, 0, 1, 0, 0);
            assert_eq!(fetched.unwrap_or(operand as u32), result(fetch));
            if operation == atomic::CMPXCHG {
                assert_eq!(memory as u32, result(alu64(alu::ADD, 0, 0)));
            }
        }
    }
}

/// An atomic access to a map value must be aligned; other memory no one shares.
#[test]
fn atomics_on_values_are_aligned() {
    let map = crate::spec::MapSpec {
        map_type: 2,
        key_size: 4,
        value_size: 32,
        max_entries: 1,
        ..crate::spec::MapSpec::default()
    };
    let run = |offset, size| {
        let code = [
            Insn::new(crate::isa::LDDW, 2, crate::isa::LDDW_MAP_VALUE, 0, 0),
            Insn::default(),
            mov(1, 1),
            Insn::new(class::STX | mem::ATOMIC | size, 2, 1, offset, 0),
            EXIT,
        ];
        let maps = crate::fixtures::live(std::slice::from_ref(&map));
        let program = crate::fixtures::ready(&assembled(&code, &[]), maps, Options::default());
        let test = program.test_run(&context(0, 0), b"", 0, 1);
        test.expect("valid input").code
    };
    let invalid = ResultCode::InvalidPointer as u8;
    assert_eq!([0, invalid], [8, 12].map(|offset| run(offset, mem::DW)));
    assert_eq!([0, invalid], [12, 13].map(|offset| run(offset, mem::W)));
}

/// Where a packet begins does not decide whether its program may change it atomically.
#[test]
fn atomics_work_at_any_place_of_private_memory() {
    let bases = [
        Insn::new(class::ALU64 | alu::MOV | X, 2, 10, 0, 0),
        Insn::new(class::LDX | mem::MEM | mem::DW, 2, 1, 0, 0),
    ];
    for (insn, offset) in [(bases[0], -13), (bases[1], 0), (bases[1], 1), (bases[1], 3)] {
        for size in [mem::W, mem::DW] {
            let code = [
                insn,
                mov(1, 0x0101),
                Insn::new(class::ST | mem::MEM | size, 2, 0, offset, 5),
                Insn::new(class::STX | mem::ATOMIC | size, 2, 1, offset, atomic::FETCH),
                Insn::new(class::LDX | mem::MEM | size, 0, 2, offset, 0),
                alu64(alu::LSH, 1, 16),
                Insn::new(class::ALU64 | alu::OR | X, 0, 1, 0, 0),
                EXIT,
            ];
            let test = run_on(&code, &[], &context(0, 0), &[0; 16]);
            assert_eq!((0, 0x0005_0106), (test.code, test.result));
        }
    }
}

/// Each function has its own 512 bytes of stack, and r6 to r9 survive a call.
#[test]
fn local_calls_save_registers_and_open_a_frame() {
    let code = [
        mov(6, 5),
        Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -8, 1),
        Insn::new(crate::isa::CALL, 0, crate::isa::CALL_LOCAL, 0, 3),
        Insn::new(class::LDX | mem::MEM | mem::DW, 1, 10, -8, 0),
        Insn::new(class::ALU64 | alu::ADD | X, 0, 6, 0, 0),
        EXIT,
        mov(6, 100),
        Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -8, 2),
        mov(0, 30),
        EXIT,
    ];
    let test = run_on(&code, &[6], &context(0, 0), b"");
    assert_eq!((0, 35), (test.code, test.result));
}

/// A ninth active function ends the invocation.
#[test]
fn recursion_ends_at_eight_frames() {
    let code = [
        Insn::new(crate::isa::CALL, 0, crate::isa::CALL_LOCAL, 0, 1),
        EXIT,
        Insn::new(crate::isa::CALL, 0, crate::isa::CALL_LOCAL, 0, -1),
        EXIT,
    ];
    let test = run_on(&code, &[2], &context(0, 0), b"");
    assert_eq!(ResultCode::Failed as u8, test.code);
}

/// Whatever an unverified program touches outside of its memory ends it.
#[test]
fn accesses_outside_are_invalid_pointers() {
    let load = |base, offset| Insn::new(class::LDX | mem::MEM | mem::W, 0, base, offset, 0);
    let store = |base, offset| Insn::new(class::ST | mem::MEM | mem::W, base, 0, offset, 1);
    let wild: [Vec<Insn>; 10] = [
        vec![load(10, 0), EXIT],
        vec![load(10, -3), EXIT],
        vec![load(10, -513), EXIT],
        vec![store(10, -516), EXIT],
        vec![load(1, 29), EXIT],
        vec![load(1, -4), EXIT],
        vec![load(1, -64), EXIT],
        vec![mov(2, 0), load(2, 0), EXIT],
        vec![mov(2, -1), store(2, 0), EXIT],
        vec![
            Insn::new(class::LDX | mem::MEM | mem::DW, 2, 1, 8, 0),
            load(2, 0),
            EXIT,
        ],
    ];
    for code in wild {
        assert_eq!(
            ResultCode::InvalidPointer as u8,
            run_checked(&code).code,
            "{code:?}"
        );
    }
}

/// Random but valid programs end in some way: no crash, no hang, no escape.
#[test]
fn any_valid_program_survives() {
    let mut state = 0x9876_5432_1234_5679_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut ran = 0;
    while ran < 300 {
        let mut code: Vec<Insn> = (0..24)
            .map(|_| {
                let bytes = random().to_le_bytes();
                let mut insn = Insn::from_bytes(bytes);
                insn.dst %= 10;
                insn.src %= 11;
                insn.offset %= 16;
                if random() % 4 == 0 {
                    insn.imm %= 64;
                }
                insn
            })
            .filter(|insn| {
                crate::isa::validate(&[*insn, EXIT], &[0]).is_ok() || insn.distance().is_some()
            })
            .filter(|insn| !insn.is_map_reference() && !insn.is_helper_call())
            .collect();
        code.extend([mov(0, 0), EXIT]);
        let spec = assembled(&code, &[]);
        let options = Options {
            budget: Some(2_000),
            ..Options::default()
        };
        let Ok(program) = Program::new(&spec, vec![], &sample(), options) else {
            continue;
        };
        ran += 1;
        let test = program
            .test_run(&context(3, 4), b"packet", 0, 1)
            .expect("valid input");
        assert!([0, 17, 31, 32].contains(&test.code));
    }
}
