//! restXml: S3's requests and answers.

use serde_json::json;

use super::*;
use crate::wire::{Protocol, encode, encode_error};

const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

#[test]
fn put_object_takes_headers_metadata_and_the_body() {
    let headers = [
        ("x-amz-meta-Author", "Jörg"),
        ("x-amz-meta-n", "1"),
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-object-lock-retain-until-date", "2026-03-02T12:00:00Z"),
        ("expires", "Mon, 02 Mar 2026 12:00:00 GMT"),
    ];
    let (_, decoded) = read(&request("PUT", "/b/k?x-id=PutObject", &headers, "hello")).unwrap();
    let expected = json!({
        "Bucket": "b", "ContentLength": 5, "ContentType": "text/plain", "Key": "k",
        "Metadata": {"author": "Jörg", "n": "1"}, "StorageClass": "STANDARD_IA",
        "ObjectLockRetainUntilDate": 1_772_452_800_000_i64,
    });
    let mut input = decoded.input;
    assert!(input.as_object_mut().unwrap().remove("Expires").is_some());
    assert_eq!(input, expected);
    assert_eq!(decoded.body, "hello");
}

#[test]
fn aws_chunked_uploads_are_unwrapped() {
    let headers = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("content-encoding", "aws-chunked, gzip"),
        ("content-length", "60"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ];
    let body = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
    let (_, decoded) = read(&request("PUT", "/b/k", &headers, body)).unwrap();
    assert_eq!(decoded.body, "hello world");
    assert_eq!(decoded.input["ChecksumCRC32"], "DUoRhQ==");
    assert_eq!(decoded.input["ChecksumAlgorithm"], "CRC32");
    assert_eq!(decoded.input["ContentEncoding"], "gzip");
    assert_eq!(decoded.input["ContentLength"], 11);
}

#[test]
fn xml_bodies_are_read() {
    let body = "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a &amp; &#x62;</Key></Object>\n<Object><Key><![CDATA[<c>]]></Key><VersionId>v</VersionId></Object><Quiet>true</Quiet></Delete>";
    let (detected, decoded) = read(&request("POST", "/b?delete", &[], body)).unwrap();
    assert_eq!(detected.operation.name, "DeleteObjects");
    let objects = json!([{"Key": "a & b"}, {"Key": "<c>", "VersionId": "v"}]);
    assert_eq!(decoded.input["Delete"], json!({"Objects": objects, "Quiet": true}));
    let body =
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag></Part></CompleteMultipartUpload>";
    let (_, decoded) = read(&request("POST", "/b/k?uploadId=u", &[], body)).unwrap();
    assert_eq!(decoded.input["MultipartUpload"]["Parts"], json!([{"ETag": "\"e\"", "PartNumber": 1}]));
    let body = "<AccessControlPolicy xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><AccessControlList><Grant><Grantee xsi:type=\"CanonicalUser\"><ID>i</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>";
    let (_, decoded) = read(&request("PUT", "/b?acl", &[], body)).unwrap();
    let grant = json!({"Grantee": {"ID": "i", "Type": "CanonicalUser"}, "Permission": "READ"});
    assert_eq!(decoded.input["AccessControlPolicy"], json!({"Grants": [grant]}));
    let (_, decoded) = read(&request("PUT", "/b?policy", &[], "{\"Version\":1}")).unwrap();
    assert_eq!(decoded.input["Policy"], "{\"Version\":1}");
}

#[test]
fn malformed_xml_is_refused_without_expanding_anything() {
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\">]><Delete><Object><Key>&a;</Key></Object></Delete>";
    let entity = "<Delete><Object><Key>&a;</Key></Object></Delete>";
    let deep = "<a>".repeat(100_000);
    let two = "<Delete></Delete><Delete></Delete>";
    for body in
        [bomb, entity, &deep, two, "<Delete>", "<Wrong></Wrong>", "x", "<Delete><Quiet>perhaps</Quiet></Delete>"]
    {
        let error = read(&request("POST", "/b?delete", &[], body.to_owned())).unwrap_err();
        assert_eq!((error.code(), error.status()), ("MalformedXML", 400), "{body:.30}");
    }
}

