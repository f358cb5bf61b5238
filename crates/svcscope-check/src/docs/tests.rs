//! `docs/checks.md` is made of the rules. To write it anew:
//! `SVCSCOPE_DOCS=write cargo test --lib check::docs`.

use std::{fmt::Write as _, fs, path::Path};

use super::{CheckRule, Health, RuleGroup, rules};

const HEAD: &str = "# Checks

What svcscope looks at, by identifier. This page is made of the rules in `src/check/rules/`; each
rule has its cases, objects in and findings out, in `src/check/cases/`.

A finding is an **error** (does not work), a **warning** (works in part, or soon will not) or a
**note** (worth knowing, nothing is wrong). A rule runs only where all that its proof rests on can be
seen; of what can't be seen nothing is claimed, and the Service is `unknown`, never healthy. What
another rule says better is not told twice.

To hear no more of a rule: in the window, or by the annotation `svcscope.dev/ignore: ID,ID` (or `*`)
on the Service. What is suppressed is counted, and makes no Service degraded or pending; a Service
that a suppressed finding says is broken is `unknown`.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut groups: Vec<RuleGroup> = rules().map(|rule| rule.group).collect();
    groups.sort();
    groups.dedup();
    for group in groups {
        writeln!(page, "\n## {}", group.title()).expect("text");
        for rule in rules().filter(|rule| rule.group == group) {
            page += &section(rule);
        }
    }
    page
}

fn section(rule: &CheckRule) -> String {
    let means = match rule.implied_health {
        Health::Healthy => String::new(),
        verdict => format!(" The Service is then {}.", verdict.word()),
    };
    let needs: Vec<_> = rule
        .required_kinds
        .iter()
        .map(|kind| kind.plural())
        .collect();
    let needs = match needs.as_slice() {
        [] => String::new(),
        needs => format!(" It rests on {}.", needs.join(", ")),
    };
    format!(
        "\n### {}\n\n*{}*: {}.{means}\n\n{}{needs}\n[Kubernetes documentation]({})\n",
        rule.id,
        rule.severity.word(),
        rule.title,
        rule.about,
        rule.url
    )
}

#[test]
fn the_page_says_what_the_rules_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md");
    let page = page();
    if std::env::var("SVCSCOPE_DOCS").is_ok_and(|word| word == "write") {
        fs::write(&path, &page).expect("written");
    }
    let written = fs::read_to_string(&path).expect("../../docs/checks.md");
    assert!(
        written == page,
        "docs/checks.md is old: SVCSCOPE_DOCS=write cargo test --lib check::docs"
    );
}
