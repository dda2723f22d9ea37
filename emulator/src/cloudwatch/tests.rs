//! CloudWatch through the front door.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::Error;
use crate::cloud::{Call, Caller, Cloud};

const NOW: i64 = 1_767_225_600;

async fn call_as(cloud: &Cloud, caller: Caller, operation: &str, input: Value) -> Result<Value, Error> {
    let call = Call::new("cloudwatch", operation, caller, cloud.scope().clone(), input);
    cloud.call(call).await.map(|reply| reply.output)
}

async fn call(cloud: &Cloud, operation: &str, input: Value) -> Result<Value, Error> {
    call_as(cloud, Caller::root("123456789012"), operation, input).await
}

async fn put(cloud: &Cloud, data: Value) -> Result<Value, Error> {
    call(cloud, "PutMetricData", json!({"Namespace": "Shop", "MetricData": data})).await
}

async fn refused(cloud: &Cloud, operation: &str, input: Value) -> (String, String) {
    let error = call(cloud, operation, input).await.unwrap_err();
    (error.code().to_owned(), error.message().to_owned())
}

/// A query over the minute around the cloud's start, with changes.
fn statistics(changes: Value) -> Value {
    let mut input = json!({"Namespace": "Shop", "MetricName": "Sold", "StartTime": NOW * 1000, "EndTime": (NOW + 60) * 1000, "Period": 60});
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn all_statistics_of_all_ways_to_put() {
    let cloud = Cloud::builder().build();
    let data = json!([
        {"MetricName": "Sold", "Value": 1, "Unit": "Count"},
        {"MetricName": "Sold", "Values": [2.0, 4.0], "Counts": [2.0, 1.0], "Unit": "Count"},
        {"MetricName": "Sold", "StatisticValues": {"SampleCount": 2, "Sum": 10, "Minimum": 5, "Maximum": 5}, "Unit": "Count"},
        {"MetricName": "Sold", "Value": 100, "Dimensions": [{"Name": "Shop", "Value": "a"}]},
    ]);
    put(&cloud, data).await.unwrap();
    let all = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
    let answer = call(&cloud, "GetMetricStatistics", statistics(json!({"Statistics": all}))).await.unwrap();
    let expected = json!({"Timestamp": NOW * 1000, "SampleCount": 6.0, "Average": 19.0 / 6.0, "Sum": 19.0, "Minimum": 1.0, "Maximum": 5.0, "Unit": "Count"});
    assert_eq!(answer, json!({"Label": "Sold", "Datapoints": [expected]}));
    let extended = statistics(json!({"ExtendedStatistics": ["p0", "p50", "p99.9", "p100"]}));
    let answer = call(&cloud, "GetMetricStatistics", extended).await.unwrap();
    let expected = json!({"p0": 1.0, "p50": 2.0, "p99.9": 5.0, "p100": 5.0});
    assert_eq!(answer["Datapoints"][0]["ExtendedStatistics"], expected);
}

#[tokio::test]
async fn units_are_kept_apart_and_can_be_asked_for() {
    let cloud = Cloud::builder().build();
    let datum = |unit: &str, value: i64| json!({"MetricName": "Sold", "Value": value, "Unit": unit});
    put(&cloud, json!([datum("Seconds", 1), datum("Count", 5), {"MetricName": "Sold", "Value": 10}])).await.unwrap();
    let answer = call(&cloud, "GetMetricStatistics", statistics(json!({"Statistics": ["Sum"]}))).await.unwrap();
    let units: Vec<_> =
        answer["Datapoints"].as_array().unwrap().iter().map(|one| (&one["Unit"], &one["Sum"])).collect();
    assert_eq!(
        format!("{units:?}"),
        r#"[(String("Count"), Number(5.0)), (String("None"), Number(10.0)), (String("Seconds"), Number(1.0))]"#
    );
    let one = statistics(json!({"Statistics": ["Sum"], "Unit": "Seconds"}));
    let answer = call(&cloud, "GetMetricStatistics", one).await.unwrap();
    assert_eq!(answer["Datapoints"].as_array().unwrap().len(), 1);
    let query = json!([{"Id": "m", "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": "Sold"}, "Period": 60, "Stat": "Sum"}}]);
    let input = json!({"MetricDataQueries": query, "StartTime": NOW * 1000, "EndTime": (NOW + 60) * 1000});
    let answer = call(&cloud, "GetMetricData", input).await.unwrap();
    let result = &answer["MetricDataResults"][0];
    assert_eq!(result["Values"], json!([5.0]));
    assert_eq!(result["Messages"][0]["Value"], "Multiple units returned: '[Count, Seconds, None]'");
}

