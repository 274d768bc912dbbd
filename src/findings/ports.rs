//! The rule: no ephemeral port is left for a destination, or soon none will be.
//!
//! Read first: ip-sysctl (ip_local_port_range, tcp_tw_reuse), ip(7) on IP_BIND_ADDRESS_NO_PORT, connect(2) on
//! EADDRNOTAVAIL.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};

use super::finding::{Confidence, Fact, Finding, Holder, Kind, Severity, Subject};
use super::words::{count, percent, rate, time};

/// Before so much of the ports is used, in percent, a forecast is but the first seconds of a start.
const USED: u64 = 20;
/// What would last for longer is no reason to wake anybody: the trend of some seconds does not carry so far.
const SOON: Duration = Duration::from_secs(600);
/// Nobody can act in less.
const NOW: Duration = Duration::from_secs(60);

/// The ephemeral ports from one address of this host to one destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub from: IpAddr,
    pub to: Endpoint,
    /// Ports that its connections may use, and those that live connections and TIME-WAIT hold.
    pub capacity: u32,
    pub live: u32,
    pub time_wait: u32,
    pub closes_per_s: f64,
    pub outlook: Outlook,
    /// Since when none has been left or that has been foretold, one after the other: when the finding began.
    pub since: Timestamp,
    /// Who holds most of them.
    pub who: Option<Holder>,
    /// net.ipv4.tcp_tw_reuse is 1 already.
    pub reuses: bool,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// None has been left since.
    Exhausted(Timestamp),
    /// When none will be left.
    RunsOut(Timestamp),
}

impl Outlook {
    /// How bad that is as of `now`, where so many ports of so many are taken; `None` where it is no finding.
    pub fn severity(self, used: u64, capacity: u64, now: Timestamp) -> Option<Severity> {
        match self {
            Self::Exhausted(_) => Some(Severity::Critical),
            Self::RunsOut(at) if percent(used, capacity) < USED || at.since(now) > SOON => None,
            Self::RunsOut(at) if at.since(now) <= NOW => Some(Severity::Critical),
            Self::RunsOut(_) => Some(Severity::Warning),
        }
    }
}

/// Which routes run out of ports.
pub(super) fn run_out(all: &[Route], now: Timestamp) -> Vec<Finding> {
    all.iter().filter_map(|route| runs_out(route, now)).collect()
}

fn runs_out(route: &Route, now: Timestamp) -> Option<Finding> {
    let used = u64::from(route.live) + u64::from(route.time_wait);
    let share = percent(used, route.capacity.into());
    let severity = route.outlook.severity(used, route.capacity.into(), now)?;
    let mut evidence = vec![
        Fact::count("capacity", route.capacity.into()),
        Fact::count("live", route.live.into()),
        Fact::count("time_wait", route.time_wait.into()),
        Fact::rate("closes_per_s", route.closes_per_s),
    ];
    let left = match route.outlook {
        Outlook::Exhausted(since) => {
            evidence.push(Fact::instant("ran_out_ts_ns", since));
            format!("none left for {}", time(now.since(since)))
        }
        Outlook::RunsOut(at) => {
            evidence.push(Fact::time("none_left_in_ns", at.since(now)));
            evidence.push(Fact::instant("runs_out_ts_ns", at));
            format!("none left in {}", time(at.since(now)))
        }
    };
    let told = match route.capacity {
        0 => format!("{left}: listeners and bind() hold every port"),
        capacity => format!("{left}, {share}% of {} in use", count(capacity.into())),
    };
    Some(Finding {
        kind: Kind::PortsRunOut,
        severity,
        subject: Subject::Route { from: route.from, to: route.to },
        since: route.since,
        who: route.who.clone(),
        flow: None,
        told,
        evidence,
        confidence: if matches!(route.outlook, Outlook::Exhausted(_)) { Confidence::High } else { Confidence::Medium },
        why: why(route),
        remedy: remedy(route),
    })
}

