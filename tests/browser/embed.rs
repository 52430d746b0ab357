//! A SaaS's own page with the embed of `examples/embed`: the invitation runs in a window of its own, and the page hears
//! when it is done.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use thirtyfour::By;

use crate::{Stage, demo::Demo, on_stage_of};

/// The example's server.
struct Saas {
    server: Child,
    url: String,
}

impl Saas {
    fn start(demo: &Demo, port: u16) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/embed/server.py");
        let mut server = Command::new("python3")
            .arg(program)
            .env("LWZ_URL", &demo.url)
            .env("LWZ_KEY", &demo.api_key)
            .env("PORT", port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let said = BufReader::new(server.stdout.take().expect("piped")).lines().next();
        let url = said.expect("a line").expect("a line");
        Self { server, url }
    }
}

impl Drop for Saas {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("localhost:0").expect("a port").local_addr().expect("its address").port()
}

impl Stage {
    /// Looks at the window that is not `main`, as soon as there is one.
    async fn other_window(&self, main: &thirtyfour::WindowHandle) {
        let driver = &self.browser.driver;
        self.browser
            .until("the window is open", async || {
                let Some(other) = driver.windows().await?.into_iter().find(|window| window != main) else {
                    return Ok(false);
                };
                driver.switch_to_window(other).await.map(|()| true)
            })
            .await;
    }
}

#[tokio::test]
async fn s46_a_saas_page_hears_from_its_window_that_its_customer_is_connected() {
    let port = free_port();
    let demo = Demo::start_with(&["--return-origins", &format!("http://localhost:{port}")]);
    on_stage_of(demo, async |stage| {
        let saas = Saas::start(&stage.demo, port);
        stage.browser.go(&saas.url).await;
        let main = stage.browser.driver.window().await.expect("a window");
        stage.browser.press("Connect Zoho").await;
        stage.other_window(&main).await;
        stage.browser.see("Example Customer").await;
        stage.examine("onboarding").await;
        stage.browser.press("Connect Zoho CRM at Zoho").await;
        stage.pick_person("us", "sam@example.com").await;
        stage.browser.press("Accept").await;
        stage.browser.see("Connect this to").await;
        stage.browser.see("sam@example.com").await;
        stage.examine("onboarding-confirm").await;
        stage.browser.press("Yes, connect it").await;
        stage.browser.see("is connected to").await;
        stage.examine("onboarding-done").await;
        let back = stage.browser.find(By::Css("a[rel='external']".to_owned())).await;
        let leads_to = back.attr("href").await.expect("a link").unwrap_or_default();
        assert!(leads_to.starts_with(&format!("{}/connected?onboarding_link=", saas.url)), "{leads_to}");
        stage.browser.press("Go on at localhost").await;
        stage.browser.driver.switch_to_window(main).await.expect("the first window");
        stage.browser.see("Connected:").await;
    })
    .await;
}
