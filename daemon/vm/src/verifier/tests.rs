use super::*;
use crate::fixtures::{assembled, object, program, sample, with_functions};
use crate::isa::Insn;

fn verdict(name: &str, of: &str) -> Verdict {
    let object = object(name);
    let case = Case {
        program: program(&object, of),
        maps: &object.maps,
        information: &sample(),
    };
    verify(case, Judges::Prevail).expect("a sound contract")
}

fn rejection(of: &str) -> Rejection {
    verdict("rejected", of).rejection.expect("a refusal")
}

/// Every program that is safe is accepted.
#[test]
fn safe_programs_are_accepted() {
    for name in [
        "globals",
        "helpers",
        "legacy_maps",
        "loops",
        "maps",
        "only_text",
        "packet",
        "plain",
        "subprograms",
    ] {
        for program in object(name).programs {
            let verdict = verdict(name, &program.name);
            assert_eq!(None, verdict.rejection, "{name}: {}", program.name);
            assert_eq!(name == "loops", verdict.has_loops, "{name}");
            assert_eq!(program.instructions.len(), verdict.instruction_count);
        }
    }
}

/// A rejection gives the instruction, its source line, one reason and a hint.
#[test]
fn a_rejection_is_complete() {
    let rejection = rejection("null_value");
    assert_eq!(
        "the result of bpf_map_lookup_elem may be NULL here",
        rejection.reason
    );
    assert_eq!("check it first: if (!value) return 0;", rejection.hint);
    assert_eq!(Some(7), rejection.pc);
    assert_eq!("r0 = *(u64 *)(r0 + 0)", rejection.instruction);
    let source = rejection.source.expect("line information");
    assert_eq!("return *value;", source.text.trim_start());
    assert!(rejection.detail.starts_with("Possible null access"));
    assert!(
        rejection.detail.contains("r0.type="),
        "{}",
        rejection.detail
    );
}

/// Each kind of mistake is explained by its own sentence.
#[test]
fn reasons_are_in_plain_words() {
    let cases = [
        (
            "past_packet",
            "this access of 1 byte may reach past the end of the packet",
        ),
        (
            "past_context",
            "this access of 4 bytes reaches past the end of the context",
        ),
        (
            "past_value",
            "this access of 8 bytes may reach past the end of the map value",
        ),
        (
            "write_pointer",
            "the program writes to a pointer of its context, which is read-only",
        ),
        (
            "number_as_pointer",
            "r1 is a number here, not a pointer that may be used",
        ),
        (
            "missing_helper",
            "r2 has the wrong type here: wanted is r2.type == map_fd_programs",
        ),
    ];
    for (program, reason) in cases {
        assert_eq!(reason, rejection(program).reason, "{program}");
    }
    assert!(
        rejection("unset_key")
            .reason
            .contains("bytes that were never written")
    );
    assert!(
        rejection("unknown_helper")
            .reason
            .starts_with("unknown helper 65543: ")
    );
    assert_eq!(
        "check first: if (data + 4 > data_end) return 0;",
        rejection("past_packet").hint
    );
}

fn refused(code: &[Insn]) -> Rejection {
    let spec = assembled(code, &[]);
    let case = Case {
        program: &spec,
        maps: &[],
        information: &sample(),
    };
    let verdict = verify(case, Judges::Prevail).expect("a sound contract");
    verdict.rejection.expect("a refusal")
}

/// A register that was never written is said to have no value.
#[test]
fn uninitialised_registers_are_recognised() {
    let rejection = refused(&[
        Insn::new(0xb7, 0, 0, 0, 0),
        Insn::new(0x0f, 0, 3, 0, 0),
        Insn::new(0x95, 0, 0, 0, 0),
    ]);
    assert_eq!(
        "r3 is used, but may not have a value here",
        rejection.reason
    );
}

/// Instructions of version 4, which many compilers cannot make, are judged and run.
#[test]
fn version_4_instructions_are_judged_and_run() {
    use crate::isa::{SOURCE_REGISTER as X, alu, class, jump, mem};
    let wide = |operation, dst, src, offset, imm| {
        let register = if src == 0 { 0 } else { X };
        Insn::new(class::ALU64 | operation | register, dst, src, offset, imm)
    };
    let stack = |kind, register, imm| match kind {
        class::ST => Insn::new(class::ST | mem::MEM | mem::DW, 10, 0, -8, imm),
        _ => Insn::new(class::LDX | mem::MEMSX | mem::B, register, 10, -8, 0),
    };
    let code = [
        stack(class::ST, 0, 0x1_f9), // the low byte is -7
        stack(class::LDX, 1, 0),     // r1 = -7
        wide(alu::MOV, 2, 0, 0, 2),
        wide(alu::MOV, 3, 1, 0, 0),
        wide(alu::DIV, 3, 2, 1, 0),                      // r3 = -3
        wide(alu::MOD, 1, 2, 1, 0),                      // r1 = -1
        wide(alu::MOV, 4, 3, 8, 0),                      // r4 = -3, of its low byte
        Insn::new(class::ALU64 | alu::END, 4, 0, 0, 16), // r4 = 0xfdff
        Insn::new(class::JMP32 | jump::JA, 0, 0, 0, 1),  // gotol over the next
        wide(alu::MOV, 4, 0, 0, 0),
        Insn::new(class::ALU | alu::MOV | X, 0, 3, 16, 0), // w0 = -3, of its low half
        wide(alu::ADD, 0, 1, 0, 0),
        wide(alu::ADD, 0, 4, 0, 0),
        Insn::new(0x95, 0, 0, 0, 0),
    ];
    let spec = assembled(&code, &[]);
    let case = Case {
        program: &spec,
        maps: &[],
        information: &sample(),
    };
    assert_eq!(
        None,
        verify(case, Judges::Prevail)
            .expect("a sound contract")
            .rejection
    );
    let result = crate::fixtures::run(&code).result;
    assert_eq!((-3_i32 - 1 + 0xfdff) as u32, result);
}

