//! The table that `cargo xtask conformance` prints.

use std::fmt::Write as _;

use super::Ran;

/// A row for each list: what passes, the goal, what changed, and what others reach.
pub(super) fn render(ran: &[Ran<'_>]) -> String {
    let mut table = String::new();
    let head = ["list", "passed", "of", "%", "goal", "skipped", "mended", "broken", "seconds"];
    let _ = writeln!(table, "{}  recorded peers (whole suites, %)", row(&head.map(str::to_owned)));
    for Ran { list, figures, broken, mended } in ran {
        let share = f64::from(figures.passed) * 100.0 / f64::from(figures.total.max(1));
        let cells = [
            list.name().to_owned(),
            figures.passed.to_string(),
            figures.total.to_string(),
            format!("{share:.1}"),
            list.goal.map_or_else(String::new, |goal| goal.to_string()),
            figures.skipped.to_string(),
            mended.to_string(),
            broken.len().to_string(),
            format!("{:.0}", figures.seconds),
        ];
        let _ = writeln!(table, "{}  {}", row(&cells), list.peers.as_deref().unwrap_or(""));
    }
    table
}

fn row(cells: &[String; 9]) -> String {
    let mut row = format!("{:<26}", cells[0]);
    for cell in &cells[1..] {
        let _ = write!(row, "{cell:>8}");
    }
    row
}
