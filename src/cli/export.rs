//! `svcscope map -o svg|png|dot`: the map as a file.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use jiff::Timestamp;

use super::{
    args::{Map, MapFormat, PictureTheme},
    exit::{Exit, failure},
    terminal::Data,
};
use crate::{
    engine::Scene,
    session,
    ui::export::{Export, Format, What},
};

/// What the command line asks for that can't be done, before anything is started for it.
pub(super) fn check(task: &Map) -> anyhow::Result<()> {
    if !task.output.is_picture() && (task.zoom.is_some() || task.theme.is_some()) {
        return Err(failure(
            Exit::Usage,
            "--zoom and --theme are for pictures: -o svg or -o png",
        ));
    }
    let to_stdout = file(task.out.as_deref()).is_none();
    if task.output == MapFormat::Png && to_stdout && io::stdout().is_terminal() {
        return Err(failure(
            Exit::Usage,
            "a PNG on a terminal can't be read: use --out FILE, or send it to a file or a program",
        ));
    }
    Ok(())
}

/// Draws the layout of a scene; what is not as it was asked for is said on stderr.
pub(super) fn picture(scene: Arc<Scene>, task: &Map) -> anyhow::Result<Vec<u8>> {
    let export = Export {
        scene,
        format: match task.output {
            MapFormat::Png => Format::Png,
            _ => Format::Svg,
        },
        what: What::Whole {
            zoom: task.zoom.unwrap_or(1.0),
        },
        dark: task.theme != Some(PictureTheme::Light),
        at: Timestamp::now(),
    };
    let exported = export.make()?;
    if let Some(smaller) = exported.smaller {
        eprintln!("svcscope: {smaller}");
    }
    Ok(exported.bytes)
}

/// The file that is meant; `-` is stdout.
fn file(out: Option<&Path>) -> Option<&Path> {
    out.filter(|path| *path != Path::new("-"))
}

/// Writes to a file, or to stdout.
pub(super) fn write(data: &Data, out: Option<&Path>) -> anyhow::Result<()> {
    match file(out) {
        Some(path) => Ok(session::write_over(path, data.bytes())?),
        None => data.print().context("could not write to stdout"),
    }
}

/// Whether the layout of a scene holds all that the scene shows: it may follow a little later.
pub(super) fn is_laid_out(scene: &Scene) -> bool {
    let districts = &scene.layout.districts;
    let services: usize = districts.iter().map(|district| district.services).sum();
    let pods: usize = districts.iter().map(|district| district.pods).sum();
    services == scene.shown.services && pods >= scene.shown.pods
}
