//! What a request needs of the rest of the house.

use std::sync::Arc;

use bytes::Bytes;
use futures::{future::BoxFuture, stream::BoxStream};

use super::{CurlError, in_cluster::InClusterClientSource};
use crate::forward::{Dialer, InventoryFeed};

/// Everything that a door may need.
#[derive(Clone)]
pub struct AccessPaths {
    /// What the cluster holds, as it changes.
    pub inventory: InventoryFeed,
    /// The way into pods.
    pub dialer: Arc<dyn Dialer>,
    /// The way through the API server.
    pub proxy: Arc<dyn ApiProxy>,
    /// Those who can be asked inside the cluster.
    pub in_cluster: Arc<dyn InClusterClientSource>,
}

/// Sends a request to the API server itself, whatever the answer's status. `cluster/` implements
/// it. The path is whole: `/api/v1/namespaces/shop/services/web:80/proxy/`.
pub trait ApiProxy: Send + Sync + 'static {
    /// Sends it. Dropping the future gives up.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<ProxyBody>, CurlError>>;
}

/// The body of a proxy's answer, piece by piece; an error says how it broke off.
pub type ProxyBody = BoxStream<'static, Result<Bytes, String>>;
