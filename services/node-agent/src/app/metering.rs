//! Metering: what supervisors observe becomes reports that wait for the plane.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use fluxplane_core::Clock;

use crate::{
    domain::usage::{Assignment, Meter, Report},
    store::{StoreError, UsageQueue, blocking},
};

/// Length of a report until the plane has said otherwise.
const DEFAULT_INTERVAL_S: u64 = 10;

/// The meter and the queue behind it. Clones share both.
#[derive(Debug, Clone)]
pub struct Metering {
    meter: Arc<Mutex<Meter>>,
    interval_s: Arc<AtomicU64>,
    queue: UsageQueue,
    clock: Arc<dyn Clock>,
}

impl Metering {
    pub fn new(queue: UsageQueue, clock: Arc<dyn Clock>) -> Self {
        let meter = Meter::new(clock.now().timestamp_millis(), queue.reported_to());
        let interval_s = Arc::new(AtomicU64::new(DEFAULT_INTERVAL_S));
        Self {
            meter: Arc::new(Mutex::new(meter)),
            interval_s,
            queue,
            clock,
        }
    }

    /// The plane wants reports of this length, aligned to its multiples.
    pub fn set_interval_s(&self, interval_s: u32) {
        if interval_s > 0 {
            self.interval_s.store(interval_s.into(), Ordering::Relaxed);
        }
    }

    /// An instance was seen healthy just now.
    pub fn healthy(&self, assignment: Assignment) {
        let now = self.now_ms();
        self.lock().healthy(assignment, now);
    }

    /// An instance is not healthy any more.
    pub fn ended(&self, assignment: Assignment) {
        self.lock().ended(assignment);
    }

    /// Notes that the machine is awake. Returns the second at which a report is due.
    pub async fn tick(&self) -> Result<Option<u64>, StoreError> {
        let now = self.now_ms();
        let (asleep, due) = {
            let mut meter = self.lock();
            (
                meter.awake(now),
                meter.due(self.interval_s.load(Ordering::Relaxed)),
            )
        };
        self.keep(asleep).await?;
        Ok(due)
    }

    /// Ends a report at `to`.
    pub async fn cut(&self, to: u64) -> Result<(), StoreError> {
        let report = self.lock().cut(to);
        self.keep(report).await
    }

    /// Ends the report now, because the agent stops.
    pub async fn finish(&self) -> Result<(), StoreError> {
        let now = self.now_ms();
        let (asleep, last) = {
            let mut meter = self.lock();
            (meter.awake(now), meter.finish())
        };
        self.keep(asleep).await?;
        self.keep(last).await
    }

    async fn keep(&self, report: Option<Report>) -> Result<(), StoreError> {
        let Some(report) = report else { return Ok(()) };
        let queue = self.queue.clone();
        blocking(move || queue.push(report)).await
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    fn lock(&self) -> MutexGuard<'_, Meter> {
        // The meter does not panic between two changes that belong together.
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
