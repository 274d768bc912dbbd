//! What the tests of going back share: a crowd of segments, an engine, all that it tells, a source in memory.

use crate::base::{Endpoint, Seq, Timestamp};
use crate::engine::{Config, Dashboard, Engine, Filter, FlowDetail, Input, Query, QueryCache, Tally};
use crate::wire::{Flags, Segment};

use super::{Next, Tape};

/// Of a crowd of a thousand segments some flows have to go.
pub(super) fn engine() -> Engine {
    Engine::new(Config::replay(150, 7))
}

/// Everything that an engine can be asked.
pub(super) fn told(engine: &Engine) -> (Dashboard, Vec<FlowDetail>, Tally) {
    let query = Query { rows: 100_000, ..Query::default() };
    let flows = engine.flow_ids(&Filter::default()).into_iter().filter_map(|id| engine.detail(id)).collect();
    (engine.dashboard(&query, &mut QueryCache::default()), flows, engine.tally())
}

/// So many segments of so many tuples, of any kind, one each 10 ms on the average; a few are stamped before the one
/// before, and some are of the very same instant.
pub(super) fn crowd(tuples: u64, count: usize) -> Vec<Input> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let kinds = [Flags::SYN, Flags::SYN | Flags::ACK, Flags::ACK, Flags::ACK, Flags::ACK | Flags::FIN, Flags::RST];
    let server = Endpoint::new([192, 0, 2, 1], 80);
    let mut nanos = 1_700_000_000_000_000_000;
    let mut one = |_| {
        nanos += match random(10) {
            0 => 0,
            1 => -3_000_000,
            _ => random(20_000_000) as i64,
        };
        let client = Endpoint::new([10, 0, 0, random(tuples.min(250)) as u8], 7 + random(tuples.div_ceil(250)) as u16);
        let (src, dst) = if random(2) == 0 { (client, server) } else { (server, client) };
        let [seq, ack] = [random(4), random(4)].map(|number| Seq(number as u32 * 100));
        let flags = kinds[random(6) as usize];
        Input::Segment(Segment {
            seq,
            ack,
            window: random(3) as u16 * 500,
            payload_len: random(3) as u32 * 100,
            frame_len: 60,
            ttl: 64,
            ..Segment::bare(Timestamp::from_nanos(nanos), src, dst, flags)
        })
    };
    (0..count).map(&mut one).collect()
}

/// Inputs in memory, given in batches of a size; only behind each is a place.
pub(super) struct Reel {
    inputs: Vec<Input>,
    batch: usize,
    next: usize,
    /// How often it was gone on with from a place.
    pub(super) jumps: usize,
    /// It can no longer be.
    pub(super) is_gone: bool,
}

impl Reel {
    pub(super) fn new(inputs: Vec<Input>, batch: usize) -> Self {
        Self { inputs, batch, next: 0, jumps: 0, is_gone: false }
    }
}

impl Tape for Reel {
    type Place = usize;

    fn next(&mut self, _wait: bool) -> Next<usize> {
        let end = (self.next + self.batch).min(self.inputs.len());
        if self.next == end {
            return Next::End(None);
        }
        let inputs = self.inputs[self.next..end].to_vec();
        self.next = end;
        Next::Inputs(inputs, Some(end))
    }

    fn go(&mut self, place: &usize) -> Result<(), String> {
        if self.is_gone {
            return Err("it is gone".to_owned());
        }
        (self.next, self.jumps) = (*place, self.jumps + 1);
        Ok(())
    }
}
