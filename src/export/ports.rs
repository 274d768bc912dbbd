//! Ephemeral ports in the summary of a report: `ports`.

use serde::Serialize;

use crate::base::Timestamp;
use crate::engine::{Forecast, PortsPane, RouteRow};

/// `ports`: absent where the kernel was not seen or its port range is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PortsRecord {
    /// net.ipv4.ip_local_port_range.
    range: (u16, u16),
    /// Ports of the range that are not reserved; of those, how many listeners and explicit bind()s are known to hold
    /// for all destinations.
    usable: u32,
    held: u32,
    /// The tightest routes first, 20 at most.
    routes: Vec<RouteRecord>,
}

/// From an address of this host to a destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct RouteRecord {
    from: String,
    to: String,
    capacity: u32,
    live: u32,
    time_wait: u32,
    /// TIME-WAIT whose ports tcp_tw_reuse lets go: not in use.
    let_go: u32,
    free: u32,
    closes_per_s: f64,
    /// "exhausted" (since `out_ts_ns`), "runs_out" (in `in_s` from the last reading, at `out_ts_ns`) or "levels_off"
    /// (with `at`, ports in use).
    forecast: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_ts_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u32>,
    /// Who holds most of them.
    holders: Vec<HolderRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct HolderRecord {
    pid: u32,
    comm: String,
    ports: u32,
}

impl PortsRecord {
    pub(super) fn of(pane: &PortsPane) -> Option<Self> {
        let PortsPane { range, usable, held, routes } = pane;
        Some(Self {
            range: (*range)?,
            usable: *usable,
            held: *held,
            routes: routes.iter().map(RouteRecord::of).collect(),
        })
    }
}

impl RouteRecord {
    fn of(row: &RouteRow) -> Self {
        let (forecast, in_s, out, at) = match row.forecast {
            Forecast::Exhausted { since } => ("exhausted", None, Some(since), None),
            Forecast::RunsOut { left, at } => ("runs_out", Some(left.as_secs()), Some(at), None),
            Forecast::LevelsOff(used) => ("levels_off", None, None, Some(used)),
        };
        let holder = |(process, ports): &(std::sync::Arc<crate::kernel::Process>, u32)| HolderRecord {
            pid: process.pid,
            comm: process.comm.to_string(),
            ports: *ports,
        };
        Self {
            from: row.from.to_string(),
            to: row.to.to_string(),
            capacity: row.capacity,
            live: row.live,
            time_wait: row.time_wait,
            let_go: row.let_go,
            free: row.free(),
            closes_per_s: row.closes_per_s,
            forecast,
            in_s,
            out_ts_ns: out.map(Timestamp::nanos),
            at,
            holders: row.holders.iter().map(holder).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn each_forecast_has_its_own_field() {
        let pane = fixture::live_dashboard().ports.expect("ports");
        let record = serde_json::to_value(PortsRecord::of(&pane).expect("a range")).expect("JSON");
        let told = |place: usize| {
            let route = &record["routes"][place];
            (route["forecast"].as_str(), route["in_s"].as_u64(), route["at"].as_u64(), route["free"].as_u64())
        };
        assert_eq!(told(0), (Some("exhausted"), None, None, Some(0)));
        assert_eq!(told(1), (Some("runs_out"), Some(5), None, Some(2_741)));
        assert_eq!(told(2), (Some("levels_off"), None, Some(12_600), Some(22_226)));
        assert_eq!(record["routes"][0]["to"], "198.51.100.4:5432");
        assert_eq!(PortsRecord::of(&PortsPane::default()), None, "without the range nothing is claimed");
    }
}
