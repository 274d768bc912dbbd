use super::*;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use resvg::tiny_skia::{Pixmap, PremultipliedColorU8};

use crate::base::Rgb;

fn bare() -> Footer {
    Footer { source: "test.pcap".to_owned(), window: None, loss: None, ascii: false }
}

fn svg_of(buffer: &Buffer) -> String {
    svg::draw(buffer, &Palette::DARK)
}

fn one(symbol: &str, style: Style) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
    buffer[(1, 0)].set_symbol(symbol).set_style(style);
    buffer
}

/// Every text element: its content and its x list.
fn texts(svg: &str) -> Vec<(String, Vec<i32>)> {
    let document = resvg::usvg::roxmltree::Document::parse(svg).expect("well-formed");
    let text = document.descendants().filter(|node| node.has_tag_name("text"));
    text.map(|node| {
        let xs = node.attribute("x").unwrap().split(' ').map(|x| x.parse().unwrap()).collect();
        (node.text().unwrap_or("").to_owned(), xs)
    })
    .collect()
}

fn pixels(buffer: &Buffer) -> Pixmap {
    Pixmap::decode_png(&png::rasterise(&svg_of(buffer)).unwrap()).unwrap()
}

fn is(pixel: PremultipliedColorU8, rgb: Rgb) -> bool {
    Rgb(pixel.red(), pixel.green(), pixel.blue()) == rgb
}

#[test]
fn the_path_names_the_format() {
    let format = |path: &str| PictureFormat::from_path(Path::new(path));
    assert_eq!(format("a/b.SVG").unwrap(), PictureFormat::Svg);
    assert_eq!(format("b.txt").unwrap(), PictureFormat::Txt);
    assert_eq!(
        format("b.gif").unwrap_err().to_string(),
        "\".gif\" is not a picture format; pictures are written as .txt, .svg or .png"
    );
    assert!(format("png").unwrap_err().to_string().starts_with("the file name has no extension"));
}

#[test]
fn a_png_has_two_pixels_a_unit_and_the_same_bytes_twice() {
    let buffer = one("x", Style::new());
    let draw = || picture(&buffer, &bare(), &Palette::LIGHT, PictureFormat::Png).unwrap();
    let bytes = draw();
    assert_eq!(bytes, draw());
    let pixmap = Pixmap::decode_png(&bytes).unwrap();
    assert_eq!((pixmap.width(), pixmap.height()), (4 * 18, (1 + 4) * 40));
}

#[test]
fn geometry_needs_no_font() {
    for code in (0x2500..=0x259f).chain(0x2801..=0x28ff) {
        let symbol = char::from_u32(code).unwrap().to_string();
        let svg = svg_of(&one(&symbol, Style::new()));
        assert!(texts(&svg).is_empty(), "{symbol} is text");
        assert!(svg.contains("<path"), "{symbol} is missing");
    }
}

#[test]
fn what_the_font_lacks_is_a_box_as_wide_as_its_cells() {
    for (symbol, width) in [("\u{e000}", 18), ("日", 36), ("\u{7}", 18), ("\u{202e}", 18)] {
        let svg = svg_of(&one(symbol, Style::new()));
        assert!(texts(&svg).is_empty(), "{symbol:?}");
        assert!(svg.contains(&format!("M{} 8h{}v2", 18 + 3, width - 6)), "{symbol:?}: {svg}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 1));
    let hostile = "</text><script>x()</script>]]> & \"quoted\" 'single' &#10;";
    buffer.set_string(0, 0, hostile, Style::new());
    let texts = texts(&svg_of(&buffer));
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0].0, hostile);
}

#[test]
fn each_character_has_the_x_of_its_cell() {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
    buffer.set_string(2, 0, "ab  c日de\u{301}f", Style::new());
    let texts = texts(&svg_of(&buffer));
    let x = |column: i32| column * 18;
    assert_eq!(texts[0], ("ab  cd".to_owned(), [2, 3, 4, 5, 6, 9].map(x).to_vec()));
    assert_eq!(texts[1], ("e\u{301}".to_owned(), vec![x(10)]));
    assert_eq!(texts[2], ("f".to_owned(), vec![x(11)]));
}

#[test]
fn lines_of_neighbouring_cells_join_in_the_picture() {
    let mut buffer = Buffer::with_lines(["╭──╮", "│┌┐│", "│└┘│", "╰──╯"]);
    buffer.set_style(Rect::new(0, 0, 4, 4), Style::new().fg(Color::Rgb(255, 255, 255)));
    let pixmap = pixels(&buffer);
    let white = Rgb(255, 255, 255);
    let line = |x, y| is(pixmap.pixel(x, y).unwrap(), white);
    assert!((18..54).all(|x| line(x, 19) && line(x, 20) && !line(x, 18) && !line(x, 21)), "top edge, two pixels thick");
    assert!((40..120).all(|y| line(8, y) && line(9, y) && !line(7, y) && !line(10, y)), "left edge");
    assert!((60..100).all(|y| line(26, y) && line(45, y)), "inner box");
    assert!((27..45).all(|x| line(x, 60) && line(x, 99)), "inner box, level");
}

#[test]
fn a_level_line_is_drawn_as_one() {
    let svg = svg_of(&Buffer::with_lines(["────────", "════════", "▁▁▁▁████"]));
    for whole in ["M0 19h144v2h-144z", "M0 62h144v2h-144zM0 56h144v2h-144z", "M0 115h72v5h-72zM72 80h72v40h-72z"] {
        assert!(svg.contains(&format!("d=\"{whole}\"")), "{whole}: {svg}");
    }
}

