//! The judge's complaint in plain words.
//!
//! A table from what prevail says to what it means for the author of a C
//! program.  `{r}` is the register in question, `{n}` the bytes
//! accessed, `{end}` where the access ends, `{call}` the helper called.  What the table does not know is passed on as
//! it is: better strange than wrong.

use super::{Complaint, Rejection, at};
use crate::helpers;
use crate::isa::{Insn, class};
use crate::spec::ProgramSpec;

/// What a complaint begins with, what must also be in it, the reason, the hint.
type Explanation = (&'static str, &'static str, &'static str, &'static str);

const EXPLANATIONS: &[Explanation] = &[
    (
        "Possible null access",
        "",
        "the result of bpf_map_lookup_elem may be NULL here",
        "check it first: if (!value) return 0;",
    ),
    (
        "Upper bound must be at most packet_size",
        "",
        "this access of {n} may reach past the end of the packet",
        "check first: if (data + {end} > data_end) return 0;",
    ),
    (
        "Lower bound must be at least meta_offset",
        "",
        "this access may lie before the start of the packet",
        "keep offsets into the packet unsigned and bounded",
    ),
    (
        "Upper bound must be at most",
        "shared_region_size",
        "this access of {n} may reach past the end of the map value",
        "bound the index: if (i < sizeof(array) / sizeof(array[0])) ...",
    ),
    (
        "Upper bound must be at most total_stack_size",
        "",
        "this access of {n} may reach past the top of the stack",
        "stay inside the local variable, and bound the index",
    ),
    (
        "Lower bound must be at least r10.stack_offset",
        "",
        "this access lies below the stack frame, which has 512 bytes",
        "use less local memory (a map for large buffers), and bound the index",
    ),
    (
        "Upper bound must be at most",
        "",
        "this access of {n} reaches past the end of the context",
        "use the context structure of this program type",
    ),
    (
        "Lower bound must be at least 0",
        "",
        "this access may lie before the start of the memory that {r} points to",
        "keep the offset unsigned, or check that it is not negative",
    ),
    (
        "Cannot write to context pointer field",
        "",
        "the program writes to a pointer of its context, which is read-only",
        "copy the pointer to a local variable and change that",
    ),
    (
        "Only pointers can be dereferenced",
        "",
        "{r} is a number here, not a pointer that may be used",
        "get the pointer from the context, the stack or a map, and keep its type",
    ),
    (
        "FDs cannot be dereferenced",
        "",
        "{r} is a map, not one of its values",
        "look the value up: value = bpf_map_lookup_elem(&map, &key);",
    ),
    (
        "Stack content is not numeric",
        "",
        "bytes of the stack are read that were never written, or hold a pointer",
        "initialise the whole variable: struct key key = {};",
    ),
    (
        "Illegal map update with a non-numerical value",
        "",
        "the key or value given to {call} has bytes that were never written, or a pointer",
        "initialise the whole variable, padding too: __builtin_memset(&key, 0, sizeof(key));",
    ),
    (
        "Only stack, packet, or shared can be used as a parameter",
        "",
        "{r} must point to the stack, the packet or a map value when {call} is called",
        "copy the data to a local variable and pass its address",
    ),
    (
        "Invalid size",
        "",
        "the size in {r} given to {call} may be zero or negative",
        "check it first: if (size == 0 || size > sizeof(buffer)) return 0;",
    ),
    (
        "Only numbers can be added to pointers",
        "",
        "a pointer is added to a pointer, or {r} has no value yet",
        "add offsets to pointers, not pointers",
    ),
    (
        "Cannot subtract pointers",
        "",
        "two pointers are compared or subtracted that point to different memory",
        "compare pointers of the same memory only: data with data_end",
    ),
    (
        "Only numbers can be stored to externally-visible regions",
        "",
        "a pointer is stored where others could read it",
        "store numbers only; pointers may live on the stack",
    ),
    (
        "Only numbers can be used as divisors",
        "",
        "{r} is no number, but the program divides by it",
        "divide by numbers only",
    ),
    (
        "Nonzero context offset",
        "",
        "{call} needs the context itself, but {r} points into it",
        "pass ctx as the program got it",
    ),
    (
        "Non-null number",
        "",
        "{r} given to {call} is neither a pointer nor NULL",
        "pass a pointer or NULL",
    ),
    (
        "too many call stack frames",
        "",
        "more than 8 functions are active at once",
        "call less deeply, or mark functions static __always_inline",
    ),
    (
        "",
        "illegal recursion",
        "a function calls itself",
        "write a loop instead",
    ),
    (
        "map type",
        "is not allowed",
        "{call} does not work on maps of this type",
        "use a map of another type",
    ),
];

