//! Numbers, times and addresses as text: one unit for one thing.

use std::net::IpAddr;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::units::scaled;
pub(super) use crate::base::units::{age, bytes, count, counted, rate, rate_over, span, watched};
use crate::base::{Endpoint, Timestamp};
use crate::engine::Ownership;
use crate::kernel::Process;

use super::widgets::{fit, middle, width};

/// What stands where nothing was recorded, in a table's cell.
pub(super) const ABSENT: &str = "·";

/// A count in at most five characters: `999`, `12.4k`, `3.1M`.
pub(super) fn short_count(n: u64) -> String {
    if n < 1_000 { n.to_string() } else { scaled(n as f64, &["", "k", "M", "G", "T", "P", "E"]) }
}

/// Bits a second: `640 bit/s`, `81.0 Mbit/s`.
pub(super) fn bits(n: u64) -> String {
    if n < 1_000 {
        return format!("{n} bit/s");
    }
    scaled(n as f64, &[" bit/s", " kbit/s", " Mbit/s", " Gbit/s", " Tbit/s", " Pbit/s", " Ebit/s"])
}

/// `part` of `whole` in percent, rounded to a tenth; but what is not all is never 100%, nor what is not nothing 0%:
/// `<0.1%` where it is less.
/// Nothing of nothing has no share.
pub(super) fn percent(part: u64, whole: u64) -> Option<String> {
    let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
    let rounded = (part * 2_000 + whole).checked_div(whole * 2)?;
    let tenths = match part {
        0 => 0,
        _ if part == whole => 1_000,
        _ => rounded.clamp(1, 999),
    };
    let less = if part > 0 && part * 1_000 < whole { "<" } else { "" };
    Some(format!("{less}{}.{}%", tenths / 10, tenths % 10))
}

/// Place in a recording: `0:12.5`, `1:02:03.0`, `1122 d 08:09`.
pub(super) fn position(time: Duration) -> String {
    let (secs, tenths) = (time.as_secs(), time.subsec_millis() / 100);
    let (h, m, s) = (secs / 3_600, secs / 60 % 60, secs % 60);
    match h {
        48.. => format!("{} d {:02}:{m:02}", h / 24, h % 24),
        1.. => format!("{h}:{m:02}:{s:02}.{tenths}"),
        0 => format!("{m}:{s:02}.{tenths}"),
    }
}

/// The clock of the zone: `14:03:22`.
pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone, "%H:%M:%S")
}

/// The clock with milliseconds.
pub(super) fn clock_ms(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone, "%H:%M:%S%.3f")
}

/// The day too, and the offset from UTC: `2026-11-21 14:03:22 +01:00`.
pub(super) fn date_clock(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone, "%Y-%m-%d %H:%M:%S %:z")
}

fn zoned(at: Timestamp, zone: &TimeZone, format: &str) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(at.nanos())) {
        Ok(instant) => instant.to_zoned(zone.clone()).strftime(format).to_string(),
        Err(_) => at.to_string(),
    }
}

/// An endpoint in at most `width` columns: of a long address whole octets or groups are left out, of the port nothing
/// while there is any room for it.
pub(super) fn endpoint(end: Endpoint, width: usize) -> String {
    let full = end.to_string();
    if full.len() <= width {
        return full;
    }
    let port = format!(":{}", end.port());
    let Some(room) = width.checked_sub(port.len()) else { return fit(&full, width).into_owned() };
    match end.ip() {
        IpAddr::V4(_) => address(end.ip(), room) + &port,
        IpAddr::V6(_) => match room.checked_sub(2).map(|room| address(end.ip(), room)) {
            Some(text) if !text.is_empty() => format!("[{text}]{port}"),
            _ => port,
        },
    }
}

/// An address in at most `width` columns: `198.51.….5`, `2001:db8:…:7334`. Whole octets or groups are left out of its
/// middle, since half of one would be read as another; empty if not even `…` fits.
pub(super) fn address(ip: IpAddr, width: usize) -> String {
    let full = ip.to_string();
    if full.len() <= width {
        return full;
    }
    let between = if ip.is_ipv4() { "." } else { ":" };
    let parts: Vec<&str> = full.split(between).collect();
    let shortened = (1..parts.len()).rev().map(|kept| {
        // The last part tells ends of one network apart, so it is the last to go.
        let front = kept / 2 + usize::from(kept > 1 && kept % 2 > 0);
        let mut shown = parts[..front].to_vec();
        shown.push("…");
        shown.extend(&parts[parts.len() - (kept - front)..]);
        shown.join(between)
    });
    let mut shortened = shortened.chain(["…".to_owned()]);
    shortened.find(|text| super::widgets::width(text) <= width).unwrap_or_default()
}

/// `curl[4121]`
pub(super) fn process(process: &Process) -> String {
    format!("{}[{}]", process.comm, process.pid)
}

