//! Reading the signature of a request: the `Authorization` header, or the query of a presigned URL.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, DATE};
use http::request::Parts;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;

use super::ALGORITHM;
use super::canonical::query_pairs;
use super::refusal::{Dialect, header_malformed, query_error};
use crate::wire::headers::{AMZ_DATE, AMZ_SECURITY_TOKEN, text};
use crate::{Error, Result, Timestamp};

/// The longest time in seconds that a presigned URL may be good for: a week.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
pub const MAX_EXPIRES: i64 = 604_800;

/// What a signature is good for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope<'a> {
    /// The day in UTC, `20260302`.
    pub date: Cow<'a, str>,
    /// The region.
    pub region: Cow<'a, str>,
    /// The service as signatures name it, such as `monitoring` for CloudWatch.
    pub service: Cow<'a, str>,
}

impl Scope<'_> {
    /// `20260302/us-east-1/s3/aws4_request`.
    pub(super) fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// A request's signature, read and not yet verified. It borrows from the request: of most requests nothing is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The access key id.
    pub access_key: Cow<'a, str>,
    /// Day, region and service.
    pub scope: Scope<'a>,
    /// The names of the signed headers, in lower case and in the order of the request, `;` between them.
    pub signed_headers: Cow<'a, str>,
    /// 64 hex digits.
    pub signature: Cow<'a, str>,
    /// When the request was signed.
    pub timestamp: Timestamp,
    /// The same as the string to sign has it, `20260302T120000Z`.
    pub amz_date: Cow<'a, str>,
    /// How many seconds a presigned URL is good for; none for a header.
    pub expires: Option<i64>,
    /// The session token of temporary credentials.
    pub token: Option<Cow<'a, str>>,
    /// Whether the signature is in the query.
    pub presigned: bool,
}

impl Signed<'_> {
    /// The names of the signed headers.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';').map(str::trim)
    }
}

/// Reads the signature of a request; none for a request that has none, or one of S3's version 2. Errors are worded for the
/// dialect.
pub fn parse(head: &Parts, dialect: Dialect) -> Result<Option<Signed<'_>>> {
    let authorization =
        head.headers.contains_key(AUTHORIZATION).then(|| text(&head.headers, AUTHORIZATION).unwrap_or(""));
    let pairs = query_pairs(head.uri.query().unwrap_or(""));
    let presigned = pairs.iter().any(|(name, _)| name == "X-Amz-Algorithm" || name == "X-Amz-Signature");
    match (authorization, presigned) {
        (Some(_), true) => Err(both(dialect)),
        (Some(header), false) if dialect == Dialect::S3 && header.starts_with("AWS ") => Ok(None),
        (Some(header), false) => from_header(head, header, dialect).map(Some),
        (None, true) => from_query(head, &pairs, dialect).map(Some),
        (None, false) => Ok(None),
    }
}

fn both(dialect: Dialect) -> Error {
    match dialect {
        Dialect::S3 => Error::client(
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        ),
        _ => {
            dialect.invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
        }
    }
}

