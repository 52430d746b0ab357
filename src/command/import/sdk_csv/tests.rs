use std::collections::BTreeSet;

use super::*;
use crate::domain::{product::Product, servers::Servers};

fn zoho() -> ZohoClient {
    ZohoClient {
        servers: Servers::built_in(),
        home: DataCentre::Us,
        enabled: BTreeSet::new(),
        id: "1000.OURS".to_owned(),
        id_cn: None,
        secret: None,
        secrets: std::collections::BTreeMap::new(),
    }
}

fn defaults() -> Defaults {
    Defaults {
        tenant: Some("acme".to_owned()),
        product: Some(Product::Crm),
        scopes: Some(ScopeSet::from_known(&["ZohoCRM.org.READ"])),
        ..Defaults::default()
    }
}

/// Each row by its line: data centre, environment, client and token; or what is wrong.
fn rows(file: &str, defaults: &Defaults) -> Result<Vec<String>, String> {
    let mut told = Vec::new();
    let mut send = |row: Row| {
        let words = match row.wanted {
            Err(why) => why,
            Ok((tenant, import)) => {
                let Token::RefreshToken(token) = &import.token else { panic!("a code") };
                let client =
                    import.client.map_or("ours".to_owned(), |own| format!("{} {}", own.id, own.secret.expose()));
                let place = import.environment.map_or("-", Environment::key);
                format!("{tenant} {} {} {place} {client} {}", import.product, import.data_centre, token.expose())
            }
        };
        told.push(format!("{}: {words}", row.line));
        true
    };
    read(file.as_bytes(), &zoho(), defaults, &mut send)?;
    assert_eq!(count(file.as_bytes()), Some(told.len() as u64));
    Ok(told)
}

#[test]
fn the_file_store_of_today_is_read() {
    let file = "id,user_name,client_id,client_secret,refresh_token,access_token,grant_token,expiry_time,redirect_url,api_domain\r\n\
        python_1,\"Ann, \"\"A.\"\"\nLindqvist\",1000.SELF,sss,1000.r1,1000.a,,1700000000000,https://x,https://www.zohoapis.eu\r\n\
        java_2,sam@example.com,1000.OURS,null,1000.r2,,1000.g,None,,https://sandbox.zohoapis.com\r\n\
        node_3,x,,,,1000.a,1000.g,,,https://www.zohoapis.com\r\n\
        php_4,x,1000.SELF,,1000.r4,,,,,https://www.zohoapis.com\r\n\
        odd,x,,,1000.r5,,,,,https://www.zohoapis.com.evil.example\r\n\
        \r\n\
        short\r\n";
    assert_eq!(
        rows(file, &defaults()).expect("a token store"),
        [
            "2: acme crm eu production 1000.SELF sss 1000.r1",
            "4: acme crm us sandbox ours 1000.r2",
            "5: refresh_token is missing",
            "6: client_secret is missing, and client_id is not ours",
            "7: api_domain is of no data centre that is known here",
            "9: data_centre is missing",
        ]
    );
}

#[test]
fn older_stores_say_no_data_centre_and_an_option_does() {
    let file = "\u{feff}USER_MAIL,client_id,refresh_token,access_token,grant_token,expiry_time\n\
        ann@example.com,1000.OURS,1000.r1,1000.a,NULL,\\N\n";
    let all = Defaults { data_centre: Some(DataCentre::In), ..defaults() };
    assert_eq!(rows(file, &all).expect("a token store"), ["2: acme crm in - ours 1000.r1"]);
    assert_eq!(rows(file, &defaults()), Err("it does not say the data_centre: add --data-centre".to_owned()));
    let nobody = Defaults { tenant: None, ..all };
    assert_eq!(rows(file, &nobody), Err("it does not say the tenant: add --tenant".to_owned()));
    assert!(rows("a,b\n1,2\n", &defaults()).is_err());
    assert!(rows("", &defaults()).is_err());
}

#[test]
fn columns_of_ones_own_say_the_rest() {
    let file = "refresh_token,tenant,product,data_centre,scopes,organization\n\
        1000.r1,globex,desk,eu,\"Desk.basic.READ,Desk.tickets.READ\",77000000\n\
        1000.r2,globex,mail,eu,,\n";
    let told = rows(file, &Defaults::default()).expect("a token store");
    assert_eq!(told[0], "2: globex desk eu - ours 1000.r1");
    assert!(told[1].starts_with("3: product: no product of that name"), "{}", told[1]);
}
