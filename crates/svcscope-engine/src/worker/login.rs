//! Logins that run: what they say goes into the scene, and the user may give up on them.

use std::sync::Arc;

use super::EngineWorker;
use crate::{ActivityLevel, ConnectionState, LoginStatus, NextAttempt, event::WorkerEvent};
use svcscope_cluster::{LoginContext, LoginEvent};
use svcscope_model::inventory::SharedStr;

impl EngineWorker {
    /// The circumstances of this engine's logins: it is told of them, too.
    pub(super) fn login_context(&self) -> LoginContext {
        let events = self.events.clone();
        let tell = move |event: &LoginEvent| {
            events.send(WorkerEvent::Login(event.clone())).ok();
        };
        self.config.login.clone().observed_by(Arc::new(tell))
    }

    pub(super) fn login_advanced(&mut self, event: LoginEvent) {
        match event {
            LoginEvent::Started {
                id,
                authority: whom,
            } => {
                self.scene.login = Some(Arc::new(LoginStatus::new(id, whom)));
            }
            LoginEvent::Waiting { id, .. } => {
                self.change_login(id, |login| login.is_waiting = true)
            }
            LoginEvent::Printed {
                id,
                text,
                ends_line,
            } => {
                self.change_login(id, |login| login.append_output(&text, ends_line));
            }
            LoginEvent::Ended { id } => self.login_ended(id),
            LoginEvent::Notice(words) => self.activity.add(ActivityLevel::Info, words),
            LoginEvent::Warning(words) => self.activity.add(ActivityLevel::Warning, words),
        }
    }

    fn change_login(&mut self, id: u64, change: impl FnOnce(&mut LoginStatus)) {
        if let Some(login) = self.scene.login.as_mut().filter(|login| login.id == id) {
            change(Arc::make_mut(login));
        }
    }

    /// What it said stays to be read.
    fn login_ended(&mut self, id: u64) {
        let Some(login) = self.scene.login.take_if(|login| login.id == id) else {
            return;
        };
        if !login.lines.is_empty() {
            let lines: Vec<&str> = login.lines.iter().map(|line| &**line).collect();
            let words = format!(
                "Login by {}: {}",
                login.credential_source,
                lines.join(" · ")
            );
            self.activity.add(ActivityLevel::Info, words);
        }
    }

    pub(super) fn cancel_login(&mut self) {
        let reason = SharedStr::from("the login was cancelled; reconnect to try again");
        if let Some(session) = &self.session.watched {
            session.cluster.cancel_login();
        } else if self.session.connecting.take().is_some() {
            self.generation += 1;
            self.session.retry.attempt_started();
            self.scene.connection = ConnectionState::Failed { reason };
            self.scene.next_attempt = NextAttempt::Never;
        }
    }
}
