//! How a run ended, in words that say the same in every run.

use super::super::explore::Violation;
use super::super::teach::words;
use super::super::value::{Region, Value};
use super::reading::{Place, Reading};
use crate::error::ResultCode;
use crate::exec::DEFAULT_BUDGET;
use crate::isa::{Insn, class};

/// Nothing lies below this address.
const LOWEST: u64 = 0x1000;

pub fn of(violation: &Violation, reading: &Reading<'_>, (pc, code): (usize, u8)) -> String {
    if code == ResultCode::Timeout as u8 {
        return format!("it still runs after {DEFAULT_BUDGET} instructions");
    }
    if code == ResultCode::Failed as u8 {
        return "it calls a ninth function while eight are active".into();
    }
    let insn = reading.case.program.instructions[pc];
    let Some((register, verb)) = access(insn) else {
        let call = words::called(reading.case, pc);
        return format!("it gives memory to {call} that it may not touch");
    };
    let id = reading.registers[usize::from(register)];
    let address = reading
        .graph
        .value(id)
        .wrapping_add_signed(insn.offset.into());
    let preferred = match violation.pc == pc {
        true => match violation.state.register(register) {
            Value::Pointer(pointer) if pointer.null == 0 => Some(pointer.region),
            _ => None,
        },
        false => None,
    };
    let place = place(reading, address, preferred);
    format!("it {verb} {} at {place}", words::bytes(insn.width() as i64))
}

/// The register whose memory is accessed, and how.
fn access(insn: Insn) -> Option<(u8, &'static str)> {
    match insn.class() {
        class::LDX => Some((insn.src, "reads")),
        class::ST | class::STX => Some((insn.dst, "writes")),
        _ => None,
    }
}

/// Something that has an address.
struct Thing {
    base: u64,
    size: u64,
    name: String,
}

fn place(reading: &Reading<'_>, address: u64, preferred: Option<Region>) -> String {
    if address < LOWEST {
        return match address {
            0 => "NULL".into(),
            _ => format!("the address {}", words::number(address)),
        };
    }
    if preferred.is_some_and(|region| matches!(region, Region::Stack(_))) {
        let distance = reading.top.wrapping_sub(address) as i64;
        return match distance > 0 {
            true => format!(
                "the place {} below the top of the stack",
                words::bytes(distance)
            ),
            false => format!(
                "the place {} above the top of the stack",
                words::bytes(-distance)
            ),
        };
    }
    let distance = |thing: &Thing| address.wrapping_sub(thing.base) as i64;
    let nearest = preferred.and_then(|region| {
        let things = things(reading, region).into_iter();
        things.min_by_key(|thing| distance(thing).unsigned_abs())
    });
    match nearest {
        Some(thing) => format!(
            "offset {} of {}, which has {}",
            words::between(distance(&thing), distance(&thing)),
            thing.name,
            words::bytes(thing.size as i64)
        ),
        None => "an address where there is nothing".into(),
    }
}

/// What is in a region.
fn things(reading: &Reading<'_>, region: Region) -> Vec<Thing> {
    let case = reading.case;
    let (data, meta, length) = reading.data_range();
    match region {
        Region::Data(_) | Region::End => vec![Thing {
            base: data + meta,
            size: length - meta,
            name: "the packet".into(),
        }],
        Region::Context => vec![Thing {
            base: reading.context,
            size: case.information.context.size as u64,
            name: "the context".into(),
        }],
        Region::MapValue(_) => {
            let places = reading.places.iter();
            let thing = |place: &Place| Thing {
                base: place.base,
                size: place.size,
                name: format!("a value of {}", words::map(case, place.entry.map as u32)),
            };
            places.map(thing).collect()
        }
        _ => Vec::new(),
    }
}
