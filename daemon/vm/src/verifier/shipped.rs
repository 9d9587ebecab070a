//! A helper that comes as code, against its prototype: is it safe whatever a program may pass?
//!
//! ```text
//!   caller: what the prototype allows  -->  r1 to r5  -->  call helper  -->  r0, a number
//! ```
//!
//! The caller is a program made for the purpose, and our own judge follows it into the helper.
//! Memory whose size only the next argument tells is the packet: as much of it exists as the
//! distance of its two pointers, which no caller knows.  One argument at a time is such memory, the
//! others are values of maps, as small or as large as it takes; those are read-only where the
//! prototype says so, and the context is the contract's own.
//!
//! Loops over such memory are proved; if that fails, they are followed for a few bytes only.
//!
//! This is for the helper's author, who is to hear of mistakes at once and not from others'
//! programs.  Safety rests on programs being judged together with the helpers that they call.

use super::ours::{self, Problem, Violation, teach};
use super::{Case, Rejection, precheck};
use crate::contract::{Argument, ContextDescriptor, POINTER_SIZE, ProgramInformation, Prototype};
use crate::error::{EngineError, Result};
use crate::isa::{CALL, EXIT, Insn, LDDW, LDDW_MAP_VALUE, SOURCE_REGISTER, alu, class, jump, mem};
use crate::loader::shipped::{Shipped, linked};
use crate::map_type;
use crate::spec::{MapSpec, ProgramSpec};

/// What following one caller may take.
const LIMITS: ours::Limits = ours::Limits {
    instructions: 100_000,
    comparisons: 200_000,
    bytes: 64 << 20,
    #[cfg(any(test, feature = "differential"))]
    exact: false,
};
/// What memory in question has at most where all paths for any size are too many to follow.
const FEW: i32 = 32;
/// Bytes of memory that is not the one in question.
const SMALL: u32 = 1;
const LARGE: u32 = 64;

/// What a memory argument is in one trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// As much as the next argument says, and nobody knows how much that is.
    Unknown,
    Bytes(u32),
    Null,
}

/// What is passed in one trial; `memory` by the places of the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trial {
    memory: Vec<(usize, Memory)>,
    null_context: bool,
    /// What the unknown size is at most.
    most: Option<i32>,
}

/// What following a caller has come to.
enum Outcome {
    Safe,
    Refused(Rejection),
    TooLong(Rejection),
}

impl Trial {
    fn memory(&self, index: usize) -> Memory {
        let found = self.memory.iter().find(|(place, _)| *place == index);
        found.map_or(Memory::Bytes(LARGE), |(_, memory)| *memory)
    }

    fn unknown(&self) -> Option<usize> {
        let found = self
            .memory
            .iter()
            .find(|(_, memory)| *memory == Memory::Unknown);
        found.map(|(place, _)| *place)
    }
}

/// Why a helper is refused, if it is; places are counted in its code.
///
/// The error is for a prototype that the contract does not have, or nothing can be passed by.
pub fn check_shipped(
    helper: &Shipped,
    information: &ProgramInformation,
) -> Result<Option<Rejection>> {
    information.validate()?;
    let Some(prototype) = information.helper(helper.id) else {
        return Err(EngineError::argument(format!(
            "helper {} ({}): it has no prototype",
            helper.name, helper.id
        )));
    };
    if let Some(refused) = overridden(helper, information) {
        return Ok(Some(refused));
    }
    let kinds = prototype.marshalled()?;
    let tried = |trial: &Trial| Caller::new(prototype, &kinds, information, trial).try_with(helper);
    for trial in trials(&kinds) {
        let mut outcome = tried(&trial)?;
        if trial.unknown().is_some() && matches!(outcome, Outcome::TooLong(_)) {
            // Its loops are not proved but followed, round by round.
            let most = Some(FEW);
            outcome = tried(&Trial { most, ..trial })?;
        }
        match outcome {
            Outcome::Safe => {}
            Outcome::Refused(rejection) | Outcome::TooLong(rejection) => {
                return Ok(Some(rejection));
            }
        }
    }
    Ok(None)
}

/// Helpers of helpers would have to be linked, too: the engine's own are always the same.
fn overridden(helper: &Shipped, information: &ProgramInformation) -> Option<Rejection> {
    let (pc, own) = helper
        .calls()
        .find_map(|(pc, id)| Some((pc, information.helper(id)?)))?;
    Some(Rejection {
        pc: Some(pc),
        instruction: format!("call helper {}", own.id),
        reason: format!(
            "program type \"{}\" has a helper of its own in place of {} ({})",
            information.name, own.name, own.id
        ),
        hint: "do without this call".into(),
        ..Rejection::default()
    })
}

