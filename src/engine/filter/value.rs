//! How values are read: numbers with units, ranges, addresses and networks, words by their beginning. `Err` says what
//! is expected.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use crate::base::{Endpoint, nearest};

use super::fields::Unit;

/// Where an end may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An address, or a network of so many leading bits.
    Within(IpAddr, u8),
    At(Endpoint),
    Port(u16),
    Loopback,
}

impl Place {
    /// `10.0.0.5`, `10.0.0.0/8`, `10.0.` (as tcpdump reads a short net), `10.0.0.5:80`, `:80`, `80`, `lo`.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("lo") {
            return Some(Self::Loopback);
        }
        let port = text.strip_prefix("*:").or_else(|| text.strip_prefix(':').filter(|port| !port.contains(':')));
        // A number alone: who means a network ends it with a dot.
        let alone = || Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(port) = port.or_else(alone) {
            return port.parse().ok().map(Self::Port);
        }
        if let Ok(end) = text.parse::<std::net::SocketAddr>() {
            return Some(Self::At(Endpoint::new(end.ip(), end.port())));
        }
        let bare = |text: &str| text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text).parse();
        match text.split_once('/') {
            None => match bare(text) {
                Ok(ip) => Some(Self::network(ip, None)),
                Err(_) => short(text),
            },
            Some((ip, bits)) => {
                let (ip, bits): (IpAddr, u8) = (bare(ip).ok()?, bits.parse().ok()?);
                (bits <= all_bits(ip)).then(|| Self::network(ip, Some(bits)))
            }
        }
    }

    /// An IPv4-mapped network is one of IPv4, as the ends are held.
    fn network(ip: IpAddr, bits: Option<u8>) -> Self {
        let bits = bits.unwrap_or(all_bits(ip));
        match (ip.to_canonical(), ip) {
            (mapped @ IpAddr::V4(_), IpAddr::V6(_)) if bits >= 96 => Self::Within(mapped, bits - 96),
            _ => Self::Within(ip, bits),
        }
    }

    /// Whether `end` is there.
    pub(super) fn holds(self, end: Endpoint) -> bool {
        match self {
            Self::Within(net, bits) => is_within(end.ip(), net, bits),
            Self::At(at) => at == end,
            Self::Port(port) => port == end.port(),
            Self::Loopback => end.ip().is_loopback(),
        }
    }
}

const fn all_bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// One to three octets of an IPv4 address, and a dot behind a single one: the network of all that begin so.
fn short(text: &str) -> Option<Place> {
    let octets: Vec<u8> =
        text.strip_suffix('.').unwrap_or(text).split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let mut all = [0; 4];
    all.get_mut(..octets.len()).filter(|_| octets.len() < 4)?.copy_from_slice(&octets);
    Some(Place::Within(Ipv4Addr::from(all).into(), u8::try_from(octets.len() * 8).ok()?))
}

