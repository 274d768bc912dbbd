//! The tightest port headroom: how many local ports towards one destination are taken, as a gauge, and how long the
//! rest lasts.

use ratatui::text::Line;

use crate::base::Timestamp;
use crate::engine::{Forecast, PortsPane, RouteRow};

use super::format::{age, clock, endpoint, percent};
use super::theme::{Severity, Theme};
use super::widgets::{bar, left, right, styled, width};

/// A share of the range, percent, from which ports may run out before anyone looks again, and one from which they do.
const WARNING: u64 = 80;
const CRITICAL: u64 = 95;

/// Columns of what stands before it.
const LABEL: usize = 8;
/// Columns of a gauge at least and at most.
const GAUGE: (usize, usize) = (4, 20);

/// How bad it is that so many ports of a range are taken.
pub(super) fn severity(taken: u64, range: u64) -> Option<Severity> {
    match taken.saturating_mul(100).checked_div(range)? {
        CRITICAL.. => Some(Severity::Critical),
        WARNING.. => Some(Severity::Warning),
        _ => None,
    }
}

/// The gauge, and in a line of its own towards whom; none where no port is taken.
pub(super) fn lines(pane: &PortsPane, now: Timestamp, room: usize, theme: &Theme) -> Option<[Line<'static>; 2]> {
    let tightest = pane.routes.first().filter(|route| route.used() > 0 && pane.range.is_some())?;
    let foretold = tightest.outlook().severity(now).and_then(Severity::of);
    let marked = foretold.max(severity(tightest.used().into(), tightest.capacity.into()));
    let style = marked.map_or(theme.text, |severity| severity.style(theme));
    let share = match tightest.percent() {
        0 => percent(tightest.used().into(), tightest.capacity.into()).unwrap_or_default(),
        whole => format!("{whole}%"),
    };
    let share = right(&share, 5.max(width(&share) + 1));
    let beside = |outlook: &String| room.saturating_sub(LABEL + width(&share) + 2 + width(outlook));
    let outlooks = outlooks(tightest, now, theme);
    let brief = &outlooks[1];
    let outlook = outlooks.iter().find(|outlook| beside(outlook) >= GAUGE.0).unwrap_or(brief);
    let gauge = beside(outlook).min(GAUGE.1);
    let mut spans = vec![styled(left("ports", LABEL), theme.dim)];
    if gauge >= GAUGE.0 {
        let filled = marked.map_or(theme.bar, |_| style);
        spans.push(styled(bar(tightest.used().into(), tightest.capacity.into(), gauge), filled));
    }
    spans.push(styled(format!("{share}  {outlook}"), style));
    let towards = endpoint(tightest.to, room.saturating_sub(LABEL + 2));
    let destination = vec![styled(left("", LABEL), theme.dim), styled("→ ", theme.dim), styled(towards, theme.text)];
    Some([Line::from(spans), Line::from(destination)])
}

/// What the forecast comes to, in a few words and in fewer: what fails then stands in the finding.
fn outlooks(row: &RouteRow, now: Timestamp, theme: &Theme) -> [String; 2] {
    let clock = |at| clock(at, &theme.zone);
    let whole = row.outlook().short(clock).unwrap_or_else(|| row.outlook().words(Some(now), clock));
    let brief = match row.forecast {
        Forecast::Exhausted { .. } => "none left".to_owned(),
        Forecast::RunsOut { at, .. } => format!("{} left", age(at.since(now))),
        // What a narrow pane has room for.
        Forecast::LevelsOff(_) => whole.replace("levels off at", "levels at"),
    };
    [whole, brief]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::tz::TimeZone;

    use crate::base::{Endpoint, Timestamp};
    use crate::ui::ThemeName;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs_nanos(1_763_733_700, 0);

    /// What is drawn of a destination whose ports, of 1,000, are taken so.
    fn drawn(used: u32, forecast: Forecast, room: usize) -> [String; 2] {
        gauge(used, forecast, room).expect("ports are taken")
    }

    fn gauge(used: u32, forecast: Forecast, room: usize) -> Option<[String; 2]> {
        let row = RouteRow {
            from: [192, 0, 2, 10].into(),
            to: Endpoint::new([198, 51, 100, 5], 5432),
            capacity: 1_000,
            live: used,
            time_wait: 0,
            let_go: 0,
            closes_per_s: 0.0,
            forecast,
            history: Vec::new(),
            holders: Vec::new(),
            processes: 0,
        };
        let pane = PortsPane { range: Some((40_000, 40_999)), usable: 1_000, held: 0, routes: vec![row] };
        let theme = Theme::new(ThemeName::Dark, TimeZone::UTC);
        lines(&pane, NOW, room, &theme).map(|lines| lines.map(|line| line.to_string()))
    }

    #[test]
    fn a_gauge_tells_how_many_and_how_long() {
        let soon = Forecast::RunsOut { left: Duration::from_secs(44), at: NOW + Duration::from_secs(42) };
        let half = drawn(500, soon, 44);
        assert_eq!(half, ["ports   ━━━━━━━───────  50%  out at 14:02:22", "        → 198.51.100.5:5432"]);
        assert_eq!(drawn(500, soon, 28)[0], "ports   ━━──  50%  42 s left", "the reading was 2 s ago");
        let gone = Forecast::Exhausted { since: NOW - Duration::from_secs(100) };
        let all = drawn(1_000, gone, 44);
        assert_eq!(all[0], "ports   ━━━━━━━━━━━ 100%  out since 14:00:00");
        assert_eq!(drawn(1_000, gone, 28)[0], "ports   ━━━━ 100%  none left");
        let steady = drawn(10, Forecast::LevelsOff(10), 30);
        assert_eq!(steady[0], "ports   ╸────────   1%  steady");
        assert_eq!(drawn(4, Forecast::LevelsOff(4), 30)[0], "ports   ╸──────── 0.4%  steady");
    }

    #[test]
    fn nothing_is_drawn_where_no_port_is_taken() {
        assert!(gauge(0, Forecast::LevelsOff(0), 44).is_none());
        assert!(gauge(1, Forecast::LevelsOff(1), 44).is_some());
    }

    #[test]
    fn where_no_gauge_fits_numbers_stand_alone() {
        assert_eq!(drawn(999, Forecast::LevelsOff(999), 20)[0], "ports     99%  steady");
    }

    #[test]
    fn a_share_is_marked_from_where_ports_may_run_out() {
        for (taken, mark) in [(0, None), (799, None), (800, Some("!")), (949, Some("!")), (950, Some("‼"))] {
            assert_eq!(severity(taken, 1_000).map(Severity::mark), mark, "{taken}");
        }
        assert!(severity(0, 0).is_none(), "a range that is not known");
    }
}
