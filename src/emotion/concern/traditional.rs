//! Traditional characters and their simplified forms, for what customers say. Data and its look-up.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Traditional characters of everyday and customer service language, each before its simplified form.
const PAIRS: &str = "\
    錢钱訂订單单帳帐賬账號号壞坏貨货發发沒没說说過过聯联繫系電电話话問问題题幾几費费還还務务換换質质\
    個个這这麼么時时間间樣样應应該该從从給给記记錯错誤误碼码錄录網网斷断線线態态員员處处決决經经遞递\
    運运達达額额價价繳缴爛烂維维護护約约機机裡里裏里點点為为會会講讲語语嗎吗試试兩两聽听訴诉復复覆复\
    總总東东車车實实數数據据煩烦讓让騙骗裝装買买賣卖賠赔償偿續续銷销戶户開开關关連连終终黃黄顏颜師师\
    預预簽签輕轻禮礼罵骂掛挂養养無无當当長长張张進进鎖锁驗验證证盜盗國国華华漢汉韓韩義义亞亚筆笔圖图\
    傳传盡尽幫帮請请謝谢諾诺誰谁來来現现見见後后遲迟確确認认對对錶表較较級级別别們们場场產产業业術术\
    權权紅红綠绿藍蓝銀银鐵铁鍵键鏈链鐘钟門门閉闭閃闪頁页頭头頂顶項项順顺須须領领頻频類类願愿飛飞飯饭\
    飲饮館馆馬马驅驱駕驾體体髒脏鬆松鬧闹魚鱼鮮鲜麗丽麵面齊齐齒齿龍龙龜龟麥麦滿满滅灭漲涨潔洁濕湿灣湾\
    災灾熱热燈灯營营獲获瑣琐環环瘋疯療疗皺皱盤盘睜睁礙碍禍祸種种稱称穩稳窩窝競竞節节築筑簡简籃篮籤签\
    糾纠紀纪紙纸紛纷組组結结絕绝絡络統统絲丝綁绑緊紧緒绪練练縣县縮缩織织繞绕繼继罰罚職职聲声肅肃腦脑\
    臉脸臨临舊旧艙舱藥药蘋苹蟲虫補补褲裤襯衬覺觉覽览觀观規规視视親亲觸触計计討讨訊讯訓训託托設设許许\
    評评詐诈詢询詳详誇夸調调談谈論论諮咨謊谎識识譯译議议讀读變变豈岂負负責责貴贵貼贴資资賓宾賞赏購购\
    贈赠趕赶趙赵跡迹踐践躍跃軌轨軍军軟软載载輛辆輸输轉转辦办辭辞農农遊游違违遠远適适選选遺遗郵邮鄉乡\
    醫医釋释針针鈕钮銘铭鋪铺鋼钢鍋锅鎮镇鏡镜鑰钥閱阅隊队階阶隨随險险隱隐隻只雖虽雙双雜杂雞鸡離离難难\
    雲云靈灵靜静響响頓顿風风餓饿驚惊鬍胡鳥鸟塊块報报墊垫壓压夠够夾夹奪夺奮奋婦妇媽妈學学寧宁審审寫写\
    寬宽寶宝將将專专尋寻導导屆届屬属歲岁島岛幣币帶带幹干廁厕廚厨廠厂廢废廣广彈弹強强徑径徵征慣惯慘惨\
    慮虑憑凭懷怀懶懒戲戏戰战拋抛捨舍掃扫掙挣採采損损搶抢撥拨撿捡擇择擊击擋挡擔担擠挤擴扩攔拦敗败敵敌\
    曉晓暫暂曬晒書书極极榮荣構构樂乐標标樓楼橋桥檔档檢检櫃柜欄栏歡欢歷历殘残殺杀毀毁氣气汙污況况淚泪\
    淨净測测準准溝沟滯滞漸渐潛潜灑洒煙烟爭争爾尔牆墙狀状獎奖獨独瑪玛畫画異异疊叠癢痒監监稅税窮穷";

static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let letters: Vec<char> = PAIRS.chars().collect();
    letters.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
});

/// The simplified form of a character; itself where it has none here.
pub(super) fn simplified(letter: char) -> char {
    SIMPLIFIED.get(&letter).copied().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::super::matching::is_han;
    use super::*;

    #[test]
    fn the_table_is_made_of_pairs() {
        assert_eq!(PAIRS.chars().count() % 2, 0);
        assert!(PAIRS.chars().all(is_han));
        let simple: String = "請問為什麼還沒發貨會講國語".chars().map(simplified).collect();
        assert_eq!(simple, "请问为什么还没发货会讲国语");
        // A simplified form that is itself folded on would tell that a pair has slipped.
        for simple in SIMPLIFIED.values() {
            assert_eq!(simplified(*simple), *simple, "{simple}");
        }
    }
}
