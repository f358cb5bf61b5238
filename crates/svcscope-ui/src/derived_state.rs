//! What follows from a scene and from what was typed; computed when one of them changed and not
//! in every frame.

use std::collections::{BTreeMap, BTreeSet};

use super::{state::ProblemListFilter, theme::Health};
use svcscope_check::{Finding, Severity};
use svcscope_engine::Scene;
use svcscope_filter::SearchQuery;
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// A row of the list of Services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceListRow {
    /// The heading of a namespace.
    Namespace {
        /// Its name.
        name: SharedStr,
        /// How many of its Services pass the filter.
        services: usize,
        /// The worst state among them.
        worst: Health,
        /// Whether its Services are hidden.
        folded: bool,
    },
    /// A Service.
    Service(ObjectKey),
}

/// A finding of some Service: an index into its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRef {
    /// How bad it is.
    pub severity: Severity,
    /// The Service.
    pub service: ObjectKey,
    /// Which of its findings.
    pub finding: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub struct DerivedState {
    scene_revision: Option<u64>,
    search: String,
    filter: String,
    collapsed_namespaces: BTreeSet<SharedStr>,
    /// Rows of the list from top to bottom.
    pub rows: Vec<ServiceListRow>,
    /// Services that the search means; none where nothing is searched.
    pub search_hits: Option<BTreeSet<ObjectKey>>,
    /// All findings that are errors or warnings, the worst first.
    pub problems: Vec<FindingRef>,
    /// The problems that the list of them shows, the worst first.
    pub listed_problems: Vec<FindingRef>,
    listed_for: Option<(u64, ProblemListFilter)>,
    /// Findings that are notes.
    pub notes: usize,
    /// Findings that the user does not want to hear of.
    pub suppressed: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Services in each state, in the order of [`Health::ALL`].
    pub by_state: [usize; Health::ALL.len()],
    /// Services of each type that there is; headless is one.
    pub by_type: BTreeMap<&'static str, usize>,
    /// Services.
    pub services: usize,
    /// Pods.
    pub pods: usize,
    /// Nodes.
    pub nodes: usize,
    selector_matches: Option<SelectorMatches>,
    selector_is_stale: bool,
}

/// How many pods the selector of the selected Service matches.
#[derive(Debug)]
struct SelectorMatches {
    service: ObjectKey,
    matched: usize,
    all: usize,
}

impl DerivedState {
    /// Follows the scene and what was typed.
    pub fn refresh(
        &mut self,
        scene: &Scene,
        search: &str,
        filter: &str,
        folded: &BTreeSet<SharedStr>,
    ) {
        let new_scene = self.scene_revision != Some(scene.revision);
        if new_scene {
            self.scene_revision = Some(scene.revision);
            self.selector_is_stale = true;
            self.refresh_counts(scene);
        }
        if new_scene
            || self.search != search
            || self.filter != filter
            || self.collapsed_namespaces != *folded
        {
            search.clone_into(&mut self.search);
            filter.clone_into(&mut self.filter);
            self.collapsed_namespaces.clone_from(folded);
            self.refresh_search(scene);
        }
    }

    /// Follows what the list of problems shall show.
    pub fn refresh_problems(&mut self, scene: &Scene, view: &ProblemListFilter) {
        let is_current = |(revision, shown): &(u64, ProblemListFilter)| {
            *revision == scene.revision && shown == view
        };
        if self.listed_for.as_ref().is_some_and(is_current) {
            return;
        }
        self.listed_for = Some((scene.revision, view.clone()));
        let least = if view.includes_notes {
            Severity::Note
        } else {
            Severity::Warning
        };
        let wanted = view.text.to_lowercase();
        self.listed_problems = problems(scene, |service, finding| {
            let says = |text: &str| text.to_lowercase().contains(&wanted);
            finding.severity >= least
                && (wanted.is_empty()
                    || says(&finding.message)
                    || says(finding.id)
                    || says(&service.to_string())
                    || finding.hint.as_ref().is_some_and(|hint| says(hint)))
        });
    }

    /// Follows the selection: counts the pods that its selector matches.
    pub fn refresh_selector(&mut self, scene: &Scene, selected: Option<&ObjectKey>) {
        let known = self.selector_matches.as_ref().map(|known| &known.service);
        if known == selected && !self.selector_is_stale {
            return;
        }
        self.selector_is_stale = false;
        self.selector_matches =
            selected
                .and_then(|key| scene.inventory.service(key))
                .map(|service| {
                    let namespace = &service.key.namespace;
                    let matched = scene.inventory.pods_selected_by(service).len();
                    let all = scene.inventory.pods_in(namespace).count();
                    SelectorMatches {
                        service: service.key.clone(),
                        matched,
                        all,
                    }
                });
    }

