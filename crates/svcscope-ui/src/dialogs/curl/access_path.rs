//! The choice of an access path.

use std::rc::Rc;

use egui::{ComboBox, Label, RichText, Ui};

use super::CurlDialog;
use crate::{context::PanelContext, dialogs::form_row_ui};
use svcscope_model::inventory::{IpFamily, ServiceRecord, ServiceType, SharedStr};
use svcscope_net::{
    forward::{ForwardTarget, RemotePort},
    probe::{self, AccessPath, AccessPathChoice, ExecTarget, InClusterName},
};

/// More pods than this are no menu.
const MAX_MENU_PODS: usize = 100;

/// What is chosen.
#[derive(Debug, Default)]
pub(super) struct AccessPathPicker {
    /// None until the user chose: then it is the first that there is.
    chosen: Option<AccessPath>,
    /// What there is to choose from, of which scene's map and for which port.
    options: Option<(u64, RemotePort, Rc<[AccessPathChoice]>)>,
}

impl AccessPathPicker {
    pub(super) fn access_path(&self) -> AccessPath {
        let usual = || {
            self.options
                .as_ref()?
                .2
                .first()
                .map(|choice| choice.access_path.clone())
        };
        self.chosen.clone().or_else(usual).unwrap_or_default()
    }

    /// The access paths of a target, looked for once for each map.
    fn options_for(
        &mut self,
        target: &ForwardTarget,
        port: &RemotePort,
        ctx: &PanelContext<'_>,
    ) -> Rc<[AccessPathChoice]> {
        let revision = ctx.scene.map_revision;
        if let Some((of, known, choices)) = &self.options
            && *of == revision
            && known == port
        {
            return choices.clone();
        }
        let choices: Rc<[_]> =
            probe::access_path_choices(target, port, &ctx.scene.inventory).into();
        self.options = Some((revision, port.clone(), choices.clone()));
        choices
    }

    pub(super) fn choose(&mut self, vantage: AccessPath) {
        self.chosen = Some(vantage);
    }
}

/// Draws the choice, and what an answer through that access path leaves out.
pub(super) fn access_path_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut CurlDialog) {
    let Ok(port) = form.port.port() else {
        return;
    };
    let offered = form
        .access_path_picker
        .options_for(&form.target, &port.port, ctx);
    let chosen = form.access_path_picker.access_path();
    let shown = offered
        .iter()
        .find(|choice| choice.access_path == chosen)
        .map(|choice| choice.label.clone())
        .unwrap_or_else(|| match &chosen {
            AccessPath::InCluster { .. } => "Inside the cluster".to_owned(),
            other => format!("{} (no longer there)", other.via_flag()),
        });
    form_row_ui(ui, ctx, "Via", |ui| {
        let combo = ComboBox::from_id_salt("door")
            .selected_text(&shown)
            .width(420.0)
            .height(320.0)
            .show_ui(ui, |ui| {
                for choice in &*offered {
                    let on = choice.access_path == chosen;
                    if ui
                        .selectable_label(on, &choice.label)
                        .on_hover_text(choice.access_path.caveat())
                        .clicked()
                    {
                        form.access_path_picker.choose(choice.access_path.clone());
                    }
                }
                if let Some(inside) = in_cluster_path(&form.target, ctx) {
                    let on = matches!(chosen, AccessPath::InCluster { .. });
                    if ui
                        .selectable_label(on, "Inside the cluster…")
                        .on_hover_text(inside.caveat())
                        .clicked()
                        && !on
                    {
                        form.access_path_picker.choose(inside);
                    }
                }
            });
        let enabled = combo.response.enabled();
        combo.response.widget_info(|| {
            let mut info = egui::WidgetInfo::labeled(egui::WidgetType::ComboBox, enabled, "Via");
            info.current_text_value = Some(shown.clone());
            info
        });
        if let AccessPath::InCluster { from, to } = form.access_path_picker.access_path() {
            in_cluster_ui(ui, ctx, form, from, to);
        }
        let caveat =
            RichText::new(form.access_path_picker.access_path().caveat()).color(ctx.tokens.dim);
        ui.add(Label::new(caveat).wrap());
    });
}

/// The first way to ask from inside, where the target is a Service.
fn in_cluster_path(target: &ForwardTarget, ctx: &PanelContext<'_>) -> Option<AccessPath> {
    let ForwardTarget::Service(key) = target else {
        return None;
    };
    let to = in_cluster_names(target, ctx).into_iter().next()?.0;
    let from = ExecTarget::ProbePod {
        namespace: key.namespace.clone(),
        user_consented: false,
    };
    Some(AccessPath::InCluster { from, to })
}

