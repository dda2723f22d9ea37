//! A function's `Events`: the resources that make each source invoke it.

use serde_json::{Map, Value, json};

use super::alias::Invoked;
use super::role::{self, Role};
use super::{ResourceDef, Template, arn_of, generated, invalid, invalid_event};
use crate::{Error, Result};

/// Every type that SAM knows and Garoa refuses.
const REFUSED: [&str; 10] = [
    "AlexaSkill",
    "Cognito",
    "DocumentDB",
    "IoTRule",
    "MQ",
    "MSK",
    "SelfManagedKafka",
    "StepFunctions",
    "WebSocket",
    "CloudFormation",
];

const SCHEDULE: [&str; 9] =
    ["Schedule", "RuleName", "Input", "Enabled", "State", "Name", "Description", "DeadLetterConfig", "RetryPolicy"];
/// Of `EventBridgeRule`, which was `CloudWatchEvent` before.
const RULE: [&str; 10] = [
    "Pattern",
    "EventBusName",
    "Input",
    "InputPath",
    "InputTransformer",
    "Target",
    "DeadLetterConfig",
    "RetryPolicy",
    "RuleName",
    "State",
];
/// Of an SNS event: passed on to the subscription, besides `Topic`.
const SNS: [&str; 4] = ["FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "Region"];
const SCHEDULE_V2: [&str; 16] = [
    "PermissionsBoundary",
    "ScheduleExpression",
    "FlexibleTimeWindow",
    "Name",
    "State",
    "Description",
    "StartDate",
    "EndDate",
    "ScheduleExpressionTimezone",
    "GroupName",
    "KmsKeyArn",
    "Input",
    "RoleArn",
    "DeadLetterConfig",
    "RetryPolicy",
    "OmitName",
];
/// Of an SQS event: passed on to the event source mapping, besides `Queue`.
const SQS: [&str; 9] = [
    "BatchSize",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MetricsConfig",
    "ScalingConfig",
];

/// Of a DynamoDB or Kinesis event: passed on to the event source mapping, besides `Stream` and `DestinationConfig`.
const STREAM: [&str; 15] = [
    "BatchSize",
    "BisectBatchOnFunctionError",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];

/// One event of a function.
struct Event<'a> {
    /// The function's logical id.
    function: &'a str,
    /// It, or its alias.
    invoked: &'a Invoked,
    /// The event's name within the function.
    name: &'a str,
    /// The logical id of the event's main resource: both together.
    id: String,
    resource: &'a ResourceDef,
    properties: &'a Map<String, Value>,
}

type Generated = Vec<(String, ResourceDef)>;

/// The events of a type that all functions have, in the order of the template: the function, the event, and its properties.
pub(super) fn of_type<'a>(
    template: &'a Template,
    kind: &'a str,
) -> impl Iterator<Item = (&'a String, &'a String, &'a Value)> {
    let functions = template.resources.iter().filter(|(_, one)| one.kind == "AWS::Serverless::Function");
    functions.flat_map(move |(function, resource)| {
        let events = resource.properties.get("Events").and_then(Value::as_object).into_iter().flatten();
        let wanted = events.filter(move |(_, event)| event["Type"] == kind);
        wanted.map(move |(name, event)| (function, name, &event["Properties"]))
    })
}

