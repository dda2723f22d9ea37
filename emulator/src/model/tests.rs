//! The models are whole, agree with the table that detection uses, and their patterns compile.
#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn every_model_loads_and_the_directory_agrees_with_it() {
    for entry in &ENTRIES {
        let model = load::load(entry.service, entry.text).unwrap();
        assert_eq!(model.service, entry.service);
        assert_eq!(model.metadata.signing_name, entry.signing[0], "{}", entry.service);
        assert_eq!(model.metadata.endpoint_prefix, entry.endpoint, "{}", entry.service);
        let target = model.metadata.target_prefix;
        assert_eq!(target, entry.target, "{}", entry.service);
        let speaks = ["query", "ec2"].iter().any(|protocol| model.metadata.protocols.contains(protocol));
        let query = speaks.then_some(model.metadata.api_version);
        assert_eq!(query, entry.query, "{}", entry.service);
        assert!(model.operations().count() >= 3);
    }
}

#[test]
fn models_are_found_by_every_name() {
    assert_eq!(Model::of("logs").unwrap().service, "logs");
    assert!(Model::of("route53").is_none());
    assert_eq!(Model::by_signing_name("monitoring").unwrap().service, "cloudwatch");
    assert_eq!(Model::by_target_prefix("Logs_20140328").unwrap().service, "logs");
    assert_eq!(Model::by_query("AssumeRole", "2011-06-15").unwrap().service, "sts");
    assert!(Model::by_query("AssumeRole", "2010-05-08").is_none());
    let operation = Model::of("logs").unwrap().operation_by_cli_name("filter-log-events").unwrap();
    assert_eq!(operation.name, "FilterLogEvents");
    let options: Vec<_> = operation.input_members().iter().map(Member::cli_name).collect();
    assert!(options.contains(&"log-group-name".to_owned()) && options.contains(&"filter-pattern".to_owned()));
}

#[test]
fn of_a_service_that_is_offered_in_part_the_other_operations_have_names_only() {
    let ec2 = Model::of("ec2").unwrap();
    assert!(ec2.operation("DescribeVpcs").is_some() && !ec2.only_names("DescribeVpcs"));
    assert!(ec2.operation("RunInstances").is_none() && ec2.only_names("RunInstances"));
    assert!(!ec2.only_names("RunVpcs") && !Model::of("logs").unwrap().only_names("RunInstances"));
}

#[test]
fn patterns_that_are_not_checked_are_listed() {
    let mut failing = Vec::new();
    for model in Model::all() {
        for shape in model.shapes().filter(|shape| shape.pattern.is_some()) {
            if shape.regex().is_none() {
                failing.push((model.service, shape.name));
            }
        }
    }
    failing.sort_unstable();
    assert_eq!(failing, pattern::UNCHECKED);
}

#[test]
fn patterns_match_whole_values_in_java_s_dialect() {
    let matches = |pattern: &str, value: &str| pattern::compile(pattern).unwrap().is_match(value);
    assert!(matches(r"[\.\-_/#A-Za-z0-9]+", "/aws/lambda/x"));
    assert!(!matches(r"[\.\-_/#A-Za-z0-9]+", "a b"));
    assert!(!matches(r"\d+", "٣"), "Java's \\d is ASCII");
    assert!(matches(r"[\w+=,.@-]+", "a_b@c"));
    assert!(matches(r"[\s\S]*", "\u{2003}x\n"));
    assert!(matches(r"a|b", "b") && !matches(r"a|b", "ab"));
}

#[test]
fn members_inherit_what_their_shapes_say() {
    let s3 = Model::of("s3").unwrap();
    let put = s3.operation("PutObject").unwrap();
    assert_eq!(put.input_shape().unwrap().payload, Some("Body"));
    let lifecycle = s3.shape_named("GetBucketLifecycleConfigurationOutput").unwrap();
    let rules = lifecycle.structure().unwrap().member("Rules").unwrap();
    assert!(rules.flattened && rules.wire_name() == "Rule");
    let head = s3.shape_named("HeadObjectOutput").unwrap().structure().unwrap();
    assert_eq!(head.member("ObjectLockRetainUntilDate").unwrap().timestamp_format, Some(TimestampFormat::Iso8601));
    assert_eq!(head.member("ContentLength").unwrap().location, Some(Location::Header));
    assert_eq!(Model::of("iam").unwrap().error_shape("NoSuchEntity").unwrap().name, "NoSuchEntityException");
}
