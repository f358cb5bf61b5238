//! `svcscope curl`: one request, the body on stdout, curl's own exit codes.

mod answer;
#[cfg(test)]
mod docs;
pub(super) mod options;
mod output;
mod password;
mod retry;
mod target;
mod write_out;

use std::{sync::Arc, time::Duration};

use super::{
    args::{Common, Curl},
    asking::allow_in_production,
    exit::{Exit, failure},
    remote::{POLICIES, Remote},
};
use crate::{
    engine::{Command, RequestState, RequestStatus, Scene},
    forward::ForwardTarget,
    inventory::Kind,
    probe::{
        self, Ask, CurlError, CurlRequest, FlagError, Follow, Insider, RequestId, SendFlags, Tap,
        Vantage,
    },
};
use output::Output;
use retry::Retries;
use write_out::{Outcome, fill};

pub(super) fn run(common: &Common, task: &Curl) -> anyhow::Result<Exit> {
    fits_together(task)?;
    let send = password::with_password(&task.send, task.silent)?;
    let format = task.write_out.as_deref().map(format_of).transpose()?;
    let (remote, namespace) = Remote::start_for_target(common)?;
    let needed = [Kind::Service, Kind::EndpointSlice, Kind::Pod, Kind::Node];
    let drawn = if task.needs_nodes() {
        &needed[..]
    } else {
        &needed[..3]
    };
    let patience = task.send.max_time.filter(|limit| !limit.is_zero());
    let mut scene = remote.wait_until_known(drawn, patience.unwrap_or(Duration::from_secs(30)))?;
    if task.target.is_service() {
        // A BackendTLSPolicy may say how to ask. One that can't be read in time says nothing.
        remote.wait_for_fronts(&[], POLICIES).ok();
        scene = remote.handle().scene();
    }

    if let ForwardTarget::Service(service) = task.target.in_namespace(&namespace) {
        scene = remote.look_up(service)?;
    }

    let request = request(task, &send, &namespace, &scene)?;
    if let Some(what) = changed_by(&request) {
        allow_in_production(&remote, task.yes, what)?;
    }
    if matches!(request.vantage, Vantage::Inside { .. }) {
        remote.end_on_signals()?;
    }
    let mut output = Output::new(task, &request.path)?;
    let mut retries = Retries::new(&task.answer, task.fail);
    if common.verbose > 0 && !task.silent {
        answer::tell_request(&request, &scene);
    }
    let end = loop {
        let end = attempt(&remote, task, &request, common.verbose > 0, &mut output)?;
        let Some(again) = retries.next(&end) else {
            break end;
        };
        if !task.silent {
            eprintln!(
                "svcscope: {}; sent again in {} s, {} more times at most",
                again.why,
                again.after.as_secs_f64(),
                again.left
            );
        }
        output.again()?;
        remote.wait_within(Some(again.after), |_| None::<()>)?;
    };
    let url = probe::url_of(&request, &scene.inventory);
    finish(
        task,
        format.as_deref(),
        &request,
        url,
        &end,
        retries.done(),
        output,
    )
}

/// What the user allows in a production context.
fn changed_by(request: &CurlRequest) -> Option<&'static str> {
    match &request.vantage {
        Vantage::Inside {
            from: Insider::ProbePod { .. },
            ..
        } => Some("create a probe pod and run a command in it"),
        Vantage::Inside { .. } => Some("run a command in a pod"),
        _ => request
            .may_change()
            .then_some("send a request that could change something"),
    }
}

/// Options that curl takes only one of (src/tool_getparam.c, src/tool_operate.c).
fn fits_together(task: &Curl) -> anyhow::Result<()> {
    let wrong = if task.fail && task.answer.fail_with_body {
        "-f shows no body and --fail-with-body does: give one of them"
    } else if task.answer.remote_header_name && (task.include || task.send.head) {
        "-J can't be combined with -i and -I, which write heads before a file has its name"
    } else {
        return Ok(());
    };
    Err(failure(Exit::Usage, wrong))
}

/// The request that target and flags make.
fn request(
    task: &Curl,
    send: &SendFlags,
    namespace: &str,
    scene: &Scene,
) -> anyhow::Result<CurlRequest> {
    let mut request = target::request(task, namespace, scene)?;
    if task.answer.cookie_jar.is_some() {
        request.cookies.get_or_insert_default();
    }
    probe::apply(send, &mut request, &scene.inventory, &read_file).map_err(|error| {
        let exit = match error {
            FlagError::File(..) => Exit::Curl(26),
            _ => Exit::Usage,
        };
        failure(exit, error.to_string())
    })?;
    Ok(request)
}

/// Sends it once, and writes what comes.
fn attempt(
    remote: &Remote,
    task: &Curl,
    request: &CurlRequest,
    is_verbose: bool,
    output: &mut Output,
) -> anyhow::Result<RequestStatus> {
    let id = RequestId(remote.handle().next_id());
    let (tap, mut pieces) = Tap::new();
    remote
        .handle()
        .send(Command::Curl(id, Box::new(request.clone()), Some(tap)));
    let head = remote.wait_for(None, "an answer", |scene| {
        let status = find(scene, id)?;
        (status.state != RequestState::Running).then(|| status.clone())
    })?;
    let is_shown = task.include || task.send.head;
    let mut heads = 0;
    if let Some(response) = came(&head) {
        if is_verbose && !task.silent {
            answer::tell_response(response);
        }
        output.heads(response, is_shown)?;
        heads = response.exchange.heads.len();
    }
    // `-I -X GET` reads no body either.
    let withheld = task.send.head || task.fail && !task.answer.fail_with_body && is_bad(&head);
    while let Some(piece) = pieces.blocking_recv() {
        // Nothing yet is no reason to make a file.
        if !withheld && !piece.is_empty() {
            output.body(&piece)?;
        }
    }
    let end = remote.wait_for(None, "the end of the answer", |scene| {
        let status = find(scene, id)?;
        (!status.state.is_under_way()).then(|| status.clone())
    })?;
    if let Some(response) = came(&end) {
        // Heads of redirects that went on and on come with the failure.
        if heads == 0 {
            output.heads(response, is_shown)?;
        }
        output.lines(&response.exchange.trailers, is_shown)?;
    }
    Ok(end)
}