/// The resources of all events, in the order of their names, as SAM has it; adds to the function's role what they need.
pub(super) fn expand(invoked: &Invoked, resource: &ResourceDef, role: &mut Role) -> Result<Generated> {
    let function = &*invoked.function;
    let events = match resource.properties.get("Events") {
        None => return Ok(Vec::new()),
        Some(Value::Object(events)) => events,
        Some(_) => return Err(invalid(function, "Type of property 'Events' is invalid.")),
    };
    let mut sorted: Vec<(&String, &Value)> = events.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut all = Vec::new();
    let none = Map::new();
    for (name, event) in sorted {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid_event(function, name, "Logical ids must be alphanumeric."));
        }
        let properties = match event.get("Properties") {
            None => &none,
            Some(Value::Object(properties)) => properties,
            Some(_) => return Err(invalid_event(function, name, "'Properties' must be a map.")),
        };
        let event_def = Event { function, invoked, name, id: format!("{function}{name}"), resource, properties };
        match event.get("Type").and_then(Value::as_str) {
            Some("Schedule") => all.extend(event_def.schedule()?),
            Some("ScheduleV2") => all.extend(event_def.schedule_v2()?),
            Some("SQS") => all.extend(event_def.sqs(role)?),
            // The bucket's side is made where all resources are known: `s3.rs`.
            Some("S3") => all.extend(event_def.s3()?),
            Some(kind @ ("DynamoDB" | "Kinesis")) => all.extend(event_def.stream(kind, role)?),
            Some("CloudWatchLogs") => all.extend(event_def.logs()?),
            Some("SNS") => all.extend(event_def.sns()?),
            Some(kind @ ("EventBridgeRule" | "CloudWatchEvent")) => all.extend(event_def.event_rule(kind)?),
            // The API's side and the permission are made where all events are known: `api.rs`, `http_api.rs`.
            Some("Api" | "HttpApi") => {}
            Some(other) if REFUSED.contains(&other) => {
                return Err(Error::not_implemented(format_args!("SAM events of type {other} (resource {function})")));
            }
            Some(other) => {
                return Err(invalid_event(function, name, format_args!("Unable to resolve Type '{other}'.")));
            }
            None => return Err(invalid_event(function, name, "Missing 'Type'.")),
        }
    }
    Ok(all)
}

