//! Flags and subcommands.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use super::{
    EditFlags, FilterFlags, ListenAddress, MigrationPathArg, NodePortArg, PortArg, PortPair,
    PortSelector, TargetArg,
    curl::response_options::ResponseOptions,
    durations::{seconds, time_limit},
};
use svcscope_check::Severity;
use svcscope_edit::ServiceKind;
use svcscope_net::probe::CurlSendFlags;

/// A live map of how traffic reaches every Service of a Kubernetes cluster.
///
/// Without a subcommand it opens the window. Results go to stdout, messages to stderr. Exit codes:
/// 0 done, 1 failed, 2 wrong usage, 3 no cluster, 4 not found, 5 incomplete, 6 found by `check`; a request that `curl`
/// sent ends with curl's own codes (7 refused, 28 too late, 22 HTTP error with --fail), and
/// `forward --exec` with the command's. A signal that ends it gives 128 and its number, but SIGINT ends
/// `reach` with the code of what it has found so far, `doctor` with 1 and `demo` with 0.
#[derive(Debug, Parser)]
#[command(name = "svcscope", version)]
pub struct CliArgs {
    /// What every subcommand understands.
    #[command(flatten)]
    pub global: GlobalFlags,
    /// Open the window dark, light, or as the desktop says, instead of as it was the last time
    #[arg(long, value_enum, value_name = "THEME")]
    pub theme: Option<ThemeArg>,
    /// What to do; nothing means the window.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeArg {
    /// Dark.
    Dark,
    /// Light.
    Light,
    /// As the desktop says.
    System,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImagePullPolicyArg {
    /// Where the node does not have it.
    IfNotPresent,
    /// Each time.
    Always,
    /// Not at all.
    Never,
}

/// Flags that are the same everywhere.
#[derive(Clone, Debug, clap::Args)]
pub struct GlobalFlags {
    /// Use the embedded demo cluster instead of a kubeconfig
    #[arg(long, global = true, conflicts_with_all = ["kubeconfig", "context"])]
    pub demo: bool,
    /// The kubeconfig file, instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, instead of its current one
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Look only at this namespace; may be given several times
    #[arg(short, long = "namespace", global = true, value_name = "NS", action = ArgAction::Append)]
    pub namespaces: Vec<String>,
    /// Refuse everything that would change the cluster
    #[arg(long, global = true)]
    pub read_only: bool,
    /// What a probe pod runs: an image with `sleep` and curl [default: docker.io/curlimages/curl of
    /// a pinned version, or as the settings say]
    #[arg(long, global = true, value_name = "IMAGE")]
    pub probe_image: Option<String>,
    /// When the image of a probe pod is pulled
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "POLICY",
        default_value = "if-not-present"
    )]
    pub probe_pull: ImagePullPolicyArg,
    /// More log output on stderr; -vv for even more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Print the traffic graph once, as data or as a picture
    Map(MapArgs),
    /// Report problems with Services, in a cluster or in manifest files
    Check(CheckArgs),
    /// Forward local ports until interrupted
    Forward(ForwardArgs),
    /// Send a request to a Service, a pod or a workload
    Curl(Box<CurlArgs>),
    /// Test every path to a Service: from here, by the API server, and from inside the cluster
    Reach(ReachArgs),
    /// Test the connection: what works, what does not, and what to do next
    Doctor(DoctorArgs),
    /// Change the type of a Service
    SetType(SetTypeArgs),
    /// Change the ports of a Service
    SetPorts(SetPortsArgs),
    /// Create a Service for a pod or a workload
    Expose(ExposeArgs),
    /// Change a Service by a JSON merge patch
    Edit(EditArgs),
    /// Create a Service like another
    Duplicate(DuplicateArgs),
    /// Delete a Service
    Delete(DeleteArgs),
    /// List the contexts of the kubeconfig, and how each is protected
    Contexts(ContextsArgs),
    /// Mark a context as read-only or production, or take the marks away
    Protect(ProtectArgs),
    /// Run the embedded demo cluster alone, on loopback, until interrupted
    Demo(DemoArgs),
}

