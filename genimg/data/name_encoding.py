"""The names in a zip file, when nothing says which encoding they are written in.

A zip file may say that a name is UTF-8. Many programs do not: Windows writes the code page of its
country, others write UTF-8 and forget to say so. All such names of an archive are judged together:
each encoding has a rough model of how names are written in its countries (how often a common
character occurs, a rarer one, a symbol), and the one under which the bytes are most probable is
taken. The probabilities are round numbers; the common characters are listed below.
"""

import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

_HAN = frozenset(
    # The most frequent ones of running text, and those that names of classes are made of.
    "的一是不了在人有我他这個个们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着下自之年过過发發"
    "后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心本前"
    "开開但因只从從想实實日军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高间間由"
    "问問很最重并並物手应應战戰向头頭文体體政美相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信表化老给給世"
    "位次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別"
    "打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接必场場件计計管期市直德资資命山金指克许許统統区區"
    "保至队隊形社便空决決治展马馬科司五基眼书書非则則听聽白却卻界达達光放强強即像难難且权權思王象完设設式色路记記南品"
    "住告类類求据據程北边邊死张張该該交规規万萬取拉格望觉覺术術领領共确確传傳师師观觀清今切院让讓识識候带帶导導争爭运運"
    "猫貓狗犬鸟鳥鱼魚牛羊猪豬鸡雞鸡鴨鸭鹅鵝兔虎狼熊猴鼠蛇龙龍龟龜狐狸鹿象狮獅豹虫蟲蝶蜂蚁蟻蛙鹰鷹鸽鴿雀骆駱驼駝豚"
    "花草树樹木叶葉林森竹松梅兰蘭菊莲蓮玫瑰郁金香向日葵樱櫻桃苹蘋果梨橘橙柠檸檬蕉葡萄西瓜草莓菠萝蘿卜菜米面麵麦麥饭飯"
    "肉蛋奶茶酒糖盐鹽油饼餅包汤湯瓶杯碗盘盤刀叉勺红紅黄黃蓝藍绿綠黑白灰紫粉棕青彩春夏秋冬风風雨雪云雲雷星月阳陽晴阴陰"
    "车車船飞飛汽火轮輪自行摩托公交卡房屋楼樓桥橋塔城村街河湖江岛島沙石土田园園衣裤褲裙鞋帽包袜襪袋伞傘镜鏡表椅桌床灯燈"
    "笔筆纸紙画畫图圖像片照相影琴鼓球棋旗男女孩童父母爸妈媽哥姐弟妹友爷爺奶眼耳鼻嘴手脚腳头頭发髮脸臉心肺骨血病健康正常"
    "异異阴阳性测測试試训訓练練验驗证證集数据标標签籤零一二三四五六七八九十百千左右上下好坏壞真假喜怒哀乐樂悲伤傷惊驚恐"
    "哭笑怕爱愛恨快开开心厌厭静靜冷热熱甜苦辣酸合格缺陷划痕裂纹紋污点孔损損鋼钢铁鐵铜銅银銀塑料玻璃纸布未分类其他無有犬鳥"
    "気駅鉄図桜猿蛸蟹亀鶏円広絵駐訓検証顔笑楽悪真愛数値画像"
)
_HANGUL = frozenset(
    "이다는에의가고을하지은로를한도나서사기자어리아해인시으부대있그정수게일전제만보주라들면과스여우상장경니와것조"
    "거적동관구문성모세신화국원오까개내분마원소연공생물선실데러진무안유말방회당각미비계금바타라트드르크치터키프산위체"
    "양강새말소닭돼호랑곰토끼여우늑원숭쥐뱀거북물고기나비벌꽃나무풀잎장미해바라기튤립민들레벚과사배귤레몬딸포도수박복숭"
    "빨간노란파란초록검은흰색회보봄여름가을겨울바람비눈구름별달해차자동버스배비행기전철집학교병원건물다리산강바다"
    "옷바지치마신발모자가방양말남여자아이엄빠형누나친구얼굴눈코입손발머리사람행복슬픔분노놀람공포중립웃음정상불량양품"
    "오른왼쪽위아래앞뒤하둘셋넷섯일이삼사오육칠팔구십백천훈련검증시험데이터사진그림기타없음좋나쁜맑흐림강아지고양이"
)
_ASCII, _COMMON, _LESS_COMMON = -4.2, -7.1, -9.8  # natural logarithms for each character
_RARE, _VERY_RARE, _SYMBOL = -12.5, -17.0, -11.0
_MIXED = 6.0
_ACCENTED = -6.0  # in a language that has few of them
_IMPOSSIBLE = -10_000.0
_MOST_JUDGED = 2000
_NO_LEGACY = 3.0  # the logarithm of how much rarer an old encoding is than UTF-8


def decode_names(names: Sequence[bytes]) -> list[str]:
    """Return names in the one encoding that fits all of them best.

    A folder or a file whose name can hardly be anything but UTF-8 is read as that all the same,
    because files are added to archives on other machines. The same folder is read alike in every
    path.

    Args:
        names: paths of one archive.
    """
    # Not cut at a backslash: it is the second half of many East Asian characters.
    pieces = {piece for name in set(names) for piece in name.split(b"/")}
    strange = sorted(piece for piece in pieces if not piece.isascii())
    encoding = _likeliest(strange[:_MOST_JUDGED]) if strange else "ascii"
    texts = {piece: piece.decode("ascii") for piece in pieces if piece.isascii()}
    texts |= {piece: _best(piece, encoding)[1] for piece in strange}
    return ["/".join(texts[piece] for piece in name.split(b"/")) for name in names]


