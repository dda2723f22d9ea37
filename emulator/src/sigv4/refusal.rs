//! What AWS answers to requests that it cannot authenticate, in the words of each family of services.

use crate::{Error, Timestamp};

/// The families of services that word authentication errors alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// S3: codes and texts of its own, and plain XML errors.
    S3,
    /// Query services such as STS, IAM and CloudFormation: `SignatureDoesNotMatch`, status 403.
    Query,
    /// JSON services: `InvalidSignatureException`, status 400 (403 for REST).
    Json {
        /// Whether the protocol is restJson, which answers 403 where awsJson answers 400.
        rest: bool,
    },
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your";

impl Dialect {
    /// The dialect of a service by the name in its credential scope; `protocol` is the model's name for the protocol
    /// (`query`, `json`, `rest-json`, `rest-xml`, `smithy-rpc-v2-cbor`).
    pub fn of(service: &str, protocol: &str) -> Self {
        match (service, protocol) {
            ("s3", _) => Self::S3,
            (_, "query" | "ec2" | "rest-xml") => Self::Query,
            (_, protocol) => Self::Json { rest: protocol == "rest-json" },
        }
    }

    fn pick(self, query: &'static str, json: &'static str, query_status: u16, message: impl Into<String>) -> Error {
        match self {
            Self::S3 | Self::Query => Error::new(query_status, query, message),
            Self::Json { rest } => Error::new(if rest { 403 } else { 400 }, json, message),
        }
    }

    /// No signature where one is needed. S3 treats such a request as anonymous instead, and denies it.
    pub fn missing_token(self) -> Error {
        match self {
            Self::S3 => Error::new(403, "AccessDenied", "Access Denied"),
            _ => self.pick(
                "MissingAuthenticationToken",
                "MissingAuthenticationTokenException",
                403,
                match self {
                    Self::Json { rest: true } => "Missing Authentication Token",
                    _ => "Request is missing Authentication Token",
                },
            ),
        }
    }

    /// A signature that lacks a part or has one that cannot be read; for S3 see [`Self::header_malformed`].
    pub fn incomplete(self, message: impl Into<String>) -> Error {
        self.pick("IncompleteSignature", "IncompleteSignatureException", 403, message)
    }

    /// A signature that is whole and wrong.
    pub fn invalid(self, message: impl Into<String>) -> Error {
        self.pick("SignatureDoesNotMatch", "InvalidSignatureException", 403, message)
    }

    /// The signature is not the one that the secret yields.
    pub fn mismatch(self) -> Error {
        match self {
            Self::S3 => Error::new(403, "SignatureDoesNotMatch", format!("{MISMATCH} key and signing method.")),
            _ => self.invalid(format!(
                "{MISMATCH} AWS Secret Access Key and signing method. Consult the service documentation for details."
            )),
        }
    }

    /// An access key that nobody has.
    pub fn unknown_access_key(self, access_key: &str) -> Error {
        match self {
            Self::S3 => {
                let message = "The AWS Access Key Id you provided does not exist in our records.";
                Error::new(403, "InvalidAccessKeyId", message).with("AWSAccessKeyId", access_key)
            }
            _ => self.pick("InvalidClientTokenId", "UnrecognizedClientException", 403, INVALID_TOKEN),
        }
    }

    /// A session token that does not belong to the access key, or is damaged.
    pub fn invalid_token(self, token: &str) -> Error {
        match self {
            Self::S3 => {
                let message = "The provided token is malformed or otherwise invalid.";
                Error::new(400, "InvalidToken", message).with("Token-0", token)
            }
            _ => self.pick("InvalidClientTokenId", "UnrecognizedClientException", 403, INVALID_TOKEN),
        }
    }

    /// A session token whose time is over.
    pub fn expired_token(self, token: &str) -> Error {
        match self {
            Self::S3 => Error::new(400, "ExpiredToken", "The provided token has expired.").with("Token-0", token),
            _ => self.pick(
                "ExpiredToken",
                "ExpiredTokenException",
                403,
                "The security token included in the request is expired",
            ),
        }
    }

    /// A signature of another hour. `signed` is as the request has it; `skew` is the tolerance.
    pub(super) fn skewed(self, signed: Timestamp, raw: &str, now: Timestamp) -> Error {
        if self == Self::S3 {
            let message = "The difference between the request time and the current time is too large.";
            return Error::new(403, "RequestTimeTooSkewed", message)
                .with("RequestTime", raw)
                .with("ServerTime", now.to_iso_secs())
                .with("MaxAllowedSkewMilliseconds", super::verify::MAX_SKEW.as_millis().to_string());
        }
        let text = if signed < now {
            let bound = amz_date(now - super::verify::MAX_SKEW);
            format!("Signature expired: {raw} is now earlier than {bound} ({} - 15 min.)", amz_date(now))
        } else {
            let bound = amz_date(now + super::verify::MAX_SKEW);
            format!("Signature not yet current: {raw} is still later than {bound} ({} + 15 min.)", amz_date(now))
        };
        self.invalid(text)
    }
}

const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

/// S3's refusal of an `Authorization` header.
pub(super) fn header_malformed(detail: impl std::fmt::Display) -> Error {
    Error::client("AuthorizationHeaderMalformed", format!("The authorization header is malformed; {detail}"))
}

/// S3's refusal of presigned parameters.
pub(super) fn query_error(message: impl Into<String>) -> Error {
    Error::client("AuthorizationQueryParametersError", message)
}

/// `20260302T120000Z`, as signatures write times.
pub fn amz_date(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string()
}
