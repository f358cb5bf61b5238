//! What wheel, pinch, drag and keys mean on the canvas.

use egui::{Event, EventFilter, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, Ui, Vec2};

use super::keyboard_navigation::ArrowDirection;

/// What the user did with the view since the last frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct PanZoomGesture {
    /// Zoom by this factor at the pointer; 1 is nothing.
    pub zoom: f32,
    /// Shift by this, in points.
    pub pan: Vec2,
}

/// How much one notch of a wheel zooms.
const ZOOM_PER_WHEEL_NOTCH: f32 = 1.2;
/// How much one press of a key or a button zooms.
pub(super) const KEY_ZOOM: f32 = 1.25;

/// Wheel and pinch while the pointer is over the canvas. A wheel zooms; two fingers on a
/// touchpad, which report points and not notches, pan and pinch.
///
/// Taken from the events themselves: what they add up to does not depend on how many frames
/// they are spread over.
pub(super) fn wheel(ui: &Ui) -> PanZoomGesture {
    ui.input(|input| {
        let mut gesture = PanZoomGesture {
            // With the zoom modifier egui itself turns the wheel into this.
            zoom: input.zoom_delta(),
            pan: Vec2::ZERO,
        };
        for event in &input.events {
            let Event::MouseWheel {
                unit,
                delta,
                modifiers,
                ..
            } = event
            else {
                continue;
            };
            if modifiers.matches_any(Modifiers::COMMAND) || modifiers.matches_any(Modifiers::CTRL) {
                continue;
            }
            match unit {
                MouseWheelUnit::Point => gesture.pan += *delta,
                MouseWheelUnit::Line | MouseWheelUnit::Page if modifiers.shift => {
                    gesture.pan += *delta * 50.0;
                }
                MouseWheelUnit::Line | MouseWheelUnit::Page => {
                    gesture.zoom *= ZOOM_PER_WHEEL_NOTCH.powf(delta.y);
                }
            }
        }
        gesture
    })
}

/// A key that the canvas takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CanvasShortcut {
    Arrow(ArrowDirection),
    Zoom(f32),
    Fit,
    Escape,
}

/// Keys meant for the canvas. With `focused` a widget of the canvas has the keyboard; otherwise
/// nothing has it, the pointer is over the canvas, and only zoom keys are taken.
pub(super) fn keys(ui: &Ui, focused: bool) -> Vec<CanvasShortcut> {
    let mut pressed = Vec::new();
    ui.input_mut(|input| {
        let mut take = |key: Key, meaning: CanvasShortcut| {
            let count = input.count_and_consume_key(Modifiers::NONE, key);
            pressed.extend(std::iter::repeat_n(meaning, count));
        };
        take(Key::Plus, CanvasShortcut::Zoom(KEY_ZOOM));
        take(Key::Equals, CanvasShortcut::Zoom(KEY_ZOOM));
        take(Key::Minus, CanvasShortcut::Zoom(1.0 / KEY_ZOOM));
        take(Key::Num0, CanvasShortcut::Fit);
        if focused {
            take(Key::ArrowLeft, CanvasShortcut::Arrow(ArrowDirection::Left));
            take(
                Key::ArrowRight,
                CanvasShortcut::Arrow(ArrowDirection::Right),
            );
            take(Key::ArrowUp, CanvasShortcut::Arrow(ArrowDirection::Up));
            take(Key::ArrowDown, CanvasShortcut::Arrow(ArrowDirection::Down));
            take(Key::Escape, CanvasShortcut::Escape);
        }
    });
    pressed
}

/// Arrows and Escape stay with the canvas while it has the keyboard; Tab goes on.
pub(super) fn lock_focus_keys(ui: &Ui, id: egui::Id) {
    ui.memory_mut(|memory| {
        memory.set_focus_lock_filter(
            id,
            EventFilter {
                tab: false,
                horizontal_arrows: true,
                vertical_arrows: true,
                escape: true,
            },
        );
    });
}

/// The pointer, if it is over the canvas and nothing lies on top.
pub(super) fn pointer_over(ui: &Ui, view: egui::Rect) -> Option<Pos2> {
    let at = ui.input(|input| input.pointer.hover_pos())?;
    let free = ui
        .ctx()
        .layer_id_at(at)
        .is_none_or(|layer| layer == ui.layer_id());
    (view.contains(at) && free).then_some(at)
}

/// Buttons that drag: the first one may move a node, the middle one always pans.
pub(super) const DRAG_BUTTONS: [PointerButton; 2] = [PointerButton::Primary, PointerButton::Middle];
