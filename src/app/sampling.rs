//! The thread that reads the socket table, each part of it at its own rate, and the one that hears the kernel's last
//! words on sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::base::Timestamp;
use crate::engine::{Engine, Input, List, Query};
use crate::io::schedule::{Attention, Schedule};
use crate::io::{LastWords, Sampler, clock};
use crate::kernel::{Covers, KernelEvent, TableSource};

use super::line::Line;
use super::privileges;

/// Readings of the table that must fail in a row before it is given up.
const FAILURES: u32 = 5;
/// The thread looks up from its rest at least this often, to see whether it is to stop.
const REST: Duration = Duration::from_millis(250);
/// How often last words are taken from the kernel's buffer.
const HEAR_EVERY: Duration = Duration::from_millis(20);
/// Last words that may wait for an engine that does not follow; beyond, they are dropped and counted.
const MOST_WORDS: usize = 1 << 16;

/// When the reading that is under way began: its sample is not older, however long the owners take.
#[derive(Debug, Clone)]
pub(super) struct Reading(Arc<AtomicI64>);

impl Reading {
    const NONE: i64 = i64::MAX;

    fn begin(&self) {
        self.0.store(clock::now().nanos(), Ordering::SeqCst);
    }

    fn end(&self) {
        self.0.store(Self::NONE, Ordering::SeqCst);
    }

    pub(super) fn begun(&self) -> Option<Timestamp> {
        Some(self.0.load(Ordering::SeqCst)).filter(|began| *began != Self::NONE).map(Timestamp::from_nanos)
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(Self::NONE)))
    }
}

/// What the kernel is to be asked more often, for what is on the screen. The flow table shows what its sockets do, and
/// the overview TIME-WAIT.
pub(super) fn attention(query: &Query, engine: &Engine) -> Attention {
    let selected = query.selected.map(|id| engine.sockets_of(id)).unwrap_or_default();
    let shows_states = matches!(query.list, List::Flows | List::Groups(..) | List::Ports(_));
    Attention { time_wait: shows_states && query.selected.is_none(), selected }
}

/// What is looked at where there is no screen: the report tells of everything.
pub(super) fn all() -> Attention {
    Attention { time_wait: true, selected: Vec::new() }
}

/// Reads what is due until the end.
pub(super) fn follow(sampler: Sampler, line: &Line, reading: &Reading, attention: &Receiver<Attention>) -> Result<()> {
    let start = Instant::now();
    let mut readings = Readings { sampler, start, schedule: Schedule::new(all()), failures: 0 };
    while !line.stopped() {
        for covers in readings.schedule.due(start.elapsed()) {
            reading.begin();
            let heard = readings.read(&covers, line)?;
            reading.end();
            if !heard {
                return Ok(());
            }
        }
        let rest = readings.schedule.next().saturating_sub(start.elapsed()).min(REST);
        match attention.recv_timeout(rest) {
            Ok(attention) => readings.schedule.attend(attention, start.elapsed()),
            Err(RecvTimeoutError::Timeout) => {}
            // Nobody will say any more what the screen looks at.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(rest),
        }
    }
    Ok(())
}

/// Readings of the socket table, as they are due.
struct Readings {
    sampler: Sampler,
    start: Instant,
    schedule: Schedule,
    /// Of the table, in a row.
    failures: u32,
}

impl Readings {
    /// Reads so much, and tells it. False once nobody listens.
    fn read(&mut self, covers: &Covers, line: &Line) -> Result<bool> {
        let began = self.start.elapsed();
        let sampled = self.sampler.read(covers, clock::now);
        let took = self.start.elapsed() - began;
        let is_table = matches!(covers, Covers::States(_));
        match sampled {
            Ok(sample) => {
                self.failures = if is_table { 0 } else { self.failures };
                self.schedule.done(&sample.covers, began, took, sample.source == TableSource::Diag);
                Ok(line.tell_sample(sample, self.sampler.fallback_reason().map(privileges::without_diag)))
            }
            // Once may be a shortage that passes; what is looked up is read with the table too.
            Err(error) => {
                self.failures += u32::from(is_table);
                self.schedule.failed(covers, began, took);
                if self.failures >= FAILURES { Err(error.into()) } else { Ok(true) }
            }
        }
    }
}