#[test]
fn text_sits_inside_its_cell() {
    for symbol in ["W", "@", "g", "j", "Å", "|", "‼"] {
        let pixmap = pixels(&one(symbol, Style::new().add_modifier(Modifier::BOLD)));
        let ground = Palette::DARK.background;
        let inked = |x: u32| (0..40).any(|y| !is(pixmap.pixel(x, y).unwrap(), ground));
        assert!((18..36).any(inked), "{symbol} was not drawn");
        assert!(!(0..17).any(inked) && !(37..72).any(inked), "{symbol} leaves its cell");
    }
}

#[test]
fn modifiers_and_colours_show() {
    let red = Palette::DARK.ansi[1];
    let reversed = svg_of(&one(" ", Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED)));
    assert!(reversed.contains(&format!("fill=\"{red}\" d=\"M18 0h18v40h-18z\"")), "{reversed}");
    let dim = svg_of(&one("x", Style::new().fg(Color::Red).add_modifier(Modifier::DIM)));
    assert!(dim.contains(&format!("fill=\"{}\"", red.mix(Palette::DARK.background, 40))));
    let under = svg_of(&one("x", Style::new().add_modifier(Modifier::UNDERLINED)));
    assert!(under.contains("M18 34h18v2"));
    let faces = svg_of(&one("x", Style::new().add_modifier(Modifier::BOLD | Modifier::ITALIC)));
    assert!(faces.contains("font-weight=\"bold\" font-style=\"oblique\">x<"));
    let hidden = svg_of(&one("x", Style::new().add_modifier(Modifier::HIDDEN)));
    assert!(texts(&hidden).is_empty());
    let indexed = svg_of(&one("█", Style::new().fg(Color::Indexed(196))));
    assert!(indexed.contains("fill=\"#ff0000\""));
}

/// A look: leaves target/looks/{dark,light}.png for a human to open.
#[test]
fn a_look_at_everything() {
    let buffer = gallery();
    let looks = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/looks");
    std::fs::create_dir_all(&looks).unwrap();
    for (name, palette) in [("dark", &Palette::DARK), ("light", &Palette::LIGHT)] {
        for format in PictureFormat::ALL {
            let bytes = picture(&buffer, &bare(), palette, format).unwrap();
            assert!(bytes.len() > 1000);
            std::fs::write(looks.join(format!("{name}.{}", format.extension())), bytes).unwrap();
        }
    }
}

fn gallery() -> Buffer {
    let lines = [
        "╭ Handshakes  last 60 s ──────╮╔══════╦═══╗┏━━━┳━━━┓┌──┬──┐  ╒══╤══╕ ╓──╥──╖",
        "│ 498/s  ▂▃▅▆▇▆▅▃▂▃▄▅▆▇█      │║      ║   ║┃   ┃   ┃│  │  │  │  │  │ ║  ║  ║",
        "│ completed 29,311   98.8%    │╠══════╬═══╣┣━━━╋━━━┫├──┼──┤  ╞══╪══╡ ╟──╫──╢",
        "│ ‼ refused 212 ! timeout 98  │║ wide ║ ◀▶║┃ ✓ ┃ ✗ ┃│  │  │  │  │  │ ║  ║  ║",
        "╰─────────────────────────────╯╚══════╩═══╝┗━━━┻━━━┛└──┴──┘  ╘══╧══╛ ╙──╨──╜",
        "⣿⣿⣷⣶⣦⣤⣄⣀⡀ ⠁⠂⠄⡀⠈⠐⠠⢀ ⢸⡇⣸⣇ ▁▂▃▄▅▆▇█ ▏▎▍▌▋▊▉█ ▖▗▘▙▚▛▜▝▞▟ ░░▒▒▓▓██ ▀▐▔▕ ╱╲╳",
        "┄┄┄┅┅┅ ┈┈┈┉┉┉ ╌╌╌╍╍╍ ╴╵╶╷╸╹╺╻╼╽╾╿ ┡┢┩┪┭┮┱┲┽┾╀╁╃╄╅╆╇╈╉╊  日本語 missing",
        "bold dim italic underline reverse crossed  0.40 ms → 10.0.0.5:80  naïve · – …",
    ];
    let mut buffer = Buffer::with_lines(lines);
    let mut paint = |x, y, w, style: Style| buffer.set_style(Rect::new(x, y, w, 1), style);
    paint(2, 0, 10, Style::new().add_modifier(Modifier::BOLD).fg(Color::Cyan));
    paint(9, 1, 15, Style::new().fg(Color::Green));
    paint(2, 3, 13, Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD));
    paint(16, 3, 13, Style::new().fg(Color::Yellow));
    for (x, w, modifier) in [
        (0, 4, Modifier::BOLD),
        (5, 3, Modifier::DIM),
        (9, 6, Modifier::ITALIC),
        (16, 9, Modifier::UNDERLINED),
        (26, 7, Modifier::REVERSED),
        (34, 7, Modifier::CROSSED_OUT),
    ] {
        paint(x, 7, w, Style::new().add_modifier(modifier));
    }
    for x in 0..30 {
        paint(x, 5, 1, Style::new().fg(Color::Indexed(20 + 6 * u8::try_from(x).unwrap())));
    }
    paint(43, 7, 20, Style::new().bg(Color::Indexed(24)).fg(Color::White));
    buffer
}
