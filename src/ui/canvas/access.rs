//! Makes what is painted reachable: a widget without looks over each visible node, for the
//! keyboard, for screen readers and for tests.

use egui::{Id, Rect, Response, Sense, StrokeKind, Ui, WidgetInfo, WidgetType};

use super::{CanvasEvent, Distance, facts::rect_of, paint::row_area, stage::Stage, words};
use crate::{
    layout::{NodeAt, PlacedWhat},
    topology::NodeId,
};

/// What a person did with the overlay.
#[derive(Default)]
pub(super) struct Touched {
    /// For the owner of the canvas.
    pub events: Vec<CanvasEvent>,
    /// A row was entered: it is to be seen near.
    pub entered: Option<NodeId>,
    /// A chip was opened.
    pub district: Option<usize>,
    /// The node that has the keyboard.
    pub focused: Option<NodeId>,
}

/// The widget of a node.
pub(super) fn id_of(node: &NodeId) -> Id {
    Id::new(("canvas node", node))
}

/// Lays the widgets over what the last picture drew.
pub(super) fn overlay_ui(ui: &Ui, stage: &Stage) -> Touched {
    let mut touched = Touched::default();
    if stage.distance() == Distance::Far {
        for (at, district) in stage.scene.layout.districts.iter().enumerate() {
            let rect = stage.rect_to_screen(rect_of(&district.area));
            if stage.sees(rect) {
                district_ui(ui, stage, at, rect, &mut touched);
            }
        }
        return touched;
    }
    for &at in stage.drawn.borrow().iter() {
        let (Some(node), Some(area)) = (stage.node(at), stage.area(at)) else {
            continue;
        };
        if stage.distance() == Distance::Middle {
            let rect = stage.rect_to_screen(row_area(stage, at).unwrap_or(area));
            node_ui(ui, stage, &node.id, at, rect, &mut touched);
            continue;
        }
        // A card's rows are nodes of their own, so its own widget is what stands above them.
        let own = match &node.what {
            PlacedWhat::Service { rows } => match rows.first() {
                Some(row) => area.with_max_y(area.top() + row.area.y - node.area.y),
                None => area,
            },
            _ => area,
        };
        let rect = stage.rect_to_screen(own);
        if stage.sees(rect) {
            node_ui(ui, stage, &node.id, at, rect, &mut touched);
        }
        if let PlacedWhat::Service { rows } = &node.what {
            for row in rows {
                let rect = stage.rect_to_screen(stage.on_map(at.family, &row.area));
                if stage.sees(rect) {
                    let id = NodeId::Port(row.port.clone());
                    node_ui(ui, stage, &id, at, rect, &mut touched);
                }
            }
        }
    }
    touched
}

fn node_ui(ui: &Ui, stage: &Stage, id: &NodeId, at: NodeAt, rect: Rect, touched: &mut Touched) {
    let rect = rect.intersect(stage.view);
    let mut response = ui.interact(rect, id_of(id), Sense::click());
    let selected = stage.selection.as_ref() == Some(id);
    response.widget_info(|| {
        WidgetInfo::selected(
            WidgetType::SelectableLabel,
            true,
            selected,
            words::label(stage, id, at),
        )
    });
    if response.hovered()
        && let Some(text) = words::tooltip(stage, id, at)
    {
        response = response.on_hover_text_at_pointer(text);
    }
    if response.has_focus() {
        touched.focused = Some(id.clone());
        // What is selected is framed already.
        if !selected {
            focus_ring(ui, rect, stage);
        }
    }
    let twice = response.double_clicked() && !stage.deaf;
    if twice && stage.distance() == Distance::Middle {
        touched.entered = Some(id.clone());
    } else if twice {
        touched.events.push(CanvasEvent::Open(id.clone()));
    } else if response.clicked() {
        response.request_focus();
        touched.events.push(if entered(ui, &response) {
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

fn district_ui(ui: &Ui, stage: &Stage, at: usize, rect: Rect, touched: &mut Touched) {
    let Some(district) = stage.scene.layout.districts.get(at) else {
        return;
    };
    let id = Id::new(("canvas district", &district.name));
    let rect = rect.intersect(stage.view);
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::Button, true, words::district_label(stage, at))
    });
    if response.has_focus() {
        focus_ring(ui, rect, stage);
    }
    if response.clicked() {
        touched.district = Some(at);
    }
}

/// egui calls the press of Enter or Space on a widget a click.
fn entered(ui: &Ui, response: &Response) -> bool {
    response.has_focus()
        && ui.input(|input| input.key_pressed(egui::Key::Enter) && !input.pointer.any_released())
}

fn focus_ring(ui: &Ui, rect: Rect, stage: &Stage) {
    ui.painter().rect_stroke(
        rect.expand(2.0),
        6.0,
        egui::Stroke::new(1.5, stage.tokens(true).accent),
        StrokeKind::Outside,
    );
}
