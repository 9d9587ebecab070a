use std::sync::Arc;

use super::access::{Access, essential};
use super::answer::answer;
use super::relocated;
use super::target::Target;
use crate::contract::{ContextDescriptor, ProgramInformation};
use crate::error::ResultCode;
use crate::exec::Program;
use crate::fixtures::{self, Random, assembled, executors, object, program, sample};
use crate::isa::{EXIT, Insn, class, mem};
use crate::loader::btf::Types;
use crate::spec::{ProgramSpec, Relocation, Unresolved};
use crate::verifier::{Case, Judges, Rejection, verify};

const INSERTED: &[u8] = include_bytes!("../../../tests/programs/layouts/inserted.btf");
const AMBIGUOUS: &[u8] = include_bytes!("../../../tests/programs/layouts/ambiguous.btf");
const SIZE: usize = 64;

/// The program type that has today's context.
fn today() -> ProgramInformation {
    ProgramInformation {
        context: ContextDescriptor {
            size: SIZE as i32,
            ..sample().context
        },
        writable: vec![(16, 48)],
        ..sample()
    }
}

fn for_layout(name: &str, btf: &[u8]) -> ProgramSpec {
    let parsed = object("relocated");
    let result = relocated(program(&parsed, name), btf).expect("valid BTF");
    result.expect("something to relocate")
}

/// What the program gives on today's context, and the context as it leaves it.
fn run(spec: &ProgramSpec, context: &[u8]) -> (u32, Vec<u8>) {
    let [interpreted, compiled] = executors().map(|options| {
        let ready = Program::new(spec, Vec::new(), &today(), options).expect("valid");
        let run = ready.test_run(context, b"", 0, 1).expect("valid input");
        assert_eq!(ResultCode::Success as u8, run.code);
        (run.result, run.context)
    });
    assert_eq!(interpreted, compiled);
    interpreted
}

/// A context that holds at each place the place's number.
fn counting() -> Vec<u8> {
    (0..SIZE as u8)
        .map(|at| if at < 16 { 0 } else { at })
        .collect()
}

fn number_at(place: usize, size: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes[..size].copy_from_slice(&counting()[place..place + size]);
    u32::from_le_bytes(bytes)
}

fn refusal(spec: &ProgramSpec, judges: Judges) -> Option<Rejection> {
    let case = Case {
        program: spec,
        maps: &[],
        information: &today(),
    };
    verify(case, judges)
        .expect("a contract that makes sense")
        .rejection
}

/// A field is read where the layout has it, with the size and within the groups that it has there.
#[test]
fn fields_are_found_by_name() {
    for (name, place, size) in [
        ("number", 24, 4),
        ("half", 28, 4),
        ("grouped", 34, 2),
        ("second_port", 50, 2),
    ] {
        let spec = for_layout(name, INSERTED);
        assert_eq!(number_at(place, size), run(&spec, &counting()).0, "{name}");
        assert_eq!(None, refusal(&spec, Judges::Both), "{name}");
    }
}

/// A store goes to the field's new place, and nowhere else.
#[test]
fn fields_are_written_where_they_are() {
    let (_, after) = run(&for_layout("written", INSERTED), &counting());
    let mut expected = counting();
    expected[36..40].copy_from_slice(&[7, 0, 0, 0]);
    assert_eq!(expected, after);
}

/// Offset and shifts of a bit-field are those of the layout.
#[test]
fn bit_fields_are_found() {
    let mut context = vec![0; SIZE];
    context[56..60].copy_from_slice(&(0b111 << 9 | 0x155_u32).to_le_bytes());
    assert_eq!(0x155, run(&for_layout("bit_field", INSERTED), &context).0);
}

/// A bit-field that moved by whole bytes is read with the shifts that the compiler has chosen.
#[test]
fn bit_fields_that_keep_their_place_in_a_byte_are_moved() {
    let spec = for_layout("kept_bits", INSERTED);
    let mut context = vec![0; SIZE];
    context[58] = 0b1111_0101;
    assert_eq!(Vec::<Unresolved>::new(), spec.unresolved);
    assert_eq!(0b1_0101, run(&spec, &context).0);
    assert_eq!(None, refusal(&spec, Judges::Both));
}

/// Shifts and masks stay the compiler's: a bit-field that they do not fit is refused, not misread.
#[test]
fn bit_fields_that_moved_within_a_byte_are_refused() {
    for (name, accesses, said) in [
        (
            "shifted_bits",
            1,
            "sample_context.shifted: its bits lie otherwise",
        ),
        (
            "overwritten_bits",
            2,
            "sample_context.shifted: its bits lie otherwise",
        ),
        (
            "squeezed_bits",
            1,
            "sample_context.squeezed: its bits lie otherwise",
        ),
        (
            "misplaced_bits",
            1,
            "sample_context.wide: the compiler takes this bit-field",
        ),
    ] {
        let spec = for_layout(name, INSERTED);
        assert_eq!(accesses, spec.unresolved.len(), "{name}");
        for judges in [Judges::Both, Judges::Ours, Judges::Prevail] {
            let rejection = refusal(&spec, judges).expect("a rejection");
            assert!(rejection.reason.contains(said), "{}", rejection.reason);
        }
    }
}

