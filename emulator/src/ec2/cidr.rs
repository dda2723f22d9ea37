//! Blocks of IPv4 addresses.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// `172.31.0.0/16`, with no bit set beyond its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Block {
    base: u32,
    pub bits: u32,
}

impl Block {
    pub const fn new(base: Ipv4Addr, bits: u32) -> Self {
        Self { base: base.to_bits() & mask(bits), bits }
    }

    /// Reads a block, and takes away what is beyond its prefix, as EC2 does.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address: Ipv4Addr = address.parse().ok()?;
        let is_number = !bits.is_empty() && bits.len() <= 2 && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u32 = if is_number { bits.parse().ok()? } else { return None };
        (bits <= 32).then(|| Self::new(address, bits))
    }

    /// Whether all of another block is in this one.
    pub fn contains(self, other: Self) -> bool {
        other.bits >= self.bits && other.base & mask(self.bits) == self.base
    }

    /// Whether some address is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The address of this number.
    pub fn address(self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base.wrapping_add(number))
    }

    /// How many addresses are in it.
    pub fn size(self) -> u64 {
        1 << (32 - self.bits)
    }
}

const fn mask(bits: u32) -> u32 {
    if bits == 0 { 0 } else { u32::MAX << (32 - bits) }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.base), self.bits)
    }
}

impl From<Block> for String {
    fn from(block: Block) -> Self {
        block.to_string()
    }
}

impl TryFrom<String> for Block {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("no block of addresses")
    }
}

/// A block of IPv6 addresses as EC2 writes it; `None` if it is none.
pub(super) fn six(text: &str) -> Option<String> {
    let (address, bits) = text.split_once('/')?;
    let (address, bits): (Ipv6Addr, u32) = (address.parse().ok()?, bits.parse().ok()?);
    let mask = if bits == 0 { 0 } else { u128::MAX.checked_shl(128_u32.checked_sub(bits)?)? };
    Some(format!("{}/{bits}", Ipv6Addr::from_bits(address.to_bits() & mask)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn blocks_are_read_and_compared() {
        let block = |text: &str| Block::parse(text).unwrap();
        assert_eq!(block("100.68.0.18/18").to_string(), "100.68.0.0/18");
        assert!(block("10.0.0.0/16").contains(block("10.0.255.0/24")));
        assert!(!block("10.0.0.0/16").contains(block("10.1.0.0/24")));
        assert!(block("10.0.1.0/24").overlaps(block("10.0.0.0/16")));
        assert_eq!(block("10.0.0.0/28").size(), 16);
        for bad in ["", "10.0.0.0", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/+8", "::/0"] {
            assert!(Block::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(six("2001:DB8::1/32").unwrap(), "2001:db8::/32");
        assert!(six("::/129").is_none() && six("::/0").is_some());
    }
}