fn trials(kinds: &[Argument]) -> Vec<Trial> {
    let places = |is: fn(Argument) -> bool| {
        let kinds = kinds.iter().enumerate();
        kinds
            .filter(move |(_, kind)| is(**kind))
            .map(|(place, _)| place)
    };
    let plain = Trial {
        memory: Vec::new(),
        null_context: false,
        most: None,
    };
    let mut trials = vec![plain.clone()];
    let all: Vec<usize> = places(Argument::is_sized_memory).collect();
    for &place in &all {
        let others = all.iter().filter(|other| **other != place);
        let mut memory: Vec<_> = others.map(|other| (*other, Memory::Bytes(SMALL))).collect();
        memory.push((place, Memory::Unknown));
        trials.push(Trial {
            memory,
            ..plain.clone()
        });
    }
    for place in places(|kind| {
        matches!(
            kind,
            Argument::ReadableMemoryOrNull | Argument::WritableMemoryOrNull
        )
    }) {
        // Null has no bytes: a size that is never 0 forbids it.
        if kinds.get(place + 1) == Some(&Argument::ConstSizeOrZero) {
            trials.push(Trial {
                memory: vec![(place, Memory::Null)],
                ..plain.clone()
            });
        }
    }
    if places(|kind| kind == Argument::ContextOrNull)
        .next()
        .is_some()
    {
        trials.push(Trial {
            null_context: true,
            ..plain
        });
    }
    trials
}

/// A program that calls a helper in one way.
struct Caller<'a> {
    prototype: &'a Prototype,
    kinds: &'a [Argument],
    trial: &'a Trial,
    information: ProgramInformation,
    maps: Vec<MapSpec>,
    /// Which argument a map is.
    arguments: Vec<usize>,
    code: Vec<Insn>,
}

impl<'a> Caller<'a> {
    fn new(
        prototype: &'a Prototype,
        kinds: &'a [Argument],
        information: &ProgramInformation,
        trial: &'a Trial,
    ) -> Self {
        let mut information = information.clone();
        if trial.unknown().is_some() {
            information.context = with_data(information.context);
        }
        let mut caller = Self {
            prototype,
            kinds,
            trial,
            information,
            maps: Vec::new(),
            arguments: Vec::new(),
            code: Vec::new(),
        };
        caller.write();
        caller
    }

    fn write(&mut self) {
        self.code.push(copy(6, 1));
        if let Some(place) = self.trial.unknown() {
            let ContextDescriptor { data, end, .. } = self.information.context;
            let or_zero = self.kinds.get(place + 1) == Some(&Argument::ConstSizeOrZero);
            self.code.extend([
                load(7, 6, data as i16),
                load(8, 6, end as i16),
                copy(9, 8),
                Insn::new(class::ALU64 | alu::SUB | SOURCE_REGISTER, 9, 7, 0, 0),
            ]);
            if !or_zero {
                self.leave_unless(jump::JGE, 1);
            }
            if let Some(most) = self.trial.most {
                self.leave_unless(jump::JLE, most);
            }
        }
        // The argument registers are written last, and nothing is called between.
        for (index, kind) in self.kinds.iter().enumerate() {
            self.pass(index, *kind);
        }
        self.code
            .push(Insn::new(CALL, 0, 0, 0, self.prototype.id as i32));
        self.code.push(Insn::new(EXIT, 0, 0, 0, 0));
    }

    /// Do not call at all, unless the unknown size is such a one.
    fn leave_unless(&mut self, comparison: u8, size: i32) {
        self.code.extend([
            Insn::new(class::JMP | comparison, 9, 0, 2, size),
            number(0, 0),
            Insn::new(EXIT, 0, 0, 0, 0),
        ]);
    }

    fn pass(&mut self, index: usize, kind: Argument) {
        let register = index as u8 + 1;
        match kind {
            Argument::Context | Argument::ContextOrNull => {
                let is_null = kind == Argument::ContextOrNull && self.trial.null_context;
                self.code.push(if is_null {
                    number(register, 0)
                } else {
                    copy(register, 6)
                });
            }
            Argument::ConstSize | Argument::ConstSizeOrZero => {
                self.code.push(match self.trial.memory(index - 1) {
                    Memory::Unknown => copy(register, 9),
                    Memory::Bytes(size) => number(register, size as i32),
                    Memory::Null => number(register, 0),
                });
            }
            Argument::Long => self.value(index, 8, false),
            Argument::Int => self.value(index, 4, false),
            kind if kind.is_sized_memory() => match self.trial.memory(index) {
                Memory::Unknown => self.code.push(copy(register, 7)),
                Memory::Null => self.code.push(number(register, 0)),
                Memory::Bytes(size) => {
                    let reads = [Argument::ReadableMemory, Argument::ReadableMemoryOrNull];
                    self.value(index, size, reads.contains(&kind));
                }
            },
            // Any number.
            _ => {
                self.value(index, 8, false);
                self.code.push(load(register, register, 0));
            }
        }
    }

