//! The command of `forward --exec` as a child: it gets the signals that ask to end, and it does not
//! outlive this process.

use std::ffi::{OsStr, OsString};

use super::super::{exit::CliExit, signals::TerminationSignal};

/// The first word of the command line by which this program becomes the command.
const CHILD_MARKER: &str = "__run-as-child-of";

/// A command that is killed when this process ends, however it does.
///
/// Linux does that for a process that asks for it (prctl(2), `PR_SET_PDEATHSIG`), and keeps it over
/// execve(2). To ask between fork and exec is unsafe in Rust, so this program is started once more,
/// asks, and becomes the command. Elsewhere a command outlives a SIGKILL.
pub(super) fn command(program: &OsStr) -> tokio::process::Command {
    if cfg!(target_os = "linux") {
        let mut command = tokio::process::Command::new("/proc/self/exe");
        command.args([CHILD_MARKER, &std::process::id().to_string()]);
        command.arg(program);
        return command;
    }
    tokio::process::Command::new(program)
}

/// Becomes the command where the command line says so. Only comes back where it can't.
pub(in super::super) fn run_as_child() -> Option<CliExit> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != CHILD_MARKER {
        return None;
    }
    let parent = words.next()?.into_string().ok()?.parse().ok()?;
    let program = words.next()?;
    Some(become_child(parent, &program, words.collect()))
}

#[cfg(target_os = "linux")]
fn become_child(parent: i32, program: &OsStr, arguments: Vec<OsString>) -> CliExit {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    use std::os::unix::process::CommandExt as _;
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        eprintln!("svcscope: the command may outlive svcscope: {error}");
    }
    // It may have ended before it was asked for.
    if getppid().is_none_or(|now| now.as_raw_nonzero().get() != parent) {
        return CliExit::Failed;
    }
    let error = std::process::Command::new(program).args(arguments).exec();
    eprintln!("svcscope: could not run {}: {error}", program.display());
    CliExit::Failed
}

#[cfg(not(target_os = "linux"))]
fn become_child(_parent: i32, _program: &OsStr, _arguments: Vec<OsString>) -> CliExit {
    CliExit::Usage
}

/// Sends a signal to the command. One that has just ended needs none.
#[cfg(unix)]
pub(super) fn forward_signal(signal: TerminationSignal, child: Option<u32>) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = child.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let signal = match signal.name {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        _ => Signal::TERM,
    };
    if let Some(pid) = pid {
        kill_process(pid, signal).ok();
    }
}

#[cfg(not(unix))]
pub(super) fn pass_on(_signal: TerminationSignal, _child: Option<u32>) {}

/// Whether the terminal sends an interrupt to this process, and so to its command too. Linux tells
/// it by the process group in the foreground (proc(5), `tpgid`).
pub(super) fn is_in_foreground() -> bool {
    use std::io::IsTerminal as _;
    match std::fs::read_to_string("/proc/self/stat") {
        Ok(stat) => is_foreground_of(&stat),
        Err(_) => std::io::stdin().is_terminal(),
    }
}

fn is_foreground_of(stat: &str) -> bool {
    // The name in brackets may hold anything.
    let Some((_, fields)) = stat.rsplit_once(')') else {
        return false;
    };
    let mut fields = fields.split_whitespace().skip(2);
    let (group, foreground) = (fields.next(), fields.nth(2));
    group.is_some() && group == foreground
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_foreground_is_known_by_the_terminals_process_group() {
        assert!(is_foreground_of("7 (a) b) S 1 7 7 34816 7 4194560 1"));
        assert!(!is_foreground_of("7 (sh) S 1 7 7 34816 9 4194560 1"));
        assert!(!is_foreground_of("7 (sh) S 1 7 7 0 -1 4194560 1"));
        assert!(!is_foreground_of(""));
    }
}
