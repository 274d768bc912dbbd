//! Roads to TCP, live, with what a kernel really sends: VXLAN in fragments, ICMP errors about a SYN.
//!
//! May touch network namespaces that it makes itself. Needs root; says so where it is not.
#![cfg(feature = "live")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use sockscope::io::capture::{CaptureSettings, LiveCapture};
use sockscope::wire::{Decoded, Decoder, FrameCounts};

#[path = "support/netns.rs"]
mod netns;

use netns::{Pair, alone, skip};

const DEADLINE: Duration = Duration::from_secs(20);

fn capture(device: &str) -> LiveCapture {
    let settings = CaptureSettings { device: device.to_owned(), snaplen: 256, buffer_kib: 4096, filter: None };
    LiveCapture::open(&settings).expect("a capture")
}

/// Reads until `enough`, which is shown everything decoded.
fn read_until(capture: &mut LiveCapture, mut enough: impl FnMut(Decoded) -> bool) -> FrameCounts {
    let begun = Instant::now();
    let mut decoder = Decoder::default();
    let mut done = false;
    while !done {
        assert!(begun.elapsed() < DEADLINE, "not seen: {:?}", decoder.counts());
        capture.read(|frame| done |= enough(decoder.decode(frame))).expect("the capture goes on");
    }
    decoder.counts()
}

#[test]
fn an_icmp_error_names_who_rejected_a_syn_and_why() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("icmp");
    let forwards = pair.b.command("sysctl").args(["-qw", "net.ipv4.ip_forward=1"]).status();
    if !forwards.is_ok_and(|status| status.success()) {
        return skip("needs sysctl");
    }
    pair.b.ip(&["route", "add", "prohibit", "10.78.1.0/24"]);
    pair.b.ip(&["route", "add", "unreachable", "10.78.2.0/24"]);
    pair.a.run(|| {
        let mut capture = capture("va");
        for (dst, meaning) in [("10.78.1.5:80", "administratively prohibited"), ("10.78.2.5:80", "host unreachable")] {
            TcpStream::connect_timeout(&dst.parse().unwrap(), DEADLINE).expect_err("a refusal");
            let (mut syn, mut told) = (None, None);
            read_until(&mut capture, |decoded| {
                match decoded {
                    Decoded::Tcp(segment) if segment.dst.to_string() == dst => syn = Some(segment),
                    Decoded::Icmp(quote) if quote.dst.to_string() == dst => told = Some(quote),
                    _ => {}
                }
                told.is_some()
            });
            let (syn, told) = (syn.expect("the SYN"), told.expect("the error"));
            assert_eq!((told.from.to_string().as_str(), told.error.meaning()), ("10.77.0.2", meaning));
            assert_eq!((told.src, told.seq, told.flags), (syn.src, syn.seq, Some(syn.flags)));
        }
    });
}

#[test]
fn a_stream_through_vxlan_in_fragments_is_seen_whole() {
    const BYTES: usize = 100_000;
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("vxlan");
    for (netns, local, remote, inner) in
        [(&pair.a, "10.77.0.1", "10.77.0.2", "10.79.0.1/24"), (&pair.b, "10.77.0.2", "10.77.0.1", "10.79.0.2/24")]
    {
        netns.ip(&[
            "link", "add", "vx", "type", "vxlan", "id", "42", "dstport", "4789", "local", local, "remote", remote,
        ]);
        netns.ip(&["addr", "add", inner, "dev", "vx"]);
        // As much as the link beneath takes, so that what VXLAN adds makes fragments.
        netns.ip(&["link", "set", "vx", "mtu", "1500", "up"]);
    }
    let listener = pair.b.run(|| TcpListener::bind("10.79.0.2:99").unwrap());
    let server = std::thread::spawn(move || {
        let mut sent = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut sent).unwrap();
        sent.len()
    });
    let (segments, counts) = pair.a.run(|| {
        let mut capture = capture("va");
        TcpStream::connect("10.79.0.2:99").unwrap().write_all(&[7; BYTES]).unwrap();
        let mut segments = Vec::new();
        let counts = read_until(&mut capture, |decoded| {
            let Decoded::Tcp(segment) = decoded else { return false };
            segments.push(segment);
            segment.flags.fin() && segment.dst.port() == 99
        });
        (segments, counts)
    });
    assert_eq!(server.join().unwrap(), BYTES);
    let sent = || segments.iter().filter(|segment| segment.dst.port() == 99);
    let iss = sent().find(|segment| segment.flags.pure_syn()).expect("the SYN").seq;
    let fin = sent().find(|segment| segment.flags.fin()).expect("the FIN");
    assert_eq!(fin.end().offset_from(iss), BYTES as i32 + 2);
    assert_ne!(fin.iface, 0, "the interface is told");
    assert_eq!(fin.tunnel.map(|tunnel| tunnel.to_string()).as_deref(), Some("VXLAN 42"));
    let payload: u32 = sent().map(|segment| segment.payload_len).sum();
    assert!(payload as usize >= BYTES, "{payload}, each byte at least once");
    assert!(counts.joined > 0, "no fragment was joined: {counts:?}");
}
