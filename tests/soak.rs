//! What takes too long for every run (`make soak`, SOCKSCOPE_SOAK=1): floods against the table's bound. Bounded in
//! count; nothing leaves the process.

use sockscope::base::{Endpoint, Seq, TcpState, Timestamp};
use sockscope::engine::{Config, Engine, Input, Query, QueryCache};
use sockscope::wire::{Flags, Segment};

#[path = "support/skip.rs"]
mod skip;
use skip::skip;

const FLOOD: u32 = 5_000_000;
const TABLE: usize = 200_000;
const ESTABLISHED: u32 = 1_000;

fn wanted(what: &str) -> bool {
    let wanted = std::env::var_os("SOCKSCOPE_SOAK").is_some();
    if !wanted {
        skip(&format!("{what} takes long; `make soak` runs it"));
    }
    wanted
}

fn segment(micros: i64, src: Endpoint, dst: Endpoint, flags: Flags, seq: u32, ack: u32) -> Segment {
    Segment {
        seq: Seq(seq),
        ack: Seq(ack),
        window: 1024,
        frame_len: 54,
        ttl: 64,
        ..Segment::bare(Timestamp::from_nanos(1_700_000_000_000_000_000 + micros * 1_000), src, dst, flags)
    }
}

#[test]
fn a_flood_of_syns_moves_neither_memory_nor_the_established() {
    if !wanted("a flood of SYNs") {
        return;
    }
    let server = Endpoint::new([192, 0, 2, 1], 80);
    let mut engine = Engine::new(Config::replay(TABLE, 1));
    for n in 0..ESTABLISHED {
        let client = Endpoint::new([198, 51, 100, 7], 1024 + n as u16);
        let at = i64::from(n);
        engine.feed(&Input::Segment(segment(at, client, server, Flags::SYN, 1, 0)));
        engine.feed(&Input::Segment(segment(at, server, client, Flags::SYN | Flags::ACK, 1, 2)));
        engine.feed(&Input::Segment(segment(at, client, server, Flags::ACK, 2, 2)));
    }
    for n in 0..FLOOD {
        let client = Endpoint::new((0x0a00_0000_u32 + n).to_be_bytes(), 7);
        engine.feed(&Input::Segment(segment(2_000 + i64::from(n), client, server, Flags::SYN, n, 0)));
    }
    let dashboard = engine.dashboard(&Query::default(), &mut QueryCache::default());
    assert_eq!(dashboard.totals.flows, TABLE as u64);
    assert_eq!(dashboard.totals.evicted.total(), u64::from(ESTABLISHED + FLOOD) - TABLE as u64);
    assert_eq!(dashboard.totals.evicted.idle, 0);
    let estab = dashboard.states.rows.iter().find(|row| row.state == TcpState::Estab).expect("a row of ESTAB");
    assert_eq!(estab.wire, Some(2 * u64::from(ESTABLISHED)));
}
