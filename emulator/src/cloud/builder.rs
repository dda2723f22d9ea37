//! How a cloud is put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::access::IamMode;
use super::fault::Faults;
use super::ids::Ids;
use super::running::{AnyService, Running};
use super::service::{Service, State};
use super::trace::{Trace, TraceDepth};
use super::{Cloud, Inner, Scope};
use crate::Timestamp;
use crate::clock::{Clock, ClockMode, Driver};
use crate::lambda::{Environments, FunctionFactory, Interpreters};
use crate::s3::{NewBuckets, ObjectOwnership};
use crate::sinks::Sinks;
use crate::sinks::smtp::Mailbox;

/// The account of callers that name none.
pub const DEFAULT_ACCOUNT: &str = "123456789012";
/// The region of callers that name none.
pub const DEFAULT_REGION: &str = "us-east-1";
/// When virtual time begins, unless said otherwise: 2026-01-01T00:00:00Z.
const DEFAULT_START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// What a cloud is built from.
pub struct CloudBuilder {
    scope: Scope,
    seed: u64,
    mode: ClockMode,
    start: Timestamp,
    iam: IamMode,
    trace: TraceDepth,
    functions: BTreeMap<String, FunctionFactory>,
    interpreters: Interpreters,
    new_buckets: NewBuckets,
    reachable: Vec<String>,
}

impl Default for CloudBuilder {
    fn default() -> Self {
        Self {
            scope: Scope::new(DEFAULT_ACCOUNT, DEFAULT_REGION),
            seed: 0,
            mode: ClockMode::Auto,
            start: DEFAULT_START,
            iam: IamMode::Enforce,
            trace: TraceDepth::Everything,
            functions: BTreeMap::new(),
            interpreters: Interpreters::Exact,
            new_buckets: NewBuckets::default(),
            reachable: Vec::new(),
        }
    }
}

impl CloudBuilder {
    /// What all chance comes from: two runs with one seed are the same to the byte.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How time passes; virtual and automatic if not said.
    #[must_use]
    pub fn clock(mut self, mode: ClockMode) -> Self {
        self.mode = mode;
        self
    }

    /// When virtual time begins.
    #[must_use]
    pub fn start(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// Whether permissions are enforced; they are if not said.
    #[must_use]
    pub fn iam(mut self, mode: IamMode) -> Self {
        self.iam = mode;
        self
    }

    /// What the trace keeps; everything if not said.
    #[must_use]
    pub fn trace(mut self, depth: TraceDepth) -> Self {
        self.trace = depth;
        self
    }

    /// The region of callers that name none.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.scope.region = region.into();
        self
    }

    /// Code for the function of this name, which a template or `CreateFunction` creates. See [`crate::lambda::handler`].
    #[must_use]
    pub fn function(mut self, name: &str, factory: FunctionFactory) -> Self {
        self.functions.insert(name.to_owned(), factory);
        self
    }

    /// Lets the cloud's HTTP integrations reach a server outside: `host` for any port of it, or `host:port`. Without this they reach
    /// sinks and the cloud itself, and nothing else.
    #[must_use]
    pub fn reach(mut self, address: &str) -> Self {
        self.reachable.push(address.to_ascii_lowercase());
        self
    }

    /// Which interpreters may run uploaded Python and Node.js handlers; the very versions that they ask for if not said.
    #[must_use]
    pub fn interpreters(mut self, interpreters: Interpreters) -> Self {
        self.interpreters = interpreters;
        self
    }

    /// Who owns the objects of S3's buckets that are made without `ObjectOwnership`; the bucket's owner, and access control lists
    /// are off, if not said. For teams whose buckets are older than that default of AWS's, which is of April 2023.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>
    #[must_use]
    pub fn s3_object_ownership(mut self, ownership: ObjectOwnership) -> Self {
        self.new_buckets.ownership = ownership;
        self
    }

    /// Whether S3's new buckets begin with all of Block Public Access; they do if not said, as at AWS since April 2023. Without,
    /// they begin with no such configuration.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    #[must_use]
    pub fn s3_block_public_access(mut self, block: bool) -> Self {
        self.new_buckets.block_public_access = block;
        self
    }

    /// Builds the cloud.
    pub fn build(self) -> Cloud {
        let seed = self.seed;
        let services = services(seed);
        let apis = services.values().flat_map(|service| service.apis()).collect();
        Cloud(Arc::new_cyclic(|this| Inner {
            this: this.clone(),
            scope: self.scope,
            iam: self.iam,
            seed,
            server_key: server_key(seed),
            clock: Arc::new(Clock::new(self.mode, self.start)),
            driver: Driver::new(),
            services,
            apis,
            trace: Trace::new(self.trace),
            faults: Mutex::new(Faults::default()),
            request_ids: Mutex::new(Ids::new(seed, "request")),
            environments: Environments::new(self.functions, self.interpreters, server_key(seed)),
            running: Mutex::default(),
            sinks: Sinks::default(),
            new_buckets: self.new_buckets,
            reachable: self.reachable,
            served: std::sync::OnceLock::new(),
            mails: Mailbox::default(),
        }))
    }
}

/// What the secrets of issued credentials are derived from: the same for the same seed, so that runs repeat.
fn server_key(seed: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update("garoa server key");
    hash.update(seed.to_be_bytes());
    hash.finalize().into()
}

/// All services there are, each with an empty state.
fn services(seed: u64) -> BTreeMap<&'static str, Arc<dyn AnyService>> {
    fn running<S: State>(service: Service<S>, seed: u64) -> (&'static str, Arc<dyn AnyService>) {
        (service.name, Arc::new(Running::new(service, seed)))
    }
    BTreeMap::from([
        running(crate::apigateway::service(), seed),
        running(crate::apigatewayv2::service(), seed),
        running(crate::cloudformation::service(), seed),
        running(crate::cloudwatch::service(), seed),
        running(crate::ec2::service(), seed),
        running(crate::ecr::service(), seed),
        running(crate::glacier::service(), seed),
        running(crate::iam::service(), seed),
        running(crate::kinesis::service(), seed),
        running(crate::kms::service(), seed),
        running(crate::lambda::service(), seed),
        running(crate::logs::service(), seed),
        running(crate::s3::service(), seed),
        running(crate::scheduler::service(), seed),
        running(crate::sts::service(), seed),
        running(crate::secretsmanager::service(), seed),
        running(crate::dynamodb::service(), seed),
        running(crate::sqs::service(), seed),
        running(crate::ssm::service(), seed),
        running(crate::sns::service(), seed),
        running(crate::events::service(), seed),
    ])
}
