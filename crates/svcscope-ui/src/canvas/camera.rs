//! Where the user looks: zoom and pan, their limits, and flights from one view to another.

use egui::{Pos2, Rect, Vec2, vec2};

/// A map point `p` stands at `p * zoom + pan` from the upper left corner of the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Camera {
    /// Points on screen for each map unit.
    pub zoom: f32,
    /// In points.
    pub pan: Vec2,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            zoom: 1.0,
            pan: Vec2::ZERO,
        }
    }
}

impl Camera {
    /// Further out a map of 35,000 nodes is a few points wide.
    pub const MIN_ZOOM: f32 = 0.02;
    /// Further in one card fills the window.
    pub const MAX_ZOOM: f32 = 4.0;
    /// Free space around what was fitted, in points.
    const MARGIN: f32 = 16.0;

    /// Where a map point stands, seen from the upper left corner of the view.
    pub fn to_view(self, at: Pos2) -> Pos2 {
        (at.to_vec2() * self.zoom + self.pan).to_pos2()
    }

    /// The map point at a point of the view.
    pub fn to_map(self, at: Pos2) -> Pos2 {
        ((at.to_vec2() - self.pan) / self.zoom).to_pos2()
    }

    /// Zooms by a factor; the map point at `at` (seen from the view's corner) stays where it is.
    pub fn zoom_at(&mut self, at: Pos2, factor: f32) {
        if factor.is_nan() || factor < 0.0 {
            return;
        }
        let held = self.to_map(at);
        self.zoom = (self.zoom * factor).clamp(Self::MIN_ZOOM, Self::MAX_ZOOM);
        self.pan = at.to_vec2() - held.to_vec2() * self.zoom;
    }

    /// The view that shows all of `area`, centred, but never closer than `closest`.
    pub fn fit(area: Rect, size: Vec2, closest: f32) -> Self {
        let room = (size - Vec2::splat(2.0 * Self::MARGIN)).max(Vec2::splat(1.0));
        let wanted = area.size().max(Vec2::splat(1.0));
        let zoom = (room.x / wanted.x)
            .min(room.y / wanted.y)
            .min(closest)
            .clamp(Self::MIN_ZOOM, Self::MAX_ZOOM);
        Self {
            zoom,
            pan: size / 2.0 - area.center().to_vec2() * zoom,
        }
    }

    /// The smallest shift of this view that brings all of `area` into it.
    pub fn reveal(self, area: Rect, size: Vec2) -> Self {
        let shown = Rect::from_min_max(self.to_view(area.min), self.to_view(area.max));
        let shift = |low: f32, high: f32, room: f32| {
            if low < Self::MARGIN {
                Self::MARGIN - low
            } else if high > room - Self::MARGIN {
                (room - Self::MARGIN - high).max(Self::MARGIN - low)
            } else {
                0.0
            }
        };
        Self {
            pan: self.pan
                + vec2(
                    shift(shown.left(), shown.right(), size.x),
                    shift(shown.top(), shown.bottom(), size.y),
                ),
            ..self
        }
    }

    /// The nearest view that shows no emptiness beside `all` on one side while `all` goes on at
    /// the other.
    pub fn within(self, all: Rect, size: Vec2) -> Self {
        let shift = |low: f32, high: f32, room: f32| {
            if high - low <= room - 2.0 * Self::MARGIN {
                (room - low - high) / 2.0
            } else if low > Self::MARGIN {
                Self::MARGIN - low
            } else {
                (room - Self::MARGIN - high).max(0.0)
            }
        };
        let (low, high) = (self.to_view(all.min), self.to_view(all.max));
        Self {
            pan: self.pan + vec2(shift(low.x, high.x, size.x), shift(low.y, high.y, size.y)),
            ..self
        }
    }

    /// A view on the way from one to another; `share` of it is done. Zoom goes by ratio, so that
    /// the flight feels even, and the map point in the middle goes with it.
    fn between(from: Self, to: Self, share: f32, size: Vec2) -> Self {
        let zoom = from.zoom * (to.zoom / from.zoom).powf(share);
        let middle = (size / 2.0).to_pos2();
        let center = from.to_map(middle).lerp(to.to_map(middle), share);
        Self {
            zoom,
            pan: size / 2.0 - center.to_vec2() * zoom,
        }
    }
}

