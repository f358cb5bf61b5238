//! `Status`: how the API server says no, in its own words.

use serde_json::{Value, json};

use super::resource::ServedResource;

/// A refusal as `meta/v1.Status`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FailureStatus {
    pub(super) code: u16,
    reason: &'static str,
    message: String,
    /// Boxed, so that a `Result` stays small.
    details: Option<Box<Value>>,
    /// Seconds for the `Retry-After` header.
    pub(super) retry_after: Option<u64>,
}

/// One field that is wrong: the parts of apimachinery's `field.Error`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldViolation {
    reason: &'static str,
    field: String,
    message: String,
}

impl FieldViolation {
    pub(super) fn invalid(field: &str, value: &Value, detail: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            field: field.to_owned(),
            message: format!("Invalid value: {value}: {detail}"),
        }
    }

    pub(super) fn required(field: &str, detail: &str) -> Self {
        let message = match detail {
            "" => "Required value".to_owned(),
            detail => format!("Required value: {detail}"),
        };
        Self {
            reason: "FieldValueRequired",
            field: field.to_owned(),
            message,
        }
    }

    pub(super) fn duplicate(field: &str, value: &Value) -> Self {
        Self {
            reason: "FieldValueDuplicate",
            field: field.to_owned(),
            message: format!("Duplicate value: {value}"),
        }
    }

    pub(super) fn forbidden(field: &str, detail: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            field: field.to_owned(),
            message: format!("Forbidden: {detail}"),
        }
    }

    pub(super) fn unsupported(field: &str, value: &str, supported: &[&str]) -> Self {
        let supported = supported
            .iter()
            .map(|value| format!("{value:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        Self {
            reason: "FieldValueNotSupported",
            field: field.to_owned(),
            message: format!("Unsupported value: {value:?}: supported values: {supported}"),
        }
    }

    fn to_value(&self) -> Value {
        json!({"reason": self.reason, "message": self.message, "field": self.field})
    }
}

