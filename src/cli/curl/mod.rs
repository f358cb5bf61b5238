//! `svcscope curl`: one request, the body on stdout, curl's own exit codes.

mod diagnostics;
#[cfg(test)]
mod docs;
mod output;
mod password;
pub(super) mod response_options;
mod retry;
mod target;
mod write_out;

use std::{sync::Arc, time::Duration};

use super::{
    args::{CurlArgs, GlobalFlags},
    engine_client::{EngineClient, POLICY_TIMEOUT},
    exit::{CliExit, cli_error},
    production::allow_in_production,
};
use output::CurlOutput;
use retry::RetryBudget;
use svcscope_engine::{AnalysisScope, EngineCommand, RequestState, RequestStatus, Scene};
use svcscope_model::inventory::ResourceKind;
use svcscope_net::{
    forward::ForwardTarget,
    probe::{
        self, AccessPath, BodySink, CurlError, CurlFlagError, CurlRequest, CurlSendFlags,
        ExecTarget, RedirectPolicy, RequestId, RequestKind,
    },
};
use write_out::{WriteOutContext, expand_format};

pub(super) fn run(common: &GlobalFlags, task: &CurlArgs) -> anyhow::Result<CliExit> {
    check_flag_conflicts(task)?;
    let send = password::with_password(&task.request_flags, task.silent)?;
    let format = task.write_out.as_deref().map(format_of).transpose()?;
    let mut needed = ResourceKind::MAP_KINDS.to_vec();
    if task.needs_nodes() {
        needed.push(ResourceKind::Node);
    }
    let mut kinds = needed.clone();
    if task.target.is_service() {
        // A BackendTLSPolicy is read where routes of a Gateway are.
        kinds.extend([ResourceKind::Gateway, ResourceKind::BackendTlsPolicy]);
        kinds.extend(ResourceKind::ROUTES);
    }
    let analysis = AnalysisScope::without_checks(kinds);
    let (remote, namespace) = EngineClient::start_for_target(common, analysis)?;
    let patience = task.request_flags.max_time.filter(|limit| !limit.is_zero());
    let mut scene =
        remote.wait_until_known(&needed, patience.unwrap_or(Duration::from_secs(30)))?;
    if task.target.is_service() {
        // A BackendTLSPolicy may say how to ask. One that can't be read in time says nothing.
        remote.wait_for_ingress_kinds(&[], POLICY_TIMEOUT).ok();
        scene = remote.handle().scene();
    }

    if let ForwardTarget::Service(service) = task.target.in_namespace(&namespace) {
        scene = remote.look_up(service)?;
    }

    let request = request(task, &send, &namespace, &scene)?;
    if let Some(what) = production_risk(&request) {
        allow_in_production(&remote, task.yes, what)?;
    }
    if matches!(request.access_path, AccessPath::InCluster { .. }) {
        remote.end_on_signals()?;
    }
    let mut output = CurlOutput::new(task, &request.path)?;
    let mut retries = RetryBudget::new(&task.response, task.fail);
    if common.verbose > 0 && !task.silent {
        diagnostics::print_request(&request, &scene);
    }
    let end = loop {
        let end = attempt(&remote, task, &request, common.verbose > 0, &mut output)?;
        let Some(again) = retries.next(&end) else {
            break end;
        };
        if !task.silent {
            eprintln!(
                "svcscope: {}; sent again in {} s, {} more times at most",
                again.reason,
                again.delay.as_secs_f64(),
                again.retries_left
            );
        }
        output.restart()?;
        remote.wait_within(Some(again.delay), |_| None::<()>)?;
    };
    let url = probe::url_of(&request, &scene.inventory);
    finish(
        task,
        format.as_deref(),
        &request,
        url,
        &end,
        retries.retries_used(),
        output,
    )
}

/// What the user allows in a production context.
fn production_risk(request: &CurlRequest) -> Option<&'static str> {
    match &request.access_path {
        AccessPath::InCluster {
            from: ExecTarget::ProbePod { .. },
            ..
        } => Some("create a probe pod and run a command in it"),
        AccessPath::InCluster { .. } => Some("run a command in a pod"),
        _ => request
            .may_change()
            .then_some("send a request that could change something"),
    }
}

