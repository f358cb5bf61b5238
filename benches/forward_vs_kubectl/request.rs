//! One request of the console through a warm forward, beside curl through kubectl's.

use std::{process::Command as Process, time::Duration};

use svcscope_cluster::KubeconfigSource;
use svcscope_engine::EngineCommand;
use svcscope_model::inventory::ObjectKey;
use svcscope_net::{
    forward::{ForwardTarget, RemotePort},
    probe::{CurlRequest, RequestId},
};
use svcscope_testkit::cluster::EngineDriver;

use crate::{
    rows::{Run, median, row},
    side::Side,
};

const REQUESTS: usize = 200;
const ROUNDS: usize = 3;

/// The median of the time of a request with a connection of its own, as each client tells it.
/// curl's leaves the start of its process out, the console's the choice of a door.
pub fn request(run: &Run) {
    let count = run.count(REQUESTS);
    let cluster = &run.cluster;
    let source = KubeconfigSource::File(cluster.kubeconfig.clone());
    let engine = EngineDriver::connected(source, &cluster.namespace);
    let mut rounds: [Vec<f64>; 2] = Default::default();
    for round in 0..=ROUNDS {
        let by_console = console(&engine, run, count);
        let by_curl = curl(&run.sides[1], count);
        if round > 0 {
            rounds[0].push(by_console);
            rounds[1].push(by_curl);
        }
    }
    let [console, curl] = rounds.map(|times| median(times.into_iter()) * 1_000.0);
    row("request of the console / of curl", "ms", console, curl);
}

fn console(engine: &EngineDriver, run: &Run, count: usize) -> f64 {
    let target = ForwardTarget::Pod(ObjectKey::new(&*run.cluster.namespace, &*run.cluster.pod));
    let request = CurlRequest::new(target, RemotePort::Number(run.cluster.http_port));
    let id = RequestId(engine.handle.next_id());
    let times = u32::try_from(count).expect("few");
    engine.send(EngineCommand::RepeatRequest(id, Box::new(request), times));
    let (repeated, _) = engine.find("all requests", |scene| {
        let status = scene.requests.iter().find(|status| status.id == id)?;
        let repeated = status.repeat_statistics.clone()?;
        (!status.state.is_under_way()).then_some(repeated)
    });
    assert!(repeated.failures.is_empty(), "{repeated:?}");
    median(repeated.durations.iter().map(Duration::as_secs_f64))
}

fn curl(side: &Side, count: usize) -> f64 {
    let url = format!("http://{}/", side.http);
    median((0..count).map(|_| {
        let output = Process::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{time_total}", &url])
            .output()
            .expect("curl runs");
        assert!(output.status.success(), "curl failed: {output:?}");
        let told = String::from_utf8_lossy(&output.stdout);
        told.trim().parse::<f64>().expect("seconds")
    }))
}
