//! BTF, as an object or a contract brings it.
#![no_main]

use _native::loader::fuzz::check_btf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_btf(bytes));
