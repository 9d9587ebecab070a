//! What becomes of a map whose file was cut off: zeros, instead of the end of this process.
//!
//! Whoever has a map's file can shorten it, unless it is a memfd, which is sealed.  The first touch
//! of a page without a file raises SIGBUS, whose default is to end the process.  Of our mappings
//! such a page is replaced by an empty one of this process's own: the map is damaged then, which
//! its owner has done, and everything else goes on.  Any other SIGBUS goes where it went before.
//!
//! Sound because: the handler calls only what may be called in one, reads a table of atomics that
//! is never freed, and replaces a page of a mapping that is ours and has just been touched.

use std::sync::Once;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::backing::PAGE;

/// Mappings in one piece of the table; pieces are added, and stay.
const PLACES: usize = 512;

static FIRST: Piece = Piece::new();
static INSTALLED: Once = Once::new();
/// What SIGBUS did before.
static BEFORE: AtomicPtr<libc::sigaction> = AtomicPtr::new(std::ptr::null_mut());

/// One mapping: its length, then its base; 0: nobody's.
struct Place {
    base: AtomicUsize,
    length: AtomicUsize,
}

struct Piece {
    places: [Place; PLACES],
    next: AtomicPtr<Piece>,
}

impl Piece {
    const fn new() -> Self {
        Self {
            places: [const {
                Place {
                    base: AtomicUsize::new(0),
                    length: AtomicUsize::new(0),
                }
            }; PLACES],
            next: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    fn after(&self) -> Option<&'static Self> {
        // SAFETY: pieces are leaked, so a pointer to one is good for ever.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    /// The piece behind this one, made if there is none.
    fn grown(&self) -> &'static Self {
        if let Some(next) = self.after() {
            return next;
        }
        let made = Box::into_raw(Box::new(Self::new()));
        let null = std::ptr::null_mut();
        match self
            .next
            .compare_exchange(null, made, Ordering::AcqRel, Ordering::Acquire)
        {
            // SAFETY: just made, and leaked.
            Ok(_) => unsafe { &*made },
            Err(other) => {
                // SAFETY: ours alone still; the other one is leaked.
                unsafe {
                    drop(Box::from_raw(made));
                    &*other
                }
            }
        }
    }
}

/// A mapping that is guarded while this lives.
pub struct Guarded(&'static Place);

/// Guard a mapping of a file.
pub fn guard(base: usize, length: usize) -> Guarded {
    INSTALLED.call_once(install);
    let mut piece = &FIRST;
    loop {
        for place in &piece.places {
            let free = place
                .base
                .compare_exchange(0, base, Ordering::AcqRel, Ordering::Relaxed);
            if free.is_ok() {
                place.length.store(length, Ordering::Release);
                return Guarded(place);
            }
        }
        piece = piece.grown();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.0.length.store(0, Ordering::Release);
        self.0.base.store(0, Ordering::Release);
    }
}

fn is_guarded(address: usize) -> bool {
    let mut piece = Some(&FIRST);
    while let Some(each) = piece {
        let inside = |place: &Place| {
            let length = place.length.load(Ordering::Acquire);
            address.wrapping_sub(place.base.load(Ordering::Acquire)) < length
        };
        if each.places.iter().any(inside) {
            return true;
        }
        piece = each.after();
    }
    false
}

fn install() {
    // SAFETY: all zero is a valid `sigaction`; the handler has the signature that the flags say.
    unsafe {
        let mut wanted: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = touched;
        wanted.sa_sigaction = handler as usize;
        wanted.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        let before = Box::into_raw(Box::new(std::mem::zeroed()));
        if libc::sigaction(libc::SIGBUS, std::ptr::null(), before) == 0 {
            BEFORE.store(before, Ordering::Release);
            libc::sigaction(libc::SIGBUS, &raw const wanted, std::ptr::null_mut());
        }
    }
}

extern "C" fn touched(_: libc::c_int, about: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel fills the information, which for SIGBUS has an address.
    let address = unsafe { (*about).si_addr() } as usize;
    if is_guarded(address) && fill(address & !(PAGE - 1)) {
        return;
    }
    // Touched again, it ends as it would have without us.
    let before = BEFORE.load(Ordering::Acquire);
    // SAFETY: what was there before is put back.
    unsafe { libc::sigaction(libc::SIGBUS, before, std::ptr::null_mut()) };
}

/// Put an empty page in place of one that has no file.
fn fill(page: usize) -> bool {
    // SAFETY: see the module; who was interrupted finds its `errno` as it was.
    unsafe {
        let errno = *libc::__errno_location();
        let done = libc::mmap(
            page as *mut libc::c_void,
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        );
        *libc::__errno_location() = errno;
        done != libc::MAP_FAILED
    }
}
