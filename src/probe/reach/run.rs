//! Trying all cells, side by side and within a budget.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt, future::BoxFuture, stream};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::{CellResult, Plan, PlannedCell, Reach, identity::compare_origins, plan::set_spoken};
use crate::{
    inventory::Text,
    probe::{
        CurlRequest, FailureKind, Insider, Outlet, Vantage, Ways,
        authority::Authority,
        curl,
        inside::{Asker, PodError, to_curl_error},
    },
};

/// So many cells are tried at once.
const SIDE_BY_SIDE: usize = 32;
/// So many of them inside one pod: each is a process there, and a session of the kubelet's.
const INSIDE: usize = 16;

/// Told of each result as it comes: the cell's place in the plan, and what came.
pub type Report<'a> = &'a (dyn Fn(usize, &CellResult) + Send + Sync);

/// Tries every cell of a plan. The results stand in the order of its cells. Dropping the future
/// gives up, and takes away what pods were made.
pub async fn run(plan: &Plan, ways: &Ways, report: Report<'_>) -> Vec<CellResult> {
    let insiders = Insiders::of(plan, ways).await;
    let inside = Semaphore::new(INSIDE);
    let mut results = vec![None; plan.cells.len()];
    // Boxed: a closure that borrows would have to be `FnOnce` for any lifetime.
    let mut trials: Vec<BoxFuture<'_, _>> = Vec::with_capacity(plan.cells.len());
    for (at, cell) in plan.cells.iter().enumerate() {
        let (insiders, inside) = (&insiders, &inside);
        trials.push(Box::pin(async move {
            let result = one(cell, ways, insiders, inside).await;
            report(at, &result);
            (at, result)
        }));
    }
    let tried = stream::iter(trials);
    let mut tried = tried.buffer_unordered(SIDE_BY_SIDE);
    while let Some((at, result)) = tried.next().await {
        if let Some(place) = results.get_mut(at) {
            *place = Some(result);
        }
    }
    drop(tried);
    let mut results: Vec<_> = results
        .into_iter()
        .map(|result| {
            result.unwrap_or_else(|| CellResult::not_tried(Reach::NotTestable, "it was given up"))
        })
        .collect();
    look_again(plan, ways, &mut results, report).await;
    compare_origins(plan, &mut results, report);
    results
}

/// Those who are asked inside the cluster, kept until the last cell is done.
struct Insiders(HashMap<Insider, Result<Arc<Asker>, PodError>>);

impl Insiders {
    async fn of(plan: &Plan, ways: &Ways) -> Self {
        let mut known = HashMap::new();
        for cell in plan.cells.iter().filter(|cell| cell.request.is_ok()) {
            if let Vantage::Inside { from, .. } = &cell.vantage
                && !known.contains_key(from)
            {
                known.insert(from.clone(), ways.inside.asker(from).await);
            }
        }
        Self(known)
    }

    /// Why nobody there can be asked; only a right is a matter of permission.
    fn refusal(&self, vantage: &Vantage) -> Option<CellResult> {
        let Vantage::Inside { from, .. } = vantage else {
            return None;
        };
        let error = self.0.get(from)?.as_ref().err()?;
        let reach = match to_curl_error(error.clone()).kind {
            FailureKind::NotPermitted => Reach::NotPermitted,
            _ => Reach::NotTestable,
        };
        Some(CellResult::not_tried(reach, error.message.clone()))
    }
}

async fn one(
    cell: &PlannedCell,
    ways: &Ways,
    insiders: &Insiders,
    inside: &Semaphore,
) -> CellResult {
    let request = match &cell.request {
        Ok(request) => request,
        Err(skipped) => return (**skipped).clone(),
    };
    if let Some(refused) = insiders.refusal(&cell.vantage) {
        return refused;
    }
    let _turn = match cell.vantage {
        Vantage::Inside { .. } => inside.acquire().await.ok(),
        _ => None,
    };
    ask(request, ways).await
}

async fn ask(request: &CurlRequest, ways: &Ways) -> CellResult {
    let host = Authority::of(request, &ways.inventory.borrow()).host;
    let outcome = curl(request, ways, &Outlet::default()).await;
    CellResult::of(&outcome, &request.vantage, &host, Timestamp::now())
}

/// Where a port answers in another language than it was asked in, asks in which one it does.
async fn look_again(plan: &Plan, ways: &Ways, results: &mut [CellResult], report: Report<'_>) {
    for (index, port) in plan.ports.iter().enumerate() {
        if port.spoken == "tcp" {
            continue;
        }
        let strange = plan
            .cells
            .iter()
            .zip(results.iter())
            .filter(|(cell, _)| cell.port == index)
            .filter(|(cell, _)| matches!(cell.vantage, Vantage::ForwardPod(_)))
            .find(|(_, result)| is_strange(result, port.spoken));
        let Some((
            PlannedCell {
                request: Ok(request),
                ..
            },
            _,
        )) = strange
        else {
            continue;
        };
        let mut speaks = None;
        for language in ["http", "https", "h2c"] {
            if language == port.spoken {
                continue;
            }
            let mut again = (**request).clone();
            set_spoken(&mut again, language);
            let result = ask(&again, ways).await;
            if matches!(result.reach, Reach::Status(_)) && !result.clues.wants_tls {
                speaks = Some(language);
                break;
            }
        }
        let Some(speaks) = speaks else { continue };
        for (at, cell) in plan.cells.iter().enumerate() {
            if let Some(result) = results.get_mut(at).filter(|_| cell.port == index)
                && is_strange(result, port.spoken)
            {
                result.clues.speaks = Some(speaks);
                result.note = Text::from(format!("it speaks {speaks}: {}", result.note));
                report(at, result);
            }
        }
    }
}

/// Something answered, and not as it was asked; or waits for more after a TLS handshake began,
/// which it may take for the beginning of a plain request.
fn is_strange(result: &CellResult, spoken: &str) -> bool {
    match result.reach {
        Reach::NotHttp | Reach::TlsFailed => true,
        Reach::Silent => spoken == "https",
        Reach::Reset => !result.clues.broke_off,
        _ => result.clues.wants_tls,
    }
}
