//! Exit codes, the same for every subcommand.

use std::process::ExitCode;

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CliExit {
    /// 0: done.
    Success,
    /// 1: it was tried and failed; stderr says why.
    Failed,
    /// 2: the command line is wrong.
    Usage,
    /// 3: the cluster could not be reached: kubeconfig, credentials, network.
    NoCluster,
    /// 4: there is no such object, port or namespace.
    NotFound,
    /// 5: printed, but not all of it could be seen; stderr says what is missing.
    Incomplete,
    /// 6: `check --fail-on` and something at least as bad was found.
    FindingsReported,
    /// 22: `curl --fail` and the status was 400 or above.
    HttpError,
    /// What curl exits with, where a request was sent and failed: 6 name, 7 refused, 28 too late,
    /// 35 and 60 TLS, 52 and 56 cut off.
    Curl(u8),
    /// 128 and the number of the signal that ended svcscope in order.
    Signal(u8),
    /// What the command of `forward --exec` ended with; 128 and its number for a signal.
    Command(u8),
}

impl CliExit {
    /// The number a shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoCluster => 3,
            Self::NotFound => 4,
            Self::Incomplete => 5,
            Self::FindingsReported => 6,
            Self::HttpError => 22,
            Self::Signal(number) => 128_u8.saturating_add(number),
            Self::Curl(code) | Self::Command(code) => code,
        }
    }

    /// `--help` and `--version` are no mistakes.
    pub(super) fn from_usage(error: &clap::Error) -> Self {
        if error.use_stderr() {
            Self::Usage
        } else {
            Self::Success
        }
    }

    /// The code that an error asks for.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        error
            .downcast_ref::<CliError>()
            .map_or(Self::Failed, |failure| failure.exit)
    }
}

impl From<CliExit> for ExitCode {
    fn from(exit: CliExit) -> Self {
        Self::from(exit.code())
    }
}

/// A message with the exit code that belongs to it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct CliError {
    exit: CliExit,
    message: String,
    extra_lines: Vec<String>,
}

/// An error that ends the process with this code.
pub(super) fn cli_error(exit: CliExit, message: impl Into<String>) -> anyhow::Error {
    cli_error_with(exit, message, Vec::new())
}

/// As [`failure`], with lines of ours that follow the message.
pub(super) fn cli_error_with(
    exit: CliExit,
    message: impl Into<String>,
    more: Vec<String>,
) -> anyhow::Error {
    CliError {
        exit,
        message: message.into(),
        extra_lines: more,
    }
    .into()
}

/// The lines that follow an error's message.
pub(super) fn extra_lines(error: &anyhow::Error) -> &[String] {
    error
        .downcast_ref::<CliError>()
        .map_or(&[], |failure| &failure.extra_lines)
}
