//! The general helpers: prototypes of all, implementations of most.
//!
//! Ids, prototypes and results are those of eBPF for Windows; a failure reaches
//! the program as a negated `ebpf_result`.  A helper without an implementation
//! is known by name, so that a refusal can say what is missing.

mod checksum;
mod map;
mod memory;
mod origin;
mod printk;
mod strings;
mod system;
mod table;

#[cfg(test)]
mod calls;
#[cfg(test)]
mod tests;

use crate::contract::{FIRST_EXTENSION_HELPER, ProgramInformation, Prototype};
use crate::exec::{Fault, Services};

pub use system::{boot_clock, monotonic_clock};

/// What a helper implemented here looks like: r1 to r5 in, r0 out.
pub type Native = fn(&mut Services<'_>, [u64; 5]) -> Result<u64, Fault>;

/// The helper that removes an element and gives its value, which nobody else could do.
pub const LOOKUP_AND_DELETE: u32 = 4;
/// The helper that leaves a program for another one.
pub const TAIL_CALL: u32 = 5;

/// Helpers that only a program type can provide: there is nothing to fall back on.
const WITHOUT_DEFAULT: [u32; 2] = [26, 35];

/// One general helper.
pub struct General {
    pub id: u32,
    pub name: &'static str,
    pub return_type: u32,
    pub arguments: &'static [u32],
    pub native: Option<Native>,
}

impl General {
    pub fn prototype(&self) -> Prototype {
        Prototype {
            id: self.id,
            name: self.name.to_owned(),
            return_type: self.return_type,
            arguments: self.arguments.to_vec(),
            reallocate_packet: false,
            implicit_context: false,
        }
    }
}

/// The general helper with this id, implemented or not.
pub fn general(id: u32) -> Option<&'static General> {
    table::GENERAL.iter().find(|helper| helper.id == id)
}

/// The general helpers that this engine implements, by id.
pub fn implemented() -> impl Iterator<Item = &'static General> {
    table::GENERAL
        .iter()
        .filter(|helper| helper.native.is_some())
}

/// Whether a program of this type may call helper `id`.
pub fn is_available(id: u32, information: &ProgramInformation) -> bool {
    information.helper(id).is_some() || general(id).is_some_and(|helper| helper.native.is_some())
}

/// Why helper `id` cannot be called, and what could be.
pub fn unavailable(id: u32, information: &ProgramInformation) -> String {
    if let Some(helper) = general(id) {
        if WITHOUT_DEFAULT.contains(&id) {
            return format!(
                "helper {} ({id}) has no default: program type \"{}\" would have to provide it",
                helper.name, information.name
            );
        }
        return format!(
            "helper {} ({id}) is not implemented by this engine",
            helper.name
        );
    }
    let offered: Vec<String> = information
        .helpers
        .iter()
        .filter(|helper| helper.id >= FIRST_EXTENSION_HELPER)
        .map(|helper| format!("{} ({})", helper.name, helper.id))
        .collect();
    let offered = if offered.is_empty() {
        "no helpers of its own".to_owned()
    } else {
        offered.join(", ")
    };
    format!(
        "unknown helper {id}: program type \"{}\" offers {offered}",
        information.name
    )
}