/// How `map` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MapFormat {
    /// The form that the README documents.
    Json,
    /// Readable text.
    Text,
    /// For Graphviz.
    Dot,
    /// The map as a drawing.
    Svg,
    /// The map as pixels.
    Png,
}

impl MapFormat {
    /// Whether the map is drawn.
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Svg | Self::Png)
    }
}

/// The colours of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PictureTheme {
    /// As the window is by night.
    Dark,
    /// For paper.
    Light,
}

/// `svcscope map`.
#[derive(Debug, clap::Args)]
pub struct MapArgs {
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: MapFormat,
    /// Write to this file instead of stdout (- is stdout). An existing file is replaced only once the
    /// new one is complete; symbolic links are followed
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Zoom of the picture, from 0.02 to 1: further out, Services become cards and namespaces chips
    /// [default: 1, or as large as fits]
    #[arg(long, value_parser = zoom, value_name = "ZOOM")]
    pub zoom: Option<f32>,
    /// The colours of a picture [default: dark]
    #[arg(long, value_enum, value_name = "THEME")]
    pub theme: Option<PictureTheme>,
    /// Give up when the cluster has not been read whole after this many seconds
    #[arg(long, default_value = "60", value_parser = time_limit, value_name = "SECONDS")]
    pub timeout: Duration,
    /// Which Services are meant.
    #[command(flatten)]
    pub filter: FilterFlags,
}

/// How `check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// Readable text.
    Text,
    /// The form that the README documents.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML: a Service is a test case.
    Junit,
}

/// How bad a finding must be for `check --fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailSeverity {
    /// An error.
    Error,
    /// A warning or an error.
    Warning,
}

impl From<FailSeverity> for Severity {
    fn from(limit: FailSeverity) -> Self {
        match limit {
            FailSeverity::Error => Self::Error,
            FailSeverity::Warning => Self::Warning,
        }
    }
}

/// `svcscope check`.
///
/// Findings that the user suppressed in the window, or by the annotation `svcscope.dev/ignore` of a
/// Service (rules with commas between, or `*`), are counted and not printed.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Only this Service: svc/NAME
    pub target: Option<TargetArg>,
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: CheckFormat,
    /// Exit with 6 where something at least this bad is found
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailSeverity>,
    /// Print notes too, not only errors and warnings
    #[arg(long)]
    pub notes: bool,
    /// Check files instead of a cluster: YAML or JSON, folders of such, or - for stdin; may be given
    /// several times. Pods are those that workloads will make
    #[arg(
        short,
        long = "filename",
        value_name = "FILE",
        action = ArgAction::Append,
        conflicts_with_all = ["kubeconfig", "context", "demo"]
    )]
    pub files: Vec<PathBuf>,
    /// Keep running and print new and resolved findings until interrupted
    #[arg(long)]
    pub watch: bool,
    /// List all rules, then exit
    #[arg(long)]
    pub list: bool,
    /// Trace a packet to each port of the Service, from an entry point past NetworkPolicies to a
    /// pod, and say where it ends
    #[arg(long, requires = "target", conflicts_with_all = ["files", "watch", "list", "fail_on"])]
    pub trace: bool,
    /// Give up when the cluster has not been read whole after this many seconds
    #[arg(long, default_value = "60", value_parser = time_limit, value_name = "SECONDS")]
    pub timeout: Duration,
}

/// How `forward` reports events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// As kubectl prints it, with words about trouble on stderr.
    Text,
    /// One event a line.
    Json,
}

