//! Against a server that misbehaves.

use super::*;
use crate::testing::{Answer, json, server};

async fn ask(api: &Api) -> Result<serde_json::Value, ApiError> {
    api.fetch("/x", JSON, |body| serde_json::from_slice(&body)).await
}

#[tokio::test]
async fn a_server_that_recovers_is_asked_again_and_every_attempt_counts() {
    let api = server(|n, _| match n {
        0 => Answer::Whole(503, "", String::new()),
        1 => Answer::Half("{\"a\":".into()),
        2 => Answer::Whole(200, "", "<html>not what was asked for".into()),
        _ => json(r#"{"a":1}"#),
    })
    .await;
    assert_eq!(ask(&api).await.unwrap()["a"], 1);
    assert_eq!(api.requests(), 4);
}

#[tokio::test]
async fn a_refusal_is_final_and_keeps_the_servers_words() {
    let api =
        server(|_, _| Answer::Whole(403, "", r#"{"kind":"Status","message":"no, you may not"}"#.into()))
            .await;
    let error = ask(&api).await.unwrap_err();
    assert_eq!((error.fault, error.words.as_str()), (Fault::Forbidden, "no, you may not"));
    assert_eq!(api.requests(), 1);
}

#[tokio::test]
async fn a_busy_server_says_when_to_come_back() {
    let api = server(|n, _| match n {
        0 => Answer::Whole(429, "Retry-After: 1\r\n", String::new()),
        _ => json("{}"),
    })
    .await;
    let begun = Instant::now();
    ask(&api).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn silence_ends_after_the_time_allowed() {
    let api = server(|_, _| Answer::Silence).await;
    let error = ask(&api).await.unwrap_err();
    assert_eq!(error.fault, Fault::TimedOut);
    assert_eq!(error.words, "no answer within 0.5 s");
    assert_eq!(api.requests(), 2);
}

#[tokio::test]
async fn a_run_that_ends_lets_nobody_wait() {
    let api = server(|_, _| Answer::Silence).await;
    let stop = api.stop().clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        stop.request(crate::stop::Reason::Interrupted);
    });
    assert_eq!(ask(&api).await.unwrap_err().fault, Fault::Stopped);
    assert_eq!(ask(&api).await.unwrap_err().fault, Fault::Stopped);
    assert_eq!(api.requests(), 1);
}

#[tokio::test]
async fn nothing_listens_there() {
    let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    let bounds = Bounds { qps: 100.0, concurrency: 1, request_timeout: Duration::from_secs(1) };
    let api = Api::new(kube::Client::try_from(config).unwrap(), bounds, Stop::default());
    let error = ask(&api).await.unwrap_err();
    assert_eq!(error.fault, Fault::Network);
    assert!(error.words.contains("Connection refused"), "{}", error.words);
}
