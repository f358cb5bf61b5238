//! How the test of all paths of a Service stands.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    check::{PathEvidence, TestResult, Way, way_of},
    inventory::{Inventory, ObjectKey, Text},
    probe::{
        Vantage,
        reach::{
            CellResult, Conclusion, Meaning, Plan, Reach, ReachOptions, Verdict, command_line,
        },
    },
};

/// So many rounds are remembered of each cell.
const ROUNDS_KEPT: usize = 60;

/// Names a test as long as the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReachId(pub u64);

/// What is to be tested, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestPaths {
    /// The Service.
    pub service: ObjectKey,
    /// Who is asked inside the cluster, and how long a cell may take.
    pub options: ReachOptions,
    /// Again after so long; none means once.
    pub every: Option<Duration>,
}

/// A test of all paths.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachStatus {
    /// Its name.
    pub id: ReachId,
    /// What was asked for.
    pub asked: Arc<TestPaths>,
    /// The paths, once they are planned.
    pub plan: Option<Arc<Plan>>,
    /// What is known of each, in the plan's order.
    pub cells: Arc<[ReachCell]>,
    /// What followed from the last round.
    pub conclusions: Arc<[Conclusion]>,
    /// What the last round comes to.
    pub verdict: Option<Verdict>,
    /// Rounds that have ended.
    pub rounds: u64,
    /// When this round, or the last one, began.
    pub began: Timestamp,
    /// How long the last round took.
    pub took: Option<Duration>,
    /// Whether a round is under way.
    pub is_running: bool,
    /// Whether it goes on after this round.
    pub goes_on: bool,
    /// Why it ended without a result.
    pub failure: Option<Text>,
    /// What the Service was when this round, or the last one, began.
    pub way: Option<Way>,
}

/// One path of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachCell {
    /// What came the last time.
    pub result: Option<CellResult>,
    /// Whether that is of the round under way.
    pub is_new: bool,
    /// What came in earlier rounds and this one, the oldest first.
    pub history: Vec<Reach>,
    /// The command that tries it again in a terminal.
    pub command: Option<Text>,
}

/// What a test tells while it goes on.
pub(super) enum ReachNews {
    /// A round begins.
    Begun(Arc<Plan>, Box<Inventory>),
    /// A cell is done, or is known better.
    Cell(usize, Box<CellResult>),
    /// A round has ended.
    Ended {
        results: Vec<CellResult>,
        conclusions: Vec<Conclusion>,
        took: Duration,
    },
    /// There is nothing to test.
    Failed(Text),
}

impl ReachStatus {
    pub(super) fn new(id: ReachId, asked: TestPaths) -> Self {
        Self {
            id,
            goes_on: asked.every.is_some(),
            asked: Arc::new(asked),
            plan: None,
            cells: Arc::default(),
            conclusions: Arc::default(),
            verdict: None,
            rounds: 0,
            began: Timestamp::now(),
            took: None,
            is_running: true,
            failure: None,
            way: None,
        }
    }

    /// What of the last round counts in the state of the Service. What was known without a test,
    /// the checks know too, and know it as it is now.
    pub(super) fn result(&self) -> Option<TestResult> {
        let way = self.way?;
        // A test that could try nothing is none: what an earlier one found still stands.
        if self.verdict == Some(Verdict::Untried) {
            return None;
        }
        let counts = |found: &&Conclusion| {
            let is_known = matches!(found.rule, "no-endpoints" | "none-ready" | "no-ports");
            found.means >= Meaning::Affected && !is_known
        };
        let evidence = self.conclusions.iter().filter(counts);
        let evidence = evidence.map(|found| PathEvidence {
            ports: found.ports.clone(),
            short: found.short.clone(),
            text: found.text.clone(),
            rule: found.rule,
            is_broken: found.means == Meaning::Broken,
        });
        let when = self.began.to_zoned(TimeZone::system());
        Some(TestResult {
            at: self.began,
            when: when.strftime("%H:%M").to_string().into(),
            evidence: evidence.collect(),
            way,
        })
    }

    /// Whether what it found takes the place of what an earlier test found of the same Service. That
    /// all is well by fewer paths proves nothing about a path that failed and was not tried again.
    pub(super) fn supersedes(&self, earlier: &Self) -> bool {
        let found_fault = self
            .conclusions
            .iter()
            .any(|it| it.means >= Meaning::Affected);
        let tried = self.results().filter(|(.., it)| it.reach.is_tried());
        let tried: HashSet<_> = tried.map(|(port, vantage, _)| (port, vantage)).collect();
        let failed = |result: &CellResult| result.reach.is_tried() && !result.reach.is_reached();
        found_fault
            || earlier
                .results()
                .filter(|(.., result)| failed(result))
                .all(|(port, vantage, _)| tried.contains(&(port, vantage)))
    }

