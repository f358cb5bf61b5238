//! From a request to a plan. No I/O.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    ChangePlan, DesiredServiceState, FieldError, MigrationOption, MigrationPath,
    NodePortAllocations, PlanStep, RequestedChange, ServiceKind, ServiceSnapshot, UndoAssessment,
    WriteAction,
    differences::{changed_since, unmet_goals},
    effects::{ChangeEffects, change_effects},
    manifest, manifest_reader, owners,
    patch::patch,
    projection::{has_families_by_default, projected_service},
    undo_assessment,
    validation::validate,
};
use svcscope_model::inventory::{Inventory, ObjectKey, ServiceRecord, SharedStr};

/// Where a Service points on its way through ExternalName. RFC 6761 keeps `invalid` free for ever,
/// so that nobody is sent to somebody else's host.
pub(crate) const PLACEHOLDER_EXTERNAL_NAME: &str = "svcscope.invalid";

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// It is as wanted already.
    #[error("svc/{name} is that already, with all that was asked for")]
    NothingToDo {
        /// The Service.
        name: SharedStr,
    },
    /// A finalizer holds back a deleted Service.
    #[error("svc/{name} is being deleted")]
    BeingDeleted {
        /// The Service.
        name: SharedStr,
    },
    /// There are two ways, and the user has to choose.
    #[error(
        "svc/{name} can't become {to} from {from} in one step: a Service keeps its clusterIP for as \
         long as its type has one, and the API server refuses another or ignores it. Two ways lead \
         round, each at its price: through ExternalName (--via external-name), or deleted and \
         created anew (--via recreate)"
    )]
    NeedsMigrationPath {
        /// The Service.
        name: SharedStr,
        /// What it is.
        from: ServiceKind,
        /// What it shall be.
        to: ServiceKind,
        /// The two ways.
        options: Vec<MigrationOption>,
    },
    /// The API server would refuse it.
    #[error("{}", sentence(.0))]
    Invalid(Vec<FieldError>),
    /// Somebody changed what the user wants to change.
    #[error(
        "svc/{name} has changed since it was read ({}); review it again",
        .fields.join(", ")
    )]
    ChangedSinceSeen {
        /// The Service.
        name: SharedStr,
        /// What is otherwise now: `ports`.
        fields: Vec<SharedStr>,
    },
    /// There is one of that name.
    #[error("there is a Service {key} already; choose another name")]
    Exists {
        /// Its name.
        key: ObjectKey,
    },
}

impl PlanError {
    /// The complaints by field.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(fields) => fields,
            _ => &[],
        }
    }

    /// The ways to choose from.
    pub fn migration_options(&self) -> &[MigrationOption] {
        match self {
            Self::NeedsMigrationPath { options: ways, .. } => ways,
            _ => &[],
        }
    }
}

fn sentence(fields: &[FieldError]) -> String {
    let all: Vec<_> = fields
        .iter()
        .map(|error| format!("{}: {}", error.field, error.message))
        .collect();
    all.join("; ")
}

