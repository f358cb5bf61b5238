//! The pages of the form.

use egui::{Label, Margin, RichText, TextEdit, Ui};

use super::draft::CurlDialog;
use crate::{
    context::PanelContext,
    widgets::{dim, named_field, text_field},
};
use svcscope_model::inventory::SharedStr;
use svcscope_net::probe::{HttpVersion, RedirectPolicy, RequestKind};

fn text_area_ui(ui: &mut Ui, name: &str, hint: &str, rows: usize, text: &mut String) {
    let field = TextEdit::multiline(text)
        .hint_text(hint)
        .font(egui::TextStyle::Monospace)
        .margin(Margin::symmetric(8, 5))
        .desired_rows(rows)
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    named_field(&response, name, text);
}

pub(super) fn headers_ui(ui: &mut Ui, form: &mut CurlDialog) {
    text_area_ui(
        ui,
        "Headers",
        "Accept: application/json",
        2,
        &mut form.headers,
    );
}

pub(super) fn body_ui(ui: &mut Ui, form: &mut CurlDialog) {
    text_area_ui(ui, "Body", "{}", 4, &mut form.body);
}

pub(super) fn tls_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog) {
    ui.checkbox(&mut form.insecure, "Ignore the certificate")
        .on_hover_text("Go on whatever the certificate says; the answer says so");
    for (name, hint, text) in [
        (
            "Server name",
            "that of the Host header",
            &mut form.server_name,
        ),
        (
            "Trust also",
            "a file of PEM certificates",
            &mut form.tls_files.ca,
        ),
        (
            "Client certificate",
            "a PEM file",
            &mut form.tls_files.certificate,
        ),
        (
            "Its key",
            "a PEM file, unless the certificate's has it",
            &mut form.tls_files.key,
        ),
    ] {
        ui.horizontal(|ui| {
            let label = Label::new(RichText::new(name).color(ctx.tokens.dim));
            ui.add_sized([120.0, 22.0], label);
            let field = text_field(text)
                .hint_text(hint)
                .font(egui::TextStyle::Monospace)
                .desired_width(f32::INFINITY);
            let response = ui.add(field);
            named_field(&response, name, text);
        });
    }
}

pub(super) fn more_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog) {
    ui.horizontal(|ui| {
        dim(ui, ctx.tokens, "Do");
        let health = match &form.probe_kind {
            RequestKind::GrpcHealth(service) => service.clone(),
            _ => SharedStr::from(""),
        };
        for (ask, word, hint) in [
            (RequestKind::Http, "HTTP request", "Send the request above"),
            (
                RequestKind::Tcp,
                "TCP connect",
                "Open a connection and close it: for ports that don't speak HTTP",
            ),
            (
                RequestKind::Tls,
                "TLS handshake",
                "Shake hands and show the certificates",
            ),
            (
                RequestKind::GrpcHealth(health),
                "gRPC health",
                "Ask grpc.health.v1.Health/Check, of a service or of the whole server",
            ),
        ] {
            if ui
                .radio(form.probe_kind == ask, word)
                .on_hover_text(hint)
                .clicked()
            {
                form.probe_kind = ask;
            }
        }
        if let RequestKind::GrpcHealth(service) = &form.probe_kind {
            let mut typed = service.to_string();
            let field = text_field(&mut typed)
                .hint_text("whole server")
                .desired_width(140.0);
            let response = ui.add(field);
            named_field(&response, "gRPC service", &typed);
            if response.changed() {
                form.probe_kind = RequestKind::GrpcHealth(typed.into());
            }
        }
    });
    ui.horizontal(|ui| {
        dim(ui, ctx.tokens, "HTTP version");
        for (version, word, hint) in [
            (
                HttpVersion::Auto,
                "best of both",
                "HTTP/2 where TLS agrees on it, else HTTP/1.1",
            ),
            (HttpVersion::Http1, "HTTP/1.1", "And nothing else"),
            (HttpVersion::Http2, "HTTP/2", "And nothing else"),
        ] {
            ui.radio_value(&mut form.version, version, word)
                .on_hover_text(hint);
        }
    });
    ui.horizontal(|ui| {
        dim(ui, ctx.tokens, "Redirects");
        for (follow, word, hint) in [
            (
                RedirectPolicy::Never,
                "show",
                "They are shown and not followed",
            ),
            (
                RedirectPolicy::SameOrigin,
                "follow here",
                "Only redirects to the same host and port, via the same access path",
            ),
            (
                RedirectPolicy::Anywhere,
                "follow anywhere",
                "Also redirects to other hosts, sent directly from this machine and not via the choice above",
            ),
        ] {
            ui.radio_value(&mut form.follow, follow, word)
                .on_hover_text(hint);
        }
    });
    ui.checkbox(
        &mut form.compressed,
        "Accept gzip and deflate, and decompress",
    );
}

pub(super) fn paste_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog) {
    text_area_ui(
        ui,
        "Curl line",
        "curl https://shop.example.com/api -H 'Accept: application/json'",
        3,
        &mut form.pasted,
    );
    ui.horizontal(|ui| {
        let empty = form.pasted.trim().is_empty();
        if ui
            .add_enabled(!empty, egui::Button::new("Fill in"))
            .clicked()
        {
            let line = std::mem::take(&mut form.pasted);
            let said = form.paste(&line).map_err(|error| error.to_string());
            if said.is_err() {
                form.pasted = line;
            }
            form.paste_result = Some(said);
        }
        match &form.paste_result {
            Some(Ok(said)) => {
                ui.label(RichText::new(said).color(ctx.tokens.healthy));
            }
            Some(Err(said)) => {
                ui.label(RichText::new(said).color(ctx.tokens.degraded));
            }
            None => {}
        }
    });
}
