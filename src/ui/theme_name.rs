//! The names of the themes; what each looks like stands in `view::ThemeSpec`.

/// Which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeName {
    #[default]
    Dark,
    Light,
    HighContrast,
    /// For those who tell red and green apart badly.
    ColourBlind,
    /// The terminal's own sixteen.
    Sixteen,
    /// Modifiers only: for NO_COLOR.
    Mono,
    /// Of the user's file.
    Own,
}

impl ThemeName {
    /// Those that are built in, in the order in which a key goes through them.
    pub const BUILT_IN: [Self; 6] =
        [Self::Dark, Self::Light, Self::HighContrast, Self::ColourBlind, Self::Sixteen, Self::Mono];

    /// As it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::Sixteen => "16",
            Self::Mono => "mono",
            Self::Own => "your own",
        }
    }

    /// The one built in under this name.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "color-blind" { "colour-blind" } else { name };
        Self::BUILT_IN.into_iter().find(|theme| theme.name() == name)
    }

    /// The next; the user's own, where there is one, comes after those that are built in.
    pub(super) fn next(self, own: bool) -> Self {
        let at = Self::BUILT_IN.iter().position(|theme| *theme == self).map_or(0, |at| at + 1);
        Self::BUILT_IN.get(at).copied().unwrap_or(if own { Self::Own } else { Self::Dark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_round() {
        for (own, count) in [(false, 6), (true, 7)] {
            let first = if own { ThemeName::Own } else { ThemeName::Light };
            let round: Vec<ThemeName> = (0..count)
                .scan(first, |at, _| {
                    *at = at.next(own);
                    Some(*at)
                })
                .collect();
            assert_eq!(round.last(), Some(&first));
            assert!(round.iter().enumerate().all(|(at, theme)| !round[..at].contains(theme)), "{round:?}");
        }
    }
}
