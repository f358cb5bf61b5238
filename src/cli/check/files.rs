//! Checks on files, with no cluster at all.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use jiff::Timestamp;

use super::{
    super::{
        args::{CheckArgs, GlobalFlags},
        engine_client,
        exit::{CliExit, cli_error},
        input,
    },
    CheckResults, print, refused,
};
use svcscope_check::{RuleSuppressions, ServiceChecks};
use svcscope_decode::ManifestReader;
use svcscope_engine as engine;
use svcscope_model::{inventory::ObjectKey, topology::Topology};

/// Files of these endings are read in a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

pub(super) fn run(common: &GlobalFlags, task: &CheckArgs) -> anyhow::Result<CliExit> {
    if task.watch {
        return Err(cli_error(
            CliExit::Usage,
            "files are not watched: leave out --watch",
        ));
    }
    let namespace = match common.namespaces.as_slice() {
        [] => "default",
        [one] => one,
        _ => {
            return Err(cli_error(
                CliExit::Usage,
                "objects without a namespace are put in one: give -n once",
            ));
        }
    };
    let mut manifests = ManifestReader::new(namespace);
    let mut sources = BTreeMap::new();
    let mut texts = Vec::new();
    let mut skipped = SkippedFiles::default();
    for path in paths(&task.files)? {
        let before = manifests.services().count();
        let name = path.display().to_string();
        let is_named = task.files.contains(&path);
        let text = match input::read(&path) {
            Ok(text) => text,
            Err(error) if is_named => return Err(error),
            Err(error) => {
                skipped.unreadable(&error.to_string());
                continue;
            }
        };
        match manifests.read(&text) {
            Ok(()) => {}
            Err(error) if is_named => {
                return Err(cli_error(CliExit::Usage, format!("{name}: {error}")));
            }
            Err(error) if svcscope_decode::looks_like_manifest(&text) => {
                skipped.unreadable(&format!("{name}: {error}"));
            }
            Err(_) => skipped.no_manifests.push(name.clone()),
        }
        for key in manifests.services().skip(before) {
            sources.insert(key.clone(), name.clone());
        }
        texts.push(name);
    }
    let target = task.target.as_ref();
    let target = target.map(|target| ObjectKey::new(namespace, target.name().clone()));
    let refused = manifests.refused();
    let is_export = manifests.is_export();
    let inventory = manifests.into_inventory();
    if let Some(key) = target
        .as_ref()
        .filter(|key| inventory.service(key).is_none())
        .filter(|key| !refused.iter().any(|object| object.key == **key))
    {
        return Err(cli_error(
            CliExit::NotFound,
            format!("the files hold no Service {key}"),
        ));
    }
    let topology = Topology::build(&inventory);
    let mut suppressions = suppressions();
    if !is_export {
        suppressions.disable_cluster_state_rules();
    }
    let checks = ServiceChecks::new(
        &topology,
        &inventory,
        suppressions.clone(),
        Timestamp::now(),
    );
    let mut told = CheckResults::new(checks.reports(), target.as_ref());
    told.files = sources;
    let only = target.as_ref();
    refused::add(&mut told, &refused, &texts, &inventory, &suppressions, only);
    skipped.report();
    if told.reports.is_empty() {
        eprintln!("svcscope: the files hold no Service");
    }
    Ok(match print(&told, task)? {
        CliExit::Success if skipped.unreadable > 0 => CliExit::Incomplete,
        exit => exit,
    })
}

/// Files of a folder that were not checked.
#[derive(Default)]
struct SkippedFiles {
    /// Values, charts, dashboards: nothing that an API server is sent.
    no_manifests: Vec<String>,
    /// How many look like manifests and could not be read.
    unreadable: usize,
}

impl SkippedFiles {
    /// Says at once why a file could not be read; the others are checked all the same.
    fn unreadable(&mut self, why: &str) {
        self.unreadable += 1;
        eprintln!("svcscope: not checked: {why}");
    }

    /// One line about what was no manifest.
    fn report(&self) {
        let Some(first) = self.no_manifests.first() else {
            return;
        };
        match self.no_manifests.len() {
            1 => eprintln!("svcscope: 1 file was no manifest: {first}"),
            count => eprintln!("svcscope: {count} files were no manifests, {first} among them"),
        }
    }
}

/// What the user suppressed everywhere; and that files lack what only a cluster has is no news.
fn suppressions() -> RuleSuppressions {
    let mut suppressions = engine::suppressions(&engine_client::settings().suppressed_checks, None);
    suppressions.disable_rule("SVC-NOT-WATCHED");
    suppressions
}

/// The files of the command line; folders as the files below them.
fn paths(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in given {
        if path.is_dir() {
            below(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    if found.is_empty() {
        return Err(cli_error(
            CliExit::Usage,
            "there is no .yaml, .yml or .json file below what -f names",
        ));
    }
    Ok(found)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let tried = || format!("could not read the folder {}", folder.display());
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(tried)?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().with_context(tried)?;
        let ending = path.extension().and_then(|end| end.to_str());
        if kind.is_dir() {
            below(&path, found)?;
        } else if ending.is_some_and(|end| ENDINGS.contains(&end)) {
            // A dangling link is told when it is read.
            match fs::metadata(&path) {
                Ok(meta) if !meta.is_file() => {
                    eprintln!("svcscope: {} is no file and passed over", path.display());
                }
                _ => found.push(path),
            }
        }
    }
    Ok(())
}
