//! What Bun's own QUIC cannot do, as an N-API module: a WebTransport server (HTTP/3, draft-ietf-webtrans-http3), here, and
//! a TPU client with a congestion controller of choice (tpu.rs).
//!
//! quinn owns the UDP socket on one thread of its own; JavaScript sees events and plain calls. Nothing here waits for
//! JavaScript and nothing in JavaScript waits for the network. Whatever a stranger can make grow has a limit: handshakes
//! in flight, sessions, streams, bytes that a session may say, bytes that wait for it.
mod certificate;
mod session;
mod tpu;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use session::Session;
use tokio::sync::oneshot;

/// A handshake that takes longer than this is no browser.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// JavaScript answers a request at once or not at all.
const ANSWER: Duration = Duration::from_secs(5);
/// A refusal must reach the browser before its connection is dropped.
const REFUSED_LINGER: Duration = Duration::from_millis(500);
const STOP: Duration = Duration::from_millis(300);
/// From here on a stranger must first prove that its address is its own (RFC 9000 section 8.1.2).
const HANDSHAKES_UNPROVEN_MAX: usize = 32;

/// One event for JavaScript. `kind`: "request" (path, origin, address), "open", "said" (the client sent something),
/// "closed" (reason). A request waits for `answer`.
#[napi(object)]
pub struct Event {
    pub kind: String,
    pub id: u32,
    pub path: String,
    pub origin: String,
    pub address: String,
    pub reason: String,
}

fn event(kind: &str, id: u32) -> Event {
    Event { kind: kind.into(), id, path: String::new(), origin: String::new(), address: String::new(), reason: String::new() }
}

/// Without an error as the first argument; weak, so that it does not keep the process alive.
type Listener = ThreadsafeFunction<Event, (), Event, Status, false, true>;

/// Where it listens and what strangers may take. Sizes in bytes.
#[napi(object)]
pub struct Options {
    pub address: String,
    pub certificate_pem: String,
    pub key_pem: String,
    pub sessions_max: u32,
    pub handshakes_max: u32,
    pub handshakes_per_address_max: u32,
    /// What may wait in the datagram queue of one session, and in its stream.
    pub queue_bytes_max: u32,
}

struct Shared {
    endpoint: quinn::Endpoint,
    options: Options,
    listener: Listener,
    sessions: Mutex<HashMap<u32, Session>>,
    answers: Mutex<HashMap<u32, oneshot::Sender<u16>>>,
    addresses: Mutex<HashMap<IpAddr, u32>>,
    handshakes: AtomicUsize,
    refused: AtomicU32,
    next: AtomicU32,
}

impl Shared {
    fn tell(&self, event: Event) {
        self.listener.call(event, ThreadsafeFunctionCallMode::NonBlocking);
    }
    fn session(&self, id: u32) -> Option<Session> {
        self.sessions.lock().unwrap().get(&id).cloned()
    }
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("sandpiper-net")
            .enable_all()
            .build()
            .expect("a thread for the network")
    })
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::from_reason(error.to_string())
}

#[napi]
pub struct WebTransportServer(Arc<Shared>);

#[napi]
impl WebTransportServer {
    /// Throws when the address cannot be bound or the certificate and its key do not fit.
    #[napi(constructor)]
    pub fn new(options: Options, listener: Listener) -> Result<Self> {
        let config = certificate::server_config(&options.certificate_pem, &options.key_pem, options.queue_bytes_max)?;
        let address = options.address.parse::<SocketAddr>().map_err(failed)?;
        let _inside = runtime().enter();
        let endpoint = quinn::Endpoint::server(config, address).map_err(failed)?;
        let shared = Arc::new(Shared {
            endpoint,
            options,
            listener,
            sessions: Mutex::default(),
            answers: Mutex::default(),
            addresses: Mutex::default(),
            handshakes: AtomicUsize::new(0),
            refused: AtomicU32::new(0),
            next: AtomicU32::new(1),
        });
        runtime().spawn(listen(shared.clone()));
        Ok(Self(shared))
    }

    #[napi(getter)]
    pub fn port(&self) -> u32 {
        self.0.endpoint.local_addr().map(|address| address.port().into()).unwrap_or(0)
    }

    /// Handshakes that were turned away before JavaScript heard of them.
    #[napi(getter)]
    pub fn refused(&self) -> u32 {
        self.0.refused.load(Relaxed)
    }

    /// From now on new connections get this certificate; open ones stay as they are.
    #[napi]
    pub fn set_certificate(&self, certificate_pem: String, key_pem: String) -> Result<()> {
        let config = certificate::server_config(&certificate_pem, &key_pem, self.0.options.queue_bytes_max)?;
        self.0.endpoint.set_server_config(Some(config));
        Ok(())
    }

    /// Answers a request with an HTTP status; 200 opens the session.
    #[napi]
    pub fn answer(&self, id: u32, status: u32) {
        if let Some(answer) = self.0.answers.lock().unwrap().remove(&id) {
            let _ = answer.send(status as u16);
        }
    }

    /// 0 sent, 1 no room now, 2 larger than a datagram may be now, 3 the session is gone.
    #[napi]
    pub fn send_datagram(&self, id: u32, bytes: &[u8]) -> u32 {
        self.0.session(id).map_or(session::GONE, |session| session.send_datagram(bytes))
    }

    /// Appends to the session's one stream: a big-endian u32 length, then the bytes. 0 taken, 1 no room now, 3 gone.
    #[napi]
    pub fn send_stream(&self, id: u32, bytes: &[u8]) -> u32 {
        self.0.session(id).map_or(session::GONE, |session| session.send_stream(bytes))
    }