/// Options that curl takes only one of (src/tool_getparam.c, src/tool_operate.c).
fn check_flag_conflicts(task: &CurlArgs) -> anyhow::Result<()> {
    let wrong = if task.fail && task.response.fail_with_body {
        "-f shows no body and --fail-with-body does: give one of them"
    } else if task.response.remote_header_name && (task.include || task.request_flags.head) {
        "-J can't be combined with -i and -I, which write heads before a file has its name"
    } else {
        return Ok(());
    };
    Err(cli_error(CliExit::Usage, wrong))
}

/// The request that target and flags make.
fn request(
    task: &CurlArgs,
    send: &CurlSendFlags,
    namespace: &str,
    scene: &Scene,
) -> anyhow::Result<CurlRequest> {
    let mut request = target::request(task, namespace, scene)?;
    if task.response.cookie_jar.is_some() {
        request.cookies.get_or_insert_default();
    }
    probe::apply(send, &mut request, &scene.inventory, &read_file).map_err(|error| {
        let exit = match error {
            CurlFlagError::File(..) => CliExit::Curl(26),
            _ => CliExit::Usage,
        };
        cli_error(exit, error.to_string())
    })?;
    Ok(request)
}

/// Sends it once, and writes what comes.
fn attempt(
    remote: &EngineClient,
    task: &CurlArgs,
    request: &CurlRequest,
    is_verbose: bool,
    output: &mut CurlOutput,
) -> anyhow::Result<RequestStatus> {
    let id = RequestId(remote.handle().next_id());
    let (tap, mut pieces) = BodySink::new();
    remote.handle().send(EngineCommand::SendRequest(
        id,
        Box::new(request.clone()),
        Some(tap),
    ));
    let head = remote.wait_for(None, "an answer", |scene| {
        let status = find(scene, id)?;
        (status.state != RequestState::Running).then(|| status.clone())
    })?;
    let is_shown = task.include || task.request_flags.head;
    let mut heads = 0;
    if let Some(response) = received_response(&head) {
        if is_verbose && !task.silent {
            diagnostics::print_response(response);
        }
        output.write_headers(response, is_shown)?;
        heads = response.exchange.heads.len();
    }
    // `-I -X GET` reads no body either.
    let withheld =
        task.request_flags.head || task.fail && !task.response.fail_with_body && is_bad(&head);
    while let Some(piece) = pieces.blocking_recv() {
        // Nothing yet is no reason to make a file.
        if !withheld && !piece.is_empty() {
            output.write_body(&piece)?;
        }
    }
    let end = remote.wait_for(None, "the end of the answer", |scene| {
        let status = find(scene, id)?;
        (!status.state.is_under_way()).then(|| status.clone())
    })?;
    if let Some(response) = received_response(&end) {
        // Heads of redirects that went on and on come with the failure.
        if heads == 0 {
            output.write_headers(response, is_shown)?;
        }
        output.write_lines(&response.exchange.trailers, is_shown)?;
    }
    Ok(end)
}

fn find(scene: &Scene, id: RequestId) -> Option<&RequestStatus> {
    scene.requests.iter().find(|status| status.id == id)
}

/// An answer, or what of one there is.
fn received_response(status: &RequestStatus) -> Option<&probe::CurlResponse> {
    let partial = match &status.state {
        RequestState::Failed(error) => error.progress.partial.as_ref(),
        _ => None,
    };
    status.state.response().or(partial)
}

fn is_bad(status: &RequestStatus) -> bool {
    let status = status
        .state
        .response()
        .and_then(|response| response.status());
    status.is_some_and(|status| status >= 400)
}

