//! BTF-resolved functions: what programs import, and what contracts offer.
//!
//! A program names such a function and the module that has it; it has no fixed
//! number.  A contract offers a table of them, and the place of a function in
//! the table is what the rest of the engine calls it by: as if it were a helper
//! with an id that no helper has.

use std::sync::Arc;

use crate::contract::{ProgramInformation, Prototype};

/// The first function of a contract's table answers to this id, the next to the next.
pub const FIRST_FUNCTION: u32 = 0x8000_0000;

/// A function that a program calls and another module has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Import {
    pub name: Arc<str>,
    /// The GUID of the module, in its canonical form.
    pub module: Arc<str>,
}

/// A function that a contract offers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// The GUID of the module, in its canonical form.
    pub module: String,
    /// Its id is [`FIRST_FUNCTION`] and the place in the contract's table.
    pub prototype: Prototype,
}

/// The function that an import means, if it is offered.
pub fn find<'a>(import: &Import, information: &'a ProgramInformation) -> Option<&'a Prototype> {
    let offered = information.functions.iter().find(|function| {
        *import.name == *function.prototype.name && *import.module == *function.module
    });
    offered.map(|function| &function.prototype)
}

/// Why an import has no function, and what there is instead.
pub fn unavailable(import: &Import, information: &ProgramInformation) -> String {
    let Import { name, module } = import;
    let functions = &information.functions;
    let offered: Vec<&str> = functions
        .iter()
        .filter(|function| function.module == **module)
        .map(|function| function.prototype.name.as_str())
        .collect();
    let mut modules: Vec<&str> = functions.iter().map(|each| each.module.as_str()).collect();
    modules.dedup();
    let instead = match (offered.is_empty(), modules.is_empty()) {
        (false, _) => format!("the module offers {}", offered.join(", ")),
        (true, false) => format!(
            "functions are offered by {}, not by this module",
            modules.join(", ")
        ),
        (true, true) => "no module offers functions".to_owned(),
    };
    format!("function {name} of module {module} is not offered: {instead}")
}

/// The canonical form of a GUID, given with or without its braces.
pub fn canonical_guid(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix('{')
        .map_or(Some(text), |rest| rest.strip_suffix('}'))?;
    let dashes = [8, 13, 18, 23];
    let is_valid = inner.len() == 36
        && inner.bytes().enumerate().all(|(at, byte)| {
            if dashes.contains(&at) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        });
    is_valid.then(|| inner.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Braces and the case of letters do not matter; everything else does.
    #[test]
    fn guids_have_one_form() {
        let canonical = "12345678-1234-1234-1234-123456789abc";
        for text in [
            canonical,
            "{12345678-1234-1234-1234-123456789abc}",
            "12345678-1234-1234-1234-123456789ABC",
        ] {
            assert_eq!(Some(canonical.to_owned()), canonical_guid(text));
        }
        for text in [
            "",
            "{",
            "{}",
            &canonical[1..],
            "{12345678-1234-1234-1234-123456789abc",
        ] {
            assert_eq!(None, canonical_guid(text), "{text}");
        }
        assert_eq!(None, canonical_guid("g2345678-1234-1234-1234-123456789abc"));
        assert_eq!(
            None,
            canonical_guid("1234567801234-1234-1234-123456789abcd")
        );
    }
}
