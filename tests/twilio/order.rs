//! Sound out of order, repeated, lost, and of several tracks.

use serde_json::{Value, json};

use crate::support::{Phone, Server, Writing, assert_heard, capture, only, serve, speech};

/// Opens the Twilio capture's stream, changed by the caller.
async fn open(server: &Server, change: impl Fn(&mut Value)) -> Phone {
    let mut phone = server.dial().await;
    for mut message in capture("twilio").before {
        change(&mut message);
        phone.say_json(&message).await;
    }
    phone
}

/// Sends pieces of 20 ms in an order of the caller's, and stops; gives the events.
async fn send(
    server: &Server,
    mut phone: Phone,
    order: &[u64],
    track: impl Fn(u64) -> &'static str,
) -> Vec<Value> {
    let capture = capture("twilio");
    let recorded = server.record(&server.session().await.session_id);
    let sound = speech(Writing::MuLaw, 8_000, 4_000);
    let pieces: Vec<_> = sound.chunks(160).collect();
    for index in order {
        let mut message = capture.media(*index, index * 20, pieces[*index as usize]);
        message["media"]["track"] = Value::from(track(*index));
        phone.say_json(&message).await;
    }
    phone.say_json(capture.after.last().unwrap()).await;
    recorded.await.unwrap()
}

fn totals(events: &[Value]) -> &Value {
    &only(events, "session.closed")["totals"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shuffled_stream_is_heard_as_it_was_spoken() {
    let server = serve(&[]).await;
    let mut shuffled: Vec<u64> = (0..200).collect();
    for group in shuffled.chunks_mut(4) {
        group.reverse();
    }
    // Some come twice as well.
    let repeated: Vec<u64> =
        shuffled.iter().flat_map(|index| vec![*index; 1 + usize::from(index % 5 == 0)]).collect();
    let phone = open(&server, |_| {}).await;
    let events = send(&server, phone, &repeated, |_| "inbound").await;
    let totals = totals(&events);
    assert_heard(totals, 4_000);
    assert_eq!((&totals["audio_gap_ms"], &totals["audio_late_ms"]), (&0.into(), &0.into()), "{totals}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_is_a_gap_and_nothing_more() {
    let server = serve(&[]).await;
    let order: Vec<u64> = (0..200).filter(|index| !(50..60).contains(index)).collect();
    let phone = open(&server, |_| {}).await;
    let events = send(&server, phone, &order, |_| "inbound").await;
    let totals = totals(&events);
    assert_heard(totals, 3_800);
    assert_eq!(totals["audio_gap_ms"], 200, "{totals}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agents_track_is_refused_and_said_once() {
    let server = serve(&[]).await;
    let phone = open(&server, |message| {
        if message["event"] == "start" {
            message["start"]["tracks"] = json!(["inbound", "outbound"]);
        }
    })
    .await;
    let order: Vec<u64> = (0..100).collect();
    let events =
        send(&server, phone, &order, |index| if index % 2 == 0 { "inbound" } else { "outbound" }).await;
    let error = only(&events, "error");
    assert_eq!(
        (&error["code"], &error["is_recoverable"]),
        (&"agent_biometrics_refused".into(), &true.into())
    );
    assert_heard(totals(&events), 1_000);
    assert_eq!(only(&events, "session.created")["options"]["tracks"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_tracks_are_heard_where_the_policy_names_a_basis() {
    let server = serve(&["privacy.agent_biometrics_basis=agents agreed"]).await;
    let phone = open(&server, |message| {
        if message["event"] == "start" {
            message["start"]["customParameters"]["customer_track"] = Value::from("outbound");
        }
    })
    .await;
    // Each track counts for itself: the first half of the pieces is one track, the other half the other.
    let order: Vec<u64> = (0..100).collect();
    let events = send(&server, phone, &order, |index| if index < 50 { "inbound" } else { "outbound" }).await;
    assert_heard(totals(&events), 2_000);
    let tracks = &only(&events, "session.created")["options"]["tracks"];
    assert_eq!((&tracks[0]["role"], &tracks[1]["role"]), (&"customer".into(), &"agent".into()));
    assert!(events.iter().all(|event| event["type"] != "error"), "{events:#?}");
}
