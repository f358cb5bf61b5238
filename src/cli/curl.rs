//! `svcscope curl`: one request, the body on stdout.

use std::io::{self, Write as _};

use anyhow::Context as _;

use super::{
    args::{Common, Curl},
    exit::{Exit, failure},
    remote::Remote,
};
use crate::{
    engine::{Command, RequestState},
    forward::{ForwardTarget, RemotePort},
    inventory::{Kind, ServicePort},
    probe::{self, CurlRequest, CurlResponse, RequestId, Scheme},
};

pub(super) fn run(common: &Common, task: &Curl) -> anyhow::Result<Exit> {
    let headers = task
        .headers
        .iter()
        .map(|line| parse_header(line))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (remote, namespace) = Remote::start_for_target(common)?;
    let drawn = [Kind::Service, Kind::EndpointSlice, Kind::Pod];
    let scene = remote.wait_until_known(&drawn, task.max_time)?;

    let target = task.target.in_namespace(&namespace);
    let (port, service_port) = match &target {
        ForwardTarget::Service(key) => {
            let Some(service) = scene.inventory.service(key) else {
                return Err(failure(
                    Exit::NotFound,
                    format!("there is no Service {key}"),
                ));
            };
            let port = choose_port(&service.ports, task.target.port.as_ref()).ok_or_else(|| {
                failure(
                    Exit::NotFound,
                    format!("Service {key} has {}", port_list(&service.ports)),
                )
            })?;
            (RemotePort::Number(port.port), Some(port.clone()))
        }
        _ => match &task.target.port {
            Some(port) => (port.clone(), None),
            None => {
                return Err(failure(
                    Exit::Usage,
                    format!("which port? Write for example {}:8080", task.target),
                ));
            }
        },
    };
    let scheme = match (task.https, task.http, &service_port) {
        (true, ..) => Scheme::Https,
        (_, true, _) | (.., None) => Scheme::Http,
        (.., Some(port)) => probe::guess_scheme(port),
    };
    let method = task.request.clone().unwrap_or_else(|| {
        let default = if task.data.is_some() { "POST" } else { "GET" };
        default.to_owned()
    });
    let path = if task.path.starts_with('/') {
        task.path.clone()
    } else {
        format!("/{}", task.path)
    };

    let id = RequestId(remote.handle().next_id());
    let request = CurlRequest {
        scheme,
        method,
        path,
        headers,
        body: task.data.clone().map(Into::into),
        timeout: task.max_time,
        ..CurlRequest::new(target, port)
    };
    remote
        .handle()
        .send(Command::Curl(id, Box::new(request), None));
    let outcome = remote.wait_for(None, "an answer", |scene| {
        let status = scene.requests.iter().find(|status| status.id == id)?;
        match &status.state {
            RequestState::Running | RequestState::Receiving(_) => None,
            RequestState::Done(response) => Some(Ok(response.clone())),
            RequestState::Failed(reason) => Some(Err(reason.to_string())),
            RequestState::Cancelled => Some(Err("the request was given up".to_owned())),
        }
    })?;
    let response = outcome.map_err(|reason| failure(Exit::Failed, reason))?;
    print(&response, task.include).context("could not write the answer to stdout")?;
    Ok(
        if task.fail && response.status().is_some_and(|status| status >= 400) {
            Exit::HttpError
        } else {
            Exit::Done
        },
    )
}

fn print(response: &CurlResponse, include: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if include {
        let Some(head) = response.http() else {
            return Ok(());
        };
        writeln!(out, "{} {}", head.version, head.status)?;
        for (name, value) in &head.headers {
            writeln!(out, "{name}: {value}")?;
        }
        writeln!(out)?;
    }
    out.write_all(&response.body)?;
    out.flush()?;
    let cut = if response.truncated {
        format!(", cut after {} bytes", response.body.len())
    } else {
        String::new()
    };
    eprintln!(
        "svcscope: {} in {} ms, {} bytes{cut}, by {}",
        response.status().unwrap_or_default(),
        response.phases.total.as_millis(),
        response.body_bytes,
        response.via
    );
    Ok(())
}

fn parse_header(line: &str) -> anyhow::Result<(String, String)> {
    line.split_once(':')
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| {
            failure(
                Exit::Usage,
                format!("`{line}` is no header: write `Name: value`"),
            )
        })
}

/// The port that was asked for, else the first one that carries TCP.
fn choose_port<'a>(
    ports: &'a [ServicePort],
    wanted: Option<&RemotePort>,
) -> Option<&'a ServicePort> {
    let mut tcp = ports
        .iter()
        .filter(|port| port.protocol == crate::inventory::Protocol::Tcp);
    match wanted {
        None => tcp.next(),
        Some(RemotePort::Number(number)) => tcp.find(|port| port.port == *number),
        Some(RemotePort::Name(name)) => tcp.find(|port| port.name.as_ref() == Some(name)),
    }
}

fn port_list(ports: &[ServicePort]) -> String {
    if ports.is_empty() {
        return "no ports".to_owned();
    }
    let listed: Vec<_> = ports
        .iter()
        .map(|port| match &port.name {
            Some(name) => format!("{name} {}/{}", port.port, port.protocol),
            None => format!("{}/{}", port.port, port.protocol),
        })
        .collect();
    format!("only these ports: {}", listed.join(", "))
}
