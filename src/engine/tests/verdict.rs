//! The verdict as a flow's row, details and sentence tell it.

use super::*;
use crate::flow::{Cause, Limit, VerdictView};

fn verdict(engine: &Engine, id: u64) -> VerdictView {
    let detail = engine.detail(FlowId(id)).expect("a flow");
    let view = detail.verdict.expect("segments");
    let lost: u32 = view.halves.iter().map(|half| half.counts.of(Cause::Lost)).sum();
    assert_eq!(detail.row.lost, Some(lost.into()), "row and details agree");
    view
}

/// 100 bytes of the client.
fn data(millis: i64, seq: u32) -> Segment {
    segment(millis, CLIENT, SERVER, "P.", seq, 501, 100)
}

fn ack(millis: i64, number: u32, block: Option<(u32, u32)>) -> Segment {
    let mut segment = segment(millis, SERVER, CLIENT, ".", 501, number, 0);
    if let Some((left, right)) = block {
        segment.options = segment.options.with_sack_block(Seq(left), Seq(right));
    }
    segment
}

/// A segment of the client is lost behind the capture point, and repaired.
fn repaired() -> Vec<Segment> {
    let lossy = [data(100, 101), data(100, 201), ack(118, 101, Some((201, 301))), data(121, 101), ack(140, 301, None)];
    handshake(0).into_iter().chain(lossy).collect()
}

#[test]
fn an_episode_is_told_as_one_event() {
    let engine = fed(repaired());
    let told = verdict(&engine, 0);
    assert_eq!((told.halves[0].counts.of(Cause::Lost), told.halves[1].is_quiet()), (1, true));
    let story = engine.detail(FlowId(0)).expect("a flow").story;
    assert_eq!(story, format!("Open. Of {CLIENT}: 1 segment lost, recovered by SACK in 22 ms."));
}

#[test]
fn a_batch_is_told_as_one_by_one() {
    let mut batch = engine();
    batch.feed_batch(&repaired().into_iter().map(Input::Segment).collect::<Vec<_>>());
    assert_eq!(batch.detail(FlowId(0)), fed(repaired()).detail(FlowId(0)));
}

#[test]
fn frames_dropped_while_the_flow_lasted_limit_what_is_told() {
    let loss = |millis, kernel| {
        Input::Loss(Box::new(Loss {
            ts: at(millis),
            kernel: Some(kernel),
            interface: None,
            ours: 0,
            frames: FrameCounts::default(),
        }))
    };
    let mut engine = engine();
    engine.feed(&loss(0, 3));
    feed_all(
        &mut engine,
        inputs(
            repaired()
                .into_iter()
                .map(|segment| Segment { ts: segment.ts + Duration::from_secs(1), ..segment })
                .collect(),
        ),
    );
    assert_eq!(verdict(&engine, 0).limits, [], "it was before");
    engine.feed(&loss(1_200, 3));
    assert_eq!(verdict(&engine, 0).limits, [], "no more since");
    engine.feed(&loss(1_300, 4));
    assert_eq!(verdict(&engine, 0).limits, [Limit::Dropped]);
}

#[test]
fn frames_dropped_after_the_flow_do_not_limit_it() {
    let mut engine = fed([segment(0, CLIENT, SERVER, "S", 100, 0, 0), segment(5, SERVER, CLIENT, "R.", 0, 101, 0)]);
    let frames = FrameCounts::default();
    engine.feed(&Input::Loss(Box::new(Loss { ts: at(9_000), kernel: Some(1), interface: None, ours: 0, frames })));
    assert_eq!(verdict(&engine, 0).limits, []);
}

#[test]
fn without_a_segment_nothing_is_claimed() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 7, 7)], &[]));
    let detail = engine.detail(FlowId(0)).expect("a flow");
    assert_eq!((detail.verdict, detail.row.lost), (None, None));
}

#[test]
fn a_reused_tuple_begins_anew() {
    let again = segment(500, CLIENT, SERVER, "S", 9_000, 0, 0);
    let engine = fed(repaired().into_iter().chain([again]));
    assert_eq!(verdict(&engine, 0).halves[0].counts.of(Cause::Lost), 1);
    assert!(verdict(&engine, 1).halves.iter().all(crate::flow::HalfVerdict::is_quiet));
}
