//! The request.

use std::time::Duration;

use egui::{ComboBox, Key, Margin, Modifiers, RichText, TextEdit, Ui};
use egui_phosphor::regular as icon;

use crate::{
    engine::{Command, RequestStatus, Scene},
    forward::{ForwardTarget, RemotePort},
    inventory::Text,
    probe::{CurlRequest, RequestId, Scheme},
    ui::{
        action::Action,
        context::Ctx,
        dialogs::{field_ui, port_choice::PortChoice},
        widgets::{action_button, dim, named_field, text_field},
    },
};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const DEFAULT_TIMEOUT_SECS: u64 = 30;

/// The dialog: a form and the request that it sent last.
#[derive(Debug)]
pub struct Curl {
    target: ForwardTarget,
    port: PortChoice,
    scheme: Scheme,
    method: String,
    path: String,
    headers: String,
    body: String,
    timeout_secs: String,
    sent: Option<RequestId>,
    /// Whether the answer's headers are shown instead of its body.
    pub(super) show_headers: bool,
}

impl Curl {
    /// A form for this target.
    pub fn new(scene: &Scene, target: ForwardTarget, port: Option<RemotePort>) -> Self {
        let mut form = Self {
            port: PortChoice::new(scene, &target, port.as_ref()),
            target,
            scheme: Scheme::Http,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: String::new(),
            body: String::new(),
            timeout_secs: DEFAULT_TIMEOUT_SECS.to_string(),
            sent: None,
            show_headers: false,
        };
        form.guess_scheme();
        form
    }

    /// The form of a request that was sent, with its answer.
    pub fn of_request(scene: &Scene, status: &RequestStatus) -> Self {
        let request = &status.request;
        let lines: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        Self {
            target: request.target.clone(),
            port: PortChoice::new(scene, &request.target, Some(&request.port)),
            scheme: request.scheme,
            method: request.method.clone(),
            path: request.path.clone(),
            headers: lines.join("\n"),
            body: String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned(),
            timeout_secs: request.timeout.as_secs().to_string(),
            sent: Some(status.id),
            show_headers: false,
        }
    }

    /// Where the request goes.
    pub fn target(&self) -> &ForwardTarget {
        &self.target
    }

    /// Shows the answer to this request from now on.
    pub fn follow(&mut self, id: RequestId) {
        self.sent = Some(id);
    }

    /// The request that was sent last.
    pub(super) fn status<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a RequestStatus> {
        let id = self.sent?;
        ctx.scene.requests.iter().find(|status| status.id == id)
    }

    fn guess_scheme(&mut self) {
        self.scheme = match self.port.port() {
            Ok(port) if port.https => Scheme::Https,
            _ => Scheme::Http,
        };
    }

    fn request(&self) -> Result<CurlRequest, Text> {
        let port = self.port.port()?;
        let timeout = self.timeout_secs.trim().parse::<u64>().ok();
        let timeout = timeout.filter(|secs| (1..=3_600).contains(secs));
        let path = self.path.trim();
        Ok(CurlRequest {
            scheme: self.scheme,
            method: self.method.clone(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            headers: headers_of(&self.headers)?,
            body: (!self.body.is_empty()).then(|| self.body.clone().into()),
            timeout: Duration::from_secs(
                timeout.ok_or_else(|| Text::from("the time limit is 1 to 3600 seconds"))?,
            ),
            ..CurlRequest::new(self.target.clone(), port.port)
        })
    }
}

/// One header a line, `Name: value`.
fn headers_of(text: &str) -> Result<Vec<(String, String)>, Text> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| Text::from(format!("a header is `Name: value`, not `{line}`")))?;
            let name = name.trim();
            let valid = name.parse::<http::HeaderName>().is_ok()
                && value.trim().parse::<http::HeaderValue>().is_ok();
            if valid {
                Ok((name.to_owned(), value.trim().to_owned()))
            } else {
                Err(Text::from(format!("`{line}` is no valid header")))
            }
        })
        .collect()
}

/// Draws the form.
pub(super) fn form_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl) {
    let changed = field_ui(ui, ctx, "Port", |ui| {
        form.port.choice_ui(ui, ctx, &form.target)
    });
    if changed {
        form.guess_scheme();
    }
    ui.add_space(4.0);
    line_ui(ui, ctx, form);
    ui.add_space(4.0);
    field_ui(ui, ctx, "Headers", |ui| {
        let field = TextEdit::multiline(&mut form.headers)
            .hint_text("Accept: application/json")
            .font(egui::TextStyle::Monospace)
            .margin(Margin::symmetric(8, 5))
            .desired_rows(1)
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        named_field(&response, "Headers", &form.headers);
    });
    if !matches!(&*form.method, "GET" | "HEAD") || !form.body.is_empty() {
        field_ui(ui, ctx, "Body", |ui| {
            let field = TextEdit::multiline(&mut form.body)
                .margin(Margin::symmetric(8, 5))
                .font(egui::TextStyle::Monospace)
                .desired_rows(3)
                .desired_width(f32::INFINITY);
            let response = ui.add(field);
            named_field(&response, "Body", &form.body);
        });
    }
    ui.add_space(4.0);
    send_ui(ui, ctx, form);
}

fn line_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl) {
    field_ui(ui, ctx, "Request", |ui| {
        ui.horizontal(|ui| {
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
            for (scheme, word, hint) in [
                (Scheme::Http, "http", "Plain"),
                (
                    Scheme::Https,
                    "https",
                    "TLS; the pod's certificate is not verified",
                ),
            ] {
                if ui
                    .selectable_label(form.scheme == scheme, word)
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
            let field = text_field(&mut form.timeout_secs).desired_width(34.0);
            let response = ui.add(field);
            named_field(&response, "Time limit in seconds", &form.timeout_secs);
            response.on_hover_text("How long the whole may take, in seconds");
            ui.label("s");
        });
    });
}

fn send_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &Curl) {
    let request = form.request();
    let disabled = request.as_ref().err().cloned().or_else(|| ctx.no_forward());
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    let running = form
        .status(ctx)
        .filter(|status| status.state.is_under_way());
    ui.horizontal(|ui| {
        if let Some(status) = running {
            ui.spinner();
            dim(
                ui,
                ctx.tokens,
                format!("Waiting, {}", ctx.age(status.started)),
            );
            if ui.button("Cancel request").clicked() {
                ctx.send(Action::Send(Command::CancelCurl(status.id)));
            }
            return;
        }
        let enter = ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter));
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
            && let Ok(request) = request
        {
            ctx.send(Action::Curl(request));
        }
        dim(
            ui,
            ctx.tokens,
            "Goes through a temporary port-forward into a pod, not through the Service's address.",
        );
    });
}

#[cfg(test)]
mod tests {
    use super::headers_of;

    #[test]
    fn headers_are_read_line_by_line() {
        assert_eq!(
            headers_of("Accept: text/html\n\n X-Id :a:b ").expect("valid"),
            [
                ("Accept".to_owned(), "text/html".to_owned()),
                ("X-Id".to_owned(), "a:b".to_owned())
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_header_is_named() {
        let said = headers_of("Accept").expect_err("no colon");
        assert!(said.contains("`Accept`"), "{said}");
        assert!(headers_of("bad name: x").is_err());
    }
}
