//! `svcscope contexts` and `svcscope protect`: which contexts are protected, and how.

use anyhow::Context as _;
use serde_json::json;

use super::{
    args::{Common, Contexts, ListFormat, Protect},
    asking::agree,
    exit::{Exit, failure},
    remote::source,
    terminal::{Data, Lines},
};
use crate::{
    cluster::Kubeconfigs,
    session::{
        self, ContextMarks, Loaded, MarkChange, ProtectedContexts, Settings, SettingsChange,
    },
};

/// Lists the contexts of the kubeconfig, then those that are only marked.
pub(super) fn run(common: &Common, task: &Contexts) -> anyhow::Result<Exit> {
    let (names, current) = known(common)?;
    let loaded = loaded();
    let protected = loaded.protected();
    let marked = protected.read_only.union(&protected.production);
    let missing = marked.filter(|name| !names.contains(name)).cloned();
    let rows: Vec<_> = names.iter().cloned().chain(missing).collect();
    tell_of_near_names(&protected, &names, |_| true);
    // Of what can't be read nothing is known but what it says.
    let known = |is_set: bool| (is_set || loaded.fault.is_none()).then_some(is_set);
    let printed = if task.output == ListFormat::Json {
        let rows = rows.iter().map(|name| {
            let marks = protected.of(name);
            json!({
                "name": name,
                "current": Some(name) == current.as_ref(),
                "inKubeconfig": names.contains(name),
                "readOnly": known(marks.read_only),
                "production": known(marks.production),
            })
        });
        let json = format!("{:#}\n", rows.collect::<serde_json::Value>());
        Data::json(json).print()
    } else {
        let mut lines = Lines::default();
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
            lines.add(format!("{star} {name}  {words}").trim_end());
        }
        Data::lines(lines).print()
    };
    printed.context("could not write to stdout")?;
    if let Some(fault) = loaded.fault {
        let said = format!("in no context anything is written: {fault}");
        return Err(failure(Exit::Failed, said));
    }
    Ok(Exit::Done)
}

/// Marks a context.
pub(super) fn protect(common: &Common, task: &Protect) -> anyhow::Result<Exit> {
    let name = &task.name;
    if common.read_only {
        let said = format!(
            "--read-only before `protect` has no context marked; give it behind: \
             svcscope protect {name} --read-only"
        );
        return Err(failure(Exit::Usage, said));
    }
    let path = session::default_path().context("there is no home directory to keep it in")?;
    let (names, _) = known(common)?;
    let loaded = loaded();
    let before = loaded.protected().of(name);
    if !names.contains(name) && before == ContextMarks::default() {
        let said = format!("there is no context {name}; `svcscope contexts` lists them");
        return Err(failure(Exit::NotFound, said));
    }
    let set = ContextMarks {
        read_only: task.mark_read_only,
        production: task.production,
    };
    let unwanted = ContextMarks {
        read_only: !task.mark_read_only,
        // Read-only is more than production, and takes nothing away.
        production: !task.production && !task.mark_read_only,
    };
    let asked = before.and(unwanted);
    if asked != ContextMarks::default() && loaded.fault.is_none() {
        let effect = asked.effect_of_removal(name);
        let question = format!("{effect}. Take the mark {} away", asked.words());
        agree(task.yes, &question, "the marks stay as they were")?;
    }
    // What others mark meanwhile was not asked for.
    let removed = if task.yes { unwanted } else { asked };
    let change = SettingsChange::Protect {
        context: name.clone(),
        change: MarkChange { set, removed },
    };
    let now = Settings::change(&path, &loaded.settings, &[change])
        .map_err(|error| failure(Exit::Failed, error.to_string()))?;
    let marks = now.protected().of(name);
    let words = match &*marks.words() {
        "" => "not protected".to_owned(),
        words => words.to_owned(),
    };
    println!("{name}: {words}");
    let left = marks.and(unwanted).words();
    if left.is_empty() {
        return Ok(Exit::Done);
    }
    let said = format!("{name} stays {left}, as somebody else has marked it meanwhile");
    Err(failure(Exit::Failed, said))
}

/// Tells that a name in the lists of these settings differs only by case or blanks from that of the
/// context which the command line means.
pub(super) fn tell_of_near_name(common: &Common, settings: &Settings) {
    let protected = settings.protected();
    let is_empty = protected.read_only.is_empty() && protected.production.is_empty();
    if is_empty || common.demo {
        return;
    }
    // What is wrong with the kubeconfig is told by whoever connects.
    if let Ok((names, Some(current))) = known(common) {
        tell_of_near_names(&protected, &names, |context| context == current);
    }
}

fn tell_of_near_names(
    protected: &ProtectedContexts,
    names: &[String],
    is_of_interest: impl Fn(&str) -> bool,
) {
    for marked in protected.read_only.union(&protected.production) {
        let meant = ProtectedContexts::meant(marked, names.iter().map(String::as_str));
        if let Some(context) = meant.filter(|context| is_of_interest(context)) {
            eprintln!(
                "svcscope: the settings mark \"{marked}\", which does not protect the context \
                 {context}: case and blanks count; mark {context} by `svcscope protect`"
            );
        }
    }
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
