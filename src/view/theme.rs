//! How a screen looks to its reader: styles by meaning, and the time zone of its clock.

use jiff::tz::TimeZone;
use ratatui::style::{Color, Modifier, Style};

use crate::base::TcpState;
use crate::ui::ThemeName;

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
    /// The theme of this name, telling times in `zone`.
    pub fn new(name: ThemeName, zone: TimeZone) -> Self {
        match name {
            ThemeName::Dark => Self::coloured(zone, &DARK),
            ThemeName::Light => Self::coloured(zone, &LIGHT),
            ThemeName::Mono => Self::mono(zone),
        }
    }

    fn coloured(zone: TimeZone, palette: &Palette) -> Self {
        let fg = |color: Color| Style::new().fg(color);
        Self {
            zone,
            text: fg(palette.text),
            dim: fg(palette.dim),
            strong: fg(palette.strong).add_modifier(Modifier::BOLD),
            border: fg(palette.border),
            focus: fg(palette.focus),
            cursor: Style::new().fg(palette.strong).bg(palette.cursor).add_modifier(Modifier::BOLD),
            critical: fg(palette.critical).add_modifier(Modifier::BOLD),
            warning: fg(palette.warning).add_modifier(Modifier::BOLD),
            info: fg(palette.accent),
            good: fg(palette.good),
            dead: fg(palette.critical).add_modifier(Modifier::BOLD | Modifier::REVERSED),
            bar: fg(palette.bar),
            spark: fg(palette.spark),
        }
    }

    fn mono(zone: TimeZone) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        Self {
            zone,
            text: plain,
            dim,
            strong: bold,
            border: dim,
            focus: bold,
            cursor: plain.add_modifier(Modifier::REVERSED),
            critical: bold,
            warning: bold,
            info: plain,
            good: plain,
            dead: bold.add_modifier(Modifier::REVERSED),
            bar: plain,
            spark: plain,
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

struct Palette {
    text: Color,
    dim: Color,
    strong: Color,
    border: Color,
    focus: Color,
    accent: Color,
    cursor: Color,
    critical: Color,
    warning: Color,
    good: Color,
    bar: Color,
    spark: Color,
}

/// Colours of the 256 that every terminal of today has, so that they do not depend on its 16.
const DARK: Palette = Palette {
    text: Color::Indexed(252),
    dim: Color::Indexed(245),
    strong: Color::Indexed(255),
    border: Color::Indexed(240),
    focus: Color::Indexed(248),
    accent: Color::Indexed(117),
    cursor: Color::Indexed(238),
    critical: Color::Indexed(203),
    warning: Color::Indexed(221),
    good: Color::Indexed(114),
    bar: Color::Indexed(110),
    spark: Color::Indexed(110),
};

const LIGHT: Palette = Palette {
    text: Color::Indexed(236),
    dim: Color::Indexed(243),
    strong: Color::Indexed(232),
    border: Color::Indexed(250),
    focus: Color::Indexed(242),
    accent: Color::Indexed(25),
    cursor: Color::Indexed(253),
    critical: Color::Indexed(160),
    warning: Color::Indexed(130),
    good: Color::Indexed(28),
    bar: Color::Indexed(67),
    spark: Color::Indexed(67),
};
