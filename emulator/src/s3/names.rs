//! The rules of buckets' names and places.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use crate::{Error, Result};

/// The length of a bucket's name.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=63;
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 6] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an"];

/// The region that needs no location constraint, and takes none of its own name.
const HOME: &str = "us-east-1";
/// The name of old for the first region in Europe, which a bucket that was made by it keeps.
pub(super) const EU: &str = "EU";

/// # Errors
/// `InvalidBucketName`.
pub(super) fn check_name(name: &str) -> Result<()> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let valid = LENGTH.contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.')
        && edge(name.chars().next())
        && edge(name.chars().next_back())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if valid {
        return Ok(());
    }
    Err(Error::new(400, "InvalidBucketName", "The specified bucket is not valid.").with("BucketName", name))
}

/// The region of a new bucket: what the constraint names, which must be the region that is called, unless that is
/// us-east-1, from where every region can be named.
///
/// # Errors
/// `InvalidLocationConstraint`, `IllegalLocationConstraintException`.
pub(super) fn region<'a>(constraint: Option<&'a str>, called: &'a str) -> Result<&'a str> {
    let region = match constraint {
        Some(EU) => Some("eu-west-1"),
        // An empty element is none.
        Some("") | None => None,
        // No constraint names it; where another region is called, that comes first.
        Some(HOME) if called == HOME => return Err(invalid(HOME)),
        Some(other) if called == HOME && !is_region(other) => return Err(invalid(other)),
        Some(other) => Some(other),
    };
    match region {
        None if called == HOME => Ok(HOME),
        None => Err(illegal("unspecified")),
        Some(region) if called == HOME || called == region => Ok(region),
        Some(region) => Err(illegal(constraint.unwrap_or(region))),
    }
}

/// The regions where S3 is, by the words before their number, and how many there are.
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html>
const REGIONS: [(&str, u8); 23] = [
    ("af-south", 1),
    ("ap-east", 2),
    ("ap-northeast", 3),
    ("ap-south", 2),
    ("ap-southeast", 7),
    ("ca-central", 1),
    ("ca-west", 1),
    ("cn-north", 1),
    ("cn-northwest", 1),
    ("eu-central", 2),
    ("eu-north", 1),
    ("eu-south", 2),
    ("eu-west", 3),
    ("eusc-de-east", 1),
    ("il-central", 1),
    ("me-central", 1),
    ("me-south", 1),
    ("mx-central", 1),
    ("sa-east", 1),
    ("us-east", 2),
    ("us-gov-east", 1),
    ("us-gov-west", 1),
    ("us-west", 2),
];

/// Whether it is a region's name: `us-west-2`, `us-gov-east-1`.
pub(super) fn is_region(name: &str) -> bool {
    let Some((words, number)) = name.rsplit_once('-') else { return false };
    let number = number.parse::<u8>().unwrap_or(0);
    REGIONS.iter().any(|(known, count)| *known == words && (1..=*count).contains(&number))
}

fn invalid(constraint: &str) -> Error {
    Error::new(400, "InvalidLocationConstraint", "The specified location-constraint is not valid")
        .with("LocationConstraint", constraint)
}

fn illegal(constraint: &str) -> Error {
    let text = format!(
        "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
    );
    Error::new(400, "IllegalLocationConstraintException", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["abc", "a.b-c", "123", &"a".repeat(63)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["ab", "Abc", "a_b", "-ab", "ab-", "a..b", "192.168.0.1", "xn--a", "a-s3alias", &"a".repeat(64)] {
            assert_eq!(check_name(bad).unwrap_err().code(), "InvalidBucketName", "{bad}");
        }
    }

    #[test]
    fn places_are_checked() {
        assert_eq!(region(None, "us-east-1").unwrap(), "us-east-1");
        assert_eq!(region(Some("EU"), "us-east-1").unwrap(), "eu-west-1");
        assert_eq!(region(Some("sa-east-1"), "sa-east-1").unwrap(), "sa-east-1");
        assert_eq!(region(Some("us-east-1"), "us-east-1").unwrap_err().code(), "InvalidLocationConstraint");
        assert_eq!(region(Some("us-east-1"), "us-west-2").unwrap_err().code(), "IllegalLocationConstraintException");
        assert_eq!(region(Some("eu-east-1"), "us-east-1").unwrap_err().code(), "InvalidLocationConstraint");
        assert_eq!(region(Some("moon"), "us-east-1").unwrap_err().code(), "InvalidLocationConstraint");
        let unspecified = region(None, "sa-east-1").unwrap_err();
        assert_eq!(unspecified.code(), "IllegalLocationConstraintException");
        assert!(unspecified.message().starts_with("The unspecified location constraint is incompatible"));
        assert_eq!(region(Some("us-west-2"), "sa-east-1").unwrap_err().code(), "IllegalLocationConstraintException");
    }
}
