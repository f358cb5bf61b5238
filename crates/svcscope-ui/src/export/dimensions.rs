//! How large a picture may become.

use std::fmt;

use egui::{Vec2, vec2};

use super::ExportFormat;

/// Free space around the map, in points: what the camera leaves when it shows all of it.
pub(super) const MARGIN: f32 = 16.0;
/// No longer side in points or pixels: what browsers still draw.
const MAX_SIDE: f32 = 32_000.0;
/// No more pixels: 160 MB while they are drawn, and some seconds.
const MAX_PIXELS: f32 = 40e6;
/// Pixels for each point, where there is room: sharp on every screen.
const SHARP: f32 = 2.0;
/// No smaller: the whole map is a dot then.
const MIN_ZOOM: f32 = 0.02;

/// How a map is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureDimensions {
    /// Points for each map unit.
    pub zoom: f32,
    /// Pixels for each point; of no meaning where there are no pixels.
    pub pixels_per_point: f32,
    /// The picture in points.
    pub size: Vec2,
}

/// A picture that would be too large as it was wanted, and how it is drawn instead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZoomReduction {
    /// The zoom that was wanted.
    pub requested_zoom: f32,
    /// Width and height that it would have had.
    pub requested_size: Vec2,
    /// The zoom that it has.
    pub actual_zoom: f32,
}

impl fmt::Display for ZoomReduction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "at zoom {} the picture would be too large ({:.0} × {:.0} points); it is drawn at zoom {:.2} instead",
            self.requested_zoom, self.requested_size.x, self.requested_size.y, self.actual_zoom
        )
    }
}

/// How to draw a whole map of this size at a zoom, or as near as there is room for.
pub(super) fn whole(
    map: Vec2,
    wanted: f32,
    format: ExportFormat,
) -> (PictureDimensions, Option<ZoomReduction>) {
    let size = |zoom: f32| map * zoom + Vec2::splat(2.0 * MARGIN);
    let mut zoom = wanted;
    if !fits(size(zoom), 1.0, format) {
        // The margin makes the equation crooked; a few steps are near enough.
        let (mut low, mut high) = (MIN_ZOOM.min(wanted), wanted);
        for _ in 0..20 {
            let middle = f32::midpoint(low, high);
            if fits(size(middle), 1.0, format) {
                low = middle;
            } else {
                high = middle;
            }
        }
        zoom = low;
    }
    let smaller = (zoom < wanted).then(|| ZoomReduction {
        requested_zoom: wanted,
        requested_size: size(wanted),
        actual_zoom: zoom,
    });
    let size = size(zoom).ceil();
    let scale = scale(size, format);
    (
        PictureDimensions {
            zoom,
            pixels_per_point: scale,
            size,
        },
        smaller,
    )
}

/// Pixels for each point of a picture of this size.
pub(super) fn scale(size: Vec2, format: ExportFormat) -> f32 {
    if fits(size, SHARP, format) {
        return SHARP;
    }
    let by_side = MAX_SIDE / size.max_elem().max(1.0);
    let by_pixels = (MAX_PIXELS / (size.x * size.y).max(1.0)).sqrt();
    by_side.min(by_pixels).min(SHARP)
}

fn fits(size: Vec2, scale: f32, format: ExportFormat) -> bool {
    let size = vec2(size.x * scale, size.y * scale);
    let pixels = match format {
        ExportFormat::Png => size.x * size.y,
        _ => 0.0,
    };
    size.max_elem() <= MAX_SIDE && pixels <= MAX_PIXELS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_drawn_as_it_was_wanted() {
        let (measures, smaller) = whole(vec2(1000.0, 500.0), 1.0, ExportFormat::Png);
        assert_eq!((measures.zoom, measures.pixels_per_point), (1.0, 2.0));
        assert_eq!(measures.size, vec2(1032.0, 532.0));
        assert_eq!(smaller, None);
    }

    #[test]
    fn a_large_map_loses_sharpness_before_it_loses_size() {
        let (measures, smaller) = whole(vec2(6000.0, 5000.0), 1.0, ExportFormat::Png);
        assert_eq!((measures.zoom, smaller), (1.0, None));
        assert!(
            measures.pixels_per_point > 1.1 && measures.pixels_per_point < 1.2,
            "{measures:?}"
        );
    }

    #[test]
    fn a_huge_map_is_drawn_from_farther_away_and_says_so() {
        let map = vec2(60_000.0, 40_000.0);
        let (measures, smaller) = whole(map, 1.0, ExportFormat::Png);
        let pixels = measures.size * measures.pixels_per_point;
        assert!(pixels.x * pixels.y <= MAX_PIXELS * 1.01, "{pixels}");
        assert!(pixels.x * pixels.y >= MAX_PIXELS * 0.9, "{pixels}");
        let words = smaller.expect("it is smaller").to_string();
        assert!(
            words.contains("60032 × 40032") && words.contains("zoom 0.13"),
            "{words}"
        );
        let (measures, smaller) = whole(map, 1.0, ExportFormat::Svg);
        assert!(
            measures.size.x <= MAX_SIDE && measures.zoom > 0.5,
            "{measures:?}"
        );
        assert!(smaller.is_some());
    }

    #[test]
    fn an_empty_map_is_a_small_picture() {
        let (measures, smaller) = whole(Vec2::ZERO, 1.0, ExportFormat::Png);
        assert_eq!(measures.size, Vec2::splat(32.0));
        assert_eq!(smaller, None);
    }
}
