//! Fault injection: refusals, silence, expired lists, missing API groups.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use tokio::sync::watch;

use super::{resource::ServedResource, store::StoredObject};

/// What goes wrong with every watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchFault {
    /// Answered 200 and ended at once, without a line (kubernetes/kubernetes#104171).
    EndsAtOnce,
    /// Answered 200 with `Content-Length: 0`.
    EmptyBody,
    /// Ended after whatever is said first.
    EndsAfterFirstLine,
    /// Ended after a second.
    OneSecond,
    /// A proxy's page instead of events.
    HtmlPage,
    /// A list instead of events.
    ListBody,
    /// Answered 200, and then nothing ever comes, not even the end.
    NoEvents,
    /// Never answered.
    NoResponse,
    /// Events are lost; bookmarks go on.
    DropsEvents,
    /// A bookmark that lies far in the past.
    OldRevision,
    /// A bookmark of version 0, and then all is well.
    ZeroRevision,
}

/// What happens to a request that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestFault {
    Status(u16),
    Hang,
}

/// One rule: the next `left` requests (all, when `None`) whose method and path fit.
#[derive(Debug)]
struct FaultRule {
    method: Option<Method>,
    prefix: String,
    fault: RequestFault,
    remaining: Option<usize>,
}

/// All faults that can be injected, and their state.
#[derive(Debug)]
pub(super) struct FaultInjector {
    rules: Mutex<Vec<FaultRule>>,
    is_hung: watch::Sender<bool>,
    cut_signal: watch::Sender<u64>,
    continue_tokens: Mutex<ContinueTokenCache>,
    switches: Mutex<FeatureSwitches>,
}

#[derive(Debug, Default)]
struct FeatureSwitches {
    /// Resources by their path: `/apis/discovery.k8s.io/v1/endpointslices`.
    unserved: BTreeSet<String>,
    watch_list: Option<bool>,
    watch_fault: Option<WatchFault>,
}

impl Default for FaultInjector {
    fn default() -> Self {
        Self {
            rules: Mutex::default(),
            is_hung: watch::Sender::new(false),
            cut_signal: watch::Sender::new(0),
            continue_tokens: Mutex::default(),
            switches: Mutex::default(),
        }
    }
}

impl FaultInjector {
    /// Adds a rule.
    pub(super) fn add(
        &self,
        method: Option<Method>,
        prefix: &str,
        fault: RequestFault,
        times: Option<usize>,
    ) {
        lock(&self.rules).push(FaultRule {
            method,
            prefix: prefix.to_owned(),
            fault,
            remaining: times,
        });
    }

    /// Drops all rules.
    pub(super) fn clear(&self) {
        lock(&self.rules).clear();
    }

    /// The fault for this request, if any; a rule with a count is used up by it.
    pub(super) fn next_fault(&self, method: &Method, path: &str) -> Option<RequestFault> {
        let mut rules = lock(&self.rules);
        let index = rules.iter().position(|rule| {
            rule.remaining != Some(0)
                && path.starts_with(&rule.prefix)
                && rule.method.as_ref().is_none_or(|wanted| wanted == method)
        })?;
        let rule = rules.get_mut(index)?;
        let fault = rule.fault;
        if let Some(left) = &mut rule.remaining {
            *left = left.saturating_sub(1);
            if *left == 0 {
                rules.remove(index);
            }
        }
        Some(fault)
    }

    /// Silence: nothing is answered and no open watch says anything, until it is lifted.
    pub(super) fn set_hung(&self, hung: bool) {
        self.is_hung.send_replace(hung);
    }

    /// Returns when the server is not hung.
    pub(super) async fn wait_while_hung(&self) {
        let mut hung = self.is_hung.subscribe();
        if hung.wait_for(|hung| !hung).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Cuts every open connection.
    pub(super) fn cut_connections(&self) {
        self.cut_signal.send_modify(|cuts| *cuts += 1);
    }

    /// A receiver that changes when connections are cut.
    pub(super) fn cut_signal(&self) -> watch::Receiver<u64> {
        self.cut_signal.subscribe()
    }

    pub(super) fn serve(&self, path: &str, serve: bool) {
        let unserved = &mut lock(&self.switches).unserved;
        if serve {
            unserved.remove(path);
        } else {
            unserved.insert(path.to_owned());
        }
    }

    pub(super) fn serves(&self, resource: &ServedResource) -> bool {
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

    pub(super) fn watch_list(&self, enabled_by_default: bool) -> bool {
        lock(&self.switches)
            .watch_list
            .unwrap_or(enabled_by_default)
    }

    pub(super) fn set_watch_fault(&self, fault: Option<WatchFault>) {
        lock(&self.switches).watch_fault = fault;
    }

    pub(super) fn watch_fault(&self) -> Option<WatchFault> {
        lock(&self.switches).watch_fault
    }

    /// The rests of lists that were asked for in pages.
    pub(super) fn continue_tokens(&self) -> MutexGuard<'_, ContinueTokenCache> {
        lock(&self.continue_tokens)
    }
}

/// What is left of paged lists. Only the last few are kept: an older `continue` is expired.
#[derive(Debug, Default)]
pub(super) struct ContinueTokenCache {
    issued_tokens: u64,
    remainders: VecDeque<ListRemainder>,
}

/// The rest of one list: its token, revision and objects.
type ListRemainder = (String, u64, Vec<Arc<StoredObject>>);

impl ContinueTokenCache {
    const CAPACITY: usize = 64;

    /// Keeps a rest; the token that asks for it.
    pub(super) fn store(&mut self, revision: u64, rest: Vec<Arc<StoredObject>>) -> String {
        self.issued_tokens += 1;
        let token = format!("demo-{revision}-{}", self.issued_tokens);
        self.remainders.push_back((token.clone(), revision, rest));
        if self.remainders.len() > Self::CAPACITY {
            self.remainders.pop_front();
        }
        token
    }

    /// The rest for a token. It stays, since a client may ask again.
    pub(super) fn get(&self, token: &str) -> Option<(u64, Vec<Arc<StoredObject>>)> {
        let (_, revision, rest) = self.remainders.iter().find(|(kept, ..)| kept == token)?;
        Some((*revision, rest.clone()))
    }

    /// Expires all tokens.
    pub(super) fn expire_all(&mut self) {
        self.remainders.clear();
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
        let faults = FaultInjector::default();
        faults.add(
            Some(Method::GET),
            "/api/v1/pods",
            RequestFault::Status(503),
            Some(1),
        );
        assert_eq!(faults.next_fault(&Method::POST, "/api/v1/pods"), None);
        assert_eq!(
            faults.next_fault(&Method::GET, "/api/v1/pods"),
            Some(RequestFault::Status(503))
        );
        assert_eq!(faults.next_fault(&Method::GET, "/api/v1/pods"), None);
    }
}
