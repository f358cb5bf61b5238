//! Objects of files that the API server would refuse.

use std::collections::BTreeSet;

use serde_json::Value;

use svcscope_model::inventory::ObjectKey;
use svcscope_validation::{FieldError, FieldErrorKind, TakenBy, TakenValues, validate};

/// An object that the API server would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedObject {
    /// `Service`, `Deployment`, …
    pub kind: String,
    /// Namespace and name.
    pub key: ObjectKey,
    /// In which of the texts that were read it is, counted from 0.
    pub text: usize,
    /// What is wrong with it, at least one.
    pub fields: Vec<RefusedField>,
    /// Whether it only lacks what another object of its kind and name has: then it may be a patch of
    /// that one, which nobody applies alone.
    pub may_be_patch: bool,
}

/// A field that would be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedField {
    /// What is wrong.
    pub error: FieldError,
    /// Who has the value already, and in which of the texts.
    pub taken_by: Option<TakenBy<usize>>,
}

impl RefusedField {
    /// Whether something is missing, which a patch need not have.
    fn is_missing(&self) -> bool {
        self.error.kind == FieldErrorKind::Required
            || self.error.message.contains("does not match template")
    }
}

/// Gathers the objects that would be refused.
#[derive(Default)]
pub(super) struct RefusedObjects {
    taken: TakenValues<usize>,
    refused: Vec<RefusedObject>,
    /// Kinds and names of what would be taken.
    accepted: BTreeSet<(String, String)>,
}

impl RefusedObjects {
    /// Looks at an object of one of the texts. Values of another type than their field's are taken out
    /// of it, so that the rest can be read; says whether anything of it is refused.
    pub fn add(&mut self, object: &mut Value, text: usize) -> bool {
        let errors = validate(object);
        // From the last to the first, so that places in lists stay what they are.
        for error in errors.iter().rev() {
            if error.kind == FieldErrorKind::WrongType {
                remove(object, &error.pointer);
            }
        }
        let own = errors.into_iter().map(|error| RefusedField {
            error,
            taken_by: None,
        });
        let taken = self.taken.add(object, &text);
        let taken = taken.into_iter().map(|(error, holder)| RefusedField {
            error,
            taken_by: Some(holder),
        });
        let fields: Vec<_> = own.chain(taken).collect();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = word(&object["kind"]);
        let metadata = &object["metadata"];
        let name = match word(&metadata["name"]) {
            name if name.is_empty() => word(&metadata["generateName"]),
            name => name,
        };
        let is_refused = !fields.is_empty();
        if fields.is_empty() {
            self.accepted.insert((kind, name));
        } else {
            self.refused.push(RefusedObject {
                kind,
                key: ObjectKey::new(word(&metadata["namespace"]), name),
                text,
                fields,
                may_be_patch: false,
            });
        }
        is_refused
    }

    /// What would be refused, in the order of the texts.
    pub fn finish(&self) -> Vec<RefusedObject> {
        let mut refused = self.refused.clone();
        for object in &mut refused {
            let name = (object.kind.clone(), object.key.name.to_string());
            object.may_be_patch =
                object.fields.iter().all(RefusedField::is_missing) && self.accepted.contains(&name);
        }
        refused
    }
}

/// Takes a value out of an object.
fn remove(object: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return;
    };
    match object.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.remove(&last.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Ok(at) = last.parse::<usize>()
                && at < items.len()
            {
                items.remove(at);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::ManifestReader;

    #[test]
    fn a_refused_object_is_told_once_and_the_rest_of_it_is_read() {
        let mut manifests = ManifestReader::new("shop");
        manifests
            .read(
                "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, canary: true}}
    spec: {containers: [{name: web, image: x, ports: [{containerPort: '8080'}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web, version: 1}, ports: [{port: 80}]}
",
            )
            .unwrap();
        let refused = manifests.refused();
        let told: Vec<_> = refused
            .iter()
            .map(|object| {
                (
                    object.kind.as_str(),
                    object.key.to_string(),
                    object.fields.len(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Deployment", "shop/web".to_owned(), 2),
                ("Service", "shop/web".to_owned(), 1)
            ]
        );
        let inventory = manifests.into_inventory();
        assert_eq!(inventory.pods().count(), 1);
        assert_eq!(inventory.services().count(), 1);
    }

    #[test]
    fn the_second_that_takes_a_value_is_told_the_first_and_its_text() {
        let service = |name: &str| {
            format!(
                "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, \
                 spec: {{type: NodePort, ports: [{{port: 80, nodePort: 30080}}]}}}}"
            )
        };
        let mut manifests = ManifestReader::new("shop");
        manifests.read(&service("a")).unwrap();
        manifests.read(&service("b")).unwrap();
        let refused = manifests.refused();
        assert_eq!(refused.len(), 1);
        let holder = refused[0].fields[0].taken_by.as_ref().unwrap();
        assert_eq!((&*holder.service, holder.place), ("shop/a", 0));
        assert_eq!(
            (refused[0].key.to_string(), refused[0].text),
            ("shop/b".to_owned(), 1)
        );
    }

    #[test]
    fn what_only_lacks_what_another_of_its_name_has_may_be_a_patch() {
        let mut manifests = ManifestReader::new("shop");
        let patch =
            "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort}}";
        manifests.read(patch).unwrap();
        assert!(!manifests.refused()[0].may_be_patch);
        let whole =
            "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}";
        manifests.read(whole).unwrap();
        assert!(manifests.refused()[0].may_be_patch);
    }
}
