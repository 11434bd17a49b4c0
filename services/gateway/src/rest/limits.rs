//! How often one caller may call, and how many streams they may hold.
//!
//! Token buckets per IP network and per principal. Memory is bounded: when more callers come than are tracked, the
//! surplus shares one bucket until others have been idle.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, MonotonicClock},
    middleware::{StateInformationMiddleware, StateSnapshot},
    nanos::Nanos,
    state::{
        InMemoryState, NotKeyed, StateStore,
        keyed::{DashMapStateStore, ShrinkableKeyedStateStore},
    },
};

use crate::config;

/// The limits of this replica. Clones share the buckets.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    per_ip: Buckets<IpAddr>,
    per_principal: Buckets<String>,
    streams: Mutex<HashMap<String, usize>>,
    streams_per_caller: usize,
}

impl Limits {
    pub fn new(config: &config::Limits) -> Self {
        Self(Arc::new(Inner {
            per_ip: Buckets::new(config.per_ip, config.tracked_callers),
            per_principal: Buckets::new(config.per_principal, config.tracked_callers),
            streams: Mutex::default(),
            streams_per_caller: config.streams_per_caller,
        }))
    }

    /// Takes one request from the bucket of an address.
    pub fn take_ip(&self, ip: IpAddr) -> Allowance {
        self.0.per_ip.take(&network(ip))
    }

    /// Takes one request from the bucket of a principal.
    pub fn take_principal(&self, principal: &str) -> Allowance {
        self.0.per_principal.take(&principal.to_owned())
    }

    /// Opens a stream for a caller; `None` when they hold as many as they may.
    pub fn open_stream(&self, caller: &str) -> Option<StreamSlot> {
        let mut streams = self.streams();
        let open = streams.entry(caller.to_owned()).or_default();
        if *open >= self.0.streams_per_caller {
            return None;
        }
        *open += 1;
        Some(StreamSlot {
            limits: self.clone(),
            caller: caller.to_owned(),
        })
    }

    /// Most streams one caller may hold.
    pub fn streams_per_caller(&self) -> usize {
        self.0.streams_per_caller
    }

    /// Forgets buckets that are full again. Returns how many are kept.
    pub fn forget_idle(&self) -> usize {
        self.0.per_ip.limiter.retain_recent();
        self.0.per_principal.limiter.retain_recent();
        self.0.per_ip.limiter.len() + self.0.per_principal.limiter.len()
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // Each change is one entry, so a panicking holder leaves the map whole.
        self.0
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open stream; gives its place back when dropped.
#[derive(Debug)]
pub struct StreamSlot {
    limits: Limits,
    caller: String,
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let mut streams = self.limits.streams();
        if let Some(open) = streams.get_mut(&self.caller) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                streams.remove(&self.caller);
            }
        }
    }
}

/// What a bucket says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests that fit into the bucket.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
    /// Seconds until it is full again.
    pub reset_seconds: u64,
    /// Seconds to wait, when the request came too fast.
    pub retry_after: Option<u32>,
}

#[derive(Debug)]
struct Buckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Bounded<K>, MonotonicClock, StateInformationMiddleware>,
    rate: config::Rate,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(rate: config::Rate, most: usize) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let store = Bounded {
            map: DashMapStateStore::default(),
            surplus: InMemoryState::default(),
            most,
        };
        Self {
            limiter: RateLimiter::new(quota, store, MonotonicClock),
            rate,
        }
    }

    fn take(&self, key: &K) -> Allowance {
        match self.limiter.check_key(key) {
            Ok(state) => self.allowance(&state),
            Err(until) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                Allowance {
                    limit: self.rate.burst.get(),
                    remaining: 0,
                    reset_seconds: self.refill_seconds(self.rate.burst.get()),
                    retry_after: Some(whole_seconds(wait)),
                }
            }
        }
    }

    fn allowance(&self, state: &StateSnapshot) -> Allowance {
        let (limit, remaining) = (self.rate.burst.get(), state.remaining_burst_capacity());
        Allowance {
            limit,
            remaining,
            reset_seconds: self.refill_seconds(limit.saturating_sub(remaining)),
            retry_after: None,
        }
    }

    fn refill_seconds(&self, missing: u32) -> u64 {
        u64::from(missing.div_ceil(self.rate.per_second.get()))
    }
}

/// A store with at most `most` buckets, and one more that everybody else shares.
#[derive(Debug)]
struct Bounded<K: Hash + Eq + Clone> {
    map: DashMapStateStore<K>,
    surplus: InMemoryState,
    most: usize,
}

impl<K: Hash + Eq + Clone> StateStore for Bounded<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if self.map.len() < self.most || self.map.contains_key(key) {
            self.map.measure_and_replace(key, f)
        } else {
            self.surplus.measure_and_replace(&NotKeyed::NonKey, f)
        }
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Bounded<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        ShrinkableKeyedStateStore::retain_recent(&self.map, drop_below);
    }

    fn len(&self) -> usize {
        self.map.len()
    }

    fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

/// What an address shares its bucket with: an IPv6 customer has at least a /64 to themselves.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            },
            IpAddr::V4,
        ),
    }
}

fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1_000))
        .unwrap_or(u32::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limits(burst: u32, tracked_callers: usize) -> Limits {
        let rate = config::Rate {
            per_second: NonZeroU32::MIN,
            burst: NonZeroU32::new(burst).unwrap(),
        };
        Limits::new(&config::Limits {
            tracked_callers,
            streams_per_caller: 2,
            per_ip: rate,
            per_principal: rate,
        })
    }

    #[test]
    fn a_bucket_is_emptied_and_says_how_long_to_wait() {
        let limits = limits(2, 10);
        assert_eq!(limits.take_principal("a").remaining, 1);
        assert_eq!(limits.take_principal("a").remaining, 0);
        let refused = limits.take_principal("a");
        assert_eq!(
            (refused.limit, refused.remaining, refused.retry_after),
            (2, 0, Some(1))
        );
        assert_eq!(
            limits.take_principal("b").retry_after,
            None,
            "another caller is not affected"
        );
    }

    #[test]
    fn callers_beyond_those_tracked_share_one_bucket() {
        let limits = limits(1, 1);
        assert_eq!(limits.take_principal("tracked").retry_after, None);
        assert_eq!(limits.take_principal("surplus 1").retry_after, None);
        assert!(limits.take_principal("surplus 2").retry_after.is_some());
        assert_eq!(limits.0.per_principal.limiter.len(), 1);
    }

    #[test]
    fn an_ipv6_customer_is_a_network() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(ip("2001:db8::1")), network(ip("2001:db8::ffff")));
        assert_ne!(network(ip("2001:db8::1")), network(ip("2001:db8:0:1::1")));
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn a_stream_gives_its_place_back() {
        let limits = limits(1, 1);
        let (_first, second) = (
            limits.open_stream("a").unwrap(),
            limits.open_stream("a").unwrap(),
        );
        assert!(limits.open_stream("a").is_none());
        assert!(limits.open_stream("b").is_some());
        drop(second);
        assert!(limits.open_stream("a").is_some());
    }
}
