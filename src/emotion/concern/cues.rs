//! Words that say how a customer stands to an issue: that something is wrong, that it is to be done, or that it is
//! not meant that way. Lists of phrases with bars between them, and the one table in which they are looked for.

use std::sync::LazyLock;

use super::markers::{REPEATED_CHINESE, REPEATED_ENGLISH};
use super::matching::Prepared;
use super::table::PhraseTable;

/// What a phrase says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cue {
    /// Something is wrong, missing or late.
    Grievance,
    /// A denial, which may be a grievance ("it isn't") or an answer ("not on Friday").
    Denial,
    /// It is to be done, explained or known: "when", "today", "I want".
    Pressing,
    /// Said before, with the strength of the marker.
    Repeated(f32),
    /// Looks like one of the above and is not: "no problem", "不用".
    Harmless,
    /// Thanks and other ways to be content.
    Content,
}

const GRIEVANCE_ENGLISH: &str = "smelled|rotten|spoiled|mouldy|makes no sense|for no reason|without warning|no sign of|not received|\
    not arrived|no response|no reply|no update|ignored|ignoring|waste of|your fault|messed up|\
    screwed up|sick of|tired of|absurd|nonsense|unfair|appalling|shocking|horrible|worst|pathetic|\
    rubbish|nightmare|unreliable|how come|what's going on|excuse|excuses|disconnect*|freez*|not loading|\
    for weeks|for days|for months|how much longer|still nothing|same problem|same issue|same thing|\
    not true|lying|a lie|hung up|no use|doesn't help|didn't help|nowhere to be|it's been|let down|\
    not right|unusable|not what i ordered|not what i paid|overheat*|burnt|noisy|loose|is late|was late|\
    weeks late|days late|came late|late again|an extra|extra charge*|are gone|is gone|it's gone|\
    have gone|has gone|all gone|failed|isn't|isnt|wasn't|wasnt|can't|cant|cannot|couldn't|your mistake|\
    doesn't work|doesnt work|does not work|double charge*|charged double|money back|my money|\
    where is my|where's my|wheres my|never|still|hasn't|hasnt|haven't|havent|didn't|didnt|wrong|missing|\
    lost|disappeared|vanished|too late|delayed|overdue|too much|overcharged|locked|hacked|crash*|error|\
    is down|was down|been down|went down|dropping|drops|cutting out|offline|broke*|trouble|unacceptable|\
    not acceptable|ridiculous|outrageous|unbelievable|a joke|disappoint*|fed up|furious|terrible|awful|\
    useless|complain*|complaint|leak*|supposed to|was supposed|should have|should've|promised|nobody|\
    no one|incorrect|refuse*|not good enough|can't use|can't get|cannot get|won't|wont|stuck|dirty|\
    faulty|damaged|cracked|defective|rude|disgrac*|a disaster|twice|not fixed|not working|not here|\
    isn't working|stopped|keeps|took money|without telling|don't know what|not happy|unhappy|lawyer|\
    ombudsman|nothing happen*|nothing has|nothing changed|disrespect*|stolen|cheated";

const GRIEVANCE_CHINESE: &str = "到现在都没|到现在还|至今|不通过|莫名其妙|为什么不|没有收到|没有发|没动静|没消息|没反应|没回|没拿到|\
    没有拿到|见不到|不到账|不回|不理|不给|不退|不处理|不解决|不肯|拒绝|推来推去|踢皮球|忽悠|恶劣|垃圾|\
    糟糕|太慢|耽误|损失|白跑|等太久|等了|生气|无语|搞什么|怎么回事|什么情况|有问题|出问题|异常|不对劲|\
    不符|不合理|错的|弄错|搞错|扣错|多收|没告诉|撒谎|打不通|卡住|很卡|卡顿|断断续续|黑屏|死机|冒烟|异味|\
    发霉|过期|漏发|不能接受|说话不算|推脱|没有人|没人管|不动|不灵|不好使|没办法用|每次都|还是没|还是不|\
    还是这样|还是一样|还我钱|退我钱|把钱|我的钱|钱呢|还没|没收到|没到|没来|没有来|没有到|没送|没退|没修|\
    没解决|没用|没法|没人|一直|不见|没了|不能用|用不了|坏了|坏的|又坏|漏水|错了|发错|少发|少了|断网|\
    断了|没网|没信号|闪退|晚了|太晚|迟到|拖|弄丢|丢了|多扣|重复扣|两次|多了|被锁|锁定|盗|报错|故障|毛病|\
    差劲|太差|特别差|破了|裂了|根本|过分|不行|凭什么|骗|打不开|连不上|登不|登录不了|登陆不了|上不了|\
    失败|不正常|离谱|气死|受不了|不满|失望|投诉|本来说|答应|不知道是什么|去哪了|哪去了|还给我|退不了|\
    一分钱都没|一分钱没|什么都没有|从来没|从来不|白等|又断|总断|掉线|卡死|律师|起诉|报警|早就|怎么还|骂|\
    吼|敷衍|偷|都没变|没有更新|没更新|完全没|不对";

const DENIAL_ENGLISH: &str = "not|no|aren't|doesn't|doesnt|don't|dont|nothing|wouldn't|none";

const DENIAL_CHINESE: &str = "没|不|未|别|无法";

