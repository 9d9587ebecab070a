use _native::contract::{ContextDescriptor, ProgramInformation, Prototype};
use _native::loader::parse_object;
use _native::verifier::{Case, ours};
fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let object = match parse_object(&bytes) {
            Ok(o) => o,
            Err(e) => {
                println!("{path}: {e}");
                continue;
            }
        };
        let helper = |id, name: &str, return_type, arguments: &[u32]| Prototype {
            id,
            name: name.into(),
            return_type,
            arguments: arguments.to_vec(),
            reallocate_packet: false,
            implicit_context: name.contains("implicit"),
        };
        let mut information = ProgramInformation::new(
            "sample",
            ContextDescriptor {
                data: 0,
                end: 8,
                ..ContextDescriptor::plain(32)
            },
            &[(16, 16)],
        );
        information.helpers = vec![
            helper(0x10000, "helper_function1", 0, &[4]),
            helper(0x10001, "find", 0, &[9, 2, 9, 2]),
            helper(0x10002, "replace", 0, &[11, 2, 1, 9, 2]),
            helper(0x10003, "helper_implicit_1", 0, &[]),
            helper(0x10004, "helper_implicit_2", 0, &[1]),
            helper(0x10005, "map_lookup_element", 1, &[5, 7]),
            helper(0x10006, "map_get_value", 0, &[5, 7, 11, 2]),
        ];
        for program in &object.programs {
            let start = std::time::Instant::now();
            let r = ours::explore(
                Case {
                    program,
                    maps: &object.maps,
                    information: &information,
                },
                ours::Limits::default(),
            );
            let t = start.elapsed();
            let verdict = match &r.outcome {
                ours::Outcome::Safe { worst_case } => format!("safe {worst_case}"),
                ours::Outcome::Unsafe(v) => format!("UNSAFE pc {} {:?}", v.pc, v.problem),
                ours::Outcome::GaveUp(w) => format!("gave up {w}"),
            };
            println!(
                "{} {}: {} | insns {} states {} proved {} {:?}",
                path.rsplit('/').next().unwrap(),
                program.name,
                verdict,
                r.instructions,
                r.states,
                r.proved,
                t
            );
        }
    }
}
