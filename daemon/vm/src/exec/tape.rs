//! What runs are told from outside, written down while they run or answered again later.
//!
//! Contexts, data and the contents of maps determine a run, but for what it asks:
//! the time, chance, the lane, who caused it, whether a ring took a record, and an
//! extension.  A tape holds the answers to one run:
//!
//! ```text
//!   u64 boot time in ns  u64 monotonic time in ns  u64 pid << 32 | tid      as the run began
//!   for each question, in order:  u32 helper  u8 0  u64 r0  u8 n  n * written
//!                                 u32 helper  u8 code (not 0)     text
//!   written:  u8 argument  text          text:  u32 length  bytes          all little-endian
//! ```
//!
//! The second form is a question that ended the run.  Played to another program, the
//! n-th question to a helper gets the n-th answer that it gave.  What was not asked
//! then is answered as follows, so that a replay is the same each time:
//!
//! ```text
//!   time          the latest answer of this helper, else when the run began
//!   chance        a number that depends on when the run began alone
//!   lane, pid     those of the run
//!   rings         0: the record was taken
//!   all others    unknown: 0, or of an extension the end of the run; the run is marked
//! ```

use super::fault::Fault;
use super::input::Input;
use super::interpreter::Services;
use super::remote::Reply;
use crate::error::{EngineError, Result, ResultCode};
use crate::helpers::{boot_clock, monotonic_clock};

const PRANDOM: u32 = 6;
const BOOT_NS: u32 = 7;
const LANE: u32 = 8;
const TIME_NS: u32 = 9;
const RING_OUTPUT: u32 = 11;
const PID_TGID: u32 = 19;
const IS_ADMIN: u32 = 21;
const BOOT_MS: u32 = 30;
const TIME_MS: u32 = 31;
const PERF_OUTPUT: u32 = 32;
const NANOSECONDS_PER_MS: u64 = 1_000_000;

/// What questions of the runs on some memory meet.
#[derive(Default)]
pub enum Tape {
    /// The world.
    #[default]
    Off,
    /// The world, and what it says is written down.
    Recording(Vec<u8>),
    /// What was written down.
    Playing(Box<Playback>),
}

/// How a question was answered.
type Answer = std::result::Result<Reply, Fault>;

/// The tape of one run, being played.
pub struct Playback {
    boot_ns: u64,
    time_ns: u64,
    pid_tgid: u64,
    /// `None`: played already.
    answers: Vec<(u32, Option<Answer>)>,
    /// What helpers said last.
    last: Vec<(u32, u64)>,
    /// Random numbers that were made up.
    made_up: u64,
    unknown: bool,
}

/// Tapes of the runs of a batch, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tapes {
    /// That of all runs.
    pub lane: u32,
    pub tape: Vec<u8>,
    /// A little-endian u32 a run.
    pub lengths: Vec<u8>,
}

impl Services<'_> {
    /// Ask the world through the tape; `ask` is how.
    #[inline]
    pub fn outside(
        &mut self,
        helper: u32,
        ask: impl FnOnce(&mut Self) -> std::result::Result<u64, Fault>,
    ) -> std::result::Result<u64, Fault> {
        if matches!(self.tape, Tape::Off) {
            return ask(self);
        }
        let ask = |services: &mut Self| {
            let result = ask(services)?;
            let written = Vec::new();
            Ok(Reply { result, written })
        };
        self.taped(helper, ask).map(|reply| reply.result)
    }

    /// Likewise, where an answer may be more than a number.
    pub fn taped(
        &mut self,
        helper: u32,
        ask: impl FnOnce(&mut Self) -> std::result::Result<Reply, Fault>,
    ) -> std::result::Result<Reply, Fault> {
        let lane = self.memory.lane() as u64;
        match &mut self.tape {
            Tape::Playing(playback) => playback.answer(helper, lane),
            Tape::Off => ask(self),
            Tape::Recording(_) => {
                let answer = ask(self);
                if let Tape::Recording(bytes) = &mut self.tape {
                    write(bytes, helper, &answer);
                }
                answer
            }
        }
    }

    /// A tape that begins now.
    fn recording(&self) -> Tape {
        let origin = self.identity.origin();
        let pid_tgid = u64::from(origin.pid) << 32 | u64::from(origin.tid);
        let start = [boot_clock(), monotonic_clock(), pid_tgid];
        Tape::Recording(start.into_iter().flat_map(u64::to_le_bytes).collect())
    }
}

impl Playback {
    fn answer(&mut self, helper: u32, lane: u64) -> Answer {
        let next = self
            .answers
            .iter_mut()
            .find(|(id, answer)| *id == helper && answer.is_some())
            .and_then(|(_, answer)| answer.take());
        let Some(answer) = next else {
            return self.not_recorded(helper, lane);
        };
        if let Ok(reply) = &answer {
            self.last.retain(|(id, _)| *id != helper);
            self.last.push((helper, reply.result));
        }
        answer
    }

    fn not_recorded(&mut self, helper: u32, lane: u64) -> Answer {
        let last = self.last.iter().find(|(id, _)| *id == helper);
        let time = |began: u64| last.map_or(began, |(_, said)| *said);
        let result = match helper {
            BOOT_NS => time(self.boot_ns),
            BOOT_MS => time(self.boot_ns / NANOSECONDS_PER_MS),
            TIME_NS => time(self.time_ns),
            TIME_MS => time(self.time_ns / NANOSECONDS_PER_MS),
            PRANDOM => self.chance(),
            LANE => lane,
            PID_TGID => self.pid_tgid,
            RING_OUTPUT | PERF_OUTPUT => 0,
            crate::contract::FIRST_EXTENSION_HELPER.. => {
                self.unknown = true;
                return Err(Fault::failed(format!(
                    "the recording has no further answer of helper {helper}"
                )));
            }
            IS_ADMIN => {
                self.unknown = true;
                -1_i64 as u64
            }
            _ => {
                self.unknown = true;
                0
            }
        };
        Ok(Reply {
            result,
            written: Vec::new(),
        })
    }

