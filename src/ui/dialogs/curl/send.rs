//! Sending, repeating, copying.

use std::net::SocketAddr;

use egui::{RichText, Ui};
use egui_phosphor::regular as icon;

use super::draft::Curl;
use crate::{
    engine::Command,
    inventory::Text,
    probe::{self, CurlRequest, Insider, Vantage},
    ui::{
        action::Action,
        context::Ctx,
        widgets::{action_button, allow_ui, dim, named_field, text_field},
    },
};

/// The local port of the commands that are copied: any would do.
const LOCAL: u16 = 8080;

/// Why this request can't be sent now, where that is so.
fn not_now(ctx: &Ctx<'_>, request: &CurlRequest) -> Option<Text> {
    if let Vantage::Inside {
        from: Insider::ProbePod { agreed: false, .. },
        ..
    } = &request.vantage
    {
        return Some(Text::from(
            "nothing is made in the cluster unasked: tick that a pod may be made",
        ));
    }
    let is_inside = matches!(request.vantage, Vantage::Inside { .. });
    if (request.may_change() || is_inside)
        && let Some(why) = ctx.no_risk()
    {
        return Some(why);
    }
    let by_forward = matches!(request.vantage, Vantage::Forward | Vantage::ForwardPod(_));
    if by_forward {
        return ctx.no_forward();
    }
    ctx.not_connected()
}

/// Draws the orders; `enter` sends as the button does.
pub(super) fn send_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl, enter: bool) {
    let request = form.request();
    let disabled = match &request {
        Err(reason) => Some(reason.clone()),
        Ok(request) => not_now(ctx, request),
    };
    let disabled = form.not_filled_in().or(disabled);
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    if let Ok(request) = &request
        && (request.may_change() || matches!(request.vantage, Vantage::Inside { .. }))
    {
        allow_ui(ui, ctx);
    }
    let running = form
        .status(ctx)
        .filter(|status| status.state.is_under_way());
    ui.horizontal(|ui| {
        if let Some(status) = running {
            ui.spinner();
            let far = match &status.repeated {
                Some(repeated) => format!("{} of {}", repeated.done(), repeated.times),
                None => format!("Waiting, {}", ctx.age(status.started)),
            };
            dim(ui, ctx.tokens, far);
            if ui.button("Cancel request").clicked() {
                ctx.send(Action::Send(Command::CancelCurl(status.id)));
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
            ctx.send(Action::Curl(Box::new(request.clone()), None));
        }
        repeat_ui(ui, ctx, form, &request, disabled.as_ref());
        if let Ok(request) = &request {
            copy_ui(ui, ctx, request);
        }
    });
}

fn repeat_ui(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    form: &mut Curl,
    request: &Result<CurlRequest, Text>,
    disabled: Option<&Text>,
) {
    let times = form.times();
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
    let field = text_field(&mut form.times).desired_width(34.0);
    let response = ui.add(field);
    named_field(&response, "Times", &form.times);
    ui.label(RichText::new("times").color(ctx.tokens.dim));
    if let (true, Ok(request), Ok(times)) = (clicked, request, times) {
        ctx.send(Action::Curl(Box::new(request.clone()), Some(times)));
    }
}

fn copy_ui(ui: &mut Ui, ctx: &Ctx<'_>, request: &CurlRequest) {
    let inventory = &ctx.scene.inventory;
    ui.menu_button(format!("{} Copy as", icon::COPY), |ui| {
        let local = SocketAddr::from(([127, 0, 0, 1], LOCAL));
        for (word, what) in [
            ("curl", "curl command"),
            ("kubectl", "kubectl command"),
            ("svcscope curl", "svcscope command"),
        ] {
            if ui.button(word).clicked() {
                let text = match word {
                    "curl" => probe::curl_line(request, inventory, local),
                    "kubectl" => probe::kubectl_line(request, inventory, LOCAL),
                    _ => probe::svcscope_line(request),
                };
                ctx.send(Action::Copy { text, what });
            }
        }
    })
    .response
    .on_hover_text(format!(
        "The same request for a terminal, without secrets; by a forward, kubectl's listens at {LOCAL}"
    ));
}
