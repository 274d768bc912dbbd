//! Reports for machines, written flow by flow: NDJSON (an object a line) and JSON (one object).
//!
//! Flows are put into words apart from the report ([`Flows`]), on as many threads as there are, by `compact`. The schema
//! stands in [`super::record`] (flows), `findings`, `marks` and `summary`. Writes to a `Write` given by the caller, whose
//! errors it hands back.

mod compact;

use std::io::{self, Write};

use serde::Serialize;

use crate::base::Mark;
use crate::engine::{Dashboard, FlowDetail, Gist};
use crate::findings::Finding;

use super::findings::{FindingRecord, findings};
use super::marks::MarkRecord;
use super::record::FlowRecord;
use super::summary::{Damage, SummaryRecord, Tally};

/// How the objects of a report stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonForm {
    /// `report --format json`: `{"flows": [...], "findings": [...], "marks": [...], "summary": {...}}`; `marks` is absent
    /// where nothing was marked.
    Whole,
    /// `report --format ndjson`: a line for each flow, for each finding (the worst first) and each mark, then the summary's.
    Lines,
}

impl JsonForm {
    /// What stands before a flow that comes behind so many.
    const fn before_flow(self, behind: u64) -> &'static [u8] {
        match (self, behind) {
            (Self::Whole, 0) | (Self::Lines, 1..) => b"\n",
            (Self::Whole, 1..) => b",\n",
            (Self::Lines, 0) => b"",
        }
    }
}

/// Some flows of a report, in words: made apart from it, and then added to it in order.
#[derive(Debug, Clone)]
pub struct Flows {
    form: JsonForm,
    text: Vec<u8>,
    tally: Tally,
}

impl Flows {
    /// Bytes that the words of those that are made at once take, mostly.
    const ROOM: usize = 384 << 10;

    /// Adds one. Call it in order of first appearance.
    pub fn add(&mut self, detail: &FlowDetail) -> io::Result<()> {
        if self.tally.flows == 0 {
            self.text.reserve(Self::ROOM);
        } else {
            self.text.extend_from_slice(self.form.before_flow(self.tally.flows));
        }
        self.tally.count(&Gist::from(detail));
        Ok(compact::append(&mut self.text, &FlowRecord::of(detail))?)
    }
}

/// A report of the same objects in either form.
#[derive(Debug)]
pub struct JsonReport<'a, W> {
    out: W,
    form: JsonForm,
    tally: Tally,
    filter: Option<String>,
    marks: &'a [Mark],
}

impl<'a, W: Write> JsonReport<'a, W> {
    /// Begins a report on `out`.
    pub fn new(mut out: W, form: JsonForm) -> io::Result<Self> {
        out.write_all(if form == JsonForm::Whole { b"{\"flows\": [" } else { b"" })?;
        Ok(Self { out, form, tally: Tally::new(), filter: None, marks: &[] })
    }

    /// Names the words that every flow written matches.
    #[must_use]
    pub fn filtered(self, words: &str) -> Self {
        Self { filter: Some(crate::base::scrub(words)).filter(|words| !words.is_empty()), ..self }
    }

    /// Tells what was marked, in order of time.
    #[must_use]
    pub fn marked(self, marks: &'a [Mark]) -> Self {
        Self { marks, ..self }
    }

    /// None of its flows yet: copies of it are to be added to.
    pub fn no_flows(&self) -> Flows {
        Flows { form: self.form, text: Vec::new(), tally: Tally::new() }
    }

    /// Writes the flows that come next.
    pub fn append(&mut self, flows: Flows) -> io::Result<()> {
        if flows.tally.flows == 0 {
            return Ok(());
        }
        self.out.write_all(self.form.before_flow(self.tally.flows))?;
        self.tally.add(flows.tally);
        self.out.write_all(&flows.text)
    }

    /// What is wrong with the flows written and with what `dashboard` tells of the rest; `again` as of [`findings`].
    pub fn findings(&self, dashboard: &Dashboard, again: impl FnOnce(&mut dyn FnMut(&Gist))) -> Vec<Finding> {
        findings(dashboard, &self.tally, again)
    }

    /// Writes the findings, the marks and the summary, and gives the writer back, flushed.
    pub fn finish(
        self,
        source: &str,
        dashboard: &Dashboard,
        findings: &[Finding],
        damage: Option<&Damage>,
    ) -> io::Result<W> {
        let Self { mut out, form, tally, filter, marks } = self;
        let (findings, marks) = (findings.iter().map(FindingRecord::of), marks.iter().map(MarkRecord::of));
        let summary = SummaryRecord::of(source, dashboard, &tally, damage).filtered(filter.as_deref(), dashboard);
        match form {
            JsonForm::Whole => {
                out.write_all(b"\n], \"findings\":\n")?;
                serde_json::to_writer(&mut out, &findings.collect::<Vec<_>>())?;
                if marks.len() > 0 {
                    out.write_all(b", \"marks\":\n")?;
                    serde_json::to_writer(&mut out, &marks.collect::<Vec<_>>())?;
                }
                out.write_all(b", \"summary\":\n")?;
                serde_json::to_writer(&mut out, &summary)?;
                out.write_all(b"}\n")?;
            }
            JsonForm::Lines => {
                out.write_all(if tally.flows > 0 { b"\n" } else { b"" })?;
                for finding in findings {
                    line(&mut out, &finding)?;
                }
                for mark in marks {
                    line(&mut out, &mark)?;
                }
                line(&mut out, &summary)?;
            }
        }
        out.flush()?;
        Ok(out)
    }
}

fn line(out: &mut impl Write, record: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests;
