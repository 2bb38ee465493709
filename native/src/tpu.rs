//! The TPU client on quinn: ALPN solana-tpu, our certificate, one unidirectional stream per transaction, and a congestion
//! controller of choice (crate sandpiper-congestion). The other engine is src/execute/tpu/tpu-client.ts on node:quic; both
//! answer alike, but here "accepted" means that the leader's transport has acknowledged every byte.
//!
//! A call names its end by a ticket; ends gather in a list, and JavaScript is woken once per list. 0-RTT data that a leader
//! would not have is sent again after its handshake: the bytes are signed, so twice is once.
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, StoppedError, TransportConfig, WriteError};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{failed, runtime};

const ALPN: &[u8] = b"solana-tpu";
/// What validators put there; nobody checks it.
const SERVER_NAME: &str = "connect";
const KEEP_ALIVE: Duration = Duration::from_secs(1);
const IDLE_MAX: Duration = Duration::from_secs(10);
const HANDSHAKE_MAX: Duration = Duration::from_secs(2);
const STREAM_MAX: Duration = Duration::from_secs(2);
const STOP_MAX: Duration = Duration::from_millis(300);
/// Leaders that are connected at once; the one that was not used for longest goes.
const LEADERS_MAX: usize = 32;

const ACCEPTED: u32 = 0;
const REJECTED: u32 = 1;
const UNANSWERED: u32 = 2;

/// Who we are, and how to send. `controller`: "cubic", "bbr", "newreno" or "phase".
#[napi(object)]
pub struct TpuOptions {
    pub certificate_der: Uint8Array,
    /// PKCS #8.
    pub key_der: Uint8Array,
    pub controller: String,
    /// Least time between two attempts to reach a leader that does not answer.
    pub reconnect_ms: u32,
}

/// How a call ended. `kind`: 0 accepted, 1 rejected (it did not leave), 2 unanswered (it may be on its way).
#[napi(object)]
pub struct TpuEnd {
    pub ticket: u32,
    pub kind: u32,
    pub why: String,
}

/// What QUIC knows of the way to one leader.
#[napi(object)]
pub struct TpuPath {
    pub window_bytes: f64,
    pub rtt_ns: f64,
    pub sent_packets: f64,
    pub lost_packets: f64,
}

#[napi(object)]
pub struct TpuCounters {
    pub handshakes: u32,
    /// Of them, those that went on from a ticket with 0-RTT data.
    pub resumptions: u32,
    /// Of the newest handshake; 0 before the first.
    pub handshake_ns: f64,
}

type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

struct Open {
    connection: Connection,
    /// True once the handshake is done; its sender goes without that when it failed.
    ready: watch::Receiver<bool>,
}

struct Leader {
    address: SocketAddr,
    phase: Arc<AtomicBool>,
    open: Mutex<Option<Open>>,
    /// One connects, the others wait for it.
    connecting: tokio::sync::Mutex<()>,
    failed: Mutex<Option<Instant>>,
    used: Mutex<Instant>,
}

struct Shared {
    endpoint: Endpoint,
    crypto: Arc<QuicClientConfig>,
    controller: String,
    reconnect: Duration,
    leaders: Mutex<HashMap<String, Arc<Leader>>>,
    ends: Mutex<Vec<TpuEnd>>,
    wake: Wake,
    handshakes: AtomicU32,
    resumptions: AtomicU32,
    handshake_ns: AtomicU64,
}

#[napi]
pub struct TpuEngine(Arc<Shared>);

#[napi]
impl TpuEngine {
    /// Throws when certificate and key do not fit, the controller has no such name, or there is no UDP socket.
    #[napi(constructor)]
    pub fn new(options: TpuOptions, wake: Wake) -> Result<Self> {
        if sandpiper_congestion::by_name(&options.controller, Arc::default()).is_none() {
            return Err(failed(format!("no congestion controller is named {}", options.controller)));
        }
        let crypto = Arc::new(client_crypto(&options)?);
        let _inside = runtime().enter();
        let endpoint = Endpoint::client(SocketAddr::from(([0, 0, 0, 0], 0))).map_err(failed)?;
        Ok(Self(Arc::new(Shared {
            endpoint,
            crypto,
            controller: options.controller,
            reconnect: Duration::from_millis(options.reconnect_ms.into()),
            leaders: Mutex::default(),
            ends: Mutex::default(),
            wake,
            handshakes: AtomicU32::new(0),
            resumptions: AtomicU32::new(0),
            handshake_ns: AtomicU64::new(0),
        })))
    }

    /// Opens a connection if there is none; ends when its handshake is done or failed.
    #[napi]
    pub fn prepare(&self, address: String, ticket: u32) {
        let shared = self.0.clone();
        runtime().spawn(async move {
            let end = match shared.leader(&address) {
                Ok(leader) => prepared(&shared, &leader).await,
                Err(why) => Err((REJECTED, why)),
            };
            shared.ended(ticket, end);
        });
    }

