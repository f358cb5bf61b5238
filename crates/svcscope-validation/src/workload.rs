//! Workloads: `pkg/apis/apps/validation/validation.go`, `pkg/apis/batch/validation/validation.go`, and
//! `ValidateReplicationController` of `pkg/apis/core/validation/validation.go`.

use super::{
    error::ErrorList,
    field::Field,
    labels,
    metadata::{self, NameRule},
    pod,
};

const NO_MATCH: &str = "`selector` does not match template `labels`";

pub(crate) fn check(kind: &str, root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Subdomain, errors);
    let spec = root.field("spec");
    match kind {
        "Job" => check_job(&spec, errors),
        "CronJob" => check_cron_job(root, errors),
        "ReplicationController" => check_replication_controller(&spec, errors),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => {
            check_kept_running(kind, &spec, errors);
        }
        _ => {}
    }
}

/// Workloads of the group apps, whose pods run until they are ended.
fn check_kept_running(kind: &str, spec: &Field<'_>, errors: &mut ErrorList) {
    for count in ["replicas", "minReadySeconds", "revisionHistoryLimit"] {
        errors.non_negative(&spec.field(count));
    }
    let (selector, template) = (spec.field("selector"), spec.field("template"));
    check_selector(kind, &selector, &template, errors);
    if kind == "StatefulSet" {
        // What its template says beside labels and annotations is not looked at before there are pods
        // (`ValidatePodTemplateSpecForStatefulSet`).
        pod::check_template_metadata(&template, errors);
    } else {
        pod::check_template(&template, errors);
    }
    check_always_restarted(kind, &template, errors);
    match kind {
        "Deployment" => check_deployment(spec, errors),
        "StatefulSet" => check_stateful_set(spec, errors),
        _ => {}
    }
}

fn check_selector(kind: &str, selector: &Field<'_>, template: &Field<'_>, errors: &mut ErrorList) {
    if !selector.is_set() {
        errors.required(selector, "");
        return;
    }
    labels::check_selector(selector, errors);
    if selector.field("matchLabels").len() + selector.field("matchExpressions").len() == 0 {
        // So it is said of ReplicaSets as well.
        let kind = match kind {
            "ReplicaSet" => "deployment".to_owned(),
            kind => kind.to_lowercase(),
        };
        errors.invalid(selector, format!("empty selector is invalid for {kind}"));
        return;
    }
    check_selects(selector, template, errors);
}

/// The pods that are made must be found again.
fn check_selects(selector: &Field<'_>, template: &Field<'_>, errors: &mut ErrorList) {
    let metadata = template.field("metadata");
    let of_pods = metadata.field("labels");
    if !labels::selects(selector, &of_pods) {
        let value = of_pods.value.to_string();
        let is_filled_in = [selector.value, of_pods.value].map(super::placeholder::is_in);
        if !is_filled_in.contains(&true) {
            errors.invalid_value(&of_pods, &value, NO_MATCH);
        }
    }
}

fn check_always_restarted(kind: &str, template: &Field<'_>, errors: &mut ErrorList) {
    let spec = template.field("spec");
    let policy = spec.field("restartPolicy");
    errors.supported(&policy, policy.text_or("Always"), &["Always"]);
    let deadline = spec.field("activeDeadlineSeconds");
    if deadline.is_set() {
        let kind = if kind == "Deployment" {
            "ReplicaSet"
        } else {
            kind
        };
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.forbidden(&deadline, &why);
    }
}

fn check_deployment(spec: &Field<'_>, errors: &mut ErrorList) {
    let strategy = spec.field("strategy");
    let (kind, rolling) = (strategy.field("type"), strategy.field("rollingUpdate"));
    match kind.text_or("RollingUpdate") {
        "Recreate" if rolling.is_set() => {
            let why = "may not be specified when strategy `type` is 'Recreate'";
            errors.forbidden(&rolling, why);
        }
        other => errors.supported(&kind, other, &["Recreate", "RollingUpdate"]),
    }
    let deadline = spec.field("progressDeadlineSeconds");
    errors.non_negative(&deadline);
    let seconds = if deadline.is_set() {
        deadline.number()
    } else {
        600
    };
    if seconds <= spec.field("minReadySeconds").number() {
        let why = "must be greater than minReadySeconds";
        errors.invalid_value(&deadline, &seconds.to_string(), why);
    }
}

fn check_stateful_set(spec: &Field<'_>, errors: &mut ErrorList) {
    let policy = spec.field("podManagementPolicy");
    if !matches!(policy.text_or("OrderedReady"), "OrderedReady" | "Parallel") {
        errors.invalid(&policy, "must be 'OrderedReady' or 'Parallel'");
    }
    let strategy = spec.field("updateStrategy");
    let rolling = strategy.field("rollingUpdate");
    match strategy.field("type").text_or("RollingUpdate") {
        "RollingUpdate" => errors.non_negative(&rolling.field("partition")),
        "OnDelete" if rolling.is_set() => {
            errors.invalid(&rolling, "only allowed for updateStrategy 'RollingUpdate'");
        }
        "OnDelete" => {}
        _ => errors.invalid(&strategy, "must be 'RollingUpdate' or 'OnDelete'"),
    }
}

/// Its selector is that of the template where it has none.
fn check_replication_controller(spec: &Field<'_>, errors: &mut ErrorList) {
    for count in ["replicas", "minReadySeconds"] {
        errors.non_negative(&spec.field(count));
    }
    let (selector, template) = (spec.field("selector"), spec.field("template"));
    if !template.is_set() {
        errors.required(&template, "");
        return;
    }
    let metadata = template.field("metadata");
    let of_pods = metadata.field("labels");
    if selector.len() == 0 && of_pods.len() == 0 {
        errors.required(&selector, "");
    }
    let is_found = |(key, value): (&str, &str)| of_pods.value[key].as_str() == Some(value);
    if !selector.texts().all(is_found) {
        errors.invalid_value(&of_pods, &of_pods.value.to_string(), NO_MATCH);
    }
    pod::check_template(&template, errors);
    check_always_restarted("ReplicationController", &template, errors);
}

/// `ValidateJobSpec`. The API server makes the selector.
fn check_job(spec: &Field<'_>, errors: &mut ErrorList) {
    for count in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ] {
        errors.non_negative(&spec.field(count));
    }
    let template = spec.field("template");
    pod::check_template(&template, errors);
    let of_pod = template.field("spec");
    let policy = of_pod.field("restartPolicy");
    if policy.text_or("Always") == "Always" {
        errors.required(&policy, "valid values: \"OnFailure\", \"Never\"");
    }
    if *spec.field("manualSelector").value == true {
        check_selects(&spec.field("selector"), &template, errors);
    }
}

fn check_cron_job(root: &Field<'_>, errors: &mut ErrorList) {
    let metadata = root.field("metadata");
    let name = metadata.field("name");
    if name.text().len() > 52 {
        errors.invalid(&name, "must be no more than 52 characters");
    }
    let spec = root.field("spec");
    let schedule = spec.field("schedule");
    if schedule.text().is_empty() {
        errors.required(&schedule, "");
    }
    let policy = spec.field("concurrencyPolicy");
    errors.supported(
        &policy,
        policy.text_or("Allow"),
        &["Allow", "Forbid", "Replace"],
    );
    for count in [
        "startingDeadlineSeconds",
        "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit",
    ] {
        errors.non_negative(&spec.field(count));
    }
    let job = spec.field("jobTemplate");
    check_job(&job.field("spec"), errors);
}
