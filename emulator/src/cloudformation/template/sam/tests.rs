//! The SAM transform against what AWS documents that it generates.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::{Template, parse};
use super::*;

fn transformed(resources: &str) -> Result<Template> {
    transform(&parse(&format!("Transform: AWS::Serverless-2016-10-31\n{resources}"))?)
}

/// A function `F` with more properties, indented by six.
fn function(more: &str) -> Result<Template> {
    transformed(&format!(
        "Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Runtime: provided.al2023
      CodeUri: s3://code/f.zip?versionId=7
{more}"
    ))
}

fn ids(template: &Template) -> Vec<&str> {
    template.resources.iter().map(|(id, _)| id.as_str()).collect()
}

fn properties(template: &Template, id: &str) -> Value {
    Value::Object(template.resource(id).unwrap().properties.clone())
}

#[test]
fn a_plain_function_gets_code_tags_and_a_role() {
    let template = function("").unwrap();
    assert!(template.transforms.is_empty());
    assert_eq!(ids(&template), ["F", "FRole"]);
    assert_eq!(
        properties(&template, "F"),
        json!({
            "Code": {"S3Bucket": "code", "S3Key": "f.zip", "S3ObjectVersion": "7"},
            "Handler": "bootstrap",
            "Runtime": "provided.al2023",
            "Role": {"Fn::GetAtt": ["FRole", "Arn"]},
            "Tags": [{"Key": "lambda:createdBy", "Value": "SAM"}],
        })
    );
    let role = properties(&template, "FRole");
    assert_eq!(
        role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"],
        json!(["lambda.amazonaws.com"])
    );
    assert_eq!(role["ManagedPolicyArns"], json!(["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]));
    assert!(role.get("Policies").is_none());
}

#[test]
fn policies_become_managed_and_inline_policies_of_the_role() {
    let template = function(
        "      Policies:
        - AmazonS3ReadOnlyAccess
        - AWSLambdaBasicExecutionRole
        - arn:aws:iam::1:policy/own
        - Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]
        - SQSPollerPolicy: {QueueName: !GetAtt Q.QueueName}
        - S3ReadPolicy: {BucketName: b}
        - CloudWatchPutMetricPolicy: {}
",
    )
    .unwrap();
    let role = properties(&template, "FRole");
    assert_eq!(
        role["ManagedPolicyArns"],
        json!([
            "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
            "arn:aws:iam::1:policy/own"
        ])
    );
    let inline = role["Policies"].as_array().unwrap();
    let names: Vec<&str> = inline.iter().filter_map(|policy| policy["PolicyName"].as_str()).collect();
    assert_eq!(names, ["FRolePolicy3", "FRolePolicy4", "FRolePolicy5", "FRolePolicy6"]);
    assert_eq!(
        inline[1]["PolicyDocument"]["Statement"][0]["Resource"],
        json!({"Fn::Sub": ["arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${queueName}", {"queueName": {"Fn::GetAtt": ["Q", "QueueName"]}}]})
    );
    assert_eq!(inline[2]["PolicyDocument"]["Statement"][0]["Resource"].as_array().unwrap().len(), 2);
}

#[test]
fn schedule_v2_with_a_generated_queue_for_what_fails() {
    let template = function(
        "      Events:
        Tick:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(0 0 * * ? *)
            ScheduleExpressionTimezone: America/Sao_Paulo
            Input: '{}'
            OmitName: true
            RetryPolicy: {MaximumRetryAttempts: 2}
            DeadLetterConfig: {Type: SQS}
",
    )
    .unwrap();
    assert_eq!(ids(&template), ["F", "FRole", "FTick", "FTickQueue", "FTickRole"]);
    assert_eq!(
        properties(&template, "FTick"),
        json!({
            "ScheduleExpression": "cron(0 0 * * ? *)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpressionTimezone": "America/Sao_Paulo",
            "Target": {
                "Arn": {"Fn::GetAtt": ["F", "Arn"]},
                "RoleArn": {"Fn::GetAtt": ["FTickRole", "Arn"]},
                "Input": "{}",
                "RetryPolicy": {"MaximumRetryAttempts": 2},
                "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["FTickQueue", "Arn"]}},
            },
        })
    );
    let role = properties(&template, "FTickRole");
    assert_eq!(role["Policies"][0]["PolicyName"], "FTickLambdaPolicy");
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"], "lambda:InvokeFunction");
    assert_eq!(role["Policies"][1]["PolicyName"], "FTickSQSPolicy");
}

#[test]
fn schedule_and_sqs_events() {
    let template = function(
        "      Events:
        Queue:
          Type: SQS
          Properties: {Queue: !GetAtt Q.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
        Daily:
          Type: Schedule
          Properties: {Schedule: rate(1 day), Enabled: false}
",
    )
    .unwrap();
    assert_eq!(ids(&template), ["F", "FRole", "FDaily", "FDailyPermission", "FQueue"]);
    assert_eq!(properties(&template, "FDaily")["State"], "DISABLED");
    assert_eq!(properties(&template, "FDaily")["Targets"][0]["Id"], "FDailyLambdaTarget");
    assert_eq!(properties(&template, "FDailyPermission")["SourceArn"], json!({"Fn::GetAtt": ["FDaily", "Arn"]}));
    assert_eq!(
        properties(&template, "FQueue"),
        json!({
            "EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]},
            "FunctionName": {"Ref": "F"},
            "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        })
    );
    let managed = properties(&template, "FRole")["ManagedPolicyArns"].clone();
    assert_eq!(managed[1], "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole");
}

#[test]
fn globals_merge_maps_join_lists_and_yield_to_scalars_and_functions() {
    let template = transformed(
        "Globals:
  Function:
    Runtime: provided.al2023
    Timeout: 30
    Layers: [one]
    Environment: {Variables: {A: 1, B: !Ref X}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Condition: C
    Metadata: {Built: yes}
    Properties:
      Handler: bootstrap
      InlineCode: x
      Role: !Ref R
      Timeout: 5
      Layers: [two]
      Environment: {Variables: {B: {c: d}, E: f}}
",
    )
    .unwrap();
    let function = properties(&template, "F");
    assert_eq!(ids(&template), ["F"]);
    assert_eq!(function["Timeout"], 5);
    assert_eq!(function["Layers"], json!(["one", "two"]));
    assert_eq!(function["Environment"], json!({"Variables": {"A": 1, "B": {"c": "d"}, "E": "f"}}));
    assert_eq!(function["Code"], json!({"ZipFile": "x"}));
    assert_eq!(function["Role"], json!({"Ref": "R"}));
    let def = template.resource("F").unwrap();
    assert_eq!((def.condition.as_deref(), def.attributes["Metadata"]["Built"].as_str()), (Some("C"), Some("yes")));
}

#[test]
fn a_simple_table_is_a_table_with_one_key() {
    let template = transformed(
        "Resources:
  T: {Type: AWS::Serverless::SimpleTable}
  U:
    Type: AWS::Serverless::SimpleTable
    Properties: {TableName: u, PrimaryKey: {Name: n, Type: Number}, ProvisionedThroughput: {ReadCapacityUnits: 1}, Tags: {a: b}}
",
    )
    .unwrap();
    assert_eq!(
        properties(&template, "T"),
        json!({
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        })
    );
    let other = properties(&template, "U");
    assert_eq!(other["AttributeDefinitions"], json!([{"AttributeName": "n", "AttributeType": "N"}]));
    assert_eq!(other["Tags"], json!([{"Key": "a", "Value": "b"}]));
    assert!(other.get("BillingMode").is_none());
}

#[test]
fn what_a_destination_needs_is_granted() {
    let template = function(
        "      DeadLetterQueue: {Type: SQS, TargetArn: arn:q}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SNS, Destination: arn:t}}
",
    )
    .unwrap();
    assert_eq!(ids(&template), ["F", "FEventInvokeConfig", "FRole"]);
    assert_eq!(properties(&template, "F")["DeadLetterConfig"], json!({"TargetArn": "arn:q"}));
    let config = properties(&template, "FEventInvokeConfig");
    assert_eq!((&config["Qualifier"], &config["MaximumRetryAttempts"]), (&json!("$LATEST"), &json!(1)));
    let role = properties(&template, "FRole");
    assert_eq!(role["Policies"][0]["PolicyName"], "DeadLetterQueuePolicy");
    assert_eq!(role["Policies"][1]["PolicyName"], "FEventInvokeConfigOnFailureSNSPolicy");
}

#[test]
fn mistakes_are_named_and_counted() {
    let error = function("      Handlr: x\n").unwrap_err();
    assert_eq!(
        error.message(),
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. \
         Number of errors found: 1. Resource with id [F] is invalid. property Handlr not defined for resource of type \
         AWS::Serverless::Function"
    );
    let local = transformed(
        "Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Handler: h, Runtime: r, CodeUri: ./here}}
  G: {Type: AWS::Serverless::Function, Properties: {Handler: h, Runtime: r}}
",
    );
    let text = local.unwrap_err().message().to_owned();
    assert!(text.contains("Number of errors found: 2.") && text.contains("'CodeUri' is not a valid S3 Uri"), "{text}");
    for more in [
        "      Events: {E: {Type: ScheduleV2, Properties: {}}}\n",
        "      Events: {E: {Type: ScheduleV2, Properties: {ScheduleExpression: x, Bogus: 1}}}\n",
        "      Events: {E: {Type: Bogus}}\n",
        "      Policies: [{S3ReadPolicy: {}}]\n",
        "      Role: [a]\n",
        "      Layers: a\n",
        "      Policies: [[]]\n",
        "      DeadLetterQueue: {Type: X, TargetArn: a}\n",
    ] {
        let error = function(more).unwrap_err();
        assert!(error.message().contains("Resource with id [F] is invalid."), "{more}: {error}");
    }
}

#[test]
fn what_garoa_has_not_is_refused_by_name() {
    for (more, name) in [
        ("      DeploymentPreference: {Type: AllAtOnce}\n", "DeploymentPreference"),
        (
            "      Events: {E: {Type: HttpApi, Properties: {Auth: {InvokeRole: A}}}}\n",
            "InvokeRole of an HttpApi event's Auth",
        ),
        ("      Policies: [{KMSDecryptPolicy: {KeyId: k}}]\n", "KMSDecryptPolicy"),
    ] {
        let error = function(more).unwrap_err();
        assert_eq!(error.status(), 501);
        assert!(error.message().contains(name), "{error}");
    }
    let error = transformed("Resources: {A: {Type: AWS::Serverless::StateMachine}}").unwrap_err();
    assert!(error.message().contains("AWS::Serverless::StateMachine"));
}

#[test]
fn a_function_url_comes_with_its_permissions() {
    let template = function("      FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ['*']}}\n").unwrap();
    let names = ids(&template);
    assert!(names.ends_with(&["FUrl", "FUrlPublicPermissions", "FURLInvokeAllowPublicAccess"]), "{names:?}");
    let url = &template.resource("FUrl").unwrap().properties;
    assert_eq!(url["TargetFunctionArn"], json!({"Ref": "F"}));
    let closed = function("      FunctionUrlConfig: {AuthType: AWS_IAM}\n").unwrap();
    assert!(ids(&closed).ends_with(&["FUrl"]));
    let error = function("      FunctionUrlConfig: {Cors: {}}\n").unwrap_err();
    assert!(error.message().contains("Please provide either AWS_IAM or NONE."), "{error}");
}

#[test]
fn http_api_events_make_the_implicit_http_api() {
    let template = function(
        "      Events:
        Get: {Type: HttpApi, Properties: {Path: '/pets/{id}', Method: get}}
        Rest: {Type: HttpApi}
",
    )
    .unwrap();
    let names = ids(&template);
    assert!(names.ends_with(&["ServerlessHttpApi", "ServerlessHttpApiApiGatewayDefaultStage"]), "{names:?}");
    assert!(names.contains(&"FGetPermission") && names.contains(&"FRestPermission"));
    let of = |id: &str| &template.resources.iter().find(|(name, _)| name == id).unwrap().1.properties;
    let paths = &of("ServerlessHttpApi")["Body"]["paths"];
    let get = &paths["/pets/{id}"]["get"]["x-amazon-apigateway-integration"];
    assert_eq!((&get["payloadFormatVersion"], &get["httpMethod"]), (&json!("2.0"), &json!("POST")));
    assert_eq!(paths["/$default"]["x-amazon-apigateway-any-method"]["isDefaultRoute"], json!(true));
    let source = |id: &str| of(id)["SourceArn"]["Fn::Sub"][0].as_str().unwrap().rsplit_once("__Stage__}").unwrap().1;
    assert_eq!((source("FGetPermission"), source("FRestPermission")), ("/GET/pets/*", "/$default"));
    let twice = function(
        "      Events:
        A: {Type: HttpApi, Properties: {Path: /, Method: get}}
        B: {Type: HttpApi, Properties: {Path: /, Method: GET}}
",
    );
    assert!(twice.unwrap_err().message().contains("defined multiple times"));
    let half = function("      Events: {E: {Type: HttpApi, Properties: {Path: /}}}\n").unwrap_err();
    assert!(half.message().contains("Resource with id [F] is invalid."), "{half}");
}

#[test]
fn api_events_make_the_implicit_api() {
    let template = function(
        "      Events:
        Get: {Type: Api, Properties: {Path: '/pets/{id}', Method: get}}
        Any: {Type: Api, Properties: {Path: /all, Method: ANY, Auth: {ApiKeyRequired: true}}}
",
    )
    .unwrap();
    let names = ids(&template);
    let deployment = names.iter().find(|name| name.starts_with("ServerlessRestApiDeployment")).unwrap();
    assert_eq!(
        names,
        [
            "F",
            "FRole",
            "FGetPermissionProd",
            "FAnyPermissionProd",
            "ServerlessRestApi",
            *deployment,
            "ServerlessRestApiProdStage",
        ]
    );
    let body = &properties(&template, "ServerlessRestApi")["Body"];
    assert_eq!(
        body["paths"]["/pets/{id}"]["get"]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"],
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"
    );
    let any = &body["paths"]["/all"]["x-amazon-apigateway-any-method"];
    assert_eq!(any["security"], json!([{"api_key": []}]));
    let source = properties(&template, "FGetPermissionProd")["SourceArn"]["Fn::Sub"][0].clone();
    assert!(source.as_str().unwrap().ends_with("/${__Stage__}/GET/pets/*"), "{source}");
}

#[test]
fn an_api_has_cors_and_authorizers() {
    let template = transformed(
        "Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Cors: \"'*'\"
      Auth:
        DefaultAuthorizer: Token
        AddDefaultAuthorizerToCorsPreflight: false
        Authorizers: {Token: {FunctionArn: 'arn:aws:lambda:us-east-1:1:function:auth', Identity: {ReauthorizeEvery: 30}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Runtime: provided.al2023
      CodeUri: s3://code/f.zip
      Events:
        Get: {Type: Api, Properties: {Path: /, Method: get, RestApiId: {Ref: A}}}
        Open: {Type: Api, Properties: {Path: /open, Method: get, RestApiId: {Ref: A}, Auth: {Authorizer: NONE}}}
",
    )
    .unwrap();
    let body = &properties(&template, "A")["Body"];
    assert_eq!(body["paths"]["/"]["get"]["security"], json!([{"Token": []}]));
    assert!(body["paths"]["/open"]["get"].get("security").is_none());
    let preflight = &body["paths"]["/"]["options"];
    assert_eq!(preflight["security"], json!([]));
    let headers = &preflight["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"];
    assert_eq!(headers["method.response.header.Access-Control-Allow-Methods"], "'GET,OPTIONS'");
    let scheme = &body["securityDefinitions"]["Token"];
    assert_eq!(scheme["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"], 30);
    assert!(ids(&template).contains(&"AliveStage"));
    assert!(ids(&template).contains(&"ATokenAuthorizerPermission"));
}

#[test]
fn an_http_api_has_authorizers_by_name() {
    let template = transformed(
        "Resources:
  A:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Jwt
        EnableIamAuthorizer: true
        Authorizers:
          Jwt:
            AuthorizationScopes: [read]
            IdentitySource: $request.header.Authorization
            JwtConfiguration: {Issuer: 'https://issuer', audience: [app]}
          Function:
            FunctionArn: arn:aws:lambda:us-east-1:1:function:auth
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            Identity: {Headers: [X-Who], QueryStrings: [q], ReauthorizeEvery: 0}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Runtime: provided.al2023
      CodeUri: s3://code/f.zip
      Events:
        Get: {Type: HttpApi, Properties: {Path: /, Method: get, ApiId: {Ref: A}}}
        More: {Type: HttpApi, Properties: {Path: /, Method: post, ApiId: {Ref: A}, Auth: {AuthorizationScopes: [write]}}}
        Asked: {Type: HttpApi, Properties: {Path: /asked, Method: any, ApiId: {Ref: A}, Auth: {Authorizer: Function}}}
        Signed: {Type: HttpApi, Properties: {Path: /signed, Method: get, ApiId: {Ref: A}, Auth: {Authorizer: AWS_IAM}}}
        Open: {Type: HttpApi, Properties: {Path: /open, Method: get, ApiId: {Ref: A}, Auth: {Authorizer: NONE}}}
",
    )
    .unwrap();
    let body = &properties(&template, "A")["Body"];
    let security = |path: &str, method: &str| body["paths"][path][method]["security"].clone();
    assert_eq!(security("/", "get"), json!([{"Jwt": ["read"]}]));
    assert_eq!(security("/", "post"), json!([{"Jwt": ["write"]}]));
    assert_eq!(security("/asked", "x-amazon-apigateway-any-method"), json!([{"Function": []}]));
    assert_eq!(security("/signed", "get"), json!([{"AWS_IAM": []}]));
    assert_eq!(security("/open", "get"), Value::Null);
    let schemes = &body["components"]["securitySchemes"];
    let jwt = json!({
        "type": "jwt", "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": "https://issuer", "audience": ["app"]},
    });
    assert_eq!(schemes["Jwt"]["x-amazon-apigateway-authorizer"], jwt);
    let function = &schemes["Function"]["x-amazon-apigateway-authorizer"];
    assert_eq!(function["identitySource"], "$request.header.X-Who, $request.querystring.q");
    assert_eq!(function["authorizerResultTtlInSeconds"], 0);
    assert!(ids(&template).contains(&"AFunctionAuthorizerPermission"));
}
