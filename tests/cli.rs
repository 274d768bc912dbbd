//! The command line as scripts use it: what is printed, written and returned, in plain sight of a shell.
//!
//! May touch files in temporary directories and child processes. Read first: `app::cli`, and the README's exit codes.
#![cfg(all(feature = "live", feature = "tui"))]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sockscope::base::Timestamp;
use sockscope::engine::Input;
use sockscope::journal::recording::{Recorder, Setup};
use sockscope::kernel::SocketSample;

#[path = "support/command.rs"]
mod command;
#[path = "support/files.rs"]
mod files;
#[path = "support/incident.rs"]
mod incident;
#[path = "support/skip.rs"]
mod skip;

use command::{run, sockscope, told};
use files::Files;
use incident::{INCIDENT, incident};

const FLOWS: usize = 567;

/// Runs it on a stream.
fn run_on(stream: &[u8], args: &[&str]) -> (i32, String, String) {
    told(&assert_cmd::Command::from_std(sockscope(args)).write_stdin(stream).output().expect("it starts"))
}

#[test]
fn without_a_terminal_the_demo_is_a_report() {
    let (code, out, err) = run(&["demo"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for words in [
        "built-in incident",
        "── Handshakes",
        "owner known of",
        "refused ",
        "Ephemeral ports",
        "leak: worker[",
        "── TIME-WAIT",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(!out.contains('\x1b'), "no colours into a pipe");
    assert_eq!(out, run(&["report", "--demo"]).1, "the same report, and the same each time");
    assert_eq!(out.lines().map(|line| line.chars().count()).filter(|width| *width > 100).count(), 0);
}

#[test]
fn a_file_is_reported_alike_whatever_its_wrapping() {
    let files = Files::new(&[("plain.pcap", &incident())]);
    let expected = run(&["report", "-r", INCIDENT, "--format", "ndjson"]).1;
    let flows = |text: &str| -> Vec<String> { text.lines().take(FLOWS).map(str::to_owned).collect() };
    for path in [files.path("plain.pcap"), INCIDENT.to_owned()] {
        let (code, out, err) = run(&["report", "-r", &path, "--format", "ndjson"]);
        assert_eq!((code, err.as_str()), (0, ""), "{path}");
        assert!(flows(&out) == flows(&expected), "{path}");
    }
    let (code, out, err) = run_on(&incident(), &["report", "-r", "-", "--format", "ndjson"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(flows(&out) == flows(&expected), "stdin");
    // The dashboard on the same stream, where there is no terminal.
    let (code, out, _) = run_on(&incident(), &["-r", "-"]);
    assert!(code == 0 && out.starts_with("sockscope ") && out.contains("stdin"), "{out}");
}

/// A pcap file of over 16 MiB.
fn long_capture() -> Vec<u8> {
    const FRAMES: usize = 300;
    let header = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    // Of an EtherType that is nobody's.
    let frame = [[0; 12].as_slice(), &[0x88, 0xb5], &[0; 60_000]].concat();
    let length = u32::try_from(frame.len()).expect("a length").to_le_bytes();
    let record = [[1, 0, 0, 0].as_slice(), &[0; 4], &length, &length, &frame].concat();
    [header.as_slice(), &record.repeat(FRAMES)].concat()
}

#[test]
fn a_long_capture_is_told_the_same_whether_or_not_large_pages_are_asked_for() {
    let files = Files::new(&[("long.pcap", &long_capture())]);
    let long = files.path("long.pcap");
    let report = ["report", "-r", &long];
    let with = told(&sockscope(&report).output().expect("it starts"));
    assert!(with.0 == 0 && with.1.contains("300 not TCP"), "{with:?}");
    assert_eq!(told(&sockscope(&report).env("SOCKSCOPE_NO_LARGE_PAGES", "").output().expect("it starts")), with);

    let given = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    if !given.contains("[madvise]") || cfg!(not(target_env = "gnu")) {
        return skip::skip("large pages are not given to whoever asks");
    }
    // It waits for the second one.
    let mut both = sockscope(&["report", "-r", &long, "-r", "-"]);
    let mut child = both.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
    let environ = format!("/proc/{}/environ", child.id());
    let asked = || fs::read_to_string(&environ).is_ok_and(|words| words.contains("=glibc.malloc.hugetlb=1"));
    let is_asked = (0..2_000).any(|_| asked() || (std::thread::sleep(Duration::from_millis(5)), false).1);
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    assert!(is_asked, "it has executed itself once more, as the same process");
}

#[test]
fn formats_for_programs() {
    let (code, out, _) = run(&["report", "-r", INCIDENT, "--format", "ndjson"]);
    let objects: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let types = |name| objects.iter().filter(|object| object["type"] == name).count();
    let findings = types("finding");
    assert_eq!((code, types("flow"), types("summary"), objects.len()), (0, FLOWS, 1, FLOWS + findings + 1));
    let summary = objects.last().expect("a summary");
    assert_eq!(summary["type"], "summary", "it comes last");
    let segments = |end: &str| objects.iter().filter_map(|flow| flow[end]["segments"].as_u64()).sum::<u64>();
    assert_eq!(summary["segments"].as_u64(), Some(segments("orig") + segments("resp")), "every segment has a flow");
    let first: Vec<i64> = objects.iter().filter_map(|flow| flow["first_ts_ns"].as_i64()).take(FLOWS).collect();
    assert!(first.is_sorted(), "in order of first appearance");

    let (code, out, _) = run(&["report", "-r", INCIDENT, "--format", "json"]);
    let whole: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 0);
    assert_eq!(whole["flows"].as_array().expect("flows")[..], objects[..FLOWS]);
    assert!(findings > 0 && whole["findings"].as_array().expect("findings")[..] == objects[FLOWS..FLOWS + findings]);
    assert_eq!(&whole["summary"], summary);
}

#[test]
fn a_report_into_a_file_and_of_some_flows() {
    let files = Files::new(&[]);
    let path = files.path("out.ndjson");
    let (code, out, err) =
        run(&["report", "-r", INCIDENT, "--format", "ndjson", "--filter", "6379 refused", "-o", &path]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    let text = fs::read_to_string(&path).expect("the report");
    let (flows, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("{\"type\":\"flow\""));
    assert_eq!(flows.len(), 20);
    let findings: Vec<&&str> = rest.iter().filter(|line| line.contains("\"type\":\"finding\"")).collect();
    assert!(
        matches!(findings[..], [refused] if refused.contains("connects_refused")),
        "of the flows that match: {rest:?}"
    );
    assert!(text.lines().take(20).all(|line| line.contains("6379") && line.contains("refused")));
}

#[test]
fn a_finding_as_bad_as_asked_for_is_4() {
    let files = Files::new(&[("cut.pcap", &incident()[..incident().len() * 3 / 4])]);
    let cut = files.path("cut.pcap");
    for format in ["text", "json", "ndjson"] {
        let code = |words: &str| {
            let arguments = format!("report --format {format} {words}");
            run(&arguments.split_whitespace().collect::<Vec<_>>()).0
        };
        assert_eq!((code("--demo"), code("--demo --fail-on critical")), (0, 4), "{format}");
        // Of these flows none is refused: what is left are warnings.
        let quiet = |least: &str| code(&format!("--demo --filter 9200 --fail-on {least}"));
        assert_eq!([quiet("critical"), quiet("warning"), quiet("info")], [0, 4, 4], "{format}");
        assert_eq!(
            [code(&format!("-r {cut}")), code(&format!("-r {cut} --fail-on info"))],
            [2, 4],
            "{format}: damaged"
        );
    }
    assert_eq!(run(&["report", "-r", INCIDENT, "--fail-on", "bad"]).0, 1);
}

#[test]
fn a_finding_says_what_since_when_why_and_what_to_do() {
    let (_, out, _) = run(&["report", "-r", INCIDENT, "--format", "ndjson"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let findings: Vec<&Value> = lines.iter().filter(|line| line["type"] == "finding").collect();
    let [refused, ..] = findings[..] else { panic!("findings") };
    assert_eq!((&refused["kind"], &refused["severity"]), (&"connects_refused".into(), &"critical".into()));
    assert_eq!(refused["subject"], serde_json::json!({"type": "destination", "addr": "198.51.100.20", "port": 6379}));
    assert_eq!((&refused["evidence"]["failed"], &refused["evidence"]["attempts"]), (&20.into(), &20.into()));
    assert!(refused["since_ts_ns"].is_i64() && refused["why"].is_string() && refused["remedy"].is_string());
    let rank = |finding: &Value| ["critical", "warning", "info"].iter().position(|name| finding["severity"] == *name);
    assert!(findings.is_sorted_by_key(|finding| rank(finding).expect("a severity")), "the worst first");
    assert!(lines[lines.len() - 1]["type"] == "summary" && lines[lines.len() - 2]["type"] == "finding");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    for format in ["text", "json", "ndjson"] {
        let mut child = sockscope(&["report", "-r", INCIDENT, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        drop(out);
        let rest = child.wait_with_output().expect("it ends");
        assert_eq!((rest.status.code(), rest.stderr.as_slice()), (Some(0), &b""[..]), "{format}");
    }
}

#[test]
fn what_is_no_capture_is_1_and_named() {
    let files = Files::new(&[("text", b"hello, world"), ("empty", b"")]);
    let dir = files.0.path().to_str().expect("a plain name");
    let cases = [
        (files.path("text"), "not a capture: it begins with 68 65 6c 6c 6f"),
        (files.path("empty"), "it is empty"),
        (files.path("missing"), "No such file"),
        (dir.to_owned(), "is a directory"),
    ];
    for (path, reason) in cases {
        for args in [vec!["report", "-r", &path], vec!["-r", &path], vec!["snap", "-o", "/dev/null.txt", "-r", &path]] {
            let (code, out, err) = run(&args);
            assert_eq!((code, out.as_str()), (1, ""), "{args:?}");
            assert!(err.contains(&path) && err.contains(reason) && err.lines().count() == 1, "{err}");
        }
    }
}

#[test]
fn what_is_damaged_is_2_and_all_before_it_is_told() {
    let whole = incident();
    let gz = fs::read(INCIDENT).expect("the capture");
    let mut garbled = whole[..60_000].to_vec();
    garbled.extend([0xff; 64]);
    let files = Files::new(&[
        ("cut.pcap", &whole[..100_000]),
        ("cut.pcap.gz", &gz[..gz.len() / 2]),
        ("garbled.pcap", &garbled),
        ("head.pcap", &whole[..10]),
    ]);
    for (name, some) in [("cut.pcap", true), ("cut.pcap.gz", true), ("garbled.pcap", true), ("head.pcap", false)] {
        let path = files.path(name);
        let (code, out, err) = run(&["report", "-r", &path, "--format", "ndjson"]);
        assert_eq!(code, 2, "{name}");
        let objects: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(objects.len() > 10, some, "{name}: flows before the damage");
        let damage = &objects.last().expect("a summary")["damage"];
        let offset = damage["offset"].as_u64().expect("where");
        assert_eq!(damage["file"], path.as_str());
        assert!(err.contains(&path) && err.contains(&format!("damaged at byte {offset}")), "{err}");
        assert!(err.contains(damage["reason"].as_str().expect("why")), "{err}");
        let (code, text, _) = run(&["report", "-r", &path]);
        let told = text.lines().any(|line| line.replace(',', "").contains(&format!("byte {offset}")));
        assert!(code == 2 && told, "the text report tells it too: {text}");
    }
    // What the cut one holds is what the whole one begins with.
    let (_, out, _) = run(&["report", "-r", &files.path("cut.pcap"), "--format", "ndjson"]);
    let first: Value = serde_json::from_str(out.lines().next().expect("a flow")).expect("JSON");
    assert_eq!((&first["orig"]["addr"], &first["orig"]["port"]), (&"198.51.100.101".into(), &42020.into()));
    // A picture of it is made, and says so.
    let picture = files.path("cut.txt");
    let (code, _, err) = run(&["snap", "-r", &files.path("cut.pcap"), "-o", &picture]);
    assert!(code == 2 && err.contains("cut.pcap") && err.contains("damaged at byte"), "{code}: {err}");
    assert!(fs::read_to_string(&picture).expect("a picture").contains("damaged at byte"));
}

/// A block of pcapng whose body is a multiple of four bytes.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 12).expect("it is small").to_le_bytes();
    [&kind.to_le_bytes(), &len[..], body, &len].concat()
}

/// An empty reading of the socket table, so many milliseconds after it was first read.
fn reading(millis: u64) -> Input {
    let first = Timestamp::from_secs_nanos(1_700_000_000, 0);
    Input::Sample(Arc::new(SocketSample::empty(first + Duration::from_millis(millis))))
}

#[test]
fn entries_that_are_passed_over_are_counted_and_told() {
    let section = block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    let foreign = block(9, b"MESSAGE=hello\n\n\n");
    let capture = [section, foreign.clone(), foreign].concat();
    let mut recorder = Recorder::new(Setup::default());
    let (mut begun, mut taken_out, mut left) = (Vec::new(), Vec::new(), Vec::new());
    recorder.begin(Timestamp::from_secs_nanos(1_700_000_000, 0), &mut begun);
    recorder.input(&reading(0), &mut taken_out);
    recorder.input(&reading(1_000), &mut left);
    let cut = [&begun[..], &taken_out, &left].concat();
    recorder.end(&mut left);
    let (whole, holed) = ([&begun[..], &taken_out, &left].concat(), [begun, left].concat());
    let files =
        [("capture.pcapng", &capture[..]), ("cut.pcapng", &cut), ("whole.pcapng", &whole), ("holed.pcapng", &holed)];
    let files = Files::new(&files);
    for (name, told) in [
        ("capture.pcapng", Some("2 entries of another program's journal: passed over")),
        ("cut.pcapng", Some("the recording was not ended: it was cut off")),
        ("whole.pcapng", None),
        ("holed.pcapng", Some("1 entry of the recording not told")),
    ] {
        let path = files.path(name);
        let (code, _, err) = run(&["report", "-r", &path]);
        assert_eq!((code, err.is_empty()), (0, told.is_none()), "{name}: {err}");
        assert!(told.is_none_or(|told| err.contains(&format!("{path}: {told}"))), "{name}: {err}");
        let picture = files.path("picture.txt");
        assert_eq!(run(&["snap", "-r", &path, "--size", "160x48", "-o", &picture]).0, 0);
        let drawn = fs::read_to_string(&picture).expect("a picture");
        assert!(told.is_none_or(|told| drawn.contains(told)), "{name}: the dashboard tells it: {drawn}");
    }
}

#[test]
fn a_filter_is_the_last_words() {
    let path = INCIDENT;
    let (code, out, _) = run(&["report", "-r", path, "--format", "ndjson", "tcp", "port", "6379"]);
    // Twenty flows, the finding that they are refused, the summary.
    assert_eq!((code, out.lines().count()), (0, 20 + 1 + 1));
    let (code, none, _) = run(&["report", "-r", path, "--format", "ndjson", "udp"]);
    assert_eq!((code, none.lines().count()), (0, 1));
    for words in ["tcp port", "tcp port 99999", "no such words"] {
        let args: Vec<&str> = ["report", "-r", path].into_iter().chain(words.split(' ')).collect();
        let (code, out, err) = run(&args);
        assert_eq!((code, out.as_str()), (1, ""), "{words}");
        assert!(err.contains(&format!("'{words}'")), "{err}");
    }
}

#[test]
fn usage_errors_are_1_and_help_is_none() {
    let cases: [(&[&str], &str); 13] = [
        (
            &["snap", "-r", INCIDENT, "-o", "x.txt", "--theme", "pink"],
            "dark, light, high-contrast, colour-blind, 16, mono",
        ),
        (
            &["snap", "-r", INCIDENT, "-o", "x.txt", "--view", "all"],
            "overview, flows, handshakes, queues, time-wait, listeners, processes, findings, flow",
        ),
        (&["snap", "-r", INCIDENT, "-o", "x.txt", "--size", "10x10"], "40x10"),
        (&["snap", "-r", INCIDENT, "-o", "x.gif"], ".txt, .svg or .png"),
        (&["snap", "-r", INCIDENT, "-o", "-"], "a picture goes into a file"),
        (&["snap", "-r", INCIDENT], "-o"),
        (&["snap", "-r", INCIDENT, "-o", "x.txt", "--flow", "9999"], "there is no flow 9999"),
        (&["report", "-r", INCIDENT, "--for", "soon"], "a span such as 10s"),
        (&["report", "-i", "lo", "-w", "-"], "sockscope record -w -"),
        (&["-w", "-"], "sockscope record -w -"),
        (&["report", "-r", INCIDENT, "--flows", "0"], "from 1 on"),
        (&["report", "-r", "a", "-i", "lo"], "cannot be used with"),
        (&["report", "--nonsense"], "--nonsense"),
    ];
    for (args, reason) in cases {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}: 2 would say that the input is damaged");
        assert!(err.contains(reason), "{args:?}: {err}");
    }
    for args in [["--help"], ["--version"]] {
        let (code, out, err) = run(&args);
        assert!(code == 0 && err.is_empty() && out.contains("sockscope"), "{args:?}");
    }
}

/// Who records reads no capture, and only a dashboard goes back in one.
#[test]
fn help_offers_what_a_command_can_use() {
    let [read, seek] = ["-r <FILE>", "--seek-memory"];
    for (command, offered, not_offered) in [
        (&[][..], &[read, seek][..], &[][..]),
        (&["report"], &[read], &[seek]),
        (&["snap"], &[read], &[seek]),
        (&["record"], &[], &[read, seek]),
    ] {
        let (_, out, _) = run(&[command, &["--help"]].concat());
        assert!(out.contains("--owners"), "{out}");
        assert!(offered.iter().all(|option| out.contains(option)), "{command:?}: {out}");
        assert!(!not_offered.iter().any(|option| out.contains(option)), "{command:?}: {out}");
    }
}

#[test]
fn a_command_after_options_or_misspelt_is_no_filter() {
    for args in [&["repport"][..], &["-i", "lo", "report", "--for", "1s"], &["-r", "x.pcap", "report"]] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}");
        assert!(err.contains("did you mean the command `report`? Commands come first"), "{err}");
    }
}

#[test]
fn a_file_without_its_option_is_no_filter() {
    let files = Files::new(&[("td", &incident())]);
    let here = files.path("td");
    for (args, file) in [
        (&["td.pcap"][..], "td.pcap"),
        (&["report", "day.pcapng.gz", "port", "80"], "day.pcapng.gz"),
        (&["snap", "-o", "x.txt", &here], &here),
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}");
        assert!(err.contains(&format!("is no filter; to read a file: -r {file}")), "{err}");
    }
}

#[test]
fn of_a_pcap_file_of_another_version_nothing_is_read() {
    let mut other = incident();
    other[4] = 1;
    let files = Files::new(&[("other.pcap", &other)]);
    let (code, out, _) = run(&["report", "-r", &files.path("other.pcap")]);
    assert_eq!(code, 2);
    for words in
        ["at byte 0: pcap version 1.4: only 2.0 to 2.4 are read", "nothing was decoded, so nothing can be said"]
    {
        assert!(out.contains(words), "{out}");
    }
}

#[test]
fn a_text_report_names_its_filter_and_what_it_applies_to() {
    let (_, whole, _) = run(&["report", "-r", INCIDENT]);
    let (code, some, _) = run(&["report", "-r", INCIDENT, "--filter", "6379 refused"]);
    assert_eq!(code, 0);
    assert!(
        some.contains("filter  6379 refused: 20 of 567 flows fit; handshakes,") && !whole.contains("filter  "),
        "{some}"
    );
    assert!(some.contains("\nrefused 20\n") && some.contains(" flows that match"), "{some}");
    assert!(whole.contains(" whole source"));
    let states = |text: &str| text[text.find("── States").expect("states")..][..400].to_owned();
    assert_eq!(states(&some), states(&whole), "the states are of all flows");
    let findings = |text: &str| text.lines().filter(|line| line.starts_with(['!', '‼'])).count();
    assert_eq!((findings(&some), findings(&whole)), (1, 5), "those about these flows: {some}");
    let (_, none, _) = run(&["report", "-r", INCIDENT, "--filter", "port:1"]);
    assert!(none.contains("port:1: no flow matches, of 567 flows;") && none.contains("\nno flow matches\n"), "{none}");
    assert_eq!(findings(&none), 0);
    // As the words of a BPF filter.
    let (_, none, _) = run(&["report", "-r", INCIDENT, "--filter", "port 6379"]);
    assert!(none.contains("port 6379: no flow matches, of 567 flows (did you mean port:6379?);"), "{none}");
}

#[test]
fn what_cannot_be_written_is_named() {
    let cases: [(&[&str], &str); 3] = [
        (&["report", "-r", INCIDENT, "-o", "/nowhere/x"], "/nowhere/x: No such file"),
        (&["snap", "-r", INCIDENT, "-o", "/nowhere/x.txt"], "/nowhere/x.txt: No such file"),
        (&["report", "-r", INCIDENT, "-o", "/dev/full"], "/dev/full: No space left"),
    ];
    for (args, reason) in cases {
        let (code, _, err) = run(args);
        assert!(code == 1 && err.contains(reason), "{args:?}: {code} {err}");
    }
}

#[test]
fn names_cannot_act_on_the_terminal() {
    let files = Files::new(&[]);
    let name = "bad\x1b[31m\x07\n\u{202e}name";
    let path = files.path(name);
    fs::write(&path, incident()).expect("such names are allowed");
    fs::write(files.path("\x1b]0;x\x07.txt"), "no capture").expect("such names are allowed");
    let invalid = files.0.path().join(OsStr::from_bytes(b"\xff\x1b[2J"));
    let hostile = |text: &str| text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
    let picture = files.path("out.svg");
    let cases: [(&[&str], i32); 8] = [
        (&["report", "-r", &path], 0),
        (&["report", "-r", &path, "--format", "ndjson"], 0),
        (&["snap", "-r", &path, "-o", &picture], 0),
        (&["report", "-r", &files.path("\x1b]0;x\x07.txt")], 1),
        (&["report", "-i", "\x1b[31mlo", "--for", "1s"], 1),
        (&["report", "-r", INCIDENT, "-o", "/nowhere/\x1b[31m"], 1),
        (&["snap", "-r", INCIDENT, "-o", "x.\x1b[31m"], 1),
        (&["report", "-r", INCIDENT, "\x1b[31m"], 1),
    ];
    for (args, expected) in cases {
        let (code, out, err) = run(args);
        // Without the right to capture the refusal comes before the name is looked at.
        assert!(code == expected || (args.contains(&"-i") && code == 3), "{args:?}: {code} {err}");
        assert!(!hostile(&out) && !hostile(&err), "{args:?}: {err:?}");
    }
    assert!(!hostile(&fs::read_to_string(&picture).expect("a picture")));
    let output = sockscope(&["report", "-r"]).arg(&invalid).output().expect("it starts");
    let (code, _, err) = told(&output);
    assert!(code == 1 && !hostile(&err), "{err:?}");
    for option in ["--theme", "--size", "--at", "--view"] {
        let (code, _, err) = run(&["snap", "-r", INCIDENT, "-o", "x.txt", option, "\x1b[31mx"]);
        assert!(code == 1 && !hostile(&err), "{option}: {err:?}");
    }
}

#[test]
fn capturing_without_the_right_is_3_and_says_how_to_get_it() {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"]);
        // A copy that this user may run, wherever the build is.
        command
    } else {
        Command::new("env")
    };
    let files = Files::new(&[]);
    let binary = files.path("sockscope");
    fs::copy(env!("CARGO_BIN_EXE_sockscope"), &binary).expect("a copy");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(files.0.path(), open).expect("readable by all");
    let output = command.args([&binary, "report", "-i", "lo", "--for", "1s"]).output().expect("setpriv(1)");
    let (code, out, err) = told(&output);
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(err.contains("setcap cap_net_raw") && err.contains("not permitted"), "{err}");
}

#[test]
fn pictures_of_every_view_and_size_are_the_same_each_time() {
    let files = Files::new(&[]);
    for view in ["overview", "flows", "handshakes", "time-wait", "listeners", "flow"] {
        for (size, columns, rows) in [("80x24", 80, 24), ("120x40", 120, 40), ("200x60", 200, 60)] {
            let snap = |extension: &str, take: u32| {
                let path = files.path(&format!("{view}-{size}-{take}.{extension}"));
                let (code, out, err) = run(&["snap", "-r", INCIDENT, "--view", view, "--size", size, "-o", &path]);
                assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""), "{path}");
                fs::read(&path).expect("a picture")
            };
            let text = String::from_utf8(snap("txt", 1)).expect("UTF-8");
            let lines = text.lines().count();
            assert!(lines >= rows && lines <= rows + 3, "the screen but its keys, and the footer: {lines}");
            assert!(text.contains("incident.pcap.gz") && text.contains(env!("CARGO_PKG_VERSION")), "the footer");
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{size}");
            assert_eq!(snap("txt", 2), text.into_bytes());
            let svg = snap("svg", 1);
            assert!(svg.starts_with(b"<svg ") && svg == snap("svg", 2));
            let png = snap("png", 1);
            // A cell is 9x20 pixels, twice.
            assert_eq!(decoded(&png), (columns as u32 * 18, lines as u32 * 40), "{view} {size}");
            if view == "overview" {
                assert!(png == snap("png", 2), "{view} {size}");
            }
        }
    }
}

/// Reads a PNG whole; its size.
fn decoded(bytes: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    let first = &pixels[..4];
    assert!(pixels.chunks_exact(4).any(|pixel| pixel != first), "not all of one colour");
    (info.width, info.height)
}

#[test]
fn pictures_of_an_instant() {
    let files = Files::new(&[]);
    let path = files.path("x.txt");
    let at = |time: &str| {
        let (code, _, err) = run(&["snap", "-r", INCIDENT, "--at", time, "-o", &path]);
        let text = if code == 0 { fs::read_to_string(&path).expect("a picture") } else { String::new() };
        (code, text, err)
    };
    // The incident begins at 21:22:02.957 UTC.
    let cases = [
        ("12.5", "21:22:15.457 UTC"),
        ("1m", "21:23:02.957 UTC"),
        ("0", "21:22:02.957 UTC"),
        ("2026-11-21T21:22:32.957389090Z", "21:22:32.957 UTC"),
        ("2026-11-21T22:22:32.957389090+01:00", "21:22:32.957 UTC"),
        ("21:22:32", "21:22:32.000 UTC"),
        ("21:23", "21:23:00.000 UTC"),
        ("2026-11-21 21:22:32.5", "21:22:32.500 UTC"),
        ("21:22:02", "21:22:02.957 UTC"),
        ("69.848", "21:23:12."),
    ];
    for (time, window_ends) in cases {
        let (code, text, err) = at(time);
        assert!(code == 0 && text.contains(window_ends), "{time}: {code} {err} {text}");
    }
    // The demo is a recording: it knows processes.
    let (code, _, err) = run(&["snap", "--demo", "-o", &path]);
    assert!(code == 0 && fs::read_to_string(&path).expect("a picture").contains(" Busiest "), "{err}");
    let (early, late) = (at("5").1, at("1m").1);
    assert!(early.contains(" 21:22:07 ") && late.contains(" 21:23:02 "), "the clock stands at the instant");
    for time in ["never", "-5", "12:xx", "99:99", "2026-13-01T00:00:00Z", ""] {
        let (code, _, err) = at(time);
        assert!(code == 1 && err.contains("is no time"), "{time}: {code} {err}");
    }
    let (code, _, err) = run(&["snap", "--at", "5", "-o", &path]);
    assert!(code == 1 && err.contains("--at needs a capture"), "{err}");
    let beside = |at: &str| run(&["snap", "-r", INCIDENT, "--at", at, "-o", &files.path("beside.txt")]);
    for (at, told) in [
        ("99", "beyond the end"),
        ("99h", "beyond the end"),
        ("21:24", "21 min 24 s from the start lies beyond the end"),
        ("21:24:00", "--at 21:24:00: beyond the end (21:23:12): the capture spans"),
        ("21:22:01", "before the start (21:22:02): the capture spans"),
        ("2026-11-21T21:22:00Z", "from 2026-11-21T21:22:02.957Z to 2026-11-21T21:23:12."),
    ] {
        let (code, _, err) = beside(at);
        assert!(code == 1 && err.contains(told), "{at}: {code} {err}");
        assert!(!std::path::Path::new(&files.path("beside.txt")).exists(), "{at}: nothing is drawn");
    }
    assert_eq!(beside("60").2, "");
}

#[test]
fn a_picture_without_any_flow_that_fits_says_so() {
    let files = Files::new(&[]);
    let path = files.path("x.txt");
    for (view, filter, code, told) in [
        ("overview", "id:99999", 0, "no flow fits the filter id:99999"),
        ("flow", "id:99999", 1, "no flow fits the filter id:99999"),
        ("overview", "port:6379", 0, ""),
        ("flow", "port:6379", 0, ""),
    ] {
        let found = run(&["snap", "-r", INCIDENT, "--view", view, "--filter", filter, "-o", &path]);
        assert!(
            found.0 == code && found.2.contains(told) && found.2.is_empty() == told.is_empty(),
            "{view}: {found:?}"
        );
    }
}

#[test]
fn the_flow_that_was_named_is_drawn() {
    let files = Files::new(&[]);
    let path = files.path("x.txt");
    let (_, flows, _) = run(&["report", "-r", INCIDENT, "--format", "ndjson", "--filter", "6379"]);
    let flow: Value = serde_json::from_str(flows.lines().next().expect("a flow")).expect("JSON");
    let id = flow["id"].to_string();
    assert_eq!(run(&["snap", "-r", INCIDENT, "--view", "flow", "--flow", &id, "-o", &path]).0, 0);
    let text = fs::read_to_string(&path).expect("a picture");
    let orig = format!("{}:{}", flow["orig"]["addr"].as_str().expect("an address"), flow["orig"]["port"]);
    assert!(text.contains(&format!("Flow {id}  {orig}")) && text.contains("Refused"), "{text}");
    // The text report names the same number: the finding's first flow.
    let (_, report, _) = run(&["report", "-r", INCIDENT, "--filter", "6379"]);
    assert!(report.contains(&format!(", flow #{id})")), "{report}");
}

#[test]
fn without_a_name_the_first_flow_of_the_table_is_drawn() {
    let files = Files::new(&[]);
    let snap = |view: &str| {
        let path = files.path("x.txt");
        assert_eq!(run(&["snap", "-r", INCIDENT, "--at", "30", "--view", view, "--size", "220x40", "-o", &path]).0, 0);
        fs::read_to_string(&path).expect("a picture")
    };
    let (table, flow) = (snap("flows"), snap("flow"));
    let titles = flow.lines().filter_map(|line| Some(line.split_once("Flow ")?.1));
    let head = titles.into_iter().find(|title| title.starts_with(|c: char| c.is_ascii_digit())).expect("a flow");
    let orig = head.split_whitespace().nth(1).expect("its originator");
    let first = table.lines().find(|line| line.contains(" → ")).expect("a row");
    assert!(first.contains(orig), "{first}: {head}");
}
