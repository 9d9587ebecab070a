//! Helpers 19 to 21, 33 and 34: who is running.
//!
//! What the answers mean on Linux is said in `exec::origin`.

use crate::exec::{Facts, Fault, Services};

/// What reading an origin's facts counts: about as long as so many bytes take to copy.
const READING: u64 = 256 << 10;

/// 19: the process in the high half, the thread in the low one.
pub fn pid_tgid(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(19, |services| {
        let origin = services.identity.origin();
        Ok(u64::from(origin.pid) << 32 | u64::from(origin.tid))
    })
}

/// 20: the same number for all that one login started.
pub fn logon_id(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    services.memory.check_context(args[0])?;
    services.outside(20, |services| Ok(facts(services)?.logon_id))
}

/// 21: whether the origin's user is root, 1 or 0; -1 if nobody named the user.
///
/// That -1 is all that eBPF for Windows itself ever says; to answer for the
/// user of this process instead would call unknown callers of a daemon root.
pub fn is_admin(services: &mut Services<'_>, args: [u64; 5]) -> Result<u64, Fault> {
    services.memory.check_context(args[0])?;
    services.outside(21, |services| {
        let uid = services.identity.origin().uid;
        Ok(uid.map_or(-1_i64 as u64, |uid| u64::from(uid == 0)))
    })
}

/// 33: a number that no other process since boot has.
pub fn start_key(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(33, |services| Ok(facts(services)?.start_key))
}

/// 34: when the thread began, in 100-ns units since 1601.
pub fn create_time(services: &mut Services<'_>, _: [u64; 5]) -> Result<u64, Fault> {
    services.outside(34, |services| Ok(facts(services)?.create_time))
}

fn facts(services: &mut Services<'_>) -> Result<Facts, Fault> {
    if !services.identity.is_known() {
        services.memory.charge(READING)?;
    }
    Ok(services.identity.facts())
}

#[cfg(test)]
mod tests {
    use super::super::calls::{Arg, NULL, program, result};
    use crate::exec::{Input, Options, Origin};
    use crate::fixtures::{assembled, context, ready};

    const CONTEXT: [Arg; 5] = [Arg::Context, NULL, NULL, NULL, NULL];

    /// Call a helper twice in one batch of this origin; both codes are 0 and both results equal.
    fn ask(helper: i32, origin: Option<Origin>) -> i64 {
        let program = ready(
            &assembled(&program(helper, CONTEXT), &[]),
            Vec::new(),
            Options::default(),
        );
        // No result leaves such contexts as they are, so that they come back.
        let contexts = [context(u32::MAX, 0), context(u32::MAX, 0)].concat();
        let input = Input {
            contexts: &contexts,
            count: 2,
            origin,
            ..Input::default()
        };
        let batch = program.run_batch(input).expect("valid input");
        assert_eq!(vec![0, 0], batch.codes);
        let half = batch.contexts.len() / 2;
        let results = [&batch.contexts[..half], &batch.contexts[half..]].map(result);
        assert_eq!(results[0], results[1]);
        results[0]
    }

    fn named(uid: u32) -> Option<Origin> {
        Some(Origin {
            pid: u32::MAX - 1,
            tid: 7,
            uid: Some(uid),
        })
    }

    /// "(pid<<32)|tid", of the batch's origin or of the running thread.
    #[test]
    fn pid_and_tid_share_a_number() {
        assert_eq!(0xffff_fffe_0000_0007_u64 as i64, ask(19, named(0)));
        assert_eq!(i64::from(std::process::id()), ask(19, None) >> 32);
    }

    /// "core default -1" as long as nobody names the user; then root is 1, others are 0.
    #[test]
    fn only_a_named_root_is_admin() {
        let cases = [(None, -1), (named(0), 1), (named(1_000), 0)];
        for (origin, expected) in cases {
            assert_eq!(expected, ask(21, origin));
        }
    }

    /// A living thread has all three; of what is gone only the named user is known.
    #[test]
    fn logon_start_and_creation_are_known_of_the_living() {
        assert_eq!([5, 0, 0], [20, 33, 34].map(|helper| ask(helper, named(5))));
        let own = i64::from(std::process::id());
        assert_eq!(own, ask(33, None) & 0x3f_ffff);
        assert!(ask(34, None) > 0);
        assert_eq!(ask(20, None), ask(20, None));
    }

    /// Reading counts against the budget, once a batch; a context must be one.
    #[test]
    fn reading_is_charged_and_arguments_are_checked() {
        let run = |helper, args, budget| {
            let options = Options {
                budget: Some(budget),
                ..Options::default()
            };
            let spec = assembled(&program(helper, args), &[]);
            let contexts = context(0, 0);
            let input = Input {
                contexts: &contexts,
                count: 1,
                origin: named(5),
                ..Input::default()
            };
            let program = ready(&spec, Vec::new(), options);
            program.run_batch(input).expect("valid input").codes[0]
        };
        for helper in [20, 33, 34] {
            assert_eq!(32, run(helper, CONTEXT, 100));
            assert_eq!(0, run(helper, CONTEXT, 10_000));
        }
        for helper in [20, 21] {
            assert_eq!(31, run(helper, [NULL; 5], 10_000));
        }
    }
}
