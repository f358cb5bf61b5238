//! The scripted life of the sample, and the churn of a generated cluster.

use std::time::Duration;

use serde_json::json;

use super::app::App;
use super::controllers::{Job, Schedule, record_event, seconds};
use super::json;
use super::patch::Form;
use super::pod;
use super::registry::{Deletion, Intent};
use super::resource::Kind;
use super::store::Key;
use super::time;

/// Between two rollouts.
const ROLLOUT: Duration = seconds(40);
/// Between two flips of readiness.
const FLIP: Duration = seconds(15);
/// How often churn happens; each time its share of the wanted rate.
const CHURN: Duration = Duration::from_millis(100);

/// What happens by itself.
#[derive(Debug)]
pub(super) struct Life {
    scripted: bool,
    churn_per_second: f64,
    /// The fraction of a change that is owed.
    owed: f64,
    round: u64,
}

impl Life {
    pub(super) fn new(scripted: bool, churn_per_second: f64) -> Self {
        Self {
            scripted,
            churn_per_second: churn_per_second.max(0.0),
            owed: 0.0,
            round: 0,
        }
    }

    /// Puts the first of everything on the schedule.
    pub(super) fn begin(&self, schedule: &mut Schedule) {
        if self.scripted {
            schedule.after(ROLLOUT, Job::Rollout);
            schedule.after(FLIP, Job::Flip);
        }
        if self.churn_per_second > 0.0 {
            schedule.after(CHURN, Job::Churn);
        }
    }

    /// Does what is due and puts the next of its kind on the schedule.
    pub(super) fn act(&mut self, app: &App, schedule: &mut Schedule, job: Job) {
        match job {
            Job::Rollout => {
                self.round += 1;
                rollout(app);
                schedule.after(ROLLOUT, Job::Rollout);
            }
            Job::Flip => {
                flip(app);
                schedule.after(FLIP, Job::Flip);
            }
            Job::Churn => {
                self.owed += self.churn_per_second * CHURN.as_secs_f64();
                while self.owed >= 1.0 {
                    self.owed -= 1.0;
                    self.round += 1;
                    churn(app, self.round);
                }
                schedule.after(CHURN, Job::Churn);
            }
            _ => {}
        }
    }
}

/// What `kubectl rollout restart` does, to the Deployment `web` of the sample.
fn rollout(app: &App) {
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": time::now(),
    }}}}});
    let intent = Intent {
        manager: "kubectl-rollout".to_owned(),
        ..Intent::default()
    };
    let key = Key::new("shop", "web");
    let resource = Kind::Deployment.resource();
    if let Err(status) = app
        .registry
        .patch(resource, &key, Form::Merge, &patch, &intent)
    {
        // Somebody may have deleted it: then there is nothing to roll out.
        tracing::debug!(?status, "no rollout");
    }
}

/// One pod of `cache` fails its readiness probe, or passes it again.
fn flip(app: &App) {
    let mut state = app.registry.store.lock();
    let pods = state.list(Kind::Pod, Some("shop"));
    let cached = pods
        .iter()
        .find(|pod| pod.labels.get("app").is_some_and(|app| app == "cache"));
    let Some(mut value) = cached.map(|pod| pod.read()) else {
        return;
    };
    if pod::is_terminating(&value) || json::text(&value, "status/phase") != "Running" {
        return;
    }
    let ready = !pod::is_ready(&value);
    pod::set_ready(&mut value, ready);
    state.put(Kind::Pod, value.clone());
    if !ready {
        let told = (
            "Warning",
            "Unhealthy",
            "Readiness probe failed: dial tcp: i/o timeout",
        );
        record_event(&mut state, &value, told, "kubelet");
    }
}

