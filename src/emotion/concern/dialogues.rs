//! Small dialogues: what counts as coming back to an issue, and what does not.

use super::{Concern, OTHER_TOPIC, find_concern};
use crate::emotion::{Span, Utterance};

fn hear(texts: &[&str]) -> Option<Concern> {
    let utterances: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let start_ms = index as u64 * 6_000;
            Utterance { span: Span::new(start_ms, start_ms + 4_000), text: (*text).to_owned() }
        })
        .collect();
    find_concern(&utterances)
}

/// Expects a concern with this topic and count, at least as strong as this.
fn expect(texts: &[&str], topic: &str, count: usize, at_least: f32) {
    let concern = hear(texts).unwrap_or_else(|| panic!("no concern in {texts:?}"));
    assert_eq!((concern.topic.as_str(), concern.count), (topic, count), "{concern:?}");
    assert!(concern.score >= at_least && concern.score <= 1.0, "{concern:?}");
    assert_eq!(concern.spans.len(), count);
}

fn expect_none(texts: &[&str]) {
    assert_eq!(hear(texts), None, "{texts:?}");
}

#[test]
fn english_refund_with_insistence() {
    expect(
        &[
            "Hi, I'm calling about my refund.",
            "I sent the kettle back three weeks ago.",
            "I already told your colleague twice, I want my money back.",
            "You said the refund takes five days.",
            "So where is my refund? This is the third time I'm asking.",
        ],
        "refund",
        5,
        0.8,
    );
}

#[test]
fn english_plain_repetition_scores_less_than_insistence() {
    let plain = ["I'd like a refund.", "Yes, number 114.", "How do I get the refund?"];
    expect_none(&plain);
    expect(&[plain[0], plain[1], "For the third time, how do I get the refund?"], "refund", 2, 0.4);
}

#[test]
fn english_delivery_in_other_words() {
    expect(
        &[
            "My parcel never arrived.",
            "The tracking says it left the depot.",
            "Can you ask the courier?",
            "I still don't have the package.",
        ],
        "delivery",
        4,
        0.6,
    );
}

#[test]
fn english_billing() {
    expect(
        &["You charged me twice this month.", "It's on the invoice, look.", "Why was I billed again?"],
        "billing",
        3,
        0.5,
    );
}

#[test]
fn english_cancellation() {
    expect(
        &["I want to cancel.", "No, I don't want an offer.", "Just cancel the contract, as I said."],
        "cancellation",
        3,
        0.4,
    );
}

#[test]
fn english_broken_product() {
    expect(
        &[
            "The heater stopped working.",
            "It's broken, it won't turn on at all.",
            "It is not working, again.",
        ],
        "defect",
        3,
        0.5,
    );
}

#[test]
fn english_single_mention_with_strong_marker() {
    expect(
        &["This is the fourth time I'm calling about my password.", "Yes, that address.", "Okay."],
        "account",
        1,
        0.2,
    );
}

#[test]
fn english_echo_without_naming_the_issue() {
    let named = ["My refund is missing.", "The refund was promised."];
    let quiet = hear(&[named[0], named[1], "Okay, go on."]).unwrap();
    let insisting = hear(&[named[0], named[1], "How many times do I have to repeat myself?"]).unwrap();
    assert!(insisting.score > quiet.score + 0.05, "{} {}", insisting.score, quiet.score);
}

#[test]
fn english_waiting_gives_way_to_the_issue_waited_for() {
    expect(
        &[
            "I've been waiting for my refund.",
            "Still waiting for that refund.",
            "I waited two weeks for the refund.",
        ],
        "refund",
        3,
        0.5,
    );
}

#[test]
fn english_unknown_issue_is_named_in_the_customers_words() {
    expect(
        &[
            "It's about my loyalty points.",
            "I had nine hundred loyalty points.",
            "And now the loyalty points are gone.",
        ],
        OTHER_TOPIC,
        3,
        0.3,
    );
    let concern =
        hear(&["my loyalty points", "the loyalty points", "those loyalty points are gone"]).unwrap();
    assert_eq!(concern.issue, "loyalty point");
}

#[test]
fn english_solved_issue_is_no_concern() {
    expect_none(&[
        "I was calling about my refund.",
        "The refund, yes.",
        "Oh, I got my refund this morning, thanks.",
    ]);
    expect_none(&["The internet was down.", "Our wifi, yes.", "It works now, never mind."]);
}

#[test]
fn english_promise_is_not_solved() {
    expect(
        &[
            "My refund is late.",
            "You said the refund was resolved.",
            "It is not resolved, there is no refund.",
        ],
        "refund",
        3,
        0.5,
    );
}

#[test]
fn english_denied_topic_is_no_mention() {
    expect_none(&["I don't want a refund.", "It's not about the refund.", "I'd like to say thank you."]);
}

#[test]
fn english_small_talk_is_no_concern() {
    expect_none(&[]);
    expect_none(&["Hello.", "Yes, thanks.", "That's all, thank you very much."]);
    expect_none(&["What are your opening hours?", "And on Sunday?", "Great, I'll come by tomorrow."]);
    expect_none(&["I'd like to change my address.", "And ask about a delivery.", "And the invoice, please."]);
}

