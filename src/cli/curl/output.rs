//! Where heads and body go.

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _, Seek as _, Write},
    path::{Path, PathBuf},
};

use crate::cli::{
    args::CurlArgs,
    exit::{CliExit, cli_error},
    terminal::EscapingWriter,
};
use svcscope_net::probe::CurlResponse;

/// A file, or stdout; what goes to a terminal can't command it. Files are made when something comes
/// for them, so that a request that fails costs no file.
pub(super) struct CurlOutput {
    body: OutputSink,
    /// Where `-D` has the heads go.
    headers: Option<OutputSink>,
    /// The folder of a name that an answer gives.
    content_disposition_folder: Option<PathBuf>,
    create_dirs: bool,
}

enum OutputSink {
    Unopened { file: PathBuf, is_new: bool },
    File(PathBuf, File),
    Pipe(io::Stdout),
    Terminal(EscapingWriter<io::Stdout>),
}

impl CurlOutput {
    pub(super) fn new(task: &CurlArgs, path: &str) -> anyhow::Result<Self> {
        let options = &task.response;
        let folder = options.output_dir.clone().unwrap_or_default();
        let body = if options.remote_name {
            let path = path.split(['?', '#']).next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            if name.is_empty() && !options.remote_header_name {
                return Err(failed("the path ends in no name for the file of -O"));
            }
            let name = if name.is_empty() {
                "curl_response"
            } else {
                name
            };
            unopened(folder.join(name))
        } else {
            match &task.output {
                Some(file) if file.as_os_str() != "-" => {
                    unopened(within(options.output_dir.as_deref(), file))
                }
                _ => stdout(),
            }
        };
        let heads = options.dump_header.as_deref().map(|file| match file {
            file if file.as_os_str() == "-" => stdout(),
            file => unopened(file.to_owned()),
        });
        Ok(Self {
            body,
            headers: heads,
            content_disposition_folder: options.remote_header_name.then_some(folder),
            create_dirs: options.create_dirs,
        })
    }

    /// The heads of an answer, as they came.
    pub(super) fn write_headers(
        &mut self,
        response: &CurlResponse,
        is_shown: bool,
    ) -> anyhow::Result<()> {
        if let Some(folder) = &self.content_disposition_folder
            && let Some(name) = response
                .http()
                .and_then(|head| name_of(head.header("content-disposition")?))
        {
            self.body = OutputSink::Unopened {
                file: folder.join(name),
                is_new: true,
            };
        }
        self.write_lines(&response.exchange.heads, is_shown)
    }

    /// Lines of a head, or behind a body.
    pub(super) fn write_lines(&mut self, lines: &[u8], is_shown: bool) -> anyhow::Result<()> {
        if let Some(heads) = &mut self.headers {
            heads.write_chunk(lines, false)?;
        }
        if is_shown {
            self.write_body(lines)?;
        }
        Ok(())
    }

    /// A piece of the body.
    pub(super) fn write_body(&mut self, piece: &[u8]) -> anyhow::Result<()> {
        self.body.write_chunk(piece, self.create_dirs)
    }

    /// A line of ours, where there is no body.
    pub(super) fn write_line(&mut self, words: &str) -> anyhow::Result<()> {
        self.write_body(format!("{words}\n").as_bytes())
    }

    /// `--write-out` goes to stdout, wherever the body went.
    pub(super) fn write_out(&mut self, text: &str) -> anyhow::Result<()> {
        match &mut self.body {
            sink @ (OutputSink::Pipe(_) | OutputSink::Terminal(_)) => {
                sink.write_chunk(text.as_bytes(), false)
            }
            _ => {
                let mut out = stdout();
                out.write_chunk(text.as_bytes(), false)?;
                out.flush()
            }
        }
    }

    /// The file that the body goes to.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.body {
            OutputSink::Unopened { file, .. } | OutputSink::File(file, _) => Some(file),
            _ => None,
        }
    }

    /// Forgets what came, because it is sent again. What stdout got it keeps.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        if let OutputSink::File(name, file) = &mut self.body {
            let cut = file.set_len(0).and_then(|()| file.rewind());
            cut.map_err(|error| not_written(name, &error))?;
        }
        Ok(())
    }

    /// Writes what is held. Where nothing came for a file it stays as it is, but that a good answer
    /// without a body makes an empty one (src/tool_operate.c, `post_per_transfer`).
    pub(super) fn finish(mut self, makes_file: bool) -> anyhow::Result<()> {
        if makes_file {
            self.write_body(b"")?;
        }
        self.headers.iter_mut().try_for_each(OutputSink::flush)?;
        self.body.flush()?;
        stdout().flush()
    }
}

