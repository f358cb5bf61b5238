//! The bar at the top: where we are, what is searched, how many problems there are.

use egui::{Align, Button, Layout, Panel, RichText, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use super::{
    BottomTab,
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    filter_bar, formatting, namespace_picker,
    theme::semibold,
    widgets::{icon_button, named_field, text_field},
};
use svcscope_engine::EngineCommand;
use svcscope_model::inventory::ResourceKind;

/// The accessible name of the search field.
pub const SEARCH_LABEL: &str = "Search Services";

/// What the right end of the bar takes, in points: problems, pause, export, help, theme, commands.
const RIGHT_WIDTH: f32 = 526.0;
/// Below this width of the bar, words give way to icons.
const NARROW: f32 = 1250.0;
/// What the right end takes then.
const RIGHT_WIDTH_NARROW: f32 = 336.0;
/// What stands behind the search while it is used, in points: the cross and the number of hits.
const HITS_WIDTH: f32 = 100.0;
/// The least that the search takes.
const SEARCH_WIDTH: f32 = 100.0;

/// Draws the bar.
pub fn top_bar_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    Panel::top("top bar").exact_size(44.0).show(ui, |ui| {
        let narrow = ui.available_width() < NARROW;
        ui.horizontal_centered(|ui| {
            ui.add_space(4.0);
            ui.label(RichText::new("svcscope").font(semibold(15.0)));
            ui.add_space(4.0);
            contexts_ui(ui, ctx);
            protection_badges_ui(ui, ctx);
            connection_badges_ui(ui, ctx, narrow);
            namespace_picker::picker_ui(ui, ctx);
            filter_bar::group_menu_ui(ui, ctx, narrow);
            filter_bar::filter_menu_ui(ui, ctx);
            // A long name or a badge on the left leaves less than the window's width promises.
            let narrow = narrow || ui.available_width() < RIGHT_WIDTH + HITS_WIDTH + SEARCH_WIDTH;
            search_ui(
                ui,
                ctx,
                if narrow {
                    RIGHT_WIDTH_NARROW
                } else {
                    RIGHT_WIDTH
                },
            );
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add_space(4.0);
                right_ui(ui, ctx, narrow);
            });
        });
    });
}

/// What protects the context in use, beside its name.
fn protection_badges_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let tokens = ctx.tokens;
    if ctx.scene.read_only {
        let why = ctx.scene.read_only_reason.as_deref();
        super::widgets::badge(ui, tokens, "read-only", tokens.pending)
            .on_hover_text(why.unwrap_or("Nothing can be changed"));
    }
    if ctx.scene.production {
        super::widgets::badge(ui, tokens, "production", tokens.broken).on_hover_text(
            "Marked as production: a change asks for the Service's name, and commands in pods and \
             requests that could change something are asked for once",
        );
    }
}

fn contexts_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let current = ctx.scene.context.as_deref().unwrap_or("no context");
    let text = format!("{}  {current}  {}", icon::STEERING_WHEEL, icon::CARET_DOWN);
    let response = ui.menu_button(text, |ui| {
        ui.set_min_width(220.0);
        if ctx.scene.contexts.is_empty() {
            ui.label("The kubeconfig has no context.");
        }
        for context in ctx.scene.contexts.iter() {
            let chosen = ctx.scene.context.as_ref() == Some(&context.name);
            let marks = ctx.scene.protected_contexts.flags_of(&context.name).label();
            let name = if marks.is_empty() {
                context.name.to_string()
            } else {
                format!("{}  {} {marks}", context.name, icon::LOCK)
            };
            let response = ui.selectable_label(chosen, name);
            let file = context
                .file
                .as_ref()
                .map(|file| format!("\nfrom {}", file.display()));
            let response = response.on_hover_text(format!(
                "cluster {}, namespace {}{}",
                context.cluster,
                context.namespace.as_deref().unwrap_or("default"),
                file.unwrap_or_default(),
            ));
            if response.clicked() {
                ctx.send(WindowAction::Send(EngineCommand::Connect(Some(
                    context.name.clone(),
                ))));
                ui.close();
            }
        }
        ui.separator();
        if ui
            .button(format!("{}  Reconnect", icon::ARROWS_CLOCKWISE))
            .clicked()
        {
            ctx.send(WindowAction::Run(UiCommand::Reconnect));
            ui.close();
        }
        for command in [UiCommand::TestConnection, UiCommand::ProtectContexts] {
            if ui
                .button(format!("{}  {}", command.icon(), command.text()))
                .on_hover_text(command.tooltip())
                .clicked()
            {
                ctx.send(WindowAction::Run(command));
                ui.close();
            }
        }
    });
    let response = response.response;
    let label = format!("Context {current}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &label));
    let server = ctx.scene.server.as_deref().unwrap_or("no server yet");
    response.on_hover_text(format!("The context of the kubeconfig in use\n{server}"));
}

