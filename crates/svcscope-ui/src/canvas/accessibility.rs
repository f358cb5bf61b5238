//! Makes what is painted reachable: a widget without looks over each visible node, for the
//! keyboard, for screen readers and for tests.

use egui::{Id, Rect, Response, Sense, StrokeKind, Ui, WidgetInfo, WidgetType};

use super::{
    CanvasEvent, DetailLevel, frame_context::FrameContext, node_labels, paint::row_area,
    render_model::rect_of,
};
use svcscope_model::{
    layout::{LayoutNodeRef, PlacedNodeKind},
    topology::NodeId,
};

/// What the user did with the overlay.
#[derive(Default)]
pub(super) struct AccessibilityResponse {
    /// For the owner of the canvas.
    pub events: Vec<CanvasEvent>,
    /// A row was entered: it is to be seen near.
    pub zoom_to: Option<NodeId>,
    /// A chip was opened.
    pub opened_group: Option<usize>,
    /// The node that has the keyboard.
    pub focused_node: Option<NodeId>,
}

/// The widget of a node.
pub(super) fn node_widget_id(node: &NodeId) -> Id {
    Id::new(("canvas node", node))
}

/// Lays the widgets over what the last picture drew.
pub(super) fn overlay_ui(ui: &Ui, frame: &FrameContext) -> AccessibilityResponse {
    let mut touched = AccessibilityResponse::default();
    if frame.detail_level() == DetailLevel::Overview {
        for (at, district) in frame.scene.layout.groups.iter().enumerate() {
            let rect = frame.rect_to_screen(rect_of(&district.area));
            if frame.is_visible(rect) {
                group_ui(ui, frame, at, rect, &mut touched);
            }
        }
        return touched;
    }
    for &at in frame.drawn_nodes.borrow().iter() {
        let (Some(node), Some(area)) = (frame.node(at), frame.node_area(at)) else {
            continue;
        };
        if frame.detail_level() == DetailLevel::Compact {
            let rect = frame.rect_to_screen(row_area(frame, at).unwrap_or(area));
            node_ui(ui, frame, &node.id, at, rect, &mut touched);
            continue;
        }
        // A card's rows are nodes of their own, so its own widget is what stands above them.
        let own = match &node.kind {
            PlacedNodeKind::Service { rows } => match rows.first() {
                Some(row) => area.with_max_y(area.top() + row.area.y - node.area.y),
                None => area,
            },
            _ => area,
        };
        let rect = frame.rect_to_screen(own);
        if frame.is_visible(rect) {
            node_ui(ui, frame, &node.id, at, rect, &mut touched);
        }
        if let PlacedNodeKind::Service { rows } = &node.kind {
            for row in rows {
                let rect = frame.rect_to_screen(frame.on_map(at.component, &row.area));
                if frame.is_visible(rect) {
                    let id = NodeId::Port(row.port.clone());
                    node_ui(ui, frame, &id, at, rect, &mut touched);
                }
            }
        }
    }
    touched
}

fn node_ui(
    ui: &Ui,
    frame: &FrameContext,
    id: &NodeId,
    at: LayoutNodeRef,
    rect: Rect,
    touched: &mut AccessibilityResponse,
) {
    let rect = rect.intersect(frame.canvas_rect);
    let mut response = ui.interact(rect, node_widget_id(id), Sense::click());
    let selected = frame.selection.as_ref() == Some(id);
    response.widget_info(|| {
        WidgetInfo::selected(
            WidgetType::SelectableLabel,
            true,
            selected,
            node_labels::label(frame, id, at),
        )
    });
    if response.hovered()
        && let Some(text) = node_labels::tooltip(frame, id, at)
    {
        response = response.on_hover_text_at_pointer(text);
    }
    if response.has_focus() {
        touched.focused_node = Some(id.clone());
        // What is selected is framed already.
        if !selected {
            focus_ring(ui, rect, frame);
        }
    }
    let twice = response.double_clicked() && !frame.ignore_double_click;
    if twice && frame.detail_level() == DetailLevel::Compact {
        touched.zoom_to = Some(id.clone());
    } else if twice {
        touched.events.push(CanvasEvent::Open(id.clone()));
    } else if response.clicked() {
        response.request_focus();
        touched.events.push(if activated_by_key(ui, &response) {
            CanvasEvent::Open(id.clone())
        } else {
            CanvasEvent::Select(Some(id.clone()))
        });
    } else if response.secondary_clicked() {
        let at = response
            .interact_pointer_pos()
            .unwrap_or_else(|| rect.center());
        touched.events.push(CanvasEvent::Menu(id.clone(), at));
    }
}

fn group_ui(
    ui: &Ui,
    frame: &FrameContext,
    at: usize,
    rect: Rect,
    touched: &mut AccessibilityResponse,
) {
    let Some(district) = frame.scene.layout.groups.get(at) else {
        return;
    };
    let id = Id::new(("canvas district", &district.name));
    let rect = rect.intersect(frame.canvas_rect);
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(
            WidgetType::Button,
            true,
            node_labels::group_label(frame, at),
        )
    });
    if response.has_focus() {
        focus_ring(ui, rect, frame);
    }
    if response.clicked() {
        touched.opened_group = Some(at);
    }
}

/// egui calls the press of Enter or Space on a widget a click.
fn activated_by_key(ui: &Ui, response: &Response) -> bool {
    response.has_focus()
        && ui.input(|input| input.key_pressed(egui::Key::Enter) && !input.pointer.any_released())
}

fn focus_ring(ui: &Ui, rect: Rect, frame: &FrameContext) {
    ui.painter().rect_stroke(
        rect.expand(2.0),
        6.0,
        egui::Stroke::new(1.5, frame.tokens(true).accent),
        StrokeKind::Outside,
    );
}