fn why(route: &Route) -> String {
    let fails = match route.outlook {
        Outlook::Exhausted(_) => "connect() fails with EADDRNOTAVAIL",
        Outlook::RunsOut(_) => "when none is left, connect() fails with EADDRNOTAVAIL",
    };
    if route.capacity == 0 {
        return format!("No port of ip_local_port_range is left to share between destinations: {fails}.");
    }
    if route.time_wait > route.live {
        // Where none is left, none is opened, and so none is closed.
        let closes = if route.closes_per_s < 0.05 { String::new() } else { format!(" {},", rate(route.closes_per_s)) };
        return format!(
            "{} of the ports are held by TIME-WAIT: this host closes first,{closes} and each holds its port for 60 s; \
             {fails}.",
            count(route.time_wait.into())
        );
    }
    format!("{} of the ports are held by connections that are open; {fails}.", count(route.live.into()))
}

fn remedy(route: &Route) -> String {
    let spread = "IP_BIND_ADDRESS_NO_PORT where bind() comes before connect(), more addresses on either side, or a wider \
                  ip_local_port_range";
    if route.time_wait > route.live {
        let reuse = if route.reuses { "" } else { "tcp_tw_reuse=1 (with tcp_timestamps), " };
        return format!(
            "Reuse connections (a pool), or let the peer close first; then {reuse}{spread}. SO_REUSEADDR does not help \
             connect()."
        );
    }
    format!("Close what is not used, or share connections (a pool); then {spread}.")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, found, holder};
    use super::*;

    fn route(used: u32, outlook: Outlook) -> Route {
        Route {
            from: end("10.0.0.2:0").ip(),
            to: end("10.0.0.5:5432"),
            capacity: 28_232,
            live: 200.min(used),
            time_wait: used.saturating_sub(200),
            closes_per_s: 510.0,
            outlook,
            since: at(0),
            who: Some(holder(880, "pg-loop", None)),
            reuses: false,
        }
    }

    #[test]
    fn what_runs_out_soon_is_found() {
        use Severity::{Critical, Warning};
        let left = |secs: i64| Outlook::RunsOut(at(100 + secs));
        let gone = Outlook::Exhausted(at(52));
        let held = Route { capacity: 0, ..route(0, gone) };
        for (case, expected) in [
            (route(25_691, left(5)), Some((Critical, "none left in 5 s, 91% of 28,232 in use"))),
            (route(25_691, left(60)), Some((Critical, "none left in 60 s, 91% of 28,232 in use"))),
            (route(25_691, left(61)), Some((Warning, "none left in 61 s, 91% of 28,232 in use"))),
            (route(25_691, left(600)), Some((Warning, "none left in 10 min, 91% of 28,232 in use"))),
            (route(25_691, left(601)), None),
            (route(5_500, left(57)), None),
            (route(5_600, left(57)), Some((Critical, "none left in 57 s, 20% of 28,232 in use"))),
            (route(28_232, gone), Some((Critical, "none left for 48 s, 100% of 28,232 in use"))),
            (held, Some((Critical, "none left for 48 s: listeners and bind() hold every port"))),
        ] {
            let all = found(run_out(std::slice::from_ref(&case), at(100)));
            let all = all.iter().map(|(_, severity, told)| (*severity, told.as_str())).next();
            assert_eq!(all, expected, "{case:?}");
        }
    }

    #[test]
    fn the_remedy_fits_what_holds_the_ports() {
        let finding = run_out(&[route(28_232, Outlook::Exhausted(at(0)))], at(9)).remove(0);
        assert!(finding.why.contains("28,032 of the ports are held by TIME-WAIT") && finding.why.contains("510/s"));
        assert!(finding.remedy.contains("tcp_tw_reuse=1 (with tcp_timestamps)"));
        let stalled =
            run_out(&[Route { closes_per_s: 0.0, ..route(28_232, Outlook::Exhausted(at(0))) }], at(9)).remove(0);
        assert!(stalled.why.contains("closes first, and each holds"), "{}", stalled.why);
        let reuses = run_out(&[Route { reuses: true, ..route(28_232, Outlook::Exhausted(at(0))) }], at(9)).remove(0);
        assert!(!reuses.remedy.contains("tcp_tw_reuse"));
        let live = Route { live: 28_000, time_wait: 232, ..route(0, Outlook::Exhausted(at(0))) };
        let finding = run_out(&[live], at(9)).remove(0);
        assert!(finding.why.contains("28,000 of the ports are held by connections that are open"));
        assert!(!finding.remedy.contains("tcp_tw_reuse") && !finding.remedy.contains("tcp_tw_recycle"));
    }
}
