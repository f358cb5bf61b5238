use std::{collections::VecDeque, sync::Mutex};

use futures::{executor::block_on, future::BoxFuture};
use serde_json::json;

use super::*;
use crate::{
    DesiredServiceState, FieldError, MigrationPath, dry_run,
    fixtures::{object, service, snapshot, text},
    plan_change, plan_deletion,
};
use svcscope_model::inventory::{Inventory, ObjectKey, ServiceRecord};

type Answer = Result<ServiceRecord, ServiceWriteError>;

/// Answers as told, in turn, and keeps what it was sent.
#[derive(Default)]
struct FakeWriter {
    patches: Mutex<VecDeque<Answer>>,
    creations: Mutex<VecDeque<Answer>>,
    deletions: Mutex<VecDeque<Result<(), ServiceWriteError>>>,
    reads: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<(&'static str, Value, WriteMode)>>,
}

fn next<T>(
    answers: &Mutex<VecDeque<Result<T, ServiceWriteError>>>,
) -> Result<T, ServiceWriteError> {
    let answer = answers.lock().unwrap().pop_front();
    answer.unwrap_or_else(|| Err(other("was not to be asked")))
}

fn written(answer: Answer) -> Result<WriteResponse, ServiceWriteError> {
    answer.map(|service| WriteResponse {
        object: object(&service),
        service,
        warnings: vec![text("a warning")],
    })
}

impl FakeWriter {
    fn patched(self, answer: Answer) -> Self {
        self.patches.lock().unwrap().push_back(answer);
        self
    }

    fn created(self, answer: Answer) -> Self {
        self.creations.lock().unwrap().push_back(answer);
        self
    }

    fn deleted(self, answer: Result<(), ServiceWriteError>) -> Self {
        self.deletions.lock().unwrap().push_back(answer);
        self
    }

    fn read(self, answer: Answer) -> Self {
        self.reads.lock().unwrap().push_back(answer);
        self
    }

    fn verbs(&self) -> Vec<&'static str> {
        self.sent.lock().unwrap().iter().map(|one| one.0).collect()
    }

    fn note(&self, verb: &'static str, body: Value, mode: WriteMode) {
        self.sent.lock().unwrap().push((verb, body, mode));
    }
}

impl ServiceWriter for FakeWriter {
    fn patch<'a>(
        &'a self,
        service: &'a ObjectKey,
        patch: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>> {
        assert_eq!(*service, ObjectKey::new("shop", "web"));
        self.note("patch", patch.clone(), mode);
        Box::pin(async { written(next(&self.patches)) })
    }

    fn create<'a>(
        &'a self,
        namespace: &'a str,
        object: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>> {
        assert_eq!(namespace, "shop");
        self.note("create", object.clone(), mode);
        Box::pin(async { written(next(&self.creations)) })
    }

    fn delete<'a>(
        &'a self,
        service: &'a ServiceRecord,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<(), ServiceWriteError>> {
        self.note("delete", json!(service.resource_version), mode);
        Box::pin(async { next(&self.deletions) })
    }

    fn wait_until_deleted<'a>(
        &'a self,
        _service: &'a ServiceRecord,
    ) -> BoxFuture<'a, Result<(), ServiceWriteError>> {
        Box::pin(async { Ok(()) })
    }

    fn read<'a>(
        &'a self,
        _service: &'a ObjectKey,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>> {
        Box::pin(async { written(next(&self.reads)) })
    }
}

fn other(words: &str) -> ServiceWriteError {
    ServiceWriteError::Other {
        message: text(words),
    }
}

fn refusal() -> ServiceWriteError {
    ServiceWriteError::Invalid {
        message: text("the server's words"),
        fields: vec![FieldError {
            field: text("spec.ports[0].nodePort"),
            message: text("the server's words"),
        }],
    }
}

fn planned(from: ServiceKind, wanted: DesiredServiceState) -> Arc<ChangePlan> {
    Arc::new(plan_change(&snapshot(service(from)), wanted, &Inventory::default()).unwrap())
}

fn to_node_port(node_port: Option<u16>) -> Arc<ChangePlan> {
    let mut ports = service(ServiceKind::ClusterIP).ports;
    ports[0].node_port = node_port;
    let wanted = DesiredServiceState {
        ports: Some(ports),
        ..DesiredServiceState::of_type(ServiceKind::NodePort)
    };
    planned(ServiceKind::ClusterIP, wanted)
}

fn via(from: ServiceKind, to: ServiceKind, via: MigrationPath) -> Arc<ChangePlan> {
    let wanted = DesiredServiceState {
        migration_path: Some(via),
        ..DesiredServiceState::of_type(to)
    };
    planned(from, wanted)
}

fn at_version(from: ServiceKind, version: &str) -> ServiceRecord {
    ServiceRecord {
        resource_version: text(version),
        ..service(from)
    }
}

