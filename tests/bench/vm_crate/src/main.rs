//! What `tests/bench/vm.py` runs: the engine beside its peers, in one process.
//!
//! ```text
//!   vm-bench programs|compile|maps|lives|batch FOLDER [--quick]
//! ```
//!
//! Prints one JSON object a line, a row each.  FOLDER holds what `vm_build.py`
//! compiled: `packet.bin`, `natives.so`, `sample/*.o`, `plain/*.o`, `verdict.o`.

mod assembly;
mod batch;
mod compile;
mod executor;
mod lives;
mod map_kinds;
mod map_objects;
mod map_ordered;
mod map_prices;
mod map_programs;
mod measure;
mod natives;
mod peers;
mod programs;

use std::path::Path;
use std::process::ExitCode;

use measure::Plan;

/// What a part of the bench gives, or why there is nothing.
pub type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(part), Some(folder)) = (arguments.first(), arguments.get(1)) else {
        eprintln!("usage: vm-bench programs|compile|maps|lives|batch FOLDER [--quick]");
        return ExitCode::from(2);
    };
    let plan = Plan::new(arguments.iter().any(|argument| argument == "--quick"));
    let folder = Path::new(folder);
    let outcome = match part.as_str() {
        "programs" => programs::bench(folder, &plan),
        "compile" => compile::bench(folder, &plan),
        "maps" => map_prices::bench(&plan),
        "lives" => lives::bench(folder, &plan),
        "batch" => batch::bench(folder, &plan),
        other => Err(format!("there is no part {other}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("vm-bench {part}: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Print one row.
pub fn emit(row: &serde_json::Value) {
    println!("{row}");
}
