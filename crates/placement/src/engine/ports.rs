//! Which ports are taken behind which address.

use std::collections::HashMap;

/// Users per port and address. A count, because a fact can be reported twice: by the node and by a reservation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports(HashMap<u16, HashMap<u32, u32>>);

impl Ports {
    pub(crate) fn take(&mut self, address: u32, port: u16) {
        *self.0.entry(port).or_default().entry(address).or_default() += 1;
    }

    pub(crate) fn give_back(&mut self, address: u32, port: u16) {
        let Some(users) = self.0.get_mut(&port) else {
            return;
        };
        if let Some(count) = users.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                users.remove(&address);
            }
        }
        if users.is_empty() {
            self.0.remove(&port);
        }
    }

    pub(crate) fn taken(&self, address: u32, port: u16) -> bool {
        self.0
            .get(&port)
            .is_some_and(|users| users.contains_key(&address))
    }

    /// Addresses behind which the port is taken, in no order.
    pub(crate) fn addresses(&self, port: u16) -> impl Iterator<Item = u32> + '_ {
        self.0
            .get(&port)
            .into_iter()
            .flat_map(|users| users.keys().copied())
    }
}
