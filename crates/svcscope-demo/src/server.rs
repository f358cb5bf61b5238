//! The running server: its listener, its connections, its controllers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::background_activity::BackgroundActivity;
use super::cluster::DemoCluster;
use super::control::DemoControl;
use super::controllers::ControllerLoop;
use super::kubeconfig;
use super::node_port_listeners;
use super::options::DemoOptions;
use super::router;
use super::{generated_cluster, sample_cluster};

/// Why the demo cluster could not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoStartError {
    /// The address is taken or not ours.
    #[error(
        "the demo cluster can't listen on {address}: {source}; choose another port, or 0 for any free one"
    )]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No thread or runtime could be made.
    #[error("the demo cluster could not start its thread: {0}")]
    Thread(std::io::Error),
    /// The thread ended before it said where it listens.
    #[error("the demo cluster's thread ended before it began to serve")]
    Ended,
}

/// A demo cluster that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct DemoServer {
    address: SocketAddr,
    control: DemoControl,
    stop: watch::Sender<bool>,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DemoServer {
    /// Starts the demo cluster on the caller's tokio runtime. When this returns, every object is
    /// there and the address answers.
    ///
    /// # Errors
    /// When it can't listen at the given address.
    pub async fn start(options: DemoOptions) -> Result<Self, DemoStartError> {
        let (server, run) = Self::prepare(options).await?;
        tokio::spawn(run);
        Ok(server)
    }

    /// Starts the demo cluster on a thread with a runtime of its own.
    ///
    /// # Errors
    /// When it can't listen at the given address, or no thread can be made.
    pub fn spawn(options: DemoOptions) -> Result<Self, DemoStartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("demo-worker")
            .enable_all()
            .build()
            .map_err(DemoStartError::Thread)?;
        let (ready_sender, started) = std::sync::mpsc::channel();
        let serve = move || {
            runtime.block_on(async {
                match Self::prepare(options).await {
                    Ok((server, run)) => {
                        if ready_sender.send(Ok(server)).is_ok() {
                            run.await;
                        }
                    }
                    Err(error) => {
                        if ready_sender.send(Err(error)).is_err() {
                            tracing::debug!("the caller stopped waiting for the demo cluster");
                        }
                    }
                }
            });
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new()
            .name("demo".to_owned())
            .spawn(serve)
            .map_err(DemoStartError::Thread)?;
        let mut server = started.recv().map_err(|_gone| DemoStartError::Ended)??;
        server.thread = Some(thread);
        Ok(server)
    }

    async fn prepare(
        options: DemoOptions,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), DemoStartError> {
        let listen = options.listen;
        let fail = |source| DemoStartError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let app = Arc::new(DemoCluster::new(options));
        let controllers = populate(&app);
        let (stop, stopped) = watch::channel(false);
        let (ending, ended) = oneshot::channel();
        let (up, wanted) = watch::channel(true);
        let control = DemoControl::new(app.clone(), up);
        let run = async move {
            let mut stop = stopped.clone();
            tokio::select! {
                () = controllers.run() => {}
                () = node_port_listeners::serve(app.clone()) => {}
                () = accept_connections(app, listener, address, wanted) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            // The caller may have stopped waiting.
            ending.send(()).unwrap_or_default();
        };
        let server = Self {
            address,
            control,
            stop,
            ended: Some(ended),
            thread: None,
        };
        Ok((server, run))
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bearer token that every request must show.
    pub fn token(&self) -> String {
        self.control.token()
    }

    /// A kubeconfig whose one context, `demo`, leads here with the namespace `shop`.
    pub fn kubeconfig(&self) -> String {
        kubeconfig::text(&self.url(), &self.token())
    }

    /// Direct edits and fault injection, for tests.
    pub fn control(&self) -> &DemoControl {
        &self.control
    }

    /// Stops the server and waits until it has: every connection is cut, the port is free.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(ended) = self.ended.take() {
            // An error means that it had ended before.
            ended.await.unwrap_or_default();
        }
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        // The thread ends by itself within moments; joining here could wait for the caller's own runtime.
        drop(self.thread.take());
    }
}

/// Fills the cluster and lets its controllers work until nothing is left to do.
pub(super) fn populate(app: &Arc<DemoCluster>) -> ControllerLoop {
    let options = &app.options;
    let scripted = options.scripted_activity && !options.is_generated();
    let life = BackgroundActivity::new(scripted, options.churn_per_second);
    let mut controllers = ControllerLoop::new(app.clone(), life);
    if options.is_generated() {
        let services = options.services.unwrap_or(0);
        generated_cluster::build(
            &app.registry,
            &app.network,
            services,
            options.pods.unwrap_or(services * 3),
        );
    } else {
        sample_cluster::build(&app.registry, &app.network);
    }
    controllers.run_until_idle();
    if options.is_generated() {
        app.registry.backdate(0);
    } else {
        sample_cluster::mark_some_pods_unready(&app.registry);
        controllers.run_until_idle();
    }
    controllers
}

/// Accepts connections while the server is up; while it is down the port is closed.
async fn accept_connections(
    app: Arc<DemoCluster>,
    listener: TcpListener,
    address: SocketAddr,
    mut up: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let open = *up.borrow_and_update();
        if !open {
            listener = None;
            connections.shutdown().await;
        } else if listener.is_none() {
            match TcpListener::bind(address).await {
                Ok(bound) => listener = Some(bound),
                Err(error) => {
                    tracing::warn!(%error, %address, "the demo cluster can't listen again yet");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            }
        }
        tokio::select! {
            changed = up.changed() => if changed.is_err() { return },
            accepted = accept_one(listener.as_ref()) => match accepted {
                Ok(stream) => {
                    connections.spawn(serve_connection(app.clone(), stream));
                }
                Err(error) => {
                    // Out of file descriptors, mostly: this passes.
                    tracing::warn!(%error, "the demo cluster could not accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            Some(_ended) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn accept_one(listener: Option<&TcpListener>) -> std::io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn serve_connection(app: Arc<DemoCluster>, stream: TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let mut cuts = app.faults.cut_signal();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let app = app.clone();
        async move { Ok::<_, std::convert::Infallible>(router::handle(app, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        served = connection => {
            if let Err(error) = served {
                tracing::debug!(%error, "a connection to the demo cluster ended early");
            }
        }
        _ = cuts.changed() => {}
    }
}
