//! Passwords that stay out of the list of processes.

use std::{
    io::{self, IsTerminal as _},
    process::{Command, Stdio},
};

use crate::cli::{
    exit::{CliExit, cli_error},
    terminal,
};
use svcscope_net::probe::{self, CurlSendFlags};

/// The flags with a password, which is asked for where `-u` has none. Arguments can't be blanked
/// without unsafe code, as curl blanks them, so that one among them is said to be there to be read.
pub(super) fn with_password(
    flags: &CurlSendFlags,
    is_silent: bool,
) -> anyhow::Result<CurlSendFlags> {
    let mut flags = flags.clone();
    let asked = flags.user.as_ref().is_some_and(|user| !user.contains(':'));
    if let Some(user) = flags.user.as_deref().filter(|user| !user.contains(':')) {
        let password = prompt_password(user)?;
        flags.user = Some(format!("{user}:{password}"));
    }
    if let (Some((what, instead)), false) = (exposed_secret(&flags, asked), is_silent) {
        eprintln!(
            "svcscope: warning: while this runs, others on this machine can read the {what} in the \
             list of processes; {instead}"
        );
    }
    Ok(flags)
}

/// Which secret an argument holds, and which option keeps it out of them.
fn exposed_secret(flags: &CurlSendFlags, asked: bool) -> Option<(&'static str, &'static str)> {
    let is_secret = |line: &String| {
        let header = line.split_once(':');
        header.is_some_and(|(name, value)| {
            !line.starts_with('@') && !value.trim().is_empty() && probe::is_secret(name.trim())
        })
    };
    if flags.user.is_some() && !asked {
        Some((
            "password of -u",
            "-u NAME asks for it, --netrc-file FILE reads it",
        ))
    } else if flags.oauth2_bearer.is_some() {
        Some((
            "token of --oauth2-bearer",
            "-H @FILE reads an Authorization header from a file",
        ))
    } else if flags.headers.iter().any(is_secret) {
        Some(("secret of -H", "-H @FILE reads headers from a file"))
    } else {
        None
    }
}

fn prompt_password(user: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(cli_error(
            CliExit::Usage,
            format!(
                "`-u {user}` has no password, and there is no terminal to ask for it at: \
                 --netrc-file FILE reads it"
            ),
        ));
    }
    terminal::print_question(&format!("Password for user {user}: "));
    let echo = |mode: &str| {
        let stty = Command::new("stty")
            .arg(mode)
            .stdin(Stdio::inherit())
            .status();
        stty.is_ok_and(|status| status.success())
    };
    let is_hidden = echo("-echo");
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    if is_hidden {
        echo("echo");
        eprintln!("");
    }
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_among_the_arguments_are_told_of() {
        let of = |flags: CurlSendFlags| exposed_secret(&flags, false).map(|(what, _)| what);
        let header = |line: &str| CurlSendFlags {
            headers: vec![line.to_owned()],
            ..CurlSendFlags::default()
        };
        assert_eq!(of(header("authorization: Bearer x")), Some("secret of -H"));
        assert_eq!(of(header("Authorization:")), None);
        assert_eq!(of(header("@authorization: x")), None);
        assert_eq!(of(header("Accept: x")), None);
        let token = CurlSendFlags {
            oauth2_bearer: Some("x".to_owned()),
            ..CurlSendFlags::default()
        };
        assert_eq!(of(token), Some("token of --oauth2-bearer"));
    }
}
