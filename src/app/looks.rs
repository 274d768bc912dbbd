//! How the screen looks: what the command line asks for, what the environment says, what the terminal answers.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::io::tty::Terminal;
use crate::ui::ThemeName;
use crate::view::{Theme, ThemeSpec};

use super::cli::{Look, ThemeChoice};

/// How long the terminal may take to tell the colour of its ground.
const PATIENCE: Duration = Duration::from_millis(200);

/// What was chosen before there is a screen.
#[derive(Debug, Clone)]
pub(super) struct Looks {
    /// `None`: the terminal's ground decides.
    theme: Option<ThemeName>,
    own: Option<Arc<ThemeSpec>>,
    /// Nothing beyond ASCII may be drawn.
    pub(super) ascii: bool,
}

impl Looks {
    /// What the command line asks for; without colours where the user wants none (<https://no-color.org>).
    pub(super) fn of(look: &Look) -> Self {
        let (theme, own) = match &look.theme {
            Some(ThemeChoice::Named(name)) => (Some(*name), None),
            Some(ThemeChoice::Own(spec)) => (Some(ThemeName::Own), Some(Arc::clone(spec))),
            None if set("NO_COLOR").is_some() => (Some(ThemeName::Mono), None),
            None => (None, None),
        };
        Self { theme, own, ascii: look.ascii }
    }

    /// The theme of a picture: no terminal is asked.
    pub(super) fn of_picture(&self) -> ThemeName {
        self.theme.unwrap_or_default()
    }

    /// The theme of a screen.
    pub(super) fn on(&self, terminal: &mut Terminal) -> ThemeName {
        if let Some(theme) = self.theme {
            return theme;
        }
        if set("TERM").is_some_and(|term| term == "linux") {
            return ThemeName::Sixteen;
        }
        let told = terminal.background(PATIENCE).ok().flatten().map(|ground| !ground.is_dark());
        let hint = || set("COLORFGBG").as_deref().and_then(is_light);
        if told.or_else(hint) == Some(true) { ThemeName::Light } else { ThemeName::Dark }
    }

    /// Whether the terminal on stdout can show nothing but ASCII: it was said so, or its locale is another than UTF-8.
    pub(super) fn for_terminal(self) -> Self {
        Self { ascii: self.ascii || !has_utf8(), ..self }
    }

    /// What a theme is.
    pub(super) fn spec(&self, name: ThemeName) -> &ThemeSpec {
        match (&self.own, name) {
            (Some(own), ThemeName::Own) => own,
            _ => ThemeSpec::built_in(name),
        }
    }

    /// The theme for a terminal, in the colours that it has.
    pub(super) fn theme(&self, name: ThemeName) -> Theme {
        let theme = self.spec(name).theme(TimeZone::system());
        let all = set("COLORTERM").is_some_and(|depth| depth == "truecolor" || depth == "24bit");
        if all { theme } else { theme.in_256_colours() }
    }
}

/// A variable of the environment that is set, and not empty.
fn set(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// Whether the locale is one of UTF-8, as locale(7) looks for it; one that is not set is taken for one.
pub(super) fn has_utf8() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).is_none_or(|locale| is_utf8(&locale))
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Of `15;0` or `0;default;15` (rxvt's, Konsole's): whether the ground, the last of them, is a light one of the 16.
fn is_light(colours: &str) -> Option<bool> {
    let ground: u8 = colours.rsplit(';').next()?.parse().ok()?;
    Some(ground == 7 || (9..=15).contains(&ground))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_of_the_environment() {
        for (colours, light) in
            [("15;0", Some(false)), ("0;15", Some(true)), ("0;default;7", Some(true)), ("7;8", Some(false)), ("", None)]
        {
            assert_eq!(is_light(colours), light, "{colours}");
        }
        for (locale, utf8) in [("C.UTF-8", true), ("de_DE.utf8", true), ("C", false), ("de_DE@euro", false)] {
            assert_eq!(is_utf8(locale), utf8, "{locale}");
        }
    }
}
