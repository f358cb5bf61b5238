//! A credential plugin as a process: what it prints is reported while it runs, and it ends with its
//! caller.

use std::{io, process::ExitStatus, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    time::timeout,
};

use crate::login::RunningLogin;

/// No credentials are longer.
pub(super) const MAX_STDOUT: usize = 1024 * 1024;

/// Output without a line end is reported after so long: it is a prompt.
const PROMPT_AFTER: Duration = Duration::from_millis(100);

/// How long a plugin's children may keep its pipes open after it has ended.
const PIPE_GRACE_PERIOD: Duration = Duration::from_secs(1);

/// How much of what it said is kept for a message.
const MAX_STDERR_TAIL: usize = 1_000;

/// What became of it.
pub(super) struct PluginOutput {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    /// The end of what it said, on one line.
    pub stderr_tail: String,
}

/// Runs it until it ends, or until the future is dropped: then it is killed, with its children
/// unless it shares the terminal of this process.
pub(super) async fn run(
    command: &mut Command,
    is_interactive: bool,
    shares_terminal: bool,
    login: &RunningLogin,
) -> io::Result<PluginOutput> {
    command
        .stdin(if is_interactive {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // In a terminal it stays in the group that reads from there and that Ctrl-C reaches.
    #[cfg(unix)]
    if !shares_terminal {
        command.process_group(0);
    }
    let mut child = command.spawn()?;
    let group = (!shares_terminal).then(|| child.id()).flatten();
    let group = ProcessGroup(group);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut answer = Vec::new();
    let mut stderr_reader = PluginStderr::new(login);
    let status = {
        let reading = async {
            tokio::try_join!(read_answer(stdout, &mut answer), stderr_reader.read(stderr))
        };
        wait(&mut child, reading).await?
    };
    stderr_reader.finish();
    // What it left running on purpose, as an agent, stays.
    group.release();
    Ok(PluginOutput {
        status,
        stdout: answer,
        stderr_tail: stderr_reader.text.trim().to_owned(),
    })
}

/// Waits for its end and for the end of its output, which a child of it may delay.
async fn wait(
    child: &mut Child,
    reading: impl Future<Output = io::Result<((), ())>>,
) -> io::Result<ExitStatus> {
    tokio::pin!(reading);
    tokio::select! {
        read = &mut reading => {
            read?;
            child.wait().await
        }
        status = child.wait() => {
            if let Ok(read) = timeout(PIPE_GRACE_PERIOD, reading).await {
                read?;
            }
            status
        }
    }
}

async fn read_answer(
    stdout: Option<impl AsyncRead + Unpin>,
    answer: &mut Vec<u8>,
) -> io::Result<()> {
    let Some(stdout) = stdout else {
        return Ok(());
    };
    let mut limited = stdout.take(MAX_STDOUT as u64 + 1);
    while limited.read_buf(answer).await? > 0 {
        if answer.len() > MAX_STDOUT {
            return Err(io::Error::other("it printed more than 1 MiB to stdout"));
        }
    }
    Ok(())
}

/// What a plugin writes to stderr, reported line by line.
struct PluginStderr<'a> {
    login: &'a RunningLogin,
    /// What was not reported yet.
    unreported: Vec<u8>,
    text: String,
}

impl<'a> PluginStderr<'a> {
    fn new(login: &'a RunningLogin) -> Self {
        Self {
            login,
            unreported: Vec::new(),
            text: String::new(),
        }
    }

    async fn read(&mut self, stderr: Option<impl AsyncRead + Unpin>) -> io::Result<()> {
        let Some(mut stderr) = stderr else {
            return Ok(());
        };
        loop {
            let reading = stderr.read_buf(&mut self.unreported);
            match timeout(PROMPT_AFTER, reading).await {
                Ok(Ok(0)) => return Ok(()),
                Ok(Ok(_)) => self.report_lines(),
                Ok(Err(error)) => return Err(error),
                Err(_elapsed) => self.report_prompt(),
            }
        }
    }

    fn report_lines(&mut self) {
        while let Some(end) = self.unreported.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unreported.drain(..=end).collect();
            self.report(&line, true);
        }
        // A line that never ends is reported in chunks.
        if self.unreported.len() > MAX_STDERR_TAIL {
            self.report_prompt();
        }
    }

    /// Reports what there is of a line, up to an incomplete character.
    fn report_prompt(&mut self) {
        let whole = match std::str::from_utf8(&self.unreported) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.unreported.len(),
        };
        let piece: Vec<u8> = self.unreported.drain(..whole).collect();
        if !piece.is_empty() {
            self.report(&piece, false);
        }
    }

    fn report(&mut self, bytes: &[u8], ends_line: bool) {
        let text = strip_control_sequences(&String::from_utf8_lossy(bytes));
        self.text.push_str(&text);
        if ends_line {
            self.text.push(' ');
        }
        while self.text.len() > MAX_STDERR_TAIL {
            self.text.remove(0);
        }
        self.login.notify_printed(text, ends_line);
    }

    fn finish(&mut self) {
        let rest = std::mem::take(&mut self.unreported);
        if !rest.is_empty() {
            self.report(&rest, true);
        }
    }
}

/// Without escape sequences and other control characters, and without what turns the direction of
/// writing (UAX #9). client-go leaves them to the plugin, whose stderr is the terminal there.
fn strip_control_sequences(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.trim_end_matches(['\n', '\r']).chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // CSI up to its final byte (ECMA-48 §5.4); of other sequences the introducer goes.
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                chars.next_if(|c| matches!(c, '@'..='~'));
            }
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            '\t' | '\r' => plain.push(' '),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

/// The processes of a plugin, killed together.
struct ProcessGroup(Option<u32>);

impl ProcessGroup {
    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self
            .0
            .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?))
        {
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::strip_control_sequences;

    #[test]
    fn words_can_not_command_a_terminal() {
        let said = "\u{1b}[31mgo to\u{1b}[0m https://x.example \u{1b}]52;c;cm0=\u{7}\u{1b}[2J\u{202e}ok\r\n";
        assert_eq!(
            strip_control_sequences(said),
            "go to https://x.example ]52;c;cm0=ok"
        );
        assert_eq!(strip_control_sequences("50 %\r60 %"), "50 % 60 %");
    }
}
