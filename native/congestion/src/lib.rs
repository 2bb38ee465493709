//! How fast a connection to a leader may send: quinn's controllers by name, and one of our own.
//!
//! The phase-aware controller is CUBIC (RFC 9438) times a gain that follows the leader's schedule. A transaction is worth
//! most in the slots of the leader it goes to: there the gain is 1.15. Outside it decays towards 0.7, so that what is sent
//! ahead leaves room to others. It is safe under loss: a loss takes the bonus away at once, on top of what CUBIC takes,
//! and it comes back only after a hold without any. Between losses the window is never above 1.15 times CUBIC's.
//!
//! CUBIC takes each loss for a full queue, and on a line that loses by itself its window ends at some packets. A queue that
//! fills shows in the round trip. So in the leader's slots a loss is the line's, and does not cut the window, while the
//! round trip is near its least and few packets are lost; and while the line is known to lose, the window does not grow
//! into a queue either, or nothing would stop it short of a full one, where others lose too. ECN marks, persistent
//! congestion, and all losses outside of the slots count as ever.
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use quinn_proto::RttEstimator;
use quinn_proto::congestion::{BbrConfig, Controller, ControllerFactory, Cubic, CubicConfig, NewRenoConfig};

/// In the slots of the leader.
const GAIN_IN_PHASE: f64 = 1.15;
/// What the gain decays to outside of them.
const GAIN_FLOOR: f64 = 0.7;
/// Round trips in which half of the way to the floor is gone.
const HALF_LIFE_ROUND_TRIPS: f64 = 4.0;
/// Round trips without a loss before the bonus is given again.
const HOLD_ROUND_TRIPS: u32 = 4;
/// Before the first measurement (RFC 9002 section 6.2.2).
const ROUND_TRIP_UNKNOWN: Duration = Duration::from_millis(333);
/// A loss at a round trip of more than this many times the least is of a queue.
const QUEUE_FULL: f64 = 1.5;
/// Above this the window does not grow while the line is known to lose.
const QUEUE_BEGINS: f64 = 1.25;
/// Below this there is none.
const QUEUE_EMPTY: f64 = 1.1;
/// Round trips without a queue after which the window is sought anew where the line is known to lose.
const EMPTY_ROUND_TRIPS: u32 = 4;
/// Of the bytes sent; when more than this is lost, it is not the line alone.
const LINE_LOSS_MAX: f64 = 0.06;
/// Datagrams over which the share of what is lost is averaged.
const LINE_LOSS_DATAGRAMS: f64 = 256.0;
/// Round trips that a line is known to lose after it did.
const LOSSY_ROUND_TRIPS: u32 = 32;
/// Datagrams that may always be in flight (RFC 9002 section 7.2).
const WINDOW_DATAGRAMS_MIN: u64 = 2;

/// `name`: "cubic", "bbr", "newreno" or "phase"; undefined for any other. `phase`: whether it is the leader's turn now.
pub fn by_name(name: &str, phase: Arc<AtomicBool>) -> Option<Arc<dyn ControllerFactory + Send + Sync>> {
    match name {
        "cubic" => Some(Arc::new(CubicConfig::default())),
        "bbr" => Some(Arc::new(BbrConfig::default())),
        "newreno" => Some(Arc::new(NewRenoConfig::default())),
        "phase" => Some(Arc::new(PhaseConfig { phase, cubic: Arc::default() })),
        _ => None,
    }
}

struct PhaseConfig {
    phase: Arc<AtomicBool>,
    cubic: Arc<CubicConfig>,
}

impl ControllerFactory for PhaseConfig {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let cubic = Cubic::new(self.cubic.clone(), now, mtu);
        let (gain, line) = (Gain::new(now), Line::new(now));
        Box::new(PhaseAware { cubic, gain, line, phase: self.phase.clone(), mtu: mtu.into() })
    }
}

#[derive(Clone)]
struct PhaseAware {
    cubic: Cubic,
    gain: Gain,
    line: Line,
    phase: Arc<AtomicBool>,
    mtu: u64,
}

impl PhaseAware {
    /// CUBIC's window says nothing about a line that loses: after the losses outside of the slots, or one that passed for a
    /// full queue's, it is far too small. It is sought anew, in slow start from where it is.
    fn seek(&mut self, now: Instant) {
        let mut config = CubicConfig::default();
        config.initial_window(self.cubic.window());
        self.cubic = Cubic::new(Arc::new(config), now, self.mtu as u16);
        self.line.empty_since = now;
    }
}

