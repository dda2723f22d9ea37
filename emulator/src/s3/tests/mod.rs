//! S3 through the front door, as its clients meet it.
