//! `svcscope forward`: local ports until interrupted, or as long as a command runs.

mod child;
mod exec;
mod reporter;
mod saved_forwards;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use super::{
    ListenAddress,
    args::{ForwardArgs, GlobalFlags},
    engine_client::{EngineClient, SLOW_NOTICE_DELAY},
    exit::{CliExit, cli_error},
    source::source,
};
pub(super) use child::run_as_child;
use reporter::ForwardReporter;
use saved_forwards::SavedForwardsFile;
use svcscope_cluster::MergedKubeconfig;
use svcscope_engine::{AnalysisScope, EngineCommand, Scene};
use svcscope_model::inventory::{ObjectKey, ResourceKind, SharedStr};
use svcscope_net::forward::{
    self, ForwardId, ForwardSpec, ForwardState, ForwardStatus, ForwardTarget, SpreadPolicy,
};

/// How long `--exec` waits for the forwards to be up, as `kubectl port-forward` does for a pod.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(common: &GlobalFlags, task: &ForwardArgs) -> anyhow::Result<CliExit> {
    if let Some(exit) = manage_saved(common, task)? {
        return Ok(exit);
    }
    let analysis = AnalysisScope::without_checks(ResourceKind::MAP_KINDS);
    let (remote, specs) = match &task.target {
        Some(target) => {
            let (remote, namespace) = EngineClient::start_for_target(common, analysis)?;
            let mut specs = requested_specs(task, target.in_namespace(&namespace))?;
            save(common, task, &mut specs)?;
            (remote, specs)
        }
        None => {
            let specs =
                SavedForwardsFile::open(common)?.select(task.group.as_deref(), &task.saved)?;
            let mut namespaces: Vec<String> = specs
                .iter()
                .map(|spec| spec.target.key().namespace.to_string())
                .collect();
            namespaces.sort();
            namespaces.dedup();
            (EngineClient::start_in(common, namespaces, analysis)?, specs)
        }
    };
    warn_of_addresses(&specs);
    // A forward resolves its target in the inventory: it must be there first.
    let is_read = |scene: &Scene| {
        let mut targets = specs.iter().map(|spec| &spec.target);
        targets.all(|target| is_listed(scene, target)).then_some(())
    };
    if remote
        .wait_within(Some(SLOW_NOTICE_DELAY), is_read)?
        .is_none()
    {
        remote.report_slow_start();
        remote.wait_for(None, "the cluster to be read", is_read)?;
    }
    if task.target.is_some()
        && let Some(spec) = specs.first()
        && is_target_missing(&remote.handle().scene(), &spec.target)
    {
        let namespace = &spec.target.key().namespace;
        return Err(cli_error(
            CliExit::NotFound,
            format!("there is no {} in namespace {namespace}", spec.target),
        ));
    }
    let mut ids = Vec::new();
    for spec in specs {
        let id = ForwardId(remote.handle().next_id());
        ids.push(id);
        remote.handle().send(EngineCommand::StartForward(id, spec));
    }
    // What a command prints is its own.
    let mut teller = ForwardReporter::new(task.output, !task.exec.is_empty(), &ids);
    if !task.exec.is_empty() {
        return exec::run(&remote, &task.exec, &ids, &mut teller);
    }
    remote.wait_for(None, "the forward to end", |scene| {
        teller.report(scene);
        // One port that can't be had does not take the others down.
        (failed(scene, &ids).count() == ids.len()).then_some(())
    })?;
    Ok(CliExit::Failed)
}

/// Does what only concerns saved forwards and needs no cluster; none where there is more to do.
fn manage_saved(common: &GlobalFlags, task: &ForwardArgs) -> anyhow::Result<Option<CliExit>> {
    let done = if let Some(name) = &task.forget {
        SavedForwardsFile::open(common)?.forget(name)
    } else if let Some(file) = &task.import {
        SavedForwardsFile::open(common)?.import(file, task)
    } else if let Some(file) = &task.export {
        SavedForwardsFile::open(common)?.export(file, task.group.as_deref())
    } else if task.list {
        SavedForwardsFile::open(common)?.list(task.output, task.group.as_deref())
    } else {
        return Ok(None);
    };
    done.map(|()| Some(CliExit::Success))
}

/// What the command line asks for, a forward for each port.
fn requested_specs(task: &ForwardArgs, target: ForwardTarget) -> anyhow::Result<Vec<ForwardSpec>> {
    let usage = |words: &str| Err(cli_error(CliExit::Usage, words));
    if task.target.as_ref().is_some_and(|word| word.port.is_some()) || task.ports.is_empty() {
        return usage("give the port after the target: svcscope forward svc/web 8080:80");
    }
    if task.group.is_some() && task.save.is_none() {
        return usage("a group is for forwards that are saved: give --save NAME too");
    }
    let spread = match (&task.pod, task.balance) {
        (Some(pod), _) => SpreadPolicy::Pinned(SharedStr::from(&**pod)),
        (None, true) => SpreadPolicy::Balanced,
        (None, false) => SpreadPolicy::Sticky,
    };
    let addresses = addresses(&task.address);
    let mut specs = Vec::new();
    for pair in &task.ports {
        // At several addresses the port is one, as kubectl has it.
        let local_port = match (pair.local, addresses.as_slice()) {
            (None, several @ [_, _, ..]) => forward::free_port_at(several),
            (given, _) => given,
        };
        specs.extend(addresses.iter().map(|address| ForwardSpec {
            local_address: *address,
            local_port,
            spread: spread.clone(),
            ..ForwardSpec::new(target.clone(), pair.remote.clone())
        }));
    }
    Ok(specs)
}

