//! What came back.

use egui::{Grid, Label, RichText, Ui};
use jiff::Timestamp;

use super::{body, draft::CurlDialog, phases::phases_ui, repeats};
use crate::{
    bottom::requests::{request_state_label, result_label},
    context::PanelContext,
    formatting,
    widgets::{badge, dim, notice},
};
use svcscope_engine::{RequestState, RequestStatus};
use svcscope_net::probe::{
    CurlError, CurlResponse, FailureKind, RedirectHop, RedirectPolicy, TlsSummary,
};

/// Which part of an answer is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ResponsePage {
    #[default]
    Body,
    Headers,
    Tls,
    Redirects,
}

/// Draws how the request stands and, once it is there, the answer.
pub(super) fn response_ui(ui: &mut Ui, ctx: &PanelContext<'_>, dialog: &mut CurlDialog) {
    let Some(status) = dialog.status(ctx) else {
        return;
    };
    if let Some(repeated) = &status.repeat_statistics {
        ui.add_space(8.0);
        ui.separator();
        repeats::repeats_ui(ui, ctx, repeated);
    }
    match &status.state {
        RequestState::Running => {}
        RequestState::Cancelled => {
            dim(ui, ctx.tokens, "Cancelled.");
        }
        RequestState::Failed(error) => {
            ui.add_space(8.0);
            failed_ui(ui, ctx, dialog, error);
        }
        RequestState::Receiving(_) | RequestState::Done(_) => {}
    }
    if let Some(response) = status.state.response() {
        ui.add_space(8.0);
        ui.separator();
        let is_following = status.request.redirect_policy != RedirectPolicy::Never;
        summary_ui(ui, ctx, &status.state, response, is_following);
        response_pages_ui(ui, ctx, dialog, status, response);
    }
}

fn failed_ui(ui: &mut Ui, ctx: &PanelContext<'_>, dialog: &mut CurlDialog, error: &CurlError) {
    notice(ui, ctx.tokens, ctx.tokens.broken, |ui| {
        let words = RichText::new(&*error.message).color(ctx.tokens.broken);
        ui.add(Label::new(words).wrap());
        if error.kind == FailureKind::Certificate
            && ui
                .button("Ignore the certificate")
                .on_hover_text("Then send again; the answer will say that nothing was verified")
                .clicked()
        {
            dialog.insecure = true;
        }
    });
    if let Some(via) = &error.progress.via {
        dim(ui, ctx.tokens, format!("via {via}"));
    }
    phases_ui(ui, ctx, &error.progress.phases);
    if error.progress.partial.is_none()
        && let Some(tls) = &error.progress.tls
    {
        tls_ui(ui, ctx, tls);
    }
}

fn summary_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    state: &RequestState,
    response: &CurlResponse,
    is_following: bool,
) {
    let (state, _) = request_state_label(state);
    ui.horizontal_wrapped(|ui| {
        let color = ctx.tokens.health_color(state);
        badge(ui, ctx.tokens, &result_label(response), color);
        let mut parts = Vec::new();
        if let Some(head) = response.http() {
            parts.push(head.version.clone());
        }
        if let Some(first_byte) = response.phases.first_byte {
            parts.push(format!(
                "{} to the first byte",
                formatting::duration(first_byte)
            ));
        }
        parts.push(format!(
            "{} in all",
            formatting::duration(response.phases.total)
        ));
        if response.http().is_some() {
            parts.push(formatting::bytes(response.body_bytes));
        }
        dim(ui, ctx.tokens, parts.join(" · "));
    });
    dim(ui, ctx.tokens, format!("via {}", response.via));
    if let Some(reason) = response.tls.as_ref().and_then(|tls| tls.rejection.as_ref()) {
        let said = format!("The certificate was ignored: {reason}.");
        let said = RichText::new(said).color(ctx.tokens.degraded);
        ui.add(Label::new(said).wrap());
    }
    let leads_to = response.redirect_url();
    if let (Some(url), true) = (leads_to, is_following) {
        let said = format!(
            "The redirect to {url} was not followed: it leads to another host or port. \"Follow \
             anywhere\" asks there, from this machine."
        );
        let said = RichText::new(said).color(ctx.tokens.degraded);
        ui.add(Label::new(said).wrap());
    }
    phases_ui(ui, ctx, &response.phases);
}

