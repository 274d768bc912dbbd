//! A flow's ladder and graph: as pictured, at every size, by its keys, and what is said where its segments are not there.

use std::sync::Arc;

use super::*;
use crate::base::{Endpoint, Scope, Seq, Timestamp};
use crate::engine::{Collector, FlowId, FlowKey, Input, Transcript};
use crate::flow::Side;
use crate::kernel::SocketSample;
use crate::ui::{FlowPart, Segments};
use crate::wire::{Flags, Segment};

const ISS: [u32; 2] = [1_000_000, 7_000_000];

/// Makes the segments of the flow that is shown.
struct Maker {
    begin: Timestamp,
    ends: [Endpoint; 2],
    inputs: Vec<Input>,
    digest: u32,
}

impl Maker {
    /// A segment so many microseconds after the begin, with relative numbers.
    fn segment(&mut self, at: u64, from: Side, flags: Flags, (seq, ack, len): (u32, u32, u32)) -> &mut Segment {
        let (src, dst) = (self.ends[from.index()], self.ends[from.peer().index()]);
        self.digest += 1;
        let mut segment = Segment::bare(self.begin + Duration::from_micros(at), src, dst, flags);
        segment.seq = Seq(ISS[from.index()].wrapping_add(seq));
        segment.ack = if flags.ack() { Seq(ISS[from.peer().index()].wrapping_add(ack)) } else { Seq(0) };
        (segment.payload_len, segment.frame_len, segment.window) = (len, len + 54, 501);
        (segment.digest, segment.ttl) = (self.digest, 64);
        if flags.syn() {
            segment.options = segment.options.with_mss(1460).with_wscale(7).with_sack_permitted(true);
            segment.window = 64_240;
        }
        self.inputs.push(Input::Segment(segment));
        match self.inputs.last_mut() {
            Some(Input::Segment(segment)) => segment,
            _ => unreachable!("it was pushed just now"),
        }
    }

    /// A reading of the queues of one end.
    fn queues(&mut self, at: u64, side: Side, recv_q: u32, send_q: u32) {
        let mut socket = live_flow().flow.expect("a flow").sockets[0].clone().expect("a socket").socket;
        (socket.local, socket.peer) = (self.ends[side.index()], self.ends[side.peer().index()]);
        (socket.recv_q, socket.send_q, socket.info) = (recv_q, Some(send_q), None);
        self.inputs.push(Input::Sample(Arc::new(SocketSample {
            sockets: vec![socket],
            ..SocketSample::empty(self.begin + Duration::from_micros(at))
        })));
    }
}

/// When the flow of the capture begins.
fn begin() -> Timestamp {
    capture_flow().now.expect("a time") - Duration::from_secs(14)
}

/// A SYN that is tried twice, a request, an answer of which one segment is lost, a closed window, a close.
fn story(ends: [Endpoint; 2], begin: Timestamp) -> Transcript {
    use Side::{Orig, Resp};
    let (syn, ack, push, fin) = (Flags::SYN, Flags::ACK, Flags::ACK | Flags::PSH, Flags::FIN | Flags::ACK);
    let mut maker = Maker { begin, ends, inputs: Vec::new(), digest: 0 };
    maker.segment(0, Orig, syn, (0, 0, 0));
    maker.segment(1_000_000, Orig, syn, (0, 0, 0));
    maker.segment(1_022_000, Resp, syn | ack, (0, 1, 0));
    maker.segment(1_022_050, Orig, ack, (1, 1, 0));
    maker.queues(1_022_100, Orig, 0, 76);
    maker.segment(1_023_000, Orig, push, (1, 1, 76));
    maker.segment(1_045_000, Resp, ack, (1, 77, 0));
    maker.queues(1_050_000, Orig, 0, 0);
    for n in 0..14_u32 {
        let at = 1_060_000 + u64::from(n) * 900;
        maker.segment(at, Resp, ack, (1 + n * 1_448, 77, 1_448));
        if n % 2 == 1 {
            maker.segment(at + 100, Orig, ack, (77, 1 + (n + 1) * 1_448, 0));
        }
    }
    // The 15th segment does not arrive: SACK asks for it.
    for n in 14..19_u32 {
        maker.segment(1_075_000 + u64::from(n), Resp, ack, (1 + n * 1_448, 77, 1_448));
    }
    for n in 15..19_u32 {
        let base = ISS[1];
        let blocks = (Seq(base + 1 + 15 * 1_448), Seq(base + 1 + (n + 1) * 1_448));
        let sack = maker.segment(1_080_000 + u64::from(n) * 50, Orig, ack, (77, 1 + 14 * 1_448, 0));
        sack.options = sack.options.with_sack_block(blocks.0, blocks.1);
    }
    maker.segment(1_103_000, Resp, ack, (1 + 14 * 1_448, 77, 1_448));
    maker.queues(1_110_000, Orig, 27_512, 0);
    maker.segment(1_112_000, Orig, ack, (77, 1 + 19 * 1_448, 0)).window = 0;
    maker.segment(2_900_000, Orig, ack, (77, 1 + 19 * 1_448, 0));
    maker.queues(2_900_500, Orig, 0, 0);
    maker.segment(2_922_000, Resp, push, (1 + 19 * 1_448, 77, 400));
    maker.segment(2_922_300, Orig, fin, (77, 27_913, 0));
    maker.segment(2_944_000, Resp, fin, (27_913, 78, 0));
    maker.segment(2_944_100, Orig, ack, (78, 27_914, 0));
    let key = FlowKey { scope: Scope::FILE, orig: ends[0], resp: ends[1], first: begin, digest: 1 };
    let mut collector = Collector::new(key, begin);
    maker.inputs.iter().for_each(|input| collector.take(input));
    collector.finish().expect("a transcript")
}

