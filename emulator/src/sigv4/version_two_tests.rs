//! Tests of version 2: AWS's documented example, and what is refused.
#![allow(clippy::unwrap_used)]

use http::Request;
use http::request::Parts;

use super::parse_version_two as parse;
use crate::Timestamp;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn get(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_example_of_the_documentation() {
    let date = ("date", "Tue, 27 Mar 2007 19:36:42 +0000");
    let signature = ("authorization", "AWS AKIAIOSFODNN7EXAMPLE:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");
    let head = get("/photos/puppy.jpg", &[date, signature]);
    let signed = parse(&head, "us-west-1").unwrap().unwrap();
    let (now, bucket) = (at("2007-03-27T19:40:00Z"), Some("awsexamplebucket1"));
    signed.verify(Some(SECRET), &head, bucket, now).unwrap();
    let error = signed.verify(Some("another"), &head, bucket, now).unwrap_err();
    assert_eq!(error.code(), "SignatureDoesNotMatch");
    let late = signed.verify(Some(SECRET), &head, bucket, at("2007-03-27T20:00:00Z")).unwrap_err();
    assert_eq!(late.code(), "RequestTimeTooSkewed");
    // Regions of after 2013 never took these.
    assert_eq!(parse(&head, "eu-central-1").unwrap_err().code(), "InvalidRequest");
}

#[test]
fn a_url_is_good_until_it_expires_whoever_signed_it() {
    let head = get("/b/k?AWSAccessKeyId=k&Signature=c2lnbg%3D%3D&Expires=1175139620", &[]);
    let signed = parse(&head, "us-east-1").unwrap().unwrap();
    assert_eq!(signed.access_key, "k");
    signed.verify(None, &head, None, at("2007-03-29T03:40:20Z")).unwrap();
    let error = signed.verify(None, &head, None, at("2007-03-29T03:40:21Z")).unwrap_err();
    assert_eq!((error.code(), error.message()), ("AccessDenied", "Request has expired"));
    assert_eq!(parse(&get("/b/k?AWSAccessKeyId=k&Signature=x", &[]), "us-east-1").unwrap_err().code(), "AccessDenied");
}

#[test]
fn what_is_not_whole_is_refused() {
    let code = |headers: &[(&str, &str)]| parse(&get("/b", headers), "us-east-1").unwrap_err().code().to_owned();
    let signature = ("authorization", "AWS k:s");
    assert_eq!(code(&[("authorization", "AWS HAHAHA")]), "InvalidArgument");
    assert_eq!(code(&[signature]), "AccessDenied");
    assert_eq!(code(&[signature, ("x-amz-date", "Bad Date")]), "AccessDenied");
    assert_eq!(code(&[signature, ("x-amz-date", "Tue, 07 Jul 1950 21:53:04 GMT")]), "AccessDenied");
    assert!(parse(&get("/b", &[]), "us-east-1").unwrap().is_none());
}
