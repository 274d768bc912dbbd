//! The rule: a connection's data, or a keepalive probe where it has none to send, is sent again and again, and nothing
//! at all comes back from the peer.
//!
//! Read first: RFC 9293 §3.8.3 (R1, R2) and §3.8.4 ("MUST NOT interpret failure to respond to any specific probe as a
//! dead connection"), RFC 6298 §5.5, net/ipv4/tcp_timer.c (`tcp_retransmit_timer`), ip-sysctl on tcp_retries1 and
//! tcp_retries2, ss(8) on timer:(on,...). Then `waiting`, the thresholds, and `probes`, the words where it is a probe.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};
use crate::flow::FlowId;

use super::finding::{Confidence, Fact, Finding, Holder, Kind, Severity, Subject};
use super::probes;
use super::waiting::{Basis, LONG, MANY, PATIENCE};
use super::words::{counted, time};

/// R1 (RFC 9293 §3.8.3, tcp_retries1): from here on TCP itself asks whether the path is still there.
pub const TRIES: u32 = 3;

/// A connection of which nothing that one end sends is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Silent {
    pub flow: FlowId,
    /// The end that sends, and the one that is silent.
    pub local: Endpoint,
    pub peer: Endpoint,
    pub sent: Sent,
    /// Since when what was sent waits for an answer and nothing has come from the peer, as far as is known of either.
    pub since: Timestamp,
    /// How often the wire showed its oldest segment sent again, or a probe sent; `None` where it did not.
    pub wire: Option<u32>,
    pub kernel: Option<Backoff>,
    /// Bytes of data in the segment that is sent again, where nothing so long was ever acknowledged and that may be why.
    pub never_as_long: Option<u32>,
    /// When its peer was heard last on another connection between the two addresses, if since then.
    pub elsewhere: Option<Timestamp>,
    /// The silent end is of this host: what is sent arrives.
    pub arrives: bool,
    pub who: Option<Holder>,
}

/// What goes unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Bytes that wait to be acknowledged.
    Data,
    /// Keepalive probes of a connection at rest, and how far apart they are where that is known.
    Probes { every: Option<Duration> },
}

/// Connections of which nothing that one end sends is answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Silences {
    pub all: Vec<Silent>,
    /// There are more than could be kept.
    pub more: bool,
}

/// What the sender's kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// How often it has tried to send the oldest segment again since anything was acknowledged, or probes (`ss -o`: the
    /// last of timer:(on) and timer:(keepalive)); tries that failed on this host itself count too.
    pub retries: u8,
    /// For how long it has heard nothing of its peer; `None` where it does not tell (/proc).
    pub unheard: Option<Duration>,
    /// When it tries once more, and when it gives the connection up (by tcp_retries2, or the limits of keepalive where
    /// nothing shows that the socket has others); `None` where it does not tell.
    pub next: Option<Timestamp>,
    pub gives_up: Option<Timestamp>,
    /// None of it left this host: each try failed there. Of probes: the capture, which shows the connection, shows none.
    pub unsent: bool,
}

impl Silent {
    pub(super) fn tries(&self) -> u32 {
        let by_kernel = self.kernel.map_or(0, |kernel| kernel.retries.into());
        self.wire.unwrap_or(0).max(by_kernel)
    }

    /// Nobody has to wait for its answer.
    const fn is_at_rest(&self) -> bool {
        matches!(self.sent, Sent::Probes { .. })
    }

    pub(super) fn is_unsent(&self) -> bool {
        self.kernel.is_some_and(|kernel| kernel.unsent)
    }

    /// The wire shows what is sent.
    pub(super) const fn is_shown(&self) -> bool {
        self.wire.is_some()
    }

    /// Whether that is worth telling at `now`.
    pub fn is_late(&self, now: Timestamp) -> bool {
        has_waited(self.tries(), self.since, now)
    }

    fn confidence(&self, lossy: bool) -> Confidence {
        match self.kernel {
            // What the kernel counts as tried alone may have failed on this host.
            Some(Backoff { unheard: Some(_), unsent, .. }) => {
                let shown = self.wire.is_some() || unsent && !self.is_at_rest();
                if shown { Confidence::High } else { Confidence::Medium }
            }
            _ if self.wire.is_some() && !lossy => Confidence::Medium,
            _ => Confidence::Low,
        }
    }
}

