//! The YAML before and after, side by side.

use std::collections::VecDeque;

use egui::{Label, RichText, ScrollArea, Ui};

use crate::context::PanelContext;
use svcscope_edit::{DiffLine, DiffLineKind};

/// Lines around a change that are shown.
const CONTEXT_LINES: usize = 3;

/// A line of each side; none where the other side has more.
type YamlDiffRow = (Option<String>, Option<String>, bool);

/// Pairs what goes with what comes; what is far from any change is left out.
pub(super) fn yaml_diff_rows(lines: &[DiffLine]) -> Vec<YamlDiffRow> {
    let mut rows: Vec<YamlDiffRow> = Vec::new();
    let mut gone: VecDeque<usize> = VecDeque::new();
    for line in lines {
        match line.kind {
            DiffLineKind::Same => {
                gone.clear();
                rows.push((Some(line.text.clone()), Some(line.text.clone()), false));
            }
            DiffLineKind::Removed => {
                gone.push_back(rows.len());
                rows.push((Some(line.text.clone()), None, true));
            }
            DiffLineKind::Added => match gone.pop_front().and_then(|at| rows.get_mut(at)) {
                Some(row) => row.1 = Some(line.text.clone()),
                None => rows.push((None, Some(line.text.clone()), true)),
            },
        }
    }
    let changed: Vec<_> = rows.iter().map(|row| row.2).collect();
    let is_near = |at: usize| {
        let from = at.saturating_sub(CONTEXT_LINES);
        changed
            .iter()
            .skip(from)
            .take(at - from + CONTEXT_LINES + 1)
            .any(|it| *it)
    };
    rows.into_iter()
        .enumerate()
        .filter(|(at, _)| is_near(*at))
        .map(|(_, row)| row)
        .collect()
}

/// Draws both sides.
pub(super) fn diff_ui(ui: &mut Ui, ctx: &PanelContext<'_>, rows: &[YamlDiffRow]) {
    let tokens = ctx.tokens;
    ScrollArea::vertical()
        .id_salt("yaml diff")
        .max_height(240.0)
        .show(ui, |ui| {
            ui.columns(2, |columns| {
                let [left, right] = columns else { return };
                for (was, is, changed) in rows {
                    for (ui, text, color, sign) in [
                        (&mut *left, was, tokens.broken, "- "),
                        (&mut *right, is, tokens.healthy, "+ "),
                    ] {
                        let (color, sign) = if *changed {
                            (color, sign)
                        } else {
                            (tokens.dim, "  ")
                        };
                        // A label drops the spaces that it begins with.
                        let said = text
                            .as_ref()
                            .map(|text| format!("{sign}{text}").replace(' ', "\u{a0}"));
                        let line = RichText::new(said.unwrap_or_default())
                            .monospace()
                            .color(color);
                        ui.add(Label::new(line).truncate());
                    }
                }
            });
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use svcscope_edit::yaml_diff;

    #[test]
    fn what_goes_stands_beside_what_comes_and_the_far_is_left_out() {
        let object = |kind: &str| {
            json!({
                "metadata": { "name": "web", "labels": { "a": "1", "b": "2", "c": "3", "d": "4" } },
                "spec": { "type": kind }
            })
        };
        let lines = yaml_diff(Some(&object("ClusterIP")), Some(&object("NodePort")));
        let rows = yaml_diff_rows(&lines);
        let changed: Vec<_> = rows.iter().filter(|row| row.2).collect();
        assert_eq!(changed.len(), 1);
        let side = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        assert_eq!(side(&changed[0].0), "type: ClusterIP");
        assert_eq!(side(&changed[0].1), "type: NodePort");
        assert!(rows.len() <= 2 * CONTEXT_LINES + 1, "{rows:?}");
    }
}