/// The flow of a capture with its segments, the part that is shown, after `keys`.
fn shown(
    part: FlowPart,
    keys: &str,
    size: (u16, u16),
    theme: ThemeName,
    change: impl FnOnce(&mut Dashboard),
) -> Buffer {
    let mut dashboard = capture_flow();
    let begin = begin();
    change(&mut dashboard);
    let detail = dashboard.flow.as_ref().expect("a flow");
    let (id, ends) = (detail.row.id, [detail.row.orig.endpoint, detail.row.resp.endpoint]);
    let transcript = story(ends, begin);
    draw_with(&dashboard, id, part, Segments::Read(Arc::new(transcript)), keys, size, theme)
}

fn draw_with(
    dashboard: &Dashboard,
    id: FlowId,
    part: FlowPart,
    segments: Segments,
    keys: &str,
    size: (u16, u16),
    theme: ThemeName,
) -> Buffer {
    let area = Rect::new(0, 0, size.0, size.1);
    let mut ui = UiState::new(area, theme);
    ui.show(crate::ui::View::Flow, Some(id));
    ui.show_part(part);
    ui.take_segments(Some(id), segments);
    press(&mut ui, keys, dashboard, &capture_source());
    ui.observe(dashboard, &capture_source());
    let mut buf = Buffer::empty(area);
    draw(dashboard, &ui, &capture_source(), &Theme::new(theme, TimeZone::UTC), area, &mut buf);
    buf
}

const PARTS: [(FlowPart, &str); 2] = [(FlowPart::Ladder, "ladder"), (FlowPart::Graph, "graph")];

#[test]
fn ladder_and_graph_are_as_pictured() {
    for (part, name) in PARTS {
        for size in SIZES {
            let picture = text(&shown(part, "jjjjjjjjjjjj", size, ThemeName::Dark, |_| {}));
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), picture);
        }
    }
}

#[test]
fn a_wide_summary_has_the_ladders_beginning_where_the_life_leaves_room() {
    let summary = |size| text(&shown(FlowPart::Summary, "", size, ThemeName::Dark, |_| {}));
    insta::assert_snapshot!("flow_with_ladder_200x70", summary((200, 70)));
    for (size, expected) in [((200, 70), true), ((200, 30), false), ((120, 40), false)] {
        assert_eq!(summary(size).contains("l opens it"), expected, "{size:?}");
    }
    let unread =
        draw_with(&capture_flow(), FlowId(0), FlowPart::Summary, Segments::Unknown, "", (200, 70), ThemeName::Dark);
    assert!(!text(&unread).contains("l opens it"), "its segments have not been read");
}

#[test]
fn ladder_and_graph_are_styled_by_meaning() {
    for theme in [ThemeName::Dark, ThemeName::Light] {
        let meanings = Theme::new(theme, TimeZone::UTC);
        for (part, name) in PARTS {
            let picture = styles(&shown(part, "jj", (120, 40), theme, |_| {}), &meanings);
            insta::assert_snapshot!(format!("style_{name}_{}", theme.name()), picture);
        }
    }
}

#[test]
fn a_ladder_tells_no_more_than_was_known_at_its_instant() {
    let at = |micros: u64| {
        let to = move |dashboard: &mut Dashboard| dashboard.now = Some(begin() + Duration::from_micros(micros));
        text(&shown(FlowPart::Ladder, "G", (120, 40), ThemeName::Dark, to))
    };
    assert!(at(999_999).contains("SYN  seq 0") && !at(999_999).contains("sent again after"));
    assert!(at(1_000_000).contains("SYN  sent again after 1.00 s"));
    assert!(at(1_103_000).contains("1,448 B  lost"));
    assert!(!at(1_102_999).contains("B  lost") && at(1_103_000).contains("again, lost before: SACK hole"));
}

