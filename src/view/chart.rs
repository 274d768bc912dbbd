//! Charts: a quantity over time as an area of dots with its units on its axes; in one line, blocks. Every pane draws
//! its histories with this.
//!
//! Nothing flickers: seconds that share a place are grouped by the clock, not by where they stand, so a picture only
//! moves to the left; and the top of the axis is a round number, which changes seldom. One peak far above all else does
//! not flatten it: it goes beyond the top, and its height stands beside it.

use std::time::Duration;

use ratatui::text::Line;

use crate::base::Timestamp;

use super::format::age;
use super::ink::{area, bars, blocks};
use super::theme::Theme;
use super::widgets::{left, right, styled, width};

/// A quantity a second, or a reading, the newest last.
#[derive(Debug, Clone, Copy)]
pub(super) struct History<'a> {
    values: &'a [u64],
    /// The second (or the number) of the newest.
    newest: i64,
    /// For how many values there is to be room at least: a picture that fills does not change its scale.
    whole: usize,
    /// What a value is of.
    step: Step,
    /// Seconds since the first input, if they are known: the first value's second and the last's may be begun only.
    lasted: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Second,
    Reading,
}

/// Histories that have just begun fill a chart of so many seconds from the right.
const FILLING: usize = 60;

impl<'a> History<'a> {
    pub(super) fn new(values: &'a [u64], now: Option<Timestamp>) -> Self {
        let newest = now.map_or(0, |now| now.bin(Duration::from_secs(1)));
        Self { values, newest, whole: values.len().max(FILLING), step: Step::Second, lasted: None }
    }

    /// Of readings of the socket table, which come as often as they come.
    pub(super) fn of_readings(values: &'a [u64]) -> Self {
        Self { values, newest: 0, whole: values.len().max(FILLING), step: Step::Reading, lasted: None }
    }

    /// The same on the scale of the longest of several that stand one under the other.
    pub(super) fn beside(self, longest: usize) -> Self {
        Self { whole: longest.max(FILLING), ..self }
    }

    /// The same where recording began so long ago: no more time than that is claimed.
    pub(super) fn lasting(self, time: Option<Duration>) -> Self {
        Self { lasted: time.map(|time| usize::try_from(time.as_secs()).unwrap_or(usize::MAX).max(1)), ..self }
    }

    /// Its values in `places` places, the newest at the right: of seconds that share one, the highest.
    fn placed(&self, places: usize, scale: Scale) -> Vec<Option<u64>> {
        let Scale { each, repeat } = scale;
        let newest = self.newest.div_euclid(each as i64);
        let mut groups: Vec<Option<u64>> = vec![None; places.div_ceil(repeat)];
        for (age, value) in self.values.iter().rev().enumerate() {
            let group = (self.newest - age as i64).div_euclid(each as i64);
            let Some(place) = usize::try_from(newest - group).ok().filter(|place| *place < groups.len()) else { break };
            groups[place] = groups[place].max(Some(*value));
        }
        let placed = groups.into_iter().flat_map(|value| std::iter::repeat_n(value, repeat)).take(places);
        let mut placed: Vec<Option<u64>> = placed.collect();
        placed.reverse();
        placed
    }

    /// How far back `places` places show, recorded or not.
    fn reach(&self, places: usize, Scale { each, repeat }: Scale) -> String {
        self.told(places * each / repeat)
    }

    /// The same as far as it was recorded.
    fn recorded(&self, places: usize, Scale { each, repeat }: Scale) -> String {
        self.told((places * each / repeat).min(self.values.len()).min(self.lasted.unwrap_or(usize::MAX)))
    }

    fn told(&self, values: usize) -> String {
        match self.step {
            Step::Second => age(Duration::from_secs(values as u64)),
            Step::Reading => format!("{values} readings"),
        }
    }

    /// The latest round number of values that `places` places hold.
    fn round(&self, places: usize, Scale { each, repeat }: Scale) -> usize {
        let held = places * each / repeat;
        ROUND.into_iter().rfind(|values| *values <= held).unwrap_or(held)
    }

    /// Below so many columns of so many places: a round time where it stands, and now.
    fn axis(&self, columns: usize, places_each: usize, scale: Scale) -> String {
        let values = self.round(columns * places_each, scale);
        let before = columns.saturating_sub((values * scale.repeat).div_ceil(scale.each * places_each));
        let tick = format!("{:before$}╵{}", "", self.told(values));
        let whole = format!("{tick} ago");
        match columns.checked_sub(3) {
            Some(room) if width(&whole) + 2 <= room => left(&whole, room) + "now",
            _ if width(&tick) <= columns => tick,
            _ => right(&self.reach(columns * places_each, scale), columns),
        }
    }

