"""Signing in with Hugging Face, on a Space: a run then trains on its owner's own account.

Gradio keeps who is signed in in a cookie of the visitor's browser that no script can read, and
tells it to whoever is bound here. The token goes from there into `genimg.jobs.accounts` and
nowhere else. Outside a Space Gradio would pretend, with the token of this machine, so nothing is
offered there.
"""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import gradio as gr

from genimg.configuration import Configuration
from genimg.jobs.accounts import Accounts
from genimg.jobs.engines import hub
from genimg.ui.components import STATIC, component

JOBS = "GENIMG_JOBS"
_NEEDED = (
    *("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"),
    *("OAUTH_SCOPES", "OPENID_PROVIDER_URL"),
)
_PACKAGES = ("authlib", "itsdangerous")  # a Space has them with Gradio
_PLACES = 100  # everybody pays for one's own


def is_possible(environment: Mapping[str, str]) -> bool:
    """Return whether visitors can sign in here: on a Space that asks for it in its README.

    Args:
        environment: `os.environ`, or some of it.
    """
    if environment.get("SYSTEM") != "spaces" or not all(map(environment.get, _NEEDED)):
        return False
    return all(find_spec(package) is not None for package in _PACKAGES)


def engines_of(environment: Mapping[str, str]) -> dict[str, Configuration]:
    """Return the engine that a Space's owner names with the variable GENIMG_JOBS, by its name.

    Args:
        environment: as for `is_possible`; GENIMG_JOBS is the hardware that visitors rent.
    """
    flavour = environment.get(JOBS, "").strip()
    if not flavour or not is_possible(environment):
        return {}
    space = environment["SPACE_ID"]
    settings = hub.HubSettings(space=space, flavour=flavour, places=_PLACES, visitors=True)
    return {hub.NAME: settings}


class SigningIn:
    """What handlers are told of who is signed in.

    Args:
        accounts: take in the tokens.
        offered: whether visitors can sign in; else nobody ever is.
    """

    def __init__(self, accounts: Accounts, *, offered: bool) -> None:
        self.accounts, self.offered = accounts, offered

    def account(self, profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> str:
        """Return the name of the account of who asks, '' for nobody's, and keep its token."""
        if not self.offered or profile is None or token is None:
            return ""
        self.accounts.sign_in(profile.username, token.token, token.expires_at)
        return profile.username

    def told(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Return what Gradio calls: `handler` with the account before its other arguments."""

        def knowing(
            profile: gr.OAuthProfile | None, token: gr.OAuthToken | None, *values: Any
        ) -> Any:
            return handler(self.account(profile, token), *values)

        def nobody(*values: Any) -> Any:
            return handler("", *values)

        wrapped = knowing if self.offered else nobody
        wrapped.__name__ = handler.__name__
        return wrapped


def add_button(signing_in: SigningIn, demo: gr.Blocks, how: Mapping[str, Any]) -> None:
    """Add what a visitor signs in and out with, where that is offered.

    Args:
        demo: the page that is being built.
        how: the options of the event that looks, as the page opens, who is signed in.
    """
    if not signing_in.offered:
        return
    # Gradio opens its routes for whoever has one of these; its words are in English alone.
    hidden = gr.LoginButton(visible=False)
    hidden.load_event_to_attach = None  # it would only look after its own words
    button = component(STATIC, "sign_in", ["sign_in.js"], {"account": ""}, name="sign-in")

    def signed_in(account: str) -> dict[str, str]:
        return {"account": account}

    demo.load(signing_in.told(signed_in), None, button, **how)
