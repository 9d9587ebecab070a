//! Contracts as the daemon has them: anything with the right attributes.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::contract::{ContextDescriptor, ContextField, ProgramInformation, Prototype};
use crate::functions::{FIRST_FUNCTION, Function, canonical_guid};
use crate::loader::shipped::Shipped;

/// Read a `ProgramInformation`.
pub fn information(object: &Bound<'_, PyAny>) -> PyResult<ProgramInformation> {
    let helpers = object.getattr("helpers")?;
    let functions = object.getattr_opt("functions")?;
    let functions = functions.map_or(Ok(Vec::new()), |table| functions_of(&table))?;
    let program_type = object.getattr_opt("program_type")?;
    Ok(ProgramInformation {
        name: object.getattr("name")?.extract()?,
        program_type: program_type.map_or(Ok(Vec::new()), |guid| guid.extract())?,
        context: descriptor(&object.getattr("context")?)?,
        is_privileged: object.getattr("is_privileged")?.extract()?,
        helpers: helpers
            .try_iter()?
            .map(|helper| prototype(&helper?))
            .collect::<PyResult<_>>()?,
        functions,
        writable: object
            .getattr("writable")?
            .try_iter()?
            .map(|range| range?.extract())
            .collect::<PyResult<_>>()?,
        fields: fields_of(object)?,
    })
}

/// Those of some helpers that come as code, if they are `wanted`.
pub fn all_shipped(helpers: &Bound<'_, PyAny>, wanted: &[u32]) -> PyResult<Vec<Shipped>> {
    let mut found = Vec::new();
    for helper in helpers.try_iter()? {
        found.extend(shipped(&helper?, |id| wanted.contains(&id))?);
    }
    Ok(found)
}

/// A helper, if it comes as code and `is_wanted`; it has `helper_id`, `name` and `code`.
pub fn shipped(
    helper: &Bound<'_, PyAny>,
    is_wanted: impl Fn(u32) -> bool,
) -> PyResult<Option<Shipped>> {
    let id: u32 = helper.getattr("helper_id")?.extract()?;
    let code = helper.getattr("code")?;
    let code: &[u8] = code.extract()?;
    if code.is_empty() || !is_wanted(id) {
        return Ok(None);
    }
    let name = helper.getattr("name")?;
    Ok(Some(Shipped::new(id, name.extract()?, code)?))
}

/// Names and rights of the context's fields; none, where nobody gives them.
fn fields_of(object: &Bound<'_, PyAny>) -> PyResult<Vec<ContextField>> {
    let Some(fields) = object.getattr_opt("fields")? else {
        return Ok(Vec::new());
    };
    let field = |field: Bound<'_, PyAny>| {
        Ok(ContextField {
            name: field.getattr("name")?.extract()?,
            offset: field.getattr("offset")?.extract()?,
            size: field.getattr("size")?.extract()?,
            is_hidden: field.getattr("hidden")?.extract()?,
        })
    };
    fields.try_iter()?.map(|each| field(each?)).collect()
}

/// The table of functions: each gets the id of its place.
fn functions_of(table: &Bound<'_, PyAny>) -> PyResult<Vec<Function>> {
    let mut functions = Vec::new();
    for (id, entry) in (FIRST_FUNCTION..).zip(table.try_iter()?) {
        let entry = entry?;
        let module: String = entry.getattr("module")?.str()?.extract()?;
        let module = canonical_guid(&module)
            .ok_or_else(|| PyValueError::new_err(format!("module {module:?} is no GUID")))?;
        functions.push(Function {
            module,
            prototype: Prototype {
                id,
                implicit_context: false,
                ..callable(&entry)?
            },
        });
    }
    Ok(functions)
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
    Ok(Prototype {
        id: object.getattr("helper_id")?.extract()?,
        implicit_context: object.getattr("implicit_context")?.extract()?,
        ..callable(object)?
    })
}

/// What helpers and functions have in common; id and context are still to be set.
fn callable(object: &Bound<'_, PyAny>) -> PyResult<Prototype> {
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
        id: 0,
        name: object.getattr("name")?.extract()?,
        return_type: object.getattr("return_type")?.extract()?,
        arguments,
        reallocate_packet: object.getattr("reallocate_packet")?.extract()?,
        implicit_context: false,
    })
}
