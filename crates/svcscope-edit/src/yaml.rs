//! A Service as YAML, and what differs between two, line by line.

use serde_json::Value;

use svcscope_model::inventory::plain::{is_control_char, plain_json};

/// What has no place where the user compares: the server counts it for itself.
const SERVER_MAINTAINED_FIELDS: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
];

/// Lines of context in a unified diff, as `diff -u` has it.
const CONTEXT: usize = 3;

/// How a line stands in a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffLineKind {
    /// In both.
    Same,
    /// Only before.
    Removed,
    /// Only after.
    Added,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Where it stands.
    pub kind: DiffLineKind,
    /// Without its end.
    pub text: String,
}

/// The object as YAML without what the server counts for itself; nothing for no object.
pub fn yaml(object: Option<&Value>) -> String {
    let Some(object) = object else {
        return String::new();
    };
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in SERVER_MAINTAINED_FIELDS {
            metadata.shift_remove(field);
        }
    }
    to_yaml(&object)
}

/// A value as YAML of which no byte commands a terminal.
pub fn to_yaml(value: &Value) -> String {
    // The writer escapes control characters, but not those that turn the direction of writing.
    // JSON is YAML: what it shows is as true.
    match serde_saphyr::to_string(value) {
        Ok(yaml) if !yaml.contains(|c| c != '\n' && is_control_char(c)) => yaml,
        _ => plain_json(format!("{value:#}\n")),
    }
}

/// The lines of two objects as YAML; none stands for no object.
pub fn yaml_diff(before: Option<&Value>, after: Option<&Value>) -> Vec<DiffLine> {
    let after = after.map(|after| match before {
        Some(before) => ordered_like(before, after),
        None => after.clone(),
    });
    let (before, after) = (yaml(before), yaml(after.as_ref()));
    let was: Vec<_> = before.lines().collect();
    let is: Vec<_> = after.lines().collect();
    diff(&was, &is)
}

/// The same with its fields in the order of a model: what only stands elsewhere is no difference.
fn ordered_like(model: &Value, value: &Value) -> Value {
    match (model, value) {
        (Value::Object(model), Value::Object(fields)) => {
            let known = model
                .iter()
                .filter_map(|(name, model)| Some((name, ordered_like(model, fields.get(name)?))));
            let others = fields
                .iter()
                .filter(|(name, _)| !model.contains_key(*name))
                .map(|(name, value)| (name, value.clone()));
            known
                .chain(others)
                .map(|(name, value)| (name.clone(), value))
                .collect()
        }
        (Value::Array(models), Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                models
                    .get(index)
                    .map_or_else(|| item.clone(), |model| ordered_like(model, item))
            })
            .collect(),
        _ => value.clone(),
    }
}

/// A longest common subsequence, by the table: a Service has some dozens of lines.
fn diff(was: &[&str], is: &[&str]) -> Vec<DiffLine> {
    let width = is.len() + 1;
    let mut common = vec![0_u32; (was.len() + 1) * width];
    let cell = |common: &[u32], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    for (i, old) in was.iter().enumerate().rev() {
        for (j, new) in is.iter().enumerate().rev() {
            let length = if old == new {
                cell(&common, i + 1, j + 1) + 1
            } else {
                cell(&common, i + 1, j).max(cell(&common, i, j + 1))
            };
            if let Some(slot) = common.get_mut(i * width + j) {
                *slot = length;
            }
        }
    }
    let line = |kind, text: &str| DiffLine {
        kind,
        text: text.to_owned(),
    };
    let mut lines = Vec::with_capacity(was.len().max(is.len()));
    let (mut i, mut j) = (0, 0);
    loop {
        match (was.get(i), is.get(j)) {
            (None, None) => return lines,
            (Some(old), Some(new)) if old == new => {
                lines.push(line(DiffLineKind::Same, old));
                (i, j) = (i + 1, j + 1);
            }
            (Some(old), new)
                if new.is_none() || cell(&common, i + 1, j) >= cell(&common, i, j + 1) =>
            {
                lines.push(line(DiffLineKind::Removed, old));
                i += 1;
            }
            (_, Some(new)) => {
                lines.push(line(DiffLineKind::Added, new));
                j += 1;
            }
            // Without a new line the arm before the last took the old one.
            (Some(_), None) => i += 1,
        }
    }
}

