//! Templates: the target template end to end, AWS's complaints, and that nothing from outside can hurt.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::resolve::{Pseudo, Resources, Scope, resolve};
use super::*;

/// A stack whose resources are named `<id>-1` and know the attribute `Arn`.
struct Stack;

impl Resources for Stack {
    fn physical_id(&self, logical_id: &str) -> Option<Value> {
        (!logical_id.starts_with("Missing")).then(|| format!("{logical_id}-1").into())
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Value> {
        match attribute {
            "Arn" => Ok(format!("arn:aws:x:::{logical_id}").into()),
            _ => Err(validation_error(format!("Requested attribute {attribute} does not exist"))),
        }
    }

    fn export(&self, name: &str) -> Option<Value> {
        (name == "shared").then(|| "exported".into())
    }

    fn zones(&self, region: &str) -> Vec<String> {
        let region = if region.is_empty() { "us-east-1" } else { region };
        ["a", "b"].iter().map(|zone| format!("{region}{zone}")).collect()
    }
}

fn pseudo() -> Pseudo {
    Pseudo {
        account_id: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
        url_suffix: "amazonaws.com".to_owned(),
        stack_name: "pix".to_owned(),
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/pix/1".to_owned(),
        notification_arns: Vec::new(),
    }
}

fn no_ssm(_: &str) -> Option<String> {
    None
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Reads a template and evaluates one resource's properties under its defaults.
fn evaluated(text: &str, id: &str) -> Result<Value> {
    let template = sam::transform_with(&parse(text)?, &|_, path| Some(json!({"ZipFile": path})))?;
    dependencies::check(&template)?;
    let parameters = parameters::values(&template, &BTreeMap::new(), &no_ssm)?;
    let (pseudo, none) = (pseudo(), BTreeMap::new());
    let mut scope =
        Scope { template: &template, parameters: &parameters, pseudo: &pseudo, conditions: &none, resources: &Stack };
    let conditions = conditions::evaluate(&template, &scope)?;
    scope.conditions = &conditions;
    resolve(&Value::Object(template.resource(id).unwrap().properties.clone()), &scope)
}

/// One property of one resource, in YAML, evaluated.
fn property(yaml: &str) -> Result<Value> {
    let head = "
Parameters:
  Env: {Type: String, Default: prod}
  Names: {Type: CommaDelimitedList, Default: 'a, b,c'}
Mappings:
  Sizes:
    us-east-1: {small: 128, large: 1024}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsTest: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Condition IsTest]
  Either: !Or [!Condition IsProd, !Condition IsTest]
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  It:
    Type: AWS::SSM::Parameter
    Properties:
      Value: ";
    evaluated(&format!("{head}{yaml}\n"), "It").map(|properties| properties.get("Value").cloned().unwrap_or_default())
}

fn message(result: Result<impl std::fmt::Debug>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.code(), "ValidationError", "{error}");
    error.message().to_owned()
}

const PIX: &str = r#"
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Description: pix-monitor
Parameters:
  LogGroups:
    Type: String
    Default: /aws/a,/aws/b
  SlackWebhook:
    Type: String
    NoEcho: true
    Default: http://hooks
  Range:
    Type: Number
    Default: 5
Globals:
  Function:
    Timeout: 30
    Environment:
      Variables:
        RUST_LOG: info
Resources:
  StateBucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
  MonitorRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: lambda.amazonaws.com}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: state
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: [s3:GetObject, s3:PutObject]
                Resource: !Sub ${StateBucket.Arn}/lastId.txt
              - Effect: Allow
                Action: logs:FilterLogEvents
                Resource: !Split
                  - ","
                  - !Sub
                    - arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Groups}:*
                    - Groups: !Join
                        - !Sub ":*,arn"
                        - !Split [",", !Ref LogGroups]
  Monitor:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Runtime: provided.al2023
      CodeUri: target/lambda/pix
      Role: !GetAtt MonitorRole.Arn
      Environment:
        Variables:
          STATE_BUCKET: !Ref StateBucket
          LOG_GROUPS: !Ref LogGroups
          SEARCH_RANGE_MINUTES: !Ref Range
      Events:
        Every3Minutes:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(3 minutes)
Outputs:
  Bucket:
    Value: !Ref StateBucket
    Export:
      Name: !Sub "${AWS::StackName}-bucket"
"#;

