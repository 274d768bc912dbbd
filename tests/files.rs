//! What `-r` reads beside one whole file: several files as one, a file that grows, named pipes.
//!
//! May touch files in temporary directories, child processes, ptys. Read first: `app::origin`.
#![cfg(all(feature = "live", feature = "tui"))]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

#[path = "support/command.rs"]
mod command;
#[path = "support/files.rs"]
mod files;
#[path = "support/incident.rs"]
mod incident;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/recorded.rs"]
mod recorded;

use command::{run, sockscope, told};
use files::Files;
use pty::Pty;

/// The packets of the incident as a pcap file: its header, then its records.
struct Incident {
    bytes: Vec<u8>,
    /// Where each record begins, and the end.
    starts: Vec<usize>,
}

fn incident() -> Incident {
    let mut reader = incident::reader();
    let link = reader.interfaces()[0].link;
    // Version 2.4, nanoseconds.
    let header = [0xa1b2_3c4d_u32, 4 << 16 | 2, 0, 0, 262_144, link.0.into()];
    let mut bytes: Vec<u8> = header.iter().flat_map(|field| field.to_le_bytes()).collect();
    let mut starts = vec![bytes.len()];
    while let Some(frame) = reader.next_frame().expect("it is whole") {
        assert_eq!(frame.link, link, "pcap has one link type");
        let (secs, nanos) = (frame.ts.nanos() / 1_000_000_000, frame.ts.nanos() % 1_000_000_000);
        for field in [secs as u32, nanos as u32, frame.bytes.len() as u32, frame.len] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(frame.bytes);
        starts.push(bytes.len());
    }
    Incident { bytes, starts }
}

impl Incident {
    /// A capture of the records that are picked.
    fn of(&self, picked: impl Fn(usize) -> bool) -> Vec<u8> {
        let records = self.starts.windows(2).enumerate().filter(|(number, _)| picked(*number));
        let records = records.flat_map(|(_, place)| &self.bytes[place[0]..place[1]]);
        self.bytes[..24].iter().chain(records).copied().collect()
    }

    fn frames(&self) -> usize {
        self.starts.len() - 1
    }

    /// The title of the table at its end.
    fn all_flows(&self) -> String {
        let files = Files::new(&[("whole.pcap", &self.bytes)]);
        format!(" of {}, by rate", report(&["-r", &files.path("whole.pcap")]).2["flows"]["reported"])
    }
}

fn fifo(files: &Files, name: &str) -> String {
    let path = files.path(name);
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    path
}

/// A report for programs: its flows and findings, and its summary without what it is called.
fn report(args: &[&str]) -> (i32, Vec<String>, Value) {
    let (code, out, err) = run(&[&["report", "--format", "ndjson"], args].concat());
    assert_eq!(err.contains("everything before it was used"), code == 2, "{args:?}: {err}");
    apart(code, &out)
}

