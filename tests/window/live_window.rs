//! The real window on the real engine on the demo cluster, used by what its widgets are called.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::time::{Duration, Instant};

use egui::{Key, Modifiers, accesskit::Role, vec2};
use egui_kittest::{
    Harness, Node,
    kittest::{By, NodeT as _, Queryable as _},
};
use svcscope_cluster::KubeconfigSource;
use svcscope_demo::{DemoControl, DemoOptions, DemoServer};
use svcscope_engine::{EngineConfig, Scene};
use svcscope_model::inventory::ServiceType;
use svcscope_net::forward::ForwardStatus;
use svcscope_ui::{AppOptions, SvcscopeApp};

use svcscope_testkit::cluster::{self, EngineDriver, PATIENCE};

/// A window on a demo cluster that holds still.
pub struct LiveWindow {
    pub harness: Harness<'static, SvcscopeApp>,
    pub driven: EngineDriver,
    pub server: DemoServer,
}

impl LiveWindow {
    /// Opens it and waits until the cluster is read.
    pub fn open() -> Self {
        Self::open_with(|_| {})
    }

    pub fn open_with(configure: impl FnOnce(&mut EngineConfig)) -> Self {
        let server = DemoServer::spawn(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        })
        .expect("the demo cluster starts");
        let mut config = EngineConfig {
            kubeconfig: KubeconfigSource::Inline(server.kubeconfig()),
            ..EngineConfig::default()
        };
        configure(&mut config);
        let driven = EngineDriver::start(config);
        let handle = driven.handle.clone();
        let harness = Harness::builder()
            .with_size(vec2(1600.0, 1000.0))
            .with_max_steps(64)
            .build_eframe(move |cc| SvcscopeApp::new(cc, handle, AppOptions::default()));
        let mut window = Self {
            harness,
            driven,
            server,
        };
        window.until("the cluster to be read", |window| {
            cluster::is_read(window.scene())
        });
        window
    }

    pub fn control(&self) -> &DemoControl {
        self.server.control()
    }

    /// The scene that is drawn, which the engine may be ahead of.
    pub fn scene(&self) -> &Scene {
        self.harness.state().scene()
    }

    /// Draws until nothing asks for another frame, or a spinner turns.
    pub fn settle(&mut self) {
        self.harness.run_ok();
    }

    /// Draws scene after scene until the window shows what is wished for.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut wish: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        loop {
            self.settle();
            if wish(self) {
                return;
            }
            let Some(left) = PATIENCE.checked_sub(started.elapsed()) else {
                panic!(
                    "waited in vain for {what}; the window says {:#?}",
                    self.words()
                );
            };
            self.driven.wait_for_scene(left);
        }
    }

    /// Waits until a label contains these words.
    #[track_caller]
    pub fn wait_for_text(&mut self, words: &str) {
        self.until(words, |window| window.contains_text(words));
    }

    #[track_caller]
    fn click_found<'a>(&'a mut self, find: impl Fn(&'a Harness<'static, SvcscopeApp>) -> Node<'a>) {
        find(&self.harness).click();
    }

    /// Clicks the one widget that is called so.
    #[track_caller]
    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).scroll_to_me();
        self.settle();
        // The last step of a scroll is seen one frame later.
        self.harness.run_steps(2);
        self.click_found(|harness| harness.get_by_label(label));
        self.settle();
    }

    /// Clicks the one widget of this role that is called so.
    #[track_caller]
    pub fn click_role(&mut self, role: Role, label: &str) {
        self.click_found(|harness| harness.get_by_role_and_label(role, label));
        self.settle();
    }

    /// Clicks the one widget whose name contains this.
    #[track_caller]
    pub fn click_containing(&mut self, part: &str) {
        self.click_found(|harness| harness.get_by_label_contains(part));
        self.settle();
    }

    pub fn key(&mut self, key: Key) {
        self.harness.key_press_modifiers(Modifiers::NONE, key);
        self.settle();
    }

    /// Types into a field, over what is there.
    #[track_caller]
    pub fn type_into(&mut self, label: &str, text: &str) {
        self.harness.get_by_label(label).focus();
        self.settle();
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.settle();
        self.harness.get_by_label(label).type_text(text);
        self.settle();
    }

    pub fn shows(&self, label: &str) -> bool {
        self.harness.query_all_by_label(label).next().is_some()
    }

    pub fn contains_text(&self, part: &str) -> bool {
        self.harness
            .query_all_by_label_contains(part)
            .next()
            .is_some()
    }

    /// Everything that is written or called something.
    fn words(&self) -> Vec<String> {
        self.harness
            .query_all(By::new())
            .filter_map(|node| node.accesskit_node().label())
            .collect()
    }

    /// The first label that starts so.
    pub fn label_starting(&self, start: &str) -> Option<String> {
        self.harness
            .query_all_by_label_contains(start)
            .filter_map(|node| node.accesskit_node().label())
            .find(|label| label.starts_with(start))
    }

    pub fn enabled(&self, label: &str) -> bool {
        let node = self.harness.get_by_label(label);
        !node.accesskit_node().is_disabled()
    }

    /// The newest forward.
    pub fn forward(&self) -> ForwardStatus {
        let scene = self.scene();
        scene.forwards.last().expect("a forward is listed").clone()
    }

    /// Chooses a type in the dialog.
    #[track_caller]
    pub fn choose(&mut self, to: ServiceType) {
        self.click_role(Role::RadioButton, to.as_str());
    }

    /// How long the window is content with its last frame.
    pub fn content_for(&self) -> Duration {
        let output = self.harness.output();
        output
            .viewport_output
            .values()
            .map(|viewport| viewport.repaint_delay)
            .min()
            .expect("the window itself")
    }
}
