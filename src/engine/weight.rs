//! How much memory a copy of the engine holds that another does not share: for whoever keeps copies under a budget.

use super::Engine;
use super::end::End;
use super::record::{Rare, Record};
use super::table::Page;

/// What every copy has of its own beside its flows: series, the segments seen last. Bytes.
const REST: usize = 96 << 10;

impl Engine {
    /// About how many bytes this copy holds that `other` does not share.
    pub fn apart_from(&self, other: &Self) -> usize {
        let flows = self.table.apart_from(&other.table);
        let shared_in_part = self.handshakes.apart_from(&other.handshakes)
            + self.lookups.apart_from(&other.lookups)
            + self.kernel.readings.apart_from(&other.kernel.readings);
        let own = self.table.rest_bytes() + self.deadlines.bytes() + self.connects.held() + self.kernel.held();
        flows + shared_in_part + own + REST
    }
}

/// What the place of a record takes, and all that the record holds but what it shares with the one in the same place
/// of the other table.
fn weight(record: Option<&Record>, other: Option<&Record>) -> usize {
    let place = size_of::<Option<Record>>();
    let Some(record) = record else { return place };
    let course = record.course.held(other.map(|other| &other.course));
    let rare = record.rare.as_deref().map_or(0, Rare::held);
    let is_shared = |end: &std::sync::Arc<End>| {
        other.is_some_and(|other| other.ends.iter().flatten().any(|there| std::sync::Arc::ptr_eq(there, end)))
    };
    let ends = record.ends.iter().flatten().filter(|end| !is_shared(end));
    place + course + rare + record.opening.held() + ends.map(|end| size_of::<End>() + end.held()).sum::<usize>()
}

impl super::table::FlowTable {
    /// About how many bytes the pages hold that `other` does not share, by a part of them where there are many: to look
    /// at each of their flows takes long.
    fn apart_from(&self, other: &Self) -> usize {
        const WEIGHED: usize = 64;
        let there = |at: usize| other.pages.get(at);
        let is_own = |(at, page): &(usize, &Page)| there(*at).is_none_or(|there| !page.is_shared_with(there));
        let own: Vec<(usize, &Page)> = self.pages.iter().enumerate().filter(is_own).collect();
        let weighed = own.iter().step_by((own.len() / WEIGHED).max(1));
        let (count, flows) = weighed.fold((0, 0), |(count, sum), (at, page)| {
            let other = |place: usize| there(*at)?[place].as_ref();
            let records = page.iter().enumerate().map(|(place, own)| weight(own.as_ref(), other(place)));
            (count + 1, sum + records.sum::<usize>())
        });
        flows * own.len() / count.max(1)
    }

