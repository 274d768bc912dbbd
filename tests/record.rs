//! Recordings of real traffic: whole, cut off by a kill, a full disk, a limit, a closed pipe; what is lost is counted.
//!
//! May touch network namespaces that it makes itself, child processes and a small tmpfs. Needs root; says so where it
//! is not.
#![cfg(all(feature = "live", feature = "tui"))]
#![allow(clippy::print_stdout, reason = "measured figures are told")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::process::Signal;

#[path = "support/load.rs"]
mod load;
#[path = "support/netns.rs"]
mod netns;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/recorder.rs"]
mod recorder;

use load::{Load, Stalls};
use netns::{Netns, alone, skip};
use pty::Pty;
use recorder::{Ended, Held, Recorder, tshark_count};

/// What a recording that is killed may lack.
const LATE: Duration = Duration::from_millis(100);
const DEADLINE: Duration = Duration::from_secs(30);
/// What a build without optimisation follows on a machine that does other things besides.
const REST: Duration = Duration::from_millis(2);

/// Waits for something, which must come.
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !there() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |meta| meta.len())
}

/// Frames that went over `lo` of a namespace so far.
fn over_lo(netns: &Netns) -> u64 {
    let output = netns.command("cat").arg("/sys/class/net/lo/statistics/rx_packets").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn every_frame_is_in_the_file() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("whole"), tempfile::tempdir().unwrap());
    let file = folder.path().join("whole.pcapng");
    let before = over_lo(&netns);
    let recorder = Recorder::begin(&netns, &[], &file, &[]);
    let load = Load::begin(&netns, 2, REST);
    until("the load", || load.exchanges() > 500);
    drop(load);
    let ended = recorder.end();
    let sent = over_lo(&netns) - before;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(ended.counts(), [sent, sent, 0], "{}", ended.stderr);
    assert_eq!(ended.count("packets dropped by kernel"), 0);
    let held = Held::read(&file);
    assert_eq!((held.frames, held.holes, held.damage), (sent, 0, None));
    assert!(tshark_count(&file).is_none_or(|frames| frames == sent));
}

/// Of a terminal that is gone both the shell and the kernel tell; nohup(1) asks that nobody listens. Whoever runs the tests
/// may have asked that too.
#[test]
fn a_hang_up_ends_it_as_ctrl_c_does_but_not_under_nohup() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("hangup"), tempfile::tempdir().unwrap());
    let load = Load::begin(&netns, 1, REST);
    for signals in [&[Signal::TERM][..], &[Signal::HUP], &[Signal::HUP; 2]] {
        let file = folder.path().join("hup.pcapng");
        let recorder = Recorder::begin(&netns, &["env", "--default-signal=HUP"], &file, &[]);
        let instance = format!("sockscope-{}-", recorder.pid());
        until("frames", || size(&file) > 40_000);
        signals.iter().for_each(|signal| recorder.signal(*signal));
        let ended = recorder.wait();
        assert!(ended.status.success(), "{signals:?}: {}", ended.stderr);
        let [captured, written, lost] = ended.counts();
        assert!(written > 0 && captured == written + lost, "{signals:?}: {}", ended.stderr);
        check_counts(&file, &Held::read(&file), true);
        let instances = std::fs::read_dir("/sys/kernel/tracing/instances").into_iter().flatten().flatten();
        let mut names = instances.map(|entry| entry.file_name().to_string_lossy().into_owned());
        assert_eq!(names.find(|name| name.starts_with(&instance)), None, "{signals:?}");
        std::fs::remove_file(&file).unwrap();
    }
    let file = folder.path().join("nohup.pcapng");
    let recorder = Recorder::begin(&netns, &["nohup"], &file, &[]);
    recorder.signal(Signal::HUP);
    let answered = load.exchanges();
    until("more of the load", || load.exchanges() > answered + 200);
    let ended = recorder.end();
    assert!(ended.status.success() && ended.counts()[1] > 400, "{}", ended.stderr);
}

