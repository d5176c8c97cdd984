//! Function words: what tells short texts apart whose script many languages share.

/// Languages with words that nearly every sentence has. A word may stand in several languages; it then votes for all.
const FUNCTION_WORDS: &[(&str, &str)] = &[
    (
        "en",
        "the a an and or but if because so that this these those there here i i'm i've i'd i'll me my mine you \
         you're your we we're our us they their them he she it it's its his her is isn't are aren't am was wasn't \
         were be been being have haven't has hasn't had do don't does doesn't did didn't will won't would can can't \
         cannot could couldn't should of to in on at for from with about after before again still never always not \
         no what when where why who which how want need please thank thanks get got just now any some very too \
         than then by as up out over back much many more",
    ),
    (
        "es",
        "el la los las un una y o pero porque que esto esta este mi mis tu su sus yo usted nosotros me te se le lo \
         es son está estoy era fue ser he ha han hay no sí de del a al en con por para sin sobre qué cuándo dónde \
         cómo quiero necesito puedo puede gracias nada nadie muy más ya todavía también",
    ),
    (
        "fr",
        "le la les un une des et ou mais parce que qui ce cette ces mon ma mes votre vos notre je j'ai tu il elle \
         nous vous ils on me ne pas est sont suis était être ai a avez ont de du au aux en dans avec pour sans sur \
         quand où comment pourquoi veux voudrais merci toujours jamais rien personne très plus c'est n'ai",
    ),
    (
        "de",
        "der die das den dem ein eine einen und oder aber weil dass dies diese mein meine meinen ihr ihre ich du er \
         sie es wir mir mich ist sind bin war waren sein habe hat haben hatte nicht kein keine von zu zum zur in im \
         auf mit für ohne über bei seit wann wo wie warum was will möchte kann bitte danke noch immer nie schon \
         sehr mehr niemand",
    ),
    (
        "pt",
        "o a os as um uma e ou mas porque que isto esta este meu minha meus seu sua eu você nós me te se lhe é são \
         está estou era foi ser tenho tem há não sim de do da dos das no na em com por para sem sobre quando onde \
         como quero preciso posso obrigado obrigada nada ninguém muito mais já ainda também",
    ),
    (
        "it",
        "il lo la i gli le un una e o ma perché che questo questa mio mia miei suo sua io tu lei noi voi mi ti si è \
         sono era essere ho ha hanno non sì di del della a al in con per senza su quando dove come voglio posso \
         grazie niente nessuno molto più già ancora anche",
    ),
    (
        "ru",
        "и а но или что это этот эта эти я ты он она мы вы они мне меня мой моя мои мою вам вас ваш ваша нам нас его её \
         их не нет да уже ещё еще все всё в на с по за от до из к у о для без когда где как почему кто никто ничего \
         хочу могу можно нужно был была было были есть буду спасибо пожалуйста здравствуйте очень больше только так",
    ),
    (
        "uk",
        "і й та а але або що це цей ця ці я ти він вона ми ви вони мені мене мій моя мої мою вам вас ваш ваша нам нас \
         його її їх не ні так вже ще все в у на з по за від до із к о для без коли де як чому хто ніхто нічого хочу \
         можу можна потрібно був була було були є буду дякую будь ласка дуже більше тільки",
    ),
    (
        "nl",
        "de het een en of maar omdat dat dit deze mijn uw ons ik jij u hij zij wij me is zijn ben was waren heb \
         heeft hebben niet geen van te in op met voor zonder over bij sinds wanneer waar hoe waarom wat wil kan \
         alstublieft bedankt nog altijd nooit al zeer meer niemand",
    ),
];

/// Hits that a vote needs: one common word may be a name or a loan.
const MINIMUM_HITS: usize = 2;
/// The part of all words that must be function words of the language.
const MINIMUM_SHARE: f32 = 0.3;

/// The language with clearly the most function words, and how sure that is, in [0, 1].
pub(super) fn vote(text: &str) -> Option<(&'static str, f32)> {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let words: Vec<&str> = text
        .split(|letter: char| !(letter.is_alphabetic() || letter == '\''))
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
        .collect();
    let mut tallies: Vec<(&'static str, usize)> = FUNCTION_WORDS
        .iter()
        .map(|(tag, known)| {
            let hits =
                words.iter().filter(|word| known.split_whitespace().any(|entry| entry == **word)).count();
            (*tag, hits)
        })
        .collect();
    tallies.sort_by_key(|(_, hits)| std::cmp::Reverse(*hits));
    let [(tag, hits), (_, second), ..] = tallies[..] else { return None };
    let clear = hits >= MINIMUM_HITS && hits >= second * 2;
    if !clear || (hits as f32) < words.len() as f32 * MINIMUM_SHARE {
        return None;
    }
    Some((tag, (0.6 + 0.1 * (hits - second) as f32).min(0.95)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_majority_is_needed() {
        assert_eq!(vote("where is my order").map(|(tag, _)| tag), Some("en"));
        assert_eq!(vote("dónde está mi pedido").map(|(tag, _)| tag), Some("es"));
        assert_eq!(vote("refund please"), None, "one hit is not enough");
        assert_eq!(vote("no no no a a"), None, "words of several languages do not decide");
        assert_eq!(vote(""), None);
    }

    #[test]
    fn typographic_apostrophes_are_read() {
        assert_eq!(vote("it’s broken, isn’t it").map(|(tag, _)| tag), Some("en"));
    }
}