/// Each address once; none is `localhost`, whose two addresses it holds already. As kubectl's
/// parseAddresses (client-go, tools/portforward/portforward.go).
fn addresses(given: &[ListenAddress]) -> Vec<Option<IpAddr>> {
    let is_localhost = given.is_empty() || given.contains(&ListenAddress(None));
    let within = |ip: &IpAddr| {
        is_localhost
            && [
                IpAddr::from(Ipv4Addr::LOCALHOST),
                Ipv6Addr::LOCALHOST.into(),
            ]
            .contains(ip)
    };
    let mut addresses = Vec::from_iter(is_localhost.then_some(None));
    for ip in given.iter().filter_map(|address| address.0) {
        if !within(&ip) && !addresses.contains(&Some(ip)) {
            addresses.push(Some(ip));
        }
    }
    addresses
}

/// Keeps what was asked for, where that is wanted; it bears its name from then on.
fn save(common: &GlobalFlags, task: &ForwardArgs, specs: &mut [ForwardSpec]) -> anyhow::Result<()> {
    let Some(name) = &task.save else {
        return Ok(());
    };
    let mut book = SavedForwardsFile::open(common)?;
    let (ports, several) = (task.ports.len() > 1, specs.len() > task.ports.len());
    for spec in specs {
        let mut name = name.clone();
        if ports {
            name.push_str(&format!(" {}", spec.port));
        }
        if let Some(address) = spec.local_address.filter(|_| several) {
            name.push_str(&format!(" {address}"));
        }
        book.save(&name, task.group.as_deref(), task.start_with_app, spec)?;
        spec.name = Some(SharedStr::from(name));
    }
    Ok(())
}

fn warn_of_addresses(specs: &[ForwardSpec]) {
    let mut warned = Vec::new();
    for address in specs.iter().filter_map(|spec| spec.local_address) {
        if !address.is_loopback() && !warned.contains(&address) {
            warned.push(address);
            eprintln!("svcscope: listening at {address}: reachable from other machines");
        }
    }
}

/// The context that the command line means.
fn context_of(common: &GlobalFlags) -> anyhow::Result<String> {
    if common.demo {
        return Err(cli_error(
            CliExit::Usage,
            "the demo cluster leaves nothing behind, so nothing is saved for it",
        ));
    }
    let (source, _no_demo) = source(common)?;
    let kubeconfigs = MergedKubeconfig::load(&source)
        .map_err(|error| cli_error(CliExit::NoCluster, error.to_string()))?;
    let context = common
        .context
        .as_deref()
        .or_else(|| kubeconfigs.current_context());
    let context = context.ok_or_else(|| {
        cli_error(
            CliExit::NoCluster,
            "the kubeconfig has no current context; name one with --context",
        )
    })?;
    Ok(context.to_owned())
}

fn failed<'a>(scene: &'a Scene, ids: &'a [ForwardId]) -> impl Iterator<Item = &'a ForwardStatus> {
    let ours = scene.forwards.iter().filter(|one| ids.contains(&one.id));
    ours.filter(|status| matches!(status.state, ForwardState::Failed { .. }))
}

/// Whether the cluster is known not to hold the target. A workload is known by its pods alone:
/// one without pods may be scaled to 0, and is waited for.
fn is_target_missing(scene: &Scene, target: &ForwardTarget) -> bool {
    let inventory = &scene.inventory;
    let is_known = |kind, key: &ObjectKey| inventory.sync(kind, &key.namespace).is_current();
    match target {
        ForwardTarget::Service(key) => {
            is_known(ResourceKind::Service, key) && inventory.service(key).is_none()
        }
        ForwardTarget::Pod(key) => is_known(ResourceKind::Pod, key) && inventory.pod(key).is_none(),
        ForwardTarget::Workload { .. } => false,
    }
}

/// Whether the first lists of what a target is resolved by are there, or refused.
fn is_listed(scene: &Scene, target: &ForwardTarget) -> bool {
    let namespace = &target.key().namespace;
    let known = |kind| scene.inventory.completeness_in(kind, namespace);
    ResourceKind::MAP_KINDS
        .into_iter()
        .all(|kind| known(kind).is_listed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_kubectl_reads_them() {
        let of = |words: &str| {
            let words = words.split(',').filter(|word| !word.is_empty());
            let given: Result<Vec<ListenAddress>, _> = words.map(str::parse).collect();
            given.map(|given| addresses(&given))
        };
        let ip = |word: &str| word.parse().ok();
        assert_eq!(of(""), Ok(vec![None]));
        assert_eq!(of("localhost"), Ok(vec![None]));
        assert_eq!(of("localhost,127.0.0.1,::1"), Ok(vec![None]));
        assert_eq!(of("127.0.0.1"), Ok(vec![ip("127.0.0.1")]));
        let both = of("10.19.21.23,localhost,10.19.21.23");
        assert_eq!(both, Ok(vec![None, ip("10.19.21.23")]));
        assert_eq!(of("0.0.0.0,::"), Ok(vec![ip("0.0.0.0"), ip("::")]));
        let said = of("example.com").unwrap_err().to_string();
        assert!(said.contains("localhost"), "{said}");
    }
}
