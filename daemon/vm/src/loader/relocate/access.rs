//! What an object asks of a type, as values that have left the object's own BTF behind.

use std::sync::Arc;

use crate::error::{EngineError, Result};
use crate::loader::btf::{Number, Type, Types};

/// What is asked; numbers of `enum bpf_core_relo_kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    ByteOffset,
    ByteSize,
    FieldExists,
    Signed,
    LeftShift,
    RightShift,
    TypeIdLocal,
    TypeIdTarget,
    TypeExists,
    TypeSize,
    EnumeratorExists,
    EnumeratorValue,
    TypeMatches,
}

impl Question {
    pub fn of(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::ByteOffset,
            1 => Self::ByteSize,
            2 => Self::FieldExists,
            3 => Self::Signed,
            4 => Self::LeftShift,
            5 => Self::RightShift,
            6 => Self::TypeIdLocal,
            7 => Self::TypeIdTarget,
            8 => Self::TypeExists,
            9 => Self::TypeSize,
            10 => Self::EnumeratorExists,
            11 => Self::EnumeratorValue,
            12 => Self::TypeMatches,
            _ => return None,
        })
    }

    pub fn is_of_type(self) -> bool {
        use Question::{TypeExists, TypeIdLocal, TypeIdTarget, TypeMatches, TypeSize};
        matches!(
            self,
            TypeIdLocal | TypeIdTarget | TypeExists | TypeSize | TypeMatches
        )
    }

    pub fn is_of_enumerator(self) -> bool {
        matches!(self, Self::EnumeratorExists | Self::EnumeratorValue)
    }
}

/// Types that may stand for one another, whatever their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Structures and unions.
    Composite,
    Integer,
    Float,
    Enumeration,
    Pointer,
    Array,
    Other,
}

impl Family {
    pub fn of(found: &Type<'_>) -> Self {
        match found {
            Type::Struct { .. } => Self::Composite,
            Type::Number {
                number: Number::Float,
                ..
            } => Self::Float,
            Type::Number { .. } => Self::Integer,
            Type::Enumeration { .. } => Self::Enumeration,
            Type::Pointer { .. } => Self::Pointer,
            Type::Array { .. } => Self::Array,
            _ => Self::Other,
        }
    }
}

/// One step from a value to a part of it; `family` is that of the part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Member { name: Arc<str>, family: Family },
    Element { index: u32, family: Family },
}

/// A part of a value, in one layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bits before it.
    pub offset: u64,
    /// Its bits, if it is a bit-field; else 0.
    pub bits: u32,
    /// Bytes of its type.
    pub size: u32,
    pub signed: bool,
    pub family: Family,
}

/// What a program asks of one type: by names, and with what the compiler answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub question: Question,
    /// Without the flavour (`___` and what follows).
    pub root: Arc<str>,
    pub family: Family,
    /// The first index: of values that stand one behind the other.
    pub index: u32,
    pub steps: Vec<Step>,
    /// Of questions about fields: the field as the compiler saw it.
    pub local: Option<Place>,
    /// Of other questions: the value that the compiler has put into the instruction.
    pub value: u64,
    /// Of enumerators.
    pub enumerator: Arc<str>,
}

/// Bits that no instruction reaches; none are counted beyond, so that sums of them are numbers.
const FAR: u64 = 1 << 48;
/// More steps than any program takes.
const MAX_STEPS: usize = 32;

impl Access {
    /// Read a record with the object's own types; the error says what is damaged.
    pub fn read(types: &Types<'_>, question: u32, type_id: u32, path: &str) -> Result<Self> {
        let question = Question::of(question).ok_or_else(|| {
            EngineError::elf(format!("{question} is no kind of relocation that is known"))
        })?;
        let found = types.resolve(type_id)?;
        let mut access = Self {
            question,
            root: essential(root_name(types, type_id, question)?).into(),
            family: Family::of(found),
            index: 0,
            steps: Vec::new(),
            local: None,
            value: 0,
            enumerator: Arc::default(),
        };
        let indices = indices(path)?;
        if question.is_of_enumerator() {
            let Type::Enumeration { values, .. } = found else {
                return Err(bad(path, "its type has no enumerators"));
            };
            let (name, value) = values
                .get(indices[0] as usize)
                .ok_or_else(|| bad(path, "there are not that many enumerators"))?;
            access.enumerator = (*name).into();
            access.value = match question {
                Question::EnumeratorExists => 1,
                _ => *value,
            };
        } else if question.is_of_type() {
            access.value = match question {
                Question::TypeIdLocal | Question::TypeIdTarget => u64::from(type_id),
                Question::TypeSize => u64::from(types.size_of(type_id)?),
                _ => 1,
            };
        } else {
            access.walk(types, type_id, &indices, path)?;
        }
        Ok(access)
    }

