//! Which district a family stands in.

use super::{ComponentLayout, ServiceGrouping};
use crate::inventory::{ServiceRecord, SharedStr};

/// Labels that say which application a Service is part of, the most telling first.
const APP_LABELS: [&str; 2] = ["app.kubernetes.io/part-of", "app.kubernetes.io/instance"];

/// The district of Services that say no application. No label value has a space.
const NO_APP: &str = "No app label";

/// The one district where nothing is grouped.
const ALL: &str = "All Services";

/// The district of a family: that of its first Service.
pub(super) fn of(family: &ComponentLayout, grouping: ServiceGrouping) -> SharedStr {
    match family.sources.first() {
        Some(traffic) => of_service(&traffic.service, grouping),
        None => SharedStr::from(ALL),
    }
}

/// The district of a Service that is the first of its family.
pub(super) fn of_service(service: &ServiceRecord, grouping: ServiceGrouping) -> SharedStr {
    match grouping {
        ServiceGrouping::Namespace => service.key.namespace.clone(),
        ServiceGrouping::App => app(service)
            .cloned()
            .unwrap_or_else(|| SharedStr::from(NO_APP)),
        ServiceGrouping::None => SharedStr::from(ALL),
    }
}

fn app(service: &ServiceRecord) -> Option<&SharedStr> {
    APP_LABELS
        .iter()
        .filter_map(|label| service.labels.get(*label))
        .find(|value| !value.is_empty())
}