/// Whether what was sent again so often, and waits for an answer since then, has waited for long enough to be told.
pub fn has_waited(tries: u32, since: Timestamp, now: Timestamp) -> bool {
    tries >= TRIES && now.since(since) >= PATIENCE
}

/// Who is silent, by where from and where to, and by what goes unanswered, but for the ends that are `told` of
/// otherwise; `lossy`: the capture lost segments meanwhile.
pub(super) fn silent(
    silences: &Silences,
    told: &BTreeSet<(FlowId, Endpoint)>,
    lossy: bool,
    now: Timestamp,
) -> Vec<Finding> {
    // Each thing that goes unanswered for itself: none tells how long, how often or until when the others.
    let mut paths: BTreeMap<(IpAddr, IpAddr, bool, bool), Vec<&Silent>> = BTreeMap::new();
    let all = silences.all.iter().filter(|silent| !told.contains(&(silent.flow, silent.local)));
    for silent in all.filter(|silent| silent.is_late(now)) {
        let (from, to) = (silent.local.ip(), silent.peer.ip());
        paths.entry((from, to, silent.is_at_rest(), silent.is_unsent())).or_default().push(silent);
    }
    let basis = Basis { more: silences.more, lossy, now };
    paths.into_iter().filter_map(|((from, to, ..), rows)| finding(Subject::Path { from, to }, &rows, basis)).collect()
}

fn finding(subject: Subject, rows: &[&Silent], basis: Basis) -> Option<Finding> {
    let Basis { lossy, now, .. } = basis;
    let longest = rows.iter().min_by_key(|row| (row.since, row.flow))?;
    let waits = rows.len() >= MANY || (!longest.is_at_rest() && now.since(longest.since) >= LONG);
    // A host that is there may be heard again at the next try.
    let bad = waits && longest.elsewhere.is_none();
    let confidence = rows.iter().map(|row| row.confidence(lossy)).max()?;
    Some(Finding {
        kind: Kind::PeerSilent,
        severity: if bad { Severity::Critical } else { Severity::Warning },
        subject,
        since: longest.since,
        who: who(rows),
        flow: Some(longest.flow),
        told: told(rows, longest, basis),
        evidence: evidence(rows, longest, now),
        confidence,
        why: why(longest, lossy && confidence == Confidence::Low, now),
        remedy: remedy(longest),
    })
}

/// Who holds most of them; its descriptor where one is meant.
fn who(rows: &[&Silent]) -> Option<Holder> {
    if let [only] = rows {
        return only.who.clone();
    }
    let mut held: BTreeMap<u32, (usize, &Holder)> = BTreeMap::new();
    for holder in rows.iter().filter_map(|row| row.who.as_ref()) {
        held.entry(holder.process.pid).or_insert((0, holder)).0 += 1;
    }
    let (_, (_, most)) = held.iter().max_by_key(|(pid, (count, _))| (*count, std::cmp::Reverse(**pid)))?;
    Some(Holder { process: most.process.clone(), fd: None, others: held.len() - 1 })
}

/// When the first of them is given up.
fn gives_up(rows: &[&Silent]) -> Option<Timestamp> {
    rows.iter().filter_map(|row| row.kernel?.gives_up).min()
}

/// `nothing back for 41 s, sent again 7 times, default give-up in 14 min`.
fn told(rows: &[&Silent], longest: &Silent, basis: Basis) -> String {
    let (several, now) = (basis.several(rows.len()), basis.now);
    let up = gives_up(rows).map_or_else(String::new, |at| until(&time(at.since(now)), rows.len(), longest));
    if let Sent::Probes { every } = longest.sent {
        return format!("{several}{}{up}", probes::told(longest, every));
    }
    let (waited, again) = (time(now.since(longest.since)), counted(longest.tries().into(), "time"));
    let (what, tried) = match (longest.is_unsent(), longest.wire) {
        (true, _) => ("nothing sent", "tried"),
        (false, Some(_)) => ("nothing back", "sent again"),
        (false, None) => ("nothing back", "tried again"),
    };
    let elsewhere = if longest.elsewhere.is_some() { "; peer heard elsewhere" } else { "" };
    format!("{several}{what} for {waited}, {tried} {again}{up}{elsewhere}")
}

