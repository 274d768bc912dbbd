//! Charts: a quantity over time as an area of braille dots (two a column, four a line) with its units on its axes; in
//! one line, blocks. Every pane draws its histories with this.
//!
//! Nothing flickers: seconds that share a place are grouped by the clock, not by where they stand, so a picture only
//! moves to the left; and the top of the axis is a round number, which changes seldom. The lowest dot (or block) is 0
//! and nothing else, so a small value is seen; what was not recorded stays empty.

use std::time::Duration;

use ratatui::text::Line;

use crate::base::Timestamp;

use super::format::span;
use super::theme::Theme;
use super::widgets::{LEVELS, level, right, styled, width};

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
        Self { values, newest, whole: values.len().max(FILLING), step: Step::Second }
    }

    /// Of readings of the socket table, which come as often as they come.
    pub(super) fn of_readings(values: &'a [u64]) -> Self {
        Self { values, newest: 0, whole: values.len().max(FILLING), step: Step::Reading }
    }

    /// The same on the scale of the longest of several that stand one under the other.
    pub(super) fn beside(self, longest: usize) -> Self {
        Self { whole: longest.max(FILLING), ..self }
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
        self.told((places * each / repeat).min(self.values.len()))
    }

    fn told(&self, values: usize) -> String {
        match self.step {
            Step::Second => span(Duration::from_secs(values as u64)),
            Step::Reading => format!("{values} readings"),
        }
    }

    /// A chart is as wide as its room: what is older than that is left out.
    fn filling(&self, places: usize) -> Scale {
        Scale { each: (self.whole / places.max(1)).max(1), repeat: (places / self.whole.max(1)).max(1) }
    }

    /// In a line there is room for few values: all of them stand there, though some of the room be empty.
    fn holding(&self, places: usize) -> Scale {
        let whole = self.whole.min(HELD);
        Scale { each: whole.div_ceil(places.max(1)).max(1), repeat: (places / whole.max(1)).max(1) }
    }
}

/// So many seconds are told in a line.
const HELD: usize = 120;

/// Values that share a place, or places that share a value.
#[derive(Debug, Clone, Copy)]
struct Scale {
    each: usize,
    repeat: usize,
}

/// A history in one line of blocks. The highest leaves a gap, so that lines one under the other do not run together.
pub(super) fn spark(history: History<'_>, room: usize) -> String {
    let placed = history.placed(room, history.holding(room));
    let most = placed.iter().flatten().copied().max().unwrap_or(0);
    placed.into_iter().map(|value| value.map_or(' ', |value| LEVELS[level(value, most, LEVELS.len() - 2)])).collect()
}

/// Values in one line of blocks.
pub(super) fn blocks(values: &[u64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0);
    values.iter().map(|value| LEVELS[level(*value, most, LEVELS.len() - 2)]).collect()
}

/// What stands above lines of blocks: how far back they show, and where now is.
pub(super) fn spark_axis(history: History<'_>, room: usize) -> String {
    let shown = history.reach(room, history.holding(room));
    let axis = time_axis(&shown, room);
    if width(&axis) <= room { axis } else { right(&shown, room) }
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
        let of = |label: usize| width(&(self.unit)(round_up(self.most(room.saturating_sub(label + 2) * 2))));
        let first = of(self.label).max(self.label);
        of(first).max(first)
    }

    /// In at most `height` lines of `room` columns.
    pub(super) fn lines(&self, room: usize, height: usize, theme: &Theme) -> Vec<Line<'static>> {
        let axis = self.dated && height >= 3;
        let reach = |label: usize| {
            let columns = room.checked_sub(label + 2).filter(|columns| *columns >= LEAST - 8 && height >= 2)?;
            let scale = self.history.filling(columns * 2);
            Some((columns, scale, self.history.reach(columns * 2, scale)))
        };
        let mut label = self.label_room(room);
        let mut reached = reach(label);
        if let Some((_, _, shown)) = reached.as_ref().filter(|_| self.dated && !axis) {
            // How far back it shows stands at its foot.
            label = label.max(width(shown));
            reached = reach(label);
        }
        let Some((columns, scale, shown)) = reached else {
            return self.one_line(room, theme).into_iter().take(height).collect();
        };
        let top = round_up(self.most(columns * 2));
        let ink = area(&self.history.placed(columns * 2, scale), top, height - usize::from(axis));
        let last = ink.len() - 1;
        let name = |at: usize| match at {
            0 => (self.unit)(top),
            _ if at == last && self.dated && !axis => shown.clone(),
            _ if at == last => "0".to_owned(),
            _ => String::new(),
        };
        let tick = |at: usize| if at == 0 || at == last { "┤" } else { "│" };
        let line = |(at, ink): (usize, String)| {
            let name = right(&name(at), label);
            Line::from(vec![styled(format!("{name} {}", tick(at)), theme.dim), styled(ink, theme.spark)])
        };
        let mut lines: Vec<Line<'static>> = ink.into_iter().enumerate().map(line).collect();
        if axis {
            lines.push(Line::from(styled(format!("{:label$}  {}", "", time_axis(&shown, columns)), theme.dim)));
        }
        lines
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

    fn most(&self, places: usize) -> u64 {
        self.history.placed(places, self.history.filling(places)).into_iter().flatten().max().unwrap_or(0)
    }
}

