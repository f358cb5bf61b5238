//! `svcscope reach`: every path to a Service, and what follows.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    args::{GlobalFlags, ReachArgs, ReachFormat},
    engine_client::{EngineClient, POLICY_TIMEOUT},
    exit::{CliExit, cli_error},
    production::allow_in_production,
    signals::{self, TerminationSignal},
    terminal::{OutputBytes, TerminalLines},
};
use svcscope_engine::{AnalysisScope, EngineCommand, PathTestId, PathTestRequest, PathTestStatus};
use svcscope_model::inventory::{ObjectKey, ResourceKind, SharedStr};
use svcscope_net::{
    forward::ForwardTarget,
    probe::{
        AccessPath, ExecTarget,
        path_test::{
            PathTestOptions, PathTestOutcome as Came, PathTestResult, PathTestSummary,
            PlannedPathTest, access_path_label,
        },
    },
};

/// How long a round may take beside its cells: a probe pod has to be made.
const ROUND_TIME_ALLOWANCE: Duration = Duration::from_secs(90);
/// How long the cluster may take to be read.
const CLUSTER_READ_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(common: &GlobalFlags, task: &ReachArgs) -> anyhow::Result<CliExit> {
    if !task.target.is_service() {
        return Err(cli_error(
            CliExit::Usage,
            "only a Service has paths: svcscope reach svc/NAME",
        ));
    }
    let (remote, namespace) = EngineClient::start_for_target(common, AnalysisScope::default())?;
    let drawn = [
        ResourceKind::Service,
        ResourceKind::EndpointSlice,
        ResourceKind::Pod,
        ResourceKind::Node,
    ];
    remote.wait_until_known(&drawn, CLUSTER_READ_TIMEOUT)?;
    // A BackendTLSPolicy may say how to ask. One that can't be read in time says nothing.
    remote.wait_for_ingress_kinds(&[], POLICY_TIMEOUT).ok();
    let ForwardTarget::Service(service) = task.target.in_namespace(&namespace) else {
        return Err(cli_error(CliExit::Usage, "only a Service has paths"));
    };
    let scene = remote.look_up(service.clone())?;
    if scene.inventory.service(&service).is_none() {
        return Err(cli_error(
            CliExit::NotFound,
            format!("there is no Service {service}"),
        ));
    }
    let asked = PathTestRequest {
        service,
        options: PathTestOptions {
            exec_targets: exec_targets(task, &namespace),
            timeout: task.timeout,
            includes_local_addresses: task.local,
        },
        repeat_interval: task.every,
    };
    if let Some(what) = in_cluster_actions(task) {
        allow_in_production(&remote, task.yes, what)?;
    }
    let stopped = end_test_on_signal(&remote)?;
    let id = PathTestId(remote.handle().next_id());
    remote
        .handle()
        .send(EngineCommand::StartPathTest(id, Box::new(asked)));
    let mut told = 0;
    loop {
        let limit = task.every.unwrap_or_default() + task.timeout * 4 + ROUND_TIME_ALLOWANCE;
        let status = remote.wait_for(Some(limit), "the paths to be tried", |scene| {
            let status = scene.path_test.as_ref().filter(|status| status.id == id)?;
            let is_done = status.rounds > told || status.failure.is_some();
            (is_done || stopped.get().is_some()).then(|| status.clone())
        })?;
        if let Some(why) = &status.failure {
            return Err(cli_error(CliExit::Failed, why.to_string()));
        }
        if status.rounds > told {
            told = status.rounds;
            print(&status, task.output).context("could not write to stdout")?;
        }
        if let Some(signal) = stopped.get().filter(|signal| signal.name != "INT") {
            return Ok(CliExit::Signal(signal.number));
        }
        if task.every.is_none() || stopped.get().is_some() {
            let planned = status.plan.iter().flat_map(|plan| &plan.cells);
            let cells = planned.zip(status.cells.iter());
            let unused = unusable_exec_targets(
                cells.filter_map(|(planned, cell)| Some((planned, cell.result.as_ref()?))),
            );
            for why in &unused {
                eprintln!("svcscope: {why}");
            }
            return Ok(match exit(&status) {
                CliExit::Success if !unused.is_empty() => CliExit::Incomplete,
                exit => exit,
            });
        }
    }
}

