//! The demo cluster behind the socket: what every connection shares.

use serde_json::Value;

use super::access::ApiAccessControl;
use super::fault_injection::FaultInjector;
use super::node_network::NodeNetwork;
use super::options::DemoOptions;
use super::random;
use super::registry::ObjectRegistry;
use super::resource::{ServedKind, ServedResource};
use super::status::FailureStatus;
use super::store::{DemoObjectStore, NamespacedName};

/// The demo cluster behind the socket.
#[derive(Debug)]
pub(super) struct DemoCluster {
    pub(super) registry: ObjectRegistry,
    pub(super) access: ApiAccessControl,
    pub(super) faults: FaultInjector,
    pub(super) options: DemoOptions,
    pub(super) network: NodeNetwork,
}

impl DemoCluster {
    /// An empty cluster.
    pub(super) fn new(options: DemoOptions) -> Self {
        let token = options.token.clone().unwrap_or_else(random::token);
        Self {
            registry: ObjectRegistry::new(
                DemoObjectStore::new(options.history_limit),
                options.seed,
            ),
            access: ApiAccessControl::new(token),
            faults: FaultInjector::default(),
            network: NodeNetwork::reserve(&options),
            options,
        }
    }

    /// Whether a resource is served: old servers have no group of EndpointSlices.
    pub(super) fn serves(&self, resource: &ServedResource) -> bool {
        self.faults.serves(resource)
    }
}

impl DemoCluster {
    /// Returns when all connections are cut, which may be never.
    pub(super) async fn connections_cut(&self) {
        let mut cuts = self.faults.cut_signal();
        if cuts.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The Service or pod of a namespace, parsed, if it is there.
pub(super) fn find(
    app: &DemoCluster,
    kind: ServedKind,
    key: &NamespacedName,
) -> Result<Value, FailureStatus> {
    let found = app.registry.store.lock().get(kind, key).cloned();
    let found = found.ok_or_else(|| FailureStatus::not_found(kind.resource(), &key.name))?;
    Ok(found.to_value())
}
