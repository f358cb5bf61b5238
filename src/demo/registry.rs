//! Writing through the API: what happens between a client's body and the store.
//!
//! Metadata is filled, the kind's own rules run (`service`, `admission`), preconditions are checked, managers
//! are noted. A dry run does all of it and stores nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::admission;
use super::json;
use super::managed::{self, Writer};
use super::patch::{self, Form};
use super::random::Random;
use super::resource::{Kind, Resource};
use super::service;
use super::status::Status;
use super::store::{Key, State, Store};
use super::time;

/// How a write is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Intent {
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
pub(super) struct Deletion {
    pub(super) dry_run: bool,
    pub(super) grace_seconds: Option<i64>,
    pub(super) uid: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) orphan: bool,
}

/// The store with the rules of writing around it.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) store: Store,
    random: Mutex<Random>,
    /// How many seconds ago things are said to have been made: the past of a cluster that is being set up.
    backdated: AtomicI64,
}

impl Registry {
    pub(super) fn new(store: Store, seed: u64) -> Self {
        Self {
            store,
            random: Mutex::new(Random::new(seed)),
            backdated: AtomicI64::new(0),
        }
    }

    /// From now on new objects are this old.
    pub(super) fn backdate(&self, seconds: i64) {
        self.backdated.store(seconds, Ordering::Relaxed);
    }

    /// Whether the cluster is being set up: what happened so long ago has left no Events.
    pub(super) fn is_past(&self) -> bool {
        self.backdated.load(Ordering::Relaxed) > 0
    }

    /// The creation time of a new object.
    pub(super) fn stamp(&self) -> String {
        time::ago(self.backdated.load(Ordering::Relaxed))
    }

    /// Draws from the seeded generator.
    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creates an object from a client's body.
    pub(super) fn create(
        &self,
        resource: &Resource,
        namespace: &str,
        mut body: Value,
        intent: &Intent,
    ) -> Result<Value, Status> {
        self.name(resource, namespace, &mut body)?;
        admission::create(resource.kind, &mut body)?;
        let key = Key::of(&body);
        let mut state = self.store.lock();
        if resource.namespaced
            && state
                .get(Kind::Namespace, &Key::new("", namespace))
                .is_none()
        {
            return Err(Status::not_found(Kind::Namespace.resource(), namespace));
        }
        if state.get(resource.kind, &key).is_some() {
            return Err(Status::already_exists(resource, &key.name));
        }
        if resource.kind == Kind::Service {
            service::create(&mut body, &state.allocations, intent.dry_run)?;
        }
        managed::note(
            &mut body,
            None,
            None,
            writer(intent, "Update"),
            &time::now(),
        );
        commit(&mut state, resource.kind, body, intent.dry_run)
    }

