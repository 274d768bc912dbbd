//! The command line: tcpdump's habits, so that hands already know it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use unicode_width::UnicodeWidthStr;

use super::ladder::OwnerChoice;
use crate::base::{scrub, slips};
use crate::engine::{Filter, Repeats, filter_fields};
use crate::findings::Severity;
use crate::io::{Sockets, file};
use crate::journal::{Chapters, Reach};
use crate::ui::{FlowPart, ThemeName, View};
use crate::view::ThemeSpec;

/// What really happens to every TCP connection: wire, kernel and process on one screen.
///
/// Without a command: the live dashboard, or with -r the same over a capture file.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 input damaged (all before the damage was used), \
                        3 not permitted\n(only of what was asked for by name: -i; without -i what may not be seen is \
                        told as missing),\n4 a finding at or above report --fail-on.\n\
                        Commands come first: sockscope report -i eth0, not sockscope -i eth0 report.\n\
                        Without a terminal on stdout the dashboards print the text report instead.")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub follow: Follow,
    #[command(flatten)]
    pub ring: Ring,
    /// Memory for going back in a capture (64Mi, 1Gi): more of it makes a jump back in a long one shorter
    #[arg(long, value_name = "SIZE", default_value = "640Mi", value_parser = memory)]
    pub seek_memory: usize,
    /// Memory for going back while live (64Mi, 1Gi; 0: none): what came last, and checkpoints in it
    #[arg(long, value_name = "SIZE", default_value = "64Mi", value_parser = memory)]
    pub rewind: usize,
    #[command(flatten)]
    pub look: Look,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The dashboard over the built-in incident: no privilege, no network, no file
    Demo(Demo),
    /// Print what was seen: text for people, json and ndjson for programs
    Report(Report),
    /// Draw a screen as a picture, without a terminal
    Snap(Snap),
    /// Record packets, kernel and owners into a file or stream, without a dashboard
    Record(Record),
}

/// Where connections are seen.
#[derive(Debug, Clone, Args)]
pub(super) struct Input {
    /// Capture on this interface (may be given more than once); every interface without it
    #[arg(short = 'i', value_name = "IFACE", conflicts_with = "read")]
    pub interfaces: Vec<String>,
    /// Read a capture: pcap or pcapng, plain, gzip or zstd; - is stdin. Given more than once, all are read as one, in
    /// order of time
    #[arg(short = 'r', value_name = "FILE")]
    pub read: Vec<PathBuf>,
    /// Bytes captured of each frame; what names TLS and HTTP peers often stands behind the first 256: -s 2048 reads it
    #[arg(short = 's', long = "snapshot-length", value_name = "SNAPLEN", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub snaplen: u32,
    /// Capture buffer in KiB
    #[arg(short = 'B', long = "buffer-size", value_name = "KIB", default_value_t = 32_768,
          value_parser = clap::value_parser!(u32).range(64..=2_097_151))]
    pub buffer_kib: u32,
    /// Where to read the kernel's socket table
    #[arg(long, value_enum, default_value_t = SocketChoice::Auto)]
    pub sockets: SocketChoice,
    /// How to find which process has a connection
    #[arg(long, value_enum, value_name = "RUNG", default_value_t = OwnerChoice::Auto)]
    pub owners: OwnerChoice,
    /// Flows kept at most; beyond, closed ones go first, then half-open ones, then the idle longest
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = flows)]
    pub flows: usize,
    #[command(flatten)]
    pub write: Write,
    /// Capture only what this BPF expression matches (pcap-filter(7)), as the last words; behind -r a first word that
    /// names a capture is one more file
    #[arg(value_name = "BPF", trailing_var_arg = true)]
    pub bpf: Vec<String>,
}

/// A capture that is still being written.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Follow {
    /// Wait at the end of the file (of -r, given once) for what is written behind it, and read that as it comes; it may
    /// be empty so far
    #[arg(long, requires = "read")]
    pub follow: bool,
}

