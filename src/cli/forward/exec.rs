//! Runs a command with the forwards up.

use std::{
    ffi::OsString,
    process::ExitStatus,
    sync::mpsc::{self, TryRecvError},
    thread,
};

use anyhow::Context as _;

use super::{
    super::{
        engine_client::EngineClient,
        exit::{CliExit, cli_error},
        signals::TerminationSignals,
    },
    READY_TIMEOUT, child, failed,
    reporter::ForwardReporter,
};
use svcscope_engine::Scene;
use svcscope_net::forward::{ForwardId, ForwardState, ForwardStatus};

/// Waits until every forward is up, runs the command, and ends with its exit code.
pub(super) fn run(
    remote: &EngineClient,
    words: &[OsString],
    ids: &[ForwardId],
    teller: &mut ForwardReporter,
) -> anyhow::Result<CliExit> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(cli_error(CliExit::Usage, "--exec needs a command"));
    };
    let environment = wait_until_up(remote, ids, teller)?;
    let mut command = child::command(program);
    command.args(arguments).envs(environment).kill_on_drop(true);
    let (sender, ended) = mpsc::channel();
    let wake = remote.waker();
    thread::Builder::new()
        .name("exec".to_owned())
        .spawn(move || {
            let outcome = wait_for(command);
            // Who waits for it lives as long as the process.
            sender.send(outcome).ok();
            wake();
        })
        .context("no thread for the command")?;
    let outcome = remote.wait_for(None, "the command to end", |scene| {
        teller.report(scene);
        match ended.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(std::io::Error::other("its thread ended"))),
        }
    })?;
    let program = program.display();
    match outcome {
        Ok(status) => Ok(CliExit::Command(code_of(status))),
        Err(error) => Err(cli_error(
            CliExit::Failed,
            format!("could not run {program}: {error}"),
        )),
    }
}

fn wait_until_up(
    remote: &EngineClient,
    ids: &[ForwardId],
    teller: &mut ForwardReporter,
) -> anyhow::Result<Vec<(String, String)>> {
    // Which of them is late and why was told when it began to be.
    let outcome = remote.wait_for(Some(READY_TIMEOUT), "the forwards to be up", |scene| {
        teller.report(scene);
        let ours: Vec<_> = ids.iter().filter_map(|id| status(scene, *id)).collect();
        if failed(scene, ids).next().is_some() {
            return Some(Err("a forward failed, so the command was not run"));
        }
        let all_up = ours.len() == ids.len() && ours.iter().all(|status| is_up(status));
        all_up.then(|| Ok(environment(&ours)))
    })?;
    outcome.map_err(|reason| cli_error(CliExit::Failed, reason))
}

fn status(scene: &Scene, id: ForwardId) -> Option<&ForwardStatus> {
    scene.forwards.iter().find(|status| status.id == id)
}

fn is_up(status: &ForwardStatus) -> bool {
    let ready = matches!(
        status.state,
        ForwardState::Listening | ForwardState::Connected
    );
    ready && status.local.is_some()
}

/// What tells the command where the forwards listen.
fn environment(forwards: &[&ForwardStatus]) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut set = |name: String, value: String| {
        // The first of several with one port is the one that is meant.
        if !variables.iter().any(|(known, _)| *known == name) {
            variables.push((name, value));
        }
    };
    let mut all = Vec::new();
    for status in forwards {
        let Some(local) = status.local else {
            continue;
        };
        let port = local.port().to_string();
        set("SVCSCOPE_ADDRESS".to_owned(), local.to_string());
        set("SVCSCOPE_PORT".to_owned(), port.clone());
        set(variable(&status.spec.port.to_string()), port.clone());
        if let Some(name) = &status.spec.name {
            set(variable(name), port.clone());
        }
        all.push(port);
    }
    set("SVCSCOPE_PORTS".to_owned(), all.join(" "));
    variables
}

/// `SVCSCOPE_PORT_HTTP` for `http`.
fn variable(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
        _ => '_',
    });
    "SVCSCOPE_PORT_".chars().chain(letters).collect()
}

/// Runs the command to its end. A signal that asks to end is passed on, but an interrupt from the
/// keyboard, which the terminal sends to the command too.
fn wait_for(mut command: tokio::process::Command) -> std::io::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = TerminationSignals::listen()?;
        let mut child = command.spawn()?;
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                Some(signal) = signals.next() => {
                    if signal.name != "INT" || !child::is_in_foreground() {
                        child::forward_signal(signal, child.id());
                    }
                }
            }
        }
    })
}

#[cfg(unix)]
fn code_of(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or_else(|| CliExit::Failed.code())
}

#[cfg(not(unix))]
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.unwrap_or_else(|| CliExit::Failed.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ObjectKey;
    use svcscope_net::forward::{ForwardSpec, ForwardTarget, RemotePort};

    #[test]
    fn the_environment_names_each_port() {
        let status = |name: Option<&str>, port, local: &str| {
            let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
            let mut spec = ForwardSpec::new(target, port);
            spec.name = name.map(Into::into);
            ForwardStatus {
                local: local.parse().ok(),
                ..ForwardStatus::new(
                    ForwardId(1),
                    spec,
                    ForwardState::Listening,
                    jiff::Timestamp::UNIX_EPOCH,
                )
            }
        };
        let first = status(None, RemotePort::Number(80), "127.0.0.1:8080");
        let second = status(
            Some("shop db"),
            RemotePort::Name("pg-main".into()),
            "127.0.0.1:5432",
        );
        let third = status(None, RemotePort::Number(80), "127.0.0.1:8081");
        let found = environment(&[&first, &second, &third]);
        let expected = [
            ("SVCSCOPE_ADDRESS", "127.0.0.1:8080"),
            ("SVCSCOPE_PORT", "8080"),
            ("SVCSCOPE_PORT_80", "8080"),
            ("SVCSCOPE_PORT_PG_MAIN", "5432"),
            ("SVCSCOPE_PORT_SHOP_DB", "5432"),
            ("SVCSCOPE_PORTS", "8080 5432 8081"),
        ];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
