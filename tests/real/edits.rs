//! Types changed on a real API server, by the window's code path and by the command line.

use svcscope_edit::{DesiredServiceState, RequestedChange, ServiceKind};
use svcscope_engine::{EditId, EditState, EngineCommand};
use svcscope_model::inventory::{ObjectKey, ServiceType};
use svcscope_testkit::cluster::{EngineDriver, run_svcscope, stderr, stdout};

use crate::{kubeconfig, sample::WebSampleNamespace};

fn change(to: ServiceType) -> DesiredServiceState {
    if to == ServiceType::ExternalName {
        DesiredServiceState::alias_of("elsewhere.example.com")
    } else {
        DesiredServiceState::of_type(ServiceKind::from(to))
    }
}

/// Plans, tries out and applies, as the dialog does; gives the refusal where there is one.
fn apply(
    engine: &EngineDriver,
    service: &ObjectKey,
    change: DesiredServiceState,
) -> Result<(), String> {
    let id = EditId(engine.handle.next_id());
    let wish = RequestedChange::Change(Box::new(change));
    engine.send(EngineCommand::PlanEdit(id, service.clone(), wish));
    let step = |done: fn(&EditState) -> bool| {
        engine
            .find("the edit to go on", |scene| {
                let edit = scene.edits.iter().find(|edit| edit.id == id)?;
                match &edit.step {
                    EditState::Failed { reason, .. } => Some(Err(reason.to_string())),
                    step => done(step).then_some(Ok(())),
                }
            })
            .0
    };
    step(|step| matches!(step, EditState::Ready { .. }))?;
    engine.send(EngineCommand::ApplyEdit(id));
    step(|step| matches!(step, EditState::Applied(_)))
}

fn service_type(sample: &WebSampleNamespace, name: &str) -> String {
    sample.run(&["get", "service", name, "-o", "jsonpath={.spec.type}"])
}

const ROUND: [ServiceType; 8] = [
    ServiceType::NodePort,
    ServiceType::LoadBalancer,
    ServiceType::ClusterIP,
    ServiceType::ExternalName,
    ServiceType::NodePort,
    ServiceType::ClusterIP,
    ServiceType::LoadBalancer,
    ServiceType::ExternalName,
];

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_window_changes_types_and_the_server_agrees() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "types");
    let engine = sample.engine();
    let web = ObjectKey::new(&*sample.namespace, "web");
    for to in ROUND {
        apply(&engine, &web, change(to)).unwrap_or_else(|reason| panic!("to {to}: {reason}"));
        assert_eq!(service_type(&sample, "web"), to.as_str());
        engine.wait("the type to be on the map", |scene| {
            scene
                .topology
                .service(&web)
                .is_some_and(|traffic| traffic.service.service_type == to)
        });
    }
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_command_line_changes_types_and_a_dry_run_changes_nothing() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "set-type");
    for to in ROUND {
        let mut args = vec!["set-type", "svc/web", to.as_str(), "--yes"];
        if to == ServiceType::ExternalName {
            args.extend(["--external-name", "elsewhere.example.com"]);
        }
        args.extend(sample.flags());
        let before = service_type(&sample, "web");
        let output = run_svcscope(&[&args[..], &["--dry-run"]].concat());
        assert!(
            output.status.success(),
            "dry run to {to}: {}",
            stderr(&output)
        );
        assert_eq!(
            service_type(&sample, "web"),
            before,
            "the dry run changed something"
        );
        let output = run_svcscope(&args);
        assert!(output.status.success(), "to {to}: {}", stderr(&output));
        assert!(
            stdout(&output).starts_with(&format!("service/web is {to}")),
            "{}",
            stdout(&output)
        );
        assert_eq!(service_type(&sample, "web"), to.as_str());
    }
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_taken_node_port_names_its_holder() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "taken");
    let engine = sample.engine();
    let taken: u16 = sample
        .run(&[
            "get",
            "service",
            "web-node",
            "-o",
            "jsonpath={.spec.ports[0].nodePort}",
        ])
        .parse()
        .expect("a nodePort");
    let web = ObjectKey::new(&*sample.namespace, "web");
    let mut ports = engine
        .handle
        .scene()
        .inventory
        .service(&web)
        .expect("web")
        .ports
        .clone();
    ports[0].node_port = Some(taken);
    let wish = DesiredServiceState {
        ports: Some(ports),
        ..change(ServiceType::NodePort)
    };
    let holder = format!("{taken} is held by Service {}/web-node", sample.namespace);
    let reason = apply(&engine, &web, wish).expect_err("the port is taken");
    assert!(reason.contains(&holder), "{reason}");

    let port = format!("http={taken}");
    let args = [
        &[
            "set-type",
            "svc/web",
            "NodePort",
            "--yes",
            "--node-port",
            &port,
        ],
        &sample.flags()[..],
    ]
    .concat();
    let output = run_svcscope(&args);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&holder), "{}", stderr(&output));
    assert_eq!(service_type(&sample, "web"), "ClusterIP");
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_concurrent_change_is_not_overwritten() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "conflict");
    let engine = sample.engine();
    let web = ObjectKey::new(&*sample.namespace, "web");
    let id = EditId(engine.handle.next_id());
    let wish = RequestedChange::Change(Box::new(change(ServiceType::NodePort)));
    engine.send(EngineCommand::PlanEdit(id, web, wish));
    engine.find("the dry run", |scene| {
        let edit = scene.edits.iter().find(|edit| edit.id == id)?;
        matches!(edit.step, EditState::Ready { .. }).then_some(())
    });
    sample.run(&["label", "service", "web", "changed=meanwhile"]);
    engine.send(EngineCommand::ApplyEdit(id));
    let (reason, _) = engine.find("the conflict", |scene| {
        let edit = scene.edits.iter().find(|edit| edit.id == id)?;
        match &edit.step {
            EditState::Failed { reason, .. } => Some(reason.clone()),
            EditState::Applied(_) => panic!("the other change was overwritten"),
            _ => None,
        }
    });
    assert!(reason.contains("has been modified"), "{reason}");
    assert_eq!(service_type(&sample, "web"), "ClusterIP");
}

