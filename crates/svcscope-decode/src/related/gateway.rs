//! `gateway.networking.k8s.io`: Gateway, GatewayClass, BackendTLSPolicy, ReferenceGrant.

use super::label_selector::PartialLabelSelector;
use crate::{
    condition::{PartialCondition, conditions},
    meta::PartialObject,
    partial::partial,
    reference::PartialObjectReference,
    resource::watched_resource,
    text::{JsonText, TextInterner, port_number},
};
use svcscope_model::inventory::{
    AllowedRoutes, BackendTlsPolicyRecord, BackendTlsTarget, GatewayClassRecord, GatewayListener,
    GatewayRecord, ObjectKey, ReferenceGrantFrom, ReferenceGrantRecord, ReferenceGrantTo,
    RelatedRecord, SharedStr,
};

watched_resource! {
    /// Gateways.
    GatewayResource: Gateway = "/apis/gateway.networking.k8s.io/v1" "Gateway",
    PartialGateway<'json> => RelatedRecord by gateway,
}

watched_resource! {
    /// GatewayClasses.
    GatewayClassResource: GatewayClass = "/apis/gateway.networking.k8s.io/v1" "GatewayClass",
    PartialGatewayClass<'json> => RelatedRecord by gateway_class,
}

watched_resource! {
    /// BackendTLSPolicies.
    BackendTlsPolicyResource: BackendTlsPolicy =
        "/apis/gateway.networking.k8s.io/v1" "BackendTLSPolicy",
    PartialBackendTlsPolicy<'json> => RelatedRecord by backend_tls_policy,
    const OLDER_APIS: &'static [&'static str] = &["/apis/gateway.networking.k8s.io/v1alpha3"];
}

watched_resource! {
    /// ReferenceGrants.
    ReferenceGrantResource: ReferenceGrant = "/apis/gateway.networking.k8s.io/v1" "ReferenceGrant",
    PartialReferenceGrant<'json> => RelatedRecord by reference_grant,
    const OLDER_APIS: &'static [&'static str] = &["/apis/gateway.networking.k8s.io/v1beta1"];
}

type PartialGateway<'json> =
    PartialObject<'json, PartialGatewaySpec<'json>, PartialGatewayStatus<'json>>;
type PartialGatewayClass<'json> =
    PartialObject<'json, PartialGatewayClassSpec<'json>, PartialGatewayClassStatus<'json>>;
type PartialBackendTlsPolicy<'json> = PartialObject<'json, PartialBackendTlsPolicySpec<'json>>;
type PartialReferenceGrant<'json> = PartialObject<'json, PartialReferenceGrantSpec<'json>>;

partial! {
    pub struct PartialGatewaySpec<'json> {
        gateway_class_name: JsonText<'json>,
        listeners: Vec<PartialListener<'json>>,
    }

    struct PartialListener<'json> {
        name: JsonText<'json>,
        hostname: JsonText<'json>,
        port: Option<i64>,
        protocol: JsonText<'json>,
        allowed_routes: PartialAllowedRoutes<'json>,
    }

    struct PartialAllowedRoutes<'json> {
        namespaces: PartialRouteNamespaces<'json>,
    }

    struct PartialRouteNamespaces<'json> {
        from: JsonText<'json>,
        selector: PartialLabelSelector<'json>,
    }

    pub struct PartialGatewayStatus<'json> {
        addresses: Vec<PartialGatewayAddress<'json>>,
        conditions: Vec<PartialCondition<'json>>,
        listeners: Vec<PartialListenerStatus<'json>>,
    }

    struct PartialGatewayAddress<'json> {
        value: JsonText<'json>,
    }

    struct PartialListenerStatus<'json> {
        name: JsonText<'json>,
        conditions: Vec<PartialCondition<'json>>,
    }

    pub struct PartialGatewayClassSpec<'json> {
        controller_name: JsonText<'json>,
    }

    pub struct PartialGatewayClassStatus<'json> {
        conditions: Vec<PartialCondition<'json>>,
    }

    pub struct PartialBackendTlsPolicySpec<'json> {
        target_refs: Vec<PartialObjectReference<'json>>,
        validation: PartialBackendTlsValidation<'json>,
    }

    struct PartialBackendTlsValidation<'json> {
        hostname: JsonText<'json>,
    }

    pub struct PartialReferenceGrantSpec<'json> {
        from: Vec<PartialObjectReference<'json>>,
        to: Vec<PartialObjectReference<'json>>,
    }
}

