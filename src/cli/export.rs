//! `svcscope map -o svg|png|dot`: the map as a file.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use jiff::Timestamp;

use super::{
    args::{Map, MapFormat, PictureTheme},
    exit::{Exit, failure},
};
use crate::{
    engine::Scene,
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
    if task.output == MapFormat::Png && task.out.is_none() && io::stdout().is_terminal() {
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

/// Writes to a file, or to stdout. Says whether somebody read it.
pub(super) fn write(bytes: &[u8], out: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = out {
        return fs::write(path, bytes)
            .with_context(|| format!("could not write {}", path.display()));
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // Who reads has read enough: `svcscope map | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("could not write the map to stdout"),
    }
}

/// Whether the layout of a scene holds all that the scene shows: it may follow a little later.
pub(super) fn is_laid_out(scene: &Scene) -> bool {
    let districts = &scene.layout.districts;
    let services: usize = districts.iter().map(|district| district.services).sum();
    let pods: usize = districts.iter().map(|district| district.pods).sum();
    services == scene.shown.services && pods >= scene.shown.pods
}
