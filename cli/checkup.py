"""What `fluffy-train persona check` says: in words, or as JSON."""

from typing import Any

from cli.shown import complain, days, say
from cli.token_check import in_words
from domain import instants
from domain.check_account import Checkup
from domain.personas import Login


def say_checkup(found: Checkup) -> None:
    """What is known, one line each; then each problem with what mends it."""
    say(f"{found.persona.persona_id}: {_headline(found)}")
    lines = {
        "account": in_words(found.account) if found.account else "not known",
        "token": _token(found),
        "permissions": _permissions(found),
        "quota": _quota(found),
        "state": "active" if found.persona.paused_reason is None else "paused",
    }
    for name, text in lines.items():
        say(f"  {name:<12} {text}")
    for problem in found.problems:
        complain(f"{problem.what} {problem.mend}")


def checkup_facts(found: Checkup) -> dict[str, Any]:
    expires_at = found.persona.token_expires_at
    account, quota = found.account, found.quota
    return {
        "persona_id": found.persona.persona_id,
        "ok": not found.problems,
        "token": {
            "valid": found.token_is_valid,
            "expires_at": instants.to_text(expires_at) if expires_at else None,
            "days_left": found.days_left,
        },
        "account": account
        and {
            "instagram_user_id": account.instagram_user_id,
            "username": account.username,
            "account_type": account.account_type,
        },
        "permissions": {
            "read": found.may_read,
            "publish": found.may_publish,
            "granted": None if found.granted is None else sorted(found.granted),
        },
        "quota": quota
        and {
            "used": quota.used,
            "total": quota.total,
            "window_seconds": int(quota.window.total_seconds()),
            "used_up": quota.is_used_up,
            "frees_by": instants.to_text(found.quota_frees_by) if found.quota_frees_by else None,
        },
        "paused_reason": found.persona.paused_reason,
        "problems": [{"problem": problem.what, "mend": problem.mend} for problem in found.problems],
    }


def _headline(found: Checkup) -> str:
    if found.problems:
        return "something must be mended"
    if found.quota is not None and found.quota.is_used_up:
        return "nothing must be mended, but its publishing quota is used up: posts wait until it frees"
    return "all is well"


def _token(found: Checkup) -> str:
    if found.token_is_valid is None:
        return "not known to be valid"
    if not found.token_is_valid:
        return "not valid"
    if found.days_left is not None:
        return f"valid, {days(found.days_left)}"
    if found.persona.login is Login.FACEBOOK:
        return "valid; nobody knows for how long (a Page's token may never expire)"
    return "valid; how long, is known after its first refresh, a day after it was stored"


def _permissions(found: Checkup) -> str:
    told = {True: "yes", False: "no", None: "not known"}
    return f"reading: {told[found.may_read]}, publishing: {told[found.may_publish]}"


def _quota(found: Checkup) -> str:
    if found.quota is None:
        return "not known"
    hours = found.quota.window.total_seconds() / 3600
    counted = f"{found.quota.used} of {found.quota.total} posts in the last {hours:g} hours"
    if not found.quota.is_used_up:
        return counted
    when = (
        "when, is not known: none of the posts is ours"
        if found.quota_frees_by is None
        else f"by {found.quota_frees_by:%Y-%m-%d %H:%M} UTC at the latest, when our oldest one no longer counts"
    )
    return f"{counted}: used up. It frees by itself ({when}). A post that is due meanwhile waits, up to 23 hours"
