use super::*;
use crate::fixtures::{object, program, sample};
use crate::verifier::ours::{Limits, Outcome, explore};

fn explained(of: &str) -> Explanation {
    let object = object("rejected");
    let information = sample();
    let case = Case {
        program: program(&object, of),
        maps: &object.maps,
        information: &information,
    };
    match explore(case, Limits::default()).outcome {
        Outcome::Unsafe(violation) => explain(case, &violation),
        other => panic!("{of}: {other:?}"),
    }
}

/// Names of kinds can be used in file names and addresses.
#[test]
fn kinds_are_in_kebab_case() {
    for lesson in lessons::ALL {
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        assert!(lesson.kind.chars().all(is_plain), "{}", lesson.kind);
    }
}

/// Each kind of mistake is told in its own sentence, and no blank is left.
#[test]
fn reasons_are_in_plain_words() {
    let cases = [
        (
            "null_value",
            "the result of bpf_map_lookup_elem may be NULL here",
        ),
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
    ];
    for (program, reason) in cases {
        let explanation = explained(program);
        assert_eq!(reason, explanation.reason, "{program}");
        assert!(!explanation.text().contains('{'), "{}", explanation.text());
    }
}