/// Plans a change of a Service as the API server said it just now.
///
/// The inventory tells which nodePorts others hold and which pods a selector finds.
pub fn plan_change(
    known: &ServiceSnapshot,
    wanted: DesiredServiceState,
    inventory: &Inventory,
) -> Result<ChangePlan, PlanError> {
    let before = &known.record;
    let name = before.key.name.clone();
    if before.deleting.is_some() {
        return Err(PlanError::BeingDeleted { name });
    }
    if let Some(seen) = &wanted.seen_record {
        let fields = changed_since(seen, before, &wanted);
        if !fields.is_empty() {
            return Err(PlanError::ChangedSinceSeen { name, fields });
        }
    }
    let wanted = with_merge_patch(known, wanted).map_err(PlanError::Invalid)?;
    let was = ServiceKind::of(before);
    let to = wanted.service_type.unwrap_or(was);
    let mut after = projected_service(before, &wanted);
    if was.needs_migration_path(to)
        && has_families_by_default(before)
        && wanted.ip_families.is_none()
    {
        after.ip_families.clear();
        after.ip_family_policy.clone_from(&wanted.ip_family_policy);
    }
    let after = after;
    let errors = validate(Some(before), &after, &wanted, inventory);
    if !errors.is_empty() {
        return Err(PlanError::Invalid(errors));
    }
    let via = if was.needs_migration_path(to) {
        let way = wanted
            .migration_path
            .ok_or_else(|| PlanError::NeedsMigrationPath {
                name: name.clone(),
                from: was,
                to,
                options: migration_options(before),
            })?;
        Some(way)
    } else {
        None
    };
    let (steps, destination) = steps(known, &after, &wanted, via);
    if steps.is_empty() {
        return Err(PlanError::NothingToDo { name });
    }
    let mut said = change_effects(before, &after, inventory);
    said.notes
        .extend(node_port_warnings(Some(before), &after, inventory));
    if let Some(via) = via {
        said.losses.extend(migration_costs(before, via));
    }
    said.notes.extend(owners::warnings(before));
    Ok(ChangePlan {
        service: before.key.clone(),
        title: title(before, &after),
        undo_assessment: undo_assessment::assess_change_undo(before, &after, via),
        before: Some(known.clone()),
        projected_service: Some(Arc::new(after)),
        requested_change: RequestedChange::Change(Box::new(wanted)),
        steps,
        final_manifest: destination,
        gains: said.gains,
        losses: said.losses,
        notes: said.notes,
    })
}

/// Plans a new Service.
pub fn plan_creation(object: Value, inventory: &Inventory) -> Result<ChangePlan, PlanError> {
    let object = manifest::without_server_fields(&object);
    let record = manifest_reader::parse_service(&object).map_err(PlanError::Invalid)?;
    let key = record.key.clone();
    if inventory.service(&key).is_some() {
        return Err(PlanError::Exists { key });
    }
    let wanted = DesiredServiceState::of_type(ServiceKind::of(&record));
    let errors = validate(None, &record, &wanted, inventory);
    if !errors.is_empty() {
        return Err(PlanError::Invalid(errors));
    }
    let nothing = ServiceRecord {
        service_type: svcscope_model::inventory::ServiceType::ExternalName,
        ..ServiceRecord::new(key.clone())
    };
    let ChangeEffects {
        gains,
        mut notes,
        losses: _,
    } = change_effects(&nothing, &record, inventory);
    notes.extend(node_port_warnings(None, &record, inventory));
    Ok(ChangePlan {
        title: format!("create Service {key} of type {}", ServiceKind::of(&record)).into(),
        undo_assessment: UndoAssessment {
            sentence: "it can be deleted again".into(),
            losses: Vec::new(),
        },
        service: key,
        before: None,
        projected_service: Some(Arc::new(record)),
        requested_change: RequestedChange::Create(object.clone()),
        final_manifest: None,
        steps: vec![PlanStep {
            action: WriteAction::Create(object),
            sentence: "create it".into(),
        }],
        gains,
        losses: Vec::new(),
        notes,
    })
}

/// Plans the deletion of a Service.
pub fn plan_deletion(
    known: &ServiceSnapshot,
    inventory: &Inventory,
) -> Result<ChangePlan, PlanError> {
    let before = &known.record;
    if before.deleting.is_some() {
        return Err(PlanError::BeingDeleted {
            name: before.key.name.clone(),
        });
    }
    let nothing = ServiceRecord {
        service_type: svcscope_model::inventory::ServiceType::ExternalName,
        ..ServiceRecord::new(before.key.clone())
    };
    let said = change_effects(before, &nothing, inventory);
    let mut losses = vec![SharedStr::from(
        "its DNS name is gone; connections to its addresses fail",
    )];
    losses.extend(said.losses);
    Ok(ChangePlan {
        service: before.key.clone(),
        title: format!("delete Service {}", before.key).into(),
        undo_assessment: undo_assessment::assess_deletion_undo(before),
        before: Some(known.clone()),
        projected_service: None,
        requested_change: RequestedChange::Delete,
        final_manifest: None,
        steps: vec![PlanStep {
            action: WriteAction::Delete,
            sentence: "delete it".into(),
        }],
        gains: Vec::new(),
        losses,
        notes: owners::warnings(before),
    })
}

