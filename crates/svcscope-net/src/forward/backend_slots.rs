//! Which candidate gets a connection, and how many each has.

use super::{SpreadPolicy, endpoint_selection::CandidateEndpoint, status::PodConnectionCount};

/// The pods that a forward leads to or led to.
#[derive(Debug, Default)]
pub(crate) struct BackendSlots {
    slots: Vec<BackendSlot>,
    /// The pod of the last connection that reached one.
    last: Option<CandidateEndpoint>,
    turns: u64,
}

#[derive(Debug)]
struct BackendSlot {
    endpoint: CandidateEndpoint,
    /// Dials under way and open connections: what a burst is spread by.
    in_flight: u32,
    open: u32,
    /// When it was chosen last; a higher number is later.
    last_chosen: u64,
}

impl BackendSlots {
    /// Chooses among candidates of the best fitness that were not tried yet, and takes a seat
    /// there. A pod that terminates is so left as soon as another is ready.
    pub(crate) fn lease(
        &mut self,
        spread: &SpreadPolicy,
        candidates: &[CandidateEndpoint],
        tried: &[CandidateEndpoint],
    ) -> Option<CandidateEndpoint> {
        let untried = || candidates.iter().filter(|one| !tried.contains(one));
        let best = untried().next()?;
        let mut fittest = untried().take_while(|one| one.readiness == best.readiness);
        let chosen = match spread {
            SpreadPolicy::Balanced => fittest.min_by_key(|one| self.load(one)),
            SpreadPolicy::Sticky | SpreadPolicy::Pinned(_) => {
                fittest.find(|one| Some(*one) == self.last.as_ref())
            }
        };
        let chosen = chosen.unwrap_or(best).clone();
        self.turns += 1;
        let turn = self.turns;
        self.slots
            .retain(|seat| seat.in_flight > 0 || candidates.contains(&seat.endpoint));
        match self.find(&chosen) {
            Some(seat) => {
                seat.in_flight += 1;
                seat.last_chosen = turn;
            }
            None => self.slots.push(BackendSlot {
                endpoint: chosen.clone(),
                in_flight: 1,
                open: 0,
                last_chosen: turn,
            }),
        }
        Some(chosen)
    }

    /// The dial to a taken seat has succeeded.
    pub(crate) fn open(&mut self, to: &CandidateEndpoint) {
        if let Some(seat) = self.find(to) {
            seat.open += 1;
        }
        self.last = Some(to.clone());
    }

    /// Gives a seat back; `opened` says whether its dial had succeeded.
    pub(crate) fn release(&mut self, to: &CandidateEndpoint, opened: bool) {
        if let Some(seat) = self.find(to) {
            seat.in_flight = seat.in_flight.saturating_sub(1);
            seat.open = seat.open.saturating_sub(u32::from(opened));
        }
    }

    /// The pod of the last connection that reached one.
    pub(crate) fn last(&self) -> Option<&CandidateEndpoint> {
        self.last.as_ref()
    }

    /// How many connections are open.
    pub(crate) fn count(&self) -> u32 {
        self.slots.iter().map(|seat| seat.open).sum()
    }

    /// The pods that connections are open to, by name.
    pub(crate) fn in_use(&self) -> Vec<PodConnectionCount> {
        let mut pods: Vec<_> = self
            .slots
            .iter()
            .filter(|seat| seat.open > 0)
            .map(|seat| PodConnectionCount {
                pod: seat.endpoint.pod.clone(),
                port: seat.endpoint.port,
                open: seat.open,
            })
            .collect();
        pods.sort_by(|a, b| a.pod.cmp(&b.pod));
        pods
    }

    /// What a balanced choice goes by: the emptiest, then the one whose turn is longest ago.
    fn load(&self, to: &CandidateEndpoint) -> (u32, u64) {
        self.slots
            .iter()
            .find(|seat| seat.endpoint == *to)
            .map_or((0, 0), |seat| (seat.in_flight, seat.last_chosen))
    }

