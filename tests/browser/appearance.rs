//! What must hold for the look of every page: nothing scrolls sideways, and axe-core finds nothing, in both themes.

use std::{env, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::Stage;

/// axe-core 4.14.1 (MPL-2.0), as published.
const AXE: &str = include_str!("axe/axe.min.js");

/// A small phone, a phone, a desktop.
const SIZES: [(&str, u32, u32); 3] = [("small", 320, 640), ("phone", 390, 844), ("desktop", 1280, 900)];

/// Whatever is wider than the window, but for code that scrolls in its own box.
const TOO_WIDE: &str = "
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > width + 1 && !element.closest('pre'))
        .map((element) => element.outerHTML.slice(0, 120));";

/// Rules of WCAG 2.2 up to AA, and what axe-core calls good practice; of AAA the contrast of text.
const RUN_AXE: &str = "
    return axe.run(document, {
        resultTypes: ['violations'],
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        rules: arguments[0],
    }).then((found) => found.violations.map((violation) => ({
        rule: violation.id,
        help: violation.help,
        at: violation.nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')),
    })));";

/// Whose page it is: ours reaches AAA for text (ui.md), the emulator's AA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Emulators,
}

impl Stage {
    /// Looks at the page as it stands, in every size and both themes; leaves a desktop in its light theme.
    pub(crate) async fn examine(&mut self, name: &str) {
        let whose =
            if self.browser.address().await.starts_with(&self.demo.url) { Whose::Ours } else { Whose::Emulators };
        self.browser.driver.execute(AXE, Vec::new()).await.expect("axe-core loads");
        for theme in ["dark", "light"] {
            self.browser.prefer(theme).await;
            for (size, width, height) in SIZES {
                self.browser.resize(width, height).await;
                let too_wide = self.browser.look(TOO_WIDE).await;
                if too_wide != json!([]) {
                    self.findings.push(format!("{name} scrolls sideways at {width} pixels: {too_wide:#}"));
                }
                self.keep(&format!("{name}-{size}-{theme}"), size).await;
            }
            self.run_axe(name, theme, whose).await;
        }
    }

    async fn run_axe(&mut self, name: &str, theme: &str, whose: Whose) {
        let rules = json!({ "color-contrast-enhanced": { "enabled": whose == Whose::Ours } });
        let found = self.browser.driver.execute(RUN_AXE, vec![rules]).await.expect("axe-core runs");
        if found.json() != &json!([]) {
            self.findings.push(format!("{name} in its {theme} theme: {:#}", found.json()));
        }
    }

    /// A picture of the whole page, for people to look at.
    async fn keep(&self, name: &str, size: &str) {
        let Some(directory) = env::var_os("SCREENSHOTS").map(PathBuf::from).filter(|_| size != "small") else { return };
        let parameters = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.browser.devtools("Page.captureScreenshot", parameters).await;
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap_or_default()).expect("base64");
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join(format!("{name}.png")), bytes).expect("a file");
    }

    /// The background of the page, as painted.
    pub(crate) async fn background(&self) -> Value {
        self.browser.look("return getComputedStyle(document.documentElement).backgroundColor").await
    }
}