impl Controller for PhaseAware {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.gain.advance(now, self.phase.load(Relaxed));
        self.cubic.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        let in_phase = self.phase.load(Relaxed);
        self.gain.round_trip = rtt.get();
        self.gain.advance(now, in_phase);
        self.line.timed(now, rtt.min(), rtt.get(), rtt.conservative());
        self.line.acked(bytes, self.mtu);
        if in_phase && self.line.is_lossy(now) {
            if self.line.queue > QUEUE_BEGINS {
                return;
            }
            if now > self.line.empty_since + EMPTY_ROUND_TRIPS * self.gain.round_trip {
                self.seek(now);
            }
        }
        self.cubic.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest: Option<u64>) {
        self.cubic.on_end_acks(now, in_flight, app_limited, largest);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, persistent: bool, lost_bytes: u64) {
        self.gain.lost(now);
        let is_lines = self.line.lost(now, lost_bytes, self.mtu, self.gain.round_trip);
        if is_lines && !persistent && self.phase.load(Relaxed) {
            return;
        }
        self.cubic.on_congestion_event(now, sent, persistent, lost_bytes);
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.mtu = mtu.into();
        self.cubic.on_mtu_update(mtu);
    }

    fn window(&self) -> u64 {
        let window = (self.cubic.window() as f64 * self.gain.value) as u64;
        window.max(WINDOW_DATAGRAMS_MIN * self.mtu)
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.cubic.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// What CUBIC's window is multiplied by. Between GAIN_FLOOR and GAIN_IN_PHASE, and at most 1 until `held_until`.
#[derive(Clone)]
struct Gain {
    value: f64,
    at: Instant,
    held_until: Instant,
    round_trip: Duration,
}

impl Gain {
    fn new(now: Instant) -> Self {
        Self { value: 1.0, at: now, held_until: now, round_trip: ROUND_TRIP_UNKNOWN }
    }

    fn advance(&mut self, now: Instant, in_phase: bool) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        if in_phase {
            self.value = if now < self.held_until { 1.0 } else { GAIN_IN_PHASE };
        } else {
            let half_lives = elapsed / (HALF_LIFE_ROUND_TRIPS * self.round_trip.as_secs_f64().max(1e-6));
            self.value = GAIN_FLOOR + (self.value - GAIN_FLOOR) * 0.5_f64.powf(half_lives);
        }
    }

    fn lost(&mut self, now: Instant) {
        self.value = self.value.min(1.0);
        self.held_until = now + HOLD_ROUND_TRIPS * self.round_trip;
    }
}

/// What the line does by itself, as far as round trips and losses tell.
#[derive(Clone)]
struct Line {
    /// The round trip as smoothed, in times of the least one.
    queue: f64,
    /// The same of the newest packet, where that is more: the smoothed one knows late of a queue that a burst has filled.
    queue_peak: f64,
    lost_share: f64,
    lossy_until: Instant,
    /// The last time that there was a queue, or that the window was sought.
    empty_since: Instant,
}

impl Line {
    /// Before the first round trip nothing speaks against a queue.
    fn new(now: Instant) -> Self {
        Self { queue: f64::INFINITY, queue_peak: f64::INFINITY, lost_share: 0.0, lossy_until: now, empty_since: now }
    }

    fn timed(&mut self, now: Instant, least: Duration, smoothed: Duration, peak: Duration) {
        let least = least.as_secs_f64().max(1e-6);
        self.queue = smoothed.as_secs_f64() / least;
        self.queue_peak = peak.as_secs_f64() / least;
        if self.queue > QUEUE_EMPTY {
            self.empty_since = now;
        }
    }

    fn acked(&mut self, bytes: u64, mtu: u64) {
        self.average(bytes, mtu, 0.0);
    }

    /// Whether the loss is the line's own.
    fn lost(&mut self, now: Instant, bytes: u64, mtu: u64, round_trip: Duration) -> bool {
        self.average(bytes, mtu, 1.0);
        let is_lines = bytes > 0 && self.queue_peak < QUEUE_FULL && self.lost_share < LINE_LOSS_MAX;
        if is_lines {
            self.lossy_until = now + LOSSY_ROUND_TRIPS * round_trip;
        }
        is_lines
    }

    fn is_lossy(&self, now: Instant) -> bool {
        now < self.lossy_until
    }

