//! How the test of all paths of a Service stands.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use svcscope_check::{PathEvidence, PathFingerprint, PathTestReport, path_fingerprint};
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};
use svcscope_net::probe::{
    AccessPath,
    path_test::{
        ConclusionSeverity, PathTestConclusion, PathTestOptions, PathTestOutcome, PathTestPlan,
        PathTestResult, PathTestSummary, terminal_command,
    },
};

/// So many rounds are remembered of each cell.
const MAX_HISTORY_ROUNDS: usize = 60;

/// Names a test as long as the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathTestId(pub u64);

/// What is to be tested, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTestRequest {
    /// The Service.
    pub service: ObjectKey,
    /// Who is asked inside the cluster, and how long a cell may take.
    pub options: PathTestOptions,
    /// Again after so long; none means once.
    pub repeat_interval: Option<Duration>,
}

/// A test of all paths.
#[derive(Clone, Debug, PartialEq)]
pub struct PathTestStatus {
    /// Its name.
    pub id: PathTestId,
    /// What was asked for.
    pub request: Arc<PathTestRequest>,
    /// The paths, once they are planned.
    pub plan: Option<Arc<PathTestPlan>>,
    /// What is known of each, in the plan's order.
    pub cells: Arc<[PathTestCell]>,
    /// What followed from the last round.
    pub conclusions: Arc<[PathTestConclusion]>,
    /// What the last round comes to.
    pub summary: Option<PathTestSummary>,
    /// Rounds that have ended.
    pub rounds: u64,
    /// When this round, or the last one, began.
    pub round_started_at: Timestamp,
    /// How long the last round took.
    pub last_round_duration: Option<Duration>,
    /// Whether a round is under way.
    pub is_running: bool,
    /// Whether it goes on after this round.
    pub repeats: bool,
    /// Why it ended without a result.
    pub failure: Option<SharedStr>,
    /// What the Service was when this round, or the last one, began.
    pub path_fingerprint: Option<PathFingerprint>,
}

/// One path of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct PathTestCell {
    /// What came the last time.
    pub result: Option<PathTestResult>,
    /// Whether that is of the round under way.
    pub is_from_current_round: bool,
    /// What came in earlier rounds and this one, the oldest first.
    pub past_outcomes: Vec<PathTestOutcome>,
    /// The command that tries it again in a terminal.
    pub command: Option<SharedStr>,
}

/// What a test tells while it goes on.
pub(super) enum PathTestEvent {
    /// A round begins.
    RoundStarted(Arc<PathTestPlan>, Box<Inventory>),
    /// A cell is done, or is known better.
    PathTested(usize, Box<PathTestResult>),
    /// A round has ended.
    RoundEnded {
        results: Vec<PathTestResult>,
        conclusions: Vec<PathTestConclusion>,
        duration: Duration,
    },
    /// There is nothing to test.
    Failed(SharedStr),
}

impl PathTestStatus {
    pub(super) fn new(id: PathTestId, asked: PathTestRequest) -> Self {
        Self {
            id,
            repeats: asked.repeat_interval.is_some(),
            request: Arc::new(asked),
            plan: None,
            cells: Arc::default(),
            conclusions: Arc::default(),
            summary: None,
            rounds: 0,
            round_started_at: Timestamp::now(),
            last_round_duration: None,
            is_running: true,
            failure: None,
            path_fingerprint: None,
        }
    }

    /// What of the last round counts in the state of the Service. What was known without a test,
    /// the checks know too, and know it as it is now.
    pub(super) fn health_evidence(&self) -> Option<PathTestReport> {
        let way = self.path_fingerprint?;
        // A test that could try nothing is none: what an earlier one found still stands.
        if self.summary == Some(PathTestSummary::Untried) {
            return None;
        }
        let counts = |found: &&PathTestConclusion| {
            let is_known = matches!(found.rule, "no-endpoints" | "none-ready" | "no-ports");
            found.severity >= ConclusionSeverity::Affected && !is_known
        };
        let evidence = self.conclusions.iter().filter(counts);
        let evidence = evidence.map(|found| PathEvidence {
            ports: found.ports.clone(),
            short: found.short.clone(),
            text: found.text.clone(),
            rule: found.rule,
            is_broken: found.severity == ConclusionSeverity::Broken,
        });
        let when = self.round_started_at.to_zoned(TimeZone::system());
        Some(PathTestReport {
            at: self.round_started_at,
            at_text: when.strftime("%H:%M").to_string().into(),
            evidence: evidence.collect(),
            fingerprint: way,
        })
    }

    /// Whether what it found takes the place of what an earlier test found of the same Service. That
    /// all is well by fewer paths proves nothing about a path that failed and was not tried again.
    pub(super) fn supersedes(&self, earlier: &Self) -> bool {
        let found_fault = self
            .conclusions
            .iter()
            .any(|it| it.severity >= ConclusionSeverity::Affected);
        let tried = self.results().filter(|(.., it)| it.reach.is_tried());
        let tried: HashSet<_> = tried.map(|(port, vantage, _)| (port, vantage)).collect();
        let failed =
            |result: &PathTestResult| result.reach.is_tried() && !result.reach.is_reached();
        found_fault
            || earlier
                .results()
                .filter(|(.., result)| failed(result))
                .all(|(port, vantage, _)| tried.contains(&(port, vantage)))
    }