    /// The largest datagram this session can send now; 0 when it is gone. Path MTU discovery moves it.
    #[napi]
    pub fn datagram_bytes_max(&self, id: u32) -> u32 {
        self.0.session(id).map_or(0, |session| session.datagram_bytes_max())
    }

    /// Closes with a WebTransport code and a reason that the page can read.
    #[napi]
    pub fn close(&self, id: u32, code: u32, reason: String) {
        if let Some(session) = self.0.session(id) {
            let _inside = runtime().enter();
            session.close(code, &reason);
        }
    }

    /// Ends the open sessions with a word and lets go of the port. Blocks for that word, at most STOP.
    #[napi]
    pub fn stop(&self) {
        let endpoint = &self.0.endpoint;
        runtime().block_on(async {
            endpoint.close(0u32.into(), b"the gateway stops");
            let _ = tokio::time::timeout(STOP, endpoint.wait_idle()).await;
            // JavaScript may hold this object for long: the port is free as soon as the socket is another one. Twice,
            // because quinn keeps the last one until something comes in on the new one.
            for _ in 0..2 {
                if let Ok(socket) = std::net::UdpSocket::bind("127.0.0.1:0") {
                    let _ = endpoint.rebind(socket);
                }
            }
        });
    }
}

async fn listen(shared: Arc<Shared>) {
    while let Some(incoming) = shared.endpoint.accept().await {
        let flying = shared.handshakes.load(Relaxed);
        if flying >= HANDSHAKES_UNPROVEN_MAX && !incoming.remote_address_validated() && incoming.may_retry() {
            let _ = incoming.retry();
            continue;
        }
        let address = incoming.remote_address().ip();
        if flying >= shared.options.handshakes_max as usize || !enter(&shared, address) {
            shared.refused.fetch_add(1, Relaxed);
            incoming.refuse();
            continue;
        }
        let shared = shared.clone();
        tokio::spawn(async move {
            let id = shared.next.fetch_add(1, Relaxed);
            let opened = handshake(&shared, id, incoming).await;
            leave(&shared, address);
            if let Some(open) = opened {
                serve(&shared, id, open).await;
            }
        });
    }
}

/// False when this address has too many handshakes in flight.
fn enter(shared: &Shared, address: IpAddr) -> bool {
    let mut addresses = shared.addresses.lock().unwrap();
    let flying = addresses.entry(address).or_insert(0);
    if *flying >= shared.options.handshakes_per_address_max {
        return false;
    }
    *flying += 1;
    shared.handshakes.fetch_add(1, Relaxed);
    true
}

fn leave(shared: &Shared, address: IpAddr) {
    shared.handshakes.fetch_sub(1, Relaxed);
    let mut addresses = shared.addresses.lock().unwrap();
    if let Some(flying) = addresses.get_mut(&address) {
        *flying -= 1;
        if *flying == 0 {
            addresses.remove(&address);
        }
    }
}

/// QUIC, HTTP/3 and the CONNECT request, then JavaScript's answer.
async fn handshake(shared: &Arc<Shared>, id: u32, incoming: quinn::Incoming) -> Option<web_transport_quinn::Session> {
    let connecting = async { incoming.accept()?.await };
    let connection = tokio::time::timeout(HANDSHAKE, connecting).await.ok()?.ok()?;
    let address = connection.remote_address().ip().to_string();
    let request = tokio::time::timeout(HANDSHAKE, web_transport_quinn::Request::accept(connection)).await.ok()?.ok()?;
    if shared.sessions.lock().unwrap().len() >= shared.options.sessions_max as usize {
        shared.refused.fetch_add(1, Relaxed);
        let _ = request.reject(web_transport_quinn::http::StatusCode::SERVICE_UNAVAILABLE).await;
        tokio::time::sleep(REFUSED_LINGER).await;
        return None;
    }
    let (sender, answer) = oneshot::channel();
    shared.answers.lock().unwrap().insert(id, sender);
    let path = match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_string(),
    };
    let origin = request.headers.get("origin").and_then(|value| value.to_str().ok()).unwrap_or("").to_string();
    shared.tell(Event { path, origin, address, ..event("request", id) });
    let status = tokio::time::timeout(ANSWER, answer).await.ok().and_then(|said| said.ok()).unwrap_or(503);
    shared.answers.lock().unwrap().remove(&id);
    if status != 200 {
        let _ = request.reject(status.try_into().unwrap_or_default()).await;
        tokio::time::sleep(REFUSED_LINGER).await;
        return None;
    }
    match tokio::time::timeout(HANDSHAKE, request.ok()).await {
        Ok(Ok(session)) => Some(session),
        _ => {
            // JavaScript counted it in when it said 200.
            shared.tell(Event { reason: "the handshake was not finished".into(), ..event("closed", id) });
            None
        }
    }
}

async fn serve(shared: &Arc<Shared>, id: u32, open: web_transport_quinn::Session) {
    let session = Session::start(runtime(), open.clone(), shared.options.queue_bytes_max as usize);
    shared.sessions.lock().unwrap().insert(id, session);
    shared.tell(event("open", id));
    // The first thing that a client says is told, then it is read no more: what it sends on fills its own QUIC windows.
    tokio::select! {
        said = open.read_datagram() => if said.is_ok() { shared.tell(event("said", id)) },
        said = open.accept_uni() => if said.is_ok() { shared.tell(event("said", id)) },
        said = open.accept_bi() => if said.is_ok() { shared.tell(event("said", id)) },
    }
    let reason = open.closed().await.to_string();
    shared.sessions.lock().unwrap().remove(&id);
    shared.tell(Event { reason, ..event("closed", id) });
}