/// What may be wrong with nodePorts that are asked for and are not held yet.
fn node_port_warnings(
    before: Option<&ServiceRecord>,
    after: &ServiceRecord,
    inventory: &Inventory,
) -> Vec<SharedStr> {
    let held = before.into_iter().flat_map(|before| &before.ports);
    let held: Vec<_> = held.filter_map(|port| port.node_port).collect();
    let asked = after.ports.iter().filter_map(|port| port.node_port);
    let mut asked = asked.filter(|number| !held.contains(number)).peekable();
    if asked.peek().is_none() {
        return Vec::new();
    }
    let others = NodePortAllocations::excluding_service(inventory, &after.key);
    asked.filter_map(|number| others.warning(number)).collect()
}

/// A merge patch that the user wrote, as the request that it is: what a [`DesiredServiceState`] has a word for is
/// planned with like any other request, the rest is sent as it stands.
fn with_merge_patch(
    known: &ServiceSnapshot,
    wanted: DesiredServiceState,
) -> Result<DesiredServiceState, Vec<FieldError>> {
    let Some(other) = &wanted.merge_patch else {
        return Ok(wanted);
    };
    let fixed = manifest::immutable_field_errors(other);
    if !fixed.is_empty() {
        return Err(fixed);
    }
    let mut object = (*known.object).clone();
    super::snapshot::merge(&mut object, other);
    let now = manifest_reader::parse_service(&known.object)?;
    let written = manifest_reader::parse_service(&object)?;
    let other = manifest::patch_beyond_desired_state(other);
    let spoken = DesiredServiceState::between(&now, &written);
    Ok(DesiredServiceState {
        service_type: wanted.service_type.or(spoken.service_type),
        external_name: wanted.external_name.or(spoken.external_name),
        ports: wanted.ports.or(spoken.ports),
        selector: wanted.selector.or(spoken.selector),
        session_affinity: wanted.session_affinity.or(spoken.session_affinity),
        external_traffic_policy: wanted
            .external_traffic_policy
            .or(spoken.external_traffic_policy),
        internal_traffic_policy: wanted
            .internal_traffic_policy
            .or(spoken.internal_traffic_policy),
        source_ranges: wanted.source_ranges.or(spoken.source_ranges),
        load_balancer_class: wanted.load_balancer_class.or(spoken.load_balancer_class),
        allocate_load_balancer_node_ports: wanted
            .allocate_load_balancer_node_ports
            .or(spoken.allocate_load_balancer_node_ports),
        publish_not_ready_addresses: wanted
            .publish_not_ready_addresses
            .or(spoken.publish_not_ready_addresses),
        cluster_ips: wanted.cluster_ips.or(spoken.cluster_ips),
        ip_families: wanted.ip_families.or(spoken.ip_families),
        ip_family_policy: wanted.ip_family_policy.or(spoken.ip_family_policy),
        labels: spoken.labels.into_iter().chain(wanted.labels).collect(),
        annotations: spoken
            .annotations
            .into_iter()
            .chain(wanted.annotations)
            .collect(),
        merge_patch: other,
        migration_path: wanted.migration_path,
        seen_record: wanted.seen_record,
    })
}

fn steps(
    known: &ServiceSnapshot,
    after: &ServiceRecord,
    wanted: &DesiredServiceState,
    via: Option<MigrationPath>,
) -> (Vec<PlanStep>, Option<Value>) {
    let before = &known.record;
    let to = ServiceKind::of(after);
    let Some(via) = via else {
        let patch = patch(before, &known.object, after, wanted);
        let is_empty = patch.as_object().is_none_or(serde_json::Map::is_empty);
        let is_met = wanted.merge_patch.is_some() && unmet_goals(&patch, &known.object).is_empty();
        if is_empty || is_met {
            return (Vec::new(), None);
        }
        let step = PlanStep {
            action: WriteAction::Patch(patch),
            sentence: "change it".into(),
        };
        return (vec![step], None);
    };
    let first = DesiredServiceState::alias_of(PLACEHOLDER_EXTERNAL_NAME);
    let between = projected_service(before, &first);
    let second = second_half(before, wanted, to);
    let away = patch(before, &known.object, &between, &first);
    let back = patch(
        &between,
        &known.object,
        &projected_service(&between, &second),
        &second,
    );
    let fresh = manifest::recreation_manifest(&known.object, after, &away, &back);
    let steps = match via {
        MigrationPath::ExternalName => vec![
            PlanStep {
                action: WriteAction::Patch(away),
                sentence: format!(
                    "change it to ExternalName, an alias of {PLACEHOLDER_EXTERNAL_NAME}, where nothing answers"
                )
                .into(),
            },
            PlanStep {
                action: WriteAction::Patch(back),
                sentence: format!("change it from ExternalName to {to}").into(),
            },
        ],
        MigrationPath::Recreate => vec![
            PlanStep {
                action: WriteAction::Delete,
                sentence: "delete it and wait until it is gone".into(),
            },
            PlanStep {
                action: WriteAction::Create(fresh.clone()),
                sentence: format!("create it again as {to}, with its labels and annotations").into(),
            },
        ],
    };
    (steps, Some(fresh))
}