    /// Let an argument be a pointer to so many bytes.
    fn value(&mut self, index: usize, size: u32, read_only: bool) {
        let map = self.maps.len() as i32;
        self.maps.push(MapSpec {
            name: format!("argument_{}", index + 1),
            map_type: map_type::ARRAY,
            key_size: 4,
            value_size: size,
            max_entries: 1,
            read_only,
            ..MapSpec::default()
        });
        self.arguments.push(index);
        self.code.extend([
            Insn::new(LDDW, index as u8 + 1, LDDW_MAP_VALUE, 0, map),
            Insn::default(),
        ]);
    }

    fn try_with(self, helper: &Shipped) -> Result<Outcome> {
        let own = self.code.len();
        let program = ProgramSpec {
            name: format!("caller of {}", helper.name),
            instructions: self.code.clone(),
            ..ProgramSpec::default()
        };
        let Some(mut program) = linked(&program, std::slice::from_ref(helper))? else {
            return Err(EngineError::argument("the caller of a helper calls it not"));
        };
        // The caller passes what the prototype allows, though nobody could prove it of a packet.
        program.helpers.clear();
        let case = Case {
            program: &program,
            maps: &self.maps,
            information: &self.information,
        };
        if let Err(rejection) = precheck::check(case) {
            return Ok(Outcome::Refused(within(own, *rejection)));
        }
        Ok(match ours::explore(case, LIMITS).outcome {
            ours::Outcome::Safe { .. } => Outcome::Safe,
            ours::Outcome::Unsafe(found) => Outcome::Refused(self.refused(case, &found, own)),
            ours::Outcome::GaveUp(_, Some(unbounded)) => {
                Outcome::TooLong(self.refused(case, &unbounded, own))
            }
            ours::Outcome::GaveUp(why, None) => Outcome::TooLong(Rejection {
                reason: "it takes too long to follow all its paths".into(),
                hint: "make it smaller, or serve it from the extension".into(),
                detail: why,
                ..Rejection::default()
            }),
        })
    }

    fn refused(&self, case: Case<'_>, violation: &Violation, own: usize) -> Rejection {
        let mut rejection = within(own, teach::explain(case, violation).rejection());
        let said = |map: u32| self.arguments[map as usize] + 1;
        let (reason, hint) = match (&violation.problem, self.trial.unknown()) {
            (Problem::PastData { .. } | Problem::BeforeData { .. }, Some(place)) => (
                format!(
                    "this access may lie outside of the memory that argument {} leads to, which \
                     has no more bytes than argument {} says",
                    place + 1,
                    place + 2
                ),
                "compare the size first",
            ),
            (Problem::OutsideValue { map, size, .. }, _) => (
                format!(
                    "this access may lie outside of the memory that argument {} leads to, which \
                     can have {size} bytes",
                    said(*map)
                ),
                "stay within the memory, and compare its size first",
            ),
            (Problem::ReadOnlyValue { map }, _) => (
                format!(
                    "the prototype lets it only read what argument {} leads to",
                    said(*map)
                ),
                "declare the argument as writable memory",
            ),
            _ => return rejection,
        };
        (rejection.reason, rejection.hint) = (reason, hint.to_owned());
        rejection
    }
}

/// A rejection with its place counted in the helper's code, if it lies there.
fn within(own: usize, rejection: Rejection) -> Rejection {
    Rejection {
        pc: rejection.pc.and_then(|pc| pc.checked_sub(own)),
        // Both tell of the caller, which nobody wrote.
        detail: String::new(),
        explanation: None,
        ..rejection
    }
}

/// The context with pointers to the packet, behind its end if it has none.
///
/// There the helper has no business, but nobody stops it; in other trials the context is as it is.
fn with_data(context: ContextDescriptor) -> ContextDescriptor {
    if context.data >= 0 {
        return context;
    }
    let data = (context.size as usize).next_multiple_of(POINTER_SIZE) as i32;
    ContextDescriptor {
        size: data + 2 * POINTER_SIZE as i32,
        data,
        end: data + POINTER_SIZE as i32,
        meta: -1,
    }
}

fn copy(dst: u8, src: u8) -> Insn {
    Insn::new(class::ALU64 | alu::MOV | SOURCE_REGISTER, dst, src, 0, 0)
}

fn number(dst: u8, number: i32) -> Insn {
    Insn::new(class::ALU64 | alu::MOV, dst, 0, 0, number)
}

