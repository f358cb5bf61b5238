//! What is copied, by a button or out of a text that was selected, may be pasted into a terminal.

use egui::{Context, FullOutput, OutputCommand, Plugin};

use svcscope_model::inventory::plain::plain_lines;

/// Takes all that could command a terminal out of whatever is copied: `ESC[201~` ends what a shell
/// takes for pasted text. Line breaks and tabs stay.
pub struct ClipboardSanitizer;

impl Plugin for ClipboardSanitizer {
    fn debug_name(&self) -> &'static str {
        "HarmlessCopies"
    }

    fn output_hook(&mut self, _egui: &Context, output: &mut FullOutput) {
        for command in &mut output.platform_output.commands {
            if let OutputCommand::CopyText(text) = command {
                *text = plain_lines(text).into_owned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_commands_no_terminal() {
        let egui = Context::default();
        egui.add_plugin(ClipboardSanitizer);
        let mut output = egui.run_ui(egui::RawInput::default(), |ui| {
            ui.ctx().copy_text("a\n\tb\x1b[201~\u{202e}".to_owned());
        });
        // Nothing is painted here.
        output.textures_delta.clear();
        assert!(matches!(
            output.platform_output.commands.as_slice(),
            [OutputCommand::CopyText(text)] if text == "a\n\tb␛[201~\u{fffd}"
        ));
    }
}