/// Questions about fields, types and enumerators are answered by the layout.
#[test]
fn questions_are_answered() {
    for (name, answer) in [
        ("asked_first", 11),
        ("inserted", 1608),
        ("types", 1016),
        ("enumerators", 511),
    ] {
        let spec = for_layout(name, INSERTED);
        assert_eq!(answer, run(&spec, &counting()).0, "{name}");
        assert_eq!(None, refusal(&spec, Judges::Both), "{name}");
    }
}

/// What the layout does not have is refused where it would be used, with its name and its line.
#[test]
fn missing_fields_are_named_where_they_are_used() {
    for (name, said) in [
        (
            "removed",
            "sample_context.removed: type sample_context of the",
        ),
        (
            "stranger",
            "nowhere.anything: the program's context knows no type nowhere",
        ),
    ] {
        let spec = for_layout(name, INSERTED);
        assert_eq!(1, spec.unresolved.len());
        for judges in [Judges::Both, Judges::Ours, Judges::Prevail] {
            let rejection = refusal(&spec, judges).expect("a rejection");
            assert!(rejection.reason.contains(said), "{}", rejection.reason);
            assert_eq!(Some(0), rejection.pc);
            let source = rejection.source.expect("a line");
            assert!(source.text.contains("return"), "{source:?}");
        }
    }
}

/// Where it is never reached, what is missing does no harm.
#[test]
fn missing_fields_that_are_not_used_are_no_mistake() {
    let spec = for_layout("asked_first", INSERTED);
    assert_eq!(1, spec.unresolved.len());
    assert_eq!(None, refusal(&spec, Judges::Ours));
    assert_eq!(None, refusal(&spec, Judges::Prevail));
}

/// Types of one name that disagree give no answer; those that agree would.
#[test]
fn types_that_disagree_are_named() {
    let spec = for_layout("number", AMBIGUOUS);
    let reason = &spec.unresolved[0].reason;
    assert!(reason.contains("several types sample_context"), "{reason}");
}

/// Without BTF, and without questions, nothing changes.
#[test]
fn nothing_changes_without_a_layout() {
    let parsed = object("relocated");
    assert_eq!(Ok(None), relocated(program(&parsed, "number"), b""));
    let plain = object("plain");
    assert_eq!(Ok(None), relocated(&plain.programs[0], INSERTED));
}

/// In the layout that it was compiled against, a program stays what it is.
#[test]
fn the_own_layout_changes_nothing() {
    let data = fixtures::bytes("relocated");
    let elf = crate::loader::elf::Elf::parse(data).expect("valid");
    let own = elf.section_named(".BTF").expect("types").data;
    let mut programs = object("relocated").programs;
    // What the compiler has got wrong is wrong in any layout.
    programs.retain(|spec| spec.name != "misplaced_bits");
    for spec in programs {
        let result = relocated(&spec, own)
            .expect("valid BTF")
            .expect("relocated");
        assert_eq!(Vec::<Unresolved>::new(), result.unresolved, "{}", spec.name);
        assert_eq!(spec.instructions, result.instructions, "{}", spec.name);
    }
}

/// BTF that is damaged is refused, with the program's name; it never panics or hangs.
#[test]
fn damaged_layouts_are_refused() {
    let parsed = object("relocated");
    let error = relocated(program(&parsed, "number"), b"no BTF").expect_err("damaged");
    assert_eq!(ResultCode::InvalidArgument, error.code);
    assert!(
        error
            .message
            .starts_with("program number: BTF of its context: ")
    );
    let mut random = Random::new(3);
    for _ in 0..4_000 {
        let mut copy = INSERTED.to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(copy.len());
            copy[at] = random.number() as u8;
        }
        for spec in &parsed.programs {
            if let Ok(Some(result)) = relocated(spec, &copy) {
                assert_eq!(Ok(()), crate::isa::validate(&result.instructions, &[0]));
            }
        }
    }
}

/// Indices and sizes as large as they can be lead to no place, and to no overflow.
#[test]
fn places_far_away_are_no_numbers_of_instructions() {
    // One structure "a" of all the bytes that BTF can say, with a member of its own type.
    let words = [24, 0, 24, 24, 3, 1, 4 << 24 | 1, u32::MAX, 1, 1, u32::MAX];
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    btf.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    btf.extend(b"\0a\0");
    let types = Types::parse(&btf).expect("valid BTF");
    let mut target = Target::new(&types);
    for path in ["4294967295", "4294967295:0:0:0"] {
        let access = Arc::new(Access::read(&types, 0, 1, path).expect("a path"));
        assert!(answer(&access, &mut target).is_ok());
        let load = Insn::new(class::LDX | mem::MEM | mem::W, 0, 1, 0, 0);
        let mut spec = assembled(&[load, Insn::new(EXIT, 0, 0, 0, 0)], &[]);
        spec.relocations.push(Relocation { pc: 0, access });
        let result = relocated(&spec, &btf).expect("valid BTF");
        assert_eq!(1, result.expect("relocated").unresolved.len(), "{path}");
    }
}

/// What follows three underscores is no part of a name.
#[test]
fn flavours_are_no_part_of_a_name() {
    for (name, expected) in [
        ("context___old", "context"),
        ("context__old", "context__old"),
        ("___context", "___context"),
        ("context___", "context___"),
        ("a____b", "a____b"),
    ] {
        assert_eq!(expected, essential(name), "{name}");
    }
}
