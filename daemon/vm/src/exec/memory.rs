//! What a program may touch: its stack, context and data, and map values.
//!
//! Registers hold real addresses, so every access is judged by the region that
//! holds its first byte, and must end there.  The last map value is kept: most
//! accesses to values come in groups.
//!
//! Sound because: the regions are live memory while an invocation runs (`session`
//! owns stack and context, and its owner keeps the data), a map's values live as
//! long as the map, and the pin is held, so no hash entry is reused.  Only an
//! access that `check` allowed is made, in the same call.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::fault::Fault;
use crate::maps::epoch::{self, Pin};
use crate::maps::{Map, bytes};

/// Bytes that a helper handles in about the time of one instruction.
const BYTES_PER_INSTRUCTION: u64 = 64;
/// Maps that are searched in about that time.
const MAPS_PER_INSTRUCTION: u64 = 8;
/// Bytes that are set at once.
const FILL_SIZE: usize = 4_096;

/// Bytes that programs may touch together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    pub base: u64,
    pub length: u64,
}

impl Region {
    pub fn of(bytes: &mut [u8]) -> Self {
        Self {
            base: bytes.as_mut_ptr() as u64,
            length: bytes.len() as u64,
        }
    }

    #[inline(always)]
    fn holds(self, address: u64, size: u64) -> bool {
        let offset = address.wrapping_sub(self.base);
        offset < self.length && self.length - offset >= size
    }
}

/// The memory of one invocation.
pub struct Memory<'r> {
    /// The frames of active functions: grows down with each local call.
    pub(super) stack: Region,
    context: Region,
    /// (offset, size) of what the program may not touch of its context.
    hidden: &'r [(usize, usize)],
    data: Region,
    value: Region,
    value_writable: bool,
    /// What was done beside instructions, counted in instructions; the budget bounds both.
    pub(crate) work: u64,
    pub(crate) budget: u64,
    maps: &'r [Arc<Map>],
    /// Maps that the program found in maps of maps.
    inner: Vec<&'r Map>,
    /// Of those among them that other processes may have.
    inner_pins: Vec<Pin<'r>>,
    /// The lane that the invocation has.
    lane: usize,
    pin: Pin<'r>,
}

impl<'r> Memory<'r> {
    /// Neither pinned nor with any data: see [`Self::repin`] and [`Self::set_data`].
    pub(super) fn new(
        context: &mut [u8],
        hidden: &'r [(usize, usize)],
        maps: &'r [Arc<Map>],
        lane: usize,
    ) -> Self {
        Self {
            stack: Region::default(),
            context: Region::of(context),
            hidden,
            data: Region::default(),
            value: Region::default(),
            value_writable: false,
            work: 0,
            budget: 0,
            maps,
            inner: Vec::new(),
            inner_pins: Vec::new(),
            lane,
            pin: Pin::of_nothing(),
        }
    }