impl FailureStatus {
    /// Any other refusal.
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            retry_after: None,
        }
    }

    /// The refusal that fault injection sends for a bare code.
    pub(super) fn from_code(code: u16) -> Self {
        match code {
            401 => Self::unauthorized(),
            403 => Self::new(
                403,
                "Forbidden",
                "forbidden: fault injection of the demo cluster refused this request",
            ),
            404 => Self::no_such_path(),
            409 => Self::new(
                409,
                "Conflict",
                "the object has been modified; please apply your changes to the latest version and try again",
            ),
            410 => Self::expired("The resourceVersion for the provided list is too old."),
            429 => Self {
                retry_after: Some(1),
                details: Some(Box::new(json!({"retryAfterSeconds": 1}))),
                ..Self::new(
                    429,
                    "TooManyRequests",
                    "Too many requests, please try again later.",
                )
            },
            503 => Self::new(
                503,
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            504 => Self::new(
                504,
                "Timeout",
                "request did not complete within the allotted timeout",
            ),
            code => Self::new(
                code,
                "InternalError",
                "an error on the server (\"injected fault\") has prevented the request from succeeding",
            ),
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
    }

    pub(super) fn not_found(resource: &ServedResource, name: &str) -> Self {
        let message = format!("{} {name:?} not found", resource.qualified());
        Self {
            details: Some(Box::new(details(resource.group, resource.plural, name))),
            ..Self::new(404, "NotFound", message)
        }
    }

    pub(super) fn already_exists(resource: &ServedResource, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", resource.qualified());
        Self {
            details: Some(Box::new(details(resource.group, resource.plural, name))),
            ..Self::new(409, "AlreadyExists", message)
        }
    }

    pub(super) fn conflict(resource: &ServedResource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            resource.qualified()
        );
        Self {
            details: Some(Box::new(details(resource.group, resource.plural, name))),
            ..Self::new(409, "Conflict", message)
        }
    }

    /// The writer's `resourceVersion` is not the stored one.
    pub(super) fn modified(resource: &ServedResource, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// Server-side apply met fields that another manager owns.
    pub(super) fn field_conflict(
        resource: &ServedResource,
        name: &str,
        owned: &[(String, String)],
    ) -> Self {
        let causes = owned
            .iter()
            .map(|(manager, field)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager:?}"), "field": field})
            })
            .collect::<Vec<_>>();
        let said = owned
            .iter()
            .map(|(manager, field)| format!("conflict with {manager:?}: {field}"))
            .collect::<Vec<_>>()
            .join(", ");
        let plural = if owned.len() == 1 {
            "conflict"
        } else {
            "conflicts"
        };
        let mut details = details(resource.group, resource.plural, name);
        super::json::set(&mut details, "causes", causes);
        Self {
            details: Some(Box::new(details)),
            ..Self::new(
                409,
                "Conflict",
                format!("Apply failed with {} {plural}: {said}", owned.len()),
            )
        }
    }

    pub(super) fn invalid(
        resource: &ServedResource,
        name: &str,
        causes: &[FieldViolation],
    ) -> Self {
        let mut said = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect::<Vec<_>>();
        said.dedup();
        let said = match said.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let causes = causes
            .iter()
            .map(FieldViolation::to_value)
            .collect::<Vec<_>>();
        let mut details = details(resource.group, resource.name, name);
        super::json::set(&mut details, "causes", causes);
        Self {
            details: Some(Box::new(details)),
            ..Self::new(
                422,
                "Invalid",
                format!("{} {name:?} is invalid: {said}", resource.name),
            )
        }
    }

    /// `sendInitialEvents` on a server without the WatchList feature gate.
    pub(super) fn no_watch_list() -> Self {
        let cause = FieldViolation::forbidden(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        );
        Self {
            details: Some(Box::new(
                json!({"group": "meta.k8s.io", "kind": "ListOptions", "causes": [cause.to_value()]}),
            )),
            ..Self::new(
                422,
                "Invalid",
                format!(
                    "ListOptions.meta.k8s.io \"\" is invalid: {}: {}",
                    cause.field, cause.message
                ),
            )
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(super) fn unsupported_media(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailable", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
    }

    /// What RBAC says when a verb is not allowed.
    pub(super) fn forbidden(
        verb: &str,
        resource: &str,
        group: &str,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Self {
        let place = match namespace {
            Some(namespace) => format!("in the namespace {namespace:?}"),
            None => "at the cluster scope".to_owned(),
        };
        let qualified = if group.is_empty() {
            resource.to_owned()
        } else {
            format!("{resource}.{group}")
        };
        let what = match name {
            Some(name) => format!("{qualified} {name:?} is forbidden"),
            None => format!("{qualified} is forbidden"),
        };
        Self {
            details: Some(Box::new(details(group, resource, name.unwrap_or_default()))),
            ..Self::new(
                403,
                "Forbidden",
                format!(
                    "{what}: User \"demo\" cannot {verb} resource {resource:?} in API group {group:?} {place}"
                ),
            )
        }
    }

    /// The `Status` object as it goes over the wire.
    pub(super) fn to_value(&self) -> Value {
        let mut value = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        });
        if let Some(details) = &self.details {
            super::json::set(&mut value, "details", Value::clone(details));
        }
        super::json::set(&mut value, "code", self.code);
        value
    }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut details = json!({});
    for (key, text) in [("name", name), ("group", group), ("kind", kind)] {
        if !text.is_empty() {
            super::json::set(&mut details, key, text);
        }
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ServedKind;

    #[test]
    fn one_cause_is_told_bare_and_several_in_brackets() {
        let service = ServedKind::Service.resource();
        let range =
            FieldViolation::invalid("spec.ports[0].nodePort", &json!(29999), "out of range");
        let ports = FieldViolation::required("spec.ports", "");
        let one = FailureStatus::invalid(service, "web", std::slice::from_ref(&range)).to_value();
        assert_eq!(
            one["message"],
            "Service \"web\" is invalid: spec.ports[0].nodePort: Invalid value: 29999: out of range"
        );
        assert_eq!(
            one["details"]["causes"][0]["field"],
            "spec.ports[0].nodePort"
        );
        let two = FailureStatus::invalid(service, "web", &[range, ports]).to_value();
        assert_eq!(
            two["message"],
            "Service \"web\" is invalid: [spec.ports[0].nodePort: Invalid value: 29999: out of range, spec.ports: Required value]"
        );
    }

    #[test]
    fn rbac_refusals_read_like_the_real_ones() {
        let status = FailureStatus::forbidden("list", "pods", "", None, None).to_value();
        assert_eq!(
            status["message"],
            "pods is forbidden: User \"demo\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
        );
    }
}
