//! Whether the other side still answers, asked by another way than the connection itself.

use std::sync::Arc;

use futures::future::BoxFuture;

/// Asks whether the API server answers at all. A pod that does not read holds everything on its
/// connection up, answers to pings too: silence there proves nothing, and this decides.
pub type LivenessCheck = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// A server that answers, or does not.
#[cfg(test)]
pub fn fixed_liveness(lives: bool) -> LivenessCheck {
    Arc::new(move || Box::pin(async move { lives }))
}
