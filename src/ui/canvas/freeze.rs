//! Keeps what was painted while nothing changed.
//!
//! `egui_graphs` asks for another frame in each frame that shows it, so a window with it would
//! never come to rest. A frame that would look like the last one paints the kept shapes instead,
//! and the graph is not shown at all.

use std::sync::Arc;

use egui::{LayerId, Rect, Shape, Ui};

use super::camera::Camera;
use crate::{engine::ReachStatus, layout::Layout, topology::NodeId};

/// All that the picture depends on.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub map_revision: u64,
    pub layout: Arc<Layout>,
    pub view: Rect,
    pub camera: Camera,
    pub stale: bool,
    pub selection: Option<NodeId>,
    pub hovered: Option<NodeId>,
    pub hovered_district: Option<usize>,
    /// What a test of paths says.
    pub reach: Option<Arc<ReachStatus>>,
    /// How old the test of what is selected is.
    pub age: Option<String>,
    /// Counts up when a search leaves out other nodes, a node is moved, colours or fonts are new.
    pub epoch: u64,
}

impl PartialEq for Look {
    fn eq(&self, other: &Self) -> bool {
        self.map_revision == other.map_revision
            && Arc::ptr_eq(&self.layout, &other.layout)
            && self.view == other.view
            && self.camera == other.camera
            && self.stale == other.stale
            && self.selection == other.selection
            && self.hovered == other.hovered
            && self.hovered_district == other.hovered_district
            && self.reach.as_ref().map(Arc::as_ptr) == other.reach.as_ref().map(Arc::as_ptr)
            && self.age == other.age
            && self.epoch == other.epoch
    }
}

/// The last picture and what it depended on.
#[derive(Default)]
pub(super) struct Freeze {
    look: Option<Look>,
    kept: Option<Vec<Shape>>,
}

impl Freeze {
    /// Paints the kept picture if `look` is still the same; says whether it did.
    pub fn paint(&self, ui: &Ui, look: &Look) -> bool {
        match (&self.kept, &self.look) {
            (Some(kept), Some(last)) if last == look => {
                ui.painter().extend(kept.iter().cloned());
                true
            }
            _ => false,
        }
    }

    /// Where the layer's shapes end now: what comes after belongs to the picture.
    pub fn mark(ui: &Ui) -> usize {
        let layer = ui.layer_id();
        ui.ctx().graphics(|graphics| count(graphics.get(layer)))
    }

    /// Takes note of a painted picture. While a person moves the view each picture is another one,
    /// and copies of them would be for nothing: it is kept when the view has come to rest.
    pub fn keep(&mut self, ui: &Ui, look: Look, mark: usize) {
        let layer: LayerId = ui.layer_id();
        let rests = self
            .look
            .as_ref()
            .is_some_and(|last| last.camera == look.camera && last.view == look.view);
        self.kept = rests.then(|| {
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
        self.look = Some(look);
    }
}

fn count(list: Option<&egui::layers::PaintList>) -> usize {
    list.map_or(0, |list| list.all_entries().len())
}
