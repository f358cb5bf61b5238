//! From a wish to a plan. No I/O.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Action, FieldError, Known, NodePorts, Plan, Step, UndoOutlook, Via, Wanted, WantedType, Way,
    Wish,
    changed::{changed_since, unmet},
    check::check,
    consequences::{Consequences, consequences},
    expected::{expected, has_families_by_default},
    manifest, outlook, owners,
    patch::patch,
    reader,
};
use crate::inventory::{Inventory, ObjectKey, ServiceRecord, Text};

/// Where a Service points on its way through ExternalName. RFC 6761 keeps `invalid` free for ever,
/// so that nobody is sent to somebody else's host.
pub(crate) const NOWHERE: &str = "svcscope.invalid";

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// It is as wanted already.
    #[error("svc/{name} is that already, with all that was asked for")]
    NothingToDo {
        /// The Service.
        name: Text,
    },
    /// A finalizer holds back a deleted Service.
    #[error("svc/{name} is being deleted")]
    Deleting {
        /// The Service.
        name: Text,
    },
    /// There are two ways, and the person has to choose.
    #[error(
        "svc/{name} can't become {to} from {from} in one step: a Service keeps its clusterIP for as \
         long as its type has one, and the API server refuses another or ignores it. Two ways lead \
         round, each at its price: through ExternalName (--via external-name), or deleted and \
         created anew (--via recreate)"
    )]
    NeedsWay {
        /// The Service.
        name: Text,
        /// What it is.
        from: WantedType,
        /// What it shall be.
        to: WantedType,
        /// The two ways.
        ways: Vec<Way>,
    },
    /// The API server would refuse it.
    #[error("{}", sentence(.0))]
    Invalid(Vec<FieldError>),
    /// Somebody changed what the person wants to change.
    #[error(
        "svc/{name} was changed by somebody since it was looked at ({}); look at it again",
        .fields.join(", ")
    )]
    Changed {
        /// The Service.
        name: Text,
        /// What is otherwise now: `ports`.
        fields: Vec<Text>,
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
    pub fn ways(&self) -> &[Way] {
        match self {
            Self::NeedsWay { ways, .. } => ways,
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
    known: &Known,
    wanted: Wanted,
    inventory: &Inventory,
) -> Result<Plan, PlanError> {
    let before = &known.record;
    let name = before.key.name.clone();
    if before.deleting.is_some() {
        return Err(PlanError::Deleting { name });
    }
    if let Some(seen) = &wanted.seen {
        let fields = changed_since(seen, before, &wanted);
        if !fields.is_empty() {
            return Err(PlanError::Changed { name, fields });
        }
    }
    let wanted = with_other(known, wanted).map_err(PlanError::Invalid)?;
    let was = WantedType::of(before);
    let to = wanted.to.unwrap_or(was);
    let mut after = expected(before, &wanted);
    if was.needs_a_way(to) && has_families_by_default(before) && wanted.ip_families.is_none() {
        after.ip_families.clear();
        after.ip_family_policy.clone_from(&wanted.ip_family_policy);
    }
    let after = after;
    let errors = check(Some(before), &after, &wanted, inventory);
    if !errors.is_empty() {
        return Err(PlanError::Invalid(errors));
    }
    let via = if was.needs_a_way(to) {
        let way = wanted.via.ok_or_else(|| PlanError::NeedsWay {
            name: name.clone(),
            from: was,
            to,
            ways: ways(before),
        })?;
        Some(way)
    } else {
        None
    };
    let (steps, destination) = steps(known, &after, &wanted, via);
    if steps.is_empty() {
        return Err(PlanError::NothingToDo { name });
    }
    let mut said = consequences(before, &after, inventory);
    said.notes
        .extend(node_port_warnings(Some(before), &after, inventory));
    if let Some(via) = via {
        said.losses.extend(price(before, via));
    }
    said.notes.extend(owners::warnings(before));
    Ok(Plan {
        service: before.key.clone(),
        title: title(before, &after),
        undo: outlook::of_change(before, &after, via),
        before: Some(known.clone()),
        expected: Some(Arc::new(after)),
        wish: Wish::Change(Box::new(wanted)),
        steps,
        destination,
        gains: said.gains,
        losses: said.losses,
        notes: said.notes,
    })
}

/// Plans a new Service.
pub fn plan_creation(object: Value, inventory: &Inventory) -> Result<Plan, PlanError> {
    let object = manifest::of_new(&object);
    let record = reader::record(&object).map_err(PlanError::Invalid)?;
    let key = record.key.clone();
    if inventory.service(&key).is_some() {
        return Err(PlanError::Exists { key });
    }
    let wanted = Wanted::to(WantedType::of(&record));
    let errors = check(None, &record, &wanted, inventory);
    if !errors.is_empty() {
        return Err(PlanError::Invalid(errors));
    }
    let nothing = ServiceRecord {
        service_type: crate::inventory::ServiceType::ExternalName,
        ..ServiceRecord::new(key.clone())
    };
    let Consequences {
        gains,
        mut notes,
        losses: _,
    } = consequences(&nothing, &record, inventory);
    notes.extend(node_port_warnings(None, &record, inventory));
    Ok(Plan {
        title: format!("create Service {key} of type {}", WantedType::of(&record)).into(),
        undo: UndoOutlook {
            sentence: "it can be deleted again".into(),
            losses: Vec::new(),
        },
        service: key,
        before: None,
        expected: Some(Arc::new(record)),
        wish: Wish::Create(object.clone()),
        destination: None,
        steps: vec![Step {
            action: Action::Create(object),
            sentence: "create it".into(),
        }],
        gains,
        losses: Vec::new(),
        notes,
    })
}

/// Plans the deletion of a Service.
pub fn plan_deletion(known: &Known, inventory: &Inventory) -> Result<Plan, PlanError> {
    let before = &known.record;
    if before.deleting.is_some() {
        return Err(PlanError::Deleting {
            name: before.key.name.clone(),
        });
    }
    let nothing = ServiceRecord {
        service_type: crate::inventory::ServiceType::ExternalName,
        ..ServiceRecord::new(before.key.clone())
    };
    let said = consequences(before, &nothing, inventory);
    let mut losses = vec![Text::from(
        "its DNS name is gone; connections to its addresses fail",
    )];
    losses.extend(said.losses);
    Ok(Plan {
        service: before.key.clone(),
        title: format!("delete Service {}", before.key).into(),
        undo: outlook::of_deletion(before),
        before: Some(known.clone()),
        expected: None,
        wish: Wish::Delete,
        destination: None,
        steps: vec![Step {
            action: Action::Delete,
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
) -> Vec<Text> {
    let held = before.into_iter().flat_map(|before| &before.ports);
    let held: Vec<_> = held.filter_map(|port| port.node_port).collect();
    let asked = after.ports.iter().filter_map(|port| port.node_port);
    let mut asked = asked.filter(|number| !held.contains(number)).peekable();
    if asked.peek().is_none() {
        return Vec::new();
    }
    let others = NodePorts::beside(inventory, &after.key);
    asked.filter_map(|number| others.warning(number)).collect()
}

/// A merge patch that a person wrote, as the wish that it is: what a [`Wanted`] has a word for is
/// planned with like any other wish, the rest is sent as it stands.
fn with_other(known: &Known, wanted: Wanted) -> Result<Wanted, Vec<FieldError>> {
    let Some(other) = &wanted.other else {
        return Ok(wanted);
    };
    let fixed = manifest::fixed_fields(other);
    if !fixed.is_empty() {
        return Err(fixed);
    }
    let mut object = (*known.object).clone();
    super::known::merge(&mut object, other);
    let now = reader::record(&known.object)?;
    let written = reader::record(&object)?;
    let other = manifest::unspoken(other);
    let spoken = Wanted::between(&now, &written);
    Ok(Wanted {
        to: wanted.to.or(spoken.to),
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
        other,
        via: wanted.via,
        seen: wanted.seen,
    })
}

fn steps(
    known: &Known,
    after: &ServiceRecord,
    wanted: &Wanted,
    via: Option<Via>,
) -> (Vec<Step>, Option<Value>) {
    let before = &known.record;
    let to = WantedType::of(after);
    let Some(via) = via else {
        let patch = patch(before, &known.object, after, wanted);
        let is_empty = patch.as_object().is_none_or(serde_json::Map::is_empty);
        let is_met = wanted.other.is_some() && unmet(&patch, &known.object).is_empty();
        if is_empty || is_met {
            return (Vec::new(), None);
        }
        let step = Step {
            action: Action::Patch(patch),
            sentence: "change it".into(),
        };
        return (vec![step], None);
    };
    let first = Wanted::alias_of(NOWHERE);
    let between = expected(before, &first);
    let second = to_the_end(before, wanted, to);
    let away = patch(before, &known.object, &between, &first);
    let back = patch(
        &between,
        &known.object,
        &expected(&between, &second),
        &second,
    );
    let fresh = manifest::recreated(&known.object, after, &away, &back);
    let steps = match via {
        Via::ExternalName => vec![
            Step {
                action: Action::Patch(away),
                sentence: format!(
                    "change it to ExternalName, an alias of {NOWHERE}, where nothing answers"
                )
                .into(),
            },
            Step {
                action: Action::Patch(back),
                sentence: format!("change it from ExternalName to {to}").into(),
            },
        ],
        Via::Recreate => vec![
            Step {
                action: Action::Delete,
                sentence: "delete it and wait until it is gone".into(),
            },
            Step {
                action: Action::Create(fresh.clone()),
                sentence: format!("create it anew as {to}, with its labels and annotations").into(),
            },
        ],
    };
    (steps, Some(fresh))
}

/// The wish for the second half of a way: with the address families of before, without which the
/// Service would come back with those that the cluster prefers.
fn to_the_end(before: &ServiceRecord, wanted: &Wanted, to: WantedType) -> Wanted {
    let mut second = Wanted {
        to: Some(to),
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
fn ways(before: &ServiceRecord) -> Vec<Way> {
    [Via::ExternalName, Via::Recreate]
        .map(|via| Way {
            via,
            price: price(before, via),
        })
        .to_vec()
}

fn price(before: &ServiceRecord, via: Via) -> Vec<Text> {
    let mut price = Vec::new();
    match via {
        Via::ExternalName => {
            price.push(format!(
                "between two changes its DNS name is an alias of {NOWHERE}: whoever asks in that \
                 moment is told that there is no such host, and may remember it for some seconds"
            ));
            price.push(
                "should the second change fail, it stays an ExternalName until the next try".into(),
            );
        }
        Via::Recreate => {
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
    price.into_iter().map(Text::from).collect()
}

fn title(before: &ServiceRecord, after: &ServiceRecord) -> Text {
    let (was, to) = (WantedType::of(before), WantedType::of(after));
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
pub(crate) fn conditioned(patch: &Value, resource_version: &str) -> Value {
    let mut patch = patch.clone();
    super::known::make_object(&mut patch, &["metadata"])
        .insert("resourceVersion".to_owned(), json!(resource_version));
    patch
}

#[cfg(test)]
mod tests;
