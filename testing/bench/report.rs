//! The table that is printed.

use std::time::Duration;

/// Heads of the columns.
const WHAT: &str = "what";
const MEASURED: &str = "measured";

/// Lines of the table, in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

struct Line {
    what: String,
    value: String,
    note: String,
}

impl Report {
    /// Adds a line, and shows at once that something was measured.
    pub(crate) fn add(&mut self, what: impl Into<String>, value: impl Into<String>, note: impl Into<String>) {
        let line = Line {
            what: what.into(),
            value: value.into(),
            note: note.into(),
        };
        eprintln!("measured: {}: {}", line.what, line.value);
        self.lines.push(line);
    }

    /// Prints the table as Markdown.
    pub(crate) fn print(&self) {
        let width = |head: &str, column: fn(&Line) -> &str| {
            let cells = self.lines.iter().map(|line| column(line).chars().count());
            cells.chain([head.len()]).max().unwrap_or(0)
        };
        let (what, value) = (width(WHAT, |line| &line.what), width(MEASURED, |line| &line.value));
        println!("\n| {WHAT:what$} | {MEASURED:>value$} | |");
        println!("|{:-<1$}|{2:->3$}:|---|", "", what + 2, "", value + 1);
        for line in &self.lines {
            println!("| {:what$} | {:>value$} | {} |", line.what, line.value, line.note);
        }
    }
}

/// Bytes as megabytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// A share of sorted durations, in milliseconds.
pub(crate) fn milliseconds(sorted: &[Duration], share: f64) -> String {
    format!("{:.1} ms", percentile(sorted, share).as_secs_f64() * 1e3)
}

/// The value below which a share of sorted values lies.
pub(crate) fn percentile<T: Copy>(sorted: &[T], share: f64) -> T {
    let last = sorted.len() - 1;
    sorted[((last as f64) * share).round() as usize]
}
