//! SVG → PNG by resvg, at two pixels for each of the SVG's, with the carried font only: the same bytes everywhere.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, ShapeRendering, TextRendering, Tree};

use super::font;
use super::picture::ExportError;

/// Pixels of the PNG for each of the SVG's.
pub(super) const SCALE: f32 = 2.0;

/// The picture that `svg` describes.
pub(super) fn rasterise(svg: &str) -> Result<Vec<u8>, ExportError> {
    let options = Options {
        font_family: font::FAMILY.to_owned(),
        fontdb: font::database(),
        text_rendering: TextRendering::GeometricPrecision,
        shape_rendering: ShapeRendering::GeometricPrecision,
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or(ExportError::TooLarge(u32::MAX, u32::MAX))?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).ok_or(ExportError::TooLarge(size.width(), size.height()))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| ExportError::Png(error.to_string()))
}
