//! Which lesson a problem is, and what belongs into its blanks.

use super::super::super::Case;
use super::super::super::domain::Arithmetic;
use super::super::access::FAR;
use super::super::checker::Checker;
use super::super::explore::Violation;
use super::super::problem::{Intent, Kind, Leak, Problem, Span, Wrong};
use super::super::state::{META, State};
use super::super::value::{Absent, Region, Value};
use super::history::History;
use super::lessons::{self as l, Lesson};
use super::words;
use crate::contract::Argument;
use crate::isa::{CALL, EXIT};

/// Blanks and what they are filled with.
pub type Blanks = Vec<(&'static str, String)>;

/// A lesson for one problem.
pub struct Choice {
    pub lesson: &'static Lesson,
    /// The register that the problem is about.
    pub register: Option<u8>,
    blanks: Blanks,
    /// Whether it is about memory that a call gets.
    is_passed: bool,
}

impl Choice {
    fn new(lesson: &'static Lesson, register: Option<u8>, blanks: Blanks) -> Self {
        Self {
            lesson,
            register,
            blanks,
            is_passed: false,
        }
    }

    /// Why, in one sentence.
    pub fn reason(&self) -> String {
        let reason = self.lesson.reason;
        let of_size = reason.strip_prefix("this access of {n}");
        match of_size.or(reason.strip_prefix("this access")) {
            Some(rest) if self.is_passed => self.fill(&format!(
                "the memory of {{n}} given to {{call}} in {{r}}{rest}"
            )),
            _ => self.fill(reason),
        }
    }

    pub fn fill(&self, text: &str) -> String {
        let register = self.register.map(|register| ("r", format!("r{register}")));
        let all = self.blanks.iter().cloned().chain(register);
        all.fold(text.to_owned(), |text, (blank, with)| {
            text.replace(&format!("{{{blank}}}"), &with)
        })
    }
}

/// The problem in its surroundings.
struct Chooser<'a> {
    case: Case<'a>,
    violation: &'a Violation,
}

/// The lesson for a violation.
pub fn choose(case: Case<'_>, violation: &Violation, history: Option<&History>) -> Choice {
    let chooser = Chooser { case, violation };
    let mut choice = chooser.of(&violation.problem);
    let lost = history.and_then(|history| history.lost);
    if choice.lesson == &l::UNWRITTEN_STACK
        && let Some(pc) = lost
    {
        choice = chooser.lost(choice, pc);
    }
    let origin = history.and_then(|history| history.call.clone());
    let known = |choice: &Choice, name: &str| choice.blanks.iter().any(|(blank, _)| *blank == name);
    if !known(&choice, "call") {
        let call = origin.unwrap_or_else(|| chooser.default_call());
        choice.blanks.push(("call", call));
    }
    choice
}

