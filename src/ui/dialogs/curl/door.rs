//! The choice of a door.

use std::rc::Rc;

use egui::{ComboBox, Label, RichText, Ui};

use super::Curl;
use crate::{
    forward::{ForwardTarget, RemotePort},
    inventory::{IpFamily, ServiceRecord, ServiceType, Text},
    probe::{self, DoorChoice, InsideName, Insider, Vantage},
    ui::{context::Ctx, dialogs::field_ui},
};

/// More pods than this are no menu.
const MOST_PODS: usize = 100;

/// What is chosen.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// None until a person chose: then it is the first that there is.
    chosen: Option<Vantage>,
    /// What there is to choose from, of which scene's map and for which port.
    offered: Option<(u64, RemotePort, Rc<[DoorChoice]>)>,
}

impl Doors {
    pub(super) fn vantage(&self) -> Vantage {
        let usual = || {
            self.offered
                .as_ref()?
                .2
                .first()
                .map(|door| door.vantage.clone())
        };
        self.chosen.clone().or_else(usual).unwrap_or_default()
    }

    /// The doors of a target, looked for once for each map.
    fn offered(
        &mut self,
        target: &ForwardTarget,
        port: &RemotePort,
        ctx: &Ctx<'_>,
    ) -> Rc<[DoorChoice]> {
        let revision = ctx.scene.map_revision;
        if let Some((of, known, doors)) = &self.offered
            && *of == revision
            && known == port
        {
            return doors.clone();
        }
        let doors: Rc<[_]> = probe::doors(target, port, &ctx.scene.inventory).into();
        self.offered = Some((revision, port.clone(), doors.clone()));
        doors
    }

    pub(super) fn choose(&mut self, vantage: Vantage) {
        self.chosen = Some(vantage);
    }
}

/// Draws the choice, and what an answer through that door leaves out.
pub(super) fn door_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl) {
    let Ok(port) = form.port.port() else {
        return;
    };
    let offered = form.doors.offered(&form.target, &port.port, ctx);
    let chosen = form.doors.vantage();
    let shown = offered
        .iter()
        .find(|door| door.vantage == chosen)
        .map(|door| door.label.clone())
        .unwrap_or_else(|| match &chosen {
            Vantage::Inside { .. } => "Inside the cluster".to_owned(),
            other => format!("{} (no longer there)", other.word()),
        });
    field_ui(ui, ctx, "Door", |ui| {
        let combo = ComboBox::from_id_salt("door")
            .selected_text(&shown)
            .width(420.0)
            .height(320.0)
            .show_ui(ui, |ui| {
                for door in &*offered {
                    let on = door.vantage == chosen;
                    if ui
                        .selectable_label(on, &door.label)
                        .on_hover_text(door.vantage.caveat())
                        .clicked()
                    {
                        form.doors.choose(door.vantage.clone());
                    }
                }
                if let Some(inside) = inside(&form.target, ctx) {
                    let on = matches!(chosen, Vantage::Inside { .. });
                    if ui
                        .selectable_label(on, "Inside the cluster…")
                        .on_hover_text(inside.caveat())
                        .clicked()
                        && !on
                    {
                        form.doors.choose(inside);
                    }
                }
            });
        let enabled = combo.response.enabled();
        combo.response.widget_info(|| {
            let mut info = egui::WidgetInfo::labeled(egui::WidgetType::ComboBox, enabled, "Door");
            info.current_text_value = Some(shown.clone());
            info
        });
        if let Vantage::Inside { from, to } = form.doors.vantage() {
            inside_ui(ui, ctx, form, from, to);
        }
        let caveat = RichText::new(form.doors.vantage().caveat()).color(ctx.tokens.dim);
        ui.add(Label::new(caveat).wrap());
    });
}

/// The first way to ask from inside, where the target is a Service.
fn inside(target: &ForwardTarget, ctx: &Ctx<'_>) -> Option<Vantage> {
    let ForwardTarget::Service(key) = target else {
        return None;
    };
    let to = names(target, ctx).into_iter().next()?.0;
    let from = Insider::ProbePod {
        namespace: key.namespace.clone(),
        agreed: false,
    };
    Some(Vantage::Inside { from, to })
}

/// What a client in there could call the Service.
fn names(target: &ForwardTarget, ctx: &Ctx<'_>) -> Vec<(InsideName, String)> {
    let ForwardTarget::Service(key) = target else {
        return Vec::new();
    };
    let Some(service) = ctx.scene.inventory.service(key) else {
        return Vec::new();
    };
    let mut names = vec![
        (
            InsideName::Full,
            format!("{}.{}.svc.cluster.local", key.name, key.namespace),
        ),
        (
            InsideName::WithNamespace,
            format!("{}.{}", key.name, key.namespace),
        ),
        (InsideName::Short, key.name.to_string()),
    ];
    let families = families_of(service);
    let ips = service.virtual_ips().zip(&families);
    names.extend(ips.map(|(ip, family)| {
        let label = format!("ClusterIP {ip}");
        (InsideName::ClusterIp(*family), label)
    }));
    if service.service_type == ServiceType::ExternalName
        && let Some(name) = &service.external_name
    {
        names.push((InsideName::ExternalName, format!("External name {name}")));
    }
    let pods = ctx.scene.inventory.endpoint_pods_of(key);
    for (pod, _) in pods.into_iter().take(MOST_PODS) {
        names.extend(families.iter().map(|family| {
            let label = match family {
                Some(family) => format!("Pod {pod}, {family}"),
                None => format!("Pod {pod}"),
            };
            (InsideName::Pod(pod.clone(), *family), label)
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

fn inside_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Curl, from: Insider, to: InsideName) {
    let names = names(&form.target, ctx);
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
            .selected_text(from_label(&from))
            .width(280.0)
            .height(280.0)
            .show_ui(ui, |ui| insiders_ui(ui, ctx, &mut new_from));
    });
    if let Insider::ProbePod { namespace, agreed } = &mut new_from {
        ui.checkbox(
            agreed,
            format!("Make a pod in namespace {namespace} for it"),
        )
        .on_hover_text(
            "It may do nothing in the cluster, lives for at most five minutes, and is deleted \
                 when it has served",
        );
    }
    if new_from != from || new_to != to {
        form.doors.choose(Vantage::Inside {
            from: new_from,
            to: new_to,
        });
    }
}

fn from_label(from: &Insider) -> String {
    match from {
        Insider::ProbePod { namespace, .. } => format!("a new pod in {namespace}"),
        Insider::Pod { pod, .. } => format!("pod {pod}"),
    }
}

/// A namespace to make a pod in, or one of the pods that run.
fn insiders_ui(ui: &mut Ui, ctx: &Ctx<'_>, from: &mut Insider) {
    let inventory = &ctx.scene.inventory;
    let mut namespaces: Vec<Text> = inventory
        .services()
        .map(|service| service.key.namespace.clone())
        .collect();
    namespaces.dedup();
    for namespace in namespaces {
        let on =
            matches!(&*from, Insider::ProbePod { namespace: chosen, .. } if *chosen == namespace);
        let choice = Insider::ProbePod {
            namespace,
            agreed: false,
        };
        if ui.selectable_label(on, from_label(&choice)).clicked() && !on {
            *from = choice;
        }
    }
    // A person looks for a pod by name: as many as a menu holds.
    let running = inventory.pods().filter(|pod| pod.is_active() && pod.ready);
    for pod in running.take(200) {
        let choice = Insider::Pod {
            pod: pod.key.clone(),
            container: None,
        };
        let label = from_label(&choice);
        ui.selectable_value(from, choice, label);
    }
}