#[tokio::test]
async fn what_may_not_be_put() {
    let cloud = Cloud::builder().build();
    let datum = |changes: Value| {
        let mut datum = json!({"MetricName": "Sold"});
        changes.as_object().unwrap().iter().for_each(|(name, value)| datum[name] = value.clone());
        json!({"Namespace": "Shop", "MetricData": [datum]})
    };
    let many: Vec<f64> = (0..151).map(f64::from).collect();
    let cases = [
        (json!({}), "InvalidParameterCombination", "At least one of the parameters must be specified."),
        (
            json!({"Value": 1, "Values": [1]}),
            "InvalidParameterCombination",
            "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.",
        ),
        (
            json!({"Values": [1, 2], "Counts": [1]}),
            "InvalidParameterValue",
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
        ),
        (
            json!({"Value": "NaN"}),
            "InvalidParameterValue",
            "The value NaN for parameter MetricData.member.1.Value is invalid.",
        ),
        (
            json!({"Values": ["-Infinity"]}),
            "InvalidParameterValue",
            "The value -Infinity for parameter MetricData.member.1.Values.member.1 is invalid.",
        ),
        (
            json!({"Value": 1e109}),
            "InvalidParameterValue",
            "The value 1e109 for parameter MetricData.member.1.Value is invalid.",
        ),
        (
            json!({"Values": many}),
            "InvalidParameterValue",
            "The collection MetricData.member.1.Values must not have a size greater than 150.",
        ),
        (
            json!({"Value": 1, "StorageResolution": 5}),
            "InvalidParameterValue",
            "The parameter MetricData.member.1.StorageResolution must be a value in the set [ 1, 60 ].",
        ),
        (
            json!({"Value": 1, "Timestamp": (NOW - 14 * 86_400 - 1) * 1000}),
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.",
        ),
        (
            json!({"Value": 1, "Timestamp": (NOW + 7_201) * 1000}),
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.",
        ),
        (
            json!({"StatisticValues": {"SampleCount": 0, "Sum": 1, "Minimum": 1, "Maximum": 1}}),
            "InvalidParameterValue",
            "The value 0.0 for parameter MetricData.member.1.StatisticValues.SampleCount is invalid.",
        ),
    ];
    for (changes, code, message) in cases {
        assert_eq!(refused(&cloud, "PutMetricData", datum(changes)).await, (code.into(), message.into()));
    }
}

#[tokio::test]
async fn bad_data_is_refused_as_a_whole() {
    let cloud = Cloud::builder().build();
    let two = json!([{"MetricName": "a", "Value": "NaN"}, {"MetricName": "b", "Value": "Infinity"}]);
    assert_eq!(put(&cloud, two).await.unwrap_err().message().lines().count(), 2);
    let many: Vec<_> = (0..1001).map(|_| json!({"MetricName": "a", "Value": 1})).collect();
    let message = "The collection MetricData must not have a size greater than 1000.";
    assert_eq!(put(&cloud, json!(many)).await.unwrap_err().message(), message);
    let entity = json!({"Namespace": "Shop", "EntityMetricData": []});
    assert_eq!(refused(&cloud, "PutMetricData", entity).await.0, "NotImplemented");
    assert_eq!(call(&cloud, "ListMetrics", json!({})).await.unwrap()["Metrics"], json!([]));
}