    /// A chart is as wide as its room: what is older than that is left out.
    fn filling(&self, places: usize) -> Scale {
        Scale { each: (self.whole / places.max(1)).max(1), repeat: (places / self.whole.max(1)).max(1) }
    }

    /// In a line there is room for few values: all of them stand there, though some of the room be empty.
    fn holding(&self, places: usize) -> Scale {
        let whole = self.whole.min(if places < SHORT { FILLING } else { HELD });
        Scale { each: whole.div_ceil(places.max(1)).max(1), repeat: (places / whole.max(1)).max(1) }
    }
}

/// So many seconds are told in a line; in a shorter one the last [`FILLING`].
const HELD: usize = 120;
/// So few columns are short.
const SHORT: usize = 15;

/// Numbers of seconds that are told as one thinks of them.
const ROUND: [usize; 16] = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 900, 1_200, 1_800];

/// Values that share a place, or places that share a value.
#[derive(Debug, Clone, Copy)]
struct Scale {
    each: usize,
    repeat: usize,
}

/// A history in one line of blocks.
pub(super) fn spark(history: History<'_>, room: usize) -> String {
    blocks(&history.placed(room, history.holding(room)))
}

/// What stands above lines of blocks: how far back they show, and where now is.
pub(super) fn spark_axis(history: History<'_>, room: usize) -> String {
    let scale = history.holding(room);
    history.axis(room, 1, scale)
}

/// A chart in lines: its highest value and 0 at the left, its span below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chart<'a> {
    pub(super) history: History<'a>,
    pub(super) unit: fn(u64) -> String,
    /// Columns of the labels at its left, at least: charts one under the other line up.
    pub(super) label: usize,
    /// Whether it says itself how far back it shows; of charts one under the other the last does.
    pub(super) dated: bool,
}

/// Narrower, a chart has no room for labels.
const LEAST: usize = 20;

impl Chart<'_> {
    /// Columns of its own labels where it has `room`.
    pub(super) fn label_room(&self, room: usize) -> usize {
        let of = |label: usize| width(&(self.unit)(self.top(room.saturating_sub(label + 2) * 2)));
        let first = of(self.label).max(self.label);
        of(first).max(first)
    }

    /// In at most `height` lines of `room` columns.
    pub(super) fn lines(&self, room: usize, height: usize, theme: &Theme) -> Vec<Line<'static>> {
        let axis = self.dated && height >= 3;
        let fits = |label: usize| room.checked_sub(label + 2).filter(|columns| *columns >= LEAST - 8 && height >= 2);
        let label = self.label_room(room);
        let Some(whole) = fits(label) else {
            return self.one_line(room, theme).into_iter().take(height).collect();
        };
        // Where no line is left to say below how far back it shows, that stands beside its foot.
        let back = |columns: usize| {
            let back = self.history.recorded(columns * 2, self.history.filling(columns * 2));
            if self.dated && !axis { format!("  in {back}") } else { String::new() }
        };
        let aside = width(&back(whole));
        let columns = whole.saturating_sub(aside).max(1);
        let aside = left(&back(columns), aside);
        let scale = self.history.filling(columns * 2);
        let placed = self.history.placed(columns * 2, scale);
        let top = top(&placed);
        let mut ink = area(&placed, top, height - usize::from(axis));
        if let Some(first) = ink.first_mut() {
            self.name_peak(&placed, top, first);
        }
        let mut lines = with_scale(ink, &(self.unit)(top), label, theme);
        let above = styled(" ".repeat(width(&aside)), theme.dim);
        lines.iter_mut().rev().skip(1).for_each(|line| line.spans.push(above.clone()));
        lines.last_mut().into_iter().for_each(|foot| foot.spans.push(styled(aside.clone(), theme.dim)));
        if axis {
            let below = self.history.axis(columns, 2, scale);
            lines.push(Line::from(styled(format!("{:label$}  {below}", ""), theme.dim)));
        }
        lines
    }

    /// Writes the highest value beside it, where it goes beyond the top.
    fn name_peak(&self, placed: &[Option<u64>], top: u64, line: &mut String) {
        let Some(most) = placed.iter().flatten().copied().max().filter(|most| *most > top) else { return };
        let column = placed.iter().rposition(|value| *value == Some(most)).unwrap_or(0) / 2;
        let text = format!("▲{}", (self.unit)(most));
        let mut cells: Vec<char> = line.chars().collect();
        let free =
            |from: &usize| cells.get(*from..*from + width(&text)).is_some_and(|all| all.iter().all(|c| *c == ' '));
        let beside = [Some(column + 1), column.checked_sub(width(&text))];
        // Where nothing is free, what stands there is lower than what is told.
        let whole = |from: &usize| from + width(&text) <= cells.len();
        let place = beside.into_iter().flatten().find(free).or_else(|| beside.into_iter().flatten().find(whole));
        if let Some(from) = place {
            cells.iter_mut().skip(from).zip(text.chars()).for_each(|(cell, c)| *cell = c);
            *line = cells.into_iter().collect();
        }
    }

    /// Where there is room for one line: blocks, and what they are.
    fn one_line(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let scale = self.history.holding(room / 2);
        let most = self.history.placed(room / 2, scale).into_iter().flatten().max().unwrap_or(0);
        let (most, back) = ((self.unit)(most), self.history.recorded(room / 2, scale));
        let labels = [format!("  max {most} in {back}"), format!("  max {most}"), String::new()];
        let fits = |label: &String| room >= width(label) + LEAST - 8;
        let Some(label) = labels.into_iter().find(fits) else { return Vec::new() };
        let columns = room - width(&label);
        vec![Line::from(vec![styled(spark(self.history, columns), theme.spark), styled(label, theme.dim)])]
    }

    fn top(&self, places: usize) -> u64 {
        top(&self.history.placed(places, self.history.filling(places)))
    }
}

