//! What the checks say as JUnit XML: a Service is a test case, what is wrong with it a failure.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{refused::ObjectFinding, results::CheckResults};
use svcscope_check::{Finding, Health, ServiceReport, Severity};
use svcscope_model::inventory::{ObjectKey, plain::is_control_char};

/// One suite a namespace.
pub(super) fn write(told: &CheckResults) -> String {
    let mut suites: BTreeMap<&str, Vec<(&ObjectKey, &ServiceReport)>> = BTreeMap::new();
    for (key, report) in &told.reports {
        let suite = suites.entry(&key.namespace).or_default();
        suite.push((key, report));
    }
    let mut xml =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"svcscope\">\n".to_owned();
    let mut objects: BTreeMap<&str, Vec<&ObjectFinding>> = BTreeMap::new();
    for of in &told.objects {
        let namespace = &*of.object.key.namespace;
        suites.entry(namespace).or_default();
        objects.entry(namespace).or_default().push(of);
    }
    for (namespace, cases) in suites {
        let objects = objects.remove(namespace).unwrap_or_default();
        let is_failing = |of: &&&ObjectFinding| of.finding.severity >= Severity::Warning;
        let failing_objects = objects.iter().filter(is_failing).count();
        let failing = cases
            .iter()
            .filter(|(_, report)| reported_findings(report).next().is_some());
        let skipped = cases.iter().filter(|(_, report)| is_skipped(report));
        // Writing to a text does not fail.
        writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
            escaped(namespace),
            cases.len() + objects.len(),
            failing.count() + failing_objects,
            skipped.count()
        )
        .ok();
        for (key, report) in cases {
            write_test_case(&mut xml, key, report);
        }
        for of in objects {
            write_test_case_head(&mut xml, namespace, &of.object.to_string());
            if is_failing(&&of) {
                write_failure(&mut xml, &of.finding);
            }
            xml.push_str("    </testcase>\n");
        }
        xml.push_str("  </testsuite>\n");
    }
    xml + "</testsuites>\n"
}

fn reported_findings(report: &ServiceReport) -> impl Iterator<Item = &Finding> {
    let findings = report.findings.iter();
    findings.filter(|found| found.severity >= Severity::Warning)
}

fn is_skipped(report: &ServiceReport) -> bool {
    report.health == Health::Unknown && reported_findings(report).next().is_none()
}

fn write_test_case(xml: &mut String, key: &ObjectKey, report: &ServiceReport) {
    write_test_case_head(xml, &key.namespace, &key.name);
    for found in reported_findings(report) {
        write_failure(xml, found);
    }
    if is_skipped(report) {
        xml.push_str(
            "      <skipped message=\"unknown: whether it works can't be determined\"/>\n",
        );
    }
    xml.push_str("    </testcase>\n");
}

fn write_test_case_head(xml: &mut String, namespace: &str, name: &str) {
    let (namespace, name) = (escaped(namespace), escaped(name));
    writeln!(
        xml,
        "    <testcase classname=\"{namespace}\" name=\"{name}\">"
    )
    .ok();
}

fn write_failure(xml: &mut String, found: &Finding) {
    let mut lines: Vec<&str> = found.evidence.iter().map(|line| &**line).collect();
    lines.extend(found.hint.as_deref());
    lines.push(found.url());
    writeln!(
        xml,
        "      <failure type=\"{}\" message=\"{}\">{}</failure>",
        found.id,
        escaped(&format!("{}: {}", found.severity.word(), found.message)),
        escaped(&lines.join("\n"))
    )
    .ok();
}

/// A text as XML has it; characters that XML does not allow at all are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if is_control_char(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_said_can_not_break_the_document() {
        assert_eq!(
            escaped("a<b & \"c\"\u{1b}[0m\n"),
            "a&lt;b &amp; &quot;c&quot;[0m\n"
        );
    }
}
