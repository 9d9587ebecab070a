//! Why an invocation ended before its program did.

use crate::error::ResultCode;

/// The end of an invocation: one `ebpf_result`, and a sentence for the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: u8,
    pub message: String,
}

impl Fault {
    pub fn new(code: ResultCode, message: impl Into<String>) -> Self {
        Self {
            code: code as u8,
            message: message.into(),
        }
    }

    /// An access outside of what the program may touch.
    #[cold]
    pub fn memory(address: u64, size: u64, write: bool) -> Self {
        let what = if write { "write" } else { "read" };
        Self::new(
            ResultCode::InvalidPointer,
            format!("{what} of {size} bytes at 0x{address:x}, which the program may not touch"),
        )
    }

    /// The end of the instructions that an invocation may execute.
    #[cold]
    pub fn out_of_budget(budget: u64) -> Self {
        Self::new(
            ResultCode::Timeout,
            format!("the budget of {budget} instructions is used up"),
        )
    }

    /// An atomic access to an address that is no multiple of its size.
    #[cold]
    pub fn unaligned(address: u64, size: u64) -> Self {
        Self::new(
            ResultCode::InvalidPointer,
            format!("atomic access to 0x{address:x}, which is no multiple of {size}"),
        )
    }

    #[cold]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ResultCode::Failed, message)
    }
}