fn run(
    plan: &Arc<ChangePlan>,
    writer: &FakeWriter,
) -> (Result<ChangeOutcome, EditError>, Vec<ExecutedStep>) {
    let mut log = Vec::new();
    let result = block_on(apply(plan, writer, &mut log));
    (result, log)
}

#[test]
fn what_is_read_back_is_the_outcome() {
    let after = at_version(ServiceKind::NodePort, "42");
    let writer = FakeWriter::default()
        .patched(Ok(after.clone()))
        .read(Ok(after.clone()));
    let (outcome, log) = run(&to_node_port(None), &writer);
    let outcome = outcome.unwrap();
    assert_eq!(*outcome.after.unwrap().record, after);
    assert_eq!(outcome.warnings, [text("a warning")]);
    let sent = writer.sent.lock().unwrap();
    assert_eq!(sent[0].2, WriteMode::Apply);
    assert_eq!(sent[0].1["metadata"]["resourceVersion"], "41");
    assert_eq!((log[0].verb, &log[0].error), ("patch", &None));
}

#[test]
fn a_dry_run_stores_nothing_and_shows_no_value_that_nobody_will_get() {
    // The server's placeholder lies beyond the range.
    let mut answer = service(ServiceKind::NodePort);
    answer.ports[0].node_port = Some(32769);
    let writer = FakeWriter::default().patched(Ok(answer.clone()));
    let preview = block_on(dry_run(&to_node_port(None), &writer)).unwrap();
    assert_eq!(preview.service.ports[0].node_port, None);
    let shown = &preview.object["spec"]["ports"][0]["nodePort"];
    assert_eq!(*shown, crate::ASSIGNED_ON_APPLY);
    assert_eq!(writer.sent.lock().unwrap()[0].2, WriteMode::DryRun);

    answer.ports[0].node_port = Some(30090);
    let writer = FakeWriter::default().patched(Ok(answer));
    let preview = block_on(dry_run(&to_node_port(Some(30090)), &writer)).unwrap();
    assert_eq!(preview.service.ports[0].node_port, Some(30090));
    assert_eq!(preview.object["spec"]["ports"][0]["nodePort"], 30090);
}

#[test]
fn what_follows_the_first_step_is_tried_under_another_name() {
    let plan = via(
        ServiceKind::Headless,
        ServiceKind::NodePort,
        MigrationPath::ExternalName,
    );
    let alias = service(ServiceKind::ExternalName);
    let writer = FakeWriter::default()
        .patched(Ok(alias.clone()))
        .created(Ok(service(ServiceKind::NodePort)));
    let preview = block_on(dry_run(&plan, &writer)).unwrap();
    assert_eq!(ServiceKind::of(&preview.service), ServiceKind::NodePort);
    assert_eq!(writer.verbs(), ["patch", "create"]);
    {
        let sent = writer.sent.lock().unwrap();
        assert!(sent.iter().all(|one| one.2 == WriteMode::DryRun));
        assert_eq!(sent[1].1["metadata"].get("name"), None);
    }

    let writer = FakeWriter::default()
        .patched(Ok(alias.clone()))
        .created(Err(refusal()));
    let error = block_on(dry_run(&plan, &writer)).unwrap_err();
    assert_eq!(error.fields().len(), 1);

    let right = r#"User "eve" cannot create resource "services""#;
    let writer =
        FakeWriter::default()
            .patched(Ok(alias))
            .created(Err(ServiceWriteError::Forbidden {
                message: text(right),
            }));
    let preview = block_on(dry_run(&plan, &writer)).unwrap();
    assert!(preview.warnings.iter().any(|one| one.contains(right)));
}

#[test]
fn a_200_that_changed_nothing_is_no_success() {
    // Even if the answer to the write claims otherwise.
    let writer = FakeWriter::default()
        .patched(Ok(service(ServiceKind::NodePort)))
        .read(Ok(service(ServiceKind::ClusterIP)));
    let (error, _) = run(
        &planned(
            ServiceKind::ClusterIP,
            DesiredServiceState::of_type(ServiceKind::NodePort),
        ),
        &writer,
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "the API server accepted the change, but spec.type is \"ClusterIP\" instead of \
         \"NodePort\"; look at the Service again"
    );
}

