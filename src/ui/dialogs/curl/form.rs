//! The request.

use egui::{ComboBox, Label, RichText, Ui};

use super::{
    door::door_ui,
    draft::{Curl, FormPage},
    more, send,
};
use crate::{
    probe::{Ask, Scheme},
    ui::{
        context::Ctx,
        dialogs::field_ui,
        widgets::{named_field, text_field},
    },
};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Draws the form; `enter` sends as the button does.
pub(super) fn form_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl, enter: bool) {
    let changed = field_ui(ui, ctx, "Port", |ui| {
        form.port.choice_ui(ui, ctx, &form.target)
    });
    if changed {
        form.guess_scheme();
    }
    ui.add_space(4.0);
    door_ui(ui, ctx, form);
    ui.add_space(4.0);
    line_ui(ui, ctx, form);
    if form.insecure {
        let said = "The certificate is ignored: whoever stands in between could answer.";
        field_ui(ui, ctx, "", |ui| {
            ui.add(Label::new(RichText::new(said).color(ctx.tokens.degraded)).wrap());
        });
    }
    ui.add_space(4.0);
    pages_ui(ui, ctx, form);
    ui.add_space(4.0);
    send::send_ui(ui, ctx, form, enter);
}

fn line_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl) {
    field_ui(ui, ctx, "Request", |ui| {
        ui.horizontal(|ui| {
            let is_http = form.ask == Ask::Http;
            ui.add_enabled_ui(is_http, |ui| {
                ComboBox::from_id_salt("method")
                    .selected_text(&form.method)
                    .width(84.0)
                    .show_ui(ui, |ui| {
                        for method in METHODS {
                            ui.selectable_value(&mut form.method, method.to_owned(), method);
                        }
                    })
                    .response
                    .on_hover_text("Method");
                for scheme in Scheme::ALL {
                    let hint = match scheme {
                        Scheme::Http => "Plain",
                        Scheme::Https => "TLS; the certificate is verified unless you ignore it",
                        Scheme::H2c => "HTTP/2 without TLS, from the first byte",
                    };
                    if ui
                        .selectable_label(form.scheme == scheme, scheme.word())
                        .on_hover_text(hint)
                        .clicked()
                    {
                        form.scheme = scheme;
                    }
                }
                let field = text_field(&mut form.path)
                    .font(egui::TextStyle::Monospace)
                    .hint_text("/")
                    .desired_width(ui.available_width() - 90.0);
                let response = ui.add(field);
                named_field(&response, "Path", &form.path);
            });
            let field = text_field(&mut form.timeout_secs).desired_width(34.0);
            let response = ui.add(field);
            named_field(&response, "Time limit in seconds", &form.timeout_secs);
            response.on_hover_text("How long the whole may take, in seconds");
            ui.label("s");
        });
    });
}

fn pages_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl) {
    let headers = form.headers.lines().filter(|line| !line.is_empty()).count();
    let body = if form.body.is_empty() { "" } else { " ●" };
    field_ui(ui, ctx, "", |ui| {
        ui.horizontal(|ui| {
            for (page, word) in [
                (FormPage::Headers, format!("Headers to send ({headers})")),
                (FormPage::Body, format!("Body to send{body}")),
                (FormPage::Tls, "TLS".to_owned()),
                (FormPage::More, "More".to_owned()),
                (FormPage::Paste, "Paste a curl line".to_owned()),
            ] {
                if ui.selectable_label(form.page == page, word).clicked() {
                    form.page = page;
                }
            }
        });
        ui.add_space(2.0);
        match form.page {
            FormPage::Headers => more::headers_ui(ui, form),
            FormPage::Body => more::body_ui(ui, form),
            FormPage::Tls => more::tls_ui(ui, ctx, form),
            FormPage::More => more::more_ui(ui, ctx, form),
            FormPage::Paste => more::paste_ui(ui, ctx, form),
        }
    });
}
