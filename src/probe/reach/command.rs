//! The command that tries one cell again, for a terminal.

use super::PlannedCell;
use crate::{
    inventory::Inventory,
    probe::{
        Ask, CurlRequest, Scheme, Vantage,
        authority::{Authority, absolute},
        command_line::quoted,
        door,
        inside::kubectl_exec_line,
    },
};

/// The local port that a command for a forward uses.
const LOCAL: u16 = 18_080;

/// kubectl or curl for a cell; none for one that can't be tried.
pub fn command_line(cell: &PlannedCell, inventory: &Inventory) -> Option<String> {
    let request = cell.request.as_ref().ok()?;
    match &cell.vantage {
        Vantage::Inside { .. } => kubectl_exec_line(request, inventory),
        Vantage::ServiceProxy | Vantage::PodProxy(_) => {
            let way = door::proxy::way(request, inventory).ok()?;
            Some(format!("kubectl get --raw {}", quoted(&way.path)))
        }
        Vantage::Forward | Vantage::ForwardPod(_) => {
            let (target, port) = door::forwarded(request, inventory)?;
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
            let to = door::direct_address(request, inventory)?;
            Some(curl(request, inventory, &to))
        }
    }
}

/// curl with the Service's name, connected to `to`.
fn curl(request: &CurlRequest, inventory: &Inventory, to: &str) -> String {
    let limit = request.timeout.as_secs_f64();
    if request.ask == Ask::Tcp {
        return format!("curl -v --max-time {limit} telnet://{to}");
    }
    let insecure = if request.scheme == Scheme::Https {
        " -k"
    } else {
        ""
    };
    let h2c = if request.scheme == Scheme::H2c {
        " --http2-prior-knowledge"
    } else {
        ""
    };
    let url = format!(
        "{}://{}{}",
        request.scheme.in_url(),
        Authority::of(request, inventory),
        absolute(&request.path)
    );
    format!(
        "curl -i{insecure}{h2c} --max-time {limit} --connect-to ::{to} {}",
        quoted(&url)
    )
}
