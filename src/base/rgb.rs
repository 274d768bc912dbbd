//! Colours as numbers: mixing, contrast, xterm's 256.

use std::fmt;

/// A colour of the sRGB space, 8 bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// The colour `percent` of the way from `self` to `other`; past 100 it is `other`.
    #[must_use]
    pub fn mix(self, other: Self, percent: u8) -> Self {
        let share = u32::from(percent.min(100));
        let channel = |a: u8, b: u8| {
            let sum = u32::from(a) * (100 - share) + u32::from(b) * share;
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self(channel(self.0, other.0), channel(self.1, other.1), channel(self.2, other.2))
    }

    /// Relative luminance, from 0 (black) to 1 (white), as WCAG 2.1 defines it.
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// How well one stands out against the other, from 1 to 21 (WCAG 2.1): text wants 4.5, large marks 3.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if a > b { a / b } else { b / a }
    }

    /// Whether white stands out better against it than black.
    pub fn is_dark(self) -> bool {
        self.contrast(Self(255, 255, 255)) > self.contrast(Self(0, 0, 0))
    }

    /// A colour of xterm's 256 by its index, without the first sixteen, which each terminal has its own way: a cube of
    /// 6×6×6, then 24 greys.
    pub const fn xterm(index: u8) -> Option<Self> {
        const fn level(step: u8) -> u8 {
            if step == 0 { 0 } else { 55 + 40 * step }
        }
        match index {
            0..=15 => None,
            16..=231 => {
                let cube = index - 16;
                Some(Self(level(cube / 36), level(cube / 6 % 6), level(cube % 6)))
            }
            232..=255 => {
                let grey = 8 + 10 * (index - 232);
                Some(Self(grey, grey, grey))
            }
        }
    }

    /// The index of the nearest of xterm's 256.
    pub fn nearest_xterm(self) -> u8 {
        let apart = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        let distance = |index: &u8| {
            Self::xterm(*index)
                .map(|other| 2 * apart(self.0, other.0) + 4 * apart(self.1, other.1) + 3 * apart(self.2, other.2))
        };
        (16..=255).min_by_key(distance).unwrap_or(16)
    }
}

/// `#rrggbb`, as SVG, CSS and themes write it.
impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_ends_at_both_ends() {
        let (a, b) = (Rgb(0, 100, 255), Rgb(255, 0, 1));
        assert_eq!((a.mix(b, 0), a.mix(b, 100), a.mix(b, 200)), (a, b, b));
        assert_eq!(a.mix(b, 50).to_string(), "#803280");
    }

    #[test]
    fn contrast_is_wcags() {
        let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
        assert!((black.contrast(white) - 21.0).abs() < 0.001 && (white.contrast(white) - 1.0).abs() < 0.001);
        assert!((Rgb(0x76, 0x76, 0x76).contrast(white) - 4.54).abs() < 0.01, "the darkest grey that passes");
        assert!(black.is_dark() && !white.is_dark() && Rgb(0x2e, 0x34, 0x40).is_dark());
    }

    #[test]
    fn each_of_the_256_is_nearest_to_itself() {
        for index in 16..=255 {
            let rgb = Rgb::xterm(index).unwrap();
            assert_eq!(Rgb::xterm(rgb.nearest_xterm()), Some(rgb), "{index}");
        }
        assert_eq!((Rgb::xterm(15), Rgb(0xff, 0x5f, 0x60).nearest_xterm()), (None, 203));
    }
}
