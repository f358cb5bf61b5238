//! A temporary forward as a door.

use std::{net::SocketAddr, sync::Arc};

use super::{
    Failure,
    watched::{Watch, Watched},
};
use crate::{
    forward::{
        DialErrorKind, ForwardId, ForwardSpec, ForwardState, ForwardStatus, ForwardTarget,
        Forwards, RemotePort, Spread, service_port,
    },
    inventory::{Inventory, ObjectKey, Text, ports::resolve_target_port},
    probe::{CurlError, CurlRequest, FailureKind, Vantage, Ways, http::Marks},
};

/// The temporary forward is the only one of its manager.
const ONLY: ForwardId = ForwardId(0);

/// A forward that lives as long as the door.
pub(in crate::probe) struct ForwardDoor {
    forwards: Forwards,
    begun: ForwardStatus,
    /// Where it listens.
    pub(super) local: SocketAddr,
    watch: Arc<Watch>,
}

impl ForwardDoor {
    pub(super) async fn open(
        request: &CurlRequest,
        ways: &Ways,
        spread: Spread,
    ) -> Result<Self, CurlError> {
        let no_way = |reason: Text| CurlError::new(FailureKind::NoWay, reason);
        let (target, port) = match &request.vantage {
            Vantage::ForwardPod(pod) => to_pod(request, pod, &ways.inventory.borrow())?,
            _ => (request.target.clone(), request.port.clone()),
        };
        let watch = Arc::new(Watch::default());
        let dialer = Arc::new(Watched::new(ways.dialer.clone(), watch.clone()));
        let forwards = Forwards::new(ways.inventory.clone(), dialer, Arc::new(|| {}));
        let spec = ForwardSpec {
            spread,
            ..ForwardSpec::new(target, port)
        };
        let begun = forwards.start(ONLY, spec).await;
        let local = match (&begun.state, begun.local) {
            (ForwardState::Failed { reason } | ForwardState::Waiting { reason, .. }, _) => {
                return Err(no_way(reason.clone()));
            }
            (_, Some(local)) => local,
            (_, None) => {
                return Err(no_way(Text::from(
                    "the temporary forward has no local address",
                )));
            }
        };
        Ok(Self {
            forwards,
            begun,
            local,
            watch,
        })
    }

    pub(super) fn watch(&self, marks: &Arc<Marks>) {
        self.watch.begin(marks.clone());
    }

    fn status(&self) -> ForwardStatus {
        self.forwards
            .status(ONLY)
            .unwrap_or_else(|| self.begun.clone())
    }

    pub(super) fn pod(&self) -> Option<ObjectKey> {
        self.status().pod
    }

    pub(super) fn words(&self) -> Text {
        let status = self.status();
        match (&status.pod, status.pod_port) {
            (Some(pod), Some(port)) => {
                format!("port-forward to pod {} port {port}", pod.name).into()
            }
            _ => Text::from("port-forward"),
        }
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        let kind = self.watch.failure();
        let message = self.status().last_error?;
        Some(Failure {
            kind: kind.unwrap_or(DialErrorKind::Other),
            message,
        })
    }
}

/// The pod's own port behind a port of the Service.
pub(super) fn to_pod(
    request: &CurlRequest,
    pod: &Text,
    inventory: &Inventory,
) -> Result<(ForwardTarget, RemotePort), CurlError> {
    let no_way = |reason: String| CurlError::new(FailureKind::NoWay, reason);
    let key = ObjectKey::new(request.target.key().namespace.clone(), pod.clone());
    let ForwardTarget::Service(service) = &request.target else {
        return Ok((ForwardTarget::Pod(key), request.port.clone()));
    };
    let service = inventory
        .service(service)
        .ok_or_else(|| no_way(format!("there is no Service {service}")))?;
    let port = service_port(service, &request.port)
        .map_err(|reason| CurlError::new(FailureKind::NoWay, reason))?;
    let record = inventory
        .pod(&key)
        .ok_or_else(|| no_way(format!("there is no pod {key}")))?;
    let number = resolve_target_port(&port, record).ok_or_else(|| {
        no_way(format!(
            "pod {} declares no container port named {}",
            key.name, port.target_port
        ))
    })?;
    Ok((ForwardTarget::Pod(key), RemotePort::Number(number)))
}