    fn average(&mut self, bytes: u64, mtu: u64, lost: f64) {
        let weight = (bytes as f64 / (LINE_LOSS_DATAGRAMS * mtu as f64)).min(1.0);
        self.lost_share += (lost - self.lost_share) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(20);
    const MTU: u16 = 1_200;

    fn gain(now: Instant) -> Gain {
        Gain { round_trip: ROUND_TRIP, ..Gain::new(now) }
    }

    fn controller(now: Instant, phase: bool) -> (Box<dyn Controller>, Arc<AtomicBool>) {
        let flag = Arc::new(AtomicBool::new(phase));
        (by_name("phase", flag.clone()).unwrap().build(now, MTU), flag)
    }

    #[test]
    fn by_name_knows_four_controllers_and_no_other() {
        for name in ["cubic", "bbr", "newreno", "phase"] {
            let built = by_name(name, Arc::default()).unwrap().build(Instant::now(), MTU);
            assert!(built.window() >= WINDOW_DATAGRAMS_MIN * u64::from(MTU), "{name}");
        }
        for name in ["", "Cubic", "phase ", "reno"] {
            assert!(by_name(name, Arc::default()).is_none(), "{name}");
        }
    }

    #[test]
    fn gain_is_at_once_full_in_phase_and_halves_its_way_to_the_floor_outside() {
        let start = Instant::now();
        let mut gain = gain(start);
        gain.advance(start, true);
        assert_eq!(gain.value, GAIN_IN_PHASE);
        gain.advance(start + 4 * ROUND_TRIP, false);
        assert!((gain.value - (GAIN_FLOOR + (GAIN_IN_PHASE - GAIN_FLOOR) / 2.0)).abs() < 1e-9);
        gain.advance(start + 400 * ROUND_TRIP, false);
        assert!((gain.value - GAIN_FLOOR).abs() < 1e-6);
        gain.advance(start + 401 * ROUND_TRIP, true);
        assert_eq!(gain.value, GAIN_IN_PHASE);
    }

    #[test]
    fn gain_decays_by_time_not_by_the_number_of_packets() {
        let start = Instant::now();
        let (mut often, mut once) = (gain(start), gain(start));
        for i in 1..=1_000 {
            often.advance(start + ROUND_TRIP * i / 100, false);
        }
        once.advance(start + 10 * ROUND_TRIP, false);
        assert!((often.value - once.value).abs() < 1e-9);
    }

    #[test]
    fn a_loss_takes_the_bonus_until_a_hold_has_passed_without_one() {
        let start = Instant::now();
        let mut gain = gain(start);
        gain.advance(start, true);
        gain.lost(start);
        assert_eq!(gain.value, 1.0);
        gain.advance(start + 3 * ROUND_TRIP, true);
        assert_eq!(gain.value, 1.0);
        gain.lost(start + 3 * ROUND_TRIP);
        gain.advance(start + 6 * ROUND_TRIP, true);
        assert_eq!(gain.value, 1.0);
        gain.advance(start + 7 * ROUND_TRIP, true);
        assert_eq!(gain.value, GAIN_IN_PHASE);
    }

    #[test]
    fn a_loss_outside_the_phase_does_not_raise_the_gain() {
        let start = Instant::now();
        let mut gain = gain(start);
        gain.advance(start + 400 * ROUND_TRIP, false);
        let before = gain.value;
        gain.lost(start + 400 * ROUND_TRIP);
        assert_eq!(gain.value, before);
    }

    #[test]
    fn the_window_is_the_gain_times_what_cubic_alone_would_have() {
        let start = Instant::now();
        let (mut ours, flag) = controller(start, true);
        let mut cubic = by_name("cubic", Arc::default()).unwrap().build(start, MTU);
        ours.on_sent(start, MTU.into(), 1);
        assert_eq!(ours.window(), (cubic.window() as f64 * GAIN_IN_PHASE) as u64);
        for i in 1..=2 {
            let now = start + Duration::from_secs(i);
            ours.on_congestion_event(now, now, false, MTU.into());
            cubic.on_congestion_event(now, now, false, MTU.into());
            // No more than CUBIC alone after a loss, in phase or not.
            assert!(ours.window() <= cubic.window());
        }
        flag.store(false, Relaxed);
        ours.on_sent(start + Duration::from_secs(3_600), MTU.into(), 2);
        assert!(ours.window() < cubic.window());
    }

    fn phase_aware(now: Instant, in_phase: bool) -> PhaseAware {
        *controller(now, in_phase).0.into_any().downcast::<PhaseAware>().unwrap()
    }

    fn line(queue: f64, lost_share: f64) -> Line {
        let mut line = Line { lost_share, ..Line::new(Instant::now()) };
        line.timed(Instant::now(), ROUND_TRIP, ROUND_TRIP, ROUND_TRIP.mul_f64(queue));
        line
    }

    #[test]
    fn in_phase_a_loss_without_a_queue_is_the_lines_and_cuts_nothing() {
        let start = Instant::now();
        let mut ours = phase_aware(start, true);
        ours.line = line(1.4, 0.02);
        let before = ours.cubic.window();
        for i in 1..=10 {
            ours.on_congestion_event(start + Duration::from_secs(i), start + Duration::from_secs(i), false, MTU.into());
        }
        assert_eq!(ours.cubic.window(), before);
        assert!(ours.line.is_lossy(start + Duration::from_secs(10)));
    }

    #[test]
    fn a_loss_is_congestion_with_a_queue_with_many_lost_out_of_phase_when_marked_and_when_persistent() {
        let start = Instant::now();
        let lost = u64::from(MTU);
        let cases = [
            (true, line(1.6, 0.02), false, lost),
            (true, line(1.0, 0.07), false, lost),
            (false, line(1.0, 0.0), false, lost),
            (true, line(1.0, 0.0), false, 0),
            (true, line(1.0, 0.0), true, lost),
        ];
        for (i, (in_phase, line, persistent, bytes)) in cases.into_iter().enumerate() {
            let mut ours = phase_aware(start, in_phase);
            ours.line = line;
            let before = ours.cubic.window();
            ours.on_congestion_event(start + ROUND_TRIP, start + ROUND_TRIP, persistent, bytes);
            assert!(ours.cubic.window() < before, "case {i}");
        }
    }

    #[test]
    fn the_share_of_what_is_lost_follows_the_line_whatever_it_was() {
        for (percent, from) in [(0, 0.5), (2, 0.0), (2, 1.0), (20, 0.0)] {
            let mut line = line(1.0, from);
            for i in 0..20_000u64 {
                if i % 100 < percent {
                    line.lost(Instant::now(), MTU.into(), MTU.into(), ROUND_TRIP);
                } else {
                    line.acked(MTU.into(), MTU.into());
                }
            }
            assert!((line.lost_share - percent as f64 / 100.0).abs() < 0.05, "{percent} from {from}");
        }
    }

    #[test]
    fn a_window_that_is_sought_anew_begins_in_slow_start_where_it_was() {
        let start = Instant::now();
        let mut ours = phase_aware(start, false);
        ours.on_congestion_event(start + ROUND_TRIP, start + ROUND_TRIP, false, MTU.into());
        let before = ours.cubic.window();
        assert_ne!(ours.cubic.metrics().ssthresh, Some(u64::MAX));
        ours.seek(start + 2 * ROUND_TRIP);
        assert_eq!((ours.cubic.window(), ours.cubic.metrics().ssthresh), (before, Some(u64::MAX)));
        assert_eq!(ours.line.empty_since, start + 2 * ROUND_TRIP);
    }

    #[test]
    fn the_line_knows_how_long_there_was_no_queue() {
        let start = Instant::now();
        let mut line = Line::new(start);
        line.timed(start + ROUND_TRIP, ROUND_TRIP, ROUND_TRIP.mul_f64(1.2), ROUND_TRIP);
        line.timed(start + 2 * ROUND_TRIP, ROUND_TRIP, ROUND_TRIP.mul_f64(1.05), 2 * ROUND_TRIP);
        assert_eq!(line.empty_since, start + ROUND_TRIP);
    }

    #[test]
    fn the_window_never_falls_below_two_datagrams() {
        let start = Instant::now();
        let (mut ours, _) = controller(start, false);
        for i in 1..=200 {
            let now = start + Duration::from_secs(i);
            ours.on_sent(now, MTU.into(), i);
            ours.on_congestion_event(now, now, true, MTU.into());
        }
        assert_eq!(ours.window(), WINDOW_DATAGRAMS_MIN * u64::from(MTU));
        ours.on_mtu_update(1_400);
        assert!(ours.window() >= 2 * 1_400);
    }
}
