//! Both executors on the program that the input stands for.
#![no_main]

use _native::differential::Pair;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PAIR: Pair = Pair::new().expect("valid maps");
}

fuzz_target!(|choices: &[u8]| {
    let outcome = PAIR.with(|pair| pair.check_choices(choices, None));
    assert_eq!(None, outcome.difference);
});