    /// The result of each path of the last round, with the port's number.
    fn results(&self) -> impl Iterator<Item = (u16, &AccessPath, &PathTestResult)> {
        let plan = self.plan.iter();
        plan.flat_map(|plan| {
            plan.cells
                .iter()
                .zip(self.cells.iter())
                .map(move |it| (plan, it))
        })
        .filter_map(|(plan, (planned, cell))| {
            let number = plan.ports.get(planned.port)?.number;
            Some((number, &planned.access_path, cell.result.as_ref()?))
        })
    }

    /// It is over, whether a round was under way or not.
    pub(super) fn stop(&mut self) {
        self.is_running = false;
        self.repeats = false;
    }

    pub(super) fn apply_event(&mut self, news: PathTestEvent) {
        match news {
            PathTestEvent::RoundStarted(plan, inventory) => self.start_round(plan, &inventory),
            PathTestEvent::PathTested(at, result) => {
                let cells = Arc::make_mut(&mut self.cells);
                if let Some(cell) = cells.get_mut(at) {
                    if cell.is_from_current_round {
                        // It was asked again: what it is now known to be counts.
                        cell.past_outcomes.pop();
                    }
                    cell.past_outcomes.push(result.reach);
                    let too_many = cell.past_outcomes.len().saturating_sub(MAX_HISTORY_ROUNDS);
                    cell.past_outcomes.drain(..too_many);
                    cell.result = Some(*result);
                    cell.is_from_current_round = true;
                }
            }
            PathTestEvent::RoundEnded {
                results,
                conclusions,
                duration: took,
            } => {
                self.summary = Some(PathTestSummary::of(&results));
                self.conclusions = conclusions.into();
                self.last_round_duration = Some(took);
                self.rounds += 1;
                self.is_running = false;
                self.failure = None;
            }
            PathTestEvent::Failed(why) => {
                self.failure = Some(why);
                self.is_running = false;
            }
        }
    }

    /// Cells that were there before keep their history: pods and nodes come and go between rounds.
    fn start_round(&mut self, plan: Arc<PathTestPlan>, inventory: &Inventory) {
        let mut known: HashMap<(u16, AccessPath), PathTestCell> = HashMap::new();
        if let Some(before) = &self.plan {
            for (planned, cell) in before.cells.iter().zip(self.cells.iter()) {
                let number = before.ports.get(planned.port).map_or(0, |port| port.number);
                known.insert((number, planned.access_path.clone()), cell.clone());
            }
        }
        self.cells = plan
            .cells
            .iter()
            .map(|planned| {
                let number = plan.ports.get(planned.port).map_or(0, |port| port.number);
                let before = known.remove(&(number, planned.access_path.clone()));
                PathTestCell {
                    result: before.as_ref().and_then(|cell| cell.result.clone()),
                    is_from_current_round: false,
                    past_outcomes: before.map_or_else(Vec::new, |cell| cell.past_outcomes),
                    command: terminal_command(planned, inventory).map(SharedStr::from),
                }
            })
            .collect();
        self.path_fingerprint = path_fingerprint(&plan.service, inventory);
        self.plan = Some(plan);
        self.round_started_at = Timestamp::now();
        self.is_running = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::{Protocol, ServicePort, ServiceRecord, TargetPort};
    use svcscope_net::probe::path_test::plan;

    fn planned() -> Arc<PathTestPlan> {
        let service = ServiceRecord {
            ports: vec![ServicePort {
                name: None,
                protocol: Protocol::Tcp,
                port: 80,
                target_port: TargetPort::Number(8080),
                node_port: None,
                app_protocol: None,
            }],
            ..ServiceRecord::new(ObjectKey::new("shop", "web"))
        };
        let options = PathTestOptions::default();
        Arc::new(plan(&service, &Inventory::default(), &options))
    }

    fn result(reach: PathTestOutcome) -> PathTestResult {
        PathTestResult::not_tried(reach, "")
    }

    #[test]
    fn each_cell_remembers_its_rounds() {
        let asked = PathTestRequest {
            service: ObjectKey::new("shop", "web"),
            options: PathTestOptions::default(),
            repeat_interval: Some(Duration::from_secs(5)),
        };
        let mut status = PathTestStatus::new(PathTestId(1), asked);
        for reach in [PathTestOutcome::Refused, PathTestOutcome::Status(200)] {
            let plan = planned();
            status.apply_event(PathTestEvent::RoundStarted(plan.clone(), Box::default()));
            assert!(status.is_running);
            // What is known better later in a round replaces the first word.
            status.apply_event(PathTestEvent::PathTested(
                0,
                Box::new(result(PathTestOutcome::NotHttp)),
            ));
            status.apply_event(PathTestEvent::PathTested(0, Box::new(result(reach))));
            status.apply_event(PathTestEvent::RoundEnded {
                results: plan.cells.iter().map(|_| result(reach)).collect(),
                conclusions: Vec::new(),
                duration: Duration::from_secs(1),
            });
        }
        assert_eq!(
            status.cells[0].past_outcomes,
            [PathTestOutcome::Refused, PathTestOutcome::Status(200)]
        );
        assert_eq!(status.rounds, 2);
        assert_eq!(status.summary, Some(PathTestSummary::AllReached));
        assert!(status.repeats && !status.is_running);
    }
}
