//! A program type's contract as the crate `prevail` wants to see it.
//!
//! The crate keeps names and context descriptors by `&'static` reference; each
//! distinct one is leaked once and found again, so memory grows with the
//! contracts that were ever seen, not with the programs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use prevail::elf_loader::UnmarshalError;
use prevail::ir::unmarshal::conformance_groups::DEFAULT_GROUPS;
use prevail::linux::spec_prototypes::HelperPrototype;
use prevail::platform::EbpfPlatform;
use prevail::spec::config::EbpfVerifierOptions;
use prevail::spec::ebpf_base::{EbpfArgumentType as A, EbpfCtxDescriptor, EbpfReturnType as R};
use prevail::spec::type_descriptors::{
    EbpfMapDescriptor, EbpfMapType, EbpfMapValueType, EbpfProgramType,
};

use super::Case;
use crate::contract::{ContextDescriptor, Prototype};
use crate::helpers;
use crate::map_type;
use crate::spec::MapSpec;

/// Map types that are arrays.
const ARRAYS: [u32; 4] = [
    map_type::ARRAY,
    map_type::PROG_ARRAY,
    map_type::PERCPU_ARRAY,
    map_type::ARRAY_OF_MAPS,
];

static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
type Descriptors = HashMap<ContextDescriptor, &'static EbpfCtxDescriptor>;
static DESCRIPTORS: LazyLock<Mutex<Descriptors>> = LazyLock::new(Mutex::default);

/// One case, in prevail's terms.
pub struct Platform {
    program_type: EbpfProgramType,
    prototypes: BTreeMap<i32, HelperPrototype>,
    maps: Vec<EbpfMapDescriptor>,
    /// What `get_helper_prototype` must return for an id that does not exist.
    missing: HelperPrototype,
}

impl Platform {
    pub fn new(case: Case<'_>) -> Self {
        let general = helpers::implemented().map(|helper| helper.prototype());
        // The type's own prototypes come last: they override general ones.
        let functions = case.information.functions.iter();
        let all = general
            .chain(case.information.helpers.iter().cloned())
            .chain(functions.map(|function| function.prototype.clone()));
        Self {
            program_type: EbpfProgramType {
                name: case.information.name.clone(),
                ctx_descriptor: Some(descriptor(case.information.context)),
                platform_specific_data: 0,
                section_prefixes: Vec::new(),
                is_privileged: case.information.is_privileged,
                is_sleepable: false,
            },
            prototypes: all
                .filter_map(|helper| Some((helper.id.cast_signed(), prototype(&helper)?)))
                .collect(),
            maps: case.maps.iter().enumerate().map(map_descriptor).collect(),
            missing: HelperPrototype {
                name: "unknown",
                return_type: R::Unsupported,
                argument_type: [A::DontCare; 5],
                reallocate_packet: false,
                ctx_descriptor: None,
                unsupported: true,
                might_sleep: false,
                zero_args_mask: 0,
                allowed_map_types: 0,
            },
        }
    }

    pub fn program_type(&self) -> &EbpfProgramType {
        &self.program_type
    }

    pub fn maps(&self) -> &[EbpfMapDescriptor] {
        &self.maps
    }
}

impl EbpfPlatform for Platform {
    fn get_program_type(&self, _section: &str, _path: &str) -> EbpfProgramType {
        self.program_type.clone()
    }

    fn get_helper_prototype(&self, id: i32) -> &HelperPrototype {
        self.prototypes.get(&id).unwrap_or(&self.missing)
    }

    fn try_get_helper_prototype(&self, id: i32) -> Option<&HelperPrototype> {
        self.prototypes.get(&id)
    }

    fn is_helper_usable(&self, id: i32) -> bool {
        self.prototypes.contains_key(&id)
    }

    fn map_record_size(&self) -> usize {
        0
    }

    /// Never asked: our own loader reads object files.
    fn parse_maps_section(
        &mut self,
        _: &mut Vec<EbpfMapDescriptor>,
        _: &[u8],
        _: usize,
        _: usize,
        _: &EbpfVerifierOptions,
    ) {
    }

    fn resolve_inner_map_references(
        &self,
        _: &mut Vec<EbpfMapDescriptor>,
    ) -> Result<(), UnmarshalError> {
        Ok(())
    }

