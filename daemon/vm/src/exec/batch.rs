//! Runs on many contexts, or many on one: copying in and out, pinning, counting.
//!
//! Everything that does not depend on the context is done once for all of them.
//! Contexts are copied in, for programs may write what the contract keeps from
//! the caller, and because a hidden header lies in front of them; they are
//! copied back only from the first one on that a program has changed.

use std::time::Instant;

use super::input::{self, Input, Items};
use super::program::Program;
use super::session::{PINNED_RUNS, Session};
use super::tape::{NoReel, Player, Recorder, Reel, Tapes};
use crate::error::{EngineError, Result};
use crate::maps::lanes::{self, Lane};

/// What a batch leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// One `ebpf_result` a context.
    pub codes: Vec<u8>,
    /// r0 of each, truncated to 32 bits, little-endian; 0 for a failed one.
    pub results: Vec<u8>,
    /// All contexts; empty when none changed.
    pub contexts: Vec<u8>,
    /// All data; empty when none changed.
    pub data: Vec<u8>,
    pub elapsed_ns: u64,
}

/// What repeated runs on one context leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestRun {
    /// Of the last run; the first failure ends the test.
    pub code: u8,
    pub result: u32,
    pub context: Vec<u8>,
    pub data: Vec<u8>,
    /// Of all runs together.
    pub elapsed_ns: u64,
}

impl Program {
    /// Run once on each context.
    pub fn run_batch(&self, input: Input<'_>) -> Result<Batch> {
        self.run_on(input, self.lease().as_ref(), &mut NoReel)
    }

    /// The same, and what runs were told from outside.
    pub fn record_batch(&self, input: Input<'_>) -> Result<(Batch, Tapes)> {
        let mut recorder = Recorder::default();
        let batch = self.run_on(input, self.lease().as_ref(), &mut recorder)?;
        Ok((batch, recorder.0))
    }

    /// Run again what was recorded, maybe of another program, on maps as they were then; also a
    /// byte for each context: 1 if its run asked what nobody knows.
    ///
    /// It has the lane of then, and waits for none: the maps should be its own, for values that
    /// another run has on that lane would get mixed up.
    pub fn replay_batch(&self, input: Input<'_>, tapes: &Tapes) -> Result<(Batch, Vec<u8>)> {
        let mut player = Player::new(&input, &tapes.tape, &tapes.lengths)?;
        let lane = lanes::without_lease(tapes.lane as usize)?;
        let batch = self.run_on(input, Some(&lane), &mut player)?;
        Ok((batch, player.unknown))
    }

    fn run_on(&self, input: Input<'_>, lane: Option<&Lane>, reel: &mut impl Reel) -> Result<Batch> {
        let stride = input::stride(&input, self.descriptor())?;
        let items = input::items(&input, self.descriptor())?;
        let _inside = self.enter()?;
        let mut batch = Batch {
            codes: vec![0; input.count],
            results: vec![0; input.count * 4],
            contexts: Vec::new(),
            data: input.data.to_vec(),
            elapsed_ns: 0,
        };
        let start = Instant::now();
        self.run_each(&input, stride, &items, lane, reel, &mut batch);
        batch.elapsed_ns = start.elapsed().as_nanos() as u64;
        self.tally().add(input.count as u64, batch.elapsed_ns);
        if batch.data == input.data {
            batch.data = Vec::new();
        }
        Ok(batch)
    }

    fn run_each(
        &self,
        input: &Input<'_>,
        stride: usize,
        items: &Items,
        lane: Option<&Lane>,
        reel: &mut impl Reel,
        batch: &mut Batch,
    ) {
        let mut session = Session::new(self, lane, self.identity(input.origin));
        let base = batch.data.as_mut_ptr() as u64;
        let has_pointers = self.descriptor().pointers().next().is_some();
        let keeps = self.keeps_context();
        let renewal = if self.calls_out() { 1 } else { PINNED_RUNS };
        let mut left = 0;
        let outcomes = batch
            .codes
            .iter_mut()
            .zip(batch.results.chunks_exact_mut(4));
        for (index, (code, result)) in outcomes.enumerate() {
            if left == 0 {
                session.repin();
                left = renewal;
            }
            left -= 1;
            let place = index * stride..(index + 1) * stride;
            let context = &input.contexts[place.clone()];
            session.context.load(context);
            if has_pointers {
                let item = items.get(index);
                session.context.point(self.descriptor(), base, item);
                let data = &mut batch.data[item.start..item.start + item.length];
                session.memory().set_data(data);
            }
            reel.before(session.services());
            match session.run() {
                Ok(r0) => result.copy_from_slice(&(r0 as u32).to_le_bytes()),
                Err(fault) => *code = fault.code,
            }
            reel.after(session.services());
            if batch.contexts.is_empty() {
                if keeps || session.context.matches(context, self.writable()) {
                    continue;
                }
                batch.contexts = input.contexts.to_vec();
            }
            let context = &mut batch.contexts[place];
            session.context.store(context, self.writable());
        }
    }

    /// Run `repeat` times on one context, which keeps what each run leaves in it.
    pub fn test_run(
        &self,
        context: &[u8],
        data: &[u8],
        meta_length: usize,
        repeat: u64,
    ) -> Result<TestRun> {
        if repeat == 0 {
            return Err(EngineError::argument("repeat is 0: it must be at least 1"));
        }
        let meta = u32::try_from(meta_length)
            .map_err(|_| EngineError::argument(format!("meta_length {meta_length} is too large")))?
            .to_le_bytes();
        let input = Input {
            contexts: context,
            count: 1,
            data,
            data_lengths: &[],
            meta_lengths: &meta,
            origin: None,
        };
        input::stride(&input, self.descriptor())?;
        let items = input::items(&input, self.descriptor())?;
        let _inside = self.enter()?;
        let mut test = TestRun {
            context: context.to_vec(),
            data: data.to_vec(),
            ..TestRun::default()
        };
        self.run_again(&items, &mut test, repeat);
        Ok(test)
    }

    fn run_again(&self, items: &Items, test: &mut TestRun, repeat: u64) {
        let lane = self.lease();
        let mut session = Session::new(self, lane.as_ref(), self.identity(None));
        session.context.load(&test.context);
        let base = test.data.as_mut_ptr() as u64;
        session.memory().set_data(&mut test.data);
        let start = Instant::now();
        let renewal = if self.calls_out() { 1 } else { PINNED_RUNS };
        let (mut left, mut runs) = (0, 0);
        while runs < repeat && test.code == 0 {
            if left == 0 {
                session.repin();
                left = renewal;
            }
            left -= 1;
            session.context.point(self.descriptor(), base, items.get(0));
            match session.run() {
                Ok(r0) => test.result = r0 as u32,
                Err(fault) => (test.code, test.result) = (fault.code, 0),
            }
            runs += 1;
        }
        test.elapsed_ns = start.elapsed().as_nanos() as u64;
        self.tally().add(runs, test.elapsed_ns);
        session.context.store(&mut test.context, self.writable());
    }
}
