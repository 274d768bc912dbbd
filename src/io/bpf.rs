//! A BPF filter over frames in userspace: one expression, compiled by libpcap for each link type it meets.
//!
//! May touch libpcap's compiler and nothing else. Read first: pcap-filter(7), pcap_offline_filter(3PCAP).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use pcap::{BpfProgram, Capture, Linktype};

use crate::wire::{Frame, LinkType};

const NULL: LinkType = LinkType(0);
const LOOP: LinkType = LinkType(108);

/// A filter expression as tcpdump takes it, and its programs.
pub struct FrameFilter {
    expression: String,
    programs: HashMap<LinkType, Result<Program, BpfError>>,
}

/// Why an expression cannot be a filter for frames of a link type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter '{expression}' cannot be used on frames of link type {}: {reason}{}", link.0, hint(expression))]
pub struct BpfError {
    pub expression: String,
    pub link: LinkType,
    /// libpcap's words.
    pub reason: String,
}

/// A word that begins as an option does is none of a filter's: it came too late.
fn hint(expression: &str) -> &'static str {
    let is_option = |word: &str| word.starts_with('-') && word.contains(|c: char| c.is_ascii_alphabetic());
    if expression.split_whitespace().any(is_option) { " (options go before the filter's words)" } else { "" }
}

struct Program {
    code: BpfProgram,
    /// It asks for the frame's length (`len`, `greater`, `less`).
    reads_len: bool,
}

impl FrameFilter {
    /// A filter by `expression`; the empty one lets every frame pass. [`FrameFilter::check`] tells whether it is valid.
    pub fn new(expression: &str) -> Self {
        Self { expression: expression.to_owned(), programs: HashMap::new() }
    }

    /// Whether the expression can be used on frames of that link type.
    pub fn check(&self, link: LinkType) -> Result<(), BpfError> {
        match self.programs.get(&link) {
            Some(compiled) => compiled.as_ref().map(|_| ()).map_err(Clone::clone),
            None => compile(&self.expression, link).map(drop),
        }
    }

    /// Whether the frame passes. Where the snap length cut a frame, a test on bytes that are not there fails, except in
    /// an expression that asks for the frame's length: there they count as 0.
    pub fn matches(&mut self, frame: &Frame<'_>) -> Result<bool, BpfError> {
        let compiled = self.programs.entry(frame.link).or_insert_with(|| compile(&self.expression, frame.link));
        compiled.as_ref().map(|program| program.matches(frame)).map_err(Clone::clone)
    }
}

fn compile(expression: &str, link: LinkType) -> Result<Program, BpfError> {
    let compiled = Capture::dead(dlt(link)).and_then(|dead| dead.compile(expression, true));
    compiled.map(Program::new).map_err(|error| BpfError {
        expression: expression.to_owned(),
        link,
        reason: match error {
            pcap::Error::PcapError(words) => words,
            other => other.to_string(),
        },
    })
}

impl fmt::Debug for FrameFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let links: Vec<_> = self.programs.keys().collect();
        f.debug_struct("FrameFilter").field("expression", &self.expression).field("compiled_for", &links).finish()
    }
}

impl Program {
    fn new(code: BpfProgram) -> Self {
        // An instruction shows itself as "code jt jf k" and not otherwise; BPF_LD|BPF_LEN and BPF_LDX|BPF_LEN.
        let reads_len = code.get_instructions().iter().any(|instruction| {
            let text = instruction.to_string();
            text.starts_with("128 ") || text.starts_with("129 ")
        });
        Self { code, reads_len }
    }

    fn matches(&self, frame: &Frame<'_>) -> bool {
        let mut bytes = Cow::Borrowed(frame.bytes);
        if matches!(frame.link, NULL | LOOP) {
            write_family_as_here(frame.link, &mut bytes);
        }
        if self.reads_len {
            restore_len(&mut bytes, frame.len);
        }
        self.code.filter(&bytes)
    }
}

/// libpcap compiles for a DLT; it is the LINKTYPE of files but for raw IP.
fn dlt(link: LinkType) -> Linktype {
    const DLT_RAW: Linktype = Linktype(12);
    match link.0 {
        101 | 14 => DLT_RAW,
        other => Linktype(i32::from(other)),
    }
}

/// The pcap crate gives programs the captured length as the frame's: lengthens a cut frame by zeroes, as far as any
/// frame reaches (libpcap's MAXIMUM_SNAPLEN).
fn restore_len(bytes: &mut Cow<'_, [u8]>, len: u32) {
    const MAX_SNAPLEN: usize = 262_144;
    let len = usize::try_from(len).unwrap_or(MAX_SNAPLEN).min(MAX_SNAPLEN);
    if bytes.len() < len {
        bytes.to_mut().resize(len, 0);
    }
}

