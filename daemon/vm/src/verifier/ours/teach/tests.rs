//! What is said of programs that are refused, compared whole.
//!
//! The texts are kept beside the programs: in the pages of `tests/rejections`,
//! and in one file for each pair of the corpus.  `EBPFD_WRITE_MESSAGES=1` writes
//! them anew, to be looked at before they are committed.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::contract::{ContextField, ProgramInformation, Prototype};
use crate::error::ResultCode;
use crate::fixtures::sample;
use crate::loader::parse_object;
use crate::spec::Object;
use crate::verifier::ours::witness::witness;
use crate::verifier::ours::{Limits, Outcome, explore};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rejections");
const PAIRS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/verifier/pairs");
/// Names the variable that asks for the texts to be written.
const WRITE: &str = "EBPFD_WRITE_MESSAGES";
/// Lines of a terminal.
const SCREEN: usize = 40;

/// A file of one kind in a folder, without its ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the repository");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let has_ending = |path: &PathBuf| path.extension().is_some_and(|own| own == ending);
    let mut files: Vec<PathBuf> = paths.filter(has_ending).collect();
    files.sort();
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .expect("a name")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn object(path: &Path) -> Object {
    let bytes = fs::read(path.with_extension("o")).expect("a compiled program");
    parse_object(&bytes).expect("a sound object")
}

fn helper(id: u32, name: &str, return_type: u32, arguments: &[u32]) -> Prototype {
    Prototype {
        id,
        name: name.into(),
        return_type,
        arguments: arguments.to_vec(),
        reallocate_packet: name == "adjust",
        implicit_context: false,
    }
}

fn context_field(name: &str, offset: usize, is_hidden: bool) -> ContextField {
    ContextField {
        name: name.into(),
        offset,
        size: 4,
        is_hidden,
    }
}

/// The sample type with what some programs need beside it.
fn information(contract: &str) -> ProgramInformation {
    let mut information = sample();
    match contract {
        "meta" => {
            information.context.meta = 24;
            information.writable = vec![(16, 8)];
        }
        "read_only" => {
            information.writable = vec![(20, 12)];
            information.fields = vec![context_field("number", 16, false)];
        }
        "hidden" => information.fields = vec![context_field("helper_data_2", 28, true)],
        _ => information.helpers.extend([
            helper(0x10007, "adjust", 0, &[4, 1]),
            helper(0x10008, "reserve", 7, &[25]),
            helper(0x10009, "give_back", 0, &[26]),
            helper(0x1000a, "strange", 0, &[27]),
        ]),
    }
    information
}

/// What is said of a program with an input that shows it; `None`: it is not found to be unsafe.
fn told(object: &Object, name: &str, information: &ProgramInformation) -> Option<Explanation> {
    let program = object.programs.iter().find(|program| program.name == name);
    let case = Case {
        program: program.expect("a program of this name"),
        maps: &object.maps,
        information,
    };
    let violation = match explore(case, Limits::default()).outcome {
        Outcome::Unsafe(violation) => violation,
        Outcome::GaveUp(_, Some(unbounded)) => *unbounded,
        _ => return None,
    };
    Some(Explanation {
        witness: witness(case, &violation),
        ..explain(case, &violation)
    })
}

/// The text, without an input if what happens with it depends on where things lie in memory: a
/// pointer was broken, and only later it is used.
fn text(explanation: Explanation) -> String {
    let pc = explanation.place.pc;
    let witness = explanation.witness.clone();
    let is_timeout = |code: u8| code == ResultCode::Timeout as u8;
    let explanation = Explanation {
        witness: witness.filter(|witness| witness.pc == pc || is_timeout(witness.code)),
        ..explanation
    };
    format!("{}\n", explanation.text())
}

fn is_accepted(object: &Object, name: &str, information: &ProgramInformation) -> bool {
    let program = object.programs.iter().find(|program| program.name == name);
    let case = Case {
        program: program.expect("a program of this name"),
        maps: &object.maps,
        information,
    };
    let outcome = explore(case, Limits::default()).outcome;
    matches!(outcome, Outcome::Safe { .. })
}

/// The blocks of code of a page, with the language of each.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("```") {
        let (language, after) = after.split_once('\n').expect("a line");
        let (block, after) = after.split_once("```").expect("the end of a block");
        blocks.push((language, block));
        rest = after;
    }
    blocks
}

/// Kinds can be used in file names and addresses.
#[test]
fn kinds_are_in_kebab_case() {
    for lesson in lessons::ALL {
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        assert!(lesson.kind.chars().all(is_plain), "{}", lesson.kind);
    }
}