/// So many times what nearly all values stay below, a peak would flatten them.
const FLAT: u64 = 5;
/// One of so many values may be a peak; of fewer none is.
const MANY: usize = 50;

/// The top of an axis: round, above the highest value; where one of [`MANY`] stands far above all others, above
/// those.
fn top(values: &[Option<u64>]) -> u64 {
    let mut known: Vec<u64> = values.iter().flatten().copied().collect();
    known.sort_unstable();
    let most = known.last().copied().unwrap_or(0);
    let usual = known.len().checked_sub(1 + known.len() / MANY).map_or(0, |at| known[at]);
    let flattens = usual > 0 && most / FLAT >= usual;
    round_up(if flattens { usual.saturating_mul(2) } else { most })
}

/// The next round number: what stands at the top of an axis.
pub(super) fn round_up(most: u64) -> u64 {
    const STEPS: [u64; 10] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80];
    if most <= 10 {
        return most.max(1);
    }
    let mut tens: u64 = 1;
    loop {
        if let Some(step) = STEPS.iter().filter_map(|step| step.checked_mul(tens)).find(|step| *step >= most) {
            return step;
        }
        match tens.checked_mul(10) {
            Some(more) => tens = more,
            None => return most,
        }
    }
}

/// Counts as bars of blocks, top line first, with their highest at the left of the first line and 0 at the last's.
pub(super) fn count_bars(values: &[Option<u64>], height: usize, label: usize, theme: &Theme) -> Vec<Line<'static>> {
    let top = round_up(values.iter().flatten().copied().max().unwrap_or(0));
    with_scale(bars(values, top, height, false), &super::format::short_count(top), label, theme)
}

