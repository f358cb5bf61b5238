//! `svcscope doctor`: what works of the connection and what does not.

use std::{io, sync::Mutex};

use anyhow::Context as _;
use serde_json::json;

use super::{
    args::{DoctorArgs, DoctorFormat, GlobalFlags},
    contexts,
    exit::{CliExit, cli_error},
    prompt::confirm,
    source,
    terminal::OutputBytes,
};
use svcscope_cluster::{ConnectionStepResult, ConnectionTestOptions, StepStatus, test_connection};
use svcscope_engine::{connection_summary, connection_text, step_text};

pub(super) fn run(common: &GlobalFlags, task: &DoctorArgs) -> anyhow::Result<CliExit> {
    // The server of the demo lives as long as it is tested.
    let (source, _demo) = source::source(common)?;
    if task.exec {
        may_run_command(common, task.yes)?;
    }
    let options = ConnectionTestOptions {
        context: common.context.clone(),
        namespaces: common.namespaces.clone(),
        run_command: task.exec,
        limit: task.timeout,
        login: super::login::context(),
    };
    let steps = Mutex::new(Vec::new());
    let report = |result: ConnectionStepResult| {
        let written = match task.output {
            DoctorFormat::Text => print(&step_text(&result).unwrap_or_default()),
            DoctorFormat::Json => Ok(()),
        };
        if let Ok(mut steps) = steps.lock() {
            steps.push((result, written));
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("could not start the test")?;
    let is_whole = runtime.block_on(async {
        tokio::select! {
            () = test_connection(source, options, report) => true,
            _ = tokio::signal::ctrl_c() => false,
        }
    });
    // A name is resolved, or a file read, on a thread of its own that need not be waited for.
    runtime.shutdown_background();
    let steps = steps.into_inner().unwrap_or_default();
    let (steps, written): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
    let written: io::Result<()> = written.into_iter().collect();
    written.context("could not write to stdout")?;
    let summary = connection_summary(&steps);
    let end = match task.output {
        DoctorFormat::Text => {
            let untried: Vec<_> = steps
                .iter()
                .filter(is(StepStatus::NotTried))
                .cloned()
                .collect();
            OutputBytes::text(&format!("{}\n{summary}\n", connection_text(&untried)))
        }
        DoctorFormat::Json => {
            OutputBytes::json_line(&json!({ "summary": summary, "steps": steps }))?
        }
    };
    if !is_whole {
        return Err(cli_error(CliExit::Failed, "interrupted"));
    }
    end.print().context("could not write to stdout")?;
    Ok(exit(&steps))
}

/// A command in a container is refused in a read-only context, and asked for in one of production.
fn may_run_command(common: &GlobalFlags, yes: bool) -> anyhow::Result<()> {
    let undone = "no command was run";
    let (context, marks, fault) = contexts::protection_flags(common)?;
    let context = context.unwrap_or_default();
    let why = match fault {
        _ if common.read_only => "svcscope was started with --read-only".to_owned(),
        Some(fault) => fault,
        None if marks.read_only => format!("context {context} is marked so in the settings"),
        None if marks.production => {
            let question = format!(
                "Context {context} is marked as production: run `true` in a container there"
            );
            return confirm(yes, &question, undone);
        }
        None => return Ok(()),
    };
    let said = format!("read-only: {why}; {undone}. Without --exec all else is tested");
    Err(cli_error(CliExit::Failed, said))
}

/// Each line was made harmless where it was put together.
fn print(text: &str) -> io::Result<()> {
    OutputBytes::text(text).print()
}

fn is(outcome: StepStatus) -> impl Fn(&&ConnectionStepResult) -> bool {
    move |result| result.outcome == outcome
}

fn exit(steps: &[ConnectionStepResult]) -> CliExit {
    match steps.iter().find(is(StepStatus::Failed)) {
        None if steps.iter().any(|step| is(StepStatus::NotTried)(&step)) => CliExit::Incomplete,
        None => CliExit::Success,
        Some(first) if first.step.is_connecting() => CliExit::NoCluster,
        Some(_) => CliExit::Failed,
    }
}
