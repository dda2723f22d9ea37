//! Scenarios with queues: their words, and the exploration of duplicates.

use std::collections::BTreeMap;
use std::path::PathBuf;

use garoa::scenario::report::exploration::Verdict;
use garoa::scenario::run::explore::explore;
use garoa::scenario::run::{Invariants, Options, Run, Stage};
use garoa::scenario::script::{self, Script};
use serde_json::{Value, json};

use crate::support::function;

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Mail:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: mail
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: mail-dead}}
  Sent: {Type: AWS::S3::Bucket, Properties: {BucketName: sent}}
  Mailer:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: mailer
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: s3://code/mailer.zip
      Timeout: 10
      Policies: [{S3CrudPolicy: {BucketName: sent}}]
      Events:
        Queue:
          Type: SQS
          Properties: {Queue: !GetAtt Mail.Arn, BatchSize: 2, FunctionResponseTypes: [ReportBatchItemFailures]}
"#;

const HEADER: &str = "+++\ntitle = \"Mail\"\nstack = \"mail/template.yaml\"\nstart = \"2026-03-02T12:00:00Z\"\n+++\n";
const SEND: &str =
    "$ aws sqs send-message --queue-url https://sqs.us-east-1.amazonaws.com/123456789012/mail --message-body";

/// A stage whose function writes an object for each message, and fails those with the body `bad`.
fn stage(name: &str) -> Stage {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(root.join("mail")).unwrap();
    std::fs::write(root.join("mail/template.yaml"), TEMPLATE).unwrap();
    let mailer = function(|sdk, event: Value| async move {
        let s3 = aws_sdk_s3::Client::new(&sdk);
        let mut failed = Vec::new();
        for record in event["Records"].as_array().cloned().unwrap_or_default() {
            if record["body"] == "bad" {
                failed.push(json!({ "itemIdentifier": record["messageId"] }));
                continue;
            }
            let key = record["messageId"].as_str().unwrap_or_default();
            s3.put_object().bucket("sent").key(key).body(b"mail".to_vec().into()).send().await.unwrap();
        }
        Ok(json!({ "batchItemFailures": failed }))
    });
    Stage::new(root).function("mailer", mailer).invariants(Invariants::default().once("sent", sent))
}

/// How often each message was sent.
fn sent(run: &Run) -> Result<BTreeMap<String, usize>, String> {
    let mut sent = BTreeMap::new();
    for (_, call) in run.calls().filter(|(_, call)| call.operation == "PutObject" && call.took_effect()) {
        *sent.entry(call.resource.clone()).or_default() += 1;
    }
    Ok(sent)
}

fn script(body: &str) -> Script {
    script::parse("mail.scn", &format!("{HEADER}{body}")).unwrap()
}

#[test]
fn the_states_of_messages_are_told_and_checked() {
    let body = format!(
        "{SEND} good\n{SEND} bad\n{SEND} late --delay-seconds 30\n\nexpect queue mail visible count 2\n\
         expect queue mail delayed count 1\nexpect queue mail count 3\nsettle\nexpect queue mail in-flight count 1\n\
         expect invocations mailer succeeded count 1\nadvance 1m\nexpect queue mail count 1\nadvance 2m\n\
         expect queue mail count 0\nexpect queue mail dead count 1\nexpect queue mail-dead visible count 1\n\
         invoke mailer {{\"Records\": [{{\"messageId\": \"m\", \"body\": \"bad\"}}]}}\n\
         {{\"batchItemFailures\":[{{\"itemIdentifier\":\"m\"}}]}}\n"
    );
    let outcome = stage("states").run(&script(&body), &Options::default()).unwrap();
    let report = outcome.report();
    assert!(outcome.passed(), "{report}");
    for line in [
        "mail: 1 visible, 0 in flight, 0 delayed, 0 dead",
        "mail: 2 visible, 0 in flight, 1 delayed, 0 dead",
        "mail: 0 visible, 1 in flight, 1 delayed, 0 dead",
        "mail: 0 visible, 0 in flight, 0 delayed, 1 dead",
        "mail-dead: 1 visible, 0 in flight, 0 delayed",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    let wrong = script(&format!("{SEND} x\n\nexpect queue mail in-flight count 1\n"));
    let told = stage("states").run(&wrong, &Options::default()).unwrap().failure.unwrap().to_string();
    assert!(told.contains("count 0"), "{told}");
}

#[test]
fn a_queue_that_duplicates_delivers_twice() {
    let outcome = |verb: &str, invocations: u32| {
        let body =
            format!("queue mail {verb}\n{SEND} one\n\nadvance 10m\nexpect calls s3:PutObject count {invocations}\n");
        let outcome = stage("quirks").run(&script(&body), &Options::default()).unwrap();
        assert!(outcome.passed(), "{verb}\n{}", outcome.report());
    };
    outcome("duplicate", 2);
    outcome("normal", 1);
}

#[test]
fn a_deletion_that_is_lost_is_a_fault_that_a_script_can_aim() {
    for (kind, sent) in [("refuse", 2), ("lost-reply", 1)] {
        let body = format!(
            "fault sqs:DeleteMessageBatch#1 {kind}\n{SEND} one\n\nadvance 10m\nexpect calls s3:PutObject count {sent}\n"
        );
        let outcome = stage("lost").run(&script(&body), &Options::default()).unwrap();
        assert!(outcome.passed(), "{kind}\n{}", outcome.report());
    }
}

#[test]
fn each_message_is_delivered_twice_in_a_run_of_its_own() {
    let body = format!(
        "{SEND} one\n{SEND} two\n\nadvance 1m\nexpect calls s3:PutObject count 2\n\nonce sent\nexplore mailer duplicate settle 10m\n"
    );
    let script = script(&body);
    let explored = explore(&stage("explored"), &script, None).unwrap();
    let runs = &explored[0].runs;
    let at: Vec<String> = runs.iter().map(|run| run.at.to_string()).collect();
    assert_eq!(at, ["1.1:duplicate", "1.2:duplicate"]);
    for run in runs {
        let Verdict::Broken(why) = &run.verdicts[0] else { panic!("{:?}", run.verdicts) };
        assert!(why.ends_with(": 2 times") && !why.contains(','), "{why}");
    }
    let replayed =
        stage("explored").run(&script, &Options { at: Some("1.2:duplicate".parse().unwrap()), ..Options::default() });
    assert_eq!(replayed.unwrap().verdicts[0].1, runs[1].verdicts[0]);
}
