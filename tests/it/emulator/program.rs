//! The program `zoho-emulator`.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::*;

fn program(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zoho-emulator"));
    command.args(["--base-port", "0"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

async fn terminate(mut child: Child) -> i32 {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").arg(id).status().await.unwrap().success());
    child.wait().await.unwrap().code().unwrap()
}

#[tokio::test]
async fn the_first_line_tells_programs_everything_and_the_servers_file_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("servers.toml");
    let mut child = program(&[
        "--json",
        "--servers-file",
        file.to_str().unwrap(),
        "--client-secret",
        "eu=only-here",
        "--client-secret",
        "elsewhere",
    ]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), line["servers_toml"].as_str().unwrap());
    assert_eq!(line["people"][2]["zuid"], "795000000");
    assert_eq!(line["client_id"].as_str().unwrap().len(), 35);
    let url = format!("{}/control/clients", line["control"].as_str().unwrap());
    let clients: Value =
        Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(clients["clients"][0]["secrets"], json!({"": "elsewhere", "eu": "only-here"}));
    assert_eq!(terminate(child).await, 0);
}

#[tokio::test]
async fn people_are_told_in_words_and_mistakes_in_one_line() {
    let mut child = program(&[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next_line().await.unwrap().unwrap().starts_with("Zoho, emulated on this machine."));
    assert_eq!(terminate(child).await, 0);

    let output = program(&["--data-centres", "us,moon"]).wait_with_output().await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
    assert!(text.contains("moon") && text.contains("eu"), "{text}");
}