fn find(scene: &Scene, id: RequestId) -> Option<&RequestStatus> {
    scene.requests.iter().find(|status| status.id == id)
}

/// An answer, or what of one there is.
fn came(status: &RequestStatus) -> Option<&probe::CurlResponse> {
    let partial = match &status.state {
        RequestState::Failed(error) => error.so_far.partial.as_ref(),
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
    task: &Curl,
    format: Option<&str>,
    request: &CurlRequest,
    url: String,
    end: &RequestStatus,
    retries: u32,
    mut output: Output,
) -> anyhow::Result<Exit> {
    let response = came(end);
    let (exit, error) = match &end.state {
        RequestState::Failed(error) => (Exit::Curl(error.kind.curl_code()), Some(error.clone())),
        RequestState::Done(response) => ended(task, request, response),
        _ => {
            let error = CurlError::other("the request was given up");
            (Exit::Failed, Some(Arc::new(error)))
        }
    };
    if let (Some(response), true) = (response, request.ask != Ask::Http) {
        output.line(&answer::said(response))?;
    }
    if let (Some(file), Some(jar)) = (
        &task.answer.cookie_jar,
        response.and_then(|response| response.exchange.cookies.as_ref()),
    ) {
        write_cookies(file, &jar.netscape(), &mut output)?;
    }
    if let Some(format) = format {
        let outcome = Outcome {
            request,
            url,
            response,
            error: error.as_deref(),
            exit,
            file: output.file().map(|file| file.display().to_string()),
            retries,
        };
        for piece in fill(format, &outcome) {
            if piece.is_stderr {
                super::terminal::tell_text(&piece.text);
            } else {
                output.write_out(&piece.text)?;
            }
        }
    }
    // 304 says that the file that is there is right.
    let status = response.and_then(|response| response.status());
    output.finish(exit == Exit::Done && status != Some(304))?;
    if let (Some(response), false) = (end.state.response(), task.silent) {
        answer::tell_way(response);
    }
    match error {
        Some(error)
            if !task.silent
                || task.show_error
                || error.kind == probe::FailureKind::NotPermitted =>
        {
            Err(failure(exit, error.to_string()))
        }
        _ => Ok(exit),
    }
}

/// How a whole answer ends the program.
fn ended(
    task: &Curl,
    request: &CurlRequest,
    response: &probe::CurlResponse,
) -> (Exit, Option<Arc<CurlError>>) {
    let status = response.status().unwrap_or_default();
    let because = |words: String| Some(Arc::new(CurlError::other(words)));
    if (task.fail || task.answer.fail_with_body) && status >= 400 {
        return (
            Exit::HttpError,
            because(format!("the server answered {status}")),
        );
    }
    let leads_away = response
        .redirect_url()
        .filter(|_| request.follow != Follow::No);
    match leads_away.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308)) {
        // As curl ends where it may follow no more.
        Some(url) => (
            Exit::Curl(probe::FailureKind::TooManyRedirects.curl_code()),
            because(format!(
                "{status} leads to {}, which was not followed: -L stays at the same host and port; \
                 --location-anywhere asks elsewhere too, from this machine by http or https",
                url
            )),
        ),
        None => (Exit::Done, None),
    }
}

fn write_cookies(file: &std::path::Path, text: &str, output: &mut Output) -> anyhow::Result<()> {
    if file.as_os_str() == "-" {
        return output.write_out(text);
    }
    std::fs::write(file, text).map_err(|error| {
        let said = format!("could not write cookies to {}: {error}", file.display());
        failure(Exit::Curl(23), said)
    })
}

/// `@FILE` stands for what it holds.
fn format_of(word: &str) -> anyhow::Result<String> {
    let format = match word.strip_prefix('@') {
        Some(file) => {
            let bytes =
                read_file(file).map_err(|error| failure(Exit::Curl(26), error.to_string()))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.replace(['\r', '\n'], "")
        }
        None => word.to_owned(),
    };
    match write_out::unsupported(&format) {
        Some(name) => Err(failure(
            Exit::Usage,
            format!("--write-out knows no {name}…}} here"),
        )),
        None => Ok(format),
    }
}

/// No body is longer: it is held in memory.
const MOST: u64 = 512 * 1024 * 1024;

fn read_file(name: &str) -> Result<Vec<u8>, FlagError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = match name {
        "-" => std::io::stdin().take(MOST + 1).read_to_end(&mut bytes),
        name => {
            std::fs::File::open(name).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
        }
    };
    match read {
        Ok(length) if length as u64 > MOST => Err(FlagError::Usage(format!(
            "{name} is longer than {} MiB, the most that is sent",
            MOST / 1024 / 1024
        ))),
        Ok(_) => Ok(bytes),
        Err(error) => Err(FlagError::File(name.into(), error)),
    }
}
