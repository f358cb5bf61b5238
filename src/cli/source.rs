//! Where the cluster of a command is.

use std::sync::OnceLock;

use anyhow::Context as _;

use super::{
    args::GlobalFlags,
    exit::{CliExit, cli_error},
};
use svcscope_cluster::KubeconfigSource;
use svcscope_demo as demo;

/// Where the cluster is: the kubeconfig, or the demo cluster that now runs.
pub(super) fn source(
    common: &GlobalFlags,
) -> anyhow::Result<(KubeconfigSource, Option<demo::DemoServer>)> {
    if common.demo {
        let server = demo::DemoServer::spawn(demo::DemoOptions::default())
            .context("the demo cluster did not start")?;
        return Ok((KubeconfigSource::Inline(server.kubeconfig()), Some(server)));
    }
    Ok(match &common.kubeconfig {
        Some(file) => (file_source(file)?, None),
        None => (KubeconfigSource::Default, None),
    })
}

/// `--kubeconfig`. A pipe can be read only once, and some commands ask more than once.
fn file_source(file: &std::path::Path) -> anyhow::Result<KubeconfigSource> {
    static PIPED: OnceLock<KubeconfigSource> = OnceLock::new();
    if let Some(read) = PIPED.get() {
        return Ok(read.clone());
    }
    let source = KubeconfigSource::of_file(file)
        .map_err(|error| cli_error(CliExit::NoCluster, error.to_string()))?;
    if let KubeconfigSource::Inline(_) = source {
        PIPED.set(source.clone()).ok();
    }
    Ok(source)
}
