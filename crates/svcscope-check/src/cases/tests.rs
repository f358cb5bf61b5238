//! Cases as data: the objects of a cluster in, what the checks say out.
//!
//! Each file of this folder is named after a rule, or after the trap it is about. A case begins
//! with a document that has the field `case`; the documents behind it are objects, as
//! `kubectl get -o yaml` gives them. An object of the same kind and name as one of the base is
//! merged into it (a JSON merge patch: lists are replaced, null removes).
//!
//! All that is said must be expected. To write down what is said now, look at the difference and
//! keep it: `SVCSCOPE_CASES=write cargo test --lib check::cases`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{
    CheckRule, PathEvidence, PathTestReport, RuleGroup, RuleSuppressions, ServiceChecks,
    path_fingerprint, rules,
};
use svcscope_decode::ManifestReader;
use svcscope_model::{
    inventory::{
        ChangedRecord, Inventory, InventoryChange, ObjectKey, ResourceKind, SharedStr, SyncState,
        WatchScope,
    },
    topology::Topology,
};

/// The moment at which the cases are judged.
const NOW: &str = "2026-01-01T12:00:00Z";

/// The head of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// What it shows.
    case: String,
    /// The file of objects that it starts from: `web` is `_web.yaml`.
    #[serde(default)]
    base: Option<String>,
    /// Objects of the base that are not there: `Pod/web-2`.
    #[serde(default)]
    gone: Vec<String>,
    /// Kinds that are not live: `{pods: forbidden}`.
    #[serde(default)]
    sync: BTreeMap<String, String>,
    /// Pods that turned ready and not ready so often, ten seconds after each other, until now.
    #[serde(default)]
    flaps: BTreeMap<String, u32>,
    /// Services of which a test of paths found that they are `broken`, or `affected`.
    #[serde(default)]
    tested: BTreeMap<String, String>,
    #[serde(default)]
    expect: Vec<Expected>,
    #[serde(default)]
    verdicts: BTreeMap<String, String>,
}

/// A finding.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
struct Expected {
    service: String,
    id: String,
    severity: String,
    at: String,
    message: String,
    #[serde(default)]
    hint: Option<String>,
}

struct Case {
    head: Head,
    objects: Vec<Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases")
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .filter(|path| !stem(path).starts_with('_'))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("YAML")
}

fn base(name: &str) -> Vec<Value> {
    let path = folder().join(format!("_{name}.yaml"));
    documents(&fs::read_to_string(path).expect("the base"))
}

fn cases(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).expect("a file of cases");
    let mut cases: Vec<Case> = Vec::new();
    for document in documents(&text) {
        if document.get("case").is_some() {
            let head: Head = serde_json::from_value(document)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let objects = head.base.as_deref().map(base).unwrap_or_default();
            cases.push(Case { head, objects });
            continue;
        }
        let case = cases.last_mut().expect("a case before its objects");
        let name = name_of(&document);
        match case.objects.iter_mut().find(|held| name_of(held) == name) {
            Some(held) => merge(held, document),
            None => case.objects.push(document),
        }
    }
    for case in &mut cases {
        for gone in &case.head.gone {
            let before = case.objects.len();
            case.objects.retain(|object| name_of(object) != *gone);
            assert!(case.objects.len() < before, "{gone} is not there");
        }
    }
    cases
}

/// `Pod/web-1`; what is in another namespace than `shop` has that in front.
fn name_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, metadata) = (text(&object["kind"]), &object["metadata"]);
    let name = text(&metadata["name"]);
    match metadata["namespace"].as_str() {
        None | Some("shop") => format!("{kind}/{name}"),
        Some(other) => format!("{kind}/{other}/{name}"),
    }
}

