//! Where something still fits between what stands.

use super::{MapPoint, MapRect, size};

/// Whether two areas are closer to each other than things on the map stand.
pub(super) fn is_too_close(a: &MapRect, b: &MapRect, gap: f32) -> bool {
    a.x < b.right() + gap
        && b.x < a.right() + gap
        && a.y < b.bottom() + gap
        && b.y < a.bottom() + gap
}

/// An upright strip of the map.
#[derive(Clone, Copy)]
pub(super) struct VerticalStrip {
    /// Its upper left corner.
    pub corner: MapPoint,
    /// Its width.
    pub width: f32,
    /// What must stay free around what stands.
    pub gap: f32,
}

impl VerticalStrip {
    /// The gaps between obstacles in it, from the top: where each begins and how tall it is; the
    /// last one is endless.
    pub(super) fn gaps(&self, obstacles: impl Iterator<Item = MapRect>) -> Vec<(f32, f32)> {
        let (left, right) = (
            self.corner.x - self.gap,
            self.corner.x + self.width + self.gap,
        );
        let mut taken: Vec<(f32, f32)> = obstacles
            .filter(|area| area.x < right && left < area.right())
            .map(|area| (area.y - self.gap, area.bottom() + self.gap))
            .collect();
        taken.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut gaps = Vec::new();
        let mut y = self.corner.y;
        for (top, bottom) in taken {
            if top > y {
                gaps.push((y, top - y));
            }
            y = y.max(bottom);
        }
        gaps.push((y, f32::INFINITY));
        gaps
    }

    /// The first place from the top for something so tall.
    pub(super) fn first<'a>(
        &self,
        obstacles: impl Iterator<Item = &'a MapRect>,
        height: f32,
    ) -> f32 {
        self.gaps(obstacles.copied())
            .into_iter()
            .find(|(_, room)| *room >= height)
            .map_or(self.corner.y, |(y, _)| y)
    }
}

/// A free place on the map for a district: where the map comes out smallest in a window of this
/// shape, the highest of those.
pub(super) fn on_map(districts: &[MapRect], units: usize, height: f32, aspect: f32) -> MapPoint {
    let width = size::width_of(units);
    let far = |edge: fn(&MapRect) -> f32| districts.iter().map(edge).fold(0.0, f32::max);
    let (right, bottom) = (far(MapRect::right), far(MapRect::bottom));
    let need = |at: &MapPoint| {
        let (right, bottom) = (right.max(at.x + width), bottom.max(at.y + height));
        (right / aspect).max(bottom)
    };
    let last = if districts.is_empty() {
        0
    } else {
        size::units(right)
    };
    (0..=last)
        .map(|unit| {
            let corner = MapPoint {
                x: unit as f32 * size::PITCH,
                y: 0.0,
            };
            let strip = VerticalStrip {
                corner,
                width,
                gap: size::SERVICE_GROUP_GAP,
            };
            MapPoint {
                y: strip.first(districts.iter(), height),
                ..corner
            }
        })
        .min_by(|a, b| {
            let by_need = need(a).total_cmp(&need(b));
            by_need.then(a.y.total_cmp(&b.y)).then(a.x.total_cmp(&b.x))
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(x: f32, y: f32, width: f32, height: f32) -> MapRect {
        MapRect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn gaps_lie_between_what_stands_in_the_way() {
        let strip = VerticalStrip {
            corner: MapPoint { x: 100.0, y: 10.0 },
            width: 50.0,
            gap: 5.0,
        };
        let standing = [
            area(120.0, 100.0, 10.0, 20.0),
            area(0.0, 40.0, 98.0, 10.0),
            area(0.0, 60.0, 90.0, 10.0),
        ];
        assert_eq!(
            strip.gaps(standing.iter().copied()),
            [(10.0, 25.0), (55.0, 40.0), (125.0, f32::INFINITY)]
        );
        assert_eq!(strip.first(standing.iter(), 25.0), 10.0);
        assert_eq!(strip.first(standing.iter(), 26.0), 55.0);
        assert_eq!(strip.first(standing.iter(), 41.0), 125.0);
    }

    #[test]
    fn a_district_goes_where_the_map_grows_least() {
        let tall = [area(0.0, 0.0, size::SERVICE_GROUP_WIDTH, 3_000.0)];
        assert_eq!(on_map(&tall, 1, 100.0, 1.6).x, size::PITCH);
        let flat = [area(0.0, 0.0, size::width_of(3), 100.0)];
        assert_eq!(on_map(&flat, 1, 100.0, 1.6), MapPoint { x: 0.0, y: 116.0 });
    }
}
