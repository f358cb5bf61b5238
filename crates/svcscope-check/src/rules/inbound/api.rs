//! Services that the API server itself calls.

use super::{
    CheckRule, Finding, INBOUND, MissingService, ObjectRef, RuleContext, RuleFunction, Severity,
    at, documentation_urls, words,
};
use svcscope_model::inventory::{ApiServiceRecord, RelatedRecord, ResourceKind, WebhookRecord};

pub(in crate::rules) static RULES: &[&CheckRule] = &[&NO_SERVICE, &WEBHOOK, &API];

static NO_SERVICE: CheckRule = CheckRule {
    id: "SVC-API-NO-SERVICE",
    title: "The API server is sent to a Service that does not exist",
    about: "A webhook or an APIService names a Service that is not there. What a webhook with \
            failurePolicy Fail is asked about is refused; an API that is not served fails, and \
            deleting any namespace waits for it.",
    url: documentation_urls::WEBHOOKS,
    optional_kinds: CALLERS,
    function: RuleFunction::MissingService(no_service),
    ..INBOUND
};

const CALLERS: &[ResourceKind] = &[
    ResourceKind::ValidatingWebhook,
    ResourceKind::MutatingWebhook,
    ResourceKind::ApiService,
];

fn no_service(absent: &MissingService<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for related in absent.inputs.inventory.related_to_service(absent.key) {
        let (object, what, severity) = match related {
            RelatedRecord::Webhook(webhook) => {
                let hooks = webhook.hooks.iter();
                let fails = hooks.filter(|hook| hook.service == *absent.key && hook.fails);
                let about: Vec<_> = fails.flat_map(|hook| &hook.about).collect();
                if about.is_empty() {
                    (
                        webhook_ref(webhook),
                        "it is left out".to_owned(),
                        Severity::Warning,
                    )
                } else {
                    let blocked = format!("the API server refuses {}", words::list(about));
                    (webhook_ref(webhook), blocked, Severity::Error)
                }
            }
            RelatedRecord::ApiService(api) => (
                api_ref(api),
                "requests for it fail".to_owned(),
                Severity::Error,
            ),
            _ => continue,
        };
        let message = format!(
            "{object} calls Service {}, which does not exist: {what}.",
            absent.key
        );
        let short = format!("no Service {}", absent.key.name);
        found.push(
            at(&NO_SERVICE, object, short, message)
                .with_severity(severity)
                .hint("its installation is incomplete: install it again, or delete what is left"),
        );
    }
    found
}

fn webhook_ref(webhook: &WebhookRecord) -> ObjectRef {
    let kind = if webhook.mutating {
        "MutatingWebhookConfiguration"
    } else {
        "ValidatingWebhookConfiguration"
    };
    ObjectRef::new(kind, webhook.key.clone())
}

fn api_ref(api: &ApiServiceRecord) -> ObjectRef {
    ObjectRef::new("APIService", api.key.clone())
}

static WEBHOOK: CheckRule = CheckRule {
    id: "SVC-WEBHOOK-DOWN",
    title: "An admission webhook has no ready endpoint",
    required_kinds: &[ResourceKind::Service, ResourceKind::EndpointSlice],
    optional_kinds: &[
        ResourceKind::Pod,
        ResourceKind::ValidatingWebhook,
        ResourceKind::MutatingWebhook,
    ],
    about: "The API server asks an admission webhook through this Service before it stores an \
            object. Where nobody answers and failurePolicy is Fail, it refuses every such request; \
            with Ignore the webhook's checks are left out.",
    url: documentation_urls::WEBHOOKS,
    function: RuleFunction::Service(webhook),
    ..INBOUND
};

fn webhook(case: &RuleContext<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let key = &case.service().key;
    for related in case.inventory.related_to_service(&case.traffic.service.key) {
        let RelatedRecord::Webhook(webhook) = related else {
            continue;
        };
        for hook in webhook.hooks.iter().filter(|hook| hook.service == *key) {
            let Some(why) = unreachable_reason(case, hook.port) else {
                continue;
            };
            let object = webhook_ref(webhook);
            let about = if hook.about.is_empty() {
                "requests".to_owned()
            } else {
                words::list(&hook.about)
            };
            let (severity, consequence) = if hook.fails {
                (Severity::Error, format!("the API server refuses {about}"))
            } else {
                (Severity::Warning, format!("{about} go on unchecked"))
            };
            let message = format!("{object} calls this Service, and {why}: {consequence}.");
            let policy = if hook.fails { "Fail" } else { "Ignore" };
            found.push(
                at(
                    &WEBHOOK,
                    object,
                    format!("webhook {}: down", hook.name),
                    message,
                )
                .with_severity(severity)
                .evidence([format!("webhook {}: failurePolicy {policy}", hook.name)]),
            );
        }
    }
    found
}

static API: CheckRule = CheckRule {
    id: "SVC-API-DOWN",
    title: "An aggregated API is not served",
    required_kinds: &[ResourceKind::Service, ResourceKind::EndpointSlice],
    optional_kinds: &[ResourceKind::Pod, ResourceKind::ApiService],
    about: "The API server passes requests for this API on to the Service. While nobody answers \
            there, they fail, and namespaces can't be deleted, because it is unknown whether they \
            hold objects of this API.",
    url: documentation_urls::AGGREGATION,
    function: RuleFunction::Service(api),
    ..INBOUND
};

fn api(case: &RuleContext<'_>) -> Vec<Finding> {
    let leading = case.inventory.related_to_service(&case.traffic.service.key);
    leading
        .filter_map(|related| {
            let RelatedRecord::ApiService(api) = related else {
                return None;
            };
            let said = api
                .available
                .as_ref()
                .filter(|available| available.holds == Some(false));
            let why = match (said, unreachable_reason(case, api.port)) {
                (Some(said), _) => format!("the API server says {}", said.reason),
                (None, Some(why)) => why,
                (None, None) => return None,
            };
            let message = format!(
                "APIService {} is served by this Service, and {why}: requests for it fail.",
                api.key.name
            );
            let finding = at(
                &API,
                api_ref(api),
                format!("{}: down", api.key.name),
                message,
            );
            Some(match said {
                Some(said) if !said.message.is_empty() => {
                    finding.evidence([words::one_line(&said.message)])
                }
                _ => finding,
            })
        })
        .collect()
}

/// Why nobody answers at a port of the Service, where that is so. Pods that are about to start
/// are given time.
fn unreachable_reason(case: &RuleContext<'_>, port: u16) -> Option<String> {
    let ports = &case.traffic.ports;
    let Some(traffic) = ports.iter().find(|traffic| traffic.port.port == port) else {
        return Some(format!("it has no port {port}"));
    };
    if traffic.ready() > 0 || case.candidates().any(|pod| case.is_starting(pod)) {
        return None;
    }
    Some(format!("its port {port} has no ready endpoint"))
}
