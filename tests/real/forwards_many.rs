//! Many forwards at once.

use std::{
    net::{SocketAddr, TcpStream},
    thread,
};

use svcscope_engine::EngineCommand;
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::{ForwardId, ForwardState, ForwardTarget, RemotePort};

use crate::{
    forwards::{answering_pod, forward},
    kubeconfig,
    sample::WebSampleNamespace,
};

/// At the same time, for each answer's end takes a second to come.
fn all_answer(forwards: &[(ForwardId, SocketAddr)]) {
    thread::scope(|scope| {
        for (_, local) in forwards {
            scope.spawn(|| assert!(answering_pod(*local).starts_with("web-")));
        }
    });
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn of_fifty_forwards_stopping_one_leaves_forty_nine() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "fifty");
    let engine = sample.engine();
    let web = ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web"));
    let mut all: Vec<_> = (0..50)
        .map(|_| forward(&engine, web.clone(), RemotePort::Name("http".into())))
        .collect();
    all_answer(&all);

    let (stopped, local) = all.swap_remove(24);
    engine.send(EngineCommand::StopForward(stopped));
    engine.wait("the forward to stop", |scene| {
        let mut forwards = scene.forwards.iter();
        forwards.any(|one| one.id == stopped && one.state == ForwardState::Stopped)
    });
    TcpStream::connect(local).expect_err("nobody listens");

    assert_eq!(all.len(), 49);
    all_answer(&all);
    engine.wait("the others to be idle again", |scene| {
        let mut others = scene.forwards.iter().filter(|one| one.id != stopped);
        others.clone().count() == 49 && others.all(|one| one.state == ForwardState::Listening)
    });
}