/// libpcap compiles NULL and LOOP for this machine's AF_INET6, and NULL for its byte order: writes the address family
/// of a frame that was captured elsewhere so.
fn write_family_as_here(link: LinkType, bytes: &mut Cow<'_, [u8]>) {
    const AF_INET6: u32 = 10;
    let Some(there) = bytes.first_chunk::<4>().copied() else { return };
    let big = u32::from_be_bytes(there);
    let family = match big.min(big.swap_bytes()) {
        10 | 24 | 28 | 30 => AF_INET6,
        other => other,
    };
    let here = if link == LOOP { family.to_be_bytes() } else { family.to_ne_bytes() };
    if here != there {
        bytes.to_mut()[..4].copy_from_slice(&here);
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;
    use crate::base::{Scope, Timestamp};

    const ETHERNET: LinkType = LinkType(1);

    fn matches(expression: &str, link: LinkType, bytes: &[u8], len: usize) -> bool {
        let frame = Frame { ts: Timestamp::default(), scope: Scope::FILE, iface: 0, link, bytes, len: len as u32 };
        FrameFilter::new(expression).matches(&frame).expect("a filter that compiles")
    }

    fn datagram_v4() -> Vec<u8> {
        let mut bytes = Vec::new();
        let packet = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).tcp(4000, 80, 1, 1024);
        packet.write(&mut bytes, &[0; 600]).unwrap();
        bytes
    }

    fn datagram_v6() -> Vec<u8> {
        let mut bytes = Vec::new();
        PacketBuilder::ipv6([1; 16], [2; 16], 64).tcp(4000, 80, 1, 1024).write(&mut bytes, &[]).unwrap();
        bytes
    }

    fn behind(header: &[u8], datagram: &[u8]) -> Vec<u8> {
        [header, datagram].concat()
    }

    #[test]
    fn one_expression_on_every_link_type() {
        let mut ethernet = [0; 14];
        ethernet[12] = 8;
        let mut sll = [0; 16];
        sll[14] = 8;
        let mut sll2 = [0; 20];
        sll2[0] = 8;
        for (link, header) in [
            (1, &ethernet[..]),
            (0, &2u32.to_ne_bytes()),
            (0, &2u32.swap_bytes().to_ne_bytes()),
            (108, &[0, 0, 0, 2]),
            (12, &[]),
            (14, &[]),
            (101, &[]),
            (228, &[]),
            (113, &sll),
            (276, &sll2),
        ] {
            let frame = behind(header, &datagram_v4());
            let link = LinkType(link);
            for (expression, expected) in [
                ("", true),
                ("tcp port 80", true),
                ("host 192.0.2.1 and tcp dst port 80", true),
                ("tcp port 81", false),
                ("udp", false),
            ] {
                assert_eq!(matches(expression, link, &frame, frame.len()), expected, "{expression:?} on {link:?}");
            }
        }
    }

    #[test]
    fn ipv6_of_every_bsd() {
        for family in [10u32, 24, 28, 30] {
            for (link, header) in [(0, family.to_le_bytes()), (0, family.to_be_bytes()), (108, family.to_be_bytes())] {
                let frame = behind(&header, &datagram_v6());
                assert!(matches("ip6 and tcp port 80", LinkType(link), &frame, frame.len()), "{family} on {link}");
                assert!(!matches("ip", LinkType(link), &frame, frame.len()), "{family} on {link}");
            }
        }
        assert!(matches("ip6", LinkType(229), &datagram_v6(), 60));
    }

    #[test]
    fn length_is_the_frame_s_not_what_was_captured() {
        let frame = behind(&[0; 14], &datagram_v4());
        for (expression, expected) in
            [("greater 600", true), ("less 100", false), ("len > 653", true), ("len > 654", false)]
        {
            assert_eq!(matches(expression, ETHERNET, &frame[..60], frame.len()), expected, "{expression}");
            assert_eq!(matches(expression, ETHERNET, &frame, frame.len()), expected, "{expression}, whole");
        }
    }

    #[test]
    fn a_test_on_bytes_that_were_cut_fails() {
        let mut frame = behind(&[0; 14], &datagram_v4());
        frame[12] = 8;
        assert!(matches("tcp[100] = 0", ETHERNET, &frame, frame.len()));
        assert!(!matches("tcp[100] = 0", ETHERNET, &frame[..60], frame.len()));
        assert!(!matches("ip", ETHERNET, &[], 60));
    }

    #[test]
    fn an_error_names_the_expression_the_link_type_and_the_reason() {
        let error = FrameFilter::new("tcp prot 80").check(ETHERNET).unwrap_err();
        assert_eq!(error.expression, "tcp prot 80");
        let text = error.to_string();
        assert!(text.starts_with("the filter 'tcp prot 80' cannot be used on frames of link type 1: "), "{text}");
        assert!(text.contains("syntax error"), "{text}");
        for (expression, hinted) in
            [("port 80 --format json", true), ("port 80 -q", true), ("tcp[0] - 5 = port", false), ("port -80", false)]
        {
            let text = FrameFilter::new(expression).check(ETHERNET).unwrap_err().to_string();
            assert_eq!(text.ends_with(" (options go before the filter's words)"), hinted, "{text}");
        }
        assert_eq!(FrameFilter::new("tcp port 80").check(ETHERNET), Ok(()));
        assert!(FrameFilter::new("a\0b").check(ETHERNET).is_err());
        assert!(FrameFilter::new("ether host 1:2:3:4:5:6").check(LinkType(101)).is_err());
    }
}
