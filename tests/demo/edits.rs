//! Changes of Services against the demo cluster: by the real client stack, by the engine and by the
//! command line.

use std::{fs, process::Output};

use serde_json::{Value, json};
use svcscope_cluster::{ClusterClient, KubeconfigSource, MergedKubeconfig, connect};
use svcscope_demo::{DemoOptions, DemoServer, DenyRule, DenyScope};
use svcscope_edit::{
    AuditOutcome, DesiredServiceState, ExposeOptions, MigrationPath, RequestedChange, ServiceKind,
};
use svcscope_engine::{EditId, EditState, EditStatus, EngineCommand, EngineConfig};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::tls::install_crypto_provider;
use svcscope_testkit::cluster::{self, EngineDriver, run_svcscope, stderr, stdout, type_changes};

fn quiet() -> DemoOptions {
    DemoOptions {
        scripted_activity: false,
        ..DemoOptions::default()
    }
}

async fn client(server: &DemoServer) -> ClusterClient {
    let kubeconfigs =
        MergedKubeconfig::load(&KubeconfigSource::Inline(server.kubeconfig())).unwrap();
    connect(&kubeconfigs, None).await.unwrap()
}

#[tokio::test]
async fn every_type_becomes_every_other_and_comes_back() {
    install_crypto_provider();
    let server = DemoServer::start(quiet()).await.unwrap();
    let cases =
        type_changes::run_transition_matrix(&client(&server).await, "shop", &type_changes::LOADS)
            .await;
    let refused: Vec<_> = cases.iter().filter(|case| case.refused.is_some()).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    // 14 in one step, 6 on two ways, with each load.
    assert_eq!(cases.len(), (14 + 2 * 6) * type_changes::LOADS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_plans_among_foreign_changes_none_is_lost() {
    install_crypto_provider();
    let server = DemoServer::start(quiet()).await.unwrap();
    let (ours, theirs) = (client(&server).await, client(&server).await);
    let race = type_changes::run_edit_race(&ours, &theirs, "shop", 100).await;
    println!("{race:?}");
    assert_eq!(race.applied + race.conflicts, 100);
    assert!(race.applied > 0 && race.conflicts > 0, "{race:?}");
    assert!(race.foreign > 50, "{race:?}");
}

fn engine(server: &DemoServer) -> EngineDriver {
    EngineDriver::connected(KubeconfigSource::Inline(server.kubeconfig()), "shop")
}

fn shop(name: &str) -> ObjectKey {
    ObjectKey::new("shop", name)
}

/// Has the engine plan something and waits for what the dry run says.
fn tried(engine: &EngineDriver, command: impl FnOnce(EditId) -> EngineCommand) -> EditStatus {
    let id = EditId(engine.handle.next_id());
    engine.send(command(id));
    until(engine, id, |step| {
        matches!(step, EditState::Ready { .. } | EditState::Failed { .. })
    })
}

fn until(engine: &EngineDriver, id: EditId, wanted: fn(&EditState) -> bool) -> EditStatus {
    engine
        .find("the edit to go on", |scene| {
            let edit = scene.edits.iter().find(|edit| edit.id == id)?;
            wanted(&edit.step).then(|| edit.clone())
        })
        .0
}

fn applied(engine: &EngineDriver, command: impl FnOnce(EditId) -> EngineCommand) -> EditStatus {
    let ready = tried(engine, command);
    assert!(matches!(ready.step, EditState::Ready { .. }), "{ready:#?}");
    engine.send(EngineCommand::ApplyEdit(ready.id));
    let done = until(engine, ready.id, |step| {
        matches!(step, EditState::Applied(_) | EditState::Failed { .. })
    });
    assert!(matches!(done.step, EditState::Applied(_)), "{done:#?}");
    done
}

fn change(name: &str, wanted: DesiredServiceState) -> impl FnOnce(EditId) -> EngineCommand {
    let key = shop(name);
    move |id| EngineCommand::PlanEdit(id, key, RequestedChange::Change(Box::new(wanted)))
}

fn reason(status: &EditStatus) -> &str {
    match &status.step {
        EditState::Failed { reason, .. } => reason,
        step => panic!("not failed: {step:?}"),
    }
}

/// A nodePort out of range is warned of, the server decides, and its word is there at the next start.
#[test]
fn what_the_server_says_of_its_node_ports_is_remembered() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node-ports.json");
    let start = || {
        let engine = EngineDriver::start(EngineConfig {
            kubeconfig: KubeconfigSource::Inline(server.kubeconfig()),
            namespaces: vec!["shop".to_owned()],
            node_port_ranges_file: Some(file.clone()),
            ..EngineConfig::default()
        });
        engine.wait("the cluster to be read", cluster::is_read);
        engine
    };
    let planned = |engine: &EngineDriver| {
        let scene = engine.handle.scene();
        let service = scene.inventory.service(&shop("cache")).unwrap();
        let mut ports = service.ports.clone();
        ports[0].node_port = Some(20080);
        let wanted = DesiredServiceState {
            ports: Some(ports),
            ..DesiredServiceState::of_type(ServiceKind::NodePort)
        };
        let ready = tried(engine, change("cache", wanted));
        let EditState::Ready { plan, .. } = &ready.step else {
            panic!("{ready:#?}");
        };
        (ready.id, plan.notes.join("\n"))
    };
    let engine = start();
    let (id, notes) = planned(&engine);
    assert!(notes.contains("outside the usual 30000-32767"), "{notes}");
    engine.send(EngineCommand::ApplyEdit(id));
    let failed = until(&engine, id, |step| matches!(step, EditState::Failed { .. }));
    let said = reason(&failed);
    assert!(
        said.contains("The range of valid ports is 30000-32767"),
        "{said}"
    );
    drop(engine);
    let (_, notes) = planned(&start());
    assert!(
        notes.contains("the range that the API server reported"),
        "{notes}"
    );
}

#[test]
fn the_engine_undoes_and_keeps_an_audit_log() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let engine = engine(&server);
    let before = server.control().get("Service", "shop", "cache").unwrap();
    let changed = applied(
        &engine,
        change("cache", DesiredServiceState::alias_of("cache.example.com")),
    );
    let entry = changed.audit_number.expect("it is in the journal");
    applied(&engine, |id| EngineCommand::UndoEdit(id, entry));
    let after = server.control().get("Service", "shop", "cache").unwrap();
    assert_eq!(after["spec"], before["spec"], "the address too");

    let deleted = applied(&engine, |id| {
        EngineCommand::PlanEdit(id, shop("cache"), RequestedChange::Delete)
    });
    assert_eq!(server.control().get("Service", "shop", "cache"), None);
    let entry = deleted.audit_number.expect("it is in the journal");
    engine.wait("the watch to see it go", |scene| {
        scene.inventory.service(&shop("cache")).is_none()
    });
    applied(&engine, |id| EngineCommand::UndoEdit(id, entry));
    let after = server.control().get("Service", "shop", "cache").unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["labels"], before["metadata"]["labels"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.json");
    engine.send(EngineCommand::ExportAuditLog(file.clone()));
    engine.wait("the file", |scene| {
        scene
            .activity
            .iter()
            .any(|one| one.text.contains("4 writes are in"))
    });
    let journal: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let told: Vec<_> = journal.as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 4);
    assert_eq!(told[0]["context"], "demo");
    assert_eq!(told[0]["outcome"]["result"], "applied");
    assert_eq!(told[0]["before"]["spec"]["type"], "ClusterIP");
    assert_eq!(told[0]["after"]["spec"]["type"], "ExternalName");
    assert_eq!(told[0]["steps"][0]["verb"], "patch");
    assert_eq!(told[2]["after"], Value::Null);
}

