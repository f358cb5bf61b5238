//! The choice of how connections are spread over pods.

use egui::{ComboBox, Ui, WidgetInfo, WidgetType};

use crate::port_options::pods_of;
use svcscope_engine::Scene;
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardTarget, SpreadPolicy};

/// What can be chosen and what is.
#[derive(Debug)]
pub struct ConnectionSpreadChoice {
    spread: SpreadPolicy,
    pods: Vec<SharedStr>,
}

impl ConnectionSpreadChoice {
    /// For a target; `spread` is chosen.
    pub fn new(scene: &Scene, target: &ForwardTarget, spread: SpreadPolicy) -> Self {
        let mut pods = pods_of(scene, target);
        if let SpreadPolicy::Pinned(pod) = &spread
            && !pods.contains(pod)
        {
            pods.push(pod.clone());
        }
        Self { spread, pods }
    }

    /// What is chosen.
    pub fn spread(&self) -> &SpreadPolicy {
        &self.spread
    }

    /// Draws the choice. One pod leaves none.
    pub fn choice_ui(&mut self, ui: &mut Ui) {
        let options = [
            (
                SpreadPolicy::Sticky,
                "One pod, as long as it is ready",
                "The next connection goes where the last one went",
            ),
            (
                SpreadPolicy::Balanced,
                "All ready pods in turn",
                "Each connection goes to the pod with the fewest open ones",
            ),
        ];
        for (spread, text, hint) in options {
            let on = self.spread == spread;
            if ui.radio(on, text).on_hover_text(hint).clicked() {
                self.spread = spread;
            }
        }
        let Some(first) = self.pods.first() else {
            return;
        };
        ui.horizontal(|ui| {
            let pinned = match &self.spread {
                SpreadPolicy::Pinned(pod) => Some(pod.clone()),
                _ => None,
            };
            let hint = "No other pod gets a connection; while this one is not ready, clients wait";
            if ui
                .radio(pinned.is_some(), "Only this pod")
                .on_hover_text(hint)
                .clicked()
                && pinned.is_none()
            {
                self.spread = SpreadPolicy::Pinned(first.clone());
            }
            if let Some(pod) = pinned {
                let response = ComboBox::from_id_salt("pod")
                    .selected_text(&*pod)
                    .width(200.0)
                    .show_ui(ui, |ui| {
                        for name in &self.pods {
                            if ui.selectable_label(*name == pod, &**name).clicked() {
                                self.spread = SpreadPolicy::Pinned(name.clone());
                            }
                        }
                    })
                    .response;
                response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, "Pod"));
            }
        });
    }
}
