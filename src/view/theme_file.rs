//! Themes as TOML: those that are built in (`assets/themes`), and a user's own, which need only say what differs.
//!
//! ```toml
//! inherits = "light"            # "dark" without it
//! background = "#fdf6e3"        # of pictures; the terminal keeps its own, unless `text` has a bg
//!
//! [styles]
//! critical = { fg = "#dc322f", bold = true }
//! ```
//! A style has `fg` and `bg` ("#rrggbb", an index of the 256, a name of the 16, "reset") and `bold`, `dim`, `italic`,
//! `underline`, `reverse`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::base::Rgb;
use crate::ui::ThemeName;

use super::theme::Theme;

/// How a screen looks, whatever the time zone.
#[derive(Debug, Clone, PartialEq)]
pub struct ThemeSpec {
    /// What pictures are drawn on, and what has no colour of its own.
    pub background: Rgb,
    pub foreground: Rgb,
    styles: BTreeMap<Role, Style>,
}

/// What a style means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Text,
    Dim,
    Strong,
    Border,
    Focus,
    Cursor,
    Critical,
    Warning,
    Info,
    Good,
    Dead,
    Bar,
    Spark,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    inherits: Option<BuiltIn>,
    background: Option<Colour>,
    foreground: Option<Colour>,
    #[serde(default)]
    styles: BTreeMap<Role, WrittenStyle>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenStyle {
    fg: Option<Colour>,
    bg: Option<Colour>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

impl From<WrittenStyle> for Style {
    fn from(written: WrittenStyle) -> Self {
        let all = [
            (written.bold, Modifier::BOLD),
            (written.dim, Modifier::DIM),
            (written.italic, Modifier::ITALIC),
            (written.underline, Modifier::UNDERLINED),
            (written.reverse, Modifier::REVERSED),
        ];
        let modifiers = all.into_iter().filter(|(on, _)| *on).map(|(_, modifier)| modifier).collect();
        let (fg, bg) = (written.fg.map(|colour| colour.0), written.bg.map(|colour| colour.0));
        Self { fg, bg, ..Self::new() }.add_modifier(modifiers)
    }
}

#[derive(Debug, Clone, Copy)]
struct Colour(Color);

#[derive(Debug, Clone, Copy)]
struct BuiltIn(ThemeName);

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Colour;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"#rrggbb\", an index from 0 to 255, or a name such as \"light red\"")
            }

            fn visit_i64<E: Error>(self, index: i64) -> Result<Colour, E> {
                let known = u8::try_from(index).map(|index| Colour(Color::Indexed(index)));
                known.map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(index), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Colour, E> {
                let known = text.parse().map(Colour);
                known.map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        from.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for BuiltIn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let names = ThemeName::BUILT_IN.map(ThemeName::name).join(", ");
        ThemeName::named(&name).map(Self).ok_or_else(|| D::Error::custom(format!("no theme {name:?}: {names}")))
    }
}

/// The themes that are built in, in the order of [`ThemeName::BUILT_IN`].
static BUILT_IN: LazyLock<[ThemeSpec; 6]> = LazyLock::new(|| {
    ThemeName::BUILT_IN.map(|name| {
        let written: Written = toml::from_str(text_of(name)).expect("a theme of our own");
        let ground = ThemeSpec { background: Rgb(0, 0, 0), foreground: Rgb(255, 255, 255), styles: BTreeMap::new() };
        ground.changed(&written)
    })
});

/// The TOML of a built-in theme: a start for one of one's own.
const fn text_of(name: ThemeName) -> &'static str {
    match name {
        ThemeName::Dark | ThemeName::Own => include_str!("../../assets/themes/dark.toml"),
        ThemeName::Light => include_str!("../../assets/themes/light.toml"),
        ThemeName::HighContrast => include_str!("../../assets/themes/high-contrast.toml"),
        ThemeName::ColourBlind => include_str!("../../assets/themes/colour-blind.toml"),
        ThemeName::Sixteen => include_str!("../../assets/themes/16.toml"),
        ThemeName::Mono => include_str!("../../assets/themes/mono.toml"),
    }
}

impl ThemeSpec {
    /// The theme of this name; [`ThemeName::Own`] is the user's and not built in: the dark one stands for it.
    ///
    /// # Panics
    /// Never: that the built-in themes can be read is tested.
    pub fn built_in(name: ThemeName) -> &'static Self {
        let place = ThemeName::BUILT_IN.iter().position(|other| *other == name).unwrap_or(0);
        &BUILT_IN[place]
    }

    /// Reads a user's theme.
    ///
    /// # Errors
    /// Where it is none: several lines, with the line that is wrong and a mark under it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        let base = written.inherits.map_or(ThemeName::Dark, |base| base.0);
        Ok(Self::built_in(base).clone().changed(&written))
    }

    fn changed(mut self, written: &Written) -> Self {
        let rgb = |colour: Option<Colour>, otherwise| colour.and_then(|colour| rgb(colour.0)).unwrap_or(otherwise);
        self.background = rgb(written.background, self.background);
        self.foreground = rgb(written.foreground, self.foreground);
        self.styles.extend(written.styles.iter().map(|(role, style)| (*role, Style::from(*style))));
        self
    }

    /// The styles, telling times in `zone`.
    pub fn theme(&self, zone: TimeZone) -> Theme {
        let style = |role| self.styles.get(&role).copied().unwrap_or_default();
        Theme {
            zone,
            text: style(Role::Text),
            dim: style(Role::Dim),
            strong: style(Role::Strong),
            border: style(Role::Border),
            focus: style(Role::Focus),
            // A row under the cursor is not dim, whatever its cells are.
            cursor: style(Role::Cursor).remove_modifier(Modifier::DIM),
            critical: style(Role::Critical),
            warning: style(Role::Warning),
            info: style(Role::Info),
            good: style(Role::Good),
            dead: style(Role::Dead),
            bar: style(Role::Bar),
            spark: style(Role::Spark),
        }
    }
}

/// The numbers of a colour that every terminal shows alike.
const fn rgb(color: Color) -> Option<Rgb> {
    match color {
        Color::Rgb(r, g, b) => Some(Rgb(r, g, b)),
        Color::Indexed(index) => Rgb::xterm(index),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