/// `, default give-up in 14 min`. No reading tells TCP_USER_TIMEOUT: it takes the place of tcp_retries2 and of the
/// number of keepalive probes (sooner or later), and bounds besides it what is not sent at all (`tcp_probe_timer`).
fn until(time: &str, rows: usize, longest: &Silent) -> String {
    let first = if rows > 1 { "the first " } else { "" };
    if longest.is_unsent() && !longest.is_at_rest() {
        return format!(", {first}given up in at most {time}");
    }
    format!(", {first}default give-up in {time}")
}

fn evidence(rows: &[&Silent], longest: &Silent, now: Timestamp) -> Vec<Fact> {
    let mut facts =
        vec![Fact::count("connections", rows.len() as u64), Fact::time("unanswered_for_ns", now.since(longest.since))];
    let [by_wire, by_kernel] = match longest.sent {
        Sent::Data => ["sent_again", "retransmit_timeouts"],
        Sent::Probes { .. } => ["keepalives_seen", "keepalive_probes"],
    };
    facts.extend(longest.wire.map(|times| Fact::count(by_wire, times.into())));
    facts.extend(longest.elsewhere.map(|at| Fact::instant("peer_heard_elsewhere_ts_ns", at)));
    if let Sent::Probes { every: Some(every) } = longest.sent {
        facts.push(Fact::time("probe_interval_ns", every));
    }
    if let Some(kernel) = longest.kernel {
        facts.push(Fact::count(by_kernel, kernel.retries.into()));
        facts.extend(kernel.unheard.map(|time| Fact::time("peer_unheard_for_ns", time)));
        facts.extend(kernel.next.map(|at| Fact::instant("next_try_ts_ns", at)));
    }
    facts.extend(gives_up(rows).map(|at| Fact::instant("gives_up_ts_ns", at)));
    facts
}

fn why(longest: &Silent, lossy: bool, now: Timestamp) -> String {
    if longest.is_at_rest() {
        return probes::why(longest, &cause(longest, lossy), now);
    }
    if longest.is_unsent() {
        return "Its kernel has bytes to send, a window to send them into and none in flight, and each try fails on this \
                host itself (timer persist, though no window is closed): no route to the peer, a filter, or an interface \
                that is down."
            .into();
    }
    let seen = match (longest.kernel, longest.wire) {
        (Some(Backoff { next, unheard, .. }), wire) => {
            let next = until_next(next, now);
            let heard = match (unheard, wire) {
                (Some(_), Some(_)) => "; nothing has come from the peer since, by the kernel as by the wire",
                (Some(_), None) => "; nothing has come from the peer since",
                (None, Some(_)) => "; the wire shows nothing from the peer since",
                (None, None) => "; whether anything else comes from the peer is not told",
            };
            let sends = if wire.is_some() { "sends" } else { "tries to send" };
            format!("Its kernel {sends} the oldest segment again at ever longer gaps (timer on{next}){heard}")
        }
        (None, _) => {
            "Its oldest segment was sent again at ever longer gaps (retransmission timeouts), and nothing came \
                      from the peer since (inferred from the wire)"
                .to_owned()
        }
    };
    format!("{seen}: {}.", cause(longest, lossy))
}

/// `, the next in 35 s`, where that is told.
pub(super) fn until_next(next: Option<Timestamp>, now: Timestamp) -> String {
    next.map_or_else(String::new, |at| format!(", the next in {}", time(at.since(now))))
}

fn cause(longest: &Silent, lossy: bool) -> String {
    let cause = if longest.elsewhere.is_some() {
        "the path and the peer's host are there, heard on other connections since: the path came back before the next try, \
         or a filter, a NAT or the peer's host forgot this connection"
    } else if longest.arrives {
        "it arrives at this host, where a filter drops it, or its answers leave another way"
    } else if let Some(len) = longest.never_as_long {
        &format!(
            "the path broke, the peer's host is gone without a word, or a link on the way takes no segment of {len} bytes: \
             none so long was ever acknowledged (a path MTU black hole)"
        )
    } else {
        "the path broke, a filter or NAT forgot the connection, or the peer's host is gone without a word"
    };
    let here = if longest.is_shown() { "" } else { HERE };
    let lossy = if lossy { " (but the capture lost segments, and the answers may be among them)" } else { "" };
    format!("{cause}{here}{lossy}")
}

