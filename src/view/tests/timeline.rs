//! The timeline, and what is said of the past of a running host.

use std::time::Duration;

use super::super::fixture::{ago, capture, capture_source};
use super::{screen, text};
use crate::base::{Mark, Moments, Scrubbed, Timeline};
use crate::ui::{Playback, SourceKind, ThemeName, Track};

/// A capture of a hundred seconds: quiet, then a burst with losses, failures and a finding, a mark, and silence.
fn track() -> Track {
    let from = ago(45);
    let mut timeline = Timeline::default();
    for tick in 0..900_u32 {
        let at = from + Duration::from_millis(u64::from(tick) * 100);
        let burst = (300..500).contains(&tick);
        let moments = Moments {
            segments: if burst { 40 + tick % 37 } else { u32::from(tick % 9 == 0) },
            retransmissions: u32::from(burst && tick % 50 == 0),
            failures: u32::from(matches!(tick, 120 | 410 | 411)),
            findings: u32::from(tick == 425),
        };
        timeline.add(at, moments);
    }
    let mark = Mark { ts: from + Duration::from_secs(20), note: Scrubbed::new("deploy") };
    Track { from, to: from + Duration::from_secs(100), timeline, marks: vec![mark] }
}

#[test]
fn the_timeline_tells_density_findings_failures_marks_and_where_one_is() {
    let mut source = capture_source();
    source.track = Some(track());
    for size in [(79, 24), (80, 24), (120, 40), (200, 60)] {
        let shown = text(&screen(&capture(), &source, "", size, ThemeName::Dark));
        let head: Vec<&str> = shown.lines().skip(2).take(3).collect();
        insta::assert_snapshot!(format!("timeline_{}x{}", size.0, size.1), head.join("\n"));
    }
}

#[test]
fn the_past_of_a_running_host_is_told_loudly() {
    let mut source = capture_source();
    (source.kind, source.track) = (SourceKind::Live, Some(track()));
    source.playback = source.playback.map(|playback| Playback {
        paused: true,
        speed: 1.0,
        live: capture().now.map(|now| now + Duration::from_millis(12_400)),
        ..playback
    });
    for size in [(80, 24), (120, 40)] {
        let shown = text(&screen(&capture(), &source, "", size, ThemeName::Dark));
        assert!(shown.contains("LIVE, rewound") && shown.contains("◀ −12.4 s · live goes on · L returns"), "{shown}");
        assert!(shown.contains("‖"), "{shown}");
    }
}

#[test]
fn beside_a_narrow_timeline_a_growing_file_runs_into_nothing() {
    let mut source = capture_source();
    source.track = Some(track());
    source.playback = source.playback.map(|playback| Playback { growing: true, speed: f64::INFINITY, ..playback });
    let shown = text(&screen(&capture(), &source, "", (80, 24), ThemeName::Dark));
    let line = shown.lines().find(|line| line.contains("full speed")).expect("the line of the playback").to_owned();
    assert!(!line.contains(" so "), "no room for both words: {line}");
    assert!(line.contains("+ "), "its length is not known: {line}");
}
