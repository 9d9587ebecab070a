//! The oracle itself: at full width it is what the executors compute.

use super::subject::number;
use super::{COMPARISONS, OPERATIONS};
use crate::exec::arith::{narrow, wide};
use crate::fixtures::Random;
use crate::verifier::domain::concrete::{compared, concrete};
use crate::verifier::domain::{Arithmetic, Comparison};

macro_rules! oracle {
    ($operation:ident, $comparison:ident, $module:ident, $unsigned:ty) => {
        fn $operation(op: Arithmetic, a: $unsigned, b: $unsigned) -> $unsigned {
            match op {
                Arithmetic::Add => $module::add(a, b),
                Arithmetic::Sub => $module::sub(a, b),
                Arithmetic::Mul => $module::mul(a, b),
                Arithmetic::Div => $module::div(a, b),
                Arithmetic::SDiv => $module::sdiv(a, b),
                Arithmetic::Mod => $module::rem(a, b),
                Arithmetic::SMod => $module::srem(a, b),
                Arithmetic::Or => $module::or(a, b),
                Arithmetic::And => $module::and(a, b),
                Arithmetic::Xor => $module::xor(a, b),
                Arithmetic::Lsh => $module::lsh(a, b),
                Arithmetic::Rsh => $module::rsh(a, b),
                Arithmetic::Arsh => $module::arsh(a, b),
                Arithmetic::Neg => $module::sub(0, a),
            }
        }

        fn $comparison(op: Comparison, a: $unsigned, b: $unsigned) -> bool {
            match op {
                Comparison::Eq => $module::eq(a, b),
                Comparison::Ne => $module::ne(a, b),
                Comparison::Gt => $module::gt(a, b),
                Comparison::Ge => $module::ge(a, b),
                Comparison::Lt => $module::lt(a, b),
                Comparison::Le => $module::le(a, b),
                Comparison::SGt => $module::sgt(a, b),
                Comparison::SGe => $module::sge(a, b),
                Comparison::SLt => $module::slt(a, b),
                Comparison::SLe => $module::sle(a, b),
                Comparison::Set => $module::set(a, b),
            }
        }
    };
}

oracle!(wide_operation, wide_comparison, wide, u64);
oracle!(narrow_operation, narrow_comparison, narrow, u32);

/// The domain's idea of an instruction is the interpreter's.
#[test]
fn concrete_operations_are_those_of_the_executors() {
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let (a, b) = (number::<64, 32>(&mut random), number::<64, 32>(&mut random));
        let (low_a, low_b) = (a as u32, b as u32);
        for op in OPERATIONS {
            assert_eq!(wide_operation(op, a, b), concrete::<64>(op, a, b));
            let narrow = concrete::<32>(op, u64::from(low_a), u64::from(low_b));
            assert_eq!(u64::from(narrow_operation(op, low_a, low_b)), narrow);
        }
    }
}

/// So is its idea of a comparison.
#[test]
fn concrete_comparisons_are_those_of_the_executors() {
    let mut random = Random::new(2);
    for _ in 0..20_000 {
        let (a, b) = (number::<64, 32>(&mut random), number::<64, 32>(&mut random));
        let (low_a, low_b) = (a as u32, b as u32);
        for op in COMPARISONS {
            assert_eq!(wide_comparison(op, a, b), compared::<64>(op, a, b));
            let narrow = compared::<32>(op, u64::from(low_a), u64::from(low_b));
            assert_eq!(narrow_comparison(op, low_a, low_b), narrow);
        }
    }
}
