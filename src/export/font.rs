//! The font of pictures: DejaVu Sans Mono, carried in the binary by the crate `dejavu`.
//!
//! Its licence (Bitstream Vera's, with DejaVu's changes in the public domain) stands in `assets/FONT-LICENSE.txt`.

use std::sync::{Arc, OnceLock};

use resvg::usvg::fontdb;
use ttf_parser::Face as Parsed;

/// The family's name, as SVG asks for it.
pub(super) const FAMILY: &str = "DejaVu Sans Mono";

/// The four faces of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Face {
    pub(super) bold: bool,
    pub(super) oblique: bool,
}

impl Face {
    const ALL: [Self; 4] = [
        Self { bold: false, oblique: false },
        Self { bold: false, oblique: true },
        Self { bold: true, oblique: false },
        Self { bold: true, oblique: true },
    ];

    fn data(self) -> &'static [u8] {
        match (self.bold, self.oblique) {
            (false, false) => dejavu::sans_mono::regular(),
            (false, true) => dejavu::sans_mono::oblique(),
            (true, false) => dejavu::sans_mono::bold(),
            (true, true) => dejavu::sans_mono::bold_oblique(),
        }
    }

    /// Whether the face has a glyph for each character of `text`, and each is one that a reader can see the extent
    /// of (no control character, no mark that turns a line's direction).
    pub(super) fn draws(self, text: &str) -> bool {
        static PARSED: OnceLock<[Option<Parsed<'static>>; 4]> = OnceLock::new();
        let parsed = PARSED.get_or_init(|| Self::ALL.map(|face| Parsed::parse(face.data(), 0).ok()));
        let index = usize::from(self.bold) * 2 + usize::from(self.oblique);
        let Some(face) = &parsed[index] else { return false };
        crate::base::scrub(text) == text && text.chars().all(|c| face.glyph_index(c).is_some())
    }
}

/// The database that the rasteriser draws from: this family and no font of the system.
pub(super) fn database() -> Arc<fontdb::Database> {
    static DATABASE: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut database = fontdb::Database::new();
        for face in Face::ALL {
            database.load_font_source(fontdb::Source::Binary(Arc::new(face.data())));
        }
        database.set_monospace_family(FAMILY);
        Arc::new(database)
    };
    Arc::clone(DATABASE.get_or_init(load))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_the_font_lacks() {
        let regular = Face { bold: false, oblique: false };
        for text in ["A", "é", "→", "▶", "‼", "✓", "✗", "·", "–", "…", "e\u{301}"] {
            assert!(regular.draws(text), "{text}");
        }
        for text in ["日", "🙂", "\u{1b}", "\u{202e}", "\u{1fb00}", "\u{fffe}"] {
            assert!(!regular.draws(text), "{text:?}");
        }
    }

    #[test]
    fn the_database_has_four_faces_of_one_family() {
        let database = database();
        assert_eq!(database.len(), 4);
        assert!(database.faces().all(|face| face.families.iter().any(|(name, _)| name == FAMILY) && face.monospaced));
    }
}