/// One rejection for the judge's complaint.
pub fn explain(program: &ProgramSpec, complaint: &Complaint) -> Rejection {
    let insn = complaint
        .pc
        .and_then(|pc| program.instructions.get(pc).copied())
        .unwrap_or_default();
    let register = register(insn, &complaint.message);
    let (reason, hint) = meaning(complaint, register);
    let fill = |text: &str| {
        text.replace(
            "{r}",
            &register.map_or("a register".into(), |r| format!("r{r}")),
        )
        .replace("{n}", &width(insn, &complaint.message))
        .replace("{end}", &end(insn))
        .replace("{call}", &called(program, insn))
    };
    let mut detail = complaint.message.clone();
    for fact in &complaint.known {
        detail.push_str("\n  ");
        detail.push_str(fact);
    }
    let rejection = at(
        program,
        complaint.pc.unwrap_or(0),
        fill(&reason),
        fill(&hint),
    );
    Rejection {
        detail,
        ..rejection
    }
    .without_place(complaint.pc.is_none())
}

impl Rejection {
    /// Drop what points to an instruction if the judge named none.
    fn without_place(self, unknown: bool) -> Self {
        if !unknown {
            return self;
        }
        Self {
            pc: None,
            instruction: String::new(),
            source: None,
            ..self
        }
    }
}

fn meaning(complaint: &Complaint, register: Option<u8>) -> (String, String) {
    if complaint.message.starts_with("Invalid type") {
        return wrong_type(complaint, register);
    }
    let known = EXPLANATIONS.iter().find(|(start, also, ..)| {
        complaint.message.starts_with(start) && complaint.message.contains(also)
    });
    match known {
        Some((.., reason, hint)) => ((*reason).to_owned(), (*hint).to_owned()),
        None => (
            format!(
                "the verifier cannot show that this is safe: {}",
                complaint.message
            ),
            "simplify the code here, and check bounds explicitly".to_owned(),
        ),
    }
}

/// Either the register has no value at all, or one of another kind.
fn wrong_type(complaint: &Complaint, register: Option<u8>) -> (String, String) {
    let Some(number) = register else {
        return (
            "a value has the wrong type here".into(),
            "check the types that are passed".into(),
        );
    };
    let has_type = |fact: &String| fact.contains(&format!("r{number}.type"));
    if !complaint.known.iter().any(has_type) {
        return (
            "{r} is used, but may not have a value here".into(),
            "initialise the variable on every path that leads here".into(),
        );
    }
    let is_number = complaint.known.contains(&format!("r{number}.type=number"));
    if is_number && !complaint.message.contains("number") {
        return (
            "{r} is a number here, not a pointer that may be used".into(),
            "get the pointer from the context, the stack or a map, and keep its type".into(),
        );
    }
    let wanted = complaint.message.split('(').nth(1).unwrap_or_default();
    (
        format!(
            "{{r}} has the wrong type here: wanted is {}",
            wanted.trim_end_matches(')')
        ),
        "pass what the function asks for".into(),
    )
}

/// The register that the complaint is about: the one it names, else the address used.
fn register(insn: Insn, message: &str) -> Option<u8> {
    let assertion = message.split_once('(').map_or("", |(_, rest)| rest);
    let named = assertion
        .match_indices('r')
        .filter(|(at, _)| {
            let before = assertion[..*at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
        .find_map(|(at, _)| {
            let digits: String = assertion[at + 1..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse().ok().filter(|number: &u8| *number <= 10)
        });
    named.or_else(|| match insn.class() {
        class::LDX => Some(insn.src),
        class::ST | class::STX => Some(insn.dst),
        _ => None,
    })
}

/// How much is accessed: as the judge says, else as the instruction does.
fn width(insn: Insn, message: &str) -> String {
    let said = message.split_once("width=").map_or("", |(_, rest)| rest);
    let said: String = said.chars().take_while(|c| *c != ')').collect();
    match said.as_str() {
        "" => format!("{} bytes", insn.width()),
        "1" => "1 byte".to_owned(),
        other => format!("{other} bytes"),
    }
}

/// Where the access of a load or store ends, counted from its pointer.
fn end(insn: Insn) -> String {
    match usize::try_from(insn.offset) {
        Ok(offset) if insn.class() != class::JMP => (offset + insn.width()).to_string(),
        _ => "size".to_owned(),
    }
}

fn called(program: &ProgramSpec, insn: Insn) -> String {
    if insn.is_function_call()
        && let Some(import) = program.imports.get(insn.imm as u32 as usize)
    {
        return import.name.to_string();
    }
    if !insn.is_helper_call() {
        return "the function".into();
    }
    match helpers::general(insn.imm as u32) {
        Some(helper) => helper.name.to_owned(),
        None => format!("helper {}", insn.imm),
    }
}
