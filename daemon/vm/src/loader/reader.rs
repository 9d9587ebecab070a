//! Little-endian numbers and strings out of bytes, always within bounds.

/// The `u64` at byte `offset`.
pub fn u64_at(data: &[u8], offset: usize) -> Option<u64> {
    let bytes = data.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// The `u32` at byte `offset`.
pub fn u32_at(data: &[u8], offset: usize) -> Option<u32> {
    let bytes = data.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// The `u16` at byte `offset`.
pub fn u16_at(data: &[u8], offset: usize) -> Option<u16> {
    let bytes = data.get(offset..offset.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

/// The part of `data` that begins at `offset` and has `length` bytes.
pub fn slice_at(data: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    data.get(offset..offset.checked_add(length)?)
}

/// Bytes of a string: many may begin at one place, and each is searched for its end.
const MAX_STRING: usize = 1_024;

/// The string that begins at `offset` and ends before the next NUL, if that is near.
pub fn string_at(data: &[u8], offset: usize) -> Option<&str> {
    let rest = data.get(offset..)?;
    let rest = &rest[..rest.len().min(MAX_STRING)];
    let end = rest.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(&rest[..end]).ok()
}