/// The diff as `diff -u` prints it; empty where nothing differs.
pub fn unified_diff(lines: &[DiffLine], before: &str, after: &str) -> String {
    let is_change = |line: &DiffLine| line.kind != DiffLineKind::Same;
    let near = |index: usize| {
        let from = index.saturating_sub(CONTEXT);
        lines
            .iter()
            .skip(from)
            .take(index - from + CONTEXT + 1)
            .any(is_change)
    };
    let shown: Vec<bool> = (0..lines.len()).map(near).collect();
    let mut text = String::new();
    let (mut old, mut new) = (1, 1);
    let mut index = 0;
    while index < lines.len() {
        let hunk: Vec<_> = lines
            .iter()
            .zip(&shown)
            .skip(index)
            .take_while(|(_, shown)| **shown)
            .map(|(line, _)| line)
            .collect();
        if hunk.is_empty() {
            (old, new, index) = (old + 1, new + 1, index + 1);
            continue;
        }
        let count = |kind| hunk.iter().filter(|line| line.kind != kind).count();
        let (olds, news) = (count(DiffLineKind::Added), count(DiffLineKind::Removed));
        if text.is_empty() {
            text = format!("--- {before}\n+++ {after}\n");
        }
        let start = |first: usize, lines: usize| if lines == 0 { first - 1 } else { first };
        text.push_str(&format!(
            "@@ -{},{olds} +{},{news} @@\n",
            start(old, olds),
            start(new, news)
        ));
        for line in &hunk {
            let sign = match line.kind {
                DiffLineKind::Same => ' ',
                DiffLineKind::Removed => '-',
                DiffLineKind::Added => '+',
            };
            text.push_str(&format!("{sign}{}\n", line.text));
        }
        (old, new, index) = (old + olds, new + news, index + hunk.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_yaml_commands_a_terminal_and_all_of_it_is_read_back() {
        let text = "a\x1b[2J\u{9b}\u{202e}b\n";
        for value in [
            serde_json::json!({"note": text}),
            serde_json::json!({text: ["\x1b", "\n", "plain"]}),
        ] {
            let yaml = to_yaml(&value);
            assert!(
                !yaml.contains(|c| c != '\n' && is_control_char(c)),
                "{yaml}"
            );
            let read: Value = serde_saphyr::from_str(&yaml).expect("it is YAML");
            assert_eq!(read, value);
        }
        assert_eq!(to_yaml(&serde_json::json!({"a": 1})), "a: 1\n");
    }

    #[test]
    fn a_diff_is_what_diff_u_prints() {
        let was: Vec<String> = (1..=20).map(|n| format!("line {n}")).collect();
        let mut is = was.clone();
        is[4] = "other".to_owned();
        is.remove(16);
        let lines = diff(
            &was.iter().map(String::as_str).collect::<Vec<_>>(),
            &is.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        assert_eq!(
            unified_diff(&lines, "a", "b"),
            "--- a\n+++ b\n\
             @@ -2,7 +2,7 @@\n line 2\n line 3\n line 4\n-line 5\n+other\n line 6\n line 7\n line 8\n\
             @@ -14,7 +14,6 @@\n line 14\n line 15\n line 16\n-line 17\n line 18\n line 19\n line 20\n"
        );
        assert_eq!(unified_diff(&diff(&["a"], &["a"]), "a", "b"), "");
    }

    #[test]
    fn another_order_of_fields_is_no_difference() {
        let before = json!({"kind": "Service", "spec": {"type": "ClusterIP", "ports": [{"port": 1, "name": "a"}]}});
        let after = json!({"spec": {"ports": [{"name": "a", "port": 1}], "type": "NodePort"}, "kind": "Service"});
        let changed: Vec<_> = yaml_diff(Some(&before), Some(&after))
            .into_iter()
            .filter(|line| line.kind != DiffLineKind::Same)
            .map(|line| line.text)
            .collect();
        assert_eq!(changed, ["  type: ClusterIP", "  type: NodePort"]);
    }

    #[test]
    fn what_is_new_or_gone_differs_in_every_line() {
        let object = json!({"kind": "Service", "metadata": {"name": "web", "uid": "u"}});
        let added = yaml_diff(None, Some(&object));
        assert!(added.iter().all(|line| line.kind == DiffLineKind::Added));
        assert_eq!(
            unified_diff(&added, "/dev/null", "web"),
            "--- /dev/null\n+++ web\n@@ -0,0 +1,3 @@\n+kind: Service\n+metadata:\n+  name: web\n"
        );
        let removed = yaml_diff(Some(&object), None);
        assert!(
            removed
                .iter()
                .all(|line| line.kind == DiffLineKind::Removed)
        );
        assert_eq!(removed.len(), 3);
    }
}
