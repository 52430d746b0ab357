//! `AUDIT_RETENTION`: whole months go when they are old, and nothing younger.

use std::time::Duration;

use crate::harness::*;

const DAY: Duration = Duration::from_secs(86_400);
const MONTHS: &str = "select month || ' ' || count(*) from (
                          select to_char(at at time zone 'utc', 'YYYY-MM') as month from audit_event
                          where actor_kind <> 'engine') told group by month order by month";

#[tokio::test]
async fn whole_months_go_when_they_are_old_and_nothing_younger() {
    let app = App::builder().config(|config| config.audit_retention = DAY * 60).start().await;
    // Where somebody was in the way, it is tried again a minute later; that minute passes once a second here.
    let asked = std::cell::Cell::new(0);
    let is_so = async |question: &str, answer: &[&str]| {
        asked.set(asked.get() + 1);
        if asked.get() % 50 == 0 {
            app.advance(Duration::from_secs(60)).await;
        }
        (app.database.column(question).await == answer).then_some(())
    };
    let kept = async |months: &[&str]| wait_for(&format!("{months:?}"), || is_so(MONTHS, months)).await;
    app.visitor().sign_in_as(SAM).await;
    // What fell into no month is kept as long as any of it is young.
    let stray = "insert into audit_event (audit_event_id, at, actor_kind, action, outcome)
                 values (gen_random_uuid(), '2020-01-01', 'visitor', 'signed_in', 'done'),
                        (gen_random_uuid(), '2026-01-31', 'visitor', 'signed_in', 'done')";
    app.database.execute(stray).await;
    kept(&["2020-01 1", "2026-01 1", "2026-11 2"]).await;
    app.advance(DAY * 40).await;
    kept(&["2026-11 2"]).await;
    app.visitor().go("/login?product=none", BEA).await;
    kept(&["2026-11 2", "2026-12 2"]).await;
    // The 29th of January: the last second of November is younger than sixty days.
    app.advance(DAY * 29).await;
    let made = "select count(*) from pg_class where relname = 'audit_event_2027_02' and relkind = 'r'";
    wait_for("the next month has its partition", || is_so(made, &["1"])).await;
    assert_eq!(app.database.column(MONTHS).await, ["2026-11 2", "2026-12 2"]);
    app.advance(DAY).await;
    kept(&["2026-12 2"]).await;
    let told = "select detail from audit_event where action = 'audit_dropped' order by at, detail";
    assert_eq!(app.database.column(told).await, ["audit_event_unplanned", "audit_event_2026_11"]);
    // What is left is as closed as before, and new events find their place.
    let trigger = "select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid
                   where c.relname = 'audit_event_unplanned' and t.tgname = 'audit_event_is_not_truncated'";
    assert_eq!(app.database.text(trigger).await, "1");
    app.database.execute(stray).await;
}
