//! The whole object as text, with what is typed turned into a patch.

use egui::{RichText, TextEdit, Ui};
use egui_extras::syntax_highlighting::{CodeTheme, highlight};
use serde_json::Value;

use crate::{
    context::PanelContext,
    widgets::{dim, named_field},
};
use svcscope_edit::{DesiredServiceState, merge_patch};
use svcscope_model::inventory::SharedStr;

use super::draft::ServiceDraft;

/// The text as it was when editing began, and as it is.
#[derive(Clone, Debug)]
pub struct YamlDraft {
    original: SharedStr,
    edited: String,
}

impl YamlDraft {
    /// What was typed as a change, or where it is no YAML. Nothing where nothing was typed.
    pub fn desired_state(
        &self,
        draft: &ServiceDraft,
    ) -> Result<Option<DesiredServiceState>, SharedStr> {
        if *self.edited == *self.original {
            return Ok(None);
        }
        let parse = |text: &str| serde_saphyr::from_str::<Value>(text);
        let was = parse(&self.original).map_err(|error| SharedStr::from(error.to_string()))?;
        let is = parse(&self.edited).map_err(|error| {
            let said = error.to_string();
            let first = said.lines().next().unwrap_or_default();
            SharedStr::from(format!("this is not valid YAML: {first}"))
        })?;
        if !is.is_object() {
            return Err("a Service is an object: `apiVersion: v1` …".into());
        }
        Ok(merge_patch(&was, &is).map(|patch| DesiredServiceState {
            migration_path: draft.via,
            merge_patch: Some(patch),
            seen_record: Some(draft.original.clone()),
            ..DesiredServiceState::default()
        }))
    }
}

/// Draws the editor.
pub(super) fn yaml_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    draft: &ServiceDraft,
    yaml: &mut Option<YamlDraft>,
) {
    let known = ctx.scene.yaml.as_ref();
    let known = known.filter(|known| known.service == draft.original.key);
    if yaml.is_none() {
        match known.map(|known| &known.text) {
            None => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    dim(ui, ctx.tokens, "Asking the API server…");
                });
                return;
            }
            Some(Err(reason)) => {
                ui.label(RichText::new(&**reason).color(ctx.tokens.broken));
                return;
            }
            Some(Ok(text)) => {
                *yaml = Some(YamlDraft {
                    original: text.clone(),
                    edited: text.to_string(),
                });
            }
        }
    }
    let Some(editing) = yaml else { return };
    let theme = CodeTheme::from_style(ui.style());
    let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, width: f32| {
        let mut job = highlight(ui.ctx(), ui.style(), &theme, text.as_str(), "yaml");
        job.wrap.max_width = width;
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let field = TextEdit::multiline(&mut editing.edited)
        .code_editor()
        .desired_rows(14)
        .desired_width(f32::INFINITY)
        .layouter(&mut layouter);
    let response = ui.add(field);
    named_field(&response, "YAML of the Service", &editing.edited);
    match editing.desired_state(draft) {
        Err(reason) => {
            ui.label(RichText::new(&*reason).color(ctx.tokens.degraded));
        }
        Ok(None) => {
            dim(
                ui,
                ctx.tokens,
                "What is changed here is sent as a patch; the rest stays.",
            );
        }
        Ok(Some(_)) => {
            if ui.button("Start again from the server's text").clicked() {
                *yaml = None;
            }
        }
    }
}
