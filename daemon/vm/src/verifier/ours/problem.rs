//! What can be wrong with a program, as values; `explain` has the words.

use super::super::domain::{Arithmetic, Scalar};
use super::value::{Absent, Region};

/// What kind of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Read,
    Write,
    /// Read and written at once, by other threads, too.
    Atomic,
}

/// Where the bytes of an access lie, counted from the start of their region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub low: i64,
    /// Where the last access can begin.
    pub high: i64,
    pub size: i64,
}

impl Span {
    pub fn new(offset: Scalar, size: i64) -> Self {
        Self {
            low: offset.smin(),
            high: offset.smax(),
            size,
        }
    }

    /// One behind the last byte that can be touched.
    pub fn end(&self) -> i64 {
        self.high.saturating_add(self.size)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A register is used that has no value.
    NoValue {
        register: u8,
        why: Absent,
    },
    /// A number is used as an address.
    NotPointer {
        register: u8,
        range: Scalar,
    },
    /// A pointer is used that may be null.
    MaybeNull {
        register: u8,
        region: Region,
    },
    /// A pointer to something that has no bytes.
    NotMemory {
        register: u8,
        region: Region,
        intent: Intent,
    },
    PastData {
        register: u8,
        span: Span,
        readable: i64,
        root: u32,
    },
    BeforeData {
        register: u8,
        span: Span,
    },
    OutsideValue {
        register: u8,
        span: Span,
        map: u32,
        size: i64,
    },
    OutsideStack {
        register: u8,
        span: Span,
    },
    OutsideMemory {
        register: u8,
        span: Span,
        size: i64,
    },
    OutsideContext {
        register: u8,
        span: Span,
        size: i64,
    },
    /// The place in the context is not the same in every run.
    VariableContext {
        register: u8,
        span: Span,
    },
    /// Part of a pointer of the context, or one that is loaded with its sign extended.
    PartOfContextPointer {
        offset: i64,
    },
    WriteToContextPointer {
        offset: i64,
    },
    /// The contract lets nobody write there.
    ReadOnlyContext {
        offset: i64,
        size: i64,
    },
    /// The contract lets nobody look there.
    HiddenContext {
        offset: i64,
        size: i64,
    },
    ReadOnlyValue {
        map: u32,
    },
    /// Bytes of the stack are read that were never written.
    UnwrittenStack {
        register: u8,
        at: i64,
    },
    /// A part of a pointer on the stack is read as a number.
    PartOfPointer {
        register: u8,
        at: i64,
    },
    /// A store to a place on the stack that varies could hit a pointer.
    OverPointer {
        register: u8,
        span: Span,
    },
    /// A pointer would be visible to others.
    Leak {
        register: u8,
        to: Leak,
    },
    /// Arithmetic that pointers do not have.
    PointerArithmetic {
        register: u8,
        op: Option<Arithmetic>,
        wide: bool,
    },
    /// A pointer that may be null, or has no bytes behind it, is moved.
    FixedPointer {
        register: u8,
        region: Region,
        maybe_null: bool,
    },
    PointerComparison {
        registers: [Option<u8>; 2],
        wide: bool,
    },
    /// An atomic operation with a pointer as operand, or on one.
    AtomicPointer {
        register: u8,
    },
    AtomicUnaligned {
        register: u8,
        span: Span,
    },
    /// An argument of a helper or function.
    Argument {
        call: String,
        index: usize,
        wrong: Wrong,
    },
    TooDeep {
        recursive: bool,
    },
    /// A function that another one called would leave the program for good.
    TailCallInFunction,
    ReturnsStack,
    /// r0 is a pointer when the program ends.
    ReturnsPointer,
    NotReleased {
        owned: usize,
    },
    /// The same state comes back: the loop never ends.
    Endless {
        loop_pc: usize,
    },
    /// Its rounds were followed for as long as may be, and it went on; or as much is known after a
    /// round as before it.
    Unbounded {
        loop_pc: usize,
    },
}

/// Where a pointer would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leak {
    Memory(Region),
    Argument,
}

/// What is wrong with an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Another kind of value is asked for.
    Kind {
        wanted: Kind,
    },
    NullPointer,
    MaybeNull,
    /// A null pointer with a size that may not be 0.
    NullWithSize {
        range: Scalar,
    },
    SizeMayBeZero {
        range: Scalar,
    },
    SizeMayBeNegative {
        range: Scalar,
    },
    /// The memory that the argument leads to.
    Memory(Box<Problem>),
    NoMapBefore,
    MapType {
        map: u32,
    },
    NotConstant,
    Unsupported {
        number: u32,
    },
}

/// What arguments are asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Context,
    Map,
    ProgramArray,
    Memory,
    Stack,
    Object,
    Function,
    ConstantText,
    Allocated,
}

impl Problem {
    /// Whether it is a breach of the contract, which no other judge may forgive.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::ReadOnlyContext { .. }
                | Self::HiddenContext { .. }
                | Self::ReadOnlyValue { .. }
                | Self::TailCallInFunction
        )
    }
}