fn gateway(object: &PartialGateway<'_>, texts: &mut TextInterner) -> Option<GatewayRecord> {
    let PartialGateway {
        metadata,
        spec,
        status,
    } = object;
    Some(GatewayRecord {
        key: metadata.key(texts),
        created: metadata.created(),
        class: spec.gateway_class_name.to_shared(),
        listeners: spec
            .listeners
            .iter()
            .map(|found| listener(found, status, texts))
            .collect(),
        addresses: status
            .addresses
            .iter()
            .filter_map(|address| address.value.to_non_empty())
            .collect(),
        conditions: conditions(&status.conditions, texts),
    })
}

fn listener(
    listener: &PartialListener<'_>,
    status: &PartialGatewayStatus<'_>,
    texts: &mut TextInterner,
) -> GatewayListener {
    let mut statuses = status.listeners.iter();
    let own_status = statuses.find(|status| status.name == listener.name);
    let allowed = &listener.allowed_routes.namespaces;
    GatewayListener {
        name: listener.name.to_shared(),
        hostname: listener.hostname.to_shared(),
        port: port_number(listener.port).unwrap_or_default(),
        protocol: texts.intern(listener.protocol.as_str()),
        allowed: match allowed.from.as_str() {
            "All" => AllowedRoutes::All,
            "None" => AllowedRoutes::None,
            "Selector" => AllowedRoutes::Selector(allowed.selector.record(texts)),
            _ => AllowedRoutes::Same,
        },
        conditions: own_status
            .map(|status| conditions(&status.conditions, texts))
            .unwrap_or_default(),
    }
}

fn gateway_class(
    object: &PartialGatewayClass<'_>,
    texts: &mut TextInterner,
) -> Option<GatewayClassRecord> {
    Some(GatewayClassRecord {
        key: object.metadata.key(texts),
        controller: object.spec.controller_name.to_shared(),
        conditions: conditions(&object.status.conditions, texts),
    })
}

fn backend_tls_policy(
    object: &PartialBackendTlsPolicy<'_>,
    texts: &mut TextInterner,
) -> Option<BackendTlsPolicyRecord> {
    let key = object.metadata.key(texts);
    let services = object.spec.target_refs.iter();
    let mut target = |found: &PartialObjectReference<'_>| {
        let name = texts.intern_non_empty(&found.name)?;
        Some(BackendTlsTarget {
            service: ObjectKey::new(key.namespace.clone(), name),
            port: found.section_name.to_non_empty(),
        })
    };
    Some(BackendTlsPolicyRecord {
        created: object.metadata.created(),
        targets: services
            .filter(|found| found.is_service())
            .filter_map(&mut target)
            .collect(),
        hostname: object.spec.validation.hostname.to_shared(),
        key,
    })
}

fn reference_grant(
    object: &PartialReferenceGrant<'_>,
    texts: &mut TextInterner,
) -> Option<ReferenceGrantRecord> {
    let text = |found: &Option<JsonText<'_>>| -> SharedStr {
        found.as_ref().map(JsonText::to_shared).unwrap_or_default()
    };
    let from = object.spec.from.iter().map(|from| ReferenceGrantFrom {
        group: text(&from.group),
        kind: text(&from.kind),
        namespace: from.namespace.to_shared(),
    });
    let to = object.spec.to.iter().map(|to| ReferenceGrantTo {
        group: text(&to.group),
        kind: text(&to.kind),
        name: to.name.to_non_empty(),
    });
    Some(ReferenceGrantRecord {
        key: object.metadata.key(texts),
        from: from.collect(),
        to: to.collect(),
    })
}