/// How the connection is less protected than it looks.
fn connection_badges_ui(ui: &mut Ui, ctx: &PanelContext<'_>, narrow: bool) {
    for notice in ctx.scene.notices.iter() {
        let text = if narrow {
            icon::SHIELD_WARNING
        } else {
            &notice.label
        };
        super::widgets::badge(ui, ctx.tokens, text, ctx.tokens.degraded)
            .on_hover_text(&*notice.sentence);
    }
}

/// `right_width` is what must be left free behind it.
fn search_ui(ui: &mut Ui, ctx: &PanelContext<'_>, right_width: f32) {
    let mut text = ctx.view.search.clone();
    let width = (ui.available_width() - right_width - HITS_WIDTH).clamp(SEARCH_WIDTH, 300.0);
    let response = ui.add(
        text_field(&mut text)
            .hint_text(format!(
                "{} Search services, pods, ports, labels…",
                icon::MAGNIFYING_GLASS
            ))
            .desired_width(width),
    );
    named_field(&response, SEARCH_LABEL, &text);
    if ctx.view.focus_search {
        response.request_focus();
    }
    if response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
        let first = ctx
            .view
            .derived
            .search_hits
            .as_ref()
            .and_then(|hits| hits.first());
        if let Some(key) = first {
            ctx.send(WindowAction::Reveal(
                svcscope_model::topology::NodeId::Service(key.clone()),
            ));
        }
    }
    if response.changed() {
        ctx.send(WindowAction::SetSearch(text));
    }
    if !ctx.view.search.is_empty() {
        if icon_button(ui, icon::X, "Clear the search", None).clicked() {
            ctx.send(WindowAction::SetSearch(String::new()));
        }
        // In a narrow window the list at the left tells how many there are.
        let fits = ui.available_width() > right_width + HITS_WIDTH / 2.0;
        if let Some(hits) = ctx.view.derived.search_hits.as_ref().filter(|_| fits) {
            ui.label(RichText::new(formatting::plural(hits.len(), "hit")).color(ctx.tokens.dim));
        }
    }
    response.on_hover_text(format!(
        "{} (/)\nField by field: ns: type: state: port: pod: label:",
        UiCommand::Search.tooltip()
    ));
}

/// From right to left.
fn right_ui(ui: &mut Ui, ctx: &PanelContext<'_>, narrow: bool) {
    let palette = if narrow {
        icon::COMMAND
    } else {
        "Commands  Ctrl+K"
    };
    command_button(ui, ctx, UiCommand::Palette, palette);
    let theme = if ctx.tokens.dark {
        icon::SUN
    } else {
        icon::MOON
    };
    command_button(ui, ctx, UiCommand::ToggleTheme, theme);
    command_button(ui, ctx, UiCommand::Help, icon::QUESTION);
    command_button(ui, ctx, UiCommand::Export, icon::EXPORT);
    pause_ui(ui, ctx, narrow);
    let derived = &ctx.view.derived;
    for (number, noun, glyph, color) in [
        (
            derived.warnings,
            "warning",
            icon::WARNING,
            ctx.tokens.degraded,
        ),
        (derived.errors, "error", icon::X, ctx.tokens.broken),
    ] {
        let inventory = &ctx.scene.inventory;
        let unlisted =
            !ctx.scene.completeness().is_listed() || !inventory.was_listed(ResourceKind::Service);
        // What was found is told all the same; that nothing was means nothing then.
        let is_unknown = number == 0 && unlisted;
        let words = if is_unknown {
            format!("? {noun}s")
        } else {
            formatting::plural(number, noun)
        };
        let is_old = unlisted || ctx.scene.is_stale();
        let color = if number == 0 || is_old {
            ctx.tokens.dim
        } else {
            color
        };
        let text = if narrow && is_unknown {
            format!("{glyph} ?")
        } else if narrow {
            format!("{glyph} {number}")
        } else {
            format!("{glyph} {words}")
        };
        let text = RichText::new(text).color(color);
        let response = ui.add(Button::new(text).frame(false));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &words));
        let hover = if is_unknown {
            "Not all lists are there: how many there are is not known. Show all problems"
        } else if is_old {
            "As of the last lists, which may be old. Show all problems"
        } else {
            "Show all problems"
        };
        if response.on_hover_text(hover).clicked() {
            ctx.send(WindowAction::ShowTab(BottomTab::Problems));
        }
    }
}

fn pause_ui(ui: &mut Ui, ctx: &PanelContext<'_>, narrow: bool) {
    let (glyph, word) = if ctx.view.paused.is_some() {
        (icon::PLAY, "Resume")
    } else {
        (icon::PAUSE, "Pause")
    };
    let text = if narrow {
        glyph.to_owned()
    } else {
        format!("{glyph} {word}")
    };
    let response = ui.button(text);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, word));
    if response
        .on_hover_text(UiCommand::Pause.hover_text(ui.ctx()))
        .clicked()
    {
        ctx.send(WindowAction::Run(UiCommand::Pause));
    }
}

fn command_button(ui: &mut Ui, ctx: &PanelContext<'_>, command: UiCommand, text: &str) {
    let response = ui.button(text);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, command.text()));
    if response
        .on_hover_text(command.hover_text(ui.ctx()))
        .clicked()
    {
        ctx.send(WindowAction::Run(command));
    }
}
