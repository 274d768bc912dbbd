//! The text of the help screen: every key from the table of keys, what a filter can be, what marks and columns mean,
//! set in columns.

use super::keys::{BINDINGS, Group};
use super::layout::wrap;

/// A line of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    Blank,
    Heading(&'static str),
    /// A key or a mark, and what it means; the label is empty where a meaning goes on.
    Entry {
        label: String,
        text: String,
    },
}

/// What the marks and the columns mean.
const LEGEND: [(&str, &str); 16] = [
    ("‼  !", "critical, warning"),
    ("▼  ▲", "in this order, reversed"),
    ("✓  ✗", "seen, not seen"),
    ("·", "not recorded: never a 0"),
    ("~ESTAB", "inferred from the wire"),
    ("retrans ~", "by the wire, else kernel"),
    ("!CLOSE-WAIT", "10 or more that stay"),
    ("ESTAB ≠", "kernel and wire disagree"),
    ("Recv-Q", "received and not read"),
    ("Send-Q", "written, not acknowledged"),
    ("10.….5:80", "address, middle left out"),
    ("RTT h", "handshake's, d data's"),
    ("(last)", "held it until closed"),
    ("orphan", "closed, kernel ends it"),
    ("▸ held", "Esc lets go of the row"),
    ("◆ ! × r", "mark finding failed again"),
];

/// What keys of other groups mean in the view of one flow.
const FLOW: [(&str, &str); 3] =
    [("l h", "summary, ladder, graph"), ("Enter", "unfold a run, or fold it"), ("r", "the other direction")];

/// What can be typed after `/`; the README has the whole table.
const FILTERS: [(&str, &str); 10] = [
    ("nginx", "a word stands anywhere"),
    ("state:fin", "FIN-WAIT-1 and -2"),
    ("port:80,443", "or a range: 8000-8999"),
    ("peer:10.0.", "or 10.0.0.0/8, lo, :80"),
    ("proc:ngi", "a part; proc=nginx whole"),
    ("rtt>100ms", "recvq retrans bytes age …"),
    ("outcome:ref", "the handshake was refused"),
    ("is:closed", "partial failed mismatch …"),
    ("a or not b", "brackets; a b: both"),
    ("Tab", "offers names and values"),
];

/// Columns of a label.
pub const HELP_LABEL: usize = 11;
/// Empty columns between two columns of help.
pub const HELP_GAP: usize = 2;
const NARROWEST: usize = 37;

/// The help in as many columns as `room` has, and the width of each. A block stands in the shortest column
/// that holds it within `height`.
pub fn help_columns(replay: bool, room: usize, height: usize) -> (Vec<Vec<HelpLine>>, usize) {
    let columns = (room / NARROWEST).clamp(1, 4);
    let each = room.saturating_sub((columns - 1) * HELP_GAP) / columns;
    let mut stacks: Vec<Vec<HelpLine>> = vec![Vec::new(); columns];
    for block in blocks(replay, each) {
        let needed = |stack: &Vec<HelpLine>| stack.len() + usize::from(!stack.is_empty()) + block.len();
        // The shortest column that holds it, else the shortest.
        let place = |at: &usize| (needed(&stacks[*at]) > height, stacks[*at].len());
        let place = (0..columns).min_by_key(place).unwrap_or(0);
        let stack = &mut stacks[place];
        if !stack.is_empty() {
            stack.push(HelpLine::Blank);
        }
        stack.extend(block);
    }
    (stacks, each)
}

fn blocks(replay: bool, room: usize) -> Vec<Vec<HelpLine>> {
    let rows = |group: Group| {
        let rows = BINDINGS.iter().filter(move |row| row.group == group && row.when.holds(replay));
        rows.map(|row| (row.label(), row.help))
    };
    let keys = Group::ALL.into_iter().filter(|group| *group != Group::Flow);
    let keys = keys.map(|group| block(group.name(), rows(group), room));
    let also = FLOW.iter().map(|(label, text)| ((*label).to_owned(), *text));
    let flow = block(Group::Flow.name(), also.chain(rows(Group::Flow)), room);
    let filters = block("Filter", FILTERS.iter().map(|(label, text)| ((*label).to_owned(), *text)), room);
    let legend = block("Marks and columns", LEGEND.iter().map(|(mark, text)| ((*mark).to_owned(), *text)), room);
    keys.chain([filters, legend, flow]).collect()
}

fn block(name: &'static str, rows: impl Iterator<Item = (String, &'static str)>, room: usize) -> Vec<HelpLine> {
    let entries = rows.flat_map(|(label, text)| {
        let parts = wrap(text, room.saturating_sub(HELP_LABEL + 1)).into_iter().enumerate();
        parts
            .map(move |(at, text)| HelpLine::Entry { label: if at == 0 { label.clone() } else { String::new() }, text })
    });
    [HelpLine::Heading(name)].into_iter().chain(entries).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_source_is_told_at_every_width() {
        for (replay, room) in [(false, 36), (true, 76), (false, 116), (true, 246)] {
            let (columns, each) = help_columns(replay, room, 18);
            assert!(columns.len() * each + (columns.len() - 1) * HELP_GAP <= room);
            for row in BINDINGS.iter().filter(|row| row.when.holds(replay)) {
                let told = columns.iter().flatten().any(|line| match line {
                    HelpLine::Entry { label, .. } => *label == row.label(),
                    _ => false,
                });
                assert!(told, "{} at {room}", row.label());
                assert!(row.label().chars().count() <= HELP_LABEL, "{}", row.label());
            }
        }
    }
}