/// Who holds a socket, in words.
pub(super) fn owner(owner: &Ownership) -> String {
    let more = |others: usize| if others > 0 { format!(" +{others}") } else { String::new() };
    match owner {
        Ownership::NotRecorded => ABSENT.to_owned(),
        Ownership::Unknown => "unknown".to_owned(),
        Ownership::NoAccess => "no access".to_owned(),
        Ownership::Held { process: p, fd, others } => format!("{} fd {fd}{}", process(p), more(*others)),
        Ownership::Listener { process: p, others } => format!("{} (listener){}", process(p), more(*others)),
        Ownership::Last { process: p } => format!("{} (last)", process(p)),
        Ownership::Connected { process: p, .. } => format!("{} (connected)", process(p)),
        Ownership::Elsewhere { process: p, .. } => format!("{} (other netns)", process(p)),
        Ownership::Closed { process: p, .. } => format!("{} (closed)", process(p)),
        Ownership::Orphan => "orphan".to_owned(),
    }
}

/// Who holds a socket in at most `room` columns: the fd and the relation give way first, then the middle of the name;
/// the pid never.
pub(super) fn owner_in(who: &Ownership, room: usize) -> String {
    let full = owner(who);
    let Some(process) = who.process().filter(|_| width(&full) > room) else { return fit(&full, room).into_owned() };
    let pid = format!("[{}]", process.pid);
    match room.checked_sub(pid.len()) {
        Some(left) if left >= 3 => middle(&process.comm, left) + &pid,
        _ => fit(&full, room).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_named_with_its_relation() {
        let text = |text| crate::base::Scrubbed::new(text);
        let (comm, cmdline, user) = (text("curl"), text(""), text("?"));
        let process = std::sync::Arc::new(Process { pid: 4121, start_time: None, comm, cmdline, user });
        let connected = Ownership::Connected { process: process.clone(), rung: crate::kernel::Rung::Trace };
        let held = Ownership::Held { process, fd: 5, others: 2 };
        assert_eq!(
            (owner(&connected).as_str(), owner(&held).as_str()),
            ("curl[4121] (connected)", "curl[4121] fd 5 +2")
        );
        assert_eq!((owner_in(&connected, 12).as_str(), owner(&Ownership::Unknown).as_str()), ("curl[4121]", "unknown"));
    }

    #[test]
    fn counts_and_sizes() {
        let counts = [(0, "0"), (999, "999"), (1_000, "1,000"), (25_691, "25,691"), (1_234_567, "1,234,567")];
        for (n, text) in counts {
            assert_eq!(count(n), text);
        }
        let sizes = [(0, "0 B"), (999, "999 B"), (98_000, "98.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB")];
        for (n, text) in sizes {
            assert_eq!(bytes(n), text);
        }
        assert_eq!(bits(81_000_000), "81.0 Mbit/s");
        assert_eq!(short_count(12_400), "12.4k");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn percents_are_rounded_but_never_to_all_or_nothing() {
        let cases = [
            (0, 7, "0.0%"),
            (1, 100_000, "<0.1%"),
            (1, 1_000, "0.1%"),
            (9_668, 10_000, "96.7%"),
            (99_999, 100_000, "99.9%"),
            (7, 7, "100.0%"),
            (u64::MAX - 1, u64::MAX, "99.9%"),
        ];
        for (part, whole, text) in cases {
            assert_eq!(percent(part, whole).as_deref(), Some(text), "{part} of {whole}");
        }
        assert_eq!(percent(0, 0), None);
    }

    #[test]
    fn addresses_are_cut_between_octets_and_groups_never_in_their_port() {
        let long = Endpoint::new("2001:db8:85a3:1234:5678:8a2e:370:7334".parse::<std::net::IpAddr>().unwrap(), 54_321);
        assert_eq!(endpoint(long, 60), "[2001:db8:85a3:1234:5678:8a2e:370:7334]:54321");
        assert_eq!(endpoint(long, 21), "[2001:…:7334]:54321");
        let server = Endpoint::new([198, 51, 100, 5], 8_000);
        for (width, text) in [
            (17, "198.51.100.5:8000"),
            (16, "198.51.….5:8000"),
            (14, "198.….5:8000"),
            (11, "….5:8000"),
            (7, "…:8000"),
            (5, ":8000"),
            (3, "19…"),
        ] {
            assert_eq!(endpoint(server, width), text, "{width}");
        }
        assert_eq!(address("2001:db8:85a3::8a2e:370:7334".parse().unwrap(), 20), "2001:db8:…:370:7334");
        assert_eq!(address([10, 0, 0, 1].into(), 1), "…");
        assert_eq!(endpoint(Endpoint::new([192, 0, 2, 1], 80), 21), "192.0.2.1:80");
        for width in 0..50 {
            let text = endpoint(long, width);
            assert!(text.chars().count() <= width, "{text}");
        }
    }

    #[test]
    fn times_are_told_in_the_zone() {
        let at = Timestamp::from_secs_nanos(1_795_269_802, 5_000_000);
        assert_eq!(clock_ms(at, &TimeZone::UTC), "14:03:22.005");
        let east = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(date_clock(at, &east), "2026-11-21 15:03:22 +01:00");
        assert_eq!(clock(Timestamp::MAX, &TimeZone::UTC), "23:47:16");
        let places = [62_530, 172_799_900, 172_800_000, 96_970_194_886].map(|ms| position(Duration::from_millis(ms)));
        assert_eq!(places, ["1:02.5", "47:59:59.9", "2 d 00:00", "1122 d 08:09"]);
    }
}