/// `svcscope forward`.
///
/// With a target and ports it forwards these. Without, it starts forwards that were saved in the
/// context: those of `--group` or `--saved`.
#[derive(Debug, clap::Args)]
pub struct ForwardArgs {
    /// svc/NAME, pod/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME, …
    #[arg(required_unless_present_any = ["group", "saved", "list", "forget", "import", "export"])]
    pub target: Option<TargetArg>,
    /// [LOCAL:]REMOTE, each a forward of its own; REMOTE is a number or a name, LOCAL 0 or empty
    /// means any free port
    #[arg(value_name = "[LOCAL:]REMOTE")]
    pub ports: Vec<PortPair>,
    /// Listen at these addresses, with commas between, instead of localhost, which is 127.0.0.1 and
    /// ::1; others may then reach the forward
    #[arg(
        long,
        value_name = "ADDRESS",
        value_delimiter = ',',
        action = ArgAction::Append,
        requires = "target"
    )]
    pub address: Vec<ListenAddress>,
    /// Take turns over all ready pods instead of staying with one
    #[arg(long, requires = "target")]
    pub balance: bool,
    /// Forward only to this pod of the target
    #[arg(
        long,
        value_name = "NAME",
        requires = "target",
        conflicts_with = "balance"
    )]
    pub pod: Option<String>,
    /// Save the forward under this name (of several ports each gets its port after the name)
    #[arg(long, value_name = "NAME", requires = "target")]
    pub save: Option<String>,
    /// Start all saved forwards of this group; with --save, the group to save in
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// With --save: start it automatically when the window connects to this context
    #[arg(long, requires = "save")]
    pub start_with_app: bool,
    /// Start the saved forward of this name; may be given several times
    #[arg(long, value_name = "NAME", action = ArgAction::Append, conflicts_with = "target")]
    pub saved: Vec<String>,
    /// List the saved forwards, then exit
    #[arg(long, conflicts_with_all = ["target", "saved", "forget"])]
    pub list: bool,
    /// Delete the saved forward of this name, then exit
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "saved", "group"])]
    pub forget: Option<String>,
    /// Export the saved forwards (with --group, only those) to a new file, then exit
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "saved", "list", "forget"])]
    pub export: Option<PathBuf>,
    /// Import saved forwards from such a file, then exit
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "saved", "group", "list", "forget", "export"])]
    pub import: Option<PathBuf>,
    /// With --import: do it without asking
    #[arg(short, long, requires = "import")]
    pub yes: bool,
    /// With --import: the confirmation word, needed where forwards would listen on non-loopback
    /// addresses whenever the window starts
    #[arg(long, value_name = "WORD", requires = "import")]
    pub confirm: Option<String>,
    /// Output format of forward events
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: EventFormat,
    /// Run this command, the rest of the line, once the forwards are up; end with its exit code.
    /// SVCSCOPE_PORT is the first local port, SVCSCOPE_PORTS all of them, SVCSCOPE_PORT_80 or
    /// SVCSCOPE_PORT_HTTP that of a remote port, and SVCSCOPE_ADDRESS the first address
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    pub exec: Vec<OsString>,
}

/// The access paths of `svcscope curl --via`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccessPathArg {
    /// A port-forward into a pod: without the Service's address, kube-proxy and NetworkPolicy.
    Forward,
    /// The API server's own proxy.
    Proxy,
    /// The nodePort at a node, from this machine.
    Nodeport,
    /// The load balancer or an external IP, from this machine.
    Lb,
    /// The external name, as DNS answers here.
    External,
    /// From inside the cluster: --inside creates a probe pod, --from uses an existing one
    Cluster,
}

/// What a client in the cluster calls a Service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum InClusterAddressArg {
    /// web.shop.svc.cluster.local
    #[default]
    Full,
    /// web.shop
    Namespaced,
    /// web
    Short,
    /// Its ClusterIP
    Ip,
    /// The address of the pod that --pod names
    Pod,
    /// spec.externalName
    External,
}