    fn get_map_descriptor(&self, fd: i32) -> Option<&EbpfMapDescriptor> {
        self.maps.iter().find(|map| map.original_fd == fd)
    }

    fn get_map_type(&self, number: u32) -> EbpfMapType {
        EbpfMapType {
            platform_specific_type: number,
            name: number.to_string(),
            is_array: ARRAYS.contains(&number),
            value_type: match number {
                map_type::PROG_ARRAY => EbpfMapValueType::Program,
                _ if map_type::holds_maps(number) => EbpfMapValueType::Map,
                _ => EbpfMapValueType::Any,
            },
        }
    }

    fn supported_conformance_groups(&self) -> u32 {
        DEFAULT_GROUPS
    }
}

/// The file descriptor that stands for a map: its index, but never 0.
pub fn descriptor_number(index: i32) -> i32 {
    index.wrapping_add(1)
}

fn map_descriptor((index, map): (usize, &MapSpec)) -> EbpfMapDescriptor {
    let number = |index: usize| descriptor_number(index as i32);
    EbpfMapDescriptor {
        original_fd: number(index),
        map_type: map.map_type,
        key_size: map.key_size,
        value_size: map.value_size,
        max_entries: map.max_entries,
        inner_map_fd: map.inner.map_or(-1, number),
        name: map.name.clone(),
        is_inner_map_template: false,
    }
}

fn descriptor(context: ContextDescriptor) -> &'static EbpfCtxDescriptor {
    let mut known = DESCRIPTORS.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(context).or_insert_with(|| {
        Box::leak(Box::new(EbpfCtxDescriptor {
            size: context.size,
            data: context.data,
            end: context.end,
            meta: context.meta,
        }))
    })
}

fn name(name: &str) -> &'static str {
    let mut known = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(name) {
        return found;
    }
    let leaked: &'static str = Box::leak(name.to_owned().into_boxed_str());
    known.insert(leaked);
    leaked
}

fn prototype(helper: &Prototype) -> Option<HelperPrototype> {
    let mut arguments = [A::DontCare; 5];
    for (slot, number) in arguments.iter_mut().zip(&helper.arguments) {
        *slot = argument(*number)?;
    }
    Some(HelperPrototype {
        name: name(&helper.name),
        return_type: return_type(helper.return_type)?,
        argument_type: arguments,
        reallocate_packet: helper.reallocate_packet,
        ctx_descriptor: None,
        unsupported: false,
        might_sleep: false,
        zero_args_mask: 0,
        allowed_map_types: 0,
    })
}

fn argument(number: u32) -> Option<A> {
    use A::*;
    let kinds = [
        DontCare,
        Anything,
        ConstSize,
        ConstSizeOrZero,
        PtrToCtx,
        PtrToMap,
        PtrToMapOfPrograms,
        PtrToMapKey,
        PtrToMapValue,
        PtrToReadableMem,
        PtrToReadableMemOrNull,
        PtrToWritableMem,
        PtrToStack,
        PtrToStackOrNull,
        PtrToCtxOrNull,
        PtrToWritableMemOrNull,
        // 16 names nothing.
        Unsupported,
        PtrToBtfIdSockCommon,
        PtrToSpinLock,
        PtrToSockCommon,
        PtrToBtfId,
        PtrToLong,
        PtrToInt,
        PtrToConstStr,
        PtrToFunc,
        ConstAllocSizeOrZero,
        PtrToAllocMem,
        PtrToTimer,
        PtrToPercpuBtfId,
        PtrToReadonlyMem,
        PtrToReadonlyMemOrNull,
        PtrToUninitMapValue,
        ConstPtrToMap,
        Unsupported,
    ];
    kinds.get(number as usize).copied()
}

fn return_type(number: u32) -> Option<R> {
    use R::*;
    let kinds = [
        Integer,
        PtrToMapValueOrNull,
        IntegerOrNoReturnIfSucceed,
        Unsupported,
        PtrToSockCommonOrNull,
        PtrToSocketOrNull,
        PtrToTcpSocketOrNull,
        PtrToAllocMemOrNull,
        PtrToBtfIdOrNull,
        PtrToMemOrBtfIdOrNull,
        PtrToBtfId,
        PtrToMemOrBtfId,
    ];
    kinds.get(number as usize).copied()
}