#[test]
fn the_target_template_is_read_expanded_ordered_and_evaluated() {
    // Fn::Join takes a plain delimiter only.
    let text = PIX.replace(r#"!Sub ":*,arn""#, r#"":*,arn""#);
    let parsed = parse(&text).unwrap();
    assert_eq!(parsed.parameter("Range").unwrap().default.as_deref(), Some("5"));
    assert!(parsed.parameter("SlackWebhook").unwrap().no_echo);
    let template = sam::transform_with(&parsed, &|id, path| Some(json!({"ZipFile": format!("{id}:{path}")}))).unwrap();
    dependencies::check(&template).unwrap();
    let order = dependencies::order(&template).unwrap();
    assert_eq!(order, ["StateBucket", "MonitorRole", "Monitor", "MonitorEvery3MinutesRole", "MonitorEvery3Minutes"]);
    assert_eq!(template.resource("StateBucket").unwrap().deletion_policy.as_deref(), Some("Retain"));

    let schedule = evaluated(&text, "MonitorEvery3Minutes").unwrap();
    assert_eq!(
        schedule,
        json!({
            "ScheduleExpression": "rate(3 minutes)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Name": "MonitorEvery3Minutes",
            "Target": {"Arn": "arn:aws:x:::Monitor", "RoleArn": "arn:aws:x:::MonitorEvery3MinutesRole"},
        })
    );
    let function = evaluated(&text, "Monitor").unwrap();
    assert_eq!(function["Timeout"], 30);
    assert_eq!(function["Role"], "arn:aws:x:::MonitorRole");
    assert_eq!(
        function["Environment"]["Variables"],
        json!({
            "RUST_LOG": "info",
            "STATE_BUCKET": "StateBucket-1",
            "LOG_GROUPS": "/aws/a,/aws/b",
            "SEARCH_RANGE_MINUTES": "5",
        })
    );
    let role = evaluated(&text, "MonitorRole").unwrap();
    let statements = &role["Policies"][0]["PolicyDocument"]["Statement"];
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Version"], "2012-10-17");
    assert_eq!(statements[0]["Resource"], "arn:aws:x:::StateBucket/lastId.txt");
    assert_eq!(
        statements[1]["Resource"],
        json!(["arn:aws:logs:us-east-1:000000000000:log-group:/aws/a:*", "arn/aws/b:*"])
    );
}

#[test]
fn functions_give_what_their_reference_pages_say() {
    for (yaml, expected) in [
        ("!Ref Env", json!("prod")),
        ("!Ref Names", json!(["a", "b", "c"])),
        ("!Ref Bucket", json!("Bucket-1")),
        ("!GetAtt Bucket.Arn", json!("arn:aws:x:::Bucket")),
        ("!GetAtt [Bucket, Arn]", json!("arn:aws:x:::Bucket")),
        ("{'Fn::GetAtt': Bucket.Arn}", json!("arn:aws:x:::Bucket")),
        (
            "!Sub '${Env}-${AWS::Region}-${Bucket.Arn}-${!Literal}-$x-${'",
            json!("prod-us-east-1-arn:aws:x:::Bucket-${Literal}-$x-${"),
        ),
        ("!Sub ['${a}${a}${Env}', {a: !Select [1, !Ref Names]}]", json!("bbprod")),
        ("!Join ['-', [a, 1, true, !Ref Env]]", json!("a-1-true-prod")),
        ("!Join [',', !Ref Names]", json!("a,b,c")),
        ("!Split ['|', 'a||b']", json!(["a", "", "b"])),
        ("!Select [0, !GetAZs '']", json!("us-east-1a")),
        ("!Select ['1', [a, b]]", json!("b")),
        ("!FindInMap [Sizes, !Ref 'AWS::Region', large]", json!(1024)),
        ("!If [IsProd, !Sub 'p-${Env}', !Ref MissingIsFine]", json!("p-prod")),
        ("!If [Both, 1, 2]", json!(2)),
        ("!If [Either, 1, 2]", json!(1)),
        ("!Base64 hello", json!("aGVsbG8=")),
        ("{'Fn::Base64': !Sub 'x${Env}'}", json!("eHByb2Q=")),
        ("!ImportValue shared", json!("exported")),
        ("!Cidr [10.0.0.0/16, 3, 8]", json!(["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"])),
        ("!Cidr ['fd00::/56', 2, 64]", json!(["fd00::/64", "fd00:0:0:1::/64"])),
        ("[!Ref 'AWS::NoValue', 1, {a: !Ref 'AWS::NoValue', b: !If [IsTest, 1, !Ref 'AWS::NoValue']}]", json!([1, {}])),
        ("!Ref AWS::NoValue", Value::Null),
    ] {
        // `check` would refuse a name that only the branch not taken has.
        let yaml = yaml.replace("!Ref MissingIsFine", "!Ref Env");
        assert_eq!(property(&yaml).unwrap(), expected, "{yaml}");
    }
}

#[test]
fn only_the_branch_that_holds_is_evaluated() {
    let template = parse("Resources: {A: {Type: T}}").unwrap();
    let (parameters, pseudo) = (Map::new(), pseudo());
    let conditions = BTreeMap::from([("Yes".to_owned(), true)]);
    let scope = Scope {
        template: &template,
        parameters: &parameters,
        pseudo: &pseudo,
        conditions: &conditions,
        resources: &Stack,
    };
    let value = json!({"Fn::If": ["Yes", "here", {"Ref": "MissingThing"}]});
    assert_eq!(resolve(&value, &scope).unwrap(), json!("here"));
    assert!(resolve(&json!({"Ref": "MissingThing"}), &scope).is_err());
}

#[test]
fn misused_functions_get_awss_complaints() {
    for (yaml, expected) in [
        ("!Select [3, [a]]", "Fn::Select requires a list argument with two elements"),
        ("!Select [3, !Split [',', a]]", "Fn::Select cannot select nonexistent value at index 3"),
        ("!Join [',']", "every Fn::Join object requires two parameters"),
        ("!Split ['', a]", "every Fn::Split object requires two parameters"),
        ("!Sub [a]", "don't specify expected arguments"),
        ("!Sub '${a b}'", "variable names in Fn::Sub syntax must contain only"),
        ("!FindInMap [Sizes, eu, large]", "Unable to get mapping for Sizes::eu::large"),
        ("!ImportValue nowhere", "No export named nowhere found"),
        ("!GetAtt Bucket", "every Fn::GetAtt object requires two non-empty parameters"),
        ("!GetAtt Nope.Arn", "instance of Fn::GetAtt references undefined resource Nope"),
        ("!GetAtt Bucket.Nope", "Requested attribute Nope does not exist"),
        (
            "!Ref Nope",
            "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template",
        ),
        ("!Sub '${Nope}'", "Unresolved resource dependencies [Nope]"),
        ("!If [Nope, 1, 2]", "unresolved condition dependency Nope in Fn::If"),
        ("{'Fn::Nope': 1}", "Encountered unsupported function: Fn::Nope"),
        ("{'Fn::Sub': a, b: c}", "Fn::Sub must be the only member"),
        ("!Cidr [10.0.0.0/16, 257, 8]", "Fn::Cidr cannot make 257 blocks"),
        ("!Nope a", "YAML tag !Nope is not supported"),
        ("!!binary aGk=", "YAML tag !!binary is not supported"),
        ("", "[/Resources/It/Properties/Value] 'null' values are not allowed in templates"),
        ("[a, ~]", "[/Resources/It/Properties/Value/1] 'null' values are not allowed"),
        ("&a x", ""),
    ] {
        match property(yaml) {
            Err(error) => assert!(error.message().contains(expected) && !expected.is_empty(), "{yaml}: {error}"),
            Ok(value) => assert!(expected.is_empty(), "{yaml} gave {value}"),
        }
    }
    assert_eq!(property("!Transform {Name: X}").unwrap_err().status(), 501);
    for yaml in ["{'Fn::ToJsonString': {}}", "{'Fn::Length': []}", "{'Fn::ForEach::X': []}"] {
        let refused = property(yaml).unwrap_err();
        assert!(refused.message().contains("Encountered unsupported function: Fn::"), "{yaml}: {refused}");
    }
}

#[test]
fn plain_scalars_keep_their_text() {
    let list = "[2012-10-17, 012345678901, 123456789012, 1.5, 1.10, 1e3, yes, on, True, '5', \"true\", !!str 7, 0x1F, +1, -4, 99999999999999999999]";
    let expected = json!([
        "2012-10-17",
        "012345678901",
        123_456_789_012_i64,
        1.5,
        "1.10",
        "1e3",
        "yes",
        "on",
        true,
        "5",
        "true",
        "7",
        "0x1F",
        "+1",
        -4,
        "99999999999999999999"
    ]);
    assert_eq!(property(list).unwrap(), expected);
}

#[test]
fn malformed_text_is_located() {
    assert_eq!(
        message(parse("Resources:\n  A: [1, 2\n  B: x\n")).split(" (").next(),
        Some("Template format error: YAML not well-formed.")
    );
    assert!(message(parse("Resources:\n  A: b: c\n")).contains("(line 2, column "));
    assert_eq!(message(parse("{\"Resources\": ]")), "Template format error: JSON not well-formed. (line 1, column 15)");
    assert!(message(parse("a: &x 1\nb: *x\n")).contains("YAML aliases are not allowed in CloudFormation templates"));
    assert!(message(parse("a: 1\na: 2\n")).contains("YAML not well-formed. (line 2, column 4)"));
    assert!(message(parse("")).contains("Template format error: unsupported structure."));
    assert!(message(parse("just text")).contains("unsupported structure."));
    assert!(message(parse(&"[".repeat(100_000))).contains("not well-formed"));
    assert!(
        message(parse(&format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120))))
            .starts_with("Invalid template property")
    );
    assert!(message(parse(&"- ".repeat(5_000))).contains("not well-formed"));
    assert!(message(parse(&"x".repeat(MAX_TEMPLATE_BYTES + 1))).contains("may not exceed"));
}

