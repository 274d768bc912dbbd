//! Recordings in whole: every pane of a report comes back from one, and tshark, tcpdump and capinfos read it without a
//! complaint.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sockscope::base::Mark;
use sockscope::journal::{CaptureReader, Item};

#[path = "support/recorded.rs"]
mod recorded;
#[path = "support/skip.rs"]
mod skip;

use recorded::{FRAMES, SECRET, recording};

fn written(folder: &Path, payload: u32) -> PathBuf {
    let path = folder.join("recording.pcapng");
    std::fs::write(&path, recording(payload).0).expect("a file");
    path
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn items(file: Vec<u8>) -> (Vec<sockscope::engine::Input>, Vec<Mark>) {
    let mut reader = CaptureReader::open(Box::new(Cursor::new(file))).expect("a recording");
    assert!(reader.is_recording(), "before its first frame");
    let (mut inputs, mut marks) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next_item().expect("no damage") {
        match item {
            Item::Recorded(_, gave) => inputs.extend(gave),
            Item::Input(input) => inputs.push(input),
            Item::Mark(mark) => marks.push(mark),
            Item::Frame(frame) => panic!("of no recording: {frame:?}"),
        }
    }
    (inputs, marks)
}

#[test]
fn what_the_engine_was_fed_comes_back_with_payload_or_without() {
    for payload in [0, 10, 100_000] {
        let (file, fed) = recording(payload);
        let (inputs, marks) = items(file);
        assert_eq!(inputs, fed, "{payload} bytes of payload");
        assert_eq!(marks[0].note.as_str(), "here it went wrong");
    }
}

#[test]
fn payload_is_written_only_where_it_is_asked_for() {
    let holds = |payload, text: &[u8]| recording(payload).0.windows(text.len()).any(|bytes| bytes == text);
    assert!(!holds(0, b"secret-path") && !holds(0, &SECRET[..5]));
    assert!(holds(5, &SECRET[..5]) && !holds(5, &SECRET[..6]));
    assert!(holds(0, b"shop.example"), "what was read of it is told all the same");
}

fn sockscope(words: &[&str], file: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockscope"));
    let Output { status, stdout, stderr } =
        command.args([words[0], "-r"]).arg(file).args(&words[1..]).output().expect("sockscope");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

#[test]
fn a_report_of_a_recording_tells_of_wire_kernel_and_owners() {
    let folder = folder();
    let report = sockscope(&["report"], &written(folder.path(), 0));
    for told in ["3/128  10.0.0.2:80 · nginx[1] fd 6", "1 connect() traced", "kernel 1, interface 0", "shop.example"] {
        assert!(report.contains(told), "{told}:\n{report}");
    }
}

#[test]
fn a_report_of_a_recording_tells_what_was_marked() {
    let folder = folder();
    let file = written(folder.path(), 0);
    let text = sockscope(&["report"], &file);
    assert!(text.contains("\nmarked  +") && text.contains("· “here it went wrong”\n"), "{text}");
    let lines = sockscope(&["report", "--format", "ndjson"], &file);
    let told = lines.lines().filter(|line| line.starts_with(r#"{"type":"mark","#)).collect::<Vec<_>>();
    assert!(matches!(told[..], [one] if one.ends_with(r#""note":"here it went wrong"}"#)), "{lines}");
}

#[test]
fn a_packet_filter_leaves_frames_out_and_nothing_else() {
    let folder = folder();
    let report = sockscope(&["report", "tcp", "port", "81"], &written(folder.path(), 0));
    assert!(report.contains("0 flows") && report.contains("nginx[1] fd 6"), "{report}");
    assert!(!report.contains("shop.example"), "what a frame said that was left out:\n{report}");
}

#[test]
fn a_picture_of_a_recording_shows_its_queues() {
    let folder = folder();
    let out = folder.path().join("queues.txt");
    let words = ["snap", "--view", "queues", "--size", "120x30", "-o", out.to_str().expect("a path")];
    sockscope(&words, &written(folder.path(), 0));
    let picture = std::fs::read_to_string(out).expect("a picture");
    assert!(picture.contains("3/128") && picture.contains("nginx"), "{picture}");
}

#[test]
fn at_its_first_instant_a_recording_says_that_the_kernel_was_not_read_yet() {
    let folder = folder();
    let file = written(folder.path(), 0);
    let out = folder.path().join("first.txt");
    sockscope(&["snap", "--at", "0", "--size", "120x30", "-o", out.to_str().expect("a path")], &file);
    let picture = std::fs::read_to_string(out).expect("a picture");
    assert!(picture.contains("not read yet") && !picture.contains("not recorded"), "{picture}");
}

/// What a tool says, which must end well and complain of nothing.
fn says(tool: &str, words: &[&str], file: &Path) -> Option<String> {
    let Ok(Output { status, stdout, stderr }) = Command::new(tool).args(words).arg(file).output() else {
        skip::skip(&format!("a recording in {tool}, which is not installed"));
        return None;
    };
    let complaints = String::from_utf8_lossy(&stderr);
    let known = ["Running as user", "reading from file"];
    let complaints: Vec<_> =
        complaints.lines().filter(|line| !known.iter().any(|known| line.contains(known))).collect();
    assert!(status.success() && complaints.is_empty(), "{tool}: {status}: {complaints:?}");
    Some(String::from_utf8(stdout).expect("text"))
}

#[test]
fn tshark_reads_frames_entries_and_comments() {
    let folder = folder();
    let file = written(folder.path(), 0);
    let Some(details) = says("tshark", &["-V", "-r"], &file) else { return };
    assert!(!details.contains("Malformed") && !details.contains("Unknown"), "{details}");
    for told in [
        "Message: curl (pid 77, www) connects 10.0.0.1:40000 to 10.0.0.2:80",
        "Message: 1 sockets: 1 LISTEN",
        "[Expert Info (Comment/Comment): 10.0.0.2:80 listened on by nginx (pid 1, www), fd 6]",
        "[Expert Info (Comment/Comment): 10.0.0.1:40000 connected by curl (pid 77, www)]",
    ] {
        assert!(details.contains(told), "{told}:\n{details}");
    }
    let fields = ["-Y", "tcp", "-T", "fields", "-e", "frame.len", "-e", "tcp.len", "-r"];
    let lengths = says("tshark", &fields, &file).expect("it is there");
    assert_eq!(lengths, "54\t0\n54\t0\n54\t0\n103\t49\n973\t919\n");
}

#[test]
fn tcpdump_and_capinfos_read_the_frames() {
    let folder = folder();
    let file = written(folder.path(), 0);
    if let Some(lines) = says("tcpdump", &["-n", "-r"], &file) {
        assert_eq!(lines.lines().count(), FRAMES, "{lines}");
        assert!(lines.contains("length 919"), "{lines}");
    }
    if let Some(infos) = says("capinfos", &[], &file) {
        for told in ["Number of packets:   5", "Strict time order", "Filter string = tcp port 80", "sockscope"] {
            assert!(infos.contains(told), "{told}:\n{infos}");
        }
    }
}
