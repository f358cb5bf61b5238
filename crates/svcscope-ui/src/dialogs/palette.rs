//! Any command, Service, context or namespace, found by typing.

use egui::{Align2, Frame, Id, Key, Modal, Modifiers, ScrollArea, pos2};
use egui_phosphor::regular as icon;
use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use super::save_forward::saved_groups;
use crate::{
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    formatting,
    theme::{SMALL, TEXT, regular},
    widgets::{RowText, named_field, paint_text, paint_type, row, text_field},
};
use svcscope_engine::{EngineCommand, Scene};
use svcscope_model::{
    inventory::{ObjectKey, ServiceType, SharedStr},
    topology::NodeId,
};
use svcscope_net::forward::{ForwardId, ForwardTarget};

const ROW: f32 = 28.0;
const ROWS_IN_VIEW: f32 = 12.0;

/// What is typed, what it finds, which of that is chosen.
#[derive(Debug, Default)]
pub struct CommandPalette {
    text: String,
    selected_index: usize,
    matches: Option<PaletteMatches>,
}

#[derive(Debug)]
struct PaletteMatches {
    text: String,
    revision: u64,
    choices: Vec<PaletteChoice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PaletteChoice {
    Command(UiCommand),
    Service(ObjectKey),
    Forward(ObjectKey),
    StartSaved(SharedStr),
    StartGroup(SharedStr),
    StopForward(ForwardId, String),
    Context(SharedStr),
    Namespace(SharedStr),
}

impl PaletteChoice {
    fn text(&self) -> String {
        match self {
            Self::Command(command) => command.text().to_owned(),
            Self::Service(key) => formatting::service_label(key),
            Self::Forward(key) => format!("Forward a port of {key}…"),
            Self::StartSaved(name) => format!("Start forward {name}"),
            Self::StartGroup(name) => format!("Start group {name}"),
            Self::StopForward(_, name) => format!("Stop forward {name}"),
            Self::Context(name) => format!("Connect to {name}"),
            Self::Namespace(name) => format!("Watch only namespace {name}"),
        }
    }

    fn action(&self, scene: &Scene) -> WindowAction {
        match self {
            Self::Forward(key) => {
                WindowAction::OpenForward(ForwardTarget::Service(key.clone()), None)
            }
            Self::StartSaved(name) => {
                WindowAction::Send(EngineCommand::StartSavedForwards(vec![name.clone()]))
            }
            Self::StartGroup(group) => WindowAction::Send(EngineCommand::StartSavedForwards(
                saved_forwards_in_group(scene, group),
            )),
            Self::StopForward(id, _) => WindowAction::Send(EngineCommand::StopForward(*id)),
            Self::Command(command) => WindowAction::Run(*command),
            Self::Service(key) => WindowAction::Reveal(NodeId::Service(key.clone())),
            Self::Context(name) => WindowAction::Send(EngineCommand::Connect(Some(name.clone()))),
            Self::Namespace(name) => {
                WindowAction::Send(EngineCommand::SetNamespaces(vec![name.clone()]))
            }
        }
    }
}

/// The saved forwards of a group.
pub fn saved_forwards_in_group(scene: &Scene, group: &str) -> Vec<SharedStr> {
    let members = scene.saved_forwards.iter();
    members
        .filter(|saved| saved.group.as_deref() == Some(group))
        .map(|saved| saved.name.clone())
        .collect()
}

/// Everything that can be found, in the order of an empty palette.
fn all_choices(scene: &Scene) -> Vec<PaletteChoice> {
    let commands = UiCommand::ALL
        .iter()
        .copied()
        .filter(|command| *command != UiCommand::Palette)
        .map(PaletteChoice::Command);
    let services = scene
        .topology
        .services()
        .map(|traffic| PaletteChoice::Service(traffic.service.key.clone()));
    let contexts = scene
        .contexts
        .iter()
        .map(|context| PaletteChoice::Context(context.name.clone()));
    let namespaces = scene
        .inventory
        .namespaces()
        .map(|namespace| PaletteChoice::Namespace(namespace.name.clone()));
    let running = scene.forwards.iter().filter(|one| !one.state.is_over());
    let stop = running.map(|one| {
        let port = &one.spec.port;
        PaletteChoice::StopForward(
            one.id,
            format!("{}, port {port}", formatting::forward_label(&one.spec)),
        )
    });
    let groups = saved_groups(scene)
        .into_iter()
        .map(PaletteChoice::StartGroup);
    let saved = scene.saved_forwards.iter();
    let saved = saved.map(|saved| PaletteChoice::StartSaved(saved.name.clone()));
    // An alias has no pods to lead to.
    let with_pods = scene
        .topology
        .services()
        .filter(|traffic| traffic.service.service_type != ServiceType::ExternalName)
        .map(|traffic| PaletteChoice::Forward(traffic.service.key.clone()));
    commands
        .chain(groups)
        .chain(saved)
        .chain(stop)
        .chain(services)
        .chain(with_pods)
        .chain(contexts)
        .chain(namespaces)
        .collect()
}

/// The items that match, the best first; all in their own order where nothing is typed.
fn matching_choices(scene: &Scene, text: &str) -> Vec<PaletteChoice> {
    let items = all_choices(scene);
    if text.trim().is_empty() {
        return items;
    }
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT.match_paths());
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize, PaletteChoice)> = items
        .into_iter()
        .enumerate()
        .filter_map(|(at, item)| {
            let said = item.text();
            let score = pattern.score(Utf32Str::new(&said, &mut buffer), &mut matcher)?;
            Some((score, at, item))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(.., item)| item).collect()
}

