//! Tests of the verifier: AWS's documented examples, and the SDK's signer as the oracle.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::Request;
use http::request::Parts;
use proptest::prelude::*;

use super::*;
use crate::Timestamp;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const JSON: Dialect = Dialect::Json { rest: false };

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

struct Ask<'a> {
    service: &'a str,
    uri: &'a str,
    body: SignableBody<'a>,
    token: Option<&'a str>,
    expires: Option<u64>,
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Ask<'a> {
    fn of(service: &'a str, uri: &'a str) -> Self {
        Self { service, uri, body: SignableBody::empty(), token: None, expires: None, headers: Vec::new() }
    }

    /// Signs with the SDK's signer.
    fn signed(&self) -> Parts {
        let identity = Credentials::new(KEY, SECRET, self.token.map(str::to_owned), None, "test").into();
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if let Some(seconds) = self.expires {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds));
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(self.service)
            .time(noon().to_system_time())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let signable = SignableRequest::new("PUT", self.uri, self.headers.iter().copied(), self.body.clone()).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let mut request = Request::put(self.uri);
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        let host = request.uri().authority().unwrap().to_string();
        request.headers_mut().insert("host", host.parse().unwrap());
        request.into_parts().0
    }
}

fn dialect(service: &str) -> Dialect {
    Dialect::of(service, if service == "sts" { "query" } else { "json" })
}

fn check_at<'a>(
    head: &'a Parts,
    service: &str,
    secret: &str,
    body: &[u8],
    now: Timestamp,
) -> crate::Result<Signed<'a>> {
    let signed = parse(head, dialect(service))?.unwrap();
    verify(&signed, secret, head, Payload::Body(body), now, dialect(service))?;
    Ok(signed)
}

