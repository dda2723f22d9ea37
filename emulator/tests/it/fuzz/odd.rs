//! Texts that nobody sends in earnest, and small documents of every language that inputs hold.

use fastrand::Rng;

/// A file that exists and whose content must be in no answer, and a server that must hear nothing.
pub struct Bait {
    pub path: String,
    pub url: String,
}

pub const NAMES: &[&str] = &["fuzz-a", "fuzz-b", "Fuzz_C", "f"];

/// What some pattern of some model takes.
pub const PLAIN: &[&str] = &[
    "1",
    "10",
    "/",
    "/a",
    "/a/",
    "*",
    "true",
    "us-east-1",
    "123456789012",
    "2026-01-01T00:00:00Z",
    "rate(1 minute)",
    "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f",
    "0123456789abcdef0123456789abcdef",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "arn:aws:iam::123456789012:role/fuzz-a",
    "arn:aws:sqs:us-east-1:123456789012:fuzz-a",
    "arn:aws:lambda:us-east-1:123456789012:function:fuzz-a",
    "arn:aws:lambda:us-east-1:123456789012:layer:fuzz-a:1",
    "arn:aws:s3:::fuzz-a",
    "arn:aws:sns:us-east-1:123456789012:fuzz-a",
    "arn:aws:logs:us-east-1:123456789012:log-group:fuzz-a",
    "arn:aws:dynamodb:us-east-1:123456789012:table/fuzz-a",
    "arn:aws:kinesis:us-east-1:123456789012:stream/fuzz-a",
    "arn:aws:events:us-east-1:123456789012:event-bus/default",
    "http://sqs.us-east-1.localhost:4566/123456789012/fuzz-a",
    "https://example.com/a",
    "a@example.com",
    "+5511999999999",
    "10.0.0.0/8",
    "python3.12",
    "index.handler",
    "application/json",
    "$default",
    "$connect",
    "ANY /a/{b+}",
    "method.request.path.a",
    "S",
    "HASH",
    "key",
];

pub const ODD: &[&str] = &[
    "",
    " ",
    "\0",
    "\u{1}\u{1f}\u{7f}",
    "a\r\nX-Injected: 1",
    "é",
    "e\u{301}\u{301}\u{301}",
    "あ",
    "𝒳😀",
    "😀:😀:😀:😀:😀:😀:😀",
    "\u{202e}\u{feff}\u{fffd}\u{10ffff}",
    "ß㎏ŉİ",
    "NaN",
    "-1",
    "0",
    "1e308",
    "-9223372036854775808",
    "9223372036854775807",
    "99999999999999999999999999",
    "null",
    "{}",
    "[]",
    "{",
    "\"",
    "'",
    "<a>&amp;&b;</a>",
    "%",
    "%zz%00%ff",
    "${",
    "${a.b}",
    "$",
    "{{resolve:ssm:a:1}}",
    "{{resolve:secretsmanager:",
    "<",
    "<a.b.c>",
    "\\",
    "\\u",
    "..",
    "../../../../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "a//b/../c",
    "a/b:c@d#e?f=g",
    ":",
    "::::::::::",
    "arn:",
    "arn:aws",
    "arn:aws:::::",
    "arn:aws:::::::::::::",
    "arn:aws:iam::123456789012:",
    "arn:aws:s3:::",
    "arn:aws:s3:::😀/é",
    "arn:aws:lambda:::function:",
    "arn:aws:lambda:us-east-1:123456789012:function:é:😀",
    "arn:aws:sqs:us-east-1:é:あ",
    "arn:é:aws:iam::x:role/",
    "arn:aws:kms:us-east-1:123456789012:key/",
    "arn:aws:logs:us-east-1:123456789012:log-group:a:*:log-stream:",
    "arn:aws:states:us-east-1:123456789012:stateMachine:é",
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/é/invocations",
    "http://",
    "http://[",
    "http://[::1",
    "http://é:99999/",
    "https://127.0.0.1:0/",
    "====",
    "A",
    "AA=",
    "eyJ=",
    "e30=",
    "////",
    "MTIz",
    "bnVsbA==",
    "////////////////////////////////////////////////////////////////",
    "-00001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2026-02-30T25:61:61+99:99",
    "rate(0 minutes)",
    "rate(9223372036854775807 days)",
    "cron(0 0 31 2 ? *)",
    "cron(0/0 1-60 L-99 * W#9 1970-2199)",
    "at(9999-12-31T23:59:59)",
    "1/0",
    "a[99999999999999999999]",
    "a.b[0].c[1]",
    "#a = :b",
    "NOT NOT NOT",
    "(((((((((((((((((",
    "SELECT",
    "fields",
    "{ $.",
    "[a, b, ...",
    "#set($a=",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
];

