//! `svcscope map`: the traffic graph once, as data.

use std::io::{self, BufWriter, Write as _};

use anyhow::Context as _;

use super::{
    args::{Common, Map, MapFormat},
    exit::Exit,
    remote::{self, Remote},
};
use crate::{inventory::Kind, topology};

pub(super) fn run(common: &Common, task: &Map) -> anyhow::Result<Exit> {
    let remote = Remote::start(common)?;
    let drawn = [Kind::Service, Kind::EndpointSlice, Kind::Pod, Kind::Node];
    remote.wait_until_known(&drawn, task.timeout)?;
    let scene = task.filter.apply(&remote)?;
    let part = task.filter.part_of(&scene)?;

    let mut out = BufWriter::new(io::stdout().lock());
    let printed = match task.output {
        MapFormat::Json => {
            topology::export::write_json(&part, &mut out).and_then(|()| writeln!(out))
        }
        MapFormat::Text => topology::text::write_text(&part, &mut out),
    };
    match printed.and_then(|()| out.flush()) {
        // Who reads has read enough: `svcscope map | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
        printed => printed.context("could not write the map to stdout")?,
    }

    for note in scene.notes.iter() {
        eprintln!("svcscope: {note}");
    }
    let gaps = remote::gaps(&scene, &drawn);
    for gap in &gaps {
        eprintln!("svcscope: {gap}");
    }
    Ok(if gaps.is_empty() {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}
