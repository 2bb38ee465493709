//! The other side of a leader's QUIC door, for tests and benches on loopback.
//!
//! `tpu-peer serve CERT.der KEY.der [name=value …]` behaves like a validator's TPU: ALPN solana-tpu, a client certificate
//! whose Ed25519 key is the peer's identity, one transaction per unidirectional stream. Options: staked=HEX,HEX (identities
//! with stake), staked_streams=512, unstaked_streams=128 (streams open at once), unstaked_per_100ms=0 (transactions read
//! per 100 ms of an unstaked peer; the rest waits for stream credit; 0 = all), retry=0 (1: a new address must prove itself
//! by a Retry packet), peer_connections=8, forward=HOST:PORT (each transaction goes there: u16 LE length, then its bytes),
//! clock=0 (1: the first 8 bytes are Unix ns of the send, for times one way). Prints the port, then answers each line on
//! stdin with its counters as JSON; ends with its stdin.
//!
//! `tpu-peer link TO,TO name=value …` is a slow link to those addresses, for machines whose kernel has no netem: see link.rs.
//!
//! `tpu-peer send CERT.der KEY.der ADDRESS,… COUNT IN_FLIGHT` sends 1,232-byte transactions in turn and prints JSON.
mod link;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, Incoming, ServerConfig, TransportConfig, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{ring, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

type Failure = Box<dyn std::error::Error + Send + Sync>;
const ALPN: &[u8] = b"solana-tpu";
const TRANSACTION_BYTES_MAX: usize = 1_232;

/// Takes any certificate whose signature fits its own key: identities are keys, nobody vouches for them.
#[derive(Debug)]
struct AnyPeer(Arc<CryptoProvider>);

impl AnyPeer {
    fn check(&self, m: &[u8], c: &CertificateDer<'_>, d: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(m, c, d, &self.0.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for AnyPeer {
    fn verify_server_cert(&self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: &ServerName<'_>, _: &[u8], _: UnixTime) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("QUIC is TLS 1.3".into()))
    }
    fn verify_tls13_signature(&self, m: &[u8], c: &CertificateDer<'_>, d: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        self.check(m, c, d)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for AnyPeer {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(&self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: UnixTime) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }
    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("QUIC is TLS 1.3".into()))
    }
    fn verify_tls13_signature(&self, m: &[u8], c: &CertificateDer<'_>, d: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        self.check(m, c, d)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

struct Options(HashMap<String, String>);

impl Options {
    fn of(words: &[String]) -> Self {
        Self(words.iter().filter_map(|text| text.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect())
    }

    fn number(&self, name: &str, fallback: u64) -> u64 {
        self.0.get(name).and_then(|text| text.parse().ok()).unwrap_or(fallback)
    }
}

#[derive(Default)]
struct Counters {
    received: AtomicU64,
    oversized: AtomicU64,
    connections: AtomicU64,
    refused: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    seen: Mutex<HashSet<[u8; 16]>>,
    identities: Mutex<HashMap<String, u64>>,
    open: Mutex<HashMap<String, u64>>,
    times_us: Mutex<Vec<u32>>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = "usage: tpu-peer serve|send CERT.der KEY.der … | link TO,TO …";
    if let [mode, to, rest @ ..] = args.as_slice()
        && mode == "link"
    {
        return link::run(to, &Options::of(rest));
    }
    let [mode, cert, key, rest @ ..] = args.as_slice() else { return Err(usage.into()) };
    let cert = CertificateDer::from(std::fs::read(cert)?);
    let key = PrivateKeyDer::Pkcs8(std::fs::read(key)?.into());
    match mode.as_str() {
        "serve" => serve(cert, key, Options::of(rest)).await,
        "send" => send(cert, key, rest).await,
        _ => Err(usage.into()),
    }
}

async fn serve(cert: CertificateDer<'static>, key: PrivateKeyDer<'static>, options: Options) -> Result<(), Failure> {
    let provider = Arc::new(ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(AnyPeer(provider)))
        .with_single_cert(vec![cert], key)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.max_early_data_size = u32::MAX;
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    let mut transport = TransportConfig::default();
    let streams = VarInt::from_u64(options.number("unstaked_streams", 128))?;
    transport.max_concurrent_uni_streams(streams).max_concurrent_bidi_streams(VarInt::from_u32(0));
    transport.max_idle_timeout(Some(Duration::from_secs(30).try_into()?)).datagram_receive_buffer_size(None);
    config.transport_config(Arc::new(transport));
    let endpoint = Endpoint::server(config, "127.0.0.1:0".parse()?)?;
    println!("{}", endpoint.local_addr()?.port());
    let counters = Arc::new(Counters::default());
    let forward = match options.0.get("forward") {
        Some(to) => Some(forwarder(to).await?),
        None => None,
    };
    let door = Arc::new(Door { options, counters: counters.clone(), forward });
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            if door.options.number("retry", 0) == 1 && !incoming.remote_address_validated() {
                door.counters.retries.fetch_add(1, Relaxed);
                let _ = incoming.retry();
            } else {
                tokio::spawn(door.clone().take(incoming));
            }
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        println!("{}", counters.json());
    }
    Ok(())
}

/// One task writes, so that frames never mix.
async fn forwarder(to: &str) -> Result<mpsc::UnboundedSender<Vec<u8>>, Failure> {
    let mut stream = tokio::net::TcpStream::connect(to).await?;
    let (sender, mut frames) = mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        while let Some(bytes) = frames.recv().await {
            let mut frame = (bytes.len() as u16).to_le_bytes().to_vec();
            frame.extend(bytes);
            if stream.write_all(&frame).await.is_err() {
                return;
            }
        }
    });
    Ok(sender)
}

struct Door {
    options: Options,
    counters: Arc<Counters>,
    forward: Option<mpsc::UnboundedSender<Vec<u8>>>,
}

impl Door {
    async fn take(self: Arc<Self>, incoming: Incoming) {
        let Ok(connection) = incoming.await else { return };
        let identity = identity_of(&connection).unwrap_or_default();
        let most = self.options.number("peer_connections", 8);
        {
            let mut open = self.counters.open.lock().unwrap();
            let count = open.entry(identity.clone()).or_default();
            if *count >= most {
                self.counters.refused.fetch_add(1, Relaxed);
                connection.close(VarInt::from_u32(2), b"too_many");
                return;
            }
            *count += 1;
        }
        self.counters.connections.fetch_add(1, Relaxed);
        self.clone().read(&connection, &identity).await;
        *self.counters.open.lock().unwrap().entry(identity).or_default() -= 1;
    }