fn apart(code: i32, out: &str) -> (i32, Vec<String>, Value) {
    let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
    let mut summary: Value = serde_json::from_str(&lines.pop().expect("a summary")).expect("JSON");
    summary.as_object_mut().expect("an object").remove("source");
    (code, lines, summary)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Rotated one behind the other and given in any order, or frames dealt out to three as to a hand of cards.
#[test]
fn several_files_are_reported_like_the_one_that_they_were() {
    let incident = incident();
    let third = incident.frames() / 3;
    let files = Files::new(&[
        ("day.pcap0", &incident.of(|number| number < third)),
        ("day.pcap1", &incident.of(|number| (third..2 * third).contains(&number))),
        ("day.pcap2", &gzip(&incident.of(|number| number >= 2 * third))),
        ("a.pcap", &incident.of(|number| number % 3 == 0)),
        ("b.pcap", &gzip(&incident.of(|number| number % 3 == 1))),
        ("c.pcap", &zstd(&incident.of(|number| number % 3 == 2))),
        ("whole.pcap", &incident.bytes),
    ]);
    let whole = report(&["-r", &files.path("whole.pcap")]);
    assert!(whole.1.len() > 100, "flows and findings");
    for names in [
        ["day.pcap0", "day.pcap1", "day.pcap2"],
        ["day.pcap2", "day.pcap0", "day.pcap1"],
        ["a.pcap", "b.pcap", "c.pcap"],
        ["c.pcap", "a.pcap", "b.pcap"],
    ] {
        let [one, two, three] = names.map(|name| files.path(name));
        let merged = report(&["-r", &one, "-r", &two, "-r", &three]);
        assert!(merged == whole, "{names:?}: {:#}\n{:#}", merged.2, whole.2);
    }
    let (some, all) = (files.path("a.pcap"), files.path("day.pcap0"));
    let (_, text, _) = run(&["report", "-r", &all, "-r", &some]);
    assert!(text.contains("day.pcap0 and 1 more"), "{text}");
    let filter = ["tcp", "port", "6379"];
    let args = [&["-r", &files.path("a.pcap"), "-r", &files.path("b.pcap"), "-r", &files.path("c.pcap")], &filter[..]];
    assert!(report(&args.concat()).1 == report(&[&["-r", &files.path("whole.pcap")], &filter[..]].concat()).1);
}

#[test]
fn a_picture_of_an_instant_and_of_segments_is_that_of_the_whole() {
    let incident = incident();
    let files = Files::new(&[
        ("a.pcap", &incident.of(|number| number % 2 == 0)),
        ("b.pcap", &incident.of(|number| number % 2 == 1)),
        ("whole.pcap", &incident.bytes),
    ]);
    let (a, b, whole) = (files.path("a.pcap"), files.path("b.pcap"), files.path("whole.pcap"));
    let picture = files.path("x.txt");
    let drawn = |reads: &[&str], view: &str| {
        let (code, _, err) = run(&[&["snap", "--at", "30", "--view", view, "-o", &picture], reads].concat());
        assert_eq!((code, err.as_str()), (0, ""), "{reads:?}");
        let text = fs::read_to_string(&picture).expect("a picture");
        // But for what it is called, in the header and the footer.
        text.lines().filter(|line| !line.contains(".pcap")).map(str::to_owned).collect::<Vec<_>>()
    };
    for view in ["overview", "ladder"] {
        let merged = drawn(&["-r", &b, "-r", &a], view);
        assert!(merged.len() > 30 && merged == drawn(&["-r", &whole], view), "{view}: {merged:#?}");
    }
}

#[test]
fn a_damaged_file_among_several_is_named_and_the_others_are_read() {
    let incident = incident();
    let half = incident.frames() / 2;
    let mut first = incident.of(|number| number < half);
    let (offset, cut) = (incident.starts[half - 1], first.len() - 1);
    first.truncate(cut);
    let files = Files::new(&[("a.pcap", &first), ("b.pcap", &incident.of(|number| number >= half))]);
    let (a, b) = (files.path("a.pcap"), files.path("b.pcap"));
    let (code, _, summary) = report(&["-r", &b, "-r", &a]);
    assert_eq!(code, 2);
    assert_eq!(summary["frames"]["frames"].as_u64().or(summary["frames"].as_u64()), Some(incident.frames() as u64 - 1));
    let text = summary.to_string();
    assert!(text.contains(&format!("{a:?}")) && text.contains(&format!(":{offset}")), "{text}");
}

#[test]
fn what_cannot_be_read_together_is_refused_with_words() {
    let incident = incident();
    let files = Files::new(&[
        ("a.pcap", &incident.bytes),
        ("recording.pcapng", &recorded::recording(0).0),
        ("text", b"no capture"),
    ]);
    let (a, recording, text) = (files.path("a.pcap"), files.path("recording.pcapng"), files.path("text"));
    let fifo = fifo(&files, "fifo");
    let cases: [(&[&str], &str); 8] = [
        (&["-r", &a, "-r", &recording], "recording.pcapng is a recording: one is read alone"),
        (&["-r", &recording, "-r", &recording], "is a recording: one is read alone"),
        (&["-r", &a, "-r", &text], "text: not a capture"),
        (&["-r", "-", "-r", &a, "-r", "-"], "stdin is one stream"),
        (&["-r", &a, "-r", &a, "--follow"], "--follow reads one file: -r is given 2 times"),
        (&["-r", "-", "--follow"], "--follow is for files: stdin is a stream"),
        (&["-r", &fifo, "--follow"], "is a stream, and read as it comes without it"),
        (&["--follow"], "-r <FILE>"),
    ];
    for (args, reason) in cases {
        for command in [&["report"][..], &[]] {
            let (code, out, err) = run(&[command, args].concat());
            assert_eq!((code, out.as_str()), (1, ""), "{command:?} {args:?}");
            assert!(err.contains(reason), "{command:?} {args:?}: {err}");
        }
    }
    assert!(run(&["snap", "-r", &a, "--follow", "-o", "x.txt"]).2.contains("unexpected argument '--follow'"));
}

#[test]
fn a_named_pipe_is_a_stream_however_it_is_packed() {
    let incident = incident();
    let half = incident.frames() / 2;
    let files = Files::new(&[("whole.pcap", &incident.bytes), ("rest.pcap", &incident.of(|number| number >= half))]);
    let whole = report(&["-r", &files.path("whole.pcap")]);
    let fifo = fifo(&files, "fifo");
    let first = incident.of(|number| number < half);
    let rest = files.path("rest.pcap");
    let cases: [(Vec<u8>, &[&str]); 4] = [
        (incident.bytes.clone(), &["-r", &fifo]),
        (gzip(&incident.bytes), &["-r", &fifo]),
        (zstd(&incident.bytes), &["-r", &fifo]),
        (gzip(&first), &["-r", &rest, "-r", &fifo]),
    ];
    for (bytes, args) in cases {
        let mut command = sockscope(&[&["report", "--format", "ndjson"], args].concat());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        fs::write(&fifo, &bytes).expect("it reads");
        let (code, out, err) = told(&child.wait_with_output().expect("it ends"));
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        assert!(apart(code, &out) == whole, "{args:?}");
    }
}

#[test]
fn a_stream_that_is_silent_is_told_of_until_it_comes() {
    let incident = incident();
    let files = Files::new(&[]);
    let fifo = fifo(&files, "fifo");
    for words in [&["report", "-r", &fifo][..], &["-r", &fifo]] {
        let mut pty = Pty::start(pty::sockscope(words), 120, 40);
        pty.shows(&["fifo: no packet is in it yet: waits for what is written", "Ctrl-C ends that"]);
        fs::write(&fifo, &incident.bytes).expect("it reads");
        if words[0] == "-r" {
            pty.shows(&["at the end"]);
            pty.keys("q");
        }
        assert_eq!(pty.end().exit_code(), 0, "{words:?}");
    }
}

#[test]
fn what_is_half_written_is_no_damage_of_a_file_that_grows() {
    let incident = incident();
    let whole = incident.starts[incident.frames() / 2];
    let files = Files::new(&[("cut.pcap", &incident.bytes[..whole + 20]), ("whole.pcap", &incident.bytes[..whole])]);
    let cut = files.path("cut.pcap");
    assert_eq!(report(&["-r", &cut]).0, 2);
    let followed = report(&["-r", &cut, "--follow", "--for", "0"]);
    assert!(followed == report(&["-r", &files.path("whole.pcap")]), "{:#}", followed.2);
}

/// The end of a report over a file that grows comes by the time, a signal, or another file in its place.
#[test]
fn a_report_follows_a_file_until_another_takes_its_place() {
    let incident = incident();
    let files = Files::new(&[("grows.pcap", &incident.bytes[..24]), ("other.pcap", b"")]);
    let (grows, other) = (files.path("grows.pcap"), files.path("other.pcap"));
    let mut command = sockscope(&["report", "-r", &grows, "--follow", "--for", "10m", "--format", "ndjson"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let descriptors = format!("/proc/{}/fd", child.id());
    let is_open = || {
        let links = fs::read_dir(&descriptors).into_iter().flatten().flatten().map(|entry| fs::read_link(entry.path()));
        links.flatten().any(|link| link == Path::new(&grows))
    };
    while !is_open() {
        std::thread::yield_now();
    }
    let mut file = File::options().append(true).open(&grows).expect("the file");
    for piece in incident.bytes[24..].chunks(100_001) {
        file.write_all(piece).expect("written");
    }
    fs::rename(&other, &grows).expect("replaced");
    let (code, out, _) = told(&child.wait_with_output().expect("it ends"));
    let (_, lines, summary) = apart(code, &out);
    assert_eq!(code, 2);
    assert!(summary.to_string().contains("another file took its place while it was followed"), "{summary:#}");
    fs::write(&other, &incident.bytes).expect("a file");
    assert!(lines == report(&["-r", &other]).1);
}

/// tcpdump -w writes nothing before it has a few kilobytes.
#[test]
fn a_dashboard_waits_for_a_file_that_is_empty_so_far() {
    let incident = incident();
    let files = Files::new(&[("grows.pcap", &[]), ("none.pcap", &[])]);
    let [path, none] = ["grows.pcap", "none.pcap"].map(|name| files.path(name));
    let mut pty = Pty::start(pty::sockscope(&["-r", &path, "--follow"]), 160, 40);
    pty.shows(&["grows.pcap (followed)", "nothing is in it yet: waits for what is written", "nothing read yet"]);
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]));
    let mut pty = Pty::start(pty::sockscope(&["-r", &path, "--follow"]), 160, 40);
    pty.shows(&["waits for what is written"]);
    pty.keys("2");
    File::options().append(true).open(&path).expect("the file").write_all(&incident.bytes).expect("written");
    pty.shows(&["1:09.8 / 1:09.8 so far"]);
    pty.shows_no("waits for what is written");
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]));
    let mut pty = Pty::start(pty::sockscope(&["-r", &none, "--follow"]), 160, 40);
    pty.shows(&["waits for what is written"]);
    fs::write(&none, "no capture of any kind, but words").expect("written");
    pty.shows(&["none.pcap: not a capture"]);
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (2, vec![]));
}

