//! Instructions: decoded, and written out for people.
#![no_main]

use _native::loader::fuzz::check_instructions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_instructions(bytes));
