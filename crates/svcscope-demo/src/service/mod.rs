//! Services as the real API server treats them: what it fills in, carries over, wipes, refuses
//! and allocates when one is written.
//!
//! In comes the object that a client wants and the stored one; out goes the object to
//! store, or the causes of the refusal. The rules follow pkg/registry/core/service and
//! pkg/apis/core/validation of Kubernetes 1.36.

mod allocate;
mod carry_over;
mod defaults;
mod service_fields;
#[cfg(test)]
mod tests;
mod validate;

use serde_json::Value;

use super::resource::ServedKind;
use super::status::FailureStatus;
use super::store::object::NamespacedName;

pub(super) use allocate::ServiceAllocations;

/// Makes a new Service ready to be stored.
pub(super) fn create(
    service: &mut Value,
    allocations: &ServiceAllocations,
    dry_run: bool,
) -> Result<(), FailureStatus> {
    defaults::fill(service);
    carry_over::normalise_cluster_ips(service, None);
    finish(service, None, allocations, dry_run)
}

/// Makes a changed Service ready to be stored. `old` is the stored one.
pub(super) fn update(
    service: &mut Value,
    old: &Value,
    allocations: &ServiceAllocations,
    dry_run: bool,
) -> Result<(), FailureStatus> {
    defaults::fill(service);
    carry_over::carry_allocated(service, old);
    carry_over::normalise_cluster_ips(service, Some(old));
    carry_over::drop_type_dependent(service, old);
    finish(service, Some(old), allocations, dry_run)
}

fn finish(
    service: &mut Value,
    old: Option<&Value>,
    allocations: &ServiceAllocations,
    dry_run: bool,
) -> Result<(), FailureStatus> {
    let key = NamespacedName::of(service);
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
        Err(FailureStatus::invalid(
            ServedKind::Service.resource(),
            &key.name,
            &causes,
        ))
    }
}
