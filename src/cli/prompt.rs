//! Asking the user at the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use super::{
    exit::{CliExit, cli_error},
    terminal,
};

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
