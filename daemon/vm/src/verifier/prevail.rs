//! The judge `prevail`: a proof by abstract interpretation, as a library.
//!
//! It has no limits of its own and may recurse deeply, so it gets a thread with
//! a large stack; a panic in it is an answer too.  Loops need not be shown to
//! end: a budget of instructions ends them.  Writes to read-only data pass
//! here, and are stopped when the program runs.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread;

use prevail::crab::ebpf_domain::DomainContext;
use prevail::crab::var_registry::VariableRegistry;
use prevail::fwd_analyzer;
use prevail::ir::program::Program;
use prevail::ir::unmarshal::{UnmarshalError, unmarshal};
use prevail::platform::EbpfPlatform;
use prevail::result::AnalysisResult;
use prevail::spec::config::EbpfVerifierOptions;
use prevail::spec::type_descriptors::ProgramInfo;
use prevail::spec::vm_isa::EbpfInst;

use super::platform::{Platform, descriptor_number};
use super::{Case, Complaint, Finding};
use crate::{functions, isa};

pub const NAME: &str = "prevail 0.2.6";

const THREAD_NAME: &str = "ebpfd-prevail";
const STACK_SIZE: usize = 256 << 20;
/// Facts about registers that a rejection tells.
const MAX_KNOWN: usize = 64;

/// Whether the program is safe.
pub fn judge(case: Case<'_>) -> Finding {
    silence_panics();
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name(THREAD_NAME.into())
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, || {
                catch_unwind(AssertUnwindSafe(|| analyze(case)))
                    .unwrap_or_else(|panic| Finding::GaveUp(panic_text(panic.as_ref())))
            });
        match worker.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(finding)) => finding,
            Ok(Err(panic)) => Finding::GaveUp(panic_text(panic.as_ref())),
            Err(error) => Finding::GaveUp(format!("no thread with a large stack: {error}")),
        }
    })
}

fn analyze(case: Case<'_>) -> Finding {
    let platform = Platform::new(case);
    let instructions = instructions(case);
    let options = EbpfVerifierOptions {
        mock_map_fds: true,
        ..EbpfVerifierOptions::default()
    };
    let mut info = ProgramInfo {
        map_descriptors: platform.maps().to_vec(),
        program_type: platform.program_type().clone(),
        supported_conformance_groups: platform.supported_conformance_groups(),
        ..ProgramInfo::default()
    };
    let mut notes = Vec::new();
    let sequence = match unmarshal(&instructions, &mut notes, &info, &platform, &options) {
        Ok(sequence) => sequence,
        Err(error) => return undecodable(error),
    };
    let program = match Program::from_sequence(&sequence, &mut info, &platform, &options) {
        Ok(program) => program,
        Err(error) => {
            return Finding::Complaint(Complaint {
                message: error.message,
                ..Complaint::default()
            });
        }
    };
    let domain = DomainContext::new(&info, &program, &options, &platform);
    let mut registry = VariableRegistry::new();
    let result = fwd_analyzer::analyze(&program, &domain, &mut registry);
    if !result.failed {
        return Finding::Safe;
    }
    complaint(&result, &registry)
}

/// Our linked program with maps as file descriptors, which prevail expects, and imports as helpers.
fn instructions(case: Case<'_>) -> Vec<EbpfInst> {
    let convert = |insn: &crate::isa::Insn| {
        let imports = &case.program.imports;
        let import = imports.get(insn.imm as u32 as usize);
        let (src, imm) = match import.and_then(|import| functions::find(import, case.information)) {
            Some(function) if insn.is_function_call() => {
                (isa::CALL_HELPER, function.id.cast_signed())
            }
            _ if insn.is_map_reference() => (insn.src, descriptor_number(insn.imm)),
            _ => (insn.src, insn.imm),
        };
        EbpfInst::new(insn.opcode, insn.dst, src, insn.offset, imm)
    };
    case.program.instructions.iter().map(convert).collect()
}

fn undecodable(error: UnmarshalError) -> Finding {
    Finding::Complaint(match error {
        UnmarshalError::InvalidInstruction { pc, message } => Complaint {
            pc: Some(pc),
            message,
            ..Complaint::default()
        },
        other => Complaint {
            message: other.to_string(),
            ..Complaint::default()
        },
    })
}

/// The first error that can be reached, with the state before it.
fn complaint(result: &AnalysisResult, registry: &VariableRegistry) -> Finding {
    let first = result
        .invariants
        .iter()
        .find_map(|(label, pair)| Some((label, pair, pair.error.as_ref()?)).filter(reachable));
    let Some((label, pair, error)) = first else {
        return Finding::GaveUp("it failed, but named no reason".into());
    };
    let facts = pair.pre.to_set(registry);
    let known = facts.to_lines().into_iter().take(MAX_KNOWN).collect();
    Finding::Complaint(Complaint {
        pc: usize::try_from(label.from).ok(),
        message: error.message.clone(),
        known,
    })
}

fn reachable<L, E>(found: &(L, &prevail::result::InvariantMapPair, E)) -> bool {
    !found.1.pre.is_bottom()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("prevail panicked: {}", text.unwrap_or("no message"))
}

/// A panic of the judge is reported as a value; do not print it as well.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let inherited = take_hook();
        set_hook(Box::new(move |info| {
            if thread::current().name() != Some(THREAD_NAME) {
                inherited(info);
            }
        }));
    });
}