/// What is no program at all is refused before any analysis.
#[test]
fn undecodable_programs_are_rejections_too() {
    let rejection = refused(&[Insn::new(0x30, 0, 0, 0, 0), Insn::new(0x95, 0, 0, 0, 0)]);
    assert!(rejection.reason.contains("legacy packet instruction 0x30"));
    assert_eq!("the program has no instructions", refused(&[]).reason);
}

/// Chains of jumps, each a node of the graph, are judged on a large stack.
#[test]
fn a_long_chain_of_jumps_is_judged() {
    let mut code = vec![Insn::new(0xb7, 0, 0, 0, 0), Insn::new(0x61, 2, 1, 16, 0)];
    code.extend((0..150).map(|_| Insn::new(0x05, 0, 0, 0, 0)));
    code.push(Insn::new(0x95, 0, 0, 0, 0));
    let spec = assembled(&code, &[]);
    let case = Case {
        program: &spec,
        maps: &[],
        information: &sample(),
    };
    assert_eq!(
        None,
        verify(case, Judges::Prevail)
            .expect("a sound contract")
            .rejection
    );
}

fn imports(of: &str, information: &crate::contract::ProgramInformation) -> Option<Rejection> {
    let object = object("imports");
    let case = Case {
        program: program(&object, of),
        maps: &object.maps,
        information,
    };
    verify(case, Judges::Prevail)
        .expect("a sound contract")
        .rejection
}

/// Imported functions are judged by their prototypes, as helpers are.
#[test]
fn imports_are_judged_by_their_prototypes() {
    let information = with_functions();
    assert_eq!(None, imports("imports", &information));
    let rejection = imports("misused", &information).expect("a refusal");
    assert!(rejection.reason.contains("stack"), "{}", rejection.reason);
    assert_eq!("call import 0", rejection.instruction);
}

/// A function that nobody offers is named, with what is offered instead.
#[test]
fn missing_imports_are_named() {
    let mut information = with_functions();
    let missing = "function first_lookup of module 12345678-1234-1234-1234-123456789abc \
                   is not offered: ";
    let mut refused = |change: fn(&mut Vec<crate::functions::Function>)| {
        information.functions = with_functions().functions;
        change(&mut information.functions);
        for (id, function) in (crate::functions::FIRST_FUNCTION..).zip(&mut information.functions) {
            function.prototype.id = id;
        }
        imports("imports", &information).expect("a refusal").reason
    };
    assert_eq!(
        format!("{missing}the module offers first_add"),
        refused(|functions| drop(functions.remove(0)))
    );
    assert_eq!(
        format!(
            "{missing}functions are offered by 00000000-0000-0000-0000-000000000002, \
             not by this module"
        ),
        refused(|functions| drop(functions.drain(..2)))
    );
    assert_eq!(
        format!("{missing}no module offers functions"),
        refused(Vec::clear)
    );
    let pointer = refused(|functions| functions[0].prototype.return_type = 1);
    assert!(pointer.contains("it returns a pointer"), "{pointer}");
}

/// A contract that makes no sense is an error, not a verdict.
#[test]
fn unsound_contracts_are_errors() {
    let object = object("plain");
    let refused = |change: fn(&mut crate::contract::ProgramInformation)| {
        let mut information = with_functions();
        change(&mut information);
        let case = Case {
            program: &object.programs[0],
            maps: &object.maps,
            information: &information,
        };
        verify(case, Judges::Prevail)
            .expect_err("an unsound contract")
            .message
    };
    assert!(refused(|i| i.context.size = 0).contains("context.size"));
    assert!(refused(|i| i.context.end = 28).contains("context.end"));
    assert!(refused(|i| i.context.data = -2).contains("context.data"));
    assert!(refused(|i| i.writable = vec![(30, 4)]).contains("writable"));
    assert!(refused(|i| i.helpers[0].arguments = vec![99]).contains("arguments[0]"));
    assert!(refused(|i| i.helpers[1].id = 0x10000).contains("another one has this id"));
    assert!(refused(|i| i.helpers[0].return_type = 77).contains("return_type"));
    assert!(refused(|i| i.helpers[0].id = 0x8000_0001).contains("another one has this id"));
    assert!(refused(|i| i.functions[1].prototype.id = 7).contains("its place in the table"));
}

/// `|` adds an index to the address of an array that is aligned to more than the index can be.
#[test]
fn an_index_may_be_added_by_or() {
    let code = |mask| {
        [
            Insn::new(0x7a, 10, 0, -8, 0),
            Insn::new(0x61, 2, 1, 16, 0),
            Insn::new(0x57, 2, 0, 0, mask),
            Insn::new(0xbf, 3, 10, 0, 0),
            Insn::new(0x07, 3, 0, 0, -8),
            Insn::new(0x4f, 3, 2, 0, 0),
            Insn::new(0x71, 0, 3, 0, 0),
            Insn::new(isa::EXIT, 0, 0, 0, 0),
        ]
    };
    let verdict = |mask| {
        let spec = assembled(&code(mask), &[]);
        let case = Case {
            program: &spec,
            maps: &[],
            information: &sample(),
        };
        verify(case, Judges::Ours).expect("a sound contract")
    };
    assert_eq!(None, verdict(7).rejection);
    assert!(verdict(15).rejection.is_some());
}
