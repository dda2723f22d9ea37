import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["ORDERS"])
s3 = boto3.client("s3")


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        table.put_item(Item={"id": order["id"]})
        s3.put_object(Bucket=os.environ["RECEIPTS"], Key=order["id"], Body=record["body"])
    return {"batchItemFailures": []}