/// What is recorded of a running host.
#[derive(Debug, Clone, Args)]
pub(super) struct Write {
    /// Record into this file: pcapng with packets, kernel and owners. It must not be there yet; - is stdout
    #[arg(short = 'w', value_name = "FILE", conflicts_with = "read")]
    pub file: Option<PathBuf>,
    /// Let -w replace a file, once the recording is whole
    #[arg(long, requires = "file")]
    pub force: bool,
    /// Bytes recorded of each packet behind its headers; without it none
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=262_144))]
    pub payload: u32,
}

impl Write {
    /// Whether what is recorded goes to stdout.
    pub(super) fn is_to_stdout(&self) -> bool {
        self.file.as_deref().is_some_and(file::is_stdout)
    }
}

/// A recording in memory.
#[derive(Debug, Clone, Args)]
pub(super) struct Ring {
    /// Keep only the last of a recording, in memory (64M, or a time: 5m); SIGUSR1, --dump-on and a dashboard's key w
    /// write it out, to where -w says
    #[arg(long, value_name = "SIZE|TIME", conflicts_with = "read", value_parser = reach)]
    pub ring: Option<Reach>,
    /// Write out the ring when a finding of this severity or worse appears
    #[arg(long, value_enum, value_name = "SEVERITY", requires = "ring")]
    pub dump_on: Option<SeverityChoice>,
}

/// How a screen looks.
#[derive(Debug, Clone, Args)]
pub(super) struct Look {
    /// dark, light, high-contrast, colour-blind, 16, mono, or a file of one's own (TOML); without it the terminal's
    /// ground decides, and NO_COLOR is mono
    #[arg(long, value_name = "NAME|FILE", value_parser = theme)]
    pub theme: Option<ThemeChoice>,
    /// Draw with nothing beyond ASCII, as in a locale without UTF-8
    #[arg(long)]
    pub ascii: bool,
    /// The view to show first; flow is one connection in full, ladder its segments one by one, graph its numbers over
    /// time
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ViewChoice::Overview)]
    pub view: ViewChoice,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    pub look: Look,
}

#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub follow: Follow,
    /// Report on the built-in incident
    #[arg(long, conflicts_with_all = ["read", "interfaces"])]
    pub demo: bool,
    /// How long to watch when live, or with --follow from where the file ends now, be it empty (10s, 2m, 500ms); Ctrl-C
    /// ends that sooner
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = span)]
    pub duration: Duration,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write here instead of stdout
    #[arg(short = 'o', value_name = "OUT", default_value = "-")]
    pub output: PathBuf,
    /// Only flows that fit: state:time-wait peer:10.0.0.0/8 recvq>0, or words that stand anywhere (--help tells all)
    #[arg(long, value_name = "EXPR", default_value = "", value_parser = filter, long_help = filter_help())]
    pub filter: Filter,
    /// Exit with 4 if there is a finding of this severity or worse, whatever else
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<SeverityChoice>,
}

#[derive(Debug, Args)]
pub(super) struct Snap {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub look: Look,
    /// Draw the built-in incident
    #[arg(long, conflicts_with_all = ["read", "interfaces"])]
    pub demo: bool,
    /// How long to watch when live (10s, 2m, 500ms)
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = span)]
    pub duration: Duration,
    /// The instant to draw, the end of the capture without it: 12.5, 1m30s or 1:30 from its start, by the clock in UTC
    /// (14:03:22), or RFC 3339
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub at: Option<String>,
    /// The flow to select: its number as reports print it (#12 is 12); in the views of one flow the table's first
    /// without it
    #[arg(long, value_name = "ID")]
    pub flow: Option<u64>,
    /// Columns and rows of the terminal; its line of keys is left out
    #[arg(long, value_name = "WxH", default_value = "120x40", value_parser = size)]
    pub size: (u16, u16),
    /// Only flows that fit: state:time-wait peer:10.0.0.0/8 recvq>0, or words that stand anywhere (--help tells all)
    #[arg(long, value_name = "EXPR", default_value = "", value_parser = filter, long_help = filter_help())]
    pub filter: Filter,
    /// The picture: .txt, .svg or .png
    #[arg(short = 'o', value_name = "OUT")]
    pub output: PathBuf,
}

