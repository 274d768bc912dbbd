//! The doors through which hostile bytes come in, one function each: any bytes at all must neither panic nor hang, and
//! what they lead to must keep the promises that are checked here. `tests/hostile.rs` drives them with mutations from a
//! fixed seed, `tests/fuzz` with a fuzzer.

use std::io::Cursor;
use std::time::Duration;

use sockscope::base::{Endpoint, Scope, Seq, Timestamp};
use sockscope::engine::{Config, Dashboard, Engine, Filter, FlowDetail, Input, Query, QueryCache};
use sockscope::journal::{CaptureReader, Intake, Item};
use sockscope::kernel::trace::{Layout, Page, fields};
use sockscope::kernel::{counters, diag, limits, local, proc_net::ProcTable, process};
use sockscope::wire::{AppRecords, Decoded, Decoder, Flags, Frame, LinkType, Options, Segment};

/// A door: what it is called, and what takes the bytes.
pub(crate) type Door = (&'static str, fn(&[u8]));

/// Every door.
pub(crate) const ALL: [Door; 10] = [
    ("capture", capture),
    ("frame", frame),
    ("options", options),
    ("fragments", fragments),
    ("names", names),
    ("filter", filter),
    ("trace", trace),
    ("proc", proc),
    ("netlink", netlink),
    ("segments", segments),
];

/// A capture or recording of any kind, read, decoded and fed to an engine with a small table.
pub(crate) fn capture(bytes: &[u8]) {
    let Ok(mut reader) = CaptureReader::open(Box::new(Cursor::new(bytes.to_vec()))) else { return };
    let mut engine = Engine::new(Config::replay(100, 1));
    let (mut intake, mut inputs) = (Intake::default(), Vec::new());
    // What a compressed file may swell to is its own affair; a door stays open for so long.
    for _ in 0..20_000 {
        let Ok(Some(item)) = reader.next_item() else { break };
        match item {
            Item::Frame(frame) => drop(intake.take(&frame, &mut inputs)),
            Item::Recorded(_, gave) => inputs.extend(gave),
            Item::Input(input) => inputs.push(input),
            Item::Mark(_) => {}
        }
        engine.feed_batch(&inputs);
        inputs.clear();
    }
    let told = told(&engine);
    assert!(told.flows.len() <= 100, "the table has a bound");
}

/// Two bytes that choose the link type, then a frame of it.
pub(crate) fn frame(bytes: &[u8]) {
    const LINKS: [u16; 20] = [1, 113, 276, 0, 101, 105, 127, 192, 9, 50, 51, 104, 10, 8, 239, 228, 229, 12, 107, 163];
    let Some((head, body)) = bytes.split_at_checked(2) else { return };
    let link = match head[0] {
        255 => u16::from_le_bytes([head[1], 0]),
        n => LINKS[usize::from(n) % LINKS.len()],
    };
    // A frame cut by the snap length claims more than it carries.
    let len = body.len() as u32 + u32::from(head[1]);
    if let Decoded::Tcp(segment) = decode(&mut Decoder::default(), link, body, len) {
        check_segment(&segment);
    }
}

/// The options of a TCP header, behind a header that is in order.
pub(crate) fn options(bytes: &[u8]) {
    let options = &bytes[..bytes.len().min(40)];
    let words = options.len().div_ceil(4);
    let mut packet = ipv4(20 + words * 4, 0, 0, 6);
    packet.extend([0x10, 0x00, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 2, ((5 + words) as u8) << 4, 0x12, 1, 0, 0, 0, 0, 0]);
    packet.extend(options);
    packet.resize(20 + 20 + words * 4, 0);
    let decoded = decode(&mut Decoder::default(), RAW, &packet, packet.len() as u32);
    let Decoded::Tcp(segment) = decoded else { panic!("a header in order: {decoded:?}") };
    assert_eq!(segment.payload_len, 0);
    check_segment(&segment);
}

/// Fragments of a few datagrams in any order, overlapping as they like: five bytes say which, then come its bytes.
pub(crate) fn fragments(mut bytes: &[u8]) {
    let mut decoder = Decoder::default();
    while let Some((head, rest)) = bytes.split_at_checked(5) {
        let body = &rest[..usize::from(head[4]).min(rest.len())];
        bytes = &rest[body.len()..];
        let flags = u16::from(head[0] & 1) << 13;
        let mut packet =
            ipv4(body.len(), u16::from(head[1] % 4), flags | u16::from(head[2]) << 1 | u16::from(head[3] & 1), 6);
        packet.extend(body);
        if let Decoded::Tcp(segment) = decode(&mut decoder, RAW, &packet, packet.len() as u32) {
            check_segment(&segment);
        }
    }
}

/// What two segments in a row carry, from a port that the first byte chooses; the second byte says where the first
/// ends.
pub(crate) fn names(bytes: &[u8]) {
    const PORTS: [u16; 4] = [443, 80, 53, 9999];
    let Some((head, body)) = bytes.split_at_checked(2) else { return };
    let (port, cut) = (PORTS[usize::from(head[0]) % 4].to_be_bytes(), usize::from(head[1]).min(body.len()));
    let (mut intake, mut inputs, mut seq) = (Intake::default(), Vec::new(), 1_u32);
    let mut engine = Engine::new(Config::replay(8, 1));
    for part in [&body[..cut], &body[cut..]] {
        let mut packet = ipv4(20 + part.len(), 0, 0, 6);
        // Either end may be the one that speaks.
        let ports = if head[0] & 4 == 0 { [[0x9c, 0x40], port] } else { [port, [0x9c, 0x40]] };
        packet.extend(ports.concat());
        packet.extend(seq.to_be_bytes());
        packet.extend([0, 0, 0, 9, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
        packet.extend(part);
        let (link, len) = (LinkType(RAW), packet.len() as u32);
        let frame = Frame { ts: at(seq.into()), scope: Scope::FILE, iface: 0, link, bytes: &packet, len };
        intake.take(&frame, &mut inputs);
        seq += part.len() as u32;
    }
    engine.feed_batch(&inputs);
    for name in told(&engine).flows.iter().filter_map(|flow| flow.row.name.as_ref()) {
        assert!(!name.text.as_str().chars().any(char::is_control), "scrubbed where it enters: {name:?}");
    }
}

/// Words typed as a filter: read or refused with the place, and what is read is written so that it is read again.
pub(crate) fn filter(bytes: &[u8]) {
    let text = sockscope::base::scrub(&String::from_utf8_lossy(&bytes[..bytes.len().min(300)]));
    match Filter::parse(&text) {
        Ok(filter) => assert_eq!(filter.text(), text),
        Err(error) => assert!(text.get(error.at.clone()).is_some(), "{text:?}: {error:?}"),
    }
}

/// A page of the tracing ring, behind a description of it that is in order, and that description itself.
pub(crate) fn trace(bytes: &[u8]) {
    const HEADER: &str = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: local_t commit;\toffset:8;\t\
                          size:8;\tsigned:1;\n\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";
    let layout = Layout::of(&fields(HEADER)).expect("a description in order");
    if let Some(page) = Page::parse(bytes, &layout) {
        page.entries(|_, record| assert!(record.len() <= bytes.len()));
    }
    let _fields = fields(&String::from_utf8_lossy(bytes));
}

/// The text files of /proc and /etc, each given the same text.
pub(crate) fn proc(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut table = ProcTable::default();
    table.add(&text);
    table.add(&text);
    let (bad, repeats) = (table.bad_rows() as usize, table.duplicates() as usize);
    assert!(bad + repeats + table.into_sockets().len() <= 2 * text.lines().count(), "a row is one thing");
    let texts = counters::CounterTexts { netstat: &text, snmp: &text, sockstat: &text, sockstat6: &text };
    let _counters = counters::parse(texts);
    let _limits = limits::read(|_| Some(text.clone().into_owned()));
    let _addresses = local::addresses(&text, &text);
    let _uid = process::effective_uid(&text);
    let _users = process::Users::parse(&text);
    for scrubbed in [process::stat(bytes).map(|stat| stat.comm), Some(process::cmdline(bytes))].into_iter().flatten() {
        assert!(!scrubbed.as_str().chars().any(char::is_control), "scrubbed where it enters");
    }
}

/// The payload of a sock_diag answer.
pub(crate) fn netlink(bytes: &[u8]) {
    let _socket = diag::socket(bytes);
}

/// Segments between a few endpoints, twelve bytes each. One by one with ticks between, or as a batch: the same.
pub(crate) fn segments(bytes: &[u8]) {
    let segments = made_segments(&bytes[..bytes.len().min(12 * 256)]);
    let mut one_by_one = Engine::new(Config::replay(8, 1));
    let mut batch = one_by_one.clone();
    for segment in &segments {
        let half_way = one_by_one.now().map(|now| now + segment.ts.since(now) / 2);
        if let Some(half_way) = half_way {
            one_by_one.feed(&Input::Tick(half_way));
        }
        one_by_one.feed(&Input::Segment(*segment));
    }
    let inputs: Vec<Input> = segments.into_iter().map(Input::Segment).collect();
    batch.feed_batch(&inputs);
    let (one_by_one, batch) = (told(&one_by_one), told(&batch));
    assert!(one_by_one == batch, "one by one with ticks, and as a batch: not the same");
    assert!(batch.flows.len() <= 8, "the table has a bound");
}

/// Everything that an engine can be asked.
#[derive(PartialEq)]
struct Told {
    dashboard: Dashboard,
    flows: Vec<FlowDetail>,
}

fn told(engine: &Engine) -> Told {
    let ids = engine.flow_ids(&Filter::default());
    let query = Query { rows: 100, selected: ids.first().copied(), ..Query::default() };
    let dashboard = engine.dashboard(&query, &mut QueryCache::default());
    Told { dashboard, flows: ids.into_iter().map(|id| engine.detail(id).expect("a listed flow")).collect() }
}

fn check_segment(segment: &Segment) {
    assert!(segment.options.wscale().is_none_or(|shift| shift <= 14), "RFC 7323 §2.3");
    assert!(segment.options.sack().len() <= 4);
}

/// LINKTYPE_RAW: the packet begins with its IP header.
const RAW: u16 = 101;

fn decode(decoder: &mut Decoder, link: u16, bytes: &[u8], len: u32) -> Decoded {
    decoder.decode(&Frame { ts: at(0), scope: Scope::FILE, iface: 0, link: LinkType(link), bytes, len })
}

/// An IPv4 header for `len` bytes of `protocol`; `fragment` holds the flags and the offset in units of 8 bytes.
fn ipv4(len: usize, id: u16, fragment: u16, protocol: u8) -> Vec<u8> {
    let [total, id, fragment] = [(20 + len) as u16, id, fragment].map(u16::to_be_bytes);
    let mut header = vec![0x45, 0, total[0], total[1], id[0], id[1], fragment[0], fragment[1], 64, protocol, 0, 0];
    header.extend([192, 0, 2, 1, 192, 0, 2, 2]);
    header
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + micros * 1_000)
}

/// Mostly what an endpoint could have sent next, so that a fuzzer gets past the handshake, and anything else besides.
fn made_segments(bytes: &[u8]) -> Vec<Segment> {
    let mut next = [[Seq(0); 2]; 4];
    let mut micros = 0_i64;
    let made = |chunk: &[u8]| {
        let &[pair, way, flags, seq, seq_scale, ack, len, window, wait, wait_scale, sack, stamp] = chunk else {
            unreachable!("chunks of twelve")
        };
        let (pair, way) = (usize::from(pair % 4), usize::from(way % 2));
        micros += i64::from(wait.cast_signed()) << (wait_scale % 24);
        let ends = [Endpoint::new([192, 0, 2, 1], 5000 + pair as u16), Endpoint::new([192, 0, 2, 2], 80)];
        let seq = next[pair][way] + (i32::from(seq.cast_signed()) << (seq_scale % 24)).cast_unsigned();
        let ack = next[pair][1 - way] + i32::from(ack.cast_signed()).cast_unsigned();
        let block = |n| (ack + n * u32::from(sack), ack + n * u32::from(sack) + u32::from(stamp));
        let stamps = (stamp > 128).then_some((u32::from(stamp), u32::from(ack.0 as u8)));
        let segment = Segment {
            ts: at(micros),
            scope: Scope::FILE,
            iface: 0,
            src: ends[way],
            dst: ends[1 - way],
            seq,
            ack,
            flags: Flags(u16::from(flags)),
            window: u16::from(window) << 4,
            payload_len: u32::from(len),
            malformed: wait_scale == 255,
            frame_len: 54 + u32::from(len),
            options: Options::default()
                .with_mss((sack == 200).then_some(1460))
                .with_wscale((stamp < 15).then_some(stamp))
                .with_sack_permitted(sack % 2 == 0)
                .with_sack((0..u32::from(sack % 5)).map(block))
                .with_timestamps(stamps)
                .with_cut(wait_scale == 254),
            ttl: 64 - (sack % 3),
            vlan: None,
            tunnel: None,
            digest: seq.0,
            app_records: AppRecords { count: sack % 3, len: u16::from(stamp) },
        };
        next[pair][way] = next[pair][way].latest(segment.end());
        segment
    };
    bytes.chunks_exact(12).map(made).collect()
}

/// How long nothing may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