/// Documents by what the name of the member that takes them holds, in small letters.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("policy", POLICIES),
    ("templatebody", TEMPLATES),
    ("eventpattern", PATTERNS),
    (
        "event",
        &[
            "{}",
            "{\"id\":\"1\",\"account\":\"1\",\"source\":\"a\",\"time\":\"2026-01-01T00:00:00Z\",\"region\":\"r\",\"resources\":[],\"detail-type\":\"x\",\"detail\":{\"a\":[1,{\"b\":null}]}}",
        ],
    ),
    ("filterpattern", FILTERS),
    ("pattern", PATTERNS),
    ("scheduleexpression", CRONS),
    ("querystring", INSIGHTS),
    ("querydefinition", INSIGHTS),
    ("expression", EXPRESSIONS),
    ("statement", PARTIQL),
    ("body", BODIES),
    ("payload", BODIES),
    ("attributename", ATTRIBUTES),
    ("attributevalue", VALUES),
    ("detail", &["{}", "{\"a\":1}", "[", "{\"a\":{\"b\":[1e400]}}"]),
    ("inputtemplate", &["\"<a> <b>\"", "{\"x\": <a>}", "<aws.events.event.json>", "<"]),
    ("inputpath", &["$", "$.detail.a[0]", "$..", "$[", "$.é"]),
    ("path", &["/", "{a}", "{a+}", "/a/{b}", "/{b", "{proxy+}", "/name", "/*/*/throttling/rateLimit", "/a~1b", "/"]),
    ("source", &["$request.body.action", "a.b", "method.request.header.Auth"]),
    ("template", TEMPLATES),
    (
        "uri",
        &[
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:fuzz-a/invocations",
            "arn:aws:apigateway:us-east-1:sqs:path/123456789012/fuzz-a",
            "http://x.invalid/{proxy}",
        ],
    ),
    (
        "range",
        &[
            "bytes=0-",
            "bytes=-1",
            "bytes=5-1",
            "bytes=0-18446744073709551616",
            "bytes=a-b",
            "bytes=-0",
            "bytes=0-1,2-3",
        ],
    ),
    ("token", &["e30=", "eyJhIjoxfQ==", "AAAA", "1", "//8=", "bnVsbA"]),
    ("marker", &["e30=", "1", "é", "AAAA"]),
    ("position", &["1", "3", "-1"]),
    ("zipfile", &["UEsDBBQAAAAAAAAAIQA="]),
    ("key", &["a", "a/b", "é", "k"]),
    ("cidr", &["0.0.0.0/0", "::/0", "1.2.3.4/99", "/"]),
    ("handler", &["index.handler", "../../x.y", ".", "a"]),
    ("document", POLICIES),
    ("metadata", &["<EntityDescriptor/>", "{}"]),
    ("certificate", &["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"]),
    (
        "schema",
        &[
            r##"{"type":"object","properties":{"a":{"$ref":"#"}}}"##,
            r##"{"$ref":"#/a"}"##,
            "{\"pattern\":\"(a+)+$\"}",
            "{\"multipleOf\":0}",
        ],
    ),
    (
        "arn",
        &[
            "arn:aws:s3:::fuzz-a",
            "arn:aws:sqs:us-east-1:123456789012:fuzz-a",
            "arn:aws:sns:us-east-1:123456789012:fuzz-a",
        ],
    ),
];

