//! `report --format text`: what happened, for a reader, in 80 to 160 columns; what went wrong comes before the rest.
//!
//! Takes the engine's values as they stand at the end of the source. Writes to a `Write` given by the caller, whose
//! errors (a closed pipe) it hands back.

mod findings;
mod flows;
mod host;
mod opening;
mod ports;
mod sections;
mod times;

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::base::{Mark, words};
use crate::engine::{Dashboard, Filter};
use crate::findings::Finding;

use super::pick::Picked;
use super::summary::{Damage, Tally};

/// What a text report is made of.
#[derive(Debug, Clone, Copy)]
pub struct ReportContext<'a> {
    /// The file's name or the interfaces, scrubbed.
    pub source: &'a str,
    pub dashboard: &'a Dashboard,
    /// Every flow of the source was counted here,
    pub tally: &'a Tally,
    /// and these were picked to be told about,
    pub pick: &'a Picked,
    /// without what is wrong by these, the worst first.
    pub findings: &'a [Finding],
    pub damage: Option<&'a Damage>,
    /// What was marked, in order of time.
    pub marks: &'a [Mark],
    /// What every flow counted and offered matches.
    pub filter: &'a Filter,
    /// Columns of the terminal; 80 to 160 are used.
    pub width: usize,
}

/// Writes the report.
pub fn write_report(out: &mut dyn Write, context: &ReportContext<'_>) -> io::Result<()> {
    let mut page = Page { out, width: context.width.clamp(80, 160) };
    sections::header(&mut page, context)?;
    sections::handshakes(&mut page, context)?;
    sections::states(&mut page, context.dashboard)?;
    sections::queues(&mut page, context)?;
    sections::time_wait(&mut page, context.dashboard)?;
    ports::section(&mut page, context.dashboard)?;
    flows::wrong(&mut page, context)?;
    flows::largest(&mut page, context)?;
    page.out.flush()
}

/// Lines of a known width.
struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
}

impl Page<'_> {
    /// `text`, cut with `…` where it is too wide.
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", fitted(text.trim_end(), self.width))
    }

    /// A heading, ruled to the page's edge, after an empty line.
    fn heading(&mut self, title: &str, note: &str) -> io::Result<()> {
        let note = if note.is_empty() { String::new() } else { format!(" {note} ") };
        let rule = self.width.saturating_sub(3 + title.width() + 1 + note.width()).max(3);
        writeln!(self.out)?;
        self.line(&format!("── {title} {}{note}", "─".repeat(rule)))
    }

    /// `text` wrapped between words, every line after the first indented by `indent`.
    fn paragraph(&mut self, first: &str, indent: usize, text: &str) -> io::Result<()> {
        let mut line = first.to_owned();
        let mut empty = true;
        for word in words(text) {
            if !empty && line.width() + 1 + word.width() > self.width {
                self.line(&line)?;
                line = " ".repeat(indent);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.line(&line)
    }
}

/// `text` in at most `width` columns, `…` at its end where it had to be cut.
fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if cut.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > width {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// `text` padded on the right to `width` columns, or cut to it.
fn padded(text: &str, width: usize) -> String {
    let text = fitted(text, width);
    let blank = width.saturating_sub(text.width());
    text + &" ".repeat(blank)
}

#[cfg(test)]
mod tests;
