//! svcscope: a live map of how traffic reaches every Service of a Kubernetes cluster.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
