//! Functions of other modules: declarations in the BTF section `.ksyms`.
//!
//! ```text
//!   extern int lookup(u64 key)
//!       __attribute__((section(".ksyms")))
//!       __attribute__((btf_decl_tag("module_id:{guid}")));
//! ```
//!
//! The compiler leaves a call of a symbol that the file does not define; name
//! and module tell which function it is to be.

use std::collections::HashMap;
use std::sync::Arc;

use super::btf::Types;
use crate::error::Result;
use crate::functions::{Import, canonical_guid};

const SECTION: &str = ".ksyms";
const MODULE_TAG: &str = "module_id:";
/// Functions that one program may import.
const MAX_IMPORTS: usize = 256;

/// What the object declares, by name; the reason for one that names no module.
#[derive(Default)]
pub struct Declared(HashMap<String, Result<Import, String>>);

impl Declared {
    pub fn read(types: Option<&Types<'_>>) -> Result<Self> {
        let Some(types) = types else {
            return Ok(Self::default());
        };
        let functions = types.section_functions(SECTION)?;
        let import = |(name, tags): (&str, Vec<&str>)| (name.to_owned(), import(name, &tags));
        Ok(Self(functions.into_iter().map(import).collect()))
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

fn import(name: &str, tags: &[&str]) -> Result<Import, String> {
    let Some(module) = tags.iter().find_map(|tag| tag.strip_prefix(MODULE_TAG)) else {
        return Err(format!(
            "function {name} names no module: add \
             __attribute__((btf_decl_tag(\"module_id:{{guid}}\")))"
        ));
    };
    let Some(module) = canonical_guid(module) else {
        return Err(format!("function {name}: module {module} is no GUID"));
    };
    Ok(Import {
        name: name.into(),
        module: module.into(),
    })
}

/// The imports of one program, in the order in which it uses them.
#[derive(Default)]
pub struct Imports {
    pub list: Vec<Import>,
    places: HashMap<Arc<str>, usize>,
}

impl Imports {
    /// Where `name` stands in the list; it is added if it is new.
    pub fn place(&mut self, name: &str, declared: &Declared) -> Result<usize, String> {
        if let Some(place) = self.places.get(name) {
            return Ok(*place);
        }
        let Some(import) = declared.0.get(name) else {
            return Err(format!("unknown extern {name}: the object must define it"));
        };
        let import = import.clone()?;
        if self.list.len() >= MAX_IMPORTS {
            return Err(format!("more than {MAX_IMPORTS} functions are imported"));
        }
        self.places
            .insert(Arc::clone(&import.name), self.list.len());
        self.list.push(import);
        Ok(self.list.len() - 1)
    }
}