/// One change of a generated cluster: mostly a flip of readiness, at times a replaced pod.
fn churn(app: &App, round: u64) {
    let choose = |count| app.registry.draw(|random| random.below(count));
    let picked = app.registry.store.lock().pick(Kind::Pod, choose);
    let Some(object) = picked else {
        return;
    };
    if round.is_multiple_of(4) {
        let resource = Kind::Pod.resource();
        if let Err(status) = app
            .registry
            .delete(resource, &object.key, &Deletion::default())
        {
            tracing::debug!(?status, "no churn");
        }
        return;
    }
    let mut state = app.registry.store.lock();
    let Some(mut value) = state.get(Kind::Pod, &object.key).map(|pod| pod.read()) else {
        return;
    };
    if json::text(&value, "status/phase") == "Running" && !pod::is_terminating(&value) {
        let ready = !pod::is_ready(&value);
        pod::set_ready(&mut value, ready);
        state.put(Kind::Pod, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::super::options::Options;
    use super::super::server::populate;
    use super::*;

    /// A cluster that lives in paused time.
    fn live(options: Options) -> Arc<App> {
        let app = Arc::new(App::new(options));
        let controllers = populate(&app);
        tokio::spawn(controllers.run());
        app
    }

    fn pods(app: &App, namespace: &str, name: &str) -> Vec<Value> {
        let pods = app.registry.store.lock().list(Kind::Pod, Some(namespace));
        pods.iter()
            .filter(|pod| pod.labels.get("app").is_some_and(|label| label == name))
            .map(|pod| pod.read())
            .collect()
    }

    fn names(pods: &[Value]) -> Vec<String> {
        pods.iter()
            .map(|pod| json::text(pod, "metadata/name").to_owned())
            .collect()
    }

    fn restarts(app: &App) -> i64 {
        let crashing = pods(app, "infra", "crashing");
        json::number(
            &json::list(&crashing[0], "status/containerStatuses")[0],
            "restartCount",
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_sample_rolls_out_crashes_and_is_granted_an_address() {
        let app = live(Options::default());
        let (old, before) = (names(&pods(&app, "shop", "web")), restarts(&app));
        tokio::time::sleep(seconds(24)).await;
        let payments = || {
            app.registry
                .store
                .lock()
                .get(Kind::Service, &Key::new("shop", "payments"))
                .unwrap()
                .read()
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
            app.network.balancer(8)
        );
        tokio::time::sleep(seconds(12)).await;
        assert_eq!(names(&pods(&app, "shop", "web")), old, "no rollout yet");
        tokio::time::sleep(seconds(30)).await;
        let new = pods(&app, "shop", "web");
        assert_eq!(new.len(), 3);
        assert!(new.iter().all(pod::is_ready));
        assert!(
            names(&new).iter().all(|name| !old.contains(name)),
            "every pod was replaced"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rollout_never_leaves_a_service_without_its_number_of_pods() {
        let app = live(Options::default());
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let ready = pods(&app, "shop", "web")
                .iter()
                .filter(|pod| pod::is_ready(pod) && !pod::is_terminating(pod))
                .count();
            assert!(ready >= 3, "{ready} ready");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn churn_changes_pods_at_about_its_rate() {
        let app = live(Options {
            services: Some(3),
            pods: Some(30),
            churn_per_second: 20.0,
            ..Options::default()
        });
        let before = app.registry.store.lock().revision();
        tokio::time::sleep(seconds(10)).await;
        // Each change brings others along: slices, statuses, replacements.
        assert!(app.registry.store.lock().revision() - before >= 150);
        tokio::time::sleep(seconds(10)).await;
        assert!(app.registry.store.lock().list(Kind::Pod, None).len() >= 30);
    }

    #[test]
    fn the_same_seed_makes_the_same_cluster() {
        let make = || {
            let app = Arc::new(App::new(Options {
                services: Some(5),
                pods: Some(20),
                ..Options::default()
            }));
            drop(populate(&app));
            let state = app.registry.store.lock();
            [Kind::Pod, Kind::Service, Kind::EndpointSlice].map(|kind| {
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
