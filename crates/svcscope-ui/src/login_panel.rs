//! A login that waits for the user: what its plugin says while it runs, and a way out.

use egui::{Label, Panel, RichText, ScrollArea, Ui};

use super::{
    action::WindowAction,
    context::PanelContext,
    theme::{Health, SMALL, mono},
    widgets::{link_button, state_mark},
};
use svcscope_engine::{EngineCommand, LoginStatus};

/// No more of its words are seen at once, in points.
const WORDS_HEIGHT: f32 = 160.0;

/// Draws the panel, where there is something to see.
pub fn login_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let login = ctx.scene.login.as_deref();
    let Some(login) = login.filter(|login| login.is_shown()) else {
        return;
    };
    Panel::top("login").show(ui, |ui| {
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            ui.add_space(4.0);
            state_mark(ui, ctx.tokens, Health::Pending);
            let words = format!(
                "Waiting for {}, {}",
                login.credential_source,
                ctx.age(login.started_at)
            );
            ui.label(RichText::new(words).color(ctx.tokens.text));
            if !login.lines.is_empty()
                && link_button(ui, ctx.tokens, "Copy", "Copy what it says").clicked()
            {
                let lines: Vec<&str> = login.lines.iter().map(|line| &**line).collect();
                ui.ctx().copy_text(lines.join("\n"));
            }
            if link_button(ui, ctx.tokens, "Cancel", "Cancel the login").clicked() {
                ctx.send(WindowAction::Send(EngineCommand::CancelLogin));
            }
        });
        ScrollArea::vertical()
            .max_height(WORDS_HEIGHT)
            .stick_to_bottom(true)
            .show(ui, |ui| lines_ui(ui, ctx, login));
        ui.add_space(4.0);
    });
    ctx.repaint_in_secs(1);
}

fn lines_ui(ui: &mut Ui, ctx: &PanelContext<'_>, login: &LoginStatus) {
    for line in login.lines.iter() {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.add_space(24.0);
            for piece in line.split_inclusive(' ') {
                let text = RichText::new(piece).font(mono(SMALL));
                match url(piece) {
                    Some(url) => ui.hyperlink_to(text, url),
                    None => ui.add(Label::new(text.color(ctx.tokens.text)).selectable(true)),
                };
            }
        });
    }
}

/// A web address among words, without what ends the sentence.
fn url(word: &str) -> Option<&str> {
    let word = word.trim_matches(|c: char| c.is_whitespace() || "<>()[]\"'`.,;".contains(c));
    let is_url = word.starts_with("https://") || word.starts_with("http://");
    is_url.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn only_web_addresses_are_opened() {
        assert_eq!(
            url("<https://x.example/d?c=1>. "),
            Some("https://x.example/d?c=1")
        );
        assert_eq!(
            url("http://127.0.0.1:8000/"),
            Some("http://127.0.0.1:8000/")
        );
        for word in ["file:///etc/passwd", "javascript:x", "https", "AB-12 "] {
            assert_eq!(url(word), None);
        }
    }
}
