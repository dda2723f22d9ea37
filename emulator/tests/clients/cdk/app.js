// Orders come in by a queue and are kept in a table; an API answers. What the variable GREETING says, the API says.

const path = require("node:path");
const { App, CfnOutput, Duration, RemovalPolicy, Stack } = require("aws-cdk-lib");
const { LambdaIntegration, RestApi } = require("aws-cdk-lib/aws-apigateway");
const { AttributeType, BillingMode, Table } = require("aws-cdk-lib/aws-dynamodb");
const { Rule, Schedule } = require("aws-cdk-lib/aws-events");
const { LambdaFunction } = require("aws-cdk-lib/aws-events-targets");
const { Code, Function, Runtime } = require("aws-cdk-lib/aws-lambda");
const { SqsEventSource } = require("aws-cdk-lib/aws-lambda-event-sources");
const { Bucket } = require("aws-cdk-lib/aws-s3");
const { Queue } = require("aws-cdk-lib/aws-sqs");
const { StringParameter } = require("aws-cdk-lib/aws-ssm");

const code = (folder) => Code.fromAsset(path.join(__dirname, folder));

class Orders extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const orders = new Table(this, "Orders", {
      partitionKey: { name: "id", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const receipts = new Bucket(this, "Receipts", { autoDeleteObjects: true, removalPolicy: RemovalPolicy.DESTROY });
    const dead = new Queue(this, "Dead");
    const queue = new Queue(this, "Queue", { deadLetterQueue: { queue: dead, maxReceiveCount: 3 } });

    const worker = new Function(this, "Worker", {
      runtime: Runtime.PYTHON_3_12,
      handler: "worker.handler",
      code: code("worker"),
      environment: { ORDERS: orders.tableName, RECEIPTS: receipts.bucketName },
      timeout: Duration.seconds(20),
    });
    worker.addEventSource(new SqsEventSource(queue, { batchSize: 5, reportBatchItemFailures: true }));
    orders.grantWriteData(worker);
    receipts.grantPut(worker);

    const answer = new Function(this, "Answer", {
      runtime: Runtime.NODEJS_22_X,
      handler: "index.handler",
      code: code("answer"),
      environment: { GREETING: process.env.GREETING ?? "hello" },
    });
    const api = new RestApi(this, "Api");
    api.root.addResource("hello").addMethod("GET", new LambdaIntegration(answer));
    new Rule(this, "Hourly", { schedule: Schedule.rate(Duration.hours(1)), targets: [new LambdaFunction(answer)] });
    new StringParameter(this, "Place", { parameterName: "/orders/queue", stringValue: queue.queueUrl });

    const outputs = { Queue: queue.queueUrl, Table: orders.tableName, Bucket: receipts.bucketName, Api: api.restApiId };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, `The${name}`, { value });
  }
}

new Orders(new App(), "Orders", { env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION } });
