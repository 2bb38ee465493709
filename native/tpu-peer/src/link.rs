//! A link as `tc qdisc … netem rate … delay … loss … limit …` makes one, as a UDP relay: one bottleneck that all flows share,
//! a tail-drop queue before it, then the delay; the way back has the same delay and loss, and room enough.
//!
//! Options: kbit=20000 (0: without a bottleneck), queue_ms=40 (what may wait before it), delay_ms=20 (each way),
//! loss_ppm=20000 (each way, independent), seed=1. Prints one port per address; a port of a flow's own tells it from the
//! others, the bottleneck is common. A line `loss PPM` on stdin changes the loss;
//! each line is answered with its counters as JSON; ends with its stdin.
use std::collections::{BinaryHeap, HashMap};
use std::cmp::Reverse;
use std::io::BufRead;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Failure, Options};

const DATAGRAM_BYTES_MAX: usize = 2_048;
/// IP and UDP headers, which the link carries too.
const HEADER_BYTES: u64 = 28;

#[derive(Default)]
struct Counters {
    passed: AtomicU64,
    lost: AtomicU64,
    queue_full: AtomicU64,
}

struct Link {
    ns_per_byte: f64,
    queue: Duration,
    delay: Duration,
    loss_ppm: AtomicU64,
    /// When the bottleneck has sent all that waits before it.
    free_at: Mutex<Instant>,
    random: Mutex<u64>,
    counters: Counters,
}

struct Parcel {
    at: Instant,
    order: u64,
    bytes: Vec<u8>,
    from: Arc<UdpSocket>,
    to: Option<SocketAddr>,
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Parcel {}
impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

pub fn run(to: &str, options: &Options) -> Result<(), Failure> {
    let kbit = options.number("kbit", 20_000);
    let link = Arc::new(Link {
        ns_per_byte: if kbit == 0 { 0.0 } else { 8e6 / kbit as f64 },
        queue: Duration::from_millis(options.number("queue_ms", 40)),
        delay: Duration::from_millis(options.number("delay_ms", 20)),
        loss_ppm: AtomicU64::new(options.number("loss_ppm", 20_000)),
        free_at: Mutex::new(Instant::now()),
        random: Mutex::new(options.number("seed", 1) | 1),
        counters: Counters::default(),
    });
    let (parcels, waiting) = channel();
    thread::spawn(move || deliver(&waiting));
    for address in to.split(',') {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0")?);
        println!("{}", front.local_addr()?.port());
        let (link, parcels, address) = (link.clone(), parcels.clone(), address.parse()?);
        thread::spawn(move || forward(&link, &front, address, &parcels));
    }
    for line in std::io::stdin().lock().lines() {
        if let Some(ppm) = line?.strip_prefix("loss ") {
            link.loss_ppm.store(ppm.parse()?, Relaxed);
        }
        let Counters { passed, lost, queue_full } = &link.counters;
        let n = |counter: &AtomicU64| counter.load(Relaxed);
        println!("{{\"passed\":{},\"lost\":{},\"queueFull\":{}}}", n(passed), n(lost), n(queue_full));
    }
    Ok(())
}

/// Reads what clients send, and gives each client a socket of its own towards the leader.
fn forward(link: &Arc<Link>, front: &Arc<UdpSocket>, to: SocketAddr, parcels: &Sender<Parcel>) {
    let mut backs: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut bytes = [0; DATAGRAM_BYTES_MAX];
    while let Ok((length, client)) = front.recv_from(&mut bytes) {
        let back = backs.entry(client).or_insert_with(|| {
            let back = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a UDP socket"));
            back.connect(to).expect("an address of IPv4");
            let (link, front, parcels, socket) = (link.clone(), front.clone(), parcels.clone(), back.clone());
            thread::spawn(move || {
                let mut bytes = [0; DATAGRAM_BYTES_MAX];
                // An ICMP error of a leader that is gone is no end of the way.
                loop {
                    let Ok(length) = socket.recv(&mut bytes) else { continue };
                    link.pass(&parcels, &bytes[..length], front.clone(), Some(client), false);
                }
            });
            back
        });
        link.pass(parcels, &bytes[..length], back.clone(), None, true);
    }
}

impl Link {
    fn pass(&self, parcels: &Sender<Parcel>, bytes: &[u8], from: Arc<UdpSocket>, to: Option<SocketAddr>, bottleneck: bool) {
        if self.draw() % 1_000_000 < self.loss_ppm.load(Relaxed) {
            self.counters.lost.fetch_add(1, Relaxed);
            return;
        }
        let now = Instant::now();
        let mut leaves = now;
        if bottleneck {
            let mut free_at = self.free_at.lock().unwrap();
            if free_at.saturating_duration_since(now) > self.queue {
                self.counters.queue_full.fetch_add(1, Relaxed);
                return;
            }
            let takes = Duration::from_nanos(((bytes.len() as u64 + HEADER_BYTES) as f64 * self.ns_per_byte) as u64);
            leaves = (*free_at).max(now) + takes;
            *free_at = leaves;
        }
        let order = self.counters.passed.fetch_add(1, Relaxed);
        let _ = parcels.send(Parcel { at: leaves + self.delay, order, bytes: bytes.to_vec(), from, to });
    }

    /// xorshift64.
    fn draw(&self) -> u64 {
        let mut state = self.random.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state >> 11
    }
}

fn deliver(waiting: &Receiver<Parcel>) {
    let mut heap = BinaryHeap::new();
    loop {
        let wait = heap.peek().map(|Reverse(parcel): &Reverse<Parcel>| parcel.at.saturating_duration_since(Instant::now()));
        match waiting.recv_timeout(wait.unwrap_or(Duration::from_secs(1))) {
            Ok(parcel) => heap.push(Reverse(parcel)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while heap.peek().is_some_and(|Reverse(parcel)| parcel.at <= Instant::now()) {
            let Some(Reverse(Parcel { bytes, from, to, .. })) = heap.pop() else { break };
            let _ = match to {
                Some(client) => from.send_to(&bytes, client),
                None => from.send(&bytes),
            };
        }
    }
}
