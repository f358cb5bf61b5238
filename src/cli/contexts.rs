//! `svcscope contexts` and `svcscope protect`: which contexts are protected, and how.

use anyhow::Context as _;
use serde_json::json;

use super::{
    args::{Common, Contexts, ListFormat, Protect},
    asking::agree,
    exit::{Exit, failure},
    remote::source,
    terminal::Data,
};
use crate::{
    cluster::Kubeconfigs,
    session::{self, ContextMarks, Loaded, Settings, SettingsChange},
};

/// Lists the contexts of the kubeconfig, then those that are only marked.
pub(super) fn run(common: &Common, task: &Contexts) -> anyhow::Result<Exit> {
    let (names, current) = known(common)?;
    let loaded = loaded();
    let protected = loaded.protected();
    let marked = protected.read_only.union(&protected.production);
    let missing = marked.filter(|name| !names.contains(name)).cloned();
    let rows: Vec<_> = names.iter().cloned().chain(missing).collect();
    if task.output == ListFormat::Json {
        let rows = rows.iter().map(|name| {
            let marks = protected.of(name);
            json!({
                "name": name,
                "current": Some(name) == current.as_ref(),
                "inKubeconfig": names.contains(name),
                "readOnly": marks.read_only,
                "production": marks.production,
            })
        });
        Data::json(format!("{:#}\n", rows.collect::<serde_json::Value>())).print()?;
    } else {
        for name in &rows {
            let star = if Some(name) == current.as_ref() {
                '*'
            } else {
                ' '
            };
            let mut words = protected.of(name).words();
            if !names.contains(name) {
                words.push_str("  not in this kubeconfig");
            }
            println!("{}", format!("{star} {name}  {words}").trim_end());
        }
    }
    if let Some(fault) = loaded.fault {
        let said = format!("in no context anything is written: {fault}");
        return Err(failure(Exit::Failed, said));
    }
    Ok(Exit::Done)
}

/// Marks a context.
pub(super) fn protect(common: &Common, task: &Protect) -> anyhow::Result<Exit> {
    let path = session::default_path().context("there is no home directory to keep it in")?;
    let (names, _) = known(common)?;
    let loaded = loaded();
    let name = &task.name;
    let before = loaded.protected().of(name);
    if !names.contains(name) && before == ContextMarks::default() {
        let said = format!("there is no context {name}; `svcscope contexts` lists them");
        return Err(failure(Exit::NotFound, said));
    }
    let marks = ContextMarks {
        read_only: task.read_only,
        // Read-only is more than production, and takes nothing away.
        production: task.production || (task.read_only && before.production),
    };
    let removed = before.without(marks);
    if removed != ContextMarks::default() && loaded.fault.is_none() {
        let effect = removed.effect_of_removal(name);
        let question = format!("{effect}. Take the mark {} away", removed.words());
        agree(task.yes, &question, "the marks stay as they were")?;
    }
    let change = SettingsChange::Protect {
        context: name.clone(),
        marks,
    };
    let now = Settings::change(&path, &loaded.settings, &[change])
        .map_err(|error| failure(Exit::Failed, error.to_string()))?;
    let marks = now.protected().of(name).words();
    let marks = if marks.is_empty() {
        "not protected"
    } else {
        &marks
    };
    println!("{name}: {marks}");
    Ok(Exit::Done)
}

/// How the context that the command line means is marked; where that is not known, why.
pub(super) fn marks(
    common: &Common,
) -> anyhow::Result<(Option<String>, ContextMarks, Option<String>)> {
    let (_, current) = known(common)?;
    let protected = loaded().protected();
    let marks = current.as_deref().map(|name| protected.of(name));
    Ok((current, marks.unwrap_or_default(), protected.fault))
}

/// The contexts of the kubeconfig, and the one that is meant.
fn known(common: &Common) -> anyhow::Result<(Vec<String>, Option<String>)> {
    let (source, _demo) = source(common)?;
    let kubeconfigs =
        Kubeconfigs::load(&source).map_err(|error| failure(Exit::NoCluster, error.to_string()))?;
    let current = common.context.as_deref().or_else(|| kubeconfigs.current());
    let current = current.map(str::to_owned);
    let names = kubeconfigs.contexts().into_iter();
    Ok((names.map(|context| context.name).collect(), current))
}

/// What the settings say, with what of them is to be told.
fn loaded() -> Loaded {
    let path = session::default_path();
    let loaded = path.map_or_else(Loaded::default, |path| Settings::load(&path));
    for notice in &loaded.notices {
        eprintln!("svcscope: {notice}");
    }
    loaded
}
