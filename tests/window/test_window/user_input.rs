//! What the user does at the window and sees in it.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use svcscope_model::topology::NodeId;

use super::TestWindow;

impl TestWindow {
    #[track_caller]
    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.settle();
    }

    /// Clicks on the first of several.
    #[track_caller]
    pub fn click_first(&mut self, label: &str) {
        let mut found = self.harness.query_all_by_label(label);
        found.next().expect("it is shown").click();
        drop(found);
        self.settle();
    }

    pub fn key(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    pub fn press(&mut self, key: Key) {
        self.key(Modifiers::NONE, key);
    }

    /// Types in place of what the field says.
    #[track_caller]
    pub fn type_into(&mut self, label: &str, text: &str) {
        self.harness.get_by_label(label).focus();
        self.settle();
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.harness.get_by_label(label).type_text(text);
        self.settle();
    }

    pub fn shows(&self, label: &str) -> bool {
        self.harness.query_all_by_label(label).next().is_some()
    }

    /// Whether some label holds these words.
    pub fn contains_text(&self, part: &str) -> bool {
        self.harness
            .query_all_by_label_contains(part)
            .next()
            .is_some()
    }

    pub fn selection(&self) -> Option<NodeId> {
        self.harness.state().state().view.selection.clone()
    }
}
