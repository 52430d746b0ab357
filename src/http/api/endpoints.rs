//! The route table of the API. A line of it registers a handler *and* puts it into the OpenAPI document:
//! a handler without `#[utoipa::path]` does not compile, one that is not in the table is dead code.
//!
//! `GET` answers `HEAD` as well; `any` is every method that a product may be called with. Another method is
//! 405 and says in `Allow` what there is.

use actix_web::{
    FromRequest, Handler, HttpResponse, Responder, Route, Scope,
    http::{Method, header::ALLOW},
    web,
};

/// What the proxy passes on (security.md S-61).
const ANY: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// `get "/connections" connections::list_connections;`, a line for each.
macro_rules! endpoints {
    ($($method:ident $path:literal $module:ident::$handler:ident;)+) => {
        /// The same handlers, as `#[utoipa::path]` describes them.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($module::$handler),+), components(schemas(schema::Problem)))]
        struct Described;

        fn endpoints() -> endpoints::Endpoints {
            endpoints::Endpoints::default()$(.add(stringify!($method), $path, &$module::$handler))+
        }
    };
}
pub(super) use endpoints;

#[derive(Default)]
pub(super) struct Endpoints(Vec<Endpoint>);

struct Endpoint {
    path: &'static str,
    methods: Vec<Method>,
    routes: Vec<Route>,
}

impl Endpoints {
    /// Handlers of one path share its resource.
    pub(super) fn add<F, Args>(mut self, method: &str, path: &'static str, handler: &F) -> Self
    where
        F: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        let methods = methods(method);
        let routes = methods.iter().map(|method| web::method(method.clone()).to(handler.clone())).collect();
        match self.0.iter_mut().find(|endpoint| endpoint.path == path) {
            Some(endpoint) => {
                endpoint.methods.extend(methods);
                endpoint.routes.extend::<Vec<Route>>(routes);
            }
            None => self.0.push(Endpoint { path, methods, routes }),
        }
        self
    }

    pub(super) fn register(self, scope: Scope) -> Scope {
        self.0.into_iter().fold(scope, |scope, endpoint| {
            let allowed = endpoint.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            let resource = endpoint.routes.into_iter().fold(web::resource(endpoint.path), actix_web::Resource::route);
            scope.service(resource.default_service(not_allowed(allowed)))
        })
    }

    /// `GET /connections`, by method and path; a `HEAD` that only repeats a `GET` is left out.
    #[cfg(test)]
    pub(super) fn listed(&self) -> std::collections::BTreeSet<String> {
        let line = |method: &Method, path: &str| format!("{method} {}", path.replace(":.*}", "}"));
        let lines = self.0.iter().flat_map(|endpoint| {
            let told = endpoint.methods.iter().filter(|method| **method != Method::HEAD || endpoint.methods.len() > 4);
            told.map(move |method| line(method, endpoint.path))
        });
        lines.collect()
    }
}

fn methods(method: &str) -> Vec<Method> {
    match method {
        "get" => vec![Method::GET, Method::HEAD],
        "post" => vec![Method::POST],
        "patch" => vec![Method::PATCH],
        "delete" => vec![Method::DELETE],
        "any" => ANY.to_vec(),
        other => unreachable!("the route table says {other}"),
    }
}

fn not_allowed(allowed: String) -> Route {
    web::to(move || {
        let answer = HttpResponse::MethodNotAllowed().insert_header((ALLOW, allowed.as_str())).finish();
        async move { answer }
    })
}
