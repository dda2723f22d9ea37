//! Who may do what: the policies of a caller, and the roles that services assume.

use std::sync::OnceLock;
use std::time::Duration;

use super::{Call, Caller, Inner, Scope, Target};
use crate::iam::credentials::{self, Credentials, Session};
use crate::iam::denial::denial;
use crate::iam::policy::pattern::Context;
use crate::iam::policy::{Attached, Decision, Policy, Request, evaluate};
use crate::iam::{Directory, Principal};
use crate::{Error, Result, Timestamp};

/// How long the credentials of a function's or a schedule's role are good for.
const SERVICE_SESSION: Duration = Duration::from_secs(12 * 3600);
/// The action by which a role is assumed.
const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Whether permissions are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IamMode {
    /// They are not.
    Off,
    /// They are, and what would be denied is logged and allowed.
    Audit,
    /// They are, as at AWS.
    Enforce,
}

/// What a call's caller may do, by the policies as they were when the call came in.
pub struct Access<'a> {
    pub(super) inner: &'a Inner,
    directory: OnceLock<Directory>,
    caller: &'a Caller,
    scope: &'a Scope,
    now: Timestamp,
}

impl Access<'_> {
    /// The accounts, roles, users and policies.
    pub fn directory(&self) -> &Directory {
        self.directory.get_or_init(|| self.inner.directory())
    }

    /// Whether permissions are checked.
    pub fn mode(&self) -> IamMode {
        self.inner.iam
    }

    /// Whether the caller may perform `action` on `resource`, besides what the call itself asks for.
    pub fn may(&self, action: &str, resource: &str) -> bool {
        self.may_on(action, &Target::on(resource))
    }

    /// The same for a target with condition keys, an owner, or a policy.
    pub fn may_on(&self, action: &str, target: &Target) -> bool {
        self.mode() != IamMode::Enforce || self.is_allowed(action, target)
    }

    /// Refuses what the caller may not do besides what the call itself asks for, in the words of the action's service.
    ///
    /// # Errors
    /// The service's denial.
    pub fn require(&self, action: &str, target: &Target) -> Result<()> {
        if self.mode() != IamMode::Enforce {
            return Ok(());
        }
        self.refusal(action, target).map_or(Ok(()), Err)
    }

    /// Refuses the call if its caller may not make it.
    pub(super) fn authorize(&self, call: &Call, action: &str, target: &Target) -> Result<()> {
        if self.mode() == IamMode::Off || target.open || self.is_own_service(call.service) {
            return Ok(());
        }
        let Some(denied) = self.refusal(action, target) else { return Ok(()) };
        if self.mode() == IamMode::Audit {
            tracing::warn!(service = call.service, %denied, "would be denied");
            return Ok(());
        }
        Err(denied)
    }

    /// The denial, unless the action is allowed.
    fn refusal(&self, action: &str, target: &Target) -> Option<Error> {
        let decision = self.decide(action, target).filter(|decision| !decision.is_allowed())?;
        Some(denial(&self.request(action, target), &decision))
    }

    /// Whether the caller is the very service that is called: it asks nobody for what is its own.
    fn is_own_service(&self, service: &str) -> bool {
        match &self.caller.principal {
            Principal::Service(name) => name.split('.').next() == Some(service),
            _ => false,
        }
    }

    fn is_allowed(&self, action: &str, target: &Target) -> bool {
        self.decide(action, target).is_none_or(|decision| decision.is_allowed())
    }

    /// The decision; `None` where there is nothing to decide, because no policy limits the caller.
    fn decide(&self, action: &str, target: &Target) -> Option<Decision> {
        let unlimited = match &self.caller.principal {
            Principal::AccountRoot { account } => target.owner.as_ref().is_none_or(|owner| owner == account),
            // One that acts on behalf of a resource may what the policy of its target says, and nothing where there is none.
            Principal::Service(_) => self.caller.source_arn.is_none() || target.open_to_services,
            _ => false,
        };
        if unlimited && target.policy.is_none() {
            return None;
        }
        let found = self.directory().policies_of(&self.caller.principal);
        let identity: Vec<Attached<'_>> =
            found.identity.iter().map(|(name, policy)| Attached { name, policy }).collect();
        let boundary = found.boundary.as_ref().map(|policy| Attached { name: "boundary", policy });
        // A session policy or a resource's policy was checked when it was accepted; one that cannot be read allows nothing.
        let passed: Vec<Policy> =
            self.caller.session_policies.iter().filter_map(|text| Policy::accepted(text).ok()).collect();
        let session: Vec<Attached<'_>> = passed.iter().map(|policy| Attached { name: "session", policy }).collect();
        let of_resource = target.policy.as_ref().and_then(|text| Policy::accepted(text).ok());
        let of_resource = of_resource.as_ref().map(|policy| Attached { name: "resource", policy });
        Some(evaluate(&self.request(action, target), &identity, boundary, &session, of_resource))
    }

    fn request(&self, action: &str, target: &Target) -> Request {
        let resource_account = target.owner.clone().unwrap_or_else(|| self.scope.account.to_string());
        let mut context = self.context(target);
        context.insert("aws:ResourceAccount".to_owned(), vec![resource_account.clone()]);
        if action.starts_with("s3:") {
            context.insert("s3:ResourceAccount".to_owned(), vec![resource_account.clone()]);
        }
        Request {
            principal: self.caller.principal.clone(),
            resource_account,
            action: action.to_owned(),
            resource: target.resource.clone(),
            context,
        }
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    fn context(&self, target: &Target) -> Context {
        let principal = &self.caller.principal;
        let mut context = Context::new();
        let mut put = |key: &str, value: String| {
            context.insert(key.to_owned(), vec![value]);
        };
        put("aws:CurrentTime", self.now.to_iso_secs());
        put("aws:EpochTime", self.now.secs().to_string());
        put("aws:RequestedRegion", self.scope.region.to_string());
        // Garoa is where AWS's endpoints of https are: policies that keep other callers out mean none of its own.
        put("aws:SecureTransport", "true".to_owned());
        put("aws:PrincipalType", principal.kind().to_owned());
        put("aws:userid", principal.user_id());
        put("aws:PrincipalIsAWSService", matches!(principal, Principal::Service(_)).to_string());
        if let Principal::User { name, .. } = principal {
            put("aws:username", name.clone());
        }
        put("aws:ViaAWSService", self.caller.via.is_some().to_string());
        if let Some(via) = &self.caller.via {
            put("kms:ViaService", format!("{via}.{}.amazonaws.com", self.scope.region));
        }
        let is_alarm = matches!(principal, Principal::Service(name) if name == "cloudwatch.amazonaws.com");
        let optional = [
            ("aws:PrincipalArn", principal.condition_arn()),
            ("aws:PrincipalAccount", principal.account().map(str::to_owned)),
            ("aws:SourceIp", self.caller.source_ip.map(|ip| ip.to_string())),
            ("aws:Referer", self.caller.referer.clone()),
            ("aws:UserAgent", self.caller.user_agent.clone()),
            ("aws:SourceArn", self.caller.source_arn.clone()),
            ("aws:SourceAccount", self.source_account()),
            // SNS's own key, by which a topic's first policy lets the alarms of its account publish.
            ("aws:SourceOwner", is_alarm.then(|| self.scope.account.to_string())),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                put(key, value);
            }
        }
        self.add_tags(&mut context);
        context.extend(target.context.iter().map(|(key, values)| (key.to_string(), values.clone())));
        context
    }

    /// The account of what a service calls on behalf of. Buckets' ARNs do not name theirs.
    fn source_account(&self) -> Option<String> {
        let named = || account_in(self.caller.source_arn.as_deref()?).map(str::to_owned);
        self.caller.source_account.clone().or_else(named)
    }

    /// The tags of who calls, those of the session before those of its role; and what else a session carries.
    fn add_tags(&self, context: &mut Context) {
        for (key, value) in self.directory().tags_of(&self.caller.principal) {
            context.insert(format!("aws:PrincipalTag/{key}"), vec![value]);
        }
        let Some(session) = &self.caller.session else { return };
        for (key, value) in &session.tags {
            let name = format!("aws:PrincipalTag/{key}");
            context.retain(|known, _| !known.eq_ignore_ascii_case(&name));
            context.insert(name, vec![value.clone()]);
        }
        if let Some(source) = &session.source_identity {
            context.insert("aws:SourceIdentity".to_owned(), vec![source.clone()]);
        }
        context.insert("aws:TokenIssueTime".to_owned(), vec![session.issued.to_iso_secs()]);
        context.insert("aws:MultiFactorAuthPresent".to_owned(), vec![session.mfa.is_some().to_string()]);
        if let Some(asked) = session.mfa {
            context.insert("aws:MultiFactorAuthAge".to_owned(), vec![self.now.since(asked).as_secs().to_string()]);
        }
    }

    /// A session of the role of this ARN, as a service such as `lambda.amazonaws.com` starts one; `None` if there is no such
    /// role, or it does not trust the service. While permissions are off, any role will do.
    pub fn role_session(&self, role: &str, session: &str, service: &str) -> Option<Caller> {
        let account = account_in(role).unwrap_or(&self.scope.account);
        let principal = match self.directory().role_by_arn(role) {
            Some(found) if self.mode() == IamMode::Off || self.may_assume(role, service) => Principal::AssumedRole {
                account: account.to_owned(),
                role_name: found.name.clone(),
                role_path: found.path.clone(),
                role_id: found.id.clone(),
                session_name: session.to_owned(),
            },
            None if self.mode() == IamMode::Off => Principal::AssumedRole {
                account: account.to_owned(),
                role_name: role.rsplit('/').next().unwrap_or(role).to_owned(),
                role_path: "/".to_owned(),
                role_id: "AROAUNKNOWN".to_owned(),
                session_name: session.to_owned(),
            },
            _ => return None,
        };
        Some(Caller::new(principal))
    }

    /// Whether a service may assume the role of this ARN.
    pub fn may_assume(&self, role: &str, service: &str) -> bool {
        if self.mode() == IamMode::Off {
            return true;
        }
        let Some(found) = self.directory().role_by_arn(role) else { return false };
        let target = Target::on(role);
        let request = Request {
            principal: Principal::Service(service.to_owned()),
            action: ASSUME_ROLE.to_owned(),
            ..self.request(ASSUME_ROLE, &target)
        };
        let trust = Attached { name: "trust", policy: &found.trust };
        evaluate(&request, &[], None, &[], Some(trust)).is_allowed()
    }

    /// Issues temporary credentials for a session. `unique` comes from the asking service's generator of ids.
    ///
    /// # Errors
    /// As [`credentials::issue`].
    pub fn issue(&self, session: &Session, unique: u64) -> Result<Credentials> {
        credentials::issue(&self.inner.server_key, session, unique)
    }
}

