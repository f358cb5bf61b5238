//! What is printed about forwards: first what kubectl prints, then what happens.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{args::EventFormat, engine_client, terminal::OutputBytes};
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{Protocol, SharedStr, plain::plain_json},
    topology::PortTraffic,
};
use svcscope_net::forward::{ForwardId, ForwardState, ForwardStatus, ForwardTarget, RemotePort};

/// Prints what is new of some forwards.
pub(super) struct ForwardReporter {
    format: EventFormat,
    to_stderr: bool,
    reported: BTreeMap<ForwardId, ReportedForward>,
    reported_polling: Option<String>,
}

/// What was printed about a forward already.
#[derive(Default)]
struct ReportedForward {
    listening: bool,
    connections: u64,
    open: u32,
    state: Option<ForwardState>,
    problem: Option<SharedStr>,
    reported_limits: BTreeSet<SharedStr>,
}

impl ForwardReporter {
    /// Reports these forwards, on stdout unless a command uses it.
    pub(super) fn new(format: EventFormat, to_stderr: bool, ids: &[ForwardId]) -> Self {
        Self {
            format,
            to_stderr,
            reported: ids
                .iter()
                .map(|id| (*id, ReportedForward::default()))
                .collect(),
            reported_polling: None,
        }
    }

    /// Prints what has changed since the last time.
    pub(super) fn report(&mut self, scene: &Scene) {
        engine_client::report_polling(scene, &mut self.reported_polling);
        for status in scene.forwards.iter() {
            let Some(told) = self.reported.get_mut(&status.id) else {
                continue;
            };
            told.report_limit(status);
            let lines = match self.format {
                EventFormat::Text => told.as_text(scene, status),
                EventFormat::Json => told.as_events(scene, status),
            };
            for line in lines {
                print_line(line, self.format, self.to_stderr);
            }
        }
    }
}

impl ReportedForward {
    /// That further connections wait, once: places come and go many times a second.
    fn report_limit(&mut self, status: &ForwardStatus) {
        if let Some(reason) = &status.at_capacity
            && self.reported_limits.insert(reason.clone())
        {
            eprintln!("svcscope: {}: {reason}", name_of(status));
        }
    }

    fn as_text(&mut self, scene: &Scene, status: &ForwardStatus) -> Vec<String> {
        let mut lines = Vec::new();
        if let (false, Some(local)) = (self.listening, status.local) {
            self.listening = true;
            let to = pod_port(scene, status)
                .map_or_else(|| status.spec.port.to_string(), |port| port.to_string());
            let all = std::iter::once(local).chain(status.local_ipv6);
            lines.extend(all.map(|local| format!("Forwarding from {local} -> {to}")));
        }
        for _ in self.connections..status.total {
            let port = status.local.map_or(0, |local| local.port());
            lines.push(format!("Handling connection for {port}"));
        }
        self.connections = status.total;
        let (trouble, words) = match &status.state {
            // It has not been looked at yet.
            ForwardState::Waiting { .. } if status.local.is_none() => return lines,
            ForwardState::Waiting { reason, .. } => (Some(reason), "waiting: "),
            ForwardState::Reconnecting { reason, .. } => (Some(reason), "reconnecting: "),
            ForwardState::Failing { reason } => (Some(reason), ""),
            ForwardState::Failed { reason } => (Some(reason), "failed: "),
            ForwardState::Listening | ForwardState::Connected | ForwardState::Stopped => (None, ""),
        };
        if self.problem.as_ref() != trouble {
            let name = name_of(status);
            match trouble {
                Some(reason) => eprintln!("svcscope: {name}: {words}{reason}"),
                None => eprintln!("svcscope: {name}: works again"),
            }
            self.problem = trouble.cloned();
        }
        lines
    }