fn from_header<'a>(head: &'a Parts, header: &'a str, dialect: Dialect) -> Result<Signed<'a>> {
    let (algorithm, rest) = header.split_once([' ', ',']).unwrap_or((header, ""));
    if algorithm != ALGORITHM {
        return Err(match (dialect, algorithm) {
            (Dialect::S3, _) => Error::client("InvalidArgument", "Unsupported Authorization Type"),
            (_, other) if !other.starts_with("AWS4-") => dialect.missing_token(),
            (_, other) => {
                dialect.incomplete(format!("Unsupported AWS 'algorithm': '{other}' (only {ALGORITHM} for now). "))
            }
        });
    }
    // One pass for all three: every request comes here.
    let mut parts = [("Credential", None), ("SignedHeaders", None), ("Signature", None)];
    for field in fields(rest) {
        let Some((key, value)) = field.split_once('=').filter(|(_, value)| !value.is_empty()) else { continue };
        if let Some((_, part)) = parts.iter_mut().find(|(name, part)| *name == key && part.is_none()) {
            *part = Some(value);
        }
    }
    let part = |name: &str| parts.iter().find(|(known, _)| *known == name).and_then(|(_, part)| *part);
    let time = time_of_header(head);
    let (Some(credential), Some(signed_headers), Some(signature)) =
        (part("Credential"), part("SignedHeaders"), part("Signature"))
    else {
        return Err(missing_parts(header, dialect, part, time.is_some()));
    };
    let Some(time) = time else {
        return Err(match dialect {
            Dialect::S3 => {
                Error::new(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
            }
            _ => missing_parts(header, dialect, part, false),
        });
    };
    let timestamp = time.parse(dialect)?;
    let amz_date = match time {
        RequestTime::Amz(text) => Cow::Borrowed(text),
        RequestTime::Http(_) => super::refusal::amz_date(timestamp).into(),
    };
    let (access_key, scope) = credential_of(credential, dialect, false)?;
    check_date(&scope, &amz_date, dialect, false)?;
    let is_lower = !signed_headers.bytes().any(|byte| byte.is_ascii_uppercase());
    Ok(Signed {
        access_key: access_key.into(),
        scope,
        signed_headers: if is_lower { signed_headers.into() } else { signed_headers.to_ascii_lowercase().into() },
        signature: signature.into(),
        timestamp,
        amz_date,
        expires: None,
        token: text(&head.headers, &AMZ_SECURITY_TOKEN).map(Cow::Borrowed),
        presigned: false,
    })
}

/// What stands between commas and spaces.
fn fields(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let end = memchr::memchr3(b',', b' ', b'\t', rest.as_bytes()).unwrap_or(rest.len());
        let field;
        (field, rest) = rest.split_at(end);
        (!field.is_empty()).then_some(field)
    })
}

fn missing_parts<'a>(header: &str, dialect: Dialect, part: impl Fn(&str) -> Option<&'a str>, has_date: bool) -> Error {
    if dialect == Dialect::S3 {
        return header_malformed(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
        );
    }
    let mut message = String::new();
    for name in ["Credential", "Signature", "SignedHeaders"] {
        if part(name).is_none() {
            message += &format!("Authorization header requires '{name}' parameter. ");
        }
    }
    if !has_date {
        message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
    }
    dialect.incomplete(format!("{message}Authorization={header}"))
}

fn from_query<'a>(head: &'a Parts, pairs: &[(String, String)], dialect: Dialect) -> Result<Signed<'a>> {
    let value = |name: &str| {
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    const NEEDED: [&str; 5] =
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
    let [Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)] = NEEDED.map(value)
    else {
        return Err(missing_parameters(dialect, value, &NEEDED));
    };
    if algorithm != ALGORITHM {
        return Err(match dialect {
            Dialect::S3 => query_error("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""),
            _ => dialect.incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM} for now). ")),
        });
    }
    let (access_key, scope) = credential_of(credential, dialect, true)?;
    let timestamp = RequestTime::Amz(date).parse(dialect).map_err(|error| match dialect {
        Dialect::S3 => query_error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""),
        _ => error,
    })?;
    check_date(&scope, date, dialect, true)?;
    let owned = |text: &str| Cow::Owned(text.to_owned());
    let Scope { date: day, region, service } = scope;
    Ok(Signed {
        access_key: owned(access_key),
        scope: Scope { date: owned(&day), region: owned(&region), service: owned(&service) },
        signed_headers: signed_headers.to_ascii_lowercase().into(),
        signature: owned(signature),
        timestamp,
        amz_date: owned(date),
        expires: expires(value("X-Amz-Expires"), dialect)?,
        token: match value("X-Amz-Security-Token") {
            Some(token) => Some(owned(token)),
            None => text(&head.headers, &AMZ_SECURITY_TOKEN).map(Cow::Borrowed),
        },
        presigned: true,
    })
}

fn missing_parameters<'a>(dialect: Dialect, value: impl Fn(&str) -> Option<&'a str>, needed: &[&str]) -> Error {
    if dialect == Dialect::S3 {
        return query_error(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
             X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        );
    }
    let missing: String = needed
        .iter()
        .filter(|name| value(name).is_none())
        .map(|name| format!("AWS query-string parameters must include '{name}'. "))
        .collect();
    dialect.incomplete(format!("{missing}Re-examine the query-string parameters."))
}