    /// The result of each path of the last round, with the port's number.
    fn results(&self) -> impl Iterator<Item = (u16, &Vantage, &CellResult)> {
        let plan = self.plan.iter();
        plan.flat_map(|plan| {
            plan.cells
                .iter()
                .zip(self.cells.iter())
                .map(move |it| (plan, it))
        })
        .filter_map(|(plan, (planned, cell))| {
            let number = plan.ports.get(planned.port)?.number;
            Some((number, &planned.vantage, cell.result.as_ref()?))
        })
    }

    /// It is over, whether a round was under way or not.
    pub(super) fn stop(&mut self) {
        self.is_running = false;
        self.goes_on = false;
    }

    pub(super) fn take(&mut self, news: ReachNews) {
        match news {
            ReachNews::Begun(plan, inventory) => self.begin(plan, &inventory),
            ReachNews::Cell(at, result) => {
                let cells = Arc::make_mut(&mut self.cells);
                if let Some(cell) = cells.get_mut(at) {
                    if cell.is_new {
                        // It was asked again: what it is now known to be counts.
                        cell.history.pop();
                    }
                    cell.history.push(result.reach);
                    let too_many = cell.history.len().saturating_sub(ROUNDS_KEPT);
                    cell.history.drain(..too_many);
                    cell.result = Some(*result);
                    cell.is_new = true;
                }
            }
            ReachNews::Ended {
                results,
                conclusions,
                took,
            } => {
                self.verdict = Some(Verdict::of(&results));
                self.conclusions = conclusions.into();
                self.took = Some(took);
                self.rounds += 1;
                self.is_running = false;
                self.failure = None;
            }
            ReachNews::Failed(why) => {
                self.failure = Some(why);
                self.is_running = false;
            }
        }
    }

    /// Cells that were there before keep their history: pods and nodes come and go between rounds.
    fn begin(&mut self, plan: Arc<Plan>, inventory: &Inventory) {
        let mut known: HashMap<(u16, Vantage), ReachCell> = HashMap::new();
        if let Some(before) = &self.plan {
            for (planned, cell) in before.cells.iter().zip(self.cells.iter()) {
                let number = before.ports.get(planned.port).map_or(0, |port| port.number);
                known.insert((number, planned.vantage.clone()), cell.clone());
            }
        }
        self.cells = plan
            .cells
            .iter()
            .map(|planned| {
                let number = plan.ports.get(planned.port).map_or(0, |port| port.number);
                let before = known.remove(&(number, planned.vantage.clone()));
                ReachCell {
                    result: before.as_ref().and_then(|cell| cell.result.clone()),
                    is_new: false,
                    history: before.map_or_else(Vec::new, |cell| cell.history),
                    command: command_line(planned, inventory).map(Text::from),
                }
            })
            .collect();
        self.way = way_of(&plan.service, inventory);
        self.plan = Some(plan);
        self.began = Timestamp::now();
        self.is_running = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::{Protocol, ServicePort, ServiceRecord, TargetPort},
        probe::reach::plan,
    };

    fn planned() -> Arc<Plan> {
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
        let options = ReachOptions::default();
        Arc::new(plan(&service, &Inventory::default(), &options))
    }

    fn result(reach: Reach) -> CellResult {
        CellResult::not_tried(reach, "")
    }

    #[test]
    fn each_cell_remembers_its_rounds() {
        let asked = TestPaths {
            service: ObjectKey::new("shop", "web"),
            options: ReachOptions::default(),
            every: Some(Duration::from_secs(5)),
        };
        let mut status = ReachStatus::new(ReachId(1), asked);
        for reach in [Reach::Refused, Reach::Status(200)] {
            let plan = planned();
            status.take(ReachNews::Begun(plan.clone(), Box::default()));
            assert!(status.is_running);
            // What is known better later in a round replaces the first word.
            status.take(ReachNews::Cell(0, Box::new(result(Reach::NotHttp))));
            status.take(ReachNews::Cell(0, Box::new(result(reach))));
            status.take(ReachNews::Ended {
                results: plan.cells.iter().map(|_| result(reach)).collect(),
                conclusions: Vec::new(),
                took: Duration::from_secs(1),
            });
        }
        assert_eq!(
            status.cells[0].history,
            [Reach::Refused, Reach::Status(200)]
        );
        assert_eq!(status.rounds, 2);
        assert_eq!(status.verdict, Some(Verdict::AllReached));
        assert!(status.goes_on && !status.is_running);
    }
}
