//! The cloud's clock as the SDK's time source and sleep: its retries and time-outs take virtual time.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;

use crate::clock::Clock;
use crate::cloud::{Cloud, Inner};

/// A cloud's clock, for `SdkConfig::builder().time_source(…).sleep_impl(…)`.
#[derive(Clone)]
pub struct CloudTime {
    clock: Arc<Clock>,
    cloud: Weak<Inner>,
}

impl CloudTime {
    /// The clock of a cloud.
    pub fn new(cloud: &Cloud) -> Self {
        Self { clock: Arc::clone(&cloud.0.clock), cloud: Arc::downgrade(&cloud.0) }
    }
}

impl std::fmt::Debug for CloudTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CloudTime({})", self.clock.now())
    }
}

impl TimeSource for CloudTime {
    fn now(&self) -> SystemTime {
        self.clock.now().to_system_time()
    }
}

impl AsyncSleep for CloudTime {
    fn sleep(&self, duration: Duration) -> Sleep {
        let (clock, cloud) = (Arc::clone(&self.clock), self.cloud.clone());
        Sleep::new(async move {
            let deadline = clock.now() + duration;
            match cloud.upgrade() {
                Some(cloud) => drop(cloud.wait(Some(deadline)).await),
                // Without its cloud, time does not pass any more.
                None => std::future::pending().await,
            }
        })
    }
}