    /// Of what is no page: nothing of it is shared.
    fn rest_bytes(&self) -> usize {
        self.index_bytes() + self.free.len() * size_of::<u32>() + self.pages.len() * size_of::<Page>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Tuple;
    use super::super::tests::{CLIENT, SERVER, at, end, handshake, sample, segment, socket};
    use super::super::{Config, Engine, Input, Spare};
    use crate::base::{Endpoint, Scope, TcpState};
    use crate::kernel::{Connect, KernelEvent, Rung, Socket};

    #[test]
    fn a_copy_weighs_what_has_changed_since() {
        let mut engine = Engine::new(Config::replay(100_000, 1));
        let syn = |port: u32| {
            let source = format!("10.0.{}.{}:{}", port / 200, 1 + port % 200, 40_000);
            Input::Segment(segment(0, &source, "10.0.0.5:80", "S", 100, 0, 0))
        };
        (0..4_000).for_each(|port| engine.feed(&syn(port)));
        let copy = engine.fork();
        let (shared, whole) = (copy.apart_from(&engine), copy.apart_from(&Engine::new(Config::replay(1, 1))));
        assert!(whole > shared + 4_000 * 300, "{whole} {shared}");
        engine.feed(&syn(7));
        let after_one = copy.apart_from(&engine);
        assert!(after_one > shared && after_one < shared + 40_000, "a page or two: {after_one} {shared}");
    }

    #[test]
    fn what_flows_hold_in_boxes_counts() {
        let mut engine = Engine::new(Config::replay(10, 1));
        let empty = Engine::new(Config::replay(10, 1));
        handshake(0).into_iter().for_each(|segment| engine.feed(&Input::Segment(segment)));
        let before = engine.apart_from(&empty);
        let data = |at: u32| segment(100 + i64::from(at), CLIENT, SERVER, "P.", 101 + at * 10, 501, 10);
        // So many that no more can wait.
        (0..5).for_each(|at| engine.feed(&Input::Segment(data(at))));
        let with_times = engine.apart_from(&empty);
        assert!(with_times > before + 200, "the times of its data: {before} {with_times}");
        engine.feed(&Input::Segment(data(20)));
        engine.feed(&Input::Segment(data(0)));
        assert!(engine.apart_from(&empty) > with_times + 500, "evidence of losses");
    }

    /// Where checkpoints stand, and so which findings are noted, rests on it.
    #[test]
    fn whether_another_thread_has_sealed_what_is_over_does_not_count() {
        let mut engine = Engine::new(Config::replay(1_000, 1));
        let empty = Engine::new(Config::replay(10, 1));
        for port in 10_000..10_200 {
            let client = format!("10.0.0.2:{port}");
            let talk = [("S", CLIENT, 100, 0, 0), ("S.", SERVER, 500, 101, 0), (".", CLIENT, 101, 501, 0)];
            let close = [("P.", CLIENT, 101, 501, 50), ("R.", SERVER, 501, 151, 0)];
            for (flags, from, seq, ack, len) in talk.into_iter().chain(close) {
                let (src, dst) = if from == CLIENT { (&*client, SERVER) } else { (SERVER, &*client) };
                engine.feed(&Input::Segment(segment(port, src, dst, flags, seq, ack, len)));
            }
        }
        let before = engine.apart_from(&empty);
        let blocks: Vec<_> = std::iter::from_fn(|| engine.next_unsealed()).collect();
        assert!(blocks.len() > 1, "{}", blocks.len());
        blocks.iter().for_each(|courses| courses.seal(&mut Spare::default()));
        assert_eq!(engine.apart_from(&empty), before);
    }

    #[test]
    fn what_waits_for_its_flow_counts() {
        let mut engine = Engine::new(Config::live(10, 1));
        let empty = Engine::new(Config::live(10, 1));
        let connect = |port| Connect {
            begin: at(0),
            end: at(1),
            scope: Scope::FILE,
            local: Endpoint::new([10, 0, 0, 2], port),
            peer: end(SERVER),
            process: None,
            here: None,
            bound: true,
            connected: Some(true),
            rung: Rung::Trace,
        };
        let before = engine.apart_from(&empty);
        (1..=1_000).for_each(|port| engine.feed(&Input::Kernel(KernelEvent::Connect(connect(port)))));
        let told = size_of::<Connect>() + size_of::<Tuple>() * 2;
        assert!(engine.apart_from(&empty) > before + 1_000 * told, "as claims, and as ports that were bound");
    }

    #[test]
    fn a_reading_that_only_the_copy_has_counts() {
        let mut engine = Engine::new(Config::replay(10_000, 1));
        let table = |at| {
            let row = |n: u64| socket(&format!("10.0.0.2:{}", 10_000 + n), SERVER, TcpState::Estab, (0, 0), n, n);
            sample(at, (1..1_000).map(row).collect(), &[])
        };
        engine.feed(&table(1_000));
        let copy = engine.fork();
        let shared = copy.apart_from(&engine);
        engine.feed(&table(2_000));
        let sockets = 999 * size_of::<Socket>();
        assert!(
            shared < sockets && copy.apart_from(&engine) > shared + sockets * 2,
            "in the reading, and in the flows"
        );
    }
}
