//! Functions: their life, from creation to deletion.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::aliases::Alias;
use super::code::{Obtained, Source, StoredCode, obtain};
use super::concurrency::Concurrency;
use super::configuration::{Configuration, Settings};
use super::event_config::EventConfig;
use super::network::Known;
use super::policy::FunctionPolicy;
use super::qualifier::{LATEST, qualifier, shown};
pub(super) use super::qualifier::{bare_name, not_found, reachable};
use super::versions::{PAGE, Version};
use super::{Functions, PRINCIPAL, layers, network, on};
use crate::cloud::{Cx, Later, Service, Step, Target};
use crate::{Error, Result};

/// The longest name of a function.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
const NAME_LIMIT: usize = 64;
/// The largest request that makes a function, in bytes: so AWS says where one is larger.
const REQUEST_LIMIT: usize = 70_167_211;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .waiting_op("CreateFunction", |at, i: &Settings| on(at, &i.function_name), create)
        .op("GetFunction", |at, i: &Named| on(at, &i.function_name), get)
        .op("GetFunctionConfiguration", |at, i: &Named| on(at, &i.function_name), get_configuration)
        .waiting_op("UpdateFunctionConfiguration", |at, i: &Settings| on(at, &i.function_name), update_configuration)
        .waiting_op("UpdateFunctionCode", |at, i: &UpdateFunctionCode| on(at, &i.function_name), update_code)
        .op("DeleteFunction", |at, i: &Named| on(at, &i.function_name), delete)
        .op("ListFunctions", |_, _: &ListFunctions| Target::any(), list)
}

/// A function as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Function {
    /// What `$LATEST` is.
    pub configuration: Configuration,
    pub tags: OrdMap<String, String>,
    pub code: StoredCode,
    /// By qualifier; the function's own under none.
    pub policies: OrdMap<String, FunctionPolicy>,
    /// How often it was started.
    pub attempts: u32,
    #[serde(with = "crate::cloud::pairs")]
    pub versions: OrdMap<u64, Version>,
    pub last_version: u64,
    /// Changes with code and configuration, and with nothing else: environments are made for it.
    pub build: String,
    /// The build of `$LATEST` that was published last.
    pub last_published: String,
    pub aliases: OrdMap<String, Alias>,
    /// Reserved concurrency.
    pub reserved: Option<u32>,
    /// What becomes of asynchronous invocations, by qualifier.
    pub event_configs: OrdMap<String, EventConfig>,
    /// What is provisioned, by version or alias.
    #[serde(default)]
    pub provisioned: OrdMap<String, super::provisioned::Provisioned>,
    /// `RecursiveLoop`; none is `Terminate`.
    #[serde(default)]
    pub recursive_loop: Option<String>,
    /// The ids of its URLs, by alias; the function's own under none.
    #[serde(default)]
    pub urls: OrdMap<String, String>,
    /// The ARN of its code signing configuration.
    #[serde(default)]
    pub signing: Option<String>,
    /// `UpdateRuntimeOn`, by version; none is `Auto`.
    #[serde(default)]
    pub runtime_updates: OrdMap<String, String>,
}

impl Function {
    /// A function without code.
    fn new(configuration: Configuration, settings: &Settings, build: String) -> Self {
        Self {
            configuration,
            tags: settings.tags.clone(),
            code: StoredCode::default(),
            policies: OrdMap::new(),
            attempts: 0,
            versions: OrdMap::new(),
            last_version: 0,
            build,
            last_published: String::new(),
            aliases: OrdMap::new(),
            reserved: None,
            event_configs: OrdMap::new(),
            provisioned: OrdMap::new(),
            recursive_loop: None,
            urls: OrdMap::new(),
            signing: settings.code_signing_config_arn.clone(),
            runtime_updates: OrdMap::new(),
        }
    }

    fn take(&mut self, code: StoredCode) {
        self.configuration.code_sha256.clone_from(&code.sha256);
        self.configuration.code_size = code.size;
        self.code = code;
    }
}