    /// splitmix64 of when the run began.
    fn chance(&mut self) -> u64 {
        self.made_up += 1;
        let seed = self.boot_ns ^ self.time_ns.rotate_left(32);
        let mut mixed = seed.wrapping_add(self.made_up.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) >> 32
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let start = [number(bytes)?, number(bytes)?, number(bytes)?];
        let mut answers = Vec::new();
        while !bytes.is_empty() {
            let helper = u32::from_le_bytes(array(bytes)?);
            let [code] = array(bytes)?;
            let answer = if code == 0 {
                let result = number(bytes)?;
                let [count] = array(bytes)?;
                let mut written = Vec::new();
                for _ in 0..count {
                    let [argument] = array(bytes)?;
                    written.push((argument.into(), text(bytes)?.to_vec()));
                }
                Ok(Reply { result, written })
            } else {
                let message = String::from_utf8_lossy(text(bytes)?).into_owned();
                Err(Fault { code, message })
            };
            answers.push((helper, Some(answer)));
        }
        Some(Self {
            boot_ns: start[0],
            time_ns: start[1],
            pid_tgid: start[2],
            answers,
            last: Vec::new(),
            made_up: 0,
            unknown: false,
        })
    }
}

fn write(bytes: &mut Vec<u8>, helper: u32, answer: &Answer) {
    let text = |bytes: &mut Vec<u8>, text: &[u8]| {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text);
    };
    bytes.extend(helper.to_le_bytes());
    match answer {
        Ok(reply) => {
            bytes.push(0);
            bytes.extend(reply.result.to_le_bytes());
            // There are five arguments at most; what else was written ends the run each time.
            let written = &reply.written[..reply.written.len().min(u8::MAX.into())];
            bytes.push(written.len() as u8);
            for (argument, written) in written {
                bytes.push(u8::try_from(*argument).unwrap_or(u8::MAX));
                text(bytes, written);
            }
        }
        Err(fault) => {
            bytes.push(fault.code.max(1));
            text(bytes, fault.message.as_bytes());
        }
    }
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    array(bytes).map(u64::from_le_bytes)
}

fn text<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = u32::from_le_bytes(array(bytes)?);
    let (text, rest) = bytes.split_at_checked(length as usize)?;
    *bytes = rest;
    Some(text)
}

/// What puts a tape before each run of a batch, and takes it after.
pub trait Reel {
    fn before(&mut self, services: &mut Services<'_>);
    fn after(&mut self, services: &mut Services<'_>);
}

/// No tapes.
pub struct NoReel;

impl Reel for NoReel {
    #[inline]
    fn before(&mut self, _: &mut Services<'_>) {}
    #[inline]
    fn after(&mut self, _: &mut Services<'_>) {}
}

/// Writes down what runs are told.
#[derive(Default)]
pub struct Recorder(pub Tapes);

impl Reel for Recorder {
    fn before(&mut self, services: &mut Services<'_>) {
        self.0.lane = services.memory.lane() as u32;
        services.tape = services.recording();
    }

    fn after(&mut self, services: &mut Services<'_>) {
        let Tape::Recording(bytes) = std::mem::take(&mut services.tape) else {
            unreachable!("it was put there before the run");
        };
        let length = (bytes.len() as u32).to_le_bytes();
        self.0.lengths.extend(length);
        self.0.tape.extend(bytes);
    }
}

/// Answers as is written.
pub struct Player {
    playbacks: std::vec::IntoIter<Playback>,
    /// A byte a run: 1 if it asked what nobody knows.
    pub unknown: Vec<u8>,
}

impl Player {
    pub fn new(input: &Input<'_>, tape: &[u8], lengths: &[u8]) -> Result<Self> {
        let wrong = |what: String| EngineError::new(ResultCode::InvalidArgument, what);
        let (lengths, rest) = lengths.as_chunks();
        if !rest.is_empty() || lengths.len() != input.count {
            let count = input.count;
            return Err(wrong(format!(
                "tape_lengths must be a u32 for each of {count} runs"
            )));
        }
        let mut left = tape;
        let mut playbacks = Vec::with_capacity(input.count);
        for (index, length) in lengths.iter().enumerate() {
            let length = u32::from_le_bytes(*length) as usize;
            let playback = left.split_at_checked(length).and_then(|(tape, rest)| {
                left = rest;
                Playback::read(tape)
            });
            playbacks.push(playback.ok_or_else(|| wrong(format!("tape: run {index} is damaged")))?);
        }
        if !left.is_empty() {
            return Err(wrong("tape is longer than tape_lengths say".to_owned()));
        }
        Ok(Self {
            playbacks: playbacks.into_iter(),
            unknown: Vec::with_capacity(input.count),
        })
    }
}

impl Reel for Player {
    fn before(&mut self, services: &mut Services<'_>) {
        let playback = self.playbacks.next().expect("there is one for each run");
        services.tape = Tape::Playing(Box::new(playback));
    }

    fn after(&mut self, services: &mut Services<'_>) {
        let Tape::Playing(playback) = std::mem::take(&mut services.tape) else {
            unreachable!("it was put there before the run");
        };
        self.unknown.push(playback.unknown.into());
    }
}
