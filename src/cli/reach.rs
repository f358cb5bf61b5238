//! `svcscope reach`: every path to a Service, and what follows.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    args::{Common, Reach, ReachFormat},
    asking::allow_in_production,
    exit::{Exit, failure},
    remote::{POLICIES, Remote},
    signals::{self, EndSignal},
    terminal::{Data, Lines},
};
use crate::{
    engine::{Command, ReachId, ReachStatus, TestPaths},
    forward::ForwardTarget,
    inventory::{Kind, ObjectKey, Text},
    probe::{
        Insider, Vantage,
        reach::{CellResult, PlannedCell, Reach as Came, ReachOptions, Verdict, vantage_words},
    },
};

/// How long a round may take beside its cells: a probe pod has to be made.
const EXTRA: Duration = Duration::from_secs(90);
/// How long the cluster may take to be read.
const READ: Duration = Duration::from_secs(60);

pub(super) fn run(common: &Common, task: &Reach) -> anyhow::Result<Exit> {
    if !task.target.is_service() {
        return Err(failure(
            Exit::Usage,
            "only a Service has paths: svcscope reach svc/NAME",
        ));
    }
    let (remote, namespace) = Remote::start_for_target(common)?;
    let drawn = [Kind::Service, Kind::EndpointSlice, Kind::Pod, Kind::Node];
    remote.wait_until_known(&drawn, READ)?;
    // A BackendTLSPolicy may say how to ask. One that can't be read in time says nothing.
    remote.wait_for_fronts(&[], POLICIES).ok();
    let ForwardTarget::Service(service) = task.target.in_namespace(&namespace) else {
        return Err(failure(Exit::Usage, "only a Service has paths"));
    };
    let scene = remote.look_up(service.clone())?;
    if scene.inventory.service(&service).is_none() {
        return Err(failure(
            Exit::NotFound,
            format!("there is no Service {service}"),
        ));
    }
    let asked = TestPaths {
        service,
        options: ReachOptions {
            insiders: insiders(task, &namespace),
            patience: task.timeout,
            asks_local: task.local,
        },
        every: task.every,
    };
    if let Some(what) = done_inside(task) {
        allow_in_production(&remote, task.yes, what)?;
    }
    let stopped = interrupts(&remote)?;
    let id = ReachId(remote.handle().next_id());
    remote
        .handle()
        .send(Command::TestPaths(id, Box::new(asked)));
    let mut told = 0;
    loop {
        let limit = task.every.unwrap_or_default() + task.timeout * 4 + EXTRA;
        let status = remote.wait_for(Some(limit), "the paths to be tried", |scene| {
            let status = scene.reach.as_ref().filter(|status| status.id == id)?;
            let is_done = status.rounds > told || status.failure.is_some();
            (is_done || stopped.get().is_some()).then(|| status.clone())
        })?;
        if let Some(why) = &status.failure {
            return Err(failure(Exit::Failed, why.to_string()));
        }
        if status.rounds > told {
            told = status.rounds;
            print(&status, task.output).context("could not write to stdout")?;
        }
        if let Some(signal) = stopped.get().filter(|signal| signal.name != "INT") {
            return Ok(Exit::Signal(signal.number));
        }
        if task.every.is_none() || stopped.get().is_some() {
            let planned = status.plan.iter().flat_map(|plan| &plan.cells);
            let cells = planned.zip(status.cells.iter());
            let unused =
                unused(cells.filter_map(|(planned, cell)| Some((planned, cell.result.as_ref()?))));
            for why in &unused {
                eprintln!("svcscope: {why}");
            }
            return Ok(match exit(&status) {
                Exit::Done if !unused.is_empty() => Exit::Incomplete,
                exit => exit,
            });
        }
    }
}

/// What is done in the cluster for a test from inside.
fn done_inside(task: &Reach) -> Option<&'static str> {
    match (task.inside.is_empty(), task.from.is_empty()) {
        (true, true) => None,
        (true, false) => Some("run commands in pods"),
        (false, true) => Some("create a probe pod and run commands in it"),
        (false, false) => Some("create a probe pod and run commands in pods"),
    }
}

fn insiders(task: &Reach, namespace: &str) -> Vec<Insider> {
    let probes = task.inside.iter().map(|namespace| Insider::ProbePod {
        namespace: Text::from(&**namespace),
        // Whoever gives the flag agrees to what it says.
        agreed: true,
    });
    let pods = task.from.iter().map(|word| {
        let (pod, container) = match word.split_once(':') {
            Some((pod, container)) => (pod, Some(Text::from(container))),
            None => (&**word, None),
        };
        let (namespace, name) = pod.split_once('/').unwrap_or((namespace, pod));
        Insider::Pod {
            pod: ObjectKey::new(namespace, name),
            container,
        }
    });
    probes.chain(pods).collect()
}

