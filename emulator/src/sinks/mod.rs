//! HTTP services outside the cloud, played by wiremock.
