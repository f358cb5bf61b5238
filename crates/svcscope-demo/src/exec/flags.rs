//! Reading a command line: options with and without a value, and what is left over.

/// An option of a program: how it is written, and whether a value follows.
pub(super) type CommandFlagSpec = (&'static str, Option<&'static str>, bool);

/// A command line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ParsedCommandFlags {
    options: Vec<(&'static str, String)>,
    pub(super) positional: Vec<String>,
}

impl ParsedCommandFlags {
    /// Reads words by a table of long names, short names (`-X`) and whether they take a value. Fails with
    /// the option that is not known.
    pub(super) fn parse(arguments: &[String], table: &[CommandFlagSpec]) -> Result<Self, String> {
        let mut flags = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                flags.positional.extend(words.by_ref().cloned());
            } else if let Some(name) = word.strip_prefix("--") {
                let (name, attached) = match name.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (name, None),
                };
                let known = table.iter().find(|(long, ..)| *long == name);
                let (long, _, takes) = known.ok_or_else(|| word.clone())?;
                let value = match (takes, attached) {
                    (true, None) => words.next().cloned(),
                    (_, attached) => attached,
                };
                flags.options.push((long, value.unwrap_or_default()));
            } else if word.len() > 1 && word.starts_with('-') {
                for (at, letter) in word.char_indices().skip(1) {
                    let short = format!("-{letter}");
                    let known = table.iter().find(|(_, s, _)| *s == Some(short.as_str()));
                    let (long, _, takes) = known.ok_or_else(|| short.clone())?;
                    if !takes {
                        flags.options.push((long, String::new()));
                        continue;
                    }
                    let attached = word.get(at + letter.len_utf8()..).unwrap_or_default();
                    let value = match attached {
                        "" => words.next().cloned().unwrap_or_default(),
                        attached => attached.to_owned(),
                    };
                    flags.options.push((long, value));
                    break;
                }
            } else {
                flags.positional.push(word.clone());
            }
        }
        Ok(flags)
    }

    pub(super) fn has(&self, long: &str) -> bool {
        self.options.iter().any(|(name, _)| *name == long)
    }

    /// The last value.
    pub(super) fn value(&self, long: &str) -> Option<&str> {
        let last = self.options.iter().rfind(|(name, _)| *name == long);
        last.map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'f>(&'f self, long: &'static str) -> impl Iterator<Item = &'f str> {
        let given = self.options.iter().filter(move |(name, _)| *name == long);
        given.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_short_and_joined_options_are_read() {
        let table: &[CommandFlagSpec] = &[
            ("silent", Some("-s"), false),
            ("header", Some("-H"), true),
            ("max-time", Some("-m"), true),
        ];
        let words = ["-sH", "A: b", "--max-time=3", "-m5", "url", "--", "-x"];
        let words = words.map(str::to_owned);
        let flags = ParsedCommandFlags::parse(&words, table).unwrap();
        assert!(flags.has("silent"));
        assert_eq!(flags.value("header"), Some("A: b"));
        assert_eq!(flags.all("max-time").collect::<Vec<_>>(), ["3", "5"]);
        assert_eq!(flags.positional, ["url", "-x"]);
        assert_eq!(
            ParsedCommandFlags::parse(&["--nope".to_owned()], table),
            Err("--nope".to_owned())
        );
    }
}