#[tokio::test]
async fn only_services_of_aws_write_to_its_namespaces() {
    let cloud = Cloud::builder().build();
    let input = json!({"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "Errors", "Value": 1}]});
    let error = refused(&cloud, "PutMetricData", input.clone()).await;
    assert_eq!(error, ("InvalidParameterValue".into(), "The value AWS/ for parameter Namespace is invalid.".into()));
    call_as(&cloud, Caller::service("lambda.amazonaws.com"), "PutMetricData", input).await.unwrap();
}

#[tokio::test]
async fn ranges_and_periods_that_are_refused() {
    let cloud = Cloud::builder().build();
    let sum = |changes: Value| {
        let mut input = statistics(json!({"Statistics": ["Sum"]}));
        changes.as_object().unwrap().iter().for_each(|(name, value)| input[name] = value.clone());
        input
    };
    let cases = [
        (sum(json!({"EndTime": NOW * 1000})), "The parameter StartTime must be less than the parameter EndTime."),
        (
            sum(json!({"EndTime": (NOW + 86_460) * 1000})),
            "You have requested up to 1441 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        ),
        (
            sum(json!({"Period": 90})),
            "The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.",
        ),
        (statistics(json!({})), "Must specify either Statistics or ExtendedStatistics"),
    ];
    for (input, message) in cases {
        assert_eq!(refused(&cloud, "GetMetricStatistics", input).await.1, message);
    }
    let trimmed = statistics(json!({"ExtendedStatistics": ["tm99"]}));
    assert_eq!(refused(&cloud, "GetMetricStatistics", trimmed).await.0, "NotImplemented");
}

#[tokio::test]
async fn queries_are_labelled_paged_and_checked() {
    let cloud = Cloud::builder().build();
    for minute in 0..5 {
        let at = (NOW - 600 + minute * 60 + 30) * 1000;
        put(&cloud, json!([{"MetricName": "Sold", "Value": minute, "Timestamp": at}])).await.unwrap();
    }
    let stat = |stat: &str, period: i64| json!({"Metric": {"Namespace": "Shop", "MetricName": "Sold"}, "Period": period, "Stat": stat});
    let input =
        |queries: Value| json!({"MetricDataQueries": queries, "StartTime": (NOW - 600) * 1000, "EndTime": NOW * 1000});
    let mut two =
        input(json!([{"Id": "a", "MetricStat": stat("Sum", 60)}, {"Id": "b", "MetricStat": stat("Maximum", 300)}]));
    let answer = call(&cloud, "GetMetricData", two.clone()).await.unwrap();
    let results = &answer["MetricDataResults"];
    assert_eq!((&results[0]["Label"], &results[1]["Label"]), (&json!("Sold Sum 60"), &json!("Sold Maximum 300")));
    assert_eq!(results[0]["Values"], json!([4.0, 3.0, 2.0, 1.0, 0.0]));
    assert_eq!(results[1]["Values"], json!([4.0]));
    two["MaxDatapoints"] = json!(4);
    two["ScanBy"] = json!("TimestampAscending");
    let first = call(&cloud, "GetMetricData", two.clone()).await.unwrap();
    assert_eq!(first["MetricDataResults"][0]["Values"], json!([0.0, 1.0, 2.0, 3.0]));
    assert_eq!(first["MetricDataResults"][0]["StatusCode"], "PartialData");
    two["NextToken"] = first["NextToken"].clone();
    let second = call(&cloud, "GetMetricData", two).await.unwrap();
    assert_eq!(second["MetricDataResults"][0]["Values"], json!([4.0]));
    assert_eq!(second["MetricDataResults"][1]["Values"], json!([4.0]));
    assert_eq!(second.get("NextToken"), None);
    let cases = [
        (json!([{"Id": "a", "Expression": "1 + 1"}]), "ValidationError"),
        (json!([{"Id": "a", "Expression": "SEARCH('x', 'Sum', 60)"}]), "NotImplemented"),
        (json!([{"Id": "a", "Expression": "SELECT SUM(x) FROM y"}]), "NotImplemented"),
        (json!([{"Id": "a", "MetricStat": stat("None", 60)}]), "ValidationError"),
        (json!([{"Id": "A", "MetricStat": stat("Sum", 60)}]), "ValidationError"),
        (
            json!([{"Id": "a", "MetricStat": stat("Sum", 60)}, {"Id": "a", "MetricStat": stat("Sum", 60)}]),
            "ValidationError",
        ),
        (json!([{"Id": "a", "Period": 60, "MetricStat": stat("Sum", 60)}]), "ValidationError"),
        (json!([{"Id": "a", "Label": "${AVG}", "MetricStat": stat("Sum", 60)}]), "NotImplemented"),
    ];
    for (queries, code) in cases {
        assert_eq!(refused(&cloud, "GetMetricData", input(queries.clone())).await.0, code, "{queries}");
    }
    let mut bad = input(json!([{"Id": "a", "MetricStat": stat("Sum", 60)}]));
    bad["NextToken"] = json!("x");
    assert_eq!(refused(&cloud, "GetMetricData", bad).await.0, "InvalidNextToken");
}

#[tokio::test]
async fn fine_data_of_high_resolution_is_seen_for_three_hours() {
    let cloud = Cloud::builder().build();
    let data: Vec<_> = (0..10)
        .map(|second| json!({"MetricName": "Sold", "Value": 1, "StorageResolution": 1, "Timestamp": (NOW + second) * 1000}))
        .collect();
    put(&cloud, json!(data)).await.unwrap();
    let fine = statistics(json!({"Statistics": ["Sum"], "Period": 5}));
    let answer = call(&cloud, "GetMetricStatistics", fine.clone()).await.unwrap();
    assert_eq!(answer["Datapoints"].as_array().unwrap().len(), 2);
    assert_eq!(answer["Datapoints"][1]["Sum"], 5.0);
    cloud.advance(Duration::from_secs(4 * 3_600)).await.unwrap();
    assert_eq!(call(&cloud, "GetMetricStatistics", fine).await.unwrap()["Datapoints"], json!([]));
    let coarse = call(&cloud, "GetMetricStatistics", statistics(json!({"Statistics": ["Sum"]}))).await.unwrap();
    assert_eq!(coarse["Datapoints"][0]["Sum"], 10.0);
}

#[tokio::test]
async fn metrics_are_listed_by_filters_age_and_pages() {
    let cloud = Cloud::builder().build();
    let dimension = |value: &str| json!([{"Name": "Shop", "Value": value}]);
    put(
        &cloud,
        json!([{"MetricName": "Sold", "Value": 1, "Dimensions": dimension("a")}, {"MetricName": "Sold", "Value": 1}]),
    )
    .await
    .unwrap();
    cloud.advance(Duration::from_secs(4 * 3_600)).await.unwrap();
    put(&cloud, json!([{"MetricName": "Lost", "Value": 1, "Dimensions": dimension("b")}])).await.unwrap();
    let names = |filter: Value| async {
        let answer = call(&cloud, "ListMetrics", filter).await.unwrap();
        let name = |metric: &Value| metric["MetricName"].as_str().unwrap().to_owned();
        answer["Metrics"].as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(json!({})).await, "Lost Sold Sold");
    assert_eq!(names(json!({"RecentlyActive": "PT3H"})).await, "Lost");
    assert_eq!(names(json!({"MetricName": "Sold", "Namespace": "Shop"})).await, "Sold Sold");
    assert_eq!(names(json!({"Dimensions": [{"Name": "Shop"}]})).await, "Lost Sold");
    assert_eq!(names(json!({"Dimensions": [{"Name": "Shop", "Value": "a"}]})).await, "Sold");
    assert_eq!(names(json!({"Namespace": "Sho"})).await, "");
    cloud.advance(Duration::from_secs(14 * 86_400)).await.unwrap();
    assert_eq!(names(json!({})).await, "Lost");

    let many: Vec<_> = (0..501).map(|i| json!({"MetricName": format!("m{i}"), "Value": 1})).collect();
    call(&cloud, "PutMetricData", json!({"Namespace": "Many", "MetricData": many})).await.unwrap();
    let first = call(&cloud, "ListMetrics", json!({"Namespace": "Many"})).await.unwrap();
    assert_eq!(first["Metrics"].as_array().unwrap().len(), 500);
    let next = json!({"Namespace": "Many", "NextToken": first["NextToken"]});
    let second = call(&cloud, "ListMetrics", next).await.unwrap();
    assert_eq!(second["Metrics"].as_array().unwrap().len(), 1);
    assert_eq!(second.get("NextToken"), None);
    assert_eq!(refused(&cloud, "ListMetrics", json!({"NextToken": "?"})).await.0, "InvalidParameterValue");
}

#[tokio::test]
async fn metrics_survive_saving() {
    let cloud = Cloud::builder().build();
    put(&cloud, json!([{"MetricName": "Sold", "Values": [0.1, 0.2], "Counts": [3, 1]}])).await.unwrap();
    let saved = serde_json::to_string(&cloud.save().unwrap()).unwrap();
    let other = Cloud::builder().build();
    other.load(serde_json::from_str(&saved).unwrap()).unwrap();
    let input = statistics(json!({"ExtendedStatistics": ["p75", "p76"]}));
    let answer = call(&other, "GetMetricStatistics", input).await.unwrap();
    assert_eq!(answer["Datapoints"][0]["ExtendedStatistics"], json!({"p75": 0.1, "p76": 0.2}));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Sums over any range and period are those of the data whose minute lies in it.
    #[test]
    fn sums_are_those_of_the_data_in_range(
        data in proptest::collection::vec((0i64..3_600, 0u32..100), 1..40),
        start in 0i64..3_600,
        length in 1i64..3_600,
        minutes in 1i64..10,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cloud = Cloud::builder().build();
        let base = NOW - 3_600;
        let metric_data: Vec<_> = data
            .iter()
            .map(|(at, value)| json!({"MetricName": "Sold", "Value": value, "Timestamp": (base + at) * 1000}))
            .collect();
        let input = statistics(json!({
            "StartTime": (base + start) * 1000, "EndTime": (base + start + length) * 1000,
            "Period": minutes * 60, "Statistics": ["Sum"],
        }));
        let answer = runtime.block_on(async {
            put(&cloud, json!(metric_data)).await.unwrap();
            call(&cloud, "GetMetricStatistics", input).await.unwrap()
        });
        let from = start / 60 * 60;
        let mut expected = std::collections::BTreeMap::new();
        for (at, value) in &data {
            let minute = at / 60 * 60;
            if minute >= from && minute < start + length {
                *expected.entry((minute - from) / (minutes * 60)).or_insert(0.0) += f64::from(*value);
            }
        }
        let expected: Vec<_> = expected.into_values().collect();
        let sums: Vec<_> = answer["Datapoints"].as_array().unwrap().iter().map(|one| one["Sum"].as_f64().unwrap()).collect();
        prop_assert_eq!(sums, expected);
    }
}
