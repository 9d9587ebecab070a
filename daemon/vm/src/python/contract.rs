//! Contracts as the daemon has them: anything with the right attributes.

use pyo3::prelude::*;

use crate::contract::{ContextDescriptor, ProgramInformation, Prototype};

/// Read a `ProgramInformation`.
pub fn information(object: &Bound<'_, PyAny>) -> PyResult<ProgramInformation> {
    let helpers = object.getattr("helpers")?;
    Ok(ProgramInformation {
        name: object.getattr("name")?.extract()?,
        context: descriptor(&object.getattr("context")?)?,
        is_privileged: object.getattr("is_privileged")?.extract()?,
        helpers: helpers
            .try_iter()?
            .map(|helper| prototype(&helper?))
            .collect::<PyResult<_>>()?,
        writable: object
            .getattr("writable")?
            .try_iter()?
            .map(|range| range?.extract())
            .collect::<PyResult<_>>()?,
    })
}

fn descriptor(object: &Bound<'_, PyAny>) -> PyResult<ContextDescriptor> {
    Ok(ContextDescriptor {
        size: object.getattr("size")?.extract()?,
        data: object.getattr("data")?.extract()?,
        end: object.getattr("end")?.extract()?,
        meta: object.getattr("meta")?.extract()?,
    })
}

fn prototype(object: &Bound<'_, PyAny>) -> PyResult<Prototype> {
    let mut arguments: Vec<u32> = object
        .getattr("arguments")?
        .try_iter()?
        .map(|argument| argument?.extract())
        .collect::<PyResult<_>>()?;
    // The binary form always has five; what is not used is 0.
    while arguments.last() == Some(&0) {
        arguments.pop();
    }
    Ok(Prototype {
        id: object.getattr("helper_id")?.extract()?,
        name: object.getattr("name")?.extract()?,
        return_type: object.getattr("return_type")?.extract()?,
        arguments,
        reallocate_packet: object.getattr("reallocate_packet")?.extract()?,
        implicit_context: object.getattr("implicit_context")?.extract()?,
    })
}