    async fn read(self: Arc<Self>, connection: &Connection, identity: &str) {
        let staked = self.options.0.get("staked").is_some_and(|list| list.split(',').any(|one| one == identity));
        if staked {
            let streams = self.options.number("staked_streams", 512);
            connection.set_max_concurrent_uni_streams(VarInt::from_u64(streams).unwrap_or(VarInt::from_u32(512)));
        }
        let allowance = if staked { 0 } else { self.options.number("unstaked_per_100ms", 0) };
        let (mut since, mut read) = (Instant::now(), 0);
        while let Ok(mut stream) = connection.accept_uni().await {
            if allowance > 0 {
                if since.elapsed() >= Duration::from_millis(100) {
                    (since, read) = (Instant::now(), 0);
                }
                if read >= allowance {
                    self.counters.throttled.fetch_add(1, Relaxed);
                    tokio::time::sleep(Duration::from_millis(100).saturating_sub(since.elapsed())).await;
                    (since, read) = (Instant::now(), 0);
                }
                read += 1;
            }
            let (door, identity) = (self.clone(), identity.to_string());
            let reading = async move {
                match stream.read_to_end(TRANSACTION_BYTES_MAX).await {
                    Ok(bytes) => door.transaction(bytes, identity),
                    Err(_) => {
                        door.counters.oversized.fetch_add(1, Relaxed);
                    }
                }
            };
            if allowance > 0 {
                reading.await;
            } else {
                tokio::spawn(reading);
            }
        }
    }

