//! One headless Chromium behind its own driver, and what a person does with it, in words.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{Child, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    ChromiumLikeCapabilities as _, LoggingPrefsLogLevel,
    common::command::{Command, ExtensionCommand},
    error::WebDriverResult,
    prelude::{By, DesiredCapabilities, WebDriver, WebElement},
};

use crate::processes;

/// Nothing takes so long but a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(20);
const STARTS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    chromedriver: Child,
    complaints: BTreeSet<String>,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let profile = tempfile::tempdir().expect("a directory");
        let (chromedriver, port) =
            (0..STARTS).find_map(|_| start_driver()).expect("chromedriver starts (CHROMEDRIVER names another one)");
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities(&profile).expect("capabilities"))
            .await
            .expect("Chromium starts (CHROMIUM names another one)");
        let browser = Self { driver, chromedriver, complaints: BTreeSet::new(), _profile: profile };
        browser.resize(1280, 900).await;
        browser
    }

    pub(crate) async fn go(&self, url: &str) {
        self.driver.goto(url).await.expect("the page opens");
    }

    /// Clicks the button or link of these words, once it is there.
    pub(crate) async fn press(&self, words: &str) {
        let quoted = quoted(words);
        let xpath = format!(
            "(//button|//a|//summary)[contains(normalize-space(.), {quoted}) and not(ancestor::details[not(@open)] and not(self::summary))]"
        );
        self.press_at(By::XPath(xpath)).await;
    }

    pub(crate) async fn press_at(&self, place: By) {
        self.until(&format!("{place:?} can be pressed"), async || {
            self.driver.find(place.clone()).await?.click().await.map(|()| true)
        })
        .await;
    }

    pub(crate) async fn find(&self, place: By) -> WebElement {
        self.until(&format!("{place:?} is there"), async || self.driver.find(place.clone()).await.map(|_| true)).await;
        self.driver.find(place).await.expect("just seen")
    }

    /// Types into the field of this id, in the place of what stands there.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let field = self.find(By::Id(id)).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    pub(crate) async fn choose(&self, id: &str, value: &str) {
        self.press_at(By::Css(format!("#{id} option[value='{value}']"))).await;
    }

    /// Waits for these words on the page.
    pub(crate) async fn see(&self, words: &str) {
        self.until(&format!("the page says {words:?}"), async || Ok(self.words().await.contains(words))).await;
    }

    /// All text of the page, blanks collapsed.
    pub(crate) async fn words(&self) -> String {
        let text = self.look("return document.body ? document.body.innerText : ''").await;
        text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) async fn address(&self) -> String {
        self.driver.current_url().await.expect("an address").to_string()
    }

    /// Waits until the address bar shows exactly this.
    pub(crate) async fn arrive(&self, url: &str) {
        self.until(&format!("the address is {url}"), async || Ok(self.address().await == url)).await;
        self.until("the page is complete", async || {
            Ok(self.look("return document.readyState").await == json!("complete"))
        })
        .await;
    }

    /// Waits for a condition, with a bound. What is not there yet is looked for again.
    pub(crate) async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> WebDriverResult<bool>) {
        let started = Instant::now();
        let mut last = String::new();
        while started.elapsed() < PATIENCE {
            match condition().await {
                Ok(true) => return,
                Ok(false) => last.clear(),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("not within {PATIENCE:?}: {what} (now at {}) {last}", self.address().await);
    }

    /// What a script of ours finds out; null while one page makes way for the next.
    pub(crate) async fn look(&self, script: &str) -> Value {
        let found = self.driver.execute(script, Vec::new()).await;
        found.map_or(Value::Null, |found| found.json().clone())
    }

    pub(crate) async fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        let command_line = Command::ExtensionCommand(Box::new(DevTools(command, parameters)));
        let answer = self.driver.handle().cmd(command_line).await.expect(command);
        answer.value_json().expect("JSON")
    }

    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub(crate) async fn prefer(&self, scheme: &str) {
        // Without motion a color is what it will be.
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    pub(crate) async fn switch_scripts_off(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    /// As a browser that has never been here, nor at Zoho.
    pub(crate) async fn forget_everything(&self) {
        self.devtools("Network.clearBrowserCookies", json!({})).await;
    }

    /// Reads the console: policy violations and script errors are kept, refused pages are what some tests are about.
    async fn listen(&mut self) {
        let Ok(entries) = self.driver.browser_log().await else { return };
        let serious = entries.into_iter().filter(|entry| {
            let of_policy =
                ["Content Security Policy", "Content-Security-Policy"].iter().any(|name| entry.message.contains(name));
            of_policy || entry.level == "SEVERE" && entry.source.as_deref() != Some("network")
        });
        self.complaints.extend(serious.map(|entry| entry.message));
    }

    /// For whoever reads about a failure.
    #[expect(clippy::print_stderr, reason = "a test's own output")]
    pub(crate) async fn describe(&self) {
        eprintln!("the browser is at {} and shows: {}", self.address().await, self.words().await);
    }

    /// Ends browser and driver; says what the browser had to complain about.
    pub(crate) async fn quit(mut self) -> Vec<String> {
        self.listen().await;
        let _ = self.driver.clone().quit().await;
        std::mem::take(&mut self.complaints).into_iter().collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        processes::signal("KILL", -i64::from(self.chromedriver.id()));
        let _ = self.chromedriver.wait();
    }
}

/// The driver picks a free port of IPv6, and gives up where that one is taken in IPv4.
fn start_driver() -> Option<(Child, String)> {
    let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
    let mut child = std::process::Command::new(program)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(child.stdout.take()?).lines().map_while(Result::ok);
    let (say, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let port = lines.find_map(|line| {
            line.split_once("started successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        let _ = say.send(port);
        lines.for_each(drop);
    });
    if let Some(port) = hear.recv_timeout(PATIENCE).ok().flatten() {
        return Some((child, port));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn capabilities(profile: &TempDir) -> WebDriverResult<thirtyfour::ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    let user_data = format!("--user-data-dir={}", profile.path().display());
    for flag in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-proxy-server",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        user_data.as_str(),
    ] {
        capabilities.add_arg(flag)?;
    }
    if let Some(binary) = env::var_os("CHROMIUM") {
        capabilities.set_binary(&binary.to_string_lossy())?;
    }
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    Ok(capabilities)
}

/// XPath has no escapes: words with both kinds of quotes are put together.
fn quoted(words: &str) -> String {
    let parts: Vec<String> = words.split('"').map(|part| format!("\"{part}\"")).collect();
    if parts.len() == 1 { parts.concat() } else { format!("concat({})", parts.join(", '\"', ")) }
}

/// A command of the DevTools protocol, by chromedriver's own way to it.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl ExtensionCommand for DevTools {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({ "cmd": self.0, "params": self.1 }))
    }

    fn method(&self) -> reqwest::Method {
        reqwest::Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/goog/cdp/execute".into()
    }
}
