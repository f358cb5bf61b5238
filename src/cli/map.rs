//! `svcscope map`: the traffic graph once, as data or as a picture.

use std::time::Instant;

use super::{
    args::{GlobalFlags, MapArgs, MapFormat},
    engine_client::{self, EngineClient},
    exit::CliExit,
    export,
    terminal::OutputBytes,
};
use svcscope_engine::AnalysisScope;
use svcscope_model::{
    inventory::{ListCompleteness, ResourceKind},
    topology,
};

/// What the graph is made of, beside routes.
const MAPPED_KINDS: [ResourceKind; 8] = [
    ResourceKind::Namespace,
    ResourceKind::Service,
    ResourceKind::EndpointSlice,
    ResourceKind::Pod,
    ResourceKind::Node,
    ResourceKind::Ingress,
    ResourceKind::Gateway,
    ResourceKind::BackendTlsPolicy,
];

pub(super) fn run(common: &GlobalFlags, task: &MapArgs) -> anyhow::Result<CliExit> {
    export::check(task)?;
    let remote = if task.output.is_picture() {
        EngineClient::start_with_layout(common)?
    } else if task.filter.needs_checks() {
        EngineClient::start(common, AnalysisScope::default())?
    } else {
        let kinds = MAPPED_KINDS.into_iter().chain(ResourceKind::ROUTES);
        EngineClient::start(common, AnalysisScope::without_checks(kinds))?
    };
    let drawn = [
        ResourceKind::Service,
        ResourceKind::EndpointSlice,
        ResourceKind::Pod,
        ResourceKind::Node,
    ];
    let began = Instant::now();
    remote.wait_until_known(&ResourceKind::MAP_KINDS, task.timeout)?;
    let left = task.timeout.saturating_sub(began.elapsed());
    remote.wait_for_ingress_kinds(&[ResourceKind::Node, ResourceKind::Namespace], left)?;
    let mut scene = task.filter.apply(&remote)?;
    let part = task.filter.filtered_topology(&scene)?;

    let is_listed = scene.inventory.was_listed(ResourceKind::EndpointSlice);
    let mut bytes = Vec::new();
    let data = match task.output {
        MapFormat::Json => {
            let known = scene.completeness();
            let known = match engine_client::ingress_gaps(&scene).is_empty() {
                true => known,
                false => known.min(ListCompleteness::Partial),
            };
            topology::json::write_json(&part, known, &mut bytes)?;
            bytes.push(b'\n');
            OutputBytes::json(text(bytes))
        }
        MapFormat::Text => {
            topology::text::write_text(&part, is_listed, &mut bytes)?;
            OutputBytes::text(&text(bytes))
        }
        MapFormat::Dot => {
            topology::dot::write_dot(&part, is_listed, &mut bytes)?;
            OutputBytes::text(&text(bytes))
        }
        MapFormat::Svg | MapFormat::Png => {
            scene = remote.wait_for(Some(task.timeout), "the map to be laid out", |scene| {
                export::is_laid_out(scene).then(|| scene.clone().into())
            })?;
            OutputBytes::picture(export::picture(scene.clone(), task)?)
        }
    };
    export::write(&data, task.out.as_deref())?;

    for note in scene.watch_notes.iter() {
        eprintln!("svcscope: {note}");
    }
    let mut gaps = engine_client::visibility_gaps(&scene, &drawn);
    gaps.extend(engine_client::ingress_gaps(&scene));
    for gap in engine_client::polling_text(&scene).iter().chain(&gaps) {
        eprintln!("svcscope: {gap}");
    }
    Ok(
        if engine_client::report_missing_namespaces(&scene, &common.namespaces) {
            CliExit::NotFound
        } else if gaps.is_empty() {
            CliExit::Success
        } else {
            CliExit::Incomplete
        },
    )
}

/// What was written as text is text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