#[test]
fn an_undo_says_what_others_have_taken() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let engine = engine(&server);
    let before = server.control().get("Service", "shop", "cache").unwrap();
    let changed = applied(
        &engine,
        change("cache", DesiredServiceState::alias_of("cache.example.com")),
    );
    let ip = &before["spec"]["clusterIP"];
    let taker = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "taker", "namespace": "infra"},
        "spec": {"clusterIP": ip, "ports": [{"port": 1}]},
    });
    // In a namespace that the engine does not look at: only the server can tell.
    server.control().apply(taker).unwrap();
    let entry = changed.audit_number.unwrap();
    let ready = tried(&engine, |id| EngineCommand::UndoEdit(id, entry));
    let EditState::Ready { plan, .. } = &ready.step else {
        panic!("{ready:#?}");
    };
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("its clusterIP can't come back")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn both_ways_are_offered_and_neither_is_taken_unasked() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let engine = engine(&server);
    let asked = tried(
        &engine,
        change("cache", DesiredServiceState::of_type(ServiceKind::Headless)),
    );
    let EditState::Failed {
        migration_options: ways,
        ..
    } = &asked.step
    else {
        panic!("{asked:#?}");
    };
    let vias: Vec<_> = ways.iter().map(|way| way.path).collect();
    assert_eq!(vias, [MigrationPath::ExternalName, MigrationPath::Recreate]);
    for (to, via) in [
        (ServiceKind::Headless, MigrationPath::ExternalName),
        (ServiceKind::NodePort, MigrationPath::Recreate),
    ] {
        let wanted = DesiredServiceState {
            migration_path: Some(via),
            ..DesiredServiceState::of_type(to)
        };
        applied(&engine, change("cache", wanted));
    }
    let after = server.control().get("Service", "shop", "cache").unwrap();
    assert_eq!(after["spec"]["type"], "NodePort");
}

