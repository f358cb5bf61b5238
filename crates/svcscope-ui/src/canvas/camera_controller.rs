//! The camera in the user's hands: what was asked of it, and when it follows the map by itself.

use egui::{Pos2, Rect, Ui, Vec2};

use super::{
    camera::{Camera, CameraTransition},
    input::PanZoomGesture,
    render_model::rect_of,
};
use svcscope_model::{layout::MapLayout, topology::NodeId};

/// The camera and what it is about to do.
pub(super) struct CameraController {
    camera: Camera,
    transition: Option<CameraTransition>,
    request: Option<CameraRequest>,
    /// The whole map is shown, also when it grows, until the user moves the view.
    fits_whole_map: bool,
    shown_before: bool,
    size: Vec2,
}

/// From where a canvas looks at the map. Unlike a canvas it may go to another thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapViewport {
    camera: Camera,
    size: Vec2,
}

impl MapViewport {
    /// Points on screen for each map unit.
    pub fn zoom(&self) -> f32 {
        self.camera.zoom
    }

    /// The canvas on screen, in points.
    pub fn size(&self) -> Vec2 {
        self.size
    }
}

/// What was asked from outside of a frame.
enum CameraRequest {
    WholeMap,
    Node(NodeId),
    Component(NodeId),
    Area(Rect),
    Point(Pos2),
    OneLevelOut,
    ZoomBy(f32),
}

impl Default for CameraController {
    fn default() -> Self {
        Self {
            camera: Camera::default(),
            transition: None,
            request: None,
            fits_whole_map: true,
            shown_before: false,
            size: Vec2::ZERO,
        }
    }
}

impl CameraController {
    /// A small map is not blown up beyond this.
    const CLOSEST_FIT: f32 = 1.0;
    /// A node that is brought into view is shown at least this near.
    const FOCUS_ZOOM: f32 = 0.8;

    /// From where it is looked now.
    pub fn viewport(&self) -> MapViewport {
        MapViewport {
            camera: self.camera,
            size: self.size,
        }
    }

    /// A view that stays there.
    pub fn fixed_at(viewport: &MapViewport) -> Self {
        Self {
            camera: viewport.camera,
            size: viewport.size,
            fits_whole_map: false,
            shown_before: true,
            ..Self::default()
        }
    }

    pub fn camera(&self) -> Camera {
        self.camera
    }

    pub fn fit_all(&mut self) {
        self.request = Some(CameraRequest::WholeMap);
    }

    pub fn focus_on(&mut self, id: &NodeId) {
        self.request = Some(CameraRequest::Node(id.clone()));
    }

    /// Shows all that belongs to a node: its family.
    pub fn fit_component(&mut self, id: &NodeId) {
        self.request = Some(CameraRequest::Component(id.clone()));
    }

    pub fn fly_to(&mut self, area: Rect) {
        self.request = Some(CameraRequest::Area(area));
    }

    /// Brings a map point to the middle, at once.
    pub fn look_at(&mut self, point: Pos2) {
        self.request = Some(CameraRequest::Point(point));
    }

    /// Goes in one level at a map point: to its district, or nearer.
    pub fn zoom_in_one_level(&mut self, layout: &MapLayout, point: Pos2) {
        let district = layout
            .groups
            .iter()
            .map(|district| rect_of(&district.area))
            .find(|district| district.contains(point))
            .filter(|district| {
                let whole = Camera::fit(*district, self.size, Self::CLOSEST_FIT);
                whole.zoom > self.camera.zoom * 1.1
            });
        match district {
            Some(district) => self.fly_to(district),
            None => self.zoom_by(2.0),
        }
    }

    /// Goes out one level: to the district in the middle, or to the whole map.
    pub fn zoom_out_one_level(&mut self) {
        self.request = Some(CameraRequest::OneLevelOut);
    }

    pub fn zoom_by(&mut self, factor: f32) {
        self.request = Some(CameraRequest::ZoomBy(factor));
    }

    /// Whether the next frame has something to do.
    pub fn has_request(&self) -> bool {
        self.request.is_some()
    }

