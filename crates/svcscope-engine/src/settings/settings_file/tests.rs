use std::fs;

use proptest::prelude::*;

use super::*;
use crate::settings::{PinnedService, ProtectionChange, ProtectionFlags, ThemeSetting};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(text: &str) -> Self {
        let home = Self::new();
        fs::write(home.path(), text).unwrap();
        home
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("settings.json")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    fn load(&self) -> LoadedSettings {
        Settings::load(&self.path())
    }

    fn change(&self, change: SettingsChange) -> Result<LoadedSettings, SettingsSaveError> {
        Settings::change(&self.path(), &Settings::default(), &[change])
    }
}

const READ_ONLY: ProtectionFlags = ProtectionFlags {
    read_only: true,
    production: false,
};

/// These marks and no others.
fn protect(context: &str, marks: ProtectionFlags) -> SettingsChange {
    SettingsChange::ChangeProtection {
        context: context.to_owned(),
        change: ProtectionChange {
            added: marks,
            removed: ProtectionFlags::ALL.without(marks),
        },
    }
}

fn chosen() -> Settings {
    Settings {
        theme: ThemeSetting::Light,
        ui_zoom: 1.25,
        last_context: Some("prod".to_owned()),
        last_namespaces: [("prod".to_owned(), vec!["shop".to_owned()])].into(),
        read_only_contexts: ["prod".to_owned()].into(),
        ..Settings::default()
    }
}

#[test]
fn what_is_saved_is_loaded() {
    let home = Home::new();
    assert_eq!(home.load(), LoadedSettings::default());
    for settings in [chosen(), Settings::default()] {
        settings.save(&home.path()).unwrap();
        let loaded = home.load();
        assert_eq!((loaded.settings, loaded.notices), (settings, Vec::new()));
        assert!(loaded.file_exists && loaded.protection_unknown_reason.is_none());
    }
}

