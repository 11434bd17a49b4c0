//! Who moves tokens in tests.

use alloy_primitives::Address;

/// Number `n` of many addresses; 0 makes and burns.
pub(crate) fn address(n: u8) -> Address {
    Address::repeat_byte(n)
}
