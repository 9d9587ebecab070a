//! Loads, stores and copies of memory that programs may be changing meanwhile.
//!
//! Sound because: callers pass addresses that lie with all their bytes inside
//! live memory that programs may use.  That memory holds plain bytes with no
//! invalid pattern.  Programs race on map values by design, as on every eBPF
//! run time, so each access is volatile: the compiler may neither invent nor
//! repeat it, and a torn copy is a legal result.  Alignment is not required.

/// A number without alignment.
#[repr(C, packed)]
#[derive(Clone, Copy)]
struct Packed<T: Copy>(T);

const WORD: usize = size_of::<u64>();

/// Read a number.
///
/// # Safety
/// All bytes of a `T` at `address` lie in memory that programs may use.
#[inline(always)]
pub unsafe fn load<T: Copy>(address: u64) -> T {
    // SAFETY: the caller's promise; `Packed` has no alignment.
    unsafe { (address as *const Packed<T>).read_volatile().0 }
}

/// Write a number.
///
/// # Safety
/// As for [`load`], and programs may write there.
#[inline(always)]
pub unsafe fn store<T: Copy>(address: u64, value: T) {
    // SAFETY: the caller's promise; `Packed` has no alignment.
    unsafe { (address as *mut Packed<T>).write_volatile(Packed(value)) }
}

/// The `size` bytes at `address`.
///
/// # Safety
/// As for [`load`], for `size` bytes.
pub unsafe fn copy_out(address: usize, size: usize) -> Vec<u8> {
    let mut copy = Vec::with_capacity(size);
    let mut at = 0;
    while at + WORD <= size {
        // SAFETY: the caller's promise.
        let word: u64 = unsafe { load((address + at) as u64) };
        copy.extend_from_slice(&word.to_ne_bytes());
        at += WORD;
    }
    while at < size {
        // SAFETY: the caller's promise.
        copy.push(unsafe { load((address + at) as u64) });
        at += 1;
    }
    copy
}

/// Write `bytes` to `address`.
///
/// # Safety
/// As for [`store`], for all of `bytes`.
pub unsafe fn copy_in(address: usize, bytes: &[u8]) {
    let mut at = address as u64;
    let mut words = bytes.chunks_exact(WORD);
    for word in &mut words {
        let mut copy = [0; WORD];
        copy.copy_from_slice(word);
        // SAFETY: the caller's promise.
        unsafe { store(at, u64::from_ne_bytes(copy)) };
        at += WORD as u64;
    }
    for byte in words.remainder() {
        // SAFETY: the caller's promise.
        unsafe { store(at, *byte) };
        at += 1;
    }
}

/// Whether `bytes` are what lies at `address`.
///
/// # Safety
/// As for [`load`], for as many bytes.
#[inline]
pub unsafe fn equal(address: usize, bytes: &[u8]) -> bool {
    // The sizes that most keys have are one comparison.
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        match *bytes {
            [a, b, c, d] => load::<u32>(address as u64) == u32::from_ne_bytes([a, b, c, d]),
            [a, b, c, d, e, f, g, h] => {
                load::<u64>(address as u64) == u64::from_ne_bytes([a, b, c, d, e, f, g, h])
            }
            _ => {
                let mut words = bytes.chunks_exact(WORD);
                let mut at = address as u64;
                for word in &mut words {
                    let mut copy = [0; WORD];
                    copy.copy_from_slice(word);
                    if load::<u64>(at) != u64::from_ne_bytes(copy) {
                        return false;
                    }
                    at += WORD as u64;
                }
                let mut rest = words.remainder().iter().zip(at..);
                rest.all(|(byte, at)| load::<u8>(at) == *byte)
            }
        }
    }
}
