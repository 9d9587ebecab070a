//! Random programs, judged and run: a run stays inside of what the judge has said of it.
//!
//! ```text
//!   seed --writer--> program --ours--> states at each instruction, worst case
//!                       '-----checked interpreter, random inputs --> registers and stack
//!                                 at each instruction: in one of the states there?
//! ```
//!
//! Programs are written so that most are nearly right: they check what they use, but now and
//! then in a way that does not suffice.  Only for tests, and for `examples/inclusion.rs`, which
//! runs millions.

mod calls;
mod confine;
mod loops;
mod maps;
mod minimise;
mod numbers;
mod packet;
mod stack;
mod trial;
mod watch;
mod world;
mod writer;

#[cfg(test)]
mod found;
#[cfg(test)]
mod tests;

pub use trial::{Features, Outcome, Trial};
pub use world::World;
pub use writer::Writer;
