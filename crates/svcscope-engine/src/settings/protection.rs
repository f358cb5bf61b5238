//! Which contexts are protected from changes.

use std::collections::BTreeSet;

/// How a context is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtectionFlags {
    /// Nothing is changed there.
    pub read_only: bool,
    /// A change is only made after a name was typed.
    pub production: bool,
}

impl ProtectionFlags {
    /// Every mark.
    pub const ALL: Self = Self {
        read_only: true,
        production: true,
    };

    /// `read-only, production`; empty where there is no mark.
    pub fn label(self) -> String {
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

    /// The marks that are in both.
    pub fn and(self, other: Self) -> Self {
        Self {
            read_only: self.read_only && other.read_only,
            production: self.production && other.production,
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

/// What is changed of a context's marks. A mark that is in neither stays as it is, also where
/// somebody else has set it meanwhile: nobody has agreed to take it away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtectionChange {
    /// The marks that are set.
    pub added: ProtectionFlags,
    /// The marks that are taken away, as was agreed to.
    pub removed: ProtectionFlags,
}

impl ProtectionChange {
    /// What leads from one to the other.
    pub fn between(before: ProtectionFlags, after: ProtectionFlags) -> Self {
        Self {
            added: after.without(before),
            removed: before.without(after),
        }
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
    pub unknown_reason: Option<String>,
}

impl ProtectedContexts {
    /// How a context is marked, as far as that is known.
    pub fn flags_of(&self, context: &str) -> ProtectionFlags {
        ProtectionFlags {
            read_only: self.read_only.contains(context),
            production: self.production.contains(context),
        }
    }

    /// Changes the marks of a context.
    pub fn change_flags(&mut self, context: &str, change: ProtectionChange) {
        let ProtectionChange {
            added: set,
            removed,
        } = change;
        let lists = [
            (&mut self.read_only, set.read_only, removed.read_only),
            (&mut self.production, set.production, removed.production),
        ];
        for (list, is_set, is_removed) in lists {
            if is_set {
                list.insert(context.to_owned());
            } else if is_removed {
                list.remove(context);
            }
        }
    }

    /// The one of these contexts that a marked name perhaps means: the same but for case and blanks
    /// around it. None where the name is that of a context.
    pub fn closest_context<'a>(
        marked: &str,
        contexts: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        let plain = |name: &str| name.trim().to_lowercase();
        let mut found = None;
        for context in contexts {
            if context == marked {
                return None;
            }
            if plain(context) == plain(marked) {
                found = found.or(Some(context));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_other_case_or_with_blanks_is_perhaps_a_context() {
        let contexts = ["demo", "Prod"];
        for (marked, meant) in [
            ("Demo", Some("demo")),
            (" demo", Some("demo")),
            ("prod\t", Some("Prod")),
            ("demo", None),
            ("dmeo", None),
        ] {
            assert_eq!(
                ProtectedContexts::closest_context(marked, contexts),
                meant,
                "{marked}"
            );
        }
    }

    #[test]
    fn a_change_leaves_the_marks_alone_that_it_does_not_name() {
        let production = ProtectionFlags {
            production: true,
            ..ProtectionFlags::default()
        };
        let mut protected = ProtectedContexts::default();
        protected.change_flags(
            "demo",
            ProtectionChange::between(production, ProtectionFlags::ALL),
        );
        assert_eq!(protected.flags_of("demo").label(), "read-only");
        protected.change_flags(
            "demo",
            ProtectionChange::between(ProtectionFlags::default(), production),
        );
        protected.change_flags(
            "demo",
            ProtectionChange::between(production, ProtectionFlags::default()),
        );
        assert_eq!(protected.flags_of("demo").label(), "read-only");
    }
}
