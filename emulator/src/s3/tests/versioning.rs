//! Versions and delete markers.

use serde_json::json;

use super::*;

/// `key/version: latest?` of all versions and then all delete markers, newest first in each key.
async fn versions(s3: &S3) -> Vec<(String, String, bool)> {
    let list = s3.ok("ListObjectVersions", with(json!({}))).await;
    let entries = ["Versions", "DeleteMarkers"].into_iter().filter_map(|name| list[name].as_array()).flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries.map(|e| (text(&e["Key"]), text(&e["VersionId"]), e["IsLatest"].as_bool().unwrap())).collect()
}

fn id(output: &Value) -> String {
    output["VersionId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn versions_are_kept_and_read_by_id() {
    let s3 = S3::new().await;
    s3.put("k", "before").await;
    assert_eq!(s3.ok("GetBucketVersioning", with(json!({}))).await, json!({}));
    s3.versioning("Enabled").await;
    assert_eq!(s3.ok("GetBucketVersioning", with(json!({}))).await, json!({"Status": "Enabled"}));
    let one = id(&s3.put("k", "one").await);
    let two = id(&s3.put("k", "two").await);
    assert_eq!(one.len(), 32);
    assert_eq!(s3.get("k").await.unwrap(), "two");
    for (version, body) in [(&*one, "one"), (&*two, "two"), ("null", "before")] {
        let got = s3.call("GetObject", with(json!({"Key": "k", "VersionId": version})), b"").await.unwrap();
        assert_eq!((got.body.unwrap(), id(&got.output)), (Bytes::from(body), version.to_owned()));
    }
    let entry = |version: &str, latest| ("k".to_owned(), version.to_owned(), latest);
    assert_eq!(versions(&s3).await, [entry(&two, true), entry(&one, false), entry("null", false)]);
    is(&s3.err("GetObject", with(json!({"Key": "k", "VersionId": "what"}))).await, 400, "InvalidArgument");
    let gone = format!("{}ff", &one[..30]);
    is(&s3.err("GetObject", with(json!({"Key": "k", "VersionId": gone}))).await, 404, "NoSuchVersion");
    is(&s3.err("GetObject", with(json!({"Key": "other", "VersionId": two}))).await, 404, "NoSuchVersion");
}

#[tokio::test]
async fn a_delete_marker_hides_and_its_removal_shows() {
    let s3 = S3::new().await;
    s3.versioning("Enabled").await;
    let one = id(&s3.put("k", "one").await);
    let deleted = s3.ok("DeleteObject", with(json!({"Key": "k"}))).await;
    assert_eq!(deleted["DeleteMarker"], true);
    let marker = id(&deleted);
    let hidden = s3.err("GetObject", with(json!({"Key": "k"}))).await;
    is(&hidden, 404, "NoSuchKey");
    assert_eq!(hidden.members()["x-amz-delete-marker"], "true");
    assert_eq!(hidden.members()["x-amz-version-id"], json!(marker));
    let refused = s3.err("GetObject", with(json!({"Key": "k", "VersionId": marker}))).await;
    is(&refused, 405, "MethodNotAllowed");
    assert_eq!(refused.members()["ResourceType"], "DeleteMarker");
    assert_eq!(refused.members()["allow"], "DELETE");
    assert_eq!(s3.ok("ListObjectsV2", with(json!({}))).await["KeyCount"], 0);
    assert_eq!(versions(&s3).await, [("k".to_owned(), one.clone(), false), ("k".to_owned(), marker.clone(), true)]);
    // A conditional write sees no object.
    is(&s3.err("PutObject", with(json!({"Key": "k", "IfMatch": "\"x\""}))).await, 404, "NoSuchKey");
    let removed = s3.ok("DeleteObject", with(json!({"Key": "k", "VersionId": marker}))).await;
    assert_eq!(removed, json!({"DeleteMarker": true, "VersionId": marker}));
    assert_eq!(s3.get("k").await.unwrap(), "one");
    let removed = s3.ok("DeleteObject", with(json!({"Key": "k", "VersionId": one}))).await;
    assert_eq!(removed, json!({"VersionId": one}));
    s3.ok("DeleteBucket", with(json!({}))).await;
}

#[tokio::test]
async fn a_suspended_bucket_has_one_null_version_of_a_key() {
    let s3 = S3::new().await;
    s3.put("k", "null 1").await;
    s3.versioning("Enabled").await;
    let kept = id(&s3.put("k", "kept").await);
    s3.versioning("Suspended").await;
    assert_eq!(s3.put("k", "null 2").await.get("VersionId"), None);
    let entry = |version: &str, latest| ("k".to_owned(), version.to_owned(), latest);
    assert_eq!(versions(&s3).await, [entry("null", true), entry(&kept, false)]);
    assert_eq!(id(&s3.ok("HeadObject", with(json!({"Key": "k"}))).await), "null");
    let deleted = s3.ok("DeleteObject", with(json!({"Key": "k"}))).await;
    assert_eq!(deleted, json!({"DeleteMarker": true, "VersionId": "null"}));
    assert_eq!(versions(&s3).await, [entry(&kept, false), entry("null", true)]);
    s3.ok("DeleteObject", with(json!({"Key": "k", "VersionId": "null"}))).await;
    assert_eq!(s3.get("k").await.unwrap(), "kept");
}

#[tokio::test]
async fn versions_are_listed_page_by_page() {
    let s3 = S3::new().await;
    s3.versioning("Enabled").await;
    for key in ["a", "b", "dir/1", "dir/2"] {
        for n in 0..3 {
            s3.put(key, &n.to_string()).await;
        }
    }
    s3.ok("DeleteObject", with(json!({"Key": "a"}))).await;
    let all = versions(&s3).await;
    assert_eq!(all.len(), 13);
    for limit in 1..6 {
        let mut seen = Vec::new();
        let mut input = with(json!({"MaxKeys": limit}));
        loop {
            let page = s3.ok("ListObjectVersions", input.clone()).await;
            let (versions, markers) =
                (column(&page["Versions"], "VersionId"), column(&page["DeleteMarkers"], "VersionId"));
            assert!(versions.len() + markers.len() <= limit);
            seen.extend(versions);
            seen.extend(markers);
            if page["IsTruncated"] == false {
                break;
            }
            input["KeyMarker"] = page["NextKeyMarker"].clone();
            input["VersionIdMarker"] = page["NextVersionIdMarker"].clone();
        }
        let mut expected: Vec<_> = all.iter().map(|(_, id, _)| id.clone()).collect();
        expected.sort();
        seen.sort();
        assert_eq!(seen, expected, "pages of {limit}");
    }
    let folded = s3.ok("ListObjectVersions", with(json!({"Delimiter": "/", "KeyMarker": "b"}))).await;
    assert_eq!(folded["CommonPrefixes"], json!([{"Prefix": "dir/"}]));
    assert_eq!(folded["Versions"], json!(null));
    let alone = s3.err("ListObjectVersions", with(json!({"VersionIdMarker": "x"}))).await;
    is(&alone, 400, "InvalidArgument");
}

#[tokio::test]
async fn a_purge_that_pages_and_deletes_leaves_nothing() {
    let s3 = S3::new().await;
    s3.versioning("Enabled").await;
    for n in 0..7 {
        s3.put("k", &n.to_string()).await;
        s3.ok("DeleteObject", with(json!({"Key": "k"}))).await;
    }
    let mut input = with(json!({"MaxKeys": 4}));
    loop {
        let page = s3.ok("ListObjectVersions", input.clone()).await;
        let ids = column(&page["Versions"], "VersionId").into_iter().chain(column(&page["DeleteMarkers"], "VersionId"));
        let objects: Vec<_> = ids.map(|id| json!({"Key": "k", "VersionId": id})).collect();
        let output = s3.ok("DeleteObjects", with(json!({"Delete": {"Objects": objects}}))).await;
        assert_eq!(output.get("Errors"), None);
        if page["IsTruncated"] == false {
            break;
        }
        input["KeyMarker"] = page["NextKeyMarker"].clone();
        input["VersionIdMarker"] = page["NextVersionIdMarker"].clone();
    }
    assert_eq!(versions(&s3).await, []);
    s3.ok("DeleteBucket", with(json!({}))).await;
}

#[tokio::test]
async fn a_batch_leaves_markers_and_tells_their_ids() {
    let s3 = S3::new().await;
    s3.versioning("Enabled").await;
    let one = id(&s3.put("k", "one").await);
    let output = s3.ok("DeleteObjects", with(json!({"Delete": {"Objects": [{"Key": "k"}]}}))).await;
    let marker = output["Deleted"][0]["DeleteMarkerVersionId"].clone();
    assert_eq!(output["Deleted"], json!([{"Key": "k", "DeleteMarker": true, "DeleteMarkerVersionId": marker}]));
    let objects =
        json!([{"Key": "k", "VersionId": marker}, {"Key": "k", "VersionId": one}, {"Key": "k", "VersionId": "no"}]);
    let output = s3.ok("DeleteObjects", with(json!({"Delete": {"Objects": objects}}))).await;
    let first = json!({"Key": "k", "VersionId": marker, "DeleteMarker": true, "DeleteMarkerVersionId": marker});
    assert_eq!(output["Deleted"], json!([first, {"Key": "k", "VersionId": one}]));
    assert_eq!(output["Errors"][0]["Code"], "NoSuchVersion");
}

#[tokio::test]
async fn tags_belong_to_a_version() {
    let s3 = S3::new().await;
    s3.versioning("Enabled").await;
    let one = id(&s3.put("k", "one").await);
    s3.put("k", "two").await;
    let tags = json!({"TagSet": [{"Key": "a", "Value": "1"}]});
    s3.ok("PutObjectTagging", with(json!({"Key": "k", "VersionId": one, "Tagging": tags}))).await;
    assert_eq!(s3.ok("GetObjectTagging", with(json!({"Key": "k"}))).await["TagSet"], json!([]));
    let old = s3.ok("GetObjectTagging", with(json!({"Key": "k", "VersionId": one}))).await;
    assert_eq!(old, json!({"VersionId": one, "TagSet": tags["TagSet"]}));
    assert_eq!(s3.get("k").await.unwrap(), "two");
}
