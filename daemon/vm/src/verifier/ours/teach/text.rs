//! An explanation as plain text that fits on one screen.

use super::super::witness::Witness;
use super::{Explanation, Spot, Turn, Way, words};

/// Lines of each part; what is longer loses its middle.
const PATH: usize = 10;
const HISTORY: usize = 6;
/// Entries of maps and answers that are shown.
const ENTRIES: usize = 4;
/// Characters of a source line that are shown.
const WIDTH: usize = 60;
/// Groups of bytes that are shown.
const GROUPS: usize = 20;
/// So many equal bytes in a row become a group.
const RUN: usize = 4;

impl Explanation {
    /// Everything, as a person reads it.
    pub fn text(&self) -> String {
        let mut lines = vec![format!("{} [{}]", self.reason, self.kind)];
        if let Some(source) = &self.place.source {
            lines[0] = format!(
                "{}:{}:{}: {}",
                source.file, source.line, source.column, lines[0]
            );
            lines.push(format!(
                "  {:>6} | {}",
                source.line,
                shortened(&source.text)
            ));
        }
        lines.push(format!("  pc {}: {}", self.place.pc, self.instruction));
        let detail = self.detail();
        lines.extend(detail.lines().map(|line| format!("  {line}")));
        lines.push(format!("  hint: {}", self.hint));
        lines.join("\n")
    }

    /// What a rejection does not have in fields of its own.
    pub fn detail(&self) -> String {
        let mut lines = Vec::new();
        let titled =
            |title: &str, text: &str| (!text.is_empty()).then(|| format!("{title:<9}{text}"));
        lines.extend(titled("needed:", &self.obligation));
        lines.extend(titled("known:", &self.fact));
        lines.extend(titled("but:", &self.proof));
        let mut title = "here:";
        for (register, words) in &self.registers {
            lines.push(format!("{title:<9}r{register} {words}"));
            title = "";
        }
        part(&mut lines, "path:", turns(&self.path), PATH);
        part(&mut lines, "history:", self.events(), HISTORY);
        if let Some(witness) = &self.witness {
            part(&mut lines, "for example:", example(witness), usize::MAX);
        }
        lines.join("\n")
    }

    fn events(&self) -> Vec<String> {
        let events = self.history.iter();
        events
            .map(|event| format!("{}: {}", line(&event.place), event.words))
            .collect()
    }
}

/// An input, and what happens with it.
fn example(witness: &Witness) -> Vec<String> {
    let mut lines = Vec::new();
    let mut given = |name: &str, bytes: &[u8]| {
        let is_zero = bytes.iter().all(|byte| *byte == 0);
        let size = words::bytes(bytes.len() as i64);
        lines.push(match (bytes.is_empty(), is_zero) {
            (true, _) => format!("{name} has no bytes"),
            (false, true) => format!("{name} has {size}, all 0"),
            (false, false) => format!("{name} has {size}: {}", hex(bytes)),
        });
    };
    given("the context", &witness.context);
    if witness.has_data {
        let (meta, data) = witness.data.split_at(witness.meta);
        if !meta.is_empty() {
            given("the metadata", meta);
        }
        given("the packet", data);
    }
    lines.extend(witness.notes());
    lines.push(format!("then, at pc {}, {}", witness.pc, witness.end));
    lines
}

impl Witness {
    /// What must be so beside context and data, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for entry in self.entries.iter().take(ENTRIES) {
            let (map, key) = (&entry.map, hex(&entry.key));
            notes.push(match &entry.value {
                Some(value) => format!("{map} has {} under the key {key}", hex(value)),
                None => format!("{map} has nothing under the key {key}"),
            });
        }
        if self.is_cut {
            notes.push("arrays are cut to one entry, so that nothing lies behind a value".into());
        }
        let answers = self.answers.iter().take(ENTRIES);
        let answers: Vec<String> = answers.map(|answer| words::number(*answer)).collect();
        if !answers.is_empty() {
            notes.push(format!("the extension answers {}", answers.join(", ")));
        }
        notes
    }
}

/// Bytes in hexadecimal, those that are repeated told once.
fn hex(bytes: &[u8]) -> String {
    let mut groups: Vec<String> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if groups.len() == GROUPS {
            groups.push("...".into());
            break;
        }
        let same = bytes[at..].iter().take_while(|byte| **byte == bytes[at]);
        let run = same.count();
        match run >= RUN {
            true => groups.push(format!("{run}*{:02x}", bytes[at])),
            false => groups.push(format!("{:02x}", bytes[at])),
        }
        at += if run >= RUN { run } else { 1 };
    }
    groups.join(" ")
}

/// A title and lines under it, of which the middle is left out where there are too many.
fn part(lines: &mut Vec<String>, title: &str, all: Vec<String>, most: usize) {
    if all.is_empty() {
        return;
    }
    lines.push(title.to_owned());
    let left_out = all.len().saturating_sub(most);
    let (head, tail) = match left_out {
        0 => (all.len(), 0),
        _ => (most / 2, most - most / 2),
    };
    lines.extend(all[..head].iter().map(|line| format!("  {line}")));
    if left_out > 0 {
        lines.push(format!("  ... {left_out} more ..."));
    }
    lines.extend(
        all[all.len() - tail..]
            .iter()
            .map(|line| format!("  {line}")),
    );
}

fn turns(turns: &[Turn]) -> Vec<String> {
    turns.iter().map(turn).collect()
}

fn turn(turn: &Turn) -> String {
    let at = line(&turn.place);
    let source = turn.place.source.as_ref();
    let source = source.map_or(String::new(), |source| shortened(&source.text));
    let at = match source.is_empty() {
        true => at,
        false => format!("{at}: {source}"),
    };
    let times = match turn.times {
        1 => String::new(),
        times => format!(" ({})", words::count(times as i64, "time")),
    };
    match &turn.way {
        Way::Branch { holds, next, .. } => {
            format!("{at} -- {holds}, on to {}{times}", line(next))
        }
        Way::Enter(function) => format!("{at} -- calls {function}{times}"),
        Way::Leave(function) => format!("{at} -- {function} returns{times}"),
        Way::Round => format!("{at} -- another round{times}"),
    }
}

fn line(spot: &Spot) -> String {
    words::at(spot.source.as_ref(), spot.pc)
}

/// A source line without its indentation, not too long.
fn shortened(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() > WIDTH {
        true => {
            let start: String = text.chars().take(WIDTH - 3).collect();
            format!("{start}...")
        }
        false => text,
    }
}
