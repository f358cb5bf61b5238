//! One frame's picture: what is in view, what the pointer is over, and the painting of it.

use egui::{CursorIcon, Rect, Response, Sense, Ui};

use super::{
    Canvas, Distance,
    freeze::{Freeze, Look},
    graph,
    hit::{self, Hit},
    lit::{Lit, Through},
    paint, search,
};
use crate::inventory::ObjectKey;

impl Canvas {
    /// Finds out what is in view, and what of it a search leaves out.
    pub(super) fn look_around(&mut self, is_meant: &dyn Fn(&ObjectKey) -> bool) {
        let mut guard = self.stage.borrow_mut();
        let stage = &mut *guard;
        stage.camera = self.view.camera();
        stage.look_around();
        let left_out = stage
            .in_view
            .iter()
            .filter_map(|&at| {
                let family = &stage.scene.layout.families.get(at)?.family;
                Some((at, search::left_out(family, is_meant)?))
            })
            .collect();
        if left_out != stage.left_out {
            stage.left_out = left_out;
            self.epoch += 1;
        }
    }

    /// Finds what the pointer is over, and lights its path or the selected one.
    pub(super) fn point(&mut self, ui: &Ui, response: Option<&Response>) {
        let mut stage = self.stage.borrow_mut();
        let dragging = response.is_some_and(Response::dragged);
        if !dragging {
            let pointer = self.pointer_over(ui, stage.view);
            let on_bar = pointer.and_then(|at| self.bars.iter().find(|bar| bar.rect.contains(at)));
            let hit = match on_bar {
                Some(bar) => stage
                    .place_of(&bar.node)
                    .map(|at| Hit::Node(bar.node.clone(), at)),
                None => pointer.and_then(|at| hit::at(&stage, at)),
            };
            (stage.hovered, stage.hovered_at, stage.hovered_district) = match hit {
                Some(Hit::Node(id, at)) => (Some(id), Some(at), None),
                Some(Hit::District(at)) => (None, None, Some(at)),
                None => (None, None, None),
            };
        }
        if stage.hovered.is_some() || stage.hovered_district.is_some() {
            ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
        } else if dragging {
            ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        }
        let through = match &self.lit_pods {
            Some(_) => Some(Through::Pods),
            None => {
                let node = stage.hovered.as_ref().or(stage.selection.as_ref());
                node.cloned().map(Through::Path)
            }
        };
        if through != self.lit_through {
            let layout = &stage.scene.layout;
            stage.lit = match &through {
                Some(Through::Path(id)) => Lit::path(layout, id),
                Some(Through::Pods) => {
                    let pods = self.lit_pods.iter().flat_map(|pods| pods.iter());
                    Some(Lit::pods(layout, pods))
                }
                None => None,
            };
            self.lit_through = through;
        }
    }

    /// Paints the picture, or the kept one if it would be the same.
    pub(super) fn paint(&mut self, ui: &mut Ui, rect: Rect) -> Response {
        let look = self.look();
        if self.freeze.paint(ui, &look) {
            return ui.allocate_painter(rect.size(), Sense::click_and_drag()).0;
        }
        let mark = Freeze::mark(ui);
        {
            let stage = self.stage.borrow();
            stage.drawn.borrow_mut().clear();
            ui.painter()
                .rect_filled(rect, 0.0, stage.tokens(true).background);
            ui.painter().extend(paint::ground(&stage));
        }
        let response = if Distance::of(look.camera.zoom) == Distance::Far {
            // Chips are all there is: the graph would be asked node by node for nothing.
            ui.allocate_painter(rect.size(), Sense::click_and_drag()).0
        } else {
            let response = graph::graph_ui(ui, &self.stage, &self.name);
            ui.painter().extend(self.stage.borrow().labels.take());
            response
        };
        self.freeze.keep(ui, look, mark);
        self.stage.borrow_mut().text.get_mut().trim();
        response
    }

    fn look(&self) -> Look {
        let stage = self.stage.borrow();
        Look {
            map_revision: stage.scene.map_revision,
            layout: stage.scene.layout.clone(),
            view: stage.view,
            camera: stage.camera,
            stale: stage.stale,
            selection: stage.selection.clone(),
            hovered: stage.hovered.clone(),
            hovered_district: stage.hovered_district,
            reach: stage.scene.reach.clone(),
            age: stage.test_age(),
            epoch: self.epoch,
        }
    }
}