    fn walk(&mut self, types: &Types<'_>, type_id: u32, indices: &[u32], path: &str) -> Result<()> {
        let mut place = Place::whole(types, type_id)?;
        self.index = indices[0];
        place = place.behind(u64::from(indices[0]) * u64::from(place.size));
        let mut current = type_id;
        for index in &indices[1..] {
            match types.resolve(current)? {
                Type::Struct { members, .. } => {
                    let member = members
                        .get(*index as usize)
                        .ok_or_else(|| bad(path, "there are not that many members"))?;
                    place = place.member(types, member.type_id, member.offset, member.bits)?;
                    current = member.type_id;
                    // Nameless members only group others: they are no step.
                    if !member.name.is_empty() {
                        self.steps.push(Step::Member {
                            name: member.name.into(),
                            family: place.family,
                        });
                    }
                }
                Type::Array { element, .. } => {
                    place = place.element(types, *element, *index)?;
                    current = *element;
                    self.steps.push(Step::Element {
                        index: *index,
                        family: place.family,
                    });
                }
                _ => return Err(bad(path, "it leads into a number")),
            }
        }
        self.local = Some(place);
        Ok(())
    }

    /// As an author would write it: `context.flow.ports[1]`.
    pub fn text(&self) -> String {
        let mut text = self.root.to_string();
        if !self.enumerator.is_empty() {
            return format!("{text}::{}", self.enumerator);
        }
        if self.index != 0 {
            text.push_str(&format!("[{}]", self.index));
        }
        for step in &self.steps {
            match step {
                Step::Member { name, .. } => text.push_str(&format!(".{name}")),
                Step::Element { index, .. } => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }
}

impl Place {
    pub fn whole(types: &Types<'_>, type_id: u32) -> Result<Self> {
        let found = types.resolve(type_id)?;
        let signed = match found {
            Type::Number { number, .. } => *number == Number::Signed,
            Type::Enumeration { signed, .. } => *signed,
            _ => false,
        };
        Ok(Self {
            offset: 0,
            bits: 0,
            size: types.size_of(type_id)?,
            signed,
            family: Family::of(found),
        })
    }

    /// The same, so many bytes further on.
    pub fn behind(self, bytes: u64) -> Self {
        let offset = self.offset.saturating_add(bytes.saturating_mul(8));
        Self {
            offset: offset.min(FAR),
            ..self
        }
    }

    /// A member of this place, which is a structure.
    pub fn member(self, types: &Types<'_>, type_id: u32, offset: u32, bits: u32) -> Result<Self> {
        Ok(Self {
            offset: (self.offset + u64::from(offset)).min(FAR),
            bits,
            ..Self::whole(types, type_id)?
        })
    }

    /// An element of this place, which is an array.
    pub fn element(self, types: &Types<'_>, type_id: u32, index: u32) -> Result<Self> {
        let whole = Self::whole(types, type_id)?;
        let before = u64::from(index) * u64::from(whole.size);
        Ok(Self {
            offset: self.offset,
            ..whole
        }
        .behind(before))
    }
}

fn bad(path: &str, what: &str) -> EngineError {
    EngineError::elf(format!("the relocation {path:?} is damaged: {what}"))
}

/// `0:1:2`, at least one number.
fn indices(path: &str) -> Result<Vec<u32>> {
    let numbers: Option<Vec<u32>> = path
        .split(':')
        .take(MAX_STEPS + 1)
        .map(|part| part.parse().ok())
        .collect();
    match numbers {
        Some(numbers) if numbers.len() <= MAX_STEPS => Ok(numbers),
        Some(_) => Err(bad(path, "it has too many steps")),
        None => Err(bad(path, "it is no list of numbers")),
    }
}

/// The name that a type is looked for by.
///
/// A question about a field looks behind typedefs, to the name of the structure if it has one; one
/// about a type is about the very name that it gives.
fn root_name<'data>(types: &Types<'data>, id: u32, question: Question) -> Result<&'data str> {
    let mut name = "";
    let mut id = id;
    loop {
        let found = types.get(id)?;
        let own = own_name(found);
        if !own.is_empty() {
            name = own;
        }
        match found {
            Type::Alias { target, .. } if name.is_empty() || !question.is_of_type() => {
                id = *target;
            }
            _ => return Ok(name),
        }
    }
}

/// The name that a type itself has; empty for most.
pub fn own_name<'data>(found: &Type<'data>) -> &'data str {
    match found {
        Type::Alias { name, .. }
        | Type::Struct { name, .. }
        | Type::Number { name, .. }
        | Type::Enumeration { name, .. } => name,
        _ => "",
    }
}

/// A name without its flavour: `context___old` means `context`.
pub fn essential(name: &str) -> &str {
    let bytes = name.as_bytes();
    let flavour = bytes
        .windows(5)
        .rposition(|w| w[0] != b'_' && &w[1..4] == b"___" && w[4] != b'_');
    match flavour {
        Some(at) => &name[..name.floor_char_boundary(at + 1)],
        None => name,
    }
}
