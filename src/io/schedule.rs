//! Which reading of the socket table is due when: a table of jobs with explicit deadlines, and no clock in it.
//!
//! Touches nothing: whoever runs it says what time it is, as a time since it began. A job takes at most 5% of its
//! period: one that costs more, twice in a row, comes less often. What has to walk the kernel's whole table does so once for all states
//! that are due.

use std::time::Duration;

use crate::base::{Endpoint, StateSet, TcpState};
use crate::kernel::Covers;

/// How often connections, listeners and the flow that is looked at are read.
const CONNECTIONS: Duration = Duration::from_secs(1);
const LISTENERS: Duration = Duration::from_millis(100);
const SELECTED: Duration = Duration::from_millis(100);
/// How often TIME-WAIT is read along with the connections, where that is dear and nobody looks at it.
const TIME_WAIT: Duration = Duration::from_secs(5);
/// A reading of everything that takes no longer than this is cheap: a hundredth of the connections' period.
const CHEAP: Duration = Duration::from_millis(10);
/// A reading takes at most one part in so many of its period.
const SHARE: u32 = 20;

const LISTEN: StateSet = StateSet::of(&[TcpState::Listen]);
const WAITS: StateSet = StateSet::of(&[TcpState::TimeWait]);
/// What connections are, and sockets that are bound and nothing more.
const LIVE: StateSet = StateSet::ALL.without(LISTEN.with(WAITS));

/// What the screen looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attention {
    /// TIME-WAIT is on it.
    pub time_wait: bool,
    /// The sockets (own end, peer) of the flow that is shown in full.
    pub selected: Vec<(Endpoint, Endpoint)>,
}

/// When the readings are due.
#[derive(Debug, Clone)]
pub struct Schedule {
    attention: Attention,
    connections: Job,
    time_wait: Job,
    listeners: Job,
    selected: Job,
    /// Whether parts of the table can be read; where not (/proc), a reading is of everything.
    parts: bool,
}

/// One rate.
#[derive(Debug, Clone, Copy)]
struct Job {
    period: Duration,
    due: Duration,
    /// What the last reading cost.
    cost: Duration,
}

impl Job {
    const fn every(period: Duration) -> Self {
        Self { period, due: Duration::ZERO, cost: Duration::ZERO }
    }

    /// What was dear once stretches nothing: the first look at all processes costs a hundred later ones, and a busy
    /// machine lets anyone wait.
    fn done(&mut self, began: Duration, took: Duration) {
        let cost = took.min(std::mem::replace(&mut self.cost, took));
        self.due = began + self.period.max(cost * SHARE);
    }
}

impl Schedule {
    /// Everything is due at once.
    pub fn new(attention: Attention) -> Self {
        let mut schedule = Self {
            attention: Attention::default(),
            connections: Job::every(CONNECTIONS),
            time_wait: Job::every(CONNECTIONS),
            listeners: Job::every(LISTENERS),
            selected: Job::every(SELECTED),
            parts: true,
        };
        schedule.attend(attention, Duration::ZERO);
        schedule
    }

    /// Takes in what the screen looks at from `now` on.
    pub fn attend(&mut self, attention: Attention, now: Duration) {
        if attention.time_wait && !self.attention.time_wait {
            // Not before the connections' own reading has been paid for.
            self.time_wait.period = CONNECTIONS;
            self.time_wait.due = self.time_wait.due.min(self.connections.due);
        }
        if attention.selected != self.attention.selected {
            self.selected.due = now;
        }
        self.attention = attention;
    }

    /// When the next reading is due.
    pub fn next(&self) -> Duration {
        let mut next = self.connections.due;
        if self.parts {
            next = next.min(self.listeners.due);
            if !self.attention.selected.is_empty() {
                next = next.min(self.selected.due);
            }
        }
        next
    }

    /// What is due at `now`, in the order in which it is to be read: a listener before those who came in on it.
    pub fn due(&self, now: Duration) -> Vec<Covers> {
        let table = self.connections.due <= now;
        if !self.parts {
            return if table { vec![Covers::ALL] } else { Vec::new() };
        }
        let mut due = Vec::new();
        if self.listeners.due <= now {
            due.push(Covers::States(LISTEN));
        }
        if table {
            // A little early, so that it comes with one of the connections' readings.
            let waits = self.time_wait.due <= now + CONNECTIONS / 2;
            due.push(Covers::States(if waits { LIVE.with(WAITS) } else { LIVE }));
        }
        if !self.attention.selected.is_empty() && self.selected.due <= now {
            due.push(Covers::Sockets(self.attention.selected.clone()));
        }
        due
    }

    /// Notes that a reading was made: what it covered, when it began, what it took altogether (with the look at the
    /// processes), and whether parts of the table could be read.
    pub fn done(&mut self, covered: &Covers, began: Duration, took: Duration, parts: bool) {
        self.parts = parts;
        let states = match covered {
            Covers::Sockets(_) => return self.selected.done(began, took),
            Covers::States(states) => *states,
        };
        if states.has_all(LIVE) {
            self.connections.done(began, took);
            if states.has_all(WAITS) {
                let often = self.attention.time_wait || took <= CHEAP;
                self.time_wait.period = if often { CONNECTIONS } else { TIME_WAIT };
                self.time_wait.done(began, took);
            }
        } else if states.has_all(LISTEN) {
            self.listeners.done(began, took);
        }
    }

