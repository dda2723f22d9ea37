//! The figures as text, and whether Garoa's are what they should be.

use std::fmt::Write as _;

use crate::jobs::Job;
use crate::measure::{Figures, LISTING, RECEIVING};

/// Receiving from a deep queue may cost this much more than from a shallow one.
const DEEP_GOAL: f64 = 1.2;
/// A list answers so many keys in the time of one GetObject of the bare server: four times what the best peer did on 2026-11-22,
/// fakecloud 0.51 with 128,683 keys a second beside 112,000 requests.
const LISTING_GOAL: f64 = 4.0 * 128_683.0 / 112_000.0;

/// The table.
pub fn render(figures: &Figures) -> String {
    let mut text = String::new();
    for (job, rates) in &figures.rates {
        let _ = writeln!(text, "{}", job.title());
        let ceiling = ceiling(rates);
        for (server, rate) in rates {
            let _ = write!(text, "  {server:<14} {rate:>9.0} requests/s  {:>5.2} of hello", rate / ceiling);
            if is_ours(server) {
                let goal = job.goal();
                let _ = write!(text, "  goal {goal} {}", verdict(rate / ceiling >= goal));
            }
            text.push('\n');
        }
    }
    if !figures.receiving.is_empty() {
        let _ = writeln!(text, "{RECEIVING}");
    }
    for each in &figures.receiving {
        let (shallow, deep) = (each.shallow.as_secs_f64() * 1e3, each.deep.as_secs_f64() * 1e3);
        let _ = write!(
            text,
            "  {:<10} {shallow:>8.3} ms with 100 waiting, {deep:>8.3} ms with {}: {:.2} times",
            each.server,
            each.waiting,
            deep / shallow
        );
        if each.server == "garoa" {
            let _ = write!(text, "  goal {DEEP_GOAL} {}", verdict(deep / shallow <= DEEP_GOAL));
        }
        text.push('\n');
    }
    if let Some((rate, share)) = listing(figures) {
        let _ = writeln!(
            text,
            "{LISTING}\n  garoa          {rate:>9.0} keys/s  {share:>5.2} of hello's GetObject  \
             goal {LISTING_GOAL:.2} {}",
            verdict(share >= LISTING_GOAL)
        );
    }
    text
}

/// Whether Garoa reaches every goal.
pub fn goals_met(figures: &Figures) -> bool {
    let fast = figures.rates.iter().all(|(job, rates)| {
        let garoa = rates.iter().find(|(server, _)| is_ours(server));
        garoa.is_none_or(|(_, rate)| rate / ceiling(rates) >= job.goal())
    });
    let flat = figures.receiving.iter().filter(|each| each.server == "garoa");
    let listed = listing(figures).is_none_or(|(_, share)| share >= LISTING_GOAL);
    fast && listed
        && flat.map(|each| each.deep.as_secs_f64() / each.shallow.as_secs_f64()).all(|ratio| ratio <= DEEP_GOAL)
}

/// How many keys a second a list answers, and how many that is to a request of the bare server.
fn listing(figures: &Figures) -> Option<(f64, f64)> {
    let rate = figures.listing?;
    let (_, rates) = figures.rates.iter().find(|(job, _)| *job == Job::GetObject)?;
    Some((rate, rate / ceiling(rates)))
}

/// Whether a server is held to the goals.
fn is_ours(server: &str) -> bool {
    server.starts_with("garoa")
}

fn ceiling(rates: &[(String, f64)]) -> f64 {
    rates.iter().find(|(server, _)| server == "hello").map_or(f64::NAN, |(_, rate)| *rate)
}

/// What is printed beside a goal.
pub fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

/// The resident memory of a process in MiB; not a number where the system does not tell it.
pub fn mebibytes(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    resident.map_or(f64::NAN, |kib: f64| kib / 1024.0)
}
