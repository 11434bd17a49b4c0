//! Addresses of servers that others must know before they listen.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Ports begin here and end below those that Linux gives to whoever does not choose (`ip_local_port_range`, from 32768 on): a
/// port of that range may be somebody else's by the time it is used.
const FIRST_PORT: u32 = 10_000;

/// Ports a process takes in a row. Tests run in processes of their own, with ids close to each other.
const IN_A_ROW: u32 = 16;

/// Rows there are.
const ROWS: u32 = 1_400;

/// Where a process goes on when its row is used up; leads to every row before it comes back.
const NEXT_ROW: u32 = 611;

/// An address on 127.0.0.1 that is free and that no other call returns, in this process or in one that runs beside it.
pub fn free_address() -> SocketAddr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    for _ in 0..ROWS * IN_A_ROW {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        let address = candidate(std::process::id(), taken);
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port from {FIRST_PORT} on is free");
}

fn candidate(process: u32, taken: u32) -> SocketAddr {
    let row = (process % ROWS + taken / IN_A_ROW % ROWS * NEXT_ROW) % ROWS;
    let port = FIRST_PORT + row * IN_A_ROW + taken % IN_A_ROW;
    let port = u16::try_from(port).expect("rows end below 32768");
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn neighbours_share_no_port_and_nobody_chooses_an_ephemeral_one() {
        let of = |process: u32| (0..IN_A_ROW).map(move |taken| candidate(process, taken).port());
        let all: BTreeSet<u16> = (4_000_000..4_000_000 + ROWS).flat_map(of).collect();
        assert_eq!(all.len(), usize::try_from(ROWS * IN_A_ROW).unwrap());
        assert!(all.iter().all(|port| (10_000..32_768).contains(port)));
    }

    #[test]
    fn a_process_gets_every_port_before_one_comes_again() {
        let all: BTreeSet<_> = (0..ROWS * IN_A_ROW)
            .map(|taken| candidate(u32::MAX, taken))
            .collect();
        assert_eq!(all.len(), usize::try_from(ROWS * IN_A_ROW).unwrap());
    }

    #[test]
    fn a_port_that_is_held_is_passed_over() {
        let first = free_address();
        let _held = TcpListener::bind(first).unwrap();
        assert_ne!(free_address(), first);
    }
}
