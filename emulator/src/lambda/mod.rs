//! AWS Lambda: functions, invocations, execution environments.