impl Event<'_> {
    fn get(&self, name: &str) -> Value {
        self.properties.get(name).cloned().unwrap_or(Value::Null)
    }

    fn invalid(&self, text: impl std::fmt::Display) -> Error {
        invalid_event(self.function, self.name, text)
    }

    fn check(&self, kind: &str, known: &[&str], required: &str) -> Result<()> {
        if let Some(unknown) = self.properties.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(self.invalid(format_args!("property {unknown} not defined for resource of type {kind}")));
        }
        if self.properties.contains_key(required) {
            return Ok(());
        }
        Err(self.invalid(format_args!("Missing required property '{required}'.")))
    }

    fn make(&self, kind: &str, properties: Value) -> ResourceDef {
        generated(self.resource, kind, properties)
    }

    /// An EventBridge rule, and the permission for it to invoke the function.
    fn schedule(&self) -> Result<Generated> {
        self.check("Schedule", &SCHEDULE, "Schedule")?;
        // SAM takes it and does nothing with it.
        if self.properties.contains_key("RuleName") {
            return Err(Error::not_implemented(format_args!(
                "RuleName of a Schedule event (resource {})",
                self.function
            )));
        }
        let state = match (self.get("State"), self.get("Enabled")) {
            (state, Value::Null) => state,
            (Value::Null, Value::Bool(enabled)) => if enabled { "ENABLED" } else { "DISABLED" }.into(),
            (Value::Null, _) => return Err(self.invalid("Type of property 'Enabled' is invalid.")),
            _ => return Err(self.invalid("State and Enabled Properties cannot both be specified.")),
        };
        let rule = json!({
            "Name": self.get("Name"),
            "Description": self.get("Description"),
            "ScheduleExpression": self.get("Schedule"),
            "State": state,
        });
        self.rule(rule, target_id(&self.id)?.into())
    }

    /// A rule that waits for events.
    fn event_rule(&self, kind: &str) -> Result<Generated> {
        self.check(kind, &RULE, "Pattern")?;
        let id = match self.properties.get("Target") {
            None => target_id(&self.id)?.into(),
            Some(target) => {
                target.get("Id").cloned().ok_or_else(|| self.invalid("Target requires the property 'Id'."))?
            }
        };
        let rule = json!({
            "Name": self.get("RuleName"),
            "EventBusName": self.get("EventBusName"),
            "EventPattern": self.get("Pattern"),
            "State": self.get("State"),
        });
        self.rule(rule, id)
    }

    /// A rule with the function as its target, the queue for what is not delivered, and the permissions.
    fn rule(&self, mut rule: Value, target_id: Value) -> Result<Generated> {
        let rule_arn = arn_of(&self.id);
        let queue = self.dead_letter_queue()?;
        let mut target = json!({"Arn": self.invoked.arn(), "Id": target_id});
        self.add_to_target(&mut target, queue.as_ref().map(|(arn, _)| arn));
        rule["Targets"] = json!([target]);
        let mut all = vec![(self.id.clone(), self.make("AWS::Events::Rule", rule))];
        if let Some((arn, Some(queue))) = queue {
            all.push((queue.clone(), self.make("AWS::SQS::Queue", json!({}))));
            let policy = json!({
                "Queues": [{"Ref": queue}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
                }]},
            });
            all.push((format!("{}QueuePolicy", self.id), self.make("AWS::SQS::QueuePolicy", policy)));
        }
        all.push(self.permission("events.amazonaws.com", rule_arn));
        Ok(all)
    }

    /// The permission for a service to invoke the function on behalf of a resource.
    fn permission(&self, principal: &str, source: Value) -> (String, ResourceDef) {
        let permission = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": self.invoked.name(),
            "Principal": principal,
            "SourceArn": source,
        });
        (format!("{}Permission", self.id), self.make("AWS::Lambda::Permission", permission))
    }

    /// A subscription of the function to a topic, and the permission for it.
    fn sns(&self) -> Result<Generated> {
        if self.properties.get("SqsSubscription").is_some_and(|wanted| *wanted != json!(false)) {
            return Err(Error::not_implemented(format_args!(
                "SqsSubscription of an SNS event (resource {})",
                self.function
            )));
        }
        let known: Vec<&str> = SNS.iter().copied().chain(["Topic", "SqsSubscription"]).collect();
        self.check("SNS", &known, "Topic")?;
        let mut subscription = Map::from_iter([
            ("Endpoint".to_owned(), self.invoked.arn()),
            ("Protocol".to_owned(), "lambda".into()),
            ("TopicArn".to_owned(), self.get("Topic")),
        ]);
        for name in SNS {
            subscription.insert(name.to_owned(), self.get(name));
        }
        let subscription = self.make("AWS::SNS::Subscription", Value::Object(subscription));
        Ok(vec![(self.id.clone(), subscription), self.permission("sns.amazonaws.com", self.get("Topic"))])
    }

    /// A schedule of EventBridge Scheduler, and the role with which it invokes the function.
    fn schedule_v2(&self) -> Result<Generated> {
        self.check("ScheduleV2", &SCHEDULE_V2, "ScheduleExpression")?;
        let name = match (self.get("OmitName"), self.get("Name")) {
            (Value::Null | Value::Bool(false), Value::Null) => self.id.as_str().into(),
            (Value::Null | Value::Bool(false), name) => name,
            (Value::Bool(true), Value::Null) => Value::Null,
            (Value::Bool(true), _) => return Err(self.invalid("Name cannot be set when OmitName is True")),
            _ => return Err(self.invalid("Type of property 'OmitName' is invalid.")),
        };
        let queue = self.dead_letter_queue()?;
        let own_role = self.get("RoleArn");
        let role_id = format!("{}Role", self.id);
        let role_arn = if own_role.is_null() { arn_of(&role_id) } else { own_role.clone() };
        let mut target = json!({"Arn": self.invoked.arn(), "RoleArn": role_arn});
        self.add_to_target(&mut target, queue.as_ref().map(|(arn, _)| arn));
        let window = self.get("FlexibleTimeWindow");
        let schedule = json!({
            "ScheduleExpression": self.get("ScheduleExpression"),
            "FlexibleTimeWindow": if window.is_null() { json!({"Mode": "OFF"}) } else { window },
            "Name": name,
            "State": self.get("State"),
            "Description": self.get("Description"),
            "StartDate": self.get("StartDate"),
            "EndDate": self.get("EndDate"),
            "ScheduleExpressionTimezone": self.get("ScheduleExpressionTimezone"),
            "GroupName": self.get("GroupName"),
            "KmsKeyArn": self.get("KmsKeyArn"),
            "Target": target,
        });
        let mut all = vec![(self.id.clone(), self.make("AWS::Scheduler::Schedule", schedule))];
        let mut policies =
            vec![role::allow(format!("{}LambdaPolicy", self.id), "lambda:InvokeFunction", &self.invoked.arn())];
        if let Some((arn, own)) = queue {
            policies.push(role::allow(format!("{}SQSPolicy", self.id), "sqs:SendMessage", &arn));
            all.extend(own.map(|id| (id, self.make("AWS::SQS::Queue", json!({})))));
        }
        if own_role.is_null() {
            let role = json!({
                "AssumeRolePolicyDocument": role::trust_policy("scheduler.amazonaws.com"),
                "Policies": policies,
                "PermissionsBoundary": self.get("PermissionsBoundary"),
            });
            all.push((role_id, self.make("AWS::IAM::Role", role)));
        }
        Ok(all)
    }

    /// The permission for S3 to invoke the function, for whatever bucket of this account.
    fn s3(&self) -> Result<Generated> {
        self.check("S3", &["Bucket", "Events", "Filter"], "Bucket")?;
        if !self.properties.contains_key("Events") {
            return Err(self.invalid("Missing required property 'Events'."));
        }
        let permission = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": self.invoked.name(),
            "Principal": "s3.amazonaws.com",
            "SourceAccount": {"Ref": "AWS::AccountId"},
        });
        Ok(vec![(format!("{}Permission", self.id), self.make("AWS::Lambda::Permission", permission))])
    }

    fn sqs(&self, role: &mut Role) -> Result<Generated> {
        let mapping = self.mapping("SQS", "Queue", &SQS)?;
        role.attach(role::managed_policy("service-role/AWSLambdaSQSQueueExecutionRole"));
        Ok(vec![(self.id.clone(), self.make("AWS::Lambda::EventSourceMapping", Value::Object(mapping)))])
    }

    /// A subscription of the function to a log group, once the logs may invoke it.
    fn logs(&self) -> Result<Generated> {
        self.check("CloudWatchLogs", &["FilterPattern", "LogGroupName"], "LogGroupName")?;
        if !self.properties.contains_key("FilterPattern") {
            return Err(self.invalid("Missing required property 'FilterPattern'."));
        }
        let source = json!({"Fn::Sub": [
            "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${__LogGroupName__}:*",
            {"__LogGroupName__": self.get("LogGroupName")},
        ]});
        let (name, permission) = self.permission("logs.amazonaws.com", source);
        let filter = json!({
            "DestinationArn": self.invoked.arn(),
            "FilterPattern": self.get("FilterPattern"),
            "LogGroupName": self.get("LogGroupName"),
        });
        let mut filter = self.make("AWS::Logs::SubscriptionFilter", filter);
        filter.depends_on.push(name.clone());
        Ok(vec![(name, permission), (self.id.clone(), filter)])
    }

    /// The stream of a table, or of Kinesis.
    fn stream(&self, kind: &str, role: &mut Role) -> Result<Generated> {
        let known: Vec<&str> = STREAM.iter().copied().chain(["DestinationConfig"]).collect();
        let mut mapping = self.mapping(kind, "Stream", &known)?;
        if mapping.get("StartingPosition").is_none_or(Value::is_null) {
            return Err(self.invalid("Missing required property 'StartingPosition'."));
        }
        if let Some(config) = self.properties.get("DestinationConfig") {
            let (config, policy) = self.failure_destination(config)?;
            mapping.insert("DestinationConfig".to_owned(), config);
            policy.into_iter().for_each(|policy| role.add(policy));
        }
        role.attach(role::managed_policy(&format!("service-role/AWSLambda{kind}ExecutionRole")));
        Ok(vec![(self.id.clone(), self.make("AWS::Lambda::EventSourceMapping", Value::Object(mapping)))])
    }

    /// The properties of an event source mapping; the function's role gets a managed policy for it besides.
    fn mapping(&self, kind: &str, source: &str, passed_on: &[&str]) -> Result<Map<String, Value>> {
        let known: Vec<&str> = passed_on.iter().copied().chain([source]).collect();
        self.check(kind, &known, source)?;
        let mut mapping = Map::from_iter([
            ("EventSourceArn".to_owned(), self.get(source)),
            ("FunctionName".to_owned(), self.invoked.name()),
        ]);
        for name in passed_on {
            mapping.insert((*name).to_owned(), self.get(name));
        }
        Ok(mapping)
    }

    /// Where batches go that failed: without the `Type`, which tells SAM what policy the role needs.
    fn failure_destination(&self, config: &Value) -> Result<(Value, Option<Value>)> {
        let Some(failure) = config.get("OnFailure").and_then(Value::as_object) else {
            return Err(self.invalid("'OnFailure' is a required field for 'DestinationConfig'."));
        };
        let mut failure = failure.clone();
        let kind = failure.remove("Type");
        let policy = match (kind.as_ref().map(Value::as_str), failure.get("Destination")) {
            (None, _) => None,
            (Some(Some(kind @ ("SQS" | "SNS"))), Some(arn)) => role::destination_policy(&self.id, kind, arn),
            (Some(_), Some(_)) => {
                return Err(
                    self.invalid("The only valid values for 'Type' property of DestinationConfig are SQS, SNS.")
                );
            }
            (Some(_), None) => return Err(self.invalid("'Destination' is a required field for 'OnFailure'.")),
        };
        Ok((json!({ "OnFailure": failure }), policy))
    }

    fn add_to_target(&self, target: &mut Value, queue_arn: Option<&Value>) {
        let Some(members) = target.as_object_mut() else { return };
        for name in ["Input", "InputPath", "InputTransformer", "RetryPolicy"] {
            if let Some(value) = self.properties.get(name) {
                members.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(arn) = queue_arn {
            members.insert("DeadLetterConfig".to_owned(), json!({"Arn": arn}));
        }
    }

    /// The ARN of the queue for what could not be delivered, and the logical id of the queue if SAM generates it.
    fn dead_letter_queue(&self) -> Result<Option<(Value, Option<String>)>> {
        let Some(config) = self.properties.get("DeadLetterConfig") else { return Ok(None) };
        match (config.get("Arn"), config.get("Type").map(Value::as_str)) {
            (Some(_), Some(_)) => {
                Err(self.invalid("You can either define 'Arn' or 'Type' property of DeadLetterConfig."))
            }
            (Some(arn), None) => Ok(Some((arn.clone(), None))),
            (None, Some(Some("SQS"))) => {
                let id = match config.get("QueueLogicalId") {
                    None => format!("{}Queue", self.id),
                    Some(Value::String(id)) => id.clone(),
                    Some(_) => return Err(self.invalid("QueueLogicalId must be a string")),
                };
                Ok(Some((arn_of(&id), Some(id))))
            }
            (None, Some(_)) => {
                Err(self.invalid("The only valid value for 'Type' property of DeadLetterConfig is 'SQS'."))
            }
            (None, None) => Err(self.invalid("No 'Arn' or 'Type' property provided for DeadLetterConfig.")),
        }
    }
}

/// A target's id within its rule. SAM shortens long ones by a hash, which is not reproduced here.
fn target_id(event_id: &str) -> Result<String> {
    /// EventBridge's limit of a target id (API model: `TargetId`).
    const MAX_LENGTH: usize = 64;
    let id = format!("{event_id}LambdaTarget");
    if id.len() <= MAX_LENGTH {
        return Ok(id);
    }
    Err(Error::not_implemented(format_args!("SAM's shortened target ids ({id} is longer than {MAX_LENGTH})")))
}
