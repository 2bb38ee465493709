//! What one certificate makes of a QUIC server: TLS 1.3, HTTP/3, and the limits of a connection.
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{Result, Uint8Array};
use napi_derive::napi;
use quinn::crypto::rustls::QuicServerConfig;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::failed;

/// HTTP/3 itself needs a control and two QPACK streams one way, and the CONNECT request both ways.
const STREAMS_ONE_WAY_MAX: u32 = 8;
const STREAMS_BOTH_WAYS_MAX: u32 = 4;
/// What a client may send without being read. Clients have nothing to say.
const RECEIVE_BYTES_MAX: u32 = 64 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(4);
const IDLE_MAX: Duration = Duration::from_secs(15);

pub fn server_config(certificate_pem: &str, key_pem: &str, queue_bytes_max: u32) -> Result<quinn::ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(certificate_pem.as_bytes())
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(failed)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(failed)?;
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(failed)?;
    tls.alpn_protocols = vec![web_transport_quinn::ALPN.as_bytes().to_vec()];
    let crypto = QuicServerConfig::try_from(tls).map_err(failed)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config.max_incoming(1_024);
    let mut transport = quinn::TransportConfig::default();
    transport
        .datagram_receive_buffer_size(Some(RECEIVE_BYTES_MAX as usize))
        .datagram_send_buffer_size(queue_bytes_max as usize)
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(IDLE_MAX.try_into().map_err(failed)?))
        .receive_window(RECEIVE_BYTES_MAX.into())
        .stream_receive_window(RECEIVE_BYTES_MAX.into())
        .max_concurrent_uni_streams(STREAMS_ONE_WAY_MAX.into())
        .max_concurrent_bidi_streams(STREAMS_BOTH_WAYS_MAX.into());
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// A certificate of ours, its key, and itself as DER: a page that knows the SHA-256 of the DER may connect without an
/// authority (serverCertificateHashes of the WebTransport API: ECDSA P-256, valid for at most 14 days).
#[napi(object)]
pub struct OwnCertificate {
    pub certificate_pem: String,
    pub key_pem: String,
    pub der: Uint8Array,
}

/// For the given names and addresses, valid from an hour ago for `days`.
#[napi]
pub fn make_certificate(names: Vec<String>, days: u32) -> Result<OwnCertificate> {
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Sandpiper");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = time::OffsetDateTime::now_utc() - time::Duration::hours(1);
    params.not_after = params.not_before + time::Duration::days(days.into());
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok(OwnCertificate {
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
        der: certificate.der().to_vec().into(),
    })
}