/// curl writes folder, slash and name one after another, so that `/x` stays within the folder too.
fn within(folder: Option<&Path>, file: &Path) -> PathBuf {
    match folder {
        Some(folder) => folder.join(file.strip_prefix("/").unwrap_or(file)),
        None => file.to_owned(),
    }
}

fn unopened(file: PathBuf) -> OutputSink {
    OutputSink::Unopened {
        file,
        is_new: false,
    }
}

fn stdout() -> OutputSink {
    if io::stdout().is_terminal() {
        OutputSink::Terminal(EscapingWriter::new(io::stdout()))
    } else {
        OutputSink::Pipe(io::stdout())
    }
}

impl OutputSink {
    fn write_chunk(&mut self, piece: &[u8], create_dirs: bool) -> anyhow::Result<()> {
        if let Self::Unopened { file, is_new } = self {
            let folder = file.parent().filter(|_| create_dirs);
            let made = folder.map_or(Ok(()), fs::create_dir_all);
            let opened = made.and_then(|()| match is_new {
                true => File::create_new(&*file),
                false => File::create(&*file),
            });
            let opened = opened.map_err(|error| not_written(file, &error))?;
            *self = Self::File(std::mem::take(file), opened);
        }
        let (written, name) = match self {
            Self::Unopened { .. } => return Ok(()),
            Self::File(name, file) => (file.write_all(piece), &**name),
            Self::Pipe(out) => (out.write_all(piece), Path::new("stdout")),
            Self::Terminal(out) => (out.write_all(piece), Path::new("stdout")),
        };
        written.map_err(|error| not_written(name, &error))
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let (flushed, name) = match self {
            Self::Unopened { .. } => return Ok(()),
            Self::File(name, file) => (file.flush(), &**name),
            Self::Pipe(out) => (out.flush(), Path::new("stdout")),
            Self::Terminal(out) => (out.flush(), Path::new("stdout")),
        };
        flushed.map_err(|error| not_written(name, &error))
    }
}

fn not_written(file: &Path, error: &io::Error) -> anyhow::Error {
    failed(&format!("could not write to {}: {error}", file.display()))
}

/// curl's code for what can't be written.
fn failed(words: &str) -> anyhow::Error {
    cli_error(CliExit::Curl(23), words)
}

/// The name that `Content-Disposition` gives, without the folders that it may name
/// (src/tool_cb_hdr.c, `parse_filename`).
fn name_of(disposition: &str) -> Option<String> {
    let at = disposition.to_ascii_lowercase().find("filename=")?;
    let said = disposition.get(at + "filename=".len()..)?;
    let name = match said.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => said.split(';').next()?.trim(),
    };
    let name = name.rsplit(['/', '\\']).next()?;
    let is_name =
        !name.is_empty() && name != "." && name != ".." && !name.contains(char::is_control);
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{name_of, within};

    #[test]
    fn a_file_stays_within_its_folder() {
        let folder = Some(Path::new("dd"));
        assert_eq!(
            within(folder, Path::new("/abs/x")),
            PathBuf::from("dd/abs/x")
        );
        assert_eq!(within(folder, Path::new("x")), PathBuf::from("dd/x"));
        assert_eq!(within(None, Path::new("/abs/x")), PathBuf::from("/abs/x"));
    }

    #[test]
    fn an_answer_names_a_file_and_no_folder() {
        assert_eq!(
            name_of("attachment; filename=\"a b.txt\"; x=1").as_deref(),
            Some("a b.txt")
        );
        assert_eq!(
            name_of("attachment; Filename=a.txt").as_deref(),
            Some("a.txt")
        );
        assert_eq!(
            name_of("a; filename=../../etc/passwd").as_deref(),
            Some("passwd")
        );
        for none in [
            "inline",
            "a; filename=..",
            "a; filename=\"\"",
            "a; filename=\"x/\"",
        ] {
            assert_eq!(name_of(none), None, "{none}");
        }
    }
}