/// What is told of a recording goes nowhere then; the recording itself ends as ever.
#[test]
fn a_recording_ends_when_its_terminal_is_gone() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("gone"), tempfile::tempdir().unwrap());
    let load = Load::begin(&netns, 1, REST);
    for (first, shown) in [("record", "alone.pcapng: "), ("-B1024", "● REC ")] {
        let file = folder.path().join("alone.pcapng");
        let exec = ["netns", "exec", netns.name(), env!("CARGO_BIN_EXE_sockscope"), first];
        let words = [&exec[..], &["-i", "lo", "-w", file.to_str().unwrap()]].concat();
        let mut pty = Pty::start(pty::command("ip", &words), 120, 40);
        pty.shows(&[shown]);
        until("frames", || size(&file) > 40_000);
        pty.vanish();
        pty.end_unseen();
        check_counts(&file, &Held::read(&file), true);
        std::fs::remove_file(&file).unwrap();
    }
    drop(load);
}

/// A report of a recording.
fn report(file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockscope"));
    command.args(["report", "--format", "ndjson", "-r"]).arg(file).output().unwrap()
}

/// Whether a report says that its recording does not end as one that was ended does.
fn lacks_end(report: &Output) -> bool {
    String::from_utf8_lossy(&report.stderr).contains("the recording was not ended")
}

/// What a report tells of a recording is counted from its own beginning: at least what is there, and of one that was cut
/// off just that.
fn check_counts(file: &Path, held: &Held, ended: bool) {
    let report = report(file);
    let lines = told(&report.stdout);
    let count = |of: &str| lines.last().unwrap()[of].as_u64().unwrap();
    // Batches that were under way as it began were not kept for it, and are counted.
    let whole = held.damage.is_none() && !lacks_end(&report);
    assert_eq!(whole, ended, "{}", file.display());
    let under_way = if ended { 1_000 } else { 0 };
    let (frames, most) = (count("frames"), held.frames + under_way);
    assert!((held.frames..=most).contains(&frames) && count("segments") <= frames, "{frames} of {}", held.frames);
}

/// Kills at random moments; what is there is the exact beginning, and little is missing at its end.
fn kill(times: u32, rest: Duration) {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("kill"), tempfile::tempdir().unwrap());
    let (load, stalls) = (Load::begin(&netns, 4, rest), Stalls::begin());
    let mut late = Vec::new();
    let (mut torn, mut dropped) = (0, 0);
    for round in 0..times {
        let file = folder.path().join(format!("{round}.pcapng"));
        // Before whatever else this machine does: what the kernel drops because nobody takes it is another matter.
        let recorder = Recorder::begin(&netns, &["nice", "-n", "-10"], &file, &[]);
        // Past the first reading of the table, which a build without optimisation takes its time to write.
        until("the first frames", || size(&file) > 40_000);
        // And past what the kernel gathered while the rest was being made ready, which a busy machine takes its time for.
        let begun = load.newest();
        until("what came while it began", || Held::read(&file).last >= Some(begun));
        // Any moment will do, and no event tells of it.
        std::thread::sleep(Duration::from_micros(u64::from(round * 7_919 % 300) * 1_000 + u64::from(round % 997)));
        let sent = load.newest();
        recorder.kill();
        let (stalled, held) = (stalls.longest(), Held::read(&file));
        let missing = sent.since(held.last.expect("a frame"));
        late.push(missing);
        assert!(missing <= LATE + stalled, "round {round}: {missing:?} are missing, {stalled:?} of them the machine's");
        assert_eq!(held.holes, 0, "round {round}: {} dropped by the kernel", held.drops);
        dropped += u32::from(held.drops > 0);
        if let Some(damage) = &held.damage {
            torn += 1;
            assert!(damage.reason.contains("ends inside"), "{damage}");
        }
        if round % 10 == 0 {
            check_counts(&file, &held, false);
        }
        match tshark_count(&file) {
            Some(frames) => assert_eq!(frames, held.frames, "round {round}"),
            None if round == 0 => skip("tshark is not installed: the files were not opened with it"),
            None => {}
        }
        std::fs::remove_file(&file).unwrap();
    }
    late.sort();
    println!(
        "{times} kills under {} exchanges: missing at the end {:?} in the middle, {:?} at most; {torn} torn; \
         in {dropped} the kernel dropped packets",
        load.exchanges(),
        late[late.len() / 2],
        late[late.len() - 1]
    );
}

