//! The section of the text report on ephemeral ports.

use std::io;

use crate::engine::{Dashboard, RouteRow};

use super::super::units::{count, counted};
use super::Page;
use super::sections::{after, more};

/// Routes told, and from how much of their ports on they are.
const ROWS: usize = 10;
const TELLING: u32 = 5;

/// The routes that use their ports up, tightest first; nothing where the kernel was not seen.
pub(super) fn section(page: &mut Page<'_>, dashboard: &Dashboard) -> io::Result<()> {
    let Some(pane) = &dashboard.ports else { return Ok(()) };
    page.heading("Ephemeral ports", "at the end · by source and destination")?;
    let Some((first, last)) = pane.range else { return page.line("ip_local_port_range: not known") };
    let held = if pane.held > 0 {
        format!(", {} held for all by bind() or listeners", count(pane.held.into()))
    } else {
        String::new()
    };
    page.paragraph("", 0, &format!("range {first}–{last}: {} usable{held}", count(pane.usable.into())))?;
    let telling: Vec<&RouteRow> = pane.routes.iter().filter(|row| tells(row)).collect();
    for row in telling.iter().take(ROWS) {
        page.paragraph("", 2, &line(row, dashboard))?;
    }
    if telling.is_empty() {
        page.line(&format!("no destination uses more than {TELLING}% of them"))?;
    }
    more(page, telling.len().saturating_sub(ROWS))
}

fn tells(row: &RouteRow) -> bool {
    row.percent() > TELLING || row.outlook().runs_out()
}

fn line(row: &RouteRow, dashboard: &Dashboard) -> String {
    let now = dashboard.now.unwrap_or_default();
    let mark = row.outlook().severity(now).map_or_else(String::new, |severity| format!("{} ", severity.mark()));
    let mut facts = vec![
        format!("{mark}{} → {}", row.from, row.to),
        format!("{} of {} in use ({}%)", count(row.used().into()), count(row.capacity.into()), row.percent()),
        format!("{} live, {} TIME-WAIT", count(row.live.into()), count(row.time_wait.into())),
        row.outlook().words(dashboard.now, |at| after(at, dashboard)),
    ];
    if row.let_go > 0 {
        facts.push(format!("{} more TIME-WAIT that tcp_tw_reuse lets go", count(row.let_go.into())));
    }
    let holder = |(process, number): &(std::sync::Arc<crate::kernel::Process>, u32)| {
        format!("{}[{}] {}", process.comm, process.pid, counted((*number).into(), "port"))
    };
    facts.extend(row.holders.first().map(holder));
    facts.join(" · ")
}