    fn as_events(&mut self, scene: &Scene, status: &ForwardStatus) -> Vec<String> {
        let mut events = Vec::new();
        if !self.listening && status.local.is_some() {
            self.listening = true;
            let mut event = event("listening", status);
            let addresses: Vec<_> = status.addresses().map(|at| at.to_string()).collect();
            event["addresses"] = json!(addresses);
            event["podPort"] = json!(pod_port(scene, status));
            events.push(event);
        }
        let starting = status.local.is_none() && !status.state.is_over();
        if !starting && self.state.as_ref() != Some(&status.state) {
            self.state = Some(status.state.clone());
            let mut event = event("state", status);
            let (state, since, reason) = state_fields(&status.state);
            event["state"] = json!(state);
            if let Some(since) = since {
                event["since"] = json!(since);
            }
            if let Some(reason) = reason {
                event["reason"] = json!(reason);
            }
            events.push(event);
        }
        if (self.open, self.connections) != (status.open, status.total) {
            (self.open, self.connections) = (status.open, status.total);
            let mut event = event("connections", status);
            let pod = |pod: &svcscope_net::forward::PodConnectionCount| json!({ "pod": pod.pod.name, "port": pod.port, "open": pod.open });
            event["open"] = json!(status.open);
            event["total"] = json!(status.total);
            event["pods"] = status.pods.iter().map(pod).collect();
            event["bytesUp"] = json!(status.bytes_up);
            event["bytesDown"] = json!(status.bytes_down);
            event["lastError"] = json!(status.last_error);
            event["full"] = json!(status.at_capacity);
            events.push(event);
        }
        events.iter().map(Value::to_string).collect()
    }
}

/// The fields that every event has.
fn event(kind: &str, status: &ForwardStatus) -> Value {
    let spec = &status.spec;
    json!({
        "time": Timestamp::now(),
        "event": kind,
        "name": spec.name,
        "namespace": spec.target.key().namespace,
        "target": spec.target.to_string(),
        "port": spec.port,
        "localPort": status.local.map(|local| local.port()),
    })
}

fn state_fields(state: &ForwardState) -> (&'static str, Option<Timestamp>, Option<&SharedStr>) {
    match state {
        ForwardState::Listening => ("listening", None, None),
        ForwardState::Connected => ("connected", None, None),
        ForwardState::Waiting { since, reason } => ("waiting", Some(*since), Some(reason)),
        ForwardState::Reconnecting { since, reason } => {
            ("reconnecting", Some(*since), Some(reason))
        }
        ForwardState::Failing { reason } => ("failing", None, Some(reason)),
        ForwardState::Failed { reason } => ("failed", None, Some(reason)),
        ForwardState::Stopped => ("stopped", None, None),
    }
}

/// What words call a forward: its own name, else its target.
fn name_of(status: &ForwardStatus) -> String {
    let spec = &status.spec;
    match &spec.name {
        Some(name) => format!("{name} ({} port {})", spec.target, spec.port),
        None => format!("{} port {}", spec.target, spec.port),
    }
}

/// The pods' port behind a port of a Service, which kubectl prints as well. A name may lead to
/// another number on each pod; the first one's is reported.
fn pod_port(scene: &Scene, status: &ForwardStatus) -> Option<u16> {
    let ForwardTarget::Service(key) = &status.spec.target else {
        return None;
    };
    let traffic = scene.topology.service(key)?;
    let is_meant = |port: &&PortTraffic| {
        port.port.protocol == Protocol::Tcp
            && match &status.spec.port {
                RemotePort::Number(number) => port.port.port == *number,
                RemotePort::Name(name) => port.port.name.as_ref() == Some(name),
            }
    };
    let port = traffic.ports.iter().find(is_meant)?;
    port.backends.first()?.port
}

/// A line. Nobody reading it any more is no reason to end the forward.
fn print_line(line: String, format: EventFormat, to_stderr: bool) {
    if to_stderr {
        eprintln!("{}", plain_json(line));
    } else if format == EventFormat::Json {
        OutputBytes::json(line + "\n").print().ok();
    } else {
        println!("{line}");
    }
}