#[test]
fn a_kill_costs_the_last_moment_at_most() {
    kill(30, REST);
}

/// What is not taken in time the kernel drops: here while the program is stopped.
#[test]
fn what_the_kernel_dropped_is_told_before_what_came_behind_it() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("dropped"), tempfile::tempdir().unwrap());
    let file = folder.path().join("dropped.pcapng");
    let load = Load::begin(&netns, 4, Duration::ZERO);
    let recorder = Recorder::begin(&netns, &[], &file, &["-B", "512"]);
    until("frames", || size(&file) > 40_000);
    recorder.signal(Signal::STOP);
    let answered = load.exchanges();
    until("more than the kernel keeps", || load.exchanges() > answered + 10_000);
    let before = size(&file);
    recorder.signal(Signal::CONT);
    until("what came behind the hole", || size(&file) > before + (512 << 10));
    recorder.kill();
    let held = Held::read(&file);
    assert!(held.drops > 0 && held.told > 0, "{} drops, {} holes told of", held.drops, held.told);
    assert_eq!(held.holes, 0, "{} told of", held.told);
}

#[test]
fn a_thousand_kills() {
    if std::env::var_os("SOCKSCOPE_SOAK").is_none() {
        return skip("a thousand kills take long; `make soak` runs them");
    }
    kill(1_000, Duration::from_micros(50));
}

/// A file system of so many KiB, unmounted when the value goes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(at: &Path, kib: u32) -> Self {
        let size = format!("size={kib}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(at).status();
        assert!(mounted.unwrap().success(), "a tmpfs");
        Self(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// It says which file and why, its numbers add up, and the file holds what it says, whole.
fn check_stopped(ended: &Ended, cause: &str, name: &str, held: &Held) {
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    assert!(last.starts_with("sockscope: ") && last.contains(cause) && last.contains(name), "{}", ended.stderr);
    let [captured, written, lost] = ended.counts();
    assert_eq!((written + lost, written), (captured, held.frames), "{}", ended.stderr);
    assert!(written > 100 && lost > 0, "{}", ended.stderr);
    assert_eq!(held.holes, 0);
}

#[test]
fn a_full_disk_stops_it_at_a_whole_block() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("full"), tempfile::tempdir().unwrap());
    let _disk = SmallDisk::new(folder.path(), 256);
    let file = folder.path().join("full.pcapng");
    let recorder = Recorder::begin(&netns, &[], &file, &[]);
    let load = Load::begin(&netns, 4, REST);
    let ended = recorder.wait();
    drop(load);
    let held = Held::read(&file);
    check_stopped(&ended, "No space left on device", "full.pcapng", &held);
    assert_eq!(held.damage, None, "what was torn was cut off");
    assert!(lacks_end(&report(&file)));
    assert!(size(&file) > 250_000 && tshark_count(&file).is_none_or(|frames| frames == held.frames));
}

#[test]
fn a_limit_of_the_files_size_stops_it_at_a_whole_block() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("limit"), tempfile::tempdir().unwrap());
    let file = folder.path().join("limit.pcapng");
    let recorder = Recorder::begin(&netns, &["prlimit", "--fsize=100001"], &file, &[]);
    let load = Load::begin(&netns, 4, REST);
    let ended = recorder.wait();
    drop(load);
    let held = Held::read(&file);
    check_stopped(&ended, "File too large", "limit.pcapng", &held);
    assert_eq!(held.damage, None, "what was torn was cut off");
    assert!(lacks_end(&report(&file)));
    assert!((99_000..=100_001).contains(&size(&file)), "{}", size(&file));
}

#[test]
fn of_a_closed_pipe_it_tells_what_was_taken() {
    let Some(_alone) = alone() else { return };
    let netns = Netns::new("pipe");
    let mut recorder = Recorder::begin(&netns, &[], Path::new("-"), &[]);
    let load = Load::begin(&netns, 4, REST);
    let mut stream = recorder.stdout();
    let mut taken = vec![0; 100_003];
    stream.read_exact(&mut taken).unwrap();
    drop(stream);
    let ended = recorder.wait();
    drop(load);
    let held = Held::of(Box::new(std::io::Cursor::new(taken)));
    check_stopped(&ended, "Broken pipe", "stdout", &held);
}