#[test]
fn what_somebody_changed_right_after_is_theirs() {
    let mut later = at_version(ServiceKind::NodePort, "43");
    later.service_type = svcscope_model::inventory::ServiceType::LoadBalancer;
    let writer = FakeWriter::default()
        .patched(Ok(at_version(ServiceKind::NodePort, "42")))
        .read(Ok(later));
    let plan = planned(
        ServiceKind::ClusterIP,
        DesiredServiceState::of_type(ServiceKind::NodePort),
    );
    let outcome = run(&plan, &writer).0.unwrap();
    assert!(
        outcome.warnings[1].contains(r#"spec.type: "NodePort" → "LoadBalancer""#),
        "{:?}",
        outcome.warnings
    );
}

#[test]
fn every_wanted_field_is_compared() {
    let after = service(ServiceKind::NodePort);
    let writer = FakeWriter::default()
        .patched(Ok(after.clone()))
        .read(Ok(after));
    let (error, _) = run(&to_node_port(Some(30090)), &writer);
    let EditError::GoalNotMet { differences } = error.unwrap_err() else {
        panic!("not as wanted");
    };
    assert_eq!(&*differences[0].field, "spec.ports[0].nodePort");
}

#[test]
fn refusals_keep_the_servers_words_and_are_not_read_back() {
    let writer = FakeWriter::default().patched(Err(refusal()));
    let (error, log) = run(&to_node_port(None), &writer);
    let error = error.unwrap_err();
    assert_eq!(&*error.fields()[0].field, "spec.ports[0].nodePort");
    assert!(error.to_string().contains("the server's words"));
    assert!(log[0].error.is_some());
}

#[test]
fn a_conflict_says_who_changed_what_and_overwrites_nothing() {
    let mut now = at_version(ServiceKind::ClusterIP, "42");
    now.labels.insert(text("changed"), text("meanwhile"));
    let writer = FakeWriter::default()
        .patched(Err(ServiceWriteError::Conflict {
            message: text("the object has been modified"),
        }))
        .read(Ok(now.clone()));
    let (error, _) = run(&to_node_port(None), &writer);
    let error = error.unwrap_err();
    let words = error.to_string();
    assert!(words.contains("look at it again and plan anew"), "{words}");
    assert!(
        words.contains(r#"metadata.labels.changed: (none) → "meanwhile""#),
        "{words}"
    );
    let conflict = error.conflict().unwrap();
    assert_eq!(*conflict.current.as_ref().unwrap().record, now);
    assert_eq!(writer.verbs(), ["patch"], "written once");
}

#[test]
fn a_conflict_at_the_first_step_is_not_overcome_even_where_a_controller_was_quicker() {
    let writer = FakeWriter::default()
        .patched(Err(ServiceWriteError::Conflict {
            message: text("the object has been modified"),
        }))
        .read(Ok(at_version(ServiceKind::ClusterIP, "42")));
    let (error, log) = run(&to_node_port(None), &writer);
    assert!(error.unwrap_err().conflict().is_some());
    assert_eq!(
        log.len(),
        1,
        "the user saw another version: nothing is sent again"
    );
}

#[test]
fn a_write_without_an_answer_is_looked_at() {
    let lost = || Err(other("no response in time"));
    // It was not done.
    let writer = FakeWriter::default()
        .patched(lost())
        .read(Ok(service(ServiceKind::ClusterIP)));
    let (error, _) = run(&to_node_port(None), &writer);
    assert!(matches!(error, Err(EditError::Other { .. })), "{error:?}");
    // It was.
    let after = at_version(ServiceKind::NodePort, "42");
    let writer = FakeWriter::default()
        .patched(lost())
        .read(Ok(after.clone()))
        .read(Ok(after));
    let (outcome, _) = run(
        &planned(
            ServiceKind::ClusterIP,
            DesiredServiceState::of_type(ServiceKind::NodePort),
        ),
        &writer,
    );
    assert!(outcome.is_ok(), "{outcome:?}");
    // Nobody knows.
    let writer = FakeWriter::default().patched(lost()).read(lost());
    let (error, _) = run(&to_node_port(None), &writer);
    assert!(matches!(error, Err(EditError::UnknownOutcome { .. })));
}

#[test]
fn each_step_builds_on_the_one_before() {
    let plan = via(
        ServiceKind::Headless,
        ServiceKind::ClusterIP,
        MigrationPath::ExternalName,
    );
    let after = at_version(ServiceKind::ClusterIP, "43");
    let writer = FakeWriter::default()
        .patched(Ok(at_version(ServiceKind::ExternalName, "42")))
        .patched(Ok(after.clone()))
        .read(Ok(after));
    let (outcome, log) = run(&plan, &writer);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(log.len(), 2);
    let sent = writer.sent.lock().unwrap();
    assert_eq!(sent[0].1["metadata"]["resourceVersion"], "41");
    assert_eq!(sent[1].1["metadata"]["resourceVersion"], "42");
}

#[test]
fn a_controller_that_tidies_up_between_two_steps_is_no_conflict() {
    let plan = via(
        ServiceKind::LoadBalancer,
        ServiceKind::Headless,
        MigrationPath::ExternalName,
    );
    let conflict = || {
        Err(ServiceWriteError::Conflict {
            message: text("the object has been modified"),
        })
    };
    let alias = |version: &str| at_version(ServiceKind::ExternalName, version);
    let after = at_version(ServiceKind::Headless, "44");
    let writer = FakeWriter::default()
        .patched(Ok(alias("42")))
        .patched(conflict())
        .patched(Ok(after.clone()))
        .read(Ok(alias("43")))
        .read(Ok(after));
    let (outcome, log) = run(&plan, &writer);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(log.len(), 3, "the journal tells of both tries");
    let versions: Vec<_> = writer
        .sent
        .lock()
        .unwrap()
        .iter()
        .map(|one| one.1["metadata"]["resourceVersion"].clone())
        .collect();
    assert_eq!(versions, ["41", "42", "43"]);

    // the user's change is one, between two steps as well.
    let mut edited = alias("43");
    edited.labels.insert(text("new"), text("label"));
    let writer = FakeWriter::default()
        .patched(Ok(alias("42")))
        .patched(conflict())
        .read(Ok(edited.clone()))
        .read(Ok(edited));
    let (error, _) = run(&plan, &writer);
    let error = error.unwrap_err();
    assert!(
        matches!(error, EditError::PartlyApplied { .. }),
        "{error:?}"
    );
    let changes = &error.conflict().unwrap().changes;
    assert_eq!(changes.len(), 1, "since the first step: {changes:?}");
}

#[test]
fn a_second_step_that_fails_says_what_the_service_is_now() {
    let plan = via(
        ServiceKind::Headless,
        ServiceKind::ClusterIP,
        MigrationPath::ExternalName,
    );
    let writer = FakeWriter::default()
        .patched(Ok(at_version(ServiceKind::ExternalName, "42")))
        .patched(Err(refusal()))
        .read(Ok(at_version(ServiceKind::ExternalName, "42")));
    let (error, _) = run(&plan, &writer);
    let error = error.unwrap_err();
    let words = error.to_string();
    assert!(words.contains("shop/web is ExternalName now"), "{words}");
    assert!(words.contains("Plan the change again"), "{words}");
    assert_eq!(error.fields().len(), 1);
}

#[test]
fn what_can_not_be_created_anew_is_put_back() {
    let plan = via(
        ServiceKind::ClusterIP,
        ServiceKind::Headless,
        MigrationPath::Recreate,
    );
    let writer = FakeWriter::default()
        .deleted(Ok(()))
        .created(Err(refusal()))
        .created(Ok(service(ServiceKind::ClusterIP)));
    let (error, log) = run(&plan, &writer);
    let error = error.unwrap_err();
    assert!(
        error.to_string().contains("created again as it was"),
        "{error}"
    );
    assert_eq!(writer.verbs(), ["delete", "create", "create"]);
    let address = writer.sent.lock().unwrap()[2].1["spec"]["clusterIP"].clone();
    assert_eq!(address, "10.96.57.1", "the old one");
    assert_eq!(log.len(), 3);

    let writer = FakeWriter::default()
        .deleted(Ok(()))
        .created(Err(refusal()))
        .created(Err(refusal()));
    let (error, _) = run(&plan, &writer);
    let EditError::PartlyApplied { manifest, next, .. } = error.unwrap_err() else {
        panic!("halfway");
    };
    assert_eq!(manifest.unwrap()["spec"]["clusterIP"], "None");
    assert!(
        next.contains("10.96.57.1"),
        "the manifest is in the words: {next}"
    );
}

#[test]
fn a_creation_without_an_answer_is_tried_once_more() {
    let plan = via(
        ServiceKind::ClusterIP,
        ServiceKind::Headless,
        MigrationPath::Recreate,
    );
    let after = service(ServiceKind::Headless);
    let exists = ServiceWriteError::Exists {
        message: text("already exists"),
    };
    let writer = FakeWriter::default()
        .deleted(Ok(()))
        .created(Err(other("no response in time")))
        .created(Err(exists))
        .read(Ok(after.clone()))
        .read(Ok(after));
    let (outcome, _) = run(&plan, &writer);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(writer.verbs(), ["delete", "create", "create"]);
}

#[test]
fn a_deletion_is_read_back_too() {
    let known = snapshot(service(ServiceKind::ClusterIP));
    let plan = Arc::new(plan_deletion(&known, &Inventory::default()).unwrap());
    let gone = ServiceWriteError::NotFound {
        message: text("not found"),
    };
    let writer = FakeWriter::default().deleted(Ok(())).read(Err(gone));
    let (outcome, _) = run(&plan, &writer);
    assert_eq!(outcome.unwrap().after, None);
    let writer = FakeWriter::default()
        .deleted(Ok(()))
        .read(Ok(service(ServiceKind::ClusterIP)));
    let (error, _) = run(&plan, &writer);
    assert!(matches!(error, Err(EditError::UnknownOutcome { .. })));
}
