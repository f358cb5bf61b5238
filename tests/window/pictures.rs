//! Pictures of the whole window in its states, to look at: written where `SVCSCOPE_PICTURES`
//! says, ignored unless
//! `-- --include-ignored` asks for them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use svcscope_edit::{ServiceKind, WriteResponse};
use svcscope_engine::{ConnectionState, EditId, EditState, MapView, Scene};
use svcscope_filter::{FilterCounts, FilterCriterion, LabelFilter, ServiceFilter};
use svcscope_model::layout::ServiceGrouping;

use crate::test_window::{
    TestWindow, busy_scene, contexts, now, plan, scene_with_edit, scene_with_saved,
};

fn save(window: &mut TestWindow, folder: &Path, name: &str) {
    let picture = window.harness.render().expect("a Vulkan or GL driver");
    picture
        .save(folder.join(format!("window-{name}.png")))
        .expect("the folder can be written");
}

#[test]
#[ignore = "needs SVCSCOPE_PICTURES, a folder for them, and a Vulkan or GL driver"]
fn pictures() {
    let folder = std::env::var_os("SVCSCOPE_PICTURES").expect("SVCSCOPE_PICTURES names a folder");
    let folder = PathBuf::from(folder);
    for (theme, word) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut window = TestWindow::open_in(busy_scene(), theme);
        save(&mut window, &folder, &format!("start-{word}"));
        window.click("Service shop/api");
        window.harness.run_steps(100);
        save(&mut window, &folder, &format!("selected-{word}"));
        for tab in ["Requests 1", "Problems: 2 errors, 1 warning", "Activity"] {
            if window.harness.query_by_label(tab).is_some() {
                window.click(tab);
                save(&mut window, &folder, &format!("tab-{tab}-{word}"));
            }
        }
        window.click("Forward");
        save(&mut window, &folder, &format!("forward-{word}"));
        window.click("Close");
        window.publish(scene_with_saved());
        window.click("Forwards 1");
        window.click("More for forward shop/web");
        save(&mut window, &folder, &format!("saved-{word}"));
        window.click("Save…");
        save(&mut window, &folder, &format!("save-{word}"));
        window.click("Close");
        window.publish(busy_scene());
        window.click("Requests 1");
        window.click("Show request shop/api");
        save(&mut window, &folder, &format!("curl-{word}"));
        window.click("Close");
        window.click("Commands");
        save(&mut window, &folder, &format!("palette-{word}"));
        window.harness.key_press(egui::Key::Escape);
        window.settle();
        window.click("Change type…");
        window.click("LoadBalancer");
        let mut change = plan(ServiceKind::LoadBalancer);
        change.gains = vec![
            "an address outside the cluster, once a load balancer grants one".into(),
            "nodePort 30080 stays".into(),
        ];
        change.losses.clear();
        let change = Arc::new(change);
        let ready = EditState::Ready {
            preview: Arc::new(WriteResponse {
                service: change
                    .projected_service
                    .as_ref()
                    .expect("a change")
                    .as_ref()
                    .clone(),
                object: serde_json::json!({}),
                warnings: vec!["spec.loadBalancerIP is deprecated".into()],
            }),
            plan: change,
        };
        window.publish(scene_with_edit(2, EditId(1), ready));
        window.click("Apply…");
        save(&mut window, &folder, &format!("change-{word}"));
        window.click("Close");
        window.click("Keyboard shortcuts");
        save(&mut window, &folder, &format!("help-{word}"));
        window.click("Close");
        window.click("Export…");
        save(&mut window, &folder, &format!("export-{word}"));
    }
    filter_pictures(&folder);
    let failed = Scene {
        connection: ConnectionState::Failed {
            reason: "Tried https://10.88.0.1:6443 of context lab-eu-1: connection refused. Is the cluster running, and is the VPN up?".into(),
        },
        context: Some("lab-eu-1".into()),
        contexts: contexts(),
        ..Scene::default()
    };
    let mut window = TestWindow::open(failed);
    save(&mut window, &folder, "failed");
    let lost = Scene {
        connection: ConnectionState::Lost {
            since: now() - jiff::SignedDuration::from_secs(42),
            reason: "the API server closed the connection".into(),
        },
        ..busy_scene()
    };
    let mut window = TestWindow::open(lost);
    save(&mut window, &folder, "lost");
}

/// What is left out, the menu that does it, a paused map, and the same in a small window.
fn filter_pictures(folder: &Path) {
    let filter = ServiceFilter {
        types: [ServiceKind::NodePort, ServiceKind::LoadBalancer].into(),
        labels: LabelFilter::parse("app in (web,api),!legacy").expect("a selector"),
        ..ServiceFilter::default()
    };
    let grouping = ServiceGrouping::Namespace;
    let scene = Scene {
        map_view: Arc::new(MapView { filter, grouping }),
        filter_counts: FilterCounts {
            services: 3,
            of_services: 12,
            pods: 7,
            of_pods: 31,
            hidden_by: [(FilterCriterion::Type, 9)].into(),
        },
        change_count: 1234,
        ..busy_scene()
    };
    let mut window = TestWindow::open(scene);
    window.click("Pause");
    window.click("Filter 2");
    let field = window.harness.get_by_label("Label selector");
    field.type_text("app in (web");
    window.settle();
    save(&mut window, folder, "filter");
    window.harness.set_size(egui::vec2(900.0, 560.0));
    window.settle();
    save(&mut window, folder, "filter-small");
}
