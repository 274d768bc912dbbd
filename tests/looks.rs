//! How the dashboard looks in a real terminal: the theme follows the terminal's ground, an answer is never taken for
//! keys, and without UTF-8 nothing beyond ASCII is drawn.
//!
//! May touch ptys, child processes and files in temporary directories.
#![cfg(all(feature = "live", feature = "tui"))]

use std::fs;

use portable_pty::CommandBuilder;
use tempfile::TempDir;
use vt100::Color;

#[path = "support/pty.rs"]
mod pty;

use pty::{Pty, sockscope};

const QUESTION: &str = "\x1b]11;?";
const ATTRIBUTES: &str = "\x1b[?62;22c";
/// The colour of the program's name in the first line: what is strong.
const DARK: Color = Color::Idx(255);
const LIGHT: Color = Color::Idx(232);

/// The demo in an environment that says nothing of colours.
fn demo(args: &[&str], environment: &[(&str, &str)]) -> CommandBuilder {
    let mut command = sockscope(&[&["demo"], args].concat());
    for name in ["COLORFGBG", "COLORTERM", "LC_ALL", "LC_CTYPE", "LANG"] {
        command.env_remove(name);
    }
    for (name, value) in environment {
        command.env(name, value);
    }
    command
}

fn strong(pty: &Pty) -> Color {
    pty.screen().cell(0, 1).expect("the first letter").fgcolor()
}

fn asked(pty: &Pty) -> bool {
    String::from_utf8_lossy(pty.raw()).contains(QUESTION)
}

fn quit(mut pty: Pty) {
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]));
}

#[test]
fn the_theme_follows_the_terminals_ground() {
    let ground = |colour: &str| format!("\x1b]11;rgb:{colour}\x1b\\{ATTRIBUTES}");
    for (answer, environment, expected) in [
        (ground("fdfd/f6f6/e3e3"), vec![], LIGHT),
        (ground("1e1e/1e1e/2e2e"), vec![], DARK),
        (ground("00/00/00"), vec![("COLORFGBG", "0;15")], DARK),
        (ATTRIBUTES.to_owned(), vec![("COLORFGBG", "0;15")], LIGHT),
        (ATTRIBUTES.to_owned(), vec![], DARK),
        // No answer at all: the wait is bounded.
        (String::new(), vec![], DARK),
    ] {
        let mut pty = Pty::start(demo(&[], &environment), 80, 24);
        pty.writes(QUESTION, 0);
        pty.keys(&answer);
        pty.shows(&["DEMO", "q quit"]);
        assert_eq!(strong(&pty), expected, "{answer:?} {environment:?}");
        quit(pty);
    }
}

#[test]
fn nobody_is_asked_where_it_is_known() {
    for (args, environment, expected) in [
        (&["--theme", "light"][..], vec![], LIGHT),
        (&[], vec![("NO_COLOR", "1")], Color::Default),
        (&["--theme", "dark"], vec![("NO_COLOR", "1")], DARK),
        (&[], vec![("TERM", "linux")], Color::Idx(15)),
    ] {
        let mut pty = Pty::start(demo(args, &environment), 80, 24);
        pty.shows(&["DEMO", "q quit"]);
        assert_eq!((strong(&pty), asked(&pty)), (expected, false), "{args:?} {environment:?}");
        quit(pty);
    }
}

#[test]
fn an_answer_that_comes_late_is_no_keys() {
    let mut pty = Pty::start(demo(&[], &[]), 120, 24);
    pty.shows(&["DEMO", "q quit"]);
    // Taken for keys, it would open the first view, and then the filter.
    pty.keys("2");
    pty.shows(&["by rate"]);
    pty.keys("\x1b]11;rgb:2f2f/2f2f/2f2f\x1b\\");
    pty.keys("s");
    pty.shows(&["by recent"]);
    assert!(!pty.text().contains("Enter keeps"), "{}", pty.text());
    quit(pty);
}

#[test]
fn a_key_goes_through_the_themes() {
    let mut pty = Pty::start(demo(&["--theme", "dark"], &[("COLORTERM", "truecolor")]), 80, 24);
    pty.shows(&["DEMO", "q quit"]);
    for name in ["light", "high-contrast", "colour-blind", "16", "mono", "dark"] {
        pty.keys("T");
        pty.shows(&[&format!("theme {name}")]);
        if name == "high-contrast" {
            pty.wait("colours of its own", |screen| {
                let cell = screen.cell(0, 1).expect("a cell");
                (cell.fgcolor(), cell.bgcolor()) == (Color::Rgb(255, 255, 255), Color::Rgb(0, 0, 0))
            });
        }
    }
    quit(pty);
}

#[test]
fn a_theme_of_ones_own_and_what_is_wrong_with_one() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("mine.toml");
    let path = path.to_str().expect("a plain name");
    fs::write(path, "inherits = \"light\"\n[styles]\nstrong = { fg = \"#ff0001\" }\n").expect("a file");
    for (depth, expected) in [("truecolor", Color::Rgb(255, 0, 1)), ("", Color::Idx(196))] {
        let mut pty = Pty::start(demo(&["--theme", path], &[("COLORTERM", depth)]), 80, 24);
        pty.shows(&["DEMO", "q quit"]);
        assert_eq!((strong(&pty), asked(&pty)), (expected, false), "{depth:?}");
        quit(pty);
    }
    fs::write(path, "[styles]\n\nstrong = { fg = \"#ff\" }\n").expect("a file");
    let mut pty = Pty::start(demo(&["--theme", path], &[]), 120, 24);
    assert_eq!(pty.end().exit_code(), 1);
    assert!(pty.text().contains("line 3") && pty.text().contains("^^^^^"), "{}", pty.text());
}

#[test]
fn without_utf8_all_is_ascii() {
    let mut command = pty::sockscope(&["report", "--demo", "--filter", "port:9000"]);
    command.env("LC_ALL", "C");
    let mut pty = Pty::start(command, 120, 60);
    assert_eq!(pty.end().exit_code(), 0);
    assert!(pty.raw().is_ascii() && pty.text().contains("-- Handshakes --"), "{}", pty.text());
    for (args, environment, ascii) in [
        (&[][..], vec![("LC_ALL", "C")], true),
        (&[], vec![("LANG", "de_DE.ISO-8859-1")], true),
        (&["--ascii"], vec![("LC_ALL", "C.UTF-8")], true),
        (&[], vec![("LANG", "C"), ("LC_ALL", "C.UTF-8")], false),
        (&[], vec![], false),
    ] {
        let mut pty = Pty::start(demo(&[&["--theme", "dark"], args].concat(), &environment), 120, 40);
        pty.shows(&["DEMO", "Handshakes", "q quit"]);
        assert_eq!(pty.text().is_ascii(), ascii, "{args:?} {environment:?}\n{}", pty.text());
        quit(pty);
    }
}
