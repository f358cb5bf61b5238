//! `svcscope check svc/NAME --trace`: the way of a packet.

use serde_json::json;

use super::super::{
    args::CheckFormat,
    exit::{Exit, failure},
    export,
    terminal::{Data, Lines},
};
use crate::{
    check::{Passage, Trace, trace},
    engine::Scene,
    inventory::ObjectKey,
};

/// Prints the way to each port.
pub(super) fn run(scene: &Scene, key: &ObjectKey, format: CheckFormat) -> anyhow::Result<Exit> {
    let known = scene.topology.service(key).zip(scene.reports.get(key));
    let Some((traffic, report)) = known else {
        // Whoever asks has seen that it is there.
        return Err(failure(
            Exit::Incomplete,
            format!("nothing is known yet of the way to Service {key}"),
        ));
    };
    let traces = trace(traffic, report, &scene.inventory);
    let data = match format {
        CheckFormat::Text => Data::lines(lines(key, &traces)),
        CheckFormat::Json => Data::json(json(key, &traces)?),
        CheckFormat::Sarif | CheckFormat::Junit => {
            let why = "a trace is printed as text or json";
            return Err(failure(Exit::Usage, why));
        }
    };
    export::write(&data, None)?;
    Ok(Exit::Done)
}

fn word(passage: Passage) -> &'static str {
    match passage {
        Passage::Passes => "passes",
        Passage::Limps => "warning",
        Passage::Depends => "depends",
        Passage::Unknown => "unknown",
        Passage::Stops => "ends here",
    }
}

fn lines(key: &ObjectKey, traces: &[Trace]) -> Lines {
    let mut lines = Lines::default();
    for trace in traces {
        let port = match &trace.port {
            Some(port) => format!(" port {port}"),
            None => String::new(),
        };
        lines.add(&format!("{key}{port}: {}", trace.outcome()));
        for hop in &trace.hops {
            let passage = word(hop.passage);
            lines.add(&format!("  {passage:<11}{}: {}", hop.what, hop.says));
        }
    }
    lines
}

fn json(key: &ObjectKey, traces: &[Trace]) -> anyhow::Result<String> {
    let traces: Vec<_> = traces
        .iter()
        .map(|trace| {
            let hops: Vec<_> = trace
                .hops
                .iter()
                .map(|hop| json!({"what": hop.what, "passage": word(hop.passage), "says": hop.says}))
                .collect();
            json!({"port": trace.port, "outcome": trace.outcome(), "arrives": trace.arrives(), "hops": hops})
        })
        .collect();
    let value = json!({"service": key, "traces": traces});
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}
