//! Helpers that come as code: laid out behind a program, and called like its own functions.
//!
//! ```text
//!   program:  call helper 65540   -->   program:  call +n --.
//!   code:     its function | more                 its function | more
//! ```
//!
//! Code comes without symbols: it begins with its first instruction, and other
//! functions begin where its calls lead.  It has no maps and no globals, and of
//! helpers it calls the engine's own alone, so it means the same wherever it is
//! put.  Whether it is safe is no concern here.

use std::collections::{BTreeSet, HashMap};

use crate::error::{EngineError, Result};
use crate::helpers;
use crate::isa::{self, CALL_LOCAL, Insn, MAX_INSTRUCTIONS};
use crate::spec::{LinkedHelper, ProgramSpec, Subprogram};

/// Slots that the code of one helper may have.
pub const MAX_CODE: usize = 4_096;

/// A helper with its code, which is in order by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    pub id: u32,
    pub name: String,
    code: Vec<Insn>,
    /// Where its functions begin, from 0 on.
    starts: Vec<usize>,
}

impl Shipped {
    /// Read code; the error names the helper, and the instruction that is wrong.
    pub fn new(id: u32, name: &str, bytes: &[u8]) -> Result<Self> {
        let fail = |what: String| {
            Err(EngineError::argument(format!(
                "helper {name} ({id}): {what}"
            )))
        };
        let size = bytes.len();
        if !size.is_multiple_of(8) || size / 8 > MAX_CODE {
            return fail(format!(
                "{size} bytes of code are no whole number of instructions, or more than {MAX_CODE}"
            ));
        }
        let code = Insn::slots(bytes);
        let starts = starts(&code);
        if let Err(invalid) = isa::validate(&code, &starts) {
            return fail(format!("instruction {}: {}", invalid.pc, invalid.message));
        }
        for (pc, insn) in code.iter().enumerate() {
            if let Err(what) = check(*insn) {
                let text = isa::describe(&code, pc);
                return fail(format!("instruction {pc} ({text}): {what}"));
            }
        }
        Ok(Self {
            id,
            name: name.to_owned(),
            code,
            starts,
        })
    }

    /// The general helpers that it calls, with the instructions that do.
    pub fn calls(&self) -> impl Iterator<Item = (usize, u32)> {
        let calls = self.code.iter().enumerate();
        calls
            .filter(|(_, insn)| insn.is_helper_call())
            .map(|(pc, insn)| (pc, insn.imm as u32))
    }

    /// Put it behind a program, and tell where it begins there.
    fn append(&self, program: &mut ProgramSpec) -> Result<usize> {
        let start = program.instructions.len();
        if start + self.code.len() > MAX_INSTRUCTIONS {
            return Err(EngineError::too_large(format!(
                "program {} is too large: more than {MAX_INSTRUCTIONS} instructions with helper {}",
                program.name, self.name
            )));
        }
        for (number, own) in self.starts.iter().enumerate() {
            program.subprograms.push(Subprogram {
                name: match number {
                    0 => self.name.clone(),
                    _ => format!("{}.{number}", self.name),
                },
                start: start + own,
            });
        }
        program.instructions.extend(&self.code);
        program.helpers.push(LinkedHelper { id: self.id, start });
        Ok(start)
    }
}

/// The program with those of `helpers` that it calls; `None` if it calls none of them.
///
/// What a helper calls itself is left as it is.
pub fn linked(program: &ProgramSpec, helpers: &[Shipped]) -> Result<Option<ProgramSpec>> {
    if helpers.is_empty() || !program.helpers.is_empty() {
        return Ok(None);
    }
    let by_id: HashMap<u32, &Shipped> = helpers.iter().map(|each| (each.id, each)).collect();
    let mut result = None;
    let mut starts = HashMap::new();
    for (pc, insn) in program.instructions.iter().enumerate() {
        let id = insn.imm as u32;
        let Some(helper) = by_id.get(&id).filter(|_| insn.is_helper_call()) else {
            continue;
        };
        let result = result.get_or_insert_with(|| program.clone());
        let start = match starts.get(&id) {
            Some(start) => *start,
            None => *starts.entry(id).or_insert(helper.append(result)?),
        };
        let call = &mut result.instructions[pc];
        call.src = CALL_LOCAL;
        call.imm = start as i32 - pc as i32 - 1;
    }
    Ok(result)
}

/// Where functions begin: at the first instruction, and where calls lead.
fn starts(code: &[Insn]) -> Vec<usize> {
    let target = |(pc, insn): (usize, &Insn)| {
        let distance = insn.distance().filter(|_| insn.is_local_call())?;
        usize::try_from(pc as i64 + 1 + distance).ok()
    };
    let called = code.iter().enumerate().filter_map(target);
    let inside = called.filter(|start| *start < code.len());
    let starts: BTreeSet<usize> = std::iter::once(0).chain(inside).collect();
    starts.into_iter().collect()
}