    /// How many pods the selector of the selected Service matches, and of how many.
    pub fn selector_matches(&self, service: &ObjectKey) -> Option<(usize, usize)> {
        self.selector_matches
            .as_ref()
            .filter(|known| known.service == *service)
            .map(|known| (known.matched, known.all))
    }

    /// Whether the search means a Service, or nothing is searched.
    pub fn matches_search(&self, service: &ObjectKey) -> bool {
        self.search_hits
            .as_ref()
            .is_none_or(|hits| hits.contains(service))
    }

    /// Services in the order of the list, folded ones left out.
    pub fn listed_services(&self) -> impl Iterator<Item = &ObjectKey> {
        self.rows.iter().filter_map(|row| match row {
            ServiceListRow::Service(key) => Some(key),
            ServiceListRow::Namespace { .. } => None,
        })
    }

    fn refresh_counts(&mut self, scene: &Scene) {
        self.services = scene.inventory.services().count();
        self.by_type.clear();
        let mut states = BTreeMap::<Health, usize>::new();
        for service in scene.inventory.services() {
            *self.by_type.entry(service.type_word()).or_default() += 1;
            let report = scene.reports.get(&service.key);
            let state = report.map_or(Health::Unknown, |report| report.health);
            *states.entry(state).or_default() += 1;
        }
        self.by_state = Health::ALL.map(|state| states.get(&state).copied().unwrap_or_default());
        self.pods = scene.inventory.pod_count();
        self.nodes = scene.inventory.nodes().count();
        self.problems = problems(scene, |_, finding| finding.severity >= Severity::Warning);
        let is_note = |finding: &&Finding| finding.severity == Severity::Note;
        (self.notes, self.suppressed) = (0, 0);
        for report in scene.reports.values() {
            self.notes += report.findings.iter().filter(is_note).count();
            self.suppressed += report.suppressed.len();
        }
        let of = |severity| {
            self.problems
                .iter()
                .filter(|problem| problem.severity == severity)
                .count()
        };
        self.errors = of(Severity::Error);
        self.warnings = of(Severity::Warning);
    }

    fn refresh_search(&mut self, scene: &Scene) {
        let search = SearchQuery::parse(&self.search);
        let filter = SearchQuery::parse(&self.filter);
        let mut hits = BTreeSet::new();
        let mut listed: BTreeMap<SharedStr, Vec<(ObjectKey, Health)>> = BTreeMap::new();
        for traffic in scene.topology.services() {
            let key = &traffic.service.key;
            let report = scene.reports.get(key).map(|report| &**report);
            if !search.matches(traffic, report) {
                continue;
            }
            if !search.is_empty() {
                hits.insert(key.clone());
            }
            if filter.matches(traffic, report) {
                let state = report.map_or(Health::Unknown, |report| report.health);
                listed
                    .entry(key.namespace.clone())
                    .or_default()
                    .push((key.clone(), state));
            }
        }
        self.search_hits = (!search.is_empty()).then_some(hits);
        self.rows.clear();
        for (name, services) in listed {
            let folded = self.collapsed_namespaces.contains(&name);
            self.rows.push(ServiceListRow::Namespace {
                worst: worst(services.iter().map(|(_, state)| *state)),
                services: services.len(),
                name,
                folded,
            });
            if !folded {
                let rows = services
                    .into_iter()
                    .map(|(key, _)| ServiceListRow::Service(key));
                self.rows.extend(rows);
            }
        }
    }
}

/// Findings of all Services, the worst first.
fn problems(scene: &Scene, wanted: impl Fn(&ObjectKey, &Finding) -> bool) -> Vec<FindingRef> {
    let mut problems = Vec::new();
    for (service, report) in &scene.reports {
        let found = report.findings.iter().enumerate();
        let found = found.filter(|(_, finding)| wanted(service, finding));
        problems.extend(found.map(|(at, finding)| FindingRef {
            severity: finding.severity,
            service: service.clone(),
            finding: at,
        }));
    }
    problems.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.service.cmp(&b.service)));
    problems
}

/// The state that the user must see first. Something broken is worse than something unknown.
fn worst(states: impl Iterator<Item = Health>) -> Health {
    let rank = |state: &Health| match state {
        Health::Healthy => 0,
        Health::Pending => 1,
        Health::Unknown => 2,
        Health::Degraded => 3,
        Health::Broken => 4,
    };
    states.max_by_key(rank).unwrap_or(Health::Unknown)
}
