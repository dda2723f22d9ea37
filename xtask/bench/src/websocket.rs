//! Many WebSocket connections at once, and a broadcast to all of them each second through the management API: what arrives
//! where and how often, how long it takes, and what it costs the server in memory.
// What is measured here is the machine's time.
#![allow(clippy::disallowed_methods)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::Failure;
use crate::client::Client;
use crate::report::mebibytes;

/// Handshakes under way at the same time.
const HANDSHAKES: usize = 32;
/// Keep-alive connections that broadcast, each to its share of the clients.
const POSTERS: usize = 8;
/// How long what was posted last may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long after the last connection was closed the server's memory is looked at.
const REST: Duration = Duration::from_secs(2);

/// How many connections, and for how long.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where the server is
    #[arg(long)]
    server: SocketAddr,
    /// The server's process, whose memory is looked at
    #[arg(long)]
    process: u32,
    /// How many connections are open at once
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    /// For how many seconds there is a broadcast each second
    #[arg(long, default_value_t = 60)]
    seconds: usize,
}

/// One client at its end: what it received, and when.
type Received = Vec<(usize, Instant)>;

/// One broadcast: when it began, and how many posts were refused.
struct Broadcast {
    begun: Instant,
    refused: usize,
}

/// Runs it; `false` if anything was lost, sent twice or out of order, or refused.
pub fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(arguments))
}

async fn measure(arguments: &Arguments) -> Result<bool, Failure> {
    let memory = || mebibytes(arguments.process);
    let before = memory();
    let api = deploy(arguments.server).await?;
    let begun = Instant::now();
    let sockets = connect_all(arguments, &api).await?;
    println!("{} connections open after {:.1} s", sockets.len(), begun.elapsed().as_secs_f64());
    let connected = memory();

    let arrived = Arc::new(AtomicUsize::new(0));
    let (leave, left) = watch::channel(false);
    let mut listening = JoinSet::new();
    let mut ids = Vec::new();
    for (id, socket) in sockets {
        ids.push(id);
        listening.spawn(listen(socket, Arc::clone(&arrived), left.clone()));
    }
    let (broadcasts, most) = broadcast_all(arguments, &api, &ids, memory).await?;
    let refused: usize = broadcasts.iter().map(|broadcast| broadcast.refused).sum();
    let expected = arguments.connections * arguments.seconds - refused;
    let last = Instant::now();
    while arrived.load(Ordering::Relaxed) < expected && last.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    leave.send(true)?;
    let clients: Vec<Received> = listening.join_all().await.into_iter().collect::<Result<_, _>>()?;
    tokio::time::sleep(REST).await;
    if let (Some(first), Some(last)) = (broadcasts.first(), broadcasts.last()) {
        println!("{} broadcasts, begun within {:.1} s", broadcasts.len(), (last.begun - first.begun).as_secs_f64());
    }
    let counted = Counted::of(&clients, &broadcasts, arguments.connections);
    counted.print();
    println!(
        "server memory in MiB: {before:.1} before, {connected:.1} connected, {most:.1} at most, {:.1} after",
        memory()
    );
    Ok(counted.is_clean())
}