/// `70 s ago                now`, in `columns`.
fn time_axis(shown: &str, columns: usize) -> String {
    let ago = format!("{shown} ago");
    if columns < width(&ago) + 5 {
        return ago;
    }
    format!("{ago}{}", right("now", columns - width(&ago)))
}

/// Values as an area of dots under `top`, top line first.
fn area(values: &[Option<u64>], top: u64, height: usize) -> Vec<String> {
    let most = height * 4;
    let dots = |value: Option<u64>| match value {
        None => 0,
        Some(0) => 1,
        Some(value) => level(value, top, most).max(2.min(most)),
    };
    let pairs: Vec<(usize, usize)> = values.chunks(2).map(|pair| (dots(pair[0]), dots(pair[pair.len() - 1]))).collect();
    let row = |above: usize| {
        let cell = |(left, right): &(usize, usize)| braille(left.saturating_sub(above), right.saturating_sub(above));
        pairs.iter().map(cell).collect()
    };
    (0..height).rev().map(|line| row(line * 4)).collect()
}

/// The braille pattern of two columns of dots, each so high from below.
fn braille(left: usize, right: usize) -> char {
    const LEFT: [u32; 5] = [0, 0x40, 0x44, 0x46, 0x47];
    const RIGHT: [u32; 5] = [0, 0x80, 0xa0, 0xb0, 0xb8];
    match LEFT[left.min(4)] | RIGHT[right.min(4)] {
        0 => ' ',
        dots => char::from_u32(0x2800 + dots).unwrap_or(' '),
    }
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
pub(super) fn bars(values: &[u64], height: usize, label: usize, theme: &Theme) -> Vec<Line<'static>> {
    let most = values.iter().copied().max().unwrap_or(0);
    let top = round_up(most);
    let eighths = height * LEVELS.len();
    let tall = |value: u64| if value == 0 { 1 } else { level(value, top, eighths).max(2) };
    let block = |tall: usize, row: usize| match tall.saturating_sub(row * LEVELS.len()).min(LEVELS.len()) {
        0 => ' ',
        n => LEVELS[n - 1],
    };
    let line = |row: usize| {
        let name = match row {
            _ if row + 1 == height => super::format::short_count(top),
            0 => "0".to_owned(),
            _ => String::new(),
        };
        let tick = if name.is_empty() { "│" } else { "┤" };
        let ink: String = values.iter().map(|value| block(tall(*value), row)).collect();
        Line::from(vec![styled(format!("{} {tick}", right(&name, label)), theme.dim), styled(ink, theme.spark)])
    };
    (0..height).rev().map(line).collect()
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
        assert_eq!(area(&[None, Some(0), Some(1), Some(1_000)], 1_000, 1), ["⢀⣼"]);
        assert_eq!(area(&[Some(0), Some(1), Some(1_000), Some(500)], 1_000, 2), [" ⡇", "⣠⣿"]);
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
        assert!(lines[4].starts_with("          80 s ago") && lines[4].ends_with("now"), "{lines:#?}");
        assert!(lines.iter().all(|line| width(line) == 50), "{lines:#?}");
        let two = text(&chart.lines(50, 2, &theme));
        assert!(two[1].starts_with("    80 s ┤"), "{two:#?}");
        let one = text(&chart.lines(50, 1, &theme));
        assert!(one.len() == 1 && one[0].ends_with("  max 69 bit/s in 70 s"), "{one:#?}");
        assert_eq!((chart.lines(5, 1, &theme).len(), chart.lines(50, 0, &theme).len()), (0, 0));
    }

    #[test]
    fn the_top_of_an_axis_is_round() {
        let tops = [0, 1, 7, 10, 11, 418, 477, 800, 801, 604_400, u64::MAX].map(round_up);
        assert_eq!(tops, [1, 1, 7, 10, 12, 500, 500, 800, 1_000, 800_000, u64::MAX]);
    }

    #[test]
    fn bars_stack_blocks() {
        let theme = Theme::new(ThemeName::Dark, jiff::tz::TimeZone::UTC);
        assert_eq!(text(&bars(&[0, 8, 10], 2, 3, &theme)), [" 10 ┤ ▅█", "  0 ┤▁██"]);
        assert_eq!(bars(&[1], 0, 3, &theme).len(), 0);
    }
}
