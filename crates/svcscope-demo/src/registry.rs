//! Writing through the API: what happens between a client's body and the store.
//!
//! Metadata is filled, the kind's own rules run (`service`, `admission`), preconditions are checked, managers
//! are noted. A dry run does all of it and stores nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::admission;
use super::json;
use super::managed_fields::{self, ManagedFieldWriter};
use super::patch::{self, PatchContentType};
use super::random::SeededRandom;
use super::resource::{ServedKind, ServedResource};
use super::service;
use super::status::FailureStatus;
use super::store::{DemoObjectStore, NamespacedName, StoreState};
use super::time;

/// How a write is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct ObjectWriteOptions {
    pub(super) dry_run: bool,
    /// The field manager; clients that name none are known by their user agent.
    pub(super) manager: String,
    /// Server-side apply may take fields from others.
    pub(super) force: bool,
    /// `status`, or none for the object itself.
    pub(super) subresource: Option<&'static str>,
}

/// How a deletion is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct ObjectDeleteOptions {
    pub(super) dry_run: bool,
    pub(super) grace_seconds: Option<i64>,
    pub(super) uid: Option<String>,
    pub(super) resource_version: Option<String>,
    pub(super) orphan: bool,
}

/// The store with the rules of writing around it.
#[derive(Debug)]
pub(super) struct ObjectRegistry {
    pub(super) store: DemoObjectStore,
    random: Mutex<SeededRandom>,
    /// How many seconds ago things are said to have been made: the past of a cluster that is being set up.
    backdate_seconds: AtomicI64,
}

impl ObjectRegistry {
    pub(super) fn new(store: DemoObjectStore, seed: u64) -> Self {
        Self {
            store,
            random: Mutex::new(SeededRandom::new(seed)),
            backdate_seconds: AtomicI64::new(0),
        }
    }

    /// From now on new objects are this old.
    pub(super) fn backdate(&self, seconds: i64) {
        self.backdate_seconds.store(seconds, Ordering::Relaxed);
    }

    /// Whether the cluster is being set up: what happened so long ago has left no Events.
    pub(super) fn is_backdating(&self) -> bool {
        self.backdate_seconds.load(Ordering::Relaxed) > 0
    }

    /// The creation time of a new object.
    pub(super) fn creation_timestamp(&self) -> String {
        time::ago(self.backdate_seconds.load(Ordering::Relaxed))
    }

