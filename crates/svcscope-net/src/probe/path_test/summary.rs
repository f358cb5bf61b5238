//! What a matrix comes to as a whole.

use serde::Serialize;

use super::PathTestResult;

/// What a matrix comes to, as an exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathTestSummary {
    /// Every path that was tried leads to the application.
    AllReached,
    /// Some paths do, some do not.
    SomeFail,
    /// None does.
    NothingReached,
    /// None could be tried.
    Untried,
}

impl PathTestSummary {
    /// The verdict on these cells.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a PathTestResult>) -> Self {
        let (mut reached, mut failed) = (0, 0);
        for result in results {
            if result.reach.is_reached() {
                reached += 1;
            } else if result.reach.is_tried() {
                failed += 1;
            }
        }
        match (reached, failed) {
            (0, 0) => Self::Untried,
            (_, 0) => Self::AllReached,
            (0, _) => Self::NothingReached,
            _ => Self::SomeFail,
        }
    }
}