/// Lines of ink, top line first, behind their scale: its top at the first line, 0 at the last.
fn with_scale(ink: Vec<String>, top: &str, label: usize, theme: &Theme) -> Vec<Line<'static>> {
    let height = ink.len();
    let line = |(at, ink): (usize, String)| {
        let (name, tick) = match at {
            0 => (top, "┤"),
            _ if at + 1 == height => ("0", "┤"),
            _ => ("", "│"),
        };
        Line::from(vec![styled(format!("{} {tick}", right(name, label)), theme.dim), styled(ink, theme.spark)])
    };
    ink.into_iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::ThemeName;

    fn at(second: i64) -> Option<Timestamp> {
        Some(Timestamp::from_secs_nanos(second, 0))
    }

    fn text(lines: &[Line<'_>]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn zero_and_nearly_zero_and_nothing_differ() {
        let spark = |values: &[u64], room| spark(History { whole: 9, ..History::new(values, at(99)) }, room);
        assert_eq!(spark(&[0, 1, 500, 1_000], 9), "     ▁▂▄▇");
        assert_eq!(spark(&[0, 0], 9), "       ▁▁");
        assert_eq!(spark(&[u64::MAX, 0], 9), "       ▇▁");
        assert_eq!((spark(&[], 3).as_str(), spark(&[1], 0).as_str()), ("   ", ""));
    }

    #[test]
    fn seconds_stay_together_while_they_move() {
        // 120 s in 60 places: a second keeps its neighbour, whichever second it is now.
        let values: Vec<u64> = (0..200).map(|n| (n * 7_919) % 101).collect();
        let shown = |now: usize| {
            let history = History::new(&values[now - 119..=now], at(now as i64));
            history.placed(60, history.filling(60))
        };
        let (even, odd, next) = (shown(150), shown(151), shown(152));
        assert_eq!(even[1..59], odd[1..59], "the newest place fills");
        assert_eq!(odd[2..59], next[1..58], "then all move by one");
    }

    #[test]
    fn a_history_fills_its_room_and_keeps_its_scale() {
        let history = |len: usize, places: usize| {
            let values = vec![5; len];
            let history = History::new(&values, at(1_000));
            let placed = history.placed(places, history.filling(places));
            placed.iter().filter(|value| value.is_some()).count()
        };
        assert_eq!(history(240, 86), 86, "a chart is as wide as its room");
        assert_eq!(history(240, 240), 240);
        assert_eq!(history(3, 120), 6, "one that has just begun comes in from the right");
        assert_eq!(history(60, 130), 120);
    }

    #[test]
    fn a_chart_names_its_units_and_its_span() {
        let theme = Theme::new(ThemeName::Dark, jiff::tz::TimeZone::UTC);
        let values: Vec<u64> = (0..70).collect();
        let chart =
            Chart { history: History::new(&values, at(70)), unit: super::super::format::bits, label: 0, dated: true };
        let lines = text(&chart.lines(50, 5, &theme));
        assert!(lines[0].starts_with("80 bit/s ┤") && lines[3].starts_with("       0 ┤"), "{lines:#?}");
        // 40 columns of two seconds each.
        assert!(lines[4].starts_with(&format!("{:20}╵60 s ago", "")) && lines[4].ends_with("now"), "{lines:#?}");
        assert!(lines.iter().all(|line| width(line) == 50), "{lines:#?}");
        let two = text(&chart.lines(50, 2, &theme));
        assert!(two[1].starts_with("       0 ┤") && two[1].ends_with("  in 62 s") && width(&two[0]) == 50, "{two:#?}");
        let one = text(&chart.lines(50, 1, &theme));
        assert!(one.len() == 1 && one[0].ends_with("  max 69 bit/s in 70 s"), "{one:#?}");
        let begun = Chart { history: chart.history.lasting(Some(Duration::from_millis(68_900))), ..chart };
        let one = text(&begun.lines(50, 1, &theme));
        assert!(one[0].ends_with(" in 68 s"), "70 seconds were begun, of which 68.9 s are told: {one:#?}");
        assert_eq!((chart.lines(5, 1, &theme).len(), chart.lines(50, 0, &theme).len()), (0, 0));
    }

    #[test]
    fn one_peak_flattens_nothing_and_is_named() {
        let theme = Theme::new(ThemeName::Dark, jiff::tz::TimeZone::UTC);
        let lines = |peak: u64, at_second: usize| {
            let mut values: Vec<u64> = (0..60).map(|n| 90 + n % 7).collect();
            values[at_second] = peak;
            let history = History::new(&values, at(60));
            text(&Chart { history, unit: |n| n.to_string(), label: 0, dated: false }.lines(40, 4, &theme))
        };
        let flat = lines(3_000, 20);
        assert!(flat[0].starts_with("200 ┤") && flat[0].contains("⡇▲3000") || flat[0].contains("⢸▲3000"), "{flat:#?}");
        let late = lines(3_000, 59);
        assert!(late[0].contains("▲3000"), "at its left where there is no room at its right: {late:#?}");
        let near = lines(400, 20);
        assert!(near[0].starts_with("400 ┤") && !near[0].contains('▲'), "a peak that can be drawn is: {near:#?}");
    }

    #[test]
    fn the_top_of_an_axis_is_round() {
        let tops = [0, 1, 7, 10, 11, 418, 477, 800, 801, 604_400, u64::MAX].map(round_up);
        assert_eq!(tops, [1, 1, 7, 10, 12, 500, 500, 800, 1_000, 800_000, u64::MAX]);
    }

    #[test]
    fn bars_stack_blocks() {
        let theme = Theme::new(ThemeName::Dark, jiff::tz::TimeZone::UTC);
        assert_eq!(text(&count_bars(&[0, 8, 10].map(Some), 2, 3, &theme)), [" 10 ┤ ▅█", "  0 ┤▁██"]);
        assert_eq!(count_bars(&[Some(1)], 0, 3, &theme).len(), 0);
    }
}
