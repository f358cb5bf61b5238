//! Saved forwards of the context, from the file beside the settings.

use std::path::{Path, PathBuf};

use super::{
    super::{
        args::{Common, EventFormat},
        exit::{Exit, failure},
        terminal::Data,
    },
    context_of,
};
use crate::{
    forward::{ForwardSpec, Spread},
    inventory::Text,
    session::{
        self, BookChange, ForwardBook, SavedForward, export_forwards, forwards_path,
        import_forwards,
    },
};

/// The forwards that are kept for a context.
pub(super) struct Book {
    path: PathBuf,
    context: String,
    book: ForwardBook,
}

impl Book {
    /// Reads it.
    pub(super) fn open(common: &Common) -> anyhow::Result<Self> {
        let context = context_of(common)?;
        let settings = session::default_path().ok_or_else(|| {
            failure(
                Exit::Failed,
                "there is no home directory in which forwards could be kept",
            )
        })?;
        let path = forwards_path(&settings);
        let (book, notice) = ForwardBook::load(&path);
        if let Some(notice) = notice {
            eprintln!("svcscope: {notice}");
        }
        Ok(Self {
            path,
            context,
            book,
        })
    }

    /// Those of a group, and those of these names.
    pub(super) fn chosen(
        &self,
        group: Option<&str>,
        names: &[String],
    ) -> anyhow::Result<Vec<ForwardSpec>> {
        let mut chosen: Vec<_> = match group {
            Some(_) => self.forwards(group).collect(),
            None => Vec::new(),
        };
        if let (Some(group), true) = (group, chosen.is_empty()) {
            return Err(self.missing(&format!("no saved forward in group `{group}`")));
        }
        for name in names {
            let found = self.forwards(None).find(|one| *one.name == **name);
            let found =
                found.ok_or_else(|| self.missing(&format!("no saved forward called `{name}`")))?;
            if !chosen.contains(&found) {
                chosen.push(found);
            }
        }
        let spec = |forward: &SavedForward| {
            let spec = forward.spec.clone();
            let last_port = self.book.last_port(&self.context, &spec);
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
            if let Some(why) = SavedForward::refuse_name(word) {
                return Err(failure(Exit::Usage, format!("`{word}`: {why}")));
            }
        }
        let mut forward = SavedForward::new(name, spec.clone());
        forward.group = group.map(Text::from);
        forward.start_with_app = start_with_app;
        self.change(&BookChange::Save {
            was: None,
            forward: Box::new(forward),
        })?;
        eprintln!("svcscope: saved as `{name}` for context {}", self.context);
        Ok(())
    }

    pub(super) fn forget(&mut self, name: &str) -> anyhow::Result<()> {
        if !self.forwards(None).any(|one| *one.name == *name) {
            return Err(self.missing(&format!("no saved forward called `{name}`")));
        }
        self.change(&BookChange::Forget(Text::from(name)))
    }

    pub(super) fn import(&mut self, file: &Path) -> anyhow::Result<()> {
        let forwards = import_forwards(file).map_err(|said| failure(Exit::Failed, said))?;
        let added = self
            .book
            .clone()
            .apply(&self.context, &BookChange::Add(forwards.clone()));
        self.change(&BookChange::Add(forwards))?;
        eprintln!(
            "svcscope: imported {} forwards into context {}; {} were there already",
            added.new, self.context, added.known
        );
        for name in added.renamed {
            eprintln!("svcscope: its name was taken, so one is called `{name}`");
        }
        Ok(())
    }

    pub(super) fn export(&self, file: &Path, group: Option<&str>) -> anyhow::Result<()> {
        let forwards: Vec<_> = self.forwards(group).cloned().collect();
        if forwards.is_empty() {
            return Err(self.missing("no such saved forward"));
        }
        let number = forwards.len();
        export_forwards(file, forwards)
            .map_err(|error| failure(Exit::Failed, error.to_string()))?;
        eprintln!("svcscope: exported {number} forwards to {}", file.display());
        Ok(())
    }

    pub(super) fn list(&self, format: EventFormat, group: Option<&str>) -> anyhow::Result<()> {
        let forwards: Vec<_> = self.forwards(group).collect();
        if format == EventFormat::Json {
            Data::json(serde_json::to_string_pretty(&forwards)? + "\n").print()?;
            return Ok(());
        }
        if forwards.is_empty() {
            eprintln!(
                "svcscope: no forward is saved for context {}; save one with --save NAME",
                self.context
            );
        }
        for forward in forwards {
            let spec = &forward.spec;
            let local = spec
                .local_port
                .map_or_else(|| "any port".to_owned(), |port| port.to_string());
            let spread = match &spec.spread {
                Spread::Sticky => String::new(),
                Spread::Balanced => "  balanced".to_owned(),
                Spread::Pinned(pod) => format!("  pod {pod}"),
            };
            let group = forward
                .group
                .as_ref()
                .map_or_else(String::new, |group| format!("  group {group}"));
            let start = if forward.start_with_app {
                "  starts with the app"
            } else {
                ""
            };
            println!(
                "{}: {local} -> {} port {} in {}{spread}{group}{start}",
                forward.name,
                spec.target,
                spec.port,
                spec.target.key().namespace
            );
        }
        Ok(())
    }

    /// Those of a group; without one, all.
    fn forwards<'a>(&'a self, group: Option<&'a str>) -> impl Iterator<Item = &'a SavedForward> {
        self.book
            .forwards(&self.context)
            .filter(move |one| group.is_none_or(|group| one.group.as_deref() == Some(group)))
    }

    fn change(&mut self, change: &BookChange) -> anyhow::Result<()> {
        let (book, _told_when_read) = ForwardBook::change(&self.path, &self.context, change)
            .map_err(|error| failure(Exit::Failed, error.to_string()))?;
        self.book = book;
        Ok(())
    }

    fn missing(&self, what: &str) -> anyhow::Error {
        let context = &self.context;
        let advice = "`svcscope forward --list` shows what is saved";
        failure(
            Exit::NotFound,
            format!("there is {what} in context {context}; {advice}"),
        )
    }
}