impl Chooser<'_> {
    fn state(&self) -> &State {
        &self.violation.state
    }

    /// What is called here, or what most pointers that may be null come from.
    fn default_call(&self) -> String {
        let insn = self.case.program.instructions.get(self.violation.pc);
        match insn.is_some_and(|insn| insn.opcode == CALL) {
            true => words::called(self.case, self.violation.pc),
            false => "bpf_map_lookup_elem".into(),
        }
    }

    fn of(&self, problem: &Problem) -> Choice {
        match problem {
            Problem::NoValue { .. } | Problem::NotPointer { .. } | Problem::MaybeNull { .. } => {
                self.of_register(problem)
            }
            Problem::NotMemory {
                register,
                region,
                intent,
            } => self.no_memory(*register, *region, *intent),
            Problem::PastData { .. }
            | Problem::BeforeData { .. }
            | Problem::OutsideValue { .. }
            | Problem::OutsideStack { .. }
            | Problem::OutsideMemory { .. }
            | Problem::OutsideContext { .. }
            | Problem::VariableContext { .. } => self.of_span(problem),
            Problem::PartOfContextPointer { .. }
            | Problem::WriteToContextPointer { .. }
            | Problem::ReadOnlyContext { .. }
            | Problem::HiddenContext { .. } => self.of_context(problem),
            Problem::ReadOnlyValue { map } => self.plain(&l::READ_ONLY_VALUE, self.map(*map)),
            Problem::UnwrittenStack { register, at } => {
                self.of_stack(&l::UNWRITTEN_STACK, *register, *at)
            }
            Problem::PartOfPointer { register, at } => {
                self.of_stack(&l::PART_OF_POINTER, *register, *at)
            }
            Problem::OverPointer { register, span } => {
                Choice::new(&l::OVER_POINTER, Some(*register), self.span(span))
            }
            Problem::Leak { register, to } => self.leak(*register, *to),
            Problem::PointerArithmetic { register, op, wide } => {
                self.arithmetic(*register, *op, *wide)
            }
            Problem::FixedPointer {
                register,
                region,
                maybe_null,
            } => {
                let lesson = match maybe_null {
                    true => &l::MOVED_BEFORE_CHECK,
                    false => &l::FIXED_POINTER,
                };
                Choice::new(lesson, Some(*register), self.region(*region))
            }
            Problem::PointerComparison { registers, .. } => {
                let register = registers.iter().flatten().find(|register| {
                    let value = self.state().register(**register);
                    value.as_pointer().is_some()
                });
                Choice::new(&l::POINTER_COMPARISON, register.copied(), Vec::new())
            }
            Problem::AtomicPointer { register } => {
                Choice::new(&l::ATOMIC_POINTER, Some(*register), Vec::new())
            }
            Problem::AtomicUnaligned { register, span } => {
                let mut blanks = self.span(span);
                blanks.push(("size", span.size.to_string()));
                Choice::new(&l::ATOMIC_UNALIGNED, Some(*register), blanks)
            }
            Problem::Argument { call, index, wrong } => self.argument(call, *index, wrong),
            Problem::TooDeep { recursive: true } => self.plain(&l::RECURSION, Vec::new()),
            Problem::TooDeep { recursive: false } => self.plain(&l::TOO_DEEP, Vec::new()),
            Problem::TailCallInFunction => self.plain(&l::TAIL_CALL_IN_FUNCTION, Vec::new()),
            Problem::ReturnsStack => Choice::new(&l::RETURNS_STACK, Some(0), Vec::new()),
            Problem::ReturnsPointer => Choice::new(&l::RETURNS_POINTER, Some(0), Vec::new()),
            Problem::NotReleased { .. } => self.plain(&l::NOT_RELEASED, Vec::new()),
            Problem::Endless { .. } => self.plain(&l::ENDLESS, Vec::new()),
            Problem::Unbounded { .. } => self.plain(&l::UNBOUNDED, Vec::new()),
        }
    }

    /// What was saved on the stack was lost at an instruction.
    fn lost(&self, mut choice: Choice, pc: usize) -> Choice {
        let insn = self.case.program.instructions[pc];
        choice.lesson = match insn.opcode {
            CALL => &l::STALE_SAVED,
            EXIT => &l::GONE_FRAME,
            _ => &l::OVERWRITTEN,
        };
        choice
            .blanks
            .push(("call", words::call_at(self.case, pc as u32)));
        choice.blanks.push(("line", words::line(self.case, pc)));
        choice
    }

    fn plain(&self, lesson: &'static Lesson, blanks: Blanks) -> Choice {
        Choice::new(lesson, None, blanks)
    }

    fn map(&self, map: u32) -> Blanks {
        vec![("map", words::map(self.case, map))]
    }

    fn region(&self, region: Region) -> Blanks {
        vec![("region", words::region(self.case, self.state(), region))]
    }

    fn of_register(&self, problem: &Problem) -> Choice {
        let call = |pc: u32| vec![("call", words::call_at(self.case, pc))];
        let (lesson, register, blanks) = match problem {
            Problem::NoValue { register, why } => {
                let (lesson, blanks) = match why {
                    Absent::Unwritten => (&l::NO_VALUE, Vec::new()),
                    Absent::Called(pc) => (&l::LOST_IN_CALL, call(*pc)),
                    Absent::Moved(pc) => (&l::STALE, call(*pc)),
                    Absent::Released(pc) => (&l::RELEASED, call(*pc)),
                    Absent::Varies => (&l::VARIES, Vec::new()),
                };
                (lesson, *register, blanks)
            }
            Problem::NotPointer { register, range } if range.known() == Some(0) => {
                (&l::NULL_POINTER, *register, Vec::new())
            }
            Problem::NotPointer { register, .. } => (&l::NUMBER_AS_POINTER, *register, Vec::new()),
            Problem::MaybeNull { register, .. } => (&l::MAYBE_NULL, *register, Vec::new()),
            _ => return self.plain(&l::UNSUPPORTED, Vec::new()),
        };
        Choice::new(lesson, Some(register), blanks)
    }

    fn no_memory(&self, register: u8, region: Region, intent: Intent) -> Choice {
        let lesson = match region {
            Region::Map(_) => &l::MAP_AS_MEMORY,
            Region::End => &l::END_AS_MEMORY,
            _ => &l::OPAQUE,
        };
        let access = match intent {
            Intent::Read => "read",
            Intent::Write => "write",
            Intent::Atomic => "change",
        };
        let mut blanks = self.region(region);
        blanks.push(("access", access.into()));
        Choice::new(lesson, Some(register), blanks)
    }

    fn span(&self, span: &Span) -> Blanks {
        vec![
            ("n", words::bytes(span.size)),
            ("at", words::between(span.low, span.high)),
            ("end", words::number(span.end() as u64)),
        ]
    }

    fn of_span(&self, problem: &Problem) -> Choice {
        let size = |blanks: Blanks, size: i64| {
            let mut blanks = blanks;
            blanks.push(("size", words::bytes(size)));
            blanks
        };
        match problem {
            Problem::PastData {
                register,
                span,
                root,
                ..
            } => self.past_data(*register, span, *root),
            Problem::BeforeData { register, span } => {
                let mut blanks = self.span(span);
                blanks.push(("data", words::data(self.root_of(*register)).into()));
                Choice::new(&l::BEFORE_DATA, Some(*register), blanks)
            }
            Problem::OutsideValue {
                register,
                span,
                map,
                size: whole,
            } => {
                let lesson = match (span.low < 0, span.low == span.high) {
                    (true, _) => &l::BEFORE_VALUE,
                    (_, true) => &l::PAST_VALUE,
                    _ => &l::PAST_VALUE_VARIABLE,
                };
                let mut blanks = size(self.span(span), *whole);
                blanks.extend(self.map(*map));
                blanks.push(("most", (whole - span.size).max(0).to_string()));
                Choice::new(lesson, Some(*register), blanks)
            }
            Problem::OutsideStack { register, span } => {
                let lesson = match span.end() > 0 {
                    true => &l::ABOVE_STACK,
                    false => &l::BELOW_STACK,
                };
                Choice::new(lesson, Some(*register), self.span(span))
            }
            Problem::OutsideMemory {
                register,
                span,
                size: whole,
            } => {
                let blanks = size(self.span(span), *whole);
                Choice::new(&l::OUTSIDE_MEMORY, Some(*register), blanks)
            }
            Problem::OutsideContext {
                register,
                span,
                size: whole,
            } => {
                let lesson = match span.low < 0 {
                    true => &l::BEFORE_CONTEXT,
                    false => &l::PAST_CONTEXT,
                };
                Choice::new(lesson, Some(*register), size(self.span(span), *whole))
            }
            Problem::VariableContext { register, span } => {
                Choice::new(&l::VARIABLE_CONTEXT, Some(*register), self.span(span))
            }
            _ => self.plain(&l::UNSUPPORTED, Vec::new()),
        }
    }

    /// The anchor that the pointer in a register is counted from in the end.
    fn root_of(&self, register: u8) -> u32 {
        match self.state().register(register) {
            Value::Pointer(pointer) => match pointer.region {
                Region::Data(anchor) => self.state().anchor(anchor).root,
                _ => 0,
            },
            _ => 0,
        }
    }

    fn past_data(&self, register: u8, span: &Span, root: u32) -> Choice {
        let state = self.state();
        let place = match state.register(register) {
            Value::Pointer(pointer) => Some(state.rooted(pointer).offset),
            _ => None,
        };
        // Counted from the start, where that is known.
        let instruction = self.case.program.instructions.get(self.violation.pc);
        let step = instruction.map_or(0, |insn| match insn.class() {
            crate::isa::class::LDX | crate::isa::class::ST | crate::isa::class::STX => {
                i64::from(insn.offset)
            }
            _ => 0,
        });
        let whole = match place {
            Some(place) => Span {
                low: place.smin().saturating_add(step),
                high: place.smax().saturating_add(step),
                size: span.size,
            },
            None => *span,
        };
        let lesson = match (
            whole.low == whole.high,
            whole.high > FAR || whole.low < -FAR,
        ) {
            (true, _) => &l::PAST_DATA,
            (_, true) => &l::PAST_DATA_FAR,
            _ => &l::PAST_DATA_VARIABLE,
        };
        let (start, stop) = match root {
            META => ("data_meta", "data"),
            _ => ("data", "data_end"),
        };
        let mut blanks = self.span(&whole);
        blanks.extend([
            ("data", words::data(root).to_owned()),
            ("start", start.to_owned()),
            ("stop", stop.to_owned()),
            ("step", (step.max(0) + span.size).to_string()),
        ]);
        Choice::new(lesson, Some(register), blanks)
    }

    fn of_context(&self, problem: &Problem) -> Choice {
        let information = self.case.information;
        let pointer = |at: i64| {
            let context = &information.context;
            let fields = [
                ("data", context.data),
                ("data_end", context.end),
                ("data_meta", context.meta),
            ];
            let found = fields.iter().find(|(_, field)| {
                *field >= 0 && i64::from(*field) < at + 8 && at < i64::from(*field) + 8
            });
            found.map_or("a pointer", |(name, _)| name).to_owned()
        };
        match problem {
            Problem::HiddenContext { offset, size } => {
                let blanks = vec![("place", self.field(*offset, *size))];
                self.plain(&l::HIDDEN_CONTEXT, blanks)
            }
            Problem::ReadOnlyContext { offset, size } => {
                let ranges = information.writable.iter();
                let ranges: Vec<String> = ranges
                    .map(|(start, size)| format!("{start} to {}", start + size - 1))
                    .collect();
                let writable = match ranges.as_slice() {
                    [] => "no bytes may".to_owned(),
                    ranges => format!("bytes {} may", ranges.join(", ")),
                };
                let place = self.field(*offset, *size);
                let blanks = vec![("place", place), ("writable", writable)];
                self.plain(&l::READ_ONLY_CONTEXT, blanks)
            }
            Problem::WriteToContextPointer { offset } => self.plain(
                &l::WRITE_CONTEXT_POINTER,
                vec![("pointer", pointer(*offset))],
            ),
            Problem::PartOfContextPointer { offset } => self.plain(
                &l::PART_OF_CONTEXT_POINTER,
                vec![("pointer", pointer(*offset))],
            ),
            _ => self.plain(&l::UNSUPPORTED, Vec::new()),
        }
    }

    /// Bytes of the context as people call them.
    fn field(&self, offset: i64, size: i64) -> String {
        let fields = self.case.information.fields.iter();
        let mut met = fields.filter(|field| field.meets(offset as usize, size as usize));
        match met.next() {
            Some(field) => format!("the field {}", field.name),
            None => format!("{} at offset {offset}", words::bytes(size)),
        }
    }

    fn of_stack(&self, lesson: &'static Lesson, register: u8, at: i64) -> Choice {
        Choice::new(lesson, Some(register), vec![("below", words::bytes(-at))])
    }

    fn leak(&self, register: u8, to: Leak) -> Choice {
        match to {
            Leak::Memory(_) => {
                let insn = self.case.program.instructions.get(self.violation.pc);
                let target =
                    insn.map_or(Region::End, |insn| match self.state().register(insn.dst) {
                        Value::Pointer(pointer) => pointer.region,
                        _ => Region::End,
                    });
                let lesson = match target {
                    Region::Stack(_) => &l::NARROW_SPILL,
                    _ => &l::LEAK,
                };
                Choice::new(lesson, Some(register), self.region(target))
            }
            Leak::Argument => Choice::new(&l::LEAK_TO_CALL, Some(register), Vec::new()),
        }
    }

    fn arithmetic(&self, register: u8, op: Option<Arithmetic>, wide: bool) -> Choice {
        let insn = self.case.program.instructions.get(self.violation.pc);
        let is_pointer = |register: u8| self.state().register(register).as_pointer().is_some();
        let both = insn.is_some_and(|insn| {
            insn.is_register_source() && is_pointer(insn.dst) && is_pointer(insn.src)
        });
        let lesson = match (op, wide, both) {
            (None, _, _) | (_, false, false) => &l::NARROW_POINTER,
            (Some(Arithmetic::Add | Arithmetic::Sub), _, true) => &l::POINTER_AND_POINTER,
            _ => &l::POINTER_ARITHMETIC,
        };
        let operation = op.map_or("a swap of bytes", operation);
        Choice::new(
            lesson,
            Some(register),
            vec![("operation", operation.to_owned())],
        )
    }

    fn argument(&self, call: &str, index: usize, wrong: &Wrong) -> Choice {
        let register = index as u8 + 1;
        let mut choice = match wrong {
            Wrong::Memory(problem) => self.memory_argument(problem),
            Wrong::Kind { wanted } => wrong_kind(*wanted),
            other => {
                let lesson = match other {
                    Wrong::NullPointer => &l::NULL_ARGUMENT,
                    Wrong::MaybeNull => &l::MAYBE_NULL_ARGUMENT,
                    Wrong::NullWithSize { .. } => &l::NULL_WITH_SIZE,
                    Wrong::SizeMayBeZero { .. } => &l::ZERO_SIZE,
                    Wrong::SizeMayBeNegative { .. } => &l::NEGATIVE_SIZE,
                    Wrong::NotConstant => &l::VARIABLE_SIZE,
                    Wrong::MapType { .. } => &l::MAP_TYPE,
                    _ => &l::UNSUPPORTED,
                };
                self.plain(lesson, Vec::new())
            }
        };
        if let Wrong::MapType { map } = wrong {
            choice.blanks.extend(self.map(*map));
        }
        let is_size = matches!(
            wrong,
            Wrong::SizeMayBeZero { .. } | Wrong::SizeMayBeNegative { .. }
        );
        choice.register = choice
            .register
            .or(Some(self.size_register(register, is_size)));
        choice.blanks.push(("what", argument(index)));
        if !choice.blanks.iter().any(|(blank, _)| *blank == "call") {
            choice.blanks.push(("call", call.to_owned()));
        }
        choice
    }

    /// The register of a size that is wrong: it may be noticed with the pointer before it.
    fn size_register(&self, register: u8, is_size: bool) -> u8 {
        let insn = self.case.program.instructions.get(self.violation.pc);
        let prototype = insn.and_then(|insn| Checker::new(self.case).prototype(*insn));
        let number = prototype.and_then(|prototype| {
            let index = usize::from(register).checked_sub(1)?;
            prototype.arguments.get(index).copied()
        });
        let own = number.and_then(Argument::from_number);
        match is_size && own.is_some_and(Argument::is_sized_memory) {
            true => register + 1,
            false => register,
        }
    }

    fn memory_argument(&self, problem: &Problem) -> Choice {
        let mut choice = self.of(problem);
        choice.is_passed = true;
        choice.lesson = match problem {
            Problem::UnwrittenStack { .. } => &l::UNWRITTEN_ARGUMENT,
            Problem::PartOfPointer { .. } => &l::POINTER_ARGUMENT,
            _ => choice.lesson,
        };
        choice
    }
}