/// A short animated change of view, told by the clock and not by frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct CameraTransition {
    from: Camera,
    to: Camera,
    start: f64,
}

impl CameraTransition {
    const SECONDS: f64 = 0.2;

    /// Starts at `now` (seconds of egui's clock).
    pub fn new(from: Camera, to: Camera, now: f64) -> Self {
        Self {
            from,
            to,
            start: now,
        }
    }

    /// The view at `now`, and whether it has arrived.
    pub fn at(&self, now: f64, size: Vec2) -> (Camera, bool) {
        let share = ((now - self.start) / Self::SECONDS).clamp(0.0, 1.0);
        if share >= 1.0 {
            return (self.to, true);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a share of one")]
        let eased = (1.0 - (1.0 - share).powi(3)) as f32;
        (Camera::between(self.from, self.to, eased, size), false)
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn no_emptiness_is_shown_while_the_map_goes_on() {
        let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1000.0, 200.0));
        let size = vec2(400.0, 300.0);
        let left = Camera {
            zoom: 1.0,
            pan: vec2(150.0, 90.0),
        };
        let shown = left.within(all, size);
        assert_eq!(shown.to_view(all.min).x, Camera::MARGIN);
        assert_eq!(
            shown.to_view(all.center()).y,
            150.0,
            "smaller: in the middle"
        );
        assert_eq!(shown.within(all, size), shown);
        let right = Camera {
            zoom: 1.0,
            pan: vec2(-900.0, 0.0),
        };
        assert_eq!(
            right.within(all, size).to_view(all.max).x,
            400.0 - Camera::MARGIN
        );
    }

    #[test]
    fn zooming_holds_the_point_under_the_pointer() {
        let mut camera = Camera {
            zoom: 0.7,
            pan: vec2(40.0, -12.0),
        };
        let pointer = pos2(300.0, 200.0);
        let held = camera.to_map(pointer);
        camera.zoom_at(pointer, 1.3);
        assert!((camera.to_view(held) - pointer).length() < 0.01);
    }

    #[test]
    fn zoom_has_limits_and_ignores_nonsense() {
        let mut camera = Camera::default();
        camera.zoom_at(Pos2::ZERO, 1e9);
        assert_eq!(camera.zoom, Camera::MAX_ZOOM);
        camera.zoom_at(Pos2::ZERO, 1e-9);
        assert_eq!(camera.zoom, Camera::MIN_ZOOM);
        let before = camera;
        camera.zoom_at(Pos2::ZERO, f32::NAN);
        camera.zoom_at(Pos2::ZERO, -1.0);
        assert_eq!(camera, before);
        camera.zoom_at(Pos2::ZERO, f32::INFINITY);
        assert_eq!(camera.zoom, Camera::MAX_ZOOM);
    }

    #[test]
    fn a_fit_shows_all_of_the_area() {
        let area = Rect::from_min_size(pos2(100.0, 50.0), vec2(3000.0, 900.0));
        let size = vec2(800.0, 600.0);
        let camera = Camera::fit(area, size, 1.0);
        let shown = Rect::from_min_max(camera.to_view(area.min), camera.to_view(area.max));
        assert!(Rect::from_min_size(Pos2::ZERO, size).contains_rect(shown));
    }

    #[test]
    fn revealing_moves_only_what_is_needed() {
        let camera = Camera::default();
        let size = vec2(400.0, 300.0);
        let inside = Rect::from_min_size(pos2(50.0, 50.0), vec2(20.0, 20.0));
        assert_eq!(camera.reveal(inside, size), camera);
        let right = Rect::from_min_size(pos2(500.0, 50.0), vec2(20.0, 20.0));
        let moved = camera.reveal(right, size);
        assert_eq!(moved.pan.y, 0.0);
        assert!(moved.to_view(right.max).x <= size.x);
    }

    #[test]
    fn a_flight_ends_where_it_should() {
        let to = Camera {
            zoom: 2.0,
            pan: vec2(-10.0, 5.0),
        };
        let flight = CameraTransition::new(Camera::default(), to, 10.0);
        let size = vec2(100.0, 100.0);
        assert!(!flight.at(10.1, size).1);
        assert_eq!(flight.at(10.3, size), (to, true));
    }
}
