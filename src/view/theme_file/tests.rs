use super::*;

const ROLES: [Role; 13] = {
    use Role::{Bar, Border, Critical, Cursor, Dead, Dim, Focus, Good, Info, Spark, Strong, Text, Warning};
    [Text, Dim, Strong, Border, Focus, Cursor, Critical, Warning, Info, Good, Dead, Bar, Spark]
};

#[test]
fn built_in_themes_are_whole() {
    for name in ThemeName::BUILT_IN {
        let spec = ThemeSpec::built_in(name);
        assert_eq!(spec.styles.keys().copied().collect::<Vec<_>>(), ROLES, "{}", name.name());
        assert!(spec.foreground.contrast(spec.background) >= 7.0, "{}", name.name());
        assert_eq!(ThemeName::named(name.name()), Some(name));
    }
    assert_eq!(ThemeName::named("color-blind"), Some(ThemeName::ColourBlind));
    assert_eq!(ThemeName::named("your own"), None);
}

/// Grounds that terminals commonly have, for the themes that leave theirs to the terminal.
fn grounds(name: ThemeName) -> Vec<Rgb> {
    let spec = ThemeSpec::built_in(name);
    let common: &[Rgb] = match name {
        ThemeName::Dark => &[Rgb(0, 0, 0), Rgb(0x1e, 0x1e, 0x1e), Rgb(0x0d, 0x11, 0x17)],
        ThemeName::Light => &[Rgb(255, 255, 255), Rgb(0xfd, 0xf6, 0xe3)],
        _ => &[],
    };
    [&[spec.background], common].concat()
}

#[test]
fn everything_stands_out_against_its_ground() {
    use ThemeName::{ColourBlind, Dark, HighContrast, Light};
    for name in [Dark, Light, HighContrast, ColourBlind] {
        let spec = ThemeSpec::built_in(name);
        for (role, style) in &spec.styles {
            let fg = style.fg.and_then(rgb).expect("a colour that every terminal shows alike");
            let own = style.bg.and_then(rgb);
            let least = match (name, role) {
                (HighContrast, _) => 7.0,
                // Lines and marks, and text that matters less.
                (_, Role::Border | Role::Focus | Role::Bar | Role::Spark | Role::Dim) => 3.0,
                _ => 4.5,
            };
            for ground in own.map_or_else(|| grounds(name), |own| vec![own]) {
                let contrast = fg.contrast(ground);
                assert!(contrast >= least, "{} {role:?}: {fg} on {ground} is {contrast:.2}:1", name.name());
            }
        }
    }
}

#[test]
fn a_theme_with_colours_of_its_own_brings_its_ground() {
    for name in [ThemeName::HighContrast, ThemeName::ColourBlind] {
        let spec = ThemeSpec::built_in(name);
        assert_eq!(spec.styles[&Role::Text].bg.and_then(rgb), Some(spec.background));
    }
    for name in [ThemeName::Dark, ThemeName::Light, ThemeName::Sixteen, ThemeName::Mono] {
        assert_eq!(ThemeSpec::built_in(name).styles[&Role::Text].bg, None, "{}", name.name());
    }
}

/// How a colour looks without the cones for red or for green: Viénot, Brettel and Mollon 1999, in linear light.
fn without(cones: [[f64; 3]; 3], colour: Rgb) -> [f64; 3] {
    let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
    let seen = [linear(colour.0), linear(colour.1), linear(colour.2)];
    cones.map(|row| row.iter().zip(seen).map(|(share, value)| share * value).sum::<f64>().max(0.0).powf(1.0 / 2.2))
}

#[test]
fn meanings_are_told_apart_without_red_or_green() {
    const PROTAN: [[f64; 3]; 3] = [[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]];
    const DEUTAN: [[f64; 3]; 3] = [[0.293, 0.707, 0.0], [0.293, 0.707, 0.0], [-0.022, 0.022, 1.0]];
    let spec = ThemeSpec::built_in(ThemeName::ColourBlind);
    let roles = [Role::Critical, Role::Warning, Role::Info, Role::Good, Role::Text];
    for cones in [PROTAN, DEUTAN] {
        for (at, a) in roles.iter().enumerate() {
            for b in &roles[..at] {
                let seen = |role: &Role| without(cones, spec.styles[role].fg.and_then(rgb).unwrap());
                let apart: f64 = seen(a).iter().zip(seen(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(apart > 0.2, "{a:?} and {b:?} look alike: {apart:.2}");
            }
        }
    }
}

#[test]
fn mono_has_no_colour_and_16_only_names() {
    for style in ThemeSpec::built_in(ThemeName::Mono).styles.values() {
        assert_eq!((style.fg, style.bg), (None, None));
    }
    for (role, style) in &ThemeSpec::built_in(ThemeName::Sixteen).styles {
        assert!(style.fg.and_then(rgb).is_none() && style.bg.is_none(), "{role:?}");
    }
}

#[test]
fn a_users_theme_says_what_differs() {
    let text = "inherits = \"light\"\nbackground = \"#fdf6e3\"\n[styles]\ncritical = { fg = 9, underline = true }\n";
    let spec = ThemeSpec::parse(text).unwrap();
    let light = ThemeSpec::built_in(ThemeName::Light);
    assert_eq!((spec.background, spec.foreground), (Rgb(0xfd, 0xf6, 0xe3), light.foreground));
    let critical = Style::new().fg(Color::Indexed(9)).add_modifier(Modifier::UNDERLINED);
    assert_eq!((spec.styles[&Role::Critical], spec.styles[&Role::Text]), (critical, light.styles[&Role::Text]));
    assert_eq!(&ThemeSpec::parse("").unwrap(), ThemeSpec::built_in(ThemeName::Dark));
}

#[test]
fn an_error_points_at_the_line() {
    for (text, line, words) in [
        ("[styles]\ntext = { fg = \"#12\" }", 2, "#rrggbb"),
        ("[styles]\ntext = { fg = 256 }", 2, "index from 0 to 255"),
        ("[styles]\ntext = { fgg = 1 }", 2, "fgg"),
        ("\n\n[styles]\ntxt = {}", 4, "txt"),
        ("inherits = \"pink\"", 1, "no theme \"pink\": dark, light"),
        ("colour = 1", 1, "colour"),
        ("= 1", 1, "key"),
    ] {
        let error = ThemeSpec::parse(text).unwrap_err();
        assert!(error.contains(&format!("line {line}")) && error.contains(words) && error.contains('^'), "{error}");
    }
}

#[test]
fn colours_are_brought_into_256() {
    let theme = ThemeSpec::built_in(ThemeName::ColourBlind).theme(TimeZone::UTC).in_256_colours();
    for style in [theme.text, theme.critical, theme.cursor] {
        assert!([style.fg, style.bg].into_iter().flatten().all(|color| matches!(color, Color::Indexed(_))));
    }
    assert!(theme.critical.add_modifier.contains(Modifier::BOLD));
}
