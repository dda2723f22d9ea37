//! The source of an import: objects in S3, and the items in them.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html>

use std::collections::BTreeMap;
use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Failure, call_s3};
use crate::cloud::{Call, Caller, Cloud, Scope};
use crate::{Error, Result};

/// An object has at most so many bytes once it is decompressed: it is held in memory as a whole. AWS has no such limit.
const MAX_OBJECT: u64 = 256 << 20;

/// Where an import reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct S3BucketSource {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_bucket_owner: Option<String>,
    pub s3_bucket: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_key_prefix: Option<String>,
}

/// How CSV is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CsvOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_list: Option<Vec<String>>,
}

/// How the items stand in the objects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Format {
    DynamoDbJson,
    /// With the types of the attributes that keys use: all others are texts.
    Csv(CsvOptions, BTreeMap<String, String>),
}

/// What one object holds.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// The items in their wire form.
    pub items: Vec<Value>,
    /// How many pieces were no items.
    pub errors: u64,
    pub bytes: u64,
}

/// The objects of a bucket, through the front door.
pub(super) struct Bucket<'a> {
    pub cloud: &'a Cloud,
    pub scope: &'a Scope,
    pub caller: &'a Caller,
    pub source: &'a S3BucketSource,
}

impl Bucket<'_> {
    async fn call(&self, operation: &str, mut input: Value) -> Result<(Value, Bytes)> {
        input["Bucket"] = json!(self.source.s3_bucket);
        if let Some(owner) = &self.source.s3_bucket_owner {
            input["ExpectedBucketOwner"] = json!(owner);
        }
        let call = Call::new("s3", operation, self.caller.clone(), self.scope.clone(), input);
        let reply = call_s3(self.cloud, call).await?;
        Ok((reply.output, reply.body.unwrap_or_default()))
    }

    /// The keys of all objects that begin with the prefix.
    pub async fn keys(&self) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut input = json!({ "Prefix": self.source.s3_key_prefix.as_deref().unwrap_or_default() });
        loop {
            let (page, _) = self.call("ListObjectsV2", input.clone()).await?;
            let contents = page["Contents"].as_array();
            keys.extend(contents.into_iter().flatten().filter_map(|object| object["Key"].as_str().map(str::to_owned)));
            match page.get("NextContinuationToken").filter(|token| token.is_string()) {
                Some(token) => input["ContinuationToken"] = token.clone(),
                None => return Ok(keys),
            }
        }
    }

    /// What an object holds.
    pub async fn read(&self, key: &str, gzip: bool, format: &Format) -> std::result::Result<Records, Failure> {
        let (_, body) = self.call("GetObject", json!({ "Key": key })).await?;
        let text = if gzip { decompress(&body) } else { Ok(body.to_vec()) };
        match text {
            Ok(text) if text.len() as u64 > MAX_OBJECT => Err(Failure {
                code: "ObjectTooLarge".to_owned(),
                message: format!("Garoa reads objects of at most {MAX_OBJECT} bytes: {key}"),
            }),
            Ok(text) => Ok(records(&text, format)),
            // An object that cannot be read as a whole is one error.
            Err(_) => Ok(Records { errors: 1, bytes: body.len() as u64, items: Vec::new() }),
        }
    }
}

fn decompress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    MultiGzDecoder::new(body).take(MAX_OBJECT + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn records(text: &[u8], format: &Format) -> Records {
    let mut records = match format {
        Format::DynamoDbJson => json_records(text),
        Format::Csv(options, types) => csv_records(text, options, types),
    };
    records.bytes = text.len() as u64;
    records
}

/// Objects with the one member `Item`, one after another. What comes after one that is no JSON is skipped, as AWS may do.
fn json_records(text: &[u8]) -> Records {
    let mut records = Records::default();
    for document in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
        match document {
            Ok(Value::Object(mut document)) if document.len() == 1 => match document.remove("Item") {
                Some(item @ Value::Object(_)) => records.items.push(item),
                _ => records.errors += 1,
            },
            Ok(_) => records.errors += 1,
            Err(_) => {
                records.errors += 1;
                break;
            }
        }
    }
    records
}

/// Lines of values, after one of names if no names are given.
fn csv_records(text: &[u8], options: &CsvOptions, types: &BTreeMap<String, String>) -> Records {
    let mut records = Records::default();
    let delimiter = options.delimiter.as_deref().and_then(|delimiter| delimiter.bytes().next()).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text);
    let mut lines = reader.records();
    let header: Vec<String> = match &options.header_list {
        Some(names) => names.clone(),
        None => match lines.next() {
            Some(Ok(line)) => line.iter().map(str::to_owned).collect(),
            Some(Err(_)) => {
                records.errors += 1;
                return records;
            }
            None => return records,
        },
    };
    for line in lines {
        match line {
            Ok(line) if line.len() == header.len() => {
                let value = |(name, text): (&String, &str)| {
                    let kind = types.get(name).map_or("S", String::as_str);
                    (name.clone(), json!({ kind: text }))
                };
                let item: Map<String, Value> = header.iter().zip(line.iter()).map(value).collect();
                records.items.push(Value::Object(item));
            }
            _ => records.errors += 1,
        }
    }
    records
}

/// Refuses what Garoa does not read.
pub(super) fn check_readable(format: &str, compression: &str) -> Result<()> {
    if format == "ION" {
        return Err(Error::not_implemented("the input format ION of dynamodb:ImportTable"));
    }
    if compression == "ZSTD" {
        return Err(Error::not_implemented("the compression ZSTD of dynamodb:ImportTable"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn documents_stand_on_lines_or_not() {
        let found = json_records(
            br#"{"Item":{"p":{"S":"a"}}}{"Item":{"p":{"S":"b"}}}
            {"p":{"S":"c"}} {"Item":{"p":{"S":"d"}}}"#,
        );
        assert_eq!((found.items.len(), found.errors), (3, 1));
        let broken = json_records(br#"{"Item":{"p":{"S":"a"}}} oops {"Item":{"p":{"S":"b"}}}"#);
        assert_eq!((broken.items.len(), broken.errors), (1, 1));
        assert_eq!(json_records("[".repeat(10_000).as_bytes()).errors, 1);
    }

    #[test]
    fn values_of_csv_are_texts_but_for_keys() {
        let types = BTreeMap::from([("n".to_owned(), "N".to_owned())]);
        let options = CsvOptions { delimiter: Some(";".to_owned()), header_list: None };
        let found = csv_records(b"n;t\n1;\"a;\"\"b\"\n2\n", &options, &types);
        assert_eq!(found.items, [json!({"n": {"N": "1"}, "t": {"S": "a;\"b"}})]);
        assert_eq!(found.errors, 1);
    }

    #[test]
    fn what_is_compressed_is_read_and_what_is_not_is_an_error() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(b"text").unwrap();
        assert_eq!(decompress(&gzip.finish().unwrap()).unwrap(), b"text");
        assert!(decompress(b"text").is_err());
    }
}
