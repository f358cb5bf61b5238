//! Asking the user at the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use super::{
    engine_client::EngineClient,
    exit::{CliExit, cli_error},
    terminal,
};
use svcscope_engine::EngineCommand;

/// What the user types.
pub(super) fn prompt_line(question: &str) -> anyhow::Result<String> {
    terminal::print_question(question);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// Whether an answer to `[y/N]` means yes.
pub(super) fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.to_lowercase().as_str())
}

/// Has the user agree to something, by `--yes` or at the terminal; `undone` is what is not done
/// where not.
pub(super) fn confirm(yes: bool, question: &str, undone: &str) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let said =
            format!("{undone}: {question}? There is no terminal to ask at; give --yes to do it");
        return Err(cli_error(CliExit::Usage, said));
    }
    if is_yes(&prompt_line(&format!("{question}? [y/N] "))?) {
        return Ok(());
    }
    Err(cli_error(CliExit::Failed, undone))
}

/// In a production context, has the user allow what could change something.
pub(super) fn allow_in_production(
    remote: &EngineClient,
    yes: bool,
    what: &str,
) -> anyhow::Result<()> {
    let scene = remote.handle().scene();
    let Some(context) = scene.context.clone().filter(|_| scene.production) else {
        return Ok(());
    };
    // What is refused anyway needs no answer.
    if !scene.read_only {
        let question = format!("Context {context} is marked as production: {what} there");
        confirm(yes, &question, "nothing was sent")?;
        remote
            .handle()
            .send(EngineCommand::AllowInProduction(context));
    }
    Ok(())
}
