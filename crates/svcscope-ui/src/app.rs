//! The app: takes the newest scene, draws it, does what was asked for.

use std::{sync::Arc, time::Duration};

use egui::Key;
use jiff::Timestamp;

use super::{
    WindowHandle, action::WindowAction, bottom, clipboard, command::UiCommand,
    context::PanelContext, context_menu, dialogs, export_flow, inspector, login_panel, map,
    map_view, selection, services_list, state::AppState, status_bar, theme, top_bar, update,
};
use svcscope_engine::{
    EngineCommand, EngineHandle, Scene, SettingsChange, settings as session, settings::Settings,
};

/// Scenes that follow each other sooner than this, in milliseconds, go on: the cluster changes all
/// the time, or something flows through a forward.
const RAPID_SCENE_MILLIS: i64 = 1_200;

/// What the window is started with.
#[derive(Clone)]
pub struct AppOptions {
    /// Light, dark, or what the desktop says.
    pub theme: egui::ThemePreference,
    /// The size of everything: 1.0 is the desktop's own.
    pub zoom: f32,
    /// Through which the engine wakes the window.
    pub window: WindowHandle,
    /// What time it is; a test may say.
    pub clock: fn() -> Timestamp,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            theme: egui::ThemePreference::System,
            zoom: 1.0,
            window: WindowHandle::default(),
            clock: Timestamp::now,
        }
    }
}

impl AppOptions {
    /// As the user left the window the last time.
    pub fn from_settings(settings: &Settings) -> Self {
        Self {
            theme: match settings.theme {
                session::ThemeSetting::System => egui::ThemePreference::System,
                session::ThemeSetting::Dark => egui::ThemePreference::Dark,
                session::ThemeSetting::Light => egui::ThemePreference::Light,
            },
            zoom: settings.ui_zoom,
            ..Self::default()
        }
    }
}

/// The window's contents.
pub struct SvcscopeApp {
    handle: EngineHandle,
    scene: Arc<Scene>,
    state: AppState,
    clock: fn() -> Timestamp,
    /// What was chosen when the engine was last told.
    sent_preferences: (egui::ThemePreference, f32),
    /// When the scene was taken.
    scene_taken_at: Timestamp,
    /// The scene was just taken: everything has its place in the frame after this.
    second_frame_in: Option<Duration>,
}

impl SvcscopeApp {
    /// The app in a window that was just opened.
    pub fn new(
        cc: &eframe::CreationContext<'_>,
        handle: EngineHandle,
        options: AppOptions,
    ) -> Self {
        theme::apply(&cc.egui_ctx);
        cc.egui_ctx.add_plugin(clipboard::ClipboardSanitizer);
        cc.egui_ctx.set_theme(options.theme);
        cc.egui_ctx.set_zoom_factor(options.zoom.clamp(0.5, 3.0));
        options.window.attach(&cc.egui_ctx);
        let scene = handle.scene();
        let mut state = AppState::default();
        state.toasts.show_startup_errors(&scene);
        state.export_folder = session::pictures_folder();
        Self {
            handle,
            scene,
            state,
            clock: options.clock,
            sent_preferences: display_preferences(&cc.egui_ctx),
            scene_taken_at: Timestamp::UNIX_EPOCH,
            second_frame_in: None,
        }
    }

