//! The Python module `ebpfd_vm._native`: a thin shell around the engine.
//!
//! Here are conversions and the handling of the GIL, and no semantics.  What
//! takes time runs without the GIL; a panic becomes an `EngineError`.

mod contract;
mod door;
mod errors;
mod execution;
mod gate;
mod helper;
mod hook_door;
mod maps;
mod objects;
mod trace;
mod verifier;

use pyo3::prelude::*;

/// The module's names, as `_native.pyi` declares them.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    errors::add(module)?;
    module.add_class::<helper::Helper>()?;
    module.add_class::<objects::SourceLine>()?;
    module.add_class::<objects::MapSpec>()?;
    module.add_class::<objects::ProgramSpec>()?;
    module.add_class::<objects::Object>()?;
    module.add_class::<objects::DisassembledRow>()?;
    module.add_class::<verifier::PathStep>()?;
    module.add_class::<verifier::RegisterEvent>()?;
    module.add_class::<verifier::Witness>()?;
    module.add_class::<verifier::Explanation>()?;
    module.add_class::<verifier::Rejection>()?;
    module.add_class::<verifier::Verdict>()?;
    module.add_class::<maps::Map>()?;
    module.add_class::<trace::TraceLine>()?;
    module.add_class::<trace::Trace>()?;
    module.add_class::<execution::BatchResult>()?;
    module.add_class::<execution::Counters>()?;
    module.add_class::<execution::Tally>()?;
    module.add_class::<execution::Program>()?;
    module.add_class::<gate::Gate>()?;
    module.add_class::<hook_door::Door>()?;
    module.add_class::<gate::Lane>()?;
    module.add("FIRST_FUNCTION", crate::functions::FIRST_FUNCTION)?;
    module.add_function(wrap_pyfunction!(helper::general_helpers, module)?)?;
    module.add_function(wrap_pyfunction!(maps::lane_count, module)?)?;
    module.add_function(wrap_pyfunction!(maps::limit_map_memory, module)?)?;
    module.add_function(wrap_pyfunction!(maps::map_memory, module)?)?;
    module.add_function(wrap_pyfunction!(objects::parse_object, module)?)?;
    module.add_function(wrap_pyfunction!(objects::disassemble, module)?)?;
    module.add_function(wrap_pyfunction!(verifier::verify, module)?)?;
    module.add_function(wrap_pyfunction!(verifier::verify_helper, module)?)?;
    Ok(())
}
