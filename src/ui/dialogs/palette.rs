//! Any command, Service, context or namespace, found by typing.

use egui::{Align2, Frame, Id, Key, Modal, Modifiers, ScrollArea, pos2};
use egui_phosphor::regular as icon;
use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use super::save_forward::groups;
use crate::{
    engine::{Command, Scene},
    forward::{ForwardId, ForwardTarget},
    inventory::{ObjectKey, ServiceType, Text},
    topology::NodeId,
    ui::{
        action::Action,
        command::UiCommand,
        context::Ctx,
        theme::{SMALL, TEXT, regular},
        widgets::{RowText, named_field, paint_text, paint_type, row, text_field},
        words,
    },
};

const ROW: f32 = 28.0;
const ROWS_IN_VIEW: f32 = 12.0;

/// What is typed, what it finds, which of that is chosen.
#[derive(Debug, Default)]
pub struct Palette {
    text: String,
    chosen: usize,
    found: Option<Found>,
}

#[derive(Debug)]
struct Found {
    text: String,
    revision: u64,
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Command(UiCommand),
    Service(ObjectKey),
    Forward(ObjectKey),
    StartSaved(Text),
    StartGroup(Text),
    StopForward(ForwardId, String),
    Context(Text),
    Namespace(Text),
}

impl Item {
    fn text(&self) -> String {
        match self {
            Self::Command(command) => command.text().to_owned(),
            Self::Service(key) => words::service_label(key),
            Self::Forward(key) => format!("Forward a port of {key}…"),
            Self::StartSaved(name) => format!("Start forward {name}"),
            Self::StartGroup(name) => format!("Start group {name}"),
            Self::StopForward(_, name) => format!("Stop forward {name}"),
            Self::Context(name) => format!("Connect to {name}"),
            Self::Namespace(name) => format!("Watch only namespace {name}"),
        }
    }

    fn action(&self, scene: &Scene) -> Action {
        match self {
            Self::Forward(key) => Action::OpenForward(ForwardTarget::Service(key.clone()), None),
            Self::StartSaved(name) => Action::Send(Command::StartSaved(vec![name.clone()])),
            Self::StartGroup(group) => Action::Send(Command::StartSaved(names_of(scene, group))),
            Self::StopForward(id, _) => Action::Send(Command::StopForward(*id)),
            Self::Command(command) => Action::Run(*command),
            Self::Service(key) => Action::Reveal(NodeId::Service(key.clone())),
            Self::Context(name) => Action::Send(Command::Connect(Some(name.clone()))),
            Self::Namespace(name) => Action::Send(Command::SetNamespaces(vec![name.clone()])),
        }
    }
}

/// The saved forwards of a group.
pub fn names_of(scene: &Scene, group: &str) -> Vec<Text> {
    let members = scene.saved.iter();
    members
        .filter(|saved| saved.group.as_deref() == Some(group))
        .map(|saved| saved.name.clone())
        .collect()
}

/// Everything that can be found, in the order of an empty palette.
fn all_items(scene: &Scene) -> Vec<Item> {
    let commands = UiCommand::ALL
        .into_iter()
        .filter(|command| *command != UiCommand::Palette)
        .map(Item::Command);
    let services = scene
        .topology
        .services()
        .map(|traffic| Item::Service(traffic.service.key.clone()));
    let contexts = scene
        .contexts
        .iter()
        .map(|context| Item::Context(context.name.clone()));
    let namespaces = scene
        .inventory
        .namespaces()
        .map(|namespace| Item::Namespace(namespace.name.clone()));
    let running = scene.forwards.iter().filter(|one| !one.state.is_over());
    let stop = running.map(|one| {
        let port = &one.spec.port;
        Item::StopForward(
            one.id,
            format!("{}, port {port}", words::forward(&one.spec)),
        )
    });
    let groups = groups(scene).into_iter().map(Item::StartGroup);
    let saved = scene.saved.iter();
    let saved = saved.map(|saved| Item::StartSaved(saved.name.clone()));
    // An alias has no pods to lead to.
    let with_pods = scene
        .topology
        .services()
        .filter(|traffic| traffic.service.service_type != ServiceType::ExternalName)
        .map(|traffic| Item::Forward(traffic.service.key.clone()));
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
fn find(scene: &Scene, text: &str) -> Vec<Item> {
    let items = all_items(scene);
    if text.trim().is_empty() {
        return items;
    }
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT.match_paths());
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize, Item)> = items
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
pub fn palette_ui(egui: &egui::Context, ctx: &Ctx<'_>, palette: &mut Palette) {
    let fresh = palette
        .found
        .as_ref()
        .is_some_and(|found| found.text == palette.text && found.revision == ctx.scene.revision);
    if !fresh {
        palette.found = Some(Found {
            text: palette.text.clone(),
            revision: ctx.scene.revision,
            items: find(ctx.scene, &palette.text),
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
        ctx.send(Action::CloseDialog);
    }
}

fn contents_ui(ui: &mut egui::Ui, ctx: &Ctx<'_>, palette: &mut Palette) {
    let Palette {
        text,
        chosen,
        found,
    } = palette;
    let items = found.as_ref().map_or(&[][..], |found| &found.items);
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
            if item_ui(ui, ctx, item, first + at == *chosen) {
                run(ctx, item);
            }
        }
    });
}

fn run(ctx: &Ctx<'_>, item: &Item) {
    if let Item::Command(command) = item
        && ctx.unavailable(*command).is_some()
    {
        return;
    }
    // Closed first: the command may open a dialog of its own.
    ctx.send(Action::CloseDialog);
    ctx.send(item.action(ctx.scene));
}

/// Draws one; says whether it was clicked.
fn item_ui(ui: &mut egui::Ui, ctx: &Ctx<'_>, item: &Item, chosen: bool) -> bool {
    let tokens = ctx.tokens;
    let said = item.text();
    let unavailable = match item {
        Item::Command(command) => ctx.unavailable(*command),
        _ => None,
    };
    let glyph = match item {
        Item::Command(command) => command.icon(),
        Item::Context(_) => icon::STEERING_WHEEL,
        Item::Namespace(_) => icon::STACK,
        Item::Forward(_) => UiCommand::Forward.icon(),
        Item::StartSaved(_) | Item::StartGroup(_) => icon::PLAY,
        Item::StopForward(..) => icon::STOP,
        Item::Service(_) => "",
    };
    let service = match item {
        Item::Service(key) => ctx.scene.inventory.service(key),
        _ => None,
    };
    let side = match (item, &unavailable) {
        (_, Some(reason)) => reason.to_string(),
        (Item::Command(command), None) => command.shortcut_text(ui.ctx()).unwrap_or_default(),
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
        let found = find(&Scene::default(), "chty");
        assert_eq!(found.first(), Some(&Item::Command(UiCommand::ChangeType)));
    }

    #[test]
    fn an_empty_palette_lists_every_command_but_itself() {
        let found = find(&Scene::default(), "");
        assert_eq!(found.len(), UiCommand::ALL.len() - 1);
    }
}
