//! Consent to what could change something in a production context.

use super::{engine_client::EngineClient, prompt::confirm};
use svcscope_engine::EngineCommand;

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
