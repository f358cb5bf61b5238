//! How the test of the connection stands.

use jiff::Timestamp;

use svcscope_cluster::{ConnectionStep, ConnectionStepResult, StepStatus};
use svcscope_model::inventory::{ResourceKind, SharedStr, plain_line};

/// A test of the connection. It outlives the cluster that it was made of: it is needed most where
/// there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionTestStatus {
    /// The context that is tested; none means the current one.
    pub context: Option<SharedStr>,
    /// When it began.
    pub began: Timestamp,
    /// Whether the user agreed to a command in a container.
    pub run_command: bool,
    /// What is known, in the order of [`ConnectionStep::ALL`].
    pub steps: Vec<ConnectionStepResult>,
    /// Whether it goes on.
    pub is_running: bool,
}

impl ConnectionTestStatus {
    /// Whether every step was tried, or could not be.
    pub fn is_whole(&self) -> bool {
        self.steps.len() == ConnectionStep::ALL.len()
    }

    /// The step that is being tried.
    pub fn current(&self) -> Option<ConnectionStep> {
        let next = ConnectionStep::ALL.get(self.steps.len()).copied();
        next.filter(|_| self.is_running)
    }
}

/// What all steps come to, in a sentence.
pub fn connection_summary(steps: &[ConnectionStepResult]) -> String {
    let named = |wanted: &dyn Fn(&ConnectionStepResult) -> bool| {
        let steps = steps.iter().filter(|result| wanted(result));
        names(steps.map(|result| result.step))
    };
    let failed = named(&|result| result.outcome == StepStatus::Failed);
    let warned = named(&|result| result.outcome == StepStatus::Warning);
    // That there is no proxy, and no TLS on this machine, leaves nothing untried.
    let untried = named(&|result| {
        let is_use = matches!(
            result.step,
            ConnectionStep::PortForward | ConnectionStep::Exec
        );
        is_use && result.outcome == StepStatus::Skipped
    });
    let late = named(&|result| result.outcome == StepStatus::NotTried);
    if failed.is_empty() && !late.is_empty() {
        return format!(
            "Not all of it was tried: {}.",
            untried_text(steps).unwrap_or(late)
        );
    }
    match (failed.as_str(), warned.as_str(), untried.as_str()) {
        ("", "", "") => "Everything works.".to_owned(),
        ("", "", untried) => format!("Everything that was tried works; not tried: {untried}."),
        ("", warned, _) => format!("Works, with a warning: {warned}."),
        (failed, _, _) => format!("Does not work: {failed}."),
    }
}

/// The names of steps; those of all watches are one.
fn names(steps: impl Iterator<Item = ConnectionStep>) -> String {
    let mut names: Vec<String> = Vec::new();
    let steps: Vec<_> = steps.collect();
    let watches = ResourceKind::ALL.map(ConnectionStep::Watch);
    let are_all = watches.iter().all(|watch| steps.contains(watch));
    for step in steps {
        let name = if are_all && matches!(step, ConnectionStep::Watch(_)) {
            "watches".to_owned()
        } else {
            step.to_string()
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// The steps that could not be tried for the same reason, on one line: `TLS, credentials, … (network
/// failed)`.
pub fn untried_text(steps: &[ConnectionStepResult]) -> Option<String> {
    let untried = |result: &&ConnectionStepResult| result.outcome == StepStatus::NotTried;
    let why = &steps.iter().find(untried)?.summary;
    let reason = why.strip_prefix("not tried: ").unwrap_or(why);
    let steps = steps.iter().filter(untried).map(|result| result.step);
    Some(format!("{} ({reason})", names(steps)))
}

/// The test as text: a line for each step and below it what to do next, then what was not tried.
pub fn connection_text(steps: &[ConnectionStepResult]) -> String {
    let mut text: String = steps.iter().filter_map(step_text).collect();
    if let Some(untried) = untried_text(steps) {
        let mark = StepStatus::NotTried.mark();
        text.push_str(&line(mark, "not tried", &untried));
    }
    text
}

/// The lines of one step that was tried.
pub fn step_text(result: &ConnectionStepResult) -> Option<String> {
    if result.outcome == StepStatus::NotTried {
        return None;
    }
    let found = format!("{}{}", result.summary, took_text(result));
    let mut text = line(result.outcome.mark(), &result.step.to_string(), &found);
    if let Some(advice) = &result.advice {
        text.push_str(&line(" ", "", &format!("→ {advice}")));
    }
    Some(text)
}

/// How long a step took, where that is worth a word: ` (1.2 s)`.
pub fn took_text(result: &ConnectionStepResult) -> String {
    match result.millis {
        Some(millis) if millis >= 1_000 => {
            format!(" ({}.{} s)", millis / 1_000, millis % 1_000 / 100)
        }
        Some(millis) if millis >= 50 => format!(" ({millis} ms)"),
        _ => String::new(),
    }
}

/// One line, whatever others said in it: nothing can command a terminal.
fn line(mark: &str, name: &str, text: &str) -> String {
    format!("{mark} {name:<21} {}\n", plain_line(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(step: ConnectionStep, outcome: StepStatus) -> ConnectionStepResult {
        ConnectionStepResult {
            step,
            outcome,
            summary: "no\u{1b}[2J\nfor\u{202e}g\u{2069}ed".into(),
            advice: Some("do that".into()),
            millis: Some(1_250),
        }
    }

    #[test]
    fn a_step_is_one_line_whatever_others_said() {
        let failed = result(ConnectionStep::Tls, StepStatus::Failed);
        assert_eq!(
            connection_text(&[failed]),
            "✕ TLS                   no␛[2J for\u{fffd}g\u{fffd}ed (1.2 s)\n                        → do that\n"
        );
    }

    #[test]
    fn the_summary_names_what_fails_before_what_warns() {
        use ConnectionStep::{Exec, Permissions, Tls};
        let warned = result(Permissions, StepStatus::Warning);
        let fine = result(Exec, StepStatus::Skipped);
        assert_eq!(
            connection_summary(&[warned.clone(), fine.clone()]),
            "Works, with a warning: rights."
        );
        let failed = result(Tls, StepStatus::Failed);
        assert_eq!(connection_summary(&[failed, warned]), "Does not work: TLS.");
        assert_eq!(
            connection_summary(&[fine]),
            "Everything that was tried works; not tried: exec."
        );
        let no_proxy = result(ConnectionStep::Proxy, StepStatus::Skipped);
        assert_eq!(connection_summary(&[no_proxy]), "Everything works.");
        let late = ConnectionStepResult {
            summary: "not tried: the time limit of 1 s is over".into(),
            ..result(Permissions, StepStatus::NotTried)
        };
        assert_eq!(
            connection_summary(&[late]),
            "Not all of it was tried: rights (the time limit of 1 s is over)."
        );
    }

    #[test]
    fn what_was_not_tried_is_one_line() {
        let steps = ConnectionStep::ALL.map(|step| ConnectionStepResult {
            summary: "not tried: TLS failed".into(),
            ..result(step, StepStatus::NotTried)
        });
        assert_eq!(
            connection_text(&steps[4..]),
            "– not tried             credentials, version, rights, watches, port-forward, exec (TLS failed)\n"
        );
        assert_eq!(untried_text(&[]), None);
    }
}
