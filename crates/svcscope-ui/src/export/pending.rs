//! Exports of the window: made and written by threads of their own, so that no frame waits.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use jiff::Zoned;

use super::{ExportFormat, MapExport, ZoomReduction};
use svcscope_engine::settings as session;

/// What became of an export.
#[derive(Debug)]
pub struct ExportOutcome {
    /// The file.
    pub path: PathBuf,
    /// What is not as it was asked for, or why there is no file.
    pub result: Result<Option<ZoomReduction>, String>,
}

/// Exports that are under way.
pub struct PendingExports {
    receiver: Receiver<ExportOutcome>,
    sender: Sender<ExportOutcome>,
}

impl Default for PendingExports {
    fn default() -> Self {
        let (entry_point, done) = mpsc::channel();
        Self {
            receiver: done,
            sender: entry_point,
        }
    }
}

impl PendingExports {
    /// Starts one. `wake` asks for the frame that will hear of its end.
    pub fn start(&self, export: MapExport, path: PathBuf, wake: impl FnOnce() + Send + 'static) {
        let entry_point = self.sender.clone();
        let to = path.clone();
        let started = thread::Builder::new()
            .name("export".to_owned())
            .spawn(move || {
                let outcome = save(&export, &to);
                // A window that was closed meanwhile wants to hear nothing.
                entry_point
                    .send(ExportOutcome {
                        path: to,
                        result: outcome,
                    })
                    .ok();
                wake();
            });
        if let Err(error) = started {
            let outcome = Err(format!("the export thread could not be started: {error}"));
            self.sender
                .send(ExportOutcome {
                    path,
                    result: outcome,
                })
                .ok();
        }
    }

    /// What ended since the last call.
    pub fn finished(&self) -> Vec<ExportOutcome> {
        self.receiver.try_iter().collect()
    }
}

fn save(export: &MapExport, path: &Path) -> Result<Option<ZoomReduction>, String> {
    let exported = export.render().map_err(|error| error.to_string())?;
    session::write_new(path, &exported.bytes).map_err(|error| error.to_string())?;
    Ok(exported.zoom_reduction)
}

/// The name of a new file: `svcscope-lab-eu-1-2026-06-01-120000.svg`.
pub fn file_name(context: Option<&str>, at: &Zoned, format: ExportFormat) -> String {
    let mut name = String::from("svcscope-");
    if let Some(context) = context {
        // Contexts hold slashes and colons: `arn:aws:eks:…:cluster/web`.
        let safe = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_');
        let words = context.split(|letter| !safe(letter));
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        let context: String = words.join("-").chars().take(60).collect();
        if !context.is_empty() {
            name.push_str(&context);
            name.push('-');
        }
    }
    name.push_str(&at.strftime("%Y-%m-%d-%H%M%S").to_string());
    name.push('.');
    name.push_str(format.extension());
    name
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_file_is_called_after_its_context_and_time() {
        let at = date(2026, 6, 1)
            .at(12, 4, 5, 0)
            .in_tz("UTC")
            .expect("a time");
        let name = |context| file_name(context, &at, ExportFormat::Svg);
        assert_eq!(
            name(Some("lab-eu-1")),
            "svcscope-lab-eu-1-2026-06-01-120405.svg"
        );
        assert_eq!(
            name(Some("arn:aws:eks:eu-1:12:cluster/../web")),
            "svcscope-arn-aws-eks-eu-1-12-cluster-..-web-2026-06-01-120405.svg"
        );
        assert_eq!(name(None), "svcscope-2026-06-01-120405.svg");
        assert!(name(Some(&"x".repeat(300))).len() < 100);
    }
}
