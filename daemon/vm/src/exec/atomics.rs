//! Atomic instructions on memory that is checked (RFC 9669 section 5.3).
//!
//! They are sequentially consistent.  At an address that is no multiple of its
//! size one access need not be all, so that is only allowed where nobody else
//! can look: on the stack, in the context and in the data.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::fault::Fault;
use super::memory::Memory;
use crate::isa::atomic;

/// What an atomic instruction does with a place in memory.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub operation: i32,
    pub operand: u64,
    /// For a compare-and-exchange: what must be there.
    pub expected: u64,
}

macro_rules! change {
    ($name:ident, $on:ident, $get:ident, $cell:ty, $type:ty) => {
        impl Memory<'_> {
            /// Make the change; what was there before.
            #[inline(never)]
            pub(crate) fn $name(&mut self, address: u64, change: Change) -> Result<u64, Fault> {
                let size = size_of::<$type>() as u64;
                if address.is_multiple_of(size) || !self.is_private(address, size) {
                    return Ok($on(self.$get(address)?, change).into());
                }
                let cell = <$cell>::new(self.load(address)?);
                let before = $on(&cell, change);
                self.store(address, cell.into_inner())?;
                Ok(before.into())
            }
        }

        fn $on(cell: &$cell, change: Change) -> $type {
            let operand = change.operand as $type;
            if change.operation == atomic::CMPXCHG {
                let expected = change.expected as $type;
                let found = cell.compare_exchange(expected, operand, SeqCst, SeqCst);
                return found.unwrap_or_else(|found| found);
            }
            match change.operation & !atomic::FETCH {
                atomic::ADD => cell.fetch_add(operand, SeqCst),
                atomic::OR => cell.fetch_or(operand, SeqCst),
                atomic::AND => cell.fetch_and(operand, SeqCst),
                atomic::XOR => cell.fetch_xor(operand, SeqCst),
                _ => cell.swap(operand, SeqCst),
            }
        }
    };
}

change!(change32, on32, atomic32, AtomicU32, u32);
change!(change64, on64, atomic64, AtomicU64, u64);
