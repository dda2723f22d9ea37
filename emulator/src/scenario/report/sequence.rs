//! The sequence diagram in text: a column for each participant, a row for each call, what it was on the right.

use super::rows::{Row, fold, participants};
use super::{Record, TraceView, clock, cut};
use crate::Timestamp;

/// Columns of the text.
const WIDTH: usize = 100;
/// Columns that lifelines and arrows may take.
const LANES: usize = 50;
/// The widest and the narrowest distance of two lifelines.
const PITCH: (usize, usize) = (14, 4);
/// The most participants that get a lifeline; the others share the last.
const PARTICIPANTS_MAX: usize = 10;

/// The diagram. No line is longer than 100 columns; repetitions are folded.
pub fn sequence(trace: &TraceView) -> String {
    let all = participants(&trace.records);
    if all.is_empty() {
        return "no calls\n".to_owned();
    }
    let whole_seconds = trace.records.iter().all(|record| record.at.millis() % 1000 == 0);
    let lanes = Lanes::new(&all, if whole_seconds { 9 } else { 13 });
    let mut out = lanes.heading();
    for row in fold(&trace.records) {
        let line = match row {
            Row::Call(record) => {
                let time = lanes.time(record.at, trace);
                lanes.row(&time, lanes.arrow(record.from(), record.to()), &label(record, lanes.room()))
            }
            Row::Again { calls, times, until } => {
                let what = if calls == 1 { "the call above".to_owned() } else { format!("the {calls} calls above") };
                lanes.row("", lanes.lines(), &format!("… {what} {times}× more, to {}", lanes.time(until, trace)))
            }
            Row::LeftOut(calls) => lanes.row("", lanes.lines(), &format!("… {calls} calls left out")),
        };
        out += &line;
    }
    out
}

/// What a call was and how it was answered. Where that is too long the resource loses its beginning.
fn label(record: &Record, room: usize) -> String {
    let answer = record.answer();
    let bare = format!("{} → {answer}", record.operation);
    let Some(resource) = record.resource.as_deref().filter(|_| record.to() == record.service) else { return bare };
    let left = room.saturating_sub(bare.chars().count() + 1);
    let length = resource.chars().count();
    if left < RESOURCE_MIN.min(length) {
        return bare;
    }
    let shown: String = if length <= left {
        resource.to_owned()
    } else {
        ["…"].into_iter().map(str::to_owned).chain(resource.chars().skip(length + 1 - left).map(String::from)).collect()
    };
    format!("{} {shown} → {answer}", record.operation)
}

/// Fewer columns of a resource than these say nothing.
const RESOURCE_MIN: usize = 6;

struct Lanes<'t> {
    time: usize,
    names: Vec<&'t str>,
    all: &'t [&'t str],
    pitch: usize,
}

impl<'t> Lanes<'t> {
    fn new(all: &'t [&'t str], time: usize) -> Self {
        let names: Vec<&str> = if all.len() > PARTICIPANTS_MAX {
            all.iter().take(PARTICIPANTS_MAX - 1).copied().chain(["others"]).collect()
        } else {
            all.to_vec()
        };
        let pitch = (LANES / names.len()).clamp(PITCH.1, PITCH.0);
        Self { time, names, all, pitch }
    }

    /// The time without the date, which does not fit here: the timeline tells the day.
    fn time(&self, at: Timestamp, trace: &TraceView) -> String {
        let time = clock(at, trace.start);
        let time = time.rsplit(' ').next().unwrap_or(&time);
        time.chars().take(self.time - 1).collect()
    }

    /// Columns for what a call was.
    fn room(&self) -> usize {
        WIDTH.saturating_sub(self.time + self.width() + 1)
    }

    fn width(&self) -> usize {
        self.pitch * self.names.len()
    }

    /// The column of a participant's lifeline.
    fn column(&self, name: &str) -> usize {
        let place = self.names.iter().position(|known| *known == name).unwrap_or(self.names.len() - 1);
        place * self.pitch + self.pitch / 2
    }

    /// The names above the lifelines; where one had to be cut, all in full above that.
    fn heading(&self) -> String {
        let cut_names: Vec<String> = self.names.iter().map(|name| cut(name, self.pitch - 1)).collect();
        let mut out = String::new();
        if self.names.len() < self.all.len() || self.names.iter().zip(&cut_names).any(|(name, cut)| name != cut) {
            let mut line = String::new();
            for name in self.all {
                if line.chars().count() + name.chars().count() + 2 > WIDTH && !line.is_empty() {
                    out += &format!("{}\n", cut(line.trim_end(), WIDTH));
                    line.clear();
                }
                line += &format!("{name}, ");
            }
            out += &format!("{}\n", cut(line.trim_end_matches(", "), WIDTH));
        }
        let centred: String = cut_names.iter().map(|name| format!("{name:^width$}", width = self.pitch)).collect();
        out += &format!("{:time$}{}\n", "", centred.trim_end(), time = self.time);
        out
    }

    fn lines(&self) -> Vec<char> {
        let mut row = vec![' '; self.width()];
        for name in &self.names {
            if let Some(cell) = row.get_mut(self.column(name)) {
                *cell = '│';
            }
        }
        row
    }

    fn arrow(&self, from: &str, to: &str) -> Vec<char> {
        let mut row = self.lines();
        let (start, end) = (self.column(from), self.column(to));
        let head = match start.cmp(&end) {
            std::cmp::Ordering::Less => '▶',
            std::cmp::Ordering::Greater => '◀',
            std::cmp::Ordering::Equal => '↺',
        };
        let (low, high) = (start.min(end), start.max(end));
        for (at, cell) in row.iter_mut().enumerate().take(high + 1).skip(low) {
            *cell = match at {
                _ if at == end => head,
                _ if at == start && start < end => '├',
                _ if at == start => '┤',
                _ if *cell == '│' => '┼',
                _ => '─',
            };
        }
        row
    }

    fn row(&self, time: &str, lanes: Vec<char>, label: &str) -> String {
        let lanes: String = lanes.into_iter().collect();
        let line = format!("{time:<width$}{lanes} {label}", width = self.time);
        cut(&line, WIDTH).trim_end().to_owned() + "\n"
    }
}
