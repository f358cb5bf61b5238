//! `cases.yaml`: what is refused and what is taken.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    refused: Vec<String>,
    #[serde(default)]
    unless: bool,
    object: Value,
}

#[test]
fn each_is_refused_at_its_fields_or_taken() {
    let cases: Vec<Case> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    assert!(cases.len() > 200);
    let mut wrong = Vec::new();
    for case in cases {
        let told = super::validate(&case.object);
        let mut paths: Vec<_> = told.iter().map(|error| error.path.clone()).collect();
        paths.dedup();
        let depends = told.iter().any(|error| error.unless.is_some());
        if paths != case.refused || depends != case.unless {
            let said: Vec<_> = told.iter().map(ToString::to_string).collect();
            wrong.push(format!("{}: {said:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