/// The zipped code counts first, then what the request is besides it.
fn check_request_size(input: &Settings) -> Result<()> {
    let zip = input.code.zip_file.as_ref().map_or(0, String::len);
    super::code::check_zip_size(zip)?;
    let variables = input.environment.as_ref().map(|environment| environment.variables.iter());
    let variables: usize = variables.into_iter().flatten().map(|(name, value)| name.len() + value.len()).sum();
    if zip + variables > REQUEST_LIMIT {
        let text = format!("Request must be smaller than {REQUEST_LIMIT} bytes for the CreateFunction operation");
        return Err(Error::new(413, "RequestEntityTooLargeException", text));
    }
    Ok(())
}

fn create(cx: &mut Cx<Functions>, input: &Settings) -> Result<Step<Configuration>> {
    let name = reachable(cx.scope, &input.function_name)?.to_owned();
    if name.len() > NAME_LIMIT {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have \
             length less than or equal to {NAME_LIMIT}"
        )));
    }
    if cx.state.functions.contains_key(&name) {
        return Err(Error::new(409, "ResourceConflictException", format!("Function already exist: {name}"))
            .with("Type", "User"));
    }
    if input.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
        return Err(Error::not_implemented("container images as the code of a Lambda function (PackageType=Image)"));
    }
    let missing =
        |member: &str| invalid(format!("{member} is mandatory for functions created with deployment packages."));
    input.runtime.as_ref().ok_or_else(|| missing("Runtime"))?;
    input.handler.as_ref().ok_or_else(|| missing("Handler"))?;
    check_request_size(input)?;
    input.check()?;
    super::tags::check_number(&input.tags)?;
    // The model requires it.
    let role = input.role.clone().unwrap_or_default();
    if !cx.access().may_assume(&role, PRINCIPAL) {
        return Err(invalid("The role defined for the function cannot be assumed by Lambda."));
    }
    super::signing::check(cx, input.code_signing_config_arn.as_deref())?;
    let network = match network::obtain(cx, input.vpc_config.as_ref())? {
        Known::Network(network) => network,
        Known::Later(later) => return Ok(Step::Later(later)),
    };
    let code = match obtain(cx, &name, &input.code)? {
        Obtained::Code(code) => code,
        Obtained::Later(later) => {
            let prefix = network.map(|network| network.prefix()).unwrap_or_default();
            return Ok(Step::Later(Later { token: format!("{prefix}{}", later.token), ..later }));
        }
    };
    let mut configuration = Configuration::new(&name, cx.scope.arn("lambda", format_args!("function:{name}")), role);
    configuration.layers = layers::wanted(cx, input.layers.as_deref())?.unwrap_or_default();
    layers::check_size(cx, &code, &configuration.layers)?;
    configuration.apply(input.clone());
    configuration.connect(network);
    let build = cx.ids().uuid();
    configuration.stamp(cx.now, build.clone());
    if let Some(architectures) = &input.architectures {
        configuration.architectures.clone_from(architectures);
    }
    let mut function = Function::new(configuration, input, build);
    function.take(code);
    let mut answer = function.configuration.clone().pending();
    // The function's revision is another one once it is active.
    function.configuration.revision_id = cx.ids().uuid();
    if input.publish {
        answer.version = function.publish(None, [cx.ids().uuid(), cx.ids().uuid()]).version;
    }
    cx.state.functions.insert(name, function);
    Ok(Step::Done(answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetFunctionOutput {
    configuration: Configuration,
    code: CodeLocation,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    tags: OrdMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<Concurrency>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CodeLocation {
    repository_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// What a list of a function's parts is asked with.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOfFunction {
    pub function_name: String,
    pub marker: Option<String>,
    pub max_items: Option<usize>,
}

fn get(cx: &mut Cx<Functions>, input: Named) -> Result<GetFunctionOutput> {
    let resolved = shown(cx, &input.function_name, input.qualifier.as_deref())?;
    let (configuration, version) = (resolved.shown(), resolved.version.into_owned());
    let function = find_mut(cx, &input.function_name)?;
    let concurrency = function.concurrency();
    // Tags are the function's: a published version is answered without them.
    let is_published = input.qualifier.as_deref().is_some_and(|place| function.version(place).is_some());
    let tags = if is_published { OrdMap::new() } else { function.tags.clone() };
    let code = function.code.clone();
    let location = if code.zip.is_some() {
        cx.endpoint().map(|endpoint| {
            let Configuration { function_name, code_sha256, .. } = &configuration;
            let path = cx.environments().code_path(cx.scope, function_name, &version, code_sha256);
            format!("{endpoint}{path}")
        })
    } else {
        code.bucket.zip(code.key).map(|(bucket, key)| format!("s3://{bucket}/{key}"))
    };
    Ok(GetFunctionOutput {
        configuration,
        code: CodeLocation { repository_type: "S3".to_owned(), location },
        tags,
        concurrency: concurrency.reserved_concurrent_executions.map(|_| concurrency),
    })
}

fn get_configuration(cx: &mut Cx<Functions>, input: Named) -> Result<Configuration> {
    shown(cx, &input.function_name, input.qualifier.as_deref()).map(|resolved| resolved.shown())
}

fn update_configuration(cx: &mut Cx<Functions>, settings: &Settings) -> Result<Step<Configuration>> {
    settings.check()?;
    if let Some(role) = &settings.role
        && !cx.access().may_assume(role, PRINCIPAL)
    {
        return Err(invalid("The role defined for the function cannot be assumed by Lambda."));
    }
    if settings.vpc_config.is_some() {
        find_mut(cx, &settings.function_name)?;
    }
    let network = match network::obtain(cx, settings.vpc_config.as_ref())? {
        Known::Network(network) => network,
        Known::Later(later) => return Ok(Step::Later(later)),
    };
    let (build, revision) = (cx.ids().uuid(), cx.ids().uuid());
    let now = cx.now;
    let layers = layers::wanted(cx, settings.layers.as_deref())?;
    let function = find_mut(cx, &settings.function_name)?;
    check_revision(settings.revision_id.as_deref(), &function.configuration)?;
    if let Some(layers) = layers {
        let code = function.code.clone();
        layers::check_size(cx, &code, &layers)?;
        find_mut(cx, &settings.function_name)?.configuration.layers = layers;
    }
    let function = find_mut(cx, &settings.function_name)?;
    let configuration = &mut function.configuration;
    configuration.apply(settings.clone());
    configuration.connect(network);
    configuration.stamp(now, build.clone());
    let answer = configuration.clone().in_progress();
    configuration.revision_id = revision;
    function.build = build;
    Ok(Step::Done(answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateFunctionCode {
    function_name: String,
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    image_uri: Option<String>,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    dry_run: bool,
}

fn update_code(cx: &mut Cx<Functions>, input: &UpdateFunctionCode) -> Result<Step<Configuration>> {
    let name = bare_name(&input.function_name).to_owned();
    let function = find_mut(cx, &input.function_name)?;
    check_revision(input.revision_id.as_deref(), &function.configuration)?;
    let signing = function.signing.clone();
    super::signing::check(cx, signing.as_deref())?;
    let source = Source {
        zip_file: input.zip_file.clone(),
        s3_bucket: input.s3_bucket.clone(),
        s3_key: input.s3_key.clone(),
        s3_object_version: input.s3_object_version.clone(),
        image_uri: input.image_uri.clone(),
    };
    let code = match obtain(cx, &name, &source)? {
        Obtained::Code(code) => code,
        Obtained::Later(later) => return Ok(Step::Later(later)),
    };
    let (build, revision) = (cx.ids().uuid(), cx.ids().uuid());
    let now = cx.now;
    let mut function = find_mut(cx, &name)?.clone();
    layers::check_size(cx, &code, &function.configuration.layers)?;
    function.take(code);
    function.configuration.stamp(now, build.clone());
    if let Some(architectures) = &input.architectures {
        function.configuration.architectures.clone_from(architectures);
    }
    let mut answer = function.configuration.clone();
    function.configuration.revision_id = revision;
    function.build = build;
    if input.publish {
        answer = function.publish(None, [cx.ids().uuid(), cx.ids().uuid()]);
    }
    if !input.dry_run {
        cx.state.functions.insert(name, function);
    }
    Ok(Step::Done(if input.publish { answer.pending() } else { answer.in_progress() }))
}

/// Deletes a function, or a version of it that no alias uses.
fn delete(cx: &mut Cx<Functions>, input: Named) -> Result<()> {
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.map(str::to_owned);
    if place.as_deref() == Some(LATEST) {
        return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
    }
    let function = find_mut(cx, &input.function_name)?;
    let arn = function.configuration.function_arn.clone();
    let Some(version) = place else {
        let name = function.configuration.function_name.clone();
        cx.state.forget_urls(&name);
        cx.state.functions.remove(&name);
        cx.environments().forget(&arn, None);
        cx.answer_status(204);
        return Ok(());
    };
    if version.parse::<u64>().is_err() {
        return Err(invalid("Deletion of aliases is not currently supported."));
    }
    let users: Vec<&String> =
        function.aliases.iter().filter(|(_, alias)| alias.uses(&version)).map(|(n, _)| n).collect();
    if !users.is_empty() {
        let text = format!("Version {version} is referenced by the aliases {users:?} and cannot be deleted.");
        return Err(Error::new(409, "ResourceConflictException", text).with("Type", "User"));
    }
    // What is not there needs no deletion.
    version.parse().ok().and_then(|number: u64| function.versions.remove(&number));
    function.event_configs.remove(&version);
    function.provisioned.remove(&version);
    function.policies.remove(&version);
    cx.environments().forget(&arn, Some(&version));
    cx.answer_status(204);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListFunctions {
    marker: Option<String>,
    max_items: Option<usize>,
    function_version: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListFunctionsOutput {
    functions: Vec<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

/// A page ends with a whole function: of those with many versions it may have more than was asked for.
fn list(cx: &mut Cx<Functions>, input: ListFunctions) -> Result<ListFunctionsOutput> {
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let all = input.function_version.is_some();
    let mut functions = Vec::new();
    let mut next_marker = None;
    for (name, function) in cx.state.functions.range(input.marker.unwrap_or_default()..) {
        if functions.len() >= size {
            next_marker = Some(name.clone());
            break;
        }
        let mut latest = function.configuration.clone();
        if all {
            latest.function_arn = format!("{}:{LATEST}", latest.function_arn);
        }
        functions.push(latest.listed());
        if all {
            functions.extend(function.versions.values().map(|version| version.configuration.clone().listed()));
        }
    }
    Ok(ListFunctionsOutput { functions, next_marker })
}

pub(super) fn find_mut<'a>(cx: &'a mut Cx<Functions>, name: &str) -> Result<&'a mut Function> {
    let name = reachable(cx.scope, name)?;
    let missing = not_found(&cx.scope.arn("lambda", format_args!("function:{name}")));
    cx.state.functions.get_mut(name).ok_or(missing)
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValueException", message).with("Type", "User")
}

pub(super) fn check_revision(wanted: Option<&str>, configuration: &Configuration) -> Result<()> {
    check_revision_of(wanted, &configuration.revision_id)
}

pub(super) fn check_revision_of(wanted: Option<&str>, there: &str) -> Result<()> {
    match wanted {
        Some(revision) if revision != there => Err(Error::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve \
             the latest Revision Id",
        )
        .with("Type", "User")),
        _ => Ok(()),
    }
}
