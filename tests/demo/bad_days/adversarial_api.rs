//! An API server of one cluster without objects, which gives odd answers where it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use svcscope_cluster::{KubeconfigSource, MergedKubeconfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Never to be seen in any message.
pub const TOKEN: &str = "T0KEN-0F-THE-USER";

/// What an odd server says.
#[derive(Clone)]
pub enum RawApiReply {
    /// These bytes, and then the connection is closed.
    Raw(Vec<u8>),
    /// An answer with this code, these further headers and this body.
    Answer(u16, &'static str, Vec<u8>),
    /// A head, then these bytes again and again.
    Endless(&'static str, Vec<u8>),
    /// These bytes, and nothing more for two seconds.
    Hold(Vec<u8>),
}

impl RawApiReply {
    pub fn json(code: u16, body: &str) -> Self {
        Self::Answer(code, "content-type: application/json\r\n", body.into())
    }

    /// A watch that says these lines and stays open.
    pub fn watch(lines: &str) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
        Self::Hold([head, lines].concat().into())
    }
}

/// Says what to answer to `GET /path?query`, the how manieth of its kind; none is the usual.
pub type ReplyOverride = dyn Fn(&str, usize) -> Option<RawApiReply> + Send + Sync;

pub struct AdversarialApiServer {
    pub url: String,
    request_counts: Arc<Mutex<HashMap<String, usize>>>,
}

impl AdversarialApiServer {
    pub async fn start(
        reply_override: impl Fn(&str, usize) -> Option<RawApiReply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let (odd, counts): (Arc<ReplyOverride>, _) = (Arc::new(reply_override), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, odd.clone(), counts.clone()));
            }
        });
        Self {
            url,
            request_counts: asked,
        }
    }

    /// How often this was asked for, by how the request begins.
    pub fn count(&self, start: &str) -> usize {
        let asked = self.request_counts.lock().unwrap();
        let fitting = asked.iter().filter(|(what, _)| what.starts_with(start));
        fitting.map(|(_, count)| count).sum()
    }

    pub fn kubeconfigs(&self) -> MergedKubeconfig {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
             clusters: [{{name: c, cluster: {{server: '{}'}}}}]\n\
             contexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n\
             users: [{{name: u, user: {{token: {TOKEN}}}}}]\n",
            self.url
        );
        MergedKubeconfig::load(&KubeconfigSource::Inline(text)).unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    odd: Arc<ReplyOverride>,
    asked: Arc<Mutex<HashMap<String, usize>>>,
) {
    let mut read = Vec::new();
    loop {
        let Some(end) = find(&read, b"\r\n\r\n") else {
            let mut piece = [0; 4096];
            match stream.read(&mut piece).await {
                Ok(count) if count > 0 => read.extend_from_slice(&piece[..count]),
                _ => return,
            }
            continue;
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().unwrap())
        });
        let whole = end + 4 + length.unwrap_or(0);
        while read.len() < whole {
            let mut piece = [0; 4096];
            match stream.read(&mut piece).await {
                Ok(count) if count > 0 => read.extend_from_slice(&piece[..count]),
                _ => return,
            }
        }
        read.drain(..whole);
        let line = head.lines().next().unwrap_or_default();
        let request = line.rsplit_once(' ').map_or(line, |(request, _)| request);
        let count = {
            let mut asked = asked.lock().unwrap();
            let count = asked.entry(request.to_owned()).or_default();
            *count += 1;
            *count
        };
        let reply = odd(request, count).unwrap_or_else(|| default_reply(request));
        if !answer(&mut stream, reply).await {
            return;
        }
    }
}

/// Whether the connection can be used again.
async fn answer(stream: &mut TcpStream, reply: RawApiReply) -> bool {
    match reply {
        RawApiReply::Raw(bytes) => {
            stream.write_all(&bytes).await.ok();
            false
        }
        RawApiReply::Answer(code, headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {code} Said\r\n{headers}content-length: {length}\r\n\r\n");
            let head = stream.write_all(head.as_bytes()).await;
            head.is_ok() && stream.write_all(&body).await.is_ok()
        }
        RawApiReply::Endless(head, bytes) => {
            if stream.write_all(head.as_bytes()).await.is_ok() {
                while stream.write_all(&bytes).await.is_ok() {}
            }
            false
        }
        RawApiReply::Hold(bytes) => {
            stream.write_all(&bytes).await.ok();
            // Until the client goes.
            let mut piece = [0; 64];
            let gone =
                async { while stream.read(&mut piece).await.is_ok_and(|count| count > 0) {} };
            // As long as the patience of these tests asks a watch to last.
            tokio::time::timeout(Duration::from_secs(2), gone)
                .await
                .ok();
            false
        }
    }
}

/// What a sound server of Kubernetes 1.20 without objects says.
pub fn default_reply(request: &str) -> RawApiReply {
    if request.contains("watch=true") {
        return RawApiReply::watch("");
    }
    let path = request.split_once(' ').map_or("", |(_, path)| path);
    let body = match path {
        "/version" => r#"{"major":"1","minor":"20","gitVersion":"v1.20.2"}"#,
        "/api" => r#"{"kind":"APIVersions","versions":["v1"]}"#,
        _ if path.ends_with("accessreviews") => r#"{"status":{"allowed":true}}"#,
        _ if path.contains('?') => {
            r#"{"kind":"List","metadata":{"resourceVersion":"7"},"items":[]}"#
        }
        _ => r#"{"kind":"APIResourceList","resources":[]}"#,
    };
    RawApiReply::json(200, body)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|found| found == wanted)
}
