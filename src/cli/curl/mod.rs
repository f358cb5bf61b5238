//! `svcscope curl`: one request, the body on stdout, curl's own exit codes.

mod answer;
mod output;
mod target;
mod write_out;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;

use super::{
    args::{Common, Curl},
    asking::allow_in_production,
    exit::{Exit, failure},
    remote::{POLICIES, Remote},
};
use crate::{
    engine::{Command, RequestState, RequestStatus, Scene},
    forward::ForwardTarget,
    inventory::{Kind, ObjectKey, Sync},
    probe::{self, Ask, CurlError, CurlRequest, FlagError, RequestId, Tap, Vantage},
};
use output::Output;

pub(super) fn run(common: &Common, task: &Curl) -> anyhow::Result<Exit> {
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
        scene = look_up(&remote, scene, service)?;
    }

    let mut request = target::request(task, &namespace, &scene)?;
    probe::apply(&task.send, &mut request, &read_file)
        .map_err(|error| failure(Exit::Usage, error.to_string()))?;
    let mut output = Output::open(task)?;
    if common.verbose > 0 && !task.silent {
        answer::tell_request(&request, &scene);
    }

    let is_inside = matches!(request.vantage, Vantage::Inside { .. });
    if request.may_change() || is_inside {
        let what = if is_inside {
            "run a command in a pod"
        } else {
            "send a request that could change something"
        };
        allow_in_production(&remote, task.yes, what)?;
    }
    if is_inside {
        remote.end_on_signals()?;
    }
    let id = RequestId(remote.handle().next_id());
    let (tap, mut pieces) = Tap::new();
    let asked = request.clone();
    remote
        .handle()
        .send(Command::Curl(id, Box::new(request), Some(tap)));
    let head = remote.wait_for(None, "an answer", |scene| {
        let status = find(scene, id)?;
        (status.state != RequestState::Running).then(|| status.clone())
    })?;
    if let Some(response) = head.state.response() {
        if common.verbose > 0 && !task.silent {
            answer::tell_response(response);
        }
        if task.include || task.send.head {
            output.head(response)?;
        }
    }
    let withheld = task.fail
        && head
            .state
            .response()
            .and_then(|response| response.status())
            .is_some_and(|status| status >= 400);
    while let Some(piece) = pieces.blocking_recv() {
        if !withheld {
            output.body(&piece).context("could not write the body")?;
        }
    }
    let end = remote.wait_for(None, "the end of the answer", |scene| {
        let status = find(scene, id)?;
        (!status.state.is_under_way()).then(|| status.clone())
    })?;
    finish(task, &asked, &end, output)
}

/// Reads the Service alone, where Services may not be listed.
fn look_up(remote: &Remote, scene: Arc<Scene>, service: ObjectKey) -> anyhow::Result<Arc<Scene>> {
    let state = scene.inventory.sync(Kind::Service, &service.namespace);
    if !matches!(state, Sync::Forbidden { .. }) {
        return Ok(scene);
    }
    remote.handle().send(Command::LookUp(service.clone()));
    let why_not = remote.wait_for(Some(LOOK_UP), "the Service to be read", |scene| {
        let (read, why_not) = scene.looked_up.as_ref()?;
        (*read == service).then(|| why_not.clone())
    })?;
    match why_not {
        Some(reason) => Err(failure(Exit::Failed, &*reason)),
        None => Ok(remote.handle().scene()),
    }
}

/// How long a Service that is read alone is waited for.
const LOOK_UP: Duration = Duration::from_secs(30);

fn find(scene: &Scene, id: RequestId) -> Option<&RequestStatus> {
    scene.requests.iter().find(|status| status.id == id)
}

fn finish(
    task: &Curl,
    request: &CurlRequest,
    end: &RequestStatus,
    mut output: Output,
) -> anyhow::Result<Exit> {
    let (exit, error) = match &end.state {
        RequestState::Failed(error) => (Exit::Curl(error.kind.curl_code()), Some(error.clone())),
        RequestState::Done(response) => {
            let bad = response.status().is_some_and(|status| status >= 400);
            let exit = if task.fail && bad {
                Exit::HttpError
            } else {
                Exit::Done
            };
            (exit, None)
        }
        _ => {
            let error = CurlError::other("the request was given up");
            (Exit::Failed, Some(Arc::new(error)))
        }
    };
    let response = end.state.response();
    if let (Some(response), true) = (response, request.ask != Ask::Http) {
        output.line(&answer::said(response))?;
    }
    if let Some(format) = &task.write_out {
        output.write_out(&write_out::fill(
            format,
            request,
            response,
            error.as_deref(),
            exit,
        ))?;
    }
    output.finish()?;
    if let (Some(response), false) = (response, task.silent) {
        answer::tell_way(response);
    }
    match error {
        Some(error) if !task.silent || task.show_error => Err(failure(exit, error.to_string())),
        _ => Ok(exit),
    }
}

fn read_file(name: &str) -> Result<Vec<u8>, FlagError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = match name {
        "-" => std::io::stdin()
            .read_to_end(&mut bytes)
            .map(|_length| bytes),
        name => std::fs::read(name),
    };
    read.map_err(|error| FlagError::File(name.into(), error))
}
