//! Which contexts are protected from changes.

use std::collections::BTreeSet;

/// How a context is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextMarks {
    /// Nothing is changed there.
    pub read_only: bool,
    /// A change is only made after a name was typed.
    pub production: bool,
}

impl ContextMarks {
    /// `read-only, production`; empty where there is no mark.
    pub fn words(self) -> String {
        let marks = [
            (self.read_only, "read-only"),
            (self.production, "production"),
        ];
        let set: Vec<_> = marks.into_iter().filter(|(is_set, _)| *is_set).collect();
        let words: Vec<_> = set.into_iter().map(|(_, word)| word).collect();
        words.join(", ")
    }

    /// The marks of these that `new` has no more.
    pub fn without(self, new: Self) -> Self {
        Self {
            read_only: self.read_only && !new.read_only,
            production: self.production && !new.production,
        }
    }

    /// What svcscope does in this context once these marks are gone, in a sentence.
    pub fn effect_of_removal(self, context: &str) -> String {
        let effect = match (self.read_only, self.production) {
            (true, _) => {
                "changes of Services, probe pods, commands in pods and requests other than GET, \
                 HEAD and OPTIONS are no longer refused"
            }
            (false, true) => "a change no longer asks for the Service's name",
            (false, false) => "nothing changes",
        };
        format!("In context {context} {effect}")
    }
}

/// The contexts that the settings protect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectedContexts {
    /// Contexts in which nothing is changed.
    pub read_only: BTreeSet<String>,
    /// Contexts where a change is only made after a name was typed.
    pub production: BTreeSet<String>,
    /// Why it is not known which contexts these are, and what to do; then nothing is changed
    /// anywhere.
    pub fault: Option<String>,
}

impl ProtectedContexts {
    /// How a context is marked, as far as that is known.
    pub fn of(&self, context: &str) -> ContextMarks {
        ContextMarks {
            read_only: self.read_only.contains(context),
            production: self.production.contains(context),
        }
    }

    /// Marks a context so.
    pub fn mark(&mut self, context: &str, marks: ContextMarks) {
        let lists = [
            (&mut self.read_only, marks.read_only),
            (&mut self.production, marks.production),
        ];
        for (list, is_set) in lists {
            if is_set {
                list.insert(context.to_owned());
            } else {
                list.remove(context);
            }
        }
    }
}
