//! `svcscope map` in each of its forms, on the demo cluster and without a window or a display.

use std::process::Output;

use resvg::{tiny_skia::Pixmap, usvg::roxmltree::Document};

use svcscope_testkit::cluster::{run_svcscope, stderr, stdout, svcscope};

/// Runs `svcscope map --demo` where there is nothing to open a window on.
fn map(args: &[&str]) -> Output {
    let args = [&["map", "--demo"], args].concat();
    let output = svcscope(&args)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("svcscope runs");
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    output
}

fn width(svg: &str) -> f32 {
    let document = Document::parse(svg).expect("well-formed");
    let width = document.root_element().attribute("width").expect("a width");
    width.parse().expect("a number")
}

#[test]
fn a_drawing_has_every_service_of_the_graph() {
    let drawing = stdout(&map(&["-o", "svg"]));
    let document = Document::parse(&drawing).expect("well-formed");
    let labels: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .collect();
    let graph: serde_json::Value =
        serde_json::from_slice(&map(&["-o", "json"]).stdout).expect("JSON");
    let services = graph["services"].as_array().expect("Services");
    assert!(services.len() > 5);
    for service in services {
        let name = service["name"].as_str().expect("a name");
        assert!(
            labels.iter().any(|label| label.contains(name)),
            "{name} is not in the drawing"
        );
    }
}

#[test]
fn zoomed_out_and_in_the_light_theme() {
    let near = stdout(&map(&["-o", "svg"]));
    let far = stdout(&map(&["-o", "svg", "--zoom", "0.3", "--theme", "light"]));
    let shrunk = (width(&far) - 32.0) / (width(&near) - 32.0);
    assert!((shrunk - 0.3).abs() < 0.01, "{shrunk}");
    assert!(near.contains("#12151a") && !far.contains("#12151a"));
    assert!(far.contains("#eef1f5"));
}

#[test]
fn a_picture_goes_into_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("map.png");
    let path = path.to_str().expect("text");
    let output = map(&["-o", "png", "--out", path]);
    assert!(output.stdout.is_empty());
    let pixels = Pixmap::decode_png(&std::fs::read(path).expect("a file")).expect("a PNG");
    assert!(pixels.width() > 500 && pixels.height() > 500);
    // The same to a pipe.
    assert!(Pixmap::decode_png(&map(&["-o", "png"]).stdout).is_ok());
}

#[test]
fn the_graph_for_graphviz() {
    let graph = stdout(&map(&["-o", "dot"]));
    assert!(graph.starts_with("digraph svcscope {") && graph.ends_with("}\n"));
    assert!(graph.contains("subgraph \"cluster "));
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_starts() {
    for args in [
        &["map", "--demo", "-o", "json", "--zoom", "0.5"][..],
        &["map", "--demo", "-o", "dot", "--theme", "light"],
        &["map", "--demo", "-o", "svg", "--zoom", "7"],
        &["map", "--demo", "-o", "bmp"],
    ] {
        let output = run_svcscope(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(!stderr(&output).is_empty(), "{args:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_reported() {
    let output = run_svcscope(&["map", "--demo", "-o", "svg", "--out", "/nowhere/map.svg"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("there is no folder /nowhere"));
}
