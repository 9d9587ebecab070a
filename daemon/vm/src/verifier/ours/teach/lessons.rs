//! What each kind of mistake is called, and the sentences for it.
//!
//! A kind is a name that never changes: programs may branch on it, and there is
//! a page for each in `tests/rejections`.  Several lessons may be of one kind,
//! where the same mistake wants other words.  `{r}` is the register in question,
//! `{n}` the bytes accessed, `{at}` their offset, `{end}` where they end; the
//! other blanks are those that `blanks` fills for the problem.

/// What is said of a mistake.
#[derive(Debug, PartialEq, Eq)]
pub struct Lesson {
    pub kind: &'static str,
    /// Why the program is refused, in one sentence.
    pub reason: &'static str,
    /// What had to hold.
    pub obligation: &'static str,
    /// What to write instead.
    pub hint: &'static str,
}

macro_rules! lessons {
    ($($(#[$comment:meta])* $name:ident = $kind:literal: $reason:literal, $obligation:literal, $hint:literal;)*) => {
        $(
            $(#[$comment])*
            pub const $name: Lesson = Lesson {
                kind: $kind,
                reason: $reason,
                obligation: $obligation,
                hint: $hint,
            };
        )*

        /// All lessons.
        #[cfg(test)]
        pub const ALL: &[&Lesson] = &[$(&$name),*];
    };
}

lessons! {
    // Registers.
    NO_VALUE = "no-value":
        "{r} is used, but may not have a value here",
        "{r} has a value on every path that leads here",
        "initialise the variable on every path that leads here";
    LOST_IN_CALL = "lost-in-call":
        "{r} is used, but {call} left no value in it",
        "{r} has a value; a call keeps only r6 to r9, and r0 holds what it returns",
        "keep what you need in a variable of your own before the call";
    STALE = "stale-packet-pointer":
        "{r} led into the packet, but {call} may have moved the packet since",
        "{r} is loaded from the context after {call}",
        "load data and data_end from the context again after the call, and check again";
    STALE_SAVED = "stale-packet-pointer":
        "what was saved on the stack led into the packet, but {call} may have moved the packet since",
        "the pointer is loaded from the context after {call}",
        "load data and data_end from the context again after the call, and check again";
    RELEASED = "use-after-release":
        "{r} is used, but {call} has given back what it led to",
        "{r} is not used after {call}",
        "use the memory before you give it back";
    VARIES = "no-value":
        "{r} is used, but may not have a value in each round of this loop",
        "{r} has a value in each round",
        "initialise the variable before the loop";
    NUMBER_AS_POINTER = "number-as-pointer":
        "{r} is a number here, not a pointer that may be used",
        "{r} points to memory",
        "get the pointer from the context, the stack or a map, and keep its type";
    NULL_POINTER = "null-pointer":
        "{r} is NULL here",
        "{r} points to memory",
        "use the pointer only where it is known not to be NULL";
    MAYBE_NULL = "maybe-null":
        "the result of {call} may be NULL here",
        "{r} is not NULL",
        "check it first: if (!value) return 0;";
    MAP_AS_MEMORY = "not-memory":
        "{r} is a map, not one of its values",
        "{r} points to memory",
        "look the value up: value = bpf_map_lookup_elem(&map, &key);";
    END_AS_MEMORY = "not-memory":
        "{r} is the end of the packet, where there is nothing to {access}",
        "{r} points to memory",
        "go on from data, and compare that with data_end";
    OPAQUE = "not-memory":
        "{r} is {region}, which has no bytes to {access}",
        "{r} points to memory",
        "pass it to a helper that takes it";

    // The packet.
    PAST_DATA = "past-data":
        "this access of {n} may reach past the end of the {data}",
        "{n} at offset {at} of the {data}",
        "check first: if ({start} + {end} > {stop}) return 0;";
    PAST_DATA_VARIABLE = "past-data":
        "this access of {n} may reach past the end of the {data}",
        "{n} at an offset {at} of the {data}",
        "check the pointer itself, as it is used: if (p + {step} > {stop}) return 0;";
    PAST_DATA_FAR = "past-data":
        "this access of {n} may reach past the end of the {data}, for its offset is not bounded",
        "{n} of the {data}; the offset is {at}",
        "bound the offset before it is added: if (offset > 0xffff) return 0;";
    BEFORE_DATA = "before-data":
        "this access may lie before the start of the {data}",
        "an offset that is not negative; it is {at}",
        "keep offsets into the packet unsigned and bounded";

    // Values of maps, the stack, other memory.
    PAST_VALUE = "past-value":
        "this access of {n} may reach past the end of the map value",
        "{n} at offset {at} of a value of {map}, which has {size}",
        "stay inside the value, or declare a larger one";
    PAST_VALUE_VARIABLE = "past-value":
        "this access of {n} may reach past the end of the map value",
        "{n} at an offset {at} of a value of {map}, which has {size}",
        "bound the index first, so that the offset is at most {most}: if (i >= sizeof(array) / sizeof(array[0])) return 0;";
    BEFORE_VALUE = "before-value":
        "this access of {n} may lie before the start of the map value",
        "an offset that is not negative; it is {at}",
        "keep the index unsigned, or check that it is not negative";
    ABOVE_STACK = "above-stack":
        "this access of {n} may reach past the top of the stack",
        "{n} within the 512 bytes below the top of the stack; the offset from there is {at}",
        "stay inside the local variable, and bound the index";
    BELOW_STACK = "below-stack":
        "this access lies below the stack frame, which has 512 bytes",
        "{n} within the 512 bytes below the top of the stack; the offset from there is {at}",
        "use less local memory (a map for large buffers), and bound the index";
    OUTSIDE_MEMORY = "outside-memory":
        "this access of {n} may lie outside of the {size} that {r} points to",
        "{n} within {size}; the offset is {at}",
        "stay inside of what was asked for, and bound the index";
    UNWRITTEN_STACK = "unwritten-stack":
        "bytes of the stack are read that were never written",
        "a value was written to the byte {below} below the top of the stack",
        "initialise the whole variable: struct key key = {};";
    GONE_FRAME = "returns-stack":
        "what was saved on the stack pointed to the stack of a function that has returned",
        "no pointer to its own stack outlives a function",
        "let the caller pass the address of a variable of its own";
    OVERWRITTEN = "overwritten-pointer":
        "a pointer that was saved on the stack is read again, but {line} has overwritten a part of it",
        "nothing is written to the 8 bytes of the pointer before it is read",
        "bound what is written to the stack, so that it stays inside its variable";
    UNWRITTEN_ARGUMENT = "unwritten-stack":
        "the {what} given to {call} has bytes that were never written",
        "a value was written to the byte {below} below the top of the stack",
        "initialise the whole variable, padding too: __builtin_memset(&key, 0, sizeof(key));";
    PART_OF_POINTER = "part-of-pointer":
        "a part of a pointer on the stack is read as if it were a number",
        "no pointer lies around the byte {below} below the top of the stack",
        "read pointers as a whole, and keep numbers elsewhere";
    POINTER_ARGUMENT = "part-of-pointer":
        "the {what} given to {call} holds a pointer, which nobody else may see",
        "no pointer lies around the byte {below} below the top of the stack",
        "store numbers only in what you pass";
    OVER_POINTER = "over-pointer":
        "this store to an offset that varies may overwrite a pointer on the stack",
        "{n} of the stack, {at} from its top, without a pointer in reach",
        "bound the index, so that the store stays inside its array";
    READ_ONLY_VALUE = "read-only-value":
        "the program writes to {map}, which is read-only",
        "{map} may be written",
        "copy the value to a local variable and change that, or declare it without const";

    // The context.
    PAST_CONTEXT = "past-context":
        "this access of {n} reaches past the end of the context",
        "{n} at offset {at} of the context, which has {size}",
        "use the context structure of this program type";
    BEFORE_CONTEXT = "before-context":
        "this access of {n} lies before the start of the context",
        "{n} at offset {at} of the context, which has {size}",
        "use the context structure of this program type";
    VARIABLE_CONTEXT = "variable-context":
        "the offset into the context is not the same in every run",
        "an offset that is always the same; it is {at}",
        "use fields of the context by their names; copy them into an array to index them";
    PART_OF_CONTEXT_POINTER = "part-of-context-pointer":
        "only a part of a pointer of the context is read",
        "{pointer} of the context is read as a whole, with 8 bytes",
        "read the field with its own type";
    WRITE_CONTEXT_POINTER = "write-context-pointer":
        "the program writes to a pointer of its context, which is read-only",
        "a write that leaves {pointer} of the context as it is",
        "copy the pointer to a local variable and change that";
    READ_ONLY_CONTEXT = "read-only-context":
        "the program writes to {place} of its context, which is read-only",
        "{place} of the context may be written: {writable}",
        "copy the field to a local variable and change that";
    HIDDEN_CONTEXT = "hidden-context":
        "the program reads {place} of its context, which is for the extension alone",
        "{place} of the context may be read by programs",
        "do without it, or ask the extension's author for a helper";

    // What pointers are good for.
    LEAK = "pointer-leak":
        "a pointer is stored where others could read it",
        "{r} is a number, for {region} may be read by others",
        "store numbers only; pointers may live on the stack";
    NARROW_SPILL = "pointer-leak":
        "only a part of the pointer in {r} is stored",
        "a pointer is stored as a whole, with 8 bytes",
        "keep the pointer in a variable of its own type";
    LEAK_TO_CALL = "pointer-leak":
        "a pointer is given to {call} as {what}, which is for numbers",
        "{r} is a number",
        "pass a number";
    POINTER_ARITHMETIC = "pointer-arithmetic":
        "{r} is a pointer, which cannot be used in {operation}",
        "numbers, or a pointer to which a number is added in 64 bits",
        "add numbers to pointers, and compute everything else with numbers alone";
    NARROW_POINTER = "pointer-arithmetic":
        "only the lower 32 bits of the pointer in {r} are used",
        "a pointer is used as a whole, with 64 bits",
        "keep pointers in pointer types, not in int";
    POINTER_AND_POINTER = "pointer-arithmetic":
        "two pointers are combined that point to different memory, or cannot be combined",
        "a pointer and a number, or two pointers into the same memory that are subtracted",
        "add offsets to pointers, not pointers";
    MOVED_BEFORE_CHECK = "moved-before-check":
        "a number is added to {r}, which may still be NULL",
        "{r} is not NULL",
        "check it first: if (!value) return 0;";
    FIXED_POINTER = "fixed-pointer":
        "{r} is {region}, to which nothing can be added",
        "{r} is used as it is",
        "pass it on as you got it";
    POINTER_COMPARISON = "pointer-comparison":
        "a pointer is compared with something that it cannot be compared with",
        "two numbers, two pointers into the same memory, or a pointer and NULL, in 64 bits",
        "compare pointers of the same memory only: data with data_end";
    ATOMIC_POINTER = "atomic-pointer":
        "an atomic operation is done with a pointer, or on one",
        "the operand and the memory hold numbers",
        "use atomic operations for numbers only";
    ATOMIC_UNALIGNED = "atomic-unaligned":
        "this atomic operation may be at an offset that is no multiple of its {n}",
        "an offset that is a multiple of {size}; it is {at}",
        "align the field: put it before smaller ones, or add padding";

    // Arguments.
    WRONG_ARGUMENT = "wrong-argument":
        "{r} has the wrong type here: {call} takes {wanted} as {what}",
        "{r} is {wanted}",
        "pass what the function asks for";
    NOT_CONTEXT = "wrong-argument":
        "{call} needs the context itself in {r}",
        "{r} is the context as the program got it",
        "pass ctx as the program got it";
    NOT_MEMORY_ARGUMENT = "wrong-argument":
        "{r} must point to the stack, the packet or a map value when {call} is called",
        "{r} points to memory",
        "copy the data to a local variable and pass its address";
    NULL_ARGUMENT = "null-argument":
        "{r} given to {call} is NULL",
        "{r} points to memory",
        "pass the address of a variable";
    MAYBE_NULL_ARGUMENT = "maybe-null":
        "{r} given to {call} may be NULL here",
        "{r} is not NULL",
        "check it first: if (!value) return 0;";
    NULL_WITH_SIZE = "null-with-size":
        "{r} given to {call} is NULL, but its size may not be 0",
        "a pointer to memory, or NULL and the size 0",
        "pass 0 as the size of NULL";
    ZERO_SIZE = "invalid-size":
        "the size in {r} given to {call} may be zero",
        "{r} is at least 1",
        "check it first: if (size == 0 || size > sizeof(buffer)) return 0;";
    NEGATIVE_SIZE = "invalid-size":
        "the size in {r} given to {call} may be negative or very large",
        "{r} is not negative, and fits into 32 bits",
        "check it first, as an unsigned number: if (size > sizeof(buffer)) return 0;";
    VARIABLE_SIZE = "invalid-size":
        "the size in {r} given to {call} is not the same in every run",
        "{r} is a constant",
        "pass a constant";
    MAP_TYPE = "wrong-map-type":
        "{call} does not work on maps of this type",
        "{map} is a PROG_ARRAY",
        "use a map of another type";
    UNSUPPORTED = "unsupported-call":
        "the prototype of {call} asks for something that cannot be checked",
        "arguments of kinds that are known",
        "do without this function";

    // Functions, and the end.
    RECURSION = "recursion":
        "a function calls itself",
        "at most 8 functions are active at once",
        "write a loop instead";
    TOO_DEEP = "too-deep":
        "more than 8 functions are active at once",
        "at most 8 functions are active at once",
        "call less deeply, or mark functions static __always_inline";
    TAIL_CALL_IN_FUNCTION = "tail-call-in-function":
        "{call} is called by a function, but it would end the whole program",
        "tail calls are made by the program itself",
        "make the tail call where the function returns, or mark the function static __always_inline";
    RETURNS_STACK = "returns-stack":
        "the function returns a pointer to its own stack, which is gone afterwards",
        "r0 does not point to the stack of the function that returns",
        "let the caller pass the address of a variable of its own";
    RETURNS_POINTER = "returns-pointer":
        "the program returns a pointer, which nobody else may see",
        "r0 is a number when the program ends",
        "return a number";
    NOT_RELEASED = "not-released":
        "the program ends, but has not given back what it has acquired",
        "nothing is left to be given back",
        "give it back on every path that leads to the end";
    ENDLESS = "endless-loop":
        "this loop never ends: a round leaves everything as it found it",
        "each round changes something that the loop waits for",
        "count the rounds: for (int i = 0; i < 64; i++)";
    UNBOUNDED = "unbounded-loop":
        "this loop is not shown to end: nothing is found that bounds its rounds",
        "something bounds the rounds: a counter, or a pointer that moves in each of them",
        "count the rounds up to a constant: for (int i = 0; i < 64; i++)";
}
