//! For the tests of this module: settings, a request, and a sleep that takes no time.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, UNIX_EPOCH};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::StaticTimeSource;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::request::Request;

/// The environment variables of a whole function, changed.
pub fn env<'a>(changes: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    let defaults = [
        ("SMTP_SERVER", "smtp.example.com"),
        ("SMTP_USER", "mailer"),
        ("SMTP_PASSWORD", "hush"),
        ("EMAIL_FROM", "Seu Serviço <no-reply@example.com>"),
        ("DEDUP_TABLE", "mails"),
    ];
    move |name| {
        let last = defaults.iter().chain(changes).rev().find(|(key, _)| *key == name);
        last.map(|(_, value)| (*value).to_owned())
    }
}

pub fn request(name: &str) -> Request {
    Request {
        video: "42".to_owned(),
        address: "ana@example.com".parse().unwrap(),
        name: name.to_owned(),
        bucket: "videos".to_owned(),
        key: "frames/42.zip".to_owned(),
        file: "42.zip".to_owned(),
    }
}

/// A configuration at the year 2026, without an HTTP client.
pub fn config() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .sleep_impl(Quick)
        .time_source(StaticTimeSource::new(UNIX_EPOCH + Duration::from_secs(1_772_452_800)))
        .build()
}

/// Sleeps that are over as soon as everything else has had a turn or two.
#[derive(Clone, Copy, Debug)]
pub struct Quick;

impl AsyncSleep for Quick {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        })
    }
}