/// cache, about to be deleted and created anew as headless.
fn about_to_be_recreated(engine: &EngineDriver) -> EditId {
    let wanted = DesiredServiceState {
        migration_path: Some(MigrationPath::Recreate),
        ..DesiredServiceState::of_type(ServiceKind::Headless)
    };
    let ready = tried(engine, change("cache", wanted));
    assert!(matches!(ready.step, EditState::Ready { .. }), "{ready:#?}");
    ready.id
}

const SERVICES: &str = "/api/v1/namespaces/shop/services";

#[test]
fn a_refused_creation_is_rolled_back() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let engine = engine(&server);
    let before = server.control().get("Service", "shop", "cache").unwrap();
    let id = about_to_be_recreated(&engine);
    // As a quota or a webhook would.
    server.control().fail(Some("POST"), SERVICES, 403, Some(1));
    engine.send(EngineCommand::ApplyEdit(id));
    let failed = until(&engine, id, |step| matches!(step, EditState::Failed { .. }));
    assert!(
        reason(&failed).contains("created again as it was"),
        "{failed:#?}"
    );
    let after = server.control().get("Service", "shop", "cache").unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["labels"], before["metadata"]["labels"]);
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);

    // Nor can it be put back: then its manifest is in the journal.
    engine.wait("the watch to see it", |scene| {
        let service = scene.inventory.service(&shop("cache"));
        service.is_some_and(|service| after["metadata"]["uid"] == *service.uid)
    });
    let id = about_to_be_recreated(&engine);
    server.control().fail(Some("POST"), SERVICES, 403, Some(2));
    engine.send(EngineCommand::ApplyEdit(id));
    let lost = until(&engine, id, |step| matches!(step, EditState::Failed { .. }));
    assert!(reason(&lost).contains("Create it from its manifest"));
    let (manifest, _) = engine.find("the journal", |scene| {
        let entry = scene.audit_log.last()?;
        match &entry.outcome {
            AuditOutcome::Failed { manifest, .. } => manifest.clone(),
            AuditOutcome::Applied { .. } => None,
        }
    });
    assert_eq!(manifest["spec"]["clusterIP"], "None");
    assert_eq!(server.control().get("Service", "shop", "cache"), None);
}

#[test]
fn a_creation_that_failed_for_no_reason_is_tried_again() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let engine = engine(&server);
    let id = about_to_be_recreated(&engine);
    server.control().fail(Some("POST"), SERVICES, 500, Some(1));
    engine.send(EngineCommand::ApplyEdit(id));
    until(&engine, id, |step| matches!(step, EditState::Applied(_)));
    let after = server.control().get("Service", "shop", "cache").unwrap();
    assert_eq!(after["spec"]["clusterIP"], "None");
}

