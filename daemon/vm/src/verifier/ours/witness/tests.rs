use super::super::super::domain::{Arithmetic, Comparison};
use super::graph::{Graph, Shape, Variable, low};
use super::solve::{negated, solve, swapped, values};
use crate::exec::arith::{narrow, wide};
use crate::fixtures::{Random, assembled, sample};
use crate::isa::{CALL, EXIT, FRAME_POINTER, Insn, SOURCE_REGISTER, alu, class, mem};
use crate::verifier::Case;
use crate::verifier::ours::{Limits, Outcome, explore};

use Arithmetic::*;

const OPERATIONS: [Arithmetic; 12] = [Add, Sub, Mul, Div, Mod, Or, And, Xor, Lsh, Rsh, Arsh, Neg];
const COMPARISONS: [Comparison; 11] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Gt,
    Comparison::Ge,
    Comparison::Lt,
    Comparison::Le,
    Comparison::SGt,
    Comparison::SGe,
    Comparison::SLt,
    Comparison::SLe,
    Comparison::Set,
];

/// What the interpreter computes.
fn computed(op: Arithmetic, is_wide: bool, a: u64, b: u64) -> u64 {
    macro_rules! both {
        ($name:ident) => {
            match is_wide {
                true => wide::$name(a, b),
                false => narrow::$name(a as u32, b as u32).into(),
            }
        };
    }
    match op {
        Add => both!(add),
        Sub => both!(sub),
        Mul => both!(mul),
        Div => both!(div),
        SDiv => both!(sdiv),
        Mod => both!(rem),
        SMod => both!(srem),
        Or => both!(or),
        And => both!(and),
        Xor => both!(xor),
        Lsh => both!(lsh),
        Rsh => both!(rsh),
        Arsh => both!(arsh),
        Neg if is_wide => a.wrapping_neg(),
        Neg => (a as u32).wrapping_neg().into(),
    }
}

/// A number of the extension's, combined with a constant, becomes what is wanted of it.
#[test]
fn operations_are_turned_round() {
    let mut random = Random::new(7);
    let mut solved = 0;
    for round in 0..20_000 {
        let op = OPERATIONS[round % OPERATIONS.len()];
        let is_wide = random.one_in(2);
        let (own, other, constant) = (random.number(), random.number(), random.number());
        let target = computed(op, is_wide, other, constant);
        let mut graph = Graph::default();
        let left = graph.add(Shape::Input(Variable::Answer(0)), own);
        let right = graph.fixed(constant);
        let shape = Shape::Binary {
            op,
            wide: is_wide,
            left,
            right,
        };
        let whole = graph.add(shape, computed(op, is_wide, own, constant));
        let Some(changes) = solve(&graph, whole, target) else {
            continue;
        };
        solved += 1;
        let found = changes.first().map_or(own, |(_, value)| *value);
        let result = computed(op, is_wide, found, constant);
        // The most significant bits of a shift or a product may be lost.
        let is_exact = !matches!(op, Arsh | Div);
        assert!(
            result == target || !is_exact,
            "{op:?} {found:#x} {constant:#x}"
        );
    }
    assert!(solved > 15_000, "{solved}");
}

/// A word of four bytes, swapped and masked, is traced back to its bytes.
#[test]
fn bytes_are_found() {
    let mut graph = Graph::default();
    let bytes = (0..4).map(|at| graph.add(Shape::Input(Variable::Data(at)), 0));
    let bytes = bytes.collect();
    let word = graph.add(Shape::Bytes(bytes), 0);
    let swapped = graph.add(Shape::Swapped { bits: 32, of: word }, 0);
    let mask = graph.fixed(0xfff0);
    let masked = graph.add(
        Shape::Binary {
            op: And,
            wide: true,
            left: swapped,
            right: mask,
        },
        0,
    );
    let changes = solve(&graph, masked, 0x1230);
    let expected = [(Variable::Data(2), 0x12), (Variable::Data(3), 0x30)];
    assert_eq!(Some(expected.to_vec()), changes);
    assert_eq!(None, solve(&graph, masked, 0x1231));
}

/// With no proposed value the opposite is true, nor is it seen from the other side.
#[test]
fn comparisons_get_values_that_hold() {
    let mut random = Random::new(11);
    for round in 0..20_000 {
        let op = COMPARISONS[round % COMPARISONS.len()];
        let bits = random.pick(&[32, 64]);
        let right = low(random.number(), bits);
        let found = values(op, bits, right);
        let (Some(opposite), Some(mirrored)) = (negated(op), negated(swapped(op))) else {
            continue;
        };
        for value in found {
            assert!(
                !values(opposite, bits, right).contains(&value),
                "{op:?} {value:#x}"
            );
            assert!(
                !values(mirrored, bits, value).contains(&right),
                "{op:?} {value:#x}"
            );
        }
    }
}

/// What an extension answers is chosen, too.
#[test]
fn answers_of_an_extension_are_found() {
    let operation = |operation, dst, src, imm| {
        let source = if src == 0 { 0 } else { SOURCE_REGISTER };
        Insn::new(class::ALU64 | operation | source, dst, src, 0, imm)
    };
    let code = [
        Insn::new(CALL, 0, 0, 0, 0x10003),
        operation(alu::MOV, 2, FRAME_POINTER, 0),
        Insn::new(class::ALU64 | alu::AND, 0, 0, 0, 15),
        operation(alu::ADD, 2, 0, -8),
        Insn::new(class::ALU64 | alu::ADD | SOURCE_REGISTER, 2, 0, 0, 0),
        Insn::new(class::LDX | mem::MEM | mem::B, 0, 2, 0, 0),
        Insn::new(EXIT, 0, 0, 0, 0),
    ];
    let (spec, information) = (assembled(&code, &[]), sample());
    let case = Case {
        program: &spec,
        maps: &[],
        information: &information,
    };
    let Outcome::Unsafe(violation) = explore(case, Limits::default()).outcome else {
        panic!("the offset is up to 7 behind the top of the stack");
    };
    let witness = super::witness(case, &violation).expect("an input");
    assert_eq!(5, witness.pc);
    let [answer] = witness.answers.as_slice() else {
        panic!("one answer: {:?}", witness.answers);
    };
    assert!(answer & 15 >= 8, "{answer}");
    assert_eq!(
        vec![format!("the extension answers {answer}")],
        witness.notes()
    );
}
