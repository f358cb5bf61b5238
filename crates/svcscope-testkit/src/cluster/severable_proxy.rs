//! A way to an API server that can be cut: nothing passes any more, and nobody is told.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use super::kubectl::KubectlRunner;

/// A local port that leads to a server.
pub struct SeverableProxy {
    cut: Arc<CutSwitch>,
}

#[derive(Default)]
struct CutSwitch {
    is_cut: Mutex<bool>,
    restored: Condvar,
}

impl CutSwitch {
    fn wait(&self) {
        let is_cut = self.is_cut.lock().expect("nobody panicked");
        let waited = self.restored.wait_while(is_cut, |is_cut| *is_cut);
        drop(waited.expect("nobody panicked"));
    }
}

impl SeverableProxy {
    /// Lays one to the server of this kubeconfig, and writes a kubeconfig that leads through it
    /// into the folder.
    pub fn start(kubeconfig: &Path, folder: &Path) -> (Self, PathBuf) {
        let of = |field: &str| {
            let path = format!("jsonpath={{.clusters[0].{field}}}");
            KubectlRunner(kubeconfig).run(&["config", "view", "--minify", "--raw", "-o", &path])
        };
        let (cluster, server) = (of("name"), of("cluster.server"));
        let place = server.strip_prefix("https://").expect("an https address");
        let to = place.to_socket_addrs().expect("host and port").next();
        let (cable, at) = Self::to(to.expect("an address"));

        let copy = folder.join("through-a-cable");
        std::fs::copy(kubeconfig, &copy).expect("a copy");
        let (host, _port) = place.rsplit_once(':').expect("host and port");
        let server = format!("--server=https://{at}");
        let name = format!("--tls-server-name={host}");
        KubectlRunner(&copy).run(&["config", "set-cluster", &cluster, &server, &name]);
        (cable, copy)
    }

    fn to(server: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let cut = Arc::<CutSwitch>::default();
        let shared = cut.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let cut = shared.clone();
                thread::spawn(move || {
                    cut.wait();
                    if let Ok(server) = TcpStream::connect(server) {
                        join(client, server, &cut);
                    }
                });
            }
        });
        (Self { cut }, at)
    }

    /// Lets nothing pass from now on.
    pub fn cut(&self) {
        *self.cut.is_cut.lock().expect("nobody panicked") = true;
    }

    /// Lets everything pass again, also what was sent meanwhile.
    pub fn restore(&self) {
        *self.cut.is_cut.lock().expect("nobody panicked") = false;
        self.cut.restored.notify_all();
    }
}

fn join(client: TcpStream, server: TcpStream, cut: &Arc<CutSwitch>) {
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let cut_too = cut.clone();
    thread::spawn(move || pass(client_too, server_too, &cut_too));
    pass(server, client, cut);
}

fn pass(mut from: TcpStream, mut to: TcpStream, cut: &CutSwitch) {
    to.set_nodelay(true).ok();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).unwrap_or(0);
        cut.wait();
        if length == 0 || to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
    from.shutdown(Shutdown::Read).ok();
}