    /// What the window remembers.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// What is drawn.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    fn take_scene(&mut self) {
        let newest = self.handle.scene();
        if Arc::ptr_eq(&newest, &self.scene) {
            return;
        }
        let now = (self.clock)();
        let since_last = now.as_millisecond() - self.scene_taken_at.as_millisecond();
        self.scene_taken_at = now;
        self.second_frame_in = Some(second_frame_delay(since_last));
        let moved = newest.context != self.scene.context && newest.context.is_some();
        let last = std::mem::replace(&mut self.scene, newest);
        self.state.toasts.show_new_activity(&self.scene);
        let view = &mut self.state.view;
        if moved {
            // What another cluster calls the same is something else.
            view.selection = None;
            view.paused = None;
            view.requested_map_view = None;
        }
        map_view::sync_with_engine(view, &last.map_view, &self.scene.map_view);
        view.change_rate
            .note((self.clock)(), self.scene.change_count);
        selection::drop_lost_selection(&mut self.state, &self.scene);
        update::sync_inspected_service(&mut self.state, &self.handle);
    }

    /// Has the engine remember the theme and the zoom when the user changes them.
    fn save_preferences(&mut self, egui: &egui::Context) {
        let now = display_preferences(egui);
        if now.0 != self.sent_preferences.0 {
            let theme = match now.0 {
                egui::ThemePreference::System => session::ThemeSetting::System,
                egui::ThemePreference::Dark => session::ThemeSetting::Dark,
                egui::ThemePreference::Light => session::ThemeSetting::Light,
            };
            self.handle
                .send(EngineCommand::ChangeSettings(SettingsChange::Theme(theme)));
        }
        if now.1 != self.sent_preferences.1 {
            self.handle
                .send(EngineCommand::ChangeSettings(SettingsChange::UiZoom(now.1)));
        }
        self.sent_preferences = now;
    }

    /// What the keys of this frame ask for.
    fn shortcut_actions(&mut self, egui: &egui::Context) -> Vec<WindowAction> {
        let mut actions = Vec::new();
        let view = &self.state.view;
        if let Some(dialog) = &self.state.dialog {
            if dialog.is_palette() && egui.input_mut(|i| i.consume_shortcut(&PALETTE)) {
                actions.push(WindowAction::CloseDialog);
            }
            return actions;
        }
        for command in UiCommand::take_shortcuts(egui) {
            actions.push(WindowAction::Run(command));
        }
        let escape = egui.input(|input| input.key_pressed(Key::Escape));
        if escape && view.menu.is_none() && !egui.text_edit_focused() {
            if view.selection.is_some() {
                actions.push(WindowAction::Select(None));
            } else if !view.search.is_empty() && egui.dragged_id().is_none() {
                // One key does one thing: the map does not go out a level as well.
                egui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Escape));
                actions.push(WindowAction::SetSearch(String::new()));
            }
        }
        actions
    }

    fn panels_ui(&mut self, ui: &mut egui::Ui, keys: Vec<WindowAction>) {
        let AppState {
            view,
            dialog,
            canvas,
            ..
        } = &mut self.state;
        view.derived.refresh(
            &self.scene,
            &view.search,
            &view.list_filter,
            &view.collapsed_namespaces,
        );
        view.derived.refresh_problems(&self.scene, &view.problems);
        let selected = view.selection.as_ref().and_then(super::state::service_of);
        view.derived.refresh_selector(&self.scene, selected);
        let tokens = theme::ColorTokens::of(ui.ctx());
        let ctx = PanelContext::new(&self.scene, view, tokens, (self.clock)());
        for action in keys {
            match action {
                WindowAction::Run(command) if ctx.unavailable_reason(command).is_some() => {}
                action => ctx.send(action),
            }
        }
        top_bar::top_bar_ui(ui, &ctx);
        status_bar::status_bar_ui(ui, &ctx);
        login_panel::login_ui(ui, &ctx);
        if view.list_open {
            services_list::services_list_ui(ui, &ctx);
        }
        if view.inspector_open {
            inspector::inspector_ui(ui, &ctx);
        }
        if view.bottom_open {
            bottom::bottom_ui(ui, &ctx);
        }
        map::map_ui(ui, &ctx, canvas);
        context_menu::menu_ui(ui.ctx(), &ctx);
        if let Some(dialog) = dialog {
            dialogs::dialog_ui(ui.ctx(), &ctx, dialog);
        }
        let (actions, tick) = ctx.into_actions();
        view.focus_search = false;
        view.focus_filter = false;
        view.scroll_to_selection = false;
        if let Some(secs) = tick {
            ui.ctx().request_repaint_after(Duration::from_secs(secs));
        }
        if !actions.is_empty() {
            // What was asked for is seen in the next frame, which nothing else may ask for.
            ui.ctx().request_repaint();
            let surroundings = update::UpdateContext {
                scene: &self.scene,
                handle: &self.handle,
                egui: ui.ctx(),
                now: (self.clock)(),
            };
            update::apply(&mut self.state, &surroundings, actions);
        }
        export_flow::report_finished(&mut self.state);
        self.state.toasts.ui(ui.ctx(), tokens);
    }
}

/// Widgets that are new take their final place in a second frame: at once, but where scenes go on
/// it is the next one's, which comes about as soon as this one came after the last, `since_last`
/// milliseconds.
fn second_frame_delay(since_last: i64) -> Duration {
    match u64::try_from(since_last) {
        Ok(millis) if since_last < RAPID_SCENE_MILLIS => Duration::from_millis(millis + millis / 2),
        _ => Duration::ZERO,
    }
}

fn display_preferences(egui: &egui::Context) -> (egui::ThemePreference, f32) {
    let theme = egui.options(|options| options.theme_preference);
    (theme, egui.zoom_factor())
}

const PALETTE: egui::KeyboardShortcut =
    egui::KeyboardShortcut::new(egui::Modifiers::COMMAND, Key::K);

impl eframe::App for SvcscopeApp {
    fn logic(&mut self, _egui: &egui::Context, _frame: &mut eframe::Frame) {
        self.take_scene();
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let cpu = frame.info().cpu_usage.unwrap_or_default();
        self.handle.report_frame_time(cpu);
        if let Some(times) = &mut self.state.view.frame_times {
            times.note(ui.input(|input| input.time), cpu);
        }
        // Keys are read here and not in `logic`, which also runs while the window is hidden and
        // then sees the input of the last shown frame again.
        let keys = self.shortcut_actions(ui.ctx());
        if let Some(wait) = self.second_frame_in.take() {
            ui.ctx().request_repaint_after(wait);
        }
        self.panels_ui(ui, keys);
        self.save_preferences(ui.ctx());
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.extreme_bg_color.to_normalized_gamma_f32()
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