#[derive(Debug, Args)]
// Captures are not read there: -r is refused (beside -w), and not offered.
#[command(mut_arg("read", |arg| arg.hide(true)))]
#[command(mut_arg("bpf", |arg| arg.help(
    "Capture only what this BPF expression matches (pcap-filter(7)), as the last words"
)))]
pub(super) struct Record {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub ring: Ring,
    /// How long to record (10s, 2m, 1h30m); until it is interrupted without it
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub duration: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    Ndjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SeverityChoice {
    Info,
    Warning,
    Critical,
}

impl From<SeverityChoice> for Severity {
    fn from(choice: SeverityChoice) -> Self {
        match choice {
            SeverityChoice::Info => Self::Info,
            SeverityChoice::Warning => Self::Warning,
            SeverityChoice::Critical => Self::Critical,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ViewChoice {
    Overview,
    Flows,
    Handshakes,
    Queues,
    TimeWait,
    Listeners,
    Processes,
    Findings,
    Flow,
    Ladder,
    Graph,
}

impl ViewChoice {
    /// The view, and the part of it where it is that of one flow.
    pub(super) const fn shown(self) -> (View, FlowPart) {
        let view = match self {
            Self::Overview => View::Overview,
            Self::Flows => View::Flows,
            Self::Handshakes => View::Handshakes,
            Self::Queues => View::Queues,
            Self::TimeWait => View::TimeWait,
            Self::Listeners => View::Listeners,
            Self::Processes => View::Processes,
            Self::Findings => View::Findings,
            Self::Flow | Self::Ladder | Self::Graph => View::Flow,
        };
        let part = match self {
            Self::Ladder => FlowPart::Ladder,
            Self::Graph => FlowPart::Graph,
            _ => FlowPart::Summary,
        };
        (view, part)
    }
}

#[derive(Debug, Clone)]
pub(super) enum ThemeChoice {
    Named(ThemeName),
    /// Of a file.
    Own(Arc<ThemeSpec>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SocketChoice {
    /// sock_diag, or /proc where that is refused
    Auto,
    /// sock_diag(7)
    Diag,
    /// /proc/net/tcp and tcp6: no listen limits, no TCP_INFO
    Proc,
}

impl From<SocketChoice> for Sockets {
    fn from(choice: SocketChoice) -> Self {
        match choice {
            SocketChoice::Auto => Self::Auto,
            SocketChoice::Diag => Self::Diag,
            SocketChoice::Proc => Self::Proc,
        }
    }
}

impl Input {
    /// The BPF words as one expression.
    pub(super) fn filter(&self) -> Option<String> {
        (!self.bpf.is_empty()).then(|| self.bpf.join(" "))
    }

    /// How a datagram may be shown again. No other interface than the one does it, but "any" is all.
    pub(super) fn repeats(&self) -> Repeats {
        let is_one = matches!(self.interfaces.as_slice(), [only] if only != ANY);
        if is_one { Repeats::Tunnels } else { Repeats::Interfaces }
    }
}

/// What libpcap calls all interfaces together.
pub(super) const ANY: &str = "any";
/// The names of the commands.
const COMMANDS: [&str; 4] = ["demo", "report", "snap", "record"];
/// Words that begin a BPF expression, and are no misspelt command.
const BPF_WORDS: [&str; 4] = ["port", "proto", "host", "dst"];

impl Input {
    /// A recording that goes to stdout leaves no room there for a dashboard or a report.
    ///
    /// # Errors
    /// Where one is asked for (`-w -`).
    pub(super) fn check_stdout_is_free(&self) -> anyhow::Result<()> {
        if self.write.is_to_stdout() {
            anyhow::bail!("-w - sends the recording to stdout, where this would be written: sockscope record -w -")
        }
        Ok(())
    }

    /// A command that comes after options, or is misspelt, would be a BPF expression of words that nobody means so.
    ///
    /// # Errors
    /// Where the first word of the filter is, but for two slips, a command.
    pub(super) fn check_for_command(&self) -> anyhow::Result<()> {
        let Some(word) = self.bpf.first().filter(|word| !BPF_WORDS.contains(&word.as_str())) else { return Ok(()) };
        let near = |name: &&&str| slips(word, name) <= if name.len() > 4 { 2 } else { 1 };
        match COMMANDS.iter().find(near) {
            Some(name) => anyhow::bail!(
                "{word:?} is no filter: did you mean the command `{name}`? Commands come first: sockscope {name} ... \
                 (a host of that name: host {word})"
            ),
            None => Ok(()),
        }
    }
}

fn flows(text: &str) -> Result<usize, String> {
    match text.replace([',', '_'], "").parse() {
        Ok(0) | Err(_) => Err("a number of flows from 1 on".to_owned()),
        Ok(flows) if flows > 1 << 30 => Err("at most 1,073,741,824".to_owned()),
        Ok(flows) => Ok(flows),
    }
}

/// Bytes of memory: `64Mi`, `512k`, or 0 for none.
fn memory(text: &str) -> Result<usize, String> {
    let bytes = if text == "0" { Some(0) } else { bytes(text) };
    bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| "bytes such as 64Mi, or 0".to_owned())
}

/// A number of bytes with its unit; `None` of anything else.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 6] =
        [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];
    let sized = |(unit, each): &(&str, u64)| text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*each);
    UNITS.iter().find_map(sized)
}

/// A span: a plain number is seconds; jiff's friendly spans (`10s`, `1m30s`, `500ms`) besides.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|secs| Duration::try_from_secs_f64(secs).ok());
    let friendly = || text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    seconds.or_else(friendly).ok_or_else(|| "a span such as 10s, 500ms, 1m30s or 12.5".to_owned())
}

/// How much a ring keeps: bytes (`64M`, `512k`, `1Gi`), or a span.
fn reach(text: &str) -> Result<Reach, String> {
    match bytes(text) {
        Some(bytes @ 65_536..) if bytes <= Chapters::MOST as u64 => Ok(Reach::Bytes(bytes as usize)),
        Some(_) => Err("from 64Ki to 1Gi".to_owned()),
        None if text.ends_with(|c: char| c.is_ascii_digit()) => Err("a unit is missing: 64M, or 5m".to_owned()),
        None => match span(text) {
            Ok(span) if !span.is_zero() => Ok(Reach::Time(span)),
            _ => Err("bytes such as 64M, or a time such as 5m".to_owned()),
        },
    }
}

/// A built-in theme, or that of a file; of what is wrong in it the text tells the line.
fn theme(text: &str) -> Result<ThemeChoice, String> {
    if let Some(name) = ThemeName::named(text) {
        return Ok(ThemeChoice::Named(name));
    }
    let read = file::read_text(Path::new(text)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if !text.contains(['/', '.']) => {
            format!("no theme and no file: themes are {}", ThemeName::BUILT_IN.map(ThemeName::name).join(", "))
        }
        _ => error.to_string(),
    })?;
    ThemeSpec::parse(&read).map(|spec| ThemeChoice::Own(Arc::new(spec)))
}

/// A filter; of what is wrong the text tells where.
fn filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text).map_err(|fault| {
        let columns = |text: &str| scrub(text).width();
        let (before, wrong) = (columns(&text[..fault.at.start]), columns(&text[fault.at.clone()]).max(1));
        format!("{fault}\n  {}\n  {:before$}{}", scrub(text), "", "^".repeat(wrong))
    })
}

