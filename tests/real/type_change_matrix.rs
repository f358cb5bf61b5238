//! Every type to every other and back, and the race, on a real API server.

use std::path::{Path, PathBuf};

use svcscope_cluster::{ClusterClient, KubeconfigSource, MergedKubeconfig, connect};
use svcscope_edit::ServiceKind;
use svcscope_net::tls::install_crypto_provider;
use svcscope_testkit::cluster::{KubectlRunner, type_changes};

use crate::kubeconfig;

/// A namespace without pods, taken away after the test.
struct EmptyTestNamespace {
    file: PathBuf,
    name: String,
}

impl EmptyTestNamespace {
    fn new(file: &Path, test: &str) -> Self {
        let name = format!("svcscope-{test}-{}", std::process::id());
        KubectlRunner(file).run(&["create", "namespace", &name]);
        Self {
            file: file.to_owned(),
            name,
        }
    }

    async fn client(&self) -> ClusterClient {
        let source = KubeconfigSource::File(self.file.clone());
        let kubeconfigs = MergedKubeconfig::load(&source).expect("a kubeconfig");
        connect(&kubeconfigs, None).await.expect("a cluster")
    }
}

impl Drop for EmptyTestNamespace {
    fn drop(&mut self) {
        // Not waited for: the cluster goes on without us.
        std::process::Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&self.file)
            .args(["delete", "namespace", &self.name, "--wait=false"])
            .output()
            .ok();
    }
}

#[tokio::test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
async fn every_type_becomes_every_other_and_comes_back() {
    let file = kubeconfig();
    install_crypto_provider();
    let space = EmptyTestNamespace::new(&file, "matrix");
    let cases = type_changes::run_transition_matrix(
        &space.client().await,
        &space.name,
        &type_changes::LOADS,
    )
    .await;
    assert_eq!(cases.len(), (14 + 2 * 6) * type_changes::LOADS.len());
    // Before MixedProtocolLBService (beta in 1.24) a load balancer has ports of one protocol.
    let refused: Vec<_> = cases.iter().filter(|case| case.refused.is_some()).collect();
    println!(
        "{} done, {} refused",
        cases.len() - refused.len(),
        refused.len()
    );
    for case in refused {
        assert!(
            case.load == type_changes::ServiceFeatureSet::Rich
                && [case.from, case.to].contains(&ServiceKind::LoadBalancer),
            "{case:#?}"
        );
        let said = case.refused.as_deref().unwrap_or_default();
        assert!(said.contains("more than 1 protocol"), "{case:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
async fn of_a_hundred_plans_among_foreign_changes_none_is_lost() {
    let file = kubeconfig();
    install_crypto_provider();
    let space = EmptyTestNamespace::new(&file, "race");
    let (ours, theirs) = (space.client().await, space.client().await);
    let race = type_changes::run_edit_race(&ours, &theirs, &space.name, 100).await;
    println!("{race:?}");
    assert_eq!(race.applied + race.conflicts, 100);
    assert!(race.applied > 0 && race.conflicts > 0, "{race:?}");
}
