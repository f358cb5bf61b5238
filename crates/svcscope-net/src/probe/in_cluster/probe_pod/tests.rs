use serde_json::json;

use super::*;
use crate::probe::in_cluster::{
    OrphanedProbePod,
    fixtures::{FakePods, FakeProbePodStore, lock, probe_pod_factory},
    remove_finished, remove_orphan,
};

fn made() -> (Arc<FakePods>, Arc<FakeProbePodStore>, ProbePodFactory) {
    let (access, notebook) = (Arc::new(FakePods::default()), Arc::default());
    let with = probe_pod_factory(access.clone(), Arc::clone(&notebook));
    (access, notebook, with)
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_noted_used_and_removed() {
    let (access, notebook, with) = made();
    let pod = with.start("shop", 1).await.unwrap();
    assert_eq!(pod.key(), &ObjectKey::new("shop", "svcscope-probe-s1-1"));
    assert!(lock(&notebook.0).contains(pod.key()));
    pod.remove().await.unwrap();
    assert!(lock(&access.pods).is_empty());
    assert!(lock(&notebook.0).is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_drops_a_pod_removes_it_and_the_end_waits_for_that() {
    let (access, notebook, with) = made();
    let pod = with.start("shop", 1).await.unwrap();
    drop(pod);
    with.tracker.close();
    with.tracker.wait().await;
    assert!(lock(&access.pods).is_empty());
    assert!(lock(&notebook.0).is_empty());
}

#[tokio::test(start_paused = true)]
async fn giving_up_while_it_starts_removes_it_too() {
    let (access, notebook, with) = made();
    *lock(&access.status) = Some(json!({"phase": "Pending"}));
    let given_up = timeout(Duration::from_secs(1), with.start("shop", 1)).await;
    assert!(given_up.is_err());
    with.tracker.close();
    with.tracker.wait().await;
    assert!(lock(&access.pods).is_empty());
    assert!(lock(&notebook.0).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_start_is_told_and_removed() {
    let (access, notebook, with) = made();
    *lock(&access.status) = Some(json!({"phase": "Pending", "containerStatuses": [
        {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}},
    ]}));
    let Err(error) = with.start("shop", 1).await else {
        panic!("it can't run");
    };
    assert_eq!(error.kind, PodErrorKind::NotRunning);
    assert_eq!(
        &*error.message,
        "could not start probe pod shop/svcscope-probe-s1-1: the container does not start: \
         ErrImagePull: no such image"
    );
    assert!(lock(&access.pods).is_empty());
    assert!(lock(&notebook.0).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_leaves_nothing_noted() {
    let (access, notebook, with) = made();
    let refusal = PodError::new(PodErrorKind::Quota, "create it", "exceeded quota: few");
    *lock(&access.refusal) = Some(refusal.clone());
    assert_eq!(with.start("shop", 1).await.err(), Some(refusal));
    assert!(lock(&notebook.0).is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_pods_of_the_run_that_ended_are_swept() {
    let (access, _, with) = made();
    let pod = with.start("shop", 1).await.unwrap();
    let leftover = |session: &str| OrphanedProbePod {
        pod: pod.key().clone(),
        session: session.into(),
    };
    assert_eq!(remove_orphan(&*access, &leftover("s2")).await, Ok(false));
    assert_eq!(lock(&access.pods).len(), 1);
    assert_eq!(remove_orphan(&*access, &leftover("s1")).await, Ok(true));
    assert!(lock(&access.pods).is_empty());
    assert_eq!(remove_orphan(&*access, &leftover("s1")).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn ended_pods_are_swept_and_running_ones_stay() {
    let (access, _, with) = made();
    let _ended = with.start("shop", 1).await.unwrap();
    lock(&access.pods)
        .values_mut()
        .for_each(|pod| pod["status"]["phase"] = json!("Failed"));
    let running = with.start("shop", 2).await.unwrap();
    let removed = remove_finished(&*access, None).await.unwrap();
    assert_eq!(removed, [ObjectKey::new("shop", "svcscope-probe-s1-1")]);
    assert!(lock(&access.pods).contains_key(running.key()));
}
