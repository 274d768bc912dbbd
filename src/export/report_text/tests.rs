use super::*;
use crate::base::{Endpoint, Scrubbed, Timestamp};
use crate::engine::{Evicted, FlowDetail, Gist};
use crate::export::{Pick, findings, fixture};

fn report(dashboard: &Dashboard, flows: &[FlowDetail], damage: Option<&Damage>, width: usize) -> String {
    marked_report(dashboard, flows, damage, &[], width)
}

fn marked_report(
    dashboard: &Dashboard,
    flows: &[FlowDetail],
    damage: Option<&Damage>,
    marks: &[Mark],
    width: usize,
) -> String {
    let mut tally = Tally::new();
    let mut pick = Pick::new(dashboard.now.unwrap_or(Timestamp::MIN), 2, 3);
    for detail in flows {
        let gist = Gist::from(detail);
        tally.count(&gist);
        pick.offer(&gist, || Some(detail.clone()));
    }
    let findings = findings(dashboard, &tally, |tell| flows.iter().for_each(|detail| tell(&Gist::from(detail))));
    let detail = |id| flows.iter().find(|detail| detail.row.id == id).cloned();
    let context = ReportContext {
        source: "demo.pcapng.gz",
        dashboard,
        tally: &tally,
        pick: &pick.picked(&findings, &detail, detail),
        findings: &findings,
        damage,
        marks,
        filter: &crate::engine::Filter::default(),
        width,
    };
    let mut bytes = Vec::new();
    write_report(&mut bytes, &context).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn zeeks_rows_and_its_other_originator_are_told() {
    let mut detail = fixture::completed(1);
    let mut row = fixture::zeek_row(crate::flow::ConnState::Oth, "^hA");
    row.orig = crate::flow::Side::Resp;
    detail.zeek = Some(crate::flow::ZeekView { rows: vec![row.clone(), row], beyond: 3 });
    let text = report(&fixture::dashboard(), &[detail], None, 200);
    let line = "Zeek: OTH (none of the others), history ^hA; its orig is resp; row 1 of 5";
    assert!(text.contains(line), "{text}");
}

#[test]
fn what_was_evicted_is_told_and_what_that_leaves_out() {
    let mut dashboard = fixture::dashboard();
    let told = |dashboard: &Dashboard| report(dashboard, &[fixture::completed(1)], None, 200);
    let headings = |text: &str| -> Vec<String> {
        let sections = ["── Handshakes", "── States"];
        let is_one = |line: &&str| sections.iter().any(|section| line.starts_with(section));
        text.lines().filter(is_one).map(str::to_owned).collect()
    };
    let text = told(&dashboard);
    assert!(!text.contains("evicted") && headings(&text).iter().all(|heading| !heading.contains("kept")), "{text}");
    dashboard.totals.evicted = Evicted { closed: 9_000, half_open: 0, idle: 1 };
    let text = told(&dashboard);
    assert!(text.contains("\nevicted 9,000 closed, 1 idle from the full table: outcomes and states"), "{text}");
    assert_eq!(headings(&text).iter().filter(|heading| heading.ends_with("flows that were kept")).count(), 2, "{text}");
}

#[test]
fn names_and_waits_are_told() {
    let text = report(&fixture::dashboard(), &[fixture::named(1)], None, 200);
    let lines = [
        "shop.example.org (by SNI) · TLS 1.3 · offered h2,http/1.1 · address by DNS of 10.0.0.1:53",
        "waits: DNS 12.0 ms · TCP 21.0 ms · TLS 41.0 ms · request 180.0 ms",
    ];
    assert!(lines.iter().all(|line| text.contains(line)), "{text}");
    let without = report(&fixture::dashboard(), &[fixture::completed(1)], None, 200);
    assert!(!without.contains("waits:"), "a handshake alone is told elsewhere");
}

fn flows() -> Vec<FlowDetail> {
    vec![
        fixture::completed(1),
        fixture::refused(2),
        fixture::refused(3),
        fixture::refused(4),
        fixture::timed_out(5),
        fixture::window_closed(6),
        fixture::close_wait(7),
        fixture::partial(8),
    ]
}

fn settled(text: &str) -> String {
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn of_a_capture() {
    insta::assert_snapshot!(settled(&report(&fixture::dashboard(), &flows(), None, 100)));
}

#[test]
fn of_a_live_host_in_80_columns() {
    let mut all = flows();
    all.push(fixture::kernel_only(9));
    insta::assert_snapshot!(settled(&report(&fixture::live_dashboard(), &all, None, 10)));
}

#[test]
fn damage_is_told_first_and_nothing_is_not_invented() {
    let mut dashboard = fixture::dashboard();
    dashboard.since = None;
    dashboard.now = None;
    dashboard.loss = None;
    dashboard.sees.wire = false;
    dashboard.states.rows.clear();
    let damage = Damage { file: "cut.pcap".to_owned(), offset: 0, reason: "the file is empty".to_owned() };
    let text = report(&dashboard, &[], Some(&damage), 100);
    let head: Vec<&str> = text.lines().take(6).skip(1).collect();
    assert_eq!(
        head,
        [
            "time    nothing was seen",
            "wire    not recorded",
            "kernel  not recorded",
            "lost    not told",
            "DAMAGED cut.pcap at byte 0: the file is empty; nothing stands before it",
        ]
    );
}

#[test]
fn marks_are_told_each_with_its_time_and_note() {
    let dashboard = fixture::dashboard();
    let start = dashboard.since.unwrap();
    let mark = |ts, note: &str| Mark { ts, note: Scrubbed::new(note) };
    let marks = [
        mark(start - std::time::Duration::from_millis(1), "early"),
        mark(start + std::time::Duration::from_millis(41_500), "deploy 4711"),
        mark(start + std::time::Duration::from_secs(50), ""),
    ];
    let text = marked_report(&dashboard, &[], None, &marks, 100);
    let told: Vec<&str> = text.lines().filter(|line| line.starts_with("marked ")).collect();
    let expected = [
        "marked  before the start · 2025-11-21 13:59:59.999 UTC · “early”",
        "marked  +41.500 s · 2025-11-21 14:00:41.500 UTC · “deploy 4711”",
        "marked  +50.000 s · 2025-11-21 14:00:50.000 UTC · no note",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_the_kernel_tells_is_wrong_with_queues_is_told() {
    let mut dashboard = fixture::live_dashboard();
    let text = report(&dashboard, &[], None, 160);
    for line in [
        "‼ accept queue: 0.0.0.0:8080: 129 wait, limit 128, 31 dropped in 9 s · app[99] fd 5",
        "! not reading: report.py[4121] fd 7: Recv-Q 98.0 kB for 41 s; its peer waits on a closed window",
        "accept    129/128  ‼ full for 9.85 s · 0.0.0.0:8080 · owner unknown",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}: {text}");
    }
    assert!(!text.contains("lost at listeners"), "the finding tells it: {text}");
    dashboard.findings.clear();
    let text = report(&dashboard, &[], None, 160);
    assert!(text.contains("– lost at listeners while watched: 31 overflows"), "{text}");
    assert!(!text.contains("‼ 0.0.0.0:8080"), "marks are of findings alone: {text}");
    let kernel = dashboard.queues.kernel.as_mut().unwrap();
    (kernel.accept[0].waiting, kernel.listen_overflows) = (0, Some(0));
    kernel.recv[0].since = fixture::at(65.0);
    let text = report(&dashboard, &[], None, 160);
    assert!(text.contains("nothing that can be seen") && !text.contains("8080"), "{text}");
}

#[test]
fn of_what_was_not_decoded_nothing_is_said() {
    let mut dashboard = fixture::dashboard();
    dashboard.totals.segments = 0;
    let text = report(&dashboard, &[], None, 100);
    assert!(text.contains("nothing was decoded, so nothing can be said"), "{text}");
    dashboard.loss = None;
    let text = report(&dashboard, &[], None, 100);
    assert!(text.contains("no TCP was seen, so nothing can be said"), "{text}");
}

#[test]
fn what_was_sent_again_and_not_acknowledged_is_told() {
    use crate::base::Seq;
    let mut detail = fixture::completed(1);
    let half = &mut detail.halves.as_mut().unwrap()[1];
    (half.una, half.nxt) = (Some(Seq(0)), Some(Seq(1_460)));
    let text = report(&fixture::dashboard(), &[detail.clone()], None, 160);
    assert!(text.contains("– sent again, not all acknowledged: 1 flow"), "{text}");
    assert!(text.contains("resp sent: retransmission 1 · 1.5 kB of resp not acknowledged"), "{text}");
    detail.halves.as_mut().unwrap()[1].una = None;
    let text = report(&fixture::dashboard(), &[detail], None, 160);
    assert!(text.contains("retransmission 1 · no acknowledgment of what resp sent was seen"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_page() {
    let mut all = flows();
    let far = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff".parse::<std::net::IpAddr>().unwrap();
    for detail in all.iter_mut().skip(3) {
        detail.row.orig.endpoint = Endpoint::new(far, 65_535);
        detail.row.resp.endpoint = Endpoint::new(far, 65_534);
    }
    all[1].story = "word ".repeat(60) + &"x".repeat(300);
    for width in [80, 100, 160] {
        let text = report(&fixture::live_dashboard(), &all, None, width);
        for line in text.lines() {
            assert!(line.width() <= width, "{width}: {line}");
            assert_eq!(line, line.trim_end());
        }
        assert!(text.contains("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 →"), "the address is whole");
    }
}
