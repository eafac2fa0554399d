import re
from types import SimpleNamespace

from genimg.ui.compare.figures import figures


def model(**info):
    return SimpleNamespace(info=info)


def cells(table, title):
    row = next(row for row in table.split("<tr>") if title in row)
    return [re.sub("<.*?>", "", cell) for cell in re.findall("<td>(.*?)</td>", row)]


def test_what_was_measured_stands_side_by_side():
    gan = model(
        metrics={"frechet_distance": {"value": 0.1633}, "recall": {"value": 0.29}},
        parameters={"generator": 1_000_000, "discriminator": 500_000}, minutes=66.4,
        images_seen=600_000,
    )  # fmt: skip
    drawer = model(metrics={"frechet_distance": {"value": 12.345}}, parameters={})
    table = figures(gan, drawer, [0.0123, 1.5])
    assert cells(table, "Distance to real") == ["0.163", "12.3"]
    assert cells(table, "Recall") == ["0.29", "–"]
    assert "Precision" not in table  # measured of neither
    assert cells(table, "One picture takes") == ["12 ms", "1,500 ms"]
    assert cells(table, "Parameters") == ["1.5 million", "–"]
    assert cells(table, "Trained for") == ["66 minutes, 600,000 pictures", "–"]
    assert cells(table, "Finishes a picture") == ["no", "yes"]


def test_a_card_that_says_nothing_is_no_error():
    assert "–" in figures(model(), model(), [0.0, 0.0])
