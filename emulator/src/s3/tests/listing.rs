//! Lists of objects. `walk.rs` has the property that paging answers what a naive list does.

use serde_json::json;

use super::*;

async fn filled(keys: &[&str]) -> S3 {
    let s3 = S3::new().await;
    for key in keys {
        s3.put(key, key).await;
    }
    s3
}

#[tokio::test]
async fn a_list_folds_what_shares_a_delimiter() {
    let s3 = filled(&["a.txt", "dir/1", "dir/2", "dir/sub/3", "z"]).await;
    let list = s3.ok("ListObjectsV2", with(json!({"Delimiter": "/"}))).await;
    assert_eq!(column(&list["Contents"], "Key"), ["a.txt", "z"]);
    assert_eq!(list["CommonPrefixes"], json!([{"Prefix": "dir/"}]));
    assert_eq!(list["KeyCount"], 3);
    assert_eq!(list["MaxKeys"], 1000);
    assert_eq!(list["IsTruncated"], false);
    assert_eq!(list["Contents"][1].get("Owner"), None);
    assert_eq!(list["Contents"][1]["Size"], 1);
    assert_eq!(list["Contents"][1]["StorageClass"], "STANDARD");
    assert_eq!(list["Contents"][1]["ChecksumAlgorithm"], json!(["CRC64NVME"]));
    let list = s3.ok("ListObjectsV2", with(json!({"Delimiter": "/", "Prefix": "dir/", "FetchOwner": true}))).await;
    assert_eq!(column(&list["Contents"], "Key"), ["dir/1", "dir/2"]);
    assert_eq!(list["CommonPrefixes"], json!([{"Prefix": "dir/sub/"}]));
    assert!(list["Contents"][0]["Owner"]["ID"].is_string());
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let s3 = filled(&["a", "b/1", "b/2", "c", "d"]).await;
    let mut seen = Vec::new();
    let mut input = with(json!({"Delimiter": "/", "MaxKeys": 1}));
    loop {
        let page = s3.ok("ListObjectsV2", input.clone()).await;
        assert_eq!(page["KeyCount"], 1);
        seen.extend(column(&page["Contents"], "Key"));
        seen.extend(column(&page["CommonPrefixes"], "Prefix"));
        let Some(token) = page.get("NextContinuationToken") else { break };
        input["ContinuationToken"] = token.clone();
    }
    assert_eq!(seen, ["a", "b/", "c", "d"]);
    let after = s3.ok("ListObjectsV2", with(json!({"StartAfter": "b/1"}))).await;
    assert_eq!(column(&after["Contents"], "Key"), ["b/2", "c", "d"]);
    assert_eq!(after["StartAfter"], "b/1");
    let none = s3.ok("ListObjectsV2", with(json!({"MaxKeys": 0}))).await;
    assert_eq!((&none["KeyCount"], &none["IsTruncated"]), (&json!(0), &json!(false)));
    is(&s3.err("ListObjectsV2", with(json!({"MaxKeys": -1}))).await, 400, "InvalidArgument");
    is(&s3.err("ListObjectsV2", with(json!({"ContinuationToken": "%"}))).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn the_older_list_pages_by_marker() {
    let s3 = filled(&["a", "b/1", "b/2", "c"]).await;
    let page = s3.ok("ListObjects", with(json!({"Delimiter": "/", "MaxKeys": 2}))).await;
    assert_eq!((&page["NextMarker"], &page["IsTruncated"]), (&json!("b/"), &json!(true)));
    assert!(page["Contents"][0]["Owner"]["ID"].is_string());
    let page = s3.ok("ListObjects", with(json!({"Delimiter": "/", "Marker": "b/"}))).await;
    assert_eq!(column(&page["Contents"], "Key"), ["c"]);
    assert_eq!(page["CommonPrefixes"], json!(null));
    let page = s3.ok("ListObjects", with(json!({"MaxKeys": 2}))).await;
    assert_eq!((page.get("NextMarker"), &page["IsTruncated"]), (None, &json!(true)));
}

#[tokio::test]
async fn keys_are_encoded_on_request() {
    let s3 = filled(&["a b/ç+(3)~", "x"]).await;
    let input = json!({"EncodingType": "url", "Prefix": "a b", "StartAfter": "a b"});
    let list = s3.ok("ListObjectsV2", with(input)).await;
    assert_eq!(column(&list["Contents"], "Key"), ["a+b/%C3%A7%2B%283%29%7E"]);
    assert_eq!((&list["Prefix"], &list["StartAfter"]), (&json!("a+b"), &json!("a+b")));
    is(&s3.err("ListObjectsV2", with(json!({"EncodingType": "rot13"}))).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn keys_are_in_the_order_of_their_bytes() {
    let s3 = filled(&["é", "z", "Z", "\u{FFFD}", "\u{10000}"]).await;
    let list = s3.ok("ListObjectsV2", with(json!({}))).await;
    assert_eq!(column(&list["Contents"], "Key"), ["Z", "z", "é", "\u{FFFD}", "\u{10000}"]);
}

#[tokio::test]
async fn what_a_list_writes_itself_is_what_the_wire_would_write() {
    use http::Request;
    let s3 = S3::new().await;
    // Where no trace is kept, a list writes itself.
    let cloud = Cloud::builder().trace(crate::cloud::TraceDepth::Nothing).build();
    let silent = S3 { cloud, scope: s3.scope.clone() };
    silent.ok("CreateBucket", json!({"Bucket": "bkt"})).await;
    for key in ["a&b", "c/d", "é <\u{1}>", "plain"] {
        s3.put(key, key).await;
        silent.put(key, key).await;
    }
    for query in ["", "&delimiter=/", "&encoding-type=url", "&fetch-owner=true", "&max-keys=2"] {
        let get = || Request::get(format!("/bkt?list-type=2{query}")).header("host", "x").body(Bytes::new()).unwrap();
        let kept = s3.cloud.http(get()).await.unwrap().into_body();
        let fast = silent.cloud.http(get()).await.unwrap().into_body();
        let times = |body: &Bytes| {
            let text = String::from_utf8(body.to_vec()).unwrap();
            let mut parts: Vec<String> = text.split("<LastModified>").map(str::to_owned).collect();
            for part in parts.iter_mut().skip(1) {
                *part = part.get(24..).unwrap().to_owned();
            }
            parts
        };
        assert_eq!(times(&kept), times(&fast), "{query}");
    }
}
