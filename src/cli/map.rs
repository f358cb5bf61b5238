//! `svcscope map`: the traffic graph once, as data or as a picture.

use std::time::Instant;

use super::{
    args::{Common, Map, MapFormat},
    exit::Exit,
    export,
    remote::{self, Remote},
    terminal::Data,
};
use crate::{
    inventory::{Completeness, Kind},
    topology,
};

pub(super) fn run(common: &Common, task: &Map) -> anyhow::Result<Exit> {
    export::check(task)?;
    let remote = if task.output.is_picture() {
        Remote::start_with_layout(common)?
    } else {
        Remote::start(common)?
    };
    let drawn = [Kind::Service, Kind::EndpointSlice, Kind::Pod, Kind::Node];
    let began = Instant::now();
    remote.wait_until_known(&Kind::DRAWN, task.timeout)?;
    let left = task.timeout.saturating_sub(began.elapsed());
    remote.wait_for_fronts(&[Kind::Node, Kind::Namespace], left)?;
    let mut scene = task.filter.apply(&remote)?;
    let part = task.filter.part_of(&scene)?;

    let is_listed = scene.inventory.is_seen(Kind::EndpointSlice);
    let mut bytes = Vec::new();
    let data = match task.output {
        MapFormat::Json => {
            let known = scene.completeness();
            let known = match remote::front_gaps(&scene).is_empty() {
                true => known,
                false => known.min(Completeness::Partial),
            };
            topology::export::write_json(&part, known, &mut bytes)?;
            bytes.push(b'\n');
            Data::json(text(bytes))
        }
        MapFormat::Text => {
            topology::text::write_text(&part, is_listed, &mut bytes)?;
            Data::text(&text(bytes))
        }
        MapFormat::Dot => {
            topology::dot::write_dot(&part, is_listed, &mut bytes)?;
            Data::text(&text(bytes))
        }
        MapFormat::Svg | MapFormat::Png => {
            scene = remote.wait_for(Some(task.timeout), "the map to be laid out", |scene| {
                export::is_laid_out(scene).then(|| scene.clone().into())
            })?;
            Data::picture(export::picture(scene.clone(), task)?)
        }
    };
    export::write(&data, task.out.as_deref())?;

    for note in scene.notes.iter() {
        eprintln!("svcscope: {note}");
    }
    let mut gaps = remote::gaps(&scene, &drawn);
    gaps.extend(remote::front_gaps(&scene));
    for gap in remote::polled(&scene).iter().chain(&gaps) {
        eprintln!("svcscope: {gap}");
    }
    Ok(
        if remote::tell_missing_namespaces(&scene, &common.namespaces) {
            Exit::NotFound
        } else if gaps.is_empty() {
            Exit::Done
        } else {
            Exit::Incomplete
        },
    )
}

/// What was written as text is text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