/// Hears the kernel's last words until the end.
pub(super) fn follow_last_words(mut words: LastWords, line: &Line) -> Result<()> {
    let mut events = Vec::new();
    let mut waiting = vec![Input::Kernel(KernelEvent::LastWords(clock::now()))];
    while !line.stopped() {
        let upto = words.hear(&mut events)?;
        let dropped = (waiting.len() + events.len()).saturating_sub(MOST_WORDS).min(events.len());
        if dropped > 0 {
            events.truncate(events.len() - dropped);
            events.push(words.drop_words(dropped));
        }
        waiting.extend(events.drain(..).map(Input::Kernel));
        let Some(left) = line.hand_over(std::mem::take(&mut waiting), upto) else { return Ok(()) };
        waiting = left;
        thread::sleep(HEAR_EVERY);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::app::feed::Feed;
    use crate::app::ladder::OwnerChoice;
    use crate::app::live::Live;
    use crate::base::Endpoint;
    use crate::engine::{Config, FlowId, QueryCache};
    use crate::io::Sockets;

    const DEADLINE: Duration = Duration::from_secs(20);

    /// This host, watched without packets.
    struct Watched {
        live: Live,
        engine: Engine,
    }

    impl Watched {
        fn begin(sockets: Sockets) -> Self {
            let live =
                Live::start(&[], false, sockets, OwnerChoice::Scan, super::super::record::Wanted::default()).unwrap();
            Self { live, engine: Engine::new(Config::live(100_000, 1)) }
        }

        fn pump(&mut self) {
            let rest = self.live.pump(&mut self.engine);
            thread::sleep(rest.min(Duration::from_millis(5)));
        }

        fn flow_of(&mut self, own: std::net::SocketAddr) -> FlowId {
            let end = Endpoint::new(own.ip(), own.port());
            let deadline = Instant::now() + DEADLINE;
            loop {
                self.pump();
                let query = Query { rows: 100_000, ..Query::default() };
                let rows = self.engine.dashboard(&query, &mut QueryCache::default()).flows.rows;
                if let Some(row) = rows.iter().find(|row| [row.orig.endpoint, row.resp.endpoint].contains(&end)) {
                    return row.id;
                }
                assert!(Instant::now() < deadline, "the connection is never seen");
            }
        }

        /// At how many instants within a time the client's socket, the connections, and the listeners were read.
        fn readings(&mut self, flow: FlowId, own: std::net::SocketAddr, within: Duration) -> [usize; 3] {
            let mut read: [BTreeSet<Timestamp>; 3] = std::array::from_fn(|_| BTreeSet::new());
            let begin = Instant::now();
            while begin.elapsed() < within {
                self.pump();
                let detail = self.engine.detail(flow).unwrap();
                let sockets = detail.sockets.iter().flatten();
                read[0].extend(sockets.filter(|one| one.socket.local.port() == own.port()).map(|one| one.at));
                let sees = self.engine.dashboard(&Query::default(), &mut QueryCache::default()).sees.kernel.unwrap();
                read[1].insert(sees.at);
                read[2].extend(sees.listeners_at);
            }
            read.map(|instants| instants.len())
        }
    }

    #[test]
    fn what_is_on_the_screen_is_read_ten_times_a_second() {
        const WITHIN: Duration = Duration::from_secs(3);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let own = client.local_addr().unwrap();
        let mut watched = Watched::begin(Sockets::Diag);
        let flow = watched.flow_of(own);
        let [socket, connections, listeners] = watched.readings(flow, own, WITHIN);
        assert!(socket <= 5 && connections <= 5 && listeners >= 12, "{socket} {connections} {listeners}");
        let query = Query { selected: Some(flow), ..Query::default() };
        watched.live.attend(&query, &watched.engine);
        let [socket, connections, _] = watched.readings(flow, own, WITHIN);
        assert!(socket >= 12 && connections <= 5, "{socket} {connections}");
    }

    #[test]
    fn of_proc_everything_is_read_at_one_rate() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let own = client.local_addr().unwrap();
        let mut watched = Watched::begin(Sockets::Proc);
        let flow = watched.flow_of(own);
        let query = Query { selected: Some(flow), ..Query::default() };
        watched.live.attend(&query, &watched.engine);
        let readings = watched.readings(flow, own, Duration::from_secs(2));
        assert!(readings.iter().all(|readings| (1..=4).contains(readings)), "{readings:?}");
    }

    #[test]
    fn the_screen_says_what_is_read_more_often() {
        let engine = Engine::new(Config::live(10, 1));
        let on = |list, selected| attention(&Query { list, selected, ..Query::default() }, &engine).time_wait;
        assert!(on(List::Flows, None) && on(List::Ports(Default::default()), None));
        assert!(!on(List::Listeners(Default::default()), None) && !on(List::Flows, Some(FlowId(0))));
    }
}
