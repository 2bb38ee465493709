//! One open session: datagrams straight into quinn's bounded queue, and one stream for what must arrive, in order.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use tokio::sync::mpsc;

pub const SENT: u32 = 0;
pub const FULL: u32 = 1;
pub const TOO_LARGE: u32 = 2;
pub const GONE: u32 = 3;

#[derive(Clone)]
pub struct Session {
    open: web_transport_quinn::Session,
    stream: mpsc::UnboundedSender<Bytes>,
    /// Bytes handed to the stream and not yet taken by QUIC: bounds the channel above.
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
}

impl Session {
    pub fn start(runtime: &tokio::runtime::Runtime, open: web_transport_quinn::Session, waiting_max: usize) -> Self {
        let (stream, frames) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        runtime.spawn(write_frames(open.clone(), frames, waiting.clone()));
        Self { open, stream, waiting, waiting_max }
    }

    pub fn send_datagram(&self, bytes: &[u8]) -> u32 {
        if bytes.len() > self.datagram_bytes_max() as usize {
            return TOO_LARGE;
        }
        let connection: &quinn::Connection = &self.open;
        // quinn would drop the oldest of its queue without a word: what does not fit stays with the caller, who counts.
        if connection.datagram_send_buffer_space() < bytes.len() + 16 {
            return if connection.close_reason().is_some() { GONE } else { FULL };
        }
        if self.open.send_datagram(Bytes::copy_from_slice(bytes)).is_ok() { SENT } else { GONE }
    }

    pub fn send_stream(&self, bytes: &[u8]) -> u32 {
        let length = bytes.len() + 4;
        let waiting = self.waiting.load(Relaxed);
        // A frame larger than the limit goes alone.
        if waiting > 0 && waiting + length > self.waiting_max {
            return FULL;
        }
        let mut frame = Vec::with_capacity(length);
        frame.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        frame.extend_from_slice(bytes);
        self.waiting.fetch_add(length, Relaxed);
        if self.stream.send(frame.into()).is_ok() { SENT } else { GONE }
    }

    pub fn datagram_bytes_max(&self) -> u32 {
        let connection: &quinn::Connection = &self.open;
        if connection.max_datagram_size().is_none() {
            return 0;
        }
        self.open.max_datagram_size() as u32
    }

    pub fn close(&self, code: u32, reason: &str) {
        self.open.close(code, reason.as_bytes());
    }
}

async fn write_frames(
    open: web_transport_quinn::Session,
    mut frames: mpsc::UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
) {
    let Ok(mut stream) = open.open_uni().await else { return };
    while let Some(frame) = frames.recv().await {
        if stream.write_all(&frame).await.is_err() {
            return;
        }
        waiting.fetch_sub(frame.len(), Relaxed);
    }
}