fn wrong_kind(wanted: Kind) -> Choice {
    let (lesson, wanted) = match wanted {
        Kind::Context => (&l::NOT_CONTEXT, "the context"),
        Kind::Memory => (&l::NOT_MEMORY_ARGUMENT, "memory"),
        Kind::Number => (&l::WRONG_ARGUMENT, "a number"),
        Kind::Map => (&l::WRONG_ARGUMENT, "a map"),
        Kind::ProgramArray => (&l::WRONG_ARGUMENT, "a map of programs"),
        Kind::Stack => (&l::WRONG_ARGUMENT, "a pointer to the stack"),
        Kind::Object => (&l::WRONG_ARGUMENT, "what another helper returned"),
        Kind::Function => (&l::WRONG_ARGUMENT, "a function"),
        Kind::ConstantText => (&l::WRONG_ARGUMENT, "a constant text with its end"),
        Kind::Allocated => (&l::WRONG_ARGUMENT, "memory that has to be given back"),
    };
    Choice::new(lesson, None, vec![("wanted", wanted.to_owned())])
}

/// "first argument".
fn argument(index: usize) -> String {
    const NAMES: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    format!("{} argument", NAMES.get(index).unwrap_or(&"last"))
}

fn operation(op: Arithmetic) -> &'static str {
    use Arithmetic::*;
    match op {
        Add => "an addition",
        Sub => "a subtraction",
        Mul => "a multiplication",
        Div | SDiv => "a division",
        Mod | SMod => "a remainder",
        Or | And | Xor => "an operation on bits",
        Lsh | Rsh | Arsh => "a shift",
        Neg => "a negation",
    }
}