/// `svcscope curl`.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct CurlArgs {
    /// svc/NAME[:PORT], pod/NAME:PORT or deployment/NAME:PORT
    pub target: TargetArg,
    /// Path and query
    #[arg(default_value = "/")]
    pub path: String,
    /// What to send.
    #[command(flatten)]
    pub request_flags: CurlSendFlags,
    /// Via which access path the request is sent [default: forward]
    #[arg(long, value_enum, value_name = "ACCESS_PATH")]
    pub via: Option<AccessPathArg>,
    /// To this pod, by a forward or the proxy
    #[arg(long, value_name = "NAME")]
    pub pod: Option<String>,
    /// The node, by name or address, of --via nodeport [default: the first]
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// At an IPv4 address of a node or a load balancer, or with --as ip and --as pod
    #[arg(short = '4', long, overrides_with = "ipv6")]
    pub ipv4: bool,
    /// The same at an IPv6 address
    #[arg(short = '6', long, overrides_with = "ipv4")]
    pub ipv6: bool,
    /// With --via cluster: make a probe pod in this namespace, and remove it afterwards
    #[arg(long, value_name = "NS", conflicts_with = "from")]
    pub inside: Option<String>,
    /// With --via cluster: from this pod that is there; it needs curl or wget
    #[arg(long, value_name = "[NS/]POD[:CONTAINER]")]
    pub from: Option<String>,
    /// With --via cluster: the name or address that the client uses for the Service
    #[arg(long = "as", value_enum, default_value = "full", value_name = "NAME")]
    pub in_cluster_address: InClusterAddressArg,
    /// Use https whatever the port is called
    #[arg(long, conflicts_with = "http")]
    pub https: bool,
    /// Use http whatever the port is called
    #[arg(long)]
    pub http: bool,
    /// Only open a TCP connection
    #[arg(long, conflicts_with_all = ["tls", "grpc_health"])]
    pub tcp: bool,
    /// Only perform the TLS handshake and show the certificates
    #[arg(long, conflicts_with = "grpc_health")]
    pub tls: bool,
    /// Ask for gRPC's health, of this service or of the whole server
    #[arg(long, value_name = "SERVICE", num_args = 0..=1, default_missing_value = "")]
    pub grpc_health: Option<String>,
    /// The name that TLS asks for and verifies, instead of that of the Host header
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// Print the status line and the headers before the body
    #[arg(short, long)]
    pub include: bool,
    /// Exit with 22 and print no body where the status is 400 or above
    #[arg(short, long)]
    pub fail: bool,
    /// Write the body to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the answer goes, and when it is asked for again.
    #[command(flatten)]
    pub response: ResponseOptions,
    /// Print this after the end, with curl's variables: %{http_code}, %{time_total}, %{json}; @FILE
    /// reads it
    #[arg(short, long, value_name = "FORMAT")]
    pub write_out: Option<String>,
    /// In a production context: send what could change something, or is sent by a command in a
    /// pod, without asking
    #[arg(long)]
    pub yes: bool,
    /// Say nothing on stderr
    #[arg(short, long)]
    pub silent: bool,
    /// Say why it failed, also with --silent
    #[arg(short = 'S', long)]
    pub show_error: bool,
}

impl CurlArgs {
    /// Whether its access path leads through a node.
    pub(super) fn needs_nodes(&self) -> bool {
        self.via == Some(AccessPathArg::Nodeport)
    }
}

/// How `reach` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReachFormat {
    /// Readable text.
    Text,
    /// One object for each round.
    Json,
}

/// `svcscope reach`.
///
/// Exits with 0 where every path that could be tried leads to the application and there is nothing
/// to mend, with 1 where not, with 5 where none could be tried.
#[derive(Debug, clap::Args)]
pub struct ReachArgs {
    /// svc/NAME
    pub target: TargetArg,
    /// How the result is printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ReachFormat,
    /// Again after so many seconds, until interrupted
    #[arg(long, value_parser = seconds, value_name = "SECONDS")]
    pub every: Option<Duration>,
    /// Also test from inside the cluster, from a probe pod created in this namespace and removed
    /// afterwards; repeatable
    #[arg(long, value_name = "NS", action = ArgAction::Append)]
    pub inside: Vec<String>,
    /// Also test from inside the cluster, from this existing pod (needs curl or wget); repeatable
    #[arg(long, value_name = "[NS/]POD[:CONTAINER]", action = ArgAction::Append)]
    pub from: Vec<String>,
    /// In a production context: test from inside the cluster without confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Also test external IPs and names that resolve to this machine, loopback or link-local
    /// addresses: the Service chose them, and something private may listen there
    #[arg(long)]
    pub local: bool,
    /// How long one path may take
    #[arg(long, default_value = "3", value_parser = time_limit, value_name = "SECONDS")]
    pub timeout: Duration,
}

