//! Reports for machines, written flow by flow: NDJSON (an object a line) and JSON (one object).
//!
//! Flows are put into words apart from the report ([`Flows`]), on as many threads as there are. The schema stands in
//! [`super::record`] (flows), `findings`, `marks` and `summary`. Writes to a `Write` given by the caller, whose errors it hands
//! back.

use std::io::{self, Write};

use crate::base::Mark;
use crate::engine::{Dashboard, FlowDetail};
use crate::findings::Finding;

use super::findings::{FindingRecord, findings};
use super::marks::MarkRecord;
use super::record::FlowRecord;
use super::summary::{Damage, SummaryRecord, Tally};

/// Some flows of a report, in words: made apart from it, and then added to it in order.
#[derive(Debug)]
pub struct Flows {
    text: Vec<u8>,
    between: &'static str,
    tally: Tally,
}

impl Flows {
    /// None yet, of a [`JsonReport`].
    pub fn json() -> Self {
        Self { text: Vec::new(), between: ",\n", tally: Tally::new() }
    }

    /// None yet, of an [`NdjsonReport`].
    pub fn ndjson() -> Self {
        Self { between: "\n", ..Self::json() }
    }

    /// Adds one. Call it in order of first appearance.
    pub fn add(&mut self, detail: &FlowDetail) -> io::Result<()> {
        if self.tally.flows > 0 {
            self.text.extend_from_slice(self.between.as_bytes());
        }
        self.tally.count(detail);
        Ok(serde_json::to_writer(&mut self.text, &FlowRecord::of(detail))?)
    }
}

/// `report --format ndjson`: a line for each flow, for each finding (the worst first) and each mark, then the summary's.
#[derive(Debug)]
pub struct NdjsonReport<'a, W> {
    out: W,
    tally: Tally,
    filter: Option<String>,
    marks: &'a [Mark],
}

impl<'a, W: Write> NdjsonReport<'a, W> {
    /// A report on `out`.
    pub fn new(out: W) -> Self {
        Self { out, tally: Tally::new(), filter: None, marks: &[] }
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

    /// Writes the flows that come next.
    pub fn append(&mut self, flows: Flows) -> io::Result<()> {
        if flows.tally.flows == 0 {
            return Ok(());
        }
        self.tally.add(flows.tally);
        self.out.write_all(&flows.text)?;
        self.out.write_all(b"\n")
    }

    /// What is wrong with the flows written and with what `dashboard` tells of the rest; `again` as of [`findings`].
    pub fn findings(&self, dashboard: &Dashboard, again: impl FnOnce(&mut dyn FnMut(&FlowDetail))) -> Vec<Finding> {
        findings(dashboard, &self.tally, again)
    }

    /// Writes the findings, the marks and the summary, and gives the writer back, flushed.
    pub fn finish(
        mut self,
        source: &str,
        dashboard: &Dashboard,
        findings: &[Finding],
        damage: Option<&Damage>,
    ) -> io::Result<W> {
        for finding in findings {
            serde_json::to_writer(&mut self.out, &FindingRecord::of(finding))?;
            self.out.write_all(b"\n")?;
        }
        for mark in self.marks {
            serde_json::to_writer(&mut self.out, &MarkRecord::of(mark))?;
            self.out.write_all(b"\n")?;
        }
        let summary = SummaryRecord::of(source, dashboard, &self.tally, damage);
        serde_json::to_writer(&mut self.out, &summary.filtered(self.filter.as_deref(), dashboard))?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// `report --format json`: `{"flows": [...], "findings": [...], "marks": [...], "summary": {...}}`, the same objects;
/// `marks` is absent where nothing was marked.
#[derive(Debug)]
pub struct JsonReport<'a, W> {
    out: W,
    tally: Tally,
    filter: Option<String>,
    marks: &'a [Mark],
}

impl<'a, W: Write> JsonReport<'a, W> {
    /// Begins a report on `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"{\"flows\": [")?;
        Ok(Self { out, tally: Tally::new(), filter: None, marks: &[] })
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

    /// Writes the flows that come next.
    pub fn append(&mut self, flows: Flows) -> io::Result<()> {
        if flows.tally.flows == 0 {
            return Ok(());
        }
        self.out.write_all(if self.tally.flows == 0 { b"\n" } else { b",\n" })?;
        self.tally.add(flows.tally);
        self.out.write_all(&flows.text)
    }

    /// What is wrong with the flows written and with what `dashboard` tells of the rest; `again` as of [`findings`].
    pub fn findings(&self, dashboard: &Dashboard, again: impl FnOnce(&mut dyn FnMut(&FlowDetail))) -> Vec<Finding> {
        findings(dashboard, &self.tally, again)
    }

    /// Writes the findings, the marks and the summary, and gives the writer back, flushed.
    pub fn finish(
        mut self,
        source: &str,
        dashboard: &Dashboard,
        findings: &[Finding],
        damage: Option<&Damage>,
    ) -> io::Result<W> {
        let records: Vec<FindingRecord> = findings.iter().map(FindingRecord::of).collect();
        self.out.write_all(b"\n], \"findings\":\n")?;
        serde_json::to_writer(&mut self.out, &records)?;
        if !self.marks.is_empty() {
            let records: Vec<MarkRecord<'_>> = self.marks.iter().map(MarkRecord::of).collect();
            self.out.write_all(b", \"marks\":\n")?;
            serde_json::to_writer(&mut self.out, &records)?;
        }
        self.out.write_all(b", \"summary\":\n")?;
        let summary = SummaryRecord::of(source, dashboard, &self.tally, damage);
        serde_json::to_writer(&mut self.out, &summary.filtered(self.filter.as_deref(), dashboard))?;
        self.out.write_all(b"}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests;
