//! Services as the real API server treats them: what it fills in, carries over, wipes, refuses
//! and allocates when one is written.
//!
//! In comes the object that a client wants and the one that stands; out goes the object to
//! store, or the causes of the refusal. The rules follow pkg/registry/core/service and
//! pkg/apis/core/validation of Kubernetes 1.36.

mod allocate;
mod defaults;
mod field;
#[cfg(test)]
mod tests;
mod validate;
mod wipe;

use serde_json::Value;

use super::resource::Kind;
use super::status::Status;
use super::store::Key;

pub(super) use allocate::Allocations;

/// Makes a new Service ready to be stored.
pub(super) fn create(
    service: &mut Value,
    allocations: &Allocations,
    dry_run: bool,
) -> Result<(), Status> {
    defaults::fill(service);
    wipe::normalise_cluster_ips(service, None);
    finish(service, None, allocations, dry_run)
}

/// Makes a changed Service ready to be stored. `old` is the one that stands.
pub(super) fn update(
    service: &mut Value,
    old: &Value,
    allocations: &Allocations,
    dry_run: bool,
) -> Result<(), Status> {
    defaults::fill(service);
    wipe::carry_allocated(service, old);
    wipe::normalise_cluster_ips(service, Some(old));
    wipe::drop_type_dependent(service, old);
    finish(service, Some(old), allocations, dry_run)
}

fn finish(
    service: &mut Value,
    old: Option<&Value>,
    allocations: &Allocations,
    dry_run: bool,
) -> Result<(), Status> {
    let key = Key::of(service);
    let mut causes = validate::service(service);
    if let Some(old) = old {
        causes.extend(validate::update(service, old));
    }
    if causes.is_empty() {
        causes = allocate::allocate(service, &key, allocations, dry_run);
    }
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Status::invalid(
            Kind::Service.resource(),
            &key.name,
            &causes,
        ))
    }
}
