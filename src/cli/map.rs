//! `svcscope map`: the traffic graph once, as data or as a picture.

use super::{
    args::{Common, Map, MapFormat},
    exit::Exit,
    export,
    remote::{self, Remote},
};
use crate::{
    engine::Scene,
    inventory::{self, Kind},
    topology,
};

/// What front doors are made of.
const FRONTS: [Kind; 4] = [
    Kind::Ingress,
    Kind::Gateway,
    Kind::HttpRoute,
    Kind::GrpcRoute,
];

pub(super) fn run(common: &Common, task: &Map) -> anyhow::Result<Exit> {
    export::check(task)?;
    let remote = if task.output.is_picture() {
        Remote::start_with_layout(common)?
    } else {
        Remote::start(common)?
    };
    let drawn = [Kind::Service, Kind::EndpointSlice, Kind::Pod, Kind::Node];
    remote.wait_until_known(&drawn, task.timeout)?;
    remote.wait_for(Some(task.timeout), "Ingresses and routes", |scene| {
        has_front_doors(scene).then_some(())
    })?;
    let mut scene = task.filter.apply(&remote)?;
    let part = task.filter.part_of(&scene)?;

    let mut bytes = Vec::new();
    match task.output {
        MapFormat::Json => {
            topology::export::write_json(&part, &mut bytes)?;
            bytes.push(b'\n');
        }
        MapFormat::Text => topology::text::write_text(&part, &mut bytes)?,
        MapFormat::Dot => topology::dot::write_dot(&part, &mut bytes)?,
        MapFormat::Svg | MapFormat::Png => {
            scene = remote.wait_for(Some(task.timeout), "the map to be laid out", |scene| {
                export::is_laid_out(scene).then(|| scene.clone().into())
            })?;
            bytes = export::picture(scene.clone(), task)?;
        }
    }
    export::write(&bytes, task.out.as_deref())?;

    for note in scene.notes.iter() {
        eprintln!("svcscope: {note}");
    }
    let gaps = remote::gaps(&scene, &drawn);
    for gap in remote::polled(&scene).iter().chain(&gaps) {
        eprintln!("svcscope: {gap}");
    }
    Ok(if gaps.is_empty() {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}

/// Whether front doors were listed, or can't be: without them the map is no less true.
fn has_front_doors(scene: &Scene) -> bool {
    let wanted = inventory::wanted(&scene.inventory);
    FRONTS
        .into_iter()
        .filter(|kind| wanted.contains(kind))
        .all(|wanted| {
            let mut syncs = scene.inventory.syncs();
            syncs.any(|(kind, _, state)| kind == wanted && state.is_settled())
        })
}