#[test]
fn runs_are_unfolded_and_folded_again() {
    let ladder = |keys: &str| text(&shown(FlowPart::Ladder, keys, (120, 60), ThemeName::Dark, |_| {}));
    let count = |text: &str| text.lines().filter(|line| line.contains('├') && line.contains("1,448 B")).count();
    let folded = ladder("");
    assert!(folded.contains("14 segments  20.3 kB  1–20,273") && folded.contains("7 ACKs back"), "{folded}");
    let down = "j".repeat(8);
    assert_eq!(count(&ladder(&format!("{down}\n"))), count(&folded) + 14);
    assert_eq!(count(&ladder(&format!("{down}\n\n"))), count(&folded));
    assert_eq!((count(&ladder("z")), count(&ladder("zZ"))), (count(&folded) + 14, count(&folded)));
}

#[test]
fn the_cursor_is_shared_and_the_graph_zooms_around_it() {
    let graph = |keys: &str| text(&shown(FlowPart::Graph, keys, (120, 40), ThemeName::Dark, |_| {}));
    let detail = |text: &str| text.lines().find(|line| line.contains(" #")).map(str::to_owned);
    let ladder = |keys: &str| text(&shown(FlowPart::Ladder, keys, (120, 40), ThemeName::Dark, |_| {}));
    assert_eq!(detail(&graph("jjj")), detail(&ladder("jjjl")));
    assert_eq!(graph("jzzZZZ"), graph("j"), "as far out as it goes is all of it");
    assert_ne!(graph("jzz"), graph("j"));
    assert_eq!(graph("jzz{{{{{{"), graph("jzz{{{{{{{"), "not before the first segment");
    assert_ne!(graph("jzz}"), graph("jzz"));
    assert!(
        graph("").contains("resp → orig") && graph("r").contains("orig → resp") && graph("rr").contains("resp → orig")
    );
    assert_eq!(graph("{}"), graph(""), "all of it is shown already");
}

#[test]
fn the_graph_opens_on_the_end_that_sent() {
    use Side::{Orig, Resp};
    let ends = [Endpoint::new([192, 0, 2, 1], 40_000), Endpoint::new([192, 0, 2, 2], 80)];
    let side = |syn_acks: u32| {
        let mut maker = Maker { begin: begin(), ends, inputs: Vec::new(), digest: 0 };
        maker.segment(0, Orig, Flags::SYN, (0, 0, 0));
        for n in 0..syn_acks {
            maker.segment(u64::from(n + 1) * 1_000, Resp, Flags::SYN | Flags::ACK, (0, 1, 0));
        }
        let key = FlowKey { scope: Scope::FILE, orig: ends[0], resp: ends[1], first: begin(), digest: 1 };
        let mut collector = Collector::new(key, begin());
        maker.inputs.iter().for_each(|input| collector.take(input));
        let transcript = collector.finish().expect("a transcript");
        crate::ui::FlowScreen::default().side(&transcript.entries)
    };
    assert_eq!([0, 1, 4].map(side), [Orig, Orig, Resp], "of a half-open flow the SYN-ACKs are what was sent");
}

#[test]
fn what_is_missing_is_said() {
    let dashboard = capture_flow();
    let id = dashboard.flow.as_ref().expect("a flow").row.id;
    let progress = Progress { done: 30, whole: 120, took: Duration::from_secs(1) };
    for (segments, words) in [
        (Segments::Unknown, "looking for its segments"),
        (Segments::Reading(None), "reading its segments again …"),
        (Segments::Reading(Some(progress)), "reading its segments again: 25.0%"),
        (Segments::Missing("segments are not kept".into()), "no segments to show: segments are not kept"),
    ] {
        for (part, _) in PARTS {
            let text = text(&draw_with(&dashboard, id, part, segments.clone(), "jG", (80, 24), ThemeName::Dark));
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    let early = |dashboard: &mut Dashboard| dashboard.now = Some(Timestamp::from_nanos(0));
    assert!(
        text(&shown(FlowPart::Graph, "zzGj{", (80, 24), ThemeName::Dark, early))
            .contains("none of its segments has come yet")
    );
}

#[test]
fn another_flow_s_segments_are_not_shown() {
    let dashboard = capture_flow();
    let detail = dashboard.flow.as_ref().expect("a flow");
    let ends = [detail.row.orig.endpoint, detail.row.resp.endpoint];
    let mut ui = UiState::new(Rect::new(0, 0, 80, 24), ThemeName::Dark);
    ui.show(crate::ui::View::Flow, Some(detail.row.id));
    let transcript = Segments::Read(Arc::new(story(ends, Timestamp::from_nanos(0))));
    ui.take_segments(Some(FlowId(99)), transcript);
    assert_eq!(*ui.flow().segments(), Segments::Unknown);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_size_and_no_key_breaks_them(
        width in 1_u16..=250, height in 1_u16..=70, keys in "[jkgGzZ{}lhrd?\n]{0,24}", graph in any::<bool>(), now in 0_u64..3_100,
    ) {
        let part = if graph { FlowPart::Graph } else { FlowPart::Ladder };
        let at = Some(begin() + Duration::from_millis(now));
        shown(part, &keys, (width, height), ThemeName::Dark, |dashboard| dashboard.now = at);
    }
}
