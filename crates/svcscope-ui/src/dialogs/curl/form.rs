//! The request.

use egui::{ComboBox, Label, RichText, Ui};

use super::{
    access_path::access_path_ui,
    draft::{CurlDialog, CurlFormPage},
    form_pages, send,
};
use crate::{
    context::PanelContext,
    dialogs::form_row_ui,
    widgets::{named_field, text_field},
};
use svcscope_net::probe::{HttpScheme, RequestKind};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Draws the form; `enter` sends as the button does.
pub(super) fn form_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog, enter: bool) {
    let changed = form_row_ui(ui, ctx, "Port", |ui| {
        form.port.choice_ui(ui, ctx, &form.target)
    });
    if changed {
        form.guess_scheme();
    }
    ui.add_space(4.0);
    access_path_ui(ui, ctx, form);
    ui.add_space(4.0);
    line_ui(ui, ctx, form);
    if form.insecure {
        let said = "Certificate verification is off: anyone between here and the server can answer in its place.";
        form_row_ui(ui, ctx, "", |ui| {
            ui.add(Label::new(RichText::new(said).color(ctx.tokens.degraded)).wrap());
        });
    }
    ui.add_space(4.0);
    pages_ui(ui, ctx, form);
    ui.add_space(4.0);
    send::send_ui(ui, ctx, form, enter);
}

fn line_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog) {
    form_row_ui(ui, ctx, "Request", |ui| {
        ui.horizontal(|ui| {
            let is_http = form.probe_kind == RequestKind::Http;
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
                for scheme in HttpScheme::ALL {
                    let hint = match scheme {
                        HttpScheme::Http => "Plain",
                        HttpScheme::Https => {
                            "TLS; the certificate is verified unless you ignore it"
                        }
                        HttpScheme::H2c => "HTTP/2 without TLS, from the first byte",
                    };
                    if ui
                        .selectable_label(form.scheme == scheme, scheme.as_str())
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

fn pages_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog) {
    let headers = form.headers.lines().filter(|line| !line.is_empty()).count();
    let body = if form.body.is_empty() { "" } else { " ●" };
    form_row_ui(ui, ctx, "", |ui| {
        ui.horizontal(|ui| {
            for (page, word) in [
                (
                    CurlFormPage::Headers,
                    format!("Headers to send ({headers})"),
                ),
                (CurlFormPage::Body, format!("Body to send{body}")),
                (CurlFormPage::Tls, "TLS".to_owned()),
                (CurlFormPage::More, "More".to_owned()),
                (CurlFormPage::Paste, "Paste a curl line".to_owned()),
            ] {
                if ui.selectable_label(form.page == page, word).clicked() {
                    form.page = page;
                }
            }
        });
        ui.add_space(2.0);
        match form.page {
            CurlFormPage::Headers => form_pages::headers_ui(ui, form),
            CurlFormPage::Body => form_pages::body_ui(ui, form),
            CurlFormPage::Tls => form_pages::tls_ui(ui, ctx, form),
            CurlFormPage::More => form_pages::more_ui(ui, ctx, form),
            CurlFormPage::Paste => form_pages::paste_ui(ui, ctx, form),
        }
    });
}
