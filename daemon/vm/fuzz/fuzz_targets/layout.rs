//! BTF that a program is relocated for, as an extension ships it.
#![no_main]

use _native::loader::{fuzz::check_layout, parse_object};
use _native::spec::Object;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static OBJECT: Object = parse_object(include_bytes!("../../tests/programs/relocated.o"))
        .expect("a valid object");
}

fuzz_target!(|bytes: &[u8]| OBJECT.with(|object| check_layout(object, bytes)));