/// How `doctor` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// Readable text.
    Text,
    /// One object at the end.
    Json,
}

/// `svcscope doctor`.
///
/// Tries kubeconfig, proxy, network, TLS, credentials, version, rights, each watch, port-forward and
/// exec, one after another. Writes nothing. Exits with 0 where all works, perhaps with warnings, with
/// 3 where the cluster can't be reached, with 1 where something else fails, with 5 where there was no
/// time for all.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// How the result is printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: DoctorFormat,
    /// Run `true` in a running container too, which shows up in audit logs; without it only the
    /// permission is checked
    #[arg(long)]
    pub exec: bool,
    /// In a production context: run it without asking
    #[arg(short, long, requires = "exec")]
    pub yes: bool,
    /// Try nothing more after this many seconds
    #[arg(long, default_value = "30", value_parser = time_limit, value_name = "SECONDS")]
    pub timeout: Duration,
}

/// `svcscope set-type`.
#[derive(Debug, clap::Args)]
pub struct SetTypeArgs {
    /// svc/NAME
    pub target: TargetArg,
    /// ClusterIP, NodePort, LoadBalancer, ExternalName or Headless
    #[arg(value_name = "TYPE")]
    pub service_type: ServiceKind,
    /// Where an ExternalName points
    #[arg(long, value_name = "HOST")]
    pub external_name: Option<String>,
    /// A port of the Service; those that are given are all that it has then
    #[arg(long, value_name = "[NAME:]PORT[:TARGETPORT]", action = ArgAction::Append)]
    pub port: Vec<PortArg>,
    /// The nodePort of a port, instead of one that the cluster chooses; the number alone does
    /// where there is one port
    #[arg(long, value_name = "NAME=N", action = ArgAction::Append)]
    pub node_port: Vec<NodePortArg>,
    /// How to change to or from Headless: via ExternalName (two changes), or delete and recreate
    /// [default with --yes: external-name]
    #[arg(long, value_enum, value_name = "METHOD")]
    pub via: Option<MigrationPathArg>,
    /// Flags of every change
    #[command(flatten)]
    pub edit: EditFlags,
}

/// `svcscope set-ports`.
#[derive(Debug, clap::Args)]
pub struct SetPortsArgs {
    /// svc/NAME
    pub target: TargetArg,
    /// All ports that the Service shall have; none leaves those that it has
    #[arg(value_name = "[NAME:]PORT[:TARGETPORT][/PROTOCOL]")]
    pub ports: Vec<PortArg>,
    /// Add a port to those that it has
    #[arg(long, value_name = "PORT", action = ArgAction::Append, conflicts_with = "ports")]
    pub add: Vec<PortArg>,
    /// Remove a port by its name or number
    #[arg(long, value_name = "NAME", action = ArgAction::Append, conflicts_with = "ports")]
    pub remove: Vec<PortSelector>,
    /// The nodePort of a port
    #[arg(long, value_name = "NAME=N", action = ArgAction::Append)]
    pub node_port: Vec<NodePortArg>,
    /// Flags of every change
    #[command(flatten)]
    pub edit: EditFlags,
}