/// S3 requires the parameter. Elsewhere a URL without it is good for the usual skew, and one with it for so long.
fn expires(text: Option<&str>, dialect: Dialect) -> Result<Option<i64>> {
    let Some(text) = text else {
        return if dialect == Dialect::S3 { Err(missing_parameters(dialect, |_| None, &[])) } else { Ok(None) };
    };
    let seconds: i64 = text.parse().map_err(|_| query_error("X-Amz-Expires should be a number"))?;
    if seconds < 0 {
        return Err(query_error("X-Amz-Expires must be non-negative"));
    }
    if seconds > MAX_EXPIRES {
        return Err(query_error(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        ));
    }
    Ok(Some(seconds))
}

/// Takes `key/date/region/service/aws4_request` apart. The service is for the router to judge, not checked here.
fn credential_of(credential: &str, dialect: Dialect, presigned: bool) -> Result<(&str, Scope<'_>)> {
    let malformed = |detail: String| match (dialect, presigned) {
        (Dialect::S3, false) => header_malformed(detail),
        (Dialect::S3, true) => query_error(format!("Error parsing the X-Amz-Credential parameter; {detail}")),
        _ => dialect.invalid(detail),
    };
    let mut slashes = memchr::memchr_iter(b'/', credential.as_bytes());
    let four = [(); 4].map(|()| slashes.next());
    let ([Some(first), Some(second), Some(third), Some(fourth)], None) = (four, slashes.next()) else {
        return Err(match dialect {
            Dialect::S3 => malformed(
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".into(),
            ),
            _ => dialect.incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'"
            )),
        });
    };
    let (access_key, date) = (&credential[..first], &credential[first + 1..second]);
    let (region, service) = (&credential[second + 1..third], &credential[third + 1..fourth]);
    let terminator = &credential[fourth + 1..];
    if terminator != "aws4_request" {
        return Err(malformed(match dialect {
            Dialect::S3 => format!("incorrect terminal \"{terminator}\". This endpoint uses \"aws4_request\"."),
            _ => format!("Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "),
        }));
    }
    if dialect == Dialect::S3 && !(date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit())) {
        return Err(malformed(format!(
            "incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
        )));
    }
    Ok((access_key, Scope { date: date.into(), region: region.into(), service: service.into() }))
}

fn check_date(scope: &Scope<'_>, amz_date: &str, dialect: Dialect, presigned: bool) -> Result<()> {
    let day = amz_date.get(..8).unwrap_or(amz_date);
    if scope.date == day {
        return Ok(());
    }
    let date = &scope.date;
    let s3 = format!("Invalid credential date \"{date}\". This date is not the same as X-Amz-Date: \"{day}\".");
    Err(match (dialect, presigned) {
        (Dialect::S3, false) => header_malformed(s3),
        (Dialect::S3, true) => query_error(s3),
        _ => dialect.invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != \
             '{day}', from '{amz_date}'."
        )),
    })
}

enum RequestTime<'a> {
    Amz(&'a str),
    Http(&'a str),
}

fn time_of_header(head: &Parts) -> Option<RequestTime<'_>> {
    text(&head.headers, &AMZ_DATE).map(RequestTime::Amz).or_else(|| text(&head.headers, DATE).map(RequestTime::Http))
}

impl RequestTime<'_> {
    fn parse(&self, dialect: Dialect) -> Result<Timestamp> {
        let (text, parsed) = match self {
            Self::Amz(text) => (text, basic(text)),
            Self::Http(text) => {
                let millis = rfc2822::parse(text).ok().map(|at| at.timestamp().as_millisecond());
                (text, basic(text).or(millis.map(Timestamp::from_millis)))
            }
        };
        parsed.ok_or_else(|| match dialect {
            Dialect::S3 => {
                Error::new(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
            }
            _ => dialect.incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
            )),
        })
    }
}

/// `20260302T120000Z`
fn basic(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    if bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |digits: std::ops::Range<usize>| {
        bytes[digits]
            .iter()
            .try_fold(0_i16, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0')))
    };
    let small = |digits| number(digits).and_then(|number| i8::try_from(number).ok());
    let (year, month, day) = (number(0..4)?, small(4..6)?, small(6..8)?);
    let civil = DateTime::new(year, month, day, small(9..11)?, small(11..13)?, small(13..15)?, 0).ok()?;
    let at = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}
