//! Asking the user at the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use super::{
    exit::{Exit, failure},
    remote::Remote,
    terminal,
};
use crate::engine::Command;

/// What the user types.
pub(super) fn answer(question: &str) -> anyhow::Result<String> {
    terminal::ask(question);
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
pub(super) fn agree(yes: bool, question: &str, undone: &str) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let said =
            format!("{undone}: {question}? There is no terminal to ask at; give --yes to do it");
        return Err(failure(Exit::Usage, said));
    }
    if is_yes(&answer(&format!("{question}? [y/N] "))?) {
        return Ok(());
    }
    Err(failure(Exit::Failed, undone))
}

/// In a production context, has the user allow what could change something.
pub(super) fn allow_in_production(remote: &Remote, yes: bool, what: &str) -> anyhow::Result<()> {
    let scene = remote.handle().scene();
    let Some(context) = scene.context.clone().filter(|_| scene.production) else {
        return Ok(());
    };
    // What is refused anyway needs no answer.
    if !scene.read_only {
        let question = format!("Context {context} is marked as production: {what} there");
        agree(yes, &question, "nothing was sent")?;
        remote.handle().send(Command::AllowInProduction(context));
    }
    Ok(())
}