    /// Starts a frame: sees to what was asked, flies on, or follows the map.
    pub fn begin(&mut self, ui: &Ui, size: Vec2, layout: &MapLayout) {
        self.size = size;
        let now = ui.input(|input| input.time);
        let all = rect_of(&layout.bounds);
        match self.request.take() {
            Some(CameraRequest::WholeMap) => self.start_whole(all, size, now),
            Some(CameraRequest::Area(area)) => {
                self.start(Camera::fit(area, size, Self::CLOSEST_FIT), now)
            }
            Some(CameraRequest::Node(id)) => {
                let found = layout.find(&id);
                if let Some((at, area)) = found.and_then(|at| Some((at, layout.area(at)?))) {
                    let area = rect_of(&area);
                    let near = self.camera.zoom.max(Self::FOCUS_ZOOM);
                    let to = if near > self.camera.zoom {
                        let centred = Camera {
                            zoom: near,
                            pan: size / 2.0 - area.center().to_vec2() * near,
                        };
                        // Entry points and pods of the row are seen with it, where there is room.
                        let row = layout.component(at).map_or(area, |family| {
                            let family = rect_of(&family.area());
                            Rect::from_x_y_ranges(family.x_range(), area.y_range())
                        });
                        centred
                            .reveal(row, size)
                            .within(all, size)
                            .reveal(area, size)
                    } else {
                        self.camera.reveal(area, size)
                    };
                    self.start(to, now);
                }
            }
            Some(CameraRequest::Component(id)) => {
                if let Some(family) = layout.find(&id).and_then(|at| layout.component(at)) {
                    let to = Camera::fit(rect_of(&family.area()), size, Self::CLOSEST_FIT);
                    self.start(to, now);
                }
            }
            Some(CameraRequest::Point(point)) => {
                self.stop_automatic_movement();
                self.camera.pan = size / 2.0 - point.to_vec2() * self.camera.zoom;
            }
            Some(CameraRequest::OneLevelOut) => match self.central_group_camera(layout, size) {
                Some(to) => self.start(to, now),
                None => self.start_whole(all, size, now),
            },
            Some(CameraRequest::ZoomBy(factor)) => {
                let mut to = self.camera;
                to.zoom_at((size / 2.0).to_pos2(), factor);
                self.start(to, now);
            }
            None => {}
        }
        if let Some(flight) = self.transition {
            let (camera, arrived) = flight.at(now, size);
            self.camera = camera;
            if arrived {
                self.transition = None;
            } else {
                ui.ctx().request_repaint();
            }
        } else if self.fits_whole_map && !layout.is_empty() {
            self.camera = Camera::fit(all, size, Self::CLOSEST_FIT);
            self.shown_before = true;
        }
    }

    /// The view of the whole district in the middle, if it shows clearly more than this one.
    fn central_group_camera(&self, layout: &MapLayout, size: Vec2) -> Option<Camera> {
        let middle = self.camera.to_map((size / 2.0).to_pos2());
        let district = layout
            .groups
            .iter()
            .map(|district| rect_of(&district.area))
            .find(|district| district.contains(middle))?;
        let to = Camera::fit(district, size, Self::CLOSEST_FIT);
        let whole = Camera::fit(rect_of(&layout.bounds), size, Self::CLOSEST_FIT);
        let clearly = |nearer: Camera, further: Camera| nearer.zoom > further.zoom * 1.1;
        (clearly(self.camera, to) && clearly(to, whole)).then_some(to)
    }

    fn start_whole(&mut self, all: Rect, size: Vec2, now: f64) {
        self.start(Camera::fit(all, size, Self::CLOSEST_FIT), now);
        self.fits_whole_map = true;
    }

    fn start(&mut self, to: Camera, now: f64) {
        self.fits_whole_map = false;
        // Before the first picture there is nothing to fly from.
        if self.shown_before {
            self.transition = Some(CameraTransition::new(self.camera, to, now));
        } else {
            self.camera = to;
            self.shown_before = true;
        }
    }

    fn stop_automatic_movement(&mut self) {
        self.fits_whole_map = false;
        self.transition = None;
    }

    /// Wheel and pinch, with the pointer seen from the view's corner.
    pub fn apply_gesture(&mut self, gesture: PanZoomGesture, pointer: Pos2) {
        if gesture.zoom != 1.0 {
            self.stop_automatic_movement();
            self.camera.zoom_at(pointer, gesture.zoom);
        }
        self.pan(gesture.pan);
    }

    /// Shifts the view by points.
    pub fn pan(&mut self, delta: Vec2) {
        if delta != Vec2::ZERO {
            self.stop_automatic_movement();
            self.camera.pan += delta;
        }
    }

    /// Zooms around the middle at once.
    pub fn zoom_now(&mut self, factor: f32) {
        self.stop_automatic_movement();
        self.camera.zoom_at((self.size / 2.0).to_pos2(), factor);
    }

    /// Shifts the view at once so that all of `area` is in it.
    pub fn reveal(&mut self, area: Rect) {
        let to = self.camera.reveal(area, self.size);
        if to != self.camera {
            self.stop_automatic_movement();
            self.camera = to;
        }
    }
}