/// What the report says of everything but where it was read from.
fn told(report: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(report).unwrap();
    let mut lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.last_mut().expect("a summary").as_object_mut().expect("an object");
    summary.remove("source");
    lines
}

/// Connections that come, talk and go, with queues that nobody reads.
fn churn(netns: &Netns, stop: &std::sync::atomic::AtomicBool) {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            let mut client = TcpStream::connect(address).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            client.write_all(&[7; 100]).unwrap();
            if held.len() < 50 {
                held.push((client, server));
            } else {
                server.read_exact(&mut [0; 100]).unwrap();
                drop(client);
                assert_eq!(server.read(&mut [0]).unwrap(), 0, "the client closes first");
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    });
}

/// Reports are made beside recordings at ten instants of a run, and again from each recording.
#[test]
fn a_recording_of_any_length_tells_what_was_told_live() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("same"), tempfile::tempdir().unwrap());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| churn(&netns, &stop));
        let _stop = StopAtEnd(&stop);
        let names = |instant: u32| ["pcapng", "ndjson"].map(|end| folder.path().join(format!("{instant}.{end}")));
        let mut in_table = false;
        for instant in 0..10 {
            let [file, beside] = names(instant);
            let mut live = netns.command(env!("CARGO_BIN_EXE_sockscope"));
            let span = format!("{}ms", 700 + instant * 130);
            live.args(["report", "-i", "lo", "--format", "ndjson", "--for", &span, "-w"]).arg(&file);
            let live = live.arg("-o").arg(&beside).output().unwrap();
            assert!(live.status.success(), "{}", String::from_utf8_lossy(&live.stderr));
            let replayed = report(&file);
            assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
            let (live, replayed) = (told(&std::fs::read(&beside).unwrap()), told(&replayed.stdout));
            let states = &live.last().unwrap()["states"]["by_state"];
            let held = ["TIME-WAIT", "ESTAB"].map(|state| states[state]["kernel"].as_u64());
            // Parts of the table are read at rates of their own: the shortest run may not come to all.
            in_table |= held.into_iter().all(|count| count > Some(20));
            for (live, replayed) in live.iter().zip(&replayed) {
                assert_eq!(live, replayed, "instant {instant}");
            }
            assert_eq!(live.len(), replayed.len(), "instant {instant}");
        }
        assert!(in_table, "there was something to tell");
    });
}

/// Sets a flag when the value goes, after a panic too.
struct StopAtEnd<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

/// The dashboard on `lo` of a namespace, in a folder.
fn dashboard(netns: &Netns, folder: &Path, options: &[&str]) -> Pty {
    let words = [&["netns", "exec", netns.name(), env!("CARGO_BIN_EXE_sockscope"), "-i", "lo"], options].concat();
    let mut command = pty::command("ip", &words);
    command.cwd(folder);
    let mut pty = Pty::start(command, 120, 40);
    pty.shows(&["LIVE", "quit"]);
    pty
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_key_begins_a_recording_and_ends_it() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("key"), tempfile::tempdir().unwrap());
    let mut pty = dashboard(&netns, folder.path(), &[]);
    let load = Load::begin(&netns, 2, REST);
    until("more than will be recorded", || load.exchanges() > 2_000);
    pty.keys("w");
    pty.shows(&["● REC ", "recording into sockscope-"]);
    let file = only_file(folder.path());
    until("frames", || size(&file) > 50_000);
    pty.keys("w");
    pty.shows(&["recorded sockscope-", " packets, "]);
    let held = Held::read(&file);
    assert_eq!((held.holes, &held.damage, held.frames > 100), (0, &None, true));
    check_counts(&file, &held, true);
    // A second one gets a name of its own, and is whole though the dashboard ends.
    pty.keys("w");
    pty.shows(&["● REC ", "recording into sockscope-"]);
    let answered = load.exchanges();
    until("the load", || load.exchanges() > answered + 100);
    pty.keys("q");
    let status = pty.end();
    assert_eq!((status.exit_code(), pty.left_behind()), (0, vec![]), "{}", pty.text());
    std::fs::remove_file(&file).unwrap();
    let held = Held::read(&only_file(folder.path()));
    assert_eq!((held.holes, held.damage, held.frames > 100), (0, None, true));
}

