//! A Garoa whose API has a function of this process behind it, as a project's own tests have: what REST and Lambda cost.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use aws_types::SdkConfig;
use clap::Parser;
use garoa::clock::ClockMode;
use garoa::cloud::{Cloud, IamMode, TraceDepth};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One function that answers a constant, behind `POST /hello` of a REST API.
const TEMPLATE: &str = r"
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: hello
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: ./hello/
      MemorySize: 128
      Events:
        Post:
          Type: Api
          Properties: {Path: /hello, Method: post}
";

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

fn main() -> Result<(), Error> {
    let Arguments { listen } = Arguments::parse();
    garoa::serve::runtime()?.block_on(serve(listen))
}

async fn serve(listen: SocketAddr) -> Result<(), Error> {
    let code = garoa::lambda::handler(|_: &SdkConfig, _: &dyn Fn(&str) -> Option<String>| {
        Ok::<_, std::convert::Infallible>(service_fn(answer))
    });
    let cloud = Cloud::builder().clock(ClockMode::Real).iam(IamMode::Off).trace(TraceDepth::Nothing);
    let cloud = cloud.function("hello", code).build();
    cloud.deploy("bench", TEMPLATE, &BTreeMap::new()).await?;
    let listener = tokio::net::TcpListener::bind(listen).await?;
    eprintln!("garoa-function serves on http://{}", listener.local_addr()?);
    garoa::serve::serve(cloud, listener, std::future::pending()).await?;
    Ok(())
}

/// What the function reads of its event.
#[derive(Deserialize)]
struct Event {
    body: String,
}

async fn answer(event: LambdaEvent<Event>) -> Result<Value, Error> {
    Ok(json!({ "statusCode": 200, "body": format!("{} bytes", event.payload.body.len()) }))
}
