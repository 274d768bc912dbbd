//! What the header tells of a recording.

use std::time::Duration;

use super::*;
use crate::ui::{Recording, Recordings};

fn header(running: Recording, width: u16) -> String {
    let source = Source { recordings: Recordings { running: Some(running), ended: None }, ..live_source() };
    let shown = text(&screen(&live(), &source, "", (width, 40), ThemeName::Dark));
    shown.lines().next().expect("a header").to_owned()
}

#[test]
fn a_recording_is_told_with_its_time_and_size() {
    let running = Recording {
        in_memory: false,
        name: "a.pcapng".into(),
        bytes: 3_400_000,
        lost: 0,
        took: Duration::from_secs(72),
    };
    assert!(header(running.clone(), 120).contains("LIVE eth0 lo  ● REC 1:12.0 3.4 MB   "));
    assert!(header(running.clone(), 80).contains("LIVE eth0 lo  ● REC   "), "{}", header(running.clone(), 80));
    let losing = Recording { lost: 12, in_memory: true, ..running };
    assert!(header(losing.clone(), 120).contains("● RING 1:12.0 3.4 MB 12 lost"));
    for width in 40..=120 {
        assert!(header(losing.clone(), width).contains("● RING"), "{width}");
    }
}
