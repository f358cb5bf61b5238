//! `svcscope demo`: the embedded cluster alone.

use anyhow::Context as _;

use super::{args::DemoArgs, exit::CliExit, terminal::OutputBytes};
use svcscope_demo as demo;

pub(super) fn run(task: &DemoArgs) -> anyhow::Result<CliExit> {
    let runtime = tokio::runtime::Runtime::new().context("no event queue for the demo cluster")?;
    runtime.block_on(async {
        let server = demo::DemoServer::start(demo::DemoOptions {
            listen: task.listen,
            services: task.services,
            pods: task.pods,
            churn_per_second: task.churn,
            ..demo::DemoOptions::default()
        })
        .await
        .with_context(|| format!("the demo cluster could not listen at {}", task.listen))?;
        match &task.write_kubeconfig {
            Some(file) => {
                demo::write_kubeconfig(file, &server.kubeconfig())
                    .with_context(|| format!("could not write {}", file.display()))?;
                eprintln!(
                    "svcscope: the demo cluster is at {}; use it with KUBECONFIG={}",
                    server.url(),
                    file.display()
                );
            }
            // The token is the only key to the cluster: it goes where it was asked for.
            None => OutputBytes::text(&server.kubeconfig()).print()?,
        }
        tokio::signal::ctrl_c()
            .await
            .context("could not wait for the interrupt")?;
        server.stop().await;
        Ok(CliExit::Success)
    })
}
