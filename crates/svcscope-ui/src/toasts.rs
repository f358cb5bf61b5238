//! Short notices at the corner.
//!
//! Written here because the toast crates for egui ask for a frame at every moment a toast is
//! shown, cut long messages, and can't be read by those who listen; a server's words are long.

use std::path::{Path, PathBuf};

use egui::{Align2, Area, Context, Frame, Label, Margin, Order, RichText, Stroke, vec2};
use egui_phosphor::regular as icon;

use super::{
    bottom::activity,
    theme::ColorTokens,
    widgets::{icon_button, link_button},
};
use svcscope_engine::{ActivityLevel, ActivityMessage, Scene};

const SHOWN_AT_ONCE: usize = 4;
const SECONDS: f64 = 5.0;
/// Of what must be read or acted upon.
const SECONDS_LONG: f64 = 15.0;
const WIDTH: f32 = 340.0;

#[derive(Debug)]
struct ToastMessage {
    level: ActivityLevel,
    text: String,
    /// A file that it is about.
    file: Option<PathBuf>,
    /// When it goes, in egui's seconds; none before it was first drawn.
    expires_at: Option<f64>,
}

/// The notices on screen.
#[derive(Debug, Default)]
pub struct ToastStack {
    toasts: Vec<ToastMessage>,
    last_shown_number: u64,
}

impl ToastStack {
    /// Says something of the window's own.
    pub fn notice(&mut self, text: String) {
        self.push(ActivityLevel::Info, text, None);
    }

    /// Says that something of the window's own went wrong.
    pub fn error(&mut self, text: String) {
        self.push(ActivityLevel::Error, text, None);
    }

    /// Says that a file is there.
    pub fn file(&mut self, text: String, file: PathBuf) {
        self.push(ActivityLevel::Info, text, Some(file));
    }

    /// Of what happened before the window opened only errors are news.
    pub fn show_startup_errors(&mut self, scene: &Scene) {
        for entry in scene.activity.iter() {
            self.last_shown_number = self.last_shown_number.max(entry.number);
            if entry.level == ActivityLevel::Error {
                self.push(entry.level, entry.text.to_string(), None);
            }
        }
    }

    /// Takes in what happened since the last scene.
    pub fn show_new_activity(&mut self, scene: &Scene) {
        let unseen = |entry: &&ActivityMessage| entry.number > self.last_shown_number;
        let news: Vec<_> = scene.activity.iter().filter(unseen).cloned().collect();
        for entry in news {
            self.last_shown_number = self.last_shown_number.max(entry.number);
            self.push(entry.level, entry.text.to_string(), None);
        }
    }

    fn push(&mut self, level: ActivityLevel, text: String, file: Option<PathBuf>) {
        self.toasts.push(ToastMessage {
            level,
            text,
            file,
            expires_at: None,
        });
        if self.toasts.len() > SHOWN_AT_ONCE {
            self.toasts.remove(0);
        }
    }

    /// Draws them; asks for the one frame in which the next one goes.
    pub fn ui(&mut self, ctx: &Context, tokens: &ColorTokens) {
        if self.toasts.is_empty() {
            return;
        }
        let now = ctx.input(|input| input.time);
        for toast in &mut self.toasts {
            let lasts = match toast.level {
                ActivityLevel::Error => SECONDS_LONG,
                _ if toast.file.is_some() => SECONDS_LONG,
                ActivityLevel::Info | ActivityLevel::Warning => SECONDS,
            };
            toast.expires_at.get_or_insert(now + lasts);
        }
        self.toasts
            .retain(|toast| toast.expires_at.is_none_or(|until| until > now));
        let next = self
            .toasts
            .iter()
            .filter_map(|toast| toast.expires_at)
            .fold(f64::INFINITY, f64::min);
        if next.is_finite() {
            ctx.request_repaint_after_secs((next - now) as f32);
        }
        let mut copied = false;
        Area::new("toasts".into())
            .order(Order::Tooltip)
            .anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -40.0))
            .interactable(true)
            .show(ctx, |ui| {
                ui.set_width(WIDTH);
                self.toasts.retain(|toast| {
                    let pressed = toast_ui(ui, tokens, toast);
                    copied |= pressed == Some(ToastButton::CopyPath);
                    pressed != Some(ToastButton::Dismiss)
                });
            });
        if copied {
            self.notice("Copied the path".to_owned());
            ctx.request_repaint();
        }
    }
}

/// What somebody pressed on a notice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ToastButton {
    CopyPath,
    Dismiss,
}

/// Draws one; says what was pressed on it.
fn toast_ui(ui: &mut egui::Ui, tokens: &ColorTokens, toast: &ToastMessage) -> Option<ToastButton> {
    let (glyph, color, _) = activity::level(tokens, toast.level);
    let mut pressed = None;
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.card.lerp_to_gamma(color, 0.5)))
        .shadow(ui.visuals().popup_shadow)
        .corner_radius(8)
        .inner_margin(Margin::symmetric(12, 8))
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(glyph).color(color));
                ui.vertical(|ui| {
                    ui.set_width(WIDTH - 90.0);
                    ui.add(Label::new(&toast.text).wrap());
                    if toast
                        .file
                        .as_deref()
                        .is_some_and(|file| file_ui(ui, tokens, file))
                    {
                        pressed = Some(ToastButton::CopyPath);
                    }
                });
                if icon_button(ui, icon::X, "Dismiss", None).clicked() {
                    pressed = Some(ToastButton::Dismiss);
                }
            });
        });
    pressed
}

/// What can be done with a file; says whether its path was copied.
fn file_ui(ui: &mut egui::Ui, tokens: &ColorTokens, file: &Path) -> bool {
    ui.horizontal(|ui| {
        if link_button(ui, tokens, "Open", "Open the file").clicked() {
            ui.ctx().open_url(egui::OpenUrl::new_tab(file_url(file)));
        }
        let copy = link_button(ui, tokens, "Copy path", "Copy the path of the file").clicked();
        if copy {
            ui.ctx().copy_text(file.display().to_string());
        }
        copy
    })
    .inner
}

/// `file:///home/dev/my%20map.svg`.
fn file_url(file: &Path) -> String {
    let mut url = String::from("file://");
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(*byte)),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn scene(numbers: std::ops::RangeInclusive<u64>) -> Scene {
        Scene {
            activity: numbers
                .map(|number| ActivityMessage {
                    number,
                    at: jiff::Timestamp::UNIX_EPOCH,
                    level: ActivityLevel::Info,
                    text: number.to_string().into(),
                    is_of_connection: false,
                })
                .collect::<Arc<[_]>>(),
            ..Scene::default()
        }
    }

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let mut toasts = ToastStack::default();
        toasts.show_new_activity(&scene(1..=2));
        toasts.show_new_activity(&scene(1..=3));
        let texts: Vec<_> = toasts.toasts.iter().map(|toast| &*toast.text).collect();
        assert_eq!(texts, ["1", "2", "3"]);
    }

    #[test]
    fn a_file_has_an_address() {
        let url = file_url(Path::new("/home/dev/Bilder/ä map#1.svg"));
        assert_eq!(url, "file:///home/dev/Bilder/%C3%A4%20map%231.svg");
    }

    #[test]
    fn a_flood_shows_only_the_newest() {
        let mut toasts = ToastStack::default();
        toasts.show_new_activity(&scene(1..=50));
        assert_eq!(toasts.toasts.len(), SHOWN_AT_ONCE);
        assert_eq!(toasts.toasts.last().map(|toast| &*toast.text), Some("50"));
    }
}