/// Each kind has a page, and no page is of no kind.
#[test]
fn pages_are_those_of_the_kinds() {
    let mut kinds: Vec<&str> = lessons::ALL.iter().map(|lesson| lesson.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let pages = files(PAGES, "c");
    let pages: Vec<&str> = pages.iter().map(|path| stem(path)).collect();
    assert_eq!(kinds, pages);
    let index = read(&Path::new(PAGES).join("README.md"));
    for kind in kinds {
        assert!(index.contains(&format!("[`{kind}`]({kind}.md)")), "{kind}");
    }
}

/// The first program of a page is refused with its kind and its words, the second one accepted.
#[test]
fn pages_are_true() {
    for path in files(PAGES, "c") {
        let kind = stem(&path);
        let contract = match kind {
            "read-only-context" => "read_only",
            "hidden-context" => "hidden",
            _ => "",
        };
        let (object, information) = (object(&path), information(contract));
        let explanation = told(&object, "bad", &information);
        let explanation = explanation.unwrap_or_else(|| panic!("{kind}: bad is not refused"));
        assert_eq!(kind, explanation.kind);
        let said = text(explanation);
        let page = path.with_extension("md");
        let content = read(&page);
        let known = blocks(&content);
        let [(_, bad), ("text", words), (_, good)] = known.as_slice() else {
            panic!("{kind}: a page has a program, the words and another program");
        };
        if std::env::var_os(WRITE).is_some() {
            let old = format!("```text\n{words}```");
            let new = content.replace(&old, &format!("```text\n{said}```"));
            fs::write(&page, new).expect("a page");
        } else {
            assert_eq!(*words, said, "{kind}");
        }
        let source = read(&path);
        assert!(
            source.contains(bad) && source.contains(good),
            "{kind}: other programs"
        );
        assert!(
            is_accepted(&object, "good", &information),
            "{kind}: good is refused"
        );
    }
}

/// What the head of a file of the corpus says under a name.
fn field<'a>(source: &'a str, name: &str) -> &'a str {
    let mark = format!("// {name}: ");
    let line = source
        .lines()
        .find_map(|line| line.strip_prefix(mark.as_str()));
    line.unwrap_or_default()
}

/// Whatever is said of an unsafe program is said in the same words each time, on one screen.
#[test]
fn messages_are_compared_whole() {
    for path in files(PAIRS, "c") {
        let information = information(field(&read(&path), "contract"));
        let Some(explanation) = told(&object(&path), "unsafe", &information) else {
            continue;
        };
        let said = text(explanation);
        assert!(said.lines().count() <= SCREEN, "{said}");
        assert!(!said.contains("{r}") && !said.contains("{n}"), "{said}");
        let file = path.with_extension("txt");
        if std::env::var_os(WRITE).is_some() {
            fs::write(&file, said).expect("a file for the words");
        } else {
            assert_eq!(read(&file), said, "{}", stem(&path));
        }
    }
}

/// Of the unsafe programs that an input can show to be so, nearly all get one.
#[test]
fn unsafe_programs_come_with_an_input() {
    let (mut shown, mut all) = (0, 0);
    for path in files(PAIRS, "c") {
        let source = read(&path);
        let information = information(field(&source, "contract"));
        let explanation = told(&object(&path), "unsafe", &information);
        let witness = explanation.and_then(|explanation| explanation.witness);
        let is_known = !field(&source, "fault").is_empty();
        assert!(
            is_known || witness.is_none(),
            "{}: a new fault",
            stem(&path)
        );
        all += 1;
        shown += usize::from(witness.is_some());
    }
    assert!(10 * shown >= 8 * all, "{shown} of {all}");
}

/// A rejection has what every judge can say, and the rest as its detail.
#[test]
fn an_explanation_becomes_a_rejection() {
    let object = crate::fixtures::object("rejected");
    let explanation = told(&object, "null_value", &sample()).expect("a refusal");
    let rejection = explanation.rejection();
    assert_eq!(
        "the result of bpf_map_lookup_elem may be NULL here",
        rejection.reason
    );
    assert_eq!("check it first: if (!value) return 0;", rejection.hint);
    assert_eq!(Some(7), rejection.pc);
    assert_eq!("r0 = *(u64 *)(r0 + 0)", rejection.instruction);
    let source = rejection.source.expect("line information");
    assert_eq!("return *value;", source.text.trim_start());
    assert!(rejection.detail.starts_with("needed:  r0 is not NULL\n"));
}
