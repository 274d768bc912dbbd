//! Inputs at random, of every kind.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{ANY, ETHERNET, Given, SCOPE, frame_of};
use crate::base::{Endpoint, Mark, Scope, Scrubbed, Seq, Timestamp};
use crate::engine::{Input, Loss};
use crate::journal::Intake;
use crate::kernel::{Close, Connect, KernelEvent, LastWord, LostEvents, Process, Rung};
use crate::names::{Alert, ClientHello, Dns, DnsSays, FlowName, Message, Request, Response, ServerHello, TlsVersion};
use crate::wire::{
    AppRecords, Flags, FrameCounts, IcmpError, IcmpQuote, Options, Segment, Tunnel, TunnelId, TunnelKind, VlanId,
};

/// Times around one instant, so that they come out of order too; and the edges of time.
pub(super) fn ts() -> impl Strategy<Value = Timestamp> {
    let near = 1_700_000_000_000_000_000i64..1_700_000_003_000_000_000;
    prop_oneof![20 => near, 1 => any::<i64>()].prop_map(Timestamp::from_nanos)
}

pub(super) fn text() -> impl Strategy<Value = Scrubbed> {
    prop_oneof!["[a-z.=\n]{0,12}", "\\PC{0,6}", Just("\u{202e}\0naïve".to_owned())]
        .prop_map(|text| Scrubbed::new(&text))
}

pub(super) fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (1u8..4).prop_map(|last| IpAddr::from([10, 0, 0, last])),
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        Just("::ffff:192.0.2.1".parse().expect("an address")),
    ]
}

pub(super) fn end() -> impl Strategy<Value = Endpoint> {
    (address(), prop_oneof![Just(80u16), 40_000u16..40_004, any::<u16>()])
        .prop_map(|(ip, port)| Endpoint::new(ip, port))
}

pub(super) fn process() -> impl Strategy<Value = Arc<Process>> {
    // Few of them, so that most are told before.
    (1u32..5, any::<Option<bool>>(), text()).prop_map(|(pid, started, cmdline)| {
        let start_time = started.map(u64::from);
        Arc::new(Process { pid, start_time, comm: Scrubbed::new("curl"), cmdline, user: Scrubbed::new("root") })
    })
}

fn rung() -> impl Strategy<Value = Rung> {
    prop_oneof![Just(Rung::Trace), Just(Rung::Syn), Just(Rung::Scan)]
}

