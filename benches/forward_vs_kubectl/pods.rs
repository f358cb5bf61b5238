//! What becomes of the Deployment's pods, as the API server tells it.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use crate::cluster::Cluster;

/// How long a replacement may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// One line for each event: its type, the pod's name, whether it leaves, whether it is ready.
const LINE: &str = "go-template={{.type}} {{.object.metadata.name}} \
    {{if .object.metadata.deletionTimestamp}}leaves{{else}}stays{{end}}\
    {{range .object.status.conditions}}{{if eq .type \"Ready\"}} {{.status}}{{end}}{{end}}{{\"\\n\"}}";

/// When these things were first heard of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Life {
    /// It was ready, and not on its way out.
    pub ready: Option<Instant>,
    /// It was being deleted.
    pub leaving: Option<Instant>,
}

/// The pods since the watch began, also those that are gone.
pub struct Pods {
    known: Arc<(Mutex<BTreeMap<String, Life>>, Condvar)>,
    watch: Child,
}

impl Pods {
    pub fn watch(cluster: &Cluster) -> Self {
        let mut watch = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&cluster.kubeconfig)
            .args(["-n", &cluster.namespace, "get", "pods", "-l", "app=web"])
            .args(["--watch", "--output-watch-events", "-o", LINE])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        let lines = BufReader::new(watch.stdout.take().expect("stdout")).lines();
        let known: Arc<(Mutex<BTreeMap<String, Life>>, Condvar)> = Arc::default();
        let told = known.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                note(&mut told.0.lock().unwrap(), &line, Instant::now());
                told.1.notify_all();
            }
        });
        Self { known, watch }
    }

    pub fn all(&self) -> BTreeMap<String, Life> {
        self.known.0.lock().unwrap().clone()
    }

    /// Waits for a pod that is ready and was not there before.
    pub fn ready_beside(&self, before: &BTreeMap<String, Life>) -> (String, Instant) {
        let found = |known: &BTreeMap<String, Life>| {
            let mut new = known.iter().filter(|(name, _)| !before.contains_key(*name));
            new.find_map(|(name, life)| Some((name.clone(), life.ready?)))
        };
        let known = self.known.0.lock().unwrap();
        let (known, _) = self
            .known
            .1
            .wait_timeout_while(known, PATIENCE, |known| found(known).is_none())
            .unwrap();
        found(&known).expect("a replacement is ready in time")
    }
}

fn note(known: &mut BTreeMap<String, Life>, line: &str, now: Instant) {
    let mut words = line.split(' ');
    let (Some(event), Some(name), Some(stays)) = (words.next(), words.next(), words.next()) else {
        return;
    };
    let life = known.entry(name.to_owned()).or_default();
    if event == "DELETED" || stays == "leaves" {
        life.leaving.get_or_insert(now);
    } else if words.next() == Some("True") {
        life.ready.get_or_insert(now);
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.watch.kill().ok();
        self.watch.wait().ok();
    }
}
