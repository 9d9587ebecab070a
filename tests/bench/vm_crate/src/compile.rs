//! What compiling costs beside the code generator's own work on the same functions.

use std::path::Path;

use serde_json::json;

use crate::executor::{self, Trust};
use crate::measure::{Plan, median, pin_to};
use crate::{Outcome, emit};

/// How often each program is compiled.
const TIMES: usize = 40;

pub fn bench(folder: &Path, plan: &Plan) -> Outcome<()> {
    pin_to(0);
    let mut paths: Vec<_> = std::fs::read_dir(folder.join("sample"))
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        let object = std::fs::read(&path).map_err(|error| error.to_string())?;
        let loaded = executor::load(&object, &executor::sample())?;
        let (mut totals, mut generators, mut size) = (Vec::new(), Vec::new(), 0);
        for _ in 0..if plan.quick { TIMES } else { 5 * TIMES } {
            let subject = executor::build(&loaded, "jit", Trust::Anything)?;
            let jit = subject.program.jit()?;
            totals.push(jit.timing().total_ns as f64);
            generators.push(jit.timing().generator_ns as f64);
            size = jit.size();
        }
        let (total, generator) = (median(totals), median(generators));
        emit(&json!({
            "table": "compile time", "program": path.file_stem().and_then(|stem| stem.to_str()),
            "instructions": loaded.spec.instructions.len(), "bytes": size,
            "ns": {"total": total, "cranelift": generator}, "ratio": total / generator,
        }));
    }
    Ok(())
}