fn kernel() -> impl Strategy<Value = KernelEvent> {
    let scope = any::<u32>().prop_map(Scope);
    let connect =
        (ts(), ts(), (end(), end()), prop::option::of(process()), any::<(Option<bool>, bool, Option<bool>)>(), rung());
    let connect = connect.prop_map(|(begin, end, (local, peer), process, (here, bound, connected), rung)| {
        KernelEvent::Connect(Connect { begin, end, scope: SCOPE, local, peer, process, here, bound, connected, rung })
    });
    let close = (ts(), scope, end(), end(), process(), rung());
    let close = close.prop_map(|(ts, scope, local, peer, process, rung)| {
        KernelEvent::Close(Close { ts, scope, local, peer, process, rung })
    });
    let lost = (ts(), ts(), any::<u64>(), any::<bool>());
    let word = ((ts(), end(), end()), any::<Option<u64>>(), any::<u32>(), super::tables::info());
    let word = word.prop_map(|((ts, local, peer), cookie, unread, info)| {
        KernelEvent::LastWord(LastWord { ts, scope: SCOPE, local, peer, cookie, unread, info: Box::new(info) })
    });
    prop_oneof![
        4 => connect,
        4 => close,
        1 => ts().prop_map(KernelEvent::Tracing),
        4 => word.boxed(),
        1 => ts().prop_map(KernelEvent::LastWords),
        1 => lost.prop_map(|(ts, until, total, last)| {
            let lost = LostEvents { ts, until, total };
            if last { KernelEvent::LastWordsLost(lost) } else { KernelEvent::Lost(lost) }
        }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let texts = || (prop::option::of(text()), prop::option::of(text()));
    prop_oneof![
        (texts(), any::<[bool; 2]>()).prop_map(|((sni, alpn), [early_data, tickets])| {
            Message::ClientHello(ClientHello { sni, alpn, early_data, tickets })
        }),
        (any::<Option<u16>>(), prop::option::of(text()), any::<bool>()).prop_map(|(version, alpn, retry)| {
            Message::ServerHello(ServerHello { version: version.map(TlsVersion), alpn, retry })
        }),
        any::<(bool, u8)>().prop_map(|(fatal, description)| Message::Alert(Alert { fatal, description })),
        (text(), prop::option::of(text())).prop_map(|(method, host)| Message::Request(Request { method, host })),
        (any::<u16>(), prop::option::of(text()))
            .prop_map(|(status, reason)| Message::Response(Response { status, reason })),
        Just(Message::Http2Preface),
    ]
}

fn name() -> impl Strategy<Value = Input> {
    ((ts(), ts()), (end(), end()), any::<(u32, u32, Option<u32>)>(), message()).prop_map(
        |((ts, since), (src, dst), (seq, end, ack), message)| {
            let (seq, end, ack) = (Seq(seq), Seq(end), ack.map(Seq));
            Input::Name(FlowName { ts, since, scope: SCOPE, src, dst, seq, end, ack, message })
        },
    )
}

fn dns() -> impl Strategy<Value = Input> {
    let says = prop_oneof![Just(DnsSays::Query), prop::collection::vec(address(), 0..4).prop_map(DnsSays::Answer)];
    (ts(), end(), end(), any::<u16>(), text(), says).prop_map(|(ts, client, server, id, name, says)| {
        Input::Dns(Dns { ts, scope: SCOPE, client, server, id, name, says })
    })
}

fn loss() -> impl Strategy<Value = Input> {
    (ts(), any::<[Option<u64>; 2]>(), any::<[u64; 5]>(), any::<[u64; 9]>()).prop_map(
        |(ts, [kernel, interface], [ours, a, b, c, d], undecoded)| {
            let mut frames = FrameCounts::default().with_undecoded(&undecoded);
            (frames.frames, frames.segments, frames.not_tcp, frames.joined) = (a / 2, b / 2, c / 2, d / 2);
            Input::Loss(Box::new(Loss { ts, kernel, interface, ours, frames }))
        },
    )
}

prop_compose! {
    fn options()(
        mss in any::<Option<u16>>(),
        wscale in any::<Option<u8>>(),
        [sack_permitted, fast_open, cut] in any::<[bool; 3]>(),
        blocks in prop::collection::vec(any::<(u32, u32)>(), 0..5),
        timestamps in any::<Option<(u32, u32)>>(),
        mptcp in any::<Option<u8>>(),
    ) -> Options {
        let blocks = blocks.into_iter().map(|(left, right)| (Seq(left), Seq(right)));
        let offers = Options::default().with_mss(mss).with_wscale(wscale).with_sack_permitted(sack_permitted);
        let rest = offers.with_fast_open(fast_open).with_mptcp(mptcp).with_cut(cut);
        rest.with_timestamps(timestamps).with_sack(blocks)
    }
}

prop_compose! {
    pub(super) fn segment()(
        (ts, scope, iface) in (ts(), any::<u32>(), any::<u32>()),
        (src, dst) in (end(), end()),
        (seq, ack, flags, window, payload_len) in any::<(u32, u32, u16, u16, u32)>(),
        (malformed, frame_len, ttl, vlan, digest) in any::<(bool, u32, u8, Option<u16>, u32)>(),
        (count, len) in any::<(u8, u16)>(),
        tunnel in any::<Option<Option<u32>>>(),
        options in options(),
    ) -> Segment {
        let tunnel = tunnel.map(|id| Tunnel { kind: TunnelKind::Vxlan, id: id.map(TunnelId::from) });
        let vlan = vlan.map(VlanId::of_tag);
        let (seq, ack, flags, scope) = (Seq(seq), Seq(ack), Flags(flags), Scope(scope));
        let app_records = AppRecords { count, len };
        Segment {
            ts, scope, iface, src, dst, seq, ack, flags, window, payload_len, malformed, frame_len, options, ttl, vlan,
            tunnel, digest, app_records,
        }
    }
}

fn icmp() -> impl Strategy<Value = Input> {
    (ts(), address(), any::<(bool, u8, u8)>(), end(), end(), any::<(u32, Option<u16>, Option<u32>)>()).prop_map(
        |(ts, from, (v6, kind, code), src, dst, (seq, flags, mtu))| {
            let (error, seq, flags) = (IcmpError { v6, kind, code }, Seq(seq), flags.map(Flags));
            Input::Icmp(IcmpQuote { ts, scope: SCOPE, from, error, src, dst, seq, flags, mtu })
        },
    )
}

/// An input of any kind but the socket table.
pub(super) fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => kernel().prop_map(Input::Kernel).boxed(),
        2 => name().boxed(),
        2 => dns().boxed(),
        2 => loss().boxed(),
        1 => segment().prop_map(Input::Segment).boxed(),
        1 => icmp().boxed(),
        6 => ts().prop_map(Input::Tick).boxed(),
    ]
}

