//! The scripted life of the sample, and the churn of a generated cluster.

use std::time::Duration;

use serde_json::json;

use super::cluster::DemoCluster;
use super::controllers::{
    delayed_tasks::{DelayedTask, DelayedTaskQueue, seconds},
    events::record as record_event,
};
use super::json;
use super::patch::PatchContentType;
use super::pod_status;
use super::registry::{ObjectDeleteOptions, ObjectWriteOptions};
use super::resource::ServedKind;
use super::store::NamespacedName;
use super::time;

/// Between two rollouts.
const ROLLOUT_INTERVAL: Duration = seconds(40);
/// Between two flips of readiness.
const TOGGLE_INTERVAL: Duration = seconds(15);
/// How often churn happens; each time its share of the wanted rate.
const CHURN_INTERVAL: Duration = Duration::from_millis(100);

/// What happens by itself.
#[derive(Debug)]
pub(super) struct BackgroundActivity {
    runs_script: bool,
    churn_per_second: f64,
    /// The fraction of a change that is owed.
    pending_changes: f64,
    round: u64,
}

impl BackgroundActivity {
    pub(super) fn new(runs_script: bool, churn_per_second: f64) -> Self {
        Self {
            runs_script,
            churn_per_second: churn_per_second.max(0.0),
            pending_changes: 0.0,
            round: 0,
        }
    }

    /// Puts the first of everything on the schedule.
    pub(super) fn schedule_first(&self, schedule: &mut DelayedTaskQueue) {
        if self.runs_script {
            schedule.after(ROLLOUT_INTERVAL, DelayedTask::Rollout);
            schedule.after(TOGGLE_INTERVAL, DelayedTask::ToggleReadiness);
        }
        if self.churn_per_second > 0.0 {
            schedule.after(CHURN_INTERVAL, DelayedTask::Churn);
        }
    }

    /// Does what is due and puts the next of its kind on the schedule.
    pub(super) fn run_task(
        &mut self,
        app: &DemoCluster,
        schedule: &mut DelayedTaskQueue,
        job: DelayedTask,
    ) {
        match job {
            DelayedTask::Rollout => {
                self.round += 1;
                restart_rollout(app);
                schedule.after(ROLLOUT_INTERVAL, DelayedTask::Rollout);
            }
            DelayedTask::ToggleReadiness => {
                toggle_readiness(app);
                schedule.after(TOGGLE_INTERVAL, DelayedTask::ToggleReadiness);
            }
            DelayedTask::Churn => {
                self.pending_changes += self.churn_per_second * CHURN_INTERVAL.as_secs_f64();
                while self.pending_changes >= 1.0 {
                    self.pending_changes -= 1.0;
                    self.round += 1;
                    churn_one_pod(app, self.round);
                }
                schedule.after(CHURN_INTERVAL, DelayedTask::Churn);
            }
            _ => {}
        }
    }
}

/// What `kubectl rollout restart` does, to the Deployment `web` of the sample.
fn restart_rollout(app: &DemoCluster) {
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": time::now(),
    }}}}});
    let intent = ObjectWriteOptions {
        manager: "kubectl-rollout".to_owned(),
        ..ObjectWriteOptions::default()
    };
    let key = NamespacedName::new("shop", "web");
    let resource = ServedKind::Deployment.resource();
    if let Err(status) =
        app.registry
            .patch(resource, &key, PatchContentType::Merge, &patch, &intent)
    {
        // A client may have deleted it: then there is nothing to roll out.
        tracing::debug!(?status, "could not restart the rollout");
    }
}

/// One pod of `cache` fails its readiness probe, or passes it again.
fn toggle_readiness(app: &DemoCluster) {
    let mut state = app.registry.store.lock();
    let pods = state.list(ServedKind::Pod, Some("shop"));
    let cached = pods
        .iter()
        .find(|pod| pod.labels.get("app").is_some_and(|app| app == "cache"));
    let Some(mut value) = cached.map(|pod| pod.to_value()) else {
        return;
    };
    if pod_status::is_terminating(&value) || json::text(&value, "status/phase") != "Running" {
        return;
    }
    let ready = !pod_status::is_ready(&value);
    pod_status::set_ready(&mut value, ready);
    state.put(ServedKind::Pod, value.clone());
    if !ready {
        let event_fields = (
            "Warning",
            "Unhealthy",
            "Readiness probe failed: dial tcp: i/o timeout",
        );
        record_event(&mut state, &value, event_fields, "kubelet");
    }
}