#[test]
fn a_missing_right_is_named_before_anything_is_tried() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let engine = engine(&server);
    server
        .control()
        .deny(DenyRule::new("delete", "services", DenyScope::Everywhere));
    let wanted = DesiredServiceState {
        migration_path: Some(MigrationPath::Recreate),
        ..DesiredServiceState::of_type(ServiceKind::Headless)
    };
    let refused = tried(&engine, change("cache", wanted));
    assert!(
        reason(&refused).contains("you lack the right to delete services in namespace shop"),
        "{refused:#?}"
    );
}

#[test]
fn read_only_refuses_every_kind_of_write() {
    let server = DemoServer::spawn(quiet()).unwrap();
    let engine = EngineDriver::start(svcscope_engine::EngineConfig {
        kubeconfig: KubeconfigSource::Inline(server.kubeconfig()),
        namespaces: vec!["shop".to_owned()],
        read_only: true,
        ..svcscope_engine::EngineConfig::default()
    });
    engine.wait("the cluster to be read", cluster::is_read);
    let revision = |kind: &str| server.control().list(kind, Some("shop"));
    let before = revision("Service");
    let wishes: [Box<dyn Fn(EditId) -> EngineCommand>; 4] = [
        Box::new(|id| change("cache", DesiredServiceState::of_type(ServiceKind::NodePort))(id)),
        Box::new(|id| EngineCommand::PlanEdit(id, shop("cache"), RequestedChange::Delete)),
        Box::new(|id| EngineCommand::DuplicateService(id, shop("cache"), "copy".into())),
        Box::new(|id| {
            let exposure = ExposeOptions {
                name: Some("exposed".into()),
                ..ExposeOptions::default()
            };
            EngineCommand::PlanExpose(id, "Deployment".into(), shop("api"), exposure)
        }),
    ];
    for wish in wishes {
        let ready = tried(&engine, wish);
        engine.send(EngineCommand::ApplyEdit(ready.id));
        let refused = until(&engine, ready.id, |step| {
            matches!(step, EditState::Failed { .. })
        });
        assert!(reason(&refused).contains("read-only"), "{refused:#?}");
    }
    assert_eq!(revision("Service"), before);
    assert!(engine.handle.scene().audit_log.is_empty());
}

/// A demo cluster and its kubeconfig in a file.
struct DemoWithKubeconfig {
    server: DemoServer,
    _folder: tempfile::TempDir,
    file: String,
}

impl DemoWithKubeconfig {
    fn new() -> Self {
        let server = DemoServer::spawn(quiet()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, server.kubeconfig()).unwrap();
        Self {
            file: file.to_str().unwrap().to_owned(),
            server,
            _folder: folder,
        }
    }

    fn run(&self, words: &str) -> Output {
        let mut args: Vec<_> = words.split_whitespace().collect();
        args.extend(["--kubeconfig", &self.file, "-n", "shop"]);
        run_svcscope(&args)
    }

    #[track_caller]
    fn done(&self, words: &str) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words}: {}", stderr(&output));
        stdout(&output)
    }

    fn spec(&self, name: &str) -> Value {
        let service = self.server.control().get("Service", "shop", name);
        service.unwrap_or_else(|| panic!("no {name}"))["spec"].clone()
    }
}

#[test]
fn the_command_line_asks_or_refuses() {
    let disk = DemoWithKubeconfig::new();
    let output = disk.run("set-type svc/cache NodePort");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("no terminal") && said.contains("--yes"),
        "{said}"
    );
    assert_eq!(disk.spec("cache")["type"], "ClusterIP");

    let output = disk.run("set-type svc/cache headless --dry-run");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("--via external-name:") && said.contains("--via recreate:"),
        "{said}"
    );
    let output = disk.run("set-type svc/nothing NodePort --yes");
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn the_command_line_sets_types_both_ways() {
    let disk = DemoWithKubeconfig::new();
    let dry = disk.done("set-type svc/cache NodePort --dry-run --diff");
    assert!(
        dry.contains("-  type: ClusterIP\n+  type: NodePort"),
        "{dry}"
    );
    assert!(dry.contains("+++ shop/cache (planned)"), "{dry}");
    assert_eq!(disk.spec("cache")["type"], "ClusterIP");

    let printed = disk.done("set-type svc/cache NodePort --node-port 31234 --yes -o json");
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["spec"]["ports"][0]["nodePort"], 31234);
    assert_eq!(disk.spec("cache")["ports"][0]["nodePort"], 31234);

    let said = disk.done("set-type svc/cache Headless --yes");
    assert_eq!(said, "service/cache is headless\n");
    assert_eq!(disk.spec("cache")["clusterIP"], "None");
    disk.done("set-type svc/cache LoadBalancer --via recreate --port http:80:6379 --yes");
    let spec = disk.spec("cache");
    assert_eq!(spec["type"], "LoadBalancer");
    assert_eq!(spec["ports"][0]["name"], "http");

    let taken = disk.run("set-type svc/cache NodePort --node-port 30080 --yes");
    assert_eq!(taken.status.code(), Some(1));
    let said = stderr(&taken);
    assert!(
        said.contains("30080 is held by Service shop/api; free are"),
        "{said}"
    );
}