/// What stands before the payload, as the test has it: TCP with options, or UDP.
fn datagram(v6: bool, tcp: bool, words: u8, part: u16, payload: &[u8]) -> Vec<u8> {
    let mut transport = vec![0x9c, 0x40, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, (5 + words) << 4, 0x18, 0xff, 0xff, 0, 0, 0, 0];
    // Timestamps first, then nothing.
    transport.extend([8, 10, 0, 0, 0, 9, 0, 0, 0, 7].into_iter().chain([1; 30]).take(4 * usize::from(words)));
    if !tcp {
        transport = vec![0x9c, 0x40, 0, 53, 0, 0, 0, 0];
    }
    transport.extend(payload);
    let protocol = if tcp { 6 } else { 17 };
    let len = transport.len() as u16;
    let header = if v6 {
        let ends = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1], &[0x20, 1, 0xd, 0xb8], &[0; 11], &[2]].concat();
        [&[0x60, 0, 0, 0][..], &len.to_be_bytes(), &[protocol, 64], &ends].concat()
    } else {
        let (total, part) = ((len + 20).to_be_bytes(), part.to_be_bytes());
        vec![0x45, 0, total[0], total[1], 0, 9, part[0], part[1], 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    };
    [header, transport].concat()
}

/// Payloads that say something behind the cut: TLS records, a name, a lookup, or nothing.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let record = |len: u8| [&[0x17, 3, 3, 0, len][..], &vec![0xaa; len.into()]].concat();
    prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 0..80),
        prop::collection::vec((0u8..40).prop_map(record), 1..4).prop_map(|records| records.concat()),
        Just(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n".to_vec()),
        Just(b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x04shop\x07example\0\0\x01\0\x01".to_vec()),
    ]
}

/// A frame of either source, with padding, cut by the snap length or not; or any bytes.
fn frame() -> impl Strategy<Value = (usize, Vec<u8>, u32)> {
    // Whole, mostly; or a first, middle and last fragment.
    let part = prop_oneof![6 => Just(0u16), 1 => Just(0x2000), 1 => Just(0x2001), 1 => Just(1)];
    let well_formed =
        (any::<[bool; 3]>(), 0u8..10, part, payload(), 0usize..8, prop_oneof![Just(500usize), 0usize..120]);
    let well_formed = well_formed.prop_map(|([any, v6, udp], words, part, payload, padding, snaplen)| {
        let kind: [u8; 2] = if v6 { [0x86, 0xdd] } else { [8, 0] };
        let link = match any {
            true => [&kind[..], &[0, 0, 0, 0, 0, 42, 0, 1, 0, 6], &[0; 8]].concat(),
            false => [&[2; 12][..], &kind].concat(),
        };
        let datagram = datagram(v6, !udp, words, part, &payload);
        let mut bytes = [link, datagram, vec![0; padding]].concat();
        let len = bytes.len() as u32;
        bytes.truncate(snaplen);
        (if any { ANY } else { ETHERNET }, bytes, len)
    });
    let hostile = (0usize..2, prop::collection::vec(any::<u8>(), 0..90), any::<u8>());
    let hostile = hostile.prop_map(|(source, bytes, len)| (source, bytes, len.into()));
    prop_oneof![9 => well_formed.boxed(), 1 => hostile.boxed()].boxed()
}

/// Frames as a source gives them, with what they really give; now and then with something else.
#[derive(Debug, Clone)]
pub(super) enum Made {
    Frame((usize, Vec<u8>, u32), Timestamp),
    FrameThatGave((usize, Vec<u8>, u32), Timestamp, Option<Input>),
    Input(Input),
    Mark(Mark),
}

pub(super) fn made() -> impl Strategy<Value = Made> {
    let anything = prop_oneof![segment().prop_map(Input::Segment).boxed(), icmp().boxed()].boxed();
    // In boxes, and so are those above: what they hold is too large for a stack together.
    prop_oneof![
        10 => (frame(), ts()).prop_map(|(frame, ts)| Made::Frame(frame, ts)).boxed(),
        1 => (frame(), ts(), prop::option::of(anything))
            .prop_map(|(frame, ts, gave)| Made::FrameThatGave(frame, ts, gave)).boxed(),
        6 => input().prop_map(Made::Input).boxed(),
        1 => (ts(), text()).prop_map(|(ts, note)| Made::Mark(Mark { ts, note })).boxed(),
    ]
}

/// What a live run hands to the recorder for that.
pub(super) fn given(made: Vec<Made>) -> Vec<Given> {
    let mut intakes = [Intake::default(), Intake::default()];
    let mut given = Vec::new();
    for made in made {
        match made {
            Made::Frame((source, bytes, len), ts) => {
                let mut inputs = Vec::new();
                intakes[source].take(&frame_of(source, ts, len, &bytes), &mut inputs);
                let own = inputs.first().is_some_and(Input::is_frames_own);
                let gave = own.then(|| inputs.remove(0));
                given.push(Given::Frame { source, ts, len, bytes, gave });
                given.extend(inputs.into_iter().map(Given::Input));
            }
            Made::FrameThatGave((source, bytes, len), ts, gave) => {
                given.push(Given::Frame { source, ts, len, bytes, gave });
            }
            Made::Input(input) => given.push(Given::Input(input)),
            Made::Mark(mark) => given.push(Given::Mark(mark)),
        }
    }
    given
}

pub(super) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
