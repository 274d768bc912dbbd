//! How a screen looks to its reader: styles by meaning, and the time zone of its clock.

use jiff::tz::TimeZone;
use ratatui::style::{Color, Style};

use crate::base::{Rgb, TcpState};
use crate::ui::ThemeName;

use super::theme_file::ThemeSpec;

/// Styles by what they mean. No meaning is told by colour alone: marks and words say it too.
#[derive(Debug, Clone)]
pub struct Theme {
    /// The clock that instants are told in.
    pub zone: TimeZone,
    pub text: Style,
    /// What matters less: labels, units of emptiness, what is over.
    pub dim: Style,
    /// What matters: names, headings.
    pub strong: Style,
    pub border: Style,
    /// The border of the pane that has the focus.
    pub focus: Style,
    /// The row under the cursor, the open tab.
    pub cursor: Style,
    pub critical: Style,
    pub warning: Style,
    pub info: Style,
    /// Healthy.
    pub good: Style,
    /// A part that died.
    pub dead: Style,
    pub bar: Style,
    pub spark: Style,
}

impl Theme {
    /// The built-in theme of this name, telling times in `zone`.
    pub fn new(name: ThemeName, zone: TimeZone) -> Self {
        ThemeSpec::built_in(name).theme(zone)
    }

    /// The same for a terminal that has 256 colours and no more.
    #[must_use]
    pub fn in_256_colours(self) -> Self {
        let fit = |color: Color| match color {
            Color::Rgb(r, g, b) => Color::Indexed(Rgb(r, g, b).nearest_xterm()),
            other => other,
        };
        self.map(|style| Style { fg: style.fg.map(fit), bg: style.bg.map(fit), ..style })
    }

    fn map(self, change: impl Fn(Style) -> Style) -> Self {
        Self {
            zone: self.zone,
            text: change(self.text),
            dim: change(self.dim),
            strong: change(self.strong),
            border: change(self.border),
            focus: change(self.focus),
            cursor: change(self.cursor),
            critical: change(self.critical),
            warning: change(self.warning),
            info: change(self.info),
            good: change(self.good),
            dead: change(self.dead),
            bar: change(self.bar),
            spark: change(self.spark),
        }
    }

    /// The style of a state's name: open, opening or closing, waiting or over.
    pub(super) fn state(&self, state: TcpState) -> Style {
        match state {
            TcpState::Estab | TcpState::Listen => self.good,
            TcpState::SynSent | TcpState::SynRecv => self.info,
            TcpState::FinWait1 | TcpState::FinWait2 | TcpState::CloseWait | TcpState::Closing | TcpState::LastAck => {
                self.text
            }
            TcpState::TimeWait | TcpState::Closed => self.dim,
        }
    }
}

/// How bad something is; the marks are used for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Warning,
    Critical,
}

impl Severity {
    /// That of a finding; `None` where it is but worth knowing.
    pub(super) const fn of(found: crate::findings::Severity) -> Option<Self> {
        match found {
            crate::findings::Severity::Info => None,
            crate::findings::Severity::Warning => Some(Self::Warning),
            crate::findings::Severity::Critical => Some(Self::Critical),
        }
    }

    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Warning => "!",
            Self::Critical => "‼",
        }
    }

    pub(super) const fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Warning => theme.warning,
            Self::Critical => theme.critical,
        }
    }
}
