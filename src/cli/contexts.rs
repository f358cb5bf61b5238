//! `svcscope contexts` and `svcscope protect`: which contexts are protected, and how.

use anyhow::Context as _;
use serde_json::json;

use super::{
    args::{ContextsArgs, GlobalFlags, ListFormat, ProtectArgs},
    exit::{CliExit, cli_error},
    prompt::confirm,
    source::source,
    terminal::{OutputBytes, TerminalLines},
};
use svcscope_cluster::MergedKubeconfig;
use svcscope_engine::{
    settings as session,
    settings::{
        LoadedSettings, ProtectedContexts, ProtectionChange, ProtectionFlags, Settings,
        SettingsChange,
    },
};

/// Lists the contexts of the kubeconfig, then those that are only marked.
pub(super) fn run(common: &GlobalFlags, task: &ContextsArgs) -> anyhow::Result<CliExit> {
    let (names, current) = known_contexts(common)?;
    let loaded = load_settings();
    let protected = loaded.protected_contexts();
    let marked = protected.read_only.union(&protected.production);
    let missing = marked.filter(|name| !names.contains(name)).cloned();
    let rows: Vec<_> = names.iter().cloned().chain(missing).collect();
    warn_of_similar_names(&protected, &names, |_| true);
    // Of what can't be read nothing is known but what it says.
    let known =
        |is_set: bool| (is_set || loaded.protection_unknown_reason.is_none()).then_some(is_set);
    let printed = if task.output == ListFormat::Json {
        let rows = rows.iter().map(|name| {
            let marks = protected.flags_of(name);
            json!({
                "name": name,
                "current": Some(name) == current.as_ref(),
                "inKubeconfig": names.contains(name),
                "readOnly": known(marks.read_only),
                "production": known(marks.production),
            })
        });
        let json = format!("{:#}\n", rows.collect::<serde_json::Value>());
        OutputBytes::json(json).print()
    } else {
        let mut lines = TerminalLines::default();
        for name in &rows {
            let star = if Some(name) == current.as_ref() {
                '*'
            } else {
                ' '
            };
            let mut words = protected.flags_of(name).label();
            if !names.contains(name) {
                words.push_str("  not in this kubeconfig");
            }
            lines.add(format!("{star} {name}  {words}").trim_end());
        }
        OutputBytes::lines(lines).print()
    };
    printed.context("could not write to stdout")?;
    if let Some(fault) = loaded.protection_unknown_reason {
        let said = format!("in no context anything is written: {fault}");
        return Err(cli_error(CliExit::Failed, said));
    }
    Ok(CliExit::Success)
}

/// Marks a context.
pub(super) fn protect(common: &GlobalFlags, task: &ProtectArgs) -> anyhow::Result<CliExit> {
    let name = &task.name;
    if common.read_only {
        let said = format!(
            "--read-only before `protect` has no context marked; give it behind: \
             svcscope protect {name} --read-only"
        );
        return Err(cli_error(CliExit::Usage, said));
    }
    let path = session::default_path().context("there is no home directory to keep it in")?;
    let (names, _) = known_contexts(common)?;
    let loaded = load_settings();
    let before = loaded.protected_contexts().flags_of(name);
    if !names.contains(name) && before == ProtectionFlags::default() {
        let said = format!("there is no context {name}; `svcscope contexts` lists them");
        return Err(cli_error(CliExit::NotFound, said));
    }
    let set = ProtectionFlags {
        read_only: task.mark_read_only,
        production: task.production,
    };
    let unwanted = ProtectionFlags {
        read_only: !task.mark_read_only,
        // Read-only is more than production, and takes nothing away.
        production: !task.production && !task.mark_read_only,
    };
    let asked = before.and(unwanted);
    if asked != ProtectionFlags::default() && loaded.protection_unknown_reason.is_none() {
        let effect = asked.effect_of_removal(name);
        let question = format!("{effect}. Take the mark {} away", asked.label());
        confirm(task.yes, &question, "the marks stay as they were")?;
    }
    // What others mark meanwhile was not asked for.
    let removed = if task.yes { unwanted } else { asked };
    let change = SettingsChange::ChangeProtection {
        context: name.clone(),
        change: ProtectionChange {
            added: set,
            removed,
        },
    };
    let now = Settings::change(&path, &loaded.settings, &[change])
        .map_err(|error| cli_error(CliExit::Failed, error.to_string()))?;
    let marks = now.protected_contexts().flags_of(name);
    let words = match &*marks.label() {
        "" => "not protected".to_owned(),
        words => words.to_owned(),
    };
    println!("{name}: {words}");
    let left = marks.and(unwanted).label();
    if left.is_empty() {
        return Ok(CliExit::Success);
    }
    let said = format!("{name} stays {left}, because it was marked elsewhere in the meantime");
    Err(cli_error(CliExit::Failed, said))
}

/// Tells that a name in the lists of these settings differs only by case or blanks from that of the
/// context which the command line means.
pub(super) fn warn_of_similar_name(common: &GlobalFlags, settings: &Settings) {
    let protected = settings.protected_contexts();
    let is_empty = protected.read_only.is_empty() && protected.production.is_empty();
    if is_empty || common.demo {
        return;
    }
    // What is wrong with the kubeconfig is reported when the user connects.
    if let Ok((names, Some(current))) = known_contexts(common) {
        warn_of_similar_names(&protected, &names, |context| context == current);
    }
}

fn warn_of_similar_names(
    protected: &ProtectedContexts,
    names: &[String],
    is_of_interest: impl Fn(&str) -> bool,
) {
    for marked in protected.read_only.union(&protected.production) {
        let meant = ProtectedContexts::closest_context(marked, names.iter().map(String::as_str));
        if let Some(context) = meant.filter(|context| is_of_interest(context)) {
            eprintln!(
                "svcscope: the settings mark \"{marked}\", which does not protect the context \
                 {context}: case and blanks count; mark {context} by `svcscope protect`"
            );
        }
    }
}

/// How the context that the command line means is marked; where that is not known, why.
pub(super) fn protection_flags(
    common: &GlobalFlags,
) -> anyhow::Result<(Option<String>, ProtectionFlags, Option<String>)> {
    let (_, current) = known_contexts(common)?;
    let protected = load_settings().protected_contexts();
    let marks = current.as_deref().map(|name| protected.flags_of(name));
    Ok((current, marks.unwrap_or_default(), protected.unknown_reason))
}

/// The contexts of the kubeconfig, and the one that is meant.
fn known_contexts(common: &GlobalFlags) -> anyhow::Result<(Vec<String>, Option<String>)> {
    let (source, _demo) = source(common)?;
    let kubeconfigs = MergedKubeconfig::load(&source)
        .map_err(|error| cli_error(CliExit::NoCluster, error.to_string()))?;
    let current = common
        .context
        .as_deref()
        .or_else(|| kubeconfigs.current_context());
    let current = current.map(str::to_owned);
    let names = kubeconfigs.contexts().into_iter();
    Ok((names.map(|context| context.name).collect(), current))
}

/// What the settings say, with the notices to print.
fn load_settings() -> LoadedSettings {
    let path = session::default_path();
    let loaded = path.map_or_else(LoadedSettings::default, |path| Settings::load(&path));
    for notice in &loaded.notices {
        eprintln!("svcscope: {notice}");
    }
    loaded
}
