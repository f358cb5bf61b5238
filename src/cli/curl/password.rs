//! Passwords that stay out of the list of processes.

use std::{
    io::{self, IsTerminal as _},
    process::{Command, Stdio},
};

use crate::{
    cli::{
        exit::{Exit, failure},
        terminal,
    },
    probe::SendFlags,
};

/// The flags with a password, which is asked for where `-u` has none. Arguments can't be blanked
/// without unsafe code, as curl blanks them, so that one among them is said to be there to be read.
pub(super) fn with_password(flags: &SendFlags, is_silent: bool) -> anyhow::Result<SendFlags> {
    let mut flags = flags.clone();
    match flags.user.as_deref() {
        Some(user) if !user.contains(':') => {
            let password = ask(user)?;
            flags.user = Some(format!("{user}:{password}"));
        }
        Some(_) if !is_silent => {
            eprintln!(
                "svcscope: warning: while this runs, others on this machine can read the password of \
                 -u in the list of processes; -u NAME asks for it, --netrc-file FILE reads it"
            );
        }
        _ => {}
    }
    Ok(flags)
}

fn ask(user: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(failure(
            Exit::Usage,
            format!(
                "`-u {user}` has no password, and there is no terminal to ask for it at: \
                 --netrc-file FILE reads it"
            ),
        ));
    }
    terminal::ask(&format!("Password for user {user}: "));
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
