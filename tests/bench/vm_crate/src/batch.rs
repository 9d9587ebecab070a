//! Batches: 1,000 contexts of a light program against the program alone.

use std::path::Path;

use _native::exec::Input;
use serde_json::json;

use crate::executor::{self, EXECUTORS, Trust};
use crate::measure::{Peer, Plan, interleaved, pin_to};
use crate::programs::repeat;
use crate::{Outcome, emit};

pub const CONTEXT_SIZE: usize = 64;
const CONTEXTS: usize = 1_000;

pub fn bench(folder: &Path, plan: &Plan) -> Outcome<()> {
    pin_to(0);
    let object = std::fs::read(folder.join("verdict.o")).map_err(|error| error.to_string())?;
    let loaded = executor::load(&object, &executor::plain("bench_event", CONTEXT_SIZE))?;
    for name in EXECUTORS {
        let subject = executor::build(&loaded, name, Trust::Verdict)?;
        let context = context();
        let contexts = context.repeat(CONTEXTS);
        let prepared = subject.program.prepare(&context, b"");
        let mut prepared = prepared.map_err(|error| error.to_string())?;
        let program = &subject.program;
        let mut peers = [
            Peer::new("alone", |count| repeat(&mut prepared, count)),
            Peer::new("batch", |count| {
                let run = |_| {
                    let input = Input {
                        contexts: &contexts,
                        count: CONTEXTS,
                        ..Input::default()
                    };
                    program
                        .run_batch(input)
                        .map_or(0, |batch| batch.codes.len() as u64)
                };
                (0..count).map(run).sum()
            }),
        ];
        let times = interleaved(&mut peers, plan);
        let each = times[1] / CONTEXTS as f64;
        emit(&json!({
            "table": "batch", "executor": name, "program": "verdict", "contexts": CONTEXTS,
            "metered": subject.metered, "checks": subject.checks,
            "ns": {"alone": times[0], "in_a_batch": each}, "ratio": each / times[0],
        }));
    }
    Ok(())
}

/// An event that the program looks at to its last condition.
pub fn context() -> Vec<u8> {
    let numbers: [(usize, &[u8]); 5] = [
        (8, &10_u32.to_le_bytes()),
        (12, &20_u32.to_le_bytes()),
        (20, &6_u32.to_le_bytes()),
        (24, &9_000_u64.to_le_bytes()),
        (32, &3_u64.to_le_bytes()),
    ];
    let mut context = vec![0; CONTEXT_SIZE];
    for (offset, bytes) in numbers {
        context[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
    context
}