const PRESSING_ENGLISH: &str = "how many more|what about|what will you|what are you|who can|who's|do something|straight away|\
    right away|immediately|tonight|until when|by when|a date|an answer|confirm|the truth|in writing|day|\
    night|back|when|where|where's|wheres|why|how long|how much time|who|i want|i need|i'd rather|\
    we need|just|please do|pls|or not|now|today|tomorrow|you said|you told|you promised|they said|\
    it said|they told|yesterday|last week|this morning|every morning|days|weeks|months|hours|week|asked|\
    already|i did|i've been|ready|fixed|supervisor|manager|escalate|raise it|put through|cancel|sort|\
    send|anybody|anyone|have you|instead|this is|it was|it keeps";

const PRESSING_CHINESE: &str = "还要|几天|要等|给个|说法|交代|答复|核实|负责|怎么|换人|有没有人|立刻|立即|明确|书面|给我|帮我|弄|\
    查一下|问题|能不能|什么时候|何时|到底|哪里|哪儿|哪天|为什么|为啥|多久|多少时间|谁|今天|明天|马上|\
    现在|快点|快一点|尽快|赶紧|催|行不行|我要|你们|每次|天天|每天|上次|昨天|上周|上个星期|前天|说过|\
    问过|不然|必须|解决|处理|反馈|主管|经理|领导|星期前|个星期|工作日|礼拜|怎么办|怎么处理|查过|试了|等|\
    弄好|这个问题|这件事|你就";

const HARMLESS_ENGLISH: &str = "doesn't need|does not need|doesn't have to|don't have to|not have to|isn't necessary|isn't needed|\
    isn't required|won't be necessary|won't need|i'm still looking|i'm still trying to find|\
    am still looking|still looking|would still|will still|still be|never been|never mind|never tried|\
    no trouble|sorry|can't find|cannot find|can't decide|can't think|can't remember|couldn't find|\
    isn't a problem|isn't an issue|wasn't sure|not to worry|if it isn't|if they can't|if you can't|\
    if not|can't you|isn't it|isn't there|cannot wait|no longer|still the same|no problem|don't care|\
    don't mind|doesn't matter|does not matter|no preference|not sure|no thanks|no thank|nothing else|\
    not really|why not|don't need|do not need|don't want|no need|not picky|not yet|not particularly|\
    no worries|not at all|not a problem|no that|no that's|nothing much|can't wait|not necessary|\
    no hurry|no rush|not for now|not today|don't have a preference|do not have|do not care|\
    don't have any|isn't important|not important|not right now|is no|late night|later|too late to|\
    before too late|no longer need|still available|still need|i still need|still want|double room|\
    double bed|double check|extra bed|just wondering|i'm just";

const HARMLESS_CHINESE: &str = "没问题|没关系|没有了，|没事|不客气|不用|不错|不好意思|没什么|差不多|不需要|是不是|能不能|好不好|\
    要不要|可不可以|有没有|对不起|不急|等一下|稍等|等等|不然呢|还是一样好|一直很好|开不开|还是原来";

const CONTENT_ENGLISH: &str = "speak*|in english|in chinese|in mandarin|thanks|thank|great|perfect|lovely|wonderful|brilliant|\
    makes sense|i see";
const CONTENT_CHINESE: &str = "英文|英语|中文|普通话|粤语|广东话|谢谢|谢了|太好了|明白了|好的|行，";

static CUES: LazyLock<PhraseTable<Cue>> = LazyLock::new(|| {
    let plain = [
        (GRIEVANCE_ENGLISH, Cue::Grievance),
        (GRIEVANCE_CHINESE, Cue::Grievance),
        (DENIAL_ENGLISH, Cue::Denial),
        (DENIAL_CHINESE, Cue::Denial),
        (PRESSING_ENGLISH, Cue::Pressing),
        (PRESSING_CHINESE, Cue::Pressing),
        (HARMLESS_ENGLISH, Cue::Harmless),
        (HARMLESS_CHINESE, Cue::Harmless),
        (CONTENT_ENGLISH, Cue::Content),
        (CONTENT_CHINESE, Cue::Content),
    ];
    let plain =
        plain.into_iter().flat_map(|(phrases, cue)| phrases.split('|').map(move |phrase| (phrase, cue)));
    let repeated = REPEATED_ENGLISH.iter().chain(REPEATED_CHINESE);
    PhraseTable::new(plain.chain(repeated.map(|(phrase, strength)| (*phrase, Cue::Repeated(*strength)))))
});

/// How the customer stands to what an utterance speaks of.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::emotion) struct Stance {
    /// Something is wrong.
    pub(super) is_grievance: bool,
    /// Something is denied.
    pub(super) is_denial: bool,
    /// Something is to be done or known.
    pub(super) is_pressing: bool,
    /// Thanks or contentment.
    pub(super) is_content: bool,
    /// The strongest marker of repetition, in [0, 1].
    pub(super) repeated: f32,
}

impl Stance {
    pub(super) fn of(text: &Prepared) -> Self {
        let found = CUES.find(text);
        let mut stance = Self::default();
        for all in [&found.words, &found.letters] {
            let harmless = |place: (usize, usize)| {
                all.iter()
                    .any(|(cue, around)| *cue == Cue::Harmless && around.0 <= place.0 && place.1 <= around.1)
            };
            for (cue, place) in all.iter().filter(|(_, place)| !harmless(*place)) {
                debug_assert!(place.0 < place.1);
                match cue {
                    Cue::Grievance => stance.is_grievance = true,
                    Cue::Denial => stance.is_denial = true,
                    Cue::Pressing => stance.is_pressing = true,
                    Cue::Content => stance.is_content = true,
                    Cue::Repeated(strength) => stance.repeated = stance.repeated.max(*strength),
                    Cue::Harmless => {}
                }
            }
        }
        stance
    }
}
