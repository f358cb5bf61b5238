//! The test of the connection. There is one at a time: the newest.

use jiff::Timestamp;
use tokio_util::task::AbortOnDropHandle;

use super::EngineWorker;
use crate::{ActivityLevel, ConnectionTestStatus, event::WorkerEvent};
use svcscope_cluster::{ConnectionStepResult, ConnectionTestOptions, test_connection};

/// A test that goes on, or has ended.
pub(super) struct RunningConnectionTest {
    pub(super) status: ConnectionTestStatus,
    /// Tells its results from those of the test before.
    number: u64,
    /// Dropping it ends the test.
    job: Option<AbortOnDropHandle<()>>,
}

impl EngineWorker {
    pub(super) fn test_connection(&mut self, run_command: bool) {
        let context = self.scene.context.clone();
        let refusal = self
            .refresh_protection()
            .refusal_reason()
            .filter(|_| run_command);
        let run_command = run_command && refusal.is_none();
        if let Some(why) = refusal {
            let words = format!("{why}; the test runs no command in a container");
            self.activity.add(ActivityLevel::Warning, words);
        }
        let options = ConnectionTestOptions {
            context: context.as_ref().map(|name| name.to_string()),
            namespaces: self
                .scene
                .namespaces
                .iter()
                .map(|name| name.to_string())
                .collect(),
            run_command,
            login: self.login_context(),
            ..ConnectionTestOptions::default()
        };
        let number = self.channels.next_id();
        let (source, events) = (self.config.kubeconfig.clone(), self.events.clone());
        let job = tokio::spawn(async move {
            let tell = |step| {
                events
                    .send(WorkerEvent::ConnectionTestProgressed { number, step })
                    .ok();
            };
            test_connection(source, options, |step| tell(Some(step))).await;
            tell(None);
        });
        self.connection_test = Some(RunningConnectionTest {
            status: ConnectionTestStatus {
                context,
                began: Timestamp::now(),
                run_command,
                steps: Vec::new(),
                is_running: true,
            },
            number,
            job: Some(AbortOnDropHandle::new(job)),
        });
    }

    pub(super) fn stop_connection_test(&mut self) {
        if let Some(test) = &mut self.connection_test {
            test.job = None;
            test.status.is_running = false;
        }
    }

    /// A step is done, or all are.
    pub(super) fn connection_tested(&mut self, number: u64, step: Option<ConnectionStepResult>) {
        let test = self.connection_test.as_mut();
        let Some(test) = test.filter(|test| test.number == number && test.job.is_some()) else {
            return;
        };
        match step {
            Some(step) => test.status.steps.push(step),
            None => test.status.is_running = false,
        }
    }
}
