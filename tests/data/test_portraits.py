from genimg.data.portraits import PORTRAITS, SKINS


def brightness(digits):
    return sum(int(digits[start : start + 2], 16) for start in (0, 2, 4)) / 3


def test_classes_are_the_hair():
    assert PORTRAITS.classes == ("fringe", "quiff", "long", "mohawk", "bob", "turban")


def test_black_lines_show_on_every_skin():
    assert min(map(brightness, SKINS.values())) > 90


def test_a_mouth_shows_on_a_dark_beard():
    names = {"hair": "long", "skin": "tan", "eyes": "open", "glasses": "none", "shirt": "collar"}
    hues = {"shirt hue": 0.0, "background hue": 0.0}
    for hair in PORTRAITS.attributes["hair colour"].values:
        for mouth in PORTRAITS.attributes["mouth"].values:
            options = PORTRAITS.options(
                names | {"hair colour": hair, "beard": "yes", "mouth": mouth}, hues
            )
            beard, mouth = options["facialHairColor"], options["mouthColor"]
            assert abs(brightness(beard) - brightness(mouth)) > 70
