// SQS with the JavaScript SDK, which checks the MD5 sums of what it sends and receives.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchRequestTooLong,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  paginateListQueues,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { serve } from "./server.mjs";

let server, sqs;
before(async () => {
  server = await serve();
  sqs = new SQSClient(server.settings);
});
after(async () => {
  sqs.destroy();
  assert.equal(await server.stop(), 0);
});

const create = async (QueueName, Attributes) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl;

test("a message is sent, received with its attributes, and deleted", async () => {
  const QueueUrl = await create("plain");
  const MessageAttributes = {
    kind: { DataType: "String", StringValue: "pix" },
    cents: { DataType: "Number", StringValue: "123456" },
    raw: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255, 128]) },
  };
  const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "olá, “aspas” 🦉", MessageAttributes }));
  assert.match(sent.MessageId, /^[0-9a-f-]{36}$/);
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] }),
  );
  assert.equal(Messages.length, 1);
  const [message] = Messages;
  assert.equal(message.Body, "olá, “aspas” 🦉");
  assert.equal(message.MessageAttributes.cents.StringValue, "123456");
  assert.deepEqual([...message.MessageAttributes.raw.BinaryValue], [0, 255, 128]);
  assert.equal(message.Attributes.ApproximateReceiveCount, "1");
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  assert.equal(Attributes.ApproximateNumberOfMessages, "0");
  assert.equal(Attributes.ApproximateNumberOfMessagesNotVisible, "0");
  assert.equal(Attributes.QueueArn, "arn:aws:sqs:us-east-1:123456789012:plain");
});

test("a long poll ends when a message comes, not before and not at its limit", async () => {
  const QueueUrl = await create("long");
  const begun = Date.now();
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await new Promise((wait) => setTimeout(wait, 300));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "late" }));
  const { Messages } = await poll;
  const took = Date.now() - begun;
  assert.equal(Messages[0].Body, "late");
  assert.ok(took >= 300 && took < 5000, `${took} ms`);
});

test("an empty long poll takes its time", async () => {
  const QueueUrl = await create("empty");
  const begun = Date.now();
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
  assert.equal(Messages, undefined);
  assert.ok(Date.now() - begun >= 990);
});

test("a FIFO queue keeps the order of a group and knows duplicates", async () => {
  const QueueUrl = await create("orders.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
  const send = (MessageBody, MessageGroupId) =>
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId }));
  const first = await send("1", "a");
  const again = await send("1", "a");
  assert.equal(again.MessageId, first.MessageId);
  assert.match(first.SequenceNumber, /^[0-9]{20}$/);
  await send("2", "a");
  await send("x", "b");
  const receive = async (MaxNumberOfMessages) =>
    (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages }))).Messages ?? [];
  const [one] = await receive(1);
  assert.equal(one.Body, "1");
  // The group is locked by its message in flight; the other group goes on.
  assert.deepEqual((await receive(10)).map((message) => message.Body), ["x"]);
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: one.ReceiptHandle }));
  assert.deepEqual((await receive(10)).map((message) => message.Body), ["2"]);
});

test("a batch succeeds and fails by entry", async () => {
  const QueueUrl = await create("batch");
  const Entries = ["a", "b", "c"].map((Id) => ({ Id, MessageBody: Id }));
  Entries[1].DelaySeconds = 901;
  const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  assert.deepEqual(sent.Successful.map((entry) => entry.Id), ["a", "c"]);
  assert.equal(sent.Failed[0].Id, "b");
  assert.equal(sent.Failed[0].SenderFault, true);
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  assert.equal(Messages.length, 2);
  const handles = Messages.map((message, at) => ({ Id: `m${at}`, ReceiptHandle: message.ReceiptHandle }));
  handles.push({ Id: "bad", ReceiptHandle: "nonsense" });
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: handles }));
  assert.equal(deleted.Successful.length, 2);
  assert.equal(deleted.Failed[0].Code, "ReceiptHandleIsInvalid");
});

test("visibility can be given back", async () => {
  const QueueUrl = await create("visible", { VisibilityTimeout: "600" });
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "again" }));
  const [{ ReceiptHandle }] = (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages;
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const [message] = (
    await sqs.send(new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ["ApproximateReceiveCount"] }))
  ).Messages;
  assert.equal(message.Attributes.ApproximateReceiveCount, "2");
});

test("errors arrive as the SDK's own classes", async () => {
  const missing = `${server.url}/123456789012/missing`;
  await assert.rejects(
    sqs.send(new SendMessageCommand({ QueueUrl: missing, MessageBody: "x" })),
    (error) => error instanceof QueueDoesNotExist && error.$metadata.httpStatusCode === 400,
  );
  const QueueUrl = await create("large");
  const Entries = [0, 1].map((Id) => ({ Id: `${Id}`, MessageBody: "x".repeat(600 * 1024) }));
  await assert.rejects(
    sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })),
    (error) => error instanceof BatchRequestTooLong,
  );
});

test("the paginator lists every queue", async () => {
  for (let each = 0; each < 7; each++) await create(`page-${each}`);
  const urls = [];
  for await (const page of paginateListQueues({ client: sqs, pageSize: 3 }, { QueueNamePrefix: "page-" })) {
    assert.ok((page.QueueUrls ?? []).length <= 3);
    urls.push(...(page.QueueUrls ?? []));
  }
  assert.equal(new Set(urls).size, 7);
});
