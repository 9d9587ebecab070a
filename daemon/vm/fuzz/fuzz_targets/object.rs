//! An object file, as its author or an attacker wrote it.
#![no_main]

use _native::loader::fuzz::check_object;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_object(bytes));
