//! Figures that renew themselves do so while somebody looks, and ask for nothing while nobody does.

use serde_json::json;

use crate::{Demo, Stage, on_stage_of};

/// The page's seconds pass twenty times as fast, and it counts what it asks for, and how many of the figures' pauses pass.
const WATCH: &str = "
    const [wait, ask] = [window.setTimeout, window.fetch];
    window.setTimeout = (then, pause) => wait(then, pause >= 1000 ? pause / 20 : pause);
    window.asked = window.pauses = 0;
    window.fetch = (address, options) => { if (String(address).endsWith('/figures')) window.asked += 1; return ask(address, options); };
    window.setInterval(() => window.pauses += 1, 250);
";

impl Stage {
    async fn count(&self, what: &str) -> u64 {
        self.browser.look(&format!("return window.{what}")).await.as_u64().unwrap_or_default()
    }

    async fn until_more(&self, what: &str, than: u64) {
        self.browser.until(&format!("more {what} than {than}"), async || Ok(self.count(what).await > than)).await;
    }

    async fn until_hidden(&self, hidden: bool) {
        let script = "return document.hidden";
        let what = if hidden { "nobody looks" } else { "somebody looks" };
        self.browser.until(what, async || Ok(self.browser.look(script).await == json!(hidden))).await;
    }
}

#[tokio::test]
async fn figures_renew_themselves_and_stop_while_nobody_looks() {
    on_stage_of(Demo::start_with(&["--operators", "us:780000001"]), async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.browser.see("is connected").await;
        stage.browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await;
        stage.open("/operator/health").await;
        stage.browser.see("Way to Zoho").await;
        stage.until_more("asked", 1).await;

        // As behind another tab: a headless browser shows all its tabs.
        stage.browser.driver.minimize_window().await.expect("a window");
        stage.until_hidden(true).await;
        // What was under way has come back; then not one request in so many pauses that would each have brought one.
        let pauses = stage.count("pauses").await;
        stage.until_more("pauses", pauses + 1).await;
        let (asked, pauses) = (stage.count("asked").await, stage.count("pauses").await);
        stage.until_more("pauses", pauses + 4).await;
        assert_eq!(stage.count("asked").await, asked, "nothing is asked while nobody looks");

        stage.browser.driver.set_window_rect(0, 0, 1280, 900).await.expect("a window");
        stage.until_hidden(false).await;
        stage.until_more("asked", asked + 1).await;
        stage.browser.see("Way to Zoho").await;
    })
    .await;
}