const POLICIES: &[&str] = &[
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":["s3:*?*?*?*"],"Resource":"arn:aws:s3:::${aws:username}/*","Condition":{"NumericLessThan":{"aws:x":"1e999"},"IpAddress":{"aws:SourceIp":"::/200"},"DateGreaterThan":{"aws:CurrentTime":"é"}}}]}"#,
    r#"{"Statement":[]}"#,
    r#"{"Version":1,"Statement":[[[]]]}"#,
    r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:fuzz-a","maxReceiveCount":1}"#,
    r#"{"a":[{"numeric":[">",-1e308]},{"prefix":""},{"anything-but":[]}],"$or":[{"b":[1]},{}]}"#,
    r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0},"action":{"type":"expire"}}]}"#,
];

const TEMPLATES: &[&str] = &[
    r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":"fuzz-a"}}}}"#,
    r#"{"Resources":{"A":{"Type":"AWS::SNS::Topic","DependsOn":"B"},"B":{"Type":"AWS::SNS::Topic","DependsOn":"A"}}}"#,
    r#"{"Parameters":{"P":{"Type":"Number","Default":"NaN","MinValue":1e308}},"Conditions":{"C":{"Fn::Not":[{"Condition":"C"}]}},"Resources":{"A":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":{"Fn::Select":[-1,{"Fn::Split":["",{"Ref":"P"}]}]}}}}}"#,
    "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {FunctionName: fuzz-a, Handler: a.b, Runtime: python3.12, InlineCode: x, Events: {A: {Type: Api, Properties: {Path: '/{é+}', Method: any}}}}\n",
    "a: &a [*a]\nb: &b {<<: *b}\n",
    "#set($x = $input.json('$'))$util.escapeJavaScript($x)$x.y.z()",
];

const PATTERNS: &[&str] = &[
    r#"{"source":["a"]}"#,
    r#"{"a":[{"numeric":["=",1e309]},{"cidr":"::/129"},{"wildcard":"*a*"},{"suffix":{"equals-ignore-case":"É"}}]}"#,
    r#"{"$or":[{"a":[1]},{"b":[{"exists":false}]}]}"#,
    r#"{"a":{"b":{"c":[]}}}"#,
    "[w1=ERROR*, ...]",
];

const FILTERS: &[&str] = &[
    "",
    "ERROR",
    "?a -b \"c d\"",
    "[ip, ..., status=4*, size>1e308]",
    "{ $.a[0].b = \"*x*\" && $.c IS NULL }",
    "%(a+)+$%",
    "{ $.é = 1e400 || (",
];

const CRONS: &[&str] = &[
    "rate(1 minute)",
    "rate(5 days)",
    "cron(0 12 * * ? *)",
    "cron(0/15 10 ? * MON-FRI *)",
    "cron(0 0 29 2 ? 2199)",
    "cron(* * LW * ? *)",
    "at(2026-01-01T00:05:00)",
    "at(1970-01-01T00:00:00)",
];

const INSIGHTS: &[&str] = &[
    "fields @timestamp, @message | sort @timestamp desc | limit 20",
    "stats count(*), pct(@x, 1e308) by bin(0s)",
    "stats avg(a) by bin(9223372036854775807d)",
    "parse @message /(?<a>(a+)+)$/ | filter a like /é/",
    "parse @message \"* * *\" as a, b, c | dedup a | display a",
    "filter (((((a = 1)))) and not b in [1,2",
];

const EXPRESSIONS: &[&str] = &[
    "#a = :a",
    "SET a[4294967295] = if_not_exists(a, :a) + :b REMOVE b ADD c :c DELETE d :d",
    "attribute_exists(a.b.c) AND NOT (size(a) BETWEEN :a AND :b) OR contains(a, :a)",
    "a, b.c[0], #n",
    "m1 / 0",
    "SUM(METRICS()) * FILL(m1, REPEAT) - RATE(m1) / PERIOD(m1)",
    "ANOMALY_DETECTION_BAND(m1, 1e308)",
    "SEARCH('{AWS/Lambda} MetricName=\"é\"', 'Sum', 0)",
];

const PARTIQL: &[&str] = &[
    "SELECT * FROM \"fuzz-a\" WHERE a = ?",
    "INSERT INTO \"fuzz-a\" VALUE {'a': 'b', 'c': [1, <<1, 2>>, {}]}",
    "UPDATE \"fuzz-a\" SET b = list_append(b, [1]) REMOVE c[0] WHERE a = 'é' RETURNING ALL OLD *",
    "DELETE FROM \"fuzz-a\" WHERE a IN ['''",
    "EXISTS(SELECT * FROM \"fuzz-a\".\"i\" WHERE a = 1e999)",
];

const BODIES: &[&str] = &[
    r##"{"openapi":"3.0.1","info":{"title":"a","version":"1"},"paths":{"/{a+}":{"x-amazon-apigateway-any-method":{"parameters":[{"$ref":"#/components/parameters/p"}],"x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"application/json":"{\"statusCode\":200}"}}}}},"components":{"parameters":{"p":{"$ref":"#/components/parameters/p"}}}}"##,
    r##"{"swagger":"2.0","info":{"title":"é"},"basePath":"////","paths":{"a":{"get":null}},"definitions":{"M":{"$ref":"#/definitions/M"}}}"##,
    "openapi: 3.0.1\npaths: &a {/a: *a}\n",
    "[]",
    "{\"a\": \"b\"}",
];

/// Attributes of topics, subscriptions and queues.
const ATTRIBUTES: &[&str] = &[
    "FilterPolicy",
    "FilterPolicyScope",
    "DeliveryPolicy",
    "RedrivePolicy",
    "Policy",
    "DisplayName",
    "FifoTopic",
    "RawMessageDelivery",
    "TracingConfig",
    "KmsMasterKeyId",
    "SignatureVersion",
    "ContentBasedDeduplication",
    "ArchivePolicy",
    "SubscriptionRoleArn",
];

const VALUES: &[&str] = &[
    "true",
    "false",
    "1",
    "2",
    "MessageBody",
    r#"{"a":["b",{"prefix":"é"}]}"#,
    r#"{"healthyRetryPolicy":{"numRetries":100,"minDelayTarget":0,"maxDelayTarget":3600,"numMinDelayRetries":0,"numMaxDelayRetries":0,"numNoDelayRetries":0,"backoffFunction":"exponential"}}"#,
    r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:fuzz-a","maxReceiveCount":"é"}"#,
];

/// A document of the language that a member of this name may hold.
pub fn document(rng: &mut Rng, name: &str) -> Option<&'static str> {
    let (_, documents) = DOCUMENTS.iter().find(|(part, _)| name.contains(part))?;
    rng.choice(*documents).copied()
}

const SIGNS: &[char] =
    &['a', 'A', '0', ':', '/', '.', '*', '-', '_', '$', '{', '}', '[', ']', '(', ')', '"', '\'', ' ', 'é', '😀'];

/// A text that is odd by itself, by its length, or by its depth.
pub fn text(rng: &mut Rng, bait: &Bait, min: Option<i64>, max: Option<i64>) -> String {
    let edge = |length: i64| usize::try_from(length).unwrap_or(0).min(70_000);
    match rng.u8(..16) {
        0 => "x".repeat(edge(min.unwrap_or(1) - 1)),
        1 => "é".repeat(edge(max.unwrap_or(255))),
        2 => "y".repeat(edge(max.unwrap_or(1024).saturating_add(1))),
        3 => "😀".repeat(rng.usize(..40)),
        4 => "[".repeat(rng.usize(..5000)),
        5 => "{\"a\":".repeat(rng.usize(..3000)),
        6 => bait.url.clone(),
        7 => bait.path.clone(),
        8 => format!("../../../../../../..{}", bait.path),
        9 => (0..rng.usize(..20)).map(|_| rng.char(..)).collect(),
        10 => (0..rng.usize(..20)).map(|_| *rng.choice(SIGNS).unwrap_or(&'a')).collect(),
        _ => rng.choice(ODD).map_or_else(String::new, |text| (*text).to_owned()),
    }
}

/// A text with a part taken out, put in, or doubled, at any place between characters.
pub fn mutated(rng: &mut Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..rng.usize(1..3) {
        let at = rng.usize(..=letters.len());
        match rng.u8(..4) {
            0 => letters.truncate(at),
            1 => letters.splice(at..at, rng.choice(ODD).unwrap_or(&"").chars()).for_each(drop),
            2 => letters.extend_from_within(at..),
            _ if at < letters.len() => drop(letters.remove(at)),
            _ => letters.push(rng.char(..)),
        }
    }
    letters.into_iter().take(100_000).collect()
}