/// Neither an empty file nor one that ends within its header keeps whoever waits for it from ending.
#[test]
fn a_report_waits_for_a_file_without_a_packet_and_says_so() {
    let incident = incident();
    let files =
        Files::new(&[("empty.pcap", &[]), ("header.pcap", &incident.bytes[..10]), ("whole.pcap", &incident.bytes)]);
    let [empty, header] = ["empty.pcap", "header.pcap"].map(|name| files.path(name));
    let (code, out, err) = run(&["report", "-r", &empty, "--follow", "--for", "0"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("empty.pcap: not a capture: it is empty"), "{err}");
    for (path, what) in [(&empty, "nothing is in it yet: waits for what is"), (&header, "no packet is in it yet")] {
        let mut pty = Pty::start(pty::sockscope(&["report", "-r", path, "--follow", "--for", "10m"]), 160, 40);
        pty.shows(&[what, "Ctrl-C ends that"]);
        pty.keys("\x03");
        assert_ne!(pty.end().exit_code(), 130, "{}", pty.text());
    }
    let out = files.path("out");
    let args = ["report", "-r", &header, "--follow", "--for", "10m", "--format", "ndjson", "-o", &out];
    let mut pty = Pty::start(pty::sockscope(&args), 160, 40);
    pty.shows(&["no packet is in it yet"]);
    let mut file = File::options().append(true).open(&header).expect("the file");
    file.write_all(&incident.bytes[10..]).expect("written");
    fs::rename(&empty, &header).expect("replaced");
    assert_eq!(pty.end().exit_code(), 2, "{}", pty.text());
    let followed = apart(2, &fs::read_to_string(&out).expect("a report")).1;
    assert!(followed == report(&["-r", &files.path("whole.pcap")]).1);
}

#[test]
fn a_dashboard_follows_a_file_and_goes_back_in_it() {
    let incident = incident();
    let half = incident.starts[incident.frames() / 2];
    let files = Files::new(&[("grows.pcap", &incident.bytes[..half + 7])]);
    let path = files.path("grows.pcap");
    let mut pty = Pty::start(pty::sockscope(&["-r", &path, "--follow"]), 160, 40);
    pty.shows(&["grows.pcap (followed)", "playing", "Handshakes"]);
    let mut file = File::options().append(true).open(&path).expect("the file");
    file.write_all(&incident.bytes[half + 7..]).expect("written");
    let all_flows = incident.all_flows();
    pty.shows(&[&all_flows, "1:09.8 / 1:09.8 so far"]);
    pty.keys(" 0");
    pty.shows(&["paused", "0:00.0 /"]);
    pty.keys("t1m5\r");
    pty.shows(&["paused", "1:05.0 /"]);
    // On with it as it comes, and nowhere further.
    pty.keys("$");
    pty.shows(&[&all_flows, "playing", "as fast as it goes"]);
    pty.shows_no("going there");
    pty.keys("0t2m\r");
    pty.shows(&["this is the newest", "1:09.8 /"]);
    pty.keys("$");
    pty.shows(&["as fast as it goes"]);
    file.set_len(1_000).expect("cut");
    pty.shows(&["the file was cut to 1000 bytes while it was followed", "everything before it was"]);
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (2, vec![]));
}

