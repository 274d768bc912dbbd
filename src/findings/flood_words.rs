//! The words for handshakes that pile up: the rule is that of `syn_flood`.

use std::cmp::Reverse;

use super::connects::in_span;
use super::syn_flood::{COUNTED, Cause, Flood, Grown, Senders};
use super::words::{count, counted, time};

/// `23,400 half-open in 60 s, 3,500 wait now, from over 1,000 addresses, none completed`.
pub(super) fn told(flood: &Flood<'_>) -> String {
    let mut sorts = [(flood.half_open, "half-open"), (flood.unanswered, "unanswered")];
    sorts.sort_by_key(|(sort, _)| Reverse(sort.count));
    let (all, waiting) =
        sorts.iter().fold((0, 0), |(all, waiting), (sort, _)| (all + sort.count, waiting + sort.waiting));
    let sorts = sorts.into_iter().filter(|(sort, _)| sort.count > 0);
    let sorts: Vec<String> = sorts.map(|(sort, word)| format!("{} {word}", count(sort.count))).collect();
    let waiting = match waiting {
        _ if waiting == all => "all wait now".to_owned(),
        0 => "none waits now".to_owned(),
        1 => "1 waits now".to_owned(),
        some => format!("{} wait now", count(some)),
    };
    let from = match flood.pile.from {
        Senders::One(address) => format!("all from {address}"),
        Senders::Several(addresses) => format!("from {}", counted(addresses, "address")),
        Senders::Many => format!("from over {} addresses", count(COUNTED as u64)),
    };
    let completed = match (flood.pile.completed, flood.pile.forgotten) {
        (0, 0) => "none completed".to_owned(),
        (0, _) => "completed unknown".to_owned(),
        (some, 0) => format!("{} completed", count(some)),
        (some, _) => format!("at least {} completed", count(some)),
    };
    let least = if flood.besides.crowding.evicted > 0 { "at least " } else { "" };
    let span = in_span(Some(flood.pile.within));
    format!("{least}{}{span}, {waiting}, {from}, {completed}", sorts.join(", "))
}

/// What shows it, and what may be its cause.
pub(super) fn why(flood: &Flood<'_>) -> String {
    let said = match flood.cause {
        Cause::Unheard => format!(
            "These SYNs are answered, no ACK comes, and most come again, so their senders do not get the SYN-ACK: the way \
             back is broken (a route, a filter){}",
            held(flood)
        ),
        Cause::Unacked => format!(
            "These SYNs are answered, no ACK comes, {}: {}{}",
            unlike_clients(flood, "and most do not come again, as a client's do that hears nothing"),
            whose(flood),
            held(flood)
        ),
        Cause::Unanswered => format!(
            "Nothing has answered these SYNs, {}: {}; that end drops them (its SYN queue is full and it sends no SYN cookies, or \
             a filter does), or they do not get there",
            unlike_clients(flood, "and they do not come again, as a client's do after 1 s unless it gives up before"),
            whose(flood)
        ),
    };
    let all = [Some(format!("{said}.")), clients(flood), by_kernel(flood), evicted(flood), doubt(flood)];
    all.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What tells them from clients.
const fn unlike_clients(flood: &Flood<'_>, by_time: &'static str) -> &'static str {
    if flood.pile.at_once { "more at once than clients begin" } else { by_time }
}

fn whose(flood: &Flood<'_>) -> String {
    match flood.pile.from {
        Senders::One(address) => format!("a SYN flood by {address}"),
        from if from.are_many() => "a SYN flood, its addresses most likely forged".to_owned(),
        _ => "a SYN flood from few addresses".to_owned(),
    }
}

/// Whether the end remembers what it answered.
const fn held(flood: &Flood<'_>) -> &'static str {
    match flood.pile.syn_ack_again * 2 >= flood.half_open.count {
        true => "; the SYN-ACKs come again, so each takes a place in its SYN queue",
        // Of the young none can have come again.
        false if flood.pile.at_once => "",
        false => "; most SYN-ACKs do not come again, so it keeps nothing of those (SYN cookies)",
    }
}

fn clients(flood: &Flood<'_>) -> Option<String> {
    let in_vain = flood.pile.in_vain;
    let counts = in_vain > 0 && flood.cause != Cause::Unheard;
    counts.then(|| format!("{} more came again and were not answered either: clients suffer.", count(in_vain)))
}

fn by_kernel(flood: &Flood<'_>) -> Option<String> {
    let span = |grown: Grown| time(flood.now.since(grown.since));
    let held = flood.pile.syn_recv.map(|sockets| {
        let limit = flood.pile.limit.map_or_else(String::new, |limit| format!(" (limit {})", count(limit.into())));
        format!("holds {} of them in SYN-RECV{limit}", count(sockets))
    });
    let cookies = flood.cookies.map(|sent| format!("sent {} SYN cookies in {}", count(sent.count), span(sent)));
    let drops = flood.drops.map(|lost| format!("dropped {} at full SYN queues in {}", count(lost.count), span(lost)));
    let told: Vec<String> = [held, cookies, drops].into_iter().flatten().collect();
    (!told.is_empty()).then(|| format!("The kernel {}.", told.join(", ")))
}

fn evicted(flood: &Flood<'_>) -> Option<String> {
    let evicted = flood.besides.crowding.evicted;
    let more = "more half-open flows, with whatever end, found no room in the table: it may have begun before";
    (evicted > 0).then(|| format!("{} {more}.", count(evicted)))
}

fn doubt(flood: &Flood<'_>) -> Option<String> {
    let of_syns = "No flow shows more than a handshake's beginning: if only SYNs were captured, it may be otherwise.";
    let lossy = "The capture lost segments; what is missing may be among them.";
    let doubt = if flood.is_doubtful() { Some(of_syns) } else { flood.lossy.then_some(lossy) };
    doubt.map(ToOwned::to_owned)
}

/// What helps.
pub(super) fn remedy(flood: &Flood<'_>) -> String {
    let sender = match flood.pile.from {
        Senders::One(address) => format!("drop what {address} sends, or look what runs there"),
        _ => "have the flood filtered upstream, or by a SYN proxy (nft synproxy)".to_owned(),
    };
    match flood.cause {
        Cause::Unheard => "Follow the SYN-ACKs: on that host, ip route get ADDRESS, rp_filter and nft list ruleset; a \
                           stateful filter on the way that saw only one direction drops them."
            .to_owned(),
        Cause::Unacked => format!(
            "SYN cookies keep the service up (net.ipv4.tcp_syncookies=1, the default; nstat -az TcpExtSyncookiesSent); \
             {sender}."
        ),
        Cause::Unanswered => format!(
            "On that host look at nstat -az TcpExtTCPReqQFullDrop TcpExtListenOverflows; if they grow, set \
             net.ipv4.tcp_syncookies=1 and raise listen()'s backlog and net.core.somaxconn; {sender}."
        ),
    }
}