    fn transaction(&self, bytes: Vec<u8>, identity: String) {
        let counters = &self.counters;
        counters.received.fetch_add(1, Relaxed);
        *counters.identities.lock().unwrap().entry(identity).or_default() += 1;
        if bytes.len() >= 17 {
            let mut name = [0; 16];
            name.copy_from_slice(&bytes[1..17]);
            if self.options.number("clock", 0) == 1 {
                name.copy_from_slice(&bytes[0..16]);
                let sent = u64::from_le_bytes(bytes[0..8].try_into().unwrap());
                counters.times_us.lock().unwrap().push((now_ns().saturating_sub(sent) / 1_000) as u32);
            }
            counters.seen.lock().unwrap().insert(name);
        }
        if let Some(forward) = &self.forward {
            let _ = forward.send(bytes);
        }
    }
}

/// The Ed25519 key of the peer's certificate, in hexadecimal digits: what follows OID 1.3.101.112 in its key field.
fn identity_of(connection: &Connection) -> Option<String> {
    let certificates = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    let der = certificates.first()?;
    let mark = [0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let at = der.windows(mark.len()).position(|window| window == mark)? + mark.len();
    Some(der.get(at..at + 32)?.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Counters {
    fn json(&self) -> String {
        let n = |counter: &AtomicU64| counter.load(Relaxed);
        let identities: Vec<String> =
            self.identities.lock().unwrap().iter().map(|(key, count)| format!("\"{key}\":{count}")).collect();
        let mut times = self.times_us.lock().unwrap().clone();
        times.sort_unstable();
        format!(
            "{{\"received\":{},\"distinct\":{},\"oversized\":{},\"connections\":{},\"refused\":{},\"retries\":{},\"throttled\":{},\"p50Us\":{},\"p99Us\":{},\"identities\":{{{}}}}}",
            n(&self.received),
            self.seen.lock().unwrap().len(),
            n(&self.oversized),
            n(&self.connections),
            n(&self.refused),
            n(&self.retries),
            n(&self.throttled),
            at_share(&times, 0.5),
            at_share(&times, 0.99),
            identities.join(",")
        )
    }
}

fn at_share(sorted: &[u32], share: f64) -> u32 {
    sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(0)
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_nanos() as u64).unwrap_or(0)
}

async fn send(cert: CertificateDer<'static>, key: PrivateKeyDer<'static>, rest: &[String]) -> Result<(), Failure> {
    let [addresses, count, in_flight, ..] = rest else { return Err("usage: … ADDRESS,… COUNT IN_FLIGHT".into()) };
    let (count, in_flight): (u64, u64) = (count.parse()?, in_flight.parse()?);
    let provider = Arc::new(ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyPeer(provider)))
        .with_client_auth_cert(vec![cert], key)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut endpoint = Endpoint::client("127.0.0.1:0".parse()?)?;
    endpoint.set_default_client_config(ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?)));
    let mut connections = Vec::new();
    for address in addresses.split(',') {
        connections.push(endpoint.connect(address.parse::<SocketAddr>()?, "connect")?.await?);
    }
    let (connections, next) = (Arc::new(connections), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (connections, next) = (connections.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let i = next.fetch_add(1, Relaxed);
                    if i >= count {
                        return Ok::<(), Failure>(());
                    }
                    let mut bytes = vec![0; TRANSACTION_BYTES_MAX];
                    bytes[0..8].copy_from_slice(&now_ns().to_le_bytes());
                    bytes[8..16].copy_from_slice(&i.to_le_bytes());
                    let mut stream = connections[i as usize % connections.len()].open_uni().await?;
                    stream.write_all(&bytes).await?;
                    stream.finish()?;
                    stream.stopped().await?;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    println!("{{\"seconds\":{}}}", start.elapsed().as_secs_f64());
    Ok(())
}
