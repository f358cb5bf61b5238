//! The self-reviews of `authorization.k8s.io` and `authentication.k8s.io`.

use http::{Method, Request};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::cluster::DemoCluster;
use super::json;
use super::request_body;
use super::response::{self as answer, ApiResponse};
use super::status::FailureStatus;

/// Answers the self-reviews of authorization.k8s.io and authentication.k8s.io.
pub(super) async fn review(
    app: &DemoCluster,
    group: &str,
    plural: &str,
    request: Request<Incoming>,
) -> Result<ApiResponse, FailureStatus> {
    if request.method() != Method::POST {
        return Err(FailureStatus::method_not_allowed());
    }
    let content_type = request_body::content_type(&request);
    let body = request_body::read(request).await?;
    let mut review = request_body::decode(&content_type, &body)?;
    let (kind, status) = match plural {
        "selfsubjectaccessreviews" => ("SelfSubjectAccessReview", access_status(app, &review)),
        "selfsubjectrulesreviews" => ("SelfSubjectRulesReview", rules_status(app, &review)),
        "selfsubjectreviews" => (
            "SelfSubjectReview",
            json!({"userInfo": {"username": "demo", "groups": ["system:authenticated"]}}),
        ),
        _ => return Err(FailureStatus::no_such_path()),
    };
    json::set(&mut review, "kind", kind);
    json::set(&mut review, "apiVersion", format!("{group}/v1"));
    json::set_default(&mut review, "metadata", json!({"creationTimestamp": null}));
    json::set(&mut review, "status", status);
    Ok(answer::json(201, &review))
}

fn access_status(app: &DemoCluster, review: &Value) -> Value {
    let text = |field: &str| json::text(review, &format!("spec/resourceAttributes/{field}"));
    if json::at(review, "spec/resourceAttributes").is_none() {
        return json!({"allowed": true});
    }
    let resource = match text("subresource") {
        "" => text("resource").to_owned(),
        subresource => format!("{}/{subresource}", text("resource")),
    };
    let namespace = Some(text("namespace")).filter(|namespace| !namespace.is_empty());
    if app.access.allows(text("verb"), &resource, namespace) {
        json!({"allowed": true, "reason": "RBAC: allowed by ClusterRoleBinding \"demo\" of ClusterRole \"demo\" to User \"demo\""})
    } else {
        json!({"allowed": false})
    }
}

fn rules_status(app: &DemoCluster, review: &Value) -> Value {
    let namespace = Some(json::text(review, "spec/namespace")).filter(|text| !text.is_empty());
    let verbs = [
        "get",
        "list",
        "watch",
        "create",
        "update",
        "patch",
        "delete",
        "deletecollection",
    ];
    let mut rules = Vec::new();
    for resource in &super::resource::RESOURCES {
        let subresources = resource
            .subresources
            .iter()
            .map(|sub| format!("{}/{sub}", resource.plural));
        for name in std::iter::once(resource.plural.to_owned()).chain(subresources) {
            let allowed = verbs
                .iter()
                .filter(|verb| app.access.allows(verb, &name, namespace))
                .collect::<Vec<_>>();
            if !allowed.is_empty() {
                rules.push(
                    json!({"verbs": allowed, "apiGroups": [resource.group], "resources": [name]}),
                );
            }
        }
    }
    json!({
        "resourceRules": rules,
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
        "incomplete": false,
    })
}
