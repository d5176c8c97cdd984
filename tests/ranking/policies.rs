//! Policies over the wire: shown, changed while rankings run, and guarded.

use serde_json::{Value, json};

use crate::support::{build, order, rank, send};

const OPEN: &str = "inference.management=anyone";

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_shown_and_chosen() {
    let app = build(&[]);
    let list = send(&app, "GET", "/v1/policies", None).await.expect(200);
    assert_eq!(list["active"], "default");
    let names: Vec<_> = list["policies"].as_array().unwrap().iter().map(|policy| &policy["name"]).collect();
    assert_eq!(names, ["default", "kind"]);
    let kind = send(&app, "GET", "/v1/policies/kind", None).await.expect(200);
    assert_eq!(kind["filters"][0]["require"]["rule"], "not_agents");
    send(&app, "GET", "/v1/policies/none", None).await.expect_fault(404, "policy_unknown");

    let ranking = rank(&app, json!({"policy": "kind"})).await.expect(200);
    assert_eq!(order(&ranking), ["friendly"]);
    assert_eq!(ranking["excluded_by"], json!({"filtered:not-expert": 1, "offline": 1}));
    let shadow = ranking["matchers"].as_array().unwrap().iter().find(|matcher| matcher["mode"] == "shadow");
    assert!(shadow.unwrap()["disagreement"]["mean_displacement"].is_number(), "{ranking}");
    rank(&app, json!({"policy": "none"})).await.expect_fault(404, "policy_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_holds_at_once_and_a_wrong_one_changes_nothing() {
    let app = build(&[OPEN]);
    let policy = json!({"matchers": [{"id": "skill"}], "fairness": {"margin": 1.0}});
    send(&app, "PUT", "/v1/policies/fair", Some(&policy)).await.expect(201);
    send(&app, "PUT", "/v1/policies/fair", Some(&policy)).await.expect(200);
    assert_eq!(order(&rank(&app, json!({})).await.expect(200))[0], "expert");
    let list = send(&app, "POST", "/v1/policies/fair/activate", None).await.expect(200);
    assert_eq!(list["active"], "fair");
    let ranking = rank(&app, json!({})).await.expect(200);
    assert_eq!((order(&ranking)[0], &ranking["policy"]), ("friendly", &json!("fair")));
    send(&app, "DELETE", "/v1/policies/fair", None).await.expect_fault(409, "policy_in_use");
    send(&app, "DELETE", "/v1/policies/kind", None).await.expect(204);
    send(&app, "POST", "/v1/policies/kind/activate", None).await.expect_fault(404, "policy_unknown");

    for (wrong, words) in [
        (json!({"matchers": [{"id": "nobody"}]}), vec!["nobody"]),
        (
            json!({"matchers": [{"id": "skill", "weight": -1}], "fairness": {"margin": 2}}),
            vec!["matchers[0].weight", "fairness.margin"],
        ),
        (json!({"matcher": []}), vec!["matcher"]),
        (json!({"name": "other"}), vec!["other"]),
    ] {
        let message =
            send(&app, "PUT", "/v1/policies/fair", Some(&wrong)).await.expect_fault(422, "policy_invalid");
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    let same = send(&app, "GET", "/v1/policies/fair", None).await.expect(200);
    assert_eq!(same["matchers"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_changed_by_those_who_run_the_server_alone() {
    // A request without a connection behind it has no address, so it does not come from this machine.
    let app = build(&[]);
    let policy = json!({"matchers": []});
    for (method, path, body) in [
        ("PUT", "/v1/policies/kind", Some(&policy)),
        ("DELETE", "/v1/policies/kind", None),
        ("POST", "/v1/policies/kind/activate", None),
    ] {
        send(&app, method, path, body).await.expect_fault(403, "management_refused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rankings_go_on_while_policies_change() {
    let app = build(&[OPEN]);
    let swapping = tokio::spawn({
        let app = app.clone();
        async move {
            for round in 0..40 {
                let matcher = ["skill", "attitude"][round % 2];
                let policy = json!({"matchers": [{"id": matcher}]});
                send(&app, "PUT", "/v1/policies/default", Some(&policy)).await.expect(200);
            }
        }
    });
    let mut seen = std::collections::BTreeSet::new();
    while !swapping.is_finished() {
        let ranking = rank(&app, json!({})).await.expect(200);
        let matchers: Vec<Value> = ranking["matchers"].as_array().unwrap().clone();
        for entry in ranking["entries"].as_array().unwrap() {
            assert_eq!(entry["factors"].as_array().unwrap().len(), matchers.len(), "one policy alone ranked");
        }
        seen.insert(
            matchers.iter().map(|matcher| matcher["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
        );
    }
    swapping.await.unwrap();
    assert!(!seen.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_have_new_words_and_their_limits() {
    let app = build(&[]);
    let ranking = rank(&app, json!({"top": 1, "explain": 1, "interpreter": true})).await.expect(200);
    assert_eq!((order(&ranking).len(), &ranking["eligible"]), (1, &json!(2)));
    for wrong in [
        json!({"top": 0}),
        json!({"explain": 21}),
        json!({"other_languages": [{"language": "es", "share": 1.0}]}),
        json!({"other_languages": [{"language": "en", "share": 0.1}]}),
    ] {
        rank(&app, wrong).await.expect_fault(422, "request_invalid");
    }
}