/// Refuse what would mean something else in each program.
fn check(insn: Insn) -> Result<(), String> {
    if insn.is_map_reference() {
        return Err(
            "code that is shipped with a contract has no maps and no global variables".into(),
        );
    }
    if insn.is_function_call() {
        return Err("it calls a function of another module".into());
    }
    if !insn.is_helper_call() {
        return Ok(());
    }
    let id = insn.imm as u32;
    match helpers::general(id) {
        Some(_) if id == helpers::TAIL_CALL => {
            Err("a function cannot leave the program for another".into())
        }
        Some(helper) if helper.native.is_some() => Ok(()),
        Some(helper) => Err(format!("helper {} is not implemented", helper.name)),
        None => Err(format!(
            "it may call general helpers only, and {id} is none"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ProgramInformation;
    use crate::exec::{Execution, Options, Program, Verified};
    use crate::fixtures::{assembled, context, sample};
    use crate::isa::{CALL, CALL_BTF, EXIT, LDDW, LDDW_MAP, alu, class};

    const END: Insn = Insn::new(EXIT, 0, 0, 0, 0);

    fn bytes(code: &[Insn]) -> Vec<u8> {
        code.iter().flat_map(|insn| insn.to_bytes()).collect()
    }

    fn mov(dst: u8, imm: i32) -> Insn {
        Insn::new(class::ALU64 | alu::MOV, dst, 0, 0, imm)
    }

    fn call(src: u8, imm: i32) -> Insn {
        Insn::new(CALL, 0, src, 0, imm)
    }

    fn refusal(code: &[Insn]) -> String {
        let refused = Shipped::new(0x10004, "twice", &bytes(code));
        refused.expect_err("it is not in order").message
    }

    /// r0 = 2 * r1, by a function of its own.
    fn twice() -> Shipped {
        let copy = Insn::new(class::ALU64 | alu::MOV | isa::SOURCE_REGISTER, 0, 1, 0, 0);
        let add = Insn::new(class::ALU64 | alu::ADD | isa::SOURCE_REGISTER, 0, 1, 0, 0);
        let code = [call(CALL_LOCAL, 1), END, copy, add, END];
        Shipped::new(0x10004, "twice", &bytes(&code)).expect("it is in order")
    }

    /// One copy for all calls; functions have its name, and the program's own calls stay.
    #[test]
    fn a_program_is_linked_with_what_it_calls() {
        let call_helper = call(0, 0x10004);
        let program = assembled(
            &[
                mov(1, 21),
                call_helper,
                mov(1, 4),
                call_helper,
                call(0, 5),
                END,
            ],
            &[],
        );
        let linked = linked(&program, &[twice()])
            .expect("it fits")
            .expect("it calls it");
        let names: Vec<_> = linked
            .subprograms
            .iter()
            .map(|sub| (&*sub.name, sub.start))
            .collect();
        assert_eq!(vec![("twice", 6), ("twice.1", 8)], names);
        assert_eq!(
            vec![LinkedHelper {
                id: 0x10004,
                start: 6
            }],
            linked.helpers
        );
        assert_eq!(vec![5], linked.helper_ids());
        assert_eq!(
            (call(CALL_LOCAL, 4), call(CALL_LOCAL, 2)),
            (linked.instructions[1], linked.instructions[3])
        );
        assert_eq!(
            Ok(()),
            isa::validate(&linked.instructions, &linked.starts())
        );
        assert_eq!(Ok(None), super::linked(&linked, &[twice()]));
    }

    /// Nothing is copied for a program that does not call it.
    #[test]
    fn other_programs_stay_as_they_are() {
        let program = assembled(&[mov(0, 0x10004), call(0, 0x10005), END], &[]);
        assert_eq!(Ok(None), linked(&program, &[twice()]));
        assert_eq!(Ok(None), linked(&program, &[]));
    }

    /// A program with it waits for nobody, whoever executes it.
    #[test]
    fn a_linked_program_runs_by_itself() {
        let program = assembled(&[mov(1, 21), call(0, 0x10004), END], &[]);
        let linked = linked(&program, &[twice()])
            .expect("it fits")
            .expect("it calls it");
        let information: ProgramInformation = sample();
        for execution in [Execution::Interpreter, Execution::Jit] {
            let options = Options {
                execution,
                verified: Verified::Proved(100),
                ..Options::default()
            };
            let ready =
                Program::new(&linked, Vec::new(), &information, options).expect("a program");
            assert!(!ready.blocking());
            let run = ready
                .test_run(&context(0, 0), b"", 0, 1)
                .expect("valid input");
            assert_eq!((0, 42), (run.code, run.result));
        }
    }

    /// The helper, the instruction, and what is wrong with it.
    #[test]
    fn code_that_is_not_in_order_is_refused() {
        let cases: [(&[Insn], &str); 8] = [
            (&[], "instruction 0: the program has no instructions"),
            (&[mov(0, 0)], "instruction 0: control runs past the end"),
            (
                &[call(CALL_LOCAL, 7), END],
                "instruction 0: jump to 8, outside",
            ),
            (
                &[Insn::new(LDDW, 1, LDDW_MAP, 0, 0), Insn::default(), END],
                "has no maps",
            ),
            (
                &[call(CALL_BTF, 0), END],
                "it calls a function of another module",
            ),
            (
                &[call(0, 0x10001), END],
                "may call general helpers only, and 65537 is none",
            ),
            (
                &[call(0, 5), END],
                "instruction 0 (call helper 5): a function cannot leave",
            ),
            (
                &[mov(0, 0), call(0, 26), END],
                "instruction 1 (call helper 26): helper",
            ),
        ];
        for (code, said) in cases {
            let refusal = refusal(code);
            assert!(refusal.starts_with("helper twice (65540): "), "{refusal}");
            assert!(refusal.contains(said), "{refusal} instead of {said}");
        }
        assert!(Shipped::new(1, "cut", &[0x95, 0, 0]).is_err());
        assert!(refusal(&vec![mov(0, 0); MAX_CODE + 1]).contains("more than 4096"));
    }
}
