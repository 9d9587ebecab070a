//! A context in engine memory, behind the header that programs never see.
//!
//! ```text
//!   | header, 64 bytes            | context                    |
//!   | state | descriptor | zeros  |  r1 points to its start    |
//! ```
//!
//! The header has the layout of eBPF for Windows, whose helpers find the
//! execution state through it.  This engine keeps it zero: its helpers get the
//! state as an argument.

use super::copy::{copy, equal};
use super::input::Item;
use crate::contract::{ContextDescriptor, POINTER_SIZE, ProgramInformation};

const HEADER_SIZE: usize = size_of::<Line>();

/// Where data lies that has no bytes.
///
/// For a slice without bytes Rust may use any address, such as 1.  But programs compare
/// pointers less a constant, and the verifier relies on that this does not wrap.
static NOWHERE: [u8; 1] = [0];
const LOWEST: u64 = 1 << 16;

/// Contexts begin where a line of the cache does: so a small one lies in one line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Room for one context, used for one after the other.
pub struct ContextBlock {
    lines: Vec<Line>,
    size: usize,
}

impl ContextBlock {
    pub fn new(size: usize) -> Self {
        Self {
            lines: vec![Line([0; 64]); (HEADER_SIZE + size).div_ceil(64)],
            size,
        }
    }

    #[inline]
    pub fn content(&self) -> &[u8] {
        let length = size_of_val(self.lines.as_slice());
        // SAFETY: the lines own `length` bytes, and bytes need no alignment.
        let all = unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), length) };
        &all[HEADER_SIZE..HEADER_SIZE + self.size]
    }

    #[inline]
    pub fn bytes(&mut self) -> &mut [u8] {
        let length = size_of_val(self.lines.as_slice());
        let base = self.lines.as_mut_ptr().cast::<u8>();
        // SAFETY: the lines own `length` bytes, and bytes need no alignment.
        let all = unsafe { std::slice::from_raw_parts_mut(base, length) };
        &mut all[HEADER_SIZE..HEADER_SIZE + self.size]
    }

    /// Take over the caller's context, which may be longer; its pointers are still to be set.
    #[inline]
    pub fn load(&mut self, source: &[u8]) {
        let size = self.size;
        copy(self.bytes(), &source[..size]);
    }

    /// Set the pointers; `base` is the address of the batch's data.
    pub fn point(&mut self, descriptor: &ContextDescriptor, base: u64, item: Item) {
        let base = match base < LOWEST {
            true => NOWHERE.as_ptr() as u64,
            false => base,
        };
        let start = base + item.start as u64;
        let fields = [
            (descriptor.data, start + item.meta as u64),
            (descriptor.end, start + item.length as u64),
            (descriptor.meta, start),
        ];
        for (field, address) in fields {
            if let Some(offset) = ContextDescriptor::pointer(field) {
                self.bytes()[offset..offset + POINTER_SIZE].copy_from_slice(&address.to_le_bytes());
            }
        }
    }

    /// Whether a context is what [`Self::store`] would make of it.
    #[inline]
    pub fn matches(&self, target: &[u8], writable: &[(usize, usize)]) -> bool {
        let own = self.content();
        writable.iter().all(|(offset, size)| {
            let range = *offset..offset + size;
            equal(&own[range.clone()], &target[range])
        })
    }

    /// Bring back what the contract lets a program write.
    #[inline]
    pub fn store(&self, target: &mut [u8], writable: &[(usize, usize)]) {
        let own = self.content();
        for (offset, size) in writable {
            let range = *offset..offset + size;
            copy(&mut target[range.clone()], &own[range]);
        }
    }
}

/// The writable ranges of a program type without the bytes of its pointers, as few as possible.
pub fn writable_ranges(information: &ProgramInformation) -> Vec<(usize, usize)> {
    let mut ranges = without_pointers(information);
    ranges.sort_unstable();
    // Each range is a copy after each run: those that touch are one.
    ranges.dedup_by(|next, last| {
        let end = last.0 + last.1;
        let touches = next.0 <= end;
        if touches {
            last.1 = end.max(next.0 + next.1) - last.0;
        }
        touches
    });
    ranges
}

fn without_pointers(information: &ProgramInformation) -> Vec<(usize, usize)> {
    let mut pointers: Vec<usize> = information.context.pointers().collect();
    pointers.sort_unstable();
    let mut ranges = Vec::new();
    for (offset, size) in &information.writable {
        let (mut start, end) = (*offset, offset + size);
        for pointer in &pointers {
            if *pointer < end && pointer + POINTER_SIZE > start {
                if start < *pointer {
                    ranges.push((start, pointer - start));
                }
                start = pointer + POINTER_SIZE;
            }
        }
        if start < end {
            ranges.push((start, end - start));
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::writable_ranges;
    use crate::fixtures::sample;

    /// What a contract calls writable never includes the bytes of a pointer.
    #[test]
    fn pointers_are_never_writable() {
        let mut information = sample();
        information.context.data = 4;
        information.context.end = 12;
        information.writable = vec![(0, 32), (16, 8)];
        assert_eq!(vec![(0, 4), (20, 12)], writable_ranges(&information));
    }

    /// Fields beside each other come back in one piece; a gap between them does not come along.
    #[test]
    fn ranges_that_touch_are_one() {
        let mut information = sample();
        information.writable = vec![(24, 4), (16, 4), (20, 2), (28, 4), (20, 1)];
        assert_eq!(vec![(16, 6), (24, 8)], writable_ranges(&information));
    }
}
