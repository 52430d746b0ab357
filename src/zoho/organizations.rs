//! Which organizations a token belongs to: a harmless call to its product (`zoho-oauth.md` §10).

use super::{
    CallError, Zoho,
    json::{Json, Malformed},
    refusal::accepted,
    wire::Answer,
};
use crate::domain::{organization::FoundOrganization, product::Product, secret::AccessToken};

/// Where a product lists its organizations.
struct Discovery {
    path: &'static str,
    /// The members that lead to the list; Assist has a single object there.
    list: &'static [&'static str],
    /// Members of an entry, the first that is there counts.
    ids: &'static [&'static str],
    names: &'static [&'static str],
}

const fn discovery(product: Product) -> Option<Discovery> {
    Some(match product {
        Product::Assist => Discovery {
            path: "/api/v2/user",
            list: &["representation", "org_details"],
            ids: &["zsoid"],
            names: &["org_name"],
        },
        Product::Salesiq => {
            Discovery { path: "/api/v2/portals", list: &["data"], ids: &["screenname"], names: &["name"] }
        }
        Product::Connect => {
            Discovery { path: "/pulse/api/allScopes", list: &["allScopes", "scopes"], ids: &["id"], names: &["name"] }
        }
        // `zgid` is what CRM's own pages and addresses (`/crm/org<zgid>/…`) show as the organization
        // and what its `X-CRM-ORG` header takes; `id` is the number of a record about it, which
        // nobody could compare with anything. The record's number is better than none.
        Product::Crm => {
            Discovery { path: "/crm/v8/org", list: &["org"], ids: &["zgid", "id"], names: &["company_name"] }
        }
        Product::Desk => Discovery {
            path: "/api/v1/organizations",
            list: &["data"],
            ids: &["id"],
            names: &["companyName", "portalName"],
        },
        Product::Books => Discovery {
            path: "/books/v3/organizations",
            list: &["organizations"],
            ids: &["organization_id"],
            names: &["name"],
        },
        Product::ZiaAgents => return None,
    })
}

impl Zoho {
    /// Asks `host`, the product's own (for CRM and Books the API domain). Never empty, except for
    /// Zia Agents, which has no such call: the person is asked instead.
    pub async fn organizations(
        &self,
        product: Product,
        host: &str,
        token: &AccessToken,
    ) -> Result<Vec<FoundOrganization>, CallError> {
        let Some(discovery) = discovery(product) else {
            return Ok(Vec::new());
        };
        let answer = self.get(host, discovery.path, token, self.timeouts.other).await?;
        read(product, &discovery, &answer)
    }
}

fn read(product: Product, discovery: &Discovery, answer: &Answer) -> Result<Vec<FoundOrganization>, CallError> {
    let json = accepted(Some(product), answer)?;
    let entries =
        entries(json, discovery.list).map_err(|Malformed| CallError::Misbehaved("a member of the wrong type"))?;
    let mut found: Vec<FoundOrganization> = Vec::new();
    // An entry without a usable id is nothing the person could pick.
    for organization in entries.iter().filter_map(|entry| organization(*entry, discovery)) {
        if !found.iter().any(|known| known.id == organization.id) {
            found.push(organization);
        }
    }
    if found.is_empty() { Err(CallError::Unusable("no organization is listed")) } else { Ok(found) }
}

fn entries<'a>(json: Json<'a>, list: &[&str]) -> Result<Vec<Json<'a>>, Malformed> {
    let mut json = json;
    for name in list {
        let Some(inner) = json.member(name)? else {
            return Ok(Vec::new());
        };
        json = inner;
    }
    if json.is_object() { Ok(vec![json]) } else { json.elements() }
}

