//! Where head and body go.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Write},
};

use crate::{
    cli::{
        args::Curl,
        exit::{Exit, failure},
        terminal::Harmless,
    },
    probe::CurlResponse,
};

/// A file, or stdout; what goes to a terminal can't command it.
pub(super) struct Output {
    to: To,
}

enum To {
    File(File),
    Pipe(io::Stdout),
    Terminal(Harmless<io::Stdout>),
}

impl Output {
    pub(super) fn open(task: &Curl) -> anyhow::Result<Self> {
        let to = match &task.output {
            Some(file) if file.as_os_str() != "-" => {
                let opened = File::create(file).map_err(|error| {
                    let said = format!("could not write to {}: {error}", file.display());
                    failure(Exit::Curl(23), said)
                })?;
                To::File(opened)
            }
            _ if io::stdout().is_terminal() => To::Terminal(Harmless::new(io::stdout())),
            _ => To::Pipe(io::stdout()),
        };
        Ok(Self { to })
    }

    /// The status line and the headers.
    pub(super) fn head(&mut self, response: &CurlResponse) -> io::Result<()> {
        let Some(head) = response.http() else {
            return Ok(());
        };
        let mut text = format!("{} {}\n", head.version, head.status);
        for (name, value) in &head.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
        self.body(text.as_bytes())
    }

    /// A piece of the body.
    pub(super) fn body(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.to {
            To::File(file) => file.write_all(piece),
            To::Pipe(out) => out.write_all(piece),
            To::Terminal(out) => out.write_all(piece),
        }
    }

    /// A line of ours, where there is no body.
    pub(super) fn line(&mut self, words: &str) -> io::Result<()> {
        self.body(format!("{words}\n").as_bytes())
    }

    /// `--write-out` goes to stdout, wherever the body went.
    pub(super) fn write_out(&mut self, text: &str) -> io::Result<()> {
        match &mut self.to {
            To::File(_) => io::stdout().write_all(text.as_bytes()),
            _ => self.body(text.as_bytes()),
        }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        match &mut self.to {
            To::File(file) => file.flush(),
            To::Pipe(out) => out.flush(),
            To::Terminal(out) => out.flush(),
        }?;
        io::stdout().flush()
    }
}
