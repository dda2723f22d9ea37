//! Input structures that share members: a macro, because `#[serde(flatten)]` would hide what is not honoured from the kernel.
//!
//! A member whose field begins with an underscore is taken so that it is not refused, and has no effect: who pays
//! (`RequestPayer`) changes nothing where nobody pays; `ChecksumAlgorithm`, where no checksum is kept, only says which one
//! the client computed; `ContentLength` is the body's. Digests of payloads that are XML (`ContentMD5`) are the wire's to
//! verify: an operation does not see those bytes.

/// Declares inputs: `input! { group…; struct Name { … } }`, where a group adds the members that many operations have.
macro_rules! input {
    (guard $($more:ident)*; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $crate::s3::input::input! { $($more)*; $(#[$meta])* struct $name {
            $($body)*
            pub bucket: String,
            pub expected_bucket_owner: Option<String>,
            _request_payer: Option<String>,
        } }
    };
    (configures $($more:ident)*; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $crate::s3::input::input! { $($more)*; $(#[$meta])* struct $name {
            $($body)*
            #[serde(rename = "ContentMD5")]
            _content_md5: Option<String>,
            _checksum_algorithm: Option<String>,
        } }
    };
    (checksums $($more:ident)*; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $crate::s3::input::input! { $($more)*; $(#[$meta])* struct $name {
            $($body)*
            #[serde(rename = "ChecksumCRC32")]
            pub checksum_crc32: Option<String>,
            #[serde(rename = "ChecksumCRC32C")]
            pub checksum_crc32c: Option<String>,
            #[serde(rename = "ChecksumCRC64NVME")]
            pub checksum_crc64nvme: Option<String>,
            #[serde(rename = "ChecksumSHA1")]
            pub checksum_sha1: Option<String>,
            #[serde(rename = "ChecksumSHA256")]
            pub checksum_sha256: Option<String>,
        } }
    };
    (describes $($more:ident)*; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $crate::s3::input::input! { $($more)*; $(#[$meta])* struct $name {
            $($body)*
            pub content_type: Option<String>,
            pub content_encoding: Option<String>,
            pub content_language: Option<String>,
            pub content_disposition: Option<String>,
            pub cache_control: Option<String>,
            pub expires: Option<String>,
            pub website_redirect_location: Option<String>,
            pub metadata: Option<std::collections::BTreeMap<String, String>>,
            pub storage_class: Option<String>,
            pub server_side_encryption: Option<String>,
            pub bucket_key_enabled: Option<bool>,
            pub tagging: Option<String>,
            #[serde(rename = "ACL")]
            pub acl: Option<String>,
        } }
    };
    (; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub(super) struct $name { $($body)* }
    };
}
pub(super) use input;

/// The checksum that an input carries: see `checksum::Sent`.
macro_rules! sent_checksum {
    ($input:expr) => {
        $crate::s3::checksum::Sent::new([
            $input.checksum_crc32.take(),
            $input.checksum_crc32c.take(),
            $input.checksum_crc64nvme.take(),
            $input.checksum_sha1.take(),
            $input.checksum_sha256.take(),
        ])
    };
}
pub(super) use sent_checksum;

/// What an input says about an object besides its bytes: see `object::Description`.
macro_rules! description {
    ($input:expr) => {
        $crate::s3::object::Described {
            headers: $crate::s3::object::ContentHeaders {
                content_type: $input.content_type.take(),
                content_encoding: $input.content_encoding.take(),
                content_language: $input.content_language.take(),
                content_disposition: $input.content_disposition.take(),
                cache_control: $input.cache_control.take(),
                expires: $input.expires.take(),
            },
            redirect: $input.website_redirect_location.take(),
            metadata: $input.metadata.take().unwrap_or_default(),
            storage_class: $input.storage_class.take(),
            encryption: $input.server_side_encryption.take(),
            bucket_key: $input.bucket_key_enabled,
            tagging: $input.tagging.take(),
            acl: $input.acl.take(),
        }
    };
}
pub(super) use description;
