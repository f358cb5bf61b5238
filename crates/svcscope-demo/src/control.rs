//! Control of the demo cluster: direct edits, and fault injection.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::access::DenyRule;
use super::cluster::DemoCluster;
use super::fault_injection::RequestFault;
use super::fault_injection::WatchFault;
use super::json;
use super::patch::PatchContentType;
use super::pod_status;
use super::random;
use super::registry::{ObjectDeleteOptions, ObjectWriteOptions};
use super::resource::{RESOURCES, ServedKind, ServedResource};
use super::status::FailureStatus;
use super::store::NamespacedName;

/// Why the control could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("the demo cluster refused: {message}")]
pub struct DemoControlError {
    /// The server's own words.
    message: String,
}

impl From<FailureStatus> for DemoControlError {
    fn from(status: FailureStatus) -> Self {
        Self {
            message: json::text(&status.to_value(), "message").to_owned(),
        }
    }
}

/// Edits and faults of a running demo cluster. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DemoControl {
    app: Arc<DemoCluster>,
    listening: watch::Sender<bool>,
}

impl DemoControl {
    pub(super) fn new(app: Arc<DemoCluster>, listening: watch::Sender<bool>) -> Self {
        Self { app, listening }
    }

    /// Creates the object, or merges it into the one of its name. Status given here is written too.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn apply(&self, object: Value) -> Result<Value, DemoControlError> {
        let resource = ServedResource::of(&object).ok_or_else(|| {
            FailureStatus::bad_request("the object has no kind and apiVersion that is served")
        })?;
        let key = NamespacedName::of(&object);
        let intent = ObjectWriteOptions {
            manager: "demo-control".to_owned(),
            ..ObjectWriteOptions::default()
        };
        let exists = self
            .app
            .registry
            .store
            .lock()
            .get(resource.kind, &key)
            .is_some();
        let made = if exists {
            self.app
                .registry
                .patch(resource, &key, PatchContentType::Merge, &object, &intent)?
        } else {
            self.app
                .registry
                .create(resource, &key.namespace, object.clone(), &intent)?
        };
        match object.get("status") {
            Some(status) => {
                let intent = ObjectWriteOptions {
                    subresource: Some("status"),
                    ..intent
                };
                let patch = json!({"status": status});
                Ok(self.app.registry.patch(
                    resource,
                    &key,
                    PatchContentType::Merge,
                    &patch,
                    &intent,
                )?)
            }
            None => Ok(made),
        }
    }

    /// Deletes an object by its kind (`Pod`, `pods` or `pod`), at once and without grace.
    ///
    /// # Errors
    /// When it is not there.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) -> Result<(), DemoControlError> {
        let deletion = ObjectDeleteOptions {
            grace_seconds: Some(0),
            ..ObjectDeleteOptions::default()
        };
        self.app.registry.delete(
            resource(kind)?,
            &NamespacedName::new(namespace, name),
            &deletion,
        )?;
        Ok(())
    }

    /// Reads an object by its kind (`Pod`, `pods` or `pod`).
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let resource = resource(kind).ok()?;
        let state = self.app.registry.store.lock();
        state
            .get(resource.kind, &NamespacedName::new(namespace, name))
            .map(|object| object.to_value())
    }

    /// The objects of a kind in a namespace, or in all.
    pub fn list(&self, kind: &str, namespace: Option<&str>) -> Vec<Value> {
        let Ok(resource) = resource(kind) else {
            return Vec::new();
        };
        let objects = self
            .app
            .registry
            .store
            .lock()
            .list(resource.kind, namespace);
        objects.iter().map(|object| object.to_value()).collect()
    }

    /// Makes a running pod ready or not, as its readiness probe would.
    ///
    /// # Errors
    /// When the pod is not there.
    pub fn set_pod_ready(
        &self,
        namespace: &str,
        name: &str,
        ready: bool,
    ) -> Result<(), DemoControlError> {
        let mut state = self.app.registry.store.lock();
        let missing = || FailureStatus::not_found(ServedKind::Pod.resource(), name);
        let pod = state
            .get(ServedKind::Pod, &NamespacedName::new(namespace, name))
            .ok_or_else(missing)?;
        let mut pod = pod.to_value();
        pod_status::set_ready(&mut pod, ready);
        state.put(ServedKind::Pod, pod);
        Ok(())
    }

    /// Answers requests whose path begins with `prefix` with a bare status: the next `times`, or all until
    /// [`Self::clear_faults`]. `method` limits it to one method (`GET`, `PATCH`, …).
    pub fn fail(&self, method: Option<&str>, prefix: &str, code: u16, times: Option<usize>) {
        self.app
            .faults
            .add(method_of(method), prefix, RequestFault::Status(code), times);
    }

    /// Accepts such requests and never answers them.
    pub fn hang(&self, method: Option<&str>, prefix: &str, times: Option<usize>) {
        self.app
            .faults
            .add(method_of(method), prefix, RequestFault::Hang, times);
    }

    /// Drops all rules of [`Self::fail`] and [`Self::hang`].
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// Silent death: connections stay open, nothing is answered, open watches say nothing.
    pub fn set_unresponsive(&self, unresponsive: bool) {
        self.app.faults.set_hung(unresponsive);
    }

    /// Takes a right away from the demo's user; access reviews agree.
    pub fn deny(&self, denial: DenyRule) {
        self.app.access.deny(denial);
    }

    /// Gives all rights back.
    pub fn allow_all(&self) {
        self.app.access.allow_all();
    }

    /// Cuts every open connection and port-forward; the port stays open.
    pub fn cut_connections(&self) {
        self.app.faults.cut_connections();
    }

    /// Closes the port and cuts every connection. The objects stay.
    pub fn close_port(&self) {
        self.listening.send_replace(false);
        self.app.faults.cut_connections();
    }

    /// Opens the port again.
    pub fn reopen_port(&self) {
        self.listening.send_replace(true);
    }

    /// A server restart: every connection is cut, the same port answers again, the objects stay and the history
    /// of watches is gone.
    pub fn restart(&self) {
        self.compact();
        self.app.faults.cut_connections();
    }

    /// Forgets the history: watches and `continue` tokens from before get 410.
    pub fn compact(&self) {
        self.app.registry.store.lock().compact();
        self.app.faults.continue_tokens().expire_all();
    }

    /// Whether `discovery.k8s.io` is served. Old servers serve Endpoints only.
    pub fn serve_endpoint_slices(&self, serve: bool) {
        self.serve("/apis/discovery.k8s.io/v1/endpointslices", serve);
    }

    /// Whether a resource of a group is served in a version, by its path:
    /// `/apis/gateway.networking.k8s.io/v1/tcproutes`.
    pub fn serve(&self, path: &str, serve: bool) {
        self.app.faults.serve(path, serve);
    }

    /// Turns the WatchList feature on or off.
    pub fn set_watch_list(&self, on: bool) {
        self.app.faults.set_watch_list(on);
    }

    /// What goes wrong with every watch that begins from now on, if anything. Open ones go on, but
    /// for [`WatchFault::Lossy`].
    pub fn break_watches(&self, fault: Option<WatchFault>) {
        self.app.faults.set_watch_fault(fault);
    }

    /// The token that is valid now.
    pub fn token(&self) -> String {
        self.app.access.token()
    }

    /// Makes a new token; the old one gets 401 from now on. Open watches go on, as with a real server.
    pub fn rotate_token(&self) -> String {
        let token = random::token();
        self.app.access.set_token(token.clone());
        token
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.app.registry.store.lock().revision()
    }
}

fn method_of(method: Option<&str>) -> Option<Method> {
    method.and_then(|method| method.parse().ok())
}

fn resource(kind: &str) -> Result<&'static ServedResource, DemoControlError> {
    RESOURCES
        .iter()
        .find(|row| row.name == kind || row.plural == kind || row.singular == kind)
        .ok_or_else(|| FailureStatus::bad_request(format!("no kind {kind:?} is served")).into())
}
