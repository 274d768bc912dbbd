//! The rule: the path does not take what one end of a connection sends. Whoever cannot pass it on says so (ICMP), and
//! it is sent again all the same; or nobody says so, and only short segments arrive.
//!
//! What is acknowledged after all was path MTU discovery at work, or a route that changed, and is nothing wrong. Read
//! first: RFC 1191 §3 and §6.3, RFC 2923 §2.1 (black holes), RFC 4821 §1, RFC 5461 §2 (soft errors), RFC 8201.
//! Then `waiting`, the thresholds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::{Endpoint, Timestamp};
use crate::flow::FlowId;

use super::finding::{Confidence, Fact, Finding, Holder, Kind, Severity, Subject};
use super::waiting::{Basis, LONG, MANY, PATIENCE};
use super::words::{count, counted, time};

/// What one end of a connection sends, and the path does not take.
#[derive(Debug, Clone, PartialEq)]
pub struct Undelivered {
    pub flow: FlowId,
    /// The end that sends, and its peer.
    pub local: Endpoint,
    pub peer: Endpoint,
    pub by: Hindrance,
    /// Since when it waits to be acknowledged.
    pub since: Timestamp,
    /// How often it was sent again, by the wire or by its kernel's timer; whether it may have been oftener.
    pub again: u32,
    pub oftener: bool,
    /// Bytes of data in the segment that is sent again.
    pub len: Option<u32>,
    /// What the sender's kernel takes for the path's MTU, where it tells.
    pub pmtu: Option<u32>,
    pub who: Option<Holder>,
}

/// The ends of which that is so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hindered {
    pub all: Vec<Undelivered>,
    /// There may be more than were looked at.
    pub more: bool,
}

/// What shows that the path does not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// ICMP errors that quote it.
    Told(PathWord),
    /// Shorter segments behind it arrive.
    Length,
}

/// What was said by ICMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathWord {
    pub by: IpAddr,
    /// In words: `host unreachable`.
    pub says: &'static str,
    /// That it is too big for the next link; and what that takes, bytes of IP packet, where it was told.
    pub too_big: bool,
    pub mtu: Option<u32>,
    /// How often.
    pub count: u32,
}

impl Undelivered {
    /// Whether that is worth telling at `now`.
    pub fn is_late(&self, now: Timestamp) -> bool {
        now.since(self.since) >= PATIENCE
    }

    const fn kind(&self) -> Kind {
        match self.by {
            Hindrance::Told(PathWord { too_big: false, .. }) => Kind::PathUnreachable,
            Hindrance::Told(_) | Hindrance::Length => Kind::PathMtu,
        }
    }
}

/// The ends of connections of which these findings tell.
pub(super) fn told_of(all: &[Undelivered], now: Timestamp) -> BTreeSet<(FlowId, Endpoint)> {
    all.iter().filter(|one| one.is_late(now)).map(|one| (one.flow, one.local)).collect()
}

/// What the path does not take, by where from and where to, and by why; `lossy`: the capture lost segments meanwhile.
pub(super) fn undelivered(hindered: &Hindered, lossy: bool, now: Timestamp) -> Vec<Finding> {
    let mut paths: BTreeMap<(IpAddr, IpAddr, Kind), Vec<&Undelivered>> = BTreeMap::new();
    for one in hindered.all.iter().filter(|one| one.is_late(now)) {
        paths.entry((one.local.ip(), one.peer.ip(), one.kind())).or_default().push(one);
    }
    let basis = Basis { more: hindered.more, lossy, now };
    paths.into_iter().filter_map(|((from, to, _), rows)| finding(Subject::Path { from, to }, &rows, basis)).collect()
}

