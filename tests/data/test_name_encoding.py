import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.data.name_encoding import decode_names

CLASSES = {
    "utf-8": ["猫 狗", "Äpfel Nüsse", "кошки", "café", "고양이", "ねこ", "😀 😢"],
    "gbk": ["猫 狗 鸟", "正常 肺炎", "苹果 香蕉 橙子", "高兴 悲伤", "向日葵 玫瑰 蒲公英"],
    "cp932": ["猫 犬 鳥", "ねこ いぬ", "ネコ イヌ", "りんご バナナ", "正常 異常", "桜 松"],
    "cp950": ["貓 狗 鳥", "蘋果 香蕉", "正常 肺炎", "開心 難過 生氣", "功能 許"],
    "cp949": ["고양이 개 새", "사과 바나나", "정상 폐렴", "행복 슬픔", "말 소", "꽃 나무"],
    "cp437": ["Äpfel Birnen Nüsse", "café thé", "Öl Wasser", "niño niña", "français"],
    "cp850": ["maçã pão", "Frø Blåbær", "Smørrebrød"],
    "latin-1": ["Äpfel Birnen Nüsse", "café thé", "maçã pão", "fenêtre chaîne", "Übung"],
    "cp866": ["кошки собаки", "Кошки Собаки Птицы", "НОРМА ПАТОЛОГИЯ", "да нет"],
    "cp1251": ["кошки собаки", "Кошки Собаки Птицы"],
    "cp852": ["kočka pes"],
}


@pytest.mark.parametrize(
    ("encoding", "names"), [(e, names) for e, many in CLASSES.items() for names in many]
)
def test_names_of_classes_in_the_code_pages_of_the_world(encoding, names):
    folders = names.split()
    paths = [f"set/{name}/{number}.png" for name in folders for number in range(3)]
    assert decode_names([path.encode(encoding) for path in paths]) == paths


def test_a_folder_is_read_alike_in_every_path_and_what_was_added_as_utf_8_is_too():
    paths = ["猫/1.png", "猫/狗.png", "猫/3.png", "鸟/正常.png", "高兴/悲伤.png"]
    added = "naïveté/1.png"
    got = decode_names([path.encode("gbk") for path in paths] + [added.encode()])
    assert got == [*paths, added]


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_any_bytes_become_text_and_different_ones_stay_different(names):
    texts = decode_names(names)
    assert len(texts) == len(names)
    for name, text in zip(names, texts, strict=True):
        assert text.count("/") == name.count(b"/") or not name.isascii()
        if name.isascii():
            assert text == name.decode()
