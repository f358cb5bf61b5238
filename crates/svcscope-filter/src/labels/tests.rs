use std::collections::BTreeMap;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<SharedStr, SharedStr> {
    pairs
        .iter()
        .map(|(key, value)| (SharedStr::from(*key), SharedStr::from(*value)))
        .collect()
}

#[track_caller]
fn matches(selector: &str, pairs: &[(&str, &str)]) -> bool {
    LabelFilter::parse(selector)
        .unwrap_or_else(|error| panic!("{selector}: {error}"))
        .matches(&labels(pairs))
}

#[track_caller]
fn refused(selector: &str) -> String {
    match LabelFilter::parse(selector) {
        Ok(parsed) => panic!("{selector} was read as {parsed:?}"),
        Err(error) => error.to_string(),
    }
}

/// The cases of `TestSelectorMatches` in apimachinery.
#[test]
fn what_kubectl_matches_is_matched() {
    for (selector, pairs) in [
        ("", &[("x", "y")] as &[_]),
        ("x=y", &[("x", "y")]),
        ("x=y,z=w", &[("x", "y"), ("z", "w")]),
        ("x!=y,z!=w", &[("x", "z"), ("z", "a")]),
        ("notin=in", &[("notin", "in")]),
        ("x", &[("x", "z")]),
        ("!x", &[("y", "z")]),
        ("x>1", &[("x", "2")]),
        ("x<1", &[("x", "0")]),
        ("x == a , y", &[("x", "a"), ("y", "")]),
        ("x in (a,b)", &[("x", "b")]),
        ("x notin (a,b)", &[("x", "c")]),
        ("x notin (a,b)", &[]),
        ("x!=a", &[]),
        ("in in (in,notin)", &[("in", "notin")]),
        ("x=", &[("x", "")]),
        ("x=,y=1", &[("x", ""), ("y", "1")]),
        ("x in (,a)", &[("x", "")]),
        ("x in (a,)", &[("x", "")]),
        ("x in (a,,b)", &[("x", "")]),
        (
            "app.kubernetes.io/name=web",
            &[("app.kubernetes.io/name", "web")],
        ),
        ("a,b\n,\t!c", &[("a", "1"), ("b", "2")]),
    ] {
        assert!(matches(selector, pairs), "{selector} on {pairs:?}");
    }
}

#[test]
fn what_kubectl_does_not_match_is_not_matched() {
    for (selector, pairs) in [
        ("x=z", &[] as &[_]),
        ("x=y", &[("x", "z")]),
        ("x=y,z=w", &[("x", "w"), ("z", "w")]),
        ("x!=y,z!=w", &[("x", "z"), ("z", "w")]),
        ("x", &[("y", "z")]),
        ("!x", &[("x", "z")]),
        ("x>1", &[("x", "0")]),
        ("x>1", &[("x", "many")]),
        ("x>1", &[]),
        ("x<1", &[("x", "2")]),
        ("x in (a,b)", &[("x", "c")]),
        ("x in (a,b)", &[]),
        ("x notin (a,b)", &[("x", "a")]),
    ] {
        assert!(!matches(selector, pairs), "{selector} on {pairs:?}");
    }
}

#[test]
fn errors_name_the_place_and_what_stands_there() {
    for (selector, said) in [
        ("x=a||y=b", "at character 3: the value “a||y”"),
        (
            "x==a==b",
            "at character 5: found “==”, expected “,” or the end",
        ),
        ("!x=a", "at character 3: found “=”, expected “,” or the end"),
        (
            "x<a",
            "at character 3: “>” and “<” compare with a whole number",
        ),
        (
            "x in (a",
            "at character 8: found the end, expected “,” or “)”",
        ),
        ("x in a", "at character 6: found “a”, expected “(”"),
        ("x in ()", "at character 6: between “(” and “)” must stand"),
        (
            "x in (a b)",
            "at character 9: found “b”, expected “,” or “)”",
        ),
        (
            "x,,y",
            "at character 3: found “,”, expected a label after “,”",
        ),
        ("x,", "at character 3: found the end, expected a label"),
        (",x", "at character 1: found “,”, expected a label or “!”"),
        ("x y", "at character 3: found “y”, expected one of ="),
        ("!", "at character 2: found the end, expected a label"),
        ("ä=1", "at character 1: the key “ä” must be letters"),
        ("-x=1", "at character 1: the key “-x”"),
        ("a/b/c", "at character 1: the key “a/b/c” may have one “/”"),
        ("A.b/c=1", "at character 1: “A.b” before the “/”"),
        ("ok,x=-1", "at character 6: the value “-1” must be letters"),
        ("x=(", "at character 3: found “(”, expected a value"),
    ] {
        let error = refused(selector);
        assert!(error.starts_with(said), "{selector}: {error}");
    }
    let long = format!("x={}", "a".repeat(64));
    assert!(refused(&long).contains("at most 63 characters"));
}

#[test]
fn it_reads_back_as_it_was_written() {
    let selector = LabelFilter::parse(" app in (a, b) ").unwrap();
    assert_eq!(selector.to_string(), "app in (a, b)");
    assert!(!selector.is_empty());
    assert!(LabelFilter::parse("  ").unwrap().is_empty());
}

proptest::proptest! {
    /// Whatever is typed, it is read or refused with a place inside it.
    #[test]
    fn nothing_typed_breaks_it(text in "[a-c=!<>(), inot/.é]{0,24}") {
        match LabelFilter::parse(&text) {
            Ok(selector) => { selector.matches(&labels(&[("a", "b")])); }
            Err(error) => proptest::prop_assert!(error.position <= text.chars().count()),
        }
    }
}