    fn name(&self, resource: &Resource, namespace: &str, body: &mut Value) -> Result<(), Status> {
        let said = json::text(body, "metadata/namespace");
        if resource.namespaced {
            if !said.is_empty() && said != namespace {
                return Err(Status::bad_request(format!(
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
        let uid = self.draw(Random::uid);
        json::set(body, "metadata/uid", uid);
        json::set(body, "metadata/creationTimestamp", self.stamp());
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
        resource: &Resource,
        key: &Key,
        body: Value,
        intent: &Intent,
    ) -> Result<Value, Status> {
        let name = json::text(&body, "metadata/name");
        if name != key.name {
            return Err(Status::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                key.name
            )));
        }
        self.modify(resource, key, intent, "Update", None, |_| Ok(body))
    }

    /// Changes an object by a PATCH body. Server-side apply creates what is not there.
    pub(super) fn patch(
        &self,
        resource: &Resource,
        key: &Key,
        form: Form,
        body: &Value,
        intent: &Intent,
    ) -> Result<Value, Status> {
        if form != Form::Apply {
            return self.modify(resource, key, intent, "Update", None, |old| {
                let mut new = old.clone();
                patch::change(form, &mut new, body)?;
                Ok(new)
            });
        }
        let exists = self.store.lock().get(resource.kind, key).is_some();
        if !exists {
            let mut body = body.clone();
            json::set(&mut body, "metadata/name", key.name.as_str());
            return self.create(resource, &key.namespace, body, intent);
        }
        self.modify(resource, key, intent, "Apply", Some(body), |old| {
            let owned = managed::conflicts(old, body, &intent.manager);
            if !owned.is_empty() && !intent.force {
                return Err(Status::field_conflict(resource, &key.name, &owned));
            }
            let before = managed::owned(old, &intent.manager, "Apply");
            Ok(patch::apply(old, body, &before))
        })
    }

    fn modify(
        &self,
        resource: &Resource,
        key: &Key,
        intent: &Intent,
        operation: &'static str,
        applied: Option<&Value>,
        change: impl FnOnce(&Value) -> Result<Value, Status>,
    ) -> Result<Value, Status> {
        let mut state = self.store.lock();
        let missing = || Status::not_found(resource, &key.name);
        let old = state.get(resource.kind, key).ok_or_else(missing)?.read();
        let mut new = change(&old)?;
        preconditions(resource, key, &old, &new)?;
        keep_system_fields(&mut new, &old);
        match intent.subresource {
            Some(_) => keep_all_but_status(&mut new, &old),
            None => {
                if let Some(status) = old.get("status") {
                    json::set(&mut new, "status", status.clone());
                }
                admission::update(resource.kind, &mut new, &old)?;
                if resource.kind == Kind::Service {
                    service::update(&mut new, &old, &state.allocations, intent.dry_run)?;
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
        managed::note(
            &mut new,
            Some(&old),
            applied,
            writer(intent, operation),
            &time::now(),
        );
        if new == old {
            return Ok(old);
        }
        commit(&mut state, resource.kind, new, intent.dry_run)
    }

    /// Deletes an object. A running pod is only marked: its node ends it and then removes it.
    pub(super) fn delete(
        &self,
        resource: &Resource,
        key: &Key,
        deletion: &Deletion,
    ) -> Result<Value, Status> {
        let mut state = self.store.lock();
        let missing = || Status::not_found(resource, &key.name);
        let mut old = state.get(resource.kind, key).ok_or_else(missing)?.read();
        let differs = |wanted: &Option<String>, path: &str| {
            wanted
                .as_deref()
                .is_some_and(|wanted| wanted != json::text(&old, path))
        };
        if differs(&deletion.uid, "metadata/uid") {
            return Err(Status::conflict(
                resource,
                &key.name,
                "Precondition failed: UID in precondition does not match the UID in object meta",
            ));
        }
        if differs(&deletion.revision, "metadata/resourceVersion") {
            return Err(Status::conflict(
                resource,
                &key.name,
                "Precondition failed: ResourceVersion in precondition does not match the ResourceVersion in object meta",
            ));
        }
        if deletion.dry_run {
            return Ok(gone(resource, old));
        }
        if deletion.orphan {
            orphan(&mut state, json::text(&old, "metadata/uid"), &key.namespace);
        }
        let grace = deletion
            .grace_seconds
            .or_else(|| {
                json::at(&old, "spec/terminationGracePeriodSeconds").and_then(Value::as_i64)
            })
            .unwrap_or(30);
        let running = resource.kind == Kind::Pod && !json::text(&old, "spec/nodeName").is_empty();
        if running && grace > 0 {
            if json::text(&old, "metadata/deletionTimestamp").is_empty() {
                json::set(&mut old, "metadata/deletionTimestamp", time::ago(-grace));
                json::set(&mut old, "metadata/deletionGracePeriodSeconds", grace);
                return Ok(state.put(resource.kind, old).read());
            }
            return Ok(old);
        }
        if resource.kind == Kind::Namespace {
            empty(&mut state, &key.name);
        }
        let last = state
            .delete(resource.kind, key)
            .map_or(old, |object| object.read());
        Ok(gone(resource, last))
    }
}

/// What a deletion answers: the object for the kinds that return it, else a `Status`.
fn gone(resource: &Resource, object: Value) -> Value {
    if matches!(resource.kind, Kind::Pod | Kind::Service) {
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

fn commit(state: &mut State, kind: Kind, value: Value, dry_run: bool) -> Result<Value, Status> {
    if dry_run {
        let mut value = value;
        let resource = kind.resource();
        json::set(&mut value, "kind", resource.name);
        json::set(&mut value, "apiVersion", resource.api_version());
        return Ok(value);
    }
    Ok(state.put(kind, value).read())
}

fn writer<'w>(intent: &'w Intent, operation: &'static str) -> Writer<'w> {
    Writer {
        manager: &intent.manager,
        operation,
        subresource: intent.subresource,
    }
}

fn preconditions(resource: &Resource, key: &Key, old: &Value, new: &Value) -> Result<(), Status> {
    let differs = |path: &str| {
        let wanted = json::text(new, path);
        !wanted.is_empty() && wanted != json::text(old, path)
    };
    if differs("metadata/resourceVersion") {
        return Err(Status::modified(resource, &key.name));
    }
    if differs("metadata/uid") {
        return Err(Status::conflict(
            resource,
            &key.name,
            "Precondition failed: UID in precondition does not match the UID in object meta",
        ));
    }
    Ok(())
}

/// The fields of metadata that no client can change.
fn keep_system_fields(new: &mut Value, old: &Value) {
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

fn keep_all_but_status(new: &mut Value, old: &Value) {
    let status = json::remove(new, "status");
    *new = old.clone();
    if let Some(status) = status {
        json::set(new, "status", status);
    }
}

/// Takes the owner away from its dependents, so that they outlive it.
fn orphan(state: &mut State, uid: &str, namespace: &str) {
    for kind in [Kind::ReplicaSet, Kind::Pod, Kind::EndpointSlice] {
        for object in state.list(kind, Some(namespace)) {
            let mut value = object.read();
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
fn empty(state: &mut State, namespace: &str) {
    for kind in Kind::ALL {
        if !kind.resource().namespaced {
            continue;
        }
        for object in state.list(kind, Some(namespace)) {
            state.delete(kind, &object.key);
        }
    }
}
