//! `snap`: a screen drawn as a picture, without a terminal.

use std::io::Write;

use anyhow::{Context, Result, bail};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::engine::{Dashboard, Filter, FlowId, FlowPane, Query, QueryCache};
use crate::export::{Palette, PictureFormat, picture};
use crate::io::file;
use crate::ui::{FlowPart, Segments, Source, UiState, View};
use crate::view;

use super::cli::Snap;
use super::looks::Looks;
use super::origin::Origin;
use super::{gather, reread, screen};

/// From this width on the summary of a flow has room for its segments.
const WIDE: u16 = 150;

/// Draws what the command line asks for into its file.
pub(super) fn run(options: &Snap) -> Result<super::Outcome> {
    if file::is_stdout(&options.output) {
        bail!("a picture goes into a file, whose name tells its format: -o screen.txt, .svg or .png");
    }
    let format = PictureFormat::from_path(&options.output)?;
    let at = options.at.as_deref();
    let origin = if options.demo { Some(Origin::Demo) } else { Origin::of(&options.input.read, false)? };
    let seen = gather::gather(&options.input, origin, options.duration, at)?;
    let (width, height) = options.size;
    let looks = Looks::of(&options.look);
    let mut ui = UiState::new(Rect::new(0, 0, width, height), looks.of_picture());
    ui.set_filter(options.filter.clone());
    let flow = flow_of(options, &seen)?;
    let (view, part) = options.look.view.shown();
    ui.show(view, flow);
    ui.show_part(part);
    // A wide summary shows the beginning of the ladder, too.
    if part != FlowPart::Summary || (view == View::Flow && width >= WIDE) {
        ui.take_segments(flow, segments(options, &seen, flow)?);
    }
    let mut cache = QueryCache::default();
    let dashboard = seen.engine.dashboard(&ui.query(&seen.source), &mut cache);
    ui.observe(&dashboard, &seen.source);
    let dashboard = seen.engine.dashboard(&ui.query(&seen.source), &mut cache);
    let bytes = draw(&dashboard, &seen.source, &ui, &looks, format)?;
    let write = || -> std::io::Result<()> {
        let mut out = file::create_output(&options.output)?;
        out.write_all(&bytes)?;
        out.flush()
    };
    write().with_context(|| format!("cannot write {}", options.output.display()))?;
    seen.say()?;
    if !options.filter.text().is_empty() && dashboard.flows.matching == 0 {
        let told = none_fits(&options.filter, &dashboard.flows);
        writeln!(std::io::stderr(), "sockscope: {}", crate::base::scrub(&told))?;
    }
    super::record::tell(&seen.recorded, Ok(seen.outcome()))
}

/// The flow to select: the one that was named, or for the flow view the first row of the table.
fn flow_of(options: &Snap, seen: &gather::Seen) -> Result<Option<FlowId>> {
    let filter = options.filter.clone();
    let ids = seen.engine.flow_ids(&filter);
    match options.flow.map(FlowId) {
        Some(id) if ids.contains(&id) => Ok(Some(id)),
        Some(id) => bail!("there is no flow {id}: the flows are numbered {}", numbers(&ids)),
        None if options.look.view.shown().0 == View::Flow => {
            let query = Query { filter, rows: 1, ..Query::default() };
            let table = seen.engine.dashboard(&query, &mut QueryCache::default()).flows;
            match table.rows.first() {
                None if !options.filter.text().is_empty() => bail!("{}", none_fits(&options.filter, &table)),
                first => Ok(first.map(|row| row.id)),
            }
        }
        None => Ok(None),
    }
}

fn none_fits(filter: &Filter, flows: &FlowPane) -> String {
    format!("no flow fits the filter {}{}", filter.text(), flows.hint(filter))
}

/// The segments of the flow that is shown, read once more.
fn segments(options: &Snap, seen: &gather::Seen, flow: Option<FlowId>) -> Result<Segments> {
    let key = flow.and_then(|flow| seen.engine.flow_key(flow));
    let missing = |why: &str| Ok(Segments::Missing(why.to_owned()));
    match (key.zip(seen.engine.now()), &seen.origin) {
        (None, _) => missing("no segment of it was captured"),
        (Some(_), None) => missing("segments are kept neither of a stream nor of a host that is watched"),
        (Some((key, now)), Some(origin)) => reread::now(origin, options.input.filter().as_deref(), key, now),
    }
}

fn numbers(ids: &[FlowId]) -> String {
    match (ids.first(), ids.last()) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "none".to_owned(),
    }
}

/// The screen as a picture. Times are told in UTC, so that a picture does not depend on where it was made.
pub(super) fn draw(
    dashboard: &Dashboard,
    source: &Source,
    ui: &UiState,
    looks: &Looks,
    format: PictureFormat,
) -> Result<Vec<u8>> {
    let ui = &ui.for_picture();
    let area = ui.area();
    let mut buffer = Buffer::empty(area);
    let spec = looks.spec(ui.theme());
    view::draw(dashboard, ui, source, &spec.theme(jiff::tz::TimeZone::UTC), area, &mut buffer);
    // What stands in the terminal stands here; only the line of keys gives way to the picture's own footer.
    if let Some(parts) = ui.screen_on(area, source) {
        buffer.resize(Rect { height: parts.footer.y - area.y, ..area });
    }
    let mut footer = screen::footer(source, dashboard);
    if looks.ascii {
        view::to_ascii(&mut buffer);
        footer = footer.in_ascii();
    }
    let palette = Palette::on(spec.background, spec.foreground);
    Ok(picture(&buffer, &footer, &palette, format)?)
}