/// What a shell makes of `-r day.pcap*`.
#[test]
fn files_behind_the_first_are_files_and_a_filter_may_follow() {
    let incident = incident();
    let parts = [0, 1, 2].map(|part| incident.of(|number| number % 3 == part));
    let files = Files::new(&[("day.pcap", &parts[0]), ("day.pcap1", &gzip(&parts[1])), ("day.pcap2", &parts[2])]);
    let [a, b, c] = ["day.pcap", "day.pcap1", "day.pcap2"].map(|name| files.path(name));
    for filter in [&[][..], &["tcp", "port", "443"]] {
        let (code, lines, _) = report(&[&["-r", &a, &b, &c], filter].concat());
        assert_eq!((code, lines), (0, report(&[&["-r", &a, "-r", &b, "-r", &c], filter].concat()).1), "{filter:?}");
    }
    let (code, _, said) = run(&["report", "-r", &a, &b, "--format", "ndjson"]);
    assert!(code == 1 && said.contains("--format stands behind several files"), "{said}");
    // One that is called as they are is meant, whatever it holds; another that is no capture is not.
    for name in ["day.pcap3", "night.pcap"] {
        fs::write(files.path(name), "").expect("a file");
        let (code, _, said) = run(&["report", "-r", &a, &b, &files.path(name)]);
        assert!(code == 1 && said.contains(name) && said.contains("it is empty"), "{said}");
    }
    fs::write(files.path("tcp"), "notes").expect("a file");
    let here = |args: &[&str]| {
        let args = [&["report", "--format", "ndjson"], args].concat();
        sockscope(&args).current_dir(files.path("")).output().expect("it starts")
    };
    let filter = ["tcp", "port", "443"];
    let beside = here(&[&["-r", &a, &b], &filter[..]].concat());
    let before = here(&[&["-r", &a, "-r", &b], &filter[..]].concat());
    assert!(beside.status.success() && beside.stdout == before.stdout, "{}", String::from_utf8_lossy(&beside.stderr));
}