#[test]
fn a_file_that_can_not_be_used_protects_and_stays_as_it_is() {
    for (text, why) in [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("\u{feff}{}", "byte order mark"),
        ("// mine\n{}", "at line 1"),
        (r#"{"read_only_contexts": ["prod"],}"#, "trailing comma"),
        (r#"{"theme": "lig"#, "EOF"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        (
            r#"{"theme": "dark", "theme": "light"}"#,
            "`theme` is there twice",
        ),
        (
            r#"{"read_only_contexts": "prod"}"#,
            "`read_only_contexts` is no list",
        ),
        (
            r#"{"read_only_contexts": ["prod", 1]}"#,
            "is no list of names",
        ),
        (
            r#"{"production_contexts": null}"#,
            "`production_contexts` is no list",
        ),
        (r#"{"production_contexts": {"prod": true}}"#, "is no list"),
        (
            r#"{"readOnlyContexts": true}"#,
            "`readOnlyContexts` is no list",
        ),
    ] {
        let home = Home::with(text);
        let fault = home.load().protection_unknown_reason.expect(text);
        let path = home.path().display().to_string();
        assert!(fault.contains(why) && fault.contains(&path), "{fault}");
        assert!(fault.contains("mend that file"), "{fault}");
        for change in [
            SettingsChange::Theme(ThemeSetting::Dark),
            protect("prod", ProtectionFlags::default()),
        ] {
            let error = home.change(change).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(home.text(), text);
        let files = fs::read_dir(home.0.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name());
        let others: Vec<_> = names
            .filter(|name| name != "settings.json" && name != "settings.json.lock")
            .collect();
        assert!(others.is_empty(), "{others:?}");
    }
}

#[test]
fn a_bad_field_costs_itself_and_is_told() {
    let home = Home::with(
        r#"{"theme": "blue", "ui_zoom": "big", "bells": {"a": ["x/y"], "b": 1}, "maps": 5,
            "last_namespaces": {"a": ["x"], "b": "x"}, "last_context": "a",
            "read_only_contexts": ["prod"], "probe_image": 7}"#,
    );
    let loaded = home.load();
    assert_eq!(loaded.protection_unknown_reason, None);
    assert!(loaded.settings.read_only_contexts.contains("prod"));
    assert_eq!(loaded.settings.last_context.as_deref(), Some("a"));
    assert_eq!(loaded.settings.alert_services.len(), 1);
    assert_eq!(loaded.settings.last_namespaces.len(), 1);
    let said = loaded.notices.join("\n");
    for key in [
        "`theme`",
        "`ui_zoom`",
        "`bells.b`",
        "`maps`",
        "`last_namespaces.b`",
        "`probe_image`",
    ] {
        assert!(said.contains(key), "{key} in {said}");
    }
    assert_eq!(loaded.notices.len(), 6, "{said}");
    // What was not understood stays until it is chosen anew.
    home.change(protect("x", READ_ONLY)).unwrap();
    assert_eq!(home.value()["theme"], "blue");
    home.change(SettingsChange::Theme(ThemeSetting::Dark))
        .unwrap();
    assert_eq!(home.value()["theme"], "dark");
    assert_eq!(home.value()["maps"], 5);
    for size in ["0", "-1", "1e39"] {
        let loaded = Home::with(&format!(r#"{{"ui_zoom": {size}}}"#)).load();
        assert_eq!(loaded.settings.ui_zoom.to_bits(), 1.0_f32.to_bits());
        assert_eq!(loaded.notices.len(), 1, "{size}");
    }
}

#[test]
fn an_unknown_key_is_told_and_kept_and_a_misspelt_protection_protects() {
    for (key, told) in [
        ("readOnlyContexts", "it is taken for `read_only_contexts`"),
        ("read-only-contexts", "it is taken for `read_only_contexts`"),
        ("read_only_context", "it is taken for `read_only_contexts`"),
        ("read_only", "it is taken for `read_only_contexts`"),
        (
            "prodution_contexts",
            "it is taken for `production_contexts`",
        ),
        ("production", "it is taken for `production_contexts`"),
        ("uiZoom", "did you mean `ui_zoom`?"),
        ("themes", "did you mean `theme`?"),
        ("minimap", "is not known to this version"),
    ] {
        let home = Home::with(&format!(r#"{{"{key}": ["prod"], "theme": "dark"}}"#));
        let loaded = home.load();
        assert_eq!(loaded.notices.len(), 1);
        assert!(loaded.notices[0].contains(told), "{:?}", loaded.notices);
        let marks = loaded.protected_contexts().flags_of("prod");
        assert_eq!(marks.read_only, told.contains("read_only"), "{key}");
        assert_eq!(marks.production, told.contains("production"), "{key}");
        home.change(SettingsChange::UiZoom(1.1)).unwrap();
        assert_eq!(home.value()[key][0], "prod");
        assert_eq!(home.value()["ui_zoom"].to_string(), "1.1");
        assert!(!home.text().contains("last_context"), "{}", home.text());
    }
}

#[test]
fn a_mark_that_was_not_known_is_not_taken_away() {
    let production = ProtectionFlags {
        production: true,
        ..ProtectionFlags::default()
    };
    let home = Home::with("{}");
    let known = Settings::default();
    // Somebody else marks the context after it was read here.
    fs::write(home.path(), r#"{"read_only_contexts": ["prod"]}"#).unwrap();
    for (before, after, marks) in [
        (
            ProtectionFlags::default(),
            production,
            "read-only, production",
        ),
        (production, ProtectionFlags::default(), "read-only"),
        (
            ProtectionFlags::default(),
            ProtectionFlags::default(),
            "read-only",
        ),
        (READ_ONLY, ProtectionFlags::default(), ""),
    ] {
        let change = SettingsChange::ChangeProtection {
            context: "prod".to_owned(),
            change: ProtectionChange::between(before, after),
        };
        let now = Settings::change(&home.path(), &known, &[change]).unwrap();
        assert_eq!(now.protected_contexts().flags_of("prod").label(), marks);
        assert_eq!(
            home.load().protected_contexts().flags_of("prod").label(),
            marks
        );
    }
}

#[test]
fn a_mark_is_also_taken_away_where_its_key_is_misspelt() {
    let home = Home::with(
        r#"{"readOnlyContexts": ["prod", "other"], "production": ["prod"], "minimap": ["prod"]}"#,
    );
    home.change(protect("prod", ProtectionFlags::default()))
        .unwrap();
    assert_eq!(
        home.load().protected_contexts().flags_of("prod"),
        ProtectionFlags::default()
    );
    assert!(home.load().protected_contexts().flags_of("other").read_only);
    assert_eq!(
        home.value()["readOnlyContexts"],
        serde_json::json!(["other"])
    );
    assert_eq!(home.value()["production"], serde_json::json!([]));
    assert_eq!(home.value()["minimap"][0], "prod");
}

#[test]
fn a_file_that_is_gone_is_written_as_it_was_known() {
    let home = Home::new();
    let change = [SettingsChange::UiZoom(2.0)];
    Settings::change(&home.path(), &chosen(), &change).unwrap();
    let loaded = home.load().settings;
    assert_eq!(loaded.ui_zoom.to_bits(), 2.0_f32.to_bits());
    assert!(loaded.read_only_contexts.contains("prod"));
}

#[test]
fn many_who_write_at_once_lose_nothing() {
    let home = Home::with("{}");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let home = &home;
            scope.spawn(move || {
                for number in 0..10 {
                    let context = format!("{writer}-{number}");
                    home.change(protect(&context, READ_ONLY)).unwrap();
                }
            });
        }
    });
    assert_eq!(home.load().settings.read_only_contexts.len(), 40);
}

/// One of a few, so that they meet.
fn change() -> impl Strategy<Value = SettingsChange> {
    let context = || prop::sample::select(vec!["lab".to_owned(), "prod".to_owned()]);
    let service = || prop::sample::select(vec!["a/x".to_owned(), "a/y".to_owned()]);
    let pin = |(context, service): (String, String)| SettingsChange::PinService {
        context,
        unpinned: Vec::new(),
        pin: Some(PinnedService {
            namespace: "a".to_owned(),
            service,
            x: 40.1,
            y: 8.0,
        }),
    };
    prop_oneof![
        prop::sample::select(vec![
            ThemeSetting::System,
            ThemeSetting::Dark,
            ThemeSetting::Light
        ])
        .prop_map(SettingsChange::Theme),
        (0.5_f32..3.0).prop_map(SettingsChange::UiZoom),
        (context(), prop::collection::vec("[ab]", 0..2)).prop_map(|(context, namespaces)| {
            SettingsChange::SelectNamespaces {
                context,
                namespaces,
            }
        }),
        (prop::option::of((context(), service())), any::<bool>()).prop_map(
            |(service, suppressed)| SettingsChange::SuppressRule {
                rule: "SVC-X".to_owned(),
                service,
                suppressed,
            }
        ),
        (context(), service(), any::<bool>()).prop_map(|(context, service, on)| {
            SettingsChange::SetHealthAlert {
                context,
                service,
                enabled: on,
            }
        }),
        context().prop_map(|context| SettingsChange::GroupBy {
            context,
            grouping: svcscope_model::layout::ServiceGrouping::App,
        }),
        (context(), service()).prop_map(pin),
        context().prop_map(SettingsChange::ForgetPins),
        (context(), any::<bool>(), any::<bool>()).prop_map(|(context, read_only, production)| {
            let marks = ProtectionFlags {
                read_only,
                production,
            };
            protect(&context, marks)
        }),
    ]
}

/// Who writes next, and what.
#[derive(Clone, Debug)]
enum Turn {
    Window(usize, SettingsChange),
    /// By hand: the file is read, changed and written by a program that knows no lock.
    Hand(SettingsChange),
    /// By hand, of something that no version knows.
    HandUnknown(String, u8),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        (0..2_usize, change()).prop_map(|(window, change)| Turn::Window(window, change)),
        change().prop_map(Turn::Hand),
        ("x[a-c]", any::<u8>()).prop_map(|(key, value)| Turn::HandUnknown(key, value)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two windows, each with what it knew when it started, and an editor: the file holds the last
    /// change of each thing, whoever made it.
    #[test]
    fn whoever_writes_between_others_loses_nothing_of_theirs(
        turns in prop::collection::vec(turn(), 0..24)
    ) {
        let home = Home::with("{}");
        let known = [Settings::default(), chosen()];
        let mut wanted = Settings::default();
        for turn in turns {
            match turn {
                Turn::Window(window, change) => {
                    Settings::change(&home.path(), &known[window], std::slice::from_ref(&change)).unwrap();
                    wanted.apply(&change);
                }
                Turn::Hand(change) => {
                    let mut settings = home.load().settings;
                    settings.apply(&change);
                    fs::write(home.path(), serde_json::to_vec(&settings).unwrap()).unwrap();
                    wanted.apply(&change);
                }
                Turn::HandUnknown(key, value) => {
                    let mut document = home.value();
                    document[&key] = value.into();
                    fs::write(home.path(), document.to_string()).unwrap();
                    wanted.unknown.insert(key, value.into());
                }
            }
            let mut loaded = home.load().settings;
            // A map that was never touched and one that holds nothing are the same.
            for settings in [&mut loaded, &mut wanted] {
                settings.maps.retain(|_, map| *map != Default::default());
            }
            prop_assert_eq!(&loaded, &wanted);
        }
    }

    /// However a file is spoilt: no panic, it is never written to while it can't be used, and no
    /// context that can be read of it loses its protection.
    #[test]
    fn a_spoilt_file_never_protects_less_than_what_can_be_read_of_it(
        at in any::<prop::sample::Index>(),
        other in prop_oneof![
            Just(Vec::new()),
            prop::collection::vec(any::<u8>(), 1..4),
            prop::sample::select(vec!["\"", ",", "{", "]", "null", "\u{feff}", "//", "\\u0000"])
                .prop_map(|text| text.as_bytes().to_vec()),
        ],
        cut in 0..40_usize,
    ) {
        let text = r#"{"theme": "dark", "read_only_contexts": ["prod"], "ui_zoom": 1.5,
            "production_contexts": ["live"], "bells": {"lab": ["a/x"]}, "minimap": {"on": true}}"#;
        let mut bytes = text.as_bytes().to_vec();
        let start = at.index(bytes.len());
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, other);
        let home = Home::new();
        fs::write(home.path(), &bytes).unwrap();
        let loaded = home.load();
        let protected = loaded.protected_contexts();
        // What a lenient reader would find, whatever the rest is like.
        let lenient: Option<Value> = serde_json::from_slice(&bytes).ok();
        let listed = |key: &str, name: &str| {
            let list = lenient.as_ref().and_then(|value| value.get(key)?.as_array());
            list.is_some_and(|list| list.iter().any(|one| one == name))
        };
        let is_closed = protected.unknown_reason.is_some();
        prop_assert!(is_closed || lenient.is_some());
        prop_assert!(is_closed || protected.flags_of("prod").read_only >= listed("read_only_contexts", "prod"));
        prop_assert!(is_closed || protected.flags_of("live").production >= listed("production_contexts", "live"));
        let changed = home.change(SettingsChange::Theme(ThemeSetting::Light));
        prop_assert_eq!(changed.is_err(), is_closed);
        let after = fs::read(home.path()).unwrap();
        prop_assert!(!is_closed || after == bytes);
        let later = home.load().protected_contexts();
        prop_assert_eq!(later, protected);
    }
}
