//! `NO_PROXY`, as Go reads it (golang.org/x/net/http/httpproxy, `config.init` and `useProxy`).

use std::net::IpAddr;

use http::Uri;

/// Whether a server is reached without a proxy.
pub(super) fn is_exempt(server: &Uri, no_proxy: &str) -> bool {
    let host = server.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host == "localhost" {
        return true;
    }
    let usual = match server.scheme_str() {
        Some("http") => 80,
        _ => 443,
    };
    let port = server.port_u16().unwrap_or(usual).to_string();
    // An address of a link names its interface behind a %.
    let address = host.split('%').next().unwrap_or_default().parse();
    let address: Option<IpAddr> = address.ok().map(|ip: IpAddr| ip.to_canonical());
    if address.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    let host = host.trim().to_lowercase();
    let mut entries = no_proxy.split(',').map(|entry| entry.trim().to_lowercase());
    entries.any(|entry| matches(&entry, &host, &port, address))
}

fn matches(entry: &str, host: &str, port: &str, address: Option<IpAddr>) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, length)) = network(entry) {
        return address.is_some_and(|ip| is_within(ip, network, length));
    }
    let (name, own_port) = split_port(entry);
    if own_port.is_some_and(|own| !own.is_empty() && own != port) {
        return false;
    }
    if let Ok(own) = name.parse::<IpAddr>() {
        return address == Some(own.to_canonical());
    }
    // A name never exempts an address.
    if name.is_empty() || address.is_some() {
        return false;
    }
    let name = match name.strip_prefix('*') {
        Some(suffix) if suffix.starts_with('.') => suffix,
        _ => name,
    };
    let ascii = |name: &str| match url::Host::parse(name) {
        Ok(url::Host::Domain(ascii)) if !name.is_ascii() => ascii,
        _ => name.to_owned(),
    };
    match name.strip_prefix('.') {
        // Subdomains only.
        Some(domain) => host.ends_with(&format!(".{}", ascii(domain))),
        None => {
            let domain = ascii(name);
            host == domain || host.ends_with(&format!(".{domain}"))
        }
    }
}

/// `10.0.0.0/8`, `fd00::/8`.
fn network(entry: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = entry.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (length <= most).then_some((address, length))
}

fn is_within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32 - u32::from(length);
            let kept = |ip: std::net::Ipv4Addr| u32::from(ip).checked_shr(shift).unwrap_or(0);
            kept(address) == kept(network)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128 - u32::from(length);
            let kept = |ip: std::net::Ipv6Addr| u128::from(ip).checked_shr(shift).unwrap_or(0);
            kept(address) == kept(network)
        }
        _ => false,
    }
}

/// `host:port` and `[ipv6]:port`, as Go's net.SplitHostPort; what has no port is the host alone.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some(bracketed) = entry.strip_prefix('[') {
        return match bracketed.split_once("]:") {
            Some((host, port)) => (host, Some(port)),
            None => (entry, None),
        };
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}