/// A signal ends the test in order, so that no pod is left behind.
fn interrupts(remote: &Remote) -> anyhow::Result<Arc<OnceLock<EndSignal>>> {
    let stopped = Arc::new(OnceLock::new());
    let (flag, wake) = (stopped.clone(), remote.waker());
    let first = move |signal| {
        flag.get_or_init(|| signal);
        wake();
    };
    signals::on_end(first).context("could not listen for signals")?;
    Ok(stopped)
}

/// Of whom the user named, those that no path could be tried from, with the first reason.
fn unused<'a>(cells: impl Iterator<Item = (&'a PlannedCell, &'a CellResult)>) -> Vec<String> {
    // Each with whether it was of use, and why not.
    let mut known: Vec<(&Insider, bool, &str)> = Vec::new();
    for (planned, result) in cells.filter(|(planned, _)| planned.request.is_ok()) {
        let Vantage::Inside { from, .. } = &planned.vantage else {
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
                Insider::Pod { pod, .. } => format!("pod {pod}"),
                Insider::ProbePod { namespace, .. } => format!("a probe pod in {namespace}"),
            };
            format!("no path could be tried from {who}: {why}")
        })
        .collect()
}

fn exit(status: &ReachStatus) -> Exit {
    let is_fine = status.conclusions.iter().all(|found| found.is_fine);
    match status.verdict {
        Some(Verdict::AllReached) if is_fine => Exit::Done,
        Some(Verdict::Untried) | None => Exit::Incomplete,
        _ => Exit::Failed,
    }
}

fn print(status: &ReachStatus, format: ReachFormat) -> io::Result<()> {
    let data = match format {
        ReachFormat::Json => Data::json_line(&to_json(status))?,
        ReachFormat::Text => Data::lines(to_text(status)),
    };
    data.print()
}

/// A port as `kubectl get svc` shows it.
fn port_words(status: &ReachStatus, index: usize) -> String {
    let port = status.plan.as_ref().and_then(|plan| plan.ports.get(index));
    port.map_or_else(String::new, |port| match &port.name {
        Some(name) => format!("{name} {}/{}", port.number, port.protocol),
        None => format!("{}/{}", port.number, port.protocol),
    })
}

fn to_text(status: &ReachStatus) -> Lines {
    let mut text = Lines::default();
    let Some(plan) = &status.plan else {
        return text;
    };
    text.add(&format!("Service {}", plan.service));
    for (index, port) in plan.ports.iter().enumerate() {
        let words = port_words(status, index);
        text.add("");
        text.add(&format!(
            "{words} → {}, asked by {}",
            port.target, port.spoken
        ));
        let cells = plan.cells.iter().zip(status.cells.iter());
        for (planned, cell) in cells.filter(|(planned, _)| planned.port == index) {
            let Some(result) = &cell.result else { continue };
            let millis = result
                .millis
                .map_or_else(String::new, |millis| format!("{millis} ms"));
            let line = format!(
                "  {:<52} {:<13} {millis:>8}  {}",
                vantage_words(&planned.vantage),
                result.reach.words(),
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
    if let Some(took) = status.took {
        text.add(&format!(
            "{} paths in {:.1} s",
            plan.cells.len(),
            took.as_secs_f64()
        ));
    }
    text
}

fn to_json(status: &ReachStatus) -> Value {
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
                "vantage": vantage_words(&planned.vantage),
                "caveat": planned.vantage.caveat(),
                "result": cell.result,
                "history": cell.history,
                "command": cell.command,
            })
        })
        .collect();
    json!({
        "service": plan.service,
        "round": status.rounds,
        "began": status.began,
        "millis": status.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        "verdict": status.verdict,
        "ports": plan.ports,
        "morePods": plan.more_pods,
        "cells": cells,
        "conclusions": *status.conclusions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        forward::RemotePort,
        probe::{CurlRequest, InsideName},
    };

    #[test]
    fn a_pod_that_was_named_and_could_not_be_used_is_told() {
        let cell = |name: &str, to: InsideName, reach: Came| {
            let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
            let request = CurlRequest::new(target, RemotePort::Number(80));
            let pod = ObjectKey::new("shop", name);
            let from = Insider::Pod {
                pod,
                container: None,
            };
            let planned = PlannedCell {
                port: 0,
                vantage: Vantage::Inside { from, to },
                request: Ok(Box::new(request)),
            };
            (planned, CellResult::not_tried(reach, "no such pod"))
        };
        let cells = [
            cell("tols", InsideName::Short, Came::NotTestable),
            cell("tols", InsideName::Full, Came::NotTestable),
            cell("tools", InsideName::Short, Came::NotTestable),
            cell("tools", InsideName::Full, Came::Refused),
        ];
        assert_eq!(
            unused(cells.iter().map(|(planned, result)| (planned, result))),
            ["no path could be tried from pod shop/tols: no such pod"]
        );
    }
}