/// The requested change for the second half of a way: with the address families of before, without which the
/// Service would come back with those that the cluster prefers.
fn second_half(
    before: &ServiceRecord,
    wanted: &DesiredServiceState,
    to: ServiceKind,
) -> DesiredServiceState {
    let mut second = DesiredServiceState {
        service_type: Some(to),
        ..wanted.clone()
    };
    let is_asked = wanted.ip_families.is_some() || wanted.ip_family_policy.is_some();
    if !is_asked && !has_families_by_default(before) && !before.ip_families.is_empty() {
        second.ip_families = Some(before.ip_families.clone());
        second.ip_family_policy.clone_from(&before.ip_family_policy);
    }
    second
}

/// Both ways with their price.
fn migration_options(before: &ServiceRecord) -> Vec<MigrationOption> {
    [MigrationPath::ExternalName, MigrationPath::Recreate]
        .map(|via| MigrationOption {
            path: via,
            costs: migration_costs(before, via),
        })
        .to_vec()
}

fn migration_costs(before: &ServiceRecord, via: MigrationPath) -> Vec<SharedStr> {
    let mut price = Vec::new();
    match via {
        MigrationPath::ExternalName => {
            price.push(format!(
                "between two changes its DNS name is an alias of {PLACEHOLDER_EXTERNAL_NAME}: whoever asks in that \
                 moment is told that there is no such host, and may remember it for some seconds"
            ));
            price.push(
                "should the second change fail, it stays an ExternalName until the next try".into(),
            );
        }
        MigrationPath::Recreate => {
            price.push(
                "it is missing for a moment: its DNS name is gone, connections to it break".into(),
            );
            price.push(format!(
                "it comes back as another object: its uid ({}) changes, and whatever watches or owns \
                 it notices",
                before.uid
            ));
            if !before.load_balancer.is_empty() {
                price.push("its load balancer is deleted".into());
            }
        }
    }
    price.into_iter().map(SharedStr::from).collect()
}

fn title(before: &ServiceRecord, after: &ServiceRecord) -> SharedStr {
    let (was, to) = (ServiceKind::of(before), ServiceKind::of(after));
    if was != to {
        return format!("change Service {} from {was} to {to}", before.key).into();
    }
    let (b, a) = (before, after);
    let changed: Vec<_> = [
        ("externalName", b.external_name != a.external_name),
        ("ports", b.ports != a.ports),
        ("selector", b.selector != a.selector),
        ("labels", b.labels != a.labels),
        ("annotations", b.annotations != a.annotations),
    ]
    .into_iter()
    .filter_map(|(name, is_changed)| is_changed.then_some(name))
    .collect();
    match changed.as_slice() {
        [] => format!("change Service {} ({was})", before.key),
        names => format!("change {} of Service {}", names.join(", "), before.key),
    }
    .into()
}

/// The patch with its precondition.
pub(crate) fn with_resource_version(patch: &Value, resource_version: &str) -> Value {
    let mut patch = patch.clone();
    super::snapshot::ensure_object(&mut patch, &["metadata"])
        .insert("resourceVersion".to_owned(), json!(resource_version));
    patch
}

#[cfg(test)]
mod tests;
