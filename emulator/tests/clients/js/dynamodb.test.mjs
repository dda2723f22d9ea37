// DynamoDB with the JavaScript SDK: the plain client, the document client, paginators and waiters.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ResourceNotFoundException,
  TransactionCanceledException,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import {
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  paginateScan,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { serve } from "./server.mjs";

let server, client, documents;
before(async () => {
  server = await serve();
  client = new DynamoDBClient(server.settings);
  documents = DynamoDBDocumentClient.from(client);
  await client.send(
    new CreateTableCommand({
      TableName: "orders",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "N" },
        { AttributeName: "status", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-status",
          KeySchema: [
            { AttributeName: "status", KeyType: "HASH" },
            { AttributeName: "sk", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
    }),
  );
  const waited = await waitUntilTableExists({ client, minDelay: 1, maxDelay: 2, maxWaitTime: 10 }, { TableName: "orders" });
  assert.equal(waited.state, "SUCCESS");
});
after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

test("a document goes in and comes out as it was", async () => {
  const Item = { pk: "a", sk: -1.5, tags: new Set(["x", "y"]), nested: { list: [1, "two", null, true] }, raw: new Uint8Array([1, 2]) };
  await documents.send(new PutCommand({ TableName: "orders", Item }));
  const read = await documents.send(new GetCommand({ TableName: "orders", Key: { pk: "a", sk: -1.5 } }));
  assert.deepEqual(read.Item, Item);
});

test("numbers keep 38 digits", async () => {
  const N = "12345678901234567890123456789012345678";
  await client.send(new PutItemCommand({ TableName: "orders", Item: { pk: { S: "big" }, sk: { N: "1" }, n: { N } } }));
  const read = await client.send(new GetItemCommand({ TableName: "orders", Key: { pk: { S: "big" }, sk: { N: "1.0" } } }));
  assert.equal(read.Item.n.N, N);
});

test("conditions are checked and tell the old item", async () => {
  const Item = { pk: "once", sk: 0, who: "first" };
  const put = (more) => documents.send(new PutCommand({ TableName: "orders", Item, ...more }));
  await put({ ConditionExpression: "attribute_not_exists(pk)" });
  await assert.rejects(
    put({ ConditionExpression: "attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
    (error) =>
      error instanceof ConditionalCheckFailedException &&
      error.message === "The conditional request failed" &&
      error.Item.who.S === "first",
  );
});

test("an update counts", async () => {
  const update = () =>
    documents.send(
      new UpdateCommand({
        TableName: "orders",
        Key: { pk: "count", sk: 0 },
        UpdateExpression: "SET #n = if_not_exists(#n, :zero) + :one ADD seen :who",
        ExpressionAttributeNames: { "#n": "n" },
        ExpressionAttributeValues: { ":zero": 0, ":one": 1, ":who": new Set(["me"]) },
        ReturnValues: "UPDATED_NEW",
      }),
    );
  await update();
  assert.deepEqual((await update()).Attributes, { n: 2, seen: new Set(["me"]) });
});

test("paginators read every item once and in order, from table and index", async () => {
  for (let from = 0; from < 50; from += 25) {
    const requests = Array.from({ length: 25 }, (_, at) => ({
      PutRequest: { Item: { pk: "page", sk: from + at, status: (from + at) % 2 ? "odd" : "even" } },
    }));
    const { UnprocessedItems } = await documents.send(new BatchWriteCommand({ RequestItems: { orders: requests } }));
    assert.deepEqual(UnprocessedItems, {});
  }
  const read = async (pages) => {
    const items = [];
    for await (const page of pages) items.push(...page.Items);
    return items.map((item) => item.sk);
  };
  const query = {
    TableName: "orders",
    KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
    ExpressionAttributeValues: { ":pk": "page", ":from": 5, ":to": 44 },
    ScanIndexForward: false,
  };
  const backwards = await read(paginateQuery({ client: documents, pageSize: 7 }, query));
  assert.deepEqual(backwards, Array.from({ length: 40 }, (_, at) => 44 - at));
  const index = {
    TableName: "orders",
    IndexName: "by-status",
    KeyConditionExpression: "#s = :s",
    ExpressionAttributeNames: { "#s": "status" },
    ExpressionAttributeValues: { ":s": "odd" },
  };
  const odd = await read(paginateQuery({ client: documents, pageSize: 4 }, index));
  assert.deepEqual(odd, Array.from({ length: 25 }, (_, at) => 2 * at + 1));
  const scan = {
    TableName: "orders",
    FilterExpression: "pk = :pk",
    ExpressionAttributeValues: { ":pk": "page" },
  };
  const scanned = await read(paginateScan({ client: documents, pageSize: 6 }, scan));
  assert.equal(new Set(scanned).size, 50);
});

test("a transaction happens whole or not at all", async () => {
  const put = (pk, more) => ({ Put: { TableName: "orders", Item: { pk, sk: 0 }, ...more } });
  await documents.send(new TransactWriteCommand({ TransactItems: [put("t1"), put("t2")] }));
  await assert.rejects(
    documents.send(
      new TransactWriteCommand({
        TransactItems: [put("t3"), put("t2", { ConditionExpression: "attribute_not_exists(pk)" })],
      }),
    ),
    (error) =>
      error instanceof TransactionCanceledException &&
      error.CancellationReasons[0].Code === "None" &&
      error.CancellationReasons[1].Code === "ConditionalCheckFailed",
  );
  assert.equal((await documents.send(new GetCommand({ TableName: "orders", Key: { pk: "t3", sk: 0 } }))).Item, undefined);
});

test("a table that is gone is not found", async () => {
  const TableName = "short-lived";
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    }),
  );
  await waitUntilTableExists({ client, minDelay: 1, maxDelay: 2, maxWaitTime: 10 }, { TableName });
  await client.send(new DeleteTableCommand({ TableName }));
  await waitUntilTableNotExists({ client, minDelay: 1, maxDelay: 2, maxWaitTime: 10 }, { TableName });
  await assert.rejects(
    client.send(new DescribeTableCommand({ TableName })),
    (error) => error instanceof ResourceNotFoundException,
  );
});