/// What a dashboard kept to go back in is a recording after the fact: flows from their very first segment, with the
/// kernel's readings, though nobody recorded.
#[test]
fn a_key_records_the_past() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("past"), tempfile::tempdir().unwrap());
    let mut pty = dashboard(&netns, folder.path(), &[]);
    let load = Load::begin(&netns, 2, REST);
    until("something to keep", || load.exchanges() > 500);
    pty.keys("m");
    pty.keys("here it was\r");
    // Wherever one went in it, all of it is written.
    pty.keys(",");
    pty.shows(&["live goes on"]);
    pty.keys("W");
    pty.shows(&["recorded sockscope-", " packets, "]);
    let file = only_file(folder.path());
    let held = Held::read(&file);
    assert_eq!(held.marks, ["here it was"]);
    assert_eq!((held.holes, &held.damage, held.frames > 100), (0, &None, true));
    assert!(tshark_count(&file).is_none_or(|frames| frames == held.frames));
    check_counts(&file, &held, true);
    let lines = told(&report(&file).stdout);
    let begun = |flow: &&serde_json::Value| flow["syn"] == 1 && flow["handshake"]["outcome"] == "completed";
    assert_eq!(lines.iter().filter(begun).count(), 2, "from their very first segment: {lines:#?}");
    assert!(lines.last().unwrap()["states"]["by_state"]["ESTAB"]["kernel"].as_u64().is_some());
    // Of nothing there is no recording.
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 0);
    let mut pty = dashboard(&netns, folder.path(), &["--rewind", "0"]);
    pty.keys("W");
    pty.shows(&["the past is not recorded: none is kept (--rewind SIZE keeps it)"]);
    pty.keys("q");
    pty.end();
    only_file(folder.path());
}

#[test]
fn the_dashboard_outlives_a_full_disk() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("banner"), tempfile::tempdir().unwrap());
    let _disk = SmallDisk::new(folder.path(), 128);
    let mut pty = dashboard(&netns, folder.path(), &["-w", "full.pcapng"]);
    let load = Load::begin(&netns, 2, REST);
    pty.shows(&["full.pcapng: No space left on device", "the recording stopped", " lost"]);
    assert!(!pty.text().contains("● REC"));
    pty.keys("2");
    pty.shows(&["Flows  "]);
    let answered = load.exchanges();
    until("the load", || load.exchanges() > answered + 100);
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 1, "{}", pty.text());
    assert_eq!(Held::read(&only_file(folder.path())).damage, None);
}

#[test]
fn a_ring_is_written_out_by_a_signal_and_by_a_finding() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("ring"), tempfile::tempdir().unwrap());
    let [first, second] = ["last.pcapng", "last-2.pcapng"].map(|name| folder.path().join(name));
    let recorder = Recorder::begin(&netns, &[], &first, &["--ring", "256Ki", "--dump-on", "info"]);
    let load = Load::begin(&netns, 2, REST);
    until("more than it holds", || load.exchanges() > 3_000);
    assert!(!first.exists(), "nothing is written before it is wanted");
    recorder.signal(Signal::USR1);
    until("the signal's file", || size(&first) > 100_000);
    // Nobody listens there: refused, each time.
    let refused = netns.run(|| (0..20).all(|_| std::net::TcpStream::connect("127.0.0.1:9").is_err()));
    assert!(refused);
    until("the finding's file", || size(&second) > 0);
    drop(load);
    let ended = recorder.end();
    assert!(ended.status.success() && !ended.stderr.contains("nothing was written"), "{}", ended.stderr);
    assert!(ended.stderr.contains("what the ring held since it was last written is gone"), "{}", ended.stderr);
    assert!(ended.count("packets captured") > 6_000, "{}", ended.stderr);
    assert_eq!(["packets lost by sockscope", "packets dropped by kernel"].map(|words| ended.count(words)), [0, 0]);
    for file in [&first, &second] {
        let held = Held::read(file);
        assert_eq!((held.holes, &held.damage), (0, &None), "{}", file.display());
        assert!(held.frames > 100 && size(file) <= 256 << 10, "{} frames, {} bytes", held.frames, size(file));
        assert!(tshark_count(file).is_none_or(|frames| frames == held.frames));
        check_counts(file, &held, true);
    }
}

