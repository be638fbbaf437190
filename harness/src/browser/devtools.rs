//! Fresh profiles in a browser that runs already, over the browser's own DevTools connection: WebDriver has no word for
//! them. A profile (the protocol's "browser context") has cookies, storage, cache and service workers of its own.

use std::fs;

use fantoccini::{Client, wd::WindowHandle};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{Error, log::Written};
use crate::{bounded, limits};

/// Letters of an object in a report.
const LETTERS: usize = 300;

/// A connection to a browser on this machine.
#[derive(Debug)]
pub(super) struct DevTools {
    socket: WebSocketStream<TcpStream>,
    last: u64,
}

/// A profile of its own in a running browser, by the browser's id.
#[derive(Debug)]
pub(super) struct Profile(String);

/// What a browser takes of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    pub bytes: u64,
    /// Processor time of its pages so far.
    pub seconds: f64,
}

impl DevTools {
    /// Connects to the browser that a session of a local driver started, by a client that takes no proxy.
    pub async fn of(session: &Client, http: &reqwest::Client) -> Result<Self, Error> {
        let options = session.capabilities().and_then(|capabilities| capabilities.get("goog:chromeOptions"));
        let address = options.and_then(|options| options["debuggerAddress"].as_str());
        let address = address.ok_or_else(|| failed("the driver does not tell its address"))?;
        let request = http.get(format!("http://{address}/json/version")).timeout(limits::DRIVER_START).build();
        let asked = bounded::answer(http, request.map_err(failed)?, limits::BODY_BYTES).await.map_err(failed)?;
        let version: Value = serde_json::from_str(&asked.body).map_err(failed)?;
        let url = version["webSocketDebuggerUrl"].as_str().unwrap_or_default();
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        let (socket, _) = client_async(url, stream).await.map_err(failed)?;
        Ok(Self { socket, last: 0 })
    }

    /// Makes a profile; it has no window yet.
    pub async fn profile(&mut self) -> Result<Profile, Error> {
        let made = self.call("Target.createBrowserContext", json!({ "disposeOnDetach": true })).await?;
        Ok(Profile(text(&made, "browserContextId")?))
    }

    /// Opens an empty window in a profile.
    pub async fn window(&mut self, Profile(id): &Profile) -> Result<WindowHandle, Error> {
        let made = self.call("Target.createTarget", json!({ "url": "about:blank", "browserContextId": id })).await?;
        // A target's id is the driver's handle of the window.
        WindowHandle::try_from(text(&made, "targetId")?).map_err(failed)
    }

    /// Ends a profile with its windows.
    pub async fn end(&mut self, Profile(id): Profile) -> Result<(), Error> {
        self.call("Target.disposeBrowserContext", json!({ "browserContextId": id })).await.map(drop)
    }

    /// What the browser's processes take: the memory of all, and the processor time of those that run pages.
    pub async fn load(&mut self) -> Result<Load, Error> {
        let known = self.call("SystemInfo.getProcessInfo", json!({})).await?;
        let mut load = Load::default();
        for process in known["processInfo"].as_array().into_iter().flatten() {
            load.bytes += process["id"].as_u64().map_or(0, memory_of);
            if process["type"] == "renderer" {
                load.seconds += process["cpuTime"].as_f64().unwrap_or_default();
            }
        }
        Ok(load)
    }

    /// Ends the browser, whatever its pages do: they do not run in the process that is asked.
    pub async fn end_browser(&mut self) -> Result<(), Error> {
        self.call("Browser.close", json!({})).await.map(drop)
    }

    /// What the page of a window wrote to the console with objects in it.
    pub async fn written(&mut self, window: &WindowHandle) -> Result<Vec<Written>, Error> {
        let target = json!({ "targetId": String::from(window.clone()), "flatten": true });
        let session = text(&self.call("Target.attachToTarget", target).await?, "sessionId")?;
        // Whoever begins to listen hears what was written before.
        let mut heard = Vec::new();
        self.call_in(Some(&session), "Runtime.enable", json!({}), |event| heard.push(event)).await?;
        let mut written = Vec::new();
        for event in heard.iter().filter(|event| event["method"] == "Runtime.consoleAPICalled") {
            let (mut short, mut whole) = (Vec::new(), Vec::new());
            for value in event["params"]["args"].as_array().into_iter().flatten() {
                let name = match &value["value"] {
                    Value::Null => value["description"].as_str().unwrap_or("null").to_owned(),
                    value => value.to_string(),
                };
                whole.push(self.spelled_out(&session, value).await?.unwrap_or_else(|| name.clone()));
                short.push(name);
            }
            written.push(Written { short: short.join(" "), whole: whole.join(" ") });
        }
        self.call("Target.detachFromTarget", json!({ "sessionId": session })).await?;
        Ok(written)
    }

    /// What stands in an object, in as many letters as a report can bear; nothing of an error, which says it itself.
    async fn spelled_out(&mut self, session: &str, value: &Value) -> Result<Option<String>, Error> {
        let Some(object) = value["objectId"].as_str().filter(|_| value["subtype"] != "error") else { return Ok(None) };
        let function = "function () { try { return JSON.stringify(this); } catch { return undefined; } }";
        let parameters = json!({ "objectId": object, "functionDeclaration": function, "returnByValue": true });
        let answer = self.call_in(Some(session), "Runtime.callFunctionOn", parameters, drop).await?;
        Ok(answer["result"]["value"].as_str().map(|text| text.chars().take(LETTERS).collect()))
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Result<Value, Error> {
        self.call_in(None, method, parameters, drop).await
    }

    /// The answer to a call, in the session of a page if there is one; `hear` takes what is said before it.
    async fn call_in(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
        mut hear: impl FnMut(Value),
    ) -> Result<Value, Error> {
        self.last += 1;
        let mut call = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = session {
            call["sessionId"] = session.into();
        }
        self.socket.send(Message::text(call.to_string())).await.map_err(failed)?;
        while let Some(message) = self.socket.next().await {
            let message = message.map_err(failed)?;
            let mut answer: Value = serde_json::from_str(message.to_text().map_err(failed)?).unwrap_or_default();
            if answer["id"] != self.last {
                hear(answer);
                continue;
            }
            return match answer.get("error") {
                Some(error) => Err(failed(format!("{method}: {error}"))),
                None => Ok(answer["result"].take()),
            };
        }
        Err(failed("the browser closed the connection"))
    }
}

/// Bytes of a process that are its own, as far as the system says.
fn memory_of(process: u64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let own =
        status.lines().filter_map(|line| line.strip_prefix("RssAnon:").or_else(|| line.strip_prefix("RssShmem:")));
    own.filter_map(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).sum::<u64>() * 1024
}

fn text(answer: &Value, name: &str) -> Result<String, Error> {
    answer[name].as_str().map(str::to_owned).ok_or_else(|| failed(format!("no {name} in {answer}")))
}

fn failed(why: impl ToString) -> Error {
    Error::Command { what: "open a fresh profile", why: why.to_string() }
}
