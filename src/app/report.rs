//! `report`: what was seen, as text for people or JSON for programs.

use std::cell::LazyCell;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::thread;

use anyhow::{Context, Result};

use crate::base::in_ascii;
use crate::engine::{Dashboard, Engine, Filter, FlowId, Gist, Query, QueryCache};
use crate::export::{Damage, Flows, JsonForm, JsonReport, Pick, ReportContext, Tally, findings, write_report};
use crate::findings::{Finding, Severity};
use crate::io::{file, tty};

use super::Outcome;
use super::cli::{Format, Input, Report};
use super::gather::{self, Seen};
use super::looks;
use super::origin::Origin;
use super::parts::{in_parts, in_turns};
use super::record;

/// How long a live dashboard without a terminal watches before it reports.
const WATCH: std::time::Duration = std::time::Duration::from_secs(10);
/// Flows told of each kind of trouble, and of the largest.
const EACH: usize = 8;
const LARGEST: usize = 10;
/// Columns of a report that goes into a file or a pipe.
const PIPE_WIDTH: usize = 100;

/// Reports what the command line asks for.
pub(super) fn run(options: &Report) -> Result<Outcome> {
    let Report { input, follow, demo, .. } = options;
    if file::is_stdout(&options.output) {
        input.check_stdout_is_free()?;
    }
    let origin = if *demo { Some(Origin::Demo) } else { Origin::of(&input.read, follow.follow)? };
    let seen = gather::gather(input, origin, options.duration, None)?;
    let worst = write(&seen, options.format, &options.filter, &options.output)?;
    let fails = options.fail_on.is_some_and(|least| worst.is_some_and(|worst| worst >= least.into()));
    let outcome = record::tell(&seen.recorded, Ok(if fails { Outcome::Found } else { seen.outcome() }));
    // The process ends: its memory goes at once, where flow after flow would be freed.
    std::mem::forget(seen);
    outcome
}

/// What the dashboard prints where there is no terminal to draw on.
pub(super) fn instead_of_dashboard(input: &Input, origin: Option<Origin>) -> Result<Outcome> {
    input.check_stdout_is_free()?;
    if origin.is_none() {
        writeln!(std::io::stderr(), "sockscope: no terminal to draw on: watching for 10 s, then reporting")?;
    }
    let seen = gather::gather(input, origin, WATCH, None)?;
    write(&seen, Format::Text, &Filter::default(), Path::new("-"))?;
    record::tell(&seen.recorded, Ok(seen.outcome()))
}

/// Writes the report; how bad the worst of what it found is.
fn write(seen: &Seen, format: Format, filter: &Filter, output: &Path) -> Result<Option<Severity>> {
    let query = Query { filter: filter.clone(), ..Query::default() };
    let mut out = file::create_output(output).with_context(|| format!("cannot create {}", output.display()))?;
    // Nothing changes the engine any more: what is told of all flows together is found out beside each one's own.
    let written = thread::scope(|scope| {
        let dashboard = scope.spawn(|| seen.engine.dashboard(&query, &mut QueryCache::default()));
        let dashboard = Late::new(Box::new(|| dashboard.join().expect("the dashboard is made")));
        let shown = Shown { seen, dashboard, filter: &query.filter, damage: seen.damage.as_ref() };
        match format {
            Format::Text => shown.text(&mut out, file::is_stdout(output)),
            Format::Json => shown.json(&mut out, JsonForm::Whole),
            Format::Ndjson => shown.json(&mut out, JsonForm::Lines),
        }
    });
    let worst = written.with_context(|| format!("cannot write {}", output.display()))?;
    seen.say()?;
    Ok(worst)
}

/// The worst of them.
fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// What is waited for once it is asked for.
type Late<'a, T> = LazyCell<T, Box<dyn FnOnce() -> T + 'a>>;

/// What a report tells, whatever its format.
struct Shown<'a> {
    seen: &'a Seen,
    dashboard: Late<'a, Dashboard>,
    filter: &'a Filter,
    damage: Option<&'a Damage>,
}

