//! Labels and selectors: `apimachinery/pkg/apis/meta/v1/validation/validation.go`.

use super::{error::ErrorList, field::Field, formats, placeholder};

/// `ValidateLabels`. What is wrong with a key is said at the map, as the API server does it.
pub(crate) fn check_labels(labels: &Field<'_>, errors: &mut ErrorList) {
    for (key, value) in labels.texts() {
        check_text(labels, key, formats::qualified_name(key), errors);
        check_text(labels, value, formats::label_value(value), errors);
    }
}

/// What is wrong with a text that is no value of its own.
pub(crate) fn check_text(at: &Field<'_>, text: &str, wrong: Vec<String>, errors: &mut ErrorList) {
    if placeholder::is_in_text(text) {
        return;
    }
    for why in wrong {
        errors.invalid_value(at, &format!("{text:?}"), why);
    }
}

/// `ValidateLabelSelector`.
pub(crate) fn check_selector(selector: &Field<'_>, errors: &mut ErrorList) {
    check_labels(&selector.field("matchLabels"), errors);
    for expression in selector.field("matchExpressions").items() {
        let (key, values) = (expression.field("key"), expression.field("values"));
        let operator = expression.field("operator");
        match operator.text() {
            "In" | "NotIn" if values.len() == 0 => {
                let why = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.required(&values, why);
            }
            "In" | "NotIn" => {}
            "Exists" | "DoesNotExist" if values.len() > 0 => {
                let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.forbidden(&values, why);
            }
            "Exists" | "DoesNotExist" => {}
            _ => errors.invalid(&operator, "not a valid selector operator"),
        }
        errors.invalid_each(&key, formats::qualified_name(key.text()));
        for value in values.items() {
            errors.invalid_each(&value, formats::label_value(value.text()));
        }
    }
}

/// Whether a selector finds something that has these labels (`LabelSelectorAsSelector`, `Matches`).
pub(crate) fn selects(selector: &Field<'_>, labels: &Field<'_>) -> bool {
    let has = |key: &str| labels.value.get(key).is_some();
    let value = |key: &str| {
        labels
            .key(key)
            .value
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let equal = |(key, wanted): (&str, &str)| has(key) && value(key) == wanted;
    let match_labels = selector.field("matchLabels");
    let meets = |expression: Field<'_>| {
        let key = expression.field("key").text().to_owned();
        let values = expression.field("values");
        let is_among = values.items().any(|one| one.text() == value(&key));
        match expression.field("operator").text() {
            "In" => has(&key) && is_among,
            "NotIn" => !has(&key) || !is_among,
            "Exists" => has(&key),
            "DoesNotExist" => !has(&key),
            _ => true,
        }
    };
    let expressions = selector.field("matchExpressions");
    match_labels.texts().all(equal) && expressions.items().all(meets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn is_selected(selector: &Value) -> bool {
        let labels = json!({"app": "web", "tier": "back"});
        selects(&Field::root(selector), &Field::root(&labels))
    }

    #[test]
    fn selectors_find_what_they_find_in_a_cluster() {
        let expression = |operator: &str, key: &str, values: Value| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        for selected in [
            json!({}),
            json!({"matchLabels": {"app": "web"}}),
            expression("In", "app", json!(["web", "api"])),
            expression("NotIn", "zone", json!(["a"])),
            expression("Exists", "tier", json!([])),
            expression("DoesNotExist", "zone", Value::Null),
        ] {
            assert!(is_selected(&selected), "{selected}");
        }
        for not in [
            json!({"matchLabels": {"app": "api"}}),
            json!({"matchLabels": {"zone": ""}}),
            expression("In", "zone", json!(["a"])),
            expression("NotIn", "app", json!(["web"])),
            expression("Exists", "zone", json!([])),
            expression("DoesNotExist", "app", json!([])),
        ] {
            assert!(!is_selected(&not), "{not}");
        }
    }
}