fn is_within(ip: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            (u32::from(ip) ^ u32::from(net)).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            (u128::from(ip) ^ u128::from(net)).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// A number, or a range of them: `80`, `8000-8999`, `100ms-1s`.
pub(super) fn range(text: &str, unit: Unit) -> Option<RangeInclusive<u64>> {
    match text.split_once('-') {
        None => number(text, unit).map(|number| number..=number),
        Some((from, to)) => {
            let range = number(from, unit)?..=number(to, unit)?;
            (!range.is_empty()).then_some(range)
        }
    }
}

/// A number in the unit's smallest: bytes, bits a second, nanoseconds.
pub(super) fn number(text: &str, unit: Unit) -> Option<u64> {
    let text = text.to_lowercase();
    if unit == Unit::Time {
        return time(&text);
    }
    let (digits, name) = split(&text)?;
    let name = match unit {
        Unit::Bytes => name.strip_suffix('b').unwrap_or(name),
        Unit::BitsPerS => {
            ["bit/s", "bits/s", "bit", "bps"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
        }
        Unit::Label | Unit::Count | Unit::Time => name,
    };
    let factor: u64 = match name.trim() {
        "" => 1,
        _ if unit == Unit::Label => return None,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        _ => return None,
    };
    scaled(digits, factor)
}

/// One or more numbers with their units, `1m30s`; nothing but 0 goes without.
fn time(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (digits, tail) = split(rest)?;
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let factor = match &tail[..end] {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "" if digits == "0" => 1,
            _ => return None,
        };
        sum = sum.checked_add(scaled(digits, factor)?)?;
        rest = &tail[end..];
    }
    (!text.is_empty()).then_some(sum)
}

/// The digits that `text` begins with, and what comes after them.
fn split(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A decimal number times `factor`, where that is a whole number.
fn scaled(digits: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 18;
    if !digits(whole) || !digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let value = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u128>().ok() };
    let parts = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = (value(whole)? * parts + value(fraction)?).checked_mul(u128::from(factor))?;
    (scaled % parts == 0).then_some(scaled / parts).and_then(|value| u64::try_from(value).ok())
}

/// The places, among `words`, of those that `text` names in any common spelling: the one that it is, else (unless
/// `whole`) those that it begins. `Err` is the word that was probably meant.
pub(super) fn words(text: &str, whole: bool, words: &[(usize, &str)]) -> Result<u32, Option<String>> {
    let wanted = squash(text);
    let bits = |test: &dyn Fn(&str) -> bool| {
        let fitting = words.iter().filter(|(_, word)| test(&squash(word)));
        fitting.fold(0, |bits, (at, _)| bits | 1 << at)
    };
    let exact = bits(&|word| word == wanted);
    let begun = if whole || wanted.is_empty() { 0 } else { bits(&|word| word.starts_with(&wanted)) };
    match if exact != 0 { exact } else { begun } {
        0 => Err(nearest(text, words.iter().map(|(_, word)| *word)).map(spelled)),
        bits => Ok(bits),
    }
}

/// A word of a set as one types it: in small letters, without spaces.
pub(super) fn spelled(word: &str) -> String {
    word.to_lowercase().replace([' ', '_'], "-")
}

/// A name without what people write differently: case, hyphens, underscores, spaces.
pub(super) fn squash(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_units() {
        use Unit::{BitsPerS, Bytes, Count, Label, Time};
        for (text, unit, expected) in [
            ("80", Label, Some(80)),
            ("1k", Label, None),
            ("1.5k", Count, Some(1_500)),
            ("0.0001k", Count, None),
            ("2MiB", Bytes, Some(2 << 20)),
            ("64kB", Bytes, Some(64_000)),
            ("1b", Bytes, Some(1)),
            ("10Mbit/s", BitsPerS, Some(10_000_000)),
            ("1.5Gbps", BitsPerS, Some(1_500_000_000)),
            ("1m30s", Time, Some(90_000_000_000)),
            ("1.5s", Time, Some(1_500_000_000)),
            ("100ms", Time, Some(100_000_000)),
            ("250us", Time, Some(250_000)),
            ("0", Time, Some(0)),
            ("100", Time, None),
            ("s", Time, None),
            ("", Time, None),
            ("", Count, None),
            (".", Count, None),
            ("1.2.3", Count, None),
            ("99999999999999999999", Count, None),
            ("999999999999999999T", Bytes, None),
            ("9999999999999d", Time, None),
        ] {
            assert_eq!(number(text, unit), expected, "{text} {unit:?}");
        }
        assert_eq!(range("8000-8999", Label), Some(8000..=8999));
        assert_eq!((range("9-8", Label), range("-", Label), range("1-", Label)), (None, None, None));
    }

    #[test]
    fn places_hold_ends() {
        let end = |text: &str| {
            let end: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(end.ip(), end.port())
        };
        let (four, six) = ("10.0.0.5:80", "[2001:db8::5]:443");
        for (text, within, not) in [
            ("10.0.0.5", four, six),
            ("10.0.0.0/8", four, "11.0.0.5:80"),
            ("10.0.0.4/31", four, "10.0.0.6:80"),
            ("0.0.0.0/0", four, six),
            ("::/0", six, four),
            ("::ffff:10.0.0.0/104", four, "11.0.0.1:1"),
            ("10.0.", four, "10.1.0.5:80"),
            ("10.", four, "110.0.0.5:80"),
            ("80", four, six),
            ("10.0.0.5:80", four, "10.0.0.5:81"),
            ("[2001:db8::5]:443", six, "[2001:db8::5]:80"),
            ("[2001:db8::5]", six, four),
            ("2001:db8::/32", six, "[2001:db9::5]:443"),
            (":80", four, six),
            ("*:80", four, six),
            ("lo", "127.0.0.9:1", four),
            ("LO", "[::1]:1", six),
        ] {
            let place = Place::read(text).unwrap_or_else(|| panic!("{text}"));
            assert!(place.holds(end(within)) && !place.holds(end(not)), "{text}");
        }
        for text in
            ["", ".", "65536", "10.0.0.300", "10.0.0.0/33", "::/129", "1.2.3.4.5", ":99999", "10..", "host", "1.2.3.4/"]
        {
            assert_eq!(Place::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_word_is_the_whole_or_the_beginnings() {
        let all = [(0, "FIN-WAIT-1"), (1, "FIN-WAIT-2"), (2, "SH"), (3, "SHR")];
        for (text, whole, expected) in [
            ("fin", false, Ok(0b11)),
            ("finwait1", false, Ok(0b01)),
            ("FIN_WAIT_2", true, Ok(0b10)),
            ("fin", true, Err(None)),
            ("sh", false, Ok(0b100)),
            ("s", false, Ok(0b1100)),
            ("fin-wiat-1", false, Err(Some("fin-wait-1".to_owned()))),
            ("", false, Err(None)),
        ] {
            assert_eq!(words(text, whole, &all), expected, "{text}");
        }
    }
}
