//! The way of every change on the command line: planned, tried, shown, asked for, written, read
//! back.

use std::{io::IsTerminal as _, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    TargetArg,
    args::GlobalFlags,
    edit_flags::{EditFlags, ObjectFormat},
    engine_client::EngineClient,
    exit::{CliExit, cli_error, cli_error_with},
    prompt::{is_yes, prompt_line},
    terminal::{OutputBytes, TerminalLines},
};
use svcscope_edit::{ChangePlan, WriteResponse, unified_diff, yaml, yaml_diff};
use svcscope_engine::{AnalysisScope, EditId, EditState, EngineCommand, Scene};
use svcscope_model::inventory::{ObjectKey, ResourceKind, ServiceRecord};

/// A plan says which nodePorts are taken and which pods a selector finds.
const PLANNED_KINDS: [ResourceKind; 2] = [ResourceKind::Service, ResourceKind::Pod];

/// How long the cluster may take to tell its Services.
const SERVICE_LIST_TIMEOUT: Duration = Duration::from_secs(60);

/// An engine that knows the Services of one namespace, and which one is meant.
pub(super) struct EditRunner {
    remote: EngineClient,
    namespace: String,
    scene: Arc<Scene>,
}

impl EditRunner {
    /// Connects and waits until the Services are known.
    pub(super) fn start(common: &GlobalFlags) -> anyhow::Result<Self> {
        let analysis = AnalysisScope::without_checks(PLANNED_KINDS);
        let (remote, namespace) = EngineClient::start_for_target(common, analysis)?;
        let scene = remote.wait_until_known(&PLANNED_KINDS, SERVICE_LIST_TIMEOUT)?;
        Ok(Self {
            remote,
            namespace,
            scene,
        })
    }

    /// Connects and finds a Service.
    pub(super) fn of_service(
        common: &GlobalFlags,
        target: &TargetArg,
    ) -> anyhow::Result<(Self, Arc<ServiceRecord>)> {
        if !target.is_service() {
            return Err(cli_error(
                CliExit::Usage,
                format!("this is done to a Service; did you mean svc/… instead of {target}?"),
            ));
        }
        let mut editing = Self::start(common)?;
        let key = editing.key(target);
        editing.scene = editing.remote.look_up(key.clone())?;
        let Some(record) = editing.scene.inventory.service(&key).cloned() else {
            return Err(cli_error(
                CliExit::NotFound,
                format!("there is no Service {key}"),
            ));
        };
        Ok((editing, record))
    }

    /// What is known.
    pub(super) fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The target in the namespace that is looked at.
    pub(super) fn key(&self, target: &TargetArg) -> ObjectKey {
        target.in_namespace(&self.namespace).key().clone()
    }

    /// Has the engine plan what `command` asks for, shows the plan, asks, applies it.
    pub(super) fn run(
        &self,
        flags: &EditFlags,
        command: impl FnOnce(EditId) -> EngineCommand,
    ) -> anyhow::Result<CliExit> {
        let handle = self.remote.handle();
        let id = EditId(handle.next_id());
        handle.send(command(id));
        let (plan, preview) = self
            .remote
            .wait_for(None, "the dry run", |scene| match step(scene, id)? {
                EditState::Ready { plan, preview } => Some(Ok((plan.clone(), preview.clone()))),
                step => failed(step).map(Err),
            })??;
        print_plan(&plan, &preview);
        if flags.diff {
            show_diff(flags, &plan, &preview);
        }
        if flags.dry_run {
            print_result(
                flags,
                &plan,
                plan.projected_service
                    .as_ref()
                    .map(|_| (&preview.service, &preview.object)),
                " (dry run)",
            );
            return Ok(CliExit::Success);
        }
        let scene = handle.scene();
        // What is not written anyway needs no answer: the engine refuses it.
        let is_named = !scene.read_only && confirm(&plan, flags, scene.production)?;
        handle.send(if is_named {
            EngineCommand::ApplyEditByName(id, plan.service.name.clone())
        } else {
            EngineCommand::ApplyEdit(id)
        });
        let outcome =
            self.remote
                .wait_for(None, "the write", |scene| match step(scene, id)? {
                    EditState::Applied(outcome) => Some(Ok(outcome.clone())),
                    step => failed(step).map(Err),
                })??;
        for warning in &outcome.warnings {
            eprintln!("svcscope: the API server warns: {warning}");
        }
        let after = outcome.after.as_ref();
        print_result(
            flags,
            &plan,
            after.map(|known| (&*known.record, &*known.object)),
            "",
        );
        Ok(CliExit::Success)
    }
}

fn step(scene: &Scene, id: EditId) -> Option<&EditState> {
    scene
        .edits
        .iter()
        .find(|edit| edit.id == id)
        .map(|edit| &edit.step)
}