/// A WebSocket API without a function: what is measured is the API.
async fn deploy(server: SocketAddr) -> Result<String, Failure> {
    let mut client = Client::connect(server).await?;
    let mut make = async |path: String, body: Value| -> Result<Value, Failure> {
        let (status, answer) = client.rest("apigateway", Method::POST, &path, body.to_string().into()).await?;
        let text = String::from_utf8_lossy(&answer);
        if status.is_success() {
            Ok(serde_json::from_str(&text)?)
        } else {
            Err(format!("{path}: {status}: {text}").into())
        }
    };
    let id = |made: &Value, name: &str| made[name].as_str().map(str::to_owned).ok_or("an answer without an id");
    let api =
        json!({ "name": "bench", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action" });
    let api = id(&make("/v2/apis".to_owned(), api).await?, "apiId")?;
    let mock = json!({ "integrationType": "MOCK", "requestTemplates": { "200": "{\"statusCode\":200}" } });
    let mock = id(&make(format!("/v2/apis/{api}/integrations"), mock).await?, "integrationId")?;
    let route = json!({ "routeKey": "$connect", "target": format!("integrations/{mock}") });
    make(format!("/v2/apis/{api}/routes"), route).await?;
    make(format!("/v2/apis/{api}/stages"), json!({ "stageName": "prod", "autoDeploy": true })).await?;
    Ok(api)
}

type Socket = WebSocketStream<TcpStream>;

async fn connect_all(arguments: &Arguments, api: &str) -> Result<Vec<(String, Socket)>, Failure> {
    let mut sockets = Vec::with_capacity(arguments.connections);
    let mut connecting = JoinSet::new();
    for _ in 0..arguments.connections {
        if connecting.len() >= HANDSHAKES
            && let Some(connected) = connecting.join_next().await
        {
            sockets.push(connected??);
        }
        connecting.spawn(connect(arguments.server, api.to_owned()));
    }
    while let Some(connected) = connecting.join_next().await {
        sockets.push(connected??);
    }
    Ok(sockets)
}

/// A client and its connection's id: the refusal of a message that no route takes tells it.
async fn connect(server: SocketAddr, api: String) -> Result<(String, Socket), Failure> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = client_async(format!("ws://{server}{}", path(&api)), stream).await?;
    socket.send(Message::text("{}")).await?;
    let told = socket.next().await.ok_or("a connection was closed at once")??;
    let told: Value = serde_json::from_str(told.to_text()?)?;
    let id = told["connectionId"].as_str().ok_or_else(|| format!("not a refusal: {told}"))?;
    Ok((id.to_owned(), socket))
}

/// Where the API's stage is.
fn path(api: &str) -> String {
    format!("/_aws/execute-api/{api}/prod")
}

/// Notes what arrives, until it is told to leave.
async fn listen(
    mut socket: Socket,
    arrived: Arc<AtomicUsize>,
    mut left: watch::Receiver<bool>,
) -> Result<Received, Failure> {
    let mut received = Received::new();
    loop {
        let message = tokio::select! {
            message = socket.next() => message.ok_or("the server closed a connection")??,
            changed = left.changed() => {
                changed?;
                socket.close(None).await?;
                return Ok(received);
            }
        };
        if let Message::Text(text) = message {
            received.push((text.parse()?, Instant::now()));
            arrived.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Broadcasts, one each second, and the most memory that the server was seen to have.
async fn broadcast_all(
    arguments: &Arguments,
    api: &str,
    ids: &[String],
    memory: impl Fn() -> f64,
) -> Result<(Vec<Broadcast>, f64), Failure> {
    let mut clients = Vec::new();
    for _ in 0..POSTERS {
        clients.push(Client::connect(arguments.server).await?);
    }
    let shares: Vec<Vec<String>> = ids.chunks(ids.len().div_ceil(POSTERS).max(1)).map(<[String]>::to_vec).collect();
    let (mut broadcasts, mut most) = (Vec::new(), memory());
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for number in 0..arguments.seconds {
        seconds.tick().await;
        let begun = Instant::now();
        let mut posting = JoinSet::new();
        for (client, share) in clients.drain(..).zip(&shares) {
            posting.spawn(post(client, path(api), share.clone(), number));
        }
        let mut refused = 0;
        for posted in posting.join_all().await {
            let (client, count) = posted?;
            clients.push(client);
            refused += count;
        }
        broadcasts.push(Broadcast { begun, refused });
        most = most.max(memory());
    }
    Ok((broadcasts, most))
}

/// Posts a number to some clients; how many posts were refused.
async fn post(mut client: Client, stage: String, ids: Vec<String>, number: usize) -> Result<(Client, usize), Failure> {
    let body = Bytes::from(number.to_string());
    let mut refused = 0;
    for id in ids {
        let path = format!("{stage}/@connections/{}", id.replace('=', "%3D"));
        let (status, _) = client.rest("execute-api", Method::POST, &path, body.clone()).await?;
        refused += usize::from(status != StatusCode::OK);
    }
    Ok((client, refused))
}

/// What became of the messages.
struct Counted {
    expected: usize,
    received: usize,
    refused: usize,
    lost: usize,
    doubled: usize,
    disordered: usize,
    /// From a broadcast's first post to its last arrival, in order of length.
    took: Vec<Duration>,
}

impl Counted {
    fn of(clients: &[Received], broadcasts: &[Broadcast], connections: usize) -> Self {
        let mut ends: Vec<Option<Instant>> = vec![None; broadcasts.len()];
        let (mut different, mut disordered, mut received) = (0, 0, 0);
        for client in clients {
            let mut seen = vec![false; broadcasts.len()];
            for (number, at) in client {
                received += 1;
                if let (Some(seen), Some(end)) = (seen.get_mut(*number), ends.get_mut(*number)) {
                    different += usize::from(!std::mem::replace(seen, true));
                    *end = (*end).max(Some(*at));
                }
            }
            disordered += client.windows(2).filter(|pair| matches!(pair, [(a, _), (b, _)] if a > b)).count();
        }
        let refused = broadcasts.iter().map(|broadcast| broadcast.refused).sum();
        let expected = broadcasts.len() * connections;
        let took = broadcasts.iter().zip(ends).filter_map(|(broadcast, end)| Some(end? - broadcast.begun));
        let mut took: Vec<Duration> = took.collect();
        took.sort_unstable();
        let lost = expected.saturating_sub(different + refused);
        Self { expected, received, refused, lost, doubled: received - different, disordered, took }
    }

    fn is_clean(&self) -> bool {
        self.refused + self.lost + self.doubled + self.disordered == 0
    }

    fn print(&self) {
        let Self { expected, received, refused, lost, doubled, disordered, took } = self;
        println!(
            "{expected} messages posted: {received} received, {lost} lost, {doubled} received twice, {disordered} out of order, \
             {refused} refused"
        );
        if let (Some(median), Some(slowest)) = (took.get(took.len() / 2), took.last()) {
            println!(
                "from a broadcast's first post to its last arrival: {} ms in the median, {} ms at most",
                median.as_millis(),
                slowest.as_millis()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_is_counted() {
        let begun = Instant::now();
        let broadcasts = [0, 1, 2].map(|refused| Broadcast { begun, refused: usize::from(refused == 2) });
        let at = |numbers: &[usize]| numbers.iter().map(|number| (*number, begun)).collect::<Received>();
        let counted = Counted::of(&[at(&[0, 1, 2]), at(&[1, 0, 0]), at(&[1])], &broadcasts, 3);
        let Counted { expected, received, refused, lost, doubled, disordered, .. } = counted;
        assert_eq!((expected, received, refused, lost, doubled, disordered), (9, 7, 1, 2, 1, 1));
        assert!(!counted.is_clean());
        let broadcasts = [Broadcast { begun, refused: 0 }];
        assert!(Counted::of(&[at(&[0]), at(&[0])], &broadcasts, 2).is_clean());
    }
}
