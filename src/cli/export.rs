//! `svcscope map -o svg|png|dot`: the map as a file.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use jiff::Timestamp;

use super::{
    args::{MapArgs, MapFormat, PictureTheme},
    exit::{CliExit, cli_error},
    terminal::OutputBytes,
};
use svcscope_engine::{Scene, settings as session};
use svcscope_ui::export::{ExportFormat, ExportScope, MapExport};

/// What the command line asks for that can't be done, before anything is started for it.
pub(super) fn check(task: &MapArgs) -> anyhow::Result<()> {
    if !task.output.is_picture() && (task.zoom.is_some() || task.theme.is_some()) {
        return Err(cli_error(
            CliExit::Usage,
            "--zoom and --theme are for pictures: -o svg or -o png",
        ));
    }
    let to_stdout = file(task.out.as_deref()).is_none();
    if task.output == MapFormat::Png && to_stdout && io::stdout().is_terminal() {
        return Err(cli_error(
            CliExit::Usage,
            "a PNG on a terminal can't be read: use --out FILE, or send it to a file or a program",
        ));
    }
    Ok(())
}

/// Draws the layout of a scene; what is not as it was asked for is said on stderr.
pub(super) fn picture(scene: Arc<Scene>, task: &MapArgs) -> anyhow::Result<Vec<u8>> {
    let export = MapExport {
        scene,
        format: match task.output {
            MapFormat::Png => ExportFormat::Png,
            _ => ExportFormat::Svg,
        },
        scope: ExportScope::WholeMap {
            zoom: task.zoom.unwrap_or(1.0),
        },
        dark: task.theme != Some(PictureTheme::Light),
        captured_at: Timestamp::now(),
    };
    let exported = export.render()?;
    if let Some(smaller) = exported.zoom_reduction {
        eprintln!("svcscope: {smaller}");
    }
    Ok(exported.bytes)
}

/// The file that is meant; `-` is stdout.
fn file(out: Option<&Path>) -> Option<&Path> {
    out.filter(|path| *path != Path::new("-"))
}

/// Writes to a file, or to stdout.
pub(super) fn write(data: &OutputBytes, out: Option<&Path>) -> anyhow::Result<()> {
    match file(out) {
        Some(path) => Ok(session::write_over(path, data.bytes())?),
        None => data.print().context("could not write to stdout"),
    }
}

/// Whether the layout of a scene holds all that the scene shows: it may follow a little later.
pub(super) fn is_laid_out(scene: &Scene) -> bool {
    let districts = &scene.layout.groups;
    let services: usize = districts.iter().map(|district| district.services).sum();
    let pods: usize = districts.iter().map(|district| district.pods).sum();
    services == scene.filter_counts.services && pods >= scene.filter_counts.pods
}