fn finding(subject: Subject, rows: &[&Undelivered], basis: Basis) -> Option<Finding> {
    let now = basis.now;
    // Who is told of it knows more than who is not.
    let first = rows.iter().min_by_key(|row| (row.by == Hindrance::Length, row.since, row.flow))?;
    let bad = rows.len() >= MANY || now.since(first.since) >= LONG;
    Some(Finding {
        kind: first.kind(),
        severity: if bad { Severity::Critical } else { Severity::Warning },
        subject,
        since: first.since,
        who: first.who.clone().map(|who| Holder { fd: who.fd.filter(|_| rows.len() == 1), ..who }),
        flow: Some(first.flow),
        told: basis.several(rows.len()) + &told(first, now),
        evidence: evidence(rows, first, now),
        confidence: confidence(first.by, basis.lossy),
        why: why(first, basis.lossy),
        remedy: remedy(first),
    })
}

const fn confidence(by: Hindrance, lossy: bool) -> Confidence {
    match (by, lossy) {
        (Hindrance::Told(_), false) => Confidence::High,
        (Hindrance::Told(_), true) | (Hindrance::Length, false) => Confidence::Medium,
        (Hindrance::Length, true) => Confidence::Low,
    }
}

/// `host unreachable, says 10.0.0.1 (7 times); not acknowledged for 12 s, sent again 5 times`.
fn told(first: &Undelivered, now: Timestamp) -> String {
    let waits = time(now.since(first.since));
    let again = match first.again {
        0 => String::new(),
        again => {
            let least = if first.oftener { "at least " } else { "" };
            format!(", sent again {least}{}", counted(again.into(), "time"))
        }
    };
    match first.by {
        Hindrance::Length => {
            let len = count(first.len.unwrap_or(0).into());
            format!("{len} bytes at once do not arrive and fewer do, for {waits}{again}")
        }
        Hindrance::Told(PathWord { by, says, too_big, mtu, count: times }) => {
            let times = if times > 1 { format!(" ({} times)", count(times.into())) } else { String::new() };
            let says = match mtu {
                Some(mtu) if too_big => format!("at most {} bytes", count(mtu.into())),
                _ => says.to_owned(),
            };
            format!("{says}, says {by}{times}; not acknowledged for {waits}{again}")
        }
    }
}

fn evidence(rows: &[&Undelivered], first: &Undelivered, now: Timestamp) -> Vec<Fact> {
    let mut facts = vec![
        Fact::count("connections", rows.len() as u64),
        Fact::time("unacknowledged_for_ns", now.since(first.since)),
        Fact::count("sent_again", first.again.into()),
    ];
    facts.extend(first.len.map(|len| Fact::count("segment_bytes", len.into())));
    facts.extend(first.pmtu.map(|mtu| Fact::count("path_mtu_bytes", mtu.into())));
    if let Hindrance::Told(word) = first.by {
        facts.push(Fact::text("icmp_error", word.says));
        facts.push(Fact::text("icmp_from", word.by));
        facts.push(Fact::count("icmp_errors", word.count.into()));
        facts.extend(word.mtu.map(|mtu| Fact::count("icmp_mtu_bytes", mtu.into())));
    }
    facts
}

fn why(first: &Undelivered, lossy: bool) -> String {
    let lossy = if lossy { " The capture lost segments, and acknowledgments may be among them." } else { "" };
    let believes =
        first.pmtu.map_or_else(String::new, |mtu| format!(", and its kernel takes the path for one of {mtu}"));
    match first.by {
        Hindrance::Told(PathWord { by, says, too_big: false, .. }) => {
            let who = if by == first.peer.ip() { "The peer's host".to_owned() } else { format!("{by}, on the way,") };
            format!(
                "{who} says by ICMP that it cannot pass these very segments on ({says}). TCP takes that for something that \
                 passes (a soft error, RFC 5461) and sends again, until tcp_retries2 ends the connection.{lossy}"
            )
        }
        Hindrance::Told(PathWord { by, mtu, .. }) => {
            let most = mtu.map_or_else(String::new, |mtu| format!(" of more than {mtu} bytes"));
            format!(
                "{by} says by ICMP that packets{most} do not fit its next link (path MTU discovery, RFC 1191){believes}, \
                 and what is too long is sent again all the same: the error does not get to the sender's TCP (a filter \
                 drops it), or that does not heed it.{lossy}"
            )
        }
        Hindrance::Length => format!(
            "The same long segment is sent again and again and does not arrive, while shorter ones behind it do (the \
             peer's SACKs tell){believes}: most likely a link on the way takes less, and the ICMP error that would tell is \
             dropped (a path MTU black hole, RFC 2923); or each copy was lost by chance.{lossy}"
        ),
    }
}

