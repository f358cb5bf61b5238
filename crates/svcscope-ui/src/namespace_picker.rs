//! The picker of the namespaces that are watched.

use egui::{ScrollArea, Ui, WidgetInfo, WidgetType, containers::menu::MenuButton};
use egui_phosphor::regular as icon;

use super::{action::WindowAction, context::PanelContext};
use svcscope_engine::EngineCommand;
use svcscope_model::{
    inventory::{ResourceKind, SharedStr},
    layout::ServiceGrouping,
};

/// Draws the button and, while it is open, the list.
pub fn picker_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    // One that stands in for a cluster that may not be listed is all that is seen.
    let standing_in = ctx
        .scene
        .inventory
        .namespace_fallback(ResourceKind::Service);
    let said = match &standing_in {
        Some((names, _)) => summary(&Vec::from_iter(names.iter().map(|name| (*name).clone()))),
        None => summary(&ctx.scene.namespaces),
    };
    let text = format!("{said}  {}", icon::CARET_DOWN);
    let stay_open = egui::containers::menu::MenuConfig::new()
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let (response, _) = MenuButton::new(text).config(stay_open).ui(ui, |ui| {
        ui.set_min_width(200.0);
        list_ui(ui, ctx);
    });
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &said));
    response.on_hover_text(match standing_in {
        Some((_, refused)) => {
            format!("All that can be watched; choose another one that you may read\n{refused}")
        }
        None => "The namespaces that are watched".to_owned(),
    });
}

fn summary(watched: &[SharedStr]) -> String {
    match watched {
        [] => "All namespaces".to_owned(),
        [one] => format!("Namespace: {one}"),
        [one, two] => format!("Namespaces: {one}, {two}"),
        [one, two, rest @ ..] => format!("Namespaces: {one}, {two}, +{}", rest.len()),
    }
}

fn list_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let watched = &ctx.scene.namespaces;
    let set = |names| ctx.send(WindowAction::Send(EngineCommand::SetNamespaces(names)));
    if ui
        .selectable_label(watched.is_empty(), "All namespaces")
        .clicked()
    {
        set(Vec::new());
    }
    ui.separator();
    ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        let known = listed_namespaces(ctx);
        if known.is_empty() {
            ui.label("No namespaces are known yet.");
        }
        for name in known {
            let mut on = watched.contains(&name);
            if ui.checkbox(&mut on, &*name).changed() {
                let mut names = watched.to_vec();
                if on {
                    names.push(name);
                    names.sort();
                } else {
                    names.retain(|other| *other != name);
                }
                set(names);
            }
        }
    });
}

/// Namespaces that the cluster names, that are watched, or that hold a Service.
fn listed_namespaces(ctx: &PanelContext<'_>) -> std::collections::BTreeSet<SharedStr> {
    let listed = ctx.scene.inventory.namespaces().map(|ns| ns.name.clone());
    let watched = ctx.scene.namespaces.iter().cloned();
    let drawn = ctx
        .scene
        .layout
        .groups
        .iter()
        .filter(|district| district.grouping == ServiceGrouping::Namespace)
        .map(|district| district.name.clone());
    listed.chain(watched).chain(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_names_two_and_counts_the_rest() {
        let names = |all: &[&str]| {
            all.iter()
                .map(|name| SharedStr::from(*name))
                .collect::<Vec<_>>()
        };
        assert_eq!(summary(&[]), "All namespaces");
        assert_eq!(summary(&names(&["shop"])), "Namespace: shop");
        assert_eq!(
            summary(&names(&["infra", "shop", "a", "b"])),
            "Namespaces: infra, shop, +2"
        );
    }
}
