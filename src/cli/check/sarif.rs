//! What the checks say as SARIF 2.1.0, for code scanning.

use serde_json::{Value, json};

use super::results::CheckResults;
use svcscope_check::{self as check, CheckRule};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run with all rules and what they found.
pub(super) fn write(told: &CheckResults) -> serde_json::Result<String> {
    let rules: Vec<_> = check::rules().collect();
    let results: Vec<_> = told
        .findings()
        .map(|row| {
            let (name, found) = (&row.subject, row.finding);
            let mut location = json!({
                "logicalLocations": [{
                    "fullyQualifiedName": format!("{name} {}", found.location),
                    "name": name.rsplit('/').next(),
                    "kind": "resource",
                }],
            });
            if let Some(file) = row.file {
                location["physicalLocation"] = json!({ "artifactLocation": { "uri": file } });
            }
            let hint = found.hint.as_deref();
            let text = match hint {
                Some(hint) => format!("{name}: {} ({hint})", found.message),
                None => format!("{name}: {}", found.message),
            };
            json!({
                "ruleId": found.id,
                "ruleIndex": rules.iter().position(|rule| rule.id == found.id),
                // SARIF has the same three words.
                "level": found.severity.word(),
                "message": { "text": text },
                "locations": [location],
                "partialFingerprints": {
                    "svcscope/v1": format!("{}|{name}|{}", found.id, found.location),
                },
            })
        })
        .collect();
    let run = json!({
        "tool": { "driver": {
            "name": "svcscope",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.iter().map(|rule| rule_json(rule)).collect::<Vec<_>>(),
        }},
        "results": results,
    });
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn rule_json(rule: &CheckRule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.about },
        "helpUri": rule.url,
        "defaultConfiguration": { "level": rule.severity.word() },
    })
}