#[test]
fn lists_are_flat_and_roots_are_s3_s() {
    let output = json!({
        "IsTruncated": false, "Contents": [{"Key": "a\r&", "Size": 3, "LastModified": 1_772_452_800_000_i64}, {"Key": "b"}],
        "Name": "b", "Prefix": "", "KeyCount": 2,
    });
    let response = encode(Protocol::RestXml, operation("s3", "ListObjectsV2"), &reply(output), "RID");
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult {NS}><IsTruncated>false</IsTruncated>\
        <Contents><Key>a&#13;&amp;</Key><LastModified>2026-03-02T12:00:00.000Z</LastModified><Size>3</Size></Contents>\
        <Contents><Key>b</Key></Contents><Name>b</Name><Prefix></Prefix><KeyCount>2</KeyCount></ListBucketResult>"
    );
    assert_eq!(text(&response), expected);
    assert_eq!(response.headers()["x-amz-request-id"], "RID");
    assert!(response.headers().contains_key("x-amz-id-2"));
    for (name, output, expected) in [
        (
            "GetBucketLocation",
            json!({"LocationConstraint": "eu-west-1"}),
            format!("<LocationConstraint {NS}>eu-west-1</LocationConstraint>"),
        ),
        ("GetBucketLocation", json!({}), format!("<LocationConstraint {NS}/>")),
        ("GetBucketVersioning", json!({}), format!("<VersioningConfiguration {NS}></VersioningConfiguration>")),
        (
            "CopyObject",
            json!({"CopyObjectResult": {"ETag": "e"}, "VersionId": "v"}),
            format!("<CopyObjectResult {NS}><ETag>e</ETag></CopyObjectResult>"),
        ),
        (
            "GetObjectAcl",
            json!({"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "i"}, "Permission": "READ"}]}),
            format!(
                "<AccessControlPolicy {NS}><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>i</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
            ),
        ),
    ] {
        let response = encode(Protocol::RestXml, operation("s3", name), &reply(output), "RID");
        assert_eq!(text(&response).split_once('\n').unwrap().1, expected, "{name}");
    }
}

#[test]
fn objects_are_answered_in_headers_and_bytes() {
    let output = json!({"ContentLength": 3, "ETag": "\"e\"", "LastModified": 1_772_452_800_000_i64, "Metadata": {"a": "ü"}, "ContentType": "image/png", "DeleteMarker": false});
    let answer = Reply { body: Some(Bytes::from_static(b"\x00\x01\x02")), ..reply(output.clone()) };
    let response = encode(Protocol::RestXml, operation("s3", "GetObject"), &answer, "RID");
    assert_eq!(response.body().as_ref(), b"\x00\x01\x02");
    assert_eq!(response.headers()["last-modified"], "Mon, 02 Mar 2026 12:00:00 GMT");
    assert_eq!(response.headers()["content-type"], "image/png");
    assert_eq!(response.headers()["x-amz-meta-a"], "=?UTF-8?B?w7w=?=");
    assert_eq!(response.headers()["content-length"], "3");
    let answer = Reply { status: Some(206), ..answer };
    assert_eq!(encode(Protocol::RestXml, operation("s3", "GetObject"), &answer, "RID").status().as_u16(), 206);
    let response = encode(Protocol::RestXml, operation("s3", "HeadObject"), &reply(output), "RID");
    assert_eq!((response.body().len(), &response.headers()["content-length"]), (0, &"3".parse().unwrap()));
    let response = encode(Protocol::RestXml, operation("s3", "DeleteObject"), &reply(json!({"VersionId": "v"})), "RID");
    assert_eq!((response.status().as_u16(), &response.headers()["x-amz-version-id"]), (204, &"v".parse().unwrap()));
    let response = encode(Protocol::RestXml, operation("s3", "PutObject"), &reply(json!({"ETag": "\"e\""})), "RID");
    assert_eq!((text(&response), response.headers().contains_key("content-type")), ("", false));
}

#[test]
fn errors_have_ids_and_members_of_their_own() {
    let error = Error::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", "a&b");
    let get = operation("s3", "GetObject");
    let response = encode_error(Protocol::RestXml, "s3", Some(get), &error, "RID");
    let body = text(&response);
    assert!(body.contains("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&amp;b</Key><RequestId>RID</RequestId><HostId>"));
    assert_eq!(response.headers()["content-type"], "application/xml");
    let response = encode_error(Protocol::RestXml, "s3", Some(operation("s3", "HeadObject")), &error, "RID");
    assert_eq!((response.status().as_u16(), response.body().len()), (404, 0));
}

#[test]
fn codings_of_requests_other_than_gzip_are_refused_except_by_s3() {
    let headers = [("x-amz-target", "Logs_20140328.PutLogEvents"), ("content-encoding", "br")];
    assert_eq!(read(&request("POST", "/", &headers, "x")).unwrap_err().code(), "NotImplemented");
}
