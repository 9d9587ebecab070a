//! A program on a context that stays where it is: what a run costs by itself.
//!
//! For benches and tests.  A batch copies contexts in and out, pins and counts;
//! here all that is done once, and a run is the executor's work alone.  Only
//! what safety asks for is repeated: the pointers in the context, which a
//! program may have overwritten, and the pin, which would hold back memory.
//!
//! Sound because: pointers are stored where `pointers` says, inside of the
//! context, which the session keeps on the heap for as long as it lives.

use super::input::{self, Input, Item};
use super::origin::Identity;
use super::program::Program;
use super::session::{PINNED_RUNS, Session};
use crate::contract::ContextDescriptor;
use crate::error::Result;
use crate::maps::bytes;

/// One context with its data, ready for any number of runs on this thread.
pub struct Prepared<'p> {
    session: Session<'p>,
    /// What the session's invocations take for their data.
    _data: Box<[u8]>,
    /// Where each pointer of the context lies, and what it holds.
    pointers: Vec<(u64, u64)>,
    left: u32,
}

impl Program {
    /// Take over a context and its data; what runs leave in them stays here.
    pub fn prepare(&self, context: &[u8], data: &[u8]) -> Result<Prepared<'_>> {
        let input = Input {
            contexts: context,
            count: 1,
            data,
            ..Input::default()
        };
        input::stride(&input, self.descriptor())?;
        let item = input::items(&input, self.descriptor())?.get(0);
        let mut data: Box<[u8]> = data.into();
        let base = data.as_mut_ptr() as u64;
        let mut session = Session::new(self, None, Identity::default());
        session.context.load(context);
        session.context.point(self.descriptor(), base, item);
        session.memory().set_data(&mut data);
        let address = session.context.bytes().as_mut_ptr() as u64;
        session.repin();
        Ok(Prepared {
            session,
            _data: data,
            pointers: pointers(self.descriptor(), address, base, item),
            left: PINNED_RUNS,
        })
    }
}

impl Prepared<'_> {
    /// Run once; the `ebpf_result` and r0, which is 0 if the run failed.
    #[inline]
    pub fn run(&mut self) -> (u8, u64) {
        if self.left == 0 {
            self.renew();
        }
        self.left -= 1;
        for (place, address) in &self.pointers {
            // SAFETY: the place of a pointer in the context, see `pointers`.
            unsafe { bytes::store(*place, *address) };
        }
        match self.session.run() {
            Ok(result) => (0, result),
            Err(fault) => (fault.code, 0),
        }
    }

    /// The context as the runs left it.
    pub fn context(&mut self) -> Vec<u8> {
        self.session.context.bytes().to_vec()
    }

    /// Let go of what was retired meanwhile, and look at maps as they are now.
    #[cold]
    fn renew(&mut self) {
        self.session.repin();
        self.left = PINNED_RUNS;
    }
}

/// Where the pointers of a context at `context` lie, and what they must hold.
fn pointers(
    descriptor: &ContextDescriptor,
    context: u64,
    base: u64,
    item: Item,
) -> Vec<(u64, u64)> {
    let fields = [
        (descriptor.data, base + item.meta as u64),
        (descriptor.end, base + item.length as u64),
        (descriptor.meta, base),
    ];
    fields
        .into_iter()
        .filter_map(|(field, address)| {
            ContextDescriptor::pointer(field).map(|offset| (context + offset as u64, address))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::error::ResultCode;
    use crate::exec::Options;
    use crate::fixtures::{assembled, context, live, object, program, ready};
    use crate::isa::{EXIT, Insn, alu, class, mem};
    use crate::maps::epoch;

    /// Runs, without counting, what a batch runs, as often as asked.
    #[test]
    fn a_prepared_run_gives_what_a_batch_gives() {
        let object = object("packet");
        let spec = program(&object, "packet");
        let ready = ready(spec, live(&object.maps), Options::default());
        let test = ready.test_run(&context(0, 0), &[1, 2, 3, 4], 0, 1);
        let test = test.expect("valid input");
        let mut prepared = ready.prepare(&context(0, 0), &[1, 2, 3, 4]).expect("valid");
        assert_eq!((test.code, u64::from(test.result)), prepared.run());
        for _ in 0..200 {
            assert_eq!(0, prepared.run().0);
        }
        assert_eq!(1, ready.counters().runs);
    }

    /// A pointer that the program overwrote is there again at the next run.
    #[test]
    fn pointers_come_back_before_each_run() {
        let instructions = [
            Insn::new(class::LDX | mem::MEM | mem::DW, 2, 1, 0, 0),
            Insn::new(class::LDX | mem::MEM | mem::B, 0, 2, 0, 0),
            Insn::new(class::ST | mem::MEM | mem::DW, 1, 0, 0, 0),
            Insn::new(EXIT, 0, 0, 0, 0),
        ];
        let ready = ready(
            &assembled(&instructions, &[]),
            Vec::new(),
            Options::default(),
        );
        let mut prepared = ready.prepare(&context(0, 0), &[7]).expect("valid");
        assert_eq!(
            [(0, 7); 3],
            [prepared.run(), prepared.run(), prepared.run()]
        );
    }

    /// Each run has the whole budget, and a failed one gives its code.
    #[test]
    fn every_run_has_its_own_budget() {
        let mov = Insn::new(class::ALU64 | alu::MOV, 0, 0, 0, 1);
        let program = assembled(&[mov, mov, Insn::new(EXIT, 0, 0, 0, 0)], &[]);
        for (budget, outcome) in [(3, (0, 1)), (2, (ResultCode::Timeout as u8, 0))] {
            let options = Options {
                budget: Some(budget),
                ..Options::default()
            };
            let ready = ready(&program, Vec::new(), options);
            let mut prepared = ready.prepare(&context(0, 0), b"").expect("valid");
            assert_eq!([outcome; 2], [prepared.run(), prepared.run()]);
        }
    }

    /// Memory that is retired between runs does not wait for the end of them all.
    #[test]
    fn the_pin_is_renewed() {
        let program = assembled(
            &[
                Insn::new(class::ALU64 | alu::MOV, 0, 0, 0, 1),
                Insn::new(EXIT, 0, 0, 0, 0),
            ],
            &[],
        );
        let ready = ready(&program, Vec::new(), Options::default());
        let mut prepared = ready.prepare(&context(0, 0), b"").expect("valid");
        let domain = epoch::local();
        let stamp = domain.stamp();
        assert!(
            !(domain.advance() && domain.advance()),
            "this one is pinned"
        );
        let renewed = (0..1_000_000).any(|_| {
            prepared.run();
            domain.advance();
            domain.is_safe(stamp)
        });
        assert!(renewed, "other threads' pins end, and so must this one");
    }
}