/// What else may be where its kernel alone tells of the tries.
const HERE: &str = "; or this host's own routes or rules let none of it leave";

/// Where to look for what holds it up; `more`: what else there is to look at away from this host.
pub(super) fn look(silent: &Silent, more: &str) -> String {
    let to = silent.peer.ip();
    if silent.is_unsent() {
        return format!("Look at this host: ip route get {to}, ip rule, ip link, nft list ruleset (output)");
    }
    if silent.arrives {
        return "Look at this host's rules (nft list ruleset, rp_filter) and where its answers go".to_owned();
    }
    let rules = if silent.is_shown() { "" } else { ", ip rule, nft list ruleset (output)" };
    format!("Look where it ends: ip route get {to}{rules}, ip neigh, mtr -T -P {} {to}{more}", silent.peer.port())
}

fn remedy(longest: &Silent) -> String {
    if longest.is_at_rest() {
        return probes::remedy(longest);
    }
    let more = format!(
        ", and filters on the way; if small packets get through, it is the MTU (ping -M do -s 1400 {})",
        longest.peer.ip()
    );
    let look = look(longest, &more);
    format!("{look}. net.ipv4.tcp_retries2 bounds the wait, TCP_USER_TIMEOUT that of one socket.")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, found, holder};
    use super::*;

    fn by_wire(times: u32, since: i64) -> Silent {
        Silent {
            flow: FlowId(3),
            local: end("10.0.0.2:40112"),
            peer: end("10.0.0.9:443"),
            sent: Sent::Data,
            since: at(since),
            wire: Some(times),
            kernel: None,
            never_as_long: None,
            elsewhere: None,
            arrives: false,
            who: None,
        }
    }

    fn by_kernel(retries: u8, since: i64, unheard: Option<u64>) -> Silent {
        let (next, gives_up) = (Some(at(104)), Some(at(940)));
        let kernel = Backoff { retries, unheard: unheard.map(Duration::from_secs), next, gives_up, unsent: false };
        let who = Some(holder(77, "app", Some(5)));
        Silent { wire: None, kernel: Some(kernel), who, ..by_wire(0, since) }
    }

    fn both() -> Silent {
        Silent { wire: Some(6), ..by_kernel(7, 75, Some(26)) }
    }

    fn kept(all: &[Silent]) -> Silences {
        Silences { all: all.to_vec(), more: false }
    }

    fn told(all: &[Silent]) -> Vec<(Severity, String)> {
        found(silent(&kept(all), &BTreeSet::new(), false, at(100)))
            .into_iter()
            .map(|(_, severity, told)| (severity, told))
            .collect()
    }

    #[test]
    fn what_is_sent_again_in_vain_is_found_and_a_short_silence_is_not() {
        use Severity::{Critical, Warning};
        for (case, expected) in [
            (by_wire(3, 95), Some((Warning, "nothing back for 5 s, sent again 3 times"))),
            (by_wire(3, 96), None),
            (by_wire(2, 70), None),
            (by_wire(9, 41), Some((Warning, "nothing back for 59 s, sent again 9 times"))),
            (by_wire(9, 40), Some((Critical, "nothing back for 60 s, sent again 9 times"))),
            (
                by_kernel(5, 88, Some(13)),
                Some((Warning, "nothing back for 12 s, tried again 5 times, default give-up in 14 min")),
            ),
            (by_kernel(2, 88, Some(13)), None),
            (both(), Some((Warning, "nothing back for 25 s, sent again 7 times, default give-up in 14 min"))),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(how, text)| (how, text.to_owned())).collect();
            assert_eq!(told(std::slice::from_ref(&case)), expected, "{case:?}");
        }
    }

    #[test]
    fn what_does_not_leave_the_host_is_told_so() {
        let mut case = by_kernel(5, 88, Some(13));
        case.kernel = case.kernel.map(|kernel| Backoff { unsent: true, ..kernel });
        let line = "nothing sent for 12 s, tried 5 times, given up in at most 14 min";
        assert_eq!(told(std::slice::from_ref(&case)), [(Severity::Warning, line.to_owned())]);
        let finding = silent(&kept(&[case]), &BTreeSet::new(), false, at(100)).remove(0);
        assert!(finding.why.contains("no route") && finding.remedy.contains("ip route get 10.0.0.9"), "{finding:?}");
    }

    #[test]
    fn a_path_is_told_once() {
        let nth = |n: u16| Silent {
            local: end(&format!("10.0.0.2:{}", 40_000 + n)),
            flow: FlowId(n.into()),
            who: Some(holder(70 + u32::from(n % 3), "app", Some(n.into()))),
            ..by_kernel(4, 90 - i64::from(n), Some(20))
        };
        let few: Vec<Silent> = (0..9).map(nth).collect();
        let line = "9 connections, nothing back for 18 s, tried again 4 times, the first default give-up in 14 min";
        assert_eq!(told(&few), [(Severity::Warning, line.to_owned())]);
        let found = silent(&kept(&few), &BTreeSet::new(), false, at(100)).remove(0);
        assert_eq!(found.subject.to_string(), "10.0.0.2 → 10.0.0.9");
        assert_eq!((found.flow, found.who.unwrap().to_string()), (Some(FlowId(8)), "app[70] and 2 more".to_owned()));
        for (case, least) in [
            (few.clone(), line),
            (vec![nth(8)], line.replace("9 connections", "1 connection").replace("the first ", "").as_str()),
        ] {
            let more = Silences { more: true, ..kept(&case) };
            assert_eq!(silent(&more, &BTreeSet::new(), false, at(100))[0].told, format!("at least {least}"));
        }
        let many: Vec<Silent> = (0..10).map(nth).collect();
        assert_eq!(told(&many)[0].0, Severity::Critical);
        let elsewhere = Silent { peer: end("10.0.0.8:443"), ..nth(0) };
        assert_eq!(told(&[few, vec![elsewhere]].concat()).len(), 2, "another peer");
        let mut unsent = nth(0);
        unsent.kernel = unsent.kernel.map(|kernel| Backoff { unsent: true, gives_up: Some(at(110)), ..kernel });
        let both = told(&[nth(1), unsent]);
        let lines = [
            "nothing back for 11 s, tried again 4 times, default give-up in 14 min",
            "nothing sent for 10 s, tried 4 times, given up in at most 10 s",
        ];
        assert_eq!(both.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(), lines, "another cause");
    }

    #[test]
    fn who_says_so_tells_how_sure_it_is() {
        let found = |case: Silent, lossy| silent(&kept(&[case]), &BTreeSet::new(), lossy, at(100)).remove(0);
        for (case, lossy, sure, words) in [
            (
                both(),
                true,
                Confidence::High,
                "(timer on, the next in 4 s); nothing has come from the peer since, by the kernel as by the wire:",
            ),
            (
                by_kernel(5, 80, Some(21)),
                false,
                Confidence::Medium,
                "Its kernel tries to send the oldest segment again at ever longer gaps (timer on, the next in 4 s); \
                 nothing has come from the peer since: the path broke, a filter or NAT forgot the connection, or the \
                 peer's host is gone without a word; or this host's own routes or rules let none of it leave.",
            ),
            (by_kernel(5, 80, None), false, Confidence::Low, "whether anything else comes from the peer is not told"),
            (by_wire(5, 80), false, Confidence::Medium, "(inferred from the wire)"),
            (by_wire(5, 80), true, Confidence::Low, "but the capture lost segments"),
            (
                Silent { never_as_long: Some(1_448), ..by_wire(5, 80) },
                false,
                Confidence::Medium,
                "takes no segment of 1448 bytes: none so long was ever acknowledged",
            ),
            (Silent { arrives: true, ..by_wire(5, 80) }, false, Confidence::Medium, "it arrives at this host"),
        ] {
            let finding = found(case.clone(), lossy);
            assert_eq!(finding.confidence, sure, "{case:?}");
            assert!(finding.why.contains(words), "{}", finding.why);
        }
    }
}
