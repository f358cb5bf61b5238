//! An export from the window: asked for by key, written by a thread, told by a notice.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use resvg::{tiny_skia::Pixmap, usvg::roxmltree::Document};
use svcscope_engine::Scene;

use crate::test_window::{TestWindow, busy_scene};

impl TestWindow {
    fn ask(&mut self) {
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
        self.settle();
    }

    /// Puts another path into the field.
    fn enter(&mut self, path: &Path) {
        self.harness.get_by_label("File").focus();
        self.settle();
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        let path = path.to_str().expect("text");
        self.harness.get_by_label("File").type_text(path);
        self.settle();
    }

    fn path(&self) -> String {
        let field = self.harness.get_by_label("File");
        field.accesskit_node().value().expect("a path")
    }

    #[track_caller]
    fn wait_for(&mut self, part: &str) {
        let started = Instant::now();
        while !self.contains_text(part) {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "never said {part}"
            );
            self.harness.step();
            std::thread::yield_now();
        }
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn what_is_shown_is_drawn_by_a_thread() {
    let (_folder, path) = folder();
    let mut window = TestWindow::open(busy_scene());
    window.ask();
    let proposed = window.path();
    assert!(
        proposed.contains("svcscope-lab-eu-1-2026-06-01-"),
        "{proposed}"
    );
    assert!(proposed.ends_with(".svg"), "{proposed}");
    let file = path.join("map.svg");
    window.enter(&file);
    window.click("Export");
    window.wait_for("Exported to");
    let text = fs::read_to_string(&file).expect("a file");
    let document = Document::parse(&text).expect("well-formed");
    let width = document.root_element().attribute("width").expect("a width");
    let width: f32 = width.parse().expect("a number");
    // The middle of a window of 1600 points, between the list and the inspector.
    assert!((600.0..1200.0).contains(&width), "{width}");
    let labels: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .collect();
    assert!(labels.contains(&"api"), "{labels:?}");
    // The buttons of the map are for those at the window.
    assert!(!labels.contains(&"Legend"), "{labels:?}");

    // A notice finds its place in its second frame, and moves up when the one above it leaves: a
    // click may come just then.
    for _ in 0..20 {
        window.settle();
        window.click("Copy the path of the file");
        if window.contains_text("Copied the path") {
            return;
        }
    }
    panic!("the path is never copied");
}

#[test]
fn the_whole_map_as_pixels() {
    let (_folder, path) = folder();
    let mut window = TestWindow::open(busy_scene());
    window.ask();
    window.click("PNG");
    assert!(window.path().ends_with(".png"));
    window.click("The whole map");
    let file = path.join("map.png");
    window.enter(&file);
    window.click("Export");
    window.wait_for("Exported to");
    let pixels = Pixmap::decode_png(&fs::read(&file).expect("a file")).expect("a PNG");
    let bounds = busy_scene().layout.bounds;
    assert!((f64::from(pixels.width()) - f64::from(2.0 * (bounds.width + 32.0))).abs() <= 2.0);
}

#[test]
fn the_graph_as_data() {
    let (_folder, path) = folder();
    let mut window = TestWindow::open(busy_scene());
    for (name, begins) in [
        ("DOT", "digraph svcscope {"),
        ("JSON", "{\"state\":\"live\",\"services\":["),
    ] {
        window.ask();
        window.click(name);
        assert!(window.contains_text("The graph of every Service"));
        let file = path.join(name);
        window.enter(&file);
        window.click("Export");
        window.wait_for(&format!("Exported to {}", file.display()));
        let text = fs::read_to_string(&file).expect("a file");
        assert!(text.starts_with(begins), "{}", &text[..60]);
    }
}

#[test]
fn nothing_is_overwritten() {
    let (_folder, path) = folder();
    let file = path.join("mine.json");
    fs::write(&file, "mine").expect("written");
    let mut window = TestWindow::open(busy_scene());
    window.ask();
    window.click("JSON");
    window.enter(&file);
    window.click("Export");
    window.wait_for("exists already: choose another name");
    assert_eq!(fs::read_to_string(&file).expect("still there"), "mine");
}

#[test]
fn a_path_that_can_not_be_used_is_reported_before_it_is_tried() {
    let mut window = TestWindow::open(busy_scene());
    window.ask();
    window.enter(Path::new("map.svg"));
    assert!(window.contains_text("the path starts with /"));
    window.click("Cancel");
    assert!(!window.contains_text("Export the map"));
}

#[test]
fn there_is_nothing_to_export_before_there_is_a_map() {
    let mut window = TestWindow::open(Scene::default());
    window.ask();
    assert!(!window.contains_text("Export the map"));
}
