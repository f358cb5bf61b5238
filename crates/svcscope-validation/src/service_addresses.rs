//! The addresses and families of a Service: `ValidateServiceClusterIPsRelatedFields` of
//! `pkg/apis/core/validation/validation.go`, after `normalizeClusterIPs` and with
//! `initIPFamilyFields` of `pkg/registry/core/service/storage`.

use std::{collections::BTreeSet, net::IpAddr};

use super::{addresses, error::ErrorList, field::Field};

const POLICIES: &[&str] = &["PreferDualStack", "RequireDualStack", "SingleStack"];

/// Of a Service that is no ExternalName.
pub(crate) fn check(spec: &Field<'_>, errors: &mut ErrorList) {
    let (one, list) = (spec.field("clusterIP"), spec.field("clusterIPs"));
    if list.len() > 0 {
        check_same(&one, &list, errors);
    }
    check_families(spec, errors);
    let kind = spec.field("type");
    let first = list.items().next().unwrap_or(one);
    if first.text() == "None" && matches!(kind.text(), "LoadBalancer" | "NodePort") {
        let why = format!("may not be set to 'None' for {} services", kind.text());
        errors.invalid(&first, why);
    }
    if list.len() == 0 {
        if !matches!(one.text(), "" | "None") && addresses::check_ip(&one, errors) {
            check_family_of(&one, 0, spec, errors);
        }
        return;
    }
    let mut families = BTreeSet::new();
    let mut are_valid = true;
    for (at, address) in list.items().enumerate() {
        if at == 0 && address.text() == "None" {
            if list.len() > 1 {
                errors.invalid(&list, "'None' must be the first and only value");
                are_valid = false;
            }
        } else {
            are_valid &= addresses::check_ip(&address, errors);
        }
    }
    if list.len() > 2 {
        errors.invalid(&list, "may only hold up to 2 values");
    }
    if !are_valid {
        return;
    }
    for (at, address) in list.items().enumerate() {
        families.insert(addresses::parse(address.text()).map(|ip| ip.is_ipv4()));
        check_family_of(&address, at, spec, errors);
    }
    if families.len() < list.len() {
        errors.invalid(&list, "may specify no more than one IP for each IP family");
    }
}

/// `clusterIP` is the first of `clusterIPs`.
fn check_same(one: &Field<'_>, list: &Field<'_>, errors: &mut ErrorList) {
    let first = list.items().next().map(|first| first.text().to_owned());
    if one.text().is_empty() {
        errors.invalid(list, "must be empty when `clusterIP` is not specified");
    } else if first.as_deref() != Some(one.text()) {
        errors.invalid(list, "first value must match `clusterIP`");
    }
}

fn check_families(spec: &Field<'_>, errors: &mut ErrorList) {
    let families = spec.field("ipFamilies");
    let mut seen = BTreeSet::new();
    for family in families.items() {
        errors.supported(&family, family.text(), &["IPv4", "IPv6"]);
        if !seen.insert(family.text().to_owned()) {
            errors.duplicate(&family, &format!("{:?}", family.text()));
        }
    }
    let policy = spec.field("ipFamilyPolicy");
    if policy.is_set() {
        errors.supported(&policy, policy.text(), POLICIES);
    }
    let several = ["clusterIPs", "ipFamilies"];
    let several = several.into_iter().find(|name| spec.field(name).len() == 2);
    if let Some(name) = several.filter(|_| policy.text() == "SingleStack") {
        let why = format!(
            "must be RequireDualStack or PreferDualStack when multiple '{name}' are specified"
        );
        errors.invalid(&policy, why);
    }
}

/// An address is of the family at the same place.
fn check_family_of(address: &Field<'_>, at: usize, spec: &Field<'_>, errors: &mut ErrorList) {
    let families = spec.field("ipFamilies");
    let wanted = families
        .items()
        .nth(at)
        .map(|family| family.text().to_owned());
    let is_wrong = matches!(
        (wanted.as_deref(), addresses::parse(address.text())),
        (Some("IPv4"), Some(IpAddr::V6(_))) | (Some("IPv6"), Some(IpAddr::V4(_)))
    );
    if let Some(wanted) = wanted.filter(|_| is_wrong) {
        let why = format!("expected an {wanted} value as indicated by `ipFamilies[{at}]`");
        errors.invalid(address, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(spec: &Value) -> Vec<String> {
        let mut errors = ErrorList::default();
        let object = json!({ "spec": spec });
        let root = Field::root(&object);
        check(&root.field("spec"), &mut errors);
        errors.into_told().into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn addresses_and_families_fit_each_other() {
        for (spec, path) in [
            (json!({"clusterIP": "10.0.0"}), "spec.clusterIP"),
            (json!({"clusterIP": "none"}), "spec.clusterIP"),
            (json!({"clusterIPs": ["10.0.0.1"]}), "spec.clusterIPs"),
            (
                json!({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2"]}),
                "spec.clusterIPs",
            ),
            (
                json!({"clusterIP": "None", "clusterIPs": ["None", "None"]}),
                "spec.clusterIPs",
            ),
            (
                json!({"clusterIP": "None", "type": "NodePort"}),
                "spec.clusterIP",
            ),
            (
                json!({"clusterIP": "10.0.0.1", "ipFamilies": ["IPv6"]}),
                "spec.clusterIP",
            ),
            (
                json!({"ipFamilies": ["IPv4", "IPv4"]}),
                "spec.ipFamilies[1]",
            ),
            (json!({"ipFamilies": ["ipv4"]}), "spec.ipFamilies[0]"),
            (
                json!({"ipFamilyPolicy": "DualStack"}),
                "spec.ipFamilyPolicy",
            ),
            (
                json!({"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4", "IPv6"]}),
                "spec.ipFamilyPolicy",
            ),
            (
                json!({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "10.0.0.2"]}),
                "spec.clusterIPs",
            ),
        ] {
            assert!(
                told(&spec).contains(&path.to_owned()),
                "{spec}: {:?}",
                told(&spec)
            );
        }
        for spec in [
            json!({}),
            json!({"clusterIP": ""}),
            json!({"clusterIP": "None", "ipFamilies": ["IPv6"]}),
            json!({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"]}),
        ] {
            assert!(told(&spec).is_empty(), "{spec}: {:?}", told(&spec));
        }
    }
}