    /// Draws from the seeded generator.
    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut SeededRandom) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creates an object from a client's body.
    pub(super) fn create(
        &self,
        resource: &ServedResource,
        namespace: &str,
        mut body: Value,
        options: &ObjectWriteOptions,
    ) -> Result<Value, FailureStatus> {
        self.fill_metadata(resource, namespace, &mut body)?;
        admission::create(resource.kind, &mut body)?;
        let key = NamespacedName::of(&body);
        let mut state = self.store.lock();
        if resource.namespaced
            && state
                .get(ServedKind::Namespace, &NamespacedName::new("", namespace))
                .is_none()
        {
            return Err(FailureStatus::not_found(
                ServedKind::Namespace.resource(),
                namespace,
            ));
        }
        if state.get(resource.kind, &key).is_some() {
            return Err(FailureStatus::already_exists(resource, &key.name));
        }
        if resource.kind == ServedKind::Service {
            service::create(&mut body, &state.allocations, options.dry_run)?;
        }
        managed_fields::record_write(
            &mut body,
            None,
            None,
            writer(options, "Update"),
            &time::now(),
        );
        commit(&mut state, resource.kind, body, options.dry_run)
    }

    fn fill_metadata(
        &self,
        resource: &ServedResource,
        namespace: &str,
        body: &mut Value,
    ) -> Result<(), FailureStatus> {
        let said = json::text(body, "metadata/namespace");
        if resource.namespaced {
            if !said.is_empty() && said != namespace {
                return Err(FailureStatus::bad_request(format!(
                    "the namespace of the provided object does not match the namespace sent on the request ({said} != {namespace})"
                )));
            }
            json::set(body, "metadata/namespace", namespace);
        }
        let wanted = json::text(body, "metadata/generateName");
        if json::text(body, "metadata/name").is_empty() && !wanted.is_empty() {
            let name = format!("{wanted}{}", self.draw(|random| random.suffix(5)));
            json::set(body, "metadata/name", name);
        }
        let uid = self.draw(SeededRandom::uid);
        json::set(body, "metadata/uid", uid);
        json::set(
            body,
            "metadata/creationTimestamp",
            self.creation_timestamp(),
        );
        for path in [
            "resourceVersion",
            "deletionTimestamp",
            "managedFields",
            "generation",
        ] {
            json::remove(body, &format!("metadata/{path}"));
        }
        if admission::counts_generations(resource.kind) {
            json::set(body, "metadata/generation", 1);
        }
        Ok(())
    }

    /// Replaces an object by a client's body.
    pub(super) fn replace(
        &self,
        resource: &ServedResource,
        key: &NamespacedName,
        body: Value,
        options: &ObjectWriteOptions,
    ) -> Result<Value, FailureStatus> {
        let name = json::text(&body, "metadata/name");
        if name != key.name {
            return Err(FailureStatus::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                key.name
            )));
        }
        self.modify(resource, key, options, "Update", None, |_| Ok(body))
    }

    /// Changes an object by a PATCH body. Server-side apply creates what is not there.
    pub(super) fn patch(
        &self,
        resource: &ServedResource,
        key: &NamespacedName,
        form: PatchContentType,
        body: &Value,
        options: &ObjectWriteOptions,
    ) -> Result<Value, FailureStatus> {
        if form != PatchContentType::Apply {
            return self.modify(resource, key, options, "Update", None, |old| {
                let mut new = old.clone();
                patch::apply_patch(form, &mut new, body)?;
                Ok(new)
            });
        }
        let exists = self.store.lock().get(resource.kind, key).is_some();
        if !exists {
            let mut body = body.clone();
            json::set(&mut body, "metadata/name", key.name.as_str());
            return self.create(resource, &key.namespace, body, options);
        }
        self.modify(resource, key, options, "Apply", Some(body), |old| {
            let owned = managed_fields::conflicts(old, body, &options.manager);
            if !owned.is_empty() && !options.force {
                return Err(FailureStatus::field_conflict(resource, &key.name, &owned));
            }
            let before = managed_fields::owned_fields(old, &options.manager, "Apply");
            Ok(patch::apply(old, body, &before))
        })
    }

    fn modify(
        &self,
        resource: &ServedResource,
        key: &NamespacedName,
        options: &ObjectWriteOptions,
        operation: &'static str,
        applied: Option<&Value>,
        change: impl FnOnce(&Value) -> Result<Value, FailureStatus>,
    ) -> Result<Value, FailureStatus> {
        let mut state = self.store.lock();
        let missing = || FailureStatus::not_found(resource, &key.name);
        let old = state
            .get(resource.kind, key)
            .ok_or_else(missing)?
            .to_value();
        let mut new = change(&old)?;
        check_preconditions(resource, key, &old, &new)?;
        restore_system_fields(&mut new, &old);
        match options.subresource {
            Some(_) => replace_only_status(&mut new, &old),
            None => {
                if let Some(status) = old.get("status") {
                    json::set(&mut new, "status", status.clone());
                }
                admission::update(resource.kind, &mut new, &old)?;
                if resource.kind == ServedKind::Service {
                    service::update(&mut new, &old, &state.allocations, options.dry_run)?;
                }
            }
        }
        if new == old && applied.is_none() {
            return Ok(old);
        }
        if admission::counts_generations(resource.kind) && new.get("spec") != old.get("spec") {
            let generation = json::number(&old, "metadata/generation") + 1;
            json::set(&mut new, "metadata/generation", generation);
        }
        managed_fields::record_write(
            &mut new,
            Some(&old),
            applied,
            writer(options, operation),
            &time::now(),
        );
        if new == old {
            return Ok(old);
        }
        commit(&mut state, resource.kind, new, options.dry_run)
    }

    /// Deletes an object. A running pod is only marked: its node ends it and then removes it.
    pub(super) fn delete(
        &self,
        resource: &ServedResource,
        key: &NamespacedName,
        options: &ObjectDeleteOptions,
    ) -> Result<Value, FailureStatus> {
        let mut state = self.store.lock();
        let missing = || FailureStatus::not_found(resource, &key.name);
        let mut old = state
            .get(resource.kind, key)
            .ok_or_else(missing)?
            .to_value();
        let differs = |wanted: &Option<String>, path: &str| {
            wanted
                .as_deref()
                .is_some_and(|wanted| wanted != json::text(&old, path))
        };
        if differs(&options.uid, "metadata/uid") {
            return Err(FailureStatus::conflict(
                resource,
                &key.name,
                "Precondition failed: UID in precondition does not match the UID in object meta",
            ));
        }
        if differs(&options.resource_version, "metadata/resourceVersion") {
            return Err(FailureStatus::conflict(
                resource,
                &key.name,
                "Precondition failed: ResourceVersion in precondition does not match the ResourceVersion in object meta",
            ));
        }
        if options.dry_run {
            return Ok(delete_response(resource, old));
        }
        if options.orphan {
            orphan_dependents(&mut state, json::text(&old, "metadata/uid"), &key.namespace);
        }
        let grace = options
            .grace_seconds
            .or_else(|| {
                json::at(&old, "spec/terminationGracePeriodSeconds").and_then(Value::as_i64)
            })
            .unwrap_or(30);
        let running =
            resource.kind == ServedKind::Pod && !json::text(&old, "spec/nodeName").is_empty();
        if running && grace > 0 {
            if json::text(&old, "metadata/deletionTimestamp").is_empty() {
                json::set(&mut old, "metadata/deletionTimestamp", time::ago(-grace));
                json::set(&mut old, "metadata/deletionGracePeriodSeconds", grace);
                return Ok(state.put(resource.kind, old).to_value());
            }
            return Ok(old);
        }
        if resource.kind == ServedKind::Namespace {
            delete_namespace_contents(&mut state, &key.name);
        }
        let last = state
            .delete(resource.kind, key)
            .map_or(old, |object| object.to_value());
        Ok(delete_response(resource, last))
    }
}

