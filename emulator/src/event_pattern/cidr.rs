//! Blocks of IP addresses: the match type `cidr`.

use std::net::IpAddr;

/// A block such as `10.0.0.0/24` or `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    network: u128,
    mask: u128,
    v6: bool,
}

impl Block {
    /// Reads a block.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let (Some(address), Some(bits), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        let bits: u32 = bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        let address: IpAddr = address.parse().map_err(|_| format!("Nonstandard IP address: {address}"))?;
        let width = if address.is_ipv6() { 128 } else { 32 };
        if bits > width {
            return Err(format!("Mask bits must be between 0 and {width}"));
        }
        let mask = u128::MAX.checked_shl(width - bits).unwrap_or(0);
        Ok(Self { network: number(address) & mask, mask, v6: address.is_ipv6() })
    }

    /// Whether a text is an address in the block.
    pub fn holds(&self, text: &str) -> bool {
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        address.is_ipv6() == self.v6 && number(address) & self.mask == self.network
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}