    /// Notes that a reading failed: the table is tried again after its period.
    pub fn failed(&mut self, asked: &Covers, began: Duration, took: Duration) {
        self.done(asked, began, took, self.parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// What a schedule has read by the end of a time, if each reading takes what `cost` says of it: names and instants.
    fn run(
        schedule: &mut Schedule,
        from: Duration,
        until: Duration,
        cost: fn(&str) -> Duration,
    ) -> Vec<(&'static str, u64)> {
        let mut now = from;
        let mut read = Vec::new();
        loop {
            now = now.max(schedule.next());
            if now >= until {
                return read;
            }
            for covers in schedule.due(now) {
                let name = name(&covers);
                let took = cost(name);
                read.push((name, now.as_millis() as u64));
                schedule.done(&covers, now, took, true);
                now += took;
            }
        }
    }

    fn name(covers: &Covers) -> &'static str {
        match covers {
            Covers::Sockets(_) => "one",
            Covers::States(states) if *states == LISTEN => "listen",
            Covers::States(states) if *states == LIVE => "live",
            Covers::States(states) if *states == LIVE.with(WAITS) => "whole",
            Covers::States(_) => "other",
        }
    }

    fn at(read: &[(&str, u64)], name: &str) -> Vec<u64> {
        read.iter().filter(|(read, _)| *read == name).map(|(_, at)| *at).collect()
    }

    fn selected() -> Attention {
        let end = |port| Endpoint::new(std::net::Ipv4Addr::LOCALHOST, port);
        Attention { selected: vec![(end(1), end(2))], time_wait: false }
    }

    #[test]
    fn each_has_its_own_rate_and_listeners_come_first() {
        let mut schedule = Schedule::new(Attention::default());
        let read = run(&mut schedule, ms(0), ms(2_500), |_| ms(0));
        assert_eq!(read[..2], [("listen", 0), ("whole", 0)]);
        assert_eq!(at(&read, "whole"), [0, 1000, 2000]);
        assert_eq!(at(&read, "listen").len(), 25);
        assert!(at(&read, "one").is_empty(), "nothing is selected");
    }

    #[test]
    fn a_dear_table_gives_time_wait_its_own_slower_rate_unless_it_is_looked_at() {
        let cost = |name: &str| if name == "listen" { ms(0) } else { ms(40) };
        let mut schedule = Schedule::new(Attention::default());
        let read = run(&mut schedule, ms(0), ms(10_500), cost);
        assert_eq!(at(&read, "whole"), [0, 5_000, 10_000]);
        assert_eq!(at(&read, "live"), [1_000, 2_000, 3_000, 4_000, 6_000, 7_000, 8_000, 9_000]);
        schedule.attend(Attention { time_wait: true, ..Attention::default() }, ms(10_500));
        let read = run(&mut schedule, ms(10_500), ms(13_500), cost);
        assert_eq!((at(&read, "whole"), at(&read, "live")), (vec![11_000, 12_000, 13_000], vec![]));
        schedule.attend(Attention::default(), ms(13_500));
        let read = run(&mut schedule, ms(13_500), ms(20_500), cost);
        assert_eq!(at(&read, "whole"), [14_000, 19_000], "the one that was due, and then slower again");
    }

    #[test]
    fn what_costs_over_a_twentieth_of_its_period_stretches_it() {
        let mut schedule = Schedule::new(selected());
        let cost = |name: &str| match name {
            "whole" | "live" => ms(70),
            "listen" => ms(6),
            _ => ms(1),
        };
        let read = run(&mut schedule, ms(0), ms(60_000), cost);
        for (name, least) in [("listen", 120), ("one", 100)] {
            let at = at(&read, name);
            assert!(at[1..].windows(2).all(|pair| pair[1] - pair[0] >= least), "{name}");
        }
        let mut tables = [at(&read, "whole"), at(&read, "live")].concat();
        tables.sort_unstable();
        assert!(tables[1..].windows(2).all(|pair| pair[1] - pair[0] >= 1_400), "{tables:?}");
        assert!(tables.len() > 40, "and no more than that: {}", tables.len());
        let mut schedule = Schedule::new(Attention::default());
        // Once is an accident, twice is the cost; and exactly a twentieth is within the budget.
        for (began, took, due) in [(0, 200, 1_000), (1_000, 70, 2_400), (2_400, 300, 3_800), (3_800, 50, 4_800)] {
            schedule.done(&Covers::States(LIVE), ms(began), ms(took), true);
            assert_eq!(schedule.connections.due, ms(due), "{took} ms at {began}");
        }
    }

    #[test]
    fn a_selection_is_read_at_once_and_ten_times_a_second() {
        let mut schedule = Schedule::new(Attention::default());
        run(&mut schedule, ms(0), ms(1_050), |_| ms(0));
        schedule.attend(selected(), ms(1_050));
        let read = run(&mut schedule, ms(1_050), ms(1_500), |_| ms(0));
        assert_eq!(at(&read, "one"), [1_050, 1_150, 1_250, 1_350, 1_450]);
        schedule.attend(selected(), ms(1_500));
        assert_eq!(at(&run(&mut schedule, ms(1_500), ms(1_600), |_| ms(0)), "one"), [1_550], "the same one goes on");
        schedule.attend(Attention::default(), ms(1_600));
        assert!(at(&run(&mut schedule, ms(1_600), ms(3_000), |_| ms(0)), "one").is_empty());
    }

    #[test]
    fn where_parts_cannot_be_read_everything_is_at_the_connections_rate() {
        let mut schedule = Schedule::new(selected());
        schedule.done(&Covers::ALL, ms(0), ms(100), false);
        schedule.done(&Covers::ALL, ms(0), ms(100), false);
        assert_eq!((schedule.next(), schedule.due(ms(1_999))), (ms(2_000), vec![]));
        assert_eq!(schedule.due(ms(2_000)), [Covers::ALL]);
        schedule.done(&Covers::ALL, ms(2_000), ms(1), true);
        assert_eq!(schedule.due(ms(2_100)).len(), 2, "sock_diag answers again: listeners, and the one selected");
    }
}