impl Shown<'_> {
    /// Gives `append` the flows that match, in words, in order of first appearance; `none` is what they are added to.
    fn flows(&self, none: &Flows, append: impl FnMut(Flows) -> std::io::Result<()>) -> std::io::Result<()> {
        let engine = &self.seen.engine;
        let told = |ids: &[FlowId]| {
            let mut flows = none.clone();
            for (at, id) in ids.iter().enumerate() {
                engine.bring_near(&ids[at..]);
                // It is looked at where it was made: a copy takes long.
                if let Some(detail) = &engine.facts(*id) {
                    flows.add(detail)?;
                }
            }
            Ok(flows)
        };
        in_turns(&engine.flow_ids(self.filter), told, append)
    }

    /// Tells every flow in short, whatever the filter.
    fn every(&self, tell: &mut dyn FnMut(&Gist)) {
        let engine = &self.seen.engine;
        each(engine, &engine.flow_ids(&Filter::default()), tell);
    }

    /// What is wrong: where a filter picks some flows, what is wrong with the whole source and about one of them;
    /// `of_all` tells it where every flow was counted anyway.
    fn narrowed(&self, of_all: impl FnOnce() -> Vec<Finding>) -> Vec<Finding> {
        if self.filter.is_empty() {
            return of_all();
        }
        let engine = &self.seen.engine;
        let mut whole = Tally::new();
        for part in in_parts(&engine.flow_ids(&Filter::default()), |ids| {
            let mut tally = Tally::new();
            each(engine, ids, |gist| tally.count(gist));
            tally
        }) {
            whole.add(part);
        }
        engine.findings_about(findings(&self.dashboard, &whole, |tell| self.every(tell)), self.filter)
    }

    fn text(&self, out: &mut dyn Write, stdout: bool) -> std::io::Result<Option<Severity>> {
        let engine = &self.seen.engine;
        let now = engine.now().unwrap_or_default();
        let (mut tally, mut pick) = (Tally::new(), Pick::new(now, EACH, LARGEST));
        for (counted, picked) in in_parts(&engine.flow_ids(self.filter), |ids| {
            let (mut tally, mut pick) = (Tally::new(), Pick::new(now, EACH, LARGEST));
            each(engine, ids, |gist| {
                tally.count(gist);
                pick.offer(gist, || engine.outline(gist.id));
            });
            (tally, pick)
        }) {
            tally.add(counted);
            pick.append(picked);
        }
        let findings = self.narrowed(|| findings(&self.dashboard, &tally, |tell| self.every(tell)));
        let pick = pick.picked(&findings, &|id| engine.outline(id), |id| engine.detail(id));
        let terminal = stdout && std::io::stdout().is_terminal();
        let mut plain = InAscii(out);
        let out: &mut dyn Write = if terminal && !looks::has_utf8() { &mut plain } else { plain.0 };
        let width = terminal.then(tty::width).and_then(Result::ok).map_or(PIPE_WIDTH, usize::from);
        let context = ReportContext {
            source: &self.seen.source.name,
            dashboard: &self.dashboard,
            tally: &tally,
            pick: &pick,
            findings: &findings,
            damage: self.damage,
            marks: &self.seen.marks,
            filter: self.filter,
            width,
        };
        write_report(out, &context)?;
        Ok(worst(&findings))
    }

    fn json(&self, out: &mut dyn Write, form: JsonForm) -> std::io::Result<Option<Severity>> {
        let mut report = JsonReport::new(out, form)?.filtered(self.filter.text().trim()).marked(&self.seen.marks);
        self.flows(&report.no_flows(), |flows| report.append(flows))?;
        let findings = self.narrowed(|| report.findings(&self.dashboard, |tell| self.every(tell)));
        report.finish(&self.seen.source.name, &self.dashboard, &findings, self.damage)?;
        Ok(worst(&findings))
    }
}

/// Tells these flows in short.
fn each(engine: &Engine, ids: &[FlowId], mut tell: impl FnMut(&Gist)) {
    for id in ids {
        // As above.
        if let Some(gist) = &engine.gist(*id) {
            tell(gist);
        }
    }
}

/// Text on its way to a terminal that has nothing beyond ASCII. Whole characters are written.
struct InAscii<'a>(&'a mut dyn Write);

impl Write for InAscii<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<String> = text.split('\n').map(in_ascii).collect();
        self.0.write_all(lines.join("\n").as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
