//! Bad days on demand: refusals, silence, expired lists, missing API groups.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use tokio::sync::watch;

use super::{resource::Resource, store::Object, watch_fault::WatchFault};

/// What happens to a request that a rule strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Status(u16),
    Hang,
}

/// One rule: the next `left` requests (all, when `None`) whose method and path fit.
#[derive(Debug)]
struct Rule {
    method: Option<Method>,
    prefix: String,
    fault: Fault,
    left: Option<usize>,
}

/// All that can go wrong, and how it stands.
#[derive(Debug)]
pub(super) struct Faults {
    rules: Mutex<Vec<Rule>>,
    hung: watch::Sender<bool>,
    cuts: watch::Sender<u64>,
    pages: Mutex<Pages>,
    switches: Mutex<Switches>,
}

#[derive(Debug, Default)]
struct Switches {
    /// Resources by their path: `/apis/discovery.k8s.io/v1/endpointslices`.
    unserved: BTreeSet<String>,
    watch_list: Option<bool>,
    watch_fault: Option<WatchFault>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            rules: Mutex::default(),
            hung: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            pages: Mutex::default(),
            switches: Mutex::default(),
        }
    }
}

impl Faults {
    /// Adds a rule.
    pub(super) fn add(
        &self,
        method: Option<Method>,
        prefix: &str,
        fault: Fault,
        times: Option<usize>,
    ) {
        lock(&self.rules).push(Rule {
            method,
            prefix: prefix.to_owned(),
            fault,
            left: times,
        });
    }

    /// Drops all rules.
    pub(super) fn clear(&self) {
        lock(&self.rules).clear();
    }

    /// The fault that this request meets, if any; a rule with a count is used up by it.
    pub(super) fn strike(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut rules = lock(&self.rules);
        let index = rules.iter().position(|rule| {
            rule.left != Some(0)
                && path.starts_with(&rule.prefix)
                && rule.method.as_ref().is_none_or(|wanted| wanted == method)
        })?;
        let rule = rules.get_mut(index)?;
        let fault = rule.fault;
        if let Some(left) = &mut rule.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                rules.remove(index);
            }
        }
        Some(fault)
    }

    /// Silence: nothing is answered and no open watch says anything, until it is lifted.
    pub(super) fn set_hung(&self, hung: bool) {
        self.hung.send_replace(hung);
    }

    /// Returns when the server is not hung.
    pub(super) async fn wait_while_hung(&self) {
        let mut hung = self.hung.subscribe();
        if hung.wait_for(|hung| !hung).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Cuts every open connection.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// A receiver that changes when connections are cut.
    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    pub(super) fn serve(&self, path: &str, serve: bool) {
        let unserved = &mut lock(&self.switches).unserved;
        if serve {
            unserved.remove(path);
        } else {
            unserved.insert(path.to_owned());
        }
    }

    pub(super) fn serves(&self, resource: &Resource) -> bool {
        let unserved = &lock(&self.switches).unserved;
        unserved.is_empty()
            || !unserved.contains(&format!(
                "/apis/{}/{}",
                resource.api_version(),
                resource.plural
            ))
    }

    pub(super) fn set_watch_list(&self, on: bool) {
        lock(&self.switches).watch_list = Some(on);
    }

    pub(super) fn watch_list(&self, started_with: bool) -> bool {
        lock(&self.switches).watch_list.unwrap_or(started_with)
    }

    pub(super) fn set_watch_fault(&self, fault: Option<WatchFault>) {
        lock(&self.switches).watch_fault = fault;
    }

    pub(super) fn watch_fault(&self) -> Option<WatchFault> {
        lock(&self.switches).watch_fault
    }

    /// The rests of lists that were asked for in pages.
    pub(super) fn pages(&self) -> MutexGuard<'_, Pages> {
        lock(&self.pages)
    }
}

/// What is left of paged lists. Only the last few are kept: an older `continue` is expired.
#[derive(Debug, Default)]
pub(super) struct Pages {
    made: u64,
    kept: VecDeque<Rest>,
}

/// The rest of one list: its token, revision and objects.
type Rest = (String, u64, Vec<Arc<Object>>);

impl Pages {
    const KEEP: usize = 64;

    /// Keeps a rest; the token that asks for it.
    pub(super) fn keep(&mut self, revision: u64, rest: Vec<Arc<Object>>) -> String {
        self.made += 1;
        let token = format!("demo-{revision}-{}", self.made);
        self.kept.push_back((token.clone(), revision, rest));
        if self.kept.len() > Self::KEEP {
            self.kept.pop_front();
        }
        token
    }

    /// The rest for a token. It stays, since a client may ask again.
    pub(super) fn take(&self, token: &str) -> Option<(u64, Vec<Arc<Object>>)> {
        let (_, revision, rest) = self.kept.iter().find(|(kept, ..)| kept == token)?;
        Some((*revision, rest.clone()))
    }

    /// Expires all tokens.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_used_up() {
        let faults = Faults::default();
        faults.add(
            Some(Method::GET),
            "/api/v1/pods",
            Fault::Status(503),
            Some(1),
        );
        assert_eq!(faults.strike(&Method::POST, "/api/v1/pods"), None);
        assert_eq!(
            faults.strike(&Method::GET, "/api/v1/pods"),
            Some(Fault::Status(503))
        );
        assert_eq!(faults.strike(&Method::GET, "/api/v1/pods"), None);
    }
}