/// One change of a generated cluster: mostly a flip of readiness, at times a replaced pod.
fn churn_one_pod(app: &DemoCluster, round: u64) {
    let choose = |count| app.registry.draw(|random| random.below(count));
    let picked = app
        .registry
        .store
        .lock()
        .nth_object(ServedKind::Pod, choose);
    let Some(object) = picked else {
        return;
    };
    if round.is_multiple_of(4) {
        let resource = ServedKind::Pod.resource();
        if let Err(status) =
            app.registry
                .delete(resource, &object.key, &ObjectDeleteOptions::default())
        {
            tracing::debug!(?status, "no churn");
        }
        return;
    }
    let mut state = app.registry.store.lock();
    let Some(mut value) = state
        .get(ServedKind::Pod, &object.key)
        .map(|pod| pod.to_value())
    else {
        return;
    };
    if json::text(&value, "status/phase") == "Running" && !pod_status::is_terminating(&value) {
        let ready = !pod_status::is_ready(&value);
        pod_status::set_ready(&mut value, ready);
        state.put(ServedKind::Pod, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::super::options::DemoOptions;
    use super::super::server::populate;
    use super::*;

    /// A cluster that lives in paused time.
    fn live(options: DemoOptions) -> Arc<DemoCluster> {
        let app = Arc::new(DemoCluster::new(options));
        let controllers = populate(&app);
        tokio::spawn(controllers.run());
        app
    }

    fn pods(app: &DemoCluster, namespace: &str, name: &str) -> Vec<Value> {
        let pods = app
            .registry
            .store
            .lock()
            .list(ServedKind::Pod, Some(namespace));
        pods.iter()
            .filter(|pod| pod.labels.get("app").is_some_and(|label| label == name))
            .map(|pod| pod.to_value())
            .collect()
    }

    fn names(pods: &[Value]) -> Vec<String> {
        pods.iter()
            .map(|pod| json::text(pod, "metadata/name").to_owned())
            .collect()
    }

    fn restarts(app: &DemoCluster) -> i64 {
        let crashing = pods(app, "infra", "crashing");
        json::number(
            &json::list(&crashing[0], "status/containerStatuses")[0],
            "restartCount",
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_sample_rolls_out_crashes_and_is_granted_an_address() {
        let app = live(DemoOptions::default());
        let (old, before) = (names(&pods(&app, "shop", "web")), restarts(&app));
        tokio::time::sleep(seconds(24)).await;
        let payments = || {
            app.registry
                .store
                .lock()
                .get(
                    ServedKind::Service,
                    &NamespacedName::new("shop", "payments"),
                )
                .unwrap()
                .to_value()
        };
        assert!(json::list(&payments(), "status/loadBalancer/ingress").is_empty());
        assert!(restarts(&app) > before);
        tokio::time::sleep(seconds(2)).await;
        let granted = payments();
        assert_eq!(
            json::text(
                &json::list(&granted, "status/loadBalancer/ingress")[0],
                "ip"
            ),
            app.network.load_balancer_address(8)
        );
        tokio::time::sleep(seconds(12)).await;
        assert_eq!(names(&pods(&app, "shop", "web")), old, "no rollout yet");
        tokio::time::sleep(seconds(30)).await;
        let new = pods(&app, "shop", "web");
        assert_eq!(new.len(), 3);
        assert!(new.iter().all(pod_status::is_ready));
        assert!(
            names(&new).iter().all(|name| !old.contains(name)),
            "every pod was replaced"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rollout_never_leaves_a_service_without_its_number_of_pods() {
        let app = live(DemoOptions::default());
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let ready = pods(&app, "shop", "web")
                .iter()
                .filter(|pod| pod_status::is_ready(pod) && !pod_status::is_terminating(pod))
                .count();
            assert!(ready >= 3, "{ready} ready");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn churn_changes_pods_at_about_its_rate() {
        let app = live(DemoOptions {
            services: Some(3),
            pods: Some(30),
            churn_per_second: 20.0,
            ..DemoOptions::default()
        });
        let before = app.registry.store.lock().revision();
        tokio::time::sleep(seconds(10)).await;
        // Each change brings others along: slices, statuses, replacements.
        assert!(app.registry.store.lock().revision() - before >= 150);
        tokio::time::sleep(seconds(10)).await;
        assert!(app.registry.store.lock().list(ServedKind::Pod, None).len() >= 30);
    }

    #[test]
    fn the_same_seed_makes_the_same_cluster() {
        let make = || {
            let app = Arc::new(DemoCluster::new(DemoOptions {
                services: Some(5),
                pods: Some(20),
                ..DemoOptions::default()
            }));
            drop(populate(&app));
            let state = app.registry.store.lock();
            [
                ServedKind::Pod,
                ServedKind::Service,
                ServedKind::EndpointSlice,
            ]
            .map(|kind| {
                let objects = state.list(kind, None);
                objects
                    .iter()
                    .map(|object| object.key.clone())
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(make(), make());
    }
}