fn organization(entry: Json<'_>, discovery: &Discovery) -> Option<FoundOrganization> {
    let member = |name: &&str| entry.member(name).ok().flatten();
    let id = discovery.ids.iter().filter_map(member).find_map(|id| {
        // Zoho's word for "none" where an id is a number.
        id.id().ok().filter(|id| id != "0")?.try_into().ok()
    })?;
    let name = discovery.names.iter().filter_map(member).filter_map(|name| name.text().ok());
    let name = name.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_default();
    Some(FoundOrganization::new(id, &name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(product: Product, body: &str) -> Result<Vec<(String, String)>, CallError> {
        let discovery = discovery(product).expect("a discovery call");
        let found = read(product, &discovery, &Answer::of(200, body))?;
        Ok(found.into_iter().map(|organization| (organization.id.to_string(), organization.name)).collect())
    }

    fn one(id: &str, name: &str) -> Vec<(String, String)> {
        vec![(id.to_owned(), name.to_owned())]
    }

    #[test]
    fn every_product_has_its_own_shape() {
        assert_eq!(
            of(
                Product::Assist,
                r#"{"resource_type":"user","representation":{"zuid":"74","user_role":2,"org_details":{"zsoid":77000000,"org_name":"Zylker"},"license":{"license_type":"TRIAL"}}}"#
            ),
            Ok(one("77000000", "Zylker"))
        );
        assert_eq!(
            of(
                Product::Salesiq,
                r#"{"url":"/api/v2/portals","object":"list","data":[{"owner_zuid":"7","operator_id":"8","name":"Zylker","created_time":"1520060535062","screenname":"zylker"}]}"#
            ),
            Ok(one("zylker", "Zylker"))
        );
        assert_eq!(
            of(
                Product::Connect,
                r#"{"allScopes":{"scopes":[{"name":"Zillum","id":"929000000015001","soid":"25906346","url":"https://connect.zoho.com/portal/zillum","isDefault":"true"}]}}"#
            ),
            Ok(one("929000000015001", "Zillum"))
        );
        assert_eq!(
            of(
                Product::Crm,
                r#"{"org":[{"id":"3000000000001","company_name":"Zylker","zgid":"640811234","primary_zuid":"7","country_code":"US"}]}"#
            ),
            Ok(one("640811234", "Zylker"))
        );
        assert_eq!(of(Product::Crm, r#"{"org":[{"id":"3000000000001"}]}"#), Ok(one("3000000000001", "3000000000001")));
        assert_eq!(
            of(Product::Desk, r#"{"data":[{"id":4241905,"companyName":"","portalName":"zylker","isDefault":true}]}"#),
            Ok(one("4241905", "zylker"))
        );
        assert_eq!(
            of(
                Product::Books,
                r#"{"code":0,"message":"success","organizations":[{"organization_id":"10234695","name":"Zillum"}]}"#
            ),
            Ok(one("10234695", "Zillum"))
        );
    }

    #[test]
    fn s22_ids_beyond_floating_point_stay_what_they_are() {
        for id in ["9007199254740993", "9223372036854775807", "1234567890123456789012345"] {
            assert_eq!(of(Product::Desk, &format!(r#"{{"data":[{{"id":{id}}}]}}"#)), Ok(one(id, id)));
        }
    }

    #[test]
    fn several_organizations_stay_several_and_a_broken_one_is_left_out() {
        let found = of(
            Product::Desk,
            r#"{"data":[{"id":1,"companyName":"A\u0000"},{"id":2.5},{},5,{"id":"a b"},{"id":1},{"id":2}]}"#,
        );
        assert_eq!(found.unwrap(), [("1".into(), "A\u{fffd}".into()), ("2".into(), "2".into())]);
    }

    #[test]
    fn an_answer_without_an_organization_is_of_no_use() {
        for body in [
            "{}",
            r#"{"data":[]}"#,
            r#"{"data":null}"#,
            r#"{"data":[{"id":0}]}"#,
            r#"{"data":[{"id":1e3}]}"#,
            r#"{"data":[5]}"#,
        ] {
            assert!(matches!(of(Product::Desk, body), Err(CallError::Unusable(_))), "{body}");
        }
        assert!(matches!(of(Product::Desk, r#"{"data":"x"}"#), Err(CallError::Misbehaved(_))));
        assert!(matches!(of(Product::Assist, r#"{"representation":[]}"#), Err(CallError::Misbehaved(_))));
    }

    #[test]
    fn who_has_a_discovery_scope_has_a_discovery_call() {
        for product in Product::ALL {
            assert_eq!(discovery(product).is_some(), product.discovery_scope().is_some(), "{product}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_upsets_the_reader(body in ".*", id in ".*", name in ".*") {
            for product in Product::ALL {
                if discovery(product).is_some() {
                    let _ = of(product, &body).is_ok();
                    let _ = of(product, &serde_json::json!({ "data": [{ "id": id, "name": name }] }).to_string()).is_ok();
                }
            }
        }
    }
}
