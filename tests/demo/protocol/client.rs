//! A small client: it knows HTTP and JSON and nothing of Kubernetes.

use std::time::Duration;

use serde_json::Value;
use svcscope_demo::{DemoOptions, DemoServer};

/// How long anything may take before a test gives up; nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct DemoApiClient {
    pub server: DemoServer,
    http: reqwest::Client,
}

impl DemoApiClient {
    /// The sample without a life of its own.
    pub async fn without_activity() -> Self {
        Self::start(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        })
        .await
    }

    pub async fn start(options: DemoOptions) -> Self {
        svcscope_net::tls::install_crypto_provider();
        let server = DemoServer::start(options).await.unwrap();
        Self {
            server,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.server.url());
        let method = method.parse().unwrap();
        self.http
            .request(method, url)
            .bearer_auth(self.server.token())
    }

    /// Status and JSON body of a request.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        answer(request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (code, body) = self.send("GET", path, None).await;
        assert_eq!(code, 200, "{body}");
        body
    }

    /// PATCH with a content type.
    pub async fn patch(&self, kind: &str, path: &str, patch: &Value) -> (u16, Value) {
        let request = self
            .request("PATCH", path)
            .header("content-type", format!("application/{kind}"))
            .body(patch.to_string());
        answer(request).await
    }

    /// The lines of a watch.
    pub async fn watch(&self, path: &str) -> DemoWatchReader {
        let response = self.request("GET", path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        DemoWatchReader {
            response,
            rest: Vec::new(),
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let code = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (
        code,
        serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into()),
    )
}

pub struct DemoWatchReader {
    response: reqwest::Response,
    rest: Vec<u8>,
}

impl DemoWatchReader {
    /// The next line; `None` when the watch has ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.drain(..=end).collect::<Vec<_>>();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .expect("a line or the end");
            match chunk {
                Ok(Some(chunk)) => self.rest.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The first line that fits.
    pub async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.next().await.expect("the watch goes on");
            if fits(&line) {
                return line;
            }
        }
    }
}

pub fn items(list: &Value) -> &Vec<Value> {
    list["items"].as_array().unwrap()
}

pub fn names(list: &Value) -> Vec<String> {
    items(list)
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}
