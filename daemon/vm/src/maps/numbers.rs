//! The numbers of threads, small and used again: each has its slot in every epoch domain.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use super::epoch::SHARED_SLOT;

/// Bit per slot number that a thread holds.
static NUMBERS: Mutex<u64> = Mutex::new(0);

/// This thread's number.
#[inline]
pub fn own() -> usize {
    NUMBER.with(Number::get)
}

/// The slot number of a thread, its own for as long as it runs.
struct Number(Cell<usize>);

thread_local! {
    static NUMBER: Number = const { Number(Cell::new(usize::MAX)) };
}

impl Number {
    #[inline]
    fn get(&self) -> usize {
        match self.0.get() {
            usize::MAX => self.take(),
            number => number,
        }
    }

    #[cold]
    fn take(&self) -> usize {
        let mut taken = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (taken.trailing_ones() as usize).min(SHARED_SLOT);
        *taken |= 1 << number;
        self.0.set(number);
        number
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let number = self.0.get();
        if number < SHARED_SLOT {
            let mut taken = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
            *taken &= !(1 << number);
        }
    }
}