/// What a deletion answers: the object for the kinds that return it, else a `Status`.
fn delete_response(resource: &ServedResource, object: Value) -> Value {
    if matches!(resource.kind, ServedKind::Pod | ServedKind::Service) {
        return object;
    }
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": json::text(&object, "metadata/name"),
            "group": resource.group,
            "kind": resource.plural,
            "uid": json::text(&object, "metadata/uid"),
        },
    })
}

fn commit(
    state: &mut StoreState,
    kind: ServedKind,
    value: Value,
    dry_run: bool,
) -> Result<Value, FailureStatus> {
    if dry_run {
        let mut value = value;
        let resource = kind.resource();
        json::set(&mut value, "kind", resource.name);
        json::set(&mut value, "apiVersion", resource.api_version());
        return Ok(value);
    }
    Ok(state.put(kind, value).to_value())
}

fn writer<'w>(options: &'w ObjectWriteOptions, operation: &'static str) -> ManagedFieldWriter<'w> {
    ManagedFieldWriter {
        manager: &options.manager,
        operation,
        subresource: options.subresource,
    }
}

fn check_preconditions(
    resource: &ServedResource,
    key: &NamespacedName,
    old: &Value,
    new: &Value,
) -> Result<(), FailureStatus> {
    let differs = |path: &str| {
        let wanted = json::text(new, path);
        !wanted.is_empty() && wanted != json::text(old, path)
    };
    if differs("metadata/resourceVersion") {
        return Err(FailureStatus::modified(resource, &key.name));
    }
    if differs("metadata/uid") {
        return Err(FailureStatus::conflict(
            resource,
            &key.name,
            "Precondition failed: UID in precondition does not match the UID in object meta",
        ));
    }
    Ok(())
}

/// The fields of metadata that no client can change.
fn restore_system_fields(new: &mut Value, old: &Value) {
    for field in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generateName",
        "generation",
        "managedFields",
    ] {
        let path = format!("metadata/{field}");
        match json::at(old, &path) {
            Some(value) => json::set(new, &path, value.clone()),
            None => {
                json::remove(new, &path);
            }
        }
    }
    for field in ["kind", "apiVersion"] {
        json::set(new, field, json::text(old, field));
    }
}

fn replace_only_status(new: &mut Value, old: &Value) {
    let status = json::remove(new, "status");
    *new = old.clone();
    if let Some(status) = status {
        json::set(new, "status", status);
    }
}

/// Takes the owner away from its dependents, so that they outlive it.
fn orphan_dependents(state: &mut StoreState, uid: &str, namespace: &str) {
    for kind in [
        ServedKind::ReplicaSet,
        ServedKind::Pod,
        ServedKind::EndpointSlice,
    ] {
        for object in state.list(kind, Some(namespace)) {
            let mut value = object.to_value();
            let Some(owners) = json::list_mut(&mut value, "metadata/ownerReferences") else {
                continue;
            };
            let before = owners.len();
            owners.retain(|owner| json::text(owner, "uid") != uid);
            if owners.len() != before {
                state.put(kind, value);
            }
        }
    }
}

/// Removes everything in a namespace, with it.
fn delete_namespace_contents(state: &mut StoreState, namespace: &str) {
    for kind in ServedKind::ALL {
        if !kind.resource().namespaced {
            continue;
        }
        for object in state.list(kind, Some(namespace)) {
            state.delete(kind, &object.key);
        }
    }
}
