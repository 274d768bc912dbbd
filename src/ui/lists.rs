//! The lists: which one each view shows, the cursor in each, the order of each.

use crate::engine::{
    FindingSort, GroupBy, GroupKey, HandshakeSort, List, ListPane, ListenerSort, Place, PortSort, ProcessId,
    ProcessSort, QueueSort, RowKey, Sort, SortBy,
};

use super::state::View;

/// A list's place among the cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flows,
    Groups,
    Handshakes,
    Queues,
    Ports,
    Listeners,
    Processes,
    Findings,
}

impl Kind {
    /// The list that a view shows; a flow's details show none.
    pub(super) const fn of(view: View) -> Self {
        match view {
            View::Overview | View::Flows | View::Flow => Self::Flows,
            View::Handshakes => Self::Handshakes,
            View::Queues => Self::Queues,
            View::TimeWait => Self::Ports,
            View::Listeners => Self::Listeners,
            View::Processes => Self::Processes,
            View::Findings => Self::Findings,
        }
    }

    const fn of_answer(list: &ListPane) -> Self {
        match list {
            ListPane::Flows => Self::Flows,
            ListPane::Groups(_) => Self::Groups,
            ListPane::Handshakes(_) => Self::Handshakes,
            ListPane::Queues(_) => Self::Queues,
            ListPane::Ports(_) => Self::Ports,
            ListPane::Listeners(_) => Self::Listeners,
            ListPane::Processes(_) => Self::Processes,
            ListPane::Findings(..) => Self::Findings,
        }
    }

    /// Whether an answer is to a question about this list, and not to one that another view asked before.
    pub(super) fn is_answered_by(self, list: &ListPane) -> bool {
        self == Self::of_answer(list)
    }
}

/// The row under the cursor: it is followed by what it is about, not by its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Cursor {
    pub(super) selected: Option<RowKey>,
    /// Place of the first visible row and of the cursor in the list.
    pub(super) offset: usize,
    pub(super) at: usize,
    /// The cursor moved to a row that has not been loaded: select it when it comes.
    pub(super) pending: bool,
}

impl Cursor {
    /// Takes in a new answer: the cursor stays on its row, and on its line of the screen if it can.
    pub(super) fn observe(&mut self, place: &Place, page: usize) {
        if self.pending {
            self.at = self.at.min(place.matching.saturating_sub(1));
            if let Some(key) = key_at(place, self.at) {
                (self.selected, self.pending) = (Some(key), false);
            }
        } else if let Some(at) = place.followed {
            let line = self.at.saturating_sub(self.offset).min(page - 1);
            self.at = at;
            self.offset = self.at.saturating_sub(line);
        }
        self.offset = self.offset.min(place.matching.saturating_sub(page));
    }

    /// Some row is under it as long as there is any: the first to begin with; where its row is over, the next.
    pub(super) fn hold(&mut self, place: &Place) {
        let there = self.selected.is_some_and(|key| place.followed.is_some() || place.keys.contains(&key));
        if !there && place.matching > 0 {
            self.step(0, place, place.matching);
        }
    }

    /// Moves it by so many rows.
    pub(super) fn step(&mut self, by: isize, place: &Place, page: usize) {
        if place.matching == 0 {
            return;
        }
        // The first step selects the first visible row.
        let fresh = self.selected.is_none() && !self.pending && by.abs() == 1;
        let target = if fresh { self.offset } else { self.at.saturating_add_signed(by) };
        self.at = target.min(place.matching - 1);
        self.offset = self.offset.min(self.at).max((self.at + 1).saturating_sub(page));
        self.selected = key_at(place, self.at);
        self.pending = self.selected.is_none();
    }

    /// Moves what is visible, and the cursor only as far as it must to stay in sight.
    pub(super) fn scroll(&mut self, by: isize, place: &Place, page: usize) {
        let last = place.matching.saturating_sub(page);
        self.offset = self.offset.saturating_add_signed(by).min(last);
        self.at = self.at.clamp(self.offset, self.offset + page.saturating_sub(1));
        if self.selected.is_some() {
            self.step(0, place, page);
        }
    }

    pub(super) fn select(&mut self, key: RowKey, at: usize) {
        (self.selected, self.at, self.pending) = (Some(key), at, false);
    }
}

/// The key of the row at a place of the list, if it was loaded.
pub(super) fn key_at(place: &Place, at: usize) -> Option<RowKey> {
    place.keys.get(at.checked_sub(place.offset)?).copied()
}