fn failed(step: &EditState) -> Option<anyhow::Error> {
    let EditState::Failed {
        reason,
        migration_options: ways,
        ..
    } = step
    else {
        return None;
    };
    let mut more = Vec::new();
    for way in ways {
        more.push(format!("--via {}:", way.path));
        more.extend(way.costs.iter().map(|price| format!("  - {price}")));
    }
    Some(cli_error_with(CliExit::Failed, reason.to_string(), more))
}

fn print_plan(plan: &ChangePlan, preview: &WriteResponse) {
    eprintln!("{}", plan.title);
    if plan.steps.len() > 1 {
        for (index, step) in plan.steps.iter().enumerate() {
            eprintln!("  {}. {}", index + 1, step.sentence);
        }
    }
    for (sign, lines) in [('+', &plan.gains), ('-', &plan.losses), ('!', &plan.notes)] {
        for line in lines {
            eprintln!("  {sign} {line}");
        }
    }
    for warning in &preview.warnings {
        eprintln!("svcscope: the API server warns: {warning}");
    }
}

fn show_diff(flags: &EditFlags, plan: &ChangePlan, preview: &WriteResponse) {
    let before = plan.before.as_ref().map(|known| &*known.object);
    let after = plan.projected_service.as_ref().map(|_| &preview.object);
    let name = |there: bool, when: &str| {
        if there {
            format!("{} ({when})", plan.service)
        } else {
            "/dev/null".to_owned()
        }
    };
    let text = unified_diff(
        &yaml_diff(before, after),
        &name(before.is_some(), "now"),
        &name(after.is_some(), "planned"),
    );
    // With `-o` stdout belongs to the object.
    let mut lines = TerminalLines::default();
    lines.add_all(&text);
    if flags.output.is_some() {
        lines.print_to_stderr();
    } else {
        OutputBytes::lines(lines).print().ok();
    }
}

/// Has the user agree to a plan; whether by the Service's name, without which nothing is changed in
/// a production context.
fn confirm(plan: &ChangePlan, flags: &EditFlags, production: bool) -> anyhow::Result<bool> {
    let name = &plan.service.name;
    let refused = |why: String| cli_error(CliExit::Usage, format!("nothing was written: {why}"));
    if let Some(given) = &flags.confirm {
        if **given != **name {
            return Err(refused(format!(
                "--confirm names {given}, but this change is of {name}: {}",
                plan.title
            )));
        }
        return Ok(true);
    }
    if flags.yes && !production {
        return Ok(false);
    }
    if !std::io::stdin().is_terminal() {
        return Err(refused(if production {
            format!(
                "this context is marked as production, where a change is confirmed by the Service's \
                 name and --yes is not enough; give --confirm {name} to {}, or --dry-run to only \
                 try it",
                plan.title
            )
        } else {
            format!(
                "there is no terminal to ask at whether to {}; give --yes to do it or --dry-run to \
                 only try it",
                plan.title
            )
        }));
    }
    let title = capitalised(&plan.title);
    let agreed = if production {
        let asked = format!("{title}? This is production: type the Service's name to do it: ");
        *prompt_line(&asked)? == **name
    } else {
        is_yes(&prompt_line(&format!("{title}? [y/N] "))?)
    };
    if agreed {
        return Ok(production);
    }
    Err(cli_error(CliExit::Failed, "nothing was written"))
}

fn capitalised(title: &str) -> String {
    let mut letters = title.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The object, or one line in kubectl's manner, on stdout.
fn print_result(
    flags: &EditFlags,
    plan: &ChangePlan,
    after: Option<(&ServiceRecord, &Value)>,
    suffix: &str,
) {
    let Some((service, object)) = after else {
        println!("service/{} is deleted{suffix}", plan.service.name);
        return;
    };
    // That nobody reads it changes nothing of what was done.
    match flags.output {
        Some(ObjectFormat::Json) => OutputBytes::json(format!("{object:#}\n")).print().ok(),
        Some(ObjectFormat::Yaml) => OutputBytes::text(&yaml(Some(object))).print().ok(),
        None => {
            println!("{}", line(service, suffix));
            None
        }
    };
}

fn line(service: &ServiceRecord, suffix: &str) -> String {
    let node_ports: Vec<_> = service
        .ports
        .iter()
        .filter_map(|port| {
            port.node_port
                .map(|node_port| format!("{}:{node_port}", port.port))
        })
        .collect();
    let details = match (&service.external_name, node_ports.as_slice()) {
        (Some(name), _) => format!(" to {name}"),
        (None, []) => String::new(),
        (None, ports) => format!(", nodePorts {}", ports.join(" ")),
    };
    format!(
        "service/{} is {}{details}{suffix}",
        service.key.name,
        service.type_word()
    )
}