/// `svcscope expose`.
#[derive(Debug, clap::Args)]
pub struct ExposeArgs {
    /// pod/NAME, deployment/NAME, statefulset/NAME or daemonset/NAME
    pub target: TargetArg,
    /// The name of the Service [default: that of what is exposed]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The type of the Service [default: ClusterIP]
    #[arg(long = "type", value_name = "TYPE")]
    pub service_type: Option<ServiceKind>,
    /// A port of the Service [default: those that the containers declare]
    #[arg(long, value_name = "[NAME:]PORT[:TARGETPORT]", action = ArgAction::Append)]
    pub port: Vec<PortArg>,
    /// The nodePort of a port that is given
    #[arg(long, value_name = "NAME=N", action = ArgAction::Append, requires = "port")]
    pub node_port: Vec<NodePortArg>,
    /// Flags of every change
    #[command(flatten)]
    pub edit: EditFlags,
}

/// `svcscope edit`.
#[derive(Debug, clap::Args)]
pub struct EditArgs {
    /// svc/NAME
    pub target: TargetArg,
    /// A file with a JSON merge patch, as JSON or YAML; - is stdin
    #[arg(short, long, value_name = "PATCH")]
    pub file: PathBuf,
    /// How to change to or from Headless [default with --yes: external-name]
    #[arg(long, value_enum, value_name = "METHOD")]
    pub via: Option<MigrationPathArg>,
    /// Flags of every change
    #[command(flatten)]
    pub edit: EditFlags,
}

/// `svcscope duplicate`.
#[derive(Debug, clap::Args)]
pub struct DuplicateArgs {
    /// svc/NAME
    pub target: TargetArg,
    /// The name of the new Service
    #[arg(value_name = "NEWNAME")]
    pub name: String,
    /// Flags of every change
    #[command(flatten)]
    pub edit: EditFlags,
}

/// `svcscope delete`.
#[derive(Debug, clap::Args)]
pub struct DeleteArgs {
    /// svc/NAME
    pub target: TargetArg,
    /// Flags of every change
    #[command(flatten)]
    pub edit: EditFlags,
}

/// How `contexts` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Readable text.
    Text,
    /// One array.
    Json,
}

/// `svcscope contexts`.
#[derive(Debug, clap::Args)]
pub struct ContextsArgs {
    /// How they are printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ListFormat,
}

/// `svcscope protect`.
///
/// Keeps the marks of a context in the settings, for the window and the command line. Where a mark
/// is taken away it is asked for.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("marks")
    .args(["mark_read_only", "production", "none"])
    .required(true)
    .multiple(true))]
pub struct ProtectArgs {
    /// A context of the kubeconfig
    #[arg(value_name = "CONTEXT")]
    pub name: String,
    /// Read-only: no change of Services, no probe pod, no command in a pod, and only GET, HEAD and
    /// OPTIONS requests; a mark as production stays
    #[arg(long = "read-only")]
    pub mark_read_only: bool,
    /// Stands in for the flag of all subcommands, which here would be the same as the mark.
    #[arg(long = "refuse-changes", hide = true)]
    pub read_only: bool,
    /// A change needs the Service's name (--confirm); --yes is not enough
    #[arg(long)]
    pub production: bool,
    /// Neither of the two
    #[arg(long, conflicts_with_all = ["mark_read_only", "production"])]
    pub none: bool,
    /// Take marks away without asking
    #[arg(short, long)]
    pub yes: bool,
}

/// `svcscope demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Write a kubeconfig with the random token to this file
    #[arg(long, value_name = "FILE")]
    pub write_kubeconfig: Option<PathBuf>,
    /// Make this many Services instead of the sample
    #[arg(long, value_name = "N")]
    pub services: Option<usize>,
    /// Make this many pods instead of the sample
    #[arg(long, value_name = "M")]
    pub pods: Option<usize>,
    /// Change this many pods each second
    #[arg(long, value_name = "PER_SECOND", default_value = "0")]
    pub churn: f64,
}

