//! SOCKS5 (RFC 1928) with user and password (RFC 1929), as Go offers it
//! (golang.org/x/net/internal/socks): names are the proxy's to resolve.

use std::net::IpAddr;

use http::Uri;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::handshake::{WANTS_LOGIN, connection_error, host_and_port};

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;

/// Asks for a connection to the server. Errors go on after the proxy's name.
pub(super) async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    server: &Uri,
    user: Option<(String, String)>,
) -> Result<(), String> {
    let methods: &[u8] = match user {
        Some(_) => &[VERSION, 2, NO_LOGIN, PASSWORD],
        None => &[VERSION, 1, NO_LOGIN],
    };
    send(stream, methods).await?;
    let [version, method] = receive(stream).await?;
    if version != VERSION {
        return Err(format!(
            "does not speak SOCKS5: its answer begins with {version:#04x}"
        ));
    }
    match (method, &user) {
        (NO_LOGIN, _) => {}
        (PASSWORD, Some((user, password))) => log_in(stream, user, password).await?,
        (NO_ACCEPTABLE_METHOD, None) => {
            let form = "write them as socks5://USER:PASSWORD@HOST:PORT";
            return Err(format!("{WANTS_LOGIN}, or for another login; {form}"));
        }
        (NO_ACCEPTABLE_METHOD, Some(_)) => {
            return Err("does not accept a user and password".to_owned());
        }
        (other, _) => return Err(format!("asks for the unknown login {other:#04x}")),
    }
    send(stream, &request(server)?).await?;
    let [_version, reply, _reserved, kind] = receive(stream).await?;
    if reply != 0 {
        let (host, port) = host_and_port(server);
        let why = reply_text(reply);
        return Err(format!("refuses to connect to {host}:{port}: {why}"));
    }
    // The address that the proxy connects from, and its port.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let [length] = receive(stream).await?;
            usize::from(length)
        }
        other => {
            return Err(format!(
                "answers with an unknown kind of address {other:#04x}"
            ));
        }
    };
    let mut bound = vec![0; length + 2];
    let read = stream.read_exact(&mut bound).await;
    read.map(drop).map_err(|error| connection_error(&error))
}

async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    user: &str,
    password: &str,
) -> Result<(), String> {
    let mut login = vec![1];
    for word in [user, password] {
        let length = u8::try_from(word.len())
            .map_err(|error| format!("takes no user or password of over 255 bytes ({error})"))?;
        login.push(length);
        login.extend(word.as_bytes());
    }
    send(stream, &login).await?;
    match receive(stream).await? {
        [_version, 0] => Ok(()),
        _ => Err("does not accept the user and password".to_owned()),
    }
}

fn request(server: &Uri) -> Result<Vec<u8>, String> {
    let (host, port) = host_and_port(server);
    let mut request = vec![VERSION, 1, 0];
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => {
            request.push(1);
            request.extend(ip.octets());
        }
        Ok(IpAddr::V6(ip)) => {
            request.push(4);
            request.extend(ip.octets());
        }
        Err(_a_name) => {
            let length = u8::try_from(host.len())
                .map_err(|error| format!("takes no name as long as {host} ({error})"))?;
            request.extend([3, length]);
            request.extend(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Ok(request)
}

/// RFC 1928 §6.
fn reply_text(reply: u8) -> &'static str {
    match reply {
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unknown reply",
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), String> {
    let sent = stream.write_all(bytes).await;
    sent.map_err(|error| connection_error(&error))
}

async fn receive<S: AsyncRead + Unpin, const N: usize>(stream: &mut S) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let read = stream.read_exact(&mut bytes).await;
    read.map_err(|error| connection_error(&error))?;
    Ok(bytes)
}
