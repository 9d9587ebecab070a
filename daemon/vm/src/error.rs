//! The one error of the engine: an `ebpf_result` code and a sentence.
//!
//! The code says how eBPF for Windows would report the failure; the message
//! names what is wrong and what to do about it.

use std::fmt;

/// `ebpf_result_t` of eBPF for Windows: only the values the engine itself gives.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultCode {
    Success = 0,
    VerificationFailed = 1,
    JitCompilationFailed = 2,
    InvalidFd = 4,
    InvalidObject = 5,
    InvalidArgument = 6,
    ObjectNotFound = 7,
    ObjectAlreadyExists = 8,
    NoMemory = 12,
    ProgramTooLarge = 13,
    ElfParsingFailed = 16,
    Failed = 17,
    OperationNotSupported = 18,
    KeyNotFound = 19,
    AccessDenied = 20,
    ExtensionFailedToLoad = 23,
    NoMoreKeys = 25,
    NoMoreTailCalls = 27,
    OutOfSpace = 29,
    InvalidPointer = 31,
    Timeout = 32,
    InvalidState = 34,
}

impl ResultCode {
    /// What a helper hands to a program: the negated value, as 64 bits.
    pub fn negated(self) -> u64 {
        (-i64::from(self as u8)) as u64
    }
}

/// Why the engine refused an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineError {
    pub code: ResultCode,
    pub message: String,
}

impl EngineError {
    pub fn new(code: ResultCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// An argument has a value it must not have.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(ResultCode::InvalidArgument, message)
    }

    /// A program has more instructions than any may have.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(ResultCode::ProgramTooLarge, message)
    }

    /// The bytes are no BPF object that the engine can use.
    pub fn elf(message: impl Into<String>) -> Self {
        Self::new(ResultCode::ElfParsingFailed, message)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}

/// What every fallible function of the engine returns.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    /// A helper's failure reaches the program as a negative number.
    #[test]
    fn negated_codes_are_negative_64_bit_numbers() {
        assert_eq!(-19, ResultCode::KeyNotFound.negated() as i64);
    }
}