/// Runs the built program on the sample; it must succeed.
fn done(sample: &WebSampleNamespace, words: &str) {
    let mut args: Vec<_> = words.split_whitespace().collect();
    args.extend(sample.flags());
    let output = run_svcscope(&args);
    assert!(output.status.success(), "{words}: {}", stderr(&output));
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_command_line_goes_to_headless_and_back_on_both_ways() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "headless");
    let field = |path: &str| sample.run(&["get", "service", "web", "-o", path]);
    let uid = field("jsonpath={.metadata.uid}");
    done(&sample, "set-type svc/web Headless --yes");
    assert_eq!(field("jsonpath={.spec.clusterIP}"), "None");
    done(&sample, "set-type svc/web NodePort --yes");
    assert_eq!(field("jsonpath={.metadata.uid}"), uid, "the object stayed");
    done(&sample, "set-type svc/web Headless --via recreate --yes");
    assert_eq!(field("jsonpath={.spec.clusterIP}"), "None");
    assert_ne!(field("jsonpath={.metadata.uid}"), uid);
    assert_eq!(field("jsonpath={.spec.ports[1].targetPort}"), "9000");
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn what_is_exposed_selects_what_kubectl_would() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "expose");
    sample.run(&["expose", "deployment", "web", "--name", "by-kubectl"]);
    done(&sample, "expose deployment/web --name by-svcscope --yes");
    done(
        &sample,
        "expose statefulset/gated --port 9000 --name gated-2 --yes",
    );
    let read = |name: &str, path: &str| sample.run(&["get", "service", name, "-o", path]);
    for path in [
        "jsonpath={.spec.selector}",
        "jsonpath={.spec.ports[*].port}",
        "jsonpath={.metadata.labels}",
        "jsonpath={.spec.type}",
    ] {
        assert_eq!(
            read("by-svcscope", path),
            read("by-kubectl", path),
            "{path}"
        );
    }
    assert_eq!(read("gated-2", "jsonpath={.spec.selector.app}"), "gated");
    done(&sample, "set-ports svc/by-svcscope web:80:http --yes");
    assert_eq!(read("by-svcscope", "jsonpath={.spec.ports[*].port}"), "80");
    done(&sample, "duplicate svc/by-svcscope copy --yes");
    assert_ne!(
        read("copy", "jsonpath={.spec.clusterIP}"),
        read("by-svcscope", "jsonpath={.spec.clusterIP}")
    );
    done(&sample, "delete svc/copy --yes");
}