#[test]
fn the_command_line_sets_ports() {
    let disk = DemoWithKubeconfig::new();
    disk.done("set-ports svc/cache main:6379 admin:8080:web --yes");
    let ports = &disk.spec("cache")["ports"];
    assert_eq!(ports[1]["targetPort"], "web");
    disk.done("set-ports svc/cache --remove admin --add stats:9121/UDP --yes");
    let ports = disk.spec("cache")["ports"].clone();
    assert_eq!(ports.as_array().map(Vec::len), Some(2));
    assert_eq!(ports[1]["protocol"], "UDP");
    let wrong = disk.run("set-ports svc/cache --remove admin --yes");
    assert_eq!(wrong.status.code(), Some(4));
    let unnamed = disk.run("set-ports svc/cache 1 2 --yes");
    assert_eq!(unnamed.status.code(), Some(1));
    assert!(
        stderr(&unnamed).contains("needs a name"),
        "{}",
        stderr(&unnamed)
    );
}

#[test]
fn the_command_line_edits_duplicates_and_deletes() {
    let disk = DemoWithKubeconfig::new();
    let patch = tempfile::NamedTempFile::new().unwrap();
    fs::write(
        patch.path(),
        "metadata:\n  labels: {tier: cache}\nspec:\n  sessionAffinity: ClientIP\n",
    )
    .unwrap();
    let file = patch.path().to_str().unwrap();
    disk.done(&format!("edit svc/cache -f {file} --yes"));
    assert_eq!(disk.spec("cache")["sessionAffinity"], "ClientIP");
    let again = disk.run(&format!("edit svc/cache -f {file} --yes"));
    assert!(
        stderr(&again).contains("is that already"),
        "{}",
        stderr(&again)
    );
    fs::write(patch.path(), "spec: {type: Nodeport}").unwrap();
    let wrong = disk.run(&format!("edit svc/cache -f {file} --yes"));
    assert!(
        stderr(&wrong).contains("spec.type: must be one of"),
        "{}",
        stderr(&wrong)
    );

    disk.done("duplicate svc/cache cache-2 --yes");
    let (one, two) = (disk.spec("cache"), disk.spec("cache-2"));
    assert_eq!(one["selector"], two["selector"]);
    assert_ne!(one["clusterIP"], two["clusterIP"]);
    let there = disk.run("duplicate svc/cache cache-2 --yes");
    assert!(stderr(&there).contains("already"), "{}", stderr(&there));
    assert_eq!(
        disk.done("delete svc/cache-2 --yes"),
        "service/cache-2 is deleted\n"
    );
    assert_eq!(
        disk.server.control().get("Service", "shop", "cache-2"),
        None
    );
}

#[test]
fn the_command_line_exposes() {
    let disk = DemoWithKubeconfig::new();
    disk.done("expose deployment/api --name api-2 --type NodePort --yes");
    let (known, made) = (disk.spec("api"), disk.spec("api-2"));
    assert_eq!(made["selector"], known["selector"]);
    assert_eq!(made["type"], "NodePort");
    assert_eq!(made["ports"][0]["targetPort"], "http");
    disk.done("expose deployment/api --name api-3 --port web:80:http --yes");
    assert_eq!(disk.spec("api-3")["ports"][0]["port"], 80);
    let gone = disk.run("expose deployment/nothing --yes");
    assert_eq!(gone.status.code(), Some(1));
    let job = disk.run("expose job/nothing --yes");
    assert_eq!(job.status.code(), Some(2));
}
