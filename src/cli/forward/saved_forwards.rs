//! Saved forwards of the context, from the file beside the settings.

use std::{
    io::{self, IsTerminal as _},
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{
    super::{
        args::{EventFormat, ForwardArgs, GlobalFlags},
        exit::{CliExit, cli_error},
        prompt::{confirm, prompt_line},
        terminal::{OutputBytes, TerminalLines},
    },
    context_of,
};
use svcscope_engine::{
    settings as session,
    settings::{
        SavedForward, SavedForwardChange, SavedForwards, export_forwards, forwards_path,
        import_forwards,
    },
};
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardSpec, SpreadPolicy};

/// The forwards that are kept for a context.
pub(super) struct SavedForwardsFile {
    path: PathBuf,
    context: String,
    saved_forwards: SavedForwards,
}

impl SavedForwardsFile {
    /// Reads it.
    pub(super) fn open(common: &GlobalFlags) -> anyhow::Result<Self> {
        let context = context_of(common)?;
        let settings = session::default_path().ok_or_else(|| {
            cli_error(
                CliExit::Failed,
                "there is no home directory in which forwards could be kept",
            )
        })?;
        let path = forwards_path(&settings);
        let (book, notice) = SavedForwards::read(&path);
        if let Some(notice) = notice {
            eprintln!("svcscope: {notice}");
        }
        let unknown = book.unrecognized_count(&context);
        if unknown > 0 {
            eprintln!(
                "svcscope: {unknown} saved forwards of context {context} in {} are not understood \
                 by this version; they are kept",
                path.display()
            );
        }
        Ok(Self {
            path,
            context,
            saved_forwards: book,
        })
    }

    /// Those of a group, and those of these names.
    pub(super) fn select(
        &self,
        group: Option<&str>,
        names: &[String],
    ) -> anyhow::Result<Vec<ForwardSpec>> {
        let mut chosen: Vec<_> = match group {
            Some(_) => self.forwards(group).collect(),
            None => Vec::new(),
        };
        if let (Some(group), true) = (group, chosen.is_empty()) {
            return Err(self.no_such_forward(&format!("no saved forward in group `{group}`")));
        }
        for name in names {
            let found = self.forwards(None).find(|one| *one.name == **name);
            let found = found.ok_or_else(|| {
                self.no_such_forward(&format!("no saved forward called `{name}`"))
            })?;
            if !chosen.contains(&found) {
                chosen.push(found);
            }
        }
        let spec = |forward: &SavedForward| {
            let spec = forward.spec.clone();
            let last_port = self.saved_forwards.last_port(&self.context, &spec);
            ForwardSpec { last_port, ..spec }
        };
        Ok(chosen.into_iter().map(spec).collect())
    }

    pub(super) fn save(
        &mut self,
        name: &str,
        group: Option<&str>,
        start_with_app: bool,
        spec: &ForwardSpec,
    ) -> anyhow::Result<()> {
        for word in [Some(name), group].into_iter().flatten() {
            if let Some(why) = SavedForward::invalid_name_reason(word) {
                return Err(cli_error(CliExit::Usage, format!("`{word}`: {why}")));
            }
        }
        let mut forward = SavedForward::new(name, spec.clone());
        forward.group = group.map(SharedStr::from);
        forward.start_with_app = start_with_app;
        self.change(&SavedForwardChange::Save {
            previous_name: None,
            forward: Box::new(forward),
        })?;
        eprintln!("svcscope: saved as `{name}` for context {}", self.context);
        Ok(())
    }

    pub(super) fn forget(&mut self, name: &str) -> anyhow::Result<()> {
        if !self.forwards(None).any(|one| *one.name == *name) {
            return Err(self.no_such_forward(&format!("no saved forward called `{name}`")));
        }
        self.change(&SavedForwardChange::Forget(SharedStr::from(name)))
    }

    /// Shows what a file holds and takes it where the user agrees.
    pub(super) fn import(&mut self, file: &Path, task: &ForwardArgs) -> anyhow::Result<()> {
        let forwards = import_forwards(file).map_err(|said| cli_error(CliExit::Failed, said))?;
        print(forwards.iter())?;
        agree_to(&forwards, task)?;
        let added = self
            .saved_forwards
            .clone()
            .apply(&self.context, &SavedForwardChange::Add(forwards.clone()));
        self.change(&SavedForwardChange::Add(forwards))?;
        eprintln!(
            "svcscope: imported {} forwards into context {}; {} were there already",
            added.added, self.context, added.already_saved
        );
        for name in added.renamed {
            eprintln!("svcscope: its name was taken, so one is called `{name}`");
        }
        Ok(())
    }

