use serde_json::json;
use tokio::io::DuplexStream;

use super::*;

fn pod() -> Value {
    json!({
        "metadata": {"name": "web-1", "uid": "u"},
        "spec": {"containers": [{"name": "web", "ports": [{"name": "echo", "containerPort": 7}]}]},
        "status": {"containerStatuses": [{"name": "web", "state": {"running": {}}}]},
    })
}

/// A client that writes frames by hand, its headers in stored pieces.
struct SpdyTestClient {
    connection: DuplexStream,
    begun: bool,
}

impl SpdyTestClient {
    fn start() -> Self {
        let (connection, server) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move { serve(server, &pod()).await });
        Self {
            connection,
            begun: false,
        }
    }

    async fn open(&mut self, stream: u32, headers: &[(&str, &str)]) {
        let mut plain = u32::try_from(headers.len()).unwrap().to_be_bytes().to_vec();
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            plain.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            plain.extend(text.as_bytes());
        }
        let length = u16::try_from(plain.len()).unwrap();
        let mut block = Vec::new();
        if !self.begun {
            block.extend([0x78, 0x01]);
            self.begun = true;
        }
        block.push(0);
        block.extend(length.to_le_bytes());
        block.extend((!length).to_le_bytes());
        block.extend(plain);
        let rest = u32::try_from(block.len() + 10).unwrap();
        let mut frame = vec![0x80, 3, 0, 1];
        frame.extend(rest.to_be_bytes());
        frame.extend(stream.to_be_bytes());
        frame.extend([0; 6]);
        frame.extend(block);
        self.connection.write_all(&frame).await.unwrap();
    }

    async fn pair(&mut self, port: &str) {
        for (stream, kind) in [(1, "error"), (3, "data")] {
            let headers = [("streamtype", kind), ("port", port), ("requestid", "0")];
            self.open(stream, &headers).await;
        }
    }

    async fn write(&mut self, frame: Bytes) {
        self.connection.write_all(&frame).await.unwrap();
    }

    /// Reads until both streams have ended: what came on data and error.
    async fn ends(self) -> (Vec<u8>, Vec<u8>) {
        let mut frames = ClientFrameReader::new(self.connection);
        let (mut data, mut error, mut ends) = (Vec::new(), Vec::new(), 0);
        while ends < 2 {
            if let ClientFrame::Data {
                stream,
                fin,
                data: piece,
            } = frames.next().await.unwrap().unwrap()
            {
                let side = if stream == 3 { &mut data } else { &mut error };
                side.extend_from_slice(&piece);
                ends += usize::from(fin);
            }
        }
        (data, error)
    }
}

#[tokio::test]
async fn what_was_sent_before_half_close_comes_back() {
    let mut client = SpdyTestClient::start();
    client.pair("7").await;
    client.write(frame::data(3, b"hello ")).await;
    client.write(frame::data(3, b"world")).await;
    client.write(frame::fin(3)).await;
    assert_eq!(client.ends().await, (b"hello world".to_vec(), Vec::new()));
}

#[tokio::test]
async fn the_error_stream_may_come_last_and_ids_may_be_missing() {
    let mut client = SpdyTestClient::start();
    let data = [("streamtype", "data"), ("port", "7")];
    client.open(3, &data).await;
    client.write(frame::data(3, b"early")).await;
    client.write(frame::fin(3)).await;
    client
        .open(1, &[("streamtype", "error"), ("port", "7")])
        .await;
    assert_eq!(client.ends().await, (b"early".to_vec(), Vec::new()));
}

#[tokio::test]
async fn a_closed_port_says_so_on_the_error_stream() {
    let mut client = SpdyTestClient::start();
    client.pair("8").await;
    let (data, error) = client.ends().await;
    assert!(data.is_empty());
    let said = String::from_utf8(error).unwrap();
    assert!(said.contains("connect: connection refused"), "{said}");
}

#[tokio::test]
async fn bad_streams_are_reset_and_pings_answered() {
    let mut client = SpdyTestClient::start();
    for headers in [
        [("streamtype", "data"), ("port", "0")],
        [("streamtype", "data"), ("port", "web")],
        [("streamtype", "stdin"), ("port", "7")],
    ] {
        client.open(1, &headers).await;
    }
    client.write(frame::ping(9)).await;
    let mut frames = ClientFrameReader::new(client.connection);
    for _ in 0..3 {
        assert_eq!(
            frames.next().await.unwrap(),
            Some(ClientFrame::Reset { stream: 1 })
        );
    }
    assert_eq!(
        frames.next().await.unwrap(),
        Some(ClientFrame::Ping { id: 9 })
    );
}

#[tokio::test]
async fn a_stream_that_was_reset_leaves_the_others_alone() {
    let mut client = SpdyTestClient::start();
    for (stream, kind) in [(5, "error"), (7, "data")] {
        let headers = [("streamtype", kind), ("port", "7"), ("requestid", "1")];
        client.open(stream, &headers).await;
    }
    client.pair("7").await;
    client.write(frame::data(7, b"lost")).await;
    client.write(frame::rst_stream(7)).await;
    client.write(frame::data(7, b"late")).await;
    client.write(frame::data(3, b"kept")).await;
    client.write(frame::fin(3)).await;
    let mut frames = ClientFrameReader::new(client.connection);
    let mut kept = Vec::new();
    loop {
        if let Some(ClientFrame::Data {
            stream: 3,
            fin,
            data,
        }) = frames.next().await.unwrap()
        {
            kept.extend_from_slice(&data);
            if fin {
                break;
            }
        }
    }
    assert_eq!(kept, b"kept");
}