def _likeliest(pieces: Sequence[bytes]) -> str:
    scores = {
        # In a tie, the first of the list.
        encoding: sum(_best(piece, encoding)[0] for piece in pieces) - 0.2 * place
        for place, encoding in enumerate(_MODELS)
    }
    scores["utf-8"] += _NO_LEGACY
    return max(scores, key=lambda encoding: scores[encoding])


def _best(piece: bytes, encoding: str) -> tuple[float, str]:
    """Return the likelier of an encoding and UTF-8, and the text; if neither fits, any text."""
    choices = [(_IMPOSSIBLE, piece.decode("cp437"))]  # which has a character for every byte
    for name in (encoding, "utf-8"):
        with suppress(UnicodeDecodeError):
            text = piece.decode(name)
            choices.append((_MODELS[name](text), text))
    return max(choices)


def _of_each(score: Callable[[str], float]) -> Callable[[str], float]:
    return lambda text: sum(_ASCII if c.isascii() else score(c) for c in text) + _mixture(text)


def _mixture(text: str) -> float:
    """Return the penalty for words that mix two scripts, or letters and symbols, as few do."""
    total = 0.0
    for pair in pairwise(text):
        plain = [character.isascii() for character in pair]
        if any(plain) and not all(plain) and pair[0 if plain[0] else 1].isalpha():
            total -= _MIXED if pair[1 if plain[0] else 0].isalpha() else _MIXED + 2
    return total


def _chinese(encoding: str, first: int, last: int) -> Callable[[str], float]:
    """Return the model of an encoding whose usual characters begin with the bytes of a range."""

    def score(character: str) -> float:
        if character in _HAN:
            return _COMMON
        lead = character.encode(encoding)[0]
        if not _is_han(character):
            return _SYMBOL if _is_letter(character) else _RARE
        return _LESS_COMMON if first <= lead <= last else _RARE

    return _of_each(score)


def _simplified(character: str) -> float:
    if character in _HAN and _in(character, "gb2312"):
        return _COMMON
    raw = character.encode("gbk")
    if not _is_han(character):
        return _RARE
    if not _in(character, "gb2312"):
        return _VERY_RARE
    return _LESS_COMMON if 0xB0 <= raw[0] <= 0xD7 else _RARE


def _japanese(character: str) -> float:
    if "\u3041" <= character <= "\u309f":
        return -5.3
    if "\u30a1" <= character <= "\u30fc":
        return -5.8
    if "\uff61" <= character <= "\uff9f":  # of half width: one byte each
        return -8.0
    if character in _HAN:
        return -7.6
    if _is_han(character):
        return _LESS_COMMON if 0x88 <= character.encode("cp932")[0] <= 0x97 else -13.4
    return _RARE


def _korean(character: str) -> float:
    if character in _HANGUL:
        return -6.2
    if "\uac00" <= character <= "\ud7a3":
        return -9.2 if _in(character, "euc_kr") else _VERY_RARE
    return -13.8


def _cyrillic(text: str) -> float:
    """Capitals begin words, or make up the whole of them."""
    total, before = 0.0, ""
    for character in text:
        if character.isascii():
            total += _ASCII
        elif "\u0410" <= character <= "\u044f" or character in "ёЁіїєґІЇЄҐў":
            total += -3.2 if character.lower() in "оеаинтсрвлкмдпу" else -4.4
            total -= 1.5 if character.isupper() else 0
            if before.islower() and character.isupper():
                total -= 5
        else:
            total += _SYMBOL
        before = character
    return total + _mixture(text)


def _western(text: str) -> float:
    """Letters with accents stand among letters without."""
    total = 0.0
    for place, character in enumerate(text):
        if character.isascii():
            total += _ASCII
            continue
        latin = unicodedata.name(character, "").startswith("LATIN") and character != "ƒ"
        if not _is_letter(character) or not latin:
            total += _SYMBOL + _mixture(text[max(0, place - 1) : place + 2])
            continue
        total += _ACCENTED if character in "äöüßÄÖÜéèêàâçñóíáúôîåøæãõ" else _ACCENTED - 1.5
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        if not any(neighbour.isascii() and neighbour.isalpha() for neighbour in (before, after)):
            total -= 3
        if character.isupper() and before.islower():
            total -= 4
    return total


def _universal(text: str) -> float:
    """Bytes are hardly ever valid UTF-8 by chance: what can be UTF-8 nearly always is."""
    wide = any(character >= "\u0800" for character in text)
    if wide or any("\u0370" <= character <= "\u07ff" for character in text):
        return _ASCII * len(text)
    return _western(text)


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or character >= "\U00020000"


def _is_letter(character: str) -> bool:
    return unicodedata.category(character).startswith("L")


def _in(character: str, encoding: str) -> bool:
    try:
        return len(character.encode(encoding)) == 2  # EUC-KR spells other syllables out
    except UnicodeEncodeError:
        return False


_MODELS: dict[str, Callable[[str], float]] = {
    "utf-8": _universal,
    "cp437": _western,
    "cp850": _western,
    "cp1252": _western,
    "cp852": _western,
    "cp1250": _western,
    "gbk": _of_each(_simplified),
    "cp932": _of_each(_japanese),
    "cp950": _chinese("cp950", 0xA4, 0xC6),
    "cp949": _of_each(_korean),
    "cp866": _cyrillic,
    "cp1251": _cyrillic,
}
