//! SHA-256 tree hashes: the leaves are the digests of a mebibyte each, and a node is the digest of the two below it.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/checksum-calculations.html>

use sha2::{Digest, Sha256};

/// The bytes of a leaf.
pub(super) const LEAF: usize = 1 << 20;

pub(super) type Hash = [u8; 32];

/// The hash of some bytes.
pub(super) fn of(bytes: &[u8]) -> Hash {
    let leaves = bytes.chunks(LEAF).map(|leaf| Sha256::digest(leaf).into()).collect();
    root(leaves)
}

/// The hash over nodes that stand for as many leaves each, but for the last one. Nothing hashes as the empty text does.
pub(super) fn root(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => Sha256::new().chain_update(left).chain_update(right).finalize().into(),
                // One that is left over goes up as it is.
                rest => rest.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    level.pop().unwrap_or_else(|| Sha256::digest([]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_one_whatever_it_is_made_of() {
        let bytes: Vec<u8> = (0..(5 * LEAF + 7)).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
        let parts = bytes.chunks(2 * LEAF).map(of).collect();
        assert_eq!(root(parts), of(&bytes));
        assert_eq!(of(b"x"), <Hash>::from(Sha256::digest(b"x")));
    }
}