#[test]
fn a_ring_that_nobody_wanted_is_summed_up_too() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("unwanted"), tempfile::tempdir().unwrap());
    let before = over_lo(&netns);
    let recorder = Recorder::begin(&netns, &[], &folder.path().join("none.pcapng"), &["--ring", "256Ki"]);
    let load = Load::begin(&netns, 1, REST);
    until("the load", || load.exchanges() > 100);
    drop(load);
    let ended = recorder.end();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(ended.count("packets captured"), over_lo(&netns) - before, "{}", ended.stderr);
    assert!(ended.stderr.ends_with("nothing was written: what the ring held is gone\n"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A ring that cannot be written when that is asked for says so at once, and goes on holding its last.
#[test]
fn a_ring_that_cannot_be_written_says_so_and_goes_on() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("noring"), tempfile::tempdir().unwrap());
    let place = folder.path().join("there");
    let file = place.join("last.pcapng");
    let mut recorder = Recorder::begin(&netns, &[], &file, &["--ring", "256Ki"]);
    let load = Load::begin(&netns, 1, REST);
    until("something to hold", || load.exchanges() > 100);
    let said = recorder.lines();
    recorder.signal(Signal::USR1);
    let line = said.recv_timeout(DEADLINE).unwrap();
    assert!(line.contains("the ring is not written: cannot create ") && line.contains("last.pcapng"), "{line}");
    std::fs::create_dir(&place).unwrap();
    recorder.signal(Signal::USR1);
    until("its file", || size(&file) > 0);
    recorder.signal(Signal::TERM);
    let rest: Vec<String> = said.iter().collect();
    assert!(rest.last().is_some_and(|line| line.contains("the ring could not be written")), "{rest:?}");
    assert_eq!(recorder.wait().status.code(), Some(1));
}

#[test]
fn nothing_is_overwritten_unless_it_is_asked_for() {
    let Some(_alone) = alone() else { return };
    let (netns, folder) = (Netns::new("over"), tempfile::tempdir().unwrap());
    let file = folder.path().join("there.pcapng");
    std::fs::write(&file, "old").unwrap();
    let record = |options: &[&str]| {
        let mut command = netns.command(env!("CARGO_BIN_EXE_sockscope"));
        command.args(["record", "-i", "lo", "--for", "100ms", "-w"]).arg(&file).args(options).output().unwrap()
    };
    let refused = record(&[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("there.pcapng is there already"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), b"old");
    assert!(record(&["--force"]).status.success());
    assert_eq!(Held::read(&file).frames, 0);
}

#[test]
fn a_terminal_is_no_place_for_a_recording() {
    let command = pty::command(env!("CARGO_BIN_EXE_sockscope"), &["record", "-i", "lo", "-w", "-"]);
    let mut pty = Pty::start(command, 120, 40);
    pty.shows(&["stdout is a terminal", "| sockscope -r -"]);
    assert_eq!(pty.end().exit_code(), 1);
}

/// What goes through a pipe is what a file would hold.
#[test]
fn a_stream_can_be_watched_as_it_comes() {
    let Some(_alone) = alone() else { return };
    let netns = Netns::new("stream");
    let mut recorder = Recorder::begin(&netns, &[], Path::new("-"), &[]);
    let reader = Command::new(env!("CARGO_BIN_EXE_sockscope"))
        .args(["report", "--format", "ndjson", "-r", "-"])
        .stdin(recorder.stdout())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let load = Load::begin(&netns, 3, REST);
    until("the load", || load.exchanges() > 1_500);
    let ended = recorder.end();
    drop(load);
    let output = reader.wait_with_output().unwrap();
    assert!(ended.status.success() && output.status.success(), "{}", ended.stderr);
    let lines = told(&output.stdout);
    let summary = lines.last().unwrap();
    assert_eq!(summary["frames"], ended.counts()[1], "{summary:#}");
    assert_eq!(summary["states"]["by_state"]["ESTAB"]["kernel"], 6, "{summary:#}");
}