/// What is done in the cluster for a test from inside.
fn in_cluster_actions(task: &ReachArgs) -> Option<&'static str> {
    match (task.inside.is_empty(), task.from.is_empty()) {
        (true, true) => None,
        (true, false) => Some("run commands in pods"),
        (false, true) => Some("create a probe pod and run commands in it"),
        (false, false) => Some("create a probe pod and run commands in pods"),
    }
}

fn exec_targets(task: &ReachArgs, namespace: &str) -> Vec<ExecTarget> {
    let probes = task.inside.iter().map(|namespace| ExecTarget::ProbePod {
        namespace: SharedStr::from(&**namespace),
        // Whoever gives the flag agrees to what it says.
        user_consented: true,
    });
    let pods = task.from.iter().map(|word| {
        let (pod, container) = match word.split_once(':') {
            Some((pod, container)) => (pod, Some(SharedStr::from(container))),
            None => (&**word, None),
        };
        let (namespace, name) = pod.split_once('/').unwrap_or((namespace, pod));
        ExecTarget::Pod {
            pod: ObjectKey::new(namespace, name),
            container,
        }
    });
    probes.chain(pods).collect()
}

/// A signal ends the test in order, so that no pod is left behind.
fn end_test_on_signal(remote: &EngineClient) -> anyhow::Result<Arc<OnceLock<TerminationSignal>>> {
    let stopped = Arc::new(OnceLock::new());
    let (flag, wake) = (stopped.clone(), remote.waker());
    let first = move |signal| {
        flag.get_or_init(|| signal);
        wake();
    };
    signals::on_termination_signal(first).context("could not listen for signals")?;
    Ok(stopped)
}

/// Of whom the user named, those that no path could be tried from, with the first reason.
fn unusable_exec_targets<'a>(
    cells: impl Iterator<Item = (&'a PlannedPathTest, &'a PathTestResult)>,
) -> Vec<String> {
    // Each with whether it was of use, and why not.
    let mut known: Vec<(&ExecTarget, bool, &str)> = Vec::new();
    for (planned, result) in cells.filter(|(planned, _)| planned.request.is_ok()) {
        let AccessPath::InCluster { from, .. } = &planned.access_path else {
            continue;
        };
        let is_tried = result.reach.is_tried();
        match known.iter_mut().find(|(insider, ..)| *insider == from) {
            Some((_, is_used, _)) => *is_used |= is_tried,
            None => known.push((from, is_tried, &*result.note)),
        }
    }
    let unused = known.into_iter().filter(|(_, is_used, _)| !is_used);
    unused
        .map(|(insider, _, why)| {
            let who = match insider {
                ExecTarget::Pod { pod, .. } => format!("pod {pod}"),
                ExecTarget::ProbePod { namespace, .. } => format!("a probe pod in {namespace}"),
            };
            format!("no path could be tried from {who}: {why}")
        })
        .collect()
}

fn exit(status: &PathTestStatus) -> CliExit {
    let is_fine = status.conclusions.iter().all(|found| found.is_fine);
    match status.summary {
        Some(PathTestSummary::AllReached) if is_fine => CliExit::Success,
        Some(PathTestSummary::Untried) | None => CliExit::Incomplete,
        _ => CliExit::Failed,
    }
}

fn print(status: &PathTestStatus, format: ReachFormat) -> io::Result<()> {
    let data = match format {
        ReachFormat::Json => OutputBytes::json_line(&to_json(status))?,
        ReachFormat::Text => OutputBytes::lines(to_text(status)),
    };
    data.print()
}

/// A port as `kubectl get svc` shows it.
fn port_text(status: &PathTestStatus, index: usize) -> String {
    let port = status.plan.as_ref().and_then(|plan| plan.ports.get(index));
    port.map_or_else(String::new, |port| match &port.name {
        Some(name) => format!("{name} {}/{}", port.number, port.protocol),
        None => format!("{}/{}", port.number, port.protocol),
    })
}