    /// One transaction to one leader. The caller bounds how many are on their way.
    #[napi]
    pub fn send(&self, address: String, ticket: u32, wire: &[u8]) {
        let (shared, wire) = (self.0.clone(), wire.to_vec());
        runtime().spawn(async move {
            let end = match shared.leader(&address) {
                Ok(leader) => sent(&shared, &leader, &wire).await,
                Err(why) => Err((REJECTED, why)),
            };
            shared.ended(ticket, end);
        });
    }

    /// Everything that has ended since the last call.
    #[napi]
    pub fn take_ends(&self) -> Vec<TpuEnd> {
        std::mem::take(&mut *self.0.ends.lock().unwrap())
    }

    /// Whose slots it is now: that leader is in its phase, every other one is not.
    #[napi]
    pub fn lead(&self, address: Option<String>) {
        for (name, leader) in self.0.leaders.lock().unwrap().iter() {
            leader.phase.store(Some(name) == address.as_ref(), Relaxed);
        }
    }

    #[napi]
    pub fn is_connected(&self, address: String) -> bool {
        let leaders = self.0.leaders.lock().unwrap();
        let Some(leader) = leaders.get(&address) else { return false };
        let open = leader.open.lock().unwrap();
        open.as_ref().is_some_and(|open| *open.ready.borrow() && open.connection.close_reason().is_none())
    }

    #[napi]
    pub fn path(&self, address: String) -> Option<TpuPath> {
        let leaders = self.0.leaders.lock().unwrap();
        let open = leaders.get(&address)?.open.lock().unwrap();
        let stats = open.as_ref()?.connection.stats().path;
        Some(TpuPath {
            window_bytes: stats.cwnd as f64,
            rtt_ns: stats.rtt.as_nanos() as f64,
            sent_packets: stats.sent_packets as f64,
            lost_packets: stats.lost_packets as f64,
        })
    }

    #[napi(getter)]
    pub fn counters(&self) -> TpuCounters {
        TpuCounters {
            handshakes: self.0.handshakes.load(Relaxed),
            resumptions: self.0.resumptions.load(Relaxed),
            handshake_ns: self.0.handshake_ns.load(Relaxed) as f64,
        }
    }

    /// Ends the connections with a word. Blocks for that word, at most STOP_MAX.
    #[napi]
    pub fn close(&self) {
        let shared = &self.0;
        shared.leaders.lock().unwrap().clear();
        runtime().block_on(async {
            shared.endpoint.close(0u32.into(), b"");
            let _ = timeout(STOP_MAX, shared.endpoint.wait_idle()).await;
        });
    }
}

type End = std::result::Result<(), (u32, String)>;

