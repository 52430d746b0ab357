use super::*;

const NOT_PUBLIC: [&str; 58] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    // The same in other spellings.
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.1",
    "0",
    "0xa9fea9fe",
    "1０.0.0.1",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[100::1]",
    "[2001::1]",
    "[2001:2::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fe80::1]",
    "[ff02::1]",
];

#[test]
fn s72_an_address_that_is_not_public_is_refused_in_every_notation() {
    for host in NOT_PUBLIC {
        for url in [format!("https://{host}/"), format!("https://{host}:8443/hook?x=y")] {
            let refused = WebhookTarget::parse(&url, false).expect_err(&url);
            assert!(matches!(refused, NoTarget::NotPublic | NoTarget::Unreadable), "{url}: {refused}");
        }
    }
    for host in ["localhost", "LOCALHOST", "localhost.", "api.localhost", "foo.localhost."] {
        assert_eq!(WebhookTarget::parse(&format!("https://{host}/"), false), Err(NoTarget::NotPublic), "{host}");
    }
    for host in [
        "8.8.8.8",
        "100.63.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "[2606:4700::1111]",
        "[::ffff:8.8.8.8]",
        "[2002:808:808::]",
    ] {
        assert!(WebhookTarget::parse(&format!("https://{host}/"), false).is_ok(), "{host}");
    }
}

#[test]
fn s72_only_https_and_nothing_that_is_no_address() {
    for (url, why) in [
        ("http://hooks.example.com/", NoTarget::NotHttps),
        ("ftp://hooks.example.com/", NoTarget::NotHttps),
        ("http://127.0.0.1/", NoTarget::NotHttps),
        ("https://user@hooks.example.com/", NoTarget::Adorned),
        ("https://user:password@hooks.example.com/", NoTarget::Adorned),
        ("https://hooks.example.com/#part", NoTarget::Adorned),
        ("https://8.8.8.8@127.0.0.1/", NoTarget::Adorned),
        ("file:///etc/passwd", NoTarget::Unreadable),
        ("https://", NoTarget::Unreadable),
        ("/hook", NoTarget::Unreadable),
        ("hooks.example.com", NoTarget::Unreadable),
        ("https://hooks.example.com/\u{0}", NoTarget::Unreadable),
        ("https://hooks.example.com/ x", NoTarget::Unreadable),
        ("https://h\tooks.example.com/", NoTarget::Unreadable),
        ("", NoTarget::Unreadable),
    ] {
        assert_eq!(WebhookTarget::parse(url, false), Err(why), "{url}");
    }
    assert_eq!(
        WebhookTarget::parse(&format!("https://a.example/{}", "x".repeat(2048)), false),
        Err(NoTarget::Unreadable)
    );
    let good = WebhookTarget::parse("https://Hooks.Example.com:8443/zoho?key=1", false).expect("a target");
    assert_eq!(good.to_string(), "https://hooks.example.com:8443/zoho?key=1");
}

#[test]
fn for_tests_loopback_may_be_called_and_nothing_else() {
    for url in ["http://127.0.0.1:9000/", "http://localhost:9000/", "http://[::1]/", "https://127.0.0.1/"] {
        assert!(WebhookTarget::parse(url, true).is_ok(), "{url}");
    }
    for url in ["http://10.0.0.1/", "https://10.0.0.1/", "http://hooks.example.com/", "https://169.254.169.254/"] {
        assert!(WebhookTarget::parse(url, true).is_err(), "{url}");
    }
    assert!(may_be_called("::ffff:127.0.0.1".parse().expect("an address"), true));
    assert!(!may_be_called("127.0.0.1".parse().expect("an address"), false));
    assert!(!may_be_called("192.168.0.1".parse().expect("an address"), true));
}