#[test]
fn what_the_sdk_signs_is_verified() {
    let uris = [
        "https://b.s3.us-east-1.amazonaws.com/",
        "https://b.s3.us-east-1.amazonaws.com/a%20b/%C3%A9/x//y/../z%2B~%27%28%29%2A%21?list-type=2&prefix=a%2Fb%20c&empty&x=1&x=0",
        "http://127.0.0.1:4566/b/k%25?versionId=a%2Bb&%E2%82%AC=%E2%82%AC",
        "https://example.amazonaws.com/a/./b/../c/?Action=GetCallerIdentity&Version=2011-06-15",
    ];
    for service in ["s3", "sts", "lambda"] {
        for uri in uris {
            for token in [None, Some("tok+en/=")] {
                for expires in [None, Some(600)] {
                    let headers = vec![("x-amz-meta-a", "  two   spaces "), ("content-type", "text/plain")];
                    let body = SignableBody::Bytes(b"hello");
                    let presigned_s3 = service == "s3" && expires.is_some();
                    let body = if presigned_s3 { SignableBody::UnsignedPayload } else { body };
                    let head = Ask { token, expires, headers, body, ..Ask::of(service, uri) }.signed();
                    let signed = check_at(&head, service, SECRET, b"hello", noon())
                        .unwrap_or_else(|e| panic!("{service} {uri} {token:?} {expires:?}: {e} {:?}", e.members()));
                    assert_eq!((&*signed.access_key, &*signed.scope.service), (KEY, service));
                    assert_eq!((signed.token.as_deref(), signed.presigned), (token, expires.is_some()));
                    let wrong = check_at(&head, service, "other", b"hello", noon()).unwrap_err();
                    let code = if service == "lambda" { "InvalidSignatureException" } else { "SignatureDoesNotMatch" };
                    assert_eq!(wrong.code(), code);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_key_and_query_verifies(key in "\\PC{0,12}", name in "\\PC{1,6}", value in "\\PC{0,8}", s3 in any::<bool>()) {
        const SET: &percent_encoding::AsciiSet =
            &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, SET).to_string().replace("%2F", "/");
        let uri = format!("https://h.amazonaws.com/{}?{}={}", encode(&key), encode(&name), encode(&value));
        let service = if s3 { "s3" } else { "sts" };
        let head = Ask::of(service, &uri).signed();
        let checked = check_at(&head, service, SECRET, b"", noon());
        prop_assert!(checked.is_ok(), "{uri}: {checked:?}");
    }

    #[test]
    fn any_header_is_read_without_panic(header in "(AWS4-HMAC-SHA256 )?[ -~]{0,120}", query in "[a-zA-Z0-9=&%+-]{0,80}") {
        let uri = format!("http://h/?X-Amz-Date=20260302T120000Z&{query}");
        for dialect in [Dialect::S3, Dialect::Query, JSON] {
            let request = Request::get(&uri).header("authorization", &header).body(()).unwrap();
            let _ = parse(&request.into_parts().0, dialect);
            let _ = parse(&Request::get(&uri).body(()).unwrap().into_parts().0, dialect);
        }
    }
}

#[test]
fn s3_signs_the_canonical_form_of_a_path_however_it_was_sent() {
    let mut head = Ask::of("s3", "https://b.s3.us-east-1.amazonaws.com/a%28b%29%2Bc-d").signed();
    head.uri = "https://b.s3.us-east-1.amazonaws.com/a(b)+c%2Dd".parse().unwrap();
    check_at(&head, "s3", SECRET, b"", noon()).unwrap();
    head.uri = "https://b.s3.us-east-1.amazonaws.com/a(b)+c%2De".parse().unwrap();
    assert!(check_at(&head, "s3", SECRET, b"", noon()).is_err());
}

#[test]
fn the_example_of_the_s3_documentation() {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, GET Object
    let hash = sha256_hex(b"");
    let authorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
        SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
        Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let request = Request::get("/test.txt")
        .header("host", "examplebucket.s3.amazonaws.com")
        .header("range", "bytes=0-9")
        .header("x-amz-content-sha256", hash)
        .header("x-amz-date", "20130524T000000Z")
        .header("authorization", authorization);
    let head = request.body(()).unwrap().into_parts().0;
    check_at(&head, "s3", SECRET, b"", "2013-05-24T00:10:00Z".parse().unwrap()).unwrap();
    let skewed = check_at(&head, "s3", SECRET, b"", "2013-05-24T00:15:01Z".parse().unwrap()).unwrap_err();
    assert_eq!((skewed.code(), skewed.status()), ("RequestTimeTooSkewed", 403));
    assert_eq!(skewed.members()["MaxAllowedSkewMilliseconds"], "900000");
    let body = check_at(&head, "s3", SECRET, b"x", "2013-05-24T00:00:00Z".parse().unwrap()).unwrap_err();
    assert_eq!(body.code(), "XAmzContentSHA256Mismatch");
}

#[test]
fn skew_in_the_words_of_the_other_services() {
    let head = Ask::of("sts", "https://sts.amazonaws.com/").signed();
    let at = |secs: u64| check_at(&head, "sts", SECRET, b"", noon() + Duration::from_secs(secs));
    at(900).unwrap();
    let late = at(901).unwrap_err();
    assert_eq!((late.code(), late.status()), ("SignatureDoesNotMatch", 403));
    assert_eq!(
        late.message(),
        "Signature expired: 20260302T120000Z is now earlier than 20260302T120001Z (20260302T121501Z - 15 min.)"
    );
    let early = check_at(&head, "sts", SECRET, b"", noon() - Duration::from_secs(901)).unwrap_err();
    assert_eq!(
        early.message(),
        "Signature not yet current: 20260302T120000Z is still later than 20260302T115959Z (20260302T114459Z + 15 min.)"
    );
}

#[test]
fn presigned_urls_expire() {
    let uri = "https://b.s3.us-east-1.amazonaws.com/k";
    let url =
        |expires| Ask { expires: Some(expires), body: SignableBody::UnsignedPayload, ..Ask::of("s3", uri) }.signed();
    let at = |head: &Parts, secs| check_at(head, "s3", SECRET, b"any", noon() + Duration::from_secs(secs)).map(|_| ());
    at(&url(3_600), 3_600).unwrap();
    let expired = at(&url(3_600), 3_601).unwrap_err();
    assert_eq!((expired.code(), expired.status(), expired.message()), ("AccessDenied", 403, "Request has expired"));
    assert_eq!(expired.members()["Expires"], "2026-03-02T13:00:00Z");
    let week = at(&url(604_801), 0).unwrap_err();
    assert_eq!((week.code(), week.status()), ("AuthorizationQueryParametersError", 400));
    assert!(week.message().ends_with("must be less than 604800 seconds"));
    at(&url(604_800), 604_800).unwrap();
}

fn header_error(dialect: Dialect, authorization: &str, date: Option<&str>) -> (String, u16, String) {
    let mut request = Request::post("http://h/").header("host", "h").header("authorization", authorization);
    if let Some(date) = date {
        request = request.header("x-amz-date", date);
    }
    let error = parse(&request.body(()).unwrap().into_parts().0, dialect).unwrap_err();
    (error.code().to_owned(), error.status(), error.message().to_owned())
}

#[test]
fn malformed_headers_in_the_words_of_each_family() {
    let date = Some("20260302T120000Z");
    let bare = "AWS4-HMAC-SHA256 Signature=b";
    assert_eq!(
        header_error(JSON, bare, None),
        ("IncompleteSignatureException".into(), 400, "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' \
          parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Signature=b".into())
    );
    assert_eq!(header_error(Dialect::S3, bare, date).0, "AuthorizationHeaderMalformed");
    assert_eq!(header_error(JSON, "Basic x", date).0, "MissingAuthenticationTokenException");
    assert_eq!(header_error(Dialect::Query, "AWS4-HMAC-SHA25 x", date).0, "IncompleteSignature");
    let of = |credential: &str| format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=b");
    assert_eq!(
        header_error(JSON, &of("a/b/c/d"), date).2,
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'"
    );
    assert_eq!(
        header_error(Dialect::S3, &of("k/20260301/r/s3/aws4_request"), date).2,
        "The authorization header is malformed; Invalid credential date \"20260301\". This date is not the same as \
         X-Amz-Date: \"20260302\"."
    );
    assert_eq!(
        header_error(JSON, &of("k/20260302/r/sqs/aws4_request"), Some("201")).2,
        "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601"
    );
    let none = Request::get("http://h/").body(()).unwrap().into_parts().0;
    assert_eq!(parse(&none, JSON).unwrap(), None);
}

#[test]
fn unsigned_headers_are_refused() {
    let mut head = Ask::of("s3", "https://b.s3.us-east-1.amazonaws.com/k").signed();
    head.headers.insert("x-amz-acl", "public-read".parse().unwrap());
    let error = check_at(&head, "s3", SECRET, b"", noon()).unwrap_err();
    assert_eq!((error.code(), error.members()["HeadersNotSigned"].as_str()), ("AccessDenied", Some("x-amz-acl")));
}

/// The request of the documentation's examples of chunks, with the seed signature of one of them.
fn documented(seed: &str) -> Signed<'_> {
    Signed {
        access_key: KEY.into(),
        scope: Scope { date: "20130524".into(), region: "us-east-1".into(), service: "s3".into() },
        signed_headers: "host".into(),
        signature: seed.into(),
        timestamp: "2013-05-24T00:00:00Z".parse().unwrap(),
        amz_date: "20130524T000000Z".into(),
        expires: None,
        token: None,
        presigned: false,
    }
}

/// Signs chunks as the documentation says, on its own.
fn chunked(signed: &Signed<'_>, chunks: &[&[u8]], trailer: Option<(&str, &str)>) -> Vec<u8> {
    let key = signing_key(SECRET, &signed.scope);
    let (mut previous, mut body) = (signed.signature.to_string(), Vec::new());
    let sign = |kind: &str, lines: String| {
        let text = format!("{kind}\n{}\n{}\n{lines}", signed.amz_date, signed.scope.text());
        hex::encode(hmac_sha256(&key, text.as_bytes()))
    };
    for chunk in chunks.iter().chain([&&b""[..]]) {
        let signature =
            sign("AWS4-HMAC-SHA256-PAYLOAD", format!("{previous}\n{}\n{}", sha256_hex(b""), sha256_hex(chunk)));
        body.extend(format!("{:x};chunk-signature={signature}\r\n", chunk.len()).bytes());
        body.extend_from_slice(chunk);
        if !chunk.is_empty() || trailer.is_none() {
            body.extend(b"\r\n");
        }
        previous = signature;
    }
    if let Some((name, value)) = trailer {
        let signature = sign(
            "AWS4-HMAC-SHA256-TRAILER",
            format!("{previous}\n{}", sha256_hex(format!("{name}:{value}\n").as_bytes())),
        );
        body.extend(format!("{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n").bytes());
    }
    body
}

#[test]
fn the_chunks_of_the_s3_documentation() {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, the example's seed and chunk signatures
    let signed = documented("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    let (a, b) = (vec![b'a'; 65_536], vec![b'a'; 1_024]);
    let mut body = Vec::new();
    for (data, signature) in [
        (&a[..], "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (&b[..], "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (&b""[..], "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        body.extend(format!("{:x};chunk-signature={signature}\r\n", data.len()).bytes());
        body.extend_from_slice(data);
        body.extend(b"\r\n");
    }
    assert_eq!(verify_chunks(&signed, SECRET, &body).unwrap().data.len(), 66_560);
    let trailer = Some(("x-amz-checksum-crc32c", "sOO8/Q=="));
    let with_trailer = chunked(&signed, &[b"hello", b"world"], trailer);
    let whole = verify_chunks(&signed, SECRET, &with_trailer).unwrap();
    assert_eq!((whole.data.as_slice(), whole.trailers.len()), (&b"helloworld"[..], 1));
    let code = |body: &[u8]| verify_chunks(&signed, SECRET, body).unwrap_err().code().to_owned();
    let text = String::from_utf8(with_trailer.clone()).unwrap();
    assert_eq!(code(text.replace("hello", "hellO").as_bytes()), "SignatureDoesNotMatch");
    assert_eq!(code(text.replace("sOO8", "sOO9").as_bytes()), "SignatureDoesNotMatch");
    assert_eq!(code(&with_trailer[..120]), "IncompleteBody");
    assert_eq!(code(b""), "IncompleteBody");
}

#[test]
fn the_trailing_checksum_of_the_s3_documentation() {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    let signed = documented("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    let mut body = Vec::new();
    for (size, signature) in [
        (65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
        (1_024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
        (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
    ] {
        body.extend(format!("{size:x};chunk-signature={signature}\r\n").bytes());
        body.extend(vec![b'a'; size]);
        body.extend_from_slice(if size > 0 { b"\r\n" } else { b"" });
    }
    body.extend_from_slice(b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:");
    body.extend_from_slice(b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n");
    let whole = verify_chunks(&signed, SECRET, &body).unwrap();
    assert_eq!(whole.trailers, [("x-amz-checksum-crc32c".to_owned(), "sOO8/Q==".to_owned())]);
}
