"""Asks Instagram about a token before it is stored: whether it is valid, and whose it is."""

from datetime import timedelta
from typing import Final

from cli.failures import CommandError
from cli.shown import remark
from domain.check_account import PROFESSIONAL
from domain.faults import AccountFault, Fault
from domain.ids import PersonaId
from domain.personas import Login
from domain.tokens import Account, Credentials
from handlers.wiring import Stack

WITHIN: Final = timedelta(seconds=10)


def account_of(
    stack: Stack, persona_id: PersonaId, login: Login, credentials: Credentials, instagram_user_id: str | None
) -> Account | None:
    """The account that the token is for; None, and a remark, where Instagram cannot be asked now.

    Raises CommandError, and nothing shall be stored, where the token is refused, or is for another account or a
    personal one.
    """
    try:
        account = stack.accounts.account(login, credentials, instagram_user_id, within=WITHIN)
    except AccountFault as fault:
        raise CommandError(
            f"Instagram does not take this token, and nothing was stored. {fault.message} Get a new one in your app's "
            "dashboard at Meta, and give it whole; for one that is managed through a Page, with --login facebook."
        ) from None
    except Fault as fault:
        remark(
            f"The token could not be checked now ({fault.message.rstrip('.')}); `fluffy-train persona check "
            f"{persona_id}` checks it later."
        )
        return None
    if account.is_personal:
        raise CommandError(
            "This is a personal account, to which no program can post; nothing was stored. " + PROFESSIONAL
        )
    if instagram_user_id is not None and account.instagram_user_id != instagram_user_id:
        raise CommandError(
            f"The token is for the account {in_words(account)}, and not for {instagram_user_id}; nothing was stored. "
            "Give that account's token, or this account's number."
        )
    return account


def in_words(account: Account) -> str:
    """``@fluffy.train, business account 17841400000000001``, without what the host does not tell."""
    kind = (account.account_type or "").replace("_", " ").lower()
    number = f"{kind} account {account.instagram_user_id}" if kind else account.instagram_user_id
    return f"@{account.username}, {number}" if account.username else number
