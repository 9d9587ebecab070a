//! Other executors of the same programs: native code and rbpf's JIT.
//!
//! Sound because: native programs and rbpf's code get a packet that is alive and
//! has the length they are told; their maps are those of `natives.so`, whose two
//! functions have the types that they are called with.

use std::ffi::c_void;
use std::hint::black_box;
use std::path::Path;
use std::sync::OnceLock;

use _native::isa::{Insn, LDDW_MAP, LDDW_VALUE};
use _native::loader::parse_object;

use crate::Outcome;
use crate::measure::Peer;
use crate::natives::{Library, Native};

type Lookup = unsafe extern "C" fn(u64, u64) -> u64;
type Update = unsafe extern "C" fn(u64, u64, u64, u64) -> u64;

static MAPS: OnceLock<(Lookup, Update)> = OnceLock::new();

/// Code for this machine; `packet` is its own copy.
pub fn native<'a>(name: &str, program: Native, mut packet: Vec<u8>) -> Peer<'a> {
    Peer::new(name, move |count| {
        let mut last = 0;
        for _ in 0..count {
            let length = packet.len() as u64;
            // SAFETY: see the module; the black box keeps the call in the loop.
            last = unsafe { black_box(program)(packet.as_mut_ptr(), length) };
        }
        last
    })
}

/// The same program by rbpf's JIT, from an object without a context.
pub fn rbpf<'a>(object: &Path, library: &Library, packet: Vec<u8>) -> Outcome<Peer<'a>> {
    let bytes = std::fs::read(object).map_err(|error| error.to_string())?;
    let code: &'static [u8] = flat(&bytes, library)?.leak();
    give_maps(library)?;
    let text = |error: std::io::Error| error.to_string();
    let mut machine = rbpf::EbpfVmMbuff::new(Some(code)).map_err(text)?;
    machine.register_helper(1, lookup).map_err(text)?;
    machine.register_helper(2, update).map_err(text)?;
    machine.jit_compile().map_err(text)?;
    let packet: &'static mut [u8] = packet.leak();
    let (start, length) = (packet.as_mut_ptr(), packet.len());
    Ok(Peer::new("rbpf_jit", move |count| {
        let mut last = 0;
        for _ in 0..count {
            // SAFETY: the packet is leaked, and only this code uses it.
            let run = unsafe {
                let packet = std::slice::from_raw_parts_mut(start, length);
                machine.execute_program_jit(&mut [], packet)
            };
            last = run.unwrap_or(u64::MAX);
        }
        last
    }))
}

/// The instructions with the addresses of native maps in place of map numbers.
fn flat(object: &[u8], library: &Library) -> Outcome<Vec<u8>> {
    let object = parse_object(object).map_err(|error| error.to_string())?;
    let spec = object.programs.first().ok_or("an object without program")?;
    let mut instructions = spec.instructions.clone();
    let mut pc = 0;
    while pc < instructions.len() {
        if instructions[pc].is_lddw() {
            if instructions[pc].src == LDDW_MAP {
                let map = &object.maps[instructions[pc].imm as usize];
                let address = library.address(&map.name)? as u64;
                instructions[pc].src = LDDW_VALUE;
                instructions[pc].imm = address as u32 as i32;
                instructions[pc + 1].imm = (address >> 32) as u32 as i32;
            }
            pc += 1;
        }
        pc += 1;
    }
    Ok(instructions.into_iter().flat_map(Insn::to_bytes).collect())
}

fn give_maps(library: &Library) -> Outcome<()> {
    let (find, set) = (
        library.address("map_lookup")?,
        library.address("map_update")?,
    );
    // SAFETY: see the module.
    let functions = unsafe {
        (
            std::mem::transmute::<*mut c_void, Lookup>(find),
            std::mem::transmute::<*mut c_void, Update>(set),
        )
    };
    MAPS.get_or_init(|| functions);
    Ok(())
}

fn lookup(map: u64, key: u64, _: u64, _: u64, _: u64) -> u64 {
    // SAFETY: set before any program runs; programs give a map and a key.
    MAPS.get().map_or(0, |maps| unsafe { maps.0(map, key) })
}

fn update(map: u64, key: u64, value: u64, flags: u64, _: u64) -> u64 {
    let give = |maps: &(Lookup, Update)| {
        // SAFETY: as above, with a value.
        unsafe { maps.1(map, key, value, flags) }
    };
    MAPS.get().map_or(0, give)
}
