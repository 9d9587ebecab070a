//! What the instructions compute, as plain functions (RFC 9669 section 4).
//!
//! Division by zero gives 0, a remainder by zero the dividend, and the smallest
//! number divided by -1 is itself: nothing here can trap.  Shift counts are
//! taken modulo the width.  32-bit results are zero-extended by the caller.

macro_rules! arithmetic {
    ($module:ident, $unsigned:ty, $signed:ty) => {
        pub mod $module {
            type U = $unsigned;
            type S = $signed;

            #[inline(always)]
            pub fn add(a: U, b: U) -> U {
                a.wrapping_add(b)
            }
            #[inline(always)]
            pub fn sub(a: U, b: U) -> U {
                a.wrapping_sub(b)
            }
            #[inline(always)]
            pub fn mul(a: U, b: U) -> U {
                a.wrapping_mul(b)
            }
            #[inline(always)]
            pub fn div(a: U, b: U) -> U {
                a.checked_div(b).unwrap_or(0)
            }
            #[inline(always)]
            pub fn sdiv(a: U, b: U) -> U {
                if b == 0 {
                    0
                } else {
                    (a as S).wrapping_div(b as S) as U
                }
            }
            #[inline(always)]
            pub fn rem(a: U, b: U) -> U {
                a.checked_rem(b).unwrap_or(a)
            }
            #[inline(always)]
            pub fn srem(a: U, b: U) -> U {
                if b == 0 {
                    a
                } else {
                    (a as S).wrapping_rem(b as S) as U
                }
            }
            #[inline(always)]
            pub fn or(a: U, b: U) -> U {
                a | b
            }
            #[inline(always)]
            pub fn and(a: U, b: U) -> U {
                a & b
            }
            #[inline(always)]
            pub fn xor(a: U, b: U) -> U {
                a ^ b
            }
            #[inline(always)]
            pub fn mov(_: U, b: U) -> U {
                b
            }
            #[inline(always)]
            pub fn lsh(a: U, b: U) -> U {
                a.wrapping_shl(b as u32)
            }
            #[inline(always)]
            pub fn rsh(a: U, b: U) -> U {
                a.wrapping_shr(b as u32)
            }
            #[inline(always)]
            pub fn arsh(a: U, b: U) -> U {
                (a as S).wrapping_shr(b as u32) as U
            }

            #[inline(always)]
            pub fn eq(a: U, b: U) -> bool {
                a == b
            }
            #[inline(always)]
            pub fn ne(a: U, b: U) -> bool {
                a != b
            }
            #[inline(always)]
            pub fn gt(a: U, b: U) -> bool {
                a > b
            }
            #[inline(always)]
            pub fn ge(a: U, b: U) -> bool {
                a >= b
            }
            #[inline(always)]
            pub fn lt(a: U, b: U) -> bool {
                a < b
            }
            #[inline(always)]
            pub fn le(a: U, b: U) -> bool {
                a <= b
            }
            #[inline(always)]
            pub fn set(a: U, b: U) -> bool {
                a & b != 0
            }
            #[inline(always)]
            pub fn sgt(a: U, b: U) -> bool {
                a as S > b as S
            }
            #[inline(always)]
            pub fn sge(a: U, b: U) -> bool {
                a as S >= b as S
            }
            #[inline(always)]
            pub fn slt(a: U, b: U) -> bool {
                (a as S) < b as S
            }
            #[inline(always)]
            pub fn sle(a: U, b: U) -> bool {
                a as S <= b as S
            }
        }
    };
}

arithmetic!(wide, u64, i64);
arithmetic!(narrow, u32, i32);

#[cfg(test)]
mod tests {
    use super::*;

    /// Unsigned and signed division and remainder never trap.
    #[test]
    fn division_is_total() {
        assert_eq!(0, wide::div(7, 0));
        assert_eq!(7, wide::rem(7, 0));
        assert_eq!(0, narrow::sdiv(7, 0));
        assert_eq!(7, narrow::srem(7, 0));
        assert_eq!(i64::MIN as u64, wide::sdiv(i64::MIN as u64, u64::MAX));
        assert_eq!(0, wide::srem(i64::MIN as u64, u64::MAX));
        assert_eq!(i32::MIN as u32, narrow::sdiv(i32::MIN as u32, u32::MAX));
    }

    /// Shift counts wrap at the width of the operation.
    #[test]
    fn shift_counts_are_masked() {
        assert_eq!(2, wide::lsh(1, 65));
        assert_eq!(2, narrow::lsh(1, 33));
        assert_eq!(u64::MAX, wide::arsh(u64::MAX, 64 + 3));
    }
}