#[test]
fn malformed_sections_get_awss_complaints() {
    for (text, expected) in [
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        ("Description: x", "Template format error: At least one Resources member must be defined."),
        ("Resources: {A: {Type: T}}\nBogus: 1", "Invalid template property or properties [Bogus]"),
        ("Resources: {A: {Type: T}}\nGlobals: {}", "Invalid template property or properties [Globals]"),
        (
            "Resources: {A: {Properties: {}}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        ("Resources: {a-b: {Type: T}}", "Template format error: Resource name a-b is non alphanumeric."),
        ("Resources: {A: {Type: T, BucketName: x}}", "Invalid template resource property 'BucketName'"),
        (
            "Resources: {A: {Type: T, DeletionPolicy: Keep}}",
            "Template format error: Unrecognized DeletionPolicy Keep for resource A",
        ),
        (
            "Resources: {A: {Type: T}}\nParameters: {P: {Default: x}}",
            "Template format error: Every Parameters object must contain a Type member.",
        ),
        (
            "Resources: {A: {Type: T}}\nOutputs: {O: {Description: x}}",
            "Template format error: Every Outputs member must contain a Value object",
        ),
        (
            "AWSTemplateFormatVersion: 2011-01-01\nResources: {A: {Type: T}}",
            "Template format error: Unrecognized template format version: 2011-01-01",
        ),
    ] {
        assert_eq!(message(parse(text)), expected);
    }
    assert_eq!(parse("Resources: {A: {Type: T}}\nHooks: {}").unwrap_err().status(), 501);
    assert_eq!(parse("Transform: Mine\nResources: {A: {Type: T}}").unwrap().transforms, ["Mine"]);
    let many: String = (0..=MAX_RESOURCES).map(|n| format!("  R{n}: {{Type: T}}\n")).collect();
    assert!(
        message(parse(&format!("Resources:\n{many}")))
            .contains("Number of resources, 501, is greater than maximum allowed, 500")
    );
}

#[test]
fn creation_order_is_the_templates_own_unless_something_needs_another() {
    let text = "Resources:
  C: {Type: T, Properties: {x: !Sub '${A.Arn}'}}
  D: {Type: T, DependsOn: B}
  A: {Type: T}
  B: {Type: T, Properties: {x: [!If [No, !Ref A, 1]]}}
Conditions: {No: !Equals [1, 2]}
";
    let template = parse(text).unwrap();
    dependencies::check(&template).unwrap();
    assert_eq!(dependencies::order(&template).unwrap(), ["A", "C", "B", "D"]);
    let circle = "Resources:
  User: {Type: T, Properties: {x: !Ref Y}}
  X: {Type: T, Properties: {x: !Ref Y}}
  Free: {Type: T}
  Y: {Type: T, DependsOn: [X]}
";
    let error = message(dependencies::order(&parse(circle).unwrap()));
    assert_eq!(error, "Circular dependency between resources: [X, Y]");
    let itself = parse("Resources: {S: {Type: T, Properties: {x: !Ref S}}}").unwrap();
    assert_eq!(message(dependencies::order(&itself)), "Circular dependency between resources: [S]");
    let outputs = parse("Resources: {S: {Type: T}}\nOutputs: {O: {Value: !Ref Nope}}").unwrap();
    assert!(message(dependencies::check(&outputs)).contains("[Nope] in the Outputs block of the template"));
    let conditions = parse("Resources: {S: {Type: T}}\nConditions: {O: !Equals [!Ref S, 1]}").unwrap();
    assert!(
        message(dependencies::check(&conditions)).contains("Unresolved dependencies [S]. Cannot reference resources")
    );
}

#[test]
fn conditions_that_name_each_other_end() {
    let text = "Resources: {S: {Type: T}}\nConditions: {A: !Not [!Condition B], B: !Not [!Condition A]}";
    let template = parse(text).unwrap();
    let (parameters, pseudo, none) = (Map::new(), pseudo(), BTreeMap::new());
    let scope =
        Scope { template: &template, parameters: &parameters, pseudo: &pseudo, conditions: &none, resources: &Stack };
    assert!(message(conditions::evaluate(&template, &scope)).contains("Circular dependency"));
}

#[test]
fn parameters_are_checked_against_type_and_constraints() {
    let values = |declaration: &str, pairs: &[(&str, &str)]| {
        let template = parse(&format!("Resources: {{A: {{Type: T}}}}\nParameters: {{P: {declaration}}}"))?;
        parameters::values(&template, &given(pairs), &|name| (name == "/a/b").then(|| "x, y".to_owned()))
    };
    let one = |declaration: &str, value: &str| values(declaration, &[("P", value)]).map(|values| values["P"].clone());
    assert_eq!(message(values("{Type: String}", &[])), "Parameters: [P] must have values");
    assert_eq!(
        message(values("{Type: String}", &[("P", ""), ("Q", "")])),
        "Parameters: [Q] do not exist in the template"
    );
    assert_eq!(one("{Type: Number}", "5").unwrap(), "5");
    assert_eq!(one("{Type: List<Number>}", "5, 6").unwrap(), json!(["5", "6"]));
    assert_eq!(one("{Type: CommaDelimitedList}", "").unwrap(), json!([]));
    assert_eq!(one("{Type: AWS::SSM::Parameter::Value<String>}", "/a/b").unwrap(), "x, y");
    assert_eq!(one("{Type: AWS::SSM::Parameter::Value<List<String>>}", "/a/b").unwrap(), json!(["x", "y"]));
    assert!(
        message(one("{Type: AWS::SSM::Parameter::Value<String>}", "/no")).contains("Unable to fetch parameters [/no]")
    );
    for (declaration, value, expected) in [
        ("{Type: Number}", "x", "Parameter 'P' must be a number."),
        ("{Type: Number}", "NaN", "Parameter 'P' must be a number."),
        ("{Type: List<Number>}", "1,x", "Parameter 'P' must be a number."),
        ("{Type: Number, MinValue: 3}", "2", "Parameter 'P' must be a number not less than 3"),
        ("{Type: Number, MaxValue: 3}", "4", "Parameter 'P' must be a number not greater than 3"),
        ("{Type: String, AllowedValues: [a, b]}", "c", "Parameter 'P' must be one of AllowedValues"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "aB", "Parameter 'P' must match pattern [a-z]+"),
        ("{Type: String, MinLength: 2}", "é", "Parameter 'P' must contain at least 2 characters"),
        ("{Type: String, MaxLength: 1}", "ab", "Parameter 'P' must contain at most 1 characters"),
        (
            "{Type: String, MaxLength: 1, ConstraintDescription: be short}",
            "ab",
            "Parameter 'P' failed to satisfy constraint: be short",
        ),
        ("{Type: Text}", "ab", "Template format error: Unrecognized parameter type: Text"),
    ] {
        assert_eq!(message(one(declaration, value)), expected);
    }
    for (declaration, value) in
        [("{Type: AWS::EC2::VPC::Id}", "vpc-1"), ("{Type: String, AllowedPattern: '(?=a)'}", "a")]
    {
        assert_eq!(one(declaration, value).unwrap_err().status(), 501);
    }
}

#[test]
fn nested_doubling_runs_into_the_budget() {
    let mut value = json!("xxxxxxxxxx");
    for _ in 0..60 {
        value = json!({"Fn::Sub": ["${a}${a}${a}", {"a": value}]});
    }
    let template = parse("Resources: {A: {Type: T}}").unwrap();
    let (parameters, pseudo, none) = (Map::new(), pseudo(), BTreeMap::new());
    let scope =
        Scope { template: &template, parameters: &parameters, pseudo: &pseudo, conditions: &none, resources: &Stack };
    assert!(message(resolve(&value, &scope)).contains("produce more than"));
    let mut deep = json!(1);
    for _ in 0..1_000 {
        deep = json!([deep]);
    }
    assert!(message(resolve(&deep, &scope)).contains("levels deep"));
}

#[test]
fn a_template_survives_serialisation() {
    let template = parse(PIX).unwrap();
    let text = serde_json::to_string(&template).unwrap();
    assert_eq!(serde_json::from_str::<Template>(&text).unwrap(), template);
}

/// Values with functions in them, well-formed or not.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("Env")),
        Just(json!("A")),
        Just(json!("${Env}${A.Arn}${!x}${")),
        Just(json!("AWS::NoValue")),
        Just(json!(0)),
        Just(json!(true)),
        Just(Value::Null),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 4, |inner| {
        let names = prop_oneof![
            "Ref|Fn::(Sub|GetAtt|Join|Split|Select|If|FindInMap|Base64|ImportValue|Cidr|GetAZs|Equals|X)",
            "[a-z]{1,3}"
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            (names, inner.clone()).prop_map(|(name, value)| json!({name: value})),
            (names_of_functions(), proptest::collection::vec(inner, 0..4))
                .prop_map(|(name, items)| json!({name: items})),
        ]
    })
}

