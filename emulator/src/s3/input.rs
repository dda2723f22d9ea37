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
            #[serde(rename = "SSEKMSKeyId")]
            pub kms_key: Option<String>,
            #[serde(rename = "SSEKMSEncryptionContext")]
            pub kms_context: Option<String>,
            pub bucket_key_enabled: Option<bool>,
            pub object_lock_mode: Option<String>,
            pub object_lock_retain_until_date: Option<crate::Timestamp>,
            pub object_lock_legal_hold_status: Option<String>,
            pub tagging: Option<String>,
            /// The encryption, once KMS gave a key for it: see `kms.rs`.
            #[serde(skip)]
            pub sealed: Option<$crate::s3::encryption::ServerSide>,
        } }
    };
    (customer $($more:ident)*; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $crate::s3::input::input! { $($more)*; $(#[$meta])* struct $name {
            $($body)*
            #[serde(rename = "SSECustomerAlgorithm")]
            pub customer_algorithm: Option<String>,
            #[serde(rename = "SSECustomerKey")]
            pub customer_key: Option<String>,
            #[serde(rename = "SSECustomerKeyMD5")]
            pub customer_md5: Option<String>,
        } }
    };
    (source $($more:ident)*; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $crate::s3::input::input! { $($more)*; $(#[$meta])* struct $name {
            $($body)*
            pub copy_source: String,
            pub copy_source_if_match: Option<String>,
            pub copy_source_if_none_match: Option<String>,
            pub copy_source_if_modified_since: Option<crate::Timestamp>,
            pub copy_source_if_unmodified_since: Option<crate::Timestamp>,
            pub expected_source_bucket_owner: Option<String>,
            #[serde(rename = "CopySourceSSECustomerAlgorithm")]
            pub source_customer_algorithm: Option<String>,
            #[serde(rename = "CopySourceSSECustomerKey")]
            pub source_customer_key: Option<String>,
            #[serde(rename = "CopySourceSSECustomerKeyMD5")]
            pub source_customer_md5: Option<String>,
        } }
    };
    (grants $($more:ident)*; $(#[$meta:meta])* struct $name:ident { $($body:tt)* }) => {
        $crate::s3::input::input! { $($more)*; $(#[$meta])* struct $name {
            $($body)*
            #[serde(rename = "ACL")]
            pub acl: Option<String>,
            pub grant_full_control: Option<String>,
            pub grant_read: Option<String>,
            #[serde(rename = "GrantReadACP")]
            pub grant_read_acp: Option<String>,
            pub grant_write: Option<String>,
            #[serde(rename = "GrantWriteACP")]
            pub grant_write_acp: Option<String>,
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
            encryption: $crate::s3::encryption::Asked {
                algorithm: $input.server_side_encryption.take(),
                kms_key: $input.kms_key.take(),
                kms_context: $input.kms_context.take(),
                bucket_key: $input.bucket_key_enabled,
                customer: $crate::s3::input::customer_key!($input),
                sealed: $input.sealed.take(),
            },
            lock: $crate::s3::lock::Asked {
                mode: $input.object_lock_mode.take(),
                until: $input.object_lock_retain_until_date,
                legal_hold: $input.object_lock_legal_hold_status.take(),
            },
            tagging: $input.tagging.take(),
            acl: $crate::s3::input::asked_acl!($input),
        }
    };
}
pub(super) use description;

/// The customer's key that an input carries: see `encryption::CustomerKey`.
macro_rules! customer_key {
    ($input:expr) => {
        $crate::s3::encryption::CustomerKey {
            algorithm: $input.customer_algorithm.take(),
            key: $input.customer_key.take(),
            md5: $input.customer_md5.take(),
        }
    };
}
pub(super) use customer_key;

/// The access control list that an input asks for: see `acl::Asked`.
macro_rules! asked_acl {
    ($input:expr) => {
        $crate::s3::acl::Asked {
            canned: $input.acl.take(),
            grants: [
                $input.grant_full_control.take(),
                $input.grant_read.take(),
                $input.grant_read_acp.take(),
                $input.grant_write.take(),
                $input.grant_write_acp.take(),
            ],
        }
    };
}
pub(super) use asked_acl;

/// What an input says about the source of a copy: see `copy::From`.
macro_rules! copied_from {
    ($input:expr) => {
        $crate::s3::copy::From {
            source: std::mem::take(&mut $input.copy_source),
            expected_owner: $input.expected_source_bucket_owner.take(),
            conditions: $crate::s3::conditions::ReadConditions {
                if_match: $input.copy_source_if_match.take(),
                if_none_match: $input.copy_source_if_none_match.take(),
                if_modified_since: $input.copy_source_if_modified_since,
                if_unmodified_since: $input.copy_source_if_unmodified_since,
            },
            customer: $crate::s3::encryption::CustomerKey {
                algorithm: $input.source_customer_algorithm.take(),
                key: $input.source_customer_key.take(),
                md5: $input.source_customer_md5.take(),
            },
        }
    };
}
pub(super) use copied_from;
