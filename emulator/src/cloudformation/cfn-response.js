// Answers CloudFormation on behalf of a custom resource. It is there for inline code that requires it, as at AWS.

exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

/** Puts the outcome to the URL that the event names, and ends the invocation. */
exports.send = function (event, context, responseStatus, responseData, physicalResourceId, noEcho) {
  const answer = JSON.stringify({
    Status: responseStatus,
    Reason: `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
    PhysicalResourceId: physicalResourceId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: responseData,
  });
  const { request } = event.ResponseURL.startsWith("https:") ? require("https") : require("http");
  const headers = { "content-type": "", "content-length": Buffer.byteLength(answer) };
  return new Promise((resolve) => {
    const end = (text) => {
      console.log(text);
      resolve(context.done());
    };
    const put = request(event.ResponseURL, { method: "PUT", headers }, (done) => {
      done.resume();
      end(`CloudFormation was answered: ${done.statusCode}`);
    });
    put.on("error", (error) => end(`CloudFormation was not answered: ${error}`));
    put.end(answer);
  });
};