fn finish(
    task: &CurlArgs,
    format: Option<&str>,
    request: &CurlRequest,
    url: String,
    end: &RequestStatus,
    retries: u32,
    mut output: CurlOutput,
) -> anyhow::Result<CliExit> {
    let response = received_response(end);
    let (exit, error) = match &end.state {
        RequestState::Failed(error) => (CliExit::Curl(error.kind.curl_code()), Some(error.clone())),
        RequestState::Done(response) => exit_status(task, request, response),
        _ => {
            let error = CurlError::other("the request was given up");
            (CliExit::Failed, Some(Arc::new(error)))
        }
    };
    if let (Some(response), true) = (response, request.kind != RequestKind::Http) {
        output.write_line(&diagnostics::non_http_text(response))?;
    }
    if let (Some(file), Some(jar)) = (
        &task.response.cookie_jar,
        response.and_then(|response| response.exchange.cookies.as_ref()),
    ) {
        write_cookies(file, &jar.netscape(), &mut output)?;
    }
    if let Some(format) = format {
        let outcome = WriteOutContext {
            request,
            url,
            response,
            error: error.as_deref(),
            exit,
            file: output.file().map(|file| file.display().to_string()),
            retries,
        };
        for piece in expand_format(format, &outcome) {
            if piece.is_stderr {
                super::terminal::print_error_text(&piece.text);
            } else {
                output.write_out(&piece.text)?;
            }
        }
    }
    // 304 says that the file that is there is right.
    let status = response.and_then(|response| response.status());
    output.finish(exit == CliExit::Success && status != Some(304))?;
    if let (Some(response), false) = (end.state.response(), task.silent) {
        diagnostics::print_route(response);
    }
    match error {
        Some(error)
            if !task.silent
                || task.show_error
                || error.kind == probe::FailureKind::NotPermitted =>
        {
            Err(cli_error(exit, error.to_string()))
        }
        _ => Ok(exit),
    }
}

/// How a whole answer ends the program.
fn exit_status(
    task: &CurlArgs,
    request: &CurlRequest,
    response: &probe::CurlResponse,
) -> (CliExit, Option<Arc<CurlError>>) {
    let status = response.status().unwrap_or_default();
    let because = |words: String| Some(Arc::new(CurlError::other(words)));
    if (task.fail || task.response.fail_with_body) && status >= 400 {
        return (
            CliExit::HttpError,
            because(format!("the server answered {status}")),
        );
    }
    let leads_away = response
        .redirect_url()
        .filter(|_| request.redirect_policy != RedirectPolicy::Never);
    match leads_away.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308)) {
        // As curl ends where it may follow no more.
        Some(url) => (
            CliExit::Curl(probe::FailureKind::TooManyRedirects.curl_code()),
            because(format!(
                "{status} leads to {}, which was not followed: -L stays at the same host and port; \
                 --location-anywhere asks elsewhere too, from this machine by http or https",
                url
            )),
        ),
        None => (CliExit::Success, None),
    }
}

fn write_cookies(
    file: &std::path::Path,
    text: &str,
    output: &mut CurlOutput,
) -> anyhow::Result<()> {
    if file.as_os_str() == "-" {
        return output.write_out(text);
    }
    std::fs::write(file, text).map_err(|error| {
        let said = format!("could not write cookies to {}: {error}", file.display());
        cli_error(CliExit::Curl(23), said)
    })
}

/// `@FILE` is replaced by the file's content.
fn format_of(word: &str) -> anyhow::Result<String> {
    let format = match word.strip_prefix('@') {
        Some(file) => {
            let bytes =
                read_file(file).map_err(|error| cli_error(CliExit::Curl(26), error.to_string()))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.replace(['\r', '\n'], "")
        }
        None => word.to_owned(),
    };
    match write_out::unsupported(&format) {
        Some(name) => Err(cli_error(
            CliExit::Usage,
            format!("--write-out knows no {name}…}} here"),
        )),
        None => Ok(format),
    }
}

/// No body is longer: it is held in memory.
const MAX_BODY_BYTES: u64 = 512 * 1024 * 1024;

fn read_file(name: &str) -> Result<Vec<u8>, CurlFlagError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = match name {
        "-" => std::io::stdin()
            .take(MAX_BODY_BYTES + 1)
            .read_to_end(&mut bytes),
        name => std::fs::File::open(name)
            .and_then(|file| file.take(MAX_BODY_BYTES + 1).read_to_end(&mut bytes)),
    };
    match read {
        Ok(length) if length as u64 > MAX_BODY_BYTES => Err(CurlFlagError::Usage(format!(
            "{name} is longer than {} MiB, the most that is sent",
            MAX_BODY_BYTES / 1024 / 1024
        ))),
        Ok(_) => Ok(bytes),
        Err(error) => Err(CurlFlagError::File(name.into(), error)),
    }
}
