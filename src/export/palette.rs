//! The colours of a picture: what a terminal's theme would make of a cell's colours. Pure.

use ratatui::style::Color;

use crate::base::Rgb;

/// What stands for the terminal's own colours: [`Color::Reset`] and the sixteen that a theme defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    pub background: Rgb,
    pub foreground: Rgb,
    /// Black, red, green, yellow, blue, magenta, cyan, white; then the bright eight.
    pub ansi: [Rgb; 16],
}

impl Palette {
    /// Light text on a dark ground.
    pub const DARK: Self = Self {
        background: Rgb(0x12, 0x15, 0x1a),
        foreground: Rgb(0xd6, 0xda, 0xe0),
        ansi: [
            Rgb(0x2a, 0x2f, 0x38),
            Rgb(0xe0, 0x5f, 0x5f),
            Rgb(0x7f, 0xb9, 0x6a),
            Rgb(0xd9, 0xa9, 0x4a),
            Rgb(0x5f, 0x9f, 0xe6),
            Rgb(0xc0, 0x84, 0xd8),
            Rgb(0x56, 0xb6, 0xc2),
            Rgb(0xb9, 0xbf, 0xc9),
            Rgb(0x6b, 0x73, 0x80),
            Rgb(0xff, 0x7b, 0x7b),
            Rgb(0x9b, 0xd8, 0x82),
            Rgb(0xf2, 0xc7, 0x66),
            Rgb(0x82, 0xb8, 0xff),
            Rgb(0xd9, 0xa3, 0xf0),
            Rgb(0x76, 0xd3, 0xdf),
            Rgb(0xf5, 0xf7, 0xfa),
        ],
    };

    /// Dark text on a light ground.
    pub const LIGHT: Self = Self {
        background: Rgb(0xfc, 0xfc, 0xfa),
        foreground: Rgb(0x22, 0x26, 0x2c),
        ansi: [
            Rgb(0x22, 0x26, 0x2c),
            Rgb(0xb3, 0x26, 0x1e),
            Rgb(0x2e, 0x73, 0x32),
            Rgb(0x8a, 0x5a, 0x00),
            Rgb(0x1d, 0x56, 0xb0),
            Rgb(0x84, 0x33, 0xa3),
            Rgb(0x0b, 0x6b, 0x75),
            Rgb(0x8c, 0x93, 0x9d),
            Rgb(0x6a, 0x71, 0x7b),
            Rgb(0xd0, 0x3a, 0x30),
            Rgb(0x3b, 0x8f, 0x40),
            Rgb(0xa8, 0x70, 0x00),
            Rgb(0x2b, 0x6c, 0xd4),
            Rgb(0x9d, 0x46, 0xc0),
            Rgb(0x0f, 0x85, 0x91),
            Rgb(0xd9, 0xdc, 0xe0),
        ],
    };

    /// A theme's own ground and text, with the sixteen that go with so dark or light a ground.
    pub fn on(background: Rgb, foreground: Rgb) -> Self {
        let like = if background.is_dark() { Self::DARK } else { Self::LIGHT };
        Self { background, foreground, ..like }
    }

    /// What `color` looks like as text; the terminal's own is the foreground.
    pub fn foreground_of(&self, color: Color) -> Rgb {
        self.resolve(color).unwrap_or(self.foreground)
    }

    /// What `color` looks like behind text; the terminal's own is the background.
    pub fn background_of(&self, color: Color) -> Rgb {
        self.resolve(color).unwrap_or(self.background)
    }

    fn resolve(&self, color: Color) -> Option<Rgb> {
        Some(match color {
            Color::Reset => return None,
            Color::Black => self.ansi[0],
            Color::Red => self.ansi[1],
            Color::Green => self.ansi[2],
            Color::Yellow => self.ansi[3],
            Color::Blue => self.ansi[4],
            Color::Magenta => self.ansi[5],
            Color::Cyan => self.ansi[6],
            Color::Gray => self.ansi[7],
            Color::DarkGray => self.ansi[8],
            Color::LightRed => self.ansi[9],
            Color::LightGreen => self.ansi[10],
            Color::LightYellow => self.ansi[11],
            Color::LightBlue => self.ansi[12],
            Color::LightMagenta => self.ansi[13],
            Color::LightCyan => self.ansi[14],
            Color::White => self.ansi[15],
            Color::Rgb(r, g, b) => Rgb(r, g, b),
            Color::Indexed(index) => self.indexed(index),
        })
    }

    /// xterm's 256 colours: the theme's sixteen, then those that are the same everywhere.
    fn indexed(&self, index: u8) -> Rgb {
        Rgb::xterm(index).unwrap_or_else(|| self.ansi[usize::from(index) % 16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexed_colours_are_xterms() {
        let dark = Palette::DARK;
        for (index, rgb) in [
            (16, Rgb(0, 0, 0)),
            (196, Rgb(255, 0, 0)),
            (110, Rgb(135, 175, 215)),
            (231, Rgb(255, 255, 255)),
            (232, Rgb(8, 8, 8)),
            (255, Rgb(238, 238, 238)),
        ] {
            assert_eq!(dark.foreground_of(Color::Indexed(index)), rgb, "{index}");
        }
        assert_eq!(dark.foreground_of(Color::Indexed(9)), dark.foreground_of(Color::LightRed));
    }

    #[test]
    fn reset_is_the_terminals_own() {
        assert_eq!(Palette::LIGHT.foreground_of(Color::Reset), Palette::LIGHT.foreground);
        assert_eq!(Palette::LIGHT.background_of(Color::Reset), Palette::LIGHT.background);
    }
}