#[test]
fn the_ladder_of_a_flow_grows_with_its_file() {
    let incident = incident();
    let port = 53_046_u16.to_be_bytes();
    let is_its = |number: &usize| {
        let [begin, end] = [incident.starts[*number] + 16, incident.starts[*number + 1]];
        let frame = &incident.bytes[begin..end];
        frame.get(34..36) == Some(&port[..]) || frame.get(36..38) == Some(&port[..])
    };
    let fourth = (0..incident.frames()).filter(is_its).nth(3).expect("its fourth frame");
    let half = incident.starts[fourth + 1];
    let files = Files::new(&[("grows.pcap", &incident.bytes[..half + 7])]);
    let path = files.path("grows.pcap");
    let mut pty = Pty::start(pty::sockscope(&["-r", &path, "--follow"]), 120, 40);
    pty.shows(&["(followed)", "playing", "Handshakes"]);
    pty.keys("2/:9000\r");
    pty.shows(&["198.51.100.105:53046"]);
    pty.keys("j\rl");
    pty.shows(&["SYN-SENT   0.000000"]);
    assert!(!pty.text().contains("zero-window probe"));
    let mut file = File::options().append(true).open(&path).expect("the file");
    file.write_all(&incident.bytes[half + 7..]).expect("written");
    pty.shows(&["zero-window probe"]);
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]));
}

#[test]
fn a_dashboard_over_several_files_goes_back_in_all_of_them() {
    let incident = incident();
    let files = Files::new(&[
        ("a.pcap", &incident.of(|number| number % 2 == 0)),
        ("b.pcap", &gzip(&incident.of(|number| number % 2 == 1))),
    ]);
    let mut pty = Pty::start(pty::sockscope(&["-r", &files.path("a.pcap"), "-r", &files.path("b.pcap")]), 160, 40);
    let all_flows = incident.all_flows();
    pty.shows(&["a.pcap and 1 more", "at the end", &all_flows]);
    for (keys, place) in [("t12.5\r", "0:12.5 /"), ("0", "0:00.0 /"), ("t1m5\r", "1:05.0 /"), ("\x1b[D", "1:00.0 /")] {
        pty.keys(keys);
        pty.shows(&["paused", place]);
    }
    pty.keys("$");
    pty.shows(&[&all_flows, "100%"]);
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]));
}
