//! The command that tries one cell again, for a terminal.

use super::PlannedPathTest;
use crate::probe::{
    AccessPath, CurlRequest, HttpScheme, RequestKind,
    authority::{RequestAuthority, absolute},
    in_cluster::kubectl_exec_line,
    resolved_access_path,
    terminal_commands::quoted,
};
use svcscope_model::inventory::Inventory;

/// The local port that a command for a forward uses.
const LOCAL: u16 = 18_080;

/// kubectl or curl for a cell; none for one that can't be tried.
pub fn terminal_command(cell: &PlannedPathTest, inventory: &Inventory) -> Option<String> {
    let request = cell.request.as_ref().ok()?;
    match &cell.access_path {
        AccessPath::InCluster { .. } => kubectl_exec_line(request, inventory),
        AccessPath::ServiceProxy | AccessPath::PodProxy(_) => {
            let way = resolved_access_path::api_proxy::resolve(request, inventory).ok()?;
            Some(format!("kubectl get --raw {}", quoted(&way.path)))
        }
        AccessPath::Forward | AccessPath::ForwardPod(_) => {
            let (target, port) = resolved_access_path::forward_target(request, inventory)?;
            let forward = format!(
                "kubectl -n {} port-forward {} {LOCAL}:{}",
                quoted(&request.target.key().namespace),
                quoted(&target.to_string()),
                quoted(&port.to_string()),
            );
            let to = format!("127.0.0.1:{LOCAL}");
            Some(format!("{forward} & {}", curl(request, inventory, &to)))
        }
        _ => {
            let to = resolved_access_path::direct_address(request, inventory)?;
            Some(curl(request, inventory, &to))
        }
    }
}

/// curl with the Service's name, connected to `to`.
fn curl(request: &CurlRequest, inventory: &Inventory, to: &str) -> String {
    let limit = request.timeout.as_secs_f64();
    if request.kind == RequestKind::Tcp {
        return format!("curl -v --max-time {limit} telnet://{to}");
    }
    let insecure = if request.scheme == HttpScheme::Https {
        " -k"
    } else {
        ""
    };
    let h2c = if request.scheme == HttpScheme::H2c {
        " --http2-prior-knowledge"
    } else {
        ""
    };
    let url = format!(
        "{}://{}{}",
        request.scheme.in_url(),
        RequestAuthority::of(request, inventory),
        absolute(&request.path)
    );
    format!(
        "curl -i{insecure}{h2c} --max-time {limit} --connect-to ::{to} {}",
        quoted(&url)
    )
}
