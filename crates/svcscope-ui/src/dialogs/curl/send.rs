//! Sending, repeating, copying.

use std::net::SocketAddr;

use egui::{RichText, Ui};
use egui_phosphor::regular as icon;

use super::draft::CurlDialog;
use crate::{
    action::WindowAction,
    context::PanelContext,
    widgets::{action_button, dim, named_field, production_consent_ui, text_field},
};
use svcscope_engine::EngineCommand;
use svcscope_model::inventory::SharedStr;
use svcscope_net::probe::{self, AccessPath, CurlRequest, ExecTarget};

/// The local port of the commands that are copied: any would do.
const EXAMPLE_LOCAL_PORT: u16 = 8080;

/// Why this request can't be sent now, where that is so.
fn send_refusal(ctx: &PanelContext<'_>, request: &CurlRequest) -> Option<SharedStr> {
    if let AccessPath::InCluster {
        from: ExecTarget::ProbePod {
            user_consented: false,
            ..
        },
        ..
    } = &request.access_path
    {
        return Some(SharedStr::from(
            "tick the box that allows creating a probe pod first",
        ));
    }
    let is_inside = matches!(request.access_path, AccessPath::InCluster { .. });
    if (request.may_change() || is_inside)
        && let Some(why) = ctx.risky_request_refusal()
    {
        return Some(why);
    }
    let by_forward = matches!(
        request.access_path,
        AccessPath::Forward | AccessPath::ForwardPod(_)
    );
    if by_forward {
        return ctx.forward_refusal();
    }
    ctx.disconnected_reason()
}

/// Draws the orders; `enter` sends as the button does.
pub(super) fn send_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog, enter: bool) {
    let request = form.request();
    let disabled = match &request {
        Err(reason) => Some(reason.clone()),
        Ok(request) => send_refusal(ctx, request),
    };
    let disabled = form.pending_paste_reason().or(disabled);
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    if let Ok(request) = &request
        && (request.may_change() || matches!(request.access_path, AccessPath::InCluster { .. }))
    {
        production_consent_ui(ui, ctx);
    }
    let running = form
        .status(ctx)
        .filter(|status| status.state.is_under_way());
    ui.horizontal(|ui| {
        if let Some(status) = running {
            ui.spinner();
            let far = match &status.repeat_statistics {
                Some(repeated) => format!("{} of {}", repeated.done(), repeated.times),
                None => format!("Waiting, {}", ctx.age(status.started)),
            };
            dim(ui, ctx.tokens, far);
            if ui.button("Cancel request").clicked() {
                ctx.send(WindowAction::Send(EngineCommand::CancelRequest(status.id)));
            }
            return;
        }
        let clicked = action_button(
            ui,
            ctx.tokens,
            icon::PAPER_PLANE_TILT,
            "Send",
            Some("Ctrl+Enter"),
            true,
            disabled.as_ref(),
        )
        .clicked();
        if (clicked || enter)
            && disabled.is_none()
            && let Ok(request) = &request
        {
            ctx.send(WindowAction::Curl(Box::new(request.clone()), None));
        }
        repeat_ui(ui, ctx, form, &request, disabled.as_ref());
        if let Ok(request) = &request {
            copy_ui(ui, ctx, request);
        }
    });
}

fn repeat_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    form: &mut CurlDialog,
    request: &Result<CurlRequest, SharedStr>,
    disabled: Option<&SharedStr>,
) {
    let times = form.parse_repetitions();
    let disabled = disabled.cloned().or_else(|| times.as_ref().err().cloned());
    let clicked = action_button(
        ui,
        ctx.tokens,
        icon::REPEAT,
        "Repeat",
        None,
        false,
        disabled.as_ref(),
    )
    .on_hover_text("Send it many times, one after another: how long, and which pod answers")
    .clicked();
    let field = text_field(&mut form.repetitions).desired_width(34.0);
    let response = ui.add(field);
    named_field(&response, "Times", &form.repetitions);
    ui.label(RichText::new("times").color(ctx.tokens.dim));
    if let (true, Ok(request), Ok(times)) = (clicked, request, times) {
        ctx.send(WindowAction::Curl(Box::new(request.clone()), Some(times)));
    }
}

fn copy_ui(ui: &mut Ui, ctx: &PanelContext<'_>, request: &CurlRequest) {
    let inventory = &ctx.scene.inventory;
    ui.menu_button(format!("{} Copy as", icon::COPY), |ui| {
        let local = SocketAddr::from(([127, 0, 0, 1], EXAMPLE_LOCAL_PORT));
        for (word, what) in [
            ("curl", "curl command"),
            ("kubectl", "kubectl command"),
            ("svcscope curl", "svcscope command"),
        ] {
            if ui.button(word).clicked() {
                let text = match word {
                    "curl" => probe::curl_line(request, inventory, local),
                    "kubectl" => probe::kubectl_line(request, inventory, EXAMPLE_LOCAL_PORT),
                    _ => probe::svcscope_line(request),
                };
                ctx.send(WindowAction::Copy { text, what });
            }
        }
    })
    .response
    .on_hover_text(format!(
        "The same request for a terminal, without secrets; by a forward, kubectl's listens at {EXAMPLE_LOCAL_PORT}"
    ));
}
