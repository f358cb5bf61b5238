use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::Value;

use super::*;
use crate::{
    edit::{TypeChange, plan},
    inventory::{ObjectKey, ServicePort, TargetPort},
};

type Answer = Result<ServiceRecord, WriteError>;

/// Answers a patch and a read as told, and keeps what it was sent.
struct FakeWriter {
    patched: Answer,
    read: Answer,
    sent: Mutex<Vec<(Value, WriteMode)>>,
}

impl FakeWriter {
    fn new(patched: Answer, read: Answer) -> Self {
        Self {
            patched,
            read,
            sent: Mutex::default(),
        }
    }
}

fn written(answer: &Answer) -> Result<Written, WriteError> {
    answer.clone().map(|service| Written {
        service,
        warnings: vec![Text::from("a warning")],
    })
}

impl ServiceWriter for FakeWriter {
    fn patch<'a>(
        &'a self,
        service: &'a ObjectKey,
        patch: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        assert_eq!(*service, ObjectKey::new("shop", "web"));
        self.sent.lock().unwrap().push((patch.clone(), mode));
        Box::pin(async { written(&self.patched) })
    }

    fn read<'a>(&'a self, _service: &'a ObjectKey) -> BoxFuture<'a, Result<Written, WriteError>> {
        Box::pin(async { written(&self.read) })
    }
}

fn service(service_type: ServiceType, node_port: Option<u16>) -> ServiceRecord {
    ServiceRecord {
        service_type,
        resource_version: Text::from("41"),
        cluster_ips: vec![Text::from("10.96.57.1")],
        ports: vec![ServicePort {
            name: None,
            protocol: crate::inventory::Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(8080),
            node_port,
            app_protocol: None,
        }],
        ..ServiceRecord::new(ObjectKey::new("shop", "web"))
    }
}

fn to_node_port(node_port: Option<u16>) -> Plan {
    let change = TypeChange {
        to: ServiceType::NodePort,
        external_name: None,
        node_ports: vec![node_port],
    };
    plan(Arc::new(service(ServiceType::ClusterIP, None)), change).unwrap()
}

fn message() -> Text {
    Text::from("the server's words")
}

#[tokio::test]
async fn what_is_read_back_is_the_outcome() {
    let after = service(ServiceType::NodePort, Some(30080));
    let writer = FakeWriter::new(Ok(after.clone()), Ok(after.clone()));
    let plan = to_node_port(None);
    let outcome = apply(&plan, &writer).await.unwrap();
    assert_eq!(*outcome.after, after);
    assert_eq!(outcome.before, plan.before);
    assert_eq!(outcome.warnings, [Text::from("a warning")]);
    assert_eq!(
        *writer.sent.lock().unwrap(),
        [(plan.patch.clone(), WriteMode::Apply)]
    );
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let after = service(ServiceType::NodePort, None);
    let writer = FakeWriter::new(Ok(after.clone()), Ok(after));
    let plan = to_node_port(None);
    let preview = dry_run(&plan, &writer).await.unwrap();
    assert_eq!(preview.service.service_type, ServiceType::NodePort);
    assert_eq!(
        *writer.sent.lock().unwrap(),
        [(plan.patch.clone(), WriteMode::DryRun)]
    );
}

#[tokio::test]
async fn a_200_that_changed_nothing_is_no_success() {
    let same = service(ServiceType::ClusterIP, None);
    // Even if the answer to the write claims otherwise.
    let claims = service(ServiceType::NodePort, Some(30080));
    let error = apply(&to_node_port(None), &FakeWriter::new(Ok(claims), Ok(same)))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the API server accepted the change, but its type is ClusterIP; look at the Service again"
    );
}

#[tokio::test]
async fn another_node_port_than_wanted_is_no_success() {
    let other = service(ServiceType::NodePort, Some(30999));
    let writer = FakeWriter::new(Ok(other.clone()), Ok(other));
    let error = apply(&to_node_port(Some(30080)), &writer)
        .await
        .unwrap_err();
    let message = Text::from("port 80 has nodePort 30999");
    assert_eq!(error, EditError::NothingChanged { message });
}

#[tokio::test]
async fn another_external_name_than_wanted_is_no_success() {
    let change = TypeChange {
        to: ServiceType::ExternalName,
        external_name: Some("db.example.com".to_owned()),
        node_ports: Vec::new(),
    };
    let plan = plan(Arc::new(service(ServiceType::ClusterIP, None)), change).unwrap();
    let other = ServiceRecord {
        external_name: Some(Text::from("other.example.com")),
        ..service(ServiceType::ExternalName, None)
    };
    let writer = FakeWriter::new(Ok(other.clone()), Ok(other));
    let error = apply(&plan, &writer).await.unwrap_err();
    assert!(matches!(error, EditError::NothingChanged { .. }));
}

#[tokio::test]
async fn refusals_keep_the_servers_words_and_are_not_read_back() {
    let field = FieldError {
        field: Text::from("spec.ports[0].nodePort"),
        message: message(),
    };
    let invalid = WriteError::Invalid {
        message: message(),
        fields: vec![field.clone()],
    };
    let unread = || {
        Err(WriteError::Other {
            message: Text::from("must not be read"),
        })
    };
    let error = apply(
        &to_node_port(None),
        &FakeWriter::new(Err(invalid), unread()),
    )
    .await
    .unwrap_err();
    assert_eq!(error.fields(), [field]);
    assert!(error.to_string().contains("the server's words"));

    let conflict = WriteError::Conflict { message: message() };
    let writer = FakeWriter::new(Err(conflict), unread());
    let error = apply(&to_node_port(None), &writer).await.unwrap_err();
    assert!(error.to_string().contains("look at it again and plan anew"));
    // Written once: a conflict is shown, never overwritten.
    assert_eq!(writer.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_write_that_can_not_be_read_back_is_not_called_done() {
    let lost = WriteError::Other { message: message() };
    let after = service(ServiceType::NodePort, Some(30080));
    let error = apply(&to_node_port(None), &FakeWriter::new(Ok(after), Err(lost)))
        .await
        .unwrap_err();
    let message = message();
    assert_eq!(error, EditError::NotReadBack { message });
}

#[tokio::test]
async fn a_dry_run_shows_no_value_that_nobody_will_get() {
    // The server's placeholder lies beyond the range.
    let answer = service(ServiceType::NodePort, Some(32769));
    let writer = FakeWriter::new(Ok(answer.clone()), Ok(answer));
    let preview = dry_run(&to_node_port(None), &writer).await.unwrap();
    assert_eq!(preview.service.ports[0].node_port, None);

    let answer = service(ServiceType::NodePort, Some(30080));
    let writer = FakeWriter::new(Ok(answer.clone()), Ok(answer));
    let preview = dry_run(&to_node_port(Some(30080)), &writer).await.unwrap();
    assert_eq!(preview.service.ports[0].node_port, Some(30080));
}
