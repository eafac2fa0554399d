import pytest


@pytest.fixture(scope="session")
def english(in_english):
    """A function that returns what was sent to a script, with its words in English."""

    def english(sent):
        if isinstance(sent, list):
            return [english(each) for each in sent]
        if not isinstance(sent, dict):
            return sent
        return (
            in_english(sent)
            if "say" in sent
            else {name: english(each) for name, each in sent.items()}
        )

    return english
