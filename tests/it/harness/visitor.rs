//! A person's browser without comfort: it keeps cookies, and follows nothing by itself.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use login_with_zoho::settings::PublicUrl;
use reqwest::{
    Client, Method, RequestBuilder,
    header::{COOKIE, HOST, LOCATION},
    redirect::Policy,
};

use super::{Page, wait_for};

/// Clones are the same browser.
#[derive(Clone)]
pub struct Visitor {
    http: Client,
    public_url: PublicUrl,
    addresses: Arc<[SocketAddr]>,
    replica: usize,
    jar: Arc<Mutex<Vec<(String, String)>>>,
}

impl Visitor {
    pub fn new(public_url: PublicUrl, addresses: Vec<SocketAddr>) -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { http, public_url, addresses: addresses.into(), replica: 0, jar: Arc::default() }
    }

    /// The same browser, led to another replica by the load balancer.
    pub fn via(&self, replica: usize) -> Self {
        Self { replica: replica % self.addresses.len(), ..self.clone() }
    }

    /// Another browser with a copy of these cookies.
    pub fn copy(&self) -> Self {
        Self { jar: Arc::new(Mutex::new(self.cookies())), ..self.clone() }
    }

    /// The host that stands in its address bar.
    pub fn host(&self) -> &str {
        self.public_url.origin().split_once("://").unwrap().1
    }

    pub fn cookies(&self) -> Vec<(String, String)> {
        self.jar.lock().unwrap().clone()
    }

    /// The one cookie whose name ends, or begins, so.
    pub fn cookie(&self, part: &str) -> Option<(String, String)> {
        self.cookies().into_iter().find(|(name, _)| name.contains(part))
    }

    pub fn session(&self) -> Option<String> {
        self.cookie("lwz_session").map(|(_, value)| value)
    }

    /// Puts a cookie there, in place of one of the same name.
    pub fn put_cookie(&self, name: &str, value: &str) {
        let mut jar = self.jar.lock().unwrap();
        jar.retain(|(known, _)| known != name);
        jar.push((name.to_owned(), value.to_owned()));
    }

    pub fn drop_cookies(&self, part: &str) {
        self.jar.lock().unwrap().retain(|(name, _)| !name.contains(part));
    }

    /// As it stands in the request.
    pub fn cookie_header(&self) -> String {
        self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, page: &Page) {
        for line in page.set_cookies() {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.drop_cookies_named(name);
            if !line.contains("Max-Age=0") {
                self.put_cookie(name, value);
            }
        }
    }

    fn drop_cookies_named(&self, name: &str) {
        self.jar.lock().unwrap().retain(|(known, _)| known != name);
    }

    /// A request to the site, by path or by its own whole URL.
    pub fn request(&self, method: Method, target: &str) -> Request<'_> {
        let path = target.strip_prefix(self.public_url.origin()).unwrap_or(target);
        assert!(path.starts_with('/'), "{target} is not of this site");
        let url = format!("http://{}{path}", self.addresses[self.replica]);
        let mut builder = self.http.request(method, url).header(HOST, self.host());
        if self.public_url.is_https() {
            builder = builder.header("x-forwarded-proto", "https");
        }
        Request { visitor: self, builder, sends_cookies: true }
    }

    pub async fn get(&self, target: &str) -> Page {
        self.request(Method::GET, target).send().await
    }

    /// Sends a form as our own page would.
    pub async fn post_form(&self, target: &str, form: &[(&str, &str)]) -> Page {
        self.request(Method::POST, target).same_origin().form(form).send().await
    }

    /// Sends a form with the token that stands on `page`.
    pub async fn submit(&self, page: &str, target: &str, form: &[(&str, &str)]) -> Page {
        let csrf = self.patiently(page).await.csrf();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(form);
        self.post_form(target, &all).await
    }

    /// Begins, and tells where consent is asked for. On a machine that is busy with other tests, "not at the moment" is an
    /// honest answer: the visitor tries again, as a person would.
    pub async fn begin(&self, target: &str) -> String {
        self.patiently(target).await.location().to_owned()
    }

    async fn patiently(&self, target: &str) -> Page {
        wait_for("anything but 503", || async { Some(self.get(target).await).filter(|page| page.status != 503) }).await
    }

    /// Consents at Zoho as `person`; tells where Zoho sends the browser.
    pub async fn go_to_zoho(&self, consent: &str, person: &str) -> String {
        self.answer_zoho(consent, &[("emulator_person", person), ("emulator_answer", "accept")]).await
    }

    /// Consents for one of several organizations; `all` leaves it to the product.
    pub async fn go_to_zoho_for(&self, consent: &str, person: &str, organization: &str) -> String {
        let answer =
            [("emulator_person", person), ("emulator_answer", "accept"), ("emulator_organization", organization)];
        self.answer_zoho(consent, &answer).await
    }

    pub async fn refuse_at_zoho(&self, consent: &str, person: &str) -> String {
        self.answer_zoho(consent, &[("emulator_person", person), ("emulator_answer", "reject")]).await
    }

    async fn answer_zoho(&self, consent: &str, answer: &[(&str, &str)]) -> String {
        let answered = self.http.get(consent).query(answer).send().await.unwrap();
        let status = answered.status();
        let Some(location) = answered.headers().get(LOCATION) else {
            panic!("Zoho did not send the browser back: {status}\n{}", answered.text().await.unwrap())
        };
        let location = location.to_str().unwrap().to_owned();
        assert!(location.starts_with(self.public_url.redirect_uri()), "{location}");
        location
    }

    /// Opens the callback once.
    pub async fn come_back(&self, callback: &str) -> Page {
        self.get(callback).await
    }

    /// Opens the callback, and waits on the finishing page if there is one.
    pub async fn land(&self, callback: &str) -> Page {
        let page = self.patiently(callback).await;
        self.finish(page).await
    }

    /// Waits on the finishing page, if that is where an answer leads.
    pub async fn finish(&self, mut page: Page) -> Page {
        if page.status == 303 && page.location().starts_with("/login/finishing/") {
            let finishing = page.location().to_owned();
            page = wait_for("the finishing page leads on", || async {
                Some(self.get(&finishing).await).filter(|page| page.status == 303)
            })
            .await;
        }
        page
    }

    /// The whole way of the button; the answer is the redirect to the landing.
    pub async fn sign_in_as(&self, person: &str) -> Page {
        self.go("/login", person).await
    }

    /// The whole way from `target` to the landing.
    pub async fn go(&self, target: &str, person: &str) -> Page {
        let consent = self.begin(target).await;
        self.land(&self.go_to_zoho(&consent, person).await).await
    }

    /// Connects a product to the person's own tenant, for one of their organizations; tells the connection's id.
    pub async fn connect(&self, product: &str, person: &str, organization: &str) -> Page {
        let consent = self.begin(&format!("/login?product={product}")).await;
        self.land(&self.go_to_zoho_for(&consent, person, organization).await).await
    }

    pub async fn is_signed_in(&self) -> bool {
        self.get("/connections").await.status == 200
    }

    /// The ids of the connections on `/connections`, in their order there.
    pub async fn connection_ids(&self) -> Vec<String> {
        let page = self.patiently("/connections").await;
        page.assert_status(200);
        let mut ids = Vec::new();
        for link in page.links() {
            let id = link.strip_prefix("/connections/").and_then(|rest| rest.split(['/', '?', '#']).next());
            if let Some(id) = id.filter(|id| uuid::Uuid::parse_str(id).is_ok() && !ids.iter().any(|known| known == id))
            {
                ids.push(id.to_owned());
            }
        }
        ids
    }

    /// The only connection there is.
    #[track_caller]
    pub fn only_connection(&self) -> impl Future<Output = String> {
        let visitor = self.clone();
        async move {
            let ids = visitor.connection_ids().await;
            assert_eq!(ids.len(), 1, "{ids:?}");
            ids.into_iter().next().unwrap()
        }
    }
}

#[must_use]
pub struct Request<'a> {
    visitor: &'a Visitor,
    builder: RequestBuilder,
    sends_cookies: bool,
}

impl Request<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub fn form(mut self, form: &[(&str, &str)]) -> Self {
        self.builder = self.builder.form(form);
        self
    }

    pub fn body(mut self, content_type: &str, body: &str) -> Self {
        self.builder = self.builder.header("content-type", content_type).body(body.to_owned());
        self
    }

    /// What browsers say of a request from our own page.
    pub fn same_origin(self) -> Self {
        let origin = self.visitor.public_url.origin().to_owned();
        self.header("origin", &origin).header("sec-fetch-site", "same-origin")
    }

    /// Sends no cookie and keeps none.
    pub fn without_cookies(mut self) -> Self {
        self.sends_cookies = false;
        self
    }

    pub async fn send(self) -> Page {
        let mut builder = self.builder;
        let cookies = self.visitor.cookie_header();
        if self.sends_cookies && !cookies.is_empty() {
            builder = builder.header(COOKIE, cookies);
        }
        let page = Page::read(builder.send().await.unwrap()).await;
        if self.sends_cookies {
            self.visitor.keep(&page);
        }
        page
    }
}
