//! One frame's picture: what is in view, what the pointer is over, and the painting of it.

use egui::{CursorIcon, Rect, Response, Sense, Ui};

use super::{
    DetailLevel, MapCanvas, graph_view,
    highlight::{HighlightReason, HighlightSet},
    hit_test::{self, HitTarget},
    paint,
    paint_cache::{PaintCache, PaintCacheKey},
    search_filter,
};
use svcscope_model::inventory::ObjectKey;

impl MapCanvas {
    /// Finds out what is in view, and what of it a search leaves out.
    pub(super) fn update_visible(&mut self, matches_search: &dyn Fn(&ObjectKey) -> bool) {
        let mut guard = self.frame.borrow_mut();
        let frame = &mut *guard;
        frame.camera = self.camera_controller.camera();
        frame.update_visible_components();
        let left_out = frame
            .visible_components
            .iter()
            .filter_map(|&at| {
                let family = &frame.scene.layout.components.get(at)?.component;
                Some((at, search_filter::search_misses(family, matches_search)?))
            })
            .collect();
        if left_out != frame.search_misses {
            frame.search_misses = left_out;
            self.repaint_count += 1;
        }
    }

    /// Finds what the pointer is over, and lights its path or the selected one.
    pub(super) fn update_hover(&mut self, ui: &Ui, response: Option<&Response>) {
        let mut frame = self.frame.borrow_mut();
        let dragging = response.is_some_and(Response::dragged);
        if !dragging {
            let pointer = self.pointer_over(ui, frame.canvas_rect);
            let on_bar =
                pointer.and_then(|at| self.action_bars.iter().find(|bar| bar.rect.contains(at)));
            let hit = match on_bar {
                Some(bar) => frame
                    .node_ref(&bar.node)
                    .map(|at| HitTarget::Node(bar.node.clone(), at)),
                None => pointer.and_then(|at| hit_test::at(&frame, at)),
            };
            (frame.hovered, frame.hovered_ref, frame.hovered_group) = match hit {
                Some(HitTarget::Node(id, at)) => (Some(id), Some(at), None),
                Some(HitTarget::Group(at)) => (None, None, Some(at)),
                None => (None, None, None),
            };
        }
        if frame.hovered.is_some() || frame.hovered_group.is_some() {
            ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
        } else if dragging {
            ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        }
        let through = match &self.highlighted_pods {
            Some(_) => Some(HighlightReason::RequestedPods),
            None => {
                let node = frame.hovered.as_ref().or(frame.selection.as_ref());
                node.cloned().map(HighlightReason::PathOfNode)
            }
        };
        if through != self.highlight_reason {
            let layout = &frame.scene.layout;
            frame.highlight = match &through {
                Some(HighlightReason::PathOfNode(id)) => HighlightSet::path(layout, id),
                Some(HighlightReason::RequestedPods) => {
                    let pods = self.highlighted_pods.iter().flat_map(|pods| pods.iter());
                    Some(HighlightSet::pods(layout, pods))
                }
                None => None,
            };
            self.highlight_reason = through;
        }
    }

    /// Paints the picture, or the kept one if it would be the same.
    pub(super) fn paint(&mut self, ui: &mut Ui, rect: Rect) -> Response {
        let look = self.paint_cache_key();
        if self.paint_cache.paint(ui, &look) {
            return ui.allocate_painter(rect.size(), Sense::click_and_drag()).0;
        }
        let mark = PaintCache::layer_shape_count(ui);
        {
            let frame = self.frame.borrow();
            frame.drawn_nodes.borrow_mut().clear();
            ui.painter()
                .rect_filled(rect, 0.0, frame.tokens(true).background);
            ui.painter().extend(paint::background_shapes(&frame));
        }
        let response = if DetailLevel::of(look.camera.zoom) == DetailLevel::Overview {
            // Chips are all there is: the graph would be asked node by node for nothing.
            ui.allocate_painter(rect.size(), Sense::click_and_drag()).0
        } else {
            let response = graph_view::graph_ui(ui, &self.frame, &self.name);
            ui.painter().extend(self.frame.borrow().edge_labels.take());
            response
        };
        self.paint_cache.store(ui, look, mark);
        self.frame.borrow_mut().text.get_mut().trim();
        response
    }

    fn paint_cache_key(&self) -> PaintCacheKey {
        let frame = self.frame.borrow();
        PaintCacheKey {
            map_revision: frame.scene.map_revision,
            layout: frame.scene.layout.clone(),
            canvas_rect: frame.canvas_rect,
            camera: frame.camera,
            stale: frame.stale,
            selection: frame.selection.clone(),
            hovered: frame.hovered.clone(),
            hovered_group: frame.hovered_group,
            path_tests: frame.scene.path_test.clone(),
            path_test_age: frame.path_test_age(),
            repaint_count: self.repaint_count,
        }
    }
}
