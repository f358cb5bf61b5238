//! The flags that say what a body is made of. Their order across flags counts.

use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches};

/// Which of the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadKind {
    /// `-d`.
    Data,
    /// `--data-raw`.
    Raw,
    /// `--data-binary`.
    Binary,
    /// `--data-urlencode`.
    UrlEncode,
    /// `--json`.
    Json,
    /// `-F`.
    Form,
    /// `--form-string`.
    FormString,
}

const FLAGS: [(PayloadKind, &str, Option<char>, &str, &str); 8] = [
    (
        PayloadKind::Data,
        "data",
        Some('d'),
        "DATA",
        "Data to send, or @FILE without its line breaks; several are joined by &",
    ),
    (
        PayloadKind::Data,
        "data-ascii",
        None,
        "DATA",
        "The same as --data",
    ),
    (
        PayloadKind::Raw,
        "data-raw",
        None,
        "DATA",
        "Data to send as it is, also where it begins with @",
    ),
    (
        PayloadKind::Binary,
        "data-binary",
        None,
        "DATA",
        "Data to send, or @FILE with its line breaks",
    ),
    (
        PayloadKind::UrlEncode,
        "data-urlencode",
        None,
        "DATA",
        "Data to send percent-encoded: CONTENT, =CONTENT, NAME=CONTENT, @FILE or NAME@FILE",
    ),
    (
        PayloadKind::Json,
        "json",
        None,
        "DATA",
        "JSON to send, or @FILE, with the headers that belong to it",
    ),
    (
        PayloadKind::Form,
        "form",
        Some('F'),
        "NAME=CONTENT",
        "A part of a form: NAME=CONTENT, NAME=@FILE or NAME=<FILE, with ;type= and ;filename=",
    ),
    (
        PayloadKind::FormString,
        "form-string",
        None,
        "NAME=STRING",
        "A part of a form as it is, also where it begins with @ or <",
    ),
];

/// What the body is made of, in the order of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPayload(pub Vec<(PayloadKind, String)>);

impl RequestPayload {
    /// Whether one of these kinds is there.
    pub(super) fn has(&self, kinds: &[PayloadKind]) -> bool {
        self.0.iter().any(|(kind, _)| kinds.contains(kind))
    }

    /// Whether it is a form of several parts.
    pub(super) fn is_form(&self) -> bool {
        self.has(&[PayloadKind::Form, PayloadKind::FormString])
    }
}

impl FromArgMatches for RequestPayload {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut found = Vec::new();
        for (kind, name, ..) in FLAGS {
            let words = matches.get_many::<String>(name);
            let words = words.into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            found.extend(places.zip(words).map(|(at, word)| (at, kind, word.clone())));
        }
        found.sort_by_key(|(at, ..)| *at);
        Ok(Self(
            found
                .into_iter()
                .map(|(_, kind, word)| (kind, word))
                .collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for RequestPayload {
    fn augment_args(command: Command) -> Command {
        FLAGS
            .iter()
            .fold(command, |command, (_, name, short, value, help)| {
                let arg = Arg::new(*name)
                    .long(*name)
                    .value_name(*value)
                    .help(*help)
                    .action(ArgAction::Append)
                    .allow_hyphen_values(true);
                command.arg(match short {
                    Some(short) => arg.short(*short),
                    None => arg,
                })
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
