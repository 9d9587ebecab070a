//! The number that answers a question about a type.

use super::access::{Access, Family, Place, Question};
use super::target::Target;
use crate::error::Result;

/// What becomes of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Value {
        value: u64,
        /// The field in the other layout, for an instruction that loads or stores it.
        place: Option<Place>,
    },
    /// Nothing can stand there, for this reason.
    None(String),
}

/// What the compiler has put into the instruction; `None` where it may be anything.
///
/// A bit-field is loaded as the compiler sees fit, so nothing can be said of how.
pub fn expected(access: &Access) -> Option<u64> {
    match &access.local {
        Some(place) if place.bits != 0 && access.question != Question::FieldExists => None,
        Some(place) => of_field(access.question, place).ok(),
        None => Some(access.value),
    }
}

/// Ask every type of the name; those that can answer must agree.
pub fn answer(access: &Access, target: &mut Target<'_>) -> Result<Answer> {
    let value = |value| Answer::Value { value, place: None };
    if access.question == Question::TypeIdLocal {
        return Ok(value(access.value));
    }
    if access.question == Question::TypeMatches {
        let what = "whether types match cannot be told here: ask bpf_core_type_exists";
        return Ok(Answer::None(what.into()));
    }
    if access.root.is_empty() {
        let what = "its type has no name, so that none can be found for it";
        return Ok(Answer::None(what.into()));
    }
    let candidates = target.candidates(access)?;
    let mut found: Option<Answer> = None;
    for candidate in &candidates {
        let Some(one) = of_candidate(access, *candidate, target)? else {
            continue;
        };
        match &found {
            Some(other) if *other != one => {
                let what = format!(
                    "there are several types {}, and they disagree about {}",
                    access.root,
                    access.text()
                );
                return Ok(Answer::None(what));
            }
            _ => found = Some(one),
        }
    }
    Ok(found.unwrap_or_else(|| missing(access, candidates.is_empty())))
}

fn of_candidate(
    access: &Access,
    candidate: u32,
    target: &mut Target<'_>,
) -> Result<Option<Answer>> {
    let value = |value| Some(Answer::Value { value, place: None });
    Ok(match access.question {
        Question::TypeExists => value(1),
        Question::TypeSize => value(u64::from(target.types().size_of(candidate)?)),
        Question::TypeIdTarget => value(u64::from(candidate)),
        Question::EnumeratorExists => target
            .enumerator(&access.enumerator, candidate)?
            .and_then(|_| value(1)),
        Question::EnumeratorValue => target
            .enumerator(&access.enumerator, candidate)?
            .and_then(value),
        question => {
            target
                .field(access, candidate)?
                .map(|place| match of_field(question, &place) {
                    Ok(value) => Answer::Value {
                        value,
                        place: Some(place),
                    },
                    Err(what) => Answer::None(what),
                })
        }
    })
}

/// That something is not there is an answer to some questions.
fn missing(access: &Access, no_type: bool) -> Answer {
    let absent = matches!(
        access.question,
        Question::FieldExists
            | Question::TypeExists
            | Question::TypeSize
            | Question::TypeIdTarget
            | Question::EnumeratorExists
    );
    if absent {
        return Answer::Value {
            value: 0,
            place: None,
        };
    }
    Answer::None(if no_type {
        format!(
            "{}: the program's context knows no type {}",
            access.text(),
            access.root
        )
    } else {
        format!(
            "{}: type {} of the program's context has no such field",
            access.text(),
            access.root
        )
    })
}

fn of_field(question: Question, place: &Place) -> Result<u64, String> {
    let (offset, size) = unit(place)?;
    let bits = match place.bits {
        0 => u64::from(size) * 8,
        bits => u64::from(bits),
    };
    Ok(match question {
        Question::ByteOffset => offset,
        Question::ByteSize => u64::from(size),
        Question::FieldExists => 1,
        Question::Signed => u64::from(place.signed),
        Question::LeftShift => 64_u64.wrapping_sub(place.offset + bits - offset * 8),
        Question::RightShift => 64_u64.wrapping_sub(bits),
        _ => return Err("it asks of no field".into()),
    })
}

/// Where a field is loaded from, and how many bytes: a bit-field within an aligned number.
fn unit(place: &Place) -> Result<(u64, u32), String> {
    if place.bits == 0 {
        return Ok((place.offset / 8, place.size));
    }
    let end = place.offset + u64::from(place.bits);
    let mut size = place.size.max(1);
    loop {
        let offset = place.offset / 8 / u64::from(size) * u64::from(size);
        if end <= (offset + u64::from(size)) * 8 {
            return Ok((offset, size));
        }
        if size >= 8 {
            return Err("a bit-field does not lie within eight bytes".into());
        }
        size *= 2;
    }
}

/// Whether a load of one layout's field may become one of the other's, whatever their sizes.
pub fn may_resize(from: &Place, to: &Place) -> bool {
    let plain = |place: &Place| match place.family {
        Family::Pointer => true,
        Family::Integer => !place.signed,
        _ => false,
    };
    from.bits == 0 && to.bits == 0 && plain(from) && plain(to)
}