    fn find(&mut self, to: &CandidateEndpoint) -> Option<&mut BackendSlot> {
        self.slots.iter_mut().find(|seat| seat.endpoint == *to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::endpoint_selection::EndpointReadiness;
    use svcscope_model::inventory::ObjectKey;

    fn pod(name: &str, fitness: EndpointReadiness) -> CandidateEndpoint {
        CandidateEndpoint {
            pod: ObjectKey::new("shop", name),
            uid: Some(name.into()),
            port: 8080,
            readiness: fitness,
        }
    }

    fn three() -> Vec<CandidateEndpoint> {
        ["a", "b", "c"]
            .map(|name| pod(name, EndpointReadiness::Ready))
            .into()
    }

    fn names(
        seats: &mut BackendSlots,
        spread: &SpreadPolicy,
        from: &[CandidateEndpoint],
        times: usize,
    ) -> String {
        (0..times)
            .map(|_| seats.lease(spread, from, &[]).unwrap().pod.name.to_string())
            .collect()
    }

    #[test]
    fn balanced_takes_turns_whether_connections_stay_or_end() {
        let mut seats = BackendSlots::default();
        assert_eq!(
            names(&mut seats, &SpreadPolicy::Balanced, &three(), 6),
            "abcabc"
        );
        // One that has become empty is next, whoever's turn it would be.
        let b = pod("b", EndpointReadiness::Ready);
        seats.release(&b, false);
        seats.release(&b, false);
        assert_eq!(
            names(&mut seats, &SpreadPolicy::Balanced, &three(), 2),
            "bb"
        );

        let mut seats = BackendSlots::default();
        let mut order = String::new();
        for _ in 0..6 {
            let chosen = seats.lease(&SpreadPolicy::Balanced, &three(), &[]).unwrap();
            seats.open(&chosen);
            seats.release(&chosen, true);
            order.push_str(&chosen.pod.name);
        }
        assert_eq!(order, "abcabc");
        assert_eq!(seats.count(), 0);
    }

    #[test]
    fn balanced_prefers_ready_pods_however_busy() {
        let mut seats = BackendSlots::default();
        let pods = [
            pod("a", EndpointReadiness::Ready),
            pod("b", EndpointReadiness::Serving),
        ];
        assert_eq!(names(&mut seats, &SpreadPolicy::Balanced, &pods, 3), "aaa");
        let tried = [pods[0].clone()];
        let next = seats.lease(&SpreadPolicy::Balanced, &pods, &tried).unwrap();
        assert_eq!(&*next.pod.name, "b");
    }

    #[test]
    fn sticky_stays_where_the_last_connection_was() {
        let mut seats = BackendSlots::default();
        let pods = three();
        let tried = [pods[0].clone()];
        let second = seats.lease(&SpreadPolicy::Sticky, &pods, &tried).unwrap();
        seats.open(&second);
        assert_eq!(names(&mut seats, &SpreadPolicy::Sticky, &pods, 2), "bb");
        let without: Vec<_> = pods.into_iter().filter(|one| *one != second).collect();
        assert_eq!(names(&mut seats, &SpreadPolicy::Sticky, &without, 1), "a");
    }

    #[test]
    fn pods_that_are_gone_are_forgotten_once_nobody_sits_there() {
        let mut seats = BackendSlots::default();
        let all = three();
        let first = seats.lease(&SpreadPolicy::Balanced, &all, &[]).unwrap();
        seats.open(&first);
        seats
            .lease(&SpreadPolicy::Balanced, &all[1..2], &[])
            .unwrap();
        assert_eq!(seats.slots.len(), 2);
        assert_eq!(seats.in_use()[0].pod, first.pod);
        seats.release(&first, true);
        seats
            .lease(&SpreadPolicy::Balanced, &all[1..2], &[])
            .unwrap();
        assert_eq!(seats.slots.len(), 1);
    }
}