fn response_pages_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    dialog: &mut CurlDialog,
    status: &RequestStatus,
    response: &CurlResponse,
) {
    let headers = response.http().map_or(0, |head| head.headers.len());
    ui.horizontal(|ui| {
        let mut pages = vec![
            (ResponsePage::Body, "Body".to_owned()),
            (ResponsePage::Headers, format!("Headers ({headers})")),
        ];
        if response.tls.is_some() {
            pages.push((ResponsePage::Tls, "Certificates".to_owned()));
        }
        if !response.hops.is_empty() {
            let count = response.hops.len();
            pages.push((ResponsePage::Redirects, format!("Redirects ({count})")));
        }
        for (page, word) in pages {
            if ui
                .selectable_label(dialog.response_page == page, word)
                .clicked()
            {
                dialog.response_page = page;
            }
        }
    });
    match (dialog.response_page, &response.tls) {
        (ResponsePage::Headers, _) => headers_ui(ui, ctx, response),
        (ResponsePage::Tls, Some(tls)) => tls_ui(ui, ctx, tls),
        (ResponsePage::Redirects, _) if !response.hops.is_empty() => {
            redirects_ui(ui, ctx, &response.hops);
        }
        _ => body::body_ui(ui, ctx, dialog, status, response),
    }
}

fn headers_ui(ui: &mut Ui, ctx: &PanelContext<'_>, response: &CurlResponse) {
    let Some(head) = response.http() else {
        return;
    };
    Grid::new("response headers")
        .num_columns(2)
        .spacing([12.0, 2.0])
        .show(ui, |ui| {
            for (name, value) in &head.headers {
                ui.label(RichText::new(name).monospace().color(ctx.tokens.dim));
                ui.add(Label::new(RichText::new(value).monospace()).wrap());
                ui.end_row();
            }
        });
}

fn redirects_ui(ui: &mut Ui, ctx: &PanelContext<'_>, hops: &[RedirectHop]) {
    for hop in hops {
        let line = format!("{} {} → {}", hop.status, hop.from, hop.to);
        ui.add(Label::new(RichText::new(line).monospace()).wrap());
        dim(ui, ctx.tokens, format!("by {}", hop.via));
    }
}

fn tls_ui(ui: &mut Ui, ctx: &PanelContext<'_>, tls: &TlsSummary) {
    let mut parts = vec![format!("Asked for {}", tls.server_name)];
    parts.extend(
        [&tls.version, &tls.cipher, &tls.alpn]
            .into_iter()
            .flatten()
            .map(|word| word.to_string()),
    );
    dim(ui, ctx.tokens, parts.join(" · "));
    for certificate in &tls.chain {
        ui.add_space(4.0);
        ui.add(Label::new(RichText::new(&*certificate.subject).monospace()).wrap());
        let names = match certificate.names.as_slice() {
            [] => "no name".to_owned(),
            names => names.join(", "),
        };
        let day = |at: Option<Timestamp>| {
            at.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
        };
        let until = day(certificate.not_after);
        let has_expired = certificate.not_after.is_some_and(|at| at < ctx.now);
        dim(
            ui,
            ctx.tokens,
            format!("for {names} · signed by {}", certificate.issuer),
        );
        let validity = format!("valid from {} until {until}", day(certificate.not_before));
        if has_expired {
            let said = format!("{validity}: expired");
            ui.label(RichText::new(said).color(ctx.tokens.broken));
        } else {
            dim(ui, ctx.tokens, validity);
        }
    }
}