    pub(super) fn export(&self, file: &Path, group: Option<&str>) -> anyhow::Result<()> {
        let forwards: Vec<_> = self.forwards(group).cloned().collect();
        if forwards.is_empty() {
            return Err(self.no_such_forward("no such saved forward"));
        }
        let number = forwards.len();
        export_forwards(file, forwards)
            .map_err(|error| cli_error(CliExit::Failed, error.to_string()))?;
        eprintln!("svcscope: exported {number} forwards to {}", file.display());
        Ok(())
    }

    pub(super) fn list(&self, format: EventFormat, group: Option<&str>) -> anyhow::Result<()> {
        let forwards: Vec<_> = self.forwards(group).collect();
        if format == EventFormat::Json {
            let json = OutputBytes::json(serde_json::to_string_pretty(&forwards)? + "\n");
            return json.print().context("could not write to stdout");
        }
        if forwards.is_empty() {
            eprintln!(
                "svcscope: no forward is saved for context {}; save one with --save NAME",
                self.context
            );
        }
        print(forwards.into_iter())
    }

    /// Those of a group; without one, all.
    fn forwards<'a>(&'a self, group: Option<&'a str>) -> impl Iterator<Item = &'a SavedForward> {
        self.saved_forwards
            .forwards(&self.context)
            .filter(move |one| group.is_none_or(|group| one.group.as_deref() == Some(group)))
    }

    fn change(&mut self, change: &SavedForwardChange) -> anyhow::Result<()> {
        let (book, notice) = SavedForwards::change(&self.path, &self.context, change)
            .map_err(|error| cli_error(CliExit::Failed, error.to_string()))?;
        if let Some(notice) = notice {
            eprintln!("svcscope: {notice}");
        }
        self.saved_forwards = book;
        Ok(())
    }

    fn no_such_forward(&self, what: &str) -> anyhow::Error {
        let context = &self.context;
        let advice = "`svcscope forward --list` shows what is saved";
        cli_error(
            CliExit::NotFound,
            format!("there is {what} in context {context}; {advice}"),
        )
    }
}

/// A line each.
fn print<'a>(forwards: impl Iterator<Item = &'a SavedForward>) -> anyhow::Result<()> {
    let mut lines = TerminalLines::default();
    for forward in forwards {
        lines.add(&line(forward));
    }
    let printed = OutputBytes::lines(lines).print();
    printed.context("could not write to stdout")
}

/// A forward with all that others could notice: `web: localhost:8080 -> svc/web port 80 in shop`.
fn line(forward: &SavedForward) -> String {
    let spec = &forward.spec;
    let address = match spec.local_address {
        None => "localhost".to_owned(),
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        Some(address) => address.to_string(),
    };
    let local = match spec.local_port {
        Some(port) => format!("{address}:{port}"),
        None => format!("{address}, any port"),
    };
    let spread = match &spec.spread {
        SpreadPolicy::Sticky => String::new(),
        SpreadPolicy::Balanced => "  balanced".to_owned(),
        SpreadPolicy::Pinned(pod) => format!("  pod {pod}"),
    };
    let group = forward.group.as_ref();
    let group = group.map_or_else(String::new, |group| format!("  group {group}"));
    let others = if spec.listens_beyond_loopback() {
        "  others can reach it"
    } else {
        ""
    };
    let start = if forward.start_with_app {
        "  starts with the app"
    } else {
        ""
    };
    format!(
        "{}: {local} -> {} port {} in {}{spread}{group}{others}{start}",
        forward.name,
        spec.target,
        spec.port,
        spec.target.key().namespace
    )
}

/// The word for forwards that open a port to others whenever the window starts.
const CONFIRM_WORD: &str = "listen";

/// Has the user agree to forwards of an imported file.
fn agree_to(forwards: &[SavedForward], task: &ForwardArgs) -> anyhow::Result<()> {
    let undone = "nothing was imported";
    let opens = |forward: &&SavedForward| forward.exposes_port_at_start();
    let number = forwards.iter().filter(opens).count();
    if number == 0 {
        let question = format!("Keep these {} forwards", forwards.len());
        return confirm(task.yes, &question, undone);
    }
    let why = format!(
        "{number} of these forwards would listen for other machines whenever the window starts"
    );
    let given = match &task.confirm {
        Some(word) => word.clone(),
        None if io::stdin().is_terminal() => prompt_line(&format!(
            "{why}: type {CONFIRM_WORD} to keep all of them all the same: "
        ))?,
        None => String::new(),
    };
    if given == CONFIRM_WORD {
        return Ok(());
    }
    let advice =
        format!("give --confirm {CONFIRM_WORD} to keep them, or take them out of the file");
    Err(cli_error(
        CliExit::Usage,
        format!("{undone}: {why}; {advice}"),
    ))
}