fn remedy(first: &Undelivered) -> String {
    let (from, to) = (first.local.ip(), first.peer.ip());
    match first.by {
        Hindrance::Told(PathWord { by, too_big: false, .. }) => format!(
            "Look at the routes and rules of {by} (there: ip route get {to}, nft list ruleset), and mtr -n {to} for a loop."
        ),
        _ => format!(
            "Let ICMP through to {from} (type 3 code 4; ICMPv6 type 2: nft list ruleset there and on the way), or clamp the \
             MSS where the link is narrow (nft: tcp option maxseg size set rt mtu), or set net.ipv4.tcp_mtu_probing=1 on \
             {from}. ping -M do -s 1472 {to} and less finds what fits."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, holder};
    use super::super::silent::{Sent, Silences, Silent};
    use super::super::{Evidence, diagnose};
    use super::*;

    fn case(by: Hindrance, since: i64) -> Undelivered {
        Undelivered {
            flow: FlowId(3),
            local: end("10.0.0.2:40112"),
            peer: end("10.0.0.9:443"),
            by,
            since: at(since),
            again: 5,
            oftener: false,
            len: Some(1_448),
            pmtu: None,
            who: Some(holder(77, "app", Some(5))),
        }
    }

    fn word(says: &'static str, count: u32) -> PathWord {
        PathWord { by: [10, 0, 0, 1].into(), says, too_big: false, mtu: None, count }
    }

    fn unreachable(since: i64) -> Undelivered {
        case(Hindrance::Told(word("host unreachable", 7)), since)
    }

    fn too_big(mtu: Option<u32>) -> Undelivered {
        let word = PathWord { too_big: true, mtu, ..word("fragmentation needed", 2) };
        Undelivered { pmtu: Some(1_500), ..case(Hindrance::Told(word), 88) }
    }

    fn found(all: &[Undelivered]) -> Vec<Finding> {
        let hindered = Hindered { all: all.to_vec(), more: false };
        undelivered(&hindered, false, at(100))
    }

    #[test]
    fn what_the_path_does_not_take_is_found_and_what_may_pass_is_not() {
        use Kind::{PathMtu, PathUnreachable};
        use Severity::{Critical, Warning};
        for (case, expected) in [
            (unreachable(96), None),
            (
                unreachable(88),
                Some((
                    PathUnreachable,
                    Warning,
                    "host unreachable, says 10.0.0.1 (7 times); not acknowledged for 12 s, sent again 5 times",
                )),
            ),
            (
                Undelivered { again: 0, ..case(Hindrance::Told(word("no route", 1)), 40) },
                Some((PathUnreachable, Critical, "no route, says 10.0.0.1; not acknowledged for 60 s")),
            ),
            (
                too_big(Some(1_400)),
                Some((
                    PathMtu,
                    Warning,
                    "at most 1,400 bytes, says 10.0.0.1 (2 times); not acknowledged for 12 s, sent again 5 times",
                )),
            ),
            (
                too_big(None),
                Some((
                    PathMtu,
                    Warning,
                    "fragmentation needed, says 10.0.0.1 (2 times); not acknowledged for 12 s, sent again 5 times",
                )),
            ),
            (
                case(Hindrance::Length, 88),
                Some((
                    PathMtu,
                    Warning,
                    "1,448 bytes at once do not arrive and fewer do, for 12 s, sent again 5 times",
                )),
            ),
        ] {
            let found = found(std::slice::from_ref(&case));
            let told = found.first().map(|finding| (finding.kind, finding.severity, finding.told.as_str()));
            assert_eq!(told, expected, "{case:?}");
        }
    }

    #[test]
    fn who_says_so_and_what_the_sender_believes_are_in_the_reason() {
        let why = |case: Undelivered| found(&[case]).remove(0).why;
        assert!(why(unreachable(88)).starts_with("10.0.0.1, on the way, says by ICMP"));
        let by_peer = PathWord { by: end("10.0.0.9:0").ip(), ..word("host prohibited", 3) };
        assert!(why(case(Hindrance::Told(by_peer), 88)).starts_with("The peer's host says by ICMP"));
        let narrow = why(too_big(Some(1_400)));
        assert!(narrow.contains("packets of more than 1400 bytes do not fit") && narrow.contains("for one of 1500,"));
        let length = found(&[case(Hindrance::Length, 88)]).remove(0);
        assert!(length.why.contains("black hole") && length.confidence == Confidence::Medium, "{}", length.why);
    }

    #[test]
    fn what_is_not_counted_to_the_end_or_may_be_missed_is_said() {
        let told = |one: &Undelivered, more, lossy| {
            undelivered(&Hindered { all: vec![one.clone()], more }, lossy, at(100)).remove(0)
        };
        let exact = told(&unreachable(88), false, false);
        assert!(!exact.told.contains("at least") && !exact.why.contains("lost"), "{exact:?}");
        assert!(told(&unreachable(88), true, false).told.starts_with("at least 1 connection, host unreachable"));
        let oftener = told(&Undelivered { again: 16, oftener: true, ..unreachable(88) }, false, false);
        assert!(oftener.told.ends_with("sent again at least 16 times"), "{}", oftener.told);
        for (one, sure, unsure) in [
            (unreachable(88), Confidence::High, Confidence::Medium),
            (too_big(None), Confidence::High, Confidence::Medium),
            (case(Hindrance::Length, 88), Confidence::Medium, Confidence::Low),
        ] {
            let lossy = told(&one, false, true);
            assert_eq!((told(&one, false, false).confidence, lossy.confidence), (sure, unsure));
            assert!(lossy.why.ends_with("may be among them."), "{}", lossy.why);
        }
    }

    #[test]
    fn a_path_is_told_once_and_not_as_silent_besides() {
        let nth = |n: u16| Undelivered {
            local: end(&format!("10.0.0.2:{}", 40_000 + n)),
            flow: FlowId(n.into()),
            ..unreachable(90 - i64::from(n))
        };
        let all: Vec<Undelivered> = (0..10).map(nth).collect();
        let found = found(&all);
        assert_eq!(found.len(), 1);
        assert!(found[0].told.starts_with("10 connections, host unreachable, says 10.0.0.1"), "{}", found[0].told);
        assert_eq!((found[0].severity, found[0].flow), (Severity::Critical, Some(FlowId(9))));
        let silent = |local: Endpoint, flow: u64| Silent {
            flow: FlowId(flow),
            local,
            peer: end("10.0.0.9:443"),
            sent: Sent::Data,
            since: at(80),
            wire: Some(6),
            kernel: None,
            never_as_long: None,
            elsewhere: None,
            arrives: false,
            who: None,
        };
        let silences = [silent(all[0].local, 0), silent(end("10.0.0.2:50000"), 77)];
        let told = |silences: &[Silent]| {
            let evidence = Evidence {
                now: at(100),
                undelivered: Hindered { all: all.clone(), more: false },
                silent: Silences { all: silences.to_vec(), more: false },
                ..Evidence::default()
            };
            diagnose(&evidence).into_iter().map(|finding| (finding.kind, finding.flow)).collect::<Vec<_>>()
        };
        assert_eq!(told(&silences[..1]), [(Kind::PathUnreachable, Some(FlowId(9)))]);
        assert_eq!(told(&silences)[1], (Kind::PeerSilent, Some(FlowId(77))), "of the other nobody says why");
    }
}