fn load(dst: u8, src: u8, offset: i16) -> Insn {
    Insn::new(class::LDX | mem::MEM | mem::DW, dst, src, offset, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sample;

    const END: Insn = Insn::new(EXIT, 0, 0, 0, 0);

    /// What is said of code with the prototype of the sample's helper `id`.
    fn said(id: u32, code: &[Insn]) -> Option<Rejection> {
        let bytes: Vec<u8> = code.iter().flat_map(|insn| insn.to_bytes()).collect();
        let helper = Shipped::new(id, "tried", &bytes).expect("it is in order");
        check_shipped(&helper, &sample()).expect("a sound contract")
    }

    fn refused(id: u32, code: &[Insn]) -> (Option<usize>, String) {
        let rejection = said(id, code).expect("a refusal");
        (rejection.pc, rejection.reason)
    }

    fn byte(dst: u8, src: u8, offset: i16) -> Insn {
        Insn::new(class::LDX | mem::MEM | mem::B, dst, src, offset, 0)
    }

    /// `if rN < size goto +distance`
    fn less(register: u8, size: i32, distance: i16) -> Insn {
        Insn::new(class::JMP | jump::JLT, register, 0, distance, size)
    }

    /// Memory has as many bytes as the next argument says, and one at least.
    #[test]
    fn memory_is_as_large_as_its_size() {
        let find = 0x10001;
        assert_eq!(None, said(find, &[byte(0, 1, 0), byte(0, 3, 0), END]));
        for (register, argument) in [(1, 1), (3, 3)] {
            let (pc, reason) = refused(find, &[byte(0, register, 7), END]);
            assert_eq!(Some(0), pc);
            assert!(
                reason.contains(&format!("argument {argument} leads to")),
                "{reason}"
            );
            let compared = [
                number(0, 0),
                less(register + 1, 8, 1),
                byte(0, register, 7),
                END,
            ];
            assert_eq!(None, said(find, &compared));
        }
        let (_, reason) = refused(find, &[number(0, 0), less(2, 8, 1), byte(0, 3, 7), END]);
        assert!(
            reason.contains("argument 3 leads to"),
            "the other one's size: {reason}"
        );
    }

    /// What a program lets it read it does not write.
    #[test]
    fn readable_memory_is_read_only() {
        let store = |register| Insn::new(class::ST | mem::MEM | mem::B, register, 0, 0, 1);
        let (pc, reason) = refused(0x10001, &[store(3), number(0, 0), END]);
        assert_eq!(
            (
                Some(0),
                "the prototype lets it only read what argument 3 leads to"
            ),
            (pc, &*reason)
        );
        assert_eq!(None, said(0x10002, &[store(1), number(0, 0), END]));
    }

    /// The context has the contract's size, and its own pointers.
    #[test]
    fn the_context_is_the_contracts() {
        assert_eq!(None, said(0x10000, &[load(0, 1, 24), END]));
        assert_eq!(Some(0), refused(0x10000, &[load(0, 1, 32), END]).0);
        let without_packet = ProgramInformation {
            context: ContextDescriptor::plain(32),
            ..sample()
        };
        let code: Vec<u8> = [load(0, 1, 0), END]
            .iter()
            .flat_map(|insn| insn.to_bytes())
            .collect();
        let helper = Shipped::new(0x10000, "tried", &code).expect("it is in order");
        assert_eq!(Ok(None), check_shipped(&helper, &without_packet));
    }

    /// It returns a number that it has set, and uses nothing but its arguments.
    #[test]
    fn registers_are_those_of_a_call() {
        assert_eq!(None, said(0x10004, &[copy(0, 1), END]));
        assert!(
            said(0x10004, &[copy(0, 2), END]).is_some(),
            "there is one argument"
        );
        assert!(
            said(0x10004, &[copy(0, 6), END]).is_some(),
            "r6 is the caller's"
        );
        assert_eq!(
            None,
            refused(0x10004, &[copy(1, 1), END]).0,
            "the caller has no result"
        );
        assert!(
            said(0x10000, &[copy(0, 1), END]).is_some(),
            "the context is no number"
        );
    }

    /// Nobody waits for a loop that may go on for ever.
    #[test]
    fn it_ends() {
        let endless = [
            Insn::new(class::JMP | jump::JNE, 1, 0, -1, 7),
            number(0, 0),
            END,
        ];
        assert!(said(0x10004, &endless).is_some());
    }

    /// A helper that nothing can be passed by, or that the contract does not have, is no helper.
    #[test]
    fn a_prototype_must_be_there() {
        let bytes: Vec<u8> = [number(0, 0), END]
            .iter()
            .flat_map(|insn| insn.to_bytes())
            .collect();
        for (id, says) in [
            (0x20000, "it has no prototype"),
            (0x10005, "it returns a pointer"),
        ] {
            let helper = Shipped::new(id, "tried", &bytes).expect("it is in order");
            let error = check_shipped(&helper, &sample()).expect_err("an error");
            assert!(error.message.contains(says), "{}", error.message);
        }
    }
}
