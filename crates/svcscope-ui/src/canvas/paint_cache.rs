//! Keeps what was painted while nothing changed.
//!
//! `egui_graphs` asks for another frame in each frame that shows it, so a window with it would
//! never come to rest. A frame that would look like the last one paints the kept shapes instead,
//! and the graph is not shown at all.

use std::sync::Arc;

use egui::{LayerId, Rect, Shape, Ui};

use super::camera::Camera;
use svcscope_engine::PathTestStatus;
use svcscope_model::{layout::MapLayout, topology::NodeId};

/// All that the picture depends on.
#[derive(Clone, Debug)]
pub(super) struct PaintCacheKey {
    pub map_revision: u64,
    pub layout: Arc<MapLayout>,
    pub canvas_rect: Rect,
    pub camera: Camera,
    pub stale: bool,
    pub selection: Option<NodeId>,
    pub hovered: Option<NodeId>,
    pub hovered_group: Option<usize>,
    /// What a test of paths says.
    pub path_tests: Option<Arc<PathTestStatus>>,
    /// How old the test of what is selected is.
    pub path_test_age: Option<String>,
    /// Counts up when a search leaves out other nodes, a node is moved, colours or fonts are new.
    pub repaint_count: u64,
}

impl PartialEq for PaintCacheKey {
    fn eq(&self, other: &Self) -> bool {
        self.map_revision == other.map_revision
            && Arc::ptr_eq(&self.layout, &other.layout)
            && self.canvas_rect == other.canvas_rect
            && self.camera == other.camera
            && self.stale == other.stale
            && self.selection == other.selection
            && self.hovered == other.hovered
            && self.hovered_group == other.hovered_group
            && self.path_tests.as_ref().map(Arc::as_ptr)
                == other.path_tests.as_ref().map(Arc::as_ptr)
            && self.path_test_age == other.path_test_age
            && self.repaint_count == other.repaint_count
    }
}

/// The last picture and what it depended on.
#[derive(Default)]
pub(super) struct PaintCache {
    key: Option<PaintCacheKey>,
    shapes: Option<Vec<Shape>>,
}

impl PaintCache {
    /// Paints the kept picture if `look` is still the same; says whether it did.
    pub fn paint(&self, ui: &Ui, look: &PaintCacheKey) -> bool {
        match (&self.shapes, &self.key) {
            (Some(kept), Some(last)) if last == look => {
                ui.painter().extend(kept.iter().cloned());
                true
            }
            _ => false,
        }
    }

    /// Where the layer's shapes end now: what comes after belongs to the picture.
    pub fn layer_shape_count(ui: &Ui) -> usize {
        let layer = ui.layer_id();
        ui.ctx().graphics(|graphics| count(graphics.get(layer)))
    }

    /// Takes note of a painted picture. While the user moves the view each picture is another one,
    /// and copies of them would be for nothing: it is kept when the view has come to rest.
    pub fn store(&mut self, ui: &Ui, look: PaintCacheKey, mark: usize) {
        let layer: LayerId = ui.layer_id();
        let rests = self
            .key
            .as_ref()
            .is_some_and(|last| last.camera == look.camera && last.canvas_rect == look.canvas_rect);
        self.shapes = rests.then(|| {
            ui.ctx().graphics(|graphics| {
                graphics
                    .get(layer)
                    .map(|list| {
                        list.all_entries()
                            .skip(mark)
                            .map(|entry| entry.shape.clone())
                            .collect()
                    })
                    .unwrap_or_default()
            })
        });
        self.key = Some(look);
    }
}

fn count(list: Option<&egui::layers::PaintList>) -> usize {
    list.map_or(0, |list| list.all_entries().len())
}
