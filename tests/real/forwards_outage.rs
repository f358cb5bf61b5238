//! A forward whose way to the cluster is gone for a while.

use std::thread;

use svcscope_cluster::KubeconfigSource;
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::{ForwardState, ForwardTarget, RemotePort};
use svcscope_testkit::cluster::{EngineDriver, severable_proxy::SeverableProxy};

use crate::{
    forwards::{answering_pod, ask, forward},
    kubeconfig,
    sample::WebSampleNamespace,
};

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_cut_network_is_reported_and_the_forward_comes_back_by_itself() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "cut");
    let folder = tempfile::tempdir().expect("a folder");
    let (cable, copy) = SeverableProxy::start(&file, folder.path());
    let engine = EngineDriver::connected(KubeconfigSource::File(copy), &sample.namespace);
    let web = ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web"));
    let (id, local) = forward(&engine, web, RemotePort::Name("http".into()));
    answering_pod(local);

    let state_is = |what: &str, wanted: fn(&ForwardState) -> bool| {
        engine.wait(what, |scene| {
            let mut forwards = scene.forwards.iter();
            forwards.any(|one| one.id == id && wanted(&one.state))
        })
    };
    cable.cut();
    let asking = thread::spawn(move || ask(local));
    let told = state_is("the forward to say that the way is lost", |state| {
        matches!(state, ForwardState::Reconnecting { .. })
    });
    eprintln!("told {:.1} s after the cut", told.as_secs_f64());

    cable.restore();
    let back = state_is("the forward to come back", |state| {
        matches!(state, ForwardState::Listening | ForwardState::Connected)
    });
    eprintln!("back {:.1} s after it was mended", back.as_secs_f64());
    answering_pod(local);
    // Whether the one that came meanwhile was served in the end depends on how long it took.
    asking.join().expect("the client ends").ok();
}
