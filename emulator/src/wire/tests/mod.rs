//! Requests and answers as SDKs and AWS write them.