#[test]
fn english_many_mentions_in_one_breath_are_no_repetition() {
    expect_none(&["Refund, refund, refund, I want a refund.", "Thanks.", "Okay."]);
}

#[test]
fn chinese_refund_with_insistence() {
    expect(
        &[
            "你好，我想问一下退款的事情。",
            "上周就申请了退款。",
            "我已经说过三遍了，钱什么时候退给我？",
            "到底什么时候退款？",
        ],
        "refund",
        4,
        0.75,
    );
}

#[test]
fn chinese_delivery_in_other_words() {
    expect(&["我的快递还没到。", "物流一直没有更新。", "包裹是不是丢了？"], "delivery", 3, 0.5);
}

#[test]
fn chinese_traditional_characters() {
    expect(&["我的訂單還沒發貨。", "為什麼還不發貨？", "請你們快點發貨。"], "delivery", 3, 0.5);
    let concern = hear(&["為什麼還沒發貨？", "請你們快點發貨。"]).unwrap();
    assert_eq!(concern.issue, "發貨");
}

#[test]
fn chinese_billing() {
    expect(&["这个月账单不对。", "你们多扣了我五十块。", "为什么又扣费了？"], "billing", 3, 0.5);
}

#[test]
fn chinese_broken_product() {
    expect(&["手机坏了。", "就是开不了机。", "新买的又坏了，第二次了。"], "defect", 3, 0.6);
}

#[test]
fn chinese_cancellation() {
    expect(&["我要退订这个套餐。", "不需要优惠。", "请帮我退订，说了多少次了。"], "cancellation", 2, 0.5);
}

#[test]
fn chinese_account() {
    expect(&["我的账号登不上。", "密码是对的。", "验证码也收不到。"], "account", 3, 0.5);
}

#[test]
fn chinese_single_mention_with_strong_marker() {
    expect(&["我第三次打电话来问发票的事了。", "对，是这个号码。"], "billing", 1, 0.2);
}

#[test]
fn chinese_echo_without_naming_the_issue() {
    expect_none(&["我要退款。", "退款什么时候到？", "好吧。"]);
    expect(&["我要退款。", "退款什么时候到？", "我都说了多少次了！"], "refund", 3, 0.4);
}

#[test]
fn chinese_unknown_issue_is_named_in_the_customers_words() {
    expect(&["我的积分没有了。", "积分去哪了？", "请把积分还给我。"], OTHER_TOPIC, 3, 0.3);
    assert_eq!(hear(&["我的积分没有了。", "积分去哪了？", "请把积分还给我。"]).unwrap().issue, "积分");
}

#[test]
fn chinese_solved_issue_is_no_concern() {
    expect_none(&["我之前问过退款。", "对，退款的事。", "刚才看了，退款已经到账了，谢谢。"]);
    expect_none(&["快递一直没到。", "快递刚刚收到了，没事了。"]);
}

#[test]
fn chinese_claim_of_others_is_not_solved() {
    expect(&["退款还没到。", "你们说退款到账了，可是没有。", "退款根本没到。"], "refund", 3, 0.5);
}

#[test]
fn chinese_denied_topic_is_no_mention() {
    expect_none(&["我不要退款。", "不是退款的问题。", "我想表扬一下你们。"]);
}

#[test]
fn chinese_small_talk_is_no_concern() {
    expect_none(&["你好。", "好的，谢谢。", "再见。"]);
    expect_none(&["请问你们几点开门？", "周末呢？", "好的，我明天来。"]);
    expect_none(&["我想改一下地址。", "再问一下发票。", "还有快递什么时候到。"]);
}

#[test]
fn a_thing_named_now_and_then_in_a_long_talk_is_no_concern() {
    let mut texts = vec!["I'm looking for a hotel in the north.", "Is the hotel quiet?"];
    texts.extend(["Sounds lovely.", "Two of us.", "From Monday.", "Breakfast would be good.", "Perfect."]);
    texts.extend(["Could the hotel print that?", "Wonderful.", "Goodbye.", "Take care.", "Bye."]);
    expect_none(&texts);
    texts.truncate(7);
    texts.extend(["I already told you, the hotel.", "No, the hotel, for the third time!"]);
    expect(&texts, OTHER_TOPIC, 4, 0.4);
}

#[test]
fn the_stronger_of_two_issues_is_named() {
    let concern = hear(&[
        "The parcel is late.",
        "And the refund is missing.",
        "I told you, the refund, for the third time.",
        "The delivery, well.",
        "Where is my refund?",
    ])
    .unwrap();
    assert_eq!(concern.topic, "refund");
    assert_eq!(concern.spans[0], Span::new(6_000, 10_000));
}

#[test]
fn mixed_languages_count_together() {
    expect(&["我的 refund 呢？", "退款什么时候到", "I want my money back"], "refund", 3, 0.3);
}
