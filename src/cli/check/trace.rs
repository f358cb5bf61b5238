//! `svcscope check svc/NAME --trace`: the way of a packet.

use serde_json::json;

use super::super::{
    args::CheckFormat,
    exit::{CliExit, cli_error},
    export,
    terminal::{OutputBytes, TerminalLines},
};
use svcscope_check::{HopResult, PacketTrace, trace};
use svcscope_engine::Scene;
use svcscope_model::inventory::ObjectKey;

/// Prints the path to each port.
pub(super) fn run(scene: &Scene, key: &ObjectKey, format: CheckFormat) -> anyhow::Result<CliExit> {
    let known = scene.topology.service(key).zip(scene.reports.get(key));
    let Some((traffic, report)) = known else {
        // Whoever asks has seen that it is there.
        return Err(cli_error(
            CliExit::Incomplete,
            format!("nothing is known yet of the way to Service {key}"),
        ));
    };
    let traces = trace(traffic, report, &scene.inventory);
    let data = match format {
        CheckFormat::Text => OutputBytes::lines(lines(key, &traces)),
        CheckFormat::Json => OutputBytes::json(json(key, &traces)?),
        CheckFormat::Sarif | CheckFormat::Junit => {
            let why = "a trace is printed as text or json";
            return Err(cli_error(CliExit::Usage, why));
        }
    };
    export::write(&data, None)?;
    Ok(CliExit::Success)
}

fn hop_result_text(passage: HopResult) -> &'static str {
    match passage {
        HopResult::Passes => "passes",
        HopResult::Degraded => "warning",
        HopResult::DependsOnClient => "depends",
        HopResult::Unknown => "unknown",
        HopResult::Blocked => "ends here",
    }
}

fn lines(key: &ObjectKey, traces: &[PacketTrace]) -> TerminalLines {
    let mut lines = TerminalLines::default();
    for trace in traces {
        let port = match &trace.port {
            Some(port) => format!(" port {port}"),
            None => String::new(),
        };
        lines.add(&format!("{key}{port}: {}", trace.outcome()));
        for hop in &trace.hops {
            let passage = hop_result_text(hop.result);
            lines.add(&format!(
                "  {passage:<11}{}: {}",
                hop.label, hop.explanation
            ));
        }
    }
    lines
}

fn json(key: &ObjectKey, traces: &[PacketTrace]) -> anyhow::Result<String> {
    let traces: Vec<_> = traces
        .iter()
        .map(|trace| {
            let hops: Vec<_> = trace
                .hops
                .iter()
                .map(|hop| json!({"what": hop.label, "passage": hop_result_text(hop.result), "says": hop.explanation}))
                .collect();
            json!({"port": trace.port, "outcome": trace.outcome(), "arrives": trace.arrives(), "hops": hops})
        })
        .collect();
    let value = json!({"service": key, "traces": traces});
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}