/// What a client in there could call the Service.
fn in_cluster_names(
    target: &ForwardTarget,
    ctx: &PanelContext<'_>,
) -> Vec<(InClusterName, String)> {
    let ForwardTarget::Service(key) = target else {
        return Vec::new();
    };
    let Some(service) = ctx.scene.inventory.service(key) else {
        return Vec::new();
    };
    let mut names = vec![
        (
            InClusterName::Full,
            format!("{}.{}.svc.cluster.local", key.name, key.namespace),
        ),
        (
            InClusterName::WithNamespace,
            format!("{}.{}", key.name, key.namespace),
        ),
        (InClusterName::Short, key.name.to_string()),
    ];
    let families = families_of(service);
    let ips = service.virtual_ips().zip(&families);
    names.extend(ips.map(|(ip, family)| {
        let label = format!("ClusterIP {ip}");
        (InClusterName::ClusterIp(*family), label)
    }));
    if service.service_type == ServiceType::ExternalName
        && let Some(name) = &service.external_name
    {
        names.push((InClusterName::ExternalName, format!("External name {name}")));
    }
    let pods = ctx.scene.inventory.endpoint_pods_of(key);
    for (pod, _) in pods.into_iter().take(MAX_MENU_PODS) {
        names.extend(families.iter().map(|family| {
            let label = match family {
                Some(family) => format!("Pod {pod}, {family}"),
                None => format!("Pod {pod}"),
            };
            (InClusterName::Pod(pod.clone(), *family), label)
        }));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|(name, _)| seen.insert(name.clone()));
    names
}

/// The families to choose from; one that needs no name where there is no choice.
fn families_of(service: &ServiceRecord) -> Vec<Option<IpFamily>> {
    let families = service.families();
    if families.len() < 2 {
        return vec![None];
    }
    families.into_iter().map(Some).collect()
}

fn in_cluster_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    form: &mut CurlDialog,
    from: ExecTarget,
    to: InClusterName,
) {
    let names = in_cluster_names(&form.target, ctx);
    let (mut new_from, mut new_to) = (from.clone(), to.clone());
    ui.horizontal(|ui| {
        ui.label(RichText::new("as").color(ctx.tokens.dim));
        let shown = names.iter().find(|(name, _)| *name == to);
        ComboBox::from_id_salt("inside name")
            .selected_text(shown.map_or("?", |(_, label)| label))
            .width(220.0)
            .show_ui(ui, |ui| {
                for (name, label) in &names {
                    ui.selectable_value(&mut new_to, name.clone(), label);
                }
            });
        ui.label(RichText::new("from").color(ctx.tokens.dim));
        ComboBox::from_id_salt("inside from")
            .selected_text(exec_target_label(&from))
            .width(280.0)
            .height(280.0)
            .show_ui(ui, |ui| exec_targets_ui(ui, ctx, &mut new_from));
    });
    if let ExecTarget::ProbePod {
        namespace,
        user_consented: agreed,
    } = &mut new_from
    {
        ui.checkbox(
            agreed,
            format!("Create a probe pod in namespace {namespace}"),
        )
        .on_hover_text(
            "It has no rights in the cluster, lives at most five minutes, and is deleted \
                 when it has served",
        );
    }
    if new_from != from || new_to != to {
        form.access_path_picker.choose(AccessPath::InCluster {
            from: new_from,
            to: new_to,
        });
    }
}

fn exec_target_label(from: &ExecTarget) -> String {
    match from {
        ExecTarget::ProbePod { namespace, .. } => format!("a new pod in {namespace}"),
        ExecTarget::Pod { pod, .. } => format!("pod {pod}"),
    }
}

/// A namespace to make a pod in, or one of the pods that run.
fn exec_targets_ui(ui: &mut Ui, ctx: &PanelContext<'_>, from: &mut ExecTarget) {
    let inventory = &ctx.scene.inventory;
    let mut namespaces: Vec<SharedStr> = inventory
        .services()
        .map(|service| service.key.namespace.clone())
        .collect();
    namespaces.dedup();
    for namespace in namespaces {
        let on = matches!(&*from, ExecTarget::ProbePod { namespace: chosen, .. } if *chosen == namespace);
        let choice = ExecTarget::ProbePod {
            namespace,
            user_consented: false,
        };
        if ui
            .selectable_label(on, exec_target_label(&choice))
            .clicked()
            && !on
        {
            *from = choice;
        }
    }
    // The user looks for a pod by name: as many as a menu holds.
    let running = inventory.pods().filter(|pod| pod.is_active() && pod.ready);
    for pod in running.take(200) {
        let choice = ExecTarget::Pod {
            pod: pod.key.clone(),
            container: None,
        };
        let label = exec_target_label(&choice);
        ui.selectable_value(from, choice, label);
    }
}