/// The account that an ARN names, where it names one.
fn account_in(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

impl Inner {
    /// What a caller may do in the cloud's own account and region.
    pub(crate) fn access<'a>(&'a self, caller: &'a Caller) -> Access<'a> {
        self.access_in(caller, &self.scope)
    }

    /// The same in another.
    pub(crate) fn access_in<'a>(&'a self, caller: &'a Caller, scope: &'a Scope) -> Access<'a> {
        let access = Access { inner: self, directory: OnceLock::new(), caller, scope, now: self.clock.now() };
        if self.iam != IamMode::Off {
            // The policies as they are now; and IAM's own steps must not ask for its state.
            access.directory();
        }
        access
    }

    /// The IAM service's state as it is now: the one state that the front itself reads.
    pub(super) fn directory(&self) -> Directory {
        self.state_of("iam", &self.scope).unwrap_or_default()
    }

    /// Issues the credentials with which the code of a function calls.
    pub(crate) fn issue(&self, caller: &Caller) -> Result<Credentials> {
        let Principal::AssumedRole { session_name, .. } = &caller.principal else {
            return Err(Error::internal("only sessions of roles are issued credentials"));
        };
        let now = self.clock.now();
        let session = Session {
            role_arn: caller.principal.role_arn().unwrap_or_default(),
            session_name: session_name.clone(),
            principal: caller.principal.clone(),
            issued: now,
            expires: now + SERVICE_SESSION,
            session_policies: Vec::new(),
            source_identity: None,
            tags: Default::default(),
            transitive: Vec::new(),
            mfa: None,
        };
        let unique = self.request_ids.lock().below(u64::MAX);
        credentials::issue(&self.server_key, &session, unique)
    }
}