fn to_text(status: &PathTestStatus) -> TerminalLines {
    let mut text = TerminalLines::default();
    let Some(plan) = &status.plan else {
        return text;
    };
    text.add(&format!("Service {}", plan.service));
    for (index, port) in plan.ports.iter().enumerate() {
        let words = port_text(status, index);
        text.add("");
        text.add(&format!(
            "{words} → {}, asked by {}",
            port.target, port.app_protocol
        ));
        let cells = plan.cells.iter().zip(status.cells.iter());
        for (planned, cell) in cells.filter(|(planned, _)| planned.port == index) {
            let Some(result) = &cell.result else { continue };
            let millis = result
                .millis
                .map_or_else(String::new, |millis| format!("{millis} ms"));
            let line = format!(
                "  {:<52} {:<13} {millis:>8}  {}",
                access_path_label(&planned.access_path),
                result.reach.label(),
                result.note,
            );
            text.add(line.trim_end());
            if !result.reach.is_reached()
                && result.reach != Came::NotTestable
                && let Some(command) = &cell.command
            {
                text.add(&format!("      {command}"));
            }
        }
    }
    if plan.more_pods > 0 {
        text.add("");
        text.add(&format!(
            "{} more pods were not asked one by one",
            plan.more_pods
        ));
    }
    text.add("");
    for found in status.conclusions.iter() {
        let ports: Vec<_> = found.ports.iter().map(u16::to_string).collect();
        let about = match plan.ports.len() {
            0 | 1 => String::new(),
            _ => format!("port {}: ", ports.join(", ")),
        };
        text.add(&format!("{about}{}", found.text));
    }
    if let Some(took) = status.last_round_duration {
        text.add(&format!(
            "{} paths in {:.1} s",
            plan.cells.len(),
            took.as_secs_f64()
        ));
    }
    text
}

fn to_json(status: &PathTestStatus) -> Value {
    let Some(plan) = &status.plan else {
        return Value::Null;
    };
    let cells: Vec<_> = plan
        .cells
        .iter()
        .zip(status.cells.iter())
        .map(|(planned, cell)| {
            json!({
                "port": plan.ports.get(planned.port).map(|port| port.number),
                "vantage": access_path_label(&planned.access_path),
                "caveat": planned.access_path.caveat(),
                "result": cell.result,
                "history": cell.past_outcomes,
                "command": cell.command,
            })
        })
        .collect();
    json!({
        "service": plan.service,
        "round": status.rounds,
        "began": status.round_started_at,
        "millis": status.last_round_duration.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        "verdict": status.summary,
        "ports": plan.ports,
        "morePods": plan.more_pods,
        "cells": cells,
        "conclusions": *status.conclusions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_net::{
        forward::RemotePort,
        probe::{CurlRequest, InClusterName},
    };

    #[test]
    fn a_pod_that_was_named_and_could_not_be_used_is_told() {
        let cell = |name: &str, to: InClusterName, reach: Came| {
            let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
            let request = CurlRequest::new(target, RemotePort::Number(80));
            let pod = ObjectKey::new("shop", name);
            let from = ExecTarget::Pod {
                pod,
                container: None,
            };
            let planned = PlannedPathTest {
                port: 0,
                access_path: AccessPath::InCluster { from, to },
                request: Ok(Box::new(request)),
            };
            (planned, PathTestResult::not_tried(reach, "no such pod"))
        };
        let cells = [
            cell("tols", InClusterName::Short, Came::NotTestable),
            cell("tols", InClusterName::Full, Came::NotTestable),
            cell("tools", InClusterName::Short, Came::NotTestable),
            cell("tools", InClusterName::Full, Came::Refused),
        ];
        assert_eq!(
            unusable_exec_targets(cells.iter().map(|(planned, result)| (planned, result))),
            ["no path could be tried from pod shop/tols: no such pod"]
        );
    }
}
