//! What survives a restart.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[tokio::test]
async fn everything_issued_survives_a_restart_in_a_file_only_its_owner_can_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("new directory/state.json");
    let options = Options { state_file: Some(file.clone()), clients: vec![client()], ..Options::default() };
    let zoho = Zoho::start_with(options.clone()).await;
    let tokens = zoho.connect(ANN, &[]).await;
    let spent = zoho.code(ANN, &[]).await;
    zoho.exchange("eu", &spent).await;
    zoho.advance(600).await;
    zoho.emulator.stop().await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let again = Zoho::start_with(options).await;
    assert!(again.works("eu", &tokens.access).await);
    assert_eq!(error(again.refresh("eu", &tokens.refresh).await), said(200, "none"));
    assert_eq!(error(again.exchange("eu", &spent).await), said(200, "invalid_code"));
    let clock = again.control(Method::GET, "/control/clock", json!({})).await;
    assert_eq!(clock["offset_seconds"], 600);
}

#[tokio::test]
async fn a_change_is_written_soon_and_not_only_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state.json");
    let options = Options { state_file: Some(file.clone()), clients: vec![client()], ..Options::default() };
    let zoho = Zoho::start_with(options).await;
    let tokens = zoho.connect(ANN, &[]).await;
    let mut tries = 0;
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains(&tokens.refresh)) {
        tries += 1;
        assert!(tries < 300, "the state was not written within three seconds");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_broken_state_file_stops_the_start_and_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state.json");
    std::fs::write(&file, "{").unwrap();
    let error = Emulator::start(Options { state_file: Some(file.clone()), ..Options::default() }).await.unwrap_err();
    assert!(error.to_string().contains("is no state file"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
}

/// An emulator on fixed ports: the first base, of many, whose ports are all free.
async fn on_fixed_ports() -> (u16, Emulator) {
    let from = 20_000 + u16::try_from(std::process::id() % 50).unwrap() * 200;
    for base in (from..32_000).step_by(450) {
        let options = Options { base_port: Some(base), clients: vec![client()], ..Options::default() };
        if let Ok(emulator) = Emulator::start(options).await {
            return (base, emulator);
        }
    }
    panic!("no free range of ports");
}

#[tokio::test]
async fn fixed_ports_follow_from_the_base_and_stopping_frees_them_at_once() {
    let (base, first) = on_fixed_ports().await;
    assert_eq!(first.control_url(), format!("http://127.0.0.1:{base}"));
    assert_eq!(first.accounts_url("eu"), format!("http://127.0.0.1:{}", base + 2));
    assert_eq!(first.api_url("sg"), format!("http://127.0.0.1:{}", base + 111));
    let options = Options { base_port: Some(base), clients: vec![client()], ..Options::default() };
    assert!(Emulator::start(options.clone()).await.is_err());
    let began = std::time::Instant::now();
    first.stop().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
    Emulator::start(options).await.unwrap().stop().await;
}