fn names_of_functions() -> impl Strategy<Value = String> {
    "Fn::(Sub|GetAtt|Join|Split|Select|If|FindInMap|Cidr|And|Or|Not|Equals)"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn parse_never_panics(text in prop_oneof![
        ".*",
        "[ \n:{}\\[\\]!&*|>'\",a-c#%-]{0,60}",
        "Resources:\n  A:\n    Type: [!A-Za-z: \\[\\]{}\n,\"'|>-]{0,60}",
        "\\{\"Resources\":.{0,40}\\}",
    ]) {
        if let Ok(template) = parse(&text) {
            let _ = dependencies::check(&template);
            let _ = dependencies::order(&template);
            let _ = sam::transform(&template);
        }
    }

    /// Evaluation ends in a value without functions, or in an error.
    #[test]
    fn resolve_is_total(value in any_value()) {
        let template = parse("Resources: {A: {Type: T}}\nMappings: {M: {a: {b: 1}}}").unwrap();
        let (parameters, pseudo) = (Map::from_iter([("Env".to_owned(), json!("prod"))]), pseudo());
        let conditions = BTreeMap::from([("Env".to_owned(), true), ("A".to_owned(), false)]);
        let scope = Scope { template: &template, parameters: &parameters, pseudo: &pseudo, conditions: &conditions, resources: &Stack };
        if let Ok(resolved) = resolve(&value, &scope) {
            let text = resolved.to_string();
            prop_assert!(!text.contains("\"Fn::") && !text.contains("{\"Ref\":"), "{}", text);
        }
        let mut as_template = parse("Resources: {A: {Type: AWS::Serverless::Function}}").unwrap();
        as_template.transforms = vec![SAM_TRANSFORM.to_owned()];
        as_template.conditions = Map::from_iter([("C".to_owned(), value.clone())]);
        as_template.resources[0].1.properties = Map::from_iter([
            ("Policies".to_owned(), value.clone()), ("Events".to_owned(), json!({"E": value})),
        ]);
        let _ = conditions::evaluate(&as_template, &scope);
        let _ = dependencies::check(&as_template);
        let _ = dependencies::order(&as_template);
        let _ = sam::transform(&as_template);
    }

    /// YAML written in JSON's manner reads as the JSON does.
    #[test]
    fn json_and_yaml_agree(value in any_value()) {
        let text = json!({"Resources": {"A": {"Type": "T", "Properties": {"x": value}}}}).to_string();
        let (as_json, as_yaml) = (parse(&text), parse(&format!("---\n{text}")));
        prop_assert_eq!(as_json.is_ok(), as_yaml.is_ok(), "{:?} {:?}", as_json, as_yaml);
        if let (Ok(json), Ok(yaml)) = (as_json, as_yaml) {
            prop_assert_eq!(json, yaml);
        }
    }
}