fn filter_help() -> String {
    let fields: String = filter_fields().map(|(name, help)| format!("  {name:<12} {help}\n")).collect();
    format!("{}\n\nFields:\n{fields}", include_str!("filter_help.txt").trim_end())
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parse = || {
        let (width, height) = text.split_once(['x', 'X'])?;
        Some((width.parse().ok()?, height.parse().ok()?))
    };
    match parse() {
        Some((width, height)) if (40..=500).contains(&width) && (10..=300).contains(&height) => Ok((width, height)),
        Some(_) => Err("from 40x10 to 500x300".to_owned()),
        None => Err("columns x rows, such as 120x40".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bpf_words_need_no_quotes() {
        let cli = Cli::parse_from(["sockscope", "-i", "lo", "tcp", "port", "80"]);
        assert_eq!(cli.input.filter().as_deref(), Some("tcp port 80"));
        let cli = Cli::parse_from(["sockscope", "report", "-r", "x", "host", "192.0.2.1", "and", "not", "port", "22"]);
        let Some(Command::Report(report)) = cli.command else { panic!("a report") };
        assert_eq!(report.input.filter().as_deref(), Some("host 192.0.2.1 and not port 22"));
    }

    #[test]
    fn the_names_of_the_commands_are_all_known() {
        let names: Vec<String> =
            Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(names, COMMANDS);
    }

    #[test]
    fn a_command_in_the_filters_place_is_told() {
        for (words, command) in [
            ("repport", Some("report")),
            ("reprot", Some("report")),
            ("-i lo report --for 1s", Some("report")),
            ("-r x.pcap snpa", Some("snap")),
            ("dmeo", Some("demo")),
            ("tcp port 80", None),
            ("port 80", None),
            ("src net 10.0.0.0/8", None),
            ("dst port 80", None),
            ("", None),
        ] {
            let cli = Cli::parse_from(["sockscope"].into_iter().chain(words.split_whitespace()));
            assert!(cli.command.is_none(), "{words}");
            let told = cli.input.check_for_command().err().map(|error| error.to_string());
            assert_eq!(told.is_some(), command.is_some(), "{words}: {told:?}");
            assert!(told.is_none_or(|told| told.contains(&format!("`{}`", command.unwrap()))), "{words}");
        }
    }

    #[test]
    fn of_one_interface_no_other_shows_a_datagram_again() {
        for (words, repeats) in [
            ("", Repeats::Interfaces),
            ("-i eth0", Repeats::Tunnels),
            ("-i any", Repeats::Interfaces),
            ("-i eth0 -i lo", Repeats::Interfaces),
        ] {
            let cli = Cli::parse_from(["sockscope"].into_iter().chain(words.split_whitespace()));
            assert_eq!(cli.input.repeats(), repeats, "{words}");
        }
    }

    #[test]
    fn memory_is_told_with_its_unit() {
        for (text, bytes) in [("64Mi", 64 << 20), ("1G", 1_000_000_000), ("512 Ki", 512 << 10), ("0", 0)] {
            assert_eq!(memory(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "7", "-1k", "1.5G", "1T", "99999999999999999999G"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_and_sizes() {
        assert_eq!(span("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("12.5"), Ok(Duration::from_millis(12_500)));
        assert!(span("-3").is_err() && span("soon").is_err());
        assert_eq!(size("160x48"), Ok((160, 48)));
        assert!(size("160").is_err() && size("1x1").is_err());
        assert_eq!(reach("64M"), Ok(Reach::Bytes(64_000_000)));
        assert_eq!((reach("1Gi"), reach("5m")), (Ok(Reach::Bytes(1 << 30)), Ok(Reach::Time(Duration::from_secs(300)))));
        assert!(["64", "2G", "1k", "0s", "soon", "-5m"].iter().all(|text| reach(text).is_err()));
    }
}