    /// Forget what the last invocation found and did.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.work = 0;
        self.value.length = 0;
        self.inner.clear();
        self.inner_pins.clear();
    }

    /// Let go of everything that was found, and hold what `pin` gives from now on.
    ///
    /// The old pin ends before the new one begins: a pin inside of another one would end with it.
    #[inline]
    pub(super) fn repin(&mut self, pin: impl FnOnce() -> Pin<'r>) {
        self.let_go();
        self.pin = pin();
    }

    /// Let go of everything that was found, and hold nothing.
    #[inline]
    pub(super) fn let_go(&mut self) {
        self.begin();
        self.pin = Pin::of_nothing();
    }

    /// The data of the next invocation, which outlives it.
    #[inline]
    pub(super) fn set_data(&mut self, data: &mut [u8]) {
        self.data = Region::of(data);
    }

    /// Give the program all of `stack`: whoever does so must know that it stays in its frames.
    pub(crate) fn open_stack(&mut self, stack: &mut [u8]) {
        self.stack = Region::of(stack);
    }

    pub fn pin(&self) -> &Pin<'r> {
        &self.pin
    }

    /// Whether `address` is the context, as helpers demand it.
    pub fn is_context(&self, address: u64) -> bool {
        address == self.context.base
    }

    /// Fail unless `address` is the context: what helpers do that take it and need nothing of it.
    pub fn check_context(&self, address: u64) -> Result<(), Fault> {
        if self.is_context(address) {
            return Ok(());
        }
        Err(Fault::new(
            crate::error::ResultCode::InvalidPointer,
            format!("0x{address:x} is not the context"),
        ))
    }

    /// The bytes of the context as they are now.
    pub fn context(&mut self) -> Vec<u8> {
        let Region { base, length } = self.context;
        // SAFETY: the context's own region.
        unsafe { bytes::copy_out(base as usize, length as usize) }
    }

    pub fn lane(&self) -> usize {
        self.lane
    }

    pub(super) fn set_lane(&mut self, lane: usize) {
        self.lane = lane;
        self.value = Region::default();
    }

    /// Go on with the maps, and the budget, of another program, which a tail call leads to.
    pub(super) fn switch(&mut self, maps: &'r [Arc<Map>]) {
        self.maps = maps;
        self.inner.clear();
        self.value = Region::default();
        self.work = 0;
    }

    /// Which of the program's own maps a register refers to.
    pub fn map_index(&mut self, handle: u64) -> Result<(usize, &'r Arc<Map>), Fault> {
        self.work += self.maps.len() as u64 / MAPS_PER_INSTRUCTION;
        self.maps
            .iter()
            .enumerate()
            .find(|(_, map)| Arc::as_ptr(map) as u64 == handle)
            .ok_or_else(|| no_map(handle))
    }

    /// The map that a register refers to: the program's own, or one that it found in one.
    pub fn map(&mut self, handle: u64) -> Result<&'r Map, Fault> {
        self.work += (self.maps.len() + self.inner.len()) as u64 / MAPS_PER_INSTRUCTION;
        let own = self.maps.iter().map(|map| &**map);
        own.chain(self.inner.iter().copied())
            .find(|map| std::ptr::from_ref(*map) as u64 == handle)
            .ok_or_else(|| no_map(handle))
    }

    /// Remember a map that was found in a map of maps.
    pub fn found(&mut self, map: &'r Map) {
        self.work += self.inner.len() as u64 / MAPS_PER_INSTRUCTION;
        if !self.inner.iter().any(|known| std::ptr::eq(*known, map)) {
            self.inner.push(map);
            if let Some(domain) = map.shared_domain() {
                let pin = epoch::pin_with(std::slice::from_ref(domain));
                self.inner_pins.push(pin);
            }
        }
    }

    /// Whether these bytes belong to this invocation alone: no map value, no other thread.
    pub(super) fn is_private(&self, address: u64, size: u64) -> bool {
        [self.stack, self.data, self.context]
            .iter()
            .any(|region| region.holds(address, size))
    }

    /// Whether the program may read, or write, these bytes; `size` is not 0.
    #[inline(always)]
    fn check(&mut self, address: u64, size: u64, write: bool) -> Result<(), Fault> {
        if self.stack.holds(address, size)
            || self.data.holds(address, size)
            || self.context.holds(address, size) && !self.is_hidden(address, size)
            || self.value.holds(address, size) && (!write || self.value_writable)
        {
            return Ok(());
        }
        self.check_values(address, size, write)
    }

    /// Whether any of these bytes of the context are hidden.
    #[inline(always)]
    fn is_hidden(&self, address: u64, size: u64) -> bool {
        let (from, to) = (
            address - self.context.base,
            address - self.context.base + size,
        );
        let meets = |(offset, size): &(usize, usize)| {
            from < (offset + size) as u64 && (*offset as u64) < to
        };
        !self.hidden.is_empty() && self.hidden.iter().any(meets)
    }

    #[inline(never)]
    fn check_values(&mut self, address: u64, size: u64, write: bool) -> Result<(), Fault> {
        self.work += (self.maps.len() + self.inner.len()) as u64 / MAPS_PER_INSTRUCTION;
        let own = self.maps.iter().map(|map| &**map);
        for map in own.chain(self.inner.iter().copied()) {
            if let Some(range) = map.value_at(address as usize, self.lane) {
                self.value = Region {
                    base: range.address as u64,
                    length: range.size as u64,
                };
                self.value_writable = !map.read_only();
                if self.value.holds(address, size) && (!write || self.value_writable) {
                    return Ok(());
                }
            }
        }
        Err(Fault::memory(address, size, write))
    }

    #[inline(always)]
    pub(crate) fn load<T: Copy>(&mut self, address: u64) -> Result<T, Fault> {
        self.check(address, size_of::<T>() as u64, false)?;
        // SAFETY: checked.
        Ok(unsafe { bytes::load(address) })
    }

    #[inline(always)]
    pub(super) fn store<T: Copy>(&mut self, address: u64, value: T) -> Result<(), Fault> {
        self.check(address, size_of::<T>() as u64, true)?;
        // SAFETY: checked.
        unsafe { bytes::store(address, value) };
        Ok(())
    }

    /// The bytes that a helper reads; none for size 0, whatever the address.
    pub fn read(&mut self, address: u64, size: u64) -> Result<Vec<u8>, Fault> {
        if size == 0 {
            return Ok(Vec::new());
        }
        self.check(address, size, false)?;
        self.charge(size)?;
        // SAFETY: checked.
        Ok(unsafe { bytes::copy_out(address as usize, size as usize) })
    }

    /// The bytes that a helper reads, without a copy where nobody else can change them.
    ///
    /// The helper must not write before it has let go of them.
    pub fn borrow(&mut self, address: u64, size: u64) -> Result<Cow<'r, [u8]>, Fault> {
        let is_private = self.is_private(address, size) && self.hidden.is_empty();
        if size == 0 || !is_private {
            return self.read(address, size).map(Cow::Owned);
        }
        self.charge(size)?;
        // SAFETY: the invocation's own memory, which only the program and its helpers write.
        Ok(Cow::Borrowed(unsafe {
            std::slice::from_raw_parts(address as *const u8, size as usize)
        }))
    }

    /// Let a helper write; nothing happens for no bytes, whatever the address.
    pub fn write(&mut self, address: u64, data: &[u8]) -> Result<(), Fault> {
        self.check_writable(address, data.len() as u64)?;
        self.charge(data.len() as u64)?;
        // SAFETY: checked, or there is nothing to write.
        unsafe { bytes::copy_in(address as usize, data) };
        Ok(())
    }

    /// Let a helper set `size` bytes.
    pub fn fill(&mut self, address: u64, size: u64, byte: u8) -> Result<(), Fault> {
        self.check_writable(address, size)?;
        self.charge(size)?;
        let pattern = [byte; FILL_SIZE];
        for start in (0..size).step_by(FILL_SIZE) {
            let length = FILL_SIZE.min((size - start) as usize);
            // SAFETY: checked as a whole.
            unsafe { bytes::copy_in((address + start) as usize, &pattern[..length]) };
        }
        Ok(())
    }

    /// Count a helper's work on `size` bytes, before it is done: it may be gigabytes.
    pub fn charge(&mut self, size: u64) -> Result<(), Fault> {
        self.work = self.work.saturating_add(size / BYTES_PER_INSTRUCTION);
        if self.work > self.budget {
            return Err(Fault::out_of_budget(self.budget));
        }
        Ok(())
    }

    /// Whether a helper may write `size` bytes.
    pub fn check_writable(&mut self, address: u64, size: u64) -> Result<(), Fault> {
        if size == 0 {
            return Ok(());
        }
        self.check(address, size, true)
    }

    /// A number that several threads may change at once, as atomic instructions need it.
    pub(super) fn atomic32(&mut self, address: u64) -> Result<&AtomicU32, Fault> {
        self.check_atomic(address, 4)?;
        // SAFETY: checked, and aligned.
        Ok(unsafe { AtomicU32::from_ptr(address as *mut u32) })
    }

    pub(super) fn atomic64(&mut self, address: u64) -> Result<&AtomicU64, Fault> {
        self.check_atomic(address, 8)?;
        // SAFETY: checked, and aligned.
        Ok(unsafe { AtomicU64::from_ptr(address as *mut u64) })
    }

    fn check_atomic(&mut self, address: u64, size: u64) -> Result<(), Fault> {
        if !address.is_multiple_of(size) {
            return Err(Fault::unaligned(address, size));
        }
        self.check(address, size, true)
    }
}

#[cold]
fn no_map(handle: u64) -> Fault {
    Fault::new(
        crate::error::ResultCode::InvalidPointer,
        format!("0x{handle:x} is no map of the program"),
    )
}
