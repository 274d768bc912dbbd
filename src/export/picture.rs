//! A screen as a picture: the one door to text, SVG and PNG.
//!
//! Takes a drawn ratatui `Buffer` and adds the footer that says what the picture shows. No file is opened here.

use std::path::Path;

use ratatui::buffer::Buffer;

use super::{Footer, Palette, png, svg, text};

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PictureFormat {
    /// Plain UTF-8 text, no colour.
    Txt,
    Svg,
    Png,
}

impl PictureFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Txt, Self::Svg, Self::Png];

    /// The file name extension that asks for it.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Txt => "txt",
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }

    /// The format that a file's extension asks for, in any case.
    pub fn from_path(path: &Path) -> Result<Self, ExportError> {
        let wanted = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        Self::ALL
            .into_iter()
            .find(|format| wanted.as_deref() == Some(format.extension()))
            .ok_or(ExportError::Format(wanted))
    }
}

/// Why no picture was made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{}; pictures are written as .txt, .svg or .png", unknown_extension(.0.as_deref()))]
    Format(Option<String>),
    #[error("the picture is too large to draw: {0} x {1} pixels")]
    TooLarge(u32, u32),
    #[error("the SVG cannot be drawn: {0}")]
    Svg(#[from] resvg::usvg::Error),
    #[error("the PNG cannot be written: {0}")]
    Png(String),
}

fn unknown_extension(extension: Option<&str>) -> String {
    extension.map_or_else(
        || "the file name has no extension".to_owned(),
        |extension| format!("\".{}\" is not a picture format", crate::base::scrub(extension)),
    )
}

/// The screen in `buffer` with `footer` under it, as `format`. The same arguments give the same bytes.
pub fn picture(
    buffer: &Buffer,
    footer: &Footer,
    palette: &Palette,
    format: PictureFormat,
) -> Result<Vec<u8>, ExportError> {
    let framed = footer.under(buffer);
    match format {
        PictureFormat::Txt => Ok(text::plain(&framed).into_bytes()),
        PictureFormat::Svg => Ok(svg::draw(&framed, palette).into_bytes()),
        PictureFormat::Png => png::rasterise(&svg::draw(&framed, palette)),
    }
}

#[cfg(test)]
mod tests;
