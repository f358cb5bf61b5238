//! The command line: the same engine without a window.
//!
//! **In**: flags and subcommands ([`args::Args`]). **Out**: data on stdout, words on stderr, and an
//! exit code that [`ExitStatus`] documents. Without a subcommand it opens the window.

// First, so that its `println!` and `eprintln!` are those of all modules below.
#[macro_use]
mod terminal;

pub mod args;
mod check;
mod contexts;
mod curl;
mod demo;
mod doctor;
mod durations;
mod edit;
mod edit_flags;
mod edit_runner;
mod engine_client;
mod exit;
mod export;
mod expose;
mod filter;
mod forward;
mod input;
mod login;
mod map;
mod production;
mod prompt;
mod reach;
mod set_ports;
mod set_type;
mod signals;
mod source;
mod target;
mod window;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::{
    Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use args::{CliArgs, CliCommand};
pub use edit_flags::{EditFlags, MigrationPathArg, NodePortArg, PortArg, PortSelector};
pub use exit::CliExit;
pub use filter::FilterFlags;
pub use target::{ListenAddress, PortPair, TargetArg};

/// Does what the process was called for; the whole of `main`.
pub fn main() -> ExitCode {
    if let Some(exit) = forward::run_as_child() {
        return exit.into();
    }
    let args = match CliArgs::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are asked for and go to stdout; clap knows which is which.
            error.print().ok();
            return CliExit::from_usage(&error).into();
        }
    };
    start_log(args.global.verbose);
    if let Err(why) = svcscope_net::forward::raise_limit() {
        eprintln!("svcscope: {why}");
        return CliExit::Failed.into();
    }
    svcscope_net::tls::install_crypto_provider();
    match run(args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("svcscope: {error:#}");
            exit::extra_lines(&error)
                .iter()
                .for_each(|line| eprintln!("  {line}"));
            CliExit::of(&error).into()
        }
    }
}

fn run(args: CliArgs) -> anyhow::Result<CliExit> {
    let CliArgs {
        global: common,
        theme,
        command: task,
    } = args;
    match task {
        None => window::run(&common, theme),
        Some(CliCommand::Map(task)) => map::run(&common, &task),
        Some(CliCommand::Check(task)) => check::run(&common, &task),
        Some(CliCommand::Forward(task)) => forward::run(&common, &task),
        Some(CliCommand::Curl(task)) => curl::run(&common, &task),
        Some(CliCommand::Reach(task)) => reach::run(&common, &task),
        Some(CliCommand::Doctor(task)) => doctor::run(&common, &task),
        Some(CliCommand::SetType(task)) => set_type::run(&common, &task),
        Some(CliCommand::SetPorts(task)) => set_ports::run(&common, &task),
        Some(CliCommand::Expose(task)) => expose::run(&common, &task),
        Some(CliCommand::Edit(task)) => edit::run(&common, &task),
        Some(CliCommand::Duplicate(task)) => edit::duplicate(&common, &task),
        Some(CliCommand::Delete(task)) => edit::delete(&common, &task),
        Some(CliCommand::Contexts(task)) => contexts::run(&common, &task),
        Some(CliCommand::Protect(task)) => contexts::protect(&common, &task),
        Some(CliCommand::Demo(task)) => demo::run(&task),
    }
}

/// Words about what happens inside go to stderr, as many as asked for by `-v` or `RUST_LOG`.
fn start_log(verbose: u8) {
    let default = match verbose {
        0 => "off",
        1 => "svcscope=info",
        2 => "svcscope=debug",
        _ => "svcscope=trace,kube=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(|| terminal::LogWriter)
        // An escape of ours would not be told from one of others.
        .with_ansi(false)
        .with_filter(filter_fn(|event| is_shown(event.target(), *event.level())));
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .init();
}

/// What carries requests writes frames, headers and bodies at its finer levels, credentials among
/// them. Those are never shown, whatever `RUST_LOG` asks for.
const CARRIERS: [&str; 12] = [
    "h2",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "kube_client",
    "reqwest",
    "rustls",
    "tokio_tungstenite",
    "tokio_util",
    "tower",
    "tower_http",
    "tungstenite",
];

fn is_shown(target: &str, level: tracing::Level) -> bool {
    let name = target.split("::").next().unwrap_or(target);
    // "DEBUG" of kube tells methods, paths and statuses; its "TRACE" headers and bodies.
    let most = match name {
        "kube_client" => tracing::Level::DEBUG,
        _ => tracing::Level::INFO,
    };
    level <= most || !CARRIERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::is_shown;

    #[test]
    fn what_carries_requests_shows_none_of_their_bytes() {
        assert!(!is_shown("tungstenite::protocol::frame", Level::DEBUG));
        assert!(!is_shown("hyper::proto::h1::io", Level::TRACE));
        assert!(!is_shown("kube_client::client", Level::TRACE));
        assert!(is_shown("kube_client::client::builder", Level::DEBUG));
        assert!(is_shown("rustls::client", Level::WARN));
        assert!(is_shown("svcscope::engine", Level::TRACE));
    }
}