fn zoom(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(zoom) if (0.02..=1.0).contains(&zoom) => Ok(zoom),
        _ => Err("a zoom is a number from 0.02 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        CliArgs::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_after_the_subcommand() {
        let args = CliArgs::parse_from([
            "svcscope", "map", "-o", "json", "--demo", "-n", "a", "-n", "b",
        ]);
        assert!(args.global.demo);
        assert_eq!(args.global.namespaces, ["a", "b"]);
        assert!(
            matches!(args.command, Some(CliCommand::Map(map)) if map.output == MapFormat::Json)
        );
    }

    #[test]
    fn a_forward_has_a_target_or_saved_ones_and_the_rest_is_the_command() {
        let parse = |words: &str| CliArgs::try_parse_from(words.split_whitespace());
        let args = parse("svcscope forward svc/web 8080:80 :http --exec curl -v -o json").unwrap();
        let Some(CliCommand::Forward(forward)) = args.command else {
            panic!("a forward");
        };
        assert_eq!(forward.ports.len(), 2);
        assert_eq!(forward.exec, ["curl", "-v", "-o", "json"]);
        assert_eq!(forward.output, EventFormat::Text);
        for right in ["--group shop", "--saved a --saved b -o json", "--list"] {
            parse(&format!("svcscope forward {right}")).expect(right);
        }
        for wrong in [
            "",
            "--balance --group shop",
            "svc/web 80 --balance --pod web-0",
            "svc/web 80 --saved db",
            "--list --forget db",
        ] {
            parse(&format!("svcscope forward {wrong}")).expect_err(wrong);
        }
    }

    #[test]
    fn the_mark_read_only_is_not_the_flag_of_all_subcommands() {
        let parse = |words: &str| CliArgs::try_parse_from(words.split_whitespace());
        for (words, flag, mark) in [
            ("svcscope protect demo --read-only", false, true),
            (
                "svcscope protect demo --read-only --production",
                false,
                true,
            ),
            ("svcscope --read-only protect demo --none -y", true, false),
        ] {
            let args = parse(words).unwrap();
            let Some(CliCommand::Protect(protect)) = args.command else {
                panic!("a mark");
            };
            let read = (args.global.read_only, protect.mark_read_only);
            assert_eq!(read, (flag, mark), "{words}");
        }
        for wrong in ["", "--none --read-only", "--none --production"] {
            parse(&format!("svcscope protect demo {wrong}")).expect_err(wrong);
        }
        let said = parse("svcscope protect demo").unwrap_err().to_string();
        let flags = ["--read-only", "--production", "--none"];
        assert!(flags.iter().all(|flag| said.contains(flag)), "{said}");
    }

    #[test]
    fn a_time_limit_of_nothing_is_refused() {
        let parse = |words: &str| CliArgs::try_parse_from(words.split_whitespace());
        for task in ["map", "check", "doctor", "reach svc/web"] {
            let task = format!("svcscope {task} --timeout");
            for wrong in ["0", "0.0", "-1", "1e-30", "soon"] {
                parse(&format!("{task}={wrong}")).expect_err(&task);
            }
            parse(&format!("{task} 0.5")).expect(&task);
        }
    }

    #[test]
    fn a_filter_is_read_as_kubectl_and_the_window_read_it() {
        let words = "svcscope map --type nodeport,Headless --state broken --state degraded \
                     --only-wrong --neighborhood shop/web --group-by app -l app=web";
        let args = CliArgs::parse_from(words.split_whitespace().chain(["--filter", "ns:shop 80"]));
        let Some(CliCommand::Map(map)) = args.command else {
            panic!("a map");
        };
        let view = map.filter.view();
        let words: Vec<_> = svcscope_filter::FilterCriterion::ALL
            .into_iter()
            .filter_map(|criterion| view.filter.describe(criterion))
            .collect();
        assert_eq!(
            words,
            [
                "Around shop/web",
                "Type: headless, NodePort",
                "Labels: app=web",
                "Text: ns:shop 80",
                "State: degraded, broken",
                "Only problems",
            ]
        );
        assert_eq!(view.grouping, svcscope_model::layout::ServiceGrouping::App);
        let wrong = CliArgs::try_parse_from(["svcscope", "map", "-l", "app in (a"]);
        let said = wrong.expect_err("no selector").to_string();
        assert!(said.contains("at character 10: found the end"), "{said}");
    }
}
