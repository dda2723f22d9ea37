//! The tricky parts by themselves.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::retry::{Effective, Retries, read_subscription_policy};

#[test]
fn queues_and_functions_are_tried_again_as_aws_says() {
    let managed = Retries::managed();
    let seconds = |retry| managed.delay(retry).unwrap().as_secs_f64();
    assert_eq!([1, 2, 3, 4, 5].map(seconds), [0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(seconds(6), 1.0);
    assert_eq!(seconds(15), 20.0);
    assert_eq!(seconds(16), 20.0);
    assert_eq!(seconds(100_015), 20.0);
    assert_eq!(managed.delay(100_016), None);
    let total: Duration = (1..=100_015).map(|retry| managed.delay(retry).unwrap()).sum();
    assert_eq!(total.as_secs() / 86_400, 23, "over 23 days");
}

#[test]
fn a_subscription_may_have_a_policy_of_its_own() {
    let own = read_subscription_policy(
        r#"{"healthyRetryPolicy": {"numRetries": 4, "minDelayTarget": 1, "maxDelayTarget": 7, "numNoDelayRetries": 1}}"#,
    );
    let own = own.unwrap().unwrap();
    let delays = |effective: &Effective| -> Vec<u64> {
        (1..).map_while(|retry| effective.retries.delay(retry)).map(|delay| delay.as_secs()).collect()
    };
    assert_eq!(delays(&Effective::of(None, Some(&own))), [0, 1, 4, 7]);
    assert_eq!(delays(&Effective::of(None, None)), [20, 20, 20]);
    let topic = r#"{"http": {"disableSubscriptionOverrides": true, "defaultHealthyRetryPolicy": {"numRetries": 1}}}"#;
    assert_eq!(delays(&Effective::of(Some(topic), Some(&own))), [20]);
    for wrong in [
        r#"{"healthyRetryPolicy": {"numRetries": 200}}"#,
        r#"{"healthyRetryPolicy": {"minDelayTarget": 30}}"#,
        r#"{"healthyRetryPolicy": {"numRetries": 100, "minDelayTarget": 3000, "maxDelayTarget": 3000}}"#,
        r#"{"healthy": {}}"#,
    ] {
        assert!(read_subscription_policy(wrong).is_err(), "{wrong}");
    }
}
