//! Pictures of the map as files: what the canvas draws is in them, text as text.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use proptest::prelude::*;
use resvg::{tiny_skia::Pixmap, usvg::roxmltree::Document};
use svcscope_engine::{ConnectionState, Scene};
use svcscope_model::{inventory::ServiceType, topology::BackendTarget};
use svcscope_ui::export::{ExportFormat, ExportScope, ExportedFile, MapExport};

use crate::sample_scene;

fn at() -> Timestamp {
    "2026-06-01T12:00:00.5Z".parse().expect("a time")
}

fn shop() -> Scene {
    Scene {
        context: Some("lab-eu-1".into()),
        connection: ConnectionState::Connected,
        ..sample_scene::shop().scene(1)
    }
}

fn export(scene: Scene, format: ExportFormat, zoom: f32) -> MapExport {
    MapExport {
        scene: Arc::new(scene),
        format,
        scope: ExportScope::WholeMap { zoom },
        dark: true,
        captured_at: at(),
    }
}

fn made(scene: Scene, format: ExportFormat, zoom: f32) -> ExportedFile {
    let exported = export(scene, format, zoom).render().expect("a file");
    if let Ok(folder) = std::env::var("SVCSCOPE_PICTURES") {
        let name = format!("export-{zoom}.{}", format.extension());
        let path = std::path::Path::new(&folder).join(name);
        std::fs::write(path, &exported.bytes).expect("written");
    }
    exported
}

fn svg(scene: Scene, zoom: f32) -> String {
    String::from_utf8(made(scene, ExportFormat::Svg, zoom).bytes).expect("text")
}

/// Every text of a drawing.
fn labels(svg: &str) -> BTreeSet<String> {
    let document = Document::parse(svg).expect("well-formed");
    document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}

#[test]
fn a_drawing_of_the_shop() {
    let carried = svg(shop(), 1.0);
    let named: String = carried
        .lines()
        .filter(|line| !line.contains("@font-face"))
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!(named);
}

#[test]
fn what_the_map_says_is_text() {
    let scene = shop();
    let labels = labels(&svg(scene.clone(), 1.0));
    let says = |text: &str| labels.iter().any(|label| label.contains(text));
    // Of a name that is too long for its card the end is kept.
    let ends = |name: &str| {
        let cut = |label: &&String| {
            let end = label.strip_prefix('…');
            end.is_some_and(|end| end.len() > 8 && name.ends_with(end))
        };
        labels.iter().any(|label| cut(&label))
    };
    for traffic in scene.topology.services() {
        let service = &traffic.service;
        assert!(says(&service.key.name), "{} is missing", service.key);
        assert!(says(&service.key.namespace), "{} is missing", service.key);
        for ip in service.virtual_ips() {
            assert!(says(ip), "{ip} is missing");
        }
        for port in &traffic.ports {
            assert!(
                says(&port.port.port.to_string()),
                "{} is missing",
                port.port.port
            );
            // Above eight they stand there as one group.
            for backend in port.backends.iter().filter(|_| port.backends.len() <= 8) {
                if let BackendTarget::Pod(pod) = &backend.target {
                    assert!(says(&pod.name) || ends(&pod.name), "{pod} is missing");
                }
            }
        }
    }
}

#[test]
fn a_drawing_says_what_it_is_and_no_secrets() {
    let scene = Scene {
        server: Some("https://user:secret@10.88.0.1:6443".into()),
        ..shop()
    };
    let text = svg(scene, 1.0);
    let document = Document::parse(&text).expect("well-formed");
    let said = |name| {
        let node = document.descendants().find(|node| node.has_tag_name(name));
        node.and_then(|node| node.text())
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(said("title"), "Traffic of lab-eu-1");
    let description = said("desc");
    assert!(
        description.contains("as of 2026-06-01T12:00:00Z"),
        "{description}"
    );
    assert!(description.contains("Services and"), "{description}");
    assert!(!text.contains("secret") && !text.contains("6443/"));
}

#[test]
fn zoomed_out_less_is_drawn() {
    let near = svg(shop(), 1.0);
    let middle = svg(shop(), 0.4);
    let far = svg(shop(), 0.2);
    let pod = |svg: &str| labels(svg).iter().any(|label| label.contains("10.244."));
    assert!(pod(&near) && !pod(&middle) && !pod(&far));
    assert!(labels(&middle).contains("api") && !labels(&far).contains("api"));
    assert!(labels(&far).iter().any(|label| label.contains("shop")));
}

#[test]
fn a_picture_has_its_size_and_is_not_blank() {
    let exported = made(shop(), ExportFormat::Png, 1.0);
    assert!(exported.zoom_reduction.is_none());
    let pixels = Pixmap::decode_png(&exported.bytes).expect("a PNG");
    let bounds = shop().layout.bounds;
    let (width, height) = (pixels.width() as f32, pixels.height() as f32);
    assert!(
        (width - 2.0 * (bounds.width + 32.0)).abs() <= 2.0,
        "{width}"
    );
    assert!(
        (height - 2.0 * (bounds.height + 32.0)).abs() <= 2.0,
        "{height}"
    );
    let colors: BTreeSet<_> = pixels
        .pixels()
        .iter()
        .map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    assert!(colors.len() > 100, "only {} colours", colors.len());
}

#[test]
fn a_light_drawing_is_light() {
    let mut light = export(shop(), ExportFormat::Svg, 1.0);
    light.dark = false;
    let text = String::from_utf8(light.render().expect("a file").bytes).expect("text");
    assert!(text.contains("fill=\"#eef1f5\"") && !text.contains("#12151a"));
}

#[test]
fn a_lost_connection_is_reported() {
    let scene = Scene {
        connection: ConnectionState::Lost {
            since: at(),
            reason: "it is gone".into(),
        },
        ..shop()
    };
    assert!(svg(scene, 1.0).contains("The connection was lost"));
}

#[test]
fn an_empty_map_is_a_picture() {
    for format in ExportFormat::ALL {
        let exported = export(Scene::default(), format, 1.0)
            .render()
            .expect("a file");
        assert!(!exported.bytes.is_empty(), "{format:?}");
    }
}

proptest! {
    // Each case starts an egui with its faces.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_name_gives_a_document(name in prop_oneof![
        "\\PC{1,40}",
        "[\"'<>&\\\\{}|\\[\\]; \u{1}\n\t-]{1,20}",
        "[a-z0-9.-]{253}",
        "[가-힣ء-ي界]{1,60}",
    ]) {
        let mut sample = sample_scene::SampleInventoryBuilder::new();
        let ports = [("http", 80, 8080, None)];
        sample.service(&name, &name, ServiceType::ClusterIP, &ports, (1, 1));
        let mut scene = sample.scene(1);
        scene.context = Some(name.as_str().into());
        for zoom in [1.0, 0.4, 0.2] {
            let text = svg(scene.clone(), zoom);
            let document = Document::parse(&text);
            prop_assert!(document.is_ok(), "{:?} at {}: {:?}", name, zoom, document.err());
        }
    }
}
