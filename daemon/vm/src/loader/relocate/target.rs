//! Looking for what an object asks of, in the types of somebody else.

use std::collections::HashMap;

use super::access::{Access, Family, Place, Step, essential, own_name};
use crate::error::{EngineError, Result};
use crate::loader::btf::{Type, Types};

/// Members that are looked at for all relocations of one program together.
const MAX_LOOKS: usize = 1 << 26;
/// Types of one name that are tried.
const MAX_CANDIDATES: usize = 64;
/// Nameless structures within one another.
const MAX_NESTED: usize = 16;

/// Types that can be asked by name.
pub struct Target<'a> {
    types: &'a Types<'a>,
    /// Structures, numbers and enumerations.
    by_tag: HashMap<&'a str, Vec<u32>>,
    by_typedef: HashMap<&'a str, Vec<u32>>,
    looks: usize,
}

impl<'a> Target<'a> {
    pub fn new(types: &'a Types<'a>) -> Self {
        let (mut by_tag, mut by_typedef) = (HashMap::new(), HashMap::new());
        for (id, found) in types.all() {
            let name = essential(own_name(found));
            if name.is_empty() {
                continue;
            }
            let index: &mut HashMap<_, Vec<u32>> = match found {
                Type::Alias { .. } => &mut by_typedef,
                _ => &mut by_tag,
            };
            index.entry(name).or_default().push(id);
        }
        Self {
            types,
            by_tag,
            by_typedef,
            looks: 0,
        }
    }

    pub fn types(&self) -> &'a Types<'a> {
        self.types
    }

    /// Types of the name that *access* asks of, and of the same family.
    pub fn candidates(&self, access: &Access) -> Result<Vec<u32>> {
        for index in [&self.by_tag, &self.by_typedef] {
            let mut same = Vec::new();
            for id in index.get(&*access.root).into_iter().flatten() {
                if Family::of(self.types.resolve(*id)?) == access.family {
                    same.push(*id);
                }
            }
            if same.len() > MAX_CANDIDATES {
                return Err(EngineError::argument(format!(
                    "{} types are called {}",
                    same.len(),
                    access.root
                )));
            }
            if !same.is_empty() {
                return Ok(same);
            }
        }
        Ok(Vec::new())
    }

    /// The field that *access* means in a candidate, if that has it.
    pub fn field(&mut self, access: &Access, candidate: u32) -> Result<Option<Place>> {
        let mut place = Place::whole(self.types, candidate)?;
        place = place.behind(u64::from(access.index) * u64::from(place.size));
        let mut current = candidate;
        for step in &access.steps {
            let (next, id, family) = match step {
                Step::Member { name, family } => {
                    match self.member(place, current, name, MAX_NESTED)? {
                        Some((next, id)) => (next, id, family),
                        None => return Ok(None),
                    }
                }
                Step::Element { index, family } => {
                    let Type::Array { element, count } = self.types.resolve(current)? else {
                        return Ok(None);
                    };
                    // An array without a length is as long as its user says.
                    if *count != 0 && index >= count {
                        return Ok(None);
                    }
                    let next = place.element(self.types, *element, *index)?;
                    (next, *element, family)
                }
            };
            if next.family != *family {
                return Ok(None);
            }
            (place, current) = (next, id);
        }
        Ok(Some(place))
    }

    /// A member by name, also one of a nameless member.
    fn member(
        &mut self,
        place: Place,
        id: u32,
        name: &str,
        depth: usize,
    ) -> Result<Option<(Place, u32)>> {
        let types = self.types;
        let Type::Struct { members, .. } = types.resolve(id)? else {
            return Ok(None);
        };
        for member in members {
            self.looks += 1;
            if self.looks > MAX_LOOKS {
                return Err(EngineError::argument(
                    "it takes too long to find all fields: the types are too large",
                ));
            }
            let nested = member.name.is_empty() && depth > 0;
            if !nested && member.name != name {
                continue;
            }
            let inside = place.member(types, member.type_id, member.offset, member.bits)?;
            if !nested {
                return Ok(Some((inside, member.type_id)));
            }
            if let Some(found) = self.member(inside, member.type_id, name, depth - 1)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The value of an enumerator in a candidate, if that has it.
    pub fn enumerator(&mut self, name: &str, candidate: u32) -> Result<Option<u64>> {
        let Type::Enumeration { values, .. } = self.types.resolve(candidate)? else {
            return Ok(None);
        };
        self.looks += values.len();
        if self.looks > MAX_LOOKS {
            return Err(EngineError::argument(
                "it takes too long to find all enumerators: the types are too large",
            ));
        }
        let name = essential(name);
        let found = values.iter().find(|(own, _)| essential(own) == name);
        Ok(found.map(|(_, value)| *value))
    }
}