/// Draws the palette.
pub fn palette_ui(egui: &egui::Context, ctx: &PanelContext<'_>, palette: &mut CommandPalette) {
    let fresh = palette
        .matches
        .as_ref()
        .is_some_and(|found| found.text == palette.text && found.revision == ctx.scene.revision);
    if !fresh {
        palette.matches = Some(PaletteMatches {
            text: palette.text.clone(),
            revision: ctx.scene.revision,
            choices: matching_choices(ctx.scene, &palette.text),
        });
    }
    let id = Id::new("palette");
    let area = Modal::default_area(id).anchor(Align2::CENTER_TOP, [0.0, 70.0]);
    let modal = Modal::new(id)
        .area(area)
        .frame(Frame::window(&egui.global_style()).inner_margin(10))
        .backdrop_color(ctx.tokens.shadow)
        .show(egui, |ui| {
            ui.set_width(560.0);
            contents_ui(ui, ctx, palette);
        });
    if modal.should_close() {
        ctx.send(WindowAction::CloseDialog);
    }
}

fn contents_ui(ui: &mut egui::Ui, ctx: &PanelContext<'_>, palette: &mut CommandPalette) {
    let CommandPalette {
        text,
        selected_index: chosen,
        matches: found,
    } = palette;
    let items = found.as_ref().map_or(&[][..], |found| &found.choices);
    let (down, up, enter) = ui.input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::Enter),
        )
    });
    let field = text_field(text)
        .hint_text("Type a command, a Service, a context or a namespace")
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    named_field(&response, "Find a command", text);
    response.request_focus();
    if response.changed() {
        *chosen = 0;
    }
    let last = items.len().saturating_sub(1);
    if down {
        *chosen = (*chosen + 1).min(last);
    }
    if up {
        *chosen = chosen.saturating_sub(1);
    }
    *chosen = (*chosen).min(last);
    if enter && let Some(item) = items.get(*chosen) {
        run(ctx, item);
    }
    ui.add_space(6.0);
    if items.is_empty() {
        ui.label(egui::RichText::new("Nothing is called that.").color(ctx.tokens.dim));
        return;
    }
    ui.spacing_mut().item_spacing.y = 1.0;
    let mut area = ScrollArea::vertical()
        .auto_shrink([false, true])
        .max_height(ROW * ROWS_IN_VIEW);
    if down || up {
        area = area
            .vertical_scroll_offset(((*chosen as f32 - ROWS_IN_VIEW / 2.0) * (ROW + 1.0)).max(0.0));
    }
    area.show_rows(ui, ROW, items.len(), |ui, range| {
        let first = range.start;
        for (at, item) in items.get(range).unwrap_or_default().iter().enumerate() {
            if choice_ui(ui, ctx, item, first + at == *chosen) {
                run(ctx, item);
            }
        }
    });
}

fn run(ctx: &PanelContext<'_>, item: &PaletteChoice) {
    if let PaletteChoice::Command(command) = item
        && ctx.unavailable_reason(*command).is_some()
    {
        return;
    }
    // Closed first: the command may open a dialog of its own.
    ctx.send(WindowAction::CloseDialog);
    ctx.send(item.action(ctx.scene));
}

/// Draws one; says whether it was clicked.
fn choice_ui(
    ui: &mut egui::Ui,
    ctx: &PanelContext<'_>,
    item: &PaletteChoice,
    chosen: bool,
) -> bool {
    let tokens = ctx.tokens;
    let said = item.text();
    let unavailable = match item {
        PaletteChoice::Command(command) => ctx.unavailable_reason(*command),
        _ => None,
    };
    let glyph = match item {
        PaletteChoice::Command(command) => command.icon(),
        PaletteChoice::Context(_) => icon::STEERING_WHEEL,
        PaletteChoice::Namespace(_) => icon::STACK,
        PaletteChoice::Forward(_) => UiCommand::Forward.icon(),
        PaletteChoice::StartSaved(_) | PaletteChoice::StartGroup(_) => icon::PLAY,
        PaletteChoice::StopForward(..) => icon::STOP,
        PaletteChoice::Service(_) => "",
    };
    let service = match item {
        PaletteChoice::Service(key) => ctx.scene.inventory.service(key),
        _ => None,
    };
    let side = match (item, &unavailable) {
        (_, Some(reason)) => reason.to_string(),
        (PaletteChoice::Command(command), None) => {
            command.shortcut_text(ui.ctx()).unwrap_or_default()
        }
        _ => String::new(),
    };
    let response = row(ui, tokens, &said, chosen, ROW, |painter, rect| {
        let y = rect.center().y;
        let text = |text, size, color, max_width| RowText {
            text,
            font: regular(size),
            color,
            max_width,
        };
        let icon = pos2(rect.left() + 16.0, y);
        if let Some(service) = service {
            paint_type(painter, tokens, service, icon, 13.0);
        }
        paint_text(
            painter,
            icon,
            Align2::CENTER_CENTER,
            text(glyph, 15.0, tokens.dim, 20.0),
        );
        let side = paint_text(
            painter,
            pos2(rect.right() - 10.0, y),
            Align2::RIGHT_CENTER,
            text(&side, SMALL, tokens.dim, 220.0),
        );
        let left = rect.left() + 34.0;
        let color = if unavailable.is_some() {
            tokens.dim
        } else {
            tokens.text
        };
        paint_text(
            painter,
            pos2(left, y),
            Align2::LEFT_CENTER,
            text(&said, TEXT, color, side.left() - left - 8.0),
        );
    });
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_a_command() {
        let found = matching_choices(&Scene::default(), "chty");
        assert_eq!(
            found.first(),
            Some(&PaletteChoice::Command(UiCommand::ChangeType))
        );
    }

    #[test]
    fn an_empty_palette_lists_every_command_but_itself() {
        let found = matching_choices(&Scene::default(), "");
        assert_eq!(found.len(), UiCommand::ALL.len() - 1);
    }
}