fn merge(held: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *held = patch;
        return;
    };
    if !held.is_object() {
        *held = Value::Object(Default::default());
    }
    let held = held.as_object_mut().expect("an object");
    for (key, value) in patch {
        if value.is_null() {
            held.shift_remove(&key);
        } else {
            merge(held.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn sync_of(word: &str) -> SyncState {
    let text = SharedStr::from;
    match word {
        "syncing" => SyncState::Syncing,
        "stale" => SyncState::Stale {
            since: now() - SignedDuration::from_secs(40),
            reason: text("connection refused"),
        },
        "polled" => SyncState::Polled {
            every: Duration::from_secs(5),
            reason: text("the API server closes each watch immediately"),
        },
        "forbidden" => SyncState::Forbidden {
            message: text("User \"dev\" cannot list resource in API group \"\""),
        },
        "absent" => SyncState::Absent {
            reason: text("the server does not serve it"),
        },
        other => panic!("no state of a watch: {other}"),
    }
}

fn inventory(case: &Case) -> Inventory {
    let mut manifests = ManifestReader::new("shop");
    for object in case.objects.clone() {
        manifests.add(object).expect("an object");
    }
    let mut inventory = Inventory::default();
    for kind in ResourceKind::ALL.into_iter().chain(ResourceKind::ON_DEMAND) {
        inventory.apply(InventoryChange::Sync(
            kind,
            WatchScope::Cluster,
            SyncState::Live,
        ));
    }
    for (plural, word) in &case.head.sync {
        let kind = ResourceKind::ALL
            .into_iter()
            .chain(ResourceKind::ON_DEMAND)
            .find(|kind| kind.plural() == plural)
            .expect("a kind");
        inventory.apply(InventoryChange::Sync(
            kind,
            WatchScope::Cluster,
            sync_of(word),
        ));
    }
    for change in manifests.into_changes() {
        inventory.apply(change);
    }
    inventory
}

/// What is said, and how everything stands.
fn say(case: &Case) -> (Vec<Expected>, BTreeMap<String, String>) {
    let inventory = inventory(case);
    let topology = Topology::build(&inventory);
    let mut checks = ServiceChecks::new(&topology, &inventory, RuleSuppressions::default(), now());
    for (pod, times) in &case.head.flaps {
        flap(&mut checks, &topology, &inventory, pod, *times);
    }
    for (service, word) in &case.head.tested {
        let service = ObjectKey::new("shop", service.as_str());
        let result = tested(&service, word, &inventory);
        checks.record_path_test(&service, result, &topology, &inventory, now());
    }
    let mut said = Vec::new();
    let mut verdicts = BTreeMap::new();
    for (service, report) in checks.reports() {
        verdicts.insert(service.to_string(), report.health.word().to_owned());
        for finding in &report.findings {
            said.push(Expected {
                service: service.to_string(),
                id: finding.id.to_owned(),
                severity: finding.severity.word().to_owned(),
                at: finding.location.to_string(),
                message: finding.message.to_string(),
                hint: finding.hint.as_ref().map(ToString::to_string),
            });
        }
    }
    said.sort();
    (said, verdicts)
}

fn tested(service: &ObjectKey, word: &str, inventory: &Inventory) -> PathTestReport {
    let evidence = PathEvidence {
        ports: vec![80],
        short: "nothing listens on targetPort 8080".into(),
        text: "nothing listens on targetPort 8080 in any of the pods".into(),
        rule: "nothing-listens",
        is_broken: word == "broken",
    };
    let evidence = match word {
        "fine" => Vec::new(),
        _ => vec![evidence],
    };
    PathTestReport {
        at: now(),
        at_text: "12:00".into(),
        evidence: evidence.into(),
        fingerprint: path_fingerprint(service, inventory).expect("the Service"),
    }
}

fn flap(
    checks: &mut ServiceChecks,
    topology: &Topology,
    inventory: &Inventory,
    pod: &str,
    times: u32,
) {
    let pod = inventory
        .pod(&ObjectKey::new("shop", pod))
        .expect("the pod");
    let mut turned = (**pod).clone();
    turned.ready = !pod.ready;
    let turned = std::sync::Arc::new(turned);
    let services: Vec<_> = topology.services_of_pod(&pod.key).cloned().collect();
    for turn in (0..times).rev() {
        let (before, after) = if turn % 2 == 0 {
            (turned.clone(), pod.clone())
        } else {
            (pod.clone(), turned.clone())
        };
        let touched = [ChangedRecord::Pod {
            before: Some(before),
            after: Some(after),
        }];
        let at = now() - SignedDuration::from_secs(10 * i64::from(turn));
        checks.apply_changes(topology, inventory, &touched, &services, at);
    }
}

#[test]
fn every_case_says_what_is_expected_and_nothing_else() {
    if std::env::var("SVCSCOPE_CASES").is_ok_and(|word| word == "write") {
        for file in files() {
            write(&file);
        }
    }
    let mut wrong = Vec::new();
    for file in files() {
        for case in cases(&file) {
            let (said, verdicts) = say(&case);
            let mut expected = case.head.expect.clone();
            expected.sort();
            let place = format!("{}: {}", stem(&file), case.head.case);
            if said != expected {
                wrong.push(format!(
                    "{place}\n  expected {expected:#?}\n  said {said:#?}"
                ));
            }
            if verdicts != case.head.verdicts {
                wrong.push(format!(
                    "{place}\n  expected {:?}\n  is {verdicts:?}",
                    case.head.verdicts
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]

fn every_rule_has_a_case_that_fires_and_one_that_must_not() {
    let mut lacking = Vec::new();
    // What is found in files before they are in a cluster has its cases in svcscope-validation.
    let is_of_clusters = |rule: &&CheckRule| rule.group != RuleGroup::Manifests;
    let files: BTreeMap<_, _> = files()
        .iter()
        .map(|file| (stem(file), cases(file)))
        .collect();
    for rule in rules().filter(is_of_clusters) {
        let own = files.get(rule.id).map(Vec::as_slice).unwrap_or_default();
        let fires = |case: &&Case| case.head.expect.iter().any(|found| found.id == rule.id);
        if !own.iter().any(|case| fires(&case)) {
            lacking.push(format!("{}: no case that fires", rule.id));
        }
        if own.iter().all(|case| fires(&case)) {
            lacking.push(format!("{}: no near miss", rule.id));
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]

fn rules_are_told_apart_and_silence_rules_that_exist() {
    let mut ids = BTreeSet::new();
    for rule in rules() {
        assert!(ids.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.id.starts_with("SVC-"), "{}", rule.id);
        assert!(
            !rule.title.is_empty() && !rule.about.is_empty(),
            "{}",
            rule.id
        );
        assert!(
            rule.url.starts_with("https://kubernetes.io/docs/"),
            "{}",
            rule.id
        );
    }
    for silenced in rules().flat_map(|rule| rule.supersedes) {
        assert!(ids.contains(silenced), "{silenced} is no rule");
    }
}

/// Writes what is said into the heads of the cases.
fn write(file: &Path) {
    let text = fs::read_to_string(file).expect("a file of cases");
    let mut cases = cases(file).into_iter();
    let mut documents: Vec<String> = text.split("\n---\n").map(str::to_owned).collect();
    for document in &mut documents {
        let is_head = document.lines().any(|line| line.starts_with("case:"));
        if !is_head {
            continue;
        }
        let kept: Vec<_> = document
            .lines()
            .take_while(|line| !line.starts_with("expect:") && !line.starts_with("verdicts:"))
            .collect();
        let (said, verdicts) = say(&cases.next().expect("the case"));
        *document = format!("{}\n{}", kept.join("\n"), in_yaml(&said, &verdicts));
    }
    fs::write(file, format!("{}\n", documents.join("\n---\n").trim_end())).expect("written");
}

fn in_yaml(said: &[Expected], verdicts: &BTreeMap<String, String>) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut yaml = if said.is_empty() {
        "expect: []\n".to_owned()
    } else {
        "expect:\n".to_owned()
    };
    for found in said {
        yaml += &format!("- id: {}\n", found.id);
        yaml += &format!("  severity: {}\n", found.severity);
        yaml += &format!("  service: {}\n", found.service);
        yaml += &format!("  at: {}\n", found.at);
        yaml += &format!("  message: {}\n", quoted(&found.message));
        if let Some(hint) = &found.hint {
            yaml += &format!("  hint: {}\n", quoted(hint));
        }
    }
    if verdicts.is_empty() {
        return yaml + "verdicts: {}";
    }
    yaml += "verdicts:\n";
    for (service, verdict) in verdicts {
        yaml += &format!("  {service}: {verdict}\n");
    }
    yaml.trim_end().to_owned()
}