impl Shared {
    fn ended(&self, ticket: u32, end: End) {
        let (kind, why) = end.err().unwrap_or((ACCEPTED, String::new()));
        let mut ends = self.ends.lock().unwrap();
        ends.push(TpuEnd { ticket, kind, why });
        if ends.len() == 1 {
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    fn leader(&self, address: &str) -> std::result::Result<Arc<Leader>, String> {
        let mut leaders = self.leaders.lock().unwrap();
        if let Some(leader) = leaders.get(address) {
            *leader.used.lock().unwrap() = Instant::now();
            return Ok(leader.clone());
        }
        let parsed = address.parse::<SocketAddr>().map_err(|error| error.to_string())?;
        if leaders.len() >= LEADERS_MAX {
            let oldest = leaders.iter().min_by_key(|(_, leader)| *leader.used.lock().unwrap());
            if let Some(name) = oldest.map(|(name, _)| name.clone())
                && let Some(leader) = leaders.remove(&name)
                && let Some(open) = leader.open.lock().unwrap().take()
            {
                open.connection.close(0u32.into(), b"");
            }
        }
        let leader = Arc::new(Leader {
            address: parsed,
            phase: Arc::default(),
            open: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
            used: Mutex::new(Instant::now()),
        });
        leaders.insert(address.into(), leader.clone());
        Ok(leader)
    }
}

impl Leader {
    fn opened(&self) -> Option<(Connection, watch::Receiver<bool>)> {
        let open = self.open.lock().unwrap();
        let open = open.as_ref().filter(|open| open.connection.close_reason().is_none())?;
        Some((open.connection.clone(), open.ready.clone()))
    }

    fn fail(&self, why: String) -> String {
        *self.open.lock().unwrap() = None;
        *self.failed.lock().unwrap() = Some(Instant::now());
        why
    }

    /// The open connection, or a new one. With a ticket of an earlier one it can be sent on before its handshake is done.
    async fn connect(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
    ) -> std::result::Result<(Connection, watch::Receiver<bool>), String> {
        if let Some(open) = self.opened() {
            return Ok(open);
        }
        let _alone = self.connecting.lock().await;
        if let Some(open) = self.opened() {
            return Ok(open);
        }
        if self.failed.lock().unwrap().is_some_and(|at| at.elapsed() < shared.reconnect) {
            return Err("it did not answer a moment ago".into());
        }
        let config = client_config(shared, self.phase.clone()).map_err(|error| error.to_string())?;
        let start = Instant::now();
        let connecting =
            shared.endpoint.connect_with(config, self.address, SERVER_NAME).map_err(|error| error.to_string())?;
        let (done, ready) = watch::channel(false);
        let connection = match connecting.into_0rtt() {
            Ok((connection, accepted)) => {
                let (leader, shared, early) = (self.clone(), shared.clone(), connection.clone());
                tokio::spawn(async move {
                    let resumed = timeout(HANDSHAKE_MAX, accepted).await;
                    if resumed.is_err() || early.close_reason().is_some() {
                        early.close(0u32.into(), b"");
                        leader.fail(String::new());
                        return;
                    }
                    shared.resumptions.fetch_add(u32::from(resumed == Ok(true)), Relaxed);
                    shared.handshaken(start);
                    let _ = done.send(true);
                    // The receivers learn that it is done, however late they ask.
                    early.closed().await;
                });
                connection
            }
            Err(connecting) => {
                let connection = timeout(HANDSHAKE_MAX, connecting)
                    .await
                    .map_err(|_| self.fail(format!("a handshake did not come within {HANDSHAKE_MAX:?}")))?
                    .map_err(|error| self.fail(error.to_string()))?;
                shared.handshaken(start);
                let _ = done.send(true);
                connection
            }
        };
        *self.failed.lock().unwrap() = None;
        *self.open.lock().unwrap() = Some(Open { connection: connection.clone(), ready: ready.clone() });
        Ok((connection, ready))
    }
}

impl Shared {
    fn handshaken(&self, start: Instant) {
        self.handshakes.fetch_add(1, Relaxed);
        self.handshake_ns.store(start.elapsed().as_nanos() as u64, Relaxed);
    }
}

async fn prepared(shared: &Arc<Shared>, leader: &Arc<Leader>) -> End {
    let (_, mut ready) = leader.connect(shared).await.map_err(|why| (REJECTED, why))?;
    match ready.wait_for(|done| *done).await {
        Ok(_) => Ok(()),
        Err(_) => Err((REJECTED, "its handshake failed".into())),
    }
}

async fn sent(shared: &Arc<Shared>, leader: &Arc<Leader>, wire: &[u8]) -> End {
    let reject = |why: String| (REJECTED, format!("the leader {}: {why}", leader.address));
    let (connection, mut ready) = leader.connect(shared).await.map_err(reject)?;
    let delivering = async {
        match deliver(&connection, wire).await {
            Err(WriteError::ZeroRttRejected) => {
                let _ = ready.wait_for(|done| *done).await;
                deliver(&connection, wire).await
            }
            end => end,
        }
    };
    match timeout(STREAM_MAX, delivering).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err((UNANSWERED, error.to_string())),
        Err(_) => Err((UNANSWERED, format!("no acknowledgement within {STREAM_MAX:?}"))),
    }
}

/// Done when the leader's transport has acknowledged every byte.
async fn deliver(connection: &Connection, wire: &[u8]) -> std::result::Result<(), WriteError> {
    let mut stream = match connection.open_uni().await {
        Ok(stream) => stream,
        Err(error) => return Err(error.into()),
    };
    stream.write_all(wire).await?;
    stream.finish()?;
    match stream.stopped().await {
        Ok(None) => Ok(()),
        Ok(Some(code)) => Err(WriteError::Stopped(code)),
        Err(StoppedError::ZeroRttRejected) => Err(WriteError::ZeroRttRejected),
        Err(StoppedError::ConnectionLost(error)) => Err(WriteError::ConnectionLost(error)),
    }
}

fn client_crypto(options: &TpuOptions) -> Result<QuicClientConfig> {
    let certificate = CertificateDer::from(options.certificate_der.to_vec());
    let key = PrivateKeyDer::Pkcs8(options.key_der.to_vec().into());
    let provider = Arc::new(ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyLeader(provider)))
        .with_client_auth_cert(vec![certificate], key)
        .map_err(failed)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.enable_early_data = true;
    QuicClientConfig::try_from(tls).map_err(failed)
}

fn client_config(shared: &Shared, phase: Arc<AtomicBool>) -> Result<ClientConfig> {
    let controller = sandpiper_congestion::by_name(&shared.controller, phase)
        .ok_or_else(|| failed(format!("no congestion controller is named {}", shared.controller)))?;
    let mut transport = TransportConfig::default();
    transport
        .congestion_controller_factory(controller)
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(IDLE_MAX.try_into().map_err(failed)?))
        .max_concurrent_uni_streams(0u32.into())
        .max_concurrent_bidi_streams(0u32.into())
        .datagram_receive_buffer_size(None);
    let mut config = ClientConfig::new(shared.crypto.clone());
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Leaders sign their own certificates: what counts is that the key is theirs, and nobody vouches for that but gossip.
#[derive(Debug)]
struct AnyLeader(Arc<CryptoProvider>);

type Verified<T> = std::result::Result<T, rustls::Error>;

impl ServerCertVerifier for AnyLeader {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Verified<ServerCertVerified> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Verified<HandshakeSignatureValid> {
        Err(rustls::Error::General("QUIC is TLS 1.3".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Verified<HandshakeSignatureValid> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
