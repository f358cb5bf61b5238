//! The menu of what stands together.

use egui::{Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use crate::{action::WindowAction, command::UiCommand, context::PanelContext};
use svcscope_model::layout::ServiceGrouping;

const CHOICES: [(ServiceGrouping, UiCommand); 3] = [
    (ServiceGrouping::Namespace, UiCommand::GroupByNamespace),
    (ServiceGrouping::App, UiCommand::GroupByApp),
    (ServiceGrouping::None, UiCommand::GroupByNothing),
];

/// Draws the button and, while it is open, the choices; `short` where there is little room.
pub fn group_menu_ui(ui: &mut Ui, ctx: &PanelContext<'_>, short: bool) {
    let grouping = ctx.map_view().grouping;
    let said = format!("Group: {}", word(grouping));
    let text = if short {
        format!("{}  {}", icon::STACK, icon::CARET_DOWN)
    } else {
        format!("{said}  {}", icon::CARET_DOWN)
    };
    let menu = ui.menu_button(text, |ui| {
        ui.set_min_width(200.0);
        for (choice, command) in CHOICES {
            let response = ui
                .selectable_label(choice == grouping, command.text())
                .on_hover_text(command.hover_text(ui.ctx()));
            if response.clicked() {
                ctx.send(WindowAction::Run(command));
                ui.close();
            }
        }
    });
    let response = menu.response;
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &said));
    response.on_hover_text("How Services are grouped on the map");
}

fn word(grouping: ServiceGrouping) -> &'static str {
    match grouping {
        ServiceGrouping::Namespace => "namespace",
        ServiceGrouping::App => "application",
        ServiceGrouping::None => "none",
    }
}