/// Every list's cursor and order, and which processes are open.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    cursors: [Cursor; 8],
    pub(super) flows: Sort,
    /// The flow table is shown in groups.
    pub(super) group: Option<GroupBy>,
    open_groups: Vec<GroupKey>,
    handshakes: Sort<HandshakeSort>,
    queues: Sort<QueueSort>,
    ports: Sort<PortSort>,
    listeners: Sort<ListenerSort>,
    processes: Sort<ProcessSort>,
    findings: Sort<FindingSort>,
    open: Vec<ProcessId>,
}

impl Lists {
    pub(super) fn cursor(&self, kind: Kind) -> &Cursor {
        &self.cursors[kind as usize]
    }

    pub(super) fn cursor_mut(&mut self, kind: Kind) -> &mut Cursor {
        &mut self.cursors[kind as usize]
    }

    /// What the engine is asked for.
    pub(super) fn query(&self, kind: Kind) -> List {
        match kind {
            Kind::Flows => List::Flows,
            Kind::Groups => self.group.map_or(List::Flows, |by| List::Groups(by, self.open_groups.clone())),
            Kind::Handshakes => List::Handshakes(self.handshakes),
            Kind::Queues => List::Queues(self.queues),
            Kind::Ports => List::Ports(self.ports),
            Kind::Listeners => List::Listeners(self.listeners),
            Kind::Processes => List::Processes(self.processes, self.open.clone()),
            Kind::Findings => {
                let of = match self.cursor(kind).selected {
                    Some(RowKey::Finding(finding)) => Some(finding),
                    _ => None,
                };
                List::Findings(self.findings, of)
            }
        }
    }

    /// What the list is ordered by, and whether the order is turned round.
    pub(super) fn order(&self, kind: Kind) -> (&'static str, bool) {
        fn told<K: SortBy>(sort: &Sort<K>) -> (&'static str, bool) {
            (sort.by.name(), sort.reverse)
        }
        match kind {
            Kind::Flows | Kind::Groups => told(&self.flows),
            Kind::Handshakes => told(&self.handshakes),
            Kind::Queues => told(&self.queues),
            Kind::Ports => told(&self.ports),
            Kind::Listeners => told(&self.listeners),
            Kind::Processes => told(&self.processes),
            Kind::Findings => told(&self.findings),
        }
    }

    /// Orders by the next key, or turns the order round.
    pub(super) fn reorder(&mut self, kind: Kind, turn: Turn) {
        match kind {
            Kind::Flows | Kind::Groups => turn.apply(&mut self.flows),
            Kind::Handshakes => turn.apply(&mut self.handshakes),
            Kind::Queues => turn.apply(&mut self.queues),
            Kind::Ports => turn.apply(&mut self.ports),
            Kind::Listeners => turn.apply(&mut self.listeners),
            Kind::Processes => turn.apply(&mut self.processes),
            Kind::Findings => turn.apply(&mut self.findings),
        }
    }

    /// Opens a process, or closes it.
    pub(super) fn toggle_process(&mut self, process: ProcessId) {
        toggle(&mut self.open, process);
    }

    /// Opens a group, or closes it.
    pub(super) fn toggle_group(&mut self, group: GroupKey) {
        toggle(&mut self.open_groups, group);
    }

    /// Groups the flow table the next way; after the last not at all. Without any process, not by that.
    pub(super) fn next_group(&mut self, processes: bool) {
        let serves = |by: &GroupBy| processes || *by != GroupBy::Process;
        let mut ways = GroupBy::ALL.into_iter().filter(serves);
        self.group = match self.group {
            None => ways.next(),
            Some(now) => ways.skip_while(|by| *by != now).nth(1),
        };
    }
}

fn toggle<T: PartialEq>(open: &mut Vec<T>, one: T) {
    match open.iter().position(|other| *other == one) {
        Some(at) => drop(open.swap_remove(at)),
        None => open.push(one),
    }
}

/// How an order changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Next,
    Reverse,
}

impl Turn {
    fn apply<K: SortBy>(self, sort: &mut Sort<K>) {
        match self {
            Self::Reverse => sort.reverse = !sort.reverse,
            Self::Next => {
                let at = K::ALL.iter().position(|key| *key == sort.by).map_or(0, |at| at + 1);
                *sort = Sort { by: K::ALL[at % K::ALL.len()], reverse: false };
            }
        }
    }
}
